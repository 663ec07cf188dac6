"""service.sqlite: the state that outlives a statement: jobs and endpoints, accepted statements, keys, secrets.

Everything is on the disk before it is acknowledged (WAL, synchronous=FULL). Each component brings its own tables. The
threads of a process share one connection to write by, behind a lock, and some to read by, which wait for no writer;
another process may write in between.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from restframe import errors

_OTHER_WRITER_S = 10  # how long to wait for another process that is writing
_IDLE_READERS = 8


class Journal:
    """Usable from any thread; `close` when nobody does any more."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._writer: int | None = None  # the thread that is in a transaction
        self._closed = False
        try:
            self._connection = self._connect()
        except sqlite3.Error as error:
            raise errors.OperationalError(f"{path.name} cannot be opened: {error}") from error
        self._readers: list[sqlite3.Connection] = []  # that nobody reads by at the moment
        try:
            self._prepare()
        except sqlite3.Error as error:
            self.close()
            raise errors.OperationalError(f"{path.name} cannot be opened: {error}") from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_OTHER_WRITER_S, isolation_level=None, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        return connection

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        with self.transaction() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS components (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"
            )
            if connection.execute("PRAGMA user_version").fetchone()[0] == 1:
                # Version 0.1.0 knew jobs only, and counted here.
                connection.execute("INSERT OR IGNORE INTO components VALUES ('jobs', 1)")
                connection.execute("PRAGMA user_version = 0")

    def migrate(self, component: str, migrations: Sequence[str]) -> None:
        """Bring a component's tables up to date.

        migrations : each takes the tables one version further; none is ever changed, only added
        """
        try:
            with self.transaction() as connection:
                row = self.row("SELECT version FROM components WHERE name = ?", (component,))
                version = row["version"] if row else 0
                if version > len(migrations):
                    raise errors.InterfaceError(
                        f"{self._path.name} was written by a newer version of restframe",
                        hint="Open the directory with that version.",
                    )
                for migration in migrations[version:]:
                    for statement in migration.split(";"):
                        connection.execute(statement)
                connection.execute("INSERT OR REPLACE INTO components VALUES (?, ?)", (component, len(migrations)))
        except sqlite3.DatabaseError as error:
            raise errors.OperationalError(f"{self._path.name} cannot be opened: {error}") from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Changes that are on the disk together when the block has ended, or not at all.

        DiskFull when there is no room, OperationalError for other trouble with the file.
        """
        with self._lock:
            self._writer = threading.get_ident()
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield self._connection
                self._connection.execute("COMMIT")
            except sqlite3.OperationalError as error:
                self._rollback()
                if "disk is full" in str(error):
                    raise errors.DiskFull("the server's disk is full; nothing was changed") from error
                raise errors.OperationalError(f"the service journal: {error}") from error
            except BaseException:
                self._rollback()
                raise
            finally:
                self._writer = None

    def _rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection to read by; inside a transaction of this thread its own, which sees what it has changed."""
        if self._writer == threading.get_ident():
            yield self._connection
            return
        try:
            connection = self._readers.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._readers.append(connection)
            if self._closed or len(self._readers) > _IDLE_READERS:
                self._readers.pop().close()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        with self._reading() as connection:
            return connection.execute(sql, parameters).fetchall()

    def rows_until(
        self, is_enough: Callable[[sqlite3.Row], bool], sql: str, parameters: Sequence[Any] = ()
    ) -> tuple[list[sqlite3.Row], bool]:
        """The rows up to the first that is enough, and whether there was one: no more of them are read."""
        found: list[sqlite3.Row] = []
        with self._reading() as connection, closing(connection.execute(sql, parameters)) as cursor:
            for row in cursor:
                found.append(row)
                if is_enough(row):
                    return found, True
        return found, False

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Row | None:
        return next(iter(self.rows(sql, parameters)), None)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            while self._readers:
                self._readers.pop().close()
            self._connection.close()
