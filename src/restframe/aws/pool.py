"""Threads for what blocks, made when they are needed and gone when they are not."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
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
        self._changed = threading.Condition()
        self._waiting: deque[Callable[[], None]] = deque()
        self._idle = 0
        self._alive = 0
        self._busy = 0
        self._closed = False

    async def run(self, function: Callable[[], Value], discard: Callable[[Value], None] | None = None) -> Value:
        """What the function returns or raises, from one of the threads. Busy when there is none to be had.

        discard : takes the value when nobody waits for it any more
        """
        job = _Job(function, discard)
        self._submit(job)
        return await job.future

    def _submit(self, job: Callable[[], None]) -> None:
        with self._changed:
            if self._idle > len(self._waiting):
                self._waiting.append(job)
                self._changed.notify()
            elif self._alive < self._threads:
                self._alive += 1
                self._waiting.append(job)
                threading.Thread(target=self._work, name=self._name, daemon=True).start()
            elif len(self._waiting) < self._queued:
                self._waiting.append(job)
            else:
                raise Busy(self._name)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()
            with self._changed:
                self._busy -= 1
                if not self._busy:
                    self._changed.notify_all()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting or self._closed, self._idle_s)
            self._idle -= 1
            if not self._waiting:
                self._alive -= 1
                self._changed.notify_all()
                return None
            self._busy += 1
            return self._waiting.popleft()

    def wait(self, seconds: float) -> bool:
        """Until nothing runs any more; False when the time was over before."""
        end = time.monotonic() + seconds
        with self._changed:
            while self._busy or self._waiting:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
            return True

    def close(self) -> None:
        """End the threads that have nothing to do: at the end of the process they would hold on to what they saw."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._alive <= self._busy, _LEAVING_S)


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
