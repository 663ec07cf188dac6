"""Single values in both formats, and back again through psycopg's own loaders and Redshift's driver."""

from __future__ import annotations

import datetime as dt
import struct
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import Transformer
from psycopg.pq import Format

from restframe import errors
from restframe.pgwire import oids, values
from restframe.storage.writing.values import Style
from restframe.types import SqlType

TEXT, BINARY = Format.TEXT, Format.BINARY
EPOCH = dt.datetime(1970, 1, 1)


def write(name: str, value: Any, binary: bool = False, redshift: bool = False, **modifiers: Any) -> bytes:
    return values.writer(SqlType(name, **modifiers), binary, redshift)(value)


def microseconds(value: dt.datetime) -> int:
    return (value - EPOCH) // dt.timedelta(microseconds=1)


def loaded(type_: SqlType, value: Any, format_: Format) -> Any:
    """What psycopg makes of our bytes."""
    data = values.writer(type_, format_ == BINARY, redshift=False)(value)
    oid = oids.wire(type_, redshift=False)[0]
    return Transformer(None).get_loader(oid, format_).load(data)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("bool", True, b"t"),
        ("bool", False, b"f"),
        ("int4", -5, b"-5"),
        ("varchar", "Grüße", "Grüße".encode()),
        ("super", '{"a":1}', b'{"a":1}'),
        ("varbyte", b"abc", b"\\x616263"),
        ("float8", 0.1, b"0.1"),
        ("float8", 100.0, b"100"),
        ("float8", 1e15, b"1e+15"),
        ("float8", 1234567890123456.0, b"1.234567890123456e+15"),
        ("float8", 1e-5, b"1e-05"),
        ("float8", float("nan"), b"NaN"),
        ("float8", float("-inf"), b"-Infinity"),
        ("float4", struct.unpack("<f", struct.pack("<f", 0.1))[0], b"0.1"),
        ("float4", 1e6, b"1e+06"),
        ("numeric", Decimal("-0.0000001"), b"-0.0000001"),
        ("date", 19_782, b"2024-02-29"),
        ("date", -733_407, b"0039-01-01 BC"),
        ("date", 2**31 - 1, b"infinity"),
        ("time", 45_296_000_000, b"12:34:56"),
        ("timetz", 45_296_500_000, b"12:34:56.5+00"),
        ("timestamp", 1_709_210_096_000_000, b"2024-02-29 12:34:56"),
        ("timestamp", 1_709_210_096_000_100, b"2024-02-29 12:34:56.0001"),
        ("timestamp", -(2**63) + 1, b"-infinity"),
        ("timestamptz", 1_709_210_096_000_000, b"2024-02-29 12:34:56+00"),
        ("interval", (14, 3, 14_706_500_000_000), b"1 year 2 mons 3 days 04:05:06.5"),
        ("interval", (-1, 2, -1_000_000_000), b"-1 mons +2 days -00:00:01"),
        ("interval", (0, 0, 0), b"00:00:00"),
    ],
)
def test_texts_are_as_redshift_prints_them(name: str, value: Any, text: bytes) -> None:
    assert write(name, value) == text


def test_a_timestamptz_is_printed_in_the_sessions_zone() -> None:
    def printed(zone: str, moment: int) -> bytes:
        return values.writer(SqlType("timestamptz"), False, False, Style(zone))(moment)

    assert printed("Europe/Berlin", 1_709_210_096_000_000) == b"2024-02-29 13:34:56+01"
    assert printed("Europe/Berlin", 1_719_835_200_000_000) == b"2024-07-01 14:00:00+02"
    assert printed("Asia/Kolkata", 1_709_210_096_000_000) == b"2024-02-29 18:04:56+05:30"
    assert printed("America/New_York", -5_000_000_000_000_000) == b"1811-07-23 10:10:38-04:56:02"
    assert printed("America/New_York", 400_000_000_000_000_000) == b"14645-06-30 11:06:40-04"


