"""What all readers of records share: the bytes of a file come in pieces, rows and refused rows leave in batches."""

from __future__ import annotations

import codecs
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from restframe import errors
from restframe.storage.loading.columns import Conversion, check_not_null, converter
from restframe.storage.loading.faults import MAX_LINE_BYTES, Fault, Kind, fault
from restframe.storage.loading.fields import Column, Fields

if TYPE_CHECKING:
    import pyarrow as pa

Encoding = Literal["utf8", "utf16", "utf16le", "utf16be"]

# Large enough that Python's part in a block is small, small enough that it stays in the processor's cache.
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file.

    faults : the rows that were refused among them
    lines : of the file, up to here
    """

    rows: pa.RecordBatch
    faults: list[Fault]
    lines: int


class RecordReader:
    """Cuts files into records and makes their fields columns; how records are cut is up to the format."""

    def __init__(
        self, columns: Sequence[Column], conversion: Conversion, ignore_header: int, encoding: Encoding
    ) -> None:
        """InvalidParameterValue for a date or time format that is none, NotSupportedError for a column's type."""
        import pyarrow as pa

        self._columns = columns
        self._converters = [converter(column, conversion) for column in columns]
        self._ignore_header = ignore_header
        self._encoding = encoding
        self.schema: pa.Schema = pa.schema(
            [pa.field(column.name, made.type) for column, made in zip(columns, self._converters, strict=True)]
        )

    @abstractmethod
    def _cut(self, fields: Fields, begin: int, final: bool, line: int) -> tuple[int, int, int]:
        """Fill the fields with whole records of `fields.raw` from an offset on.

        Returns their number, the offset after them, and the number of the next line. Fewer records than the fields
        have room for means that the block holds no whole record any more.
        """

    def read(
        self, pieces: Iterable[bytes], most_faults: int = 100_000, block_bytes: int = _BLOCK_BYTES
    ) -> Iterator[Batch]:
        """The rows of one file, whose bytes come in pieces of any size.

        most_faults : of one batch; further refused rows of it are not told
        CorruptObject when the bytes are not in the right encoding.
        """
        fields = Fields.allocate(len(self._columns))
        place = _Place(self._ignore_header)
        tail = b""
        for block, final in _with_last(_blocks(_decoded(pieces, self._encoding), block_bytes)):
            data = tail + block if tail else block
            begin = place.skip(data, final)
            fields.load(data)
            fields.rows = fields.capacity
            while begin < len(data) and fields.rows == fields.capacity:  # else what is left is no whole record
                fields.rows, begin, place.line = self._cut(fields, begin, final, place.line)
                if fields.rows:
                    yield self._batch(fields, place.line - 1, most_faults)
            tail = data[begin:]
            if len(tail) > MAX_LINE_BYTES:
                yield self._too_long(tail, place.line)
                tail = b""
                place.lost = True

    def _batch(self, fields: Fields, lines: int, most_faults: int) -> Batch:
        import pyarrow as pa

        made = []
        for number, (column, made_by) in enumerate(zip(self._columns, self._converters, strict=True)):
            values = made_by.convert(fields, number)
            if column.not_null:
                check_not_null(fields, number, values)
            made.append(values)
        good = fields.kinds[: fields.rows] == 0
        keep = None if good.all() else good
        rows = pa.RecordBatch.from_arrays([values.array(keep) for values in made], schema=self.schema)
        forms = [made_by.form for made_by in self._converters]
        faults = [] if keep is None else fields.faults(self._columns, forms, most_faults)
        return Batch(rows, faults, lines)

    def _too_long(self, data: bytes, line: int) -> Batch:
        import pyarrow as pa

        rows = pa.RecordBatch.from_pylist([], schema=self.schema)
        return Batch(rows, [fault(Kind.LINE_TOO_LONG, line, data[:1024])], line)


class _Place:
    """Where a file has been read to: lines that are still to be skipped, and the number of the next one."""

    def __init__(self, headers: int) -> None:
        self.headers = headers
        self.line = 1
        self.lost = False  # within a line that was too long

    def skip(self, data: bytes, final: bool) -> int:
        """The offset at which the next record starts."""
        at = 0
        while (self.headers or self.lost) and at < len(data):
            end = data.find(b"\n", at)
            if end < 0 and not final:
                # A header that is too long for the block is skipped piece by piece, as a lost line is.
                return len(data) if self.lost or len(data) > MAX_LINE_BYTES else at
            at = len(data) if end < 0 else end + 1
            if not self.lost:
                self.headers -= 1
            self.lost = False
            self.line += 1
        return at


def _with_last(pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Each piece, and whether it is the last one."""
    held = next(pieces, b"")
    for piece in pieces:
        yield held, False
        held = piece
    yield held, True


def _blocks(pieces: Iterator[bytes], block_bytes: int) -> Iterator[bytes]:
    """The same bytes in pieces of a good size; large ones are passed on as they are."""
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= block_bytes:
            yield held[0] if len(held) == 1 else b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


_CODECS = {"utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be"}


def _decoded(pieces: Iterable[bytes], encoding: Encoding) -> Iterator[bytes]:
    """The pieces in UTF-8, without a byte order mark."""
    filled = (piece for piece in pieces if piece)
    first = next(filled, b"")
    while first and len(first) < 3 and (more := next(filled, b"")):
        first += more
    if encoding == "utf8":
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from filled
        return
    if encoding == "utf16" and first and not first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise errors.CorruptObject(
            "the file has no byte order mark, which ENCODING UTF16 needs",
            hint="Use UTF16LE or UTF16BE for a file without one.",
        )
    decoder = codecs.getincrementaldecoder(_CODECS[encoding])()
    try:
        yield decoder.decode(first).removeprefix("\ufeff").encode()
        for piece in filled:
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeDecodeError as error:
        raise errors.CorruptObject(f"the file is not in the encoding {encoding.upper()}") from error
