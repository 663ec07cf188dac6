"""Several dimensions: scoring a batch that goes down each tree together and comes up together.

Down: rows are split at each cut, as the sample was when the tree was grown, until each row is in its leaf. Up: each
row starts with its leaf's score and takes in its ancestors one after another; a row inside an ancestor's box is inside
all boxes above, and has its final score. So a node's box is loaded once for all rows that need it, and on average four
in ten boxes on a row's path are never looked at.
"""

from __future__ import annotations

import numpy as np

from restframe.compiled import kernel, part
from restframe.ml.random_cut_forest.lanes import GROUP, climb
from restframe.ml.random_cut_forest.tables import Array
from restframe.ml.random_cut_forest.words import ONE, THREE, TWO, WORD, ZERO, Word

_GROUP = WORD(GROUP)


@part
def _go_down(
    points: Array, width: Word, count: Word, root: Word, dimension: Array, cut: Array, right: Array,
    rows: Array, spare: Array, later: Array, node: Array, begin: Array, end: Array,
) -> Word:  # fmt: skip
    """List the rows 0..count of points in `rows` in the order of their leaves.

    node, begin, end : the nodes that have rows, in preorder, and where their rows begin and end; written here
    rows, spare : halves of the work, exchanged at each level
    later : (4, nodes) right children still to do: node, begin, end, and whether their rows stand in `spare`
    returns the number of nodes that have rows.
    """
    for i in range(ZERO, count):
        rows[i] = i
    later[ZERO, ZERO], later[ONE, ZERO], later[TWO, ZERO], later[THREE, ZERO] = root, ZERO, count, ZERO
    height, visited = ONE, ZERO
    while height > ZERO:
        height -= ONE
        top, a, b, in_spare = later[ZERO, height], later[ONE, height], later[TWO, height], later[THREE, height]
        while True:
            node[visited], begin[visited], end[visited] = top, a, b
            visited += ONE
            if dimension[top] < 0:
                if in_spare:
                    for i in range(a, b):
                        rows[i] = spare[i]
                break
            source, target = (spare, rows) if in_spare else (rows, spare)
            in_spare = ONE - in_spare
            j, value = WORD(dimension[top]), cut[top]
            middle = a
            for i in range(a, b):
                row = source[i]
                below = WORD(points[WORD(row) * width + j] <= value)
                # written to both ends, kept at one: a branch here would be mispredicted every other time
                target[middle] = row
                target[middle + (b - ONE - i)] = row
                middle += below
            if a < middle < b:
                later[ZERO, height], later[ONE, height] = WORD(right[top]), middle
                later[TWO, height], later[THREE, height] = b, in_spare
                height += ONE
            if middle > a:
                top, b = top + ONE, middle
            else:
                top = WORD(right[top])
    return visited


@part
def _is_at(points: Array, row: Word, boxes: Array, place: Word, width: Word) -> bool:
    j = ZERO
    while j < width and points[row + j] == boxes[place + j]:
        j += ONE
    return bool(j == width)


@part
def _climb(
    points: Array, width: Word, rows: Array, visited: Word, node: Array, begin: Array, end: Array,
    dimension: Array, side: Array, rate: Array, seen: Array, place: Array, boxes: Array,
    outside: Array, s: Array, base: Array, done_rows: Array, done_s: Array,
) -> None:  # fmt: skip
    """Score the rows that _go_down() has listed: done_s[i] is one tree's score of done_rows[i].

    outside, s : rows that no box so far contains, and their scores so far; those below the node in hand stand last
    base : for each end of a node's rows, how many rows to the right of it are in `outside`
    """
    count, done = ZERO, ZERO
    for back in range(ONE, visited + ONE):
        top, b = node[visited - back], end[visited - back]
        if dimension[top] < 0:
            base[b] = count
            for i in range(begin[visited - back], b):
                row = rows[i]
                if _is_at(points, WORD(row) * width, boxes, place[top], width):
                    done_rows[done], done_s[done] = row, seen[top]
                    done += ONE
                else:
                    outside[count], s[count] = row, rate[top]
                    count += ONE
            continue
        kept = base[b]
        for q in range(base[b], count, _GROUP):
            before = kept
            kept = climb(
                points, width, outside, s, q, count, boxes, place[top], side[top], rate[top], kept,
                done_rows, done_s, done,
            )  # fmt: skip
            done += min(_GROUP, count - q) - (kept - before)
        count = kept
    for i in range(ZERO, count):
        done_rows[done + i], done_s[done + i] = outside[i], s[i]


