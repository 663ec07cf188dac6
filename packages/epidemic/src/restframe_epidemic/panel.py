"""What a model sees: everything known about an epidemic on one day, as arrays.

Places are numbered 0 .. N-1 (the finest level: counties), groups 0 .. G-1 (the level above: states). Nothing in here
is newer than `as_of`; a model that only reads its Panel cannot look into the future.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic import errors
from restframe_epidemic.pipeline.series import cleanse

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]

DAYS_OF_WEEK = 7
# Reports before the first week that are no epidemic of before: its first cases, as in `pipeline/series.py`.
_FIRST_CASES = 10


@dataclass(frozen=True, slots=True)
class Spread(Mapping[str, FloatArray]):
    """Signals by name, each kept once per place that reports it and spread over the places when it is read.

    A place has its own series from its first day on, before that the nearest above it: what begins later changes no
    earlier day.

    rows : by name (R, D), the series that differ
    since : by name (R,), the day on which each begins
    row : by name (levels, N), which of them is the place's own, its group's, ...; -1 where none is
    """

    rows: Mapping[str, FloatArray] = field(default_factory=dict)
    since: Mapping[str, IntArray] = field(default_factory=dict)
    row: Mapping[str, IntArray] = field(default_factory=dict)

    def __getitem__(self, name: str) -> FloatArray:
        rows, since, row = self.rows[name], self.since[name], self.row[name]
        result = np.full((row.shape[1], rows.shape[1]), np.nan)
        days = np.arange(rows.shape[1])
        for own in row[::-1]:  # from the top down
            place = np.flatnonzero(own >= 0)
            begun = days >= since[own[place], None]
            result[place] = np.where(begun, rows[own[place]], result[place])
        return result

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def first(self, days: int) -> Spread:
        """What had begun by then."""
        begun = [name for name, since in self.since.items() if since.min() < days]
        return Spread({name: self.rows[name][:, :days] for name in begun}, self.since, self.row)


@dataclass(frozen=True, slots=True)
class Level:
    """A level above the places. codes : (K,), "" for places that have none there; of : (N,) index into them"""

    codes: tuple[str, ...]
    of: IntArray

    def sums(self, values: NDArray[Any]) -> FloatArray:
        """(N, ...) -> (K, ...): sums over the places of each, NaN counting as 0."""
        sums = np.zeros((len(self.codes), *values.shape[1:]))
        np.add.at(sums, self.of, np.nan_to_num(values))
        return sums


@dataclass(frozen=True, slots=True)
class Panel:
    """Days are whole weeks: D = 7 W, and the last day ends the last week (on Saturday in the US).

    locations : (N,) codes, as hub files write them: five-character FIPS in the US
    names : (N,) names for people
    group : (N,) index into `groups`
    groups : (G,) codes of the level above; "" for places without one
    between : the levels between the groups and the top, nearest first
    top : code of the one that is above all (the nation), "" where there is none
    dates : (D,) datetime64[D], without gaps
    daily : new reports per day after cleansing, by target ("cases", "deaths"): (N, D), >= 0, NaN where never reported
    population : (N,) people; NaN where unknown
    neighbours : per place, the indices of the places that touch it
    age_from : (A,) first year of each age band, ascending; the last band is open
    age_share : (N, A) share of each band, rows sum to 1
    features : static, by name: (N,), NaN where missing
    signals : changing with time (policies, mobility, testing), by name: (N, D), NaN where missing; those of a group
        stand in each of its places
    capacity : by name (icu_beds, hospital_beds, physicians): (N,), NaN where unknown
    irregular : (N, D) whether that day's reports were moved by cleansing (bulk dumps, corrections) or fall on a holiday
    severity : of the disease by age band: (A,) by name (susceptibility, hospitalised, critical, fatal); empty when no
        table gives it
    parameters : of the disease, by name, in the units of the table `parameter`
    before : by target, the reports from before `dates[0]`: (N,)
    reported : by target, the cumulative counts as they were reported: (N, 1 + D), the first column is the day before
        `dates[0]`; NaN where missing
    holiday : (D,) public holidays
    notices : what the reader left out or filled in, for people
    """

    locations: tuple[str, ...]
    names: tuple[str, ...]
    group: IntArray
    groups: tuple[str, ...]
    dates: DateArray
    daily: Mapping[str, FloatArray]
    population: FloatArray
    neighbours: tuple[IntArray, ...]
    age_from: IntArray
    age_share: FloatArray
    features: Mapping[str, FloatArray] = field(default_factory=dict)
    signals: Mapping[str, FloatArray] = field(default_factory=Spread)
    capacity: Mapping[str, FloatArray] = field(default_factory=dict)
    irregular: BoolArray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    severity: Mapping[str, FloatArray] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, FloatArray] = field(default_factory=dict)
    reported: Mapping[str, FloatArray] = field(default_factory=dict)
    holiday: BoolArray = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))
    between: tuple[Level, ...] = ()
    top: str = ""
    notices: tuple[str, ...] = ()

    @property
    def as_of(self) -> np.datetime64:
        """The last day, which ends the last week T: a forecast's horizon h is week T + h."""
        day: np.datetime64 = self.dates[-1]
        return day

    @property
    def weeks(self) -> DateArray:
        """(W,) the last day of each week."""
        return self.dates[6::7]

    def weekly(self, target: str = "cases") -> FloatArray:
        """(N, W) new reports per week."""
        daily = self.daily[target]
        result: FloatArray = daily.reshape(len(daily), -1, 7).sum(axis=2)
        return result

    @property
    def levels(self) -> tuple[Level, ...]:
        """All levels above the places, nearest first: the groups, those between, and the top where there is one."""
        top = (Level((self.top,), np.zeros_like(self.group)),) if self.top else ()
        return (Level(self.groups, self.group), *self.between, *top)

    def by_group(self, values: NDArray[Any]) -> FloatArray:
        """(N, ...) -> (G, ...): sums over the places of each group, NaN counting as 0."""
        return Level(self.groups, self.group).sums(values)

    def already(self, target: str = "cases") -> FloatArray:
        """(N,) reports of an epidemic that was going on before `dates[0]`; 0 where they are but a few."""
        before = np.nan_to_num(self.before.get(target, np.zeros(len(self.locations))))
        return np.where(before > _FIRST_CASES, before, 0.0)

    def until(self, as_of: np.datetime64 | str) -> Panel:
        """The Panel as it was known on a day: cleansed anew, so that not even a later correction is seen.

        Equal bit for bit to a Panel read from data that end there. NoData when not one whole week remains.
        """
        day = np.datetime64(as_of).astype("datetime64[D]")
        weeks = int(np.searchsorted(self.weeks, day, side="right"))
        if weeks == 0:
            raise errors.NoData(f"no whole week of reports up to {day}", hint=f"The first week ends {self.weeks[0]}.")
        if weeks == len(self.weeks):
            return self
        days = weeks * DAYS_OF_WEEK
        reported = {target: values[:, : days + 1] for target, values in self.reported.items()}
        holiday = self.holiday[:days]
        daily, before, irregular = cleansed(reported, holiday)
        signals = self.signals
        if not isinstance(signals, Spread):
            raise errors.UsageError("signals of a Panel made by hand cannot be cut")
        return replace(
            self,
            dates=self.dates[:days],
            daily=daily,
            before=before,
            irregular=irregular,
            reported=reported,
            holiday=holiday,
            signals=signals.first(days),
        )


def cleansed(
    reported: Mapping[str, FloatArray], holiday: BoolArray
) -> tuple[dict[str, FloatArray], dict[str, FloatArray], BoolArray]:
    """What a Panel calls `daily`, `before` and `irregular`, of what it calls `reported` and `holiday`.

    Irregular are the days whose cases were moved; those whose deaths were are not.
    """
    day_before = np.concatenate([[False], holiday])
    results = {target: cleanse(cumulative, day_before) for target, cumulative in reported.items()}
    daily = {target: result.daily[:, 1:] for target, result in results.items()}
    before = {target: result.before + np.nan_to_num(result.daily[:, 0]) for target, result in results.items()}
    return daily, before, results["cases"].moved[:, 1:] | holiday
