"""The forecasters that are tried. Each learns from some series, and then forecasts series alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Protocol

import numpy as np

from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series
from restframe.ml.portfolio.objectives import Forecast

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be forecast: so many steps of a frequency, at these levels (ascending), of counts or of anything."""

    steps: int
    frequency: Frequency
    levels: tuple[float, ...]
    counts: bool


# From series to the forecast of each, behind its end.
Forecaster = Callable[[Sequence[Series]], list[Forecast]]


class Skipped(Exception):
    """A candidate is not tried; says why, in words for SHOW MODEL."""


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

        def forecast(asked: Sequence[Series]) -> list[Forecast]:
            return [_naive(one.target, task, scores) for one in asked]

        return forecast


def _naive(target: FloatArray, task: Task, scores: FloatArray) -> Forecast:
    season = task.frequency.season
    if len(target) <= season:
        season = 1
    differences = target[season:] - target[:-season]
    differences = differences[~np.isnan(differences)]
    deviation = float(np.sqrt(np.mean(differences**2))) if len(differences) else 0.0
    ahead = np.arange(task.steps)
    point = _last_season(target, season)[ahead % season]
    spread = deviation * np.sqrt(ahead // season + 1)
    return bounded(Forecast(point + scores * spread, point), task)


def _last_season(target: FloatArray, season: int) -> FloatArray:
    """The last observed value at each place of the season; where there is none, the last observed of all."""
    observed = target[~np.isnan(target)]
    last = np.full(season, observed[-1] if len(observed) else 0.0)
    for begin in range(len(target) % season, len(target), season):
        one = target[begin : begin + season]
        last[~np.isnan(one)] = one[~np.isnan(one)]
    return last


def bounded(forecast: Forecast, task: Task) -> Forecast:
    """Without what counts cannot be: less than nothing."""
    if not task.counts:
        return forecast
    return Forecast(np.maximum(forecast.quantiles, 0.0), np.maximum(forecast.mean, 0.0))
