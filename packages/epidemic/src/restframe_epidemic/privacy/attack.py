"""The attacker: what follows of suppressed counts from everything else that is published.

He knows every shown count and rounded rate, that totals are sums, that counts are whole and not negative, and that 0 is
never suppressed. Each suppressed count lies between the least and the greatest value that agree with all that. Where
the sums that join suppressed counts make no circle (a hierarchy of places, say), passing bounds up and down the tree
gives exactly these; elsewhere linear programs do, one component of joined counts after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.panel import BoolArray, FloatArray, IntArray
from restframe_epidemic.privacy.cells import Cells, Hierarchies, Table, collect

# No count of 1 to 10 is published, and none may be known to within less than this (CMS cell size suppression policy).
SMALLEST = 11
_ROUNDS = 200
# Nodes of the graph of unknown counts and sums that are solved together.
_PORTION = 20_000
# Programs for several counts at once go on while so many of them leave less than this share of the counts open.
_PROBES = 4
_STALLED = 0.9
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Breach:
    """A suppressed count that is known too well: `least` <= count <= `most`."""

    table: str
    cell: dict[str, str]
    least: float
    most: float

    def __str__(self) -> str:
        place = ", ".join(f"{name} {value}" for name, value in self.cell.items())
        return f"{self.table} ({place}): {self.least:.0f} to {self.most:.0f}"


def attack(tables: Sequence[Table], hierarchies: Hierarchies) -> list[Breach]:
    """The suppressed counts (NaN) of published tables that are determined or bounded to a width under 11."""
    cells = collect(tables, hierarchies)
    low, high = bounds(cells, ~np.isfinite(cells.value))
    wrong = exposed(cells, ~np.isfinite(cells.value), low, high)
    found = []
    for table, rows in zip(tables, cells.rows, strict=True):
        for row in np.flatnonzero(wrong[rows]):
            cell = {name: str(table.frame[name].iloc[row]) for name in table.dimensions}
            found.append(Breach(table.name, cell, float(low[rows[row]]), float(high[rows[row]])))
    return found


def exposed(cells: Cells, unknown: BoolArray, low: FloatArray, high: FloatArray) -> BoolArray:
    """(C,) which suppressed counts are known too well."""
    with np.errstate(invalid="ignore"):
        return unknown & ~cells.hidden & ~(np.floor(high + _ROUNDING) - np.ceil(low - _ROUNDING) >= SMALLEST)


def bounds(cells: Cells, unknown: BoolArray, *, exact: bool = False) -> tuple[FloatArray, FloatArray]:
    """The least and the greatest value (C,), (C,) of each count.

    unknown : (C,) which counts the attacker does not see; of the others `cells.value` is read
    exact : every bound; otherwise counts that are free by 11 or more may be told to be less free than they are.

    DataError when no counts at all agree with what is published.
    """
    low, high = passed(cells, unknown)
    for portion in _circles(cells, unknown):
        _solve(cells, unknown, portion, low, high, exact=exact)
    return low, high


def passed(cells: Cells, unknown: BoolArray) -> tuple[FloatArray, FloatArray]:
    """Bounds from each sum by itself, passed on until nothing changes: exact on trees, never too narrow elsewhere."""
    low = np.where(unknown, np.maximum(np.where(cells.hidden, 0.0, 1.0), np.ceil(cells.low - _ROUNDING)), cells.value)
    high = np.where(unknown, np.floor(cells.high + _ROUNDING), cells.value)
    # Sums that the attacker sees wholly say nothing.
    sums = cells.sums
    open_ = np.zeros(len(cells.parent), dtype=np.bool_)
    open_[sums[unknown[cells.children]]] = True
    open_ |= unknown[cells.parent]
    keep = open_[sums]
    children, parent = cells.children[keep], cells.parent[open_]
    if not len(parent):
        return low, high
    of = (np.cumsum(open_) - 1)[sums[keep]]
    free = unknown[children]
    for _ in range(_ROUNDS):
        before = low.copy(), high.copy()
        least = np.bincount(of, low[children], len(parent))
        infinite = np.isinf(high[children])
        finite_most = np.bincount(of, np.where(infinite, 0.0, high[children]), len(parent))
        infinities = np.bincount(of, infinite, len(parent))
        most = np.where(infinities > 0, np.inf, finite_most)
        np.maximum.at(low, parent, np.where(unknown[parent], least, -np.inf))
        np.minimum.at(high, parent, np.where(unknown[parent], most, np.inf))
        # What the others leave to each child.
        others_least = least[of] - low[children]
        alone = infinities[of] - infinite == 0
        others_most = np.where(alone, finite_most[of] - np.where(infinite, 0.0, high[children]), np.inf)
        np.minimum.at(high, children[free], (high[parent][of] - others_least)[free])
        np.maximum.at(low, children[free], (low[parent][of] - others_most)[free])
        if np.array_equal(before[0], low) and np.array_equal(before[1], high):
            break
    return low, high


def _circles(cells: Cells, unknown: BoolArray) -> list[tuple[IntArray, IntArray, IntArray]]:
    """Unknown counts that sums join in circles, in portions of whole components: members, the component that each is
    of, and the sums.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    C, E = len(cells.value), len(cells.parent)
    inside = unknown[cells.children]
    above = np.flatnonzero(unknown[cells.parent])
    ends = np.concatenate([cells.children[inside], cells.parent[above]])
    sums = np.concatenate([cells.sums[inside], above])
    graph = coo_matrix((np.ones(len(ends), dtype=np.int8), (ends, C + sums)), shape=(C + E, C + E))
    count, label = connected_components(graph, directed=False)
    nodes = np.bincount(label, minlength=count)
    edges = np.bincount(label[ends], minlength=count)
    circular = np.flatnonzero(edges >= nodes)
    portion = np.full(count, -1)
    portion[circular] = np.cumsum(nodes[circular]) // _PORTION
    of = portion[label]
    found = []
    for i in np.unique(portion[circular]):
        here = np.flatnonzero(of == i)
        members = here[here < C]
        found.append((members, np.unique(label[members], return_inverse=True)[1], here[here >= C] - C))
    return found


