"""The kernel that writes rows of Arrow columns one behind another, as messages of PostgreSQL's protocol.

It goes through the rows once and writes each value with its length before it, so that what it writes is written in
order; the room it may need is known before. https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from restframe.compiled import kernel, part
from restframe.storage.writing.datetimes import put_clock, put_date, put_offset, put_timestamp
from restframe.storage.writing.floats import put_float4, put_float8
from restframe.storage.writing.memory import (
    copy,
    load_8,
    load_16,
    load_32,
    load_64,
    store_8,
    store_16,
    store_be16,
    store_be32,
    store_be64,
)
from restframe.storage.writing.numbers import U, magnitude, put_integer, put_numeric, put_wide
from restframe.storage.writing.texts import EPOCH_DAYS, EPOCH_US


class Form(IntEnum):
    """What becomes of a column's values: big-endian numbers, or text."""

    BYTES = 0  # of a string or binary column, as they are
    INT2 = 1
    INT4 = 2
    INT8 = 3
    BOOL = 4
    DATE = 5
    TIMESTAMP = 6
    TIMETZ = 7
    NUMERIC = 8  # PostgreSQL's
    NUMERIC8 = 9  # Redshift's
    NUMERIC16 = 10
    OID = 11
    HEX_TEXT = 20  # with \\x before it when the scale is 1
    INT2_TEXT = 21
    INT4_TEXT = 22
    INT8_TEXT = 23
    BOOL_TEXT = 24
    DATE_TEXT = 25
    TIMESTAMP_TEXT = 26
    TIMESTAMPTZ_TEXT = 27  # local times, and those in UTC where a string's offsets would be
    TIME_TEXT = 28
    TIMETZ_TEXT = 29
    NUMERIC_TEXT = 30
    FLOAT4_TEXT = 31
    FLOAT8_TEXT = 32


# The most bytes a value of a form can need; those of BYTES and HEX_TEXT are counted.
ROOM = {
    Form.BYTES: 0, Form.INT2: 2, Form.INT4: 4, Form.INT8: 8, Form.BOOL: 1, Form.DATE: 4, Form.TIMESTAMP: 8,
    Form.TIMETZ: 12, Form.NUMERIC: 40, Form.NUMERIC8: 8, Form.NUMERIC16: 16, Form.OID: 4, Form.HEX_TEXT: 2,
    Form.INT2_TEXT: 6, Form.INT4_TEXT: 11, Form.INT8_TEXT: 20, Form.BOOL_TEXT: 1, Form.DATE_TEXT: 24,
    Form.TIMESTAMP_TEXT: 40, Form.TIMESTAMPTZ_TEXT: 48, Form.TIME_TEXT: 16, Form.TIMETZ_TEXT: 20,
    Form.NUMERIC_TEXT: 48, Form.FLOAT4_TEXT: 20, Form.FLOAT8_TEXT: 32,
}  # fmt: skip
SCRATCH = 256  # more bytes that must lie behind the room of all rows

_BYTES, _INT2, _INT4, _INT8, _BOOL = (int(Form(i)) for i in range(5))
_DATE, _TIMESTAMP, _TIMETZ, _NUMERIC, _NUMERIC8, _NUMERIC16, _OID = (int(Form(i)) for i in range(5, 12))
_HEX_TEXT, _INT2_TEXT, _INT4_TEXT, _INT8_TEXT, _BOOL_TEXT, _DATE_TEXT = (int(Form(i)) for i in range(20, 26))
_TIMESTAMP_TEXT, _TIMESTAMPTZ_TEXT, _TIME_TEXT, _TIMETZ_TEXT = (int(Form(i)) for i in range(26, 30))
_NUMERIC_TEXT, _FLOAT4_TEXT, _FLOAT8_TEXT = (int(Form(i)) for i in range(30, 33))
_DAYS_MAX, _US_MAX = 2**31 - 1, 2**63 - 1
_T, _F, _D, _PREFIX = 116, 102, 68, int.from_bytes(b"\\x", "little")
_HEX = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), "<u2").astype(np.int64)
_int: Any = np.int64


@part
def _put_binary_numeric(at: Any, source: Any, scale: Any) -> Any:
    """Groups of 4 digits, counted from the decimal point; none for zeros at either end."""
    negative, high, low = magnitude(source)
    digits = at + 64
    count = put_wide(digits, high, low) - digits
    whole = count - scale  # digits before the point; negative when zeros follow it
    weight = (whole + 3) // 4 - 1
    first = whole - 4 * (weight + 1)  # where the first group begins among the digits, in [-3, 0]
    groups = kept = 0
    for begin in range(first, count, 4):
        group = 0
        for i in range(begin, begin + 4):
            group = group * 10 + (_int(load_8(digits + i)) - 48 if 0 <= i < count else 0)
        if group == 0 and kept == 0:
            weight -= 1
            continue
        kept += 1
        store_be16(at + 6 + 2 * kept, group)
        if group != 0:
            groups = kept
    if groups == 0:
        weight, negative = 0, False
    store_be16(at, groups)
    store_be16(at + 2, weight)
    store_be16(at + 4, 0x4000 if negative else 0)
    store_be16(at + 6, scale)
    return at + 8 + 2 * groups


