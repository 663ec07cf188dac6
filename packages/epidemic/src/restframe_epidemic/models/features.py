"""What is known of each place at the end of each week, as one matrix for every regression.

A row is (origin week, place), week by week; a column is one quantity. Everything in the row of week w is computed from
days up to the end of w, one number at a time, so that cutting off later weeks changes no bit of the rows that remain.

Small places count little: 20 cases of a week may be 12 or 30 of the next for no reason at all. So every growth stands
beside the level it was measured at, and a growth drawn towards the group's (the state's) by PRIOR_CASES imagined cases
stands beside the raw one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from restframe_epidemic.panel import FloatArray, Panel

PRIOR_CASES = 20.0
"""How many cases of the group's growth a place's own growth is mixed with."""

OF_THE_SURROUNDINGS = ("signal_", "change_", "static_")
"""How the names of columns begin that are no reports: policies, mobility, testing; social determinants."""

PER = 100_000.0
"""Incidence is per this many people."""

_PAST = 8  # weeks of history that stand before the first week, without reports


def matrix(panel: Panel, weeks: Sequence[int] | NDArray[np.int64], target: str) -> tuple[FloatArray, tuple[str, ...]]:
    """The features of every place at the end of each of `weeks` (indices 0 .. W-1), and their names.

    returns (len(weeks) * N, F) float64 without NaN, rows ordered by week and then place; F names.

    A static feature or a signal that a place lacks is the mean of the places that have it; one that nobody has is left
    out. Forecasts of another target than cases get the features of both series.
    """
    chosen = np.asarray(weeks, dtype=np.int64)
    columns = dict(_series(panel, target))
    if target != "cases" and "cases" in panel.daily:
        columns |= {f"cases_{name}": values for name, values in _series(panel, "cases")}
        columns |= dict(_fatality(panel, target))
    columns |= dict(_signals(panel))
    static = dict(_static(panel))
    result = np.empty((len(columns) + len(static), len(chosen), len(panel.locations)))
    for place, values in enumerate(columns.values()):
        result[place] = values.T[chosen]
    for place, values in enumerate(static.values(), start=len(columns)):
        result[place] = values
    return result.reshape(len(result), -1).T, (*columns, *static)


def population(panel: Panel) -> FloatArray:
    """(N,) people; the median of the known ones where unknown or impossible."""
    known = np.isfinite(panel.population) & (panel.population > 0)
    middle = float(np.median(panel.population[known])) if known.any() else PER
    return np.where(known, panel.population, middle)


def neighbour_sums(panel: Panel, values: FloatArray) -> FloatArray:
    """(N, ...) -> (N, ...): the sum over the places that touch each place."""
    counts = [len(places) for places in panel.neighbours]
    indices = np.concatenate([np.zeros(0, dtype=np.int64), *panel.neighbours])
    shape = (len(counts), len(counts))
    touch = csr_matrix((np.ones(len(indices)), indices, np.concatenate([[0], np.cumsum(counts)])), shape=shape)
    result: FloatArray = touch @ values
    return result


def _series(panel: Panel, target: str) -> Iterator[tuple[str, FloatArray]]:
    """(N, W) of the reports of one target: of the place, its neighbours, its group and everywhere."""
    daily = np.nan_to_num(panel.daily[target])
    people = population(panel)[:, None]
    people_of_group = panel.by_group(people)
    own = _Weeks(daily)
    group_daily = panel.by_group(daily)
    group = _Weeks(group_daily)
    nation = _Weeks(sum(group_daily, np.zeros(daily.shape[1]))[None])
    near = _Weeks(neighbour_sums(panel, daily) + daily)
    people_near = neighbour_sums(panel, people) + people

    yield "level", np.log1p(own.lag(0))
    yield "noise", 1 / np.sqrt(1 + own.lag(0))
    yield "incidence", _incidence(own.lag(0), people)
    yield (
        "attack",
        _incidence(own.total() + np.nan_to_num(panel.before.get(target, np.zeros(len(daily))))[:, None], people),
    )
    for weeks in range(4):
        yield f"growth_{weeks}", own.growth(weeks)
    yield "growth_pairs", np.log((own.mean(2) + 1) / (own.mean(2, start=2) + 1))
    yield "above_mean", np.log((own.lag(0) + 1) / (own.mean(4) + 1))
    yield "above_long_mean", np.log((own.lag(0) + 1) / (own.mean(8) + 1))
    yield "above_median", np.log((own.lag(0) + 1) / (7 * own.median_day() + 1))
    yield "largest_day", own.largest_share()
    yield "zero_days", own.zero_days()
    yield "late_growth", own.late_growth(3)
    yield "last_day_growth", own.late_growth(1)
    yield "late_share", own.late_share()
    yield "age", own.age()

    near_incidence, group_incidence = _incidence(near.lag(0), people_near), _incidence(group.lag(0), people_of_group)
    yield "near_incidence", near_incidence
    yield "near_relative", _incidence(own.lag(0), people) - near_incidence
    for weeks in range(2):
        yield f"near_growth_{weeks}", near.growth(weeks)
    yield "near_late_growth", near.late_growth(3)
    yield "group_incidence", group_incidence[panel.group]
    yield "group_relative", _incidence(own.lag(0), people) - group_incidence[panel.group]
    for weeks in range(3):
        yield f"group_growth_{weeks}", group.growth(weeks)[panel.group]
    yield "group_late_growth", group.late_growth(3)[panel.group]
    yield "group_above_median", np.log((group.lag(0) + 1) / (7 * group.median_day() + 1))[panel.group]
    shape = own.lag(0).shape
    yield "nation_incidence", np.broadcast_to(_incidence(nation.lag(0), people.sum()), shape)
    for weeks in range(3):
        yield f"nation_growth_{weeks}", np.broadcast_to(nation.growth(weeks), shape)
    expected = np.exp(group.growth(0)[panel.group])
    yield "shrunk_growth", np.log((own.lag(0) + PRIOR_CASES * expected) / (own.lag(1) + PRIOR_CASES))
    expected = np.exp(near.growth(0))
    yield "shrunk_near_growth", np.log((own.lag(0) + PRIOR_CASES * expected) / (own.lag(1) + PRIOR_CASES))
    if panel.irregular.size:
        moved = panel.irregular.reshape(len(daily), -1, 7).mean(axis=2)
        yield "irregular", moved
        yield "irregular_before", np.concatenate([np.zeros((len(daily), 1)), moved[:, :-1]], axis=1)


def _fatality(panel: Panel, target: str) -> Iterator[tuple[str, FloatArray]]:
    """Deaths follow cases by one to three weeks: the share that the last month's were of the cases before."""
    deaths, cases = (_Weeks(np.nan_to_num(panel.daily[name])) for name in (target, "cases"))
    yield "fatality", np.log((deaths.mean(4) + 0.1) / (cases.mean(4, start=2) + 10))
    for weeks in range(1, 4):
        yield f"fatality_{weeks}", np.log((deaths.lag(0) + 1) / (cases.lag(weeks) + 10))


