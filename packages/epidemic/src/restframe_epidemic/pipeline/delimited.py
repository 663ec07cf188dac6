"""Delimited files into blocks of rows: the header is checked, every row knows its line, none gets lost."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from restframe_epidemic import errors
from restframe_epidemic.pipeline import values
from restframe_epidemic.pipeline.streams import BLOCK_BYTES, Block, RawFile
from restframe_epidemic.sources import Column, Source

_MOST_MALFORMED = 100_000  # lines of a block: more of them are another file, and to tell of each would take memory


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a raw file.

    columns : by header, as they were read: in the declared type, or texts where a value did not fit
    line : (n,) of each row, in the file
    malformed : lines that are no rows, and their text
    """

    columns: pa.Table
    line: NDArray[np.int64]
    malformed: list[tuple[int, str]]


def check_header(source: Source, name: str, header: list[str]) -> tuple[str, ...]:
    """The columns behind the declared ones; SchemaDrift, with the difference, when the header is another one.

    Only a wide source has columns behind.
    """
    expected = list(source.header)
    if source.wide and header[: len(expected)] == expected and len(header) > len(expected):
        wide = tuple(header[len(expected) :])
        if len(set(header)) < len(header):
            twice, _ = Counter(header).most_common(1)[0]
            raise errors.SchemaDrift(f'{name}:1: two columns are called "{_shown(twice)}"')
        return wide
    if not source.wide and header in (expected, [*expected, *source.may_follow]):
        return ()
    raise errors.SchemaDrift(
        f"{name}:1: the columns are not those that {source.name}.toml declares: {_difference(expected, header)}",
        hint="Nothing of the file was loaded. If the change is right, change the declaration.",
    )


def _difference(expected: list[str], found: list[str]) -> str:
    missing = [column for column in expected if column not in found]
    new = [column for column in found if column not in expected]
    told = []
    if missing:
        told.append(f"missing {_listed(missing)}")
    if new:
        told.append(f"new {_listed(new)}")
    if not missing:
        moved = [
            f'"{column[:60]}" is column {found.index(column) + 1} instead of {at + 1}'
            for at, column in enumerate(expected)
            if found.index(column) != at
        ]
        told += [f"reordered: {', '.join(moved[:5])}{' ...' if len(moved) > 5 else ''}"] if moved else []
    return "; ".join(told) or f"{len(found)} columns instead of {len(expected)}"


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{_shown(name)}"' for name in names[:10]) + (" ..." if len(names) > 10 else "")


