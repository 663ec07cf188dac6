"""Rows of a query brought onto a regular grid of times, one series for each item.

Nothing here is done row by row: a batch's rows are numbered by item and step, sorted, and reduced.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from restframe import errors
from restframe.forecasting.columns import Roles
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series

Aggregate = Literal["sum", "mean", "min", "max", "count"]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Weeks begin on Mondays, two hours at even ones, quarters in January.
_MONDAY = np.datetime64("1970-01-05T00:00:00", "s")
_JANUARY = np.datetime64("1970-01-01T00:00:00", "s")
# An item's number and a step share an integer: 2^23 items, 2^40 steps around the anchor.
_STEP_BITS = 40
_MIDDLE = 1 << (_STEP_BITS - 1)
_ROWS_AT_ONCE = 1 << 20
# A row of the year 2041 among minutes of 2020 would make a series of millions.
_MOST_VALUES = 200_000_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Steps of `frequency`, of which one begins at `anchor`."""

    frequency: Frequency
    anchor: np.datetime64

    @classmethod
    def of(cls, frequency: Frequency, anchor: str | None) -> Grid:
        if anchor is None:
            return cls(frequency, _JANUARY if frequency.unit == "M" else _MONDAY)
        try:
            return cls(frequency, np.datetime64(anchor, "s"))
        except ValueError as error:
            raise errors.InvalidParameterValue(f'anchor is no time: "{anchor[:100]}"') from error

    def time(self, step: int) -> np.datetime64:
        time: np.datetime64 = self.frequency.times(self.anchor, 1, first=step)[0]
        return time


@dataclass(frozen=True, slots=True, eq=False)
class Gridded:
    """What a query said.

    series : by item, in the order of their names; each ends at the last step at which anything was observed, and its
        features may go on behind that
    categories : for each column, its texts in the order of their numbers
    left_out : items without any value
    """

    series: Mapping[str, Series]
    categories: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]


def gridded(
    batches: Iterable[pa.RecordBatch], roles: Roles, grid: Grid, aggregate: Aggregate | None, fill: float | None
) -> Gridded:
    """Bring rows onto a grid. DataError, with the column and the place, where rows cannot be."""
    items = _Numbers(roles.item)
    categories = [_Category(name) for name in roles.categories]
    cells: list[_Cells] = []
    waiting: list[_Cells] = []
    rows = 0
    for batch in batches:
        if batch.num_rows == 0:
            continue
        of_item = items.of(batch)
        for category in categories:
            category.take(batch, of_item, items)
        waiting.append(_Cells.of(batch, roles, of_item, grid))
        rows += batch.num_rows
        if rows >= max(_ROWS_AT_ONCE, *(len(one.keys) for one in cells), 0):
            cells, waiting, rows = [_reduced([*cells, *waiting], aggregate)], [], 0
    if not cells and not waiting:
        raise errors.DataError("the query returns no rows")
    return _series(_reduced([*cells, *waiting], aggregate), items, categories, roles, grid, aggregate, fill)


# Texts by number


class _Numbers:
    """The texts of a column, numbered as they come."""

    def __init__(self, column: str | None) -> None:
        self.column = column
        self.texts = pa.array([] if column else [""], pa.string())

    def of(self, batch: pa.RecordBatch) -> Integers:
        if self.column is None:
            return np.zeros(batch.num_rows, np.int64)
        texts = batch.column(self.column).cast(pa.string())
        if texts.null_count:
            raise errors.DataError(f'column "{self.column}" is null in some rows: leave them out, or use coalesce')
        encoded = texts.dictionary_encode()
        known = pc.index_in(encoded.dictionary, value_set=self.texts)
        if known.null_count:
            self.texts = pa.concat_arrays([self.texts, encoded.dictionary.filter(pc.is_null(known))])
            known = pc.index_in(encoded.dictionary, value_set=self.texts)
        numbers: Integers = known.to_numpy()[encoded.indices.to_numpy()].astype(np.int64)
        return numbers

    def name(self, number: int) -> str:
        return str(self.texts[number].as_py())


