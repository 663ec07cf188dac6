"""One value to the bytes of a DataRow, in the text and in the binary format, for every type.

Binary forms are PostgreSQL's; Redshift's drivers get numeric and interval in their own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from restframe import errors
from restframe.pgwire import oids
from restframe.storage.writing import texts
from restframe.types import SqlType
from restframe.warehouse.variables import Variables

Writer: TypeAlias = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Style:
    """What settings of the session change about texts.

    time_zone : the session's TIMEZONE, in which a timestamptz is printed
    extra_float_digits : as set; from 0 on, floats are the shortest text that reads back as the same number
    """

    time_zone: str = "UTC"
    extra_float_digits: int = 0


PLAIN = Style()


def style_of(variables: Variables) -> Style:
    return Style(variables["timezone"], int(variables["extra_float_digits"]))


_EPOCH_DAYS, EPOCH_US = 10_957, 946_684_800_000_000  # 2000-01-01 after 1970-01-01
_INT16, _INT32, _INT64 = struct.Struct(">h").pack, struct.Struct(">i").pack, struct.Struct(">q").pack


def writer(type_: SqlType, binary: bool, redshift: bool, style: Style = PLAIN) -> Writer:
    """What makes bytes of a value that is not NULL, given as `texts.raw` reads it.

    The writer raises InvalidDatetime for a time, and NumericValueOutOfRange for a number, that the form cannot hold.
    """
    if type_.element is not None:
        first = 1 if type_.name == "array" else 0
        if first == 0 and not binary:
            return lambda values: " ".join(map(str, values)).encode()
        return _array_writer(type_.element, first, binary, redshift, style)
    if not binary:
        return _text_writer(type_, redshift, style)
    if redshift and type_.name == "numeric":
        return _scaled(type_.precision or 38, type_.scale or 0)
    if redshift and type_.name == "interval":
        return _interval_of_redshift
    return _BINARY.get(type_.name, str.encode)


# Text


def _text_writer(type_: SqlType, redshift: bool, style: Style) -> Writer:
    match type_.name:
        case "float8" | "float4":
            return _float_text(texts.float8 if type_.name == "float8" else texts.float4, style.extra_float_digits)
        case "timestamptz":
            return lambda value: texts.timestamptz(value, style.time_zone).encode()
        case "varbyte":
            return (lambda value: value.hex().encode()) if redshift else (lambda value: b"\\x" + value.hex().encode())
    return _TEXT.get(type_.name, str.encode)


def _float_text(text: Callable[[float, int], str], extra_digits: int) -> Writer:
    return lambda value: text(value, extra_digits).encode()


_TEXT: dict[str, Writer] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), lambda value: b"%d" % value),
    "bool": lambda value: b"t" if value else b"f",
    "numeric": lambda value: texts.numeric(value).encode(),
    "date": lambda value: texts.date(value).encode(),
    "time": lambda value: texts.clock(value).encode(),
    "timetz": lambda value: texts.clock(value).encode() + b"+00",
    "timestamp": lambda value: texts.timestamp(value).encode(),
    "interval": lambda value: texts.interval(value).encode(),
}


# Binary


def _date(days: int) -> bytes:
    if abs(days) >= texts.INFINITE_DAYS:
        return b"\x7f\xff\xff\xff" if days > 0 else b"\x80\0\0\0"
    return _INT32(days - _EPOCH_DAYS)


def _timestamp(microseconds: int) -> bytes:
    if abs(microseconds) >= texts.INFINITE_US:
        return b"\x7f" + b"\xff" * 7 if microseconds > 0 else b"\x80" + b"\0" * 7
    try:
        return _INT64(microseconds - EPOCH_US)
    except struct.error as error:
        raise out_of_range() from error


def out_of_range() -> errors.InvalidDatetime:
    return errors.InvalidDatetime("timestamp out of range", hint="Cast the column to varchar.")


def _interval(value: Sequence[int]) -> bytes:
    return struct.pack(">qii", _microseconds(value), value[1], value[0])


def _interval_of_redshift(value: Sequence[int]) -> bytes:
    """Microseconds, days and months, as the Python driver unpacks them; days that do not fit become microseconds."""
    months, days, _ = value
    try:
        return struct.pack(">qhh", _microseconds(value), days, months)
    except struct.error:
        return struct.pack(">qi", _microseconds(value) + days * texts.DAY_US, months)


def _microseconds(value: Sequence[int]) -> int:
    return value[2] // 1000 if value[2] >= 0 else -(-value[2] // 1000)


def _oid(value: int) -> bytes:
    try:
        return struct.pack(">I", value)
    except struct.error as error:
        raise errors.NumericValueOutOfRange("OID out of range") from error


def numeric(value: Decimal) -> bytes:
    """PostgreSQL's form: how many digits to the base 10,000, the weight of the first, sign, decimals, the digits."""
    sign, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int):
        return struct.pack(">hhHh", 0, 0, 0xC000, 0)
    scale = max(-exponent, 0)
    whole = int("".join(map(str, digits)) or "0") * 10 ** max(exponent, 0)
    whole *= 10 ** (-scale % 4)  # groups of 4 digits are counted from the decimal point
    groups: list[int] = []
    while whole:
        whole, group = divmod(whole, 10_000)
        groups.append(group)
    weight = len(groups) - 1 - (scale + 3) // 4
    groups.reverse()
    while groups and groups[-1] == 0:
        groups.pop()
    if not groups:
        return struct.pack(">hhHh", 0, 0, 0, scale)
    return struct.pack(f">hhHh{len(groups)}h", len(groups), weight, 0x4000 if sign else 0, scale, *groups)


def _scaled(precision: int, scale: int) -> Writer:
    """Redshift's form: the number without its point in 8 bytes, or in 16 from 19 digits on."""
    size = 8 if precision <= 18 else 16
    return lambda value: int(value.scaleb(scale, _EXACT)).to_bytes(size, "big", signed=True)


def _exact() -> Any:
    from decimal import Context

    return Context(prec=80)


_EXACT = _exact()
_BINARY: dict[str, Writer] = {
    "int2": _INT16,
    "int4": _INT32,
    "int8": _INT64,
    "oid": _oid,
    "float4": struct.Struct(">f").pack,
    "float8": struct.Struct(">d").pack,
    "bool": lambda value: b"\x01" if value else b"\0",
    "numeric": numeric,
    "date": _date,
    "time": _INT64,
    "timetz": lambda value: _INT64(value) + b"\0\0\0\0",
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "interval": _interval,
    "varbyte": bytes,
}


# Arrays


def _array_writer(element: SqlType, first: int, binary: bool, redshift: bool, style: Style) -> Writer:
    of_one = writer(element, binary, redshift, style)
    if not binary:
        return lambda values: texts.array([None if v is None else of_one(v).decode() for v in values]).encode()
    oid = oids.wire(element, redshift)[0]

    def array(values: Sequence[Any]) -> bytes:
        """Dimensions, whether there are NULLs, the elements' type; per dimension its length and first number."""
        if not values:
            return struct.pack(">iii", 0, 0, oid)
        out = [struct.pack(">iiiii", 1, None in values, oid, len(values), first)]
        for value in values:
            data = None if value is None else of_one(value)
            out.append(b"\xff\xff\xff\xff" if data is None else _INT32(len(data)) + data)
        return b"".join(out)

    return array
