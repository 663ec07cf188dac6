"""Rows put on the grid of a frequency: which step of which series each one is.

`M` and `Y` count the months and years that times lie in. The other frequencies have steps of one length, counted from
the first row of each item; a time between two of them is refused, as are two rows for one step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from restframe import errors
from restframe.ml.forecasting.frequency import Frequency
from restframe.sql.statements.model import CreateForecastModel
from restframe.warehouse.forecasts.rows import MAX_ITEM_BYTES

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Integers = npt.NDArray[np.int64]
    Times = npt.NDArray[np.datetime64]

MAX_HORIZON = 500
LARGEST_VALUE = 1e30  # its square is still a number
# The part of the longest series that a forecast may be long.
_LONGEST_PART = 3

_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400
_STEP_S = {"W": 7 * _DAY_S, "D": _DAY_S, "H": _HOUR_S} | {
    f"{minutes}min": minutes * _MINUTE_S for minutes in (1, 5, 10, 15, 30)
}
_MONTHS = {"M": 1, "Y": 12}
# What to write in the query for times that are not on the grid.
_TRUNCATIONS = {"W": "week", "D": "day", "H": "hour", "1min": "minute"}


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows in order of item and time, each with its step.

    items : name of each series; None when there is but one
    groups : (rows,) the series of each row
    steps : (rows,) steps since the first row of the series
    first : (series,) datetime64[s] of step 0
    lengths : (series,) steps up to the last row
    values : (rows,) NaN where missing
    """

    items: tuple[str | None, ...]
    groups: Integers
    steps: Integers
    first: Times
    lengths: Integers
    values: npt.NDArray[np.float64]


def grid_of(rows: pa.Table, statement: CreateForecastModel) -> Grid:
    """Each row's step. DataError for values, times and items that make no series."""
    import pyarrow.compute as pc

    names = rows["item"].combine_chunks().dictionary_encode()
    groups = np.asarray(names.indices).astype(np.int64)
    items = [str(one) for one in names.dictionary.to_pylist()]
    _check_items(items, statement)
    times_us = np.asarray(pc.cast(rows["time"].combine_chunks(), "int64"))
    values = np.asarray(rows["value"].combine_chunks().to_numpy(zero_copy_only=False))
    if (np.abs(values[~np.isnan(values)]) > LARGEST_VALUE).any():
        raise errors.DataError(
            f'TARGET column "{statement.target}" has infinite values, or some beyond {LARGEST_VALUE:g}',
            position=statement.places.get("TARGET"),
        )
    if np.isnan(values).all():
        raise errors.DataError(
            f'TARGET column "{statement.target}" has no values', position=statement.places.get("TARGET")
        )
    begins = np.flatnonzero(np.diff(groups, prepend=-1))
    frequency = str(statement.settings.frequency)
    if frequency in _MONTHS:
        first, steps = _month_steps(times_us, groups, begins, _MONTHS[frequency])
    else:
        first, steps = _even_steps(times_us, groups, begins, _STEP_S[frequency], items, statement)
    _check_once(groups, steps, times_us, items, statement)
    ends = np.append(begins[1:], len(groups)) - 1
    named: tuple[str | None, ...] = (None,) if items == [""] else tuple(items)
    return Grid(named, groups, steps, first, steps[ends] + 1, values)


def _month_steps(times_us: Integers, groups: Integers, begins: Integers, width: int) -> tuple[Times, Integers]:
    """A time stands for the month or year that it lies in, whatever the day."""
    months = times_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64) // width
    first = (months[begins] * width).astype("datetime64[M]").astype("datetime64[s]")
    return first, months - months[begins][groups]


