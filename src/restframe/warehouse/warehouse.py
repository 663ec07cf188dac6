"""A warehouse: one directory, opened by one process, and what can be done with it from Python."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from restframe import errors
from restframe import settings as settings_
from restframe.catalog import layout, store, views
from restframe.catalog.records import Cache
from restframe.catalog.users import User
from restframe.engine import Parameters
from restframe.engine.duckdb import ENGINE_SPOOL, DuckDB
from restframe.engine.quoting import quoted
from restframe.jobs import Endpoint, Service, TrainingJob
from restframe.journal import Journal
from restframe.result import Result
from restframe.settings import Settings
from restframe.sql import CATALOG_MACROS, FUNCTIONS, MACROS
from restframe.storage import Storage
from restframe.warehouse.activity import Activity
from restframe.warehouse.cluster import Cluster, ClusterState
from restframe.warehouse.forecasts.keeper import Forecasts
from restframe.warehouse.new_files import NewFile
from restframe.warehouse.prediction.functions import PredictionFunctions
from restframe.warehouse.runs import Statements
from restframe.warehouse.services import Services
from restframe.warehouse.session import Session
from restframe.warehouse.translations import Translations

_opening = threading.Lock()
_opened: weakref.WeakValueDictionary[Path, Warehouse] = weakref.WeakValueDictionary()


@atexit.register
def _close_all() -> None:
    """Close what a program left open: the engine complains about functions of ours that outlive it."""
    for warehouse in list(_opened.values()):
        with contextlib.suppress(errors.Error):
            warehouse.close()


class Warehouse:
    """Everything in one directory: tables, models, buckets, jobs and endpoints.

        with restframe.open("rides") as warehouse:
            warehouse.sql("CREATE TABLE t (a int)")
            print(warehouse.sql("SELECT count(*) FROM t").scalar())

    `sql` is a session shared by all threads, one statement at a time; `session()` gives one of your own. `statements`
    runs SQL behind the answer.
    WarehouseLocked when another process has the directory open, or another Warehouse of this one.
    """

    def __init__(self, directory: Path | str, **given: Any) -> None:
        self.settings: Settings = settings_.load(directory, **given)
        with _opening:
            if Warehouse.opened(self.settings.directory) is not None:
                # The engine would let us in, and two catalogs would not know of each other's changes.
                raise errors.WarehouseLocked(
                    "the warehouse is already open in this process",
                    hint="Use the Warehouse that is open; restframe.connect() shares it.",
                )
            self._create()
            _opened[self.settings.directory] = self

    @staticmethod
    def opened(directory: Path) -> Warehouse | None:
        """The Warehouse this process has open in a directory; `directory` is resolved."""
        return _opened.get(directory)

    def _create(self) -> None:
        self.settings.directory.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as opened:
            file = self.settings.directory / "warehouse.duckdb"
            new_file = None if file.exists() else NewFile(self.settings.user)
            copied = new_file is not None and new_file.put(file)
            # The engine's lock says that nobody else is writing.
            engine = DuckDB(file, self.settings)
            opened.callback(engine.close)
            self.journal = Journal(self.settings.directory / "service.sqlite")
            opened.callback(self.journal.close)
            self._services = self._open(engine)
            if new_file is not None and not copied:
                new_file.keep(file)
            self.statements = Statements(self.settings, self.journal, self.session)
            opened.pop_all()
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._closed = False

    def _open(self, engine: DuckDB) -> Services:
        activity = Activity()
        connection = engine.connect()
        try:
            activity.register(connection)
            connection.begin()
            new = layout.create(connection, self.settings.user)
            built_in = {name: (one.kind, one.least) for name, one in FUNCTIONS.items()}
            system_views = views.create(connection, MACROS, built_in, CATALOG_MACROS)
            connection.commit()
            if new:
                connection.run("CHECKPOINT")
        finally:
            connection.close()
        for left_behind in self.settings.spool.iterdir():
            if left_behind.name != ENGINE_SPOOL:
                shutil.rmtree(left_behind) if left_behind.is_dir() else left_behind.unlink()
        storage = Storage(self.settings)
        storage.recover()
        jobs = Service(self.settings, storage, self.journal)
        functions = PredictionFunctions(jobs, self.settings.endpoint_connections)
        cache = Cache()
        services = Services(
            self.settings,
            engine,
            storage,
            jobs,
            functions,
            system_views,
            cache,
            Translations(),
            Cluster(self.journal),
            activity,
            Forecasts(engine, cache, system_views, jobs, storage, self.journal),
        )
        self._register_models(services)
        services.forecasts.resume()
        return services

    @staticmethod
    def _register_models(services: Services) -> None:
        """Views may call models, so their functions must be there before the first query."""
        connection = services.engine.connect()
        try:
            for model in store.Catalog(connection, services.cache, services.system_views).models():
                if model.function_name:
                    services.functions.register(model, connection)
        finally:
            connection.close()

    # SQL

    def sql(self, text: str, parameters: Parameters = ()) -> Result:
        """Run SQL and return its last statement's Result, whose rows are in memory."""
        with self._lock:
            if self._session is None:
                self._session = self.session()
            result = self._session.execute(text, parameters)
            result.buffer(self.settings.spool)
            return result

    def session(self, user: str | None = None) -> Session:
        """A new session: its own transaction, settings and temporary tables."""
        return Session(self._services, user or self.settings.user)

    def login(self, name: str) -> User | None:
        """The database user of a name, as the last commit left it."""
        connection = self._services.engine.connect()
        try:
            return store.Catalog(connection, self._services.cache, self._services.system_views).users.find(name)
        finally:
            connection.close()

    def create_user(self, name: str) -> None:
        """Make a database user without a password, unless there is one of that name."""
        if self.login(name) is None:
            with self.session() as session, contextlib.suppress(errors.DuplicateObject):
                session.execute(f"CREATE USER {quoted(name)} PASSWORD DISABLE")

    def join_groups(self, name: str, groups: Sequence[str]) -> None:
        """Add a user to groups. UndefinedObject for one that does not exist, or a user."""
        if groups:
            changes = (f"ALTER GROUP {quoted(group)} ADD USER {quoted(name)}" for group in groups)
            with self.session() as session:
                session.execute("; ".join(changes))

    # The cluster

    @property
    def cluster(self) -> ClusterState:
        """Whether the warehouse is paused, and the roles it is said to have."""
        return self._services.cluster.state

    @property
    def paused(self) -> bool:
        return self.cluster.paused

    def pause(self) -> bool:
        """Take no statements until `resume`, across restarts too; whether that is a change.

        Statements that run are finished, and their results can be read; the next statement of every session fails
        with WarehousePaused and changes nothing, not even the state of its transaction. Training and endpoints go on.
        """
        return self._services.cluster.set_paused(True)

    def resume(self) -> bool:
        """Take statements again; whether that is a change."""
        return self._services.cluster.set_paused(False)

    def set_roles(self, roles: Callable[[Sequence[str]], Sequence[str]], default: str | None = None) -> None:
        """Change the ARNs of roles that `cluster` shows by a function of them; an empty `default` takes it away."""
        self._services.cluster.set_roles(roles, default)

    # Models

    def train(
        self,
        algorithm: str,
        channels: Mapping[str, str],
        output: str,
        *,
        wait: bool = True,
        **options: Any,
    ) -> TrainingJob:
        """Train a model from `s3://` channels in a child process; options as of `restframe.jobs.Service.train`."""
        job = self._services.jobs.train(algorithm, channels, output, **options)
        return job.wait() if wait else job

    def deploy(self, model: TrainingJob | str, endpoint: str | None = None, **options: Any) -> Endpoint:
        """Serve a trained job's model, an artefact at `s3://`, or an external URL under an endpoint's name.

        Options as of `restframe.jobs.Service.deploy`.
        """
        return self._services.jobs.deploy(model, endpoint, **options)

    def models_in_training(self) -> list[str]:
        """The names of the forecast models that are TRAINING, which `close` interrupts."""
        return self._services.forecasts.training()

    def wait_for_models(self) -> None:
        """Wait until every forecast model is READY or FAILED; those of transactions that are open do not count."""
        self._services.forecasts.wait()

    @property
    def jobs(self) -> Service:
        return self._services.jobs

    @property
    def storage(self) -> Storage:
        return self._services.storage

    # The end

    def close(self) -> None:
        """Stop what runs, write what is to be written, and let another process open the directory."""
        if self._closed:
            return
        self._closed = True
        try:
            self.statements.close()
            if self._session is not None:
                self._session.close()
            self._services.forecasts.close()
            self._services.jobs.close()
            self._services.engine.close()
            self.journal.close()
        finally:
            del _opened[self.settings.directory]

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open(directory: Path | str, **given: Any) -> Warehouse:  # noqa: A001
    """Open the warehouse in a directory, which is made when it does not exist.

    given : settings, by the names of `restframe.Settings`; they win over restframe.toml and the environment
    """
    return Warehouse(directory, **given)
