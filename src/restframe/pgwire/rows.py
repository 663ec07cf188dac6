"""RowDescription, and batches of a result as DataRow messages."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from restframe import kernels
from restframe.pgwire import oids, values
from restframe.result import Column
from restframe.storage.writing import texts
from restframe.storage.writing.values import PLAIN, Style

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.storage.writing.batches import Layout

# Up to so many rows of a batch are written more quickly one by one; and until a result has so many, the kernel is not
# worth loading.
_FEW_ROWS, _MANY_ROWS = 8, 10_000
_KERNEL = "restframe.storage.writing.messages"
_FIELD = struct.Struct(">IhIhih")
_ROW = struct.Struct(">cih")
_LENGTH = struct.Struct(">i").pack
_NULL = b"\xff\xff\xff\xff"
_SEARCHABLE = 0x1000  # and not 0x1, by which the JDBC driver means that there are no NULLs


def formats_of(codes: Sequence[int], columns: int) -> tuple[int, ...]:
    """A format per column, of what Bind gave: none at all for text, one for all, or one for each."""
    if len(codes) <= 1:
        return tuple(codes or (0,)) * columns
    return tuple(codes)


def description(columns: Sequence[Column], formats: Sequence[int], redshift_version: int | None = None) -> bytes:
    """The message RowDescription.

    formats : as Bind gave them; none when a statement is described, whose formats nobody knows yet
    redshift_version : what a driver of Redshift agreed to; from 1 on each field also has its schema, table, column and
        catalog, which are empty but for the column's name, and flags
    """
    origins = tuple(column.origin or (0, 0) for column in columns)
    return _description(tuple(columns), origins, tuple(formats), redshift_version)


@lru_cache(maxsize=256)
def _description(
    columns: tuple[Column, ...],
    origins: tuple[tuple[int, int], ...],
    formats: tuple[int, ...],
    redshift_version: int | None,
) -> bytes:
    fields = [struct.pack(">h", len(columns))]
    for column, origin, format_ in zip(columns, origins, formats_of(formats, len(columns)), strict=True):
        oid, size, modifier = oids.wire(column.type, redshift_version is not None)
        name = column.name.encode()
        fields.append(name + b"\0" + _FIELD.pack(*origin, oid, size, modifier, format_))
        if redshift_version:
            fields.append(b"\0\0" + name + b"\0\0")
            fields.append(struct.pack(">h", _SEARCHABLE))
    body = b"".join(fields)
    return b"T" + _LENGTH(len(body) + 4) + body


class Encoder:
    """Makes DataRow messages of the batches of one result.

    formats : as Bind gave them
    redshift_version : of a driver of Redshift; None for clients of PostgreSQL
    """

    def __init__(
        self,
        columns: Sequence[Column],
        formats: Sequence[int],
        *,
        redshift_version: int | None = None,
        style: Style = PLAIN,
    ) -> None:
        self._columns = tuple(columns)
        self._binary = tuple(format_ == 1 for format_ in formats_of(formats, len(columns)))
        self._redshift = redshift_version is not None
        self._style = style
        self._readers = [texts.reader(column.type) for column in self._columns]
        self._rows = 0
        self._layouts: list[Layout] | None = None
        self._writers = [
            values.writer(column.type, binary, self._redshift, style)
            for column, binary in zip(self._columns, self._binary, strict=True)
        ]

    def encode(self, batch: pa.RecordBatch) -> bytes | memoryview:
        """The batch's rows, each a whole message.

        InvalidDatetime, NumericValueOutOfRange for values that the binary format cannot hold.
        """
        self._rows += batch.num_rows
        if batch.num_rows <= _FEW_ROWS or (_KERNEL not in sys.modules and self._can_do_without()):
            return self._one_by_one(batch)
        return self._by_kernel(batch)

    def _can_do_without(self) -> bool:
        """Whether the kernel need not be loaded: for so few rows, or as long as another process compiles it."""
        return self._rows <= _MANY_ROWS or kernels.pending("results")

    def _by_kernel(self, batch: pa.RecordBatch) -> memoryview:
        from restframe.storage.writing import batches  # brings numba, which a server at rest does without

        if self._layouts is None:
            self._layouts = [
                batches.layout(
                    column.type,
                    write,
                    binary=binary,
                    redshift=self._redshift,
                    zone=self._style.zone,
                    extra_float_digits=self._style.extra_float_digits,
                )
                for column, write, binary in zip(self._columns, self._writers, self._binary, strict=True)
            ]
        return batches.rows(batch, self._layouts, message=True)

    def _one_by_one(self, batch: pa.RecordBatch) -> bytes:
        written = []
        for column, read, write in zip(batch.columns, self._readers, self._writers, strict=True):
            cells = []
            for value in read(column):
                data = _NULL if value is None else write(value)
                cells.append(_NULL if value is None else _LENGTH(len(data)) + data)
            written.append(cells)
        rows = map(b"".join, zip(*written, strict=True)) if written else iter([b""] * batch.num_rows)
        count = len(self._columns)
        return b"".join([_ROW.pack(b"D", len(row) + 6, count) + row for row in rows])
