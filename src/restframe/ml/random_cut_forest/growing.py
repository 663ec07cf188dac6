"""Growing trees in several dimensions, and giving back their boxes to trees read from a file."""

from __future__ import annotations

import numpy as np

from restframe.compiled import kernel
from restframe.ml.random_cut_forest.lanes import enclose, unite
from restframe.ml.random_cut_forest.randomness import STEP, mixed, uniform
from restframe.ml.random_cut_forest.tables import Array
from restframe.ml.random_cut_forest.words import ONE, WORD, ZERO, Word


@kernel
def grow(
    points: Array, width: Word, features: Word, samples: Array, sample_size: Word, seed: Word,
    dimension: Array, cut: Array, mass: Array, side: Array, place: Array, boxes: Array,
) -> tuple[Word, Word]:  # fmt: skip
    """Grow one tree from each run of `sample_size` samples; nodes in preorder, trees one after another.

    points : rows of `width` float32, of which the first `features` count and the others are 0
    samples : row numbers of all trees' samples
    dimension, cut, side, place, boxes : of each node, written here; see Boxes
    mass : of each leaf, written here: how many samples
    returns the numbers of nodes and of leaves.
    """
    local = np.empty(sample_size * width, np.float32)
    rows, spare = np.empty(sample_size, np.uint32), np.empty(sample_size, np.uint32)
    ends = np.empty(sample_size + ONE, np.uintp)  # of the parts still to do: a right part begins where a left one ends
    node, leaf, high = ZERO, ZERO, ZERO
    for tree in range(ZERO, WORD(samples.size) // sample_size):
        state = mixed(np.uint64(seed) + STEP * np.uint64(tree + ONE))
        for i in range(ZERO, sample_size):
            rows[i] = i
            source = WORD(samples[tree * sample_size + i]) * width
            for j in range(ZERO, width):
                local[i * width + j] = points[source + j]
        a, parts = ZERO, ONE
        ends[ZERO] = sample_size
        while parts > ZERO:
            b = ends[parts - ONE]
            low = high + width
            total = enclose(local, width, rows, a, b - a, boxes, high)
            place[node], side[node] = high, total
            if total == 0.0:
                dimension[node], cut[node] = -1, 0.0
                mass[leaf] = b - a
                leaf += ONE
                high = low  # one row is enough for a point
                a = b
                parts -= ONE
                node += ONE
                continue
            # a point on all sides laid end to end: which side it falls on, and where, is the cut
            state += STEP
            rest = uniform(state) * np.float64(total)
            chosen = ZERO
            for j in range(ZERO, features):
                length = np.float64(boxes[high + j]) - np.float64(boxes[low + j])
                if length > 0.0:
                    chosen = j
                    if rest <= length:
                        break
                    rest -= length
            least, greatest = boxes[low + chosen], boxes[high + chosen]
            value = np.float32(np.float64(least) + rest)
            if value >= greatest:  # nothing would be to the right of it
                value = np.nextafter(greatest, least)
            dimension[node], cut[node] = chosen, value
            middle = a
            for i in range(a, b):
                row = rows[i]
                below = WORD(local[WORD(row) * width + chosen] <= value)
                # written to both ends, kept at one: a branch here would be mispredicted every other time
                spare[middle] = row
                spare[middle + (b - ONE - i)] = row
                middle += below
            for i in range(a, b):
                rows[i] = spare[i]
            ends[parts] = middle
            parts += ONE
            high = low + width
            node += ONE
    return node, leaf


@kernel
def bound(dimension: Array, right: Array, place: Array, points: Array, width: Word, side: Array, boxes: Array) -> None:
    """Write the boxes and sides that grow() gave, from the leaves' points, rows of `width` one leaf after another."""
    nodes, point = WORD(dimension.size), WORD(points.size)
    for back in range(ONE, nodes + ONE):
        node = nodes - back
        if dimension[node] < 0:
            point -= width
            for j in range(ZERO, width):
                boxes[place[node] + j] = points[point + j]
            side[node] = 0.0
            continue
        high_1, high_2 = place[node + ONE], place[right[node]]
        low_1 = high_1 if dimension[node + ONE] < 0 else high_1 + width
        low_2 = high_2 if dimension[right[node]] < 0 else high_2 + width
        side[node] = unite(boxes, width, place[node], high_1, low_1, high_2, low_2)
