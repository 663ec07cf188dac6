"""What clients bind, in both formats, as their own drivers write it."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer
from psycopg.types.json import Json, Jsonb
from psycopg.types.numeric import Int2, Int4, Int8

from restframe import errors
from restframe.pgwire import oids
from restframe.pgwire.parameters import decode
from restframe.types import SqlType

TEXT, BINARY = 0, 1
INT4S = SqlType("array", element=SqlType("int4"))
TEXTS = SqlType("array", element=SqlType("varchar"))
NO_NUL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def bound(value: Any, format_: PyFormat = PyFormat.BINARY) -> Any:
    """A value as psycopg sends it, with the OID that it gives."""
    dumper = Transformer(None).get_dumper(value, format_)
    data = dumper.dump(value)
    assert data is not None
    type_ = oids.sql_type(dumper.oid) or SqlType("varchar")
    return decode(type_, int(dumper.format), bytes(data))


# As psycopg binds them


@given(st.integers(-(2**15), 2**15 - 1))
def test_integers_in_binary(value: int) -> None:
    assert [bound(kind(value)) for kind in (Int2, Int4, Int8)] == [value] * 3


@given(st.decimals(allow_nan=False, allow_infinity=False, places=9, min_value=-(10**20), max_value=10**20))
def test_decimals_in_binary(value: Decimal) -> None:
    got = bound(value)
    assert (got, got.as_tuple().exponent) == (value, value.as_tuple().exponent)


@pytest.mark.parametrize("text", ["0", "0.00", "-1E-30", "12345678901234567890.5", "1E+5", "-99999999.99990001"])
def test_decimals_of_every_size_in_binary(text: str) -> None:
    assert bound(Decimal(text)) == Decimal(text)


@given(st.floats(allow_nan=False))
def test_floats_in_binary(value: float) -> None:
    assert bound(value) == value


@given(NO_NUL)
def test_texts_in_both_formats(value: str) -> None:
    assert [bound(value, PyFormat.TEXT), bound(value)] == [value, value]


@given(st.binary())
def test_bytes_in_both_formats(value: bytes) -> None:
    as_text = b"\\x" + value.hex().encode()  # psycopg's own form depends on its connection
    assert [decode(SqlType("varbyte"), TEXT, as_text), bound(value)] == [value, value]
    assert decode(SqlType("varbyte"), TEXT, b"\\" + as_text) == value  # as libpq escapes it for older servers


@given(st.datetimes(), st.dates(), st.times())
def test_dates_and_times_in_binary(moment: dt.datetime, day: dt.date, clock: dt.time) -> None:
    assert (bound(moment), bound(day), bound(clock)) == (moment, day, clock)


def test_times_with_a_zone_in_binary() -> None:
    east = dt.timezone(dt.timedelta(hours=5, minutes=30))
    moment = dt.datetime(2024, 2, 29, 18, 0, tzinfo=east)
    assert bound(moment) == dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)
    clock = dt.time(18, 0, tzinfo=east)
    assert (bound(clock), bound(clock).utcoffset()) == (clock, dt.timedelta(hours=5, minutes=30))


def test_an_interval_has_months_days_and_nanoseconds() -> None:
    assert bound(dt.timedelta(days=2, microseconds=-3)) == (0, 1, 86_399_999_997_000)
    assert decode(SqlType("interval"), BINARY, struct.pack(">qii", 5, 3, 14)) == (14, 3, 5000)


@given(st.lists(st.none() | st.integers(-(2**31), 2**31 - 1), min_size=1).filter(any))
def test_lists_of_integers_in_binary(value: list[int | None]) -> None:
    typed = [None if one is None else Int4(one) for one in value]
    assert bound(typed) == value


@pytest.mark.parametrize("format_", [PyFormat.TEXT, PyFormat.BINARY])
@given(value=st.lists(st.none() | NO_NUL))
def test_lists_of_texts_in_both_formats(format_: PyFormat, value: list[str | None]) -> None:
    assert decode_list(value, format_) == value


def decode_list(value: list[str | None], format_: PyFormat) -> Any:
    dumper = Transformer(None).get_dumper(value, format_)
    data = dumper.dump(value)
    assert data is not None
    return decode(TEXTS, int(dumper.format), bytes(data))


def test_json_is_text_with_a_version_or_without() -> None:
    assert [bound(Json({"a": 1})), bound(Jsonb({"a": 1}))] == ['{"a": 1}', '{"a": 1}']


def test_booleans_and_oids() -> None:
    assert [bound(True), bound(False)] == [True, False]
    assert decode(SqlType("oid"), BINARY, b"\xff\xff\xff\xff") == 4_294_967_295
    assert decode(SqlType("regclass"), BINARY, struct.pack(">I", 1259)) == "1259"


# As other drivers do


@pytest.mark.parametrize("name", ["int4", "numeric", "timestamp", "interval", "bool", "super", "date"])
def test_a_text_stays_one(name: str) -> None:
    assert decode(SqlType(name), TEXT, "Grüße".encode()) == "Grüße"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{}", []),
        (" { 1 , null,NULL, 2 } ", ["1", None, None, "2"]),
        ('{"null","a,b","x\\"y","\\\\"}', ["null", "a,b", 'x"y', "\\"]),
        ("{a b,c\\,d}", ["a b", "c,d"]),
    ],
)
def test_arrays_in_text(text: str, values: list[str | None]) -> None:
    assert decode(TEXTS, TEXT, text.encode()) == values


@pytest.mark.parametrize("text", ["", "1,2", "{1", "{1,}", "{,1}", '{"a}', "{a}b}", "{{1},{2}}", "{1}}", '{"a"b}'])
def test_texts_that_are_no_array(text: str) -> None:
    with pytest.raises(errors.InvalidTextRepresentation, match="malformed array literal"):
        decode(TEXTS, TEXT, text.encode())


def test_a_long_array_that_is_none_is_refused_at_once() -> None:
    for text in ("{" + " " * 2_000_000 + '"', "{a" + " " * 2_000_000 + '"}', '{"' + "\\\\" * 1_000_000):
        with pytest.raises(errors.InvalidTextRepresentation):
            decode(TEXTS, TEXT, text.encode())


def test_redshifts_intervals() -> None:
    interval = SqlType("interval")
    assert decode(interval, BINARY, struct.pack(">qhh", 7, 0, 2)) == (2, 0, 7000)
    assert decode(interval, BINARY, struct.pack(">q", 7)) == (0, 0, 7000)
    assert decode(interval, BINARY, struct.pack(">i", -14)) == (-14, 0, 0)


def test_redshift_sends_bytes_as_hexadecimal_text() -> None:
    assert decode(SqlType("varbyte"), TEXT, b"616263") == "616263"


def test_times_that_python_has_not_are_texts() -> None:
    assert decode(SqlType("date"), BINARY, b"\x7f\xff\xff\xff") == "infinity"
    assert decode(SqlType("timestamp"), BINARY, b"\x80" + b"\0" * 7) == "-infinity"
    assert decode(SqlType("date"), BINARY, struct.pack(">i", -746_117)) == "0044-03-15 BC"
    far = struct.pack(">q", 400_000_000_000_000_000 - 946_684_800_000_000)
    assert decode(SqlType("timestamp"), BINARY, far) == "14645-06-30 15:06:40"
    assert decode(SqlType("timestamptz"), BINARY, far) == "14645-06-30 15:06:40+00"
    assert decode(SqlType("time"), BINARY, struct.pack(">q", 86_400_000_000)) == "24:00:00"
    assert decode(SqlType("timetz"), BINARY, struct.pack(">qi", 86_400_000_000, -3600)) == "24:00:00+01"


# What is none


MALFORMED = [
    ("int4", b"\0\0\0"), ("int2", b"\0\0\0\0"), ("int8", b""), ("float8", b"\0" * 4), ("bool", b""), ("bool", b"\0\0"),
    ("date", b"\0"), ("timestamp", b"\0" * 4), ("time", b"\xff" * 8), ("timetz", b"\0" * 8), ("oid", b"\0" * 3),
    ("timetz", struct.pack(">qi", 0, 90_000)), ("timetz", struct.pack(">qi", 0, -(2**31))), ("interval", b"\0" * 7),
    ("numeric", b""), ("numeric", struct.pack(">hhHH", 1, 0, 0, 0)), ("numeric", struct.pack(">hhHH", -1, 0, 0, 0)),
    ("numeric", struct.pack(">hhHHh", 1, 0, 0, 0, 10_000)), ("numeric", struct.pack(">hhHHh", 1, 0, 1, 0, 1)),
    ("numeric", struct.pack(">hhHHh", 1, 0, 0, 0x4000, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data"), MALFORMED)
def test_malformed_binary_values_name_their_parameter(name: str, data: bytes) -> None:
    with pytest.raises(errors.InvalidBinaryRepresentation, match="incorrect binary data format in bind parameter 3"):
        decode(SqlType(name), BINARY, data, 3)


def test_malformed_binary_arrays() -> None:
    two_dimensions = struct.pack(">iiI", 2, 0, 23) + struct.pack(">iiii", 1, 1, 1, 1) + struct.pack(">ii", 4, 1)
    endless = struct.pack(">iiIii", 1, 0, 23, 2**31 - 1, 1)
    cut = struct.pack(">iiIiii", 1, 0, 23, 1, 1, 100)
    longer = struct.pack(">iiIiiii", 1, 0, 23, 1, 1, 4, 7) + b"\0"
    for data in (b"", two_dimensions, endless, cut, longer):
        with pytest.raises(errors.InvalidBinaryRepresentation):
            decode(INT4S, BINARY, data)


@pytest.mark.parametrize("data", [b"\xff", b"a\xe2\x82", b"a\0b"])
@pytest.mark.parametrize("format_", [TEXT, BINARY])
def test_texts_must_be_utf8_without_nul(data: bytes, format_: int) -> None:
    with pytest.raises(errors.CharacterNotInRepertoire, match='invalid byte sequence for encoding "UTF8": 0x'):
        decode(SqlType("varchar"), format_, data)


def test_bytea_with_wrong_digits() -> None:
    with pytest.raises(errors.InvalidTextRepresentation):
        decode(SqlType("varbyte"), TEXT, b"\\xzz")


@given(st.sampled_from([name for name, _ in MALFORMED] + ["super", "varbyte", "timestamptz", "regclass"]), st.binary())
def test_any_bytes_are_a_value_or_an_error(name: str, data: bytes) -> None:
    for type_ in (SqlType(name), SqlType("array", element=SqlType(name))):
        for format_ in (TEXT, BINARY):
            try:
                decode(type_, format_, data)
            except errors.DataError as error:
                assert len(error.message) < 200


# Through a server


@pytest.mark.parametrize("binary", [True, False])
def test_decimals_keep_all_their_digits_on_the_way_into_a_table(pg: Any, binary: bool) -> None:
    fine, large = Decimal("0.12345678901234567890"), Decimal("9" * 38)
    with pg.connect(autocommit=True) as connection:
        connection.execute("create table wide (fine numeric(38,20), large numeric(38,0))")
        mark = "%b" if binary else "%t"
        connection.execute(f"insert into wide values ({mark}, {mark})", (fine, large))
        assert connection.execute("select * from wide").fetchall() == [(fine, large)]
        assert connection.execute(f"select count(*) from wide where fine = {mark}", (fine,)).fetchone() == (1,)


@pytest.mark.parametrize("binary", [True, False])
def test_every_type_makes_the_round_trip(pg: Any, binary: bool) -> None:
    east = dt.timezone(dt.timedelta(hours=2))
    values = {
        "smallint": -7, "int": 70_000, "bigint": -(2**62), "real": 0.5, "double precision": 0.1, "boolean": True,
        "numeric(8,2)": Decimal("-1.50"), "varchar(20)": "Grüße", "date": dt.date(2024, 2, 29),
        "time": dt.time(1, 2, 3, 500), "timestamp": dt.datetime(2024, 2, 29, 1, 2, 3, 4),
        "timestamptz": dt.datetime(2024, 2, 29, 1, 2, 3, tzinfo=east), "varbyte(10)": b"\0\xff",
        "interval": dt.timedelta(days=2, microseconds=5),
    }  # fmt: skip
    mark = "%b" if binary else "%t"
    with pg.connect() as connection:
        cursor = connection.cursor(binary=binary)
        casts = ", ".join(f"{mark}::{type_}" for type_ in values)
        assert cursor.execute(f"select {casts}", list(values.values())).fetchone() == tuple(values.values())
        nulls = cursor.execute(f"select {casts}", [None] * len(values)).fetchone()
        assert nulls == (None,) * len(values)


@pytest.mark.parametrize("binary", [True, False])
def test_a_list_stands_for_any_of_its_elements(pg: Any, binary: bool) -> None:
    mark = "%b" if binary else "%t"
    with pg.connect() as connection:
        found = connection.execute(f"select 5 = any({mark}), 'b' = any({mark})", ([1, 5], ["a", "ä"]))
        assert found.fetchone() == (True, False)
