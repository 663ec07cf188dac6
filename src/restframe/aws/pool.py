"""Threads for what blocks, made when they are needed and gone when they are not."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

_LEAVING_S = 1.0


class Busy(Exception):
    """All threads are taken, and as many wait for one as may."""


class Pool:
    """At most `threads` threads, and a queue before them that is bounded, too.

    They are daemons: a client that waits does not keep the process from ending.
    """

    def __init__(self, name: str, threads: int, queued: int, idle_s: float = 10.0) -> None:
        self._name = name
        self._threads = threads
        self._queued = queued
        self._idle_s = idle_s
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._fewer = threading.Condition(self._lock)  # jobs or threads
        self._unfinished = 0
        self._alive = 0

    async def run(self, function: Callable[[], Value], discard: Callable[[Value], None] | None = None) -> Value:
        """What the function returns or raises, from one of the threads. Busy when there is none to be had.

        discard : takes the value when nobody waits for it any more
        """
        job = _Job(function, discard)
        self._submit(job)
        return await job.future

    def _submit(self, job: Callable[[], None]) -> None:
        with self._lock:
            if self._unfinished >= self._alive:
                if self._alive < self._threads:
                    self._alive += 1
                    threading.Thread(target=self._work, name=self._name, daemon=True).start()
                elif self._unfinished >= self._threads + self._queued:
                    raise Busy(self._name)
            self._unfinished += 1
        self._jobs.put(job)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()
            with self._lock:
                self._unfinished -= 1
                if not self._unfinished:
                    self._fewer.notify_all()

    def _next(self) -> Callable[[], None] | None:
        """The next job; None when the thread has to leave."""
        while True:
            # One thread wakes up for one job, without the interpreter's help: a condition costs several times as much.
            with contextlib.suppress(queue.Empty):
                job = self._jobs.get(timeout=self._idle_s)
                if job is not None:
                    return job
            with self._lock:
                # every job that is unfinished has a thread, which may be this one
                if self._unfinished < self._alive:
                    self._alive -= 1
                    self._fewer.notify_all()
                    return None

    def wait(self, seconds: float) -> bool:
        """Until nothing runs any more; False when the time was over before."""
        with self._lock:
            return self._fewer.wait_for(lambda: not self._unfinished, seconds)

    def close(self) -> None:
        """End the threads that have nothing to do: at the end of the process they would hold on to what they saw."""
        with self._lock:
            for _ in range(self._alive):
                self._jobs.put(None)
            self._fewer.wait_for(lambda: self._alive <= self._unfinished, _LEAVING_S)


class _Job(Generic[Value]):
    """A call on its way to a thread, and its result on the way back to the event loop."""

    def __init__(self, function: Callable[[], Value], discard: Callable[[Value], None] | None) -> None:
        self._function = function
        self._discard = discard
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Value] = self._loop.create_future()

    def __call__(self) -> None:
        try:
            value = self._function()
        except BaseException as error:  # noqa: BLE001  (raised again where it is awaited)
            self._post(self._fail, error)
        else:
            if not self._post(self._finish, value) and self._discard:
                self._discard(value)

    def _post(self, function: Callable[..., None], *arguments: object) -> bool:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the loop is closed: nobody is there to be told
            return False
        return True

    def _finish(self, value: Value) -> None:
        if not self.future.cancelled():
            self.future.set_result(value)
        elif self._discard:
            self._discard(value)

    def _fail(self, error: BaseException) -> None:
        if not self.future.cancelled():
            self.future.set_exception(error)
