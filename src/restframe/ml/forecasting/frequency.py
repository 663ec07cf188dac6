"""How far apart the observations of a series are: steps in time, their calendar, and what usually repeats.

Times are datetime64[s] without a time zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from restframe import errors

if TYPE_CHECKING:
    import numpy.typing as npt

    Times = npt.NDArray[np.datetime64]
    Integers = npt.NDArray[np.int64]

Unit = Literal["M", "W", "D", "B", "H", "min"]

_WRITTEN = re.compile(r"([1-9][0-9]{0,5})?(M|MS|ME|W|D|B|H|h|T|min)")
_UNITS: dict[str, Unit] = {"MS": "M", "ME": "M", "h": "H", "T": "min"}
_UNIT_MINUTES = {"min": 1, "H": 60, "D": 24 * 60, "W": 7 * 24 * 60}
_FARTHEST_LAG = 1200


@dataclass(frozen=True)
class Frequency:
    """One observation every `multiple` months, weeks, days, business days (Monday to Friday), hours or minutes."""

    multiple: int
    unit: Unit

    @classmethod
    def parse(cls, text: str) -> Frequency:
        """`H`, `2H`, `15min`, as SageMaker's time_freq; also pandas' `T`, `h`, `B`, `MS` and `ME`.

        InvalidParameterValue for anything else.
        """
        found = _WRITTEN.fullmatch(text.strip())
        if found is None:
            raise errors.InvalidParameterValue(
                f'"{text[:100]}" is not a frequency',
                hint="Write a whole number and M, W, D, B, H or min, such as 15min, 2H or 1D.",
            )
        multiple, unit = found.groups()
        return cls(int(multiple or 1), _UNITS.get(unit, cast(Unit, unit)))

    def __str__(self) -> str:
        return f"{self.multiple if self.multiple > 1 else ''}{self.unit}"

    @cached_property
    def season(self) -> int:
        """Steps of the usual season: the shortest of a day, a week and a year that is several whole steps; else 1."""
        minutes = self.multiple * _UNIT_MINUTES.get(self.unit, 0)
        if minutes:
            cycles = [(24 * 60, minutes), (7 * 24 * 60, minutes), (52 * 7 * 24 * 60, minutes)]
        else:
            cycles = [(5, self.multiple), (5 * 52, self.multiple)] if self.unit == "B" else [(12, self.multiple)]
        return next((cycle // step for cycle, step in cycles if cycle > step and cycle % step == 0), 1)

    @cached_property
    def lags(self) -> tuple[int, ...]:
        """How many steps back a forecaster should look, ascending: 1 to 7, and around whole seasons up to 1200.

        The table of GluonTS (`get_lags_for_frequency`); SageMaker's own is not published.
        """
        found = {int(lag) for lag in self._seasonal_lags() if 7 < lag <= _FARTHEST_LAG}
        return (*range(1, 8), *sorted(found))

    def _seasonal_lags(self) -> Iterable[float]:
        # Floors of floats, as in the table's source: three steps of 1/5 are fourteen in fifteen, not fifteen.
        n = self.multiple
        if self.unit == "M":
            return _around([12 // n, 24 // n, 36 // n])
        if self.unit == "W":
            return _weekly(n)
        if self.unit == "D":
            return _daily(n) + _weekly(n / 7)
        if self.unit == "B":
            return _daily(n, week=5, month=22) + _weekly(n / 5)
        if self.unit == "H":
            return _hourly(n) + _daily(n / 24) + _weekly(n / (24 * 7))
        minutely = _around([60 // n, 120 // n, 180 // n], 2)
        return minutely + _hourly(n / 60) + _daily(n / (60 * 24)) + _weekly(n / (60 * 24 * 7))

    def times(self, start: np.datetime64, count: int, first: int = 0) -> Times:
        """When steps first .. first + count - 1 are, step 0 being `start`.

        Months keep the day as far as the month has it, and from a last day all are last days. Business days begin on
        the Monday after a `start` at a weekend. The time of day stays.
        """
        start = start.astype("datetime64[s]")
        steps = np.arange(first, first + count, dtype=np.int64) * self.multiple
        minutes = _UNIT_MINUTES.get(self.unit)
        if minutes:
            return cast("Times", start + (steps * (minutes * 60)).astype("timedelta64[s]"))
        day = start.astype("datetime64[D]")
        days = np.busday_offset(day, steps, roll="forward") if self.unit == "B" else _months_after(day, steps)
        return cast("Times", days.astype("datetime64[s]") + (start - day))

    def steps(self, start: np.datetime64, times: Times) -> Integers:
        """How many whole steps each of `times` is after `start`: of times(start, n), 0 .. n - 1."""
        start, times = start.astype("datetime64[s]"), times.astype("datetime64[s]")
        minutes = _UNIT_MINUTES.get(self.unit)
        if minutes:
            return (times - start).astype(np.int64) // (self.multiple * minutes * 60)
        if self.unit == "M":
            months = times.astype("datetime64[M]").astype(np.int64) - start.astype("datetime64[M]").astype(np.int64)
            return cast("Integers", months // self.multiple)
        passed = np.busday_count(start.astype("datetime64[D]"), times.astype("datetime64[D]"))
        return passed.astype(np.int64) // self.multiple

    @property
    def feature_count(self) -> int:
        return len(_FEATURES[self.unit])

    def features(self, times: Times) -> npt.NDArray[np.float32]:
        """(n,) times -> (n, feature_count): where in the hour, day, week, month or year each is, from -0.5 to 0.5.

        https://docs.aws.amazon.com/sagemaker/latest/dg/deepar_how-it-works.html
        """
        times = times.astype("datetime64[s]")
        columns = [position(times) / last - 0.5 for position, last in _FEATURES[self.unit]]
        return np.stack(columns, axis=1).astype(np.float32)


def _around(middles: Iterable[float], distance: int = 1) -> list[float]:
    return [middle + step for middle in middles for step in range(-distance, distance + 1)]


def _hourly(hours: float) -> list[float]:
    """A day to a week back, for steps of so many hours; the next ones alike for steps of days and weeks."""
    return _around(k * 24 // hours for k in range(1, 8))


def _daily(days: float, week: int = 7, month: int = 30) -> list[float]:
    return _around([*(k * week // days for k in range(1, 5)), month // days])


def _weekly(weeks: float) -> list[float]:
    return [*_around(k * 52 // weeks for k in range(1, 4)), *(k // weeks for k in (4, 8, 12))]


def _months_after(day: np.datetime64, steps: Integers) -> Times:
    """The day of the month of `day`, so many months on."""
    month = day.astype("datetime64[M]")
    last_day = (month + 1).astype("datetime64[D]") - 1
    months = month + steps.astype("timedelta64[M]")
    last_days = (months + 1).astype("datetime64[D]") - 1
    if day == last_day:
        return cast("Times", last_days)
    return cast("Times", np.minimum(months.astype("datetime64[D]") + (day - month.astype("datetime64[D]")), last_days))


def _since(times: Times, whole: str, unit: str) -> Integers:
    """How many of `unit` have passed since the last whole of the other."""
    passed = times.astype(f"datetime64[{unit}]") - times.astype(f"datetime64[{whole}]").astype(f"datetime64[{unit}]")
    return cast("Integers", passed.astype(np.int64))


def _weekday(times: Times) -> Integers:
    """Monday is 0, and so was the fourth day before the first of January 1970."""
    return (times.astype("datetime64[D]").astype(np.int64) + 3) % 7


def _week_of_year(times: Times) -> Integers:
    """Week of ISO 8601, from 0: a week belongs to the year of its Thursday."""
    days = times.astype("datetime64[D]")
    thursdays = days + (3 - _weekday(times)).astype("timedelta64[D]")
    return _since(thursdays, "Y", "D") // 7


def _month(times: Times) -> Integers:
    return _since(times, "Y", "M")


def _day_of_year(times: Times) -> Integers:
    return _since(times, "Y", "D")


def _day_of_month(times: Times) -> Integers:
    return _since(times, "M", "D")


def _hour(times: Times) -> Integers:
    return _since(times, "D", "h")


def _minute(times: Times) -> Integers:
    return _since(times, "h", "m")


_DAYS: list[tuple[Callable[[Times], Integers], int]] = [(_weekday, 6), (_day_of_month, 30), (_day_of_year, 365)]
_FEATURES: dict[Unit, list[tuple[Callable[[Times], Integers], int]]] = {
    "min": [(_minute, 59), (_hour, 23), *_DAYS],
    "H": [(_hour, 23), *_DAYS],
    "D": _DAYS,
    "B": _DAYS,
    "W": [(_day_of_month, 30), (_week_of_year, 52)],
    "M": [(_month, 11)],
}
