"""The members of the ensemble. Each is a module with a function `forecast`, usable alone:

forecast(panel, horizons, *, target="cases", seed=0) -> (N, H) float64

    the expected new reports of weeks T+1 .. T+H (not their running sum), >= 0; NaN for places that the member cannot
    judge (no population, no history, a fit that diverged); the ensemble then goes on without it there.
"""

from __future__ import annotations

from typing import Protocol

from restframe_epidemic.panel import FloatArray, Panel


class Member(Protocol):
    def __call__(self, panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray: ...
