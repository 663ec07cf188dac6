"""The counts that several published tables show of one base, and the sums that hold between them.

A cell is a point of all dimensions: a table that lacks a dimension stands at its top. Tables that show the same cell
show one cell; a cell is the sum of the next finer ones along each dimension of which some table shows the members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.panel import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas as pd

Hierarchies = Mapping[str, Mapping[str, str]]
Level = tuple[int, ...]
_TOP = "(all)"
# Orders of the finest tables that are tried in the search for one without a loop.
_MANY_TABLES = 6


@dataclass(frozen=True, slots=True)
class Rate:
    """`column` = `per` * count / `of`, rounded to `decimals`; `of` is published or known otherwise."""

    column: str
    of: str
    per: float = 1.0
    decimals: int = 1


@dataclass(frozen=True, slots=True)
class Table:
    """What is published together.

    frame : a row for each cell; a row that is not there counts 0
    dimensions : its columns that say which cell
    count : its column with the number of patients; NaN where suppressed
    rates : columns from which the count follows
    derived : further columns that are told of the cell's patients (means, intervals), to be shown with the count only
    """

    name: str
    frame: pd.DataFrame
    dimensions: tuple[str, ...]
    count: str = "patients"
    rates: tuple[Rate, ...] = ()
    derived: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cells:
    """C cells and E sums: the children of sum e are `children[starts[e]:starts[e + 1]]` and add up to `parent[e]`.

    value : (C,) float64; NaN where not known to whoever made this
    hidden : (C,) in no table, there because sums of shown ones lead over it
    low, high : (C,) what else is known of the value, from rates
    rows : per table, the cell of each row
    """

    value: FloatArray
    hidden: BoolArray
    low: FloatArray
    high: FloatArray
    parent: IntArray
    starts: IntArray
    children: IntArray
    rows: tuple[IntArray, ...] = field(default=())

    @property
    def sums(self) -> IntArray:
        """(M,) the sum that each of `children` belongs to."""
        return np.repeat(np.arange(len(self.parent)), np.diff(self.starts))


@dataclass(frozen=True, slots=True)
class _Dimension:
    """Members numbered: `up` is the number of the member above (-1 at a top), `depth` how many are above."""

    number: Mapping[str, int]
    up: IntArray
    depth: IntArray


def collect(tables: Sequence[Table], hierarchies: Hierarchies) -> Cells:
    """The cells of tables that come from one base.

    hierarchies : by dimension, the member above each member. A dimension that has none (conditions that one patient
        may have several of) has no sums; a table that lacks it is then no sum of those that have it.

    DataError when a count is negative or no whole number, a row stands twice, two tables show different counts of a
    cell, counts do not add up, or tables overlap in a loop, so that what follows from them cannot be told from sums of
    shown cells.
    """
    names = sorted({name for table in tables for name in table.dimensions})
    dimensions = [_dimension(name, tables, hierarchies.get(name, {})) for name in names]
    radix = np.cumprod([1] + [len(dimension.up) for dimension in dimensions])
    if radix[-1] < 0 or np.prod([float(len(dimension.up)) for dimension in dimensions]) > 2**62:
        raise errors.DataError("the tables have too many dimensions")
    keys, values, low, high, rows = _shown(tables, names, dimensions, radix)
    shown = len(keys)
    levels = _levels(keys, dimensions, radix)
    for level in _missing(levels):
        keys, values = _with_level(keys, values, level, dimensions, radix)
    parent, starts, children = _sums(keys, dimensions, radix)
    order = len(keys) - shown
    cells = Cells(
        values,
        np.arange(len(keys)) >= shown,
        np.concatenate([low, np.zeros(order)]),
        np.concatenate([high, np.full(order, np.inf)]),
        parent,
        starts,
        children,
        rows,
    )
    _check_sums(cells)
    return cells


def _dimension(name: str, tables: Sequence[Table], above: Mapping[str, str]) -> _Dimension:
    shown = [table.frame[name].astype(str).unique() for table in tables if name in table.dimensions]
    members = sorted({str(member) for some in shown for member in some} | set(above) | set(above.values()))
    tops = [member for member in members if member not in above]
    if above and len(tops) == 1:
        # The one member above all others: where tables that lack the dimension stand.
        number = {member: i for i, member in enumerate(members)} | {_TOP: members.index(tops[0])}
    else:
        number = {member: i for i, member in enumerate([*members, _TOP])}
    up = np.full(len(set(number.values())), -1)
    for member, parent in above.items():
        up[number[member]] = number[parent]
    depth = np.zeros(len(up), dtype=np.int64)
    at = up.copy()
    for _ in range(len(up)):
        depth += at >= 0
        at = np.where(at >= 0, up[at], -1)
        if (at < 0).all():
            return _Dimension(number, up, depth)
    raise errors.DataError(f'the members of dimension "{name}" stand above each other in a circle')


def _shown(
    tables: Sequence[Table], names: Sequence[str], dimensions: Sequence[_Dimension], radix: IntArray
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray, tuple[IntArray, ...]]:
    found = []
    for table in tables:
        key = np.zeros(len(table.frame), dtype=np.int64)
        for name, dimension, step in zip(names, dimensions, radix, strict=False):
            if name in table.dimensions:
                codes, members = table.frame[name].astype(str).factorize()
                if (codes < 0).any():
                    raise errors.DataError(f'table "{table.name}" has rows without "{name}"')
                key += np.array([dimension.number[member] for member in members], dtype=np.int64)[codes] * step
            else:
                key += dimension.number[_TOP] * step
        if len(np.unique(key)) < len(key):
            raise errors.DataError(f'table "{table.name}" has two rows for one cell')
        found.append(key)
    keys, at = np.unique(np.concatenate(found), return_inverse=True)
    rows = tuple(np.split(at, np.cumsum([len(key) for key in found])[:-1]))
    values = np.full(len(keys), np.nan)
    low, high = np.zeros(len(keys)), np.full(len(keys), np.inf)
    for table, row in zip(tables, rows, strict=True):
        count = table.frame[table.count].to_numpy(dtype=np.float64, na_value=np.nan)
        known = np.isfinite(count)
        if (count[known] < 0).any() or (count[known] % 1 != 0).any():
            raise errors.DataError(f'column "{table.count}" of table "{table.name}" holds something else than counts')
        before = values[row]
        if (known & np.isfinite(before) & (before != count)).any():
            raise errors.DataError(f'table "{table.name}" shows other counts of some cells than another table')
        values[row[known]] = count[known]
        for rate in table.rates:
            least, most = _bounds_of(table.frame, rate)
            low[row] = np.maximum(low[row], least)
            high[row] = np.minimum(high[row], most)
    return keys, values, low, high, rows


def _bounds_of(frame: pd.DataFrame, rate: Rate) -> tuple[FloatArray, FloatArray]:
    """Between which counts a rounded rate leaves."""
    shown = frame[rate.column].to_numpy(dtype=np.float64, na_value=np.nan)
    of = frame[rate.of].to_numpy(dtype=np.float64, na_value=np.nan)
    half = 0.5 * 10.0**-rate.decimals
    # A hair wider: rates that fall on a half may have been rounded either way.
    least, most = (shown - half) * of / rate.per - 1e-9, (shown + half) * of / rate.per + 1e-9
    return np.nan_to_num(least, nan=0.0).clip(0.0), np.nan_to_num(most, nan=np.inf, posinf=np.inf)


def _levels(keys: IntArray, dimensions: Sequence[_Dimension], radix: IntArray) -> set[Level]:
    depths = [
        dimension.depth[keys // step % len(dimension.up)] for dimension, step in zip(dimensions, radix, strict=False)
    ]
    return {tuple(int(d) for d in level) for level in np.unique(np.stack(depths, axis=1), axis=0)} if depths else {()}


def _missing(levels: set[Level]) -> list[Level]:
    """Levels that no table shows and over which sums lead, finest first: between a level and a coarser one, and where
    two of the finest meet.
    """

    def finer(a: Level, b: Level) -> bool:
        return all(x >= y for x, y in zip(a, b, strict=True))

    finest = sorted(a for a in levels if not any(finer(b, a) and b != a for b in levels))
    joins = {(a, b): tuple(map(min, a, b)) for a in finest for b in finest if a != b}
    if len(finest) > 2 and not _without_loop(finest, joins):
        raise errors.DataError(
            "the tables overlap in a loop: what follows from them together cannot be told",
            hint="Publish a table that is finer than all of them, or leave one out.",
        )
    wanted = levels | set(joins.values())
    reached = set(finest)
    for level in sorted(wanted, key=sum, reverse=True):
        for start in finest:
            if not finer(start, level):
                continue
            # Down to the coarser level, one step of one dimension each, over levels that are there where possible.
            at = start
            while at != level:
                steps = [(*at[:i], at[i] - 1, *at[i + 1 :]) for i in range(len(at)) if at[i] > level[i]]
                at = min(steps, key=lambda step: (step not in wanted, step not in reached, step))
                reached.add(at)
    return sorted(reached - levels, key=sum, reverse=True)


def _without_loop(finest: Sequence[Level], joins: Mapping[tuple[Level, Level], Level]) -> bool:
    """Whether the finest tables can be put in an order in which each meets all before it where it meets one of them
    (the running intersection of decomposable models): counts that agree where two meet then belong to some base.
    """
    if len(finest) > _MANY_TABLES:
        return False
    for order in permutations(finest):
        for i, level in enumerate(order[1:], start=1):
            met = [joins[level, before] for before in order[:i]]
            if tuple(map(max, *met)) not in met if len(met) > 1 else False:
                break
        else:
            return True
    return False


def _with_level(
    keys: IntArray, values: FloatArray, level: Level, dimensions: Sequence[_Dimension], radix: IntArray
) -> tuple[IntArray, FloatArray]:
    """With the cells of a level that no table shows, as sums along the first dimension that leads there."""
    for d, dimension in enumerate(dimensions):
        below = (*level[:d], level[d] + 1, *level[d + 1 :])
        here = np.ones(len(keys), dtype=np.bool_)
        for depth, other, step in zip(below, dimensions, radix, strict=False):
            here &= other.depth[keys // step % len(other.up)] == depth
        if here.any():
            code = keys[here] // radix[d] % len(dimension.up)
            above, at = np.unique(keys[here] + (dimension.up[code] - code) * radix[d], return_inverse=True)
            sums = np.zeros(len(above))
            np.add.at(sums, at, values[here])
            new = ~np.isin(above, keys)
            return np.concatenate([keys, above[new]]), np.concatenate([values, sums[new]])
    raise AssertionError("a level without a finer one")


def _sums(keys: IntArray, dimensions: Sequence[_Dimension], radix: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    order = np.argsort(keys)
    parents, members, which = [], [], []
    for d, dimension in enumerate(dimensions):
        code = keys // radix[d] % len(dimension.up)
        child = np.flatnonzero(dimension.up[code] >= 0)
        above = keys[child] + (dimension.up[code[child]] - code[child]) * radix[d]
        at = np.searchsorted(keys, above, sorter=order).clip(max=len(keys) - 1)
        there = keys[order[at]] == above
        parents.append(order[at[there]])
        members.append(child[there])
        which.append(np.full(there.sum(), d))
    if not parents:
        return np.zeros(0, np.int64), np.zeros(1, np.int64), np.zeros(0, np.int64)
    parent, member, dimension_of = np.concatenate(parents), np.concatenate(members), np.concatenate(which)
    sorted_ = np.lexsort((member, parent, dimension_of))
    parent, member, dimension_of = parent[sorted_], member[sorted_], dimension_of[sorted_]
    first = np.ones(len(parent), dtype=np.bool_)
    first[1:] = (np.diff(parent) != 0) | (np.diff(dimension_of) != 0)
    starts = np.append(np.flatnonzero(first), len(parent))
    return parent[starts[:-1]], starts, member


def _check_sums(cells: Cells) -> None:
    """What can be added up must: of counts that do not, the difference would be a count that nobody guards."""
    if not len(cells.parent):
        return
    missing = cells.value[cells.parent] - np.add.reduceat(cells.value[cells.children], cells.starts[:-1])
    wrong = np.flatnonzero(np.isfinite(missing) & (missing != 0))
    if len(wrong):
        raise errors.DataError(
            f"{len(wrong)} totals are not the sums of their parts",
            hint="Give those whom no part counts a member of their own, or leave them out of the total; a dimension "
            "in which one patient counts several times has no hierarchy.",
        )