class _Category:
    """One column that groups items: all rows of an item say the same."""

    def __init__(self, column: str) -> None:
        self.numbers = _Numbers(column)
        self._of_item = np.empty(0, np.int64)  # -1: not seen yet

    def take(self, batch: pa.RecordBatch, items: Integers, names: _Numbers) -> None:
        numbers = self.numbers.of(batch)
        new = max(0, len(names.texts) - len(self._of_item))
        self._of_item = np.concatenate([self._of_item, np.full(new, -1)])
        first = self._of_item[items] < 0
        self._of_item[items[first]] = numbers[first]
        differ = np.flatnonzero(self._of_item[items] != numbers)
        if len(differ):
            item, number = items[differ[0]], numbers[differ[0]]
            raise errors.DataError(
                f'column "{self.numbers.column}" is a category, but item "{names.name(item)[:100]}" has both '
                f'"{self.numbers.name(self._of_item[item])[:100]}" and "{self.numbers.name(number)[:100]}"'
            )

    def sorted(self) -> tuple[tuple[str, ...], Integers]:
        """Its texts in order, and the place of each item's in them."""
        order = pc.sort_indices(self.numbers.texts).to_numpy()
        places = np.empty(len(order), np.int64)
        places[order] = np.arange(len(order))
        return tuple(self.numbers.texts.take(pa.array(order)).to_pylist()), places[self._of_item]


# Rows by item and step


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """What was said at steps of items, in columns of equal length.

    keys : item and step
    values, counts : sum, minimum or maximum of the values, and how many there were
    features, feature_counts : (m, n)
    """

    keys: Integers
    values: Floats
    counts: Integers
    features: Floats
    feature_counts: Integers

    @classmethod
    def of(cls, batch: pa.RecordBatch, roles: Roles, items: Integers, grid: Grid) -> _Cells:
        """A batch's rows as they are."""
        steps = grid.frequency.steps(grid.anchor, _times(batch, roles.time, grid.frequency))
        values = np.ones(batch.num_rows) if roles.value is None else _numbers(batch, roles.value)
        features = np.array([_numbers(batch, name) for name in roles.features]).reshape(-1, batch.num_rows)
        present, known = ~np.isnan(values), ~np.isnan(features)
        keys = (items << _STEP_BITS) + steps + _MIDDLE
        return cls(keys, values, present.astype(np.int64), np.where(known, features, 0), known.astype(np.int64))


def _times(batch: pa.RecordBatch, name: str, frequency: Frequency) -> npt.NDArray[np.datetime64]:
    column = batch.column(name)
    if column.null_count:
        raise errors.DataError(f'column "{name}" is null in some rows: leave out what has no time')
    times: npt.NDArray[np.datetime64] = pc.cast(column, pa.timestamp("s"), safe=False).to_numpy(zero_copy_only=False)
    if frequency.unit == "B" and not np.is_busday(times.astype("datetime64[D]")).all():
        weekend = times[~np.is_busday(times.astype("datetime64[D]"))][0]
        raise errors.DataError(f'column "{name}" has {weekend}, which is at a weekend, and frequency B has none')
    return times


def _numbers(batch: pa.RecordBatch, name: str) -> Floats:
    """NaN for null."""
    numbers: Floats = batch.column(name).cast(pa.float64()).to_numpy(zero_copy_only=False)
    if np.isinf(numbers).any():
        raise errors.DataError(f'column "{name}" has a value that is infinite')
    return numbers


def _reduced(parts: list[_Cells], aggregate: Aggregate | None) -> _Cells:
    """All parts as one, in the order of keys, with one cell for each key."""
    keys = np.concatenate([part.keys for part in parts])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    join, nothing = {"min": (np.minimum, np.inf), "max": (np.maximum, -np.inf)}.get(aggregate or "", (np.add, 0.0))
    counts = np.concatenate([part.counts for part in parts])[order]
    values = np.concatenate([part.values for part in parts])[order]
    values = np.where(counts > 0, values, nothing)
    features = np.concatenate([part.features for part in parts], axis=1)[:, order]
    feature_counts = np.concatenate([part.feature_counts for part in parts], axis=1)[:, order]
    return _Cells(
        keys[firsts],
        join.reduceat(values, firsts),
        np.add.reduceat(counts, firsts),
        np.add.reduceat(features, firsts, axis=1),
        np.add.reduceat(feature_counts, firsts, axis=1),
    )


