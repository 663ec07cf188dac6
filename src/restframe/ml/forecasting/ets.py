"""Exponential smoothing: level, trend and season, each following what is observed; the kind chosen for each series.

Hyndman, Koehler, Snyder, Grose: A state space framework for automatic forecasting using exponential smoothing methods,
International Journal of Forecasting 18, 2002. Ours tries fewer kinds, and does not fit the first season.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from restframe.ml.forecasting.smoothing import ADDITIVE, DAMPED, MULTIPLICATIVE, NONE, fit, simulate

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

_FEWEST = 5  # observations of which something can be learnt
_FILTERINGS = 200
_FIRST_SEASONS = 4
_FIRST_STEPS = 10
_MOST_STEPS = 10_000  # that are looked at, or a few seasons: more take time and change little
_LETTERS = {NONE: "N", ADDITIVE: "A", MULTIPLICATIVE: "M", DAMPED: "Ad"}
_FARTHEST = 10.0  # of the largest observation: what a forecast may reach
_LEAST_FACTOR = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Smoothing:
    """A series smoothed to its end, in units of `scale`.

    error, trend, season : kinds as in smoothing.py
    parameters : likewise, with level and slope at the end of the series
    seasonal : the last season, from the place of the first step to forecast
    criterion : AICc: of several kinds for one series, the lowest is taken
    deviation : of one step's error, relative where errors are multiplicative
    lowest, highest : what forecasts are held between
    """

    error: int
    trend: int
    season: int
    criterion: float
    parameters: FloatArray
    seasonal: FloatArray
    deviation: float
    scale: float
    lowest: float
    highest: float

    @property
    def kind(self) -> str:
        """`ETS(M,Ad,A)`: error, trend and season; Additive, Multiplicative, damped, None."""
        return f"ETS({_LETTERS[self.error]},{_LETTERS[self.trend]},{_LETTERS[self.season]})"

    def sample_paths(self, steps: int, samples: int, generator: np.random.Generator) -> FloatArray:
        """(samples, steps) with errors from a normal distribution.

        What was never negative is not forecast to be, and nothing is beyond ten times the largest observation.
        """
        errors = generator.normal(0.0, self.deviation, (samples, steps))
        if self.error == MULTIPLICATIVE:
            errors = np.maximum(errors, _LEAST_FACTOR - 1.0)
        paths = np.empty((samples, steps))
        simulate(
            errors, self.error, self.season, self.parameters, self.seasonal, self.lowest, self.highest, paths
        )  # fmt: skip
        return paths * self.scale


def smooth(target: FloatArray, season: int) -> Smoothing:
    """The likeliest kind of smoothing for a series (n,), by AICc; NaN where nothing was observed.

    What is long past is not looked at. A season that was not seen twice is left out. With less than five observations,
    the last one stays.
    """
    target = target[-max(_MOST_STEPS, _FIRST_SEASONS * season) :]
    observed = np.flatnonzero(~np.isnan(target))
    scale = float(np.abs(target[observed]).mean()) if len(observed) else 0.0
    if len(observed) < _FEWEST or scale == 0.0:
        return _standing_still(target[observed])
    y = np.ascontiguousarray(target[observed[0] :] / scale)
    m = season if len(y) >= 2 * season and len(observed) > season + _FEWEST else 1
    found = [one for kind in _kinds_of_season(y, m) if (one := _smoothed(y, kind, m, scale))]
    for best in sorted(found, key=lambda one: one.criterion)[:2]:
        for trend in (ADDITIVE, DAMPED):
            if one := _smoothed(y, (best.error, trend, best.season), m, scale):
                found.append(one)
    return min(found, key=lambda one: one.criterion)


def _kinds_of_season(y: FloatArray, m: int) -> Iterator[tuple[int, int, int]]:
    """Kinds without a trend. Multiplicative ones are for positive numbers; with additive errors they are not stable."""
    positive = bool(np.nanmin(y) > 0)
    for error in (ADDITIVE, MULTIPLICATIVE) if positive else (ADDITIVE,):
        yield error, NONE, NONE
        if m > 1:
            yield error, NONE, ADDITIVE
            if error == MULTIPLICATIVE:
                yield error, NONE, MULTIPLICATIVE


def _smoothed(y: FloatArray, kind: tuple[int, int, int], m: int, scale: float) -> Smoothing | None:
    """None when the series has too few observations for the kind, or it makes forecasts that are not positive."""
    error, trend, season = kind
    level, slope, first = _beginning(y, season, m)
    value, parameters, last, residuals = fit(
        y, error, trend, season, level, slope if trend else 0.0, first, float(np.nanstd(y)), _FILTERINGS
    )
    count = int(np.count_nonzero(~np.isnan(y)))
    # alpha, level and the deviation; beta, trend; phi; gamma and a season that adds up to nothing
    free = 3 + 2 * (trend != NONE) + (trend == DAMPED) + (season != NONE) * m
    if not math.isfinite(value) or count - free - 1 <= 0:
        return None
    return Smoothing(
        error, trend, season,
        criterion=value + 2 * free + 2 * free * (free + 1) / (count - free - 1),
        parameters=parameters, seasonal=np.roll(last, -(len(y) % len(last))),
        deviation=float(np.sqrt(np.nanmean(np.square(residuals)))),
        scale=scale,
        lowest=0.0 if np.nanmin(y) >= 0 else -_FARTHEST * float(np.nanmax(np.abs(y))),
        highest=_FARTHEST * float(np.nanmax(np.abs(y))),
    )  # fmt: skip


def _beginning(y: FloatArray, season: int, m: int) -> tuple[float, float, FloatArray]:
    """Level and slope before the first step, and the first season."""
    if season == NONE:
        first = y[:_FIRST_STEPS]
        at = np.flatnonzero(~np.isnan(first))
        slope = float(np.polyfit(at, first[at], 1)[0]) if len(at) > 2 else 0.0
        return float(first[at].mean()) - slope * (float(at.mean()) + 1), slope, np.zeros(1)
    seasons = min(len(y) // m, _FIRST_SEASONS)
    # (seasons, m)
    table = y[: seasons * m].reshape(seasons, m)
    levels = _means(table, 1, float(np.nanmean(y)))
    slope = float(levels[-1] - levels[0]) / ((seasons - 1) * m)
    line = levels[:, np.newaxis] + slope * (np.arange(m) - (m - 1) / 2)
    if season == MULTIPLICATIVE:
        first = np.maximum(_means(table / np.maximum(line, 1e-3), 0, 1.0), 1e-3)
        first /= first.mean()
    else:
        first = _means(table - line, 0, 0.0)
        first -= first.mean()
    return float(line[0, 0]) - slope, slope, first


def _means(table: FloatArray, axis: int, otherwise: float) -> FloatArray:
    """Means of what was observed."""
    count = np.count_nonzero(~np.isnan(table), axis=axis)
    return np.where(count > 0, np.nansum(table, axis=axis) / np.maximum(count, 1), otherwise)


def _standing_still(observed: FloatArray) -> Smoothing:
    """The last observation, or 0, as far off as observations have been from one to the next."""
    last = float(observed[-1]) if len(observed) else 0.0
    largest = float(np.abs(observed).max()) if len(observed) else 0.0
    return Smoothing(
        ADDITIVE, NONE, NONE,
        criterion=math.inf,
        parameters=np.array([1.0, 0.0, 0.0, 1.0, last, 0.0]), seasonal=np.zeros(1),
        deviation=float(np.sqrt(np.mean(np.square(np.diff(observed))))) if len(observed) > 1 else 0.0,
        scale=1.0,
        lowest=-_FARTHEST * largest if (observed < 0).any() else 0.0,
        highest=_FARTHEST * largest,
    )  # fmt: skip
