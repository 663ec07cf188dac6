"""Log lines of training jobs and endpoints, in groups and streams as CloudWatch has them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from restframe.journal import Journal

_MAX_LINE = 256 * 1024  # what CloudWatch takes as one event


@dataclass(frozen=True, slots=True)
class LogLine:
    """position : counts from 0 in its stream; at : seconds since 1970"""

    position: int
    at: float
    text: str


class Logs:
    """All log lines of a warehouse. Usable from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def append(self, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Add lines (seconds since 1970, text) to a stream, which begins with its first line."""
        if not lines:
            return
        with self._journal.transaction() as connection:
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
            connection.executemany(
                "INSERT INTO log_lines VALUES (?, ?, ?, ?)",
                [(identity, first + i, at, text[:_MAX_LINE]) for i, (at, text) in enumerate(lines)],
            )

    def streams(self, group: str, prefix: str = "") -> list[str]:
        """The streams of a group whose names begin with the prefix, in order."""
        found = self._journal.rows("SELECT name FROM log_streams WHERE log_group = ? ORDER BY name", (group,))
        return [row["name"] for row in found if row["name"].startswith(prefix)]

    def lines(self, group: str, stream: str, start: int = 0, limit: int = 10_000) -> list[LogLine]:
        """Lines of a stream from a position on; none when there is no such stream."""
        found = self._journal.rows(
            "SELECT position, at, text FROM log_lines WHERE position >= ? AND stream = "
            "(SELECT id FROM log_streams WHERE log_group = ? AND name = ?) ORDER BY position LIMIT ?",
            (start, group, stream, limit),
        )
        return [LogLine(*row) for row in found]