def _even_steps(
    times_us: Integers,
    groups: Integers,
    begins: Integers,
    step_s: int,
    items: Sequence[str],
    statement: CreateForecastModel,
) -> tuple[Times, Integers]:
    """Whole steps from each item's first time. DataError, with an example, for a time between two steps."""
    first_us = times_us[begins]
    steps, off = np.divmod(times_us - first_us[groups], step_s * 1_000_000)
    wrong = np.flatnonzero((off != 0) | (times_us % 1_000_000 != 0))
    if len(wrong):
        row = int(wrong[0])
        frequency = str(statement.settings.frequency)
        unit = _TRUNCATIONS.get(frequency)
        way = f"Truncate the times, such as by date_trunc('{unit}', ...), and group" if unit else "Group"
        raise errors.DataError(
            f"{len(wrong)} of {len(times_us)} rows are not whole steps of FREQUENCY '{frequency}' after the first of "
            f"their item",
            position=statement.places.get("FREQUENCY"),
            detail=f"For example {_shown_row(items[groups[row]], times_us[row])}; "
            f"the first is at {_shown_time(first_us[groups[row]])}.",
            hint=f"{way} the rows in the query after FROM.",
        )
    return (first_us // 1_000_000).astype("datetime64[s]"), steps


def _check_items(items: Sequence[str], statement: CreateForecastModel) -> None:
    """SELECT FORECAST shows items in lower case: they must still be told apart."""
    lower: dict[str, str] = {}
    for item in items:
        if len(item.lower().encode()) > MAX_ITEM_BYTES:
            raise errors.StringDataRightTruncation(
                f'item "{item[:50]}..." has more than {MAX_ITEM_BYTES} bytes', position=statement.training_position
            )
        other = lower.setdefault(item.lower(), item)
        if other != item:
            raise errors.DataError(
                f'the items "{other[:50]}" and "{item[:50]}" differ in upper and lower case only',
                position=statement.training_position,
                hint="Forecasts name items in lower case: write lower(...) in the query, and group the rows.",
            )


def _check_once(
    groups: Integers, steps: Integers, times_us: Integers, items: Sequence[str], statement: CreateForecastModel
) -> None:
    again = np.flatnonzero((np.diff(groups) == 0) & (np.diff(steps) == 0)) + 1
    if not len(again):
        return
    row = int(again[0])
    hint = "Group the rows in the query, as in SELECT item, time, sum(x) ... GROUP BY 1, 2."
    if items == [""]:
        hint += " No column is of type varchar: several items need one, such as by a cast."
    raise errors.DataError(
        f"the training data has more than one row for the same step: {len(again)} rows too many",
        position=statement.training_position,
        detail=f"For example {_shown_row(items[groups[row]], times_us[row])}, "
        f"which is in the same step of FREQUENCY '{statement.settings.frequency}' as the row before.",
        hint=hint,
    )


def _shown_row(item: str, time_us: int) -> str:
    return (f'item "{item[:50]}" at ' if item else "the row at ") + _shown_time(time_us)


def _shown_time(time_us: int) -> str:
    return str(np.datetime64(int(time_us), "us")).replace("T", " ").removesuffix(".000000")


# Series


def check_horizon(grid: Grid, statement: CreateForecastModel) -> None:
    horizon = statement.settings.horizon or 1
    longest = int(grid.lengths.max())
    most = min(longest // _LONGEST_PART, MAX_HORIZON)
    if horizon <= most:
        return
    place = statement.places.get("HORIZON")
    if horizon > MAX_HORIZON:
        raise errors.InvalidParameterValue(f"HORIZON {horizon} is more than {MAX_HORIZON} steps", position=place)
    hint = f"It can be at most {most} here." if most else "There is not enough to learn from."
    raise errors.InvalidParameterValue(
        f"HORIZON {horizon} is too long for the training data, whose longest series has {longest} steps",
        position=place,
        detail=f"A third of the longest series can be forecast: {_LONGEST_PART * horizon} steps are needed.",
        hint=hint,
    )


def kept_steps(lengths: Integers, limit: int) -> int:
    """How many of the last steps of every series may be kept so that all have no more than the limit together."""
    low, high = 1, int(lengths.max())
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if int(np.minimum(lengths, middle).sum()) <= limit else (low, middle - 1)
    return low


def check_kept(kept: int, grid: Grid, statement: CreateForecastModel) -> None:
    """Whether the last `kept` steps of every series are enough to forecast HORIZON steps of them."""
    needed = _LONGEST_PART * (statement.settings.horizon or 1)
    if kept < needed:
        raise errors.InvalidParameterValue(
            f"MAX_CELLS {statement.settings.max_cells} is too small for {len(grid.lengths)} series",
            position=statement.places.get("MAX_CELLS", statement.places.get("HORIZON")),
            detail=f"It allows {kept} steps of each, and HORIZON {statement.settings.horizon} needs {needed}.",
            hint="Set a larger MAX_CELLS, or leave series out.",
        )


def time_frequency(frequency: str) -> Frequency:
    """A year is twelve months to forecasters."""
    return Frequency.parse("12M" if frequency == "Y" else frequency)


def parquet(grid: Grid, kept: int, frequency: str) -> bytes:
    """The last `kept` steps of each series as DeepAR reads them too: item_id, start and target, a row each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    dropped = np.maximum(grid.lengths - kept, 0)
    sizes = grid.lengths - dropped
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    target = np.full(int(offsets[-1]), np.nan)
    steps = grid.steps - dropped[grid.groups]
    inside = steps >= 0
    target[offsets[:-1][grid.groups[inside]] + steps[inside]] = grid.values[inside]
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(target, pa.float64()))
    every = time_frequency(frequency)
    starts = [every.times(one, 1, int(skipped))[0] for one, skipped in zip(grid.first, dropped, strict=True)]
    table = pa.table(
        {
            "item_id": pa.array(grid.items, pa.string()),
            "start": pa.array(np.array(starts, "datetime64[s]"), pa.timestamp("s")),
            "target": lists,
        }
    )
    out = pa.BufferOutputStream()
    pq.write_table(table, out, compression="zstd")
    data: bytes = out.getvalue().to_pybytes()
    return data
