"""What is known of each place at the end of each week, as one matrix for every regression.

A column is one quantity, (N, W) of every place and week or (N,) of what does not change; a member lists its columns
(here those of `direct` and `boosting`; `growth` and `transmission` have shorter lists) and `matrix` puts them side by
side. A quantity that a series tells of itself belongs to `weekly`, what is known beside reports to this module.

Small places count little: 20 cases of a week may be 12 or 30 of the next for no reason at all. So every growth stands
beside the level it was measured at, and a growth drawn towards the group's (the state's) by PRIOR_CASES imagined cases
stands beside the raw one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic.models.weekly import PER, Weeks, Widths, log_ratio
from restframe_epidemic.panel import DAYS_OF_WEEK, FloatArray, Panel

PRIOR_CASES = 20.0
"""How many cases of the group's growth a place's own growth is mixed with."""

OF_THE_SURROUNDINGS = ("signal_", "change_", "static_")
"""How the names of columns begin that are no reports: policies, mobility, testing; social determinants."""

Columns = Iterable[tuple[str, FloatArray]]
"""Names, and values (N, W) or (N,)."""


def matrix(columns: Columns, weeks: Sequence[int] | NDArray[np.int64]) -> tuple[FloatArray, tuple[str, ...]]:
    """The columns of every place at the end of each of `weeks` (indices 0 .. W-1), and their names.

    returns (len(weeks), N, F) float64, F names
    """
    chosen, of_name = np.asarray(weeks, dtype=np.int64), dict(columns)
    values = [
        np.broadcast_to(each if each.ndim == 1 else each[:, chosen].T, (len(chosen), len(each)))
        for each in of_name.values()
    ]
    return np.moveaxis(np.stack(values), 0, 2), tuple(of_name)


def wide(panel: Panel, target: str) -> Iterator[tuple[str, FloatArray]]:
    """Everything known, without NaN. A forecast of another target than cases sees the features of both series."""
    yield from _reports(panel, target)
    if target != "cases" and "cases" in panel.daily:
        yield from ((f"cases_{name}", values) for name, values in _reports(panel, "cases"))
        yield from _fatality(panel, target)
    yield from signals(panel, since=2)
    yield from determinants(panel)


def population(panel: Panel) -> FloatArray:
    """(N,) people; the median of the known ones where unknown or impossible."""
    known = np.isfinite(panel.population) & (panel.population > 0)
    middle = float(np.median(panel.population[known])) if known.any() else PER
    return np.where(known, panel.population, middle)


def _reports(panel: Panel, target: str) -> Iterator[tuple[str, FloatArray]]:
    """The reports of one target: of the place, its neighbours, its group and everywhere."""
    people = population(panel)
    at = Widths.of(panel, np.nan_to_num(panel.daily[target]), people)
    own = at.own
    yield "level", np.log1p(own.lag())
    yield "noise", own.noise()
    yield "incidence", own.incidence()
    attacked = own.total() + np.nan_to_num(panel.before.get(target, np.zeros(len(people))))[:, None]
    yield "attack", np.log1p(attacked / own.people * PER)
    for weeks in range(4):
        yield f"growth_{weeks}", own.growth(weeks)
    yield "growth_pairs", log_ratio(own.mean(2), own.mean(2, start=2))
    yield "above_mean", log_ratio(own.lag(), own.mean(4))
    yield "above_long_mean", log_ratio(own.lag(), own.mean(8))
    yield "above_median", log_ratio(own.lag(), 7 * own.median_day())
    yield "largest_day", own.largest_share()
    yield "zero_days", own.zero_days()
    yield "late_growth", own.late_growth(3)
    yield "last_day_growth", own.late_growth(1)
    yield "late_share", own.late_share()
    yield "age", own.age()
    for name, wider, growths in (("near", at.near, 2), ("group", at.group, 3)):
        yield f"{name}_incidence", wider.incidence()
        yield f"{name}_relative", own.incidence() - wider.incidence()
        for weeks in range(growths):
            yield f"{name}_growth_{weeks}", wider.growth(weeks)
        yield f"{name}_late_growth", wider.late_growth(3)
    yield "group_above_median", log_ratio(at.group.lag(), 7 * at.group.median_day())
    yield "nation_incidence", at.nation.incidence()
    for weeks in range(3):
        yield f"nation_growth_{weeks}", at.nation.growth(weeks)
    for name, wider in (("shrunk", at.group), ("shrunk_near", at.near)):
        expected = np.exp(wider.growth())
        yield f"{name}_growth", np.log((own.lag() + PRIOR_CASES * expected) / (own.lag(1) + PRIOR_CASES))
    if panel.irregular.size:
        moved = panel.irregular.reshape(len(people), -1, DAYS_OF_WEEK).mean(axis=2)
        yield "irregular", moved
        yield "irregular_before", np.concatenate([np.zeros((len(people), 1)), moved[:, :-1]], axis=1)


def _fatality(panel: Panel, target: str) -> Iterator[tuple[str, FloatArray]]:
    """Deaths follow cases by one to three weeks: the share that the last month's were of the cases before."""
    deaths, cases = (Weeks(np.nan_to_num(panel.daily[name]), panel.population) for name in (target, "cases"))
    yield "fatality", np.log((deaths.mean(4) + 0.1) / (cases.mean(4, start=2) + 10))
    for weeks in range(1, 4):
        yield f"fatality_{weeks}", np.log((deaths.lag() + 1) / (cases.lag(weeks) + 10))


def signals(panel: Panel, *, since: int) -> Iterator[tuple[str, FloatArray]]:
    """Policies, mobility, testing: the value on the week's last day, and its change in so many weeks.

    A place without a value has the mean of the others; a signal that nobody has is left out.
    """
    for name in sorted(panel.signals):
        ends = panel.signals[name][:, DAYS_OF_WEEK - 1 :: DAYS_OF_WEEK]
        if np.isfinite(ends).any():
            known = np.stack([filled(week) for week in ends.T], axis=1)
            yield f"signal_{name}", known
            yield f"change_{name}", known - known[:, np.maximum(np.arange(known.shape[1]) - since, 0)]


def determinants(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    """What is known of a place before its first report: population, ages, social determinants. No NaN."""
    yield "population", np.log(population(panel))
    if panel.age_share.size:
        yield "mean_age", filled((panel.age_share * panel.age_from).sum(axis=1))
    yield from social(panel)


def social(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    """The Panel's features. A place without a value has the mean of the others; one that nobody has is left out."""
    for name in sorted(panel.features):
        if np.isfinite(panel.features[name]).any():
            yield f"static_{name}", filled(panel.features[name])


def filled(values: FloatArray) -> FloatArray:
    """The mean of the known ones where a value is missing; 0 when all are."""
    known = np.isfinite(values)
    return np.where(known, values, values[known].mean() if known.any() else 0.0)
