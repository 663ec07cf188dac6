"""Rows of COPY TO in PostgreSQL's text and CSV formats."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.result import Column
from restframe.storage.copying.writer import OutputLayout, Piece, Row, RowWriter, piece_of
from restframe.storage.writing.values import text_writer

if TYPE_CHECKING:
    import pyarrow as pa

_LETTERS = dict(zip("\b\f\n\r\t\v\\", "bfnrtv\\", strict=True))


class LinesWriter(RowWriter):
    def __init__(self, layout: OutputLayout, columns: Sequence[Column]) -> None:
        super().__init__(columns, [text_writer(column.type, layout.style) for column in columns])
        self._layout = layout
        self._null = layout.null.encode()
        self._not_quoted = (False,) * len(columns)
        self._quoted = layout.quoted or self._not_quoted
        self._escapes = {layout.delimiter: layout.delimiter} | _LETTERS
        self._special = "\r\n" + layout.delimiter + layout.quote
        self._to_escape = re.compile(f"[{re.escape(''.join(self._escapes))}]".encode())
        self._to_quote = re.compile(f"[{re.escape(self._special)}]".encode())
        self._for_kernels: tuple[Any, ...] = ()

    def start(self) -> Iterator[Piece]:
        if self._layout.header:
            yield self._lines(iter([[column.name.encode() for column in self._columns]]), self._not_quoted)

    def _few(self, rows: Iterator[Row]) -> Piece:
        return self._lines(rows, self._quoted)

    def _lines(self, rows: Iterator[Row], quoted: Sequence[bool]) -> Piece:
        delimiter = self._layout.delimiter.encode()
        make = self._in_csv if self._layout.quote else self._in_text
        cells = ([self._null if c is None else make(c, q) for c, q in zip(row, quoted, strict=True)] for row in rows)
        return self._encoded(piece_of([delimiter.join(row) + b"\n" for row in cells]))

    def _in_text(self, cell: bytes, _: bool) -> bytes:
        return self._to_escape.sub(lambda found: b"\\" + self._escapes[found[0].decode()].encode(), cell)

    def _in_csv(self, cell: bytes, quoted: bool) -> bytes:
        quote, escape = self._layout.quote.encode(), self._layout.escape.encode()
        alone = len(self._columns) == 1 and cell == b"\\."  # it would end the data
        if not (quoted or alone or cell == self._null or self._to_quote.search(cell)):
            return cell
        if escape != quote:
            cell = cell.replace(escape, escape + escape)
        return quote + cell.replace(quote, escape + quote) + quote

    def _many(self, batch: pa.RecordBatch) -> Piece:
        import numpy as np

        from restframe.storage.copying import delimiting
        from restframe.storage.writing import batches

        layout, columns = self._layout, len(self._columns)
        layouts, null, quoted, escapes, special = self._for_kernels or self._prepare()
        block = np.frombuffer(batches.rows(batch, layouts, message=False), np.uint8)
        out = np.empty(2 * len(block) + batch.num_rows * (columns * (3 + len(null)) + 1), np.uint8)
        ends = np.empty(batch.num_rows, np.int64)
        delimiter = ord(layout.delimiter)
        if layout.quote:
            size = delimiting.csv_lines(
                block, columns, delimiter, null, ord(layout.quote), ord(layout.escape), special, quoted, out, ends
            )
        else:
            size = delimiting.text_lines(block, columns, delimiter, null, escapes, out, ends)
        return self._encoded(Piece(out.data[:size], ends))  # type: ignore[arg-type]

    def _prepare(self) -> tuple[Any, ...]:
        """What the kernels are given besides the rows: tables of 256 bytes, of which those not to be found are 0."""
        import numpy as np

        from restframe.storage.writing import batches

        style = self._layout.style
        layouts = [
            batches.layout(
                column.type, write, binary=False, zone=style.zone, extra_float_digits=style.extra_float_digits
            )
            for column, write in zip(self._columns, self._writers, strict=True)
        ]
        escapes, special = np.zeros(256, np.uint8), np.zeros(256, np.bool_)
        for byte, letter in self._escapes.items():
            escapes[ord(byte)] = ord(letter)
        special[[ord(byte) for byte in self._special]] = True
        null = np.frombuffer(self._null, np.uint8)
        self._for_kernels = layouts, null, np.array(self._quoted), escapes, special
        return self._for_kernels

    def _encoded(self, piece: Piece) -> Piece:
        """The same in the client's encoding, which has one byte a character."""
        codec = self._layout.encoding
        if codec == "utf-8":
            return piece
        start, rows = 0, []
        for end in piece.ends:
            rows.append(_recoded(bytes(piece.data[start:end]), codec))
            start = end
        return piece_of(rows)


def _recoded(line: bytes, codec: str) -> bytes:
    text = line.decode()
    try:
        return text.encode(codec)
    except UnicodeEncodeError as error:
        shown = " ".join(f"0x{byte:02x}" for byte in text[error.start].encode())
        raise errors.UntranslatableCharacter(
            f'character with byte sequence {shown} in encoding "UTF8" has no equivalent in '
            f'encoding "{codec.upper().replace("-", "")}"'
        ) from error
