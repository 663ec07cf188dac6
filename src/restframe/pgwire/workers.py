"""Threads in which conversations are answered: one for each that is busy, no more."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable

_IDLE_S = 10.0
_LEAVING_S = 5.0
_LAST = 10  # the niceness of a thread that lets others go first

# Returns whether its thread is to end.
Job = Callable[[], bool]


class Workers:
    """Runs each job at once, in a thread that has nothing to do or a new one; a thread that stays idle ends.

    Whoever submits bounds how many there are. The threads are daemons: a client that waits does not keep the process
    from ending.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._idle: list[queue.SimpleQueue[Job | None]] = []
        self.count = 0

    def submit(self, job: Job) -> None:
        with self._lock:
            if self._idle:
                # the last that worked: its memory is still in the processor's caches
                self._idle.pop().put(job)
                return
            self.count += 1
        threading.Thread(target=self._work, args=(job,), name=self._name, daemon=True).start()

    def _work(self, job: Job | None) -> None:
        jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        try:
            while job is not None:
                if job():
                    return
                with self._lock:
                    self._idle.append(jobs)
                job = self._next(jobs)
        finally:
            with self._lock:
                self.count -= 1
                self._ended.notify_all()

    def _next(self, jobs: queue.SimpleQueue[Job | None]) -> Job | None:
        with contextlib.suppress(queue.Empty):
            return jobs.get(timeout=_IDLE_S)
        with self._lock, contextlib.suppress(ValueError):  # somebody has just taken it off the list
            self._idle.remove(jobs)
            return None
        return jobs.get()

    def close(self) -> None:
        """End the threads that have nothing to do: at the end of the process they would hold on to what they saw."""
        with self._lock:
            while self._idle:
                self._idle.pop().put(None)
            self._ended.wait_for(lambda: not self.count, _LEAVING_S)


def let_others_first(thread_id: int) -> None:
    """Short statements of other clients go before one that lasts. On Linux, where niceness is a thread's."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread_id, _LAST)


def comes_last(thread_id: int) -> bool:
    """Whether a thread must be given up: what has been let first cannot be taken back."""
    return sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, thread_id) >= _LAST
