"""Streams of PostgreSQL's text and CSV formats to Arrow, and what is wrong with them."""

from __future__ import annotations

import datetime
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.storage.copying import reader
from restframe.storage.copying.delimited import DelimitedReader, StreamLayout
from restframe.storage.loading.fields import Column
from restframe.types import parse_type

pytestmark = pytest.mark.usefixtures("either_way")

CSV = StreamLayout(delimiter=",", null="", quote='"', escape='"')
TWO = "a int, b varchar(10)"


def read(data: bytes, columns: str = TWO, layout: StreamLayout | None = None, piece: int = 1 << 20) -> list[Any]:
    """The rows of a stream that comes in pieces of a size; `!` behind a type is NOT NULL."""
    targets = []
    for one in columns.split(", "):
        name, type_ = one.split(" ", 1)
        targets.append(Column(name, parse_type(type_.rstrip("!")), type_.endswith("!")))
    pieces = (data[i : i + piece] for i in range(0, len(data), piece))
    rows: list[Any] = []
    for batch in DelimitedReader(layout or StreamLayout(), targets, "t").read(pieces):
        rows += [tuple(value.as_py() for value in row) for row in zip(*batch.columns, strict=True)]
    return rows


def refusal(data: bytes, columns: str = TWO, layout: StreamLayout | None = None) -> tuple[str, str, str | None]:
    with pytest.raises(errors.Error) as caught:
        read(data, columns, layout, piece=3)
    return caught.value.sqlstate, caught.value.message, caught.value.where


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"", []),
        (b"1\tx\n2\t\\N\n", [(1, "x"), (2, None)]),
        (b"1\tx\n\\N\t", [(1, "x"), (None, "")]),
        (b"1\tx\r\n2\ty\r\n", [(1, "x"), (2, "y")]),
        (b"1\tx\r2\ty\r", [(1, "x"), (2, "y")]),
        (b"1\tx\n\\.\nwhatever", [(1, "x")]),
        (b"1\tx\r\n\\.\r\n", [(1, "x")]),
        (b"1\tx\\.\n2\ty\n", [(1, "x")]),
        (b"1\t\\\\N\n2\t\\\\.\n", [(1, "\\N"), (2, "\\.")]),
        (b"1\t\\b\\f\\n\\r\\t\\v\\q\\\\\n", [(1, "\b\f\n\r\t\vq\\")]),
        (b"1\t\\101\\x42\\x4a\\7\\xg\n", [(1, "ABJ\x07xg")]),
        (b"1\t\\303\\251\\xc3\\xa9\n", [(1, "éé")]),
        (b"1\ta\\\tb\\\nc\n2\ty\n", [(1, "a\tb\nc"), (2, "y")]),
        (b"1\tx\\", [(1, "x")]),
        (b"1\t1234567890  \n", [(1, "1234567890")]),
    ],
)
def test_text(data: bytes, rows: list[Any], piece: int) -> None:
    assert read(data, piece=piece) == rows


@pytest.mark.parametrize("piece", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'1,"a""b,\r\n"\n2,\n3,""\n4,x"y"z\n', [(1, 'a"b,\r\n'), (2, None), (3, ""), (4, "xyz")]),
        (b"1,x\r\n2,y", [(1, "x"), (2, "y")]),
        (b"1,\\.\n\\.\nwhatever", [(1, "\\.")]),
        (b'1,"\\."\n2,a\\\n', [(1, "\\."), (2, "a\\")]),
        (b'"1","""x"""\n', [(1, '"x"')]),
    ],
)
def test_csv(data: bytes, rows: list[Any], piece: int) -> None:
    assert read(data, layout=CSV, piece=piece) == rows


def test_csv_with_an_escape_of_its_own() -> None:
    layout = StreamLayout(delimiter=";", null="-", quote="'", escape="\\")
    assert read(b"1;'a\\'b\\\\c\\d'\n-;-\n2;'-'\n", layout=layout) == [(1, "a'b\\c\\d"), (None, None), (2, "-")]


def test_which_fields_of_csv_are_null() -> None:
    layout = StreamLayout(",", "", False, '"', '"', never_null=(False, True), null_in_quotes=(True, False))
    assert read(b'"",\n1,""\n', layout=layout) == [(None, ""), (1, "")]


@pytest.mark.parametrize("piece", [1, 1000])
def test_a_header_is_skipped_or_must_match(piece: int) -> None:
    skipping = StreamLayout(",", "", True, '"', '"')
    assert read(b'a,"b\n",c,d\n1,x\n', layout=skipping, piece=piece) == [(1, "x")]
    assert read(b"a\n", layout=skipping, piece=piece) == []
    matching = StreamLayout(header="match")
    assert read(b"a\tb\n1\tx\n", layout=matching, piece=piece) == [(1, "x")]
    assert refusal(b"a\tc\n1\tx\n", layout=matching) == (
        "22P04",
        'column name mismatch in header line field 2: got "c", expected "b"',
        'COPY t, line 1: "a\tc"',
    )
    assert refusal(b"a\n1\tx\n", layout=matching)[1] == "wrong number of fields in header line: got 1, expected 2"