# Series


def _series(
    cells: _Cells,
    items: _Numbers,
    categories: list[_Category],
    roles: Roles,
    grid: Grid,
    aggregate: Aggregate | None,
    fill: float | None,
) -> Gridded:
    numbers, steps = cells.keys >> _STEP_BITS, (cells.keys & ((1 << _STEP_BITS) - 1)) - _MIDDLE
    if aggregate is None and (cells.counts > 1).any():
        twice = np.argmax(cells.counts > 1)
        of = f' of item "{items.name(numbers[twice])[:100]}"' if roles.item else ""
        raise errors.DataError(
            f'several values of "{roles.value}"{of} fall into the step of {grid.frequency} from '
            f'{grid.time(steps[twice])}: say aggregate="sum", "mean", "min", "max" or "count"'
        )
    values = _aggregated(cells, aggregate)
    observed = ~np.isnan(values)
    if not observed.any():
        raise errors.DataError(f'column "{roles.value}" is null in every row')
    end = int(steps[observed].max()) + 1
    known = [category.sorted() for category in categories]
    with np.errstate(invalid="ignore", divide="ignore"):
        features = np.where(cells.feature_counts > 0, cells.features / cells.feature_counts, np.nan)
    names = pc.sort_indices(items.texts).to_numpy()
    first_cells = np.searchsorted(numbers, names, "left"), np.searchsorted(numbers, names, "right")
    series: dict[str, Series] = {}
    left_out, size = [], 0
    for number, low, high in zip(names, *first_cells, strict=True):
        name, seen = items.name(number), observed[low:high]
        if not seen.any():
            left_out.append(name)
            continue
        low += int(np.argmax(seen))
        here, start = steps[low:high], int(steps[low])
        size += end - start
        if size > _MOST_VALUES:
            raise errors.ProgramLimitExceeded(
                f"from {grid.time(start)} to {grid.time(end - 1)} there are too many steps of {grid.frequency}: "
                "leave out rows whose times are wrong"
            )
        target = np.full(end - start, np.nan if fill is None else fill)
        inside = (here < end) & observed[low:high]
        target[here[inside] - start] = values[low:high][inside]
        series[name] = Series(
            grid.time(start),
            target,
            tuple(int(places[number]) for _, places in known),
            _dense(features[:, low:high], here - start, end - start, roles, grid.time(start), grid.frequency, name),
            name if roles.item else None,
        )
    vocabulary = {name: texts for name, (texts, _) in zip(roles.categories, known, strict=True)}
    return Gridded(series, vocabulary, tuple(left_out))


def _aggregated(cells: _Cells, aggregate: Aggregate | None) -> Floats:
    if aggregate == "count":
        return np.where(cells.counts > 0, cells.counts, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = cells.values / cells.counts if aggregate == "mean" else cells.values
        return np.where(cells.counts > 0, values, np.nan)


def _dense(
    features: Floats,
    steps: Integers,
    length: int,
    roles: Roles,
    start: np.datetime64,
    frequency: Frequency,
    item: str,
) -> npt.NDArray[np.float32]:
    """(m, length or more): the features of every step, as far as all of them are known without a gap."""
    if not len(features):
        return np.empty((0, 0), np.float32)
    dense = np.full((len(features), max(length, int(steps[-1]) + 1)), np.nan)
    dense[:, steps] = features
    missing = np.isnan(dense)
    gap = np.flatnonzero(missing.any(axis=0))
    known = int(gap[0]) if len(gap) else dense.shape[1]
    if known < length:
        column = roles.features[int(np.argmax(missing[:, known]))]
        of = f' of item "{item[:100]}"' if roles.item else ""
        time = frequency.times(start, 1, first=known)[0]
        raise errors.DataError(f'feature "{column}"{of} is missing at {time}; features must be there at every step')
    return dense[:, :known].astype(np.float32)
