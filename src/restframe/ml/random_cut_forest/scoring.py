"""Scores and attributions of points."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.random_cut_forest.forest import Forest
from restframe.ml.random_cut_forest.points import aligned, check_finite, placed, table, width_of
from restframe.ml.random_cut_forest.tables import Boxes, Line

FloatArray = npt.NDArray[np.float64]

_CHUNK_BYTES = 2**23  # of float32 rows scored at a time
_BLOCK_BYTES = 2**19  # of rows that go through a tree together: they stay in a core's own cache


def score(forest: Forest, points: npt.ArrayLike, *, threads: int = 1) -> FloatArray:
    """Anomaly score of each point: how much it would simplify the forest to forget it.

    points : (n, d), or (n,) for one dimension, in the units the forest was fitted with; NaN and infinity are refused
    threads : how many share the work; the scores do not depend on it, nor on which points are scored together
    returns (n,) float64, dimensionless, within 0..log2(1 + samples_per_tree), near 1 on average for ordinary points.
        Higher is more anomalous; above the mean by three standard deviations is the usual rule.
    DataError for points that do not fit the forest.

    Guha, Mishra, Roy, Schrijvers: Robust random cut forest based anomaly detection on streams, ICML 2016, section 3;
    damped for repeated points and normalised as in https://github.com/aws/random-cut-forest-by-aws.
    """
    rows = _fitting(forest, points)
    total = np.zeros(len(rows))
    _in_chunks(_score_chunk, forest, rows, total, threads)
    total *= _factor(forest)
    return total


def attribution(forest: Forest, points: npt.ArrayLike, *, threads: int = 1) -> FloatArray:
    """How much each feature has to do with each point's score.

    points, threads : as for score()
    returns (n, d) float64, not negative; a row adds up to the point's score within 1e-5 of it.

    Each part of the score is shared among the features in proportion to how far they lie outside the box that the part
    comes from; the score of a point that the forest was grown from, equally.
    """
    rows = _fitting(forest, points)
    if forest.feature_count == 1:
        return score(forest, rows, threads=threads).reshape(-1, 1)
    total = np.zeros(rows.shape)
    _in_chunks(_attribute_chunk, forest, rows, total, threads)
    total *= _factor(forest)
    return total


def _fitting(forest: Forest, points: npt.ArrayLike) -> npt.NDArray[Any]:
    rows = table(points)
    if rows.shape[1] != forest.feature_count:
        raise errors.DataError(
            f"the forest was fitted to {forest.feature_count} features, but the points have {rows.shape[1]}"
        )
    return rows


def _factor(forest: Forest) -> float:
    """From a sum over trees to the normalised mean."""
    return math.log2(forest.samples_per_tree + 1) / forest.parameters.num_trees


def _in_chunks(
    work: Callable[[Forest, npt.NDArray[Any], FloatArray], None], forest: Forest, rows: npt.NDArray[Any],
    total: FloatArray, threads: int,
) -> None:  # fmt: skip
    """Let `work` add to `total` the sums over trees of `rows`, chunk by chunk."""
    if threads < 1:
        raise errors.InvalidParameterValue(f"threads is {threads}, not 1 or more"[:100])
    most = max(1, _CHUNK_BYTES // (4 * width_of(rows.shape[1])))
    size = max(1, min(most, -(-len(rows) // threads)))

    def do(start: int) -> None:
        chunk = rows[start : start + size]
        check_finite(chunk, start)
        work(forest, chunk, total[start : start + size])

    starts = range(0, len(rows), size)
    if threads == 1 or len(starts) <= 1:
        for start in starts:
            do(start)
        return
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(do, start) for start in starts]:
            done.result()


def _score_chunk(forest: Forest, points: npt.NDArray[Any], total: FloatArray) -> None:
    rows, tables = placed(points, forest.trees.shift, forest.trees.scale), forest.tables
    if isinstance(tables, Line):
        from restframe.ml.random_cut_forest import line

        x = rows[:, 0]
        order = np.argsort(x)
        sums = np.zeros(len(x))
        line.add_scores(
            x[order], tables.first, tables.last, tables.after, tables.leaf, tables.seen, tables.unseen, tables.chain,
            tables.side, tables.rate, sums,
        )  # fmt: skip
        total[order] = sums
    else:
        from restframe.ml.random_cut_forest import boxes

        width = rows.shape[1]
        block = aligned(min(len(rows), max(64, _BLOCK_BYTES // (4 * width))) * width)
        boxes.add_scores(
            rows.ravel(), np.uintp(width), block, tables.first, tables.dimension, tables.cut, tables.right,
            tables.side, tables.rate, tables.seen, tables.place, tables.boxes, total,
        )  # fmt: skip


def _attribute_chunk(forest: Forest, points: npt.NDArray[Any], total: FloatArray) -> None:
    from restframe.ml.random_cut_forest import boxes

    rows, tables = placed(points, forest.trees.shift, forest.trees.scale), forest.tables
    assert isinstance(tables, Boxes)
    boxes.add_attributions(
        rows.ravel(), np.uintp(rows.shape[1]), tables.first, tables.dimension, tables.cut, tables.right,
        tables.side, tables.rate, tables.seen, tables.place, tables.boxes, total,
    )  # fmt: skip
