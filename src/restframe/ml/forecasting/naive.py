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
