"""Scores of the forecasts that a warehouse keeps, of places and all levels above, as far as what they were about has
come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import backtest, errors, hub, scored, scores
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.forecasts import ENSEMBLE
from restframe_epidemic.models import persistence
from restframe_epidemic.panel import BoolArray, DateArray, FloatArray, Level, Panel
from restframe_epidemic.scored import REFERENCE, Scored

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from restframe_epidemic.store import Store

HORIZONS = forecasting.QUANTILE_HORIZONS
SHOWN_WEEKS = 12
_OPEN = 0.01  # share of a sum's forecast that may be of places whose reports are not known

_DESCRIBED = "SELECT location, name, level FROM epidemic.location ORDER BY 1, 2, 3"
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
class Said:
    """What was said on a day of the K codes of a level, for the H horizons that have quantiles.

    points : (K, H) by model
    quantiles, reference_quantiles : (K, H, levels) of the ensemble and of REFERENCE
    short : (K,) whose history was short then
    """

    points: dict[str, FloatArray]
    quantiles: FloatArray
    reference_quantiles: FloatArray
    short: BoolArray


def read(store: Store, panel: Panel, target: str, named: str, others: Path | None = None) -> Scored:
    """All stored forecasts of a target of which the Panel knows at least a week that followed, of every level.

    panel : with the newest reports, which are the truth
    target, named : as the Panel and as the forecast table call it: cases, wk inc case
    others : a file of published points to compare with, see `hub`
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
    # One day after the other: the forecasts of a year are more than memory should hold.
    found = [_of_day(store, panel.until(day), day, target, named) for day in dates]
    described = store.frame(_DESCRIBED).drop_duplicates("location").set_index("location")
    return beside(panel, dates, found, described, target, others)


def _of_day(store: Store, known: Panel, day: np.datetime64, target: str, named: str) -> list[Said]:
    rows = store.frame(_STORED, [named, HORIZONS, str(day)])
    unchanged = persistence.forecast(known, HORIZONS, target=target)
    history = forecasting.persistence_history(known, target, HORIZONS)
    reference = forecasting.with_quantiles(known, unchanged, history)
    quantiles = (reference.quantiles, *(sums.quantiles for sums in reference.sums))
    said = []
    for level, theirs in zip(_levels(known), quantiles, strict=True):
        points, ours = _laid(rows, level.codes)
        points[REFERENCE] = forecasting.over(level, unchanged)
        short = scores.short_history(forecasting.over(level, known.weekly(target)))
        said.append(Said(points, ours, theirs, short))
    return said


def _levels(panel: Panel) -> tuple[Level, ...]:
    """The places, each for itself, and the levels above."""
    return (Level(panel.locations, np.arange(len(panel.locations))), *panel.levels)


def beside(
    panel: Panel,
    dates: DateArray,
    said: Sequence[Sequence[Said]],
    described: pd.DataFrame,
    target: str = "cases",
    others: Path | None = None,
) -> Scored:
    """What was said on T dates beside what came, of the places and of each level above of which anything is known.

    said : (T, 1 + levels), of the places first
    described : name and level by location
    others : published points of the places
    """
    truth = backtest.truth(panel, dates, HORIZONS, target=target)
    points = np.stack([day[0].points[ENSEMBLE] for day in said])
    weekly = recent(panel, dates, target)
    found = []
    for at, level in enumerate(_levels(panel)):
        came = np.stack([_came(level, *day) for day in zip(truth, points, strict=True)])
        before = np.stack([forecasting.over(level, day) for day in weekly])
        found.append(_of_level(dates, level, [day[at] for day in said], came, before, described))
    of_places, *above = found
    compared = hub.Published()
    if others is not None:
        compared = hub.read(others, dates, panel.locations, HORIZONS)
    return replace(
        of_places,
        published=compared.points,
        published_truth=compared.truth,
        baseline=hub.BASELINE,
        above=tuple(at for at in above if np.isfinite(at.truth + at.points[ENSEMBLE]).any()),
    )


def _came(level: Level, truth: FloatArray, points: FloatArray) -> FloatArray:
    """(K, H): sums of what came, truth (N, H); not known while more than a hundredth of the forecast (N, H) is not."""
    open_ = level.sums(np.where(np.isfinite(truth), 0.0, points))
    return np.where(open_ <= _OPEN * level.sums(points), forecasting.over(level, truth), np.nan)


def _of_level(
    dates: DateArray,
    level: Level,
    said: Sequence[Said],
    came: FloatArray,
    before: FloatArray,
    described: pd.DataFrame,
) -> Scored:
    """came, before : (T, K, H) and (T, K, W) what was reported after and before; codes without a name are left out."""
    kept = [k for k, code in enumerate(level.codes) if code]
    codes = [level.codes[k] for k in kept]
    nothing = np.full((len(level.codes), HORIZONS), np.nan)
    models = sorted({name for day in said for name in day.points})
    of_codes = described.reindex(codes)
    return Scored(
        dates=dates,
        truth=came[:, kept],
        points={name: np.stack([day.points.get(name, nothing) for day in said])[:, kept] for name in models},
        quantiles={
            ENSEMBLE: np.stack([day.quantiles for day in said])[:, kept],
            REFERENCE: np.stack([day.reference_quantiles for day in said])[:, kept],
        },
        model=ENSEMBLE,
        short=np.stack([day.short for day in said])[:, kept],
        locations=tuple(codes),
        names=tuple(of_codes["name"].fillna("").astype(str)),
        recent=before[:, kept],
        level=str(next(iter(of_codes["level"].mode()), "")),
    )


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
    """Put the scores of every model, place of any level and week into `epidemic.score`, in place of those of the
    target."""
    import pyarrow as pa

    tables = [_rows(at, name, named) for at in (result, *result.above) for name in sorted(at.points)]
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