def _solve(
    cells: Cells,
    unknown: BoolArray,
    portion: tuple[IntArray, IntArray, IntArray],
    low: FloatArray,
    high: FloatArray,
    *,
    exact: bool,
) -> None:
    """Narrow `low` and `high` of a portion's members to what linear programs say.

    Every solution shows values that are possible. A few programs for several counts at once show of most that they are
    free by 11; only the others are asked one by one, those of different components at once.
    """
    members, component, sums = portion
    columns, rows, _ = _terms(cells, unknown, portion)
    # Where passing on found no bound, a program may be unbounded: the count is then as free as this says.
    far = 1e7 + 10.0 * float(np.nanmax(cells.value, initial=0.0))
    box = np.stack([low[members], np.minimum(high[members], far)], axis=1)
    extreme = _program(cells, unknown, portion, box)
    asked = ~cells.hidden[members]
    least, most = np.full(len(members), np.inf), np.full(len(members), -np.inf)

    def ask(direction: FloatArray) -> None:
        nonlocal least, most
        for point in (extreme(direction), extreme(-direction)):
            least, most = np.minimum(least, point), np.maximum(most, point)

    def open_() -> BoolArray:
        with np.errstate(invalid="ignore"):
            still: BoolArray = asked & ~(most - least >= SMALLEST)
        return still

    random = np.random.default_rng(0)
    left = np.inf
    while not exact and _STALLED * left > open_().sum() > 0:
        left = open_().sum()
        for _ in range(_PROBES):
            # One open count of each sum: they seldom stand in each other's way.
            first = random.permutation(len(members)) * open_()
            best = np.zeros(len(sums), dtype=np.int64)
            np.maximum.at(best, rows, first[columns])
            beaten = np.zeros(len(members), dtype=np.bool_)
            beaten[columns[first[columns] < best[rows]]] = True
            ask(np.where(open_() & ~beaten, 1.0, 0.0))
    todo = asked.copy() if exact else open_()
    while todo.any():
        _, first = np.unique(component[todo], return_index=True)
        alone = np.flatnonzero(todo)[first]
        direction = np.zeros(len(members))
        direction[alone] = 1.0
        ask(direction)
        todo[alone] = False
        if not exact:
            todo &= open_()
    low[members[asked]] = least[asked]
    high[members[asked]] = np.where(most[asked] >= far / 2.0, np.inf, most[asked])


def _program(
    cells: Cells, unknown: BoolArray, portion: tuple[IntArray, IntArray, IntArray], box: FloatArray
) -> Callable[[FloatArray], FloatArray]:
    """A function from a direction to the point furthest against it."""
    from scipy.optimize import linprog
    from scipy.sparse import coo_matrix

    members, _, sums = portion
    columns, rows, sign = _terms(cells, unknown, portion)
    matrix = coo_matrix((sign, (rows, columns)), shape=(len(sums), len(members))).tocsr()
    above = unknown[cells.parent[sums]]
    row = np.full(len(cells.parent), -1)
    row[sums] = np.arange(len(sums))
    seen = ~unknown[cells.children] & (row[cells.sums] >= 0)
    known = np.where(above, 0.0, cells.value[cells.parent[sums]])
    known -= np.bincount(row[cells.sums[seen]], cells.value[cells.children[seen]], len(sums))

    def extreme(direction: FloatArray) -> FloatArray:
        result = linprog(direction, A_eq=matrix, b_eq=known, bounds=box, method="highs")
        if result.status != 0:
            raise errors.DataError("the published tables contradict each other: no counts agree with all of them")
        point: FloatArray = result.x
        return point

    return extreme


def _terms(
    cells: Cells, unknown: BoolArray, portion: tuple[IntArray, IntArray, IntArray]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Of a portion's sums: the unknown counts in them as numbers among the members, the sums' numbers among its sums,
    and the signs: 1 of a part, -1 of the total.
    """
    members, _, sums = portion
    at = np.full(len(unknown), -1)
    at[members] = np.arange(len(members))
    row = np.full(len(cells.parent), -1)
    row[sums] = np.arange(len(sums))
    inside = unknown[cells.children] & (row[cells.sums] >= 0)
    above = np.flatnonzero(unknown[cells.parent[sums]])
    columns = np.concatenate([at[cells.children[inside]], at[cells.parent[sums[above]]]])
    rows = np.concatenate([row[cells.sums[inside]], above])
    return columns, rows, np.concatenate([np.ones(inside.sum()), -np.ones(len(above))])
