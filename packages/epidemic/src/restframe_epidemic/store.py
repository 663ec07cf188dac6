"""The warehouse as the engine uses it: statements, tables in and out as Arrow, transactions, and a lake of Parquet.

A table is never half written: its Parquet file lies whole in the lake before it is loaded, and what it replaces goes in
the same transaction.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import restframe.errors
from restframe_epidemic import errors
from restframe_epidemic.directory import Directory
from restframe_epidemic.server import SCHEMES, Server

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from restframe_epidemic.connections import Connection, Rows

SQL = Path(__file__).parent / "pipeline" / "sql"
# Of the warehouse's engine where raw files of any size are read: it would otherwise keep in memory what it loads, up to
# most of the machine's. A thread that inserts wants 4 MB a column: 200 MB were too little for two and a table of 12.
BOUNDED = {"memory_limit": "240MB", "threads": 2}
_COMMENT = re.compile(r" IS '((?:[^']|'')*)';")
_TABLE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")


class Store:
    """A warehouse: a directory, which this process opens, or one behind a server; a context manager.

        with Store("covid") as store:
            store.prepare()
            places = store.query("SELECT * FROM epidemic.location")

    warehouse : the directory, or postgresql://user@host:port/database
    lake : with a server, the folder of this machine that holds the lake; by the server's name in the user's data
        otherwise
    settings : of a warehouse that this process opens
    lake, private, folder : as in `connections.Connection`
    UsageError while another process has the directory or the lake open, ServerError when there is no way to a server.
    """

    def __init__(self, warehouse: Path | str, lake: Path | None = None, **settings: Any) -> None:
        self._settings = settings
        self._taken = False  # by another process, while this one had the directory closed
        self._connection: Connection
        if str(warehouse).startswith(SCHEMES):
            self._connection = Server(str(warehouse), lake)
        else:
            self._connection = Directory(warehouse, **settings)
        self.lake, self.private, self.folder = self.connection.lake, self.connection.private, self.connection.folder
        # What a process that was killed left behind: nobody else has the lake.
        for folder in {self.lake, self.private}:
            shutil.rmtree(folder / "spool", ignore_errors=True)
        for left_behind in self.lake.glob(".writing/*"):
            if left_behind.is_file():
                left_behind.unlink()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def connection(self) -> Connection:
        if self._taken:
            raise _taken(self.folder)
        return self._connection

    def close(self) -> None:
        self._connection.close()

    @contextlib.contextmanager
    def bounded(self) -> Iterator[None]:
        """With an engine that takes little memory, outside of any transaction; a server's stays as it is.

        UsageError, then and of all that is tried later, when another process takes the directory in between.
        """
        if not isinstance(self.connection, Directory):
            yield
            return
        self._reopen({**self._settings, **BOUNDED})
        try:
            yield
        finally:
            self._reopen(self._settings)

    def _reopen(self, settings: Mapping[str, Any]) -> None:
        self.close()
        try:
            self._connection = Directory(self.folder, **settings)
        except errors.UsageError as error:
            self._taken = True
            raise _taken(self.folder) from error

    def prepare(self) -> None:
        """Make the engine's schemas, tables and, where this user may, roles, where they are not there yet."""
        from restframe_epidemic.privacy import roles
        from restframe_epidemic.upgrade import upgrade

        upgrade(self)
        self.run_file(SQL / "schema.sql")
        for view in sorted(SQL.glob("view_*.sql")):
            self.run_file(view)
        self.run_file(SQL / "published.sql")
        self._comment(SQL / "comments.sql")
        roles.prepare(self)

    def _comment(self, path: Path) -> None:
        """Say what tables and columns mean, unless what the file says is said already."""
        said = self.run(
            """
            SELECT description FROM pg_description
            JOIN pg_class ON pg_class.oid = objoid JOIN pg_namespace ON pg_namespace.oid = relnamespace
            WHERE nspname = 'epidemic_published'
            UNION ALL
            SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'epidemic_published'
            """
        ).fetchall()
        texts = _COMMENT.findall(path.read_text(encoding="utf-8"))
        if sorted(text.replace("''", "'") for text in texts) != sorted(text for (text,) in said if text):
            self.run_file(path)

    # Statements

    def run(self, text: str, parameters: Sequence[Any] = ()) -> Rows:
        """Run one statement, in which $1 stands for the first parameter. A text of several is one transaction, and
        takes none.
        """
        return self.connection.execute(text, parameters)

    def run_file(self, path: Path) -> None:
        """Run a file of statements as one transaction. DataError, with the file and the statement's error."""
        try:
            self.run(path.read_text(encoding="utf-8"))
        except restframe.errors.Error as error:
            raise errors.DataError(f"{path.name}: {str(error)[:300]}", hint=getattr(error, "hint", None)) from error

    def query(self, text: str, parameters: Sequence[Any] = ()) -> pa.Table:
        import pyarrow as pa

        schema, batches = self.connection.batches(text, parameters)
        return pa.Table.from_batches(batches, schema)

    def batches(self, text: str) -> Iterator[pa.RecordBatch]:
        """A query's rows in bounded memory, to be read before the next statement runs."""
        return self.connection.batches(text, ())[1]

    def frame(self, text: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """A query's rows; dates are datetime64, numbers with NULLs are floats with NaN."""
        frame: pd.DataFrame = self.query(text, parameters).to_pandas(date_as_object=False)
        return frame

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what runs inside; one inside another is part of it."""
        if self.connection.in_block:
            yield
            return
        self.connection.begin()
        try:
            yield
        except BaseException:
            self.connection.rollback()
            raise
        self.connection.commit()

    # Tables

    def replace(self, table: str, rows: pa.Table, where: Mapping[str, Any] | None = None) -> None:
        """Put rows into a table in place of those whose columns equal `where`, all of them without it.

        rows : columns by name; those of the table that are not there become NULL
        """
        key = f"spool/{_name(table)}-{os.getpid()}.parquet"
        self.keep(key, rows)
        try:
            with self.transaction():
                condition = " AND ".join(f"{_name(column)} = ${at}" for at, column in enumerate(where or {}, 1))
                self.run(
                    f"DELETE FROM {table}" + (f" WHERE {condition}" if where else ""), list((where or {}).values())
                )
                if rows.num_rows:
                    self.load(table, rows.column_names, [self.lake / key])
        finally:
            (self.lake / key).unlink(missing_ok=True)

    def load(self, table: str, columns: Sequence[str], files: Sequence[Path]) -> None:
        """Add the rows of Parquet files, whose columns have this order: all of them or none."""
        if files:
            self.connection.load(_name(table), ", ".join(f'"{_name(column)}"' for column in columns), files)

    # The lake

    def keep(self, key: str, rows: pa.Table) -> None:
        """Write Parquet into the lake, whole or not at all."""
        import pyarrow.parquet as pq

        path = self.lake / key
        beside = self.lake / ".writing" / f"{key.replace('/', '+')}-{os.getpid()}"
        beside.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(rows, beside, compression="zstd")
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.replace(path)


def _taken(directory: Path) -> errors.UsageError:
    return errors.UsageError(
        f'another process opened the warehouse "{str(directory)[:200]}" when this command had closed it for a moment,'
        " to take less memory while it reads files",
        hint="End that process, or, if it is `restframe serve`, go through it: --warehouse URL. Then give the same"
        " command again: what is finished is kept.",
    )


def _name(name: str) -> str:
    """A table or column that may stand in a statement as it is."""
    if not _TABLE.fullmatch(name):
        raise errors.UsageError(f'"{name[:100]}" is no name of a table or column')
    return name
