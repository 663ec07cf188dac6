"""Tables longer than the screen go through the user's pager, line by line as they come."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from typing import TextIO

# Quit when it fits on the screen, keep colours, cut long lines, leave the screen as it is.
_LESS = "RSFX"


class Paged:
    """Holds output back until it is longer than the screen, then hands it and the rest to the pager."""

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal
        self._held: list[str] = []
        self._lines = 0
        self._pager: subprocess.Popen[str] | None = None

    def write(self, text: str, /) -> None:
        if self._pager is not None:
            assert self._pager.stdin is not None
            self._pager.stdin.write(text)
            return
        self._held.append(text)
        self._lines += text.count("\n")
        if self._lines >= shutil.get_terminal_size().lines - 1:
            self._start()

    def _start(self) -> None:
        command = shlex.split(os.environ.get("PAGER") or "less")
        if not command or shutil.which(command[0]) is None:
            self.finish()
            self._lines = -(1 << 60)  # there is no pager: everything goes to the terminal from here on
            return
        environment = {"LESS": _LESS, **os.environ}
        self._pager = subprocess.Popen(command, stdin=subprocess.PIPE, text=True, encoding="utf-8", env=environment)
        held, self._held = "".join(self._held), []
        self.write(held)

    def finish(self) -> None:
        """Print what is held back, or wait until the user has left the pager."""
        if self._pager is None:
            self._terminal.write("".join(self._held))
            self._terminal.flush()
            self._held = []
            return
        assert self._pager.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._pager.stdin.close()
        self._pager.wait()


@contextlib.contextmanager
def paged(terminal: TextIO) -> Iterator[Paged]:
    """Output that is paged; that its user leaves the pager early is no error."""
    output = Paged(terminal)
    try:
        with contextlib.suppress(BrokenPipeError):
            yield output
    finally:
        output.finish()
