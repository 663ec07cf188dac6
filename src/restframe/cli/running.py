"""Running a statement so that its user sees how far it is and can stop it.

The work has a thread of its own: Python notices ctrl-C between two steps of Python code, and a query is one long step.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TextIO, TypeVar

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

T = TypeVar("T")

_GLANCE_S = 0.1
_PATIENCE_S = 1.0  # what takes less shows no progress
_WIDTH = 32


def run(session: Session, work: Callable[[ProgressBar], T], show: TextIO | None = None) -> T:
    """Do `work`, which runs statements of the session, and return what it returns or raise what it raises.

    Ctrl-C cancels the statement; the work then ends with QueryCanceled.
    show : a terminal for the progress of work that is not done in a second; the work calls `hide` before it prints
    """
    bar = ProgressBar(show)
    session.on_progress = bar.report
    task = _Task(lambda: work(bar))
    task.start()
    while not task.done.is_set():
        try:
            # an event, because ctrl-C during Thread.join makes Python take the thread for ended (bpo-45274)
            if not task.done.wait(_GLANCE_S):
                bar.draw(session.connection.progress)
        except KeyboardInterrupt:
            # not here: cancelling may take a moment, in which another ctrl-C must not end this loop
            threading.Thread(target=session.cancel, daemon=True).start()
    session.on_progress = None
    bar.hide()
    return task.result()


class _Task(threading.Thread, Generic[T]):
    def __init__(self, work: Callable[[], T]) -> None:
        super().__init__(name="restframe-statement", daemon=True)
        self.done = threading.Event()
        self._work = work
        self._value: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value.append(self._work())
        except BaseException as error:  # noqa: BLE001  (raised again where it is waited for)
            self._error = error
        finally:
            self.done.set()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]


class ProgressBar:
    """One line on a terminal that is drawn again and again, and gone when the work is done."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._started = time.monotonic()
        self._fraction: float | None = None
        self._shown = False
        self._over = False
        self._lock = threading.Lock()

    def report(self, done: float, total: float) -> None:
        self._fraction = min(1.0, done / total) if total > 0 else None

    def draw(self, percent: Callable[[], float | None]) -> None:
        """percent : asks the engine, for statements that do not report by themselves"""
        elapsed = time.monotonic() - self._started
        if self._stream is None or self._over or elapsed < _PATIENCE_S:
            return
        fraction = self._fraction
        if fraction is None:
            asked = percent()
            fraction = None if asked is None else asked / 100
        with self._lock:
            if not self._over:
                self._shown = True
                self._stream.write("\r" + _line(fraction, elapsed) + "\x1b[K")
                self._stream.flush()

    def hide(self) -> None:
        """Take the line away for good, because output follows."""
        with self._lock:
            self._over = True
            if self._shown and self._stream is not None:
                self._stream.write("\r\x1b[K")
                self._stream.flush()
                self._shown = False


def _line(fraction: float | None, elapsed_s: float) -> str:
    clock = f"{int(elapsed_s) // 60}:{int(elapsed_s) % 60:02d}"
    if fraction is None:
        line = f"running {clock}"
    else:
        full = round(fraction * _WIDTH)
        line = f"{'━' * full}{'╌' * (_WIDTH - full)} {fraction:4.0%}  {clock}"
    line += "  ctrl-C cancels"
    return line[: shutil.get_terminal_size().columns - 1]


def terminal_for_progress() -> TextIO | None:
    return sys.stderr if sys.stderr.isatty() else None
