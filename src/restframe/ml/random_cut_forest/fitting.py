"""Growing a forest: which rows each tree is grown from, and the trees."""

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
    assemble,
    check_parameters,
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
    parameters = Parameters(num_trees, num_samples_per_tree, seed, partition, rows.shape[1], samples.size // num_trees)
    if samples.size < len(rows):
        rows, samples = rows[samples], np.arange(samples.size)
    return assemble(parameters, _grow(rows, samples, parameters))


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


def _grow(points: npt.NDArray[Any], samples: npt.NDArray[np.int64], parameters: Parameters) -> Trees:
    from restframe.ml.random_cut_forest.growing import grow

    shift = points.min(axis=0).astype(np.float64)
    with np.errstate(over="ignore"):
        longest = float((points.max(axis=0).astype(np.float64) - shift).max())
    if math.isinf(longest):
        raise errors.DataError("a feature spans more than a double precision number can hold")
    # by a power of two, so that no digit is lost: the longest side becomes 0.5..1, and float32 neither over- nor
    # underflows in sums and products of sides
    scale = math.ldexp(1.0, max(-1000, min(1000, -math.frexp(longest)[1]))) if longest else 1.0
    rows = placed(points, shift, scale)
    leaves, width = samples.size, rows.shape[1]
    cut_dimension, cut_value = np.empty(2 * leaves, np.int16), np.empty(2 * leaves, np.float32)
    leaf_mass, leaf_row = np.empty(leaves, np.uint16), np.empty(leaves, np.int64)
    size, features, seed = parameters.samples_per_tree, parameters.feature_count, parameters.seed
    nodes, leaves = grow(
        rows.ravel(), np.uintp(width), np.uintp(features), samples, np.uintp(size), np.uint64(seed),
        cut_dimension, cut_value, leaf_mass, leaf_row,
    )  # fmt: skip
    leaf_points = np.take(rows, leaf_row[:leaves], axis=0, out=aligned(leaves, width))
    return Trees(shift, scale, cut_dimension[:nodes].copy(), cut_value[:nodes].copy(), leaf_mass[:leaves], leaf_points)
