"""Files of Parquet 1.0, compressed with Snappy, as UNLOAD writes them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Column
from restframe.sql.statements.unload import Unload
from restframe.types import SqlType
from restframe.warehouse.unloading.lines import check_distinct, text_of
from restframe.warehouse.unloading.slices import Layout

if TYPE_CHECKING:
    import pyarrow as pa

# A dictionary that grows beyond this is given up, which costs less than to finish a large one.
_DICTIONARY_BYTES = 1 << 16
_TEXT = SqlType("varchar", length=65535)


def parquet_layout(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Layout:
    """The columns with these numbers. Times with a zone lose it; SUPER and intervals are stored as text."""
    import pyarrow as pa

    kept = [columns[number] for number in numbers]
    check_distinct(kept, "PARQUET")
    schema = pa.schema([pa.field(column.name, _stored(column).arrow_type) for column in kept])
    values = tuple(_value(number, columns[number]) for number in numbers)
    new_part = partial(
        ParquetPart, schema=schema, max_bytes=statement.max_file_bytes, row_group_bytes=statement.row_group_bytes
    )
    return Layout(
        values,
        new_part,
        lambda batch: pa.RecordBatch.from_arrays(batch.columns, schema=schema),
        batch_rows=16_384,  # smaller batches make the writer slow
    )


def _stored(column: Column) -> SqlType:
    kind = column.type.name
    if kind == "varbyte":
        raise errors.NotSupportedError(f'column "{column.name}" of type varbyte cannot be unloaded to PARQUET')
    if kind == "timestamptz":
        return SqlType("timestamp")
    return _TEXT if kind in ("timetz", "interval", "super") else column.type


def _value(number: int, column: Column) -> str:
    kind = column.type.name
    if kind == "timestamptz":
        return f"timezone('UTC', c{number})"
    if kind == "super":
        return f"CAST(to_json(c{number}) AS VARCHAR)"
    if kind in ("timetz", "interval", "bpchar"):
        return text_of(number, column)
    return f"CAST(c{number} AS {column.type.engine_type})"


class ParquetPart:
    """One file, full at the first row group that reaches its limit."""

    def __init__(self, path: Path, schema: pa.Schema, max_bytes: int, row_group_bytes: int) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.rows = 0
        self._schema = schema
        # Redshift rounds down to whole row groups
        self._max_bytes = max(max_bytes // row_group_bytes, 1) * row_group_bytes
        self._row_group_bytes = row_group_bytes
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0
        self._file = path.open("wb")
        self._writer = pq.ParquetWriter(
            self._file,
            schema,
            version="1.0",
            compression="snappy",
            use_dictionary=[f.name for f in schema if pa.types.is_string(f.type) or pa.types.is_date(f.type)],
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
        )

    def write(self, rows: pa.RecordBatch, start: int, stop: int) -> int:
        if self._file.tell() >= self._max_bytes:
            return start
        piece = rows.slice(start, stop - start)
        self._held.append(piece)
        self._held_bytes += piece.nbytes
        self.rows += piece.num_rows
        if self._held_bytes >= self._row_group_bytes:
            self._flush()
        return stop

    def _flush(self) -> None:
        import pyarrow as pa

        if self._held:
            table = pa.Table.from_batches(self._held, self._schema)
            self._writer.write_table(table, row_group_size=table.num_rows)
            self._held, self._held_bytes = [], 0

    def close(self) -> None:
        try:
            self._flush()
            self._writer.close()
        finally:
            self._file.close()

    def abandon(self) -> None:
        self._held = []
        self._file.close()
