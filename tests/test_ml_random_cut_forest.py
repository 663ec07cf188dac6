"""Random Cut Forest: the published run it reproduces, its score by the formula, and what must not change a score."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors, kernels
from restframe.compiled import kernel
from restframe.ml.random_cut_forest import Forest, attribution, fit, save, score
from restframe.ml.random_cut_forest.forest import leaf_points

SharedData = Callable[[str], Path]
Array = np.ndarray[Any, Any]


@pytest.fixture
def rides(shared_data: SharedData) -> Array:
    with shared_data("nab/nyc_taxi.csv").open() as file:
        return np.array([float(row["value"]) for row in csv.DictReader(file)])


# The published run: 50 trees of 512 samples on 10,320 half hours, which give 206 samples a tree


NODE_COUNTS = [
    405, 403, 409, 409, 411, 409, 407, 409, 407, 411, 409, 411, 411, 407, 405, 409, 407, 409, 409, 409, 411, 411, 401,
    409, 409, 411, 407, 411, 411, 401, 411, 405, 411, 411, 409, 409, 411, 405, 409, 407, 409, 411, 411, 407, 409, 411,
    407, 407, 411, 409,
]  # fmt: skip

PUBLISHED_SCORES = {
    10844: 0.943025, 8127: 0.949037, 6210: 0.961703, 4656: 0.851480, 3820: 0.894886, 24670: 1.100063,
    25721: 1.303702, 26288: 1.509151, 26591: 1.655542, 26827: 1.740207, 26872: 1.750501, 26873: 1.755937,
    27286: 1.959775, 27309: 1.965813, 27598: 2.111130, 27773: 2.226761, 28804: 2.689794, 29985: 3.113783,
}  # fmt: skip


def test_the_published_node_counts_come_out_exactly(rides: Array) -> None:
    forest = fit(rides, 50, 512)
    assert forest.node_counts == NODE_COUNTS
    assert forest.samples_per_tree == 206
    assert all(12 <= depth <= 26 for depth in forest.depths)


def test_another_order_of_rows_gives_other_trees(rides: Array) -> None:
    # SageMaker gives each tree a run of neighbouring rows; rows dealt out in turn share fewer values
    dealt = rides[: 50 * 206].reshape(206, 50).T.ravel()
    assert fit(dealt, 50, 512).node_counts != NODE_COUNTS


def test_a_fitted_forest_scores_as_the_published_one(rides: Array) -> None:
    values = np.array(list(PUBLISHED_SCORES))
    of_values = []
    for seed in range(6):
        forest = fit(rides, 50, 512, seed=seed)
        scores = score(forest, rides)
        cutoff = scores.mean() + 3 * scores.std(ddof=1)
        # over 60 seeds 236.3 +- 15.2; the published run had 236
        assert 190 <= (scores > cutoff).sum() <= 290
        assert cutoff == pytest.approx(1.648, abs=0.06)
        assert scores.mean() == pytest.approx(0.889, abs=0.03)
        assert scores.std() == pytest.approx(0.253, abs=0.04)
        assert scores.min() == pytest.approx(0.651, abs=0.06)
        assert scores.max() == pytest.approx(4.652, abs=0.12)
        assert rides[scores.argmax()] == 39197  # 2014-11-02 01:00
        of_values.append(score(forest, values))
    # one published forest is one draw: up to 2.6 standard deviations of 0.03 to 0.06 from the mean of many
    assert np.abs(np.mean(of_values, axis=0) - list(PUBLISHED_SCORES.values())).max() < 0.17


# The score by its formula, from the leaves up, in plain Python


@dataclass(frozen=True)
class Node:
    """A node of a tree read back from a forest's arrays; a leaf has a mass and no children."""

    low: Array
    high: Array
    depth: int
    mass: int = 0
    dimension: int = -1
    cut: float = 0.0
    left: Node | None = None
    right: Node | None = None


