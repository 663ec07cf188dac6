"""The forecasters that are tried. Each learns from some series, and then forecasts series alike."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

import numpy as np

from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.naive import seasonal_naive
from restframe.ml.forecasting.series import Series
from restframe.ml.portfolio.objectives import Forecast

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be forecast.

    levels : of the quantiles, ascending
    scored : those of them that were asked for
    counts : whether all that was observed are whole numbers, and none is negative
    remaining_s : asked before long work, how long that may take
    """

    steps: int
    frequency: Frequency
    levels: tuple[float, ...]
    scored: tuple[float, ...]
    counts: bool
    remaining_s: Callable[[], float] = lambda: math.inf


# From series to the forecast of each, behind its end.
Forecaster = Callable[[Sequence[Series]], list[Forecast]]


class Skipped(Exception):
    """A candidate is not tried; says why, in words for SHOW MODEL."""


NO_TIME = "MAX_RUNTIME leaves it no time"
_SAMPLES = 200


class Candidate(Protocol):
    @property
    def name(self) -> str: ...

    def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
        """Skipped when the series are not fit for it."""
        ...


class SeasonalNaive:
    """What was there a season ago comes again; the farther ahead, the less sure.

    The spread is that of the seasonal differences in the history, normal, and grows with the root of the number of
    seasons ahead: Hyndman, Athanasopoulos: Forecasting, principles and practice, 3rd edition, section 5.5.
    """

    name = "seasonal naive"

    def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
        scores = np.array([NormalDist().inv_cdf(level) for level in task.levels])[:, np.newaxis]
        return lambda asked: [_naive(one.target, task, scores) for one in asked]


def _naive(target: FloatArray, task: Task, scores: FloatArray) -> Forecast:
    season = best_season(target, task.frequency)
    deviation = _deviation(target, season)
    point = seasonal_naive(target, task.steps, season)
    spread = deviation * np.sqrt(np.arange(task.steps) // season + 1)
    return bounded(Forecast(point + scores * spread, point), target)


def best_season(target: FloatArray, frequency: Frequency) -> int:
    """Of the seasons that the series has twice, the one that repeats itself best; 1 when there is none.

    That is the usual one of the frequency, a week where that is a day, and a year of weeks where it is a week of days.
    """
    found = [season for season in _seasons(frequency) if len(target) >= 2 * season]
    return min(found, key=lambda season: _deviation(target, season), default=1)


def _seasons(frequency: Frequency) -> tuple[int, ...]:
    usual = frequency.season
    if frequency.unit in ("H", "min"):
        return usual, 7 * usual
    return (usual, 52 * usual) if frequency.unit == "D" else (usual,)


def _deviation(target: FloatArray, season: int) -> float:
    """Root of the mean square of what changes from one season to the next."""
    differences = target[season:] - target[:-season]
    squares = np.square(differences[~np.isnan(differences)])
    return float(np.sqrt(squares.mean())) if len(squares) else 0.0


class Ets:
    """Exponential smoothing of each series by itself, by sample paths."""

    name = "ETS"

    def learn(self, series: Sequence[Series], task: Task) -> Forecaster:
        from restframe.ml.forecasting.ets import smooth

        def forecast(asked: Sequence[Series]) -> list[Forecast]:
            deadline = time.monotonic() + task.remaining_s()
            found = []
            for place, one in enumerate(asked):
                if time.monotonic() > deadline:
                    raise Skipped(NO_TIME)
                smoothed = smooth(one.target, best_season(one.target, task.frequency))
                paths = smoothed.sample_paths(task.steps, _SAMPLES, np.random.default_rng(place))
                found.append(of_paths(paths, one.target, task))
            return found

        return forecast


def of_paths(paths: FloatArray, target: FloatArray, task: Task) -> Forecast:
    """(samples, P) -> the forecast they make. Skipped when it is not finite."""
    forecast = Forecast(np.quantile(paths, task.levels, axis=0), paths.mean(axis=0))
    if not (np.isfinite(forecast.quantiles).all() and np.isfinite(forecast.mean).all()):
        raise Skipped("its forecast was not finite")
    return bounded(forecast, target)


def bounded(forecast: Forecast, target: FloatArray) -> Forecast:
    """What was never negative is not forecast to be."""
    if (target < 0).any():
        return forecast
    return Forecast(np.maximum(forecast.quantiles, 0.0), np.maximum(forecast.mean, 0.0))
