"""The forecast of a day: members combined, quantiles around them, sums of the levels above."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from restframe_epidemic import backtest
from restframe_epidemic.backtest import Backtest
from restframe_epidemic.ensemble import coherence, combining, conformal
from restframe_epidemic.models.phases import two_phases
from restframe_epidemic.panel import FloatArray, IntArray, Level, Panel
from restframe_epidemic.scores import LEVELS, short_history

HISTORY_WEEKS = 16  # past days that members are run on: the window of errors and the longest horizon
HORIZONS = 8
QUANTILE_HORIZONS = 4
_WEEK = np.timedelta64(7, "D")
_FEWEST_DAYS = 3  # whose errors are known, before the ensemble's own errors are taken


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the K codes of a level above the places; NaN where none of its places has a forecast.

    means : (K, H), sums of the means of the places; quantiles : (K, Q horizons, levels)
    """

    means: FloatArray
    quantiles: FloatArray


@dataclass(frozen=True, slots=True)
class Forecast:
    """New reports of weeks T+1 .. T+H.

    points : (N, H), medians; NaN where no member has a forecast
    means : (N, H), what is expected; reports are skewed, so it lies above the median, and unlike medians it adds up
    quantiles : (N, Q horizons, levels)
    sums : of each of the Panel's levels, nearest first
    """

    points: FloatArray
    means: FloatArray
    quantiles: FloatArray
    sums: tuple[Sums, ...]
    levels: tuple[float, ...] = LEVELS


@dataclass(frozen=True, slots=True)
class History:
    """What was forecast on T past days and what came: points and truth (T, N, H), weeks (T,) ago, descending."""

    points: FloatArray
    truth: FloatArray
    weeks: IntArray


def forecast(
    panel: Panel, points: Mapping[str, FloatArray], past: Backtest, *, target: str = "cases", seed: int = 0
) -> Forecast:
    """The ensemble's forecast on the last day of the Panel.

    points : (N, H) of each member, on this day
    past : the members on earlier days (those of this day or later are not looked at); what then came is taken from
        the Panel. Without enough of them widths come from persistence on the Panel's own past weeks.
    """
    names = list(points)
    stacked = np.stack([points[name] for name in names])
    spoken = two_phases(names, stacked, short_history(panel.weekly(target)))
    history, weights = _history(panel, past.before(panel.as_of), names, target, stacked.shape[2])
    return with_quantiles(panel, combining.combine(spoken, weights), history, seed=seed)


def with_quantiles(panel: Panel, points: FloatArray, history: History, *, seed: int = 0) -> Forecast:
    """Points (N, H) with the uncertainty that the history of forecasts of their kind shows.

    None is above all of a place's people, unless a week with more than these was reported there.
    """
    horizons = min(QUANTILE_HORIZONS, points.shape[1])
    quantiles = conformal.quantiles(points[:, :horizons], history.points, history.truth, history.weeks)
    reported = np.nan_to_num(panel.weekly("cases")).max(axis=1, initial=0.0)
    most = np.where(panel.population > 0, np.maximum(panel.population, reported), np.inf)[:, None]
    points, quantiles = np.minimum(points, most), np.minimum(quantiles, most[:, None])
    means = _means(points, quantiles)
    sums = [
        Sums(over(level, means), of_level)
        for level, of_level in zip(panel.levels, _summed(panel, quantiles, history, seed), strict=True)
    ]
    return Forecast(points, means, quantiles, tuple(sums))


def over(level: Level, values: FloatArray) -> FloatArray:
    """(N, ...) -> (K, ...): sums over the places of each, NaN where none is known."""
    return np.where(level.sums(np.isfinite(values)) > 0, level.sums(values), np.nan)


def _means(points: FloatArray, quantiles: FloatArray) -> FloatArray:
    """(N, H): the mean of each distribution; beyond the last horizon with quantiles it stays as far above the point, on
    the scale of logarithms, as there. The point itself where no distribution is known.
    """
    above = np.zeros(points.shape)
    for h in range(points.shape[1]):
        if h < quantiles.shape[1]:
            mean = coherence.means(quantiles[:, h])
            above[:, h] = np.where(np.isfinite(mean), np.log1p(np.nan_to_num(mean)) - np.log1p(points[:, h]), 0.0)
        else:
            above[:, h] = above[:, h - 1]
    return np.maximum(np.expm1(np.log1p(points) + above), 0.0)


def _summed(panel: Panel, quantiles: FloatArray, history: History, seed: int) -> list[FloatArray]:
    """(K, Q horizons, levels) of each of the Panel's levels."""
    between = [level.of for level in panel.between]
    found = [np.full((len(level.codes), *quantiles.shape[1:]), np.nan) for level in panel.levels]
    for h in range(quantiles.shape[1]):
        known = np.flatnonzero(history.weeks > h)[-conformal.WINDOW :]
        shares = coherence.common(history.points[known][:, :, h], history.truth[known][:, :, h], panel.group, between)
        drawn = coherence.sums(quantiles[:, h], panel.group, shares, between, seed=seed + h)
        for level, sums in zip(found, drawn, strict=False):  # the last is of all, also where they have no name
            level[:, h] = sums
    return found


def _history(panel: Panel, past: Backtest, names: list[str], target: str, horizons: int) -> tuple[History, FloatArray]:
    """The ensemble on past days, and weights (M, H) of the members named for today."""
    weeks = ((panel.as_of - past.as_of) / _WEEK).astype(np.int64)
    weekly = panel.weekly(target)
    points = np.full((len(names), len(weeks), len(weekly), horizons), np.nan)
    for m, name in enumerate(names):
        if name in past.members:
            points[m] = past.of(name)[:, :, :horizons]
    short = np.zeros((len(weeks), len(weekly)), dtype=np.bool_)
    for t, week in enumerate(np.searchsorted(panel.weeks, past.as_of)):
        short[t] = short_history(weekly[:, : week + 1])
    spoken = np.moveaxis(two_phases(names, points, short), 0, 1)  # (T, M, N, H)
    truth = backtest.truth(panel, past.as_of, horizons, target=target)
    weights = combining.weights(combining.past_errors(spoken, truth), weeks)
    if (weeks >= QUANTILE_HORIZONS).sum() < _FEWEST_DAYS:
        return persistence_history(panel, target, horizons), weights
    return History(combining.replayed(spoken, truth, weeks), truth, weeks), weights


def persistence_history(panel: Panel, target: str = "cases", horizons: int = HORIZONS) -> History:
    """Of the forecast that nothing changes, on the Panel's own past weeks: the reference, and what a first day has."""
    as_of = backtest.past(panel, HISTORY_WEEKS)
    weeks = ((panel.as_of - as_of) / _WEEK).astype(np.int64)
    last = panel.weekly(target)[:, np.searchsorted(panel.weeks, as_of)]
    points = np.repeat(last.T[:, :, None], horizons, axis=2)
    return History(points, backtest.truth(panel, as_of, horizons, target=target), weeks)