def trees_of(forest: Forest) -> list[Node]:
    dimensions, cuts = iter(forest.trees.cut_dimension.tolist()), iter(forest.trees.cut_value.astype(float).tolist())
    points, masses = iter(leaf_points(forest).astype(float)), iter(forest.trees.leaf_mass.tolist())

    def tree(depth: int) -> Node:
        dimension, cut = next(dimensions), next(cuts)
        if dimension < 0:
            point = next(points)
            return Node(point, point, depth, next(masses))
        left, right = tree(depth + 1), tree(depth + 1)
        low, high = np.minimum(left.low, right.low), np.maximum(left.high, right.high)
        return Node(low, high, depth, left.mass + right.mass, dimension, cut, left, right)

    return [tree(0) for _ in range(forest.parameters.num_trees)]


def plain_attribution(forest: Forest, trees: list[Node], point: Array) -> Array:
    """What each feature adds to the score of one point."""
    x = ((point - forest.trees.shift) * forest.trees.scale).astype(np.float32).astype(float)
    samples = forest.samples_per_tree

    def below(node: Node) -> tuple[Array, bool]:
        """The attribution at a node, and whether it is final: the point is inside all boxes from here on."""
        if node.left is None or node.right is None:
            distances = np.abs(x - node.low)
            if not distances.any():
                seen = (1 - node.mass / (2 * samples)) / (node.depth + math.log2(1 + node.mass))
                return np.full(x.size, seen / x.size), True
            return distances / distances.sum() / (node.depth + 1), False
        under, final = below(node.left if x[node.dimension] <= node.cut else node.right)
        distances = np.maximum(0, np.maximum(x - node.high, node.low - x))
        if final or not distances.any():
            return under, True
        p = distances / ((node.high - node.low).sum() + distances.sum())
        return p / (node.depth + 1) + (1 - p.sum()) * under, False

    total = sum(below(tree)[0] for tree in trees)
    return np.asarray(total) / len(trees) * math.log2(samples + 1)


