"""A session's running statement: its time-out, and how it is stopped from another thread."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from restframe import errors
from restframe.engine import Connection
from restframe.warehouse.stoppable import Stoppable

T = TypeVar("T")


class Watch:
    """Over one statement after the other. `stop` alone may be called from any thread.

    streams : whether rows of the last statement are still on their way out of the engine
    statement_id : of the statement that runs, or was the last
    executing : it runs; it may also be stopped while its rows stream
    """

    def __init__(self, connection: Connection, streams: Callable[[], bool]) -> None:
        self.statement_id = 0
        self.executing = False
        self._connection = connection
        self._streams = streams
        self._lock = threading.Lock()  # over what runs and whether it is cancelled
        self._parsing = Stoppable()
        self._undoing = False
        self._cancelled: errors.Error | None = None  # why, when it is
        self._deadline: float | None = None  # of the running statement, on the monotonic clock

    def parsing(self, work: Callable[[], T], limit_s: float | None) -> T:
        """What takes long in Python before there is a statement."""
        return self._parsing.run(work, limit_s)

    def begin(self, statement_id: int, limit_s: float | None) -> None:
        with self._lock:
            self.statement_id = statement_id
            self._cancelled = None
        self._deadline = None if limit_s is None else time.monotonic() + limit_s

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """What is done in it can be stopped, and is under the statement's time-out."""
        if self.executing:  # a command reads a stream of its own
            yield
            return
        self.executing = True  # before the timer starts, which looks at it
        timer = None
        if self._deadline is not None:
            remaining_s = max(0.0, self._deadline - time.monotonic())
            reason = errors.QueryCanceled(f"Query ({self.statement_id}) cancelled on statement timeout")
            timer = threading.Timer(remaining_s, self._stop, (self.statement_id, reason))
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            with self._lock:
                self.executing = False
            if timer is not None:
                timer.cancel()

    @contextlib.contextmanager
    def undoing(self) -> Iterator[None]:
        """Nothing may interrupt what is done in it."""
        with self._lock:
            self._undoing = True
        try:
            yield
        finally:
            self._undoing = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled is not None

    def check_cancelled(self) -> None:
        """QueryCanceled, or what else `stop` was given, once somebody has stopped the statement."""
        if self._cancelled is not None:
            raise type(self._cancelled)(self._cancelled.message)

    def raise_cancelled(self, error: BaseException) -> None:
        """Whatever error a cancelled statement ended with, its user is told that it was cancelled."""
        if self._cancelled is not None and isinstance(error, errors.Error):
            raise type(self._cancelled)(self._cancelled.message) from error

    def stop(self, statement_id: int, reason: errors.Error) -> None:
        """Let a statement that still runs, or what is parsed, end with the reason. Returns at once."""
        if not self._parsing.stop(reason) and self._interrupt(statement_id, reason):
            threading.Thread(target=self._stop, args=(statement_id, reason), daemon=True).start()

    def _stop(self, statement_id: int, reason: errors.Error) -> None:
        """Interrupt until it helps: one that comes between two calls of the engine, or while it plans, does not."""
        while self._interrupt(statement_id, reason):
            time.sleep(0.005)

    def _interrupt(self, statement_id: int, reason: errors.Error) -> bool:
        """Mark a statement as cancelled and interrupt it; returns whether it is still being executed."""
        with self._lock:
            if statement_id != self.statement_id or self._undoing or not (self.executing or self._streams()):
                return False
            self._cancelled = reason
            self._connection.interrupt()
            return self.executing
