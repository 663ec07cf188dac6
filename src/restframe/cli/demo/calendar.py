"""What happened when: the labelled events of the real ridership file, and United States holidays of any year."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Event:
    """A stretch of time with a name; `end` does not belong to it.

    kind : `event` for one the data's labels name, `holiday` for one that only the calendar knows
    """

    name: str
    start: datetime
    end: datetime
    kind: Literal["event", "holiday"]


# The windows of the Numenta Anomaly Benchmark, labels/combined_windows.json, realKnownCause/nyc_taxi.csv.
NYC_TAXI = (
    Event("NYC marathon", datetime(2014, 10, 30, 15, 30), datetime(2014, 11, 3, 23), "event"),
    Event("Thanksgiving", datetime(2014, 11, 25, 12), datetime(2014, 11, 29, 19, 30), "event"),
    Event("Christmas", datetime(2014, 12, 23, 11, 30), datetime(2014, 12, 27, 19), "event"),
    Event("New Year", datetime(2014, 12, 29, 21, 30), datetime(2015, 1, 3, 5), "event"),
    Event("Snow storm", datetime(2015, 1, 24, 20, 30), datetime(2015, 1, 29, 4), "event"),
)


def with_holidays(labelled: Iterable[Event], first: datetime, last: datetime) -> list[Event]:
    """The labelled events between `first` and `last`, and the holidays there that none of them covers, by time."""
    found = [event for event in labelled if event.start <= last and event.end > first]
    for year in range(first.year - 1, last.year + 1):
        for name, day in _holidays(year):
            holiday = _long_weekend(name, day)
            covered = any(event.start <= datetime.combine(day, time(12)) < event.end for event in found)
            if not covered and holiday.start <= last and holiday.end > first:
                found.append(holiday)
    return sorted(found, key=lambda event: event.start)


def clock_goes_back(moment: datetime) -> bool:
    """Whether this hour happened twice in New York: 01:00 to 02:00 on the first Sunday of November."""
    return moment.month == 11 and moment.day <= 7 and moment.weekday() == 6 and moment.hour == 1


def _holidays(year: int) -> Iterable[tuple[str, date]]:
    yield "New Year", date(year, 1, 1)
    yield "M. L. King Day", _nth(year, 1, 0, 3)
    yield "Presidents' Day", _nth(year, 2, 0, 3)
    yield "Memorial Day", _nth(year, 6, 0, 1) - timedelta(days=7)
    yield "Independence Day", date(year, 7, 4)
    yield "Labor Day", _nth(year, 9, 0, 1)
    yield "Columbus Day", _nth(year, 10, 0, 2)
    yield "Veterans Day", date(year, 11, 11)
    yield "Thanksgiving", _nth(year, 11, 3, 4)
    yield "Christmas", date(year, 12, 25)


def _nth(year: int, month: int, weekday: int, n: int) -> date:
    """The n-th such weekday of a month; Monday is 0."""
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _long_weekend(name: str, day: date) -> Event:
    """A holiday with the weekend it touches, from the afternoon before to the morning after."""
    first = day - timedelta(days={0: 2, 6: 1}.get(day.weekday(), 0))
    last = day + timedelta(days={4: 2, 5: 1}.get(day.weekday(), 0))
    start = datetime.combine(first - timedelta(days=1), time(16))
    return Event(name, start, datetime.combine(last + timedelta(days=1), time(6)), "holiday")
