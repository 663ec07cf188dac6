"""Single values as Redshift prints them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.storage.writing import texts
from restframe.types import SqlType

EPOCH = dt.date(1970, 1, 1)


@given(st.dates())
def test_dates_are_those_of_the_calendar(day: dt.date) -> None:
    assert texts.date((day - EPOCH).days) == day.isoformat()


@pytest.mark.parametrize(
    ("days", "text"),
    [(-719_528, "0001-01-01 BC"), (-719_529, "0002-12-31 BC"), (-719_163, "0001-12-31 BC"), (2_932_897, "10000-01-01"),
     (2**31 - 1, "infinity"), (-(2**31), "-infinity"), (-(2**31) + 1, "-infinity")],
)  # fmt: skip
def test_dates_beyond_pythons(days: int, text: str) -> None:
    assert texts.date(days) == text


@given(st.datetimes())
def test_timestamps_have_no_more_decimals_than_they_need(moment: dt.datetime) -> None:
    printed = texts.timestamp((moment - dt.datetime(1970, 1, 1)) // dt.timedelta(microseconds=1))
    assert dt.datetime.fromisoformat(f"{printed}.0" if "." not in printed else f"{printed:0<26}") == moment
    assert "." not in printed or not printed.endswith("0")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "+00"), (-12_600, "-03:30"), (4772, "+01:19:32"), (-17_762, "-04:56:02"), (50_400, "+14")]
)
def test_offsets(seconds: int, text: str) -> None:
    assert texts.offset_text(seconds) == text


def test_offsets_outside_pythons_years_are_those_of_the_calendars_next_cycle() -> None:
    era_us = 146_097 * texts.DAY_US
    for moment in (1_709_210_096_000_000, 1_719_835_200_000_000):
        assert texts.offset_s(moment + 50 * era_us, "Europe/Berlin") == texts.offset_s(
            moment + 15 * era_us, "Europe/Berlin"
        )
    assert texts.offset_s(-70_000_000_000_000_000, "Europe/Berlin") == 3208  # the town's own time, once


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((0, 0, 0), "00:00:00"),
        ((12, 1, 0), "1 year 1 day"),
        ((-25, 0, 0), "-2 years -1 mons"),
        ((-1, 2, 0), "-1 mons +2 days"),
        ((0, -1, 1_000_000_000), "-1 days +00:00:01"),
        ((1, 0, -500_000_000), "1 mon -00:00:00.5"),
        ((0, 0, 360_000_000_000_000), "100:00:00"),
    ],
)
def test_intervals(value: tuple[int, int, int], text: str) -> None:
    assert texts.interval(value) == text


def test_numbers_have_no_exponent_where_postgresql_writes_none() -> None:
    assert texts.numeric(Decimal("1E-30")) == "0.000000000000000000000000000001"
    numbers = (1e14, 999999999999999.9, 1e15, 123456789012345680.0, 1e-4, 1e-5, -0.0, 5e-324)
    assert [texts.float8(number) for number in numbers] == [
        "100000000000000", "999999999999999.9", "1e+15", "1.2345678901234568e+17", "0.0001", "1e-05", "-0", "5e-324",
    ]  # fmt: skip
    assert [texts.float4(x) for x in (123456.0, 1e6, 1234567.0, 16777216.0, 2.0**-149, 0.10000000149011612)] == [
        "123456", "1e+06", "1.234567e+06", "1.6777216e+07", "1e-45", "0.1",
    ]  # fmt: skip


def test_arrays_quote_what_would_be_read_as_something_else() -> None:
    assert texts.array(["a", None, "", "null", "a b", 'x"\\', "{", "ä"]) == r'{a,NULL,"","null","a b","x\"\\","{",ä}'


def test_times_are_read_as_numbers() -> None:
    moments = pa.array([None, 2**63 - 1], pa.timestamp("us", "UTC"))
    assert texts.reader(SqlType("timestamptz"))(moments) == [None, 2**63 - 1]
    days = texts.reader(SqlType("array", element=SqlType("date")))
    assert days(pa.array([[None, 5], None], pa.list_(pa.date32()))) == [[None, 5], None]
