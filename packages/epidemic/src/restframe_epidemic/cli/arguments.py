"""What several commands take, and how they show what they do."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from restframe_epidemic.store import Store

_WAREHOUSE = "epidemic"
_SILENT_S = 60.0  # after which a log gets a line that something goes on


def warehouse(parser: argparse.ArgumentParser) -> None:
    """--warehouse and --lake, which every command has; `store` opens what they say."""
    parser.add_argument(
        "--warehouse",
        metavar="DIR",
        default=_WAREHOUSE,
        help=f"the warehouse's directory ({_WAREHOUSE}), or of a server postgresql://user@host:port/database; the "
        "password is PGPASSWORD",
    )
    parser.add_argument(
        "--lake",
        metavar="DIR",
        type=Path,
        help="with a server: where this machine keeps the lake (a folder of the server's name in the user's data)",
    )


def store(given: argparse.Namespace, **settings: Any) -> Store:
    """The warehouse that a command line names."""
    from restframe_epidemic.store import Store

    return Store(given.warehouse, given.lake, **settings)


def country(parser: argparse.ArgumentParser) -> None:
    """--country, which is left out where the warehouse remembers it; `country.of` reads it."""
    parser.add_argument(
        "--country", metavar="DIR", help="a country's folder, or one's name (the warehouse's own; us for a new one)"
    )


def data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", metavar="DIR", default=".", help="where the sources' files lie (here)")


def as_of(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-of",
        metavar="DATE",
        type=day,
        help="go back to what was known on a day (2020-09-12): nothing later is looked at",
    )


def day(text: str) -> str:
    """A date as it is written everywhere, 2020-09-12."""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text[:40]}" is no date such as 2020-09-12') from None


def seed(text: str) -> int:
    """A whole number that is not negative."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'"{text[:40]}" is no whole number from 0 on')
    return int(text)


def names(text: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


@dataclass
class Shown:
    """What a command tells while it works: lines, and on a terminal a bar that moves; elsewhere a line a minute."""

    bars: Progress | None
    tasks: dict[str, TaskID]
    clock: Callable[[], float] = time.monotonic
    said: float = field(init=False)  # when the last line was

    def __post_init__(self) -> None:
        self.said = self.clock()

    def say(self, line: str) -> None:
        self.said = self.clock()
        if self.bars is not None:
            self.bars.console.print(line, highlight=False, markup=False, soft_wrap=True)
        else:
            print(line, flush=True)

    def progress(self, what: str, done: int, of: int) -> None:
        if self.bars is None:
            if done < of and self.clock() - self.said >= _SILENT_S:
                self.say(f"{what}: {done:,} of {of:,}")
            return
        if what not in self.tasks:
            self.tasks[what] = self.bars.add_task(what, total=of)
        self.bars.update(self.tasks[what], completed=done, total=of, visible=done < of)

    @contextlib.contextmanager
    def step(self, text: str, total: int) -> Iterator[Callable[[int], None]]:
        """A bar for the time of a `with`, advanced by what is given to the function; 0 when nobody knows the total."""
        if self.bars is None:
            yield lambda done: None
            return
        task, bars = self.bars.add_task(text[:60], total=total or None), self.bars
        try:
            yield lambda done: bars.advance(task, done)
        finally:
            bars.remove_task(task)


@contextlib.contextmanager
def shown() -> Iterator[Shown]:
    """Bars on a terminal, nothing but lines otherwise."""
    if not sys.stdout.isatty():
        yield Shown(None, {})
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    described = TextColumn("{task.description}", markup=False)
    columns = described, BarColumn(), TaskProgressColumn(), TimeElapsedColumn(), TimeRemainingColumn()
    with Progress(*columns) as bars:
        yield Shown(bars, {})
