"""What members said on earlier days, as the warehouse keeps it: the past of those that are not run on past days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic.backtest import Backtest
from restframe_epidemic.panel import DateArray, FloatArray, Panel

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

_FEWEST_DAYS = 4  # whose truth is known, before a member is judged by them
_WEEK = np.timedelta64(7, "D")
_SAID = """
    SELECT reference_date, location, horizon, value FROM epidemic.forecast
    WHERE model_id = $1 AND target = $2 AND output_type = 'median' AND horizon <= $3
      AND reference_date BETWEEN CAST($4 AS date) AND CAST($5 AS date)
"""


def remembered(store: Store, panel: Panel, past: Backtest, members: Sequence[str], target: str) -> Backtest:
    """`past`, and on its days what other members said when it was their day.

    members : those that are not in `past`; one that spoke on too few days to be judged stays without a past
    target : as the table calls it
    """
    found, points = [], [past.points]
    for name in members:
        said = _said(store, panel, past.as_of, name, target, past.points.shape[3])
        if np.isfinite(said).any():
            found.append(name)
            points.append(said[:, None])
    seconds = np.concatenate([past.seconds, np.zeros((len(past.as_of), len(found)))], axis=1)
    return replace(past, members=(*past.members, *found), points=np.concatenate(points, axis=1), seconds=seconds)


def _said(store: Store, panel: Panel, days: DateArray, name: str, target: str, horizons: int) -> FloatArray:
    """(T, N, H); NaN for a horizon of which too few days have come true."""
    import pandas as pd

    said = np.full((len(days), len(panel.locations), horizons), np.nan)
    if not len(days):
        return said
    rows = store.frame(_SAID, [name, target, horizons, str(days[0]), str(days[-1])])
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
