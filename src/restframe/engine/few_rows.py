"""Results of few rows: Python's values as Arrow, where they lose nothing on the way through Python.

An Arrow result costs the engine much more than the few values in it; Python's dates, times and intervals reach less
far than the engine's own, so columns of these go another way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

# Up to so many rows, and values, are quicker one by one.
FEW_ROWS, FEW_VALUES = 256, 1_000


def few(rows: int, columns: int) -> bool:
    return rows <= FEW_ROWS and rows * columns <= FEW_VALUES


@lru_cache(maxsize=1_024)
def schema(names: tuple[str, ...], types: tuple[str, ...]) -> pa.Schema | None:
    """The engine's columns in Arrow, as its own results have them; None when a type is not faithful in Python.

    types : as the engine writes them
    """
    import pyarrow as pa

    arrow = [_arrow_type(type_) for type_ in types]
    return None if None in arrow else pa.schema(list(zip(names, arrow, strict=True)))


def batch(rows: Sequence[Sequence[Any]], of: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    columns = zip(*rows, strict=True) if rows else [()] * len(of)
    return pa.RecordBatch.from_arrays([pa.array(*one) for one in zip(columns, of.types, strict=True)], schema=of)


def _arrow_type(name: str) -> pa.DataType | None:
    import pyarrow as pa

    decimal = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", name)
    if decimal:
        return pa.decimal128(int(decimal[1]), int(decimal[2]))
    return {
        "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(), "BIGINT": pa.int64(),
        "UTINYINT": pa.uint8(), "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(), "UBIGINT": pa.uint64(),
        "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "VARCHAR": pa.string(),
        "JSON": pa.string(), "BLOB": pa.binary(), '"NULL"': pa.null(),
    }.get(name)  # fmt: skip
