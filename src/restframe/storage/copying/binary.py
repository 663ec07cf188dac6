"""Streams of PostgreSQL's binary COPY format.

https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from restframe import errors
from restframe.compiled import kernel
from restframe.storage.copying import SIGNATURE
from restframe.storage.copying.binary_values import binary_input_of
from restframe.storage.copying.inputs import not_utf8, numeric_overflow, value_error
from restframe.storage.copying.reader import StreamReader
from restframe.storage.loading.faults import Kind
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.records import NULL
from restframe.storage.writing.memory import load_be16, load_be32

_HEADER_BYTES = len(SIGNATURE) + 8
_MAX_EXTENSION_BYTES = 1 << 20

_FIELD_COUNT, _FIELD_SIZE = 111, 112
_NULL = NULL
_int: Any = np.int64


@kernel
def split_binary(
    data: Any, begin: int, end: int, line: int, starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any
) -> tuple[int, int, int, bool]:
    """Cut records as the kernels of `lines` do; also returns whether the trailer has been read.

    data : address of the block
    """
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at + 2 <= end:
        count = _int(load_be16(data + at))
        if count == -1:
            return row, at + 2, line, True
        kind = 0 if count == columns else _FIELD_COUNT
        i = at + 2
        whole = True
        for column in range(columns):
            if kind != 0:
                break
            if i + 4 > end:
                whole = False
                break
            size = _int(load_be32(data + i))
            i += 4
            starts[column, row] = i if size >= 0 else _NULL
            if size < -1:
                kind = _FIELD_SIZE
            elif size > end - i:
                whole = False
                break
            elif size > 0:
                i += size
            ends[column, row] = i
        if not whole:
            break
        bounds[row, 0], bounds[row, 1], bounds[row, 2] = at, i, line
        kinds[row] = kind
        details[row, 0], details[row, 1] = -1, count
        row += 1
        line += 1
        at = i
        if kind != 0:
            break
    return row, at, line, False


class BinaryReader(StreamReader):
    def __init__(self, columns: Sequence[Column], table: str) -> None:
        """NotSupportedError for a column whose type has no binary form."""
        super().__init__(columns, [binary_input_of(column) for column in columns], table)

    def _start(self, fields: Fields, final: bool) -> int | None:
        raw = fields.raw
        if raw[: len(SIGNATURE)] != SIGNATURE[: len(raw)]:
            raise errors.BadCopyFileFormat("COPY file signature not recognized")
        if len(raw) < _HEADER_BYTES:
            _refuse_if(final)
            return None
        flags, extension_bytes = struct.unpack_from(">Ii", raw, len(SIGNATURE))
        if flags >> 16 & 1:
            raise errors.BadCopyFileFormat("invalid COPY file header (WITH OIDS)")
        if flags >> 16:
            raise errors.BadCopyFileFormat("unrecognized critical flags in COPY file header")
        if not 0 <= extension_bytes <= _MAX_EXTENSION_BYTES:
            raise errors.BadCopyFileFormat("invalid COPY file header (wrong length)")
        if len(raw) < _HEADER_BYTES + extension_bytes:
            _refuse_if(final)
            return None
        return _HEADER_BYTES + int(extension_bytes)

    def _cut(self, fields: Fields, begin: int, final: bool) -> tuple[int, int]:
        rows, after, self._line, self._ended = split_binary(
            fields.block.ctypes.data, begin, len(fields.raw), self._line, fields.starts, fields.ends, fields.bounds,
            fields.kinds, fields.details,
        )  # fmt: skip
        fields.ascii_only = False  # what is in the texts, the block does not tell
        return rows, after

    def _check_rest(self, rest: bytes) -> None:
        if rest:
            message = "received copy data after EOF marker" if self._ended else "unexpected EOF in COPY data"
            raise errors.BadCopyFileFormat(message, where=self._place(self._line))

    def _error(self, fields: Fields, row: int) -> errors.Error:
        kind, (number, at) = int(fields.kinds[row]), fields.details[row].tolist()
        where = self._place(int(fields.bounds[row, 2]))
        if kind == _FIELD_COUNT:
            expected = len(self._columns)
            return errors.BadCopyFileFormat(f"row field count is {at}, expected {expected}", where=where)
        if kind == _FIELD_SIZE:
            return errors.BadCopyFileFormat("invalid field size", where=where)
        if number < 0:
            error: errors.Error = not_utf8(b"\0", 0)
            error.where = where
            return error
        column = self._columns[number]
        error = _value_error(column, kind, fields.text(number, row), at, self._table)
        error.where = where if kind == Kind.NOT_NULL else f"{where}, column {column.name}"
        return error

    def _place(self, line: int) -> str:
        return f"COPY {self._table}, line {line}"


def _refuse_if(final: bool) -> None:
    if final:
        raise errors.BadCopyFileFormat("invalid COPY file header (missing length)")


def _value_error(column: Column, kind: int, data: bytes, at: int, table: str) -> errors.Error:
    type_ = column.type
    match kind:
        case Kind.HEX:
            return errors.InvalidBinaryRepresentation(
                f"incorrect binary data format for type {type_}",
                hint="The client must send values of exactly the column's type.",
            )
        case Kind.TIMESTAMP:
            return errors.InvalidDatetime(f"{type_.name} out of range")
        case Kind.OVERFLOW if type_.name == "numeric":
            return numeric_overflow(type_)
        case Kind.OVERFLOW if type_.name == "varbyte":
            return errors.StringDataRightTruncation(f"value too long for type {type_}")
        case Kind.OVERFLOW:
            return errors.NumericValueOutOfRange(f"{type_.name} out of range")
    return value_error(column, kind, data, at, table)
