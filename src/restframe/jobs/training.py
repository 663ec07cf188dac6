"""Training jobs: each runs in a child process, is known to the journal at every step, and ends whole or not at all.

    Starting -> Downloading -> Training -> Uploading -> Completed
                                                     -> Failed | Stopped | MaxRuntimeExceeded

A job that is stopped, or has run for too long, is given time to save the best model so far where its algorithm can;
that model is uploaded as if the job had completed.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeTrainingJob.html
"""

from __future__ import annotations

import contextlib
import logging
import math
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from restframe import errors
from restframe.jobs import inputs
from restframe.jobs.logs import LogLine, Logs
from restframe.jobs.process import TrainingProcess, describe_exit
from restframe.jobs.runs import Failed, Run, Runs, Stopped, listen, reason
from restframe.jobs.specs import Channel, TrainingSpec
from restframe.jobs.training_record import JobDescription, TrainingRecord
from restframe.journal import Journal
from restframe.ml import registry
from restframe.ml.hyperparameters import check
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage

logger = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/TrainingJobs"


class Training:
    """All training jobs of a warehouse. Usable from any thread."""

    def __init__(self, journal: Journal, logs: Logs, storage: Storage, settings: Settings) -> None:
        self._logs = logs
        self._record = TrainingRecord(journal)
        self._storage = storage
        self._directory = settings.directory / "jobs"
        self._unpacked_bytes = settings.unpacked_bytes
        self._runs = Runs("training")
        self._recover()

    def _recover(self) -> None:
        """Jobs that ran when the warehouse ended will never complete."""
        shutil.rmtree(self._directory, ignore_errors=True)
        for name in self._record.unfinished():
            self._finish(name, "Failed", "InternalServerError: the warehouse ended while the job was running")

    # What clients do

    def create(self, spec: TrainingSpec) -> None:
        """Begin a job; it runs behind the answer.

        UndefinedObject for an unknown algorithm, InvalidParameterValue for hyper-parameters, channels or places that
        are not right, DuplicateObject when the name was ever taken.
        """
        _check(spec)
        self._record.add(spec)
        run = Run(registry.find(spec.algorithm).keeps_when_stopped)
        self._runs.start(spec.name, run, lambda: self._run(spec, run))

    def describe(self, name: str) -> JobDescription:
        """UndefinedObject when there is no such job."""
        return self._record.describe(name)

    def describe_all(self) -> list[JobDescription]:
        """All jobs, oldest first."""
        return self._record.describe_all()

    def stop(self, name: str) -> None:
        """Make a job end soon, with the best model so far where its algorithm has one.

        InvalidParameterValue when it has ended already; a stopping one stops once.
        """
        description = self.describe(name)
        run = self._runs.find(name)
        if description.is_final or run is None:
            raise errors.InvalidParameterValue(f'training job "{name}" is {description.status}, it cannot be stopped')
        if description.status == "InProgress":
            self._record.advance(name, "Stopping", status="Stopping")
            self._runs.notify()
        run.stop()

    def wait(
        self, name: str, timeout_s: float | None = None, given_up: threading.Event | None = None
    ) -> JobDescription:
        """The job as it is when it no longer runs in this process, or when the time is over.

        given_up : when it is set nobody wants to know any more
        """
        self._runs.wait(name, timeout_s, given_up)
        return self.describe(name)

    def stream(self, name: str) -> str:
        """The name of a job's log stream in LOG_GROUP."""
        return f"{name}/algo-1-{int(self.describe(name).created.timestamp())}"

    def log(self, name: str, start: int = 0, follow: bool = False) -> Iterator[LogLine]:
        """A job's log lines from a position on; following, until the job has ended."""
        stream = self.stream(name)
        while True:
            final = not follow or self.describe(name).is_final
            with self._runs.changed:
                lines = self._logs.lines(LOG_GROUP, stream, start)
                if not lines and not final:
                    self._runs.changed.wait(1.0)
            yield from lines
            start = lines[-1].position + 1 if lines else start
            if final and not lines:
                return

    def measured(self, name: str, metric: str, times: tuple[float, float]) -> Iterator[tuple[float, float]]:
        """When a metric of a job had which value, as its log tells.

        times : from the first, before the second, in seconds since 1970
        Nothing for a metric that the job's algorithm does not have; UndefinedObject when there is no such job.
        """
        found = registry.find(self.describe(name).spec.algorithm).metrics.get(metric)
        if found is None:
            return
        pattern = re.compile(found)
        for one in self._logs.search(LOG_GROUP, [self.stream(name)], times, None):
            match = pattern.search(one.line.text)
            value = _finite(match[1]) if match else None
            if value is not None:
                yield one.line.at, value

    def process_id(self, name: str) -> int | None:
        """Of the process a job trains in, while it does."""
        return self._runs.process_id(name)

    def close(self) -> None:
        """Stop what runs; such jobs have failed."""
        self._runs.close()

    # One job, in its own thread

    def _run(self, spec: TrainingSpec, run: Run) -> None:
        directory = self._directory / spec.name
        timer = threading.Timer(spec.max_runtime_s, run.stop, ("MaxRuntimeExceeded",))
        timer.daemon = True
        timer.start()
        status, failure, metrics = "Failed", None, None
        try:
            with self._runs.slot(run):
                directory.mkdir(parents=True)
                metrics = self._train(spec, run, directory)
            status = "Completed"
        except Stopped as stopped:
            status, metrics = str(stopped), stopped.metrics
        except Exception as error:  # noqa: BLE001  (whatever it was, the job failed)
            failure = reason(error, f"training job {spec.name}")
        finally:
            timer.cancel()
            shutil.rmtree(directory, ignore_errors=True)
        if run.abandoned and metrics is None:  # there is no model
            status, failure = "Failed", "InternalServerError: the warehouse was closed while the job was running"
        self._finish(spec.name, status, failure, metrics)

    def _train(self, spec: TrainingSpec, run: Run, directory: Path) -> dict[str, float]:
        with contextlib.ExitStack() as held:
            self._advance(spec.name, run, "Downloading")
            channels = {name: self._fetch(channel, run, held) for name, channel in spec.channels.items()}
            self._advance(spec.name, run, "Training")
            artifact = directory / "model.tar.gz"
            task = {
                "algorithm": spec.algorithm,
                "hyperparameters": dict(spec.hyperparameters),
                "channels": channels,
                "max_unpacked_bytes": self._unpacked_bytes,
                "artifact": str(artifact),
            }
            metrics = self._supervise(spec.name, run, directory, task)
        self._upload(spec.name, run)
        # The one step that makes the model visible; Storage.put is atomic.
        self._storage.put(ObjectUrl.parse(spec.artifact), artifact)
        if run.stop_status is not None:
            raise Stopped(run.stop_status, metrics)
        return metrics

    def _fetch(self, channel: Channel, run: Run, held: contextlib.ExitStack) -> dict[str, Any]:
        """What the child is told of a channel; its objects are files for as long as `held` is."""
        found = []
        for url in inputs.objects(channel, self._storage):
            run.check()
            found.append((str(url), str(held.enter_context(self._storage.local_file(url)))))
        return {"content_type": channel.content_type, "compression": channel.compression, "objects": found}

    def _supervise(self, name: str, run: Run, directory: Path, task: dict[str, Any]) -> dict[str, float]:
        process = run.start(TrainingProcess, directory, task)
        stream = self.stream(name)
        status, said = listen(process, lambda lines: self._log(stream, lines))
        if status == 0 and "metrics" in said:
            metrics: dict[str, float] = said["metrics"]
            return metrics
        run.check()
        self._log(stream, [(time.time(), line) for line in process.last_words()])
        raise Failed(said.get("failure") or describe_exit(status, "training"))

    def _log(self, stream: str, lines: list[tuple[float, str]]) -> None:
        self._logs.append(LOG_GROUP, stream, lines)
        self._runs.notify()

    def _advance(self, name: str, run: Run, secondary: str) -> None:
        run.check()
        if not self._record.advance(name, secondary):
            raise Stopped("Stopped")
        self._runs.notify()

    def _upload(self, name: str, run: Run) -> None:
        """Note that there is a model to be kept, also of a job that is stopping."""
        if run.abandoned:
            raise Stopped("Stopped")
        self._record.upload(name)
        self._runs.notify()

    def _finish(self, name: str, outcome: str, failure: str | None, metrics: dict[str, float] | None = None) -> None:
        self._record.finish(name, outcome, failure, metrics or {})
        logger.info("training job %s: %s", name, outcome)
        self._runs.notify()


def _finite(text: str) -> float | None:
    """A number of a log, into which clients may write too."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _check(spec: TrainingSpec) -> None:
    """What can be known to be wrong before the job begins."""
    algorithm = registry.find(spec.algorithm)
    if not algorithm.checks_in_job:
        check(algorithm.hyperparameters, spec.hyperparameters, complete=registry.is_image(spec.algorithm))
    allowed = (*algorithm.required_channels, *algorithm.optional_channels)
    for name in algorithm.required_channels:
        if name not in spec.channels:
            raise errors.InvalidParameterValue(f'{algorithm.name} needs the channel "{name}"')
    for name, channel in spec.channels.items():
        if name not in allowed:
            raise errors.InvalidParameterValue(
                f'"{name}" is not a channel of {algorithm.name}', hint=f"Its channels are {', '.join(allowed)}."
            )
        ObjectUrl.parse(channel.url)
        media_type = (channel.content_type or "").split(";")[0].strip().lower()
        if media_type and media_type not in algorithm.training_content_types:
            raise errors.InvalidParameterValue(
                f'content type "{media_type[:100]}" of the channel "{name}" is not supported',
                hint=f"Use one of {', '.join(algorithm.training_content_types)}.",
            )
    ObjectUrl.parse(spec.artifact)
