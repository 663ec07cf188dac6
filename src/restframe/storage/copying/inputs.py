"""Texts to values as PostgreSQL reads them: a column's kernel first, then one by one what the kernel does not know."""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.storage.copying.lines import Wrong
from restframe.storage.loading.columns import Conversion, Converter, Values, converter
from restframe.storage.loading.faults import Kind, utf8_error
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.json import NO_NULL_STRING
from restframe.storage.loading.listed import ListedValues
from restframe.storage.writing import texts
from restframe.types import SqlType, read_boolean

_CONVERSION = Conversion(null=NO_NULL_STRING, round_decimals=True, date_format="auto", time_format="auto")
_SHOWN = 100
_FIRST_OF_RECORDS = min(Wrong)


def input_of(column: Column, zone: str = "UTC") -> Converter:
    """The converter of a column. The fields that are NULL must start at records.NULL; it marks the rows it refuses.

    zone : the time zone of timestamps that name none, in a column of those that have one
    """
    import pyarrow as pa

    if column.type.name == "interval":  # the engine reads it
        text = Column(column.name, SqlType("varchar", length=0), column.not_null)
        return Converter(converter(text, _CONVERSION).convert, pa.string_view())
    made = converter(column, _CONVERSION)

    def convert(fields: Fields, number: int) -> Values | ListedValues:
        nulls = fields.starts[number, : fields.rows] < 0
        values = made.convert(fields, number)
        if column.type.name == "timestamptz" and zone != "UTC":
            _move_to_utc(fields, number, values, zone)
        suspects = _suspects(fields, number, values, nulls)
        if not len(suspects):
            return values
        if column.type.is_text:
            return _without_blanks(column, made, fields, number, suspects) or values
        for row in suspects.tolist():
            _read_again(column.type, fields, number, row, values)
        return values

    return Converter(convert, made.type, made.form)


def _move_to_utc(fields: Fields, number: int, values: Values | ListedValues, zone: str) -> None:
    for row in np.flatnonzero(values.valid).tolist():
        if not _NAMES_A_ZONE.search(fields.text(number, row)):
            local_us = int(values.data[row])
            earlier_us = local_us - texts.offset_s(local_us, zone) * 1_000_000
            values.data[row] = local_us - texts.offset_s(earlier_us, zone) * 1_000_000


_NAMES_A_ZONE = re.compile(rb":\d\d(?:\.\d*)?\s*(?:[+-]\d|[zZ]|[A-Za-z]{3})")


def _suspects(fields: Fields, number: int, values: Values | ListedValues, nulls: Any) -> npt.NDArray[np.int64]:
    """The rows without a value that are not NULL. Blanks are nothing to Redshift's COPY, and wrong here."""
    kinds, details = fields.kinds[: fields.rows], fields.details[: fields.rows]
    refused_here = (kinds < _FIRST_OF_RECORDS) & (details[:, 0] == number)
    return np.flatnonzero(~nulls & ~np.asarray(values.valid) & ((kinds == 0) | refused_here))


def _without_blanks(
    column: Column, made: Converter, fields: Fields, number: int, rows: npt.NDArray[np.int64]
) -> Values | ListedValues | None:
    """Read texts again whose excess is blanks, which are cut off; None when there are none."""
    limit = column.type.length or 0
    cut = False
    for row in rows.tolist():
        text = fields.text(number, row)
        if fields.kinds[row] == Kind.STRING_TOO_LONG and not text[limit:].strip(b" "):
            fields.ends[number, row] = fields.starts[number, row] + limit
            fields.kinds[row] = 0
            cut = True
        elif fields.kinds[row] == 0:  # the one text that the kernel takes for NULL, which is not UTF-8
            fields.mark(number, row, Kind.UTF8)
    return made.convert(fields, number) if cut else None


def _read_again(type_: SqlType, fields: Fields, number: int, row: int, values: Values | ListedValues) -> None:
    """Another look at one value, at leisure."""
    text = fields.text(number, row)
    read = _READ_AGAIN.get(type_.name)
    value = None if read is None else read(text.decode("latin-1").strip(), type_)
    if value is None:
        if fields.kinds[row] == 0:
            fields.mark(number, row, Kind.TIMESTAMP if type_.name in _OF_TIME else Kind.DIGIT)
        return
    values.data[row] = value
    values.valid[row] = True
    fields.kinds[row] = 0


