"""Kernels that grow trees from samples and connect their nodes."""

from __future__ import annotations

import numpy as np

from restframe.ml.random_cut_forest.compiled import ONE, TWO, WORD, ZERO, Real, Word, kernel, part
from restframe.ml.random_cut_forest.tables import Array

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 2.0**-53


@part
def _mix(z: np.uint64) -> np.uint64:
    """splitmix64's output function. Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014."""
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


@part
def _bound(points: Array, width: Word, rows: Array, a: Word, b: Word, low: Array, high: Array) -> None:
    """The box of points[rows[a:b]]."""
    first = rows[a] * width
    for j in range(ZERO, width):
        low[j] = high[j] = points[first + j]
    for i in range(a + ONE, b):
        row = rows[i] * width
        for j in range(ZERO, width):
            x = points[row + j]
            low[j] = min(low[j], x)
            high[j] = max(high[j], x)


@part
def _choose_cut(low: Array, high: Array, features: Word, total: Real, uniform: Real) -> tuple[Word, Real]:
    """The dimension and value at which a line through all sides, `total` long, is cut at the fraction `uniform`."""
    rest = uniform * total
    chosen = ZERO
    for j in range(ZERO, features):
        side = np.float64(high[j]) - np.float64(low[j])
        if side > 0.0:
            chosen = j
            if rest <= side:
                break
            rest -= side
    cut = np.float32(np.float64(low[chosen]) + rest)
    if cut >= high[chosen]:  # the right side would be empty
        cut = np.nextafter(high[chosen], low[chosen])
    return chosen, cut


@part
def _split(points: Array, width: Word, rows: Array, spare: Array, a: Word, b: Word, dimension: Word, cut: Real) -> Word:
    """Order rows[a:b] so that those at or below the cut come first; returns where the others begin."""
    left, right = a, b - ONE
    for i in range(a, b):
        row = rows[i]
        above = WORD(points[row * width + dimension] > cut)
        # written to both ends, kept at one: a branch here would be mispredicted every other time
        spare[left] = row
        spare[right] = row
        left += ONE - above
        right -= above
    for i in range(a, b):
        rows[i] = spare[i]
    return left


@kernel
def grow(
    points: Array, width: Word, features: Word, samples: Array, sample_size: Word, seed: Word,
    cut_dimension: Array, cut_value: Array, leaf_mass: Array, leaf_row: Array,
) -> tuple[Word, Word]:  # fmt: skip
    """Grow one tree from each run of `sample_size` samples; nodes in preorder, trees one after another.

    points : rows of `width` float32, of which the first `features` count and the others are 0
    samples : row numbers of all trees' samples
    cut_dimension, cut_value : of each node, written here; dimension -1 at a leaf
    leaf_mass, leaf_row : of each leaf in the same order: how many samples, and one of them; written here
    returns the numbers of nodes and of leaves written.
    """
    local = np.empty(sample_size * width, np.float32)
    rows, spare = np.empty(sample_size, np.uintp), np.empty(sample_size, np.uintp)
    low, high = np.empty(width, np.float32), np.empty(width, np.float32)
    stack = np.empty(
        sample_size + ONE, np.uintp
    )  # ends of the parts still to do: a right part begins where a left ends
    node, leaf = ZERO, ZERO
    for tree in range(ZERO, WORD(samples.size) // sample_size):
        state = _mix(np.uint64(seed) + _GOLDEN * np.uint64(tree + ONE))
        first = tree * sample_size
        for i in range(ZERO, sample_size):
            rows[i] = i
            source = WORD(samples[first + i]) * width
            for j in range(ZERO, width):
                local[i * width + j] = points[source + j]
        a, height = ZERO, ONE
        stack[ZERO] = sample_size
        while height > ZERO:
            b = stack[height - ONE]
            _bound(local, width, rows, a, b, low, high)
            total = 0.0
            for j in range(ZERO, features):
                total += np.float64(high[j]) - np.float64(low[j])
            if total > 0.0:
                state += _GOLDEN
                uniform = np.float64(_mix(state) >> np.uint64(11)) * _TO_UNIT
                dimension, cut = _choose_cut(low, high, features, total, uniform)
                cut_dimension[node] = dimension
                cut_value[node] = cut
                stack[height] = _split(local, width, rows, spare, a, b, dimension, cut)
                height += ONE
            else:
                cut_dimension[node] = -1
                cut_value[node] = 0.0
                leaf_mass[leaf] = b - a
                leaf_row[leaf] = samples[first + rows[a]]
                leaf += ONE
                a = b
                height -= ONE
            node += ONE
    return node, leaf


@kernel
def connect(cut_dimension: Array, right: Array, depth: Array, first_leaf: Array, last_leaf: Array) -> None:
    """Find the right child, the depth and the leaves below each node of trees in preorder; all written here.

    A left child is the next node. Leaves are counted over the whole forest. `right` of a leaf is the leaf itself.
    """
    nodes = WORD(cut_dimension.size)
    leaf = ZERO
    for node in range(ZERO, nodes):
        if cut_dimension[node] < 0:
            leaf += ONE
    tops = np.empty(leaf + ONE, np.uintp)  # roots of finished subtrees, the leftmost on top
    height = ZERO
    for back in range(ONE, nodes + ONE):
        node = nodes - back
        if cut_dimension[node] < 0:
            leaf -= ONE
            right[node] = node
            first_leaf[node] = last_leaf[node] = leaf
            tops[height] = node
            height += ONE
        else:
            child = tops[height - TWO]
            right[node] = child
            first_leaf[node] = first_leaf[node + ONE]
            last_leaf[node] = last_leaf[child]
            height -= ONE
            tops[height - ONE] = node
    for i in range(ZERO, height):
        depth[tops[i]] = 0
    for node in range(ZERO, nodes):
        if cut_dimension[node] >= 0:
            depth[node + ONE] = depth[right[node]] = depth[node] + 1
