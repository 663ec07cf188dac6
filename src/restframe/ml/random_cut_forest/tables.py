"""What scoring reads: the shape of the trees, and tables for one dimension or for several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What follows from which nodes are leaves. Nodes stand in preorder, trees one after another.

    first, first_leaf_of_tree : (trees + 1,) the first node, and the first leaf, of each tree
    is_cut : (nodes,) whether the node has children; the left one is the next node
    right, depth : (nodes,) uint32: the right child, and how far from the root, h
    first_leaf, last_leaf : (nodes,) uint32: the leaves below the node, itself if it is one
    """

    first: Array
    first_leaf_of_tree: Array
    is_cut: Array
    right: Array
    depth: Array
    first_leaf: Array
    last_leaf: Array


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One dimension: stretches of the line, from left to right, trees one after another. See line.py.

    first : (trees + 1,) the first stretch of each tree
    last, after : (stretches,) the greatest float32 in a stretch, and the least above it
    leaf : (stretches,) the value of the leaf that owns it
    seen, unseen : (stretches,) that leaf's score for its own value, and for all others
    chain : (stretches + 1,) where each stretch's chain begins in side and rate
    side, rate : of each box in a chain: its length R, and 1 / (h + 1)
    """

    first: Array
    last: Array
    after: Array
    leaf: Array
    seen: Array
    unseen: Array
    chain: Array
    side: Array
    rate: Array


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Several dimensions: the nodes with their boxes. See boxes.py.

    first : (trees + 1,) the first node of each tree
    dimension, cut, right : (nodes,) the cut, with dimension -1 at a leaf, and the right child
    side, rate : (nodes,) float32: R, the sum of the sides of the box, and 1 / (h + 1)
    seen : (nodes,) float32: of a leaf, the score of its own point
    place : (nodes,) where its box begins in `boxes`
    boxes : float32: of a leaf its point; of another node the greatest values, then the least; `width` floats each
    """

    first: Array
    dimension: Array
    cut: Array
    right: Array
    side: Array
    rate: Array
    seen: Array
    place: Array
    boxes: Array