@kernel
def add_scores(
    points: Array, width: Word, block: Array, first: Array, dimension: Array, cut: Array, right: Array, side: Array,
    rate: Array, seen: Array, place: Array, boxes: Array, total: Array,
) -> None:  # fmt: skip
    """Add each tree's score of points, (n * width,) float32, to total, (n,) float64. The others: see Boxes.

    block : (rows * width,) room for the rows that climb together
    """
    n, most = WORD(total.size), WORD(block.size) // width
    order, spare, rows = np.empty(n, np.uint32), np.empty(n, np.uint32), np.empty(most, np.uint32)
    base = np.empty(most + ONE, np.uintp)
    # climb() loads and stores whole groups, and what it loads too much must be row numbers
    outside, s = np.zeros(most + _GROUP, np.uint32), np.zeros(most + _GROUP, np.float32)
    done_rows, done_s = np.empty(most + _GROUP, np.uint32), np.empty(most + _GROUP, np.float32)
    trees, nodes = WORD(first.size) - ONE, ZERO
    for tree in range(ZERO, trees):
        nodes = max(nodes, WORD(first[tree + ONE] - first[tree]))
    later, node = np.empty((4, nodes), np.uintp), np.empty(nodes, np.uintp)
    begin, end = np.empty(nodes, np.uintp), np.empty(nodes, np.uintp)
    # rows that are neighbours in one tree go through fewer nodes of the other trees, and those are in the cache
    _go_down(points, width, n, WORD(first[ZERO]), dimension, cut, right, order, spare, later, node, begin, end)
    for start in range(ZERO, n, most):
        count = min(most, n - start)
        for i in range(ZERO, count):
            source = WORD(order[start + i]) * width
            for j in range(ZERO, width):
                block[i * width + j] = points[source + j]
        for tree in range(ZERO, trees):
            visited = _go_down(
                block, width, count, WORD(first[tree]), dimension, cut, right, rows, spare, later, node, begin, end
            )
            _climb(
                block, width, rows, visited, node, begin, end, dimension, side, rate, seen, place, boxes,
                outside, s, base, done_rows, done_s,
            )  # fmt: skip
            for i in range(ZERO, count):
                total[order[start + done_rows[i]]] += done_s[i]


@kernel
def add_attributions(
    points: Array, width: Word, first: Array, dimension: Array, cut: Array, right: Array, side: Array,
    rate: Array, seen: Array, place: Array, boxes: Array, total: Array,
) -> None:  # fmt: skip
    """Add each tree's attributions of points, (n * width,) float32, to total, (n, d) float64. The others: see Boxes.

    Top-down the score is the sum over the path of weight * p / (h + 1), the weight being the product of 1 - p above,
    and of weight * leaf's score; p is D / (R + D), and D the sum of its parts by dimension.
    """
    n, features = WORD(total.shape[0]), WORD(total.shape[1])
    outside = np.empty(width, np.float32)
    for i in range(ZERO, n):
        for tree in range(ZERO, WORD(first.size) - ONE):
            node, weight = WORD(first[tree]), 1.0
            while True:
                is_leaf = dimension[node] < 0
                high = place[node]
                low = high if is_leaf else high + width
                for j in range(ZERO, features):
                    x = points[i * width + j]
                    outside[j] = max(max(x - boxes[high + j], boxes[low + j] - x), np.float32(0.0))
                distance = 0.0
                for j in range(ZERO, features):
                    distance += outside[j]
                if is_leaf and distance == 0.0:
                    for j in range(ZERO, features):
                        total[i, j] += weight * seen[node] / features
                elif distance > 0.0:
                    # of a leaf R is 0 and p is 1
                    share = weight * rate[node] / (side[node] + distance)
                    for j in range(ZERO, features):
                        total[i, j] += share * outside[j]
                    weight *= side[node] / (side[node] + distance)
                if is_leaf:
                    break
                goes_right = points[i * width + WORD(dimension[node])] > cut[node]
                node = WORD(right[node]) if goes_right else node + ONE
