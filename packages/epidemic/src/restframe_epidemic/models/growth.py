"""Ridge regression of growth on little: how a place, its neighbours, its group and all together grew of late.

The logarithm of growth over each horizon, log((y[w + h] + 1) / (y[w] + 1)), by least squares over all places and the
last weeks, weighted by the root of y[w], once with a short and once with a long memory; the two are averaged. It has no
policies, hardly any social factors and no shape of an epidemic, so that it errs differently from members that do.

Hoerl, Kennard: Ridge regression: biased estimation for nonorthogonal problems, Technometrics 1970, 12.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from restframe_epidemic.models import features
from restframe_epidemic.models.examples import DIRECT_HORIZONS, Examples, Lessons
from restframe_epidemic.models.linear import ridge
from restframe_epidemic.models.weekly import Weeks, Widths, log_ratio, neighbour_sums
from restframe_epidemic.panel import FloatArray, Panel

MEMORIES = (8, 14)
"""Weeks of origins that are learned from."""

RIDGE = 30.0
"""Penalty on a coefficient's square, in rows of mean weight."""

LARGEST = 1600.0
"""Weekly reports over which a place weighs no more."""

SOCIAL = ("vulnerability", "crowding")
"""Static features that are used where a Panel has them, missing values as their median."""

_FIRST = 8  # origins before this week of the Panel have too little behind them


def forecast(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    """(N, horizons) expected new reports; NaN for places without any last week, and for all in the first weeks. Weeks
    after the fourth are as the fourth. `seed` is without effect."""
    reported = np.isfinite(panel.weekly(target)[:, -1])
    if len(panel.weeks) <= _FIRST + min(horizons, DIRECT_HORIZONS):
        return np.full((len(reported), horizons), np.nan)
    known = Examples.of(panel, target, _columns(panel, target), first=_FIRST)
    known = replace(known, active=np.ones_like(known.active), reported=reported)
    return known.reports(np.mean([known.growth(horizons, _learn, memory, fading=0.0) for memory in MEMORIES], axis=0))


def _learn(lessons: Lessons, now: FloatArray) -> FloatArray:
    growth = np.log((lessons.then + 1) / (lessons.now + 1))
    weight = np.sqrt(np.minimum(lessons.now, LARGEST) + 0.5)
    centre, spread = lessons.x.mean(axis=0), lessons.x.std(axis=0) + 1e-9
    z = np.column_stack([(lessons.x - centre) / spread, np.ones(len(growth))])
    b = ridge(z, growth, weight, np.append(np.full(len(centre), RIDGE / len(growth)), 0.0))
    result: FloatArray = ((now - centre) / spread * b[:-1]).sum(axis=1) + b[-1]
    return result


def _columns(panel: Panel, target: str) -> Iterator[tuple[str, FloatArray]]:
    daily, people = np.nan_to_num(panel.daily[target]), features.population(panel)
    at = Widths.of(panel, daily, people)
    own, around = at.own, Weeks(neighbour_sums(panel, daily), people)
    for name, series in (("own", own), ("around", around), ("group", at.group)):
        yield f"{name}_level", np.log1p(series.lag())
        for weeks in range(1, 4):
            yield f"{name}_growth_{weeks}", series.growth(over=weeks)
    for weeks in range(1, 3):
        yield f"nation_growth_{weeks}", at.nation.growth(over=weeks)
    yield "late_level", log_ratio(own.lag(days=3) * 7 / 3, own.lag())
    yield "group_late_level", log_ratio(at.group.lag(days=3) * 7 / 3, at.group.lag())
    yield "late_growth", own.late_growth(4)
    yield "group_late_growth", at.group.late_growth(4)
    yield "noise", own.noise()
    yield "noise_before", 1 / np.sqrt(1 + own.lag(1))
    yield "attack", np.log1p(own.total() / own.people * 1e4)
    yield "population", np.log(people)
    yield "relative", own.incidence() - at.group.incidence()
    yield "month", -sum((own.growth(over=week) for week in range(1, 4)), np.zeros(())) / 4
    yield "oldest", panel.age_share[:, -1]
    yield from ((name, _filled(panel.features[name])) for name in SOCIAL if name in panel.features)


def _filled(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    return np.where(known, values, np.median(values[known]) if known.any() else 0.0)
