"""Results of few rows: Python's values as Arrow, where they lose nothing on the way through Python.

An Arrow result costs the engine much more than the few values in it; Python's dates, times and intervals reach less
far than the engine's own, so columns of these go another way.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
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
    return pa.RecordBatch.from_arrays([_array(*one) for one in zip(columns, of.types, strict=True)], schema=of)


def _array(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """What pa.array makes, which first imports pandas, where that is installed, to ask whether it knows the values."""
    import pyarrow as pa

    if pa.types.is_null(type_):
        return pa.nulls(len(values))
    validity = pa.py_buffer(_bits([value is not None for value in values])) if None in values else None
    data: list[Any]
    if pa.types.is_boolean(type_):
        data = [_bits([value is True for value in values])]
    elif pa.types.is_decimal(type_):
        data = [b"".join([_unscaled(value, type_.scale).to_bytes(16, "little", signed=True) for value in values])]
    elif str(type_) in _CODES:
        data = [array(_CODES[str(type_)], [0 if value is None else value for value in values])]
    else:
        texts = [b"" if value is None else value.encode() if isinstance(value, str) else value for value in values]
        data = [array("i", accumulate(map(len, texts), initial=0)), b"".join(texts)]
    return pa.Array.from_buffers(type_, len(values), [validity, *map(pa.py_buffer, data)])


_CODES = {
    "int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q",
    "float": "f", "double": "d",
}  # fmt: skip


def _bits(flags: Sequence[bool]) -> bytes:
    return sum(flag << place for place, flag in enumerate(flags)).to_bytes((len(flags) + 7) // 8, "little")


def _unscaled(value: Decimal | None, scale: int) -> int:
    if value is None:
        return 0
    sign, digits, exponent = value.as_tuple()
    number = int("".join(map(str, digits)) + "0" * (scale + int(exponent)))
    return -number if sign else number


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
