"""What `restframe sql` does with statements: run them one by one and print what they answer."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from restframe import errors
from restframe.cli import formats
from restframe.cli.formats import Sink
from restframe.cli.pager import paged
from restframe.cli.reporting import report, say
from restframe.cli.running import ProgressBar, run, terminal_for_progress
from restframe.cli.script import Piece, pieces
from restframe.cli.table import Style, write_table
from restframe.result import Result

if TYPE_CHECKING:
    from restframe.warehouse import Warehouse
    from restframe.warehouse.session import Session


class Leave(Exception):
    """`\\q`: the shell or script ends here."""


@dataclass(slots=True)
class View:
    """How answers are shown; backslash commands change it.

    output : rows go there when it is not None
    parquet : the file that --format parquet writes, once
    paged : long tables go through a pager
    """

    format: str = "table"
    style: Style = field(default_factory=Style)
    timing: bool = False
    quiet: bool = False
    paged: bool = False
    output: TextIO | None = None
    parquet: Path | None = None


class Console:
    """One session and the way its answers are shown.

    command : what a line that starts with a backslash does
    """

    def __init__(
        self, warehouse: Warehouse, session: Session, view: View, command: Callable[[Console, str], None]
    ) -> None:
        self.warehouse = warehouse
        self.session = session
        self.view = view
        self._command = command

    def run(self, text: str) -> bool:
        """Run a text up to its first error, which is printed; whether all went well."""
        try:
            for piece in pieces(text):
                self._one(piece)
        except errors.Error as error:
            report(error, text)
            return False
        return True

    def run_file(self, path: str) -> bool:
        """Run a script; OperationalError when it cannot be read. `-` is standard input."""
        try:
            text = sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise errors.OperationalError(f'cannot read "{path}": {reason}') from error
        return self.run(text)

    def show(self, result: Result, bar: ProgressBar | None = None) -> None:
        """Print one statement's answer as the view wants it."""
        if result.returns_rows:
            self._write_rows(result, bar or ProgressBar(None))
        elif result.command and not self.view.quiet:
            print(result.tag, file=self.view.output)

    def _one(self, piece: Piece) -> None:
        if piece.is_command:
            self._command(self, piece.text)
            return
        started = time.perf_counter()
        try:
            run(self.session, lambda bar: self._execute(piece.text, bar), terminal_for_progress())
        except errors.Error as error:
            if error.position is not None:
                error.position += piece.start
            raise
        if self.view.timing:
            print(f"Time: {_duration(time.perf_counter() - started)}")

    def _execute(self, text: str, bar: ProgressBar) -> None:
        result = self.session.execute(text)
        if result.notices:
            bar.hide()
        if not self.view.quiet:
            for notice in result.notices:
                say(notice)
        self.show(result, bar)

    def _write_rows(self, result: Result, bar: ProgressBar) -> None:
        if self.view.parquet is not None:
            if self.view.parquet.exists():
                raise errors.InterfaceError("a Parquet file holds the rows of one statement")
            formats.write_parquet(result, self.view.parquet)
            return
        with contextlib.closing(result), self._destination() as stream:
            hiding = _Hiding(stream, bar)
            if self.view.format == "csv":
                formats.write_csv(result, hiding)
            elif self.view.format == "json":
                formats.write_json(result, hiding)
            else:
                write_table(result, hiding.write, self.view.style)

    @contextlib.contextmanager
    def _destination(self) -> Iterator[Sink]:
        if self.view.output is not None:
            yield self.view.output
        elif self.view.paged:
            with paged(sys.stdout) as stream:
                yield stream
        else:
            yield sys.stdout


class _Hiding:
    """A stream before whose first output the progress bar disappears."""

    def __init__(self, stream: Sink, bar: ProgressBar) -> None:
        self._stream = stream
        self._bar = bar

    def write(self, text: str, /) -> object:
        self._bar.hide()
        return self._stream.write(text)


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    return f"{int(seconds) // 60} min {seconds % 60:.0f} s"
