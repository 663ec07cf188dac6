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


def points(panel: Panel, values: FloatArray) -> pa.Table:
    """Rows of points (N, H), which are medians, of the Panel's places; those without a forecast have no rows."""
    return _rows(panel.locations, values[:, :, None], "median")


def ensemble(panel: Panel, forecast: Forecast) -> pa.Table:
    """Rows of places and all levels above: medians (of sums as far as quantiles reach), means and quantiles."""
    import pyarrow as pa

    levels = tuple(f"{level:g}" for level in forecast.levels)
    parts = []
    for locations, medians, means, quantiles in _levels_of(panel, forecast):
        parts.append(_rows(locations, medians[:, :, None], "median"))
        parts.append(_rows(locations, means[:, :, None], "mean"))
        parts.append(_rows(locations, quantiles, "quantile", levels))
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


def _rows(locations: tuple[str, ...], values: FloatArray, kind: str, ids: tuple[str | None, ...] = (None,)) -> pa.Table:
    """values (n, H, len(ids)); an id is a quantile's level, None of a median or mean."""
    import pyarrow as pa

    place, horizon, which = np.nonzero(np.isfinite(values))
    return pa.table(
        {
            "horizon": pa.array((horizon + 1).astype(np.int32)),
            "location": pa.array(locations, pa.string()).take(pa.array(place)),
            "output_type": pa.repeat(pa.scalar(kind), len(place)),
            "output_type_id": pa.array(list(ids), pa.string()).take(pa.array(which)),
            "value": pa.array(values[place, horizon, which]),
        }
    )


def write(store: Store, run_id: str, panel: Panel, model_id: str, target: str, rows: pa.Table) -> None:
    """Put rows of `points` or `ensemble`, maybe none, in place of what the model had said of the Panel's day and the
    target.

    target : as the country's hub calls it
    """
    import pyarrow as pa

    key = {"model_id": model_id, "reference_date": panel.as_of.astype(object), "target": target}
    for name, value in {"run_id": run_id, **key}.items():
        rows = rows.append_column(name, pa.repeat(pa.scalar(value), rows.num_rows))
    store.replace("epidemic.forecast", rows, key)


def export(store: Store, run_id: str, path: Path) -> int:
    """Write the ensemble's forecast that a run made as the CSV file of a hub; returns its rows. NoData without any."""
    from pyarrow import csv

    rows = store.query(
        f"SELECT {', '.join(COLUMNS[1:])} FROM epidemic.forecast WHERE run_id = $1 AND model_id = $2"
        " ORDER BY target, location, horizon, output_type, CAST(output_type_id AS float8)",
        [run_id, ENSEMBLE],
    )
    if not rows.num_rows:
        raise errors.NoData(
            f"run {run_id} has no forecast to export", hint="Its rows in epidemic.run_step say what went wrong."
        )
    rows = rows.set_column(5, "output_type_id", rows["output_type_id"].fill_null("NA"))
    beside = path.with_name(f".{path.name}.writing")
    csv.write_csv(rows, beside, csv.WriteOptions(quoting_style="needed"))
    beside.replace(path)
    count: int = rows.num_rows
    return count
