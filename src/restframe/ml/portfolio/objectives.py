"""How far forecasts were from what came, by the objectives that Redshift ML knows.

https://docs.aws.amazon.com/forecast/latest/dg/metrics.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

MEDIAN = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Of one series, P steps on.

    quantiles : (levels, P), rising from level to level
    mean : (P,)
    """

    quantiles: FloatArray
    mean: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One series at one cut: what was known, and what came.

    history : (n,) NaN where missing
    truth : (P,) NaN where missing
    """

    history: FloatArray
    truth: FloatArray


def error(
    objective: str,
    trials: Sequence[Trial],
    forecasts: Sequence[Forecast],
    levels: Sequence[float],
    scored: Sequence[float],
    season: int,
) -> float:
    """The error of some forecasts, lower is better; NaN when the objective is not defined for these data.

    levels : of the forecasts' quantiles, ascending, 0.5 among them
    scored : those that AverageWeightedQuantileLoss is of
    season : steps, for MASE
    """
    if objective == "AverageWeightedQuantileLoss":
        places = [list(levels).index(level) for level in scored]
        forecasts = [Forecast(one.quantiles[places], one.mean) for one in forecasts]
        levels = scored
    return _ERRORS[objective](trials, forecasts, levels, season)


_Error = Callable[[Sequence[Trial], Sequence[Forecast], Sequence[float], int], float]


def _weighted_quantile_loss(
    trials: Sequence[Trial], forecasts: Sequence[Forecast], levels: Sequence[float], season: int
) -> float:
    """Mean over the levels q of 2 sum (q (y - f)+ + (1 - q) (f - y)+) / sum |y|."""
    q = np.array(levels)[:, np.newaxis]
    loss, total = 0.0, 0.0
    for trial, forecast in zip(trials, forecasts, strict=True):
        observed = ~np.isnan(trial.truth)
        beyond = trial.truth[observed] - forecast.quantiles[:, observed]
        loss += 2 * float(np.sum(np.where(beyond > 0, q, q - 1) * beyond))
        total += float(np.sum(np.abs(trial.truth[observed])))
    return _quotient(loss / len(levels), total)


def _rmse(trials: Sequence[Trial], forecasts: Sequence[Forecast], levels: Sequence[float], season: int) -> float:
    """Root of the mean of squares, of the mean forecast."""
    off = _off(trials, [forecast.mean for forecast in forecasts])
    return math.sqrt(float(np.mean(off**2))) if len(off) else math.nan


def _wape(trials: Sequence[Trial], forecasts: Sequence[Forecast], levels: Sequence[float], season: int) -> float:
    """sum |y - f| / sum |y|, of the median."""
    off = _off(trials, _medians(forecasts, levels))
    return _quotient(float(np.sum(np.abs(off))), float(np.nansum([np.nansum(np.abs(one.truth)) for one in trials])))


def _mape(trials: Sequence[Trial], forecasts: Sequence[Forecast], levels: Sequence[float], season: int) -> float:
    """Mean of |y - f| / |y|, of the median, over the points that are not zero."""
    found = []
    for trial, median in zip(trials, _medians(forecasts, levels), strict=True):
        counts = ~np.isnan(trial.truth) & (trial.truth != 0)
        found.append(np.abs(trial.truth[counts] - median[counts]) / np.abs(trial.truth[counts]))
    return _mean(np.concatenate(found))


def _mase(trials: Sequence[Trial], forecasts: Sequence[Forecast], levels: Sequence[float], season: int) -> float:
    """Mean over the series of mean |y - f| / mean |y_t - y_(t - season)| in the history, of the median.

    A series that repeats itself exactly, or is shorter than its season, has no such error.
    """
    found = []
    for trial, median in zip(trials, _medians(forecasts, levels), strict=True):
        steps = np.abs(trial.history[season:] - trial.history[:-season])
        steps, off = steps[~np.isnan(steps)], np.abs(trial.truth - median)
        off = off[~np.isnan(off)]
        if len(steps) and steps.mean() > 0 and len(off):
            found.append(off.mean() / steps.mean())
    return _mean(np.array(found))


def _medians(forecasts: Sequence[Forecast], levels: Sequence[float]) -> list[FloatArray]:
    place = list(levels).index(MEDIAN)
    return [forecast.quantiles[place] for forecast in forecasts]


def _off(trials: Sequence[Trial], points: Sequence[FloatArray]) -> FloatArray:
    """How far each observed point was off, of all series together."""
    off: FloatArray = np.concatenate([trial.truth - point for trial, point in zip(trials, points, strict=True)])
    observed: FloatArray = off[~np.isnan(off)]
    return observed


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else math.nan


def _quotient(loss: float, total: float) -> float:
    if total:
        return loss / total
    return math.inf if loss else math.nan


_ERRORS: dict[str, _Error] = {
    "AverageWeightedQuantileLoss": _weighted_quantile_loss,
    "RMSE": _rmse,
    "WAPE": _wape,
    "MAPE": _mape,
    "MASE": _mase,
}