def test_other_encodings() -> None:
    assert read("1\té\n".encode("latin-1"), layout=StreamLayout(encoding="latin-1"), piece=1) == [(1, "é")]
    assert refusal(b"1\t\x81\n", layout=StreamLayout(encoding="cp1252"))[0] == "22021"


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("smallint", " -7 ", -7),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("bool", "on", True),
        ("bool", "FAL", False),
        ("bool", "0", False),
        ("numeric(5,2)", "1.005", Decimal("1.01")),
        ("numeric(5,2)", "-1e2", Decimal("-100.00")),
        ("numeric(5,2)", "7.", Decimal("7.00")),
        ("numeric(30,2)", "1234567890123456789.125", Decimal("1234567890123456789.13")),
        ("numeric(30,2)", "12.5e-1", Decimal("1.25")),
        ("float8", "1e-5", 1e-5),
        ("float8", "-Infinity", float("-inf")),
        ("float4", "1.", 1.0),
        ("date", "2020-02-29", datetime.date(2020, 2, 29)),
        ("date", "Jan 5 2020", datetime.date(2020, 1, 5)),
        ("timestamp", "2020-01-02 03:04:05.678901", datetime.datetime(2020, 1, 2, 3, 4, 5, 678901)),
        ("timestamp", "2020-01-02T03:04", datetime.datetime(2020, 1, 2, 3, 4)),
        ("timestamptz", "2020-01-02 03:04:05+02", datetime.datetime(2020, 1, 2, 1, 4, 5, tzinfo=datetime.UTC)),
        ("time", "23:59:59.5", datetime.time(23, 59, 59, 500000)),
        ("char(4)", "ab  ", "ab"),
        ("super", '{"a": [1]}', '{"a": [1]}'),
        ("varbyte(3)", "\\\\x414243", b"ABC"),
        ("varbyte(3)", "\\\\\\\\x41", b"A"),
        ("varbyte(3)", "4142", b"AB"),
        ("varbyte(3)", "", b""),
    ],
)
def test_values(type_: str, text: str, value: Any) -> None:
    assert read(f"{text}\n".encode(), f"a {type_}") == [(value,)]


def test_timestamps_without_a_zone_are_of_the_session() -> None:
    data = b"2020-07-01 12:00:00\n2020-07-01 12:00:00.5+00\n2020-01-01\n\\N\n"
    found = read(data, "a timestamptz", StreamLayout(zone="Europe/Berlin"))
    assert [None if value is None else f"{value:%m-%d %H:%M}" for (value,) in found] == [
        "07-01 10:00",
        "07-01 12:00",
        "12-31 23:00",
        None,
    ]


@pytest.mark.parametrize(
    ("type_", "text", "sqlstate", "message"),
    [
        ("int", "", "22P02", 'invalid input syntax for type integer: ""'),
        ("int", "1x", "22P02", 'invalid input syntax for type integer: "1x"'),
        ("int", "2147483648", "22003", 'value "2147483648" is out of range for type integer'),
        ("numeric(5,2)", "1000", "22003", "numeric field overflow"),
        ("numeric(5,2)", "1e90000", "22003", "numeric field overflow"),
        ("numeric(30,2)", "9" * 29, "22003", "numeric field overflow"),
        ("numeric(5,2)", "x", "22P02", 'invalid input syntax for type numeric: "x"'),
        ("float8", "1e400", "22003", '"1e400" is out of range for type double precision'),
        ("float8", "", "22P02", 'invalid input syntax for type double precision: ""'),
        ("bool", "o", "22P02", 'invalid input syntax for type boolean: "o"'),
        ("date", "2020-13-01", "22007", 'date/time field value out of range: "2020-13-01"'),
        ("timestamp", "then", "22007", 'invalid input syntax for type timestamp: "then"'),
        ("timestamp", "", "22007", 'invalid input syntax for type timestamp: ""'),
        ("varchar(3)", "abcd", "22001", "value too long for type character varying(3)"),
        ("varchar(3)", "éé", "22001", "value too long for type character varying(3)"),
        ("varchar(3)", "\\377", "22021", 'invalid byte sequence for encoding "UTF8": 0xff'),
        ("super", "{x", "22P02", 'invalid input syntax for type super: "{x"'),
        ("varbyte(3)", "41424344", "22001", "value too long for type binary varying(3)"),
        ("varbyte(3)", "4", "22P02", 'invalid input syntax for type binary varying: "4"'),
    ],
)
def test_values_that_are_refused(type_: str, text: str, sqlstate: str, message: str) -> None:
    assert refusal(f"\\N\n{text}\n".encode(), f"a {type_}")[:2] == (sqlstate, message)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1\tx\n2\n", ("22P04", 'missing data for column "b"', 'COPY t, line 2: "2"')),
        (b"1\tx\n\n", ("22P04", 'missing data for column "b"', 'COPY t, line 2: ""')),
        (b"1\tx\ty\n", ("22P04", "extra data after last expected column", 'COPY t, line 1: "1\tx\ty"')),
        (b"1\tx\n2\ty\r\n", ("22P04", "literal carriage return found in data", 'COPY t, line 2: "2\ty"')),
        (b"1\tx\r\n2\ty\n", ("22P04", "literal newline found in data", 'COPY t, line 2: "2\ty"')),
        (b"1\tx\n\\.x\n", ("22P04", "end-of-copy marker corrupt", 'COPY t, line 2: ""')),
        (b"1\ta\0b\n", ("22021", 'invalid byte sequence for encoding "UTF8": 0x00', 'COPY t, line 1: "1\ta\0b"')),
        (b"1\t\\000\n", ("22021", 'invalid byte sequence for encoding "UTF8": 0x00', 'COPY t, line 1: "1\t\\000"')),
        (
            b"1\tx\\\ny\n2x\tz\n",
            ("22P02", 'invalid input syntax for type integer: "2x"', 'COPY t, line 3, column a: "2x"'),
        ),
    ],
)
def test_the_place_of_what_is_wrong_in_text(data: bytes, expected: tuple[str, str, str]) -> None:
    assert refusal(data) == expected


