"""A stream to Arrow, batch by batch, until its first error; how it is cut into records is up to the format."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from restframe import errors
from restframe.storage.loading.columns import Converter, check_not_null
from restframe.storage.loading.fields import Column, Fields

if TYPE_CHECKING:
    import pyarrow as pa

MAX_ROW_BYTES = 32 << 20
_BLOCK_BYTES = 1 << 20  # large enough that Python's part is small, small enough to stay in the processor's cache


class StreamReader:
    """
    table : its name, for messages
    schema : of the batches. Types that Arrow does not have come as text, for the engine to read
    """

    def __init__(self, columns: Sequence[Column], inputs: Sequence[Converter], table: str) -> None:
        import pyarrow as pa

        self._columns = columns
        self._inputs = inputs
        self._table = table
        self._line = 1  # of the next record
        self._ended = False  # the data has said so itself
        self.schema: pa.Schema = pa.schema(
            [pa.field(column.name, made.type) for column, made in zip(columns, inputs, strict=True)]
        )

    @abstractmethod
    def _start(self, fields: Fields, final: bool) -> int | None:
        """The offset of the first record in the stream's first bytes; None when these do not tell yet."""

    @abstractmethod
    def _cut(self, fields: Fields, begin: int, final: bool) -> tuple[int, int]:
        """Fill the fields with whole records of `fields.raw` from an offset on; returns how many, and the next offset.

        Fewer records than the fields have room for means that the block holds no whole record any more, or that the
        last one is wrong.
        """

    @abstractmethod
    def _error(self, fields: Fields, row: int) -> errors.Error:
        """What is wrong with a record."""

    @abstractmethod
    def _check_rest(self, rest: bytes) -> None:
        """Raise for bytes that belong to no record, behind the end the data gave itself or at that of the stream."""

    def read(self, pieces: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        """The rows of a stream that comes in pieces of any size; it is read to its end.

        BadCopyFileFormat, InvalidTextRepresentation and what else a wrong row can be, with the place in `where`.
        """
        fields = Fields.allocate(len(self._columns))
        source = _Blocks(pieces)
        started = False
        tail = b""
        while not (source.ended or self._ended):
            block, final = source.next(max(_BLOCK_BYTES, len(tail)))
            data = tail + block if tail else block
            fields.load(data)
            begin: int | None = 0
            if not started:
                begin = self._start(fields, final)
                started = begin is not None
            if begin is None:
                begin, fields.rows = 0, 0
            else:
                fields.rows = fields.capacity
            while begin < len(data) and fields.rows == fields.capacity and not self._ended:
                fields.rows, begin = self._cut(fields, begin, final)
                if fields.rows:
                    yield self._batch(fields)
            tail = data[begin:]
            if len(tail) > MAX_ROW_BYTES:
                raise errors.ProgramLimitExceeded(
                    f"a row is longer than {MAX_ROW_BYTES >> 20} MB", where=f"COPY {self._table}, line {self._line}"
                )
        for rest in itertools.chain((tail,), pieces):
            self._check_rest(rest)

    def _batch(self, fields: Fields) -> pa.RecordBatch:
        import pyarrow as pa

        made = []
        for number, (column, input_) in enumerate(zip(self._columns, self._inputs, strict=True)):
            values = input_.convert(fields, number)
            if column.not_null:
                check_not_null(fields, number, values)
            made.append(values)
        wrong = np.flatnonzero(fields.kinds[: fields.rows])
        if len(wrong):
            raise self._error(fields, int(wrong[0]))
        return pa.RecordBatch.from_arrays([values.array(None) for values in made], schema=self.schema)


class _Blocks:
    """Pieces put together to blocks of a good size."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.ended = False

    def next(self, least_bytes: int) -> tuple[bytes, bool]:
        """At least so many bytes, unless there are no more; and whether there are no more."""
        held: list[bytes] = []
        size = 0
        while size < least_bytes:
            piece = next(self._pieces, None)
            if piece is None:
                self.ended = True
                break
            held.append(piece)
            size += len(piece)
        return held[0] if len(held) == 1 else b"".join(held), self.ended
