"""Past weeks as lessons for a regression: what was known at the end of a week, and how it went on from there.

The regressions learn the logarithm of growth, log((y[w + h] + 1) / (y[w] + 1)), by its median, weighted by the size of
y[w]. The median survives the way back from logarithms, and an error of the logarithm times the size is, nearly, an
error in reports: what is learned is then what absolute errors of reports are scored by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from restframe_epidemic.models import features
from restframe_epidemic.models.features import Columns
from restframe_epidemic.panel import BoolArray, FloatArray, Panel

FIRST_WEEK = 4
"""Origins before this week of the Panel have too little behind them."""

DIRECT_HORIZONS = 4
"""Each of this many horizons is learned by itself; growth beyond fades by FADING a week."""

FADING = 0.75
LARGEST = 3000.0
"""Weekly reports over which a place weighs no more: a handful of places must not decide for all."""

STEEPEST = 2.0
"""No growth learned or forecast is further from 1 than exp(+-2) per horizon."""

_RECENT = 4


@dataclass(frozen=True, slots=True)
class Lessons:
    """R rows. x : (R, F) features at the end of a week; now, then : (R,) reports of that week and a horizon later"""

    x: FloatArray
    now: FloatArray
    then: FloatArray

    @property
    def growth(self) -> FloatArray:
        """(R,) of the logarithm"""
        result: FloatArray = np.clip(np.log((self.then + 1) / (self.now + 1)), -STEEPEST, STEEPEST)
        return result

    @property
    def weight(self) -> FloatArray:
        """(R,) with mean 1"""
        weight = np.minimum(self.now + 1, LARGEST)
        result: FloatArray = weight / weight.mean()
        return result


Learn = Callable[[Lessons, FloatArray], FloatArray]
"""(lessons, (N, F) features of now) -> (N,) log growth"""


@dataclass(frozen=True, slots=True)
class Examples:
    """
    x : (W - first, N, F) features, from origin week `first` on
    weekly : (N, W) new reports
    active : (N, W) whether the last four weeks had any
    reported : (N,) whether anything ever was, if only that there were none
    """

    x: FloatArray
    first: int
    weekly: FloatArray
    active: BoolArray
    reported: BoolArray

    @staticmethod
    def of(panel: Panel, target: str, columns: Columns, *, first: int = FIRST_WEEK) -> Examples:
        weekly = np.nan_to_num(panel.weekly(target))
        x, _ = features.matrix(columns, range(first, weekly.shape[1]))
        total = np.cumsum(weekly, axis=1)
        before = np.concatenate([np.zeros((len(weekly), _RECENT)), total[:, :-_RECENT]], axis=1)[:, : total.shape[1]]
        reported: BoolArray = np.any(np.isfinite(panel.daily[target]), axis=1)
        return Examples(x, first, weekly, total > before, reported)

    def lessons(self, horizon: int, window_weeks: int) -> Lessons | None:
        """The newest `window_weeks` origins whose week `horizon` later is known; None when there is none."""
        end = self.weekly.shape[1] - horizon
        weeks = np.arange(max(self.first, end - window_weeks), end)
        active = self.active[:, weeks].T  # (weeks, N)
        if not active.any():
            return None
        now, then = self.weekly[:, weeks].T[active], self.weekly[:, weeks + horizon].T[active]
        return Lessons(self.x[weeks - self.first][active], now, then)

    def growth(self, horizons: int, learn: Learn, window_weeks: int, *, fading: float = FADING) -> FloatArray:
        """(N, horizons) log growth; NaN everywhere when there is nothing to learn from."""
        growth = np.full((len(self.weekly), horizons), np.nan)
        for horizon in range(1, min(horizons, DIRECT_HORIZONS) + 1):
            lessons = self.lessons(horizon, window_weeks)
            if lessons is not None:
                growth[:, horizon - 1] = learn(lessons, self.x[-1])
        if horizons > DIRECT_HORIZONS:
            further = np.cumsum(fading ** np.arange(1, horizons - DIRECT_HORIZONS + 1)) / DIRECT_HORIZONS
            growth[:, DIRECT_HORIZONS:] = growth[:, [DIRECT_HORIZONS - 1]] * (1 + further)
        return growth

    def reports(self, growth: FloatArray) -> FloatArray:
        """(N, horizons) reports; 0 where the last weeks had none, NaN for places that never reported."""
        level = self.weekly[:, -1:]
        reports = (level + 1) * np.exp(np.clip(growth, -STEEPEST, STEEPEST)) - 1
        reports = np.where(self.active[:, -1:], np.maximum(reports, 0), 0)
        return np.where(self.reported[:, None], reports, np.nan)
