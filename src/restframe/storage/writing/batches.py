"""Whole batches as rows of messages: which form each column takes, and where its values lie."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from restframe.storage.writing import texts
from restframe.storage.writing.messages import ROOM, SCRATCH, Form, put_rows
from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Layout:
    """How a column is written.

    form : None when the kernel knows none, so that `write` makes bytes of each value that `read` gives
    scale : the decimals of a numeric; 1 for hexadecimal digits with a prefix
    zone : the time zone in which times are printed
    """

    form: Form | None
    read: Callable[[pa.Array], list[Any]]
    write: Callable[[Any], bytes]
    scale: int = 0
    zone: str = "UTC"


_BINARY_FORMS = {
    "int2": Form.INT2, "int4": Form.INT4, "int8": Form.INT8, "float4": Form.INT4, "float8": Form.INT8,
    "bool": Form.BOOL, "date": Form.DATE, "time": Form.INT8, "timetz": Form.TIMETZ, "timestamp": Form.TIMESTAMP,
    "timestamptz": Form.TIMESTAMP, "numeric": Form.NUMERIC, "oid": Form.OID, "varbyte": Form.BYTES,
}  # fmt: skip
_TEXT_FORMS = {
    "int2": Form.INT2_TEXT, "int4": Form.INT4_TEXT, "int8": Form.INT8_TEXT, "oid": Form.INT8_TEXT,
    "float4": Form.FLOAT4_TEXT, "float8": Form.FLOAT8_TEXT, "bool": Form.BOOL_TEXT, "date": Form.DATE_TEXT,
    "time": Form.TIME_TEXT, "timetz": Form.TIMETZ_TEXT, "timestamp": Form.TIMESTAMP_TEXT,
    "timestamptz": Form.TIMESTAMPTZ_TEXT, "numeric": Form.NUMERIC_TEXT, "varbyte": Form.HEX_TEXT,
}  # fmt: skip


def layout(
    type_: SqlType,
    write: Callable[[Any], bytes],
    *,
    binary: bool,
    redshift: bool = False,
    zone: str = "UTC",
    extra_float_digits: int = 0,
) -> Layout:
    """How a column of a type is written, `write` being the way to write one value."""
    read = texts.reader(type_)
    rounded = not binary and extra_float_digits < 0 and type_.name in ("float4", "float8")
    if type_.element is not None or type_.name == "interval" or rounded:
        return Layout(None, read, write)
    form = (_BINARY_FORMS if binary else _TEXT_FORMS).get(type_.name, Form.BYTES)
    scale = type_.scale or 0
    if form is Form.NUMERIC and redshift:
        form = Form.NUMERIC8 if (type_.precision or 38) <= 18 else Form.NUMERIC16
    elif form is Form.HEX_TEXT:
        scale = 0 if redshift else 1
    return Layout(form, read, write, scale, zone)


def rows(batch: pa.RecordBatch, layouts: Sequence[Layout], message: bool) -> memoryview:
    """The batch's rows as DataRow messages, or without their heads as rows of binary COPY.

    What a layout's `write` raises for a value that its form cannot hold.
    """
    sources = [_source(column, given) for column, given in zip(batch.columns, layouts, strict=True)]
    table = np.array([source.numbers for source in sources], np.int64).reshape(-1, 6).T.copy()
    room = batch.num_rows * (7 + 4 * len(sources)) + sum(source.room for source in sources) + SCRATCH
    out = np.empty(room, np.uint8)
    begin = out.ctypes.data
    end = put_rows(begin, 0, batch.num_rows, message, *table)
    return memoryview(out.data)[: end - begin]


@dataclass(frozen=True, slots=True)
class _Source:
    """numbers : form, addresses of values, offsets and validity, index of the first row, scale
    room : the most bytes that the values may need
    held : keeps what the addresses point to
    """

    numbers: tuple[int, int, int, int, int, int]
    room: int
    held: tuple[Any, ...]


def _source(column: pa.Array, given: Layout) -> _Source:
    import pyarrow as pa

    form, aside, held = given.form, 0, column
    local = _local(column, given.zone) if form is Form.TIMESTAMPTZ_TEXT else column
    if form is None or local is None or not _fits(column, form):
        column = pa.array([None if v is None else given.write(v) for v in given.read(column)], pa.binary())
        form = Form.BYTES
    elif form is Form.TIMESTAMPTZ_TEXT:
        column = local
        aside = held.buffers()[1].address + 8 * (held.offset - column.offset)
    validity, first, *others = column.buffers()
    valid = validity.address if validity is not None and column.null_count else 0
    data = first.address if first is not None else 0
    room = ROOM[form] * len(column)
    if form in (Form.BYTES, Form.HEX_TEXT):
        aside, data = data, others[0].address if others[0] is not None else 0
        size = _string_bytes(column)
        room = size if form is Form.BYTES else 2 * (size + len(column))
    return _Source((int(form), data, aside, valid, column.offset, given.scale), room, (column, held))


def _string_bytes(column: pa.Array) -> int:
    offsets = column.buffers()[1]
    if offsets is None or not len(column):
        return 0
    begin, end = (struct.unpack_from("<i", offsets, 4 * (column.offset + row))[0] for row in (0, len(column)))
    return int(end - begin)


_LEAST_US = -(2**63) + texts.EPOCH_US  # that PostgreSQL can count from 2000


def _fits(column: pa.Array, form: Form) -> bool:
    """Whether the kernel may write every value; what it may not, is written one by one or refused."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if form not in (Form.TIMESTAMP, Form.OID):
        return True
    extremes = pc.min_max(column.view(pa.int64()))
    least, most = extremes["min"].as_py(), extremes["max"].as_py()
    if least is None:
        return True
    return bool(least >= 0 and most < 2**32) if form is Form.OID else bool(least >= _LEAST_US)


def _local(column: pa.Array, zone: str) -> pa.Array | None:
    """Timestamps in UTC as a zone's clocks show them; None when that is left to Python, which knows zones and
    infinities that Arrow does not."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if zone == "UTC":
        return column
    extremes = pc.min_max(column.view(pa.int64()))
    least, most = extremes["min"].as_py(), extremes["max"].as_py()
    if least is not None and not (least > _YEAR_1_US and most < _YEAR_2037_US):
        return None
    try:
        return pc.local_timestamp(column.cast(pa.timestamp("us", zone)))
    except pa.ArrowInvalid:
        return None


# Arrow knows when clocks change up to 2037, by name, and not the rules that go on.
_YEAR_1_US, _YEAR_2037_US = -62_135_424_000_000_000, 2_114_380_800_000_000
