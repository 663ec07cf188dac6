"""Streams of PostgreSQL's text and CSV formats."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from restframe import errors
from restframe.storage.copying import lines
from restframe.storage.copying.inputs import input_of, not_utf8, value_error
from restframe.storage.copying.lines import State, Wrong
from restframe.storage.copying.reader import StreamReader
from restframe.storage.loading.faults import Kind
from restframe.storage.loading.fields import Column, Fields
from restframe.storage.loading.strings import refuse_nul

if TYPE_CHECKING:
    import pyarrow as pa

_SHOWN = 100
_NO_NULL = np.frombuffer(b"", np.uint8)


@dataclass(frozen=True, slots=True)
class StreamLayout:
    """How a stream of text is written.

    null : the text of a field that is NULL
    header : whether a line of names comes first; `match` when it must name the columns, in their order
    quote, escape : of CSV; empty in the text format
    never_null, null_in_quotes : of CSV, a boolean a column
    encoding : a Python codec
    zone : the session's time zone
    """

    delimiter: str = "\t"
    null: str = "\\N"
    header: bool | Literal["match"] = False
    quote: str = ""
    escape: str = ""
    never_null: tuple[bool, ...] = ()
    null_in_quotes: tuple[bool, ...] = ()
    encoding: str = "utf-8"
    zone: str = "UTC"


class DelimitedReader(StreamReader):
    def __init__(self, layout: StreamLayout, columns: Sequence[Column], table: str) -> None:
        """NotSupportedError for a column whose type cannot be read from text."""
        super().__init__(columns, [input_of(column, layout.zone) for column in columns], table)
        self._layout = layout
        self._null = np.frombuffer(layout.null.encode(), np.uint8)
        self._never_null = np.array(layout.never_null or [False] * len(columns))
        self._null_in_quotes = np.array(layout.null_in_quotes or [False] * len(columns))
        self._stops = np.zeros(256, np.bool_)
        self._stops[[ord(layout.delimiter), ord("\n"), ord("\r"), ord(layout.quote or "\\")]] = True
        self._state = np.zeros(len(State), np.int64)

    def read(self, pieces: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        return super().read(pieces if self._layout.encoding == "utf-8" else _in_utf8(pieces, self._layout.encoding))

    def _start(self, fields: Fields, final: bool) -> int | None:
        if not self._layout.header:
            return 0
        # arrays of their own: a kernel is compiled for either whole arrays or slices of them
        first = replace(fields, starts=fields.starts[:, :1].copy(), ends=fields.ends[:, :1].copy())
        rows, begin = self._cut(first, 0, final)
        if rows:
            self._check_header(first)
        return begin if rows or final else None

    def _check_rest(self, rest: bytes) -> None:
        """What follows the end marker is passed over, as PostgreSQL does."""

    def _cut(self, fields: Fields, begin: int, final: bool) -> tuple[int, int]:
        layout, block, starts, ends = self._layout, fields.block, fields.starts, fields.ends
        end = len(fields.raw)
        if layout.quote:
            rows, begin, self._line = lines.split_csv(
                block, begin, end, final, self._line, ord(layout.delimiter), ord(layout.quote), ord(layout.escape),
                self._stops, self._null, self._never_null, self._null_in_quotes, self._state,
                starts, ends, fields.bounds, fields.kinds, fields.details,
            )  # fmt: skip
        else:
            rows, begin, self._line = lines.split_text(
                block, begin, end, final, self._line, ord(layout.delimiter), self._stops, self._null, self._state,
                starts, ends, fields.bounds, fields.kinds, fields.details,
            )  # fmt: skip
        self._ended = bool(self._state[State.ENDED])
        if self._state[State.ESCAPED]:
            fields.ascii_only = False
        if self._state[State.ESCAPED] or b"\0" in fields.raw:
            refuse_nul(block, starts, ends, _NO_NULL, fields.bounds[:rows], fields.kinds[:rows], fields.details[:rows])
        return rows, begin

    def _check_header(self, fields: Fields) -> None:
        """Only that it is a line, unless it has to match."""
        kind, found, wanted = int(fields.kinds[0]), int(fields.details[0, 1]), len(self._columns)
        if kind not in (0, Wrong.EXTRA, Wrong.MISSING):
            raise self._error(fields, 0)
        if self._layout.header != "match":
            return
        if found != wanted:
            raise errors.BadCopyFileFormat(
                f"wrong number of fields in header line: got {found}, expected {wanted}", where=self._place(fields, 0)
            )
        for number, column in enumerate(self._columns):
            name = fields.text(number, 0).decode("utf-8", "replace")
            if name != column.name:
                raise errors.BadCopyFileFormat(
                    f'column name mismatch in header line field {number + 1}: got "{name[:_SHOWN]}", '
                    f'expected "{column.name}"',
                    where=self._place(fields, 0),
                )

    # What is wrong

    def _error(self, fields: Fields, row: int) -> errors.Error:
        kind, (number, at) = int(fields.kinds[row]), fields.details[row].tolist()
        if number < 0 or kind >= min(Wrong):
            return self._record_error(fields, row, kind, at)
        column, text = self._columns[number], fields.text(number, row)
        error = value_error(column, kind, text, at, self._table)
        if kind == Kind.NOT_NULL:
            error.where = self._place(fields, row)
        else:
            value = text[:_SHOWN].decode("utf-8", "replace")
            error.where = f'COPY {self._table}, line {_line_of(fields, row)}, column {column.name}: "{value}"'
        return error

    def _record_error(self, fields: Fields, row: int, kind: int, found: int) -> errors.Error:
        """found : how many fields there were"""
        csv = bool(self._layout.quote)
        hint = None
        match kind:
            case Wrong.EXTRA:
                message = "extra data after last expected column"
            case Wrong.MISSING:
                message = f'missing data for column "{self._columns[found].name}"'
            case Wrong.RETURN:
                message = f"{'unquoted' if csv else 'literal'} carriage return found in data"
                hint = f"Use {'quoted CSV field' if csv else _escape('r')} to represent carriage return."
            case Wrong.NEWLINE:
                message = f"{'unquoted' if csv else 'literal'} newline found in data"
                hint = f"Use {'quoted CSV field' if csv else _escape('n')} to represent newline."
            case Wrong.MARKER:
                message = "end-of-copy marker corrupt"
            case Wrong.QUOTE:
                message = "unterminated CSV quoted field"
            case _:
                error = not_utf8(b"\0", 0)
                error.where = self._place(fields, row)
                return error
        return errors.BadCopyFileFormat(message, where=self._place(fields, row), hint=hint)

    def _place(self, fields: Fields, row: int) -> str:
        start, stop = fields.bounds[row, :2].tolist()
        shown = fields.raw[start : min(stop, start + _SHOWN)].decode("utf-8", "replace")
        return f'COPY {self._table}, line {_line_of(fields, row)}: "{shown}"'


def _escape(letter: str) -> str:
    return f'"\\{letter}"'


def _line_of(fields: Fields, row: int) -> int:
    """The last line of the record."""
    start, stop, line = fields.bounds[row].tolist()
    return int(line) + fields.raw.count(b"\n", start, stop)


def _in_utf8(pieces: Iterator[bytes], codec: str) -> Iterator[bytes]:
    """The pieces in UTF-8. Every character is one byte before."""
    for piece in pieces:
        try:
            yield codecs.decode(piece, codec).encode()
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise errors.CharacterNotInRepertoire(
                f'invalid byte sequence for encoding "{codec.upper().replace("-", "")}": 0x{byte:02x}'
            ) from error
