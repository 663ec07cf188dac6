"""Jobs under way in this process: each has a thread and a child process of its own, and can be told to stop."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from restframe import errors
from restframe.jobs.process import TrainingProcess
from restframe.jobs.waiting import wait_for

logger = logging.getLogger(__name__)

_SAVING_S = 120.0  # SageMaker kills a container so long after it was told to stop
_GLANCE_S = 0.05


class Stopped(Exception):
    """The job was stopped; says which secondary status that leads to, and what it had measured when it kept a model."""

    def __init__(self, status: str, metrics: dict[str, float] | None = None) -> None:
        super().__init__(status)
        self.metrics = metrics


class Failed(Exception):
    """The job's process failed; the text is the job's failure reason."""


class Run:
    """A job under way in this process."""

    def __init__(self, saves: bool = False) -> None:
        """saves : whether the job has something to save when it is stopped"""
        self.process: TrainingProcess | None = None
        self.stop_status: str | None = None  # Stopped or MaxRuntimeExceeded, once it is to stop
        self.abandoned = False  # the warehouse closes
        self._lock = threading.Lock()
        self._saves = saves

    def start(self, kind: type[TrainingProcess], directory: Path, task: Mapping[str, Any]) -> TrainingProcess:
        """Begin its process. Stopped when it is to end."""
        with self._lock:
            self.check()
            self.process = kind(directory, task)
            return self.process

    def stop(self, status: str = "Stopped") -> None:
        with self._lock:
            if self.stop_status is not None:
                return
            self.stop_status = status
            if self.process is not None:
                self.process.stop(_SAVING_S if self._saves else None)

    def abandon(self) -> None:
        """Stop at once; nothing is kept."""
        with self._lock:
            self.abandoned = True
            if self.process is not None:
                self.process.kill()

    def check(self) -> None:
        """Stopped when it is to end."""
        if self.abandoned or self.stop_status is not None:
            raise Stopped(self.stop_status or "Stopped")


class Runs:
    """The runs of all jobs of a kind, as many at once as there are processors. Usable from any thread.

    changed : is notified when something may have become otherwise
    """

    def __init__(self, kind: str) -> None:
        self.changed = threading.Condition()
        self._kind = kind
        self._runs: dict[str, Run] = {}
        self._threads: list[threading.Thread] = []
        self._capacity = threading.Semaphore(os.cpu_count() or 1)

    def start(self, name: str, run: Run, work: Callable[[], None]) -> None:
        self._runs[name] = run
        thread = threading.Thread(
            target=self._work, args=(name, work), name=f"restframe-{self._kind}-{name}", daemon=True
        )
        self._threads.append(thread)
        thread.start()

    def _work(self, name: str, work: Callable[[], None]) -> None:
        try:
            work()
        finally:
            self._runs.pop(name, None)
            self._threads.remove(threading.current_thread())
            self.notify()

    @contextlib.contextmanager
    def slot(self, run: Run) -> Iterator[None]:
        """Wait for a processor. Stopped when the job is to end before it has one."""
        while not self._capacity.acquire(timeout=_GLANCE_S):
            run.check()
        try:
            yield
        finally:
            self._capacity.release()

    def find(self, name: str) -> Run | None:
        return self._runs.get(name)

    def process_id(self, name: str) -> int | None:
        """Of the process a job runs in, while it does."""
        run = self._runs.get(name)
        return run.process.pid if run is not None and run.process is not None else None

    def wait(self, name: str, timeout_s: float | None, given_up: threading.Event | None) -> None:
        """Until the job no longer runs in this process, the time is over, or nobody wants to know any more."""
        wait_for(self.changed, lambda: name not in self._runs, timeout_s, given_up)

    def notify(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def close(self) -> None:
        """Stop what runs, and keep nothing."""
        for run in list(self._runs.values()):
            run.abandon()
        for thread in list(self._threads):
            thread.join()


def listen(process: TrainingProcess, log: Callable[[list[tuple[float, str]]], None]) -> tuple[int, dict[str, Any]]:
    """Log what a process says until it ends; its exit status, and what else it has said."""
    said: dict[str, Any] = {}
    try:
        for events in process.events():
            log([(event.get("at", time.time()), event["log"]) for event in events if "log" in event])
            for event in events:
                said |= event
    except BaseException:  # the journal cannot take more: nobody listens to the child any longer
        process.stop()
        raise
    finally:
        status = process.finish()
    return status, said


def reason(error: Exception, job: str) -> str:
    """What a job's FailureReason says of an error; job : for our own log."""
    if isinstance(error, Failed):
        return str(error)
    if isinstance(error, errors.Error):
        blame = "InternalServerError" if isinstance(error, errors.DiskFull) else "ClientError"
        return f"{blame}: {error.message}"
    logger.error("%s", job, exc_info=error)
    return f"InternalServerError: {type(error).__name__}: {error}"
