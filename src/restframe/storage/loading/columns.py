"""One column at a time: the fields of a block to an Arrow array, by the column's type and COPY's options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.storage.loading import datetimes, numbers, strings
from restframe.storage.loading.datetimes import AS_DATE, AS_TIME, AS_TIMESTAMP, AUTO, WITH_ZONE, Format
from restframe.storage.loading.faults import Kind
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.listed import RARE, ListedValues, wide_decimals
from restframe.storage.loading.recognition import recognise
from restframe.storage.loading.records import NULL

if TYPE_CHECKING:
    import pyarrow as pa

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Conversion:
    """How COPY turns text into values.

    null : the bytes of a field that is NULL
    replacement : the byte for what is not UTF-8 in VARCHAR columns, -1 to refuse it
    """

    null: bytes = b"\\N"
    empty_as_null: bool = False
    blanks_as_null: bool = False
    trim_blanks: bool = False
    truncate_columns: bool = False
    round_decimals: bool = False
    accept_any_date: bool = False
    replacement: int = -1
    date_format: str | None = None
    time_format: str | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """A column's values before the refused rows are taken out.

    data : a value a row, as Arrow lays them out; booleans as bytes
    heap : what string views point into
    """

    type: pa.DataType
    data: npt.NDArray[Any]
    valid: Flags
    heap: Any = None

    def array(self, keep: Flags | None) -> pa.Array:
        import pyarrow as pa

        data, valid = (self.data, self.valid) if keep is None else (self.data[keep], self.valid[keep])
        bitmap = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
        if data.dtype == np.bool_:
            data = np.packbits(data, bitorder="little")
        buffers = [bitmap, pa.py_buffer(data)]
        if self.heap is not None:
            buffers.append(self.heap)
        return pa.Array.from_buffers(self.type, len(valid), buffers)


Convert = Callable[[Fields, int], Values | ListedValues]


@dataclass(frozen=True, slots=True)
class Converter:
    """
    convert : called with the fields and the column's number; marks the rows it refuses
    form : of dates and times, the format as messages show it
    """

    convert: Convert
    type: pa.DataType
    form: str = ""


def converter(column: Column, conversion: Conversion) -> Converter:
    """The converter for a column. NotSupportedError for a type that COPY cannot load from text."""
    import pyarrow as pa

    null = np.frombuffer(conversion.null, np.uint8)
    name = column.type.name
    arrow_type = column.type.arrow_type
    if column.type.is_integer:
        return Converter(_integers(column, null), arrow_type)
    if name == "numeric" and (column.type.precision or 18) <= 18:
        decimal = pa.decimal64(column.type.precision, column.type.scale)
        return Converter(_decimals(column, conversion, null, decimal), decimal)
    if name == "numeric":
        return Converter(wide_decimals(column, conversion.round_decimals, null), arrow_type)
    if name in ("float4", "float8"):
        return Converter(_floats(column, null), arrow_type)
    if name == "bool":
        return Converter(_booleans(null), arrow_type)
    if column.type.is_text:
        return Converter(_texts(column, conversion, null), pa.string_view())
    if name in ("date", "timestamp", "timestamptz", "time"):
        return _datetimes(name, conversion, null, arrow_type)
    if name in RARE:
        convert, listed_type = RARE[name](column, null)
        return Converter(convert, listed_type)
    raise errors.NotSupportedError(f'COPY cannot load column "{column.name}" of type {column.type}')


def check_not_null(fields: Fields, number: int, values: Values | ListedValues) -> None:
    """Refuse the rows whose value of a NOT NULL column is NULL."""
    missing = np.flatnonzero(~values.valid & (fields.kinds[: fields.rows] == 0))
    fields.kinds[missing] = Kind.NOT_NULL
    fields.details[missing] = number, 0


def _arrays(fields: Fields, number: int) -> tuple[Any, Any, Any, Any, Any]:
    """What every kernel takes: block, starts and ends of the column, kinds and details."""
    n = fields.rows
    return fields.block, fields.starts[number, :n], fields.ends[number, :n], fields.kinds[:n], fields.details[:n]


# Numbers


def _is_plain(null: Any) -> bool:
    """Whether the NULL string can be told from a number by its characters."""
    return not set(bytes(null)) <= set(b"0123456789+-.")


def _integers(column: Column, null: Any) -> Convert:
    bits = {"int2": 16, "int4": 32, "int8": 64}[column.type.name]
    largest = np.uint64((1 << bits - 1) - 1)
    dtype = np.dtype(f"int{bits}")
    plain = _is_plain(null)

    def convert(fields: Fields, number: int) -> Values:
        block, starts, ends, kinds, details = _arrays(fields, number)
        out, valid = np.empty(fields.rows, np.int64), np.empty(fields.rows, np.bool_)
        numbers.integers(block, starts, ends, null, number, plain, largest, out, valid, kinds, details)
        return Values(column.type.arrow_type, out.astype(dtype, copy=False), valid)

    return convert


def _decimals(column: Column, conversion: Conversion, null: Any, arrow_type: pa.DataType) -> Convert:
    precision, scale, rounded = column.type.precision or 18, column.type.scale or 0, conversion.round_decimals
    plain = _is_plain(null)

    def convert(fields: Fields, number: int) -> Values:
        block, starts, ends, kinds, details = _arrays(fields, number)
        out, valid = np.empty(fields.rows, np.int64), np.empty(fields.rows, np.bool_)
        numbers.decimals(
            block, starts, ends, null, number, plain, precision, scale, rounded, out, valid, kinds, details
        )
        return Values(arrow_type, out, valid)

    return convert


def _floats(column: Column, null: Any) -> Convert:
    """Arrow converts the texts, correctly rounded; the kernel has seen to it that they are numbers."""
    single = column.type.name == "float4"

    def convert(fields: Fields, number: int) -> Values:
        import pyarrow as pa
        import pyarrow.compute as pc

        block, starts, ends, kinds, details = _arrays(fields, number)
        valid = np.empty(fields.rows, np.bool_)
        numbers.number_texts(block, starts, ends, null, number, True, valid, kinds, details)
        starts[~valid & (kinds == 0)] = NULL
        texts = _views(fields, number, np.empty(0, np.uint8), Conversion(), 0, False)
        parsed = pc.cast(texts.array(None), pa.float64()).to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):
            data = parsed.astype(np.float32) if single else np.array(parsed)
        for row in np.flatnonzero(np.isinf(data) & valid).tolist():
            if fields.text(number, row).lstrip(b"+-")[:1].lower() != b"i":
                fields.mark(number, row, Kind.OVERFLOW)
        return Values(column.type.arrow_type, data, valid)

    return convert


def _booleans(null: Any) -> Convert:
    def convert(fields: Fields, number: int) -> Values:
        import pyarrow as pa

        block, starts, ends, kinds, details = _arrays(fields, number)
        out, valid = np.empty(fields.rows, np.bool_), np.empty(fields.rows, np.bool_)
        numbers.booleans(block, starts, ends, null, number, out, valid, kinds, details)
        return Values(pa.bool_(), out, valid)

    return convert


# Text


def _texts(column: Column, conversion: Conversion, null: Any) -> Convert:
    limit, is_char = column.type.length or 0, column.type.name == "bpchar"

    def convert(fields: Fields, number: int) -> Values:
        return _views(fields, number, null, conversion, limit, is_char)

    return convert


def _views(fields: Fields, number: int, null: Any, conversion: Conversion, limit: int, is_char: bool) -> Values:
    import pyarrow as pa

    block, starts, ends, kinds, details = _arrays(fields, number)
    out, valid = np.empty((fields.rows, 16), np.uint8), np.empty(fields.rows, np.bool_)
    strings.views(
        block, starts, ends, null, number, limit, is_char, fields.ascii_only,
        conversion.empty_as_null, conversion.blanks_as_null, is_char or conversion.empty_as_null,
        conversion.trim_blanks, conversion.truncate_columns, conversion.replacement,
        out.reshape(-1), valid, kinds, details,
    )  # fmt: skip
    return Values(pa.string_view(), out, valid, fields.heap)


# Dates and times


def _datetimes(name: str, conversion: Conversion, null: Any, arrow_type: pa.DataType) -> Converter:
    given = conversion.date_format if name == "date" else conversion.time_format
    if name == "time":
        target, form, kind = AS_TIME, datetimes.TIME, Kind.TIME
    elif name == "date":
        target, form, kind = AS_DATE, datetimes.DATE, Kind.DATE
    else:
        target, form, kind = AS_TIMESTAMP, datetimes.TIMESTAMP, Kind.TIMESTAMP
        if given in ("epochsecs", "epochmillisecs"):
            return Converter(_epochs(given, null, arrow_type), arrow_type, given)
    if name != "time" and given == "auto":
        target |= AUTO | (WITH_ZONE if name == "timestamptz" else 0)
        form = datetimes.TIMESTAMP
    elif name != "time" and given is not None:
        form = datetimes.compile_format(given)
    elif name == "timestamptz":
        form = datetimes.TIMESTAMPTZ
    shown = "auto" if target & AUTO else form.text
    return Converter(_by_format(form, target, kind, conversion, null, arrow_type), arrow_type, shown)


def _by_format(
    form: Format, target: int, kind: Kind, conversion: Conversion, null: Any, arrow_type: pa.DataType
) -> Convert:
    to_null = conversion.accept_any_date
    dtype = np.int32 if target & AS_DATE else np.int64

    def convert(fields: Fields, number: int) -> Values:
        block, starts, ends, kinds, details = _arrays(fields, number)
        out, valid = np.empty(fields.rows, np.int64), np.empty(fields.rows, np.bool_)
        datetimes.datetimes(
            block, starts, ends, null, number, form.steps, form.optional_from, form.loose, target, kind,
            to_null and not target & AUTO, out, valid, kinds, details,
        )  # fmt: skip
        if target & AUTO:
            _recognise(fields, number, target, kind, to_null, out, valid)
        return Values(arrow_type, out.astype(dtype, copy=False), valid)

    return convert


def _recognise(fields: Fields, number: int, target: int, kind: Kind, to_null: bool, out: Any, valid: Flags) -> None:
    """Give the values that are not ISO a second chance, one by one."""
    n = fields.rows
    for row in np.flatnonzero((fields.kinds[:n] == kind) & (fields.details[:n, 0] == number)).tolist():
        text = fields.text(number, row)[:100].decode("ascii", "replace")
        found_us = recognise(text, bool(target & WITH_ZONE))
        if found_us is not None:
            out[row] = found_us // 86_400_000_000 if target & AS_DATE else found_us
            valid[row] = True
        if found_us is not None or to_null:
            fields.kinds[row] = 0


def _epochs(unit: str, null: Any, arrow_type: pa.DataType) -> Convert:
    """Seconds or milliseconds since 1970, of which what is below a microsecond is cut off."""
    scale = 6 if unit == "epochsecs" else 3
    plain = _is_plain(null)

    def convert(fields: Fields, number: int) -> Values:
        block, starts, ends, kinds, details = _arrays(fields, number)
        out, valid = np.empty(fields.rows, np.int64), np.empty(fields.rows, np.bool_)
        numbers.decimals(block, starts, ends, null, number, plain, 18, scale, False, out, valid, kinds, details)
        return Values(arrow_type, out, valid)

    return convert
