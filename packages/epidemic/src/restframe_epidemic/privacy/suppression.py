"""Which counts a publication leaves out, so that no count of 1 to 10 is shown or can be found out.

Primary suppression leaves out counts of 1 to 10. Complementary suppression leaves out further ones, the next smallest
that help, until the attacker of `attack` cannot bound any left out count to a width under 11, in all tables together.
Rates and means of a left out count go with it. 0 is always shown.

What an earlier edition showed cannot be taken back. A count that it showed, and that has not changed, protects nothing
and is no help to others; one that it left out stays left out as long as it has not changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.panel import BoolArray, FloatArray, IntArray
from restframe_epidemic.privacy.attack import SMALLEST, attack, bounds, exposed, passed
from restframe_epidemic.privacy.cells import Cells, Hierarchies, Table, collect


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One table's losses: cells with a count, left out because small, left out to protect those; patients in them."""

    table: str
    cells: int
    primary: int
    complementary: int
    patients: int
    patients_left_out: int


@dataclass(frozen=True, slots=True)
class Edition:
    """Tables as they may be published: NaN for what is left out."""

    tables: tuple[Table, ...]
    losses: tuple[Suppressed, ...]


def suppress(
    tables: Sequence[Table],
    hierarchies: Hierarchies,
    *,
    before: Sequence[Table] | None = None,
    complementary: bool = True,
) -> Edition:
    """The tables without what may not be shown, after the attacker has tried them and failed.

    tables : of one base, with their true counts
    before : the edition that was published last, of the same tables
    complementary : without, only counts of 1 to 10 are left out, and the attacker is not asked: for tests of him.

    DataError when the counts do not belong together, or when the attacker succeeds and there is nothing more to leave
    out, because an earlier edition has shown it.
    """
    cells = collect(tables, hierarchies)
    # Rates of the true counts go where their counts go: nobody sees them.
    cells = replace(cells, low=np.zeros(len(cells.value)), high=np.full(len(cells.value), np.inf))
    primary = ~cells.hidden & (cells.value >= 1) & (cells.value < SMALLEST)
    told, kept_out = _earlier(tables, before, cells)
    left_out = primary | kept_out
    if complementary:
        left_out = _complemented(cells, left_out, told)
    edition = Edition(
        tuple(_without(table, left_out[rows]) for table, rows in zip(tables, cells.rows, strict=True)),
        tuple(
            _losses(table, cells.value[r], primary[r], left_out[r]) for table, r in zip(tables, cells.rows, strict=True)
        ),
    )
    if complementary:
        check(edition.tables, hierarchies)
    return edition


def check(tables: Sequence[Table], hierarchies: Hierarchies) -> None:
    """The last gate before publishing. DataError when the attacker finds out a suppressed count."""
    breaches = attack(tables, hierarchies)
    if breaches:
        shown = "; ".join(f"{breach.table} ({', '.join(breach.cell.values())})" for breach in breaches[:3])
        raise errors.DataError(
            f"{len(breaches)} suppressed counts can be found out from the other published ones, among them {shown}",
            hint="Nothing was published. Publish fewer or coarser tables.",
        )


def _earlier(tables: Sequence[Table], before: Sequence[Table] | None, cells: Cells) -> tuple[BoolArray, BoolArray]:
    """Which cells an earlier edition told with the count they have now, and which it left out."""
    told, kept_out = np.zeros(len(cells.value), np.bool_), np.zeros(len(cells.value), np.bool_)
    by_name = {table.name: table for table in before or ()}
    for table, rows in zip(tables, cells.rows, strict=True):
        old = by_name.get(table.name)
        if old is None or not len(old.frame):
            continue
        columns = list(table.dimensions)
        now = table.frame[columns].astype(str)
        then = old.frame[columns].astype(str).assign(count=old.frame[old.count].to_numpy(np.float64, na_value=np.nan))
        count = now.merge(then.assign(there=True), on=columns, how="left")
        there = count["there"].notna().to_numpy()
        value = count["count"].to_numpy(np.float64)
        told[rows] |= there & (value == cells.value[rows])
        kept_out[rows] |= there & np.isnan(value) & (cells.value[rows] > 0)
    return told, kept_out & ~told