@pytest.mark.parametrize("features", [1, 2, 5, 17, 48])
def test_scores_are_those_of_the_formula(features: int) -> None:
    rng = np.random.default_rng(features)
    data = np.round(rng.normal(size=(2000, features)), 1 if features == 1 else 2)
    data[::7] = data[0]  # leaves of more than one sample
    forest = fit(data, 20, 64, seed=features)
    trees = trees_of(forest)
    grown_from = data[:30]
    strange, far = rng.normal(size=(30, features)), rng.normal(size=(10, features)) * 1e6
    points = np.concatenate([grown_from, strange, far, far[:3], [data[0]]])
    expected = np.array([plain_attribution(forest, trees, point) for point in points])
    # sums in float32 within a tree and in float64 over trees: a few units of 6e-8
    np.testing.assert_allclose(score(forest, points), expected.sum(axis=1), rtol=5e-7)
    np.testing.assert_allclose(attribution(forest, points), expected, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("features", [1, 3])
def test_trees_part_their_samples_by_cuts_within_boxes(features: int) -> None:
    data = np.random.default_rng(1).integers(0, 40, (1000, features)).astype(float)
    forest = fit(data, 10, 100)

    def check(node: Node) -> int:
        if node.left is None or node.right is None:
            return node.mass
        j = node.dimension
        assert node.left.high[j] <= node.cut < node.right.low[j]
        return check(node.left) + check(node.right)

    for number, tree in enumerate(trees_of(forest)):
        assert check(tree) == 100
        sample = (data[number * 100 : number * 100 + 100] - forest.trees.shift) * forest.trees.scale
        np.testing.assert_array_equal([tree.low, tree.high], [sample.min(axis=0), sample.max(axis=0)])


def test_a_side_is_cut_as_often_as_it_is_long() -> None:
    data = np.random.default_rng(0).random((2000, 2)) * [3.0, 1.0]
    trees = trees_of(fit(data, 1000, 8, partition="random"))
    sides = np.array([tree.high - tree.low for tree in trees])
    long_side = [tree for tree in trees if tree.dimension == 0]
    # of 1000 trees about 750 +- 13.7, and uniformly along the side
    assert len(long_side) == pytest.approx((sides[:, 0] / sides.sum(axis=1)).sum(), abs=55)
    where = np.array([(tree.cut - tree.low[0]) / (tree.high[0] - tree.low[0]) for tree in long_side])
    assert where.mean() == pytest.approx(0.5, abs=0.045)
    assert where.std() == pytest.approx(math.sqrt(1 / 12), abs=0.03)


# Which rows a tree is grown from


def test_each_tree_gets_the_next_run_of_rows_and_the_rest_is_left_out() -> None:
    forest = fit(np.arange(1003.0), 10, 256)
    assert forest.samples_per_tree == 100
    values = leaf_points(forest)[:, 0] / forest.trees.scale
    np.testing.assert_array_equal(values, np.arange(1000.0))


def test_of_many_rows_a_reservoir_is_kept_in_which_each_is_as_likely() -> None:
    taken = []
    for seed in range(20):
        forest = fit(np.arange(20_000.0), 10, 50, seed=seed)
        values = leaf_points(forest)[:, 0].astype(float) / forest.trees.scale + forest.trees.shift
        assert values.size == np.unique(values).size == 500
        taken.append(values)
    # 10,000 draws from 0..20,000 with mean 10,000 and standard deviation 5,774
    assert np.mean(taken) == pytest.approx(9999.5, abs=250)
    assert np.std(taken) == pytest.approx(5774, abs=150)


def test_random_samples_are_drawn_for_each_tree_without_repetition() -> None:
    forest = fit(np.arange(300.0), 20, 200, partition="random")
    assert forest.node_counts == [399] * 20
    assert fit(np.arange(300.0), 20, 500, partition="random").samples_per_tree == 300


# What must not change a score


CASES = {
    "seed": st.integers(0, 2**63 - 1),
    "features": st.sampled_from([1, 2, 3, 16, 20]),
    "rows": st.integers(20, 200),
    "grid": st.sampled_from([4, 100, 10_000]),
}


def scene(seed: int, features: int, rows: int, grid: int) -> tuple[Array, Forest, Array]:
    """Points on a grid, so that some are equal, a forest grown from them, and other points to score."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, grid, (rows, features)).astype(np.float64)
    strange = rng.integers(-grid, 2 * grid, (50, features))
    return points, fit(points, 7, 30, seed=seed), np.concatenate([points, strange, points[:9] + 0.5])


@given(**CASES)
@settings(max_examples=25, deadline=None)
def test_scores_are_within_their_range_and_attributions_add_up(seed: int, features: int, rows: int, grid: int) -> None:
    _, forest, points = scene(seed, features, rows, grid)
    scores, parts = score(forest, points), attribution(forest, points)
    assert ((scores >= 0) & (scores <= math.log2(1 + forest.samples_per_tree) + 1e-6)).all()
    assert parts.shape == (len(points), features)
    assert (parts >= 0).all()
    np.testing.assert_allclose(parts.sum(axis=1), scores, rtol=1e-5)


@given(**CASES)
@settings(max_examples=25, deadline=None)
def test_a_score_does_not_depend_on_the_company(seed: int, features: int, rows: int, grid: int) -> None:
    _, forest, points = scene(seed, features, rows, grid)
    scores = score(forest, points)
    order = np.random.default_rng(seed).permutation(len(points))
    np.testing.assert_array_equal(score(forest, points[order]), scores[order])
    np.testing.assert_array_equal(score(forest, np.repeat(points, 3, axis=0)), np.repeat(scores, 3))
    for i in (0, len(points) // 2, len(points) - 1):
        assert score(forest, points[i : i + 1]) == scores[i]
    for threads in (2, 3, 8):
        np.testing.assert_array_equal(score(forest, points, threads=threads), scores)
        np.testing.assert_array_equal(attribution(forest, points, threads=threads), attribution(forest, points))


@given(shift=st.integers(-(2**40), 2**40), scale=st.integers(-300, 300), **CASES)
@settings(max_examples=25, deadline=None)
def test_a_score_does_not_depend_on_the_units(
    shift: int, scale: int, seed: int, features: int, rows: int, grid: int
) -> None:
    points, forest, others = scene(seed, features, rows, grid)
    expected = score(forest, others)
    moved = fit(points + shift, 7, 30, seed=seed)
    np.testing.assert_array_equal(score(moved, others + shift), expected)
    scaled = fit(points * 2.0**scale, 7, 30, seed=seed)
    np.testing.assert_array_equal(score(scaled, others * 2.0**scale), expected)


def test_consecutive_seconds_stay_apart() -> None:
    # in float32, ten thousand seconds of today are 79 numbers
    seconds = 1_700_000_000 + np.arange(10_000)
    assert fit(seconds, 100, 100).node_counts == [199] * 100
    np.testing.assert_array_equal(
        score(fit(seconds, 100, 100), seconds), score(fit(np.arange(10_000), 100, 100), np.arange(10_000))
    )


def test_the_seed_decides() -> None:
    points = np.random.default_rng(0).random((5000, 3))
    for partition in ("sagemaker", "random"):
        same = [save(fit(points, 20, 64, seed=5, partition=partition)) for _ in range(2)]
        assert same[0] == same[1]
        assert same[0] != save(fit(points, 20, 64, seed=6, partition=partition))


def test_long_batches_score_as_short_ones() -> None:
    # several blocks and chunks, in one dimension and in more
    rng = np.random.default_rng(3)
    for features, rows in ((1, 3_000_000), (130, 30_000)):
        points = rng.random((rows, features))
        forest = fit(points[:2000], 5, 100)
        scores = score(forest, points)
        some = rng.integers(0, rows, 300)
        np.testing.assert_array_equal(score(forest, points[some]), scores[some])


def test_values_of_any_size_are_scored() -> None:
    for size in (5e-324, 1e-300, 1.0, 1e300):
        points = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]) * size
        scores = score(fit(points, 2, 4), [*points, 1e308, -1e308])
        assert np.isfinite(scores).all()
        assert scores[-2:].min() > scores[:-2].max() - 1e-12


def test_equal_points_make_one_leaf() -> None:
    forest = fit(np.full((100, 2), 7.0), 5, 20)
    assert forest.node_counts == [1] * 5
    assert forest.depths == [0] * 5
    # the damped score of a point seen twenty times of twenty, and that of a point never seen
    assert score(forest, [[7.0, 7.0], [7.0, 8.0]]).tolist() == pytest.approx([0.5, math.log2(21)], rel=1e-6)


def test_numbers_of_any_kind_are_points() -> None:
    expected = score(fit(np.arange(200.0), 10, 20), [3.0, 500.0])
    for kind in (np.int8, np.uint8, np.int64, np.float32):
        points = (np.arange(200) % 128).astype(kind)
        np.testing.assert_array_equal(
            score(fit(points, 10, 20), points), score(fit(points.astype(float), 10, 20), points.astype(float))
        )
    np.testing.assert_array_equal(score(fit(list(range(200)), 10, 20), [3, 500]), expected)
    np.testing.assert_array_equal(score(fit(np.arange(200)[:, None], 10, 20), [[3], [500]]), expected)
    assert score(fit(np.arange(200), 10, 20), np.empty((0, 1))).shape == (0,)


def test_the_feature_that_stands_out_is_blamed() -> None:
    points = np.random.default_rng(0).normal(size=(5000, 6))
    forest = fit(points, 50, 256)
    odd = points[:20].copy()
    odd[:, 4] += 15
    parts = attribution(forest, odd)
    assert (parts.argmax(axis=1) == 4).all()
    assert (parts[:, 4] > 0.7 * parts.sum(axis=1)).all()


# What is refused


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([[1.0, 2.0], [3.0, math.nan]] * 60, "row 2, feature 2 is nan, not a finite number"),
        ([1.0] * 99 + [math.inf], "row 100, feature 1 is inf, not a finite number"),
        ([[1.0], [2.0, 3.0]], "points must be rows of equally many features"),
        (["a", "b"], "points must be numbers, not <U1"),
        (np.zeros((4, 4, 4)), "points must be rows of features, not an array of 3 dimensions"),
        (np.zeros((4, 0)), "points must have 1 to 10000 features, not 0"),
        (np.zeros((1, 10_001)), "points must have 1 to 10000 features, not 10001"),
        (np.zeros(99), "99 rows are too few for 100 trees"),
        ([-1e308, 1e308] * 50, "a feature spans more than a double precision number can hold"),
    ],
)
def test_points_that_cannot_be_fitted(points: Any, message: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        fit(points)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"num_trees": 0}, "num_trees is 0, not within 1..1000"),
        ({"num_trees": 1001}, "num_trees is 1001, not within 1..1000"),
        ({"num_samples_per_tree": 2049}, "num_samples_per_tree is 2049, not within 1..2048"),
        ({"seed": -1}, "seed is -1, not within 0..9223372036854775807"),
        ({"partition": "even"}, 'partition is "even", not one of sagemaker, random'),
    ],
)
def test_parameters_out_of_range(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        fit(np.arange(1000.0), **parameters)
    assert caught.value.message == message


def test_points_that_do_not_fit_the_forest() -> None:
    forest = fit(np.random.default_rng(0).random((500, 3)), 10, 20)
    for ask in (score, attribution):
        with pytest.raises(errors.DataError) as caught:
            ask(forest, [[1.0, 2.0]])
        assert caught.value.message == "the forest was fitted to 3 features, but the points have 2"
        points = np.zeros((70_000, 3))
        points[66_666, 1] = -math.inf
        with pytest.raises(errors.DataError) as caught:
            ask(forest, points)
        assert caught.value.message == "row 66667, feature 2 is -inf, not a finite number"
        with pytest.raises(errors.InvalidParameterValue):
            ask(forest, points, threads=0)


# Machines


def digest(forests: list[Forest], points: list[Array]) -> str:
    found = hashlib.sha256()
    for forest, some in zip(forests, points, strict=True):
        found.update(save(forest))
        found.update(score(forest, some).tobytes())
    return found.hexdigest()


def examples() -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(1000, features)) for features in (1, 5, 48)]


PLAIN_PROCESSOR = """
import llvmlite.binding
llvmlite.binding.get_host_cpu_features = llvmlite.binding.FeatureMap
import json, sys
sys.path.insert(0, sys.argv[1])
import test_ml_random_cut_forest as t
from restframe.ml.random_cut_forest.lanes import GROUP
print(json.dumps([GROUP, t.digest([t.fit(points, 10, 64) for points in t.examples()], t.examples())]))
"""


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="names an x86 processor")
def test_an_old_processor_grows_and_scores_the_same_to_the_last_bit(tmp_path: Path) -> None:
    environment = os.environ | {
        "NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)
    }  # fmt: skip
    command = [sys.executable, "-c", PLAIN_PROCESSOR, str(Path(__file__).parent)]
    done = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    expected = digest([fit(points, 10, 64) for points in examples()], examples())
    assert json.loads(done.stdout) == [4, expected]


def test_kernels_run_where_nothing_may_be_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "directory", lambda: None)
    assert kernel(lambda x: x + 1)(1) == 2


# Detection, on the anomalies that are known


def seasonal_residual(values: Array, season: int) -> Array:
    """Each value less the median of those at the same time in earlier seasons; none for the first two."""
    residual = np.full(values.size, np.nan)
    for i in range(2 * season, values.size):
        residual[i] = values[i] - np.median(values[i % season : i : season])
    return residual[2 * season :]


def test_the_five_events_of_the_taxi_series_are_found(rides: Array, shared_data: SharedData) -> None:
    with shared_data("nab/nyc_taxi.csv").open() as file:
        times = [datetime.fromisoformat(row["timestamp"]) for row in csv.DictReader(file)]
    labels = json.loads(shared_data("nab/nyc_taxi_labels.json").read_text())
    windows = [tuple(datetime.fromisoformat(end) for end in window) for window in labels["windows"]]
    width, week = 16, 336
    shingles = np.lib.stride_tricks.sliding_window_view(seasonal_residual(rides, week), width)
    scores = score(fit(shingles, 100, 256, partition="random"), shingles)
    alarms = [times[2 * week + width - 1 + i] for i in np.flatnonzero(scores > scores.mean() + 3 * scores.std())]
    found = [sum(start <= alarm <= end for alarm in alarms) for start, end in windows]
    assert all(found), found
    outside = {alarm.date() for alarm in alarms if not any(start <= alarm <= end for start, end in windows)}
    assert {day.isoformat() for day in outside} == {"2014-09-01"}  # Labor Day, which is not among the labels