@part
def _put_binary(at: Any, form: Any, data: Any, row: Any, scale: Any) -> Any:
    if form == _INT8:
        store_be64(at, load_64(data + 8 * row))
        return at + 8
    if form == _INT4:
        store_be32(at, load_32(data + 4 * row))
        return at + 4
    if form == _INT2:
        store_be16(at, load_16(data + 2 * row))
        return at + 2
    if form == _BOOL:
        store_8(at, (load_8(data + (row >> 3)) >> (row & 7)) & 1)
        return at + 1
    if form == _DATE:
        days = _int(load_32(data + 4 * row))
        if abs(days) < _DAYS_MAX:
            days -= EPOCH_DAYS
        store_be32(at, days if days > -_DAYS_MAX else -_DAYS_MAX - 1)
        return at + 4
    if form == _TIMESTAMP:
        microseconds = load_64(data + 8 * row)
        if microseconds <= -_US_MAX:
            microseconds = -_US_MAX - 1
        elif microseconds != _US_MAX:
            microseconds -= EPOCH_US
        store_be64(at, microseconds)
        return at + 8
    if form == _NUMERIC8:
        store_be64(at, load_64(data + 16 * row))
        return at + 8
    if form == _NUMERIC16:
        store_be64(at, load_64(data + 16 * row + 8))
        store_be64(at + 8, load_64(data + 16 * row))
        return at + 16
    if form == _NUMERIC:
        return _put_binary_numeric(at, data + 16 * row, scale)
    if form == _OID:
        store_be32(at, load_64(data + 8 * row))
        return at + 4
    store_be64(at, load_64(data + 8 * row))  # TIMETZ, whose zone is UTC
    store_be32(at + 8, 0)
    return at + 12


@part
def _put_text(at: Any, form: Any, data: Any, aside: Any, row: Any, scale: Any) -> Any:
    if form == _INT8_TEXT:
        return put_integer(at, load_64(data + 8 * row))
    if form == _INT4_TEXT:
        return put_integer(at, _int(load_32(data + 4 * row)))
    if form == _INT2_TEXT:
        value = _int(load_16(data + 2 * row))
        return put_integer(at, value - 65_536 if value >= 32_768 else value)
    if form == _FLOAT8_TEXT:
        return put_float8(at, data + 8 * row)
    if form == _TIMESTAMP_TEXT:
        return put_timestamp(at, load_64(data + 8 * row), False, 0)
    if form == _NUMERIC_TEXT:
        return put_numeric(at, data + 16 * row, scale)
    if form == _DATE_TEXT:
        return put_date(at, _int(load_32(data + 4 * row)))
    if form == _BOOL_TEXT:
        store_8(at, _T if (load_8(data + (row >> 3)) >> (row & 7)) & 1 else _F)
        return at + 1
    if form == _TIMESTAMPTZ_TEXT:
        local = load_64(data + 8 * row)
        return put_timestamp(at, local, True, (local - load_64(aside + 8 * row)) // 1_000_000)
    if form == _FLOAT4_TEXT:
        return put_float4(at, data + 4 * row)
    if form == _TIME_TEXT:
        return put_clock(at, load_64(data + 8 * row))
    if form == _TIMETZ_TEXT:
        return put_offset(put_clock(at, load_64(data + 8 * row)), 0)
    begin, end = _int(load_32(aside + 4 * row)), _int(load_32(aside + 4 * row + 4))
    if scale:
        store_16(at, _PREFIX)
        at += 2
    for i in range(begin, end):
        store_16(at, _HEX[U(load_8(data + i))])
        at += 2
    return at


@kernel
def put_rows(
    at: Any, row: Any, stop: Any, message: Any, forms: Any, data: Any, asides: Any, valid: Any, firsts: Any, scales: Any
) -> Any:
    """Write the rows from `row` to `stop` and return the address behind them.

    message : whether each is a DataRow; otherwise a row of binary COPY, which has neither type nor length
    forms, data, asides, valid, firsts, scales : of each column its Form, the addresses of its values, of a string's
        offsets, and of its validity bitmap or 0; the index of row 0 in all of these; decimals of a decimal128
    There must be room for each row's 7 bytes, for each value's 4 and its form's ROOM, and SCRATCH.
    """
    columns = len(forms)
    while row < stop:
        start = at
        if message:
            store_8(at, _D)
            at += 5
        store_be16(at, columns)
        at += 2
        for column in range(columns):
            c = U(column)
            index = firsts[c] + row
            if valid[c] != 0 and (load_8(valid[c] + (index >> 3)) >> (index & 7)) & 1 == 0:
                store_be32(at, -1)
                at += 4
                continue
            form = forms[c]
            if form == _BYTES:
                begin = _int(load_32(asides[c] + 4 * index))
                size = _int(load_32(asides[c] + 4 * index + 4)) - begin
                copy(at + 4, data[c] + begin, size)
                end = at + 4 + size
            elif form < _HEX_TEXT:
                end = _put_binary(at + 4, form, data[c], index, scales[c])
            else:
                end = _put_text(at + 4, form, data[c], asides[c], index, scales[c])
            store_be32(at, end - at - 4)
            at = end
        if message:
            store_be32(start + 1, at - start - 1)
        row += 1
    return at
