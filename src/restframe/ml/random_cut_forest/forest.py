"""A forest as a value: its parameters, its trees, and the tables that scoring reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.random_cut_forest.points import aligned, width_of
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
    """

    shift: Array
    scale: float
    cut_dimension: Array
    cut_value: Array
    leaf_mass: Array


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


def line_forest(parameters: Parameters, trees: Trees, leaf_values: Array) -> Forest:
    """A forest in one dimension. DataError when the nodes are not whole trees."""
    from restframe.ml.random_cut_forest.line import line
    from restframe.ml.random_cut_forest.preorder import shape

    form = shape(trees.cut_dimension, trees.leaf_mass.size, parameters.num_trees)
    seen = _seen_scores(form, trees.leaf_mass, parameters.samples_per_tree)
    return Forest(parameters, trees, form, line(form, trees.cut_value, leaf_values, seen, _rates(form)))


def box_forest(parameters: Parameters, trees: Trees, side: Array, place: Array, boxes: Array) -> Forest:
    """A forest in several dimensions, as growing.grow() leaves it."""
    from restframe.ml.random_cut_forest.preorder import shape

    form = shape(trees.cut_dimension, trees.leaf_mass.size, parameters.num_trees)
    return Forest(parameters, trees, form, _boxes(parameters, trees, form, side, place, boxes))


def rebuilt(parameters: Parameters, trees: Trees, leaf_points: Array) -> Forest:
    """A forest from what a file keeps, trees and leaf_points(). DataError when the nodes are not whole trees."""
    if parameters.feature_count == 1:
        return line_forest(parameters, trees, np.ascontiguousarray(leaf_points[:, 0]))
    from restframe.ml.random_cut_forest.growing import bound
    from restframe.ml.random_cut_forest.preorder import shape

    form = shape(trees.cut_dimension, trees.leaf_mass.size, parameters.num_trees)
    width = width_of(parameters.feature_count)
    points = np.zeros((len(leaf_points), width), np.float32)
    points[:, : parameters.feature_count] = leaf_points
    size = np.where(form.is_cut, 2 * width, width)
    place = (np.cumsum(size) - size).astype(np.uintp)
    boxes, side = aligned(int(size.sum())), np.empty(size.size, np.float32)
    bound(trees.cut_dimension, form.right, place, points.ravel(), np.uintp(width), side, boxes)
    return Forest(parameters, trees, form, _boxes(parameters, trees, form, side, place, boxes))


def leaf_points(forest: Forest) -> npt.NDArray[np.float32]:
    """(leaves, d): the points of all leaves, in the order of the nodes and in the trees' units."""
    if isinstance(forest.tables, Line):
        return forest.tables.leaf[::2].reshape(-1, 1)
    width = width_of(forest.feature_count)
    rows = forest.tables.place[~forest.shape.is_cut] // np.uintp(width)
    return forest.tables.boxes.reshape(-1, width)[rows, : forest.feature_count]


def _boxes(parameters: Parameters, trees: Trees, form: Shape, side: Array, place: Array, boxes: Array) -> Boxes:
    seen = np.zeros(side.size, np.float32)
    seen[~form.is_cut] = _seen_scores(form, trees.leaf_mass, parameters.samples_per_tree)
    return Boxes(form.first, trees.cut_dimension, trees.cut_value, form.right, side, _rates(form), seen, place, boxes)


def _rates(form: Shape) -> npt.NDArray[np.float32]:
    """(nodes,) 1 / (h + 1)."""
    return (1.0 / (form.depth + 1.0)).astype(np.float32)


def _seen_scores(form: Shape, leaf_mass: Array, samples: int) -> npt.NDArray[np.float32]:
    """(leaves,) the score of the leaf's own point: (1 - m / (2 M)) / (h + log2(1 + m))."""
    log2 = np.array([math.log2(1 + m) for m in range(samples + 1)])
    scores = (1.0 - leaf_mass / (2.0 * samples)) / (form.depth[~form.is_cut] + log2[leaf_mass])
    return np.asarray(scores, np.float32)
