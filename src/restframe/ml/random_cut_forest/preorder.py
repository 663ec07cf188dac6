"""What follows from the order of nodes alone: where each tree begins, each node's children, depth and leaves."""

from __future__ import annotations

import numpy as np

from restframe import errors
from restframe.compiled import kernel
from restframe.ml.random_cut_forest.tables import Array, Shape
from restframe.ml.random_cut_forest.words import ONE, TWO, WORD, ZERO, Word


def shape(dimension: Array, leaves: int, trees: int) -> Shape:
    """The shape of nodes in preorder, leaves marked by a negative dimension.

    DataError when they are not that many whole trees with that many leaves.
    """
    right, depth, first_leaf, last_leaf = (np.empty(dimension.size, np.uint32) for _ in range(4))
    first, first_leaf_of_tree = np.empty(trees + 1, np.int64), np.empty(trees + 1, np.int64)
    whole = _connect(dimension, np.uintp(leaves), first, first_leaf_of_tree, right, depth, first_leaf, last_leaf)
    if not whole:
        raise errors.DataError(f"the nodes are not {trees} whole trees")
    return Shape(first, first_leaf_of_tree, dimension >= 0, right, depth, first_leaf, last_leaf)


@kernel
def _connect(
    dimension: Array, leaves: Word, first: Array, first_leaf_of_tree: Array,
    right: Array, depth: Array, first_leaf: Array, last_leaf: Array,
) -> bool:  # fmt: skip
    """Fill in the other arrays, see Shape; False, and nothing else may be relied on, when the trees are not whole."""
    nodes, trees = WORD(dimension.size), WORD(first.size) - ONE
    tree, leaf, open_places = ZERO, ZERO, ONE
    first[ZERO] = first_leaf_of_tree[ZERO] = 0
    for node in range(ZERO, nodes):
        # a cut opens a place for one more subtree, a leaf fills one: a tree is whole when its own place is filled
        if dimension[node] >= 0:
            open_places += ONE
            continue
        leaf += ONE
        open_places -= ONE
        if open_places == ZERO:
            if tree == trees:
                return False
            tree += ONE
            first[tree], first_leaf_of_tree[tree] = node + ONE, leaf
            open_places = ONE
    if tree != trees or leaf != leaves or WORD(first[tree]) != nodes:
        return False
    tops = np.empty(leaves, np.uintp)  # roots of finished subtrees, the leftmost last
    count = ZERO
    for back in range(ONE, nodes + ONE):
        node = nodes - back
        if dimension[node] < 0:
            leaf -= ONE
            right[node] = node
            first_leaf[node] = last_leaf[node] = leaf
            tops[count] = node
            count += ONE
        else:
            child = tops[count - TWO]
            right[node] = child
            first_leaf[node], last_leaf[node] = first_leaf[node + ONE], last_leaf[child]
            count -= ONE
            tops[count - ONE] = node
    for tree in range(ZERO, trees):
        depth[first[tree]] = 0
    for node in range(ZERO, nodes):
        if dimension[node] >= 0:
            depth[node + ONE] = depth[right[node]] = depth[node] + 1
    return True
