"""The warehouse as the engine uses it: statements, tables in and out as Arrow, transactions, and a lake of Parquet.

A table is never half written: its Parquet file lies whole in the lake's bucket before COPY takes it, and what it
replaces goes in the same transaction.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import restframe
import restframe.errors
from restframe_epidemic import errors

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Parameters = Sequence[Any] | Mapping[str, Any]

LAKE = "epidemic-lake"
SQL = Path(__file__).parent / "pipeline" / "sql"
_TABLE = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
_KEY = re.compile(r"[A-Za-z0-9_=.+/-]+")


class Store:
    """A warehouse directory, open in this process; a context manager.

        with Store("covid") as store:
            store.prepare()
            places = store.query("SELECT * FROM epidemic.location")

    UsageError while another process has the directory open, such as `restframe serve`.
    """

    def __init__(self, directory: Path | str, **settings: Any) -> None:
        try:
            self.warehouse = restframe.open(directory, **settings)
        except restframe.errors.WarehouseLocked as error:
            raise errors.UsageError(
                f'the warehouse "{str(directory)[:200]}" is open in another process',
                hint="The engine opens the directory itself: stop `restframe serve` while it runs.",
            ) from error
        self.session = self.warehouse.session()
        self.lake = self.warehouse.settings.buckets / LAKE
        # Not a bucket: no COPY reaches it, and who may read what is decided by tables alone.
        self.private = self.warehouse.settings.directory / LAKE
        # What a process that was killed left behind: nobody else has the warehouse open.
        shutil.rmtree(self.lake / "spool", ignore_errors=True)
        for left_behind in self.lake.glob(".writing/*"):
            if left_behind.is_file():
                left_behind.unlink()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.session.close()
        self.warehouse.close()

    def prepare(self) -> None:
        """Make the engine's schemas and tables, where they are not there yet."""
        self.run_file(SQL / "schema.sql")
        for view in sorted(SQL.glob("view_*.sql")):
            self.run_file(view)

    # Statements

    def run(self, text: str, parameters: Parameters = ()) -> restframe.Result:
        """Run one statement. A text of several is one transaction, and takes no parameters."""
        return self.session.execute(text, parameters)

    def run_file(self, path: Path) -> None:
        """Run a file of statements as one transaction. DataError, with the file and the statement's error."""
        try:
            self.session.execute_all(path.read_text(encoding="utf-8"))
        except restframe.errors.Error as error:
            raise errors.DataError(f"{path.name}: {str(error)[:300]}", hint=getattr(error, "hint", None)) from error

    def query(self, text: str, parameters: Parameters = ()) -> pa.Table:
        return self.run(text, parameters).to_arrow()

    def frame(self, text: str, parameters: Parameters = ()) -> pd.DataFrame:
        """A query's rows; dates are datetime64, numbers with NULLs are floats with NaN."""
        frame: pd.DataFrame = self.query(text, parameters).to_pandas(date_as_object=False)
        return frame

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing of what runs inside; one inside another is part of it."""
        if self.session.in_block:
            yield
            return
        self.session.begin()
        try:
            yield
        except BaseException:
            self.session.rollback()
            raise
        self.session.commit()

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
                    self.copy(table, key, rows.column_names)
        finally:
            (self.lake / key).unlink(missing_ok=True)

    def copy(self, table: str, key: str, columns: Sequence[str]) -> None:
        """COPY Parquet of the lake, one object or all under a prefix, whose columns have this order."""
        if not _KEY.fullmatch(key):
            raise errors.UsageError(f'"{key[:100]}" is no key of the lake')
        listed = ", ".join(_name(column) for column in columns)
        self.run(f"COPY {_name(table)} ({listed}) FROM 's3://{LAKE}/{key}' IAM_ROLE default FORMAT AS PARQUET")

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


def _name(name: str) -> str:
    """A table or column that may stand in a statement as it is."""
    if not _TABLE.fullmatch(name):
        raise errors.UsageError(f'"{name[:100]}" is no name of a table or column')
    return name
