"""The members of the ensemble. Each is a module with a function `forecast`, usable alone:

forecast(panel, horizons, *, target="cases", seed=0) -> (N, H) float64

    the expected new reports of weeks T+1 .. T+H (not their running sum), >= 0; NaN for places that the member cannot
    judge (no population, no history, a fit that diverged); the ensemble then goes on without it there.
"""

from __future__ import annotations

import importlib
from typing import Protocol

from restframe_epidemic import errors
from restframe_epidemic.panel import FloatArray, Panel


class Member(Protocol):
    def __call__(self, panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray: ...


# name -> module of this package; what stands here is what an ensemble is made of, in the order it is shown. One that
# learns from other places also stands in `phases`, one that takes too long for past days in `daily.COSTLY`.
MEMBERS: dict[str, str] = {
    "persistence": "persistence",
    "projection": "projection",
    "direct": "direct",
    "growth": "growth",
    "boosting": "boosting",
    "curve": "curve",
    "seir": "seir",
    "agents": "agents",
}


def member(name: str) -> Member:
    """The forecast function of a member. UsageError for a name that is none."""
    module = MEMBERS.get(name)
    if module is None:
        raise errors.UsageError(f'no member "{name[:40]}"', hint=f"There are {', '.join(MEMBERS)}.")
    function: Member = importlib.import_module(f"{__name__}.{module}").forecast
    return function
