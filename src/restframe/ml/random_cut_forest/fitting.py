"""Fitting a forest: which rows each tree is grown from, and the growing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.random_cut_forest.forest import (
    MOST_FEATURES,
    Forest,
    Parameters,
    Partition,
    Trees,
    box_forest,
    check_parameters,
    line_forest,
)
from restframe.ml.random_cut_forest.points import aligned, check_finite, placed, table

_CHUNK_ROWS = 2**20


def fit(
    points: npt.ArrayLike,
    num_trees: int = 100,
    num_samples_per_tree: int = 256,
    *,
    seed: int = 0,
    partition: Partition = "sagemaker",
) -> Forest:
    """Grow a forest.

    points : (n, d) numbers, or (n,) for one dimension, d <= 10,000; NaN and infinity are refused
    num_trees, num_samples_per_tree : 1..1000 and 1..2048
    seed : 0 <= seed < 2**63. The same points, in the same order, with the same seed give the same forest.
    partition : "sagemaker" gives each tree the next run of rows, of n // num_trees rows when there are fewer than
        num_trees * num_samples_per_tree; when there are more, of a reservoir of that many. So the order of rows
        matters, and no two trees share a row. "random" draws each tree's rows by themselves, without repetition.
    InvalidParameterValue for a parameter out of range, DataError for points that are too few or not numbers.

    Guha, Mishra, Roy, Schrijvers: Robust random cut forest based anomaly detection on streams, ICML 2016, section 2.
    SageMaker's sampling: https://docs.aws.amazon.com/sagemaker/latest/dg/rcf_how-it-works.html
    """
    check_parameters(num_trees, num_samples_per_tree, seed, partition)
    rows = table(points)
    if not 1 <= rows.shape[1] <= MOST_FEATURES:
        raise errors.DataError(f"points must have 1 to {MOST_FEATURES} features, not {rows.shape[1]}")
    if len(rows) < (num_trees if partition == "sagemaker" else 1):
        raise errors.DataError(
            f"{len(rows)} rows are too few for {num_trees} trees",
            hint="Each tree needs at least one row. Give more rows, or ask for fewer trees.",
        )
    for start in range(0, len(rows), _CHUNK_ROWS):
        check_finite(rows[start : start + _CHUNK_ROWS], start)
    sample_of = _sagemaker_samples if partition == "sagemaker" else _random_samples
    samples = sample_of(len(rows), num_trees, num_samples_per_tree, np.random.Generator(np.random.Philox(seed)))
    parameters = Parameters(
        int(num_trees), int(num_samples_per_tree), int(seed), partition, rows.shape[1], samples.size // num_trees
    )
    if samples.size < len(rows):
        rows, samples = rows[samples], np.arange(samples.size)
    shift, scale = _placement(rows)
    grow = _grow_line if rows.shape[1] == 1 else _grow_boxes
    return grow(rows, samples, shift, scale, parameters)


def _sagemaker_samples(count: int, num_trees: int, most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Row numbers, tree after tree: contiguous runs of all rows or of a reservoir, less what does not divide."""
    wanted = num_trees * most
    pool = np.arange(min(count, wanted))
    # Algorithm R: row i replaces a random slot of i + 1, if there is such a slot.
    # Vitter: Random sampling with a reservoir, ACM Transactions on Mathematical Software 11 (1985).
    for start in range(wanted, count, _CHUNK_ROWS):
        arrived = np.arange(start, min(count, start + _CHUNK_ROWS))
        slot = (rng.random(arrived.size) * (arrived + 1)).astype(np.int64)
        pool[slot[slot < wanted]] = arrived[slot < wanted]  # of several for one slot the last stays
    return pool[: num_trees * min(most, pool.size // num_trees)]


def _random_samples(count: int, num_trees: int, most: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Row numbers, tree after tree, drawn for each tree by itself."""
    size = min(count, most)
    return np.concatenate([rng.choice(count, size, replace=False, shuffle=False) for _ in range(num_trees)])


def _placement(rows: npt.NDArray[Any]) -> tuple[npt.NDArray[np.float64], float]:
    """The shift and the scale that bring rows to 0..1.

    The scale is a power of two, so that no digit is lost; the longest side becomes 0.5..1, and sums and products of
    sides stay within float32.
    """
    shift = rows.min(axis=0).astype(np.float64)
    with np.errstate(over="ignore"):
        longest = float((rows.max(axis=0) - shift).max())
    if math.isinf(longest):
        raise errors.DataError("a feature spans more than a double precision number can hold")
    exponent = -math.frexp(longest)[1] if longest else 0
    return shift, math.ldexp(1.0, min(1000, exponent))


def _grow_line(
    rows: npt.NDArray[Any], samples: npt.NDArray[np.int64], shift: npt.NDArray[np.float64], scale: float,
    parameters: Parameters,
) -> Forest:  # fmt: skip
    from restframe.ml.random_cut_forest.line import grow

    x = np.sort(placed(rows, shift, scale)[samples, 0].reshape(parameters.num_trees, -1), axis=1)
    dimension, cut = np.empty(2 * x.size, np.int16), np.empty(2 * x.size, np.float32)
    mass, value = np.empty(x.size, np.uint16), np.empty(x.size, np.float32)
    nodes, leaves = grow(x, np.uint64(parameters.seed), dimension, cut, mass, value)
    return line_forest(parameters, Trees(shift, scale, dimension[:nodes], cut[:nodes], mass[:leaves]), value[:leaves])


def _grow_boxes(
    rows: npt.NDArray[Any], samples: npt.NDArray[np.int64], shift: npt.NDArray[np.float64], scale: float,
    parameters: Parameters,
) -> Forest:  # fmt: skip
    from restframe.ml.random_cut_forest.growing import grow

    points = placed(rows, shift, scale)
    width, most = points.shape[1], 2 * samples.size
    dimension, cut, side = np.empty(most, np.int16), np.empty(most, np.float32), np.empty(most, np.float32)
    mass, place = np.empty(samples.size, np.uint16), np.empty(most, np.uintp)
    # a cut has two rows; a leaf has one, and grow() needs two to find out that it is a leaf
    boxes = aligned((3 * samples.size + 1) * width)
    nodes, leaves = grow(
        points.ravel(), np.uintp(width), np.uintp(parameters.feature_count), samples,
        np.uintp(parameters.samples_per_tree), np.uint64(parameters.seed),
        dimension, cut, mass, side, place, boxes,
    )  # fmt: skip
    trees = Trees(shift, scale, dimension[:nodes], cut[:nodes], mass[:leaves])
    return box_forest(parameters, trees, side[:nodes], place[:nodes], boxes)
