"""Stopping Python code that asks nobody whether it should go on, from another thread: the parser, in long texts."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

from restframe import errors

T = TypeVar("T")

_AGAIN_S = 0.25


class _Stopped(BaseException):
    """Arises between two steps of the interpreter, wherever the code may be."""


class Stoppable:
    """Work of one thread at a time that any other may end.

    The work must be such that nothing is left behind by it when it ends in the middle: it holds no lock and changes
    nothing that others see.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: int | None = None  # that is at work
        self._reason: errors.Error | None = None  # why it is to stop
        self._number = 0  # of the work

    def run(self, work: Callable[[], T], limit_s: float | None = None) -> T:
        """What the work returns. Raises what `stop` was given meanwhile, and QueryCanceled when the time is over."""
        timer = None
        if limit_s is not None:
            reason = errors.QueryCanceled("query cancelled on statement timeout")
            timer = threading.Timer(limit_s, self.stop, (reason,))
            timer.daemon = True
            timer.start()
        try:
            # A stop may arrive on the way into the work and out of it.
            try:
                self._enter()
                result = work()
            finally:
                self._leave()
        except _Stopped:
            self._leave()
        finally:
            if timer is not None:
                timer.cancel()
        if self._reason is not None:
            raise self._reason
        return result

    def stop(self, reason: errors.Error) -> bool:
        """Returns whether there was anything to stop."""
        with self._lock:
            if self._thread is None:
                return False
            if self._reason is None:
                self._reason = reason
                self._interrupt(self._thread)
            return True

    def _interrupt(self, thread: int) -> None:
        """Also in a while: what arrives in a callback of the garbage collector is lost there."""
        _raise_in(thread, _Stopped)
        again = threading.Timer(_AGAIN_S, self._interrupt_again, (self._number,))
        again.daemon = True
        again.start()

    def _interrupt_again(self, number: int) -> None:
        with self._lock:
            if self._thread is not None and self._number == number:
                self._interrupt(self._thread)

    def _enter(self) -> None:
        with self._lock:
            self._thread, self._reason = threading.get_ident(), None
            self._number += 1

    def _leave(self) -> None:
        """From here on nothing is stopped, and what has been on its way does not arrive any more."""
        with self._lock:
            self._thread = None
            _raise_in(threading.get_ident(), None)


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """https://docs.python.org/3/c-api/init.html#c.PyThreadState_SetAsyncExc"""
    given = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), given)
