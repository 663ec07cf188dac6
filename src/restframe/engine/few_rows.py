"""Results of few rows: Python's values as Arrow, where they lose nothing on the way through Python.

An Arrow result costs the engine much more than the few values in it. Python's times of day and intervals reach less far
than the engine's own, and times with a zone need a library, so columns of these go another way.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
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
    elif str(type_) in _COUNTS:
        code, count = _COUNTS[str(type_)]
        data = [array(code, [0 if value is None else count(value) for value in values])]
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


# Dates and times

_DAY_US = 86_400_000_000
_EPOCH, _EPOCH_DAY = datetime(1970, 1, 1), date(1970, 1, 1).toordinal()
_LAST_DAY, _LAST_US = 2**31 - 1, 2**63 - 1
_MICROSECOND = timedelta(microseconds=1)
_TEXT = re.compile(r"(\d+)-(\d\d)-(\d\d)( \(BC\))?(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?")


def _days(value: date | str) -> int:
    """Since 1970. Infinity comes as the very object that is Python's last date, and not as one that equals it; a date
    that Python has not got, as text."""
    if isinstance(value, str):
        return _far(value) // _DAY_US
    if value is date.max or value is date.min:
        return _LAST_DAY if value is date.max else -_LAST_DAY
    return value.toordinal() - _EPOCH_DAY


def _microseconds(value: datetime | str) -> int:
    """The same of a time stamp."""
    if isinstance(value, str):
        return _far(value)
    if value is datetime.max or value is datetime.min:
        return _LAST_US if value is datetime.max else -_LAST_US
    return (value - _EPOCH) // _MICROSECOND


def _far(text: str) -> int:
    """Microseconds since 1970 of a text such as `0044-03-15 (BC) 12:00:00.5`, by years that begin in March."""
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"neither date nor time: {text}")
    year, month, day = (int(part) for part in found.group(1, 2, 3))
    year = (1 - year if found[4] else year) - (month < 3)
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * ((month + 9) % 12) + 2) // 5 + day - 719_469
    hour, minute, second = (int(part or 0) for part in found.group(5, 6, 7))
    return days * _DAY_US + (hour * 3600 + minute * 60 + second) * 1_000_000 + int(f"{found[8] or 0:0<6}")


_COUNTS: dict[str, tuple[str, Callable[[Any], int]]] = {
    "date32[day]": ("i", _days),
    "timestamp[us]": ("q", _microseconds),
}


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
        "JSON": pa.string(), "BLOB": pa.binary(), '"NULL"': pa.null(), "DATE": pa.date32(),
        "TIMESTAMP": pa.timestamp("us"),
    }.get(name)  # fmt: skip