def test_digits_of_floats_can_be_asked_for() -> None:
    def printed(name: str, digits: int) -> bytes:
        return values.writer(SqlType(name), False, False, Style("UTC", digits))(0.1 + 0.2)

    assert [printed("float8", digits) for digits in (3, 0, -1, -13)] == [
        b"0.30000000000000004", b"0.30000000000000004", b"0.3", b"0.3",
    ]  # fmt: skip
    assert printed("float4", -4) == b"0.3"


@given(st.floats(allow_nan=False))
def test_texts_of_floats_read_back(value: float) -> None:
    assert float(write("float8", value).replace(b"Infinity", b"inf")) == value


@given(st.floats(width=32, allow_nan=False))
def test_texts_of_small_floats_read_back(value: float) -> None:
    text = write("float4", value).decode()
    assert struct.pack("<f", float(text)) == struct.pack("<f", value)


# Through psycopg


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(number=st.integers(-(2**63), 2**63 - 1))
def test_integers_reach_psycopg(format_: Format, number: int) -> None:
    assert loaded(SqlType("int8"), number, format_) == number


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(number=st.integers(-(10**38) + 1, 10**38 - 1), scale=st.integers(0, 37))
def test_decimals_reach_psycopg(format_: Format, number: int, scale: int) -> None:
    value = Decimal(f"{number}E-{scale}")
    got = loaded(SqlType("numeric", precision=38, scale=scale), value, format_)
    assert (got, got.as_tuple().exponent) == (value, -scale)


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(value=st.datetimes())
def test_timestamps_reach_psycopg(format_: Format, value: dt.datetime) -> None:
    assert loaded(SqlType("timestamp"), microseconds(value), format_) == value


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(value=st.dates())
def test_dates_reach_psycopg(format_: Format, value: dt.date) -> None:
    assert loaded(SqlType("date"), (value - EPOCH.date()).days, format_) == value


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(value=st.times())
def test_times_reach_psycopg(format_: Format, value: dt.time) -> None:
    of_day = microseconds(dt.datetime.combine(EPOCH, value))
    assert loaded(SqlType("time"), of_day, format_) == value
    assert loaded(SqlType("timetz"), of_day, format_) == value.replace(tzinfo=dt.UTC)


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(days=st.integers(-10_000, 10_000), moment=st.integers(-(10**12), 10**12))
def test_intervals_reach_psycopg(format_: Format, days: int, moment: int) -> None:
    got = loaded(SqlType("interval"), (0, days, moment * 1000), format_)
    assert got == dt.timedelta(days=days, microseconds=moment)


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(value=st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_arrays_of_text_reach_psycopg(format_: Format, value: list[str | None]) -> None:
    assert loaded(SqlType("array", element=SqlType("varchar")), value, format_) == value


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(value=st.lists(st.none() | st.integers(-(2**31), 2**31 - 1)))
def test_arrays_of_integers_reach_psycopg(format_: Format, value: list[int | None]) -> None:
    assert loaded(SqlType("array", element=SqlType("int4")), value, format_) == value


@pytest.mark.parametrize("format_", [TEXT, BINARY])
@given(value=st.binary())
def test_bytes_reach_psycopg(format_: Format, value: bytes) -> None:
    assert loaded(SqlType("varbyte"), value, format_) == value


def test_psycopg_takes_an_oid_and_a_boolean() -> None:
    assert loaded(SqlType("oid"), 4_294_967_295, BINARY) == 4_294_967_295
    assert loaded(SqlType("bool"), True, BINARY) is True


# What a format cannot hold


def test_what_the_binary_format_cannot_hold_is_refused() -> None:
    with pytest.raises(errors.InvalidDatetime, match="timestamp out of range"):
        write("timestamp", -(2**63) + 2, binary=True)
    with pytest.raises(errors.NumericValueOutOfRange, match="OID out of range"):
        write("oid", -1, binary=True)


@pytest.mark.parametrize(
    ("name", "value", "data"),
    [
        ("date", 2**31 - 1, b"\x7f\xff\xff\xff"),
        ("date", -(2**31) + 1, b"\x80\0\0\0"),
        ("timestamp", 2**63 - 1, b"\x7f" + b"\xff" * 7),
        ("timestamptz", -(2**63) + 1, b"\x80" + b"\0" * 7),
        ("timetz", 1, b"\0\0\0\0\0\0\0\x01\0\0\0\0"),
    ],
)
def test_infinity_is_the_outermost_number(name: str, value: int, data: bytes) -> None:
    assert write(name, value, binary=True) == data


# Redshift's drivers


def test_redshift_sends_decimals_as_one_number() -> None:
    assert write("numeric", Decimal("-12.34"), True, True, precision=18, scale=2) == (-1234).to_bytes(
        8, "big", signed=True
    )
    largest = Decimal("9" * 38)
    assert write("numeric", largest, True, True, precision=38, scale=0) == int(largest).to_bytes(16, "big")
    assert write("numeric", Decimal("-12.34"), False, True, precision=18, scale=2) == b"-12.34"


def test_redshift_prints_bytes_without_a_prefix() -> None:
    assert write("varbyte", b"abc", redshift=True) == b"616263"


def test_redshifts_intervals_have_12_bytes() -> None:
    assert write("interval", (1, 2, 3000), True, True) == struct.pack(">qhh", 3, 2, 1)
    day_us = 86_400_000_000
    assert write("interval", (1, 100_000, 3000), True, True) == struct.pack(">qi", 100_000 * day_us + 3, 1)


@pytest.mark.parametrize("binary", [False, True])
@given(number=st.integers(-(10**38) + 1, 10**38 - 1), scale=st.integers(0, 37))
def test_redshifts_driver_reads_decimals(binary: bool, number: int, scale: int) -> None:
    driver = pytest.importorskip("redshift_connector.utils.type_utils")
    value = Decimal(f"{number}E-{scale}")
    data = write("numeric", value, binary, True, precision=38, scale=scale)
    with localcontext(prec=80):  # of Python's own 28 digits the driver keeps no more
        got = driver.numeric_in_binary(data, 0, 16, scale) if binary else driver.numeric_in(data, 0, len(data))
    assert got == value


def test_redshifts_driver_reads_the_other_types() -> None:
    driver = pytest.importorskip("redshift_connector.utils.type_utils")

    def read(reader: str, name: str, value: Any, binary: bool = True, **modifiers: Any) -> Any:
        data = values.writer(SqlType(name, **modifiers), binary, redshift=True)(value)
        return getattr(driver, reader)(data, 0, len(data))

    moment = dt.datetime(2024, 2, 29, 12, 34, 56, 500)
    assert read("timestamp_recv_integer", "timestamp", microseconds(moment)) == moment
    assert read("timestamptz_recv_integer", "timestamptz", microseconds(moment)) == moment.replace(tzinfo=dt.UTC)
    assert read("date_recv_binary", "date", 19_782) == dt.date(2024, 2, 29)
    assert read("date_in", "date", 19_782, binary=False) == dt.date(2024, 2, 29)
    assert read("time_recv_binary", "time", 45_296_000_000) == dt.time(12, 34, 56)
    assert read("time_in", "time", 45_296_500_000, binary=False) == dt.time(12, 34, 56, 500_000)
    assert read("timetz_recv_binary", "timetz", 45_296_000_000) == dt.time(12, 34, 56, tzinfo=dt.UTC)
    assert read("interval_recv_integer", "interval", (0, 2, 3_000_000_000)) == dt.timedelta(days=2, seconds=3)
    assert read("varbytehex_recv", "varbyte", b"abc", binary=False) == "abc"
    integers = SqlType("int4")
    assert read("array_recv_binary", "array", [1, None, 3], element=integers) == [1, None, 3]
    assert read("int_array_recv", "array", [1, 3], binary=False, element=integers) == [1, 3]
