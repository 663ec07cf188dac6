"""Scoring in one dimension, where a sorted batch meets a tree's leaves in order.

Between neighbouring leaves a tree's score is a short chain of fractions of the distance to one leaf: the box of an
ancestor leaves the point outside only if the box ends at that leaf. So each leaf owns two stretches of the line, the
one below it up to the cut, and the one from itself up to the next cut; a stretch has the chain of the boxes that end
there, from the leaf up. All points of a sorted batch that lie in a stretch are scored together.
"""

from __future__ import annotations

import numpy as np

from restframe.ml.random_cut_forest.compiled import ONE, WORD, ZERO, Real, Word, kernel, part
from restframe.ml.random_cut_forest.tables import Array, Line, Shape


def line(shape: Shape, cut_value: Array, leaf_value: Array, seen: Array, rate: Array) -> Line:
    """The stretches of a one-dimensional forest.

    cut_value, rate : of each node; leaf_value, seen : of each leaf
    """
    inner, leaf = np.flatnonzero(shape.is_cut), np.flatnonzero(~shape.is_cut)
    first_leaf, last_leaf = shape.first_leaf[inner].astype(np.int64), shape.last_leaf[inner].astype(np.int64)
    after = np.full(2 * leaf.size, np.inf, np.float32)
    after[0::2] = leaf_value
    left_child = inner + 1
    after[2 * shape.last_leaf[left_child].astype(np.int64) + 1] = np.nextafter(cut_value[inner], np.float32(np.inf))
    # a box begins at its first leaf's lower stretch and ends at its last leaf's upper one; deeper boxes come first,
    # which in preorder have the higher numbers
    stretch = np.concatenate([2 * first_leaf[::-1], 2 * last_leaf[::-1] + 1])
    order = np.argsort(stretch, kind="stable")
    box = np.concatenate([inner[::-1], inner[::-1]])[order]
    side = leaf_value[shape.last_leaf] - leaf_value[shape.first_leaf]
    return Line(
        first=2 * shape.first_leaf_of_tree,
        last=np.nextafter(after, np.float32(-np.inf)),
        after=after,
        leaf=np.repeat(leaf_value, 2),
        seen=np.repeat(seen, 2),
        unseen=np.repeat(rate[leaf], 2),
        chain=np.concatenate([[0], np.cumsum(np.bincount(stretch, minlength=2 * leaf.size))]),
        side=side[box],
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
