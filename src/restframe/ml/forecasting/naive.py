"""The forecast to beat: what was a season ago comes again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]


def seasonal_naive(target: FloatArray, steps: int, season: int) -> FloatArray:
    """(n,) -> (steps,): the last observation a whole number of seasons before each step.

    Where none was observed, the last one of all; 0 where nothing was. season 1 repeats the last observation.
    """
    observed = np.flatnonzero(~np.isnan(target))
    last = np.zeros(season) if not len(observed) else np.full(season, target[observed[-1]])
    # ascending, so that of several with the same place in the season the latest stays
    last[(observed - len(target)) % season] = target[observed]
    return cast("FloatArray", last[np.arange(steps) % season])


def sample_paths(
    target: FloatArray, steps: int, season: int, samples: int, generator: np.random.Generator
) -> FloatArray:
    """(samples, steps) around the seasonal naive forecast, as a seasonal random walk of normal steps takes them.

    The first season is off by one step, the second by two, and so on; a step's standard deviation is that of all
    differences over a season in the target. What was never negative is not forecast to be.
    """
    forecast = seasonal_naive(target, steps, season)
    differences = target[season:] - target[:-season]
    squares = np.square(differences[~np.isnan(differences)])
    deviation = float(np.sqrt(squares.mean())) if len(squares) else 0.0
    seasons = -(-steps // season)
    walks = generator.normal(0.0, deviation, (samples, seasons, season)).cumsum(axis=1)
    paths: FloatArray = forecast + walks.reshape(samples, seasons * season)[:, :steps]
    return paths if (target < 0).any() else np.maximum(paths, 0.0)
