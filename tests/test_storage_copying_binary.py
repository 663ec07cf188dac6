"""Streams of PostgreSQL's binary COPY format to Arrow, and what is wrong with them."""

from __future__ import annotations

import datetime
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.storage.copying import SIGNATURE, TRAILER
from restframe.storage.copying.binary import BinaryReader
from restframe.storage.loading.fields import Column
from restframe.storage.writing.values import binary_writer
from restframe.types import SqlType, parse_type

HEADER = SIGNATURE + bytes(8)
TWO = "a int, b varchar(10)"
ONE = struct.pack(">i", 1)


def row(*fields: bytes | None) -> bytes:
    cells = [struct.pack(">i", -1) if f is None else struct.pack(">i", len(f)) + f for f in fields]
    return struct.pack(">h", len(fields)) + b"".join(cells)


def read(data: bytes, columns: str = TWO, piece: int = 1 << 20) -> list[Any]:
    targets = []
    for one in columns.split(", "):
        name, type_ = one.split(" ", 1)
        targets.append(Column(name, parse_type(type_.rstrip("!")), type_.endswith("!")))
    pieces = (data[i : i + piece] for i in range(0, len(data), piece))
    rows: list[Any] = []
    for batch in BinaryReader(targets, "t").read(pieces):
        rows += [tuple(value.as_py() for value in row) for row in zip(*batch.columns, strict=True)]
    return rows


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_rows_are_cut_wherever_the_pieces_are(piece: int) -> None:
    data = HEADER + row(ONE, b"x\ty") + row(None, None) + row(ONE, "é".encode()) + row(ONE, b"") + TRAILER
    assert read(data, piece=piece) == [(1, "x\ty"), (None, None), (1, "é"), (1, "")]


def test_an_extension_is_skipped_and_the_trailer_may_be_missing() -> None:
    assert read(SIGNATURE + struct.pack(">ii", 0, 3) + b"abc" + row(ONE, b"x")) == [(1, "x")]
    assert read(HEADER + TRAILER) == []


@pytest.mark.parametrize(
    ("type_", "data", "value"),
    [
        ("smallint", b"\xff\xfe", -2),
        ("bigint", struct.pack(">q", -(2**63)), -(2**63)),
        ("float4", struct.pack(">f", 1.5), 1.5),
        ("float8", struct.pack(">d", -0.1), -0.1),
        ("bool", b"\x01", True),
        ("date", struct.pack(">i", 59), datetime.date(2000, 2, 29)),
        ("time", struct.pack(">q", 1), datetime.time(0, 0, 0, 1)),
        ("timetz", struct.pack(">qi", 3_600_000_000, -7200), "01:00:00+02:00"),
        ("timestamp", struct.pack(">q", -1), datetime.datetime(1999, 12, 31, 23, 59, 59, 999999)),
        ("timestamptz", struct.pack(">q", 0), datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)),
        ("interval", struct.pack(">qii", 1_000_000, 2, 3), (3, 2, 1_000_000_000)),
        ("char(3)", b"ab ", "ab"),
        ("super", b'{"a":1}', '{"a":1}'),
        ("varbyte(3)", b"\0\xff", b"\0\xff"),
    ],
)
def test_values(type_: str, data: bytes, value: Any) -> None:
    assert read(HEADER + row(data) + row(None) + TRAILER, f"a {type_}") == [(value,), (None,)]


@pytest.mark.parametrize(
    ("written", "short", "wide"),
    [
        ("0", "0.00", "0.00000"),
        ("-1.255", "-1.26", "-1.25500"),
        ("0.005", "0.01", "0.00500"),
        ("0.0049", "0.00", "0.00490"),
        ("99999999.994", "99999999.99", "99999999.99400"),
        ("10000", "10000.00", "10000.00000"),
        ("1e-20", "0.00", "0.00000"),
        ("12345678.9", "12345678.90", "12345678.90000"),
    ],
)
def test_decimals_are_rounded_to_the_column(written: str, short: str, wide: str) -> None:
    data = binary_writer(SqlType("numeric", precision=38, scale=30))(Decimal(written))
    found = read(HEADER + row(data, data) + TRAILER, "a numeric(10,2), b numeric(30,5)")
    assert found == [(Decimal(short), Decimal(wide))]


