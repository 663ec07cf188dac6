"""One value as PostgreSQL writes it, in text and in the binary format, for every type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from restframe import errors
from restframe.storage.writing import texts
from restframe.types import SqlType

# Makes bytes of a value that is not NULL, as a reader of `texts` gives it.
Writer: TypeAlias = Callable[[Any], bytes]


@dataclass(frozen=True, slots=True)
class Style:
    """What settings of the session change about texts.

    zone : the session's TIMEZONE, in which a timestamptz is printed
    extra_float_digits : as set; from 0 on, floats are the shortest text that reads back as the same number
    """

    zone: str = "UTC"
    extra_float_digits: int = 0


PLAIN = Style()


# Text


def text_writer(type_: SqlType, style: Style = PLAIN, hex_prefix: bytes = b"\\x") -> Writer:
    """hex_prefix : before the digits of a varbyte"""
    zone, extra_digits = style.zone, style.extra_float_digits
    match type_.name:
        case "float8":
            return lambda value: texts.float8(value, extra_digits).encode()
        case "float4":
            return lambda value: texts.float4(value, extra_digits).encode()
        case "timestamptz":
            return lambda value: texts.timestamptz(value, zone).encode()
        case "varbyte":
            return lambda value: hex_prefix + value.hex().encode()
    if type_.element is None:
        return _TEXT.get(type_.name, str.encode)
    of_one = text_writer(type_.element, style, hex_prefix)
    if type_.name != "array":
        return lambda values: b" ".join(map(of_one, values))
    return lambda values: texts.array([None if value is None else of_one(value).decode() for value in values]).encode()


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


def binary_writer(type_: SqlType, element_oid: int | None = None) -> Writer:
    """The writer raises InvalidDatetime for a time, and NumericValueOutOfRange for a number, that do not fit.

    element_oid : of an array's elements; without it arrays are a NotSupportedError
    """
    if type_.element is None:
        return _BINARY.get(type_.name, str.encode)
    if element_oid is None:
        raise errors.NotSupportedError(f"type {type_} has no binary form here", hint="Use text.")
    return _array_writer(binary_writer(type_.element), element_oid, 1 if type_.name == "array" else 0)


_INT16, _INT32, _INT64 = struct.Struct(">h").pack, struct.Struct(">i").pack, struct.Struct(">q").pack


def _date(days: int) -> bytes:
    if abs(days) >= texts.INFINITE_DAYS:
        return b"\x7f\xff\xff\xff" if days > 0 else b"\x80\0\0\0"
    return _INT32(days - texts.EPOCH_DAYS)


def _timestamp(microseconds: int) -> bytes:
    if abs(microseconds) >= texts.INFINITE_US:
        return b"\x7f" + b"\xff" * 7 if microseconds > 0 else b"\x80" + b"\0" * 7
    try:
        return _INT64(microseconds - texts.EPOCH_US)
    except struct.error as error:
        raise errors.InvalidDatetime("timestamp out of range", hint="Cast the column to varchar.") from error


def _interval(value: Sequence[int]) -> bytes:
    return struct.pack(">qii", microseconds(value), value[1], value[0])


def microseconds(value: Sequence[int]) -> int:
    """Of an interval's nanoseconds, towards zero."""
    return value[2] // 1000 if value[2] >= 0 else -(-value[2] // 1000)


def _oid(value: int) -> bytes:
    try:
        return struct.pack(">I", value)
    except struct.error as error:
        raise errors.NumericValueOutOfRange("OID out of range") from error


def _numeric(value: Decimal) -> bytes:
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


_BINARY: dict[str, Writer] = {
    "int2": _INT16,
    "int4": _INT32,
    "int8": _INT64,
    "oid": _oid,
    "float4": struct.Struct(">f").pack,
    "float8": struct.Struct(">d").pack,
    "bool": lambda value: b"\x01" if value else b"\0",
    "numeric": _numeric,
    "date": _date,
    "time": _INT64,
    "timetz": lambda value: _INT64(value) + b"\0\0\0\0",
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "interval": _interval,
    "varbyte": bytes,
}


# Arrays


def _array_writer(of_one: Writer, oid: int, first: int) -> Writer:
    def write(values: Sequence[Any]) -> bytes:
        """Dimensions, whether there are NULLs, the elements' type; per dimension its length and first number."""
        if not values:
            return struct.pack(">iii", 0, 0, oid)
        out = [struct.pack(">iiiii", 1, None in values, oid, len(values), first)]
        for value in values:
            data = None if value is None else of_one(value)
            out.append(b"\xff\xff\xff\xff" if data is None else _INT32(len(data)) + data)
        return b"".join(out)

    return write
