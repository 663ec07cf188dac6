"""What can be wrong with a line of data: Redshift's error codes and words, and the record of one such line.

https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from restframe.types import SqlType

MAX_LINE_BYTES = 4 << 20  # Redshift's limit for one row
_SHOWN = 1024  # characters of a line or value that are kept


class Kind(IntEnum):
    """Why a row is refused, as the kernels mark it; 0 is a good row."""

    NONE = 0
    NO_DELIMITER = 1
    EXTRA_COLUMNS = 2
    QUOTE = 3
    END_QUOTE = 4
    LINE_TOO_LONG = 5
    NO_NEWLINE = 6
    TOO_FEW_COLUMNS = 7
    DIGIT = 8
    OVERFLOW = 9
    STRING_TOO_LONG = 10
    MULTIBYTE_CHAR = 11
    UTF8 = 12
    BOOLEAN = 13
    DATE = 14
    TIMESTAMP = 15
    NOT_NULL = 16
    NUL = 17
    JSON = 18
    HEX = 19
    JSON_SYNTAX = 20
    JSON_OBJECT = 21
    JSON_PATH = 22
    TIME = 23


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused row, as stl_load_errors shows it.

    line : in its file, from 1; of JSON, the last line of the object
    column : empty when the row as a whole is wrong; type and length are then empty too
    position : bytes from the start of the line to the field
    raw_line, raw_value : at most 1,024 characters, of which those that are not ASCII are shown as periods
    values : the fields up to the wrong one, for stl_loaderror_detail
    """

    line: int
    column: str
    type: str
    length: str
    position: int
    raw_line: str
    raw_value: str
    code: int
    reason: str
    values: tuple[str, ...] = ()


def fault(
    kind: int,
    line: int,
    raw_line: bytes,
    column: tuple[str, SqlType] | None = None,
    raw_value: bytes = b"",
    position: int = 0,
    at: int = 0,
    form: str = "",
    values: tuple[str, ...] = (),
) -> Fault:
    """The fault of a kind.

    at : offset of what is wrong within the value, or within the line for faults of the line
    form : of dates and times, the format that was expected
    """
    name, type_ = column if column is not None else ("", None)
    code, reason = _REASONS[Kind(kind)]
    if kind == Kind.OVERFLOW and type_ is not None and type_.is_integer:
        code = 1222
    if kind == Kind.STRING_TOO_LONG and type_ is not None and type_.name == "bpchar":
        reason = "Char length exceeds DDL length"
    source = raw_line if column is None else raw_value
    reason = reason.format(
        value=_character(source, at), at=at, type=_type_word(type_), range=_range(type_), format=form,
        byte=source[at] if at < len(source) else 0, bytes=_sequence(source, at), error=utf8_error(source, at)[0],
    )  # fmt: skip
    return Fault(
        line,
        name,
        "" if type_ is None else type_.name,
        _length(type_),
        position,
        shown(raw_line),
        shown(raw_value),
        code,
        reason[:100],
        values,
    )


_REASONS = {
    Kind.NO_DELIMITER: (1214, "Delimiter not found"),
    Kind.EXTRA_COLUMNS: (1202, "Extra column(s) found"),
    Kind.QUOTE: (1214, "Invalid quote formatting for CSV"),
    Kind.END_QUOTE: (1214, "Delimited value missing end quote"),
    Kind.LINE_TOO_LONG: (1216, "Input line is longer than 4 MB"),
    Kind.NO_NEWLINE: (1216, "Missing newline: Unexpected character 0x{byte:02x} found at location {at}"),
    Kind.TOO_FEW_COLUMNS: (1203, "Input line is shorter than the fixed width specification"),
    Kind.DIGIT: (1207, "Invalid digit, Value '{value}', Pos {at}, Type: {type}"),
    Kind.OVERFLOW: (1204, "Overflow ({range})"),
    Kind.STRING_TOO_LONG: (1204, "String length exceeds DDL length"),
    Kind.MULTIBYTE_CHAR: (
        1220, "Multibyte character not supported for CHAR (Hint: Try using VARCHAR). Invalid char: {bytes}",
    ),
    Kind.UTF8: (
        1220, "String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {bytes} (error {error})",
    ),
    Kind.BOOLEAN: (1210, "Unknown boolean format"),
    Kind.DATE: (1205, "Invalid date format or value [{format}]"),
    Kind.TIMESTAMP: (1206, "Invalid timestamp format or value [{format}]"),
    Kind.TIME: (1206, "Invalid time format or value [{format}]"),
    Kind.NOT_NULL: (1213, "Missing data for not-null field"),
    Kind.NUL: (1218, "NULL AS '\\0' used with a field of more than one byte"),
    Kind.JSON: (1224, "Invalid JSON for the super data type"),
    Kind.HEX: (1223, "Invalid hexadecimal value"),
    Kind.JSON_SYNTAX: (1216, "Invalid value."),
    Kind.JSON_OBJECT: (1216, "Invalid JSONPath format: Member is not an object."),
    Kind.JSON_PATH: (1216, "Invalid JSONPath format: Not an array or index out of range."),
}  # fmt: skip


def shown(data: bytes) -> str:
    """The beginning of raw data as a system table shows it: one character a byte, a period for what is not ASCII."""
    return "".join(chr(byte) if 32 <= byte < 127 or byte == 9 else "." for byte in data[:_SHOWN])


def utf8_error(data: bytes, at: int) -> tuple[int, int]:
    """Redshift's number for what is wrong with the UTF-8 sequence at an offset, and how many bytes it has.

    https://docs.aws.amazon.com/redshift/latest/dg/multi-byte-character-load-errors.html
    """
    first = data[at] if at < len(data) else 0
    if first < 0xC0 or first > 0xFD:
        return 3, 1
    if first >= 0xF8:
        return 1, 1
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    tail = data[at + 1 : at + size]
    for offset, byte in enumerate(tail):
        if not 0x80 <= byte < 0xC0:
            return 4, offset + 2
    if len(tail) < size - 1:
        return 2, len(tail) + 1
    if first == 0xED and tail[0] >= 0xA0:
        return 5, size
    return (8 if first >= 0xF4 else 9), size


def _sequence(data: bytes, at: int) -> str:
    size = utf8_error(data, at)[1]
    return data[at : at + size].hex(" ")


def _character(data: bytes, at: int) -> str:
    return shown(data[at : at + 1])


def _type_word(type_: SqlType | None) -> str:
    return "" if type_ is None else _TYPE_WORDS.get(type_.name, type_.name)


_TYPE_WORDS = {
    "int2": "Short", "int4": "Integer", "int8": "Long", "numeric": "Decimal", "float4": "Float", "float8": "Double",
}  # fmt: skip


def _range(type_: SqlType | None) -> str:
    if type_ is None or not type_.is_integer:
        return "" if type_ is None else f"valid range of {str(type_).upper()}"
    bits = {"int2": 16, "int4": 32, "int8": 64}[type_.name]
    return f"{_type_word(type_)} valid range {-(1 << bits - 1)} to {(1 << bits - 1) - 1}"


def _length(type_: SqlType | None) -> str:
    """The column's length as stl_load_errors shows it: `10`, `18, 0`; 0 for a type without one."""
    if type_ is None:
        return ""
    if type_.precision is not None:
        return f"{type_.precision}, {type_.scale}"
    return str(type_.length or 0)
