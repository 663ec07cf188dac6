"""Rows of a Parquet object as the fields of series.

pyarrow can take the whole process down over a file made for that, so only processes read one that have nothing to lose.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from restframe import errors

_KNOWN = ("start", "target", "cat", "dynamic_feat", "item_id")
_BATCH_ROWS = 64  # what they unpack to is in memory at once


def rows(content: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with its number from 1: the fields of a line of JSON, but lists of numbers are arrays, times datetime64.

    DataError when it is not intact Parquet.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        names = [name for name in _KNOWN if name in file.schema_arrow.names]
        first = 1
        for batch in file.iter_batches(_BATCH_ROWS, columns=names, use_threads=False):
            columns = {name: _values(batch.column(name), name) for name in names}
            for row in range(batch.num_rows):
                yield first + row, {name: column[row] for name, column in columns.items()}
            first += batch.num_rows
    except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise errors.DataError(f"not intact Parquet: {str(error)[:100]}") from error


def _values(column: Any, name: str) -> Sequence[Any]:
    """One value a row."""
    import pyarrow as pa

    if name in ("target", "dynamic_feat"):
        return _numbers(column)
    if pa.types.is_timestamp(column.type):
        if column.type.tz not in (None, "UTC"):
            raise errors.DataError(f'"{name}" has the time zone {str(column.type.tz)[:100]}')
        return cast("Sequence[Any]", column.cast(pa.timestamp("s"), safe=False).to_numpy(zero_copy_only=False))
    return cast("Sequence[Any]", column.to_pylist())


def _numbers(column: Any) -> Sequence[Any]:
    """An array for each list of numbers, a list of arrays for each list of those, Python's own for anything else."""
    import pyarrow as pa

    depth, kind = 0, column.type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        depth, kind = depth + 1, kind.value_type
    if depth not in (1, 2) or not (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
        return cast("Sequence[Any]", column.to_pylist())
    wanted = pa.float64()
    for _ in range(depth):
        wanted = pa.list_(wanted)
    column = column.cast(wanted, safe=False)
    inner = column.values.to_numpy(zero_copy_only=False) if depth == 1 else _numbers(column.values)
    ends = column.offsets.to_pylist()
    valid = column.is_valid().to_pylist()
    return [inner[ends[row] : ends[row + 1]] if valid[row] else None for row in range(len(column))]
