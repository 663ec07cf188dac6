"""`restframe-epidemic ingest`: raw files into the lake and the warehouse."""

from __future__ import annotations

import argparse
import contextlib
import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restframe_epidemic.cli import arguments

# Of the warehouse's engine, which would otherwise keep in memory what it loads, up to most of the machine's; each of
# its threads needs some.
_ENGINE_MEMORY = "200MB"
_ENGINE_THREADS = 2

if TYPE_CHECKING:
    from rich.progress import Progress


def add(subcommands: Any) -> None:
    command = subcommands.add_parser(
        "ingest",
        help="read what is new in the raw files into the warehouse",
        description="Read what is new in the raw files: check it, keep it as Parquet in the lake, load it into the "
        "warehouse and fill the engine's tables. Run again, it does only what is not done.",
    )
    command.add_argument("source", nargs="*", help="only these; all sources of the country otherwise")
    command.add_argument("--data", default=Path(), type=Path, metavar="DIR", help="where the raw files lie (.)")
    arguments.warehouse(command)
    arguments.country(command)
    command.add_argument(
        "--today", type=datetime.date.fromisoformat, metavar="DATE", help="refuse dates after this one (today)"
    )
    command.set_defaults(run="restframe_epidemic.cli.ingest:run")


def run(given: argparse.Namespace) -> int:
    """0 when nothing failed; 1 when a source did, or one that was named has no file."""
    from restframe_epidemic import country, errors
    from restframe_epidemic.pipeline.ingest import ingest

    if not given.data.is_dir():
        raise errors.UsageError(f'"{str(given.data)[:200]}" is no directory', hint="--data takes the raw files' one.")
    with (
        arguments.store(given, memory_limit=_ENGINE_MEMORY, threads=_ENGINE_THREADS) as store,
        watched() as watching,
    ):
        outcomes = ingest(
            store,
            country.read(given.country),
            given.data,
            watching,
            only=given.source,
            today=given.today,
        )
    for outcome in outcomes:
        told = outcome.status
        if outcome.files:
            told += f": {outcome.rows:,} rows of {outcome.files} file{'s' if outcome.files > 1 else ''}"
            told += f", {outcome.refused:,} in quarantine" if outcome.refused else ""
            told += f", {outcome.repeated:,} repeated" if outcome.repeated else ""
        print(f"{outcome.source:24} {told}")
    missing = {outcome.source for outcome in outcomes if outcome.status == "absent"} & set(given.source)
    return 1 if missing or any(outcome.status == "failed" for outcome in outcomes) else 0


class Watcher:
    """Progress bars on a terminal; elsewhere nothing but lines."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def say(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def step(self, text: str, total: int) -> Iterator[Callable[[int], None]]:
        task = self._progress.add_task(text[:60], total=total or None)
        try:
            yield lambda size_bytes: self._progress.advance(task, size_bytes)
        finally:
            self._progress.remove_task(task)


@contextlib.contextmanager
def watched() -> Iterator[Watcher]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield Watcher(progress)
