"""Who looks after forecast models while they train: a thread for each, from CREATE MODEL to the last object's end.

    committed -> job -> rows and READY, or FAILED with the reason -> objects removed

Every step can be taken again, and what was under way when the process ended goes on when the warehouse opens: a job
that had completed is made rows of, one that had not is trained again.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog import store
from restframe.catalog.models import Model
from restframe.catalog.records import Cache
from restframe.catalog.relations import Relation
from restframe.engine import Connection
from restframe.engine.duckdb import DuckDB
from restframe.engine.quoting import quoted
from restframe.jobs import Service
from restframe.jobs.specs import Channel
from restframe.jobs.training_record import JobDescription
from restframe.journal import Journal
from restframe.ml import artifact
from restframe.ml.containers.forecast import REPORT_FILE, ROWS_FILE
from restframe.storage import ObjectUrl, Storage
from restframe.storage.loading.columnar import ColumnarReader
from restframe.storage.loading.fields import Column
from restframe.types import SqlType
from restframe.warehouse.forecasts.grid import time_frequency
from restframe.warehouse.forecasts.register import Record, Register
from restframe.warehouse.forecasts.rows import columns

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.session import Session

logger = logging.getLogger(__name__)

_GLANCE_S = 1.0  # how often a running training is looked at, for the model may be gone
_COMMIT_GLANCE_S = 0.02
_WAIT_S = 0.1
_ATTEMPT = re.compile(r"(.+-forecast)(?:-([0-9]+))?")  # the name of a job, and which training of the model it is
_ENDED = "InternalServerError: the warehouse "
_CONTENT_TYPE = "application/x-parquet"
_TRIES = 5
_STOPPING_S = 30.0


@dataclass(frozen=True, slots=True)
class Progress:
    """state : TRAINING, READY or FAILED. told : how far the training is, or why it failed."""

    state: str
    told: str | None = None


class Forecasts:
    """All forecast models of a warehouse. Usable from any thread."""

    def __init__(
        self,
        engine: DuckDB,
        cache: Cache,
        system_views: dict[str, Relation],
        jobs: Service,
        storage: Storage,
        journal: Journal,
    ) -> None:
        self._engine = engine
        self._cache = cache
        self._system_views = system_views
        self._jobs = jobs
        self._storage = storage
        self._register = Register(journal)
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()

    # What commands use

    def begin(self, record: Record, data: bytes, session: Session) -> None:
        """Put the training data where they belong, and train once the session's transaction has made the model.

        StorageError and its kinds when they cannot be put there; nothing is left behind then.
        """
        self._register.add(record)
        try:
            self._storage.put(record.data, data)
        except BaseException:
            self._register.remove(record.model)
            raise
        self._start(record, session)

    def find(self, model_id: int) -> Record | None:
        return self._register.find(model_id)

    def progress(self, model: Model) -> Progress:
        """The state as it is now, whatever the session's transaction sees."""
        with self._catalog() as (catalog, _):
            found = _find(catalog, model.id)
        record = self._register.find(model.id)
        state = model.state if found is None else found.state
        if record is None:
            return Progress(state)
        return Progress(state, record.failure if state == "FAILED" else self.job_status(record))

    def job_status(self, record: Record) -> str | None:
        """`InProgress: Training, 40 % done`; None before there is a job."""
        try:
            job = self._jobs.training.describe(record.job)
        except errors.UndefinedObject:
            return None
        if job.is_final:
            return job.status
        return f"{job.status}: {job.secondary_status}{_percent(self._jobs, record.job)}"

    def training(self) -> list[str]:
        """The names of the models in training."""
        with self._catalog() as (catalog, _):
            models = [model for model in catalog.models() if model.state == "TRAINING"]
        return [model.name for model in models if self._register.find(model.id) is not None]

    def wait(self) -> None:
        """Until no model is in training, or the warehouse closes."""
        while self.training() and not self._closing.wait(_WAIT_S):
            pass

    def dropped(self, model: Model) -> None:
        """After a model was dropped for good: end its training, and let go of its record."""
        record = self._register.find(model.id)
        if record is None:
            return
        with contextlib.suppress(errors.Error):  # it has ended already, or never began
            self._jobs.training.stop(record.job)
        if record.clean:
            self._register.remove(model.id)

    # The warehouse's life

    def resume(self) -> None:
        """Go on with what was under way when the warehouse was last open."""
        records = self._register.all()
        if not records:
            return
        with self._catalog() as (catalog, _):
            states = {model.id: model.state for model in catalog.models()}
        for record in records:
            if states.get(record.model) is None and record.clean:
                self._register.remove(record.model)
            elif states.get(record.model) == "TRAINING" or not record.clean:
                self._start(record, None)

    def close(self) -> None:
        """Leave everything as it stands; trainings go on when the warehouse opens again."""
        self._closing.set()
        for thread in list(self._threads):
            thread.join()

    # One model, in its own thread

    def _start(self, record: Record, session: Session | None) -> None:
        ended = None if session is None else session.ended_transactions
        thread = threading.Thread(
            target=self._run, args=(record, session, ended), name=f"restframe-forecast-{record.model}", daemon=True
        )
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _run(self, record: Record, session: Session | None, ended: int | None) -> None:
        try:
            if session is not None:
                self._wait_for_commit(record, session, ended)
            if not self._closing.is_set() and self._model(record) is not None:
                self._settle(record)
            if not self._closing.is_set():
                self._clean(record)
        except Exception:
            logger.exception("forecast model %d", record.model)
        finally:
            with self._lock:
                self._threads.remove(threading.current_thread())

    def _wait_for_commit(self, record: Record, session: Session, ended: int | None) -> None:
        """Until the transaction that made the model has ended, and others see it or never will."""
        while session.ended_transactions == ended and not self._closing.wait(_COMMIT_GLANCE_S):
            pass

    def _settle(self, record: Record) -> None:
        """See a training through to READY or FAILED, unless the model is gone or the warehouse closes."""
        try:
            job = self._trained(record)
            if job is None:
                return
            if job.status == "Completed":
                self._install(record, job)
            else:
                self._fail(record, _reason(job, record))
        except errors.Error as error:
            self._fail(record, error.message)
        except Exception as error:  # whatever it was, the model would be TRAINING for ever
            logger.exception("forecast model %d", record.model)
            self._fail(record, f"InternalServerError: {type(error).__name__}: {str(error)[:200]}")

    def _trained(self, record: Record) -> JobDescription | None:
        """The training job when it has ended; None when nobody wants it any more."""
        training, name = self._jobs.training, record.job
        while not self._closing.is_set():
            model = self._model(record)
            if model is None or model.state != "TRAINING":
                with contextlib.suppress(errors.Error):
                    training.stop(name)
                    training.wait(name, _STOPPING_S, self._closing)  # it may still be uploading
                return None
            try:
                job = training.describe(name)
            except errors.UndefinedObject:
                self._train(record, name)
                continue
            if not job.is_final:
                training.wait(name, _GLANCE_S, self._closing)
            elif (again := self._next_attempt(job)) is not None:
                name = again
                self._register.set_job(record.model, name)
            else:
                return job
        return None

    def _next_attempt(self, job: JobDescription) -> str | None:
        """The name of another training, after one that ended with its warehouse.

        None after two crashes in a row: the training may be what the process dies of.
        """
        match = _ATTEMPT.fullmatch(job.spec.name)
        if match is None or not _failed_with(job, _ENDED):
            return None
        name, number = match[1], int(match[2] or 1)
        before = name if number <= 2 else f"{name}-{number - 1}"
        if number > 1 and all(
            _failed_with(one, f"{_ENDED}ended") for one in (job, self._jobs.training.describe(before))
        ):
            return None
        return f"{name}-{number + 1}"

    def _train(self, record: Record, name: str) -> None:
        quantiles = [one for one in record.percentiles if one != "mean"]
        self._jobs.train(
            "forecast",
            {"train": Channel(str(record.data), content_type=_CONTENT_TYPE)},
            record.folder,
            name=name,
            hyperparameters={
                "prediction_length": record.horizon,
                "time_freq": str(time_frequency(record.frequency)),
                "objective": record.objective,
                "quantiles": quantiles,
                "max_runtime_s": record.max_runtime_s,
            },
            max_runtime_s=record.max_runtime_s,
        )

    def _install(self, record: Record, job: JobDescription) -> None:
        """Store the rows and make the model READY, in one transaction."""
        assert job.artifact is not None
        files = artifact.read(io.BytesIO(self._storage.read(ObjectUrl.parse(job.artifact))))
        report, rows = json.loads(files[REPORT_FILE]), _rows(files[ROWS_FILE], record)
        self._register.finish(record.model, report, None)

        def change(catalog: store.Catalog, connection: Connection, model: Model) -> None:
            connection.register("forecast_rows", rows)
            table = quoted(store.INTERNAL_SCHEMA, model.forecast_table)
            connection.run(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM forecast_rows ORDER BY id, time")
            connection.unregister("forecast_rows")
            catalog.set_model_state(model, "READY")

        self._change(record, change)

    def _fail(self, record: Record, reason: str) -> None:
        self._register.finish(record.model, {}, reason[:1000])
        self._change(record, lambda catalog, _, model: catalog.set_model_state(model, "FAILED"))

    def _clean(self, record: Record) -> None:
        """Remove the objects of a model that has its rows, has failed, or is gone."""
        model = self._model(record)
        if model is not None and model.state == "TRAINING":
            return
        if not record.keeps_objects:
            for info in list(self._storage.list(ObjectUrl.parse(record.folder))):
                self._storage.delete(info.url)
        if model is None:
            self._register.remove(record.model)
        else:
            self._register.set_clean(record.model)

    # The catalog

    def _model(self, record: Record) -> Model | None:
        with self._catalog() as (catalog, _):
            return _find(catalog, record.model)

    @contextlib.contextmanager
    def _catalog(self) -> Iterator[tuple[store.Catalog, Connection]]:
        connection = self._engine.connect()
        try:
            yield store.Catalog(connection, self._cache, self._system_views), connection
        finally:
            connection.close()

    def _change(self, record: Record, change: Callable[[store.Catalog, Connection, Model], None]) -> None:
        """Change the catalog in a transaction, unless the model is gone; again when others changed it meanwhile."""
        for left in reversed(range(_TRIES)):
            try:
                with self._catalog() as (catalog, connection):
                    connection.begin()
                    catalog.begin()
                    model = _find(catalog, record.model)
                    if model is None:
                        connection.rollback()
                        return
                    change(catalog, connection, model)
                    connection.commit()
                    catalog.commit()
                return
            except errors.SerializationFailure:
                if not left:
                    raise
                self._closing.wait(_COMMIT_GLANCE_S)


def _find(catalog: store.Catalog, model_id: int) -> Model | None:
    return next((model for model in catalog.models() if model.id == model_id), None)


def _rows(content: bytes, record: Record) -> pa.Table:
    """The rows of a training's artefact as SQL shows them; in its bucket others may have changed it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    quantiles = [one for one in record.percentiles if one != "mean"]
    types = {"item_id": _ITEM, "time": _TIME} | dict.fromkeys([*quantiles, "mean"], _NUMBER)
    reader = ColumnarReader("parquet", [Column(name, type_) for name, type_ in types.items()])
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        found = pa.Table.from_batches(reader.read(Path(file.name), ROWS_FILE), reader.schema)
    items = [None if one is None else one.lower() for one in found["item_id"].to_pylist()]
    times = pc.strftime(found["time"].cast(pa.timestamp("s")), "%Y-%m-%dT%H:%M:%SZ")
    values = [found[one] for one in record.percentiles]
    return pa.table([pa.array(items, pa.string()), times, *values], names=list(columns(record.percentiles)))


_ITEM, _TIME, _NUMBER = SqlType("varchar"), SqlType("timestamp"), SqlType("float8")


def _failed_with(job: JobDescription, reason: str) -> bool:
    return job.status == "Failed" and (job.failure or "").startswith(reason)


def _reason(job: JobDescription, record: Record) -> str:
    if job.failure:
        return job.failure
    if job.secondary_status == "MaxRuntimeExceeded":
        return f"MaxRuntimeExceeded: the training was not done after MAX_RUNTIME of {record.max_runtime_s} seconds"
    return f"the training job was stopped: {job.secondary_status}"


_PERCENT = re.compile(r"completed ([0-9.]+) %")


def _percent(jobs: Service, name: str) -> str:
    """How much of a training its log says to be done."""
    found = [match[1] for line in jobs.training.log(name) if (match := _PERCENT.search(line.text))]
    return f", {found[-1]} % done" if found else ""
