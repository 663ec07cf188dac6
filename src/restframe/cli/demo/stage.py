"""Where a story is told: headings, SQL, tables and times, in colour on a terminal and plain elsewhere."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence

from restframe.cli.demo.chart import Step
from restframe.cli.reporting import clean, display_width
from restframe.cli.table import Style, write_table
from restframe.result import Result

_INDENT = "    "
_LOG_WIDTH = 150  # where no terminal says how wide it is


class Stage:
    """steps : what has been played so far, with the time each step took"""

    def __init__(self) -> None:
        self._colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self.steps: list[Step] = []

    @contextlib.contextmanager
    def step(self, title: str, code: str = "", language: str = "sql") -> Iterator[None]:
        """Print a heading and its code, let the block do it, and print how long that took."""
        print(f"\n{self._style('1;36', f'{len(self.steps) + 1}. {title}')}")
        if code:
            print(_indented(self._highlighted(code, language)) + "\n")
        sys.stdout.flush()
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self.steps.append(Step(title, code, seconds))
        print(self._style("2", f"{_INDENT}{seconds:.2f} s"), flush=True)

    def say(self, text: str) -> None:
        print(f"{_INDENT}{clean(text)}", flush=True)

    def log(self, text: str) -> None:
        """A line of a program's log, cut where it gets long."""
        shown, room = clean(text), shutil.get_terminal_size((_LOG_WIDTH, 24)).columns - len(_INDENT)
        if len(shown) > room:
            shown = shown[: room - 4] + " ..."
        print(self._style("2", f"{_INDENT}{shown}"), flush=True)

    def rows(self, result: Result, limit: int | None = None) -> None:
        lines: list[str] = []
        write_table(result, lines.append, Style(colour=self._colour, limit=limit))
        print(_indented("".join(lines).rstrip("\n")), flush=True)

    def table(self, names: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> None:
        """Texts side by side; `right` has the numbers of the columns that stand on the right."""
        widths = [max(map(display_width, column)) for column in zip(names, *rows, strict=True)]
        print(_INDENT + self._style("1", _line(names, widths, right)))
        for row in rows:
            print(_INDENT + _line(row, widths, right))

    def _style(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _highlighted(self, code: str, language: str) -> str:
        if not self._colour:
            return code
        from pygments import highlight
        from pygments.formatters import TerminalFormatter
        from pygments.lexers import get_lexer_by_name

        shown: str = highlight(code, get_lexer_by_name(language), TerminalFormatter())
        return shown.rstrip("\n")


def _indented(text: str) -> str:
    return "\n".join(_INDENT + line for line in text.split("\n"))


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded = []
    for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        fill = " " * (width - display_width(cell))
        padded.append(fill + cell if i in right else cell + fill)
    return "  ".join(padded).rstrip()
