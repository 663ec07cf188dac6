"""A forest as a value: its parameters, its trees, and the tables that scoring reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.random_cut_forest.points import width_of
from restframe.ml.random_cut_forest.tables import Array, Boxes, Line, Shape

Partition = Literal["sagemaker", "random"]
PARTITIONS = ("sagemaker", "random")
MOST_TREES, MOST_SAMPLES, MOST_FEATURES = 1000, 2048, 10_000  # SageMaker's limits


@dataclass(frozen=True, slots=True)
class Parameters:
    """How a forest was fitted; the fields are fit()'s arguments.

    samples_per_tree : as many as there were, at most num_samples_per_tree; M in the formula
    """

    num_trees: int
    num_samples_per_tree: int
    seed: int
    partition: str
    feature_count: int
    samples_per_tree: int


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """All that a file keeps of the trees: nodes in preorder, trees one after another, a left child next to its parent.

    shift, scale : (d,) float64 and a power of two: a point x stands in the trees as (x - shift) * scale, and those the
        forest was fitted to within 0..1
    cut_dimension, cut_value : (nodes,) int16 and float32; x goes left when x[dimension] <= value. -1 and 0 at a leaf
    leaf_mass : (leaves,) uint16: how many equal samples became this leaf
    leaf_points : (leaves, width) float32, zeros after the d-th
    """

    shift: Array
    scale: float
    cut_dimension: Array
    cut_value: Array
    leaf_mass: Array
    leaf_points: Array


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """A Random Cut Forest, made by fit() or load(). Usable from several threads at once."""

    parameters: Parameters
    trees: Trees
    shape: Shape
    tables: Line | Boxes

    @property
    def feature_count(self) -> int:
        return self.parameters.feature_count

    @property
    def samples_per_tree(self) -> int:
        return self.parameters.samples_per_tree

    @property
    def node_counts(self) -> list[int]:
        """Nodes of each tree, leaves included: 2u - 1 for u distinct samples."""
        return [int(count) for count in np.diff(self.shape.first)]

    @property
    def depths(self) -> list[int]:
        """The depth of each tree's deepest leaf; the root's is 0."""
        return [int(depth) for depth in np.maximum.reduceat(self.shape.depth, self.shape.first[:-1])]


def check_parameters(num_trees: int, num_samples_per_tree: int, seed: int, partition: str) -> None:
    """InvalidParameterValue for the first that is out of range."""
    for name, value, low, high in (
        ("num_trees", num_trees, 1, MOST_TREES),
        ("num_samples_per_tree", num_samples_per_tree, 1, MOST_SAMPLES),
        ("seed", seed, 0, 2**63 - 1),
    ):
        if not low <= value <= high:
            raise errors.InvalidParameterValue(f"{name} is {value}, not within {low}..{high}"[:100])
    if partition not in PARTITIONS:
        raise errors.InvalidParameterValue(f'partition is "{partition}", not one of {", ".join(PARTITIONS)}'[:100])


def assemble(parameters: Parameters, trees: Trees) -> Forest:
    """A forest with its tables. DataError when the nodes are not num_trees whole trees."""
    shape = shape_of(trees.cut_dimension, parameters.num_trees)
    rate = (1 / (shape.depth + 1.0)).astype(np.float32)
    seen = _seen_scores(shape.depth[~shape.is_cut], trees.leaf_mass, parameters.samples_per_tree)
    tables: Line | Boxes
    if width_of(parameters.feature_count) == 1:
        from restframe.ml.random_cut_forest.line import line

        tables = line(shape, trees.cut_value, trees.leaf_points[:, 0], seen, rate)
    else:
        from restframe.ml.random_cut_forest.boxes import boxes

        tables = boxes(shape, trees.cut_dimension, trees.cut_value, trees.leaf_points, seen, rate)
    return Forest(parameters, trees, shape, tables)


def shape_of(cut_dimension: Array, num_trees: int) -> Shape:
    """DataError when the nodes are not num_trees whole trees."""
    from restframe.ml.random_cut_forest.growing import connect

    is_cut = cut_dimension >= 0
    # a cut opens a place for one more subtree, a leaf fills one: a tree is whole when its own place is filled
    least_open = np.minimum.accumulate(np.minimum(np.cumsum(np.where(is_cut, 1, -1)), 0))
    ends = np.flatnonzero(np.diff(least_open, prepend=0)) + 1
    if ends.size != num_trees or ends[-1] != cut_dimension.size:
        raise errors.DataError(f"the nodes are not {num_trees} whole trees")
    first = np.concatenate([[0], ends])
    first_leaf_of_tree = np.concatenate([[0], np.cumsum(~is_cut)[ends - 1]])
    right, depth, first_leaf, last_leaf = (np.empty(cut_dimension.size, np.uint32) for _ in range(4))
    connect(cut_dimension, right, depth, first_leaf, last_leaf)
    return Shape(first, first_leaf_of_tree, is_cut, right, depth, first_leaf, last_leaf)


def _seen_scores(depth: Array, mass: Array, samples: int) -> npt.NDArray[np.float32]:
    """(1 - m / (2 M)) / (h + log2(1 + m)): the score, in its tree, of a point that the tree was grown from."""
    log2 = np.array([math.log2(1 + m) for m in range(samples + 1)])
    scores: npt.NDArray[np.float32] = ((1 - mass / (2 * samples)) / (depth + log2[mass])).astype(np.float32)
    return scores
