"""Scores of the forecasts that a warehouse keeps, as far as what they were about has come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import backtest, errors, published, scored, scores
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.forecasts import ENSEMBLE
from restframe_epidemic.models import persistence
from restframe_epidemic.panel import BoolArray, DateArray, FloatArray, Panel
from restframe_epidemic.scored import REFERENCE, Scored

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from restframe_epidemic.store import Store

HORIZONS = forecasting.QUANTILE_HORIZONS
SHOWN_WEEKS = 12

_DATES = """
    SELECT DISTINCT reference_date FROM epidemic.forecast
    WHERE model_id = $1 AND target = $2 AND reference_date < $3 ORDER BY reference_date
"""
_STORED = """
    SELECT model_id, reference_date, horizon, location, output_type, CAST(output_type_id AS float8) AS level, value
    FROM epidemic.forecast
    WHERE target = $1 AND horizon <= $2 AND reference_date = $3
"""


@dataclass(frozen=True, slots=True)
class _Day:
    """What was said on a day: points (N, H) by model, quantiles (N, H, levels) of the ensemble and of the reference;
    short : (N,) places whose history was short then"""

    points: dict[str, FloatArray]
    quantiles: FloatArray
    reference_quantiles: FloatArray
    short: BoolArray


def read(store: Store, panel: Panel, target: str, named: str, others: Path | None = None) -> Scored:
    """All stored forecasts of a target of which the Panel knows at least a week that followed.

    panel : with the newest reports, which are the truth
    target, named : as the Panel and as the forecast table call it: cases, wk inc case
    others : a file of published points to compare with, see `published`
    NoData when there is no forecast of the ensemble with a known truth.
    """
    days = store.frame(_DATES, [ENSEMBLE, named, str(panel.as_of)])["reference_date"].to_numpy()
    dates = np.array(days, dtype="datetime64[D]")
    dates = dates[np.isin(dates, panel.weeks)]
    if not len(dates):
        raise errors.NoData(
            f'no forecast of "{named}" whose truth is known',
            hint="Forecast an earlier day with --as-of, or wait a week.",
        )
    found = [_of_day(store, panel.until(day), day, target, named) for day in dates]
    nothing = np.full((len(panel.locations), HORIZONS), np.nan)
    names = sorted({name for day in found for name in day.points})
    points = {name: np.stack([day.points.get(name, nothing) for day in found]) for name in names}
    compared = published.Published()
    if others is not None:
        compared = published.read(others, dates, panel.locations, HORIZONS)
    return Scored(
        dates=dates,
        truth=backtest.truth(panel, dates, HORIZONS, target=target),
        points=points,
        quantiles={
            ENSEMBLE: np.stack([day.quantiles for day in found]),
            REFERENCE: np.stack([day.reference_quantiles for day in found]),
        },
        model=ENSEMBLE,
        short=np.stack([day.short for day in found]),
        locations=panel.locations,
        names=panel.names,
        published=compared.points,
        published_truth=compared.truth,
        baseline=published.BASELINE,
        recent=recent(panel, dates, target),
    )


def _of_day(store: Store, known: Panel, day: np.datetime64, target: str, named: str) -> _Day:
    """One day after the other: the forecasts of a year are more than memory should hold."""
    points, quantiles = _laid(store.frame(_STORED, [named, HORIZONS, str(day)]), known.locations)
    points[REFERENCE] = persistence.forecast(known, HORIZONS, target=target)
    history = forecasting.persistence_history(known, target, HORIZONS)
    reference = forecasting.with_quantiles(known, points[REFERENCE], history)
    return _Day(points, quantiles, reference.quantiles, scores.short_history(known.weekly(target)))


def recent(panel: Panel, dates: DateArray, target: str = "cases") -> FloatArray:
    """(T, N, SHOWN_WEEKS) reports of the weeks up to each date, NaN before the first."""
    weekly = backtest.as_reported(panel, target)
    padded = np.hstack([np.full((len(weekly), SHOWN_WEEKS), np.nan), weekly])
    last = np.searchsorted(panel.weeks, dates)
    return np.stack([padded[:, week + 1 : week + 1 + SHOWN_WEEKS] for week in last])


def _laid(rows: pd.DataFrame, locations: tuple[str, ...]) -> tuple[dict[str, FloatArray], FloatArray]:
    """Points by model (N, H), and the ensemble's quantiles (N, H, levels)."""
    import pandas as pd

    place = pd.Index(locations).get_indexer(rows["location"])
    # levels are text in the table: compare them as numbers, rounded
    level = pd.Index(np.round(scores.LEVELS, 6)).get_indexer(rows["level"].round(6))
    shape = len(locations), HORIZONS
    points: dict[str, FloatArray] = {}
    horizon, value = rows["horizon"].to_numpy() - 1, rows["value"].to_numpy(dtype=np.float64)
    median = (place >= 0) & (rows["output_type"] == "median").to_numpy()
    for name in sorted(set(rows["model_id"][median])):
        mine = median & (rows["model_id"] == name).to_numpy()
        points[str(name)] = np.full(shape, np.nan)
        points[str(name)][place[mine], horizon[mine]] = value[mine]
    ours = (place >= 0) & (rows["model_id"] == ENSEMBLE).to_numpy() & (level >= 0)
    quantiles = np.full((*shape, len(scores.LEVELS)), np.nan)
    quantiles[place[ours], horizon[ours], level[ours]] = value[ours]
    return points, quantiles


def write(store: Store, result: Scored, named: str) -> int:
    """Put the scores of every model, place and week into `epidemic.score`, in place of those of the target."""
    import pyarrow as pa

    tables = [_rows(result, name, named) for name in sorted(result.points)]
    rows = pa.concat_tables(tables)
    store.replace("epidemic.score", rows, {"target": named})
    count: int = rows.num_rows
    return count


def _rows(result: Scored, name: str, named: str) -> pa.Table:
    import pyarrow as pa

    points = result.points[name][:, :, :HORIZONS]
    t, i, h = np.nonzero(np.isfinite(points) & np.isfinite(result.truth))
    truth = result.truth[t, i, h]
    columns = {
        "model_id": pa.repeat(pa.scalar(name), len(t)),
        "reference_date": pa.array(result.dates[t].astype("datetime64[D]")),
        "target": pa.repeat(pa.scalar(named), len(t)),
        "horizon": pa.array((h + 1).astype(np.int32)),
        "location": pa.array(result.locations, pa.string()).take(pa.array(i)),
        "truth": pa.array(truth),
        "forecast": pa.array(points[t, i, h]),
        "wis": pa.nulls(len(t), pa.float64()),
        **{f"covered_{100 * nominal:.0f}": pa.nulls(len(t), pa.bool_()) for nominal in scored.NOMINAL},
    }
    if name in result.quantiles:
        quantiles = result.quantiles[name][t, i, h]
        wis = scores.wis(truth, quantiles)
        unknown = np.isnan(wis)
        columns["wis"] = pa.array(wis, mask=unknown)
        for nominal in scored.NOMINAL:
            held = scores.inside(truth, quantiles, nominal) == 1.0
            columns[f"covered_{100 * nominal:.0f}"] = pa.array(held, mask=unknown)
    return pa.table(columns)