@pytest.mark.parametrize(
    ("data", "message", "where"),
    [
        (b'1,"x\ny', "unterminated CSV quoted field", 'COPY t, line 2: "1,"x\ny"'),
        (b"1,x\n2,y\r\n", "unquoted carriage return found in data", 'COPY t, line 2: "2,y"'),
        (b'1,"x\n"\n2', 'missing data for column "b"', 'COPY t, line 3: "2"'),
    ],
)
def test_the_place_of_what_is_wrong_in_csv(data: bytes, message: str, where: str) -> None:
    assert refusal(data, layout=CSV) == ("22P04", message, where)


def test_null_in_a_column_that_takes_none() -> None:
    assert refusal(b"1\tx\n\\N\ty\n", "a int!, b varchar(10)") == (
        "23502",
        'null value in column "a" of relation "t" violates not-null constraint',
        'COPY t, line 2: "\\N\ty"',
    )


def test_the_first_wrong_row_is_told_whatever_column_it_is_wrong_in() -> None:
    assert refusal(b"1\tx\n2\t12345678901\nx\ty\n3\n")[2] == 'COPY t, line 2, column b: "12345678901"'


def test_a_row_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROW_BYTES", 3 << 20)
    taken = []

    def endless() -> Any:
        yield b"1\tx\n2\t"
        while True:
            taken.append(1)
            yield bytes(1 << 16).replace(b"\0", b"x")

    targets = [Column("a", parse_type("int")), Column("b", parse_type("varchar(10)"))]
    with pytest.raises(errors.ProgramLimitExceeded) as caught:
        list(DelimitedReader(StreamLayout(), targets, "t").read(endless()))
    assert (caught.value.message, caught.value.where) == ("a row is longer than 3 MB", "COPY t, line 2")
    assert len(taken) < 130


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=8), st.integers(1, 7))
def test_text_that_was_escaped_is_read_back(rows: Sequence[tuple[str | None, str | None]], piece: int) -> None:
    escapes = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b"})
    lines = ["\t".join("\\N" if c is None else c.translate(escapes) for c in row) + "\n" for row in rows]
    assert read("".join(lines).encode(), "a varchar(100), b varchar(100)", piece=piece) == list(rows)


@given(st.lists(st.tuples(st.none() | TEXTS, st.none() | TEXTS), max_size=8), st.integers(1, 7), st.sampled_from('"\\'))
def test_csv_that_was_quoted_is_read_back(rows: Sequence[Any], piece: int, escape: str) -> None:
    def quoted(cell: str | None) -> str:
        if cell is None:
            return ""
        doubled = cell.replace(escape, escape * 2)
        return '"' + (doubled if escape == '"' else doubled.replace('"', escape + '"')) + '"'

    data = "".join(",".join(map(quoted, row)) + "\n" for row in rows).encode()
    layout = StreamLayout(delimiter=",", null="", quote='"', escape=escape)
    assert read(data, "a varchar(100), b varchar(100)", layout, piece) == list(rows)


@given(st.binary(max_size=60))
def test_any_bytes_are_rows_or_an_error(data: bytes) -> None:
    for layout in (StreamLayout(), CSV):
        outcomes = []
        for piece in (1, 60):
            try:
                outcomes.append(read(data, "a varchar(9), b varchar(9)", layout, piece))
            except errors.DataError as error:
                outcomes.append([error.message])
        assert outcomes[0] == outcomes[1]


def test_many_rows_in_pieces_of_any_size() -> None:
    seeded = random.Random(1)
    rows = [(i, f"x{i % 7}" * (i % 4)) for i in range(50_000)]
    data = "".join(f"{a}\t{b}\n" for a, b in rows).encode()
    pieces, at = [], 0
    while at < len(data):
        size = seeded.randrange(1, 5000)
        pieces.append(data[at : at + size])
        at += size
    targets = [Column("a", parse_type("int")), Column("b", parse_type("varchar(10)"))]
    found = [
        row
        for batch in DelimitedReader(StreamLayout(), targets, "t").read(iter(pieces))
        for row in zip(*batch.to_pydict().values(), strict=True)
    ]
    assert found == rows
