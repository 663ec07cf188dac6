"""Scores against their definitions, worked out another way, and against numbers done by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from restframe_epidemic import scored, scores

LEVELS = scores.LEVELS


def interval_form(y: float, q: np.ndarray) -> float:
    """The weighted interval score as intervals: 1 / (K + 1/2) (|y - m| / 2 + sum over alpha of alpha / 2 IS_alpha)."""
    total = abs(y - q[3]) / 2
    for low, alpha in ((0, 0.05), (1, 0.2), (2, 0.5)):
        lower, upper = q[low], q[6 - low]
        interval = (upper - lower) + 2 / alpha * max(lower - y, 0) + 2 / alpha * max(y - upper, 0)
        total += alpha / 2 * interval
    return total / 3.5


def test_the_weighted_interval_score_equals_its_definition_by_intervals():
    rng = np.random.default_rng(1)
    truth = rng.poisson(20, 50).astype(float)
    quantiles = np.sort(rng.gamma(4, 5, size=(50, 7)), axis=1)
    expected = [interval_form(y, q) for y, q in zip(truth, quantiles, strict=True)]
    assert scores.wis(truth, quantiles) == pytest.approx(expected)


def test_the_score_of_quantiles_that_are_all_one_point_is_its_absolute_error():
    assert scores.wis(np.array([10.0]), np.full((1, 7), 4.0)) == pytest.approx([6.0])


def test_relative_error_counts_only_rows_that_all_three_have():
    truth = np.array([10.0, 20.0, np.nan, 5.0])
    forecast = np.array([12.0, 20.0, 3.0, np.nan])
    reference = np.array([6.0, 24.0, 1.0, 5.0])
    assert scores.relative_mae(truth, forecast, reference) == 2 / 8
    assert np.isnan(scores.relative_mae(truth, np.full(4, np.nan), reference))


def test_log_errors_do_not_let_the_largest_place_decide():
    truth, forecast, reference = np.array([1000.0, 1.0]), np.array([1100.0, 1.0]), np.array([1000.0, 7.0])
    assert scores.relative_mae(truth, forecast, reference) == pytest.approx(100 / 6)
    log = np.log(1101 / 1001) / np.log(8 / 2)
    assert scores.relative_mae(truth, forecast, reference, log=True) == pytest.approx(log)


def test_coverage_counts_the_bounds_as_inside_and_leaves_out_what_is_unknown():
    quantiles = np.array([[0.0, 1, 2, 3, 4, 5, 6]]).repeat(4, axis=0)
    held = scores.inside(np.array([2.0, 4.5, np.nan, 7.0]), quantiles, 0.5)
    assert held.tolist()[:2] == [1.0, 0.0]
    assert np.isnan(held[2])
    assert scores.inside(np.array([4.5]), quantiles[:1], 0.95).tolist() == [1.0]


def test_an_interval_over_dates_is_as_wide_as_the_dates_differ():
    same = scores.ratio_over_dates(np.full(12, 8.0), np.full(12, 10.0))
    assert (same.value, same.low, same.high, same.dates) == (0.8, 0.8, 0.8, 12)
    differing = scores.ratio_over_dates(np.array([6.0] * 6 + [10.0] * 6), np.full(12, 10.0))
    assert differing.value == 0.8
    assert 0.6 <= differing.low < 0.72
    assert 0.88 < differing.high <= 1.0


def test_the_same_dates_give_the_same_interval():
    numerator, denominator = np.arange(1.0, 13.0), np.full(12, 9.0)
    assert scores.ratio_over_dates(numerator, denominator) == scores.ratio_over_dates(numerator, denominator)


def test_calibrated_forecasts_fall_between_their_quantiles_as_the_levels_say():
    rng = np.random.default_rng(2)
    truth = rng.normal(size=40_000)
    share, expected = scores.pit(truth, np.tile(np.quantile(truth, LEVELS), (40_000, 1)))
    assert share == pytest.approx(expected, abs=0.01)


def test_a_truth_equal_to_many_quantiles_does_not_fall_into_one_gap():
    share, _ = scores.pit(np.zeros(8000), np.zeros((8000, 7)))
    assert share == pytest.approx(np.full(8, 1 / 8), abs=0.02)


def test_sizes_are_classes_of_reports_per_week():
    assert scores.size_class(np.array([0.0, 0.99, 1.0, 14.9, 15.0, 10_000.0, np.nan])).tolist() == [0, 0, 1, 2, 3, 6, 0]


def test_short_histories_are_those_with_few_recent_reports():
    weekly = np.array([[50.0] * 4 + [0.0] * 8, [2.0] * 12, [5.0] * 12, [np.nan] * 12])
    assert scores.short_history(weekly).tolist() == [True, True, False, True]


@pytest.fixture
def two_days() -> scored.Scored:
    """Two places on two days: the model is right, the reference 10 too high; a published baseline is 20 too high."""
    truth = np.array([[[10.0, 20.0], [100.0, 200.0]]] * 2)
    quantiles = {
        "model": truth[..., None] + np.linspace(-3, 3, 7),
        "persistence": truth[..., None] + 10 + np.linspace(-3, 3, 7),
    }
    summed = np.cumsum(truth, axis=2)
    return scored.Scored(
        dates=np.array(["2020-07-04", "2020-07-11"], dtype="datetime64[D]"),
        truth=truth,
        points={"model": truth + 1, "persistence": truth + 10},
        quantiles=quantiles,
        model="model",
        short=np.array([[True, False]] * 2),
        locations=("a", "b"),
        names=("A", "B"),
        published={"baseline": summed + 20, "other": summed - 5},
        published_truth=summed,
        baseline="baseline",
    )


def test_errors_of_points_are_of_running_sums_relative_to_the_baseline(two_days: scored.Scored):
    table = scored.overview(two_days).set_index(["model", "horizon"])["relative_mae"]
    assert table.to_dict() == {
        ("model", 1): 1 / 20,
        ("model", 2): 2 / 20,
        ("persistence", 1): 10 / 20,
        ("persistence", 2): 20 / 20,
        ("other", 1): 5 / 20,
        ("other", 2): 5 / 20,
    }


def test_without_a_published_baseline_errors_are_relative_to_persistence(two_days: scored.Scored):
    alone = scored.overview(replace(two_days, published={}, published_truth=None))
    assert alone.loc[alone["model"] == "model", "relative_mae"].tolist() == [0.1, 0.1]


def test_each_level_has_its_scores_relative_to_persistence(two_days: scored.Scored):
    """Also the places, of which there is a published baseline."""
    both = two_days.truth.sum(axis=1, keepdims=True)
    of_all = replace(
        two_days,
        truth=both,
        points={"model": both + 30, "persistence": both + 20},
        quantiles={name: both[..., None] + 2 + np.linspace(-3, 3, 7) for name in two_days.quantiles},
        locations=("all",),
        names=("All",),
        level="whole",
        published={},
    )
    table = scored.by_level(replace(two_days, level="place", above=(of_all,)))
    columns = ["class", "forecasts", "horizon", "dates", "relative_mae", "relative_wis", "coverage_50", "coverage_95"]
    shown = table[columns].round(3).values.tolist()
    wis = (scores.wis(np.zeros(1), np.linspace(-3, 3, 7)[None]) / scores.wis(np.zeros(1), np.linspace(7, 13, 7)[None]))[
        0
    ]
    assert shown == [
        ["place", 4, 1, 2, 0.1, round(wis, 3), 1.0, 1.0],
        ["place", 4, 2, 2, 0.1, round(wis, 3), 1.0, 1.0],
        ["whole", 2, 1, 2, 1.5, 1.0, 0.0, 1.0],
        ["whole", 2, 2, 2, 1.5, 1.0, 0.0, 1.0],
    ]
    nobody_knows = replace(two_days, truth=np.full(two_days.truth.shape, np.nan))
    assert scored.by_level(nobody_knows).empty


def test_sizes_and_short_histories_are_scored_apart(two_days: scored.Scored):
    by_size = scored.by_size(two_days)
    assert by_size[["class", "horizon", "forecasts"]].values.tolist() == [
        ["5-15", 1, 2],
        ["50-150", 1, 2],
        ["15-50", 2, 2],
        ["150-500", 2, 2],
    ]
    assert scored.by_history(two_days)["class"].unique().tolist() == ["long history", "short history"]
    assert scored.by_history(two_days)["coverage_50"].tolist() == [1.0] * 4


def test_each_date_has_its_scores(two_days: scored.Scored):
    table = scored.by_date(two_days)
    assert table["date"].tolist() == [pd.Timestamp("2020-07-04"), pd.Timestamp("2020-07-11")] * 2
    assert table["relative_mae"].tolist() == [0.05, 0.05, 0.1, 0.1]


def test_a_horizon_that_has_no_quantiles_on_the_first_day_has_its_error_alone(two_days: scored.Scored):
    for quantiles in two_days.quantiles.values():
        quantiles[0, :, 1] = np.nan
    table = scored.by_date(two_days).set_index(["horizon", "date"])
    assert table["relative_mae"].tolist() == [0.05, 0.05, 0.1, 0.1]
    assert table["coverage_50"].isna().tolist() == [False, False, True, False]


def test_places_without_a_forecast_are_in_no_class():
    """A truth that nobody forecast is of no size; alone in its class it makes no row."""
    truth, points = np.array([0.0, 3.0, 90.0]), np.array([np.nan, 2.0, 80.0])
    quantiles = points[:, None] * np.linspace(0.5, 1.5, 7)
    table = scores.by_class(scores.size_class(points), truth, quantiles, quantiles, truth, points, points)
    assert table[["class", "forecasts"]].to_numpy().tolist() == [["1-5", 1], ["50-150", 1]]
