"""Kernels and converters for the binary forms of values, as PostgreSQL's types send them.

https://github.com/postgres/postgres/tree/REL_15_STABLE/src/backend/utils/adt (the functions called *_recv)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np

from restframe import errors
from restframe.compiled import kernel, part
from restframe.storage.copying.inputs import input_of
from restframe.storage.loading.columns import Convert, Converter, Values
from restframe.storage.loading.faults import Kind
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.listed import ListedValues
from restframe.storage.loading.records import NULL
from restframe.storage.loading.strings import refuse_nul
from restframe.storage.writing.memory import load_8, load_be16, load_be32, load_be64
from restframe.storage.writing.texts import DAY_US, EPOCH_DAYS, EPOCH_US
from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa

_MALFORMED, _OVERFLOW, _TIMESTAMP = int(Kind.HEX), int(Kind.OVERFLOW), int(Kind.TIMESTAMP)
_LAST_DAY, _LAST_US = 2**31 - 1, 2**63 - 1  # infinity, here and in the engine; minus infinity is theirs less one
_NULL = NULL
_NO_NULL = np.frombuffer(b"", np.uint8)
_int: Any = np.int64


def binary_input_of(column: Column) -> Converter:
    """The converter of a column. It marks the rows whose bytes are none of its type with faults.Kind.HEX."""
    type_ = column.type
    if type_.name in _FIXED:
        size, make = _FIXED[type_.name]
        return Converter(_fixed(size, make, type_), type_.arrow_type)
    if type_.is_text:
        return _text(column)
    if type_.name == "numeric" and (type_.precision or 18) <= 18:
        return _numeric(type_)
    if type_.name == "interval":
        return Converter(_interval, type_.arrow_type)
    if type_.name in _LISTED:
        return _LISTED[type_.name](type_)
    if type_.name == "super":
        return input_of(column)  # its text is its binary form
    raise errors.NotSupportedError(f'COPY cannot load column "{column.name}" of type {type_}')


# Of fixed size


@kernel
def big_endian(
    data: Any, starts: Any, ends: Any, size: int, offset: int, width: int, column: int,
    out: Any, valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """The integer of `width` bytes that stands at an offset in fields of `size` bytes, as int64.

    data : address of what starts and ends count from
    """
    for row in range(len(out)):
        value, start = _int(0), starts[row]
        good = start >= 0 and kinds[row] == 0
        if good and ends[row] - start != size:
            kinds[row] = _MALFORMED
            details[row, 0], details[row, 1] = column, 0
            good = False
        if good:
            at = data + start + offset
            if width == 8:
                value = load_be64(at)
            elif width == 4:
                value = _int(load_be32(at))
            elif width == 2:
                value = _int(load_be16(at))
            else:
                value = _int(load_8(at))
        out[row] = value
        valid[row] = good


def _integers(fields: Fields, number: int, size: int, offset: int, width: int) -> tuple[Any, Any]:
    n = fields.rows
    out, valid = np.empty(n, np.int64), np.empty(n, np.bool_)
    big_endian(
        fields.block.ctypes.data, fields.starts[number, :n], fields.ends[number, :n], size, offset, width, number,
        out, valid, fields.kinds[:n], fields.details[:n],
    )  # fmt: skip
    return out, valid


def _fixed(size: int, make: Callable[[Any], tuple[Any, Any]], type_: SqlType) -> Convert:
    def convert(fields: Fields, number: int) -> Values:
        found, valid = _integers(fields, number, size, 0, size)
        data, wrong = make(found)
        if wrong is not None:
            for row in np.flatnonzero(wrong & valid).tolist():
                fields.mark(number, row, Kind.TIMESTAMP)
        return Values(type_.arrow_type, data, valid)

    return convert


def _dates(days: Any) -> tuple[Any, Any]:
    infinite = np.abs(days) >= _LAST_DAY
    moved = days + EPOCH_DAYS
    wrong = (moved >= _LAST_DAY) & ~infinite
    return np.where(infinite, np.sign(days) * _LAST_DAY, moved).astype(np.int32), wrong


def _timestamps(microseconds: Any) -> tuple[Any, Any]:
    infinite = (microseconds == _LAST_US) | (microseconds == -_LAST_US - 1)
    wrong = (microseconds >= _LAST_US - EPOCH_US) & ~infinite
    moved = np.where(infinite | wrong, 0, microseconds) + EPOCH_US
    return np.where(infinite, np.where(microseconds > 0, _LAST_US, -_LAST_US), moved), wrong


def _times(microseconds: Any) -> tuple[Any, Any]:
    return microseconds, (microseconds < 0) | (microseconds > DAY_US)


_FIXED: dict[str, tuple[int, Callable[[Any], tuple[Any, Any]]]] = {
    "int2": (2, lambda found: (found.astype(np.int16), None)),
    "int4": (4, lambda found: (found.astype(np.int32), None)),
    "int8": (8, lambda found: (found, None)),
    "float4": (4, lambda found: (found.astype(np.int32).view(np.float32), None)),
    "float8": (8, lambda found: (found.view(np.float64), None)),
    "bool": (1, lambda found: (found != 0, None)),
    "date": (4, _dates),
    "time": (8, _times),
    "timestamp": (8, _timestamps),
    "timestamptz": (8, _timestamps),
}


def _interval(fields: Fields, number: int) -> Values:
    """Microseconds, days and months, which Arrow has the other way round."""
    import pyarrow as pa

    (microseconds, valid), (days, _), (months, _) = (
        _integers(fields, number, 16, offset, width) for offset, width in ((0, 8), (8, 4), (12, 4))
    )
    for row in np.flatnonzero(np.abs(microseconds) > _LAST_US // 1000).tolist():
        fields.mark(number, row, Kind.OVERFLOW)
    data = np.empty(fields.rows, np.dtype([("months", np.int32), ("days", np.int32), ("nanoseconds", np.int64)]))
    data["months"], data["days"] = months, days
    data["nanoseconds"] = np.where(valid, microseconds, 0) * 1000
    return Values(pa.month_day_nano_interval(), data, valid)


# Texts


def _text(column: Column) -> Converter:
    made = input_of(column)

    def convert(fields: Fields, number: int) -> Values | ListedValues:
        n = fields.rows
        refuse_nul(
            fields.block, fields.starts[number : number + 1], fields.ends[number : number + 1], _NO_NULL,
            fields.bounds[:n], fields.kinds[:n], fields.details[:n],
        )  # fmt: skip
        return made.convert(fields, number)

    return Converter(convert, made.type)


# Numbers to the base 10,000


@kernel
def decimals(
    block: Any, starts: Any, ends: Any, column: int, precision: int, scale: int,
    out: Any, valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """numeric, to int64 in units of 10 ** -scale, rounded half away from zero; precision is at most 18."""
    limit = 10**precision
    for row in range(len(out)):
        out[row] = 0
        start, end = starts[row], ends[row]
        valid[row] = False
        if start < 0 or kinds[row] != 0:
            continue
        size = end - start
        digits = _short(block, start) if size >= 8 else -1
        if digits < 0 or size != 8 + 2 * digits or _short(block, start + 4) not in (0, 0x4000):
            kinds[row] = _MALFORMED
            details[row, 0], details[row, 1] = column, 0
            continue
        weight = _short(block, start + 2)
        value, overflow, up = 0, False, False
        for k in range(digits):
            digit = _short(block, start + 8 + 2 * k)
            if digit < 0 or digit > 9999:
                kinds[row] = _MALFORMED
            place = 4 * (weight - k) + scale  # of the digit's last decimal digit
            if place >= 0:
                overflow |= place > 18 and digit > 0
                factor = 10 ** min(place, 18)
                overflow |= digit > 0 and digit > limit // factor
                value += 0 if overflow else digit * factor
            elif place > -4:
                value += digit // 10**-place
                up = digit // 10 ** (-place - 1) % 10 >= 5
            elif place == -4:
                up = digit >= 5000
        if up:
            value += 1
        if kinds[row] == 0 and (overflow or value >= limit):
            kinds[row] = _OVERFLOW
        if kinds[row] != 0:
            details[row, 0], details[row, 1] = column, 0
            continue
        out[row] = -value if _short(block, start + 4) == 0x4000 else value
        valid[row] = True


@part
def _short(block: Any, i: int) -> int:
    value: int = _int(block[i]) * 256 + _int(block[i + 1])
    return value - 65536 if value >= 32768 else value


def _numeric(type_: SqlType) -> Converter:
    import pyarrow as pa

    precision, scale = type_.precision or 18, type_.scale or 0
    arrow_type = pa.decimal64(precision, scale)

    def convert(fields: Fields, number: int) -> Values:
        n = fields.rows
        out, valid = np.empty(n, np.int64), np.empty(n, np.bool_)
        decimals(
            fields.block, fields.starts[number, :n], fields.ends[number, :n], number, precision, scale,
            out, valid, fields.kinds[:n], fields.details[:n],
        )  # fmt: skip
        return Values(arrow_type, out, valid)

    return Converter(convert, arrow_type)


# One by one


def _listed(make: Callable[[bytes], Any], arrow_type: pa.DataType) -> Converter:
    """make : raises ValueError or struct.error for what is malformed, OverflowError for what is too large"""

    def convert(fields: Fields, number: int) -> ListedValues:
        data: list[Any] = [None] * fields.rows
        valid = np.zeros(fields.rows, np.bool_)
        wanted = (fields.kinds[: fields.rows] == 0) & (fields.starts[number, : fields.rows] >= 0)
        for row in np.flatnonzero(wanted).tolist():
            try:
                data[row] = make(fields.text(number, row))
                valid[row] = True
            except (ValueError, struct.error):
                fields.mark(number, row, Kind.HEX)
            except OverflowError:
                fields.mark(number, row, Kind.OVERFLOW)
        return ListedValues(arrow_type, data, valid)

    return Converter(convert, arrow_type)


def _wide_numeric(type_: SqlType) -> Converter:
    precision, scale = type_.precision or 38, type_.scale or 0
    unit, limit = Decimal(1).scaleb(-scale), Decimal(10) ** (precision - scale)

    def make(data: bytes) -> Decimal:
        count, weight, sign, _ = struct.unpack_from(">hhHh", data)
        groups = struct.unpack(f">{count}h", data[8:])
        if sign not in (0, 0x4000) or any(not 0 <= group <= 9999 for group in groups):
            raise ValueError("not a finite number")
        if weight > 10 and any(groups):
            raise OverflowError
        digits = int("".join(f"{group:04}" for group in groups) or "0")
        value = Decimal(digits).scaleb(4 * (weight + 1 - count), _EXACT)
        try:
            value = value.quantize(unit, context=_EXACT)
        except InvalidOperation as error:
            raise OverflowError from error
        if value >= limit:
            raise OverflowError
        return -value if sign else value

    return _listed(make, type_.arrow_type)


_EXACT = Context(prec=300_000, rounding=ROUND_HALF_UP)


def _varbyte(type_: SqlType) -> Converter:
    import pyarrow as pa

    limit = type_.length or 0

    def make(data: bytes) -> bytes:
        if len(data) > limit:
            raise OverflowError
        return data

    return _listed(make, pa.binary())


def _timetz(_: SqlType) -> Converter:
    """Microseconds since midnight, and seconds west of UTC; to text, which the engine reads."""
    import pyarrow as pa

    def make(data: bytes) -> str:
        microseconds, west_s = struct.unpack(">qi", data)
        if not 0 <= microseconds < DAY_US or abs(west_s) >= 57_600:
            raise ValueError("not a time of day")
        zone = timezone(timedelta(seconds=-west_s))
        moment = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        return moment.replace(tzinfo=zone).timetz().isoformat()

    return _listed(make, pa.string())


_LISTED: dict[str, Callable[[SqlType], Converter]] = {
    "numeric": _wide_numeric, "varbyte": _varbyte, "timetz": _timetz,
}  # fmt: skip