_OF_TIME = ("date", "time", "timetz", "timestamp", "timestamptz")

_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,5})?")


def _numeric(text: str, type_: SqlType) -> Any:
    """A number with an exponent, or with its last digit before a point: in units of the scale when it is short."""
    precision, scale = type_.precision or 18, type_.scale or 0
    if not _NUMBER.fullmatch(text):
        return None
    value = Decimal(text)
    if value.adjusted() >= precision - scale and value:
        return None
    try:
        value = value.quantize(Decimal(1).scaleb(-scale), context=_ROUNDING)
    except InvalidOperation:
        return None
    if value.copy_abs() >= Decimal(10) ** (precision - scale):
        return None
    return int(value.scaleb(scale, context=_ROUNDING)) if precision <= 18 else value


_ROUNDING = Context(prec=1000, rounding=ROUND_HALF_UP, Emax=100_000, Emin=-100_000)


def _float(text: str, _: SqlType) -> float | None:
    """A number with nothing behind its point."""
    return float(text) if _NUMBER.fullmatch(text) and np.isfinite(float(text)) else None


def _bytes(text: str, type_: SqlType) -> bytes | None:
    """Nothing, or PostgreSQL's hexadecimal form of bytea."""
    try:
        value = unhexlify(_HEX_PREFIX.sub("", text))
    except ValueError:
        return None
    return value if len(value) <= (type_.length or 0) else None


# libpq doubles the backslash where standard_conforming_strings is off.
_HEX_PREFIX = re.compile(r"\A\\{1,2}x")

_READ_AGAIN: dict[str, Callable[[str, SqlType], Any]] = {
    "bool": lambda text, type_: read_boolean(text),
    "numeric": _numeric, "float4": _float, "float8": _float, "varbyte": _bytes,
}  # fmt: skip


# What is wrong


def value_error(column: Column, kind: int, text: bytes, at: int, table: str) -> errors.Error:
    """The error of a value that was refused, in PostgreSQL's words.

    at : offset of what is wrong in the text
    """
    type_, shown = column.type, text[:_SHOWN].decode("utf-8", "replace")
    name = "timestamp" if type_.name == "timestamp" else str(SqlType(type_.name))
    match kind:
        case Kind.UTF8:
            return not_utf8(text, at)
        case Kind.MULTIBYTE_CHAR:
            return errors.CharacterNotInRepertoire(
                f"multibyte character not supported for type {type_}", hint="Use varchar for it."
            )
        case Kind.STRING_TOO_LONG:
            return errors.StringDataRightTruncation(f"value too long for type {type_}")
        case Kind.NOT_NULL:
            return errors.NotNullViolation(
                f'null value in column "{column.name}" of relation "{table}" violates not-null constraint'
            )
        case Kind.DATE | Kind.TIMESTAMP | Kind.TIME:
            if _DATE.match(text):
                return errors.InvalidDatetime(f'date/time field value out of range: "{shown}"')
            return errors.InvalidDatetime(f'invalid input syntax for type {name}: "{shown}"')
        case Kind.OVERFLOW | Kind.DIGIT if type_.name == "numeric" and _NUMBER.fullmatch(shown.strip()):
            return numeric_overflow(type_)
        case Kind.OVERFLOW if type_.is_integer:
            return errors.NumericValueOutOfRange(f'value "{shown}" is out of range for type {name}')
        case Kind.OVERFLOW:
            return errors.NumericValueOutOfRange(f'"{shown}" is out of range for type {name}')
        case _:
            return errors.InvalidTextRepresentation(f'invalid input syntax for type {name}: "{shown}"')


_DATE = re.compile(rb"\s*(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}:\d{2})(?:[ T:.\d]*)(?:[+-][\d:]+|Z)?\s*$")


def numeric_overflow(type_: SqlType) -> errors.NumericValueOutOfRange:
    precision, scale = type_.precision or 18, type_.scale or 0
    return errors.NumericValueOutOfRange(
        "numeric field overflow",
        detail=f"A field with precision {precision}, scale {scale} must round to an absolute value less than "
        f"10^{precision - scale}.",
    )


def not_utf8(data: bytes, at: int) -> errors.CharacterNotInRepertoire:
    sequence = data[at : at + utf8_error(data, at)[1]]
    shown = " ".join(f"0x{byte:02x}" for byte in sequence)
    return errors.CharacterNotInRepertoire(f'invalid byte sequence for encoding "UTF8": {shown}')
