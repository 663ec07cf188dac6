"""One dimension: growing from sorted samples, and scoring sorted batches.

Between neighbouring leaves a tree's score is a short chain of fractions of the distance to one leaf: the box of an
ancestor leaves the point outside only if the box ends at that leaf. So each leaf owns two stretches of the line, the
one below it down to a cut, and the one from itself up to the next cut; a stretch has the chain of the boxes that end
there, from the leaf up. All points of a sorted batch that lie in a stretch are scored together, in vector instructions.
"""

from __future__ import annotations

import numpy as np

from restframe.compiled import kernel, part
from restframe.ml.random_cut_forest.randomness import STEP, mixed, uniform
from restframe.ml.random_cut_forest.tables import Array, Line, Shape
from restframe.ml.random_cut_forest.words import ONE, WORD, ZERO, Real, Word


@kernel
def grow(
    samples: Array, seed: Word, dimension: Array, cut: Array, mass: Array, value: Array
) -> tuple[Word, Word]:  # fmt: skip
    """Grow one tree from each row of samples, (trees, n) float32, ascending; nodes in preorder, tree after tree.

    dimension, cut : of each node, written here: 0 and where it is cut, -1 and 0 at a leaf
    mass, value : of each leaf, written here: how many samples, and what they are
    returns the numbers of nodes and of leaves.
    """
    trees, count = WORD(samples.shape[0]), WORD(samples.shape[1])
    ends = np.empty(count + ONE, np.uintp)  # of the parts still to do: a right part begins where a left one ends
    node, leaf = ZERO, ZERO
    for tree in range(ZERO, trees):
        state = mixed(np.uint64(seed) + STEP * np.uint64(tree + ONE))
        a, parts = ZERO, ONE
        ends[ZERO] = count
        while parts > ZERO:
            b = ends[parts - ONE]
            least, greatest = samples[tree, a], samples[tree, b - ONE]
            if least == greatest:
                dimension[node], cut[node] = -1, 0.0
                mass[leaf], value[leaf] = b - a, least
                leaf += ONE
                a = b
                parts -= ONE
            else:
                state += STEP
                at = np.float32(np.float64(least) + uniform(state) * (np.float64(greatest) - np.float64(least)))
                if at >= greatest:  # nothing would be to the right of it
                    at = np.nextafter(greatest, least)
                dimension[node], cut[node] = 0, at
                ends[parts] = _first_above(samples[tree], a, b, at)
                parts += ONE
            node += ONE
    return node, leaf


def line(shape: Shape, cut: Array, value: Array, seen: Array, rate: Array) -> Line:
    """The tables for scoring. cut, rate : of each node; value, seen : of each leaf"""
    inner, leaf = np.flatnonzero(shape.is_cut), np.flatnonzero(~shape.is_cut)
    first_leaf, last_leaf = shape.first_leaf.astype(np.int64), shape.last_leaf.astype(np.int64)
    after = np.full(2 * leaf.size, np.inf, np.float32)
    after[0::2] = value
    after[2 * last_leaf[inner + 1] + 1] = np.nextafter(cut[inner], np.float32(np.inf))
    # a box begins at its first leaf's lower stretch and ends at its last leaf's upper one; deeper boxes come first,
    # which in preorder have the higher numbers
    outward = inner[::-1]
    stretch = np.concatenate([2 * first_leaf[outward], 2 * last_leaf[outward] + 1])
    box = np.concatenate([outward, outward])[np.argsort(stretch, kind="stable")]
    return Line(
        first=2 * shape.first_leaf_of_tree,
        last=np.nextafter(after, np.float32(-np.inf)),
        after=after,
        leaf=np.repeat(value, 2),
        seen=np.repeat(seen, 2),
        unseen=np.repeat(rate[leaf], 2),
        chain=np.concatenate([[0], np.cumsum(np.bincount(stretch, minlength=2 * leaf.size))]),
        side=(value[last_leaf] - value[first_leaf])[box],
        rate=rate[box],
    )


@part
def _first_above(values: Array, start: Word, stop: Word, limit: Real) -> Word:
    """The first index in [start, stop) whose value is above the limit, else stop; values ascend, and it is near."""
    step = ONE
    low, high = start, start
    while high < stop and values[high] <= limit:
        low = high + ONE
        high += step
        step += step
    high = min(high, stop)
    while low < high:
        middle = (low + high) >> ONE
        if values[middle] <= limit:
            low = middle + ONE
        else:
            high = middle
    return low


@kernel
def add_scores(
    x: Array, first: Array, last: Array, after: Array, leaf: Array, seen: Array, unseen: Array,
    chain: Array, side: Array, rate: Array, total: Array,
) -> None:  # fmt: skip
    """Add each tree's score of x, (n,) float32 in ascending order, to total, (n,) float64. The others: see Line."""
    n = WORD(x.size)
    distance, s = np.empty(n, np.float32), np.empty(n, np.float32)
    for tree in range(ZERO, WORD(first.size) - ONE):
        stretch, stop = WORD(first[tree]), WORD(first[tree + ONE])
        a = ZERO
        while a < n:
            stretch = _first_above(after, stretch, stop, x[a])
            b = _first_above(x, a, n, last[stretch])
            for i in range(a, b):
                gap = abs(x[i] - leaf[stretch])
                distance[i] = gap
                s[i] = seen[stretch] if gap == 0.0 else unseen[stretch]
            for box in range(WORD(chain[stretch]), WORD(chain[stretch + ONE])):
                for i in range(a, b):
                    p = distance[i] / (side[box] + distance[i])
                    s[i] += p * (rate[box] - s[i])
            a = b
        for i in range(ZERO, n):
            total[i] += s[i]
