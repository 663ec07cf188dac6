"""One training job under way: what is to become of it, and how it is told to stop."""

from __future__ import annotations

import threading

from restframe.jobs.process import TrainingProcess

_SAVING_S = 120.0  # SageMaker kills a container so long after it was told to stop


class Stopped(Exception):
    """The job was stopped; says which secondary status that leads to, and what it had measured when it kept a model."""

    def __init__(self, status: str, metrics: dict[str, float] | None = None) -> None:
        super().__init__(status)
        self.metrics = metrics


class Run:
    """A job under way in this process."""

    def __init__(self, saves: bool) -> None:
        """saves : whether the job has something to save when it is stopped"""
        self.process: TrainingProcess | None = None
        self.stop_status: str | None = None  # Stopped or MaxRuntimeExceeded, once it is to stop
        self.abandoned = False  # the warehouse closes
        self.lock = threading.Lock()
        self._saves = saves

    def stop(self, status: str) -> None:
        with self.lock:
            if self.stop_status is not None:
                return
            self.stop_status = status
            if self.process is not None:
                self.process.stop(_SAVING_S if self._saves else None)

    def abandon(self) -> None:
        """Stop at once; nothing is kept."""
        with self.lock:
            self.abandoned = True
            if self.process is not None:
                self.process.kill()

    def check(self) -> None:
        """Stopped when it is to end."""
        if self.abandoned or self.stop_status is not None:
            raise Stopped(self.stop_status or "Stopped")


class Failed(Exception):
    """The training process failed; the text is the job's failure reason."""
