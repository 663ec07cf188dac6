"""Names of date parts, and intervals as the engine reads them."""

from __future__ import annotations

import pytest

from restframe import errors
from restframe.sql.units import interval_text, part_of


@pytest.mark.parametrize(
    ("name", "part"),
    [("yr", "year"), ("QTRS", "quarter"), ("mon", "month"), ("m", "minute"), ("w", "week"), ("dw", "dow"),
     ("usec", "microsecond"), (" Hours ", "hour"), ("mils", "millennium")],
)  # fmt: skip
def test_names_of_parts(name: str, part: str) -> None:
    assert part_of(name) == part


@pytest.mark.parametrize("name", ["dow", "epoch", "timezone"])
def test_some_parts_cannot_be_counted(name: str) -> None:
    assert part_of(name) == name
    with pytest.raises(errors.InvalidParameterValue):
        part_of(name, countable=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 day", "1 days"),
        ("1w, 1h, 1m, 1s", "1 weeks 1 hours 1 minutes 1 seconds"),
        ("7 days, 3 hours, 59 minutes", "7 days 3 hours 59 minutes"),
        ("0.5 days", "0.5 days"),
        ("52", "52 seconds"),
        ("-3 mons", "-3 months"),
        ("1 year 04:05:06.5", "1 years 04:05:06.5"),
        ("2 millennia", "2 millennia"),
    ],
)
def test_intervals(text: str, expected: str) -> None:
    assert interval_text(text) == expected


@pytest.mark.parametrize("text", ["", "soon", "1 day; drop table t", "'", "1 --", "1e5 days"])
def test_what_is_no_interval(text: str) -> None:
    with pytest.raises(errors.DataError):
        interval_text(text)
