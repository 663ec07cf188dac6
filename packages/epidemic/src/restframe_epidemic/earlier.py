"""What members said on earlier days, as the warehouse keeps it: the past of those that are not run on past days.

A forecast that learns from it depends on which runs the warehouse has, so `epidemic.run_earlier` says which they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic.backtest import Backtest
from restframe_epidemic.panel import DateArray, FloatArray, Panel

if TYPE_CHECKING:
    import pandas as pd

    from restframe_epidemic.store import Store

_FEWEST_DAYS = 4  # whose truth is known, before a member is judged by them
_WEEK = np.timedelta64(7, "D")
_MINE = """
    FROM epidemic.forecast
    WHERE model_id = $1 AND target = $2 AND output_type = 'median' AND horizon <= $3
      AND reference_date BETWEEN CAST($4 AS date) AND CAST($5 AS date)
"""
_SAID = f"SELECT reference_date, location, horizon, value {_MINE}"
_RUNS = f"SELECT DISTINCT reference_date, run_id {_MINE} ORDER BY 1, 2"


@dataclass(frozen=True, slots=True)
class Said:
    """On T past days of one target.

    points : by member (T, N, H); NaN where it said nothing, and for a horizon of which too few days have come true.
        A member of which nothing is left is not there
    runs : member, day and run_id of each forecast that these are
    """

    points: Mapping[str, FloatArray]
    runs: tuple[tuple[str, date, str], ...]

    def beside(self, past: Backtest) -> Backtest:
        """`past`, of other members on the same days, and these."""
        points = np.concatenate([past.points, *(said[:, None] for said in self.points.values())], axis=1)
        seconds = np.concatenate([past.seconds, np.zeros((len(past.as_of), len(self.points)))], axis=1)
        return replace(past, members=(*past.members, *self.points), points=points, seconds=seconds)


def read(store: Store, panel: Panel, days: DateArray, members: Sequence[str], target: str, horizons: int) -> Said:
    """What members said when it was their day.

    days : (T,) ascending, ends of weeks of the Panel
    target : as the table calls it
    """
    points: dict[str, FloatArray] = {}
    runs: list[tuple[str, date, str]] = []
    for name in members if len(days) else ():
        asked = [name, target, horizons, str(days[0]), str(days[-1])]
        said = _points(panel, days, horizons, store.frame(_SAID, asked))
        used = days[np.isfinite(said).any(axis=(1, 2))].tolist()
        if used:
            points[name] = said
            runs += [(name, day, run) for day, run in store.run(_RUNS, asked).fetchall() if day in used]
    return Said(points, tuple(runs))


def _points(panel: Panel, days: DateArray, horizons: int, rows: pd.DataFrame) -> FloatArray:
    """(T, N, H)"""
    import pandas as pd

    said = np.full((len(days), len(panel.locations), horizons), np.nan)
    day = pd.Index(days.astype("datetime64[s]")).get_indexer(pd.Index(rows["reference_date"].astype("datetime64[s]")))
    place = pd.Index(panel.locations).get_indexer(rows["location"])
    there = (day >= 0) & (place >= 0)
    horizon, value = rows["horizon"].to_numpy() - 1, rows["value"].to_numpy(dtype=np.float64)
    said[day[there], place[there], horizon[there]] = value[there]
    ago = (panel.as_of - days) // _WEEK
    for h in range(horizons):
        if (np.isfinite(said[:, :, h]).any(axis=1) & (ago > h)).sum() < _FEWEST_DAYS:
            said[:, :, h] = np.nan
    return said
