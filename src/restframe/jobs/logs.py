"""Log lines of training jobs, endpoints and whoever else writes any, in groups and streams as CloudWatch has them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from restframe import errors
from restframe.journal import Journal

_MAX_LINE = 1 << 20  # characters; CloudWatch takes a megabyte as one event
# in memory while many lines are searched
_AT_ONCE = 10_000
_AT_ONCE_BYTES = 64 << 20

Place = tuple[float, int]  # of a line in its stream, in the order of time: at, position
BEGINNING: Place = (float("-inf"), -1)
END: Place = (float("inf"), -1)


@dataclass(frozen=True, slots=True)
class LogLine:
    """position : counts from 0 in its stream; at : seconds since 1970, in whole milliseconds"""

    position: int
    at: float
    text: str

    @property
    def place(self) -> Place:
        return self.at, self.position


@dataclass(frozen=True, slots=True)
class FoundLine:
    """A line of some stream of a group. id : of the stream, by which lines of one moment are ordered"""

    stream: str
    id: int
    line: LogLine


@dataclass(frozen=True, slots=True)
class LogGroup:
    name: str
    created: float


@dataclass(frozen=True, slots=True)
class LogStream:
    """first, last : times of the first and the last line, None when there is none"""

    name: str
    created: float
    first: float | None
    last: float | None


class Logs:
    """All log lines of a warehouse. Usable from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    # Writing

    def append(self, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Add lines (seconds since 1970, text) to a stream; it and its group begin with their first line."""
        if not lines:
            return
        with self._journal.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO log_groups VALUES (?, ?)", (group, lines[0][0]))
            connection.execute(
                "INSERT OR IGNORE INTO log_streams (log_group, name, created) VALUES (?, ?, ?)",
                (group, stream, lines[0][0]),
            )
            (identity,) = connection.execute(
                "SELECT id FROM log_streams WHERE log_group = ? AND name = ?", (group, stream)
            ).fetchone()
            (first,) = connection.execute(
                "SELECT coalesce(max(position) + 1, 0) FROM log_lines WHERE stream = ?", (identity,)
            ).fetchone()
            # Clients ask for lines from a millisecond on that they have seen: no line may lie between two.
            connection.executemany(
                "INSERT INTO log_lines VALUES (?, ?, ?, ?)",
                [(identity, first + i, round(at, 3), text[:_MAX_LINE]) for i, (at, text) in enumerate(lines)],
            )

    def create_group(self, name: str) -> None:
        """DuplicateObject when there is one."""
        with self._journal.transaction() as connection:
            try:
                connection.execute("INSERT INTO log_groups VALUES (?, ?)", (name, time.time()))
            except sqlite3.IntegrityError as error:
                raise errors.DuplicateObject(f'log group "{name[:100]}" already exists') from error

    def create_stream(self, group: str, name: str) -> None:
        """UndefinedObject without the group, DuplicateObject when there is a stream of the name."""
        with self._journal.transaction() as connection:
            self.check_group(group)
            try:
                connection.execute(
                    "INSERT INTO log_streams (log_group, name, created) VALUES (?, ?, ?)", (group, name, time.time())
                )
            except sqlite3.IntegrityError as error:
                raise errors.DuplicateObject(f'log stream "{name[:100]}" already exists') from error

    def delete_group(self, name: str) -> None:
        """With its streams. UndefinedObject when there is none."""
        with self._journal.transaction() as connection:
            self.check_group(name)
            connection.execute("DELETE FROM log_streams WHERE log_group = ?", (name,))
            connection.execute("DELETE FROM log_groups WHERE name = ?", (name,))

    def delete_stream(self, group: str, name: str) -> None:
        """UndefinedObject when there is none."""
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM log_streams WHERE id = ?", (self._stream(group, name),))

    # Reading

    def groups(self) -> list[LogGroup]:
        """By name."""
        return [LogGroup(*row) for row in self._journal.rows("SELECT name, created FROM log_groups ORDER BY name")]

    def check_group(self, name: str) -> None:
        """UndefinedObject when there is none."""
        if self._journal.row("SELECT 1 FROM log_groups WHERE name = ?", (name,)) is None:
            raise errors.UndefinedObject(f'log group "{name[:100]}" does not exist')

    def check_stream(self, group: str, name: str) -> None:
        """UndefinedObject when there is no such group or stream."""
        self._stream(group, name)

    def streams(self, group: str, prefix: str = "") -> list[LogStream]:
        """The streams of a group whose names begin with the prefix, by name."""
        found = self._journal.rows(
            "SELECT name, created, (SELECT min(at) FROM log_lines WHERE stream = id), "
            "(SELECT max(at) FROM log_lines WHERE stream = id) "
            "FROM log_streams WHERE log_group = ? AND substr(name, 1, ?) = ? ORDER BY name",
            (group, len(prefix), prefix),
        )
        return [LogStream(*row) for row in found]

    def lines(self, group: str, stream: str, start: int = 0, limit: int = 10_000) -> list[LogLine]:
        """Lines of a stream from a position on, as they came; none when there is no such stream."""
        found = self._journal.rows(
            "SELECT position, at, text FROM log_lines WHERE position >= ? AND stream = "
            "(SELECT id FROM log_streams WHERE log_group = ? AND name = ?) ORDER BY position LIMIT ?",
            (start, group, stream, limit),
        )
        return [LogLine(*row) for row in found]

    def between(
        self,
        group: str,
        stream: str,
        after: Place,
        before: Place,
        times: tuple[float, float],
        limit: int,
        newest: bool = False,
        most_bytes: int = _AT_ONCE_BYTES,
    ) -> list[LogLine]:
        """The first lines between two places in the order of time, or the newest of them, in that order too.

        times : from the first, before the second, in seconds since 1970
        most_bytes : no line is read behind the one with which all have so many bytes
        UndefinedObject when there is no such stream.
        """
        order = "DESC" if newest else "ASC"
        found, _ = self._journal.rows_until(
            _Enough(most_bytes),
            "SELECT position, at, text FROM log_lines WHERE stream = ? AND (at, position) > (?, ?) "
            "AND (at, position) < (?, ?) AND at >= ? AND at < ? "
            f"ORDER BY at {order}, position {order} LIMIT ?",
            (self._stream(group, stream), *after, *before, *times, limit),
        )
        return [LogLine(*row) for row in (reversed(found) if newest else found)]

    def search(
        self, group: str, names: Sequence[str], times: tuple[float, float], after: tuple[float, int, int] | None
    ) -> Iterator[FoundLine]:
        """The lines of some streams of a group in the order of time.

        after : go on behind this line: at, id of its stream, position
        """
        last = after or (float("-inf"), -1, -1)
        marks = ", ".join("?" * len(names))
        while True:
            found, cut = self._journal.rows_until(
                _Enough(_AT_ONCE_BYTES),
                "SELECT name, stream, position, at, text FROM log_lines JOIN log_streams ON id = stream "
                f"WHERE log_group = ? AND name IN ({marks}) AND (at, stream, position) > (?, ?, ?) "
                "AND at >= ? AND at < ? ORDER BY at, stream, position LIMIT ?",
                (group, *names, *last, *times, _AT_ONCE),
            )
            for name, identity, position, at, text in found:
                yield FoundLine(name, identity, LogLine(position, at, text))
            if len(found) < _AT_ONCE and not cut:
                return
            last = (found[-1]["at"], found[-1]["stream"], found[-1]["position"])

    def _stream(self, group: str, name: str) -> int:
        self.check_group(group)
        row = self._journal.row("SELECT id FROM log_streams WHERE log_group = ? AND name = ?", (group, name))
        if row is None:
            raise errors.UndefinedObject(f'log stream "{name[:100]}" does not exist')
        return int(row["id"])


class _Enough:
    """Whether the rows that were seen have so many bytes together: lines can be a megabyte long."""

    def __init__(self, size_bytes: int) -> None:
        self._left = size_bytes

    def __call__(self, row: sqlite3.Row) -> bool:
        self._left -= len(row["text"])
        return self._left <= 0
