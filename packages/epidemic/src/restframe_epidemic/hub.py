"""Points that others published, beside what came: a table with a column per model, as hub evaluations keep them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.panel import DateArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd

BASELINE = "COVIDhub-baseline"
_PLACES = ("location", "fips")
_NEEDED = ("target_end_date", "horizon_wk", "actual_cases")
_NOT_MODELS = ("forecast_date", *_NEEDED, *_PLACES)


@dataclass(frozen=True, slots=True)
class Published:
    """Sums over weeks 1..h, (T, N, H), NaN where there is none: by model, and what came (None: nothing to compare)."""

    points: dict[str, FloatArray] = field(default_factory=dict)
    truth: FloatArray | None = None


def read(path: Path, reference_dates: DateArray, locations: tuple[str, ...], horizons: int) -> Published:
    """The models that published on all those of the dates which the file has.

    path : Parquet or CSV with target_end_date (the end of the last week), horizon_wk, location or fips, actual_cases
        and a column per model; points and actual_cases are sums over weeks 1..h
    reference_dates : (T,) the ends of the last weeks that were known
    DataError for a file without these columns, or with a date or number in them that is none.
    """
    table = _table(path)
    place = next((name for name in _PLACES if name in table), None)
    missing = [name for name in _NEEDED if name not in table] + ([] if place else ["location"])
    if missing:
        raise errors.DataError(f"{path.name}: no column {', '.join(missing)}", hint="See the page on scores.")
    try:
        return _laid(table, place, reference_dates, locations, horizons)
    except ValueError as error:
        raise errors.DataError(f"{path.name}: a date or number is none: {str(error)[:100]}") from error


def _laid(
    table: pd.DataFrame, place: str | None, reference_dates: DateArray, locations: tuple[str, ...], horizons: int
) -> Published:
    """place : the column of codes"""
    import pandas as pd

    weeks = pd.to_timedelta(7 * table["horizon_wk"].astype(int), unit="D")
    table = table.assign(reference=(pd.to_datetime(table["target_end_date"]) - weeks).astype("datetime64[s]"))
    dates = pd.DatetimeIndex(reference_dates).astype("datetime64[s]")
    table = table[table["reference"].isin(dates)]
    if table.empty:
        return Published()
    keys = ["reference", place, "horizon_wk"]
    index = pd.MultiIndex.from_product([dates, locations, range(1, horizons + 1)], names=keys)
    table = table.drop_duplicates(keys).set_index(keys)
    names = [name for name in table.columns if name not in _NOT_MODELS]
    on_all = table[names].notna().groupby(level=0).any().all()
    laid = table[[*(name for name in names if on_all[name]), "actual_cases"]].reindex(index).astype(np.float64)
    shape = len(dates), len(locations), horizons
    points = {str(name): laid[name].to_numpy().reshape(shape) for name in laid.columns}
    return Published(points, points.pop("actual_cases"))


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return (
            pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=dict.fromkeys(_PLACES, str))
        )
    except (OSError, ValueError) as error:
        raise errors.DataError(f"{path.name} cannot be read: {str(error)[:100]}") from error
