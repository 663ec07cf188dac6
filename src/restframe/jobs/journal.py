"""service.sqlite: what jobs, models and endpoints there are, and their log lines.

Everything is on the disk before it is acknowledged (WAL, synchronous=FULL). One process writes; its threads share one
connection behind a lock.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from restframe import errors

# Each entry takes the schema one version further; entries are never changed, only added.
_MIGRATIONS = (
    """
    CREATE TABLE training_jobs (
        name TEXT PRIMARY KEY, spec TEXT NOT NULL, status TEXT NOT NULL, secondary_status TEXT NOT NULL,
        created REAL NOT NULL, modified REAL NOT NULL, started REAL, ended REAL, failure TEXT,
        metrics TEXT NOT NULL DEFAULT '[]'
    ) STRICT;
    CREATE TABLE transitions (
        job TEXT NOT NULL REFERENCES training_jobs ON DELETE CASCADE, position INTEGER NOT NULL,
        status TEXT NOT NULL, started REAL NOT NULL, ended REAL, message TEXT NOT NULL,
        PRIMARY KEY (job, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE models (name TEXT PRIMARY KEY, spec TEXT NOT NULL, created REAL NOT NULL) STRICT;
    CREATE TABLE endpoint_configs (name TEXT PRIMARY KEY, spec TEXT NOT NULL, created REAL NOT NULL) STRICT;
    CREATE TABLE endpoints (
        name TEXT PRIMARY KEY, config TEXT NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL,
        created REAL NOT NULL, modified REAL NOT NULL, failure TEXT
    ) STRICT;
    CREATE TABLE log_streams (
        id INTEGER PRIMARY KEY, log_group TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
        UNIQUE (log_group, name)
    ) STRICT;
    CREATE TABLE log_lines (
        stream INTEGER NOT NULL REFERENCES log_streams ON DELETE CASCADE, position INTEGER NOT NULL,
        at REAL NOT NULL, text TEXT NOT NULL, PRIMARY KEY (stream, position)
    ) STRICT, WITHOUT ROWID;
    """,
)

_MAX_LINE = 256 * 1024  # what CloudWatch takes as one event


@dataclass(frozen=True, slots=True)
class LogLine:
    """position : counts from 0 in its stream; at : seconds since 1970"""

    position: int
    at: float
    text: str


class Journal:
    """Usable from any thread; `close` when nobody does any more."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._connection.row_factory = sqlite3.Row
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._migrate(path)
        except sqlite3.Error as error:
            self._connection.close()
            raise errors.OperationalError(f"{path.name} cannot be opened: {error}") from error
        except BaseException:
            self._connection.close()
            raise

    def _migrate(self, path: Path) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(_MIGRATIONS):
            raise errors.InterfaceError(
                f"{path.name} was written by a newer version of restframe",
                hint="Open the directory with that version.",
            )
        for number in range(version, len(_MIGRATIONS)):
            self._connection.executescript(f"BEGIN; {_MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Changes that are on the disk together when the block has ended, or not at all.

        DiskFull when there is no room, OperationalError for other trouble with the file.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._rollback()
                kind = errors.DiskFull if "disk is full" in str(error) else errors.OperationalError
                raise kind(f"the service journal: {error}") from error
            except BaseException:
                self._rollback()
                raise

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Row | None:
        return next(iter(self.rows(sql, parameters)), None)

    # Logs

    def append(self, group: str, stream: str, lines: Sequence[tuple[float, str]]) -> None:
        """Add lines (seconds since 1970, text) to a stream, which begins with its first line."""
        if not lines:
            return
        with self.transaction() as connection:
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
        found = self.rows("SELECT name FROM log_streams WHERE log_group = ? ORDER BY name", (group,))
        return [row["name"] for row in found if row["name"].startswith(prefix)]

    def lines(self, group: str, stream: str, start: int = 0, limit: int = 10_000) -> list[LogLine]:
        """Lines of a stream from a position on; none when there is no such stream."""
        found = self.rows(
            "SELECT position, at, text FROM log_lines WHERE position >= ? AND stream = "
            "(SELECT id FROM log_streams WHERE log_group = ? AND name = ?) ORDER BY position LIMIT ?",
            (start, group, stream, limit),
        )
        return [LogLine(*row) for row in found]

    def close(self) -> None:
        with self._lock:
            self._connection.close()
