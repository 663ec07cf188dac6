"""Who speaks for which place: two phases.

A place with a long history is forecast by all members. A place with a short one (`scores.short_history`: fewer than 20
reports in its last eight weeks) is left to the members that learn from other places: its group's projection shared out
by social determinants, and the regressions over all places. Members that fit a curve, compartments or agents to the
place's own few reports, or repeat them, follow their noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from restframe_epidemic.panel import BoolArray, FloatArray

FROM_OTHER_PLACES = ("projection", "direct", "growth", "boosting")


def two_phases(names: Sequence[str], points: FloatArray, short: BoolArray) -> FloatArray:
    """The forecasts (M, ..., N, H) of M members, NaN where one has no say; short : (..., N) those with a short history.

    Where none of those that have a say there made a forecast, the others keep theirs.
    """
    speaks = np.array([name in FROM_OTHER_PLACES for name in names])
    if not speaks.any():
        return points
    judged = np.isfinite(points[speaks]).any(axis=0) & short[..., None]
    silent = ~speaks.reshape(-1, *[1] * (points.ndim - 1)) & judged
    return np.where(silent, np.nan, points)
