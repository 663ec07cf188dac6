"""Formats of dates and times as the manual lists them, and those that 'auto' recognises."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.datetimes import compile_format
from restframe.storage.loading.fields import Column
from restframe.storage.loading.recognition import recognise
from restframe.storage.loading.text import Layout, TextReader
from restframe.types import parse_type

pytestmark = pytest.mark.usefixtures("either_way")


def load(text: str, type_: str, **conversion: Any) -> Any:
    """What COPY makes of one field; the reason as a string when it is refused."""
    reader = TextReader(Layout(), [Column("c", parse_type(type_))], Conversion(**conversion))
    (batch,) = reader.read([text.encode()])
    return batch.faults[0].reason if batch.faults else batch.rows.column(0).to_pylist()[0]


def date(text: str, form: str) -> Any:
    return load(text, "date", date_format=form)


def timestamp(text: str, form: str) -> Any:
    return load(text, "timestamp", time_format=form)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1999-01-31", "YYYY-MM-DD"), ("01/31/1999", "MM/DD/YYYY"), ("1/31/1999", "MM/DD/YYYY"),
        ("31.01.1999", "DD.MM.YYYY"), ("Jan-31-1999", "MON-DD-YYYY"), ("31 january 1999", "DD MON YYYY"),
        ("19990131", "YYYYMMDD"), ("990131", "YYMMDD"), ("1999-01-31", "yyyy-mm-dd"), (" 1999-01-31 ", "YYYY-MM-DD"),
        ("31.1.99", "DD.MM.YY"), ("1999-01-31 10:11:12", "YYYY-MM-DD HH:MI:SS"), ("01/31/1999 8:26", "MM/DD/YYYY"),
    ],
)  # fmt: skip
def test_date_formats(text: str, form: str) -> None:
    assert date(text, form) == datetime.date(1999, 1, 31)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1999-01-31 14:05:06", "YYYY-MM-DD HH:MI:SS"), ("1999-01-31 14:05:06", "YYYY-MM-DD HH24:MI:SS"),
        ("1999-01-31 02:05:06 PM", "YYYY-MM-DD HH12:MI:SS AM"), ("31.01.1999 14:05:06", "DD.MM.YYYY HH:MI:SS"),
        ("01/31/1999 2:05:06pm", "MM/DD/YYYY HH12:MI:SSPM"), ("19990131140506", "YYYYMMDDHH24MISS"),
        ("1999-01-31T14:05:06", "YYYY-MM-DDTHH:MI:SS"), ("Jan 31 1999 14:05:06.000000", "MON DD YYYY HH:MI:SS"),
    ],
)  # fmt: skip
def test_time_formats(text: str, form: str) -> None:
    assert timestamp(text, form) == datetime.datetime(1999, 1, 31, 14, 5, 6)


def test_fractions_of_seconds() -> None:
    when = datetime.datetime(2009, 1, 12, 14, 15, 57, 119568)
    assert timestamp("2009-01-12 14:15:57.119568", "YYYY-MM-DD HH:MI:SS") == when
    assert load("2009-01-12 14:15:57.1195678", "timestamp") == when
    assert load("2009-01-12 14:15:57.9999999", "timestamp") == datetime.datetime(2009, 1, 12, 14, 15, 58)


def test_the_time_of_day_may_be_left_out() -> None:
    assert load("2009-01-12", "timestamp") == datetime.datetime(2009, 1, 12)
    assert load("2009-01-12 14:15", "timestamp") == datetime.datetime(2009, 1, 12, 14, 15)


def test_noon_and_midnight() -> None:
    assert timestamp("1999-01-31 12:00 AM", "YYYY-MM-DD HH12:MI AM") == datetime.datetime(1999, 1, 31)
    assert timestamp("1999-01-31 12:00 PM", "YYYY-MM-DD HH12:MI AM") == datetime.datetime(1999, 1, 31, 12)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("1999-31-01", "YYYY-MM-DD"), ("1999/01/31", "YYYY-MM-DD"), ("31-Jam-1999", "DD-MON-YYYY"),
        ("99-01-31", "YYYY-MM-DD"), ("1999-1-31", "YYYY-MM-DD"), ("1999-01-31x", "MM/DD/YYYY"),
        ("1900-02-29", "YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_wrong_dates(text: str, form: str) -> None:
    expected = f"Invalid date format or value [{form}]"
    assert (load(text, "date") if form == "YYYY-MM-DD" else date(text, form)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "1999-01-31 24:00:00",
        "1999-01-31 10:60:00",
        "1999-01-31 10:00:61",
        "1999-01-31 10:00:00Z",
        "1999-01-31T10:00:00",
    ],
)
def test_wrong_timestamps(text: str) -> None:
    assert load(text, "timestamp") == "Invalid timestamp format or value [YYYY-MM-DD HH24:MI:SS]"


@pytest.mark.parametrize("form", ["", "DD.MM", "YYYY-MM-DD Q", "YYYY YYYY", "always"])
def test_formats_that_are_refused(form: str) -> None:
    with pytest.raises(errors.InvalidParameterValue):
        compile_format(form)


def test_epochs() -> None:
    assert load("1463184000", "timestamp", time_format="epochsecs") == datetime.datetime(2016, 5, 14)
    assert load("1463184000.25", "timestamp", time_format="epochsecs") == datetime.datetime(
        2016, 5, 14, 0, 0, 0, 250000
    )
    assert load("1463184000123", "timestamp", time_format="epochmillisecs") == datetime.datetime(
        2016, 5, 14, 0, 0, 0, 123000
    )
    assert load("-1", "timestamp", time_format="epochsecs") == datetime.datetime(1969, 12, 31, 23, 59, 59)
    assert load("0", "timestamptz", time_format="epochsecs") == datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    assert load("soon", "timestamp", time_format="epochsecs").startswith("Invalid digit, Value 's'")


WHEN = datetime.datetime(1997, 12, 17, 7, 37, 16)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2019-02-11T05:09:12.195Z", datetime.datetime(2019, 2, 11, 5, 9, 12, 195000)),
        ("J2451187", datetime.datetime(1999, 1, 8)),
        ("19960108 040809", datetime.datetime(1996, 1, 8, 4, 8, 9)),
        ("960108 040809", datetime.datetime(1996, 1, 8, 4, 8, 9)),
        ("1996.008", datetime.datetime(1996, 1, 8)),
        ("1996-01-08 04:05:06.789", datetime.datetime(1996, 1, 8, 4, 5, 6, 789000)),
        ("17 Dec 07:37:16 1997 PST", WHEN),
        ("12/17/1997 07:37:16.00 PST", WHEN),
        ("1997-12-17 07:37:16-08", WHEN),
        ("12.17.1997 07:37:16.00 PST", WHEN),
        ("December 17, 1997", datetime.datetime(1997, 12, 17)),
        ("12/17/97 7:37 PM", datetime.datetime(1997, 12, 17, 19, 37)),
        ("17-Dec-1997", datetime.datetime(1997, 12, 17)),
        ("19971217", datetime.datetime(1997, 12, 17)),
        ("1997-12-17", datetime.datetime(1997, 12, 17)),
    ],
)  # the manual's list
def test_auto(text: str, expected: datetime.datetime) -> None:
    assert load(text, "timestamp", time_format="auto") == expected
    assert load(text, "date", date_format="auto") == expected.date()


def test_auto_with_a_zone() -> None:
    utc = WHEN.replace(tzinfo=datetime.UTC) + datetime.timedelta(hours=8)
    for text in (
        "1997-12-17 07:37:16-08",
        "1997-12-17T07:37:16-0800",
        "12/17/1997 07:37:16.00 PST",
        "17 Dec 07:37:16 1997 PST",
    ):
        assert load(text, "timestamptz", time_format="auto") == utc


def test_before_christ() -> None:
    days = np.datetime64("-0094-01-08").astype(int)
    assert recognise("Jan-08-95 BC", False) == int(days) * 86_400_000_000


@pytest.mark.parametrize("text", ["", "soon", "2019-02-30", "13/13/2019", "2019.366", "10:00", "2019-02-11 25:00:00"])
def test_auto_refuses(text: str) -> None:
    assert recognise(text, False) is None


def test_auto_leaves_epochs_alone() -> None:
    assert load("1463184000", "timestamp", time_format="auto").startswith("Invalid timestamp")


@given(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)))
@settings(max_examples=200, deadline=None)
def test_every_moment_comes_back(when: datetime.datetime) -> None:
    assert load(when.isoformat(" "), "timestamp") == when
    assert load(when.isoformat(), "timestamp", time_format="auto") == when
    assert load(when.date().isoformat(), "date") == when.date()
    assert date(f"{when.day}.{when.month}.{when.year:04}", "DD.MM.YYYY") == when.date()
