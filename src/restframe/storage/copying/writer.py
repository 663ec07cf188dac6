"""Batches of a result as rows of COPY TO: a few in Python, many by kernels, which a server at rest does without."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from restframe import kernels
from restframe.result import Column
from restframe.storage.copying import SIGNATURE, TRAILER
from restframe.storage.writing import texts
from restframe.storage.writing.values import PLAIN, Style, Writer, binary_writer

if TYPE_CHECKING:
    import pyarrow as pa

_PIECE_BYTES = 4 << 20  # of Arrow data that are written at once
_FEW_ROWS = 1000
_KERNELS = "restframe.storage.copying.delimiting"

# Cells of a row; None for NULL.
Row = Sequence[bytes | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole rows. ends : where each of them ends in the data; the last one at its end"""

    data: bytes | memoryview
    ends: Sequence[int]


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """How rows of text are written.

    quote, escape : of CSV; empty in the text format
    quoted : of CSV, a boolean a column, for those that are always quoted
    encoding : a Python codec
    style : what settings of the session change about texts
    """

    delimiter: str = "\t"
    null: str = "\\N"
    header: bool = False
    quote: str = ""
    escape: str = ""
    quoted: tuple[bool, ...] = ()
    encoding: str = "utf-8"
    style: Style = field(default=PLAIN)


class RowWriter:
    """What the formats share: which rows are written how."""

    def __init__(self, columns: Sequence[Column], writers: Sequence[Writer]) -> None:
        self._columns = columns
        self._readers = [texts.reader(column.type) for column in columns]
        self._writers = writers
        self._rows = 0

    def start(self) -> Iterator[Piece]:
        """What comes before the first row."""
        yield from ()

    def pieces(self, batch: pa.RecordBatch) -> Iterator[Piece]:
        """InvalidDatetime, UntranslatableCharacter and the like for a value that the format cannot hold."""
        self._rows += batch.num_rows
        few = _KERNELS not in sys.modules and (self._rows <= _FEW_ROWS or kernels.pending("results"))
        step = max(1, batch.num_rows * _PIECE_BYTES // max(batch.nbytes, 1))
        for start in range(0, batch.num_rows, step):
            part = batch.slice(start, step)
            yield self._few(self._cells(part)) if few else self._many(part)

    def end(self) -> Iterator[Piece]:
        """What comes after the last row."""
        yield from ()

    def _cells(self, batch: pa.RecordBatch) -> Iterator[Row]:
        written = []
        for column, read, write in zip(batch.columns, self._readers, self._writers, strict=True):
            written.append([None if value is None else write(value) for value in read(column)])
        return zip(*written, strict=True)

    @abstractmethod
    def _few(self, rows: Iterator[Row]) -> Piece: ...

    @abstractmethod
    def _many(self, batch: pa.RecordBatch) -> Piece: ...


def piece_of(rows: Sequence[bytes]) -> Piece:
    return Piece(b"".join(rows), list(accumulate(map(len, rows))))


class BinaryWriter(RowWriter):
    def __init__(self, columns: Sequence[Column]) -> None:
        """NotSupportedError for arrays."""
        super().__init__(columns, [binary_writer(column.type) for column in columns])
        self._layouts: list[Any] = []
        self._head = SIGNATURE + bytes(8)

    def end(self) -> Iterator[Piece]:
        yield self._headed(piece_of([TRAILER]))

    def _few(self, rows: Iterator[Row]) -> Piece:
        count = len(self._columns).to_bytes(2, "big")
        return self._headed(piece_of([count + b"".join(map(_counted, row)) for row in rows]))

    def _many(self, batch: pa.RecordBatch) -> Piece:
        import numpy as np

        from restframe.storage.copying.delimiting import row_ends
        from restframe.storage.writing import batches

        if not self._layouts:
            pairs = zip(self._columns, self._writers, strict=True)
            self._layouts = [batches.layout(column.type, write, binary=True) for column, write in pairs]
        rows = batches.rows(batch, self._layouts, message=False)
        ends = np.empty(batch.num_rows, np.int64)
        row_ends(np.frombuffer(rows, np.uint8), len(self._layouts), ends)
        return self._headed(Piece(rows, ends))  # type: ignore[arg-type]

    def _headed(self, piece: Piece) -> Piece:
        """The header goes with the first row, as PostgreSQL sends it, for clients that take a message for a row."""
        head, self._head = self._head, b""
        return Piece(head + piece.data, [end + len(head) for end in piece.ends]) if head else piece


def _counted(cell: bytes | None) -> bytes:
    return b"\xff\xff\xff\xff" if cell is None else len(cell).to_bytes(4, "big") + cell
