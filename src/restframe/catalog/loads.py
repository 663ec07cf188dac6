"""What COPY has loaded and what it refused: tables in schema `_restframe`. `views.loads` shows them.

https://docs.aws.amazon.com/redshift/latest/dg/system-tables-for-troubleshooting-data-loads.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

# The newest refused rows of one load that are kept; their number is kept in any case.
MOST_ERRORS = 10_000


class Executor(Protocol):
    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...


class Fault(Protocol):
    """A refused row; see stl_load_errors. `values` are the fields up to the wrong one."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def length(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def raw_line(self) -> str: ...
    @property
    def raw_value(self) -> str: ...
    @property
    def code(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def values(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class LoadedFile:
    """One file that a load has read to its end. size_bytes : as stored, perhaps compressed"""

    name: str
    size_bytes: int
    lines: int
    started: datetime
    finished: datetime


@dataclass(frozen=True, slots=True)
class Load:
    """One COPY. Times are in UTC, without a zone.

    id : what pg_last_copy_id() returns and the views call `query`
    table : with its schema when that is not public, as Redshift shows it
    rows, errors : loaded and refused
    """

    id: int
    user: str
    database: str
    table: str
    source: str
    file_format: str
    status: Literal["completed", "aborted"]
    started: datetime
    finished: datetime
    rows: int
    errors: int
    source_files: int
    source_bytes: int
    files: tuple[LoadedFile, ...] = ()


def create(connection: Executor) -> None:
    """Make the tables; no effect when they are there."""
    for statement in _TABLES:
        connection.run(statement)


def next_id(connection: Executor) -> int:
    """The number of a new load; a failed load must be recorded with `record` for it to stay taken."""
    return int(connection.run("SELECT nextval('_restframe.load_ids')")[0][0])


def record(connection: Executor, load: Load, faults: Iterable[tuple[str, Fault]]) -> None:
    """Write down one load and its refused rows, each with the name of its file."""
    connection.run(
        f"INSERT INTO _restframe.loads VALUES ({', '.join('?' * 13)})",
        [
            load.id, load.user, load.database, load.table, load.source, load.file_format, load.status, load.started,
            load.finished, load.rows, load.errors, load.source_files, load.source_bytes,
        ],
    )  # fmt: skip
    _insert(
        connection,
        "load_files",
        [(load.id, f.name, f.size_bytes, f.lines, f.started, f.finished) for f in load.files],
    )
    _insert(
        connection,
        "load_errors",
        [
            (
                load.id, name, f.line, f.column, f.type, f.length, f.position, f.raw_line, f.raw_value, f.code,
                f.reason, list(f.values),
            )
            for name, f in list(faults)[:MOST_ERRORS]
        ],
    )  # fmt: skip
    if load.status == "aborted":
        # What the failed transaction drew from the sequence is forgotten; this makes it remembered.
        next_id(connection)


def _insert(connection: Executor, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Many rows at once: a list of values for each column."""
    for start in range(0, len(rows), 1000):
        part = rows[start : start + 1000]
        columns = [list(values) for values in zip(*part, strict=True)]
        selected = ", ".join(f"unnest(${i + 1})" for i in range(len(columns)))
        connection.run(f"INSERT INTO _restframe.{table} SELECT {selected}", columns)


_TABLES = (
    "CREATE SEQUENCE IF NOT EXISTS _restframe.load_ids",
    """CREATE TABLE IF NOT EXISTS _restframe.loads (
        query BIGINT, user_name VARCHAR, database_name VARCHAR, table_name VARCHAR, source VARCHAR, file_format VARCHAR,
        status VARCHAR, started TIMESTAMP, finished TIMESTAMP, loaded_rows BIGINT, errors BIGINT, source_files INTEGER,
        source_bytes BIGINT)""",
    """CREATE TABLE IF NOT EXISTS _restframe.load_files (
        query BIGINT, file_name VARCHAR, size_bytes BIGINT, lines BIGINT, started TIMESTAMP, finished TIMESTAMP)""",
    """CREATE TABLE IF NOT EXISTS _restframe.load_errors (
        query BIGINT, file_name VARCHAR, line_number BIGINT, column_name VARCHAR, type VARCHAR, length VARCHAR,
        position INTEGER, raw_line VARCHAR, raw_value VARCHAR, code INTEGER, reason VARCHAR, fields VARCHAR[])""",
)
