"""Forecasts as rows of the hubverse: into the warehouse, and out of it as the files that hubs take.

https://hubverse.io/en/latest/user-guide/model-output.html
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.panel import FloatArray, Panel

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe_epidemic.ensemble.forecasting import Forecast
    from restframe_epidemic.store import Store

ENSEMBLE = "ensemble"
COLUMNS = (
    "model_id", "reference_date", "target", "horizon", "location", "output_type", "output_type_id", "value",
)  # fmt: skip


def points(panel: Panel, model_id: str, target: str, values: FloatArray) -> pa.Table:
    """Rows of a member's points (N, H), which are medians, for its places; those without a forecast have no rows."""
    return _rows(panel, model_id, target, panel.locations, values[:, :, None], "median")


def ensemble(panel: Panel, target: str, forecast: Forecast) -> pa.Table:
    """Rows of places and all levels above: medians (of sums as far as quantiles reach), means and quantiles."""
    import pyarrow as pa

    levels = tuple(f"{level:g}" for level in forecast.levels)
    parts = []
    for locations, medians, means, quantiles in _levels_of(panel, forecast):
        parts.append(_rows(panel, ENSEMBLE, target, locations, medians[:, :, None], "median"))
        parts.append(_rows(panel, ENSEMBLE, target, locations, means[:, :, None], "mean"))
        parts.append(_rows(panel, ENSEMBLE, target, locations, quantiles, "quantile", levels))
    return pa.concat_tables(parts)


def _levels_of(panel: Panel, forecast: Forecast) -> list[tuple[tuple[str, ...], FloatArray, FloatArray, FloatArray]]:
    """Codes, medians, means and quantiles of the places and of each level above them that has names."""
    middle = forecast.levels.index(0.5)
    found = [(panel.locations, forecast.points, forecast.means, forecast.quantiles)]
    for level, sums in zip(panel.levels, forecast.sums, strict=True):
        named = [at for at, code in enumerate(level.codes) if code]
        codes, quantiles = tuple(level.codes[at] for at in named), sums.quantiles[named]
        found.append((codes, quantiles[:, :, middle], sums.means[named], quantiles))
    return found


def _rows(
    panel: Panel,
    model_id: str,
    target: str,
    locations: tuple[str, ...],
    values: FloatArray,
    kind: str,
    ids: tuple[str | None, ...] = (None,),
) -> pa.Table:
    """values (n, H, len(ids)); an id is a quantile's level, None of a median or mean."""
    import pyarrow as pa

    place, horizon, which = np.nonzero(np.isfinite(values))
    count = len(place)

    def always(value: object, type_: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, type_), count)

    return pa.table(
        {
            "model_id": always(model_id, pa.string()),
            "reference_date": always(panel.as_of.astype(object), pa.date32()),
            "target": always(target, pa.string()),
            "horizon": pa.array((horizon + 1).astype(np.int32)),
            "location": pa.array(locations, pa.string()).take(pa.array(place)),
            "output_type": always(kind, pa.string()),
            "output_type_id": pa.array(list(ids), pa.string()).take(pa.array(which)),
            "value": pa.array(values[place, horizon, which]),
        }
    )


def write(store: Store, run_id: str, rows: pa.Table) -> None:
    """Put forecasts in place of what the same models said of the same day and target, in one transaction."""
    import pyarrow as pa
    import pyarrow.compute as pc

    with store.transaction():
        for key in (
            rows.select(["model_id", "reference_date", "target"]).group_by(COLUMNS[:3]).aggregate([]).to_pylist()
        ):
            mine = pc.and_(pc.equal(rows["model_id"], key["model_id"]), pc.equal(rows["target"], key["target"]))
            part = rows.filter(pc.and_(mine, pc.equal(rows["reference_date"], key["reference_date"])))
            run = pa.repeat(pa.scalar(run_id, pa.string()), part.num_rows)
            store.replace("epidemic.forecast", part.add_column(0, "run_id", run), key)


def withdraw(store: Store, panel: Panel, model_id: str, target: str) -> None:
    """Take back what a model had said of the day and target: now it has no forecast."""
    store.run(
        "DELETE FROM epidemic.forecast WHERE model_id = $1 AND target = $2 AND reference_date = CAST($3 AS date)",
        [model_id, target, str(panel.as_of)],
    )


def export(store: Store, path: Path, reference_date: str | None = None, model_id: str = ENSEMBLE) -> int:
    """Write one model's forecast of a day (the newest without one) as the CSV file of a hub; returns its rows.

    NoData when there is none.
    """
    from pyarrow import csv

    newest = "SELECT MAX(reference_date) FROM epidemic.forecast WHERE model_id = $1"
    day = reference_date or store.run(newest, [model_id]).scalar()
    rows = store.query(
        f"SELECT {', '.join(COLUMNS[1:])} FROM epidemic.forecast"
        " WHERE model_id = $1 AND reference_date = CAST($2 AS date)"
        " ORDER BY target, location, horizon, output_type, CAST(output_type_id AS float8)",
        [model_id, None if day is None else str(day)],
    )
    if not rows.num_rows:
        raise errors.NoData(
            f'no forecast of "{model_id[:64]}" to export', hint="Make one with `restframe-epidemic forecast`."
        )
    rows = rows.set_column(5, "output_type_id", rows["output_type_id"].fill_null("NA"))
    beside = path.with_name(f".{path.name}.writing")
    csv.write_csv(rows, beside, csv.WriteOptions(quoting_style="needed"))
    beside.replace(path)
    count: int = rows.num_rows
    return count
