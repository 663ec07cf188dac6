"""The kernels that cut records and fields, held against the same rules written as regular expressions."""

from __future__ import annotations

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.fields import Column
from restframe.storage.loading.text import Layout, TextReader
from restframe.types import parse_type

COLUMNS = 3
END = r"(?=\||\r?\n|\r?\Z)"

Rows = list[list[str] | None]  # None is a refused record


def read(data: str, layout: Layout, block_bytes: int) -> Rows:
    columns = [Column(f"c{i}", parse_type("varchar(1000)")) for i in range(COLUMNS)]
    reader = TextReader(layout, columns, Conversion(null=b"\xff"))
    encoded = data.encode()
    pieces = [encoded[i : i + block_bytes] for i in range(0, len(encoded), block_bytes)]
    rows: Rows = []
    refused = 0
    for batch in reader.read(pieces, block_bytes=block_bytes):
        rows += [list(row) for row in zip(*(column.to_pylist() for column in batch.rows.columns), strict=True)]
        refused += len(batch.faults)
    return rows + [None] * refused


def expected(records: Rows) -> Rows:
    """What becomes of records by their number of fields: good rows in order, then the refused ones."""
    good: Rows = []
    for record in records:
        if record is not None and len(record) == COLUMNS + 1 and record[-1] == "":
            record = record[:-1]
        if record is not None and len(record) == COLUMNS:
            good.append(record)
    return good + [None] * (len(records) - len(good))


def line_end(data: str, at: int) -> int:
    end = data.find("\n", at)
    return len(data) if end < 0 else end


def without_return(field: str, data: str, end: int) -> str:
    """A return before the line end is part of the line end."""
    at_line_end = end == len(data) or data[end] == "\n"
    return field[:-1] if at_line_end and field.endswith("\r") else field


# CSV

QUOTED = re.compile(r'[ \t]*"((?:[^"]|"")*)"(?!")[ \t]*(?:\r(?=\n|\Z))?')


def csv_records(data: str) -> Rows:
    records: Rows = []
    at = 0
    while at < len(data):
        fields: list[str] = []
        good = True
        while True:
            quoted = QUOTED.match(data, at)
            if quoted:
                at = quoted.end()
                fields.append(quoted[1].replace('""', '"'))
            elif re.compile(r'[ \t]*"').match(data, at):
                at = len(data)  # the quote never ends
                good = False
            else:
                plain = re.compile(r'[^,"\n]*').match(data, at)
                assert plain is not None
                at = plain.end()
                fields.append(without_return(plain[0], data, at))
            good &= at == len(data) or data[at] in ",\n"
            if not good or at == len(data) or data[at] == "\n":
                break
            at += 1
        records.append(fields if good else None)
        at = line_end(data, at) + 1
    return records


pieces = st.lists(st.sampled_from(["a", "bc", ",", "\n", '"', '""', " ", "\t", "\r", "\r\n", "é"]), max_size=25)


@given(pieces.map("".join), st.integers(1, 9))
@example('"a"\r\n', 2)
@example('a,"b\nc",d\r', 1)
@settings(max_examples=600, deadline=None)
def test_csv(data: str, block_bytes: int) -> None:
    assert read(data, Layout(ord(","), ord('"')), block_bytes) == expected(csv_records(data))


# ESCAPE and REMOVEQUOTES


def delimited_records(data: str, escape: bool, remove_quotes: bool) -> Rows:
    inside = r"(?:\\[\s\S]|[^\n\\])*?" if escape else r"[^\n]*?"
    outside = r"(?:\\[\s\S]|[^|\n\\])*" if escape else r"[^|\n]*"
    quoted = re.compile(rf"""(["'])({inside})\1{END}""")
    plain = re.compile(f"{outside}\\\\?" if escape else outside)
    records: Rows = []
    at = 0
    while at < len(data):
        fields: list[str] = []
        good = True
        while True:
            opened = remove_quotes and data[at : at + 1] in ('"', "'") and at < len(data)
            match = quoted.match(data, at) if opened else plain.match(data, at)
            if match is None:
                # The next line end that is not escaped ends the record.
                rest = re.compile(r"(?:\\[\s\S]|[^\n\\])*\\?" if escape else r"[^\n]*").match(data, at)
                assert rest is not None
                at, good = rest.end(), False
                break
            at = match.end()
            text = match[2] if opened else match[0]
            escaped_return = escape and re.search(r"(?:^|[^\\])(?:\\\\)*\\\r\Z", text) is not None
            if not opened and not escaped_return:
                text = without_return(text, data, at)
            fields.append(re.sub(r"\\([\s\S])", r"\1", text) if escape else text)
            if opened and data[at : at + 1] == "\r":
                at += 1
            if at == len(data) or data[at] == "\n":
                break
            at += 1
        records.append(fields if good else None)
        at = line_end(data, at) + 1
    return records


marks = st.lists(st.sampled_from(["a", "bc", "|", "\n", '"', "'", "\\", "\\\\", " ", "\r", "\r\n", "é"]), max_size=25)


@given(marks.map("".join), st.booleans(), st.booleans(), st.integers(1, 9))
@example("'a'\r\n", False, True, 2)
@example("a\\\r\n|b", True, False, 1)
@settings(max_examples=900, deadline=None)
def test_delimited(data: str, escape: bool, remove_quotes: bool, block_bytes: int) -> None:
    layout = Layout(escape=escape, remove_quotes=remove_quotes)
    assert read(data, layout, block_bytes) == expected(delimited_records(data, escape, remove_quotes))


# FIXEDWIDTH


@given(st.lists(st.text("ab é😀", max_size=9), max_size=5), st.sampled_from(["\n", "\r\n"]), st.integers(1, 9))
@settings(max_examples=300, deadline=None)
def test_fixed_width(lines: list[str], terminator: str, block_bytes: int) -> None:
    widths = (2, 3, 2)
    records: Rows = []
    for line in lines:
        fields = [line[:2], line[2:5], line[5:7]]
        records.append(fields if 5 < len(line) <= 7 else None)
    data = "".join(line + terminator for line in lines)
    assert read(data, Layout(widths=widths), block_bytes) == expected(records)
