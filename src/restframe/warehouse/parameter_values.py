"""Values for the parameters of prepared statements, as the engine takes them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from decimal import Decimal, InvalidOperation
from typing import Any

from restframe import errors
from restframe.engine import Connection, Parameters
from restframe.sql import interval_text
from restframe.types import SqlType, read_boolean


def read_values(values: Sequence[Any], types: Sequence[SqlType], connection: Connection) -> list[Any]:
    """The values as ones of these types. A text that stands for another type's value is read as that type's input.

    ProtocolViolation for too many or too few; InvalidTextRepresentation, InvalidDatetime and NumericValueOutOfRange
    for a value that is none of its type.
    """
    if len(values) != len(types):
        raise errors.ProtocolViolation(
            f"bind message supplies {len(values)} parameters, but prepared statement requires {len(types)}"
        )
    return [_read(value, type_, connection) for value, type_ in zip(values, types, strict=True)]


def _read(value: Any, type_: SqlType, connection: Connection) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return _of_text(value, type_, connection)
    if type_.is_integer:
        return _in_range(value, type_)
    if type_.name == "numeric":
        return _finite(value)
    if isinstance(value, time):
        return _with_zone_as_text(value)
    if type_.name == "interval" and isinstance(value, tuple):
        months, days, nanoseconds = value  # as Arrow has them
        return f"{months} months {days} days {nanoseconds // 1000} microseconds"
    if type_.element is not None:
        return [_read(one, type_.element, connection) for one in value]
    return value


def engine_values(parameters: Parameters) -> Parameters:
    """Python values as the engine takes them."""
    if isinstance(parameters, Mapping):
        return {name: _with_zone_as_text(value) for name, value in parameters.items()}
    return [_with_zone_as_text(value) for value in parameters]


def _with_zone_as_text(value: Any) -> Any:
    """The engine's interface to Python knows no times of day west of Greenwich."""
    return value.isoformat() if isinstance(value, time) and value.tzinfo is not None else value


def _in_range(value: Any, type_: SqlType) -> Any:
    bits = _BITS[type_.name]
    if not -(1 << bits) <= value < 1 << bits:
        raise errors.NumericValueOutOfRange(f'value "{str(value)[:100]}" is out of range for type {type_}')
    return value


_BITS = {"int2": 15, "int4": 31, "int8": 63, "oid": 32}


def _finite(value: Any) -> Any:
    if isinstance(value, Decimal) and not value.is_finite():
        raise _invalid(str(value), "numeric")
    if (value.copy_abs() if isinstance(value, Decimal) else abs(value)) >= _TOO_LARGE:  # abs() would round
        raise errors.NumericValueOutOfRange("a parameter has more than 38 digits")
    return value


_TOO_LARGE = 10**38


# Texts


def _of_text(text: str, type_: SqlType, connection: Connection) -> Any:
    if "\0" in text:
        raise errors.CharacterNotInRepertoire('invalid byte sequence for encoding "UTF8": 0x00')
    if type_.name in _TIMES:
        return text if _ISO.fullmatch(text) else _spelled_out(text, type_, connection)
    if type_.element is not None:
        raise errors.InvalidTextRepresentation(f'malformed array literal: "{text[:100]}"')
    reader = _READERS.get(type_.name)
    return text if reader is None else reader(text, type_)


def _whole(text: str, type_: SqlType) -> int:
    if not _WHOLE.fullmatch(text):
        raise _invalid(text, str(type_))
    return int(_in_range(int(text), type_))


def _number(text: str, type_: SqlType) -> float:
    try:
        return float(text.replace("_", "x"))  # Python lets digits be parted
    except ValueError as error:
        raise _invalid(text, str(type_)) from error


def _decimal(text: str, type_: SqlType) -> Any:
    try:
        return _finite(Decimal(text.strip().replace("_", "x")))
    except InvalidOperation as error:
        raise _invalid(text, "numeric") from error


def _boolean(text: str, type_: SqlType) -> bool:
    truth = read_boolean(text)
    if truth is None:
        raise _invalid(text, "boolean")
    return truth


_WHOLE = re.compile(r"\s*[-+]?[0-9]{1,40}\s*")

_READERS: dict[str, Callable[[str, SqlType], Any]] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), _whole),
    **dict.fromkeys(("float4", "float8"), _number),
    "numeric": _decimal,
    "bool": _boolean,
    "interval": lambda text, type_: interval_text(text),
    "varbyte": lambda text, type_: text.encode(),
}


def _invalid(text: str, type_name: str) -> errors.InvalidTextRepresentation:
    return errors.InvalidTextRepresentation(f'invalid input syntax for type {type_name}: "{text[:100]}"')


# Dates and times are written in many ways, which the engine's functions know; what it reads itself stays as it is.
_ISO = re.compile(
    r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?(?:(?:(?<=.)[ T]|(?<!.))[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)?"
    r"(?:[-+][0-9]{2}(?::?[0-9]{2})?|Z)?(?<=.)"
)
_TIMES = {
    "date": "SELECT CAST(CAST(_restframe.timestamp($1) AS DATE) AS VARCHAR)",
    "timestamp": "SELECT CAST(_restframe.timestamp($1) AS VARCHAR)",
    "timestamptz": "SELECT CAST(_restframe.timestamptz($1) AS VARCHAR)",
    "time": "SELECT CAST(_restframe.time($1) AS VARCHAR)",
    "timetz": "SELECT CAST(_restframe.timetz($1) AS VARCHAR)",
}


def _spelled_out(text: str, type_: SqlType, connection: Connection) -> str:
    return str(connection.run(_TIMES[type_.name], [text])[0][0])
