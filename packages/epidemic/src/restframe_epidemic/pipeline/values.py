"""Texts and numbers of a raw file into the types that a source declares, a whole column at once."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restframe_epidemic.sources.source import Column

BoolArray = NDArray[np.bool_]

TRUE = ("1", "t", "T", "true", "True", "TRUE", "y", "Y", "yes", "Yes")
FALSE = ("0", "f", "F", "false", "False", "FALSE", "n", "N", "no", "No")
_WIDTHS = {"bigint": pa.int64(), "int": pa.int32(), "smallint": pa.int16()}
_NUMBERS = (*_WIDTHS, "float8", "decimal")
_WHOLE = r"^[+-]?\d{1,18}(\.0*)?$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_NOT_FINITE = r"^[+-]?(nan|NaN|NAN|inf|Inf|INF|Infinity|infinity)$"
_EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()
_LAST_ORDINAL = datetime.date.max.toordinal()


def arrow_type(column: Column) -> pa.DataType:
    """Of a column's Parquet in the lake."""
    if column.kind in _WIDTHS:
        return _WIDTHS[column.kind]
    if column.kind == "decimal":
        return pa.decimal128(*column.size)
    return {"varchar": pa.string(), "float8": pa.float64(), "date": pa.date32(), "boolean": pa.bool_()}[column.kind]


def is_direct(column: Column) -> bool:
    """Whether Arrow's own reader of delimited text understands the column as it is declared."""
    return not column.format and not column.digits and (column.decimal == "." or column.kind not in _NUMBERS)


def typed(column: Column, values: pa.Array) -> tuple[pa.Array, BoolArray]:
    """A column in its declared type, and which of its values could not be read as that; these are NULL, as NaN is.
    Nothing is infinite: such a number is too large for its column.

    values : as the file has them: texts, bytes that may not be UTF-8, or Parquet's own types
    """
    target = arrow_type(column)
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        values, unreadable = _decoded(values)
    else:
        unreadable = np.zeros(len(values), dtype=bool)
    if not _is_text(values.type):
        if is_direct(column):
            try:
                return _finite(values.cast(target), unreadable)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # then value by value
                pass
        values = values.cast(pa.string())
    values = values.cast(pa.string())
    if column.kind == "varchar" and not column.digits:
        return values, unreadable
    trimmed = pc.utf8_trim_whitespace(values)
    if column.decimal != "." and column.kind in _NUMBERS:
        # there, a point would stand between thousands: 1.234 is not read as a little more than one
        trimmed = pc.replace_substring(
            _where(pc.invert(pc.match_substring(trimmed, ".")), trimmed), column.decimal, "."
        )
    result = _READERS[column.kind](column, trimmed)
    bad = _mask(pc.and_(pc.is_null(result), pc.is_valid(values))) | unreadable
    return _finite(result.cast(target), bad)


def _finite(values: pa.Array, bad: BoolArray) -> tuple[pa.Array, BoolArray]:
    """NULL in place of NaN and of the infinite, which is bad."""
    if not pa.types.is_floating(values.type):
        return values, bad
    return _where(pc.is_finite(values), values), bad | _mask(pc.is_inf(values))


def _decoded(values: pa.Array) -> tuple[pa.Array, BoolArray]:
    """Texts; bytes that are no UTF-8 have their damage replaced and are told of."""
    try:
        return values.cast(pa.string()), np.zeros(len(values), dtype=bool)
    except pa.ArrowInvalid:
        texts = [None if value is None else value.decode(errors="replace") for value in values.to_pylist()]
        bad = [text is not None and "\ufffd" in text for text in texts]
        return pa.array(texts, pa.string()), np.array(bad, dtype=bool)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _mask(values: pa.Array) -> BoolArray:
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=bool)


def _where(condition: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(condition, values, pa.scalar(None, values.type))


def _whole(values: pa.Array) -> pa.Array:
    """Whole numbers, also when written with a decimal point; NULL for others."""
    matching = _where(pc.match_substring_regex(values, _WHOLE), values)
    return pc.replace_substring_regex(matching, r"^\+|\.0*$", "").cast(pa.int64())


def _read_whole(column: Column, values: pa.Array) -> pa.Array:
    numbers = _whole(values)
    limits = np.iinfo(_WIDTHS[column.kind].to_pandas_dtype())
    inside = pc.and_(pc.greater_equal(numbers, int(limits.min)), pc.less_equal(numbers, int(limits.max)))
    return _where(inside, numbers)


def _read_number(column: Column, values: pa.Array) -> pa.Array:
    readable = pc.or_(pc.match_substring_regex(values, _NUMBER), pc.match_substring_regex(values, _NOT_FINITE))
    return pc.replace_substring_regex(_where(readable, values), r"^\+", "").cast(pa.float64())


def _read_decimal(column: Column, values: pa.Array) -> pa.Array:
    precision, scale = column.size
    numbers = pc.round(_where(pc.match_substring_regex(values, _NUMBER), values).cast(pa.float64()), scale)
    inside = pc.less(pc.abs(numbers), 10.0 ** (precision - scale) - 0.5 * 10.0**-scale)
    return _where(inside, numbers).cast(pa.decimal128(precision, scale))


def _read_date(column: Column, values: pa.Array) -> pa.Array:
    encoded = values.dictionary_encode()  # dates are few, and slow to read
    return _dates(column, encoded.dictionary).take(encoded.indices)


def _dates(column: Column, values: pa.Array) -> pa.Array:
    if column.format == "ordinal":
        numbers = _whole(values)
        inside = pc.and_(pc.greater_equal(numbers, 1), pc.less_equal(numbers, _LAST_ORDINAL))
        return pc.subtract(_where(inside, numbers), _EPOCH_ORDINAL).cast(pa.int32()).cast(pa.date32())
    if not column.format:
        values = _where(pc.match_substring_regex(values, r"^\d{4}-\d{2}-\d{2}$"), values)
    dates = _as_written(column.format or "%Y-%m-%d", values)
    if "%y" in column.format:  # publishers go over from years of four digits to years of two
        dates = pc.coalesce(dates, _as_written(column.format.replace("%y", "%Y"), values))
    return dates


def _as_written(form: str, values: pa.Array) -> pa.Array:
    moments = pc.strptime(values, format=form, unit="s", error_is_null=True)
    # the 30th of February has become the 1st of March: then it does not read as it was written
    again = pc.equal(_unpadded(pc.strftime(moments, format=form)), _unpadded(values))
    return _where(again, moments.cast(pa.date32()))


def _unpadded(dates: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(pc.utf8_lower(dates), r"\b0+(\d)", r"\1")


def _read_boolean(column: Column, values: pa.Array) -> pa.Array:
    true = pc.is_in(values, pa.array(TRUE))
    return _where(pc.or_(true, pc.is_in(values, pa.array(FALSE))), true)


def _read_code(column: Column, values: pa.Array) -> pa.Array:
    plain = pc.replace_substring_regex(values, r"\.0*$", "")
    plain = _where(pc.match_substring_regex(plain, rf"^\d{{1,{column.digits}}}$"), plain)
    return pc.utf8_lpad(plain, column.digits, "0")


_READERS: dict[str, Any] = {
    "bigint": _read_whole,
    "int": _read_whole,
    "smallint": _read_whole,
    "float8": _read_number,
    "decimal": _read_decimal,
    "date": _read_date,
    "boolean": _read_boolean,
    "varchar": _read_code,
}
