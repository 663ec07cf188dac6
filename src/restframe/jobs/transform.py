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
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from restframe import errors
from restframe.jobs import inputs
from restframe.jobs.local import check_artifact
from restframe.jobs.logs import Logs
from restframe.jobs.process import TrainingProcess
from restframe.jobs.transform_record import TransformDescription, TransformRecord, TransformSpec
from restframe.jobs.waiting import wait_for
from restframe.journal import Journal
from restframe.ml import registry
from restframe.storage import ObjectUrl, Storage

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TransformJobs"
_GLANCE_S = 0.05


class TransformProcess(TrainingProcess):
    """The child in which a job runs."""

    module = "restframe.jobs.transform_child"


class _Stopped(Exception):
    """The job was stopped."""


class _Failed(Exception):
    """The child failed; the text is the job's failure reason."""


class _Run:
    """A job under way in this process."""

    def __init__(self) -> None:
        self.process: TransformProcess | None = None
        self.stopped = False
        self.abandoned = False  # the warehouse closes
        self.lock = threading.Lock()

    def start(self, directory: Path, task: Mapping[str, Any]) -> TransformProcess:
        with self.lock:
            self.check()
            self.process = TransformProcess(directory, task)
            return self.process

    def stop(self) -> None:
        with self.lock:
            self.stopped = True
            if self.process is not None:
                self.process.stop()

    def check(self) -> None:
        if self.stopped:
            raise _Stopped


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
        self._runs: dict[str, _Run] = {}
        self._threads: list[threading.Thread] = []
        self._capacity = threading.Semaphore(os.cpu_count() or 1)
        self._changed = threading.Condition()
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
        run = self._runs[spec.name] = _Run()
        thread = threading.Thread(
            target=self._run, args=(spec, run), name=f"restframe-transform-{spec.name}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def describe(self, name: str) -> TransformDescription:
        """UndefinedObject when there is no such job."""
        return self._record.describe(name)

    def describe_all(self) -> list[TransformDescription]:
        """All jobs, oldest first."""
        return self._record.describe_all()

    def stop(self, name: str) -> None:
        """Make a job end soon. InvalidParameterValue when it has ended already; a stopping one stops once."""
        description = self.describe(name)
        run = self._runs.get(name)
        if description.is_final or run is None:
            raise errors.InvalidParameterValue(f'transform job "{name}" is {description.status}, it cannot be stopped')
        self._record.stop(name)
        self._notify()
        run.stop()

    def wait(
        self, name: str, timeout_s: float | None = None, given_up: threading.Event | None = None
    ) -> TransformDescription:
        """The job as it is when it no longer runs in this process, or when the time is over.

        given_up : when it is set nobody wants to know any more
        """
        wait_for(self._changed, lambda: name not in self._runs, timeout_s, given_up)
        return self.describe(name)

    def stream(self, name: str) -> str:
        """The name of a job's log stream in LOG_GROUP."""
        return f"{name}/algo-1-{int(self.describe(name).created.timestamp())}/data-log"

    def process_id(self, name: str) -> int | None:
        """Of the process a job runs in, while it does."""
        run = self._runs.get(name)
        return run.process.pid if run is not None and run.process is not None else None

    def close(self) -> None:
        """Stop what runs; such jobs have failed."""
        for run in list(self._runs.values()):
            run.abandoned = True
            run.stop()
        for thread in list(self._threads):
            thread.join()

    # One job, in its own thread

    def _run(self, spec: TransformSpec, run: _Run) -> None:
        directory = self._directory / spec.name
        status, reason = "Failed", None
        try:
            with self._slot(run):
                self._record.start(spec.name)
                directory.mkdir(parents=True)
                self._transform(spec, run, directory)
            status = "Completed"
        except _Stopped:
            status = "Stopped"
        except _Failed as failed:
            reason = str(failed)
        except errors.Error as error:
            blame = "InternalServerError" if isinstance(error, errors.DiskFull) else "ClientError"
            reason = f"{blame}: {error.message}"
        except Exception as error:
            logger.exception("transform job %s", spec.name)
            reason = f"InternalServerError: {type(error).__name__}: {error}"
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if run.abandoned and status != "Completed":
            status, reason = "Failed", "InternalServerError: the warehouse was closed while the job was running"
        try:
            self._finish(spec.name, status, reason)
        finally:
            self._runs.pop(spec.name, None)
            self._threads.remove(threading.current_thread())
            self._notify()

    @contextlib.contextmanager
    def _slot(self, run: _Run) -> Iterator[None]:
        """As many jobs run at once as there are cores."""
        while not self._capacity.acquire(timeout=_GLANCE_S):
            run.check()
        try:
            yield
        finally:
            self._capacity.release()

    def _transform(self, spec: TransformSpec, run: _Run, directory: Path) -> None:
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

    def _supervise(self, name: str, run: _Run, directory: Path, task: Mapping[str, Any]) -> None:
        failure: str | None = None
        stream = self.stream(name)
        process = run.start(directory, task)
        try:
            for events in process.events():
                self._log(stream, [(event.get("at", time.time()), event["log"]) for event in events if "log" in event])
                for event in events:
                    failure = event.get("failure", failure)
        except BaseException:  # the journal cannot take more: nobody listens to the child any longer
            process.stop()
            raise
        finally:
            status = process.finish()
        run.check()
        if status != 0:
            self._log(stream, [(time.time(), line) for line in process.last_words()])
            raise _Failed(failure or _describe_exit(status))

    def _log(self, stream: str, lines: list[tuple[float, str]]) -> None:
        self._logs.append(LOG_GROUP, stream, lines)

    def _finish(self, name: str, status: str, failure: str | None) -> None:
        self._record.finish(name, status, failure)
        logger.info("transform job %s: %s", name, status)
        self._notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


def _outputs(spec: TransformSpec, names: list[str]) -> list[ObjectUrl]:
    """Where the answers about each object go: under its path below the prefix that was asked for, with .out."""
    if len(set(names)) < len(names):
        raise errors.DataError("the answers about two of the objects would have the same name")
    output = ObjectUrl.parse(spec.output.rstrip("/") + "/")
    return [output.child(name + ".out") for name in names]


def _describe_exit(status: int) -> str:
    if status >= 0:
        return f"AlgorithmError: the transform process ended, exit code: {status}"
    if status == -signal.SIGKILL:
        return "AlgorithmError: the transform process was killed (SIGKILL), perhaps for lack of memory, exit code: 137"
    return f"AlgorithmError: the transform process crashed (signal {-status}), exit code: {128 - status}"
