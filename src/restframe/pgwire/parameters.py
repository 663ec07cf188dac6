"""The values of Bind, in the text and in the binary format, as Python values.

A text stays one, which the engine reads as its type's input and refuses in its own words; so do binary dates and times
outside Python's years, as their text. Only arrays are taken apart, and bytea's hexadecimal digits.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, TypeAlias

from restframe import errors
from restframe.pgwire import oids
from restframe.storage.writing import texts
from restframe.types import SqlType

_Reader: TypeAlias = Callable[[bytes], Any]


def decode(type_: SqlType, format_: int, data: bytes, number: int = 1) -> Any:
    """The value of a parameter that is not NULL.

    number : of the parameter, from 1, for errors
    InvalidBinaryRepresentation for binary data that is none of the type; CharacterNotInRepertoire for a text that is
    not UTF-8 or has a NUL; InvalidTextRepresentation for a text that is no array or no hexadecimal digits.
    """
    if not format_:
        return _of_text(type_, _string(data))
    try:
        return _of_binary(type_, data)
    except (struct.error, _Malformed) as error:
        raise errors.InvalidBinaryRepresentation(f"incorrect binary data format in bind parameter {number}") from error


class _Malformed(Exception):
    pass


def _string(data: bytes) -> str:
    try:
        text = bytes(data).decode()
    except UnicodeDecodeError as error:
        wrong = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.start + 4][: error.end - error.start])
        raise errors.CharacterNotInRepertoire(f'invalid byte sequence for encoding "UTF8": {wrong}') from error
    if "\0" in text:
        raise errors.CharacterNotInRepertoire('invalid byte sequence for encoding "UTF8": 0x00')
    return text


# Text


def _of_text(type_: SqlType, text: str) -> Any:
    if type_.element is not None:
        return _array_of_text(type_.element, text)
    if type_.name == "varbyte" and text.startswith(("\\x", "\\\\x")):
        # libpq doubles the backslash, because in our literals it is an escape, and psycopg sends what libpq made
        try:
            return bytes.fromhex(text.lstrip("\\")[1:])
        except ValueError as error:
            raise errors.InvalidTextRepresentation("invalid hexadecimal data in a value of type bytea") from error
    return text


_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BLANKS = " \t\n\v\f\r"
# An element, quoted or not, and what may follow it.
_ELEMENT = re.compile(r'[ \t-\r]*+(?:"((?:[^"\\]|\\.)*+)"[ \t-\r]*+|((?:[^"\\{},]|\\.)++))([,}])', re.DOTALL)


def _array_of_text(element: SqlType, text: str) -> list[Any]:
    """`{1,NULL,"a b"}`, of one dimension."""
    text = text.strip(_BLANKS)
    if not text.startswith("{") or not text.endswith("}"):
        raise _malformed_array(text)
    if not text[1:-1].strip(_BLANKS):
        return []
    values: list[Any] = []
    at, after = 1, ","
    while after == ",":
        match = _ELEMENT.match(text, at)
        if match is None:
            raise _malformed_array(text)
        quoted, bare, after = match.groups()
        at = match.end()
        if bare is not None and bare.rstrip(_BLANKS).lower() == "null":
            values.append(None)
        else:
            given = bare.rstrip(_BLANKS) if quoted is None else quoted
            values.append(_of_text(element, _ESCAPED.sub(r"\1", given)))
    if at != len(text):
        raise _malformed_array(text)
    return values


def _malformed_array(text: str) -> errors.InvalidTextRepresentation:
    return errors.InvalidTextRepresentation(f'malformed array literal: "{text[:100]}"')


# Binary


def _of_binary(type_: SqlType, data: bytes) -> Any:
    if type_.element is not None:
        return _array(type_.element, data)
    return _BINARY.get(type_.name, _string)(data)


def _one(layout: str) -> _Reader:
    unpack = struct.Struct(">" + layout).unpack
    return lambda data: unpack(data)[0]


_INT32, _INT64, _UINT32 = _one("i"), _one("q"), _one("I")


def _boolean(data: bytes) -> bool:
    if len(data) != 1:
        raise _Malformed
    return data != b"\0"


def _super(data: bytes) -> str:
    """JSON; jsonb has a version before its text."""
    return _string(data[1:] if data[:1] == b"\x01" else data)


def _regclass(data: bytes) -> str:
    """An OID, whose digits name the object too."""
    return str(_UINT32(data))


def _numeric(data: bytes) -> Decimal | str:
    count, weight, sign, scale = struct.unpack_from(">hhHH", data)
    if sign == 0xC000:
        return "NaN"
    groups = struct.unpack_from(f">{max(count, 0)}h", data, 8)
    if count < 0 or len(data) != 8 + 2 * count or sign not in (0, 0x4000) or scale > 0x3FFF:
        raise _Malformed
    if not all(0 <= group <= 9999 for group in groups):
        raise _Malformed
    digits = "".join(f"{group:04}" for group in groups)
    places = 4 * (count - 1 - weight)  # decimals that the digits are
    if count and places > scale:
        digits, places = digits[: len(digits) - (places - scale)], scale
    elif places < scale and places > -400:
        digits, places = digits + "0" * (scale - places), scale
    return Decimal(f"{'-' if sign else ''}{digits or 0}E{-places}")


_MIDNIGHT_2000 = datetime(2000, 1, 1)


def _date(data: bytes) -> date | str:
    days = _INT32(data)
    if days in (2**31 - 1, -(2**31)):
        return "infinity" if days > 0 else "-infinity"
    try:
        return (_MIDNIGHT_2000 + timedelta(days=days)).date()
    except OverflowError:
        return texts.date(days + texts.EPOCH_DAYS)


def _timestamp(data: bytes) -> datetime | str:
    microseconds = _INT64(data)
    if microseconds in (2**63 - 1, -(2**63)):
        return "infinity" if microseconds > 0 else "-infinity"
    try:
        return _MIDNIGHT_2000 + timedelta(microseconds=microseconds)
    except OverflowError:
        return texts.timestamp(microseconds + texts.EPOCH_US)


def _timestamptz(data: bytes) -> datetime | str:
    value = _timestamp(data)
    if isinstance(value, str):
        return value if "infinity" in value else texts.timestamp(_INT64(data) + texts.EPOCH_US, "+00")
    return value.replace(tzinfo=UTC)


def _time(data: bytes) -> time | str:
    microseconds = _INT64(data)
    if not 0 <= microseconds <= texts.DAY_US:
        raise _Malformed
    if microseconds == texts.DAY_US:
        return "24:00:00"
    return (_MIDNIGHT_2000 + timedelta(microseconds=microseconds)).time()


def _timetz(data: bytes) -> time | str:
    """With seconds west of Greenwich behind it."""
    if len(data) != 12:
        raise _Malformed
    value, offset_s = _time(data[:8]), -_INT32(data[8:])
    if abs(offset_s) >= 86_400:
        raise _Malformed
    if isinstance(value, str):
        return value + texts.offset_text(offset_s)
    return value.replace(tzinfo=timezone(timedelta(seconds=offset_s)))


def _interval(data: bytes) -> tuple[int, int, int]:
    """Months, days and nanoseconds. PostgreSQL's form and the three of Redshift's drivers differ in length."""
    months = days = microseconds = 0
    if len(data) == 16:
        microseconds, days, months = struct.unpack(">qii", data)
    elif len(data) == 12:
        microseconds, days, months = struct.unpack(">qhh", data)
    elif len(data) == 8:
        microseconds = _INT64(data)
    else:
        months = _INT32(data)
    return months, days, microseconds * 1000


_BINARY: dict[str, _Reader] = {
    "int2": _one("h"),
    "int4": _INT32,
    "int8": _INT64,
    "oid": _UINT32,
    **dict.fromkeys(("regclass", "regtype", "regproc"), _regclass),
    "float4": _one("f"),
    "float8": _one("d"),
    "bool": _boolean,
    "numeric": _numeric,
    "date": _date,
    "time": _time,
    "timetz": _timetz,
    "timestamp": _timestamp,
    "timestamptz": _timestamptz,
    "interval": _interval,
    "super": _super,
    "varbyte": bytes,
}


# Arrays


def _array(element: SqlType, data: bytes) -> list[Any]:
    """Elements are read as the type that the array itself says they have, where it is known."""
    dimensions, _, oid = struct.unpack_from(">iiI", data)
    if dimensions == 0:
        return []
    if dimensions != 1:
        raise _Malformed
    count, _ = struct.unpack_from(">ii", data, 12)
    given = oids.sql_type(oid)
    read = _BINARY.get((element if given is None or given.element else given).name, _string)
    values: list[Any] = []
    at = 20
    if count < 0 or count > len(data) // 4:
        raise _Malformed
    for _ in range(count):
        (length,) = struct.unpack_from(">i", data, at)
        at += 4
        if length < -1 or at + max(length, 0) > len(data):
            raise _Malformed
        values.append(None if length < 0 else read(data[at : at + length]))
        at += max(length, 0)
    if at != len(data):
        raise _Malformed
    return values
