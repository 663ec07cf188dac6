"""Scoring in several dimensions, where a batch goes down each tree together and comes up together.

Down: rows are split at each cut, as the sample was when the tree was grown, until each row is in its leaf. Up: each
row starts with its leaf's score and takes in its ancestors one after another; a row inside an ancestor's box is inside
all boxes above, and has its final score. So a node's box is loaded once for all rows that need it, and on average four
in ten boxes on a row's path are never looked at.
"""

from __future__ import annotations

import numpy as np

from restframe.ml.random_cut_forest.compiled import ONE, THREE, TWO, WORD, ZERO, Word, kernel, part
from restframe.ml.random_cut_forest.lanes import GROUP, climb
from restframe.ml.random_cut_forest.points import aligned
from restframe.ml.random_cut_forest.tables import Array, Boxes, Shape

_GROUP = WORD(GROUP)


def boxes(shape: Shape, cut_dimension: Array, cut_value: Array, leaf_points: Array, seen: Array, rate: Array) -> Boxes:
    """The tables of a forest in two dimensions or more.

    cut_dimension, cut_value, rate : of each node; leaf_points, (leaves, width), and seen : of each leaf
    """
    width = leaf_points.shape[1]
    size = np.where(shape.is_cut, 2 * width, width)
    place = np.concatenate([[0], np.cumsum(size)[:-1]]).astype(np.uintp)
    values = aligned(int(size.sum()))
    seen_at_node = np.zeros(shape.is_cut.size, np.float32)
    seen_at_node[~shape.is_cut] = seen
    side = np.empty(shape.is_cut.size, np.float32)
    bound(cut_dimension, shape.right, place, leaf_points.ravel(), np.uintp(width), side, values)
    return Boxes(shape.first, cut_dimension, cut_value, shape.right, side, rate, seen_at_node, place, values)


@kernel
def bound(
    dimension: Array, right: Array, place: Array, points: Array, width: Word, side: Array, boxes: Array
) -> None:  # fmt: skip
    """Fill in `boxes` and `side` from the leaves' points, rows of `width` in the order of the leaves."""
    nodes = WORD(dimension.size)
    row = WORD(points.size)
    for back in range(ONE, nodes + ONE):
        node = nodes - back
        high = place[node]
        if dimension[node] < 0:
            row -= width
            for j in range(ZERO, width):
                boxes[high + j] = points[row + j]
            side[node] = 0.0
            continue
        low = high + width
        left_child, right_child = node + ONE, WORD(right[node])
        high_1, high_2 = place[left_child], place[right_child]
        low_1 = high_1 if dimension[left_child] < 0 else high_1 + width
        low_2 = high_2 if dimension[right_child] < 0 else high_2 + width
        total = 0.0
        for j in range(ZERO, width):
            boxes[high + j] = max(boxes[high_1 + j], boxes[high_2 + j])
            boxes[low + j] = min(boxes[low_1 + j], boxes[low_2 + j])
        for j in range(ZERO, width):
            total += np.float64(boxes[high + j]) - np.float64(boxes[low + j])
        side[node] = total


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
            low, high = a, b - ONE
            for i in range(a, b):
                row = source[i]
                above = WORD(points[WORD(row) * width + j] > value)
                # written to both ends, kept at one: a branch here would be mispredicted every other time
                target[low] = row
                target[high] = row
                low += ONE - above
                high -= above
            if low < b and low > a:
                later[ZERO, height], later[ONE, height] = WORD(right[top]), low
                later[TWO, height], later[THREE, height] = b, in_spare
                height += ONE
            if low > a:
                top, b = top + ONE, low
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
    outside: Array, s: Array, d: Array, base: Array, score: Array,
) -> None:  # fmt: skip
    """Write to `score` one tree's score of each row that _go_down() has listed.

    outside, s : rows that no box so far contains, and their scores so far; those below the node in hand are the last
    d : their distances D to that node's box
    base : for each end of a node's rows, how many rows to the right of it are in `outside`
    """
    count = ZERO
    for back in range(ONE, visited + ONE):
        top, b = node[visited - back], end[visited - back]
        if dimension[top] < 0:
            base[b] = count
            for i in range(begin[visited - back], b):
                row = rows[i]
                if _is_at(points, WORD(row) * width, boxes, place[top], width):
                    score[row] = seen[top]
                else:
                    score[row] = s[count] = rate[top]
                    outside[count] = row
                    count += ONE
            continue
        for q in range(base[b], count, _GROUP):
            climb(points, width, outside, q, boxes, place[top], side[top], rate[top], s, d)
        kept = base[b]
        for q in range(base[b], count):
            row = outside[q]
            score[row] = s[kept] = s[q]
            outside[kept] = row
            kept += WORD(d[q] > 0.0)
        count = kept


@kernel
def add_scores(
    points: Array, width: Word, block: Array, first: Array, dimension: Array, cut: Array, right: Array, side: Array,
    rate: Array, seen: Array, place: Array, boxes: Array, total: Array,
) -> None:  # fmt: skip
    """Add each tree's score of points, (n * width,) float32, to total, (n,) float64. The others: see Boxes.

    block : (rows * width,) room for the rows that climb together
    """
    n, block_rows = WORD(total.size), WORD(block.size) // width
    order, spare = np.empty(n, np.uint32), np.empty(n, np.uint32)
    rows, outside = np.empty(block_rows, np.uint32), np.zeros(block_rows + _GROUP, np.uint32)
    s, d = np.zeros(block_rows + _GROUP, np.float32), np.zeros(block_rows + _GROUP, np.float32)
    score, base = np.empty(block_rows, np.float32), np.empty(n + ONE, np.uintp)
    nodes = ZERO
    for tree in range(ZERO, WORD(first.size) - ONE):
        nodes = max(nodes, WORD(first[tree + ONE] - first[tree]))
    later, node = np.empty((4, nodes), np.uintp), np.empty(nodes, np.uintp)
    begin, end = np.empty(nodes, np.uintp), np.empty(nodes, np.uintp)
    # rows that are neighbours in one tree go through fewer nodes of the other trees, and those are in the cache
    _go_down(points, width, n, WORD(first[ZERO]), dimension, cut, right, order, spare, later, node, begin, end)
    for start in range(ZERO, n, block_rows):
        count = min(block_rows, n - start)
        for i in range(ZERO, count):
            source = WORD(order[start + i]) * width
            for j in range(ZERO, width):
                block[i * width + j] = points[source + j]
        for tree in range(ZERO, WORD(first.size) - ONE):
            visited = _go_down(
                block, width, count, WORD(first[tree]), dimension, cut, right, rows, spare, later, node, begin, end
            )
            _climb(
                block, width, rows, visited, node, begin, end, dimension, side, rate, seen, place, boxes,
                outside, s, d, base, score,
            )  # fmt: skip
            for i in range(ZERO, count):
                total[order[start + i]] += score[i]


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
