"""Transform jobs: what a model answers about the objects of a bucket becomes objects beside them.

    InProgress -> Completed | Failed         InProgress -> Stopping -> Stopped

A job runs in a child process of its own, which reads and writes piece by piece. Its outputs appear together when all
of them are there; a job that fails, is stopped or is interrupted by kill -9 leaves none.

https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform.html
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import shutil
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restframe import errors
from restframe.jobs import inputs
from restframe.jobs.local import check_artifact
from restframe.jobs.logs import Logs
from restframe.jobs.process import TrainingProcess, describe_exit
from restframe.jobs.runs import Failed, Run, Runs, Stopped, listen, reason
from restframe.jobs.transform_record import TransformDescription, TransformRecord, TransformSpec
from restframe.journal import Journal
from restframe.ml import registry
from restframe.storage import ObjectUrl, Storage

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TransformJobs"


class TransformProcess(TrainingProcess):
    """The child in which a job runs."""

    module = "restframe.jobs.transform_child"


class Transforms:
    """All transform jobs of a warehouse. Usable from any thread.

    timeout_s : for one request to a server that runs elsewhere
    """

    def __init__(self, journal: Journal, logs: Logs, storage: Storage, directory: Path, timeout_s: float) -> None:
        self._logs = logs
        self._record = TransformRecord(journal)
        self._storage = storage
        self._directory = directory
        self._timeout_s = timeout_s
        self._runs = Runs("transform")
        self._recover()

    def _recover(self) -> None:
        """Jobs that ran when the warehouse ended will never complete."""
        shutil.rmtree(self._directory, ignore_errors=True)
        for name in self._record.unfinished():
            self._finish(name, "Failed", "InternalServerError: the warehouse ended while the job was running")

    # What clients do

    def create(self, spec: TransformSpec) -> None:
        """Begin a job; it runs behind the answer.

        UndefinedObject for an unknown algorithm, InvalidParameterValue for places that are none, DuplicateObject when
        the name was ever taken.
        """
        ObjectUrl.parse(spec.input.url)
        ObjectUrl.parse(spec.output)
        if spec.model.algorithm is not None:
            registry.find(spec.model.algorithm)
        self._record.add(spec)
        run = Run()
        self._runs.start(spec.name, run, lambda: self._run(spec, run))

    def describe(self, name: str) -> TransformDescription:
        """UndefinedObject when there is no such job."""
        return self._record.describe(name)

    def describe_all(self) -> list[TransformDescription]:
        """All jobs, oldest first."""
        return self._record.describe_all()

    def stop(self, name: str) -> None:
        """Make a job end soon. InvalidParameterValue when it has ended already; a stopping one stops once."""
        description = self.describe(name)
        run = self._runs.find(name)
        if description.is_final or run is None:
            raise errors.InvalidParameterValue(f'transform job "{name}" is {description.status}, it cannot be stopped')
        self._record.stop(name)
        self._runs.notify()
        run.stop()

    def wait(
        self, name: str, timeout_s: float | None = None, given_up: threading.Event | None = None
    ) -> TransformDescription:
        """The job as it is when it no longer runs in this process, or when the time is over.

        given_up : when it is set nobody wants to know any more
        """
        self._runs.wait(name, timeout_s, given_up)
        return self.describe(name)

    def stream(self, name: str) -> str:
        """The name of a job's log stream in LOG_GROUP."""
        return f"{name}/algo-1-{int(self.describe(name).created.timestamp())}/data-log"

    def process_id(self, name: str) -> int | None:
        """Of the process a job runs in, while it does."""
        return self._runs.process_id(name)

    def close(self) -> None:
        """Stop what runs; such jobs have failed."""
        self._runs.close()

    # One job, in its own thread

    def _run(self, spec: TransformSpec, run: Run) -> None:
        directory = self._directory / spec.name
        status, failure = "Failed", None
        try:
            with self._runs.slot(run):
                self._record.start(spec.name)
                directory.mkdir(parents=True)
                self._transform(spec, run, directory)
            status = "Completed"
        except Stopped:
            status = "Stopped"
        except Exception as error:  # noqa: BLE001  (whatever it was, the job failed)
            failure = reason(error, f"transform job {spec.name}")
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if run.abandoned and status != "Completed":
            status, failure = "Failed", "InternalServerError: the warehouse was closed while the job was running"
        self._finish(spec.name, status, failure)

    def _transform(self, spec: TransformSpec, run: Run, directory: Path) -> None:
        found = inputs.named_objects(spec.input, self._storage)
        outputs = _outputs(spec, [name for name, _ in found])
        with contextlib.ExitStack() as held:
            listed = []
            for number, (_, url) in enumerate(found):
                run.check()
                path = held.enter_context(self._storage.local_file(url))
                listed.append((str(url), str(path), str(directory / f"{number}.out")))
            model = dataclasses.asdict(dataclasses.replace(spec.model, details={}))
            if spec.model.artifact is not None:
                archive = ObjectUrl.parse(spec.model.artifact)
                check_artifact(self._storage.head(archive))
                model["artifact"] = str(held.enter_context(self._storage.local_file(archive)))
            task = {
                "model": model,
                "environment": {**spec.model.environment, **spec.environment},
                "timeout_s": self._timeout_s,
                "objects": listed,
                "content_type": spec.input.content_type or spec.model.content_type,
                "compression": spec.input.compression,
                "accept": spec.accept,
                "split": spec.split,
                "strategy": spec.strategy,
                "assemble": spec.assemble,
                "max_payload_mb": spec.max_payload_mb,
                "concurrent": spec.concurrent,
            }
            self._supervise(spec.name, run, directory, task)
        # the one step that makes the answers visible
        with self._storage.publish() as publication:
            for (_, _, written), url in zip(listed, outputs, strict=True):
                shutil.move(written, publication.stage(url, spec.accept or "application/octet-stream"))

    def _supervise(self, name: str, run: Run, directory: Path, task: Mapping[str, Any]) -> None:
        process = run.start(TransformProcess, directory, task)
        stream = self.stream(name)
        status, said = listen(process, lambda lines: self._log(stream, lines))
        run.check()
        if status != 0:
            self._log(stream, [(time.time(), line) for line in process.last_words()])
            raise Failed(said.get("failure") or describe_exit(status, "transform"))

    def _log(self, stream: str, lines: list[tuple[float, str]]) -> None:
        self._logs.append(LOG_GROUP, stream, lines)

    def _finish(self, name: str, status: str, failure: str | None) -> None:
        self._record.finish(name, status, failure)
        logger.info("transform job %s: %s", name, status)
        self._runs.notify()


def _outputs(spec: TransformSpec, names: list[str]) -> list[ObjectUrl]:
    """Where the answers about each object go: under its path below the prefix that was asked for, with .out."""
    if len(set(names)) < len(names):
        raise errors.DataError("the answers about two of the objects would have the same name")
    output = ObjectUrl.parse(spec.output.rstrip("/") + "/")
    return [output.child(name + ".out") for name in names]