def _shown(name: str) -> str:
    """The beginning of a name that a file gives, without what would move a terminal's cursor."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in name[:60])


def read(source: Source, file: RawFile) -> Iterator[Callable[[], Rows]]:
    """All rows of a delimited file, by block: each is parsed when it is called, in any thread.

    SchemaDrift or DataError, as `check_header` and `RawFile.blocks` say.
    """
    reader: _Reader | None = None
    for block in file.blocks(BLOCK_BYTES // 4 if source.wide else BLOCK_BYTES):
        if reader is None:
            first, _, rest = block.data.partition(b"\n")
            header = _fields(_in_utf8(first, source.encoding).decode(errors="replace"), source) or []
            check_header(source, file.name, header)
            reader = _Reader(source, header, file.name)
            block = Block(rest, 2, block.lines - 1)
        if block.data:
            yield partial(reader.rows, block)
    if reader is None:
        raise errors.DataError(f"{file.name}: the file is empty", hint="It has not even a header.")


def _in_utf8(data: bytes, encoding: str) -> bytes:
    """Whole lines in UTF-8. A line that is not of the encoding stays as it is, so that its values are told of."""
    if encoding == "utf-8":
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeDecodeError:
        lines = data.split(b"\n")
        return lines[0] if len(lines) == 1 else b"\n".join(_in_utf8(line, encoding) for line in lines)


def _fields(line: str, source: Source) -> list[str] | None:
    """Of one line; None when a quote in it is not closed."""
    try:
        rows = list(csv.reader([line.rstrip("\r\n")], delimiter=source.delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if rows else []


class _Reader:
    def __init__(self, source: Source, header: list[str], name: str) -> None:
        self._source = source
        self._name = name
        self._header = header
        self._wanted = {column.header: column for column in source.columns}
        if source.wide:
            self._wanted |= dict.fromkeys(header[len(source.header) :], source.wide.value)

    def rows(self, block: Block) -> Rows:
        """Of a block. Each line is a row or malformed: a quote that is not closed ends with its line.

        Arrow reads what is plain; the rest goes line by line, to the same result.
        """
        data = _in_utf8(block.data, self._source.encoding)
        if _is_plain(data, self._source.delimiter):
            malformed: list[tuple[int, str]] = []
            table = self._read(data, malformed, block.line)
            if table.num_rows + len(malformed) == block.lines:  # fewer where one is blank
                return Rows(table, _numbers(block, malformed), _placed(malformed, block.line))
        return self._line_by_line(data, block)

    def _line_by_line(self, data: bytes, block: Block) -> Rows:
        malformed: list[tuple[int, str]] = []
        whole = io.StringIO()
        writer = csv.writer(whole, delimiter=self._source.delimiter, lineterminator="\n")
        for at, line in enumerate(data.removesuffix(b"\n").split(b"\n"), 1):
            text = line.removesuffix(b"\r").decode(errors="surrogateescape")  # bytes that are no text come through
            fields = _fields(text, self._source)
            if fields is None or len(fields) != len(self._header) or "\r" in text:
                malformed.append((at, _text(text).decode(errors="replace")))
                self._check(malformed, block.line)
            else:
                writer.writerow(fields)
        table = self._read(_text(whole.getvalue()), [], block.line)
        return Rows(table, _numbers(block, malformed), _placed(malformed, block.line))

    def _check(self, malformed: list[tuple[int, str]], first: int) -> None:
        """DataError when there are too many lines that are no rows, in a block that begins with a line."""
        if len(malformed) > _MOST_MALFORMED:
            raise errors.DataError(
                f"{self._name}:{first + malformed[0][0] - 1}: from here on more than {_MOST_MALFORMED:,} lines are no"
                f" rows of {len(self._header)} columns",
                hint="Nothing of the file was loaded. Fetch it again.",
            )

    def _read(self, data: bytes, malformed: list[tuple[int, str]], first: int) -> pa.Table:
        def skip(row: pa.csv.InvalidRow) -> str:
            malformed.append((row.number, row.text))
            return "skip" if len(malformed) <= _MOST_MALFORMED else "error"

        found = len(malformed)
        if not data:
            return pa.table({name: pa.array([], pa.string()) for name in self._wanted})
        try:
            return self._parse(data, skip, direct=True)
        except pa.ArrowInvalid:  # a value does not fit its column: all as texts, so that it can be told which
            self._check(malformed, first)
            del malformed[found:]
            return self._parse(data, skip, direct=False)

    def _parse(self, data: bytes, skip: object, *, direct: bool) -> pa.Table:
        def kind(column: Column) -> pa.DataType:
            if not direct:
                return pa.binary()
            return values.arrow_type(column) if values.is_direct(column) else pa.string()

        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                column_names=self._header, use_threads=False, block_size=max(len(data), 1 << 16)
            ),
            parse_options=pyarrow.csv.ParseOptions(
                delimiter=self._source.delimiter, invalid_row_handler=skip, ignore_empty_lines=True
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={name: kind(column) for name, column in self._wanted.items()},
                include_columns=list(self._wanted),
                null_values=list(self._source.nulls),
                strings_can_be_null=True,
                true_values=list(values.TRUE),
                false_values=list(values.FALSE),
            ),
        ).combine_chunks()


def _is_plain(data: bytes, delimiter: str) -> bool:
    """Whether Arrow's reader says the same of it as Python's, which knows of lines: it is text, as Arrow cannot show a
    line that is none, \\r stands before \\n alone, and each quote opens a value, closes one or is one of two inside.
    """
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return False
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    if b'"' not in data:
        return True
    from restframe_epidemic.pipeline.kernels import well_quoted

    return bool(well_quoted(np.frombuffer(data, np.uint8), ord(delimiter)))


def _text(escaped: str) -> bytes:
    return escaped.encode(errors="surrogateescape")


def _numbers(block: Block, malformed: list[tuple[int, str]]) -> NDArray[np.int64]:
    """The numbers of a block's lines that are rows."""
    numbers = np.arange(block.line, block.line + block.lines, dtype=np.int64)
    return np.delete(numbers, [at - 1 for at, _ in malformed]) if malformed else numbers


def _placed(malformed: list[tuple[int, str]], first: int) -> list[tuple[int, str]]:
    return [(first + at - 1, text[:256]) for at, text in malformed]
