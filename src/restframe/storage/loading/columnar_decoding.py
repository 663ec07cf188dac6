"""Parquet and ORC files to Arrow: columns by their position, types checked, values never bent to fit.

A file that is made for it can end the process that reads it, or take all its memory: what reads the files of others is
`columnar_child`.

https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from restframe import errors
from restframe.storage.loading.fields import Column

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_ROWS = 32_768


Kind = Literal["parquet", "orc"]


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """NotSupportedError for a column that such files cannot fill."""
    import pyarrow as pa

    return pa.schema([pa.field(column.name, _target(column)) for column in columns])


def decode(kind: Kind, columns: Sequence[Column], path: Path, name: str) -> Iterator[pa.RecordBatch]:
    """The rows of one file, which messages call `name`.

    DatatypeMismatch when its columns are not the table's, CorruptObject when it is damaged.
    """
    import pyarrow as pa

    schema = schema_of(columns)
    try:
        with path.open("rb") as file:
            found, batches = (_parquet if kind == "parquet" else _orc)(file)
            _check(found, columns, name)
            for batch in batches:
                batch.validate(full=True)  # texts that are no UTF-8, places outside of what they point into
                arrays = [_converted(*each, name) for each in zip(columns, batch.columns, strict=True)]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    except MemoryError:  # pyarrow's is an ArrowException too
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise errors.CorruptObject(f'"{name[:200]}" is damaged: {str(error)[:200]}') from error


def _check(found: pa.Schema, columns: Sequence[Column], name: str) -> None:
    if len(found) != len(columns):
        raise errors.DatatypeMismatch(
            f"Unmatched number of columns between table and file. Table columns: {len(columns)}, "
            f"Data columns: {len(found)}, File name: {name[:200]}"
        )
    for column, field in zip(columns, found, strict=True):
        if not _fits(column, field.type):
            raise errors.DatatypeMismatch(
                f'column "{column.name}" is of type {column.type}, column "{field.name[:100]}" of {name[:200]} '
                f"is of the incompatible type {str(field.type)[:100]}"
            )


def _parquet(file: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    import pyarrow.parquet as pq

    parquet = pq.ParquetFile(file, page_checksum_verification=True)
    return parquet.schema_arrow, parquet.iter_batches(batch_size=_BATCH_ROWS)


def _orc(file: Any) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    from pyarrow import orc

    found = orc.ORCFile(file)
    return found.schema, (_batch(found.read_stripe(i)) for i in range(found.nstripes))


def _batch(stripe: Any) -> pa.RecordBatch:
    """pyarrow gives a stripe as a batch or as a table, by its version."""
    import pyarrow as pa

    return stripe if isinstance(stripe, pa.RecordBatch) else stripe.combine_chunks().to_batches()[0]


def _target(column: Column) -> pa.DataType:
    import pyarrow as pa

    if column.type.name == "timetz":
        raise errors.NotSupportedError(f'COPY cannot load column "{column.name}" of type {column.type}')
    return pa.string() if column.type.is_text else column.type.arrow_type


def _fits(column: Column, found: pa.DataType) -> bool:
    """Whether the file's type is of the column's kind; sizes are checked value by value."""
    from pyarrow import types

    if types.is_dictionary(found):
        found = found.value_type
    return any(getattr(types, f"is_{kind}")(found) for kind in _KINDS[column.type.name])


_TEXTS = ("string", "large_string", "string_view", "binary", "large_binary", "fixed_size_binary")
_KINDS: dict[str, tuple[str, ...]] = {
    "int2": ("integer",), "int4": ("integer",), "int8": ("integer",), "float4": ("floating",),
    "float8": ("floating",), "numeric": ("decimal",), "bool": ("boolean",), "bpchar": _TEXTS, "varchar": _TEXTS,
    "date": ("date",), "time": ("time",), "timestamp": ("timestamp",), "timestamptz": ("timestamp",),
    "varbyte": ("binary", "large_binary", "fixed_size_binary"),
    "super": ("struct", "list", "large_list", "map", "string", "large_string"), "interval": (),
}  # fmt: skip


def _converted(column: Column, values: pa.Array, name: str) -> pa.Array:
    """The values in the target's type.

    NumericValueOutOfRange for a number that does not fit, StringDataRightTruncation for a text that is too long.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.type.name == "super":
        return _as_json(values)
    try:
        if pa.types.is_timestamp(values.type):
            # Finer than a microsecond is cut off, as is the zone, which has been applied.
            values = pc.cast(values, pa.timestamp("us", values.type.tz), safe=False)
            return pc.cast(values, _target(column), safe=False)
        if column.type.name == "numeric":
            values = _cut(values, column.type.scale or 0)
        converted = pc.cast(values, _target(column))
    except pa.ArrowInvalid as error:
        raise errors.NumericValueOutOfRange(
            f'a value of column "{column.name}" in {name[:200]} does not fit {column.type}'
        ) from error
    if column.type.length is not None:
        longest = pc.max(pc.binary_length(converted)).as_py() or 0
        if longest > column.type.length:
            raise errors.StringDataRightTruncation(
                f"The length of the data column {column.name} is longer than the length defined in the table. "
                f"Table: {column.type.length}, Data: {longest}, File name: {name[:200]}"
            )
    return converted


def _cut(values: pa.Array, scale: int) -> pa.Array:
    """Decimals without the digits behind a scale, as COPY cuts them off."""
    import pyarrow.compute as pc

    if values.type.scale <= scale:
        return values
    return pc.round(values, ndigits=scale, round_mode="towards_zero")


def _as_json(values: pa.Array) -> pa.Array:
    """Nested values as JSON text; text as a JSON string."""
    import json

    import pyarrow as pa

    plain: Callable[[Any], Any] = str
    texts = [None if value is None else json.dumps(value, default=plain) for value in values.to_pylist()]
    return pa.array(texts, pa.string())