def _complemented(cells: Cells, left_out: BoolArray, told: BoolArray) -> BoolArray:
    """With further cells left out until none that is left out is exposed; the smallest that help go first."""
    left_out = left_out.copy()
    ranks = _ranks(cells.value)
    while True:
        unknown = (left_out & ~told) | cells.hidden
        low, high = passed(cells, unknown)
        wrong = exposed(cells, unknown, low, high)
        if not wrong.any():
            low, high = bounds(cells, unknown)
            wrong = exposed(cells, unknown, low, high)
        if not wrong.any():
            return left_out
        able = ~left_out & ~told & ~cells.hidden & (cells.value > 0)
        chosen = _helpers(cells, wrong, able, ranks, _tight(cells, unknown, low, high))
        if not len(chosen):
            raise errors.DataError(
                f"{int(wrong.sum())} suppressed counts follow from the others, and no more can be left out",
                hint="What an earlier edition showed cannot be taken back; publish coarser tables.",
            )
        left_out[chosen] = True


def _tight(cells: Cells, unknown: BoolArray, low: FloatArray, high: FloatArray) -> BoolArray:
    """(E,) sums that by themselves leave their unknown parts, or their unknown total, less room than 11."""
    sums, children, count = cells.sums, cells.children, len(cells.parent)
    free = unknown[children]
    known = np.bincount(sums, np.where(free, 0.0, cells.value[children]), count)
    least = np.bincount(sums, np.where(free, low[children], 0.0), count)
    most = np.bincount(sums, np.where(free, high[children], 0.0), count)
    room = high[cells.parent] - known - least
    tight: BoolArray = (np.bincount(sums, free, count) > 0) & (room < SMALLEST)
    return tight | (unknown[cells.parent] & (most - least < SMALLEST))


def _ranks(value: FloatArray) -> IntArray:
    """(C,) the order in which cells are left out: by count, then as they stand."""
    ranks = np.empty(len(value), dtype=np.int64)
    ranks[np.argsort(value, kind="stable")] = np.arange(len(value))
    return ranks


def _helpers(cells: Cells, wrong: BoolArray, able: BoolArray, ranks: IntArray, tight: BoolArray) -> IntArray:
    """For exposed cells the smallest other part of a tight sum that they belong to, or its total when no part can be
    left out any more; of exposed cells in one tight sum the smallest help comes first, and may help the others too.
    When that helps none: a part of any sum, then a total, of sums that they belong to, then of those ever further away.
    """
    never = len(ranks)
    sums, children = cells.sums, cells.children
    by_rank = np.argsort(ranks)
    part = np.full(len(cells.parent), never)
    np.minimum.at(part, sums, np.where(able[children], ranks[children], never))
    total = np.where(able[cells.parent], ranks[cells.parent], never)
    best = _best(cells, np.where(tight, np.minimum(part, total), never), wrong)
    first = np.minimum(best[cells.parent], np.minimum.reduceat(best[children], cells.starts[:-1]))
    found = best[(best < never) & (best == _best(cells, np.where(tight, first, never), wrong))]
    for reach in _reaches(cells, wrong):
        for offer in (part, total):
            if len(found):
                helpers: IntArray = by_rank[np.unique(found)]
                return helpers
            best = _best(cells, offer, reach)
            found = best[best < never]
    last: IntArray = by_rank[np.unique(found)]
    return last


def _best(cells: Cells, offer: IntArray, asking: BoolArray) -> IntArray:
    """(C,) the smallest of what the sums of each asking cell offer; the number of cells where there is nothing."""
    never = len(asking)
    best = np.full(never, never)
    np.minimum.at(best, cells.children, offer[cells.sums])
    np.minimum.at(best, cells.parent, offer)
    chosen: IntArray = np.where(asking, best, never)
    return chosen


def _reaches(cells: Cells, wrong: BoolArray) -> Iterator[BoolArray]:
    """The exposed cells, those joined to them by a sum, those joined to these, and so on."""
    sums = cells.sums
    reach = wrong
    while True:
        yield reach
        joined = np.zeros(len(cells.parent), dtype=np.bool_)
        joined[sums[reach[cells.children]]] = True
        joined |= reach[cells.parent]
        wider = reach.copy()
        wider[cells.children[joined[sums]]] = True
        wider[cells.parent[joined]] = True
        if np.array_equal(wider, reach):
            return
        reach = wider


def _without(table: Table, left_out: BoolArray) -> Table:
    frame = table.frame.copy()
    columns = [table.count, *(rate.column for rate in table.rates), *table.derived]
    for column in columns:
        frame[column] = frame[column].astype("float64").mask(left_out)
    return replace(table, frame=frame)


def _losses(table: Table, value: FloatArray, primary: BoolArray, left_out: BoolArray) -> Suppressed:
    return Suppressed(
        table.name,
        int((value > 0).sum()),
        int(primary.sum()),
        int((left_out & ~primary).sum()),
        int(value.sum()),
        int(value[left_out].sum()),
    )
