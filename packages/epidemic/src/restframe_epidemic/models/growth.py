"""Ridge regression of growth on little: how a place, its neighbours, its group and all together grew of late.

The logarithm of growth over each horizon, log((y[w + h] + 1) / (y[w] + 1)), by least squares over all places and the
last weeks, weighted by the root of y[w], once with a short and once with a long memory; the two are averaged. It has no
policies, hardly any social factors and no shape of an epidemic, so that it errs differently from members that do.

Hoerl, Kennard: Ridge regression: biased estimation for nonorthogonal problems, Technometrics 1970, 12.
"""

from __future__ import annotations

import numpy as np

from restframe_epidemic.models.features import neighbour_sums
from restframe_epidemic.panel import DAYS_OF_WEEK, FloatArray, Panel

MEMORIES = (8, 14)
"""Weeks of origins that are learned from."""

RIDGE = 30.0
"""Penalty on a coefficient's square, in rows of mean weight."""

LARGEST = 1600.0
"""Weekly reports over which a place weighs no more."""

STEEPEST = 2.0
"""No forecast is further from the last week than exp(+-2)."""

DIRECT_HORIZONS = 4
"""Each of this many horizons is learned by itself; later weeks are as the last of them."""

SOCIAL = ("vulnerability", "crowding")
"""Static features that are used where a Panel has them, missing values as their median."""

_FIRST = 8  # origins before this week of the Panel have too little behind them
_LAGS = 3
_MONTH = 4


def forecast(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    """(N, horizons) expected new reports; NaN for places without any, and for all in the first weeks."""
    daily = np.nan_to_num(panel.daily[target])
    weekly = daily.reshape(len(daily), -1, DAYS_OF_WEEK).sum(axis=2)
    last = weekly.shape[1] - 1
    direct = min(horizons, DIRECT_HORIZONS)
    points = np.full((len(weekly), horizons), np.nan)
    if last - direct < _FIRST:
        return points
    earliest = max(_FIRST, last - 1 - max(MEMORIES) + 1 - (direct - 1))
    x = {week: _features(panel, daily, weekly, week) for week in range(earliest, last + 1)}
    for h in range(1, direct + 1):
        learned = [_learned(x, weekly, last, h, memory) for memory in MEMORIES]
        growth = np.clip(np.mean(learned, axis=0), -STEEPEST, STEEPEST)
        points[:, h - 1] = np.maximum((weekly[:, last] + 1) * np.exp(growth) - 1, 0.0)
    points[:, direct:] = points[:, direct - 1, None]
    points[~np.isfinite(panel.weekly(target)[:, -1])] = np.nan
    return points


def _learned(x: dict[int, FloatArray], weekly: FloatArray, last: int, h: int, memory: int) -> FloatArray:
    """(N,) log growth over h weeks from now."""
    origins = range(max(min(x), last - h - memory + 1), last - h + 1)
    rows = np.concatenate([x[week] for week in origins])
    growth = np.concatenate([np.log((weekly[:, week + h] + 1) / (weekly[:, week] + 1)) for week in origins])
    weight = np.concatenate([np.sqrt(np.minimum(weekly[:, week], LARGEST) + 0.5) for week in origins])
    centre, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    z = np.column_stack([(rows - centre) / spread, np.ones(len(rows))])
    # einsum adds in a fixed order; the linear algebra libraries' sums depend on the number of their threads
    weighted = z * weight[:, None]
    squares = np.einsum("rf,rg->fg", weighted, z)
    penalty = np.full(z.shape[1], RIDGE * weight.mean())
    penalty[-1] = 0.0
    b = np.linalg.solve(squares + np.diag(penalty), np.einsum("rf,r->f", weighted, growth))
    now = np.column_stack([(x[last] - centre) / spread, np.ones(len(x[last]))])
    result: FloatArray = np.einsum("nf,f->n", now, b)
    return result


def _features(panel: Panel, daily: FloatArray, weekly: FloatArray, week: int) -> FloatArray:
    """(N, F) at the end of a week, from that week and earlier ones alone."""
    own = weekly[:, week - _LAGS : week + 1]
    around, group = neighbour_sums(panel, own), _group(panel, own)
    end = (week + 1) * DAYS_OF_WEEK
    days = daily[:, end - 2 * DAYS_OF_WEEK : end]
    of_group = _group(panel, days)
    population = _filled(panel.population)
    of_group_population = _group(panel, population[:, None])[:, 0]
    total = weekly[:, week - 2 : week + 1].sum(axis=0)
    columns = [_log(last) for last in (own[:, -1], around[:, -1], group[:, -1])]
    for series in (own, around, group):
        columns += [_log(series[:, -1]) - _log(series[:, -1 - lag]) for lag in range(1, _LAGS + 1)]
    columns += [np.full(len(daily), np.log(total[-1] + 1) - np.log(total[-1 - lag] + 1)) for lag in (1, 2)]
    columns += [
        _log(days[:, -3:].sum(axis=1) * DAYS_OF_WEEK / 3) - _log(own[:, -1]),
        _log(of_group[:, -3:].sum(axis=1) * DAYS_OF_WEEK / 3) - _log(of_group[:, -DAYS_OF_WEEK:].sum(axis=1)),
        _log(of_group[:, -4:].sum(axis=1)) - _log(of_group[:, -11:-7].sum(axis=1)),
        _log(days[:, -4:].sum(axis=1)) - _log(days[:, -11:-7].sum(axis=1)),
        1 / np.sqrt(1 + own[:, -1]),
        1 / np.sqrt(1 + own[:, -2]),
        _log(weekly[:, : week + 1].sum(axis=1) * 1e4 / (population + 1)),
        np.log(population + 1),
        _log(own[:, -1] * 1e5 / (population + 1)) - _log(group[:, -1] * 1e5 / (of_group_population + 1)),
        _log(weekly[:, week - _MONTH + 1 : week + 1]).mean(axis=1) - _log(own[:, -1]),
    ]
    columns += [panel.age_share[:, -1], *(_filled(panel.features[name]) for name in SOCIAL if name in panel.features)]
    return np.column_stack(columns)


def _filled(values: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    return np.where(known, values, np.median(values[known]) if known.any() else 0.0)


def _log(reports: FloatArray) -> FloatArray:
    result: FloatArray = np.log(reports + 1.0)
    return result


def _group(panel: Panel, values: FloatArray) -> FloatArray:
    """(N, K): of each place the sum over its group."""
    return panel.by_group(values)[panel.group]