def _signals(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    """(N, W) policies, mobility, testing: the value on the week's last day, and its change in two weeks."""
    for name in sorted(panel.signals):
        ends = panel.signals[name][:, 6::7]
        if np.isfinite(ends).any():
            known = np.stack([filled(week) for week in ends.T], axis=1)
            yield f"signal_{name}", known
            yield (
                f"change_{name}",
                known - np.concatenate([known[:, :1], known[:, :1], known[:, :-2]], axis=1)[:, : known.shape[1]],
            )


def determinants(panel: Panel) -> FloatArray:
    """(N, F) what is known of a place before its first report: population, ages, social determinants. No NaN."""
    return np.stack([values for _, values in _static(panel)], axis=1)


def _static(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    """(N,) what does not change: population, ages, social determinants."""
    yield "population", np.log(population(panel))
    if panel.age_share.size:
        yield "mean_age", filled((panel.age_share * panel.age_from).sum(axis=1))
    for name in sorted(panel.features):
        if np.isfinite(panel.features[name]).any():
            yield f"static_{name}", filled(panel.features[name])


def _incidence(reports: FloatArray, people: FloatArray) -> FloatArray:
    result: FloatArray = np.log1p(reports / people * PER)
    return result


def filled(values: FloatArray) -> FloatArray:
    """The mean of the known ones where a value is missing; 0 when all are."""
    known = np.isfinite(values)
    return np.where(known, values, values[known].mean() if known.any() else 0.0)


class _Weeks:
    """One series per row, looked at week by week; before its first day nothing was reported.

    daily : (M, 7 W). All methods give (M, W), of week w and the weeks before it.
    """

    def __init__(self, daily: FloatArray) -> None:
        padded = np.concatenate([np.zeros((len(daily), 7 * _PAST)), daily], axis=1)
        self.days = padded.reshape(len(daily), -1, 7)  # (M, _PAST + W, 7)
        self.weeks: FloatArray = self.days.sum(axis=2)

    def lag(self, weeks: int) -> FloatArray:
        return self.weeks[:, _PAST - weeks : self.weeks.shape[1] - weeks]

    def mean(self, weeks: int, *, start: int = 0) -> FloatArray:
        total: FloatArray = sum((self.lag(start + week) for week in range(weeks)), np.zeros(()))
        return total / weeks

    def growth(self, weeks: int) -> FloatArray:
        """log growth from the week before to the week `weeks` ago"""
        result: FloatArray = np.log((self.lag(weeks) + 1) / (self.lag(weeks + 1) + 1))
        return result

    def late_growth(self, days: int) -> FloatArray:
        """log growth of the last days against the same weekdays of the week before, so that weekdays do not matter"""
        late = self.days[:, :, -days:].sum(axis=2)
        result: FloatArray = np.log((late[:, _PAST:] + 1) / (late[:, _PAST - 1 : -1] + 1))
        return result

    def late_share(self) -> FloatArray:
        """share of the week's reports on its last three days, less what it was in the four weeks before"""
        late = self.days[:, :, -3:].sum(axis=2)
        before: FloatArray = sum((late[:, _PAST - week : late.shape[1] - week] for week in range(1, 5)), np.zeros(()))
        share: FloatArray = (late[:, _PAST:] + 3) / (self.lag(0) + 7) - (before + 3) / (4 * self.mean(4, start=1) + 7)
        return share

    def median_day(self) -> FloatArray:
        """the median day of the last two weeks, which a single day's dump does not move"""
        both = np.concatenate([self.days[:, _PAST - 1 : -1], self.days[:, _PAST:]], axis=2)
        result: FloatArray = np.partition(both, (6, 7), axis=2)[:, :, 6:8].mean(axis=2)
        return result

    def largest_share(self) -> FloatArray:
        share: FloatArray = (self.days[:, _PAST:].max(axis=2) + 1) / (self.lag(0) + 7)
        return share

    def zero_days(self) -> FloatArray:
        share: FloatArray = (self.days[:, _PAST:] == 0).mean(axis=2)
        return share

    def total(self) -> FloatArray:
        return np.cumsum(self.weeks, axis=1)[:, _PAST:]

    def age(self) -> FloatArray:
        """weeks since the tenth report, to 20"""
        return np.minimum(np.cumsum(self.total() >= 10, axis=1), 20).astype(np.float64)