@given(st.decimals(-(10**13), 10**13, places=4))
def test_decimals_that_fit_come_as_they_are(value: Decimal) -> None:
    data = binary_writer(SqlType("numeric", precision=18, scale=4))(value)
    assert read(HEADER + row(data, data) + TRAILER, "a numeric(18,4), b numeric(38,4)") == [(value, value)]


@pytest.mark.parametrize(
    ("data", "sqlstate", "message", "where"),
    [
        (b"", "22P04", "invalid COPY file header (missing length)", None),
        (b"1\tx\n", "22P04", "COPY file signature not recognized", None),
        (SIGNATURE + struct.pack(">ii", 1 << 16, 0), "22P04", "invalid COPY file header (WITH OIDS)", None),
        (SIGNATURE + struct.pack(">ii", 0, -1), "22P04", "invalid COPY file header (wrong length)", None),
        (HEADER + row(ONE), "22P04", "row field count is 1, expected 2", "COPY t, line 1"),
        (HEADER + row(ONE, b"x")[:-1], "22P04", "unexpected EOF in COPY data", "COPY t, line 1"),
        (HEADER + b"\0\2\xff\xff\xff\xfe", "22P04", "invalid field size", "COPY t, line 1"),
        (HEADER + TRAILER + b"x", "22P04", "received copy data after EOF marker", "COPY t, line 1"),
        (HEADER + row(ONE, b"x") + row(b"\1", b"x"), "22P03", "incorrect binary data format for type integer",
         "COPY t, line 2, column a"),
        (HEADER + row(ONE, b"\xff"), "22021", 'invalid byte sequence for encoding "UTF8": 0xff',
         "COPY t, line 1, column b"),
        (HEADER + row(ONE, b"a\0"), "22021", 'invalid byte sequence for encoding "UTF8": 0x00', "COPY t, line 1"),
        (HEADER + row(ONE, b"12345678901"), "22001", "value too long for type character varying(10)",
         "COPY t, line 1, column b"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(data: bytes, sqlstate: str, message: str, where: str | None) -> None:
    with pytest.raises(errors.Error) as caught:
        read(data, piece=1)
    assert (caught.value.sqlstate, caught.value.message, caught.value.where) == (sqlstate, message, where)


@pytest.mark.parametrize(
    ("type_", "data", "sqlstate"),
    [
        ("int!", None, "23502"),
        ("numeric(3,1)", binary_writer(SqlType("numeric", precision=38, scale=2))(Decimal("99.95")), "22003"),
        ("numeric(30,1)", struct.pack(">hhHhh", 1, 9, 0, 0, 1), "22003"),
        ("numeric(3,1)", struct.pack(">hhHh", 0, 0, 0xC000, 0), "22P03"),
        ("numeric(30,1)", struct.pack(">hhHh", 0, 0, 0xC000, 0), "22P03"),
        ("numeric(30,1)", struct.pack(">hhHh", 5, 0, 0, 0), "22P03"),
        ("numeric(3,1)", struct.pack(">hhHhh", 1, 0, 0, 0, 10_000), "22P03"),
        ("timestamp", struct.pack(">q", 2**63 - 2), "22007"),
        ("time", struct.pack(">q", -1), "22007"),
        ("timetz", b"\0", "22P03"),
        ("varbyte(2)", b"abc", "22001"),
        ("super", b"{", "22P02"),
    ],
)
def test_values_that_are_refused(type_: str, data: bytes | None, sqlstate: str) -> None:
    with pytest.raises(errors.Error) as caught:
        read(HEADER + row(data) + TRAILER, f"a {type_}")
    assert caught.value.sqlstate == sqlstate


@given(st.binary(max_size=60))
def test_any_bytes_are_rows_or_an_error(data: bytes) -> None:
    for piece in (1, 100):
        try:
            read(HEADER + data, "a smallint, b varchar(9), c numeric(9,2), d numeric(30,2)", piece)
        except errors.DataError:
            continue
