"""The ensemble: its median, how wide its quantiles are, and that sums of places agree with their groups."""

from __future__ import annotations

import dataclasses
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from restframe_epidemic import backtest, panel_reading, scores
from restframe_epidemic.ensemble import coherence, combining, conformal, forecasting
from restframe_epidemic.panel import FloatArray, Panel

WEEKS = np.arange(20, 0, -1)


def stacked(*members: list[float]) -> FloatArray:
    """(M, N, 1)"""
    return np.array(members)[:, :, None]


def test_equal_weights_give_the_median_of_the_members_that_have_a_forecast():
    points = stacked([1.0, 5.0, np.nan, 0.0], [2.0, 7.0, np.nan, np.nan], [90.0, np.nan, np.nan, np.nan])
    combined = combining.combine(points, np.ones((3, 1)))[:, 0]
    assert combined[[0, 3]] == pytest.approx([2.0, 0.0])
    assert combined[1] == pytest.approx(np.sqrt(6 * 8) - 1)  # between two: half way on the scale of log(1 + x)
    assert np.isnan(combined[2])


def test_a_member_with_nearly_all_the_weight_is_nearly_alone():
    points = stacked([10.0], [20.0], [1000.0])
    assert combining.combine(points, np.array([[1.0], [1e-6], [1e-6]]))[0, 0] == pytest.approx(10.0, rel=1e-3)
    assert 10 < combining.combine(points, np.array([[1.0], [1.0], [1e-6]]))[0, 0] < 20


def test_a_path_that_zigzags_is_made_smooth_and_a_steady_one_stays():
    steady, zigzag = 100 * 1.1 ** np.arange(8), 100 * 1.1 ** np.arange(8) * np.tile([1.2, 1 / 1.2], 4)
    combined = combining.combine(np.stack([steady, zigzag])[None] - 1, np.ones((1, 8)))
    assert combined[0] == pytest.approx(steady - 1)
    bends = [np.abs(np.diff(np.log1p(path), n=2)).max() for path in (zigzag - 1, combined[1])]
    assert bends == pytest.approx([0.73, 0.2], abs=0.05)
    gap = np.where(np.arange(8) == 5, np.nan, zigzag)[None, None]
    assert combining.combine(gap, np.ones((1, 8))) == pytest.approx(gap[0], nan_ok=True)


def test_members_that_were_right_of_late_count_for_more():
    truth = np.full((6, 50, 2), 100.0)
    past = np.stack([truth + 10, truth + 20, truth - 40, np.full_like(truth, np.nan)], axis=1)
    weights = combining.weights(combining.past_errors(past, truth), np.arange(6, 0, -1))
    assert weights[:, 0] == pytest.approx([1, 2**-6, 4**-6, 2**-6])  # the last has no past: as the one in the middle
    assert (weights[:, 1] == weights[:, 0]).all()


def test_weights_of_a_past_day_use_only_errors_known_by_then():
    """On each day the errors of that day's own forecasts, and of later ones, are not known yet; nor, two weeks ahead,
    those of the day before."""
    rng = np.random.default_rng(0)
    past, truth, weeks = rng.gamma(2, 50, (6, 3, 40, 2)), rng.gamma(2, 50, (6, 40, 2)), np.arange(6, 0, -1)
    later = truth.copy()
    later[4:, :, 0] *= 10
    later[3:, :, 1] *= 10
    one, other = (combining.replayed(past, known, weeks) for known in (truth, later))
    assert (one[:5] == other[:5]).all()
    assert (one[5] != other[5]).any(axis=0).all()


def test_without_a_past_all_members_count_equally():
    nothing = combining.past_errors(np.zeros((0, 3, 5, 2)), np.zeros((0, 5, 2)))
    assert (combining.weights(nothing, np.zeros(0, dtype=np.int64)) == 1).all()


def days(spread: float, *, days: int = 20, places: int = 400, seed: int = 0) -> tuple[FloatArray, FloatArray]:
    """Forecasts of one week (T, N, 1) of sizes 1 to 1,000, and truths that miss them by `spread` on a log scale."""
    rng = np.random.default_rng(seed)
    past = np.exp(rng.uniform(0, 7, size=(days, places, 1)))
    truth = (past + 1) * np.exp(spread * rng.standard_normal(past.shape)) - 1
    return past, truth


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_quantiles_hold_the_truth_as_often_as_they_say(spread: float):
    past, truth = days(spread)
    points, came = days(spread, days=1, places=5000, seed=9)
    quantiles = conformal.quantiles(points[0], past, truth, WEEKS)[:, 0]
    assert np.nanmean(scores.inside(came[0, :, 0], quantiles, 0.5)) == pytest.approx(0.5, abs=0.03)
    assert np.nanmean(scores.inside(came[0, :, 0], quantiles, 0.95)) == pytest.approx(0.95, abs=0.02)


def test_the_median_is_the_point_and_quantiles_ascend_from_zero():
    past, truth = days(0.8)
    points = np.array([[0.0], [0.3], [40.0], [np.nan]])
    quantiles = conformal.quantiles(points, past, truth, WEEKS)[:, 0]
    assert quantiles[:3, 3] == pytest.approx([0.0, 0.3, 40.0])
    assert (np.diff(quantiles[:3], axis=1) >= 0).all()
    assert (quantiles[:3] >= 0).all()
    assert np.isnan(quantiles[3]).all()


def test_small_and_large_forecasts_have_widths_of_their_own():
    past, truth = days(0.2)
    rng = np.random.default_rng(3)
    small = past < 15
    truth[small] = np.maximum((past[small] + 1) * np.exp(rng.standard_normal(small.sum())) - 1, 0)
    width = np.log(conformal.quantiles(np.array([[10.0], [600.0]]), past, truth, WEEKS)[:, 0, [0, 6]] + 1)
    assert width[0, 1] - width[0, 0] > 3 * (width[1, 1] - width[1, 0])


def missed(by: FloatArray, spread: float = 0.3) -> FloatArray:
    """Logarithms of the quantiles around a forecast of 100 (in reports + 1), where all places of past days came out
    too high by `by` (T,) on the scale of logarithms."""
    past, truth = days(spread, places=2000)
    quantiles = conformal.quantiles(np.array([[100.0]]), past, (truth + 1) * np.exp(by)[:, None, None] - 1, WEEKS)
    return np.log(quantiles[0, 0] + 1) - np.log(101)


def test_days_that_were_missed_as_a_whole_widen_both_sides():
    calm, moved = missed(np.zeros(20)), missed(0.4 * (-1.0) ** np.arange(20))
    assert calm == pytest.approx(0.3 * np.array([-1.96, -1.28, -0.67, 0, 0.67, 1.28, 1.96]), abs=0.03)
    # of two normals of that spread, 0.4 away from the middle to either side
    assert moved == pytest.approx([-0.89, -0.65, -0.40, 0, 0.40, 0.65, 0.89], abs=0.04)


def test_a_wave_missed_upwards_for_weeks_widens_as_much_as_days_missed_in_turns():
    """Places then err as little among each other as ever."""
    assert missed(np.full(20, 0.4)) == pytest.approx(missed(0.4 * (-1.0) ** np.arange(20)), abs=0.01)


def waves(weeks: int = 120, places: int = 40) -> FloatArray:
    """(weeks, places) reports that rise and fall for 4 to 14 weeks, by 3 to 30 % a week, everywhere at once."""
    rng = np.random.default_rng(1)
    lengths, rates = rng.integers(4, 15, weeks), rng.uniform(0.03, 0.3, weeks) * (-1.0) ** np.arange(weeks)
    growth = np.repeat(rates, lengths)[:weeks, None] + 0.1 * rng.standard_normal((weeks, places))
    return np.exp(6 + np.cumsum(growth, axis=0))


def test_over_many_waves_intervals_hold_what_they_say_at_every_horizon():
    """Of forecasts that nothing changes: what comes four weeks ahead is known four weeks late, when much has turned."""
    reports = waves()
    held = []
    for now in range(20, len(reports) - 4):
        past = np.repeat(reports[now - 16 : now, :, None], 4, axis=2)
        truth = np.stack([reports[now - 15 + h : now + 1 + h] for h in range(4)], axis=2)
        known = np.where(np.arange(16, 0, -1)[:, None, None] > np.arange(4), truth, np.nan)
        quantiles = conformal.quantiles(np.repeat(reports[now, :, None], 4, axis=1), past, known, WEEKS[-16:])
        came = reports[now + 1 : now + 5].T
        held.append([scores.inside(came, quantiles, nominal).mean(axis=0) for nominal in (0.5, 0.95)])
    half, nearly_all = np.mean(held, axis=0)
    assert half == pytest.approx(0.5, abs=0.07)  # 0.27 to 0.31 if days had no effect of their own
    assert (nearly_all > 0.8).all()  # eight days seldom have had all that may come


def test_errors_not_yet_known_do_not_count():
    """Two weeks ahead, the last day but one is the newest whose error is known."""
    past, truth = (np.repeat(values, 2, axis=2) for values in days(0.3))
    known = np.where(WEEKS[:, None, None] >= np.array([1, 2]), truth, np.nan)
    later = np.where(WEEKS[:, None, None] >= np.array([1, 2]), truth, 1e6)
    points = np.array([[20.0, 20.0]])
    expected = conformal.quantiles(points, past, known, WEEKS)
    assert (conformal.quantiles(points, past, later, WEEKS) == expected).all()


def test_without_any_past_there_are_no_quantiles():
    empty = np.zeros((0, 2, 1))
    assert np.isnan(conformal.quantiles(np.ones((2, 1)), empty, empty, WEEKS[:0])).all()


GROUP = np.repeat(np.arange(20), 20)


def together(top: float, group: float, *, days: int = 60) -> tuple[FloatArray, FloatArray]:
    """Forecasts of 100 and truths whose errors share so much over 20 groups of 20 places: (T, N)."""
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((days, 1)), rng.standard_normal((days, 20))[:, GROUP]
    e = rng.standard_normal((days, 400))
    z = np.sqrt(top) * a + np.sqrt(group) * b + np.sqrt(1 - top - group) * e
    past = np.full((days, 400), 100.0)
    return past, past * np.exp(0.3 * z)


def test_what_places_have_in_common_is_found():
    shares = coherence.common(*together(0.3, 0.2), GROUP)
    assert shares.top == pytest.approx(0.3, abs=0.1)
    assert shares.group == pytest.approx(0.2, abs=0.05)
    alone = coherence.common(*together(0.0, 0.0), GROUP)
    assert alone.top + alone.group < 0.02
    assert coherence.common(np.zeros((0, 400)), np.zeros((0, 400)), GROUP) == coherence.Common(0.0, 0.0)


def test_two_giants_that_err_together_do_not_speak_for_all():
    past, truth = together(0.0, 0.0)
    for values in (past, truth):
        values[:, 0] *= 1000
    past[:, 20], truth[:, 20] = past[:, 0], truth[:, 0]  # of another group
    assert coherence.common(past, truth, GROUP).top < 0.05


def test_what_is_missed_everywhere_day_after_day_is_in_common():
    past, truth = together(0.0, 0.0)
    assert coherence.common(past, truth * np.exp(0.3), GROUP).top > 0.4


@pytest.mark.parametrize(("top", "group"), [(0.0, 0.0), (0.3, 0.2)])
def test_quantiles_of_sums_hold_the_sums_as_often_as_they_say(top: float, group: float):
    past, truth = together(top, group)
    shares = coherence.common(past, truth, GROUP)
    levels = np.array([-1.96, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.96])
    quantiles = 101 * np.exp(0.3 * np.tile(levels, (400, 1))) - 1
    groups, (everything,) = coherence.sums(quantiles, GROUP, shares)
    sums = np.stack([np.bincount(GROUP, day) for day in truth])
    assert np.mean((sums >= groups[:, 2]) & (sums <= groups[:, 4])) == pytest.approx(0.5, abs=0.08)
    assert np.mean((sums >= groups[:, 0]) & (sums <= groups[:, 6])) == pytest.approx(0.95, abs=0.04)
    assert everything[2] <= np.median(sums.sum(axis=1)) <= everything[4]


def places(weeks: int = 30, per_group: int = 15) -> Panel:
    """Three groups of places whose weekly reports wander, from Sunday 2020-03-01 on; the last place never reports."""
    rng = np.random.default_rng(5)
    codes = [f"{g}{i:02d}" for g in "abc" for i in range(per_group)]
    dates = pd.date_range("2020-03-01", periods=7 * weeks)
    level = np.exp(
        rng.uniform(0, 5, (len(codes), 1)) + np.cumsum(0.1 * rng.standard_normal((len(codes), weeks)), axis=1)
    )
    cases = np.cumsum(rng.poisson(np.repeat(level / 7, 7, axis=1)), axis=1)
    reports = pd.DataFrame(
        {
            "location": np.repeat(codes[:-1], len(dates)),
            "date": np.tile(dates, len(codes) - 1),
            "cases": cases[:-1].ravel(),
            "deaths": 0,
        }
    )
    locations = pd.DataFrame({"location": codes, "parent": [c[0] for c in codes], "population": 10_000})
    above = pd.DataFrame({"location": ["a", "b", "c", "all"], "parent": ["all", "all", "all", None], "population": 1})
    return panel_reading.from_frames(reports, pd.concat([locations, above]))


def last_week(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    return np.repeat(panel.weekly(target)[:, -1:], horizons, axis=1)


def mean_of_three(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    return np.repeat(panel.weekly(target)[:, -3:].mean(axis=1, keepdims=True), horizons, axis=1)


FUNCTIONS = {"last_week": last_week, "mean_of_three": mean_of_three}


def ensemble(panel: Panel, past: backtest.Backtest) -> forecasting.Forecast:
    return forecasting.forecast(panel, {name: f(panel, 8) for name, f in FUNCTIONS.items()}, past)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return places()


@pytest.fixture(scope="module")
def past(panel: Panel) -> backtest.Backtest:
    return backtest.run(panel, backtest.past(panel, 16), FUNCTIONS, functions=FUNCTIONS)


def test_the_mean_is_that_of_what_sums_are_drawn_from():
    """A normal error of 1 on the scale of logarithms: the mean of y + 1 is exp(1 / 2) times the median."""
    knots = np.array([NormalDist().inv_cdf(level) for level in scores.LEVELS])
    points = np.array([1000.0, 0.0, np.nan])
    quantiles = np.maximum((points[:, None] + 1) * np.exp(knots) - 1, 0)
    known, floored, unknown = coherence.means(quantiles)
    # a little less: beyond the outermost quantiles the distribution goes on in reports
    assert known == pytest.approx(1001 * np.exp(0.5) - 1, rel=0.04)
    # of (exp(z) - 1) where that is positive: exp(1/2) Phi(1) - 1/2
    assert floored == pytest.approx(np.exp(0.5) * NormalDist().cdf(1) - 0.5, rel=0.06)
    assert np.isnan(unknown)


def test_a_distribution_that_tells_nothing_has_a_mean_of_its_size():
    """Were it continued on the scale of logarithms, the last percent would make the mean 4e5."""
    assert coherence.means(np.array([[0.0, 3, 20, 100, 500, 3000, 50_000]])) < 4000


def test_no_more_are_expected_than_there_are_people(panel: Panel, past: backtest.Backtest):
    many = 2000.0
    points = np.full((45, 4), many)
    truth = np.exp(np.random.default_rng(1).normal(np.log(many), 2.0, (8, 45, 4)))
    history = forecasting.History(np.full((8, 45, 4), many), truth, np.arange(12, 4, -1))
    forecast = forecasting.with_quantiles(panel, points, history)
    assert forecast.quantiles.max() == 10_000  # all people of a place
    assert (forecast.means <= 10_000).all()
    assert (forecast.sums[1].quantiles <= 450_000).all()
    reported = dataclasses.replace(panel, population=np.full(45, 1.0))  # told in thousands, or mistaken
    assert forecasting.with_quantiles(reported, points, history).points[0, 0] > 1.0


def test_means_of_places_add_up_to_their_groups_and_to_all(panel: Panel, past: backtest.Backtest):
    forecast = ensemble(panel, past)
    assert forecast.sums[0].means == pytest.approx(panel.by_group(forecast.means))
    assert forecast.sums[1].means[0] == pytest.approx(np.nansum(forecast.means, axis=0))
    assert forecast.sums[0].quantiles[:, :, 3] == pytest.approx(forecast.sums[0].means[:, :4], rel=0.15)
    assert forecast.sums[1].quantiles[0][:, 3] == pytest.approx(forecast.sums[1].means[0][:4], rel=0.15)
    assert np.log1p(forecast.means[:-1, 7] / forecast.points[:-1, 7]) == pytest.approx(
        np.log1p(forecast.means[:-1, 3] / forecast.points[:-1, 3]), rel=0.05
    )
    assert (np.diff(forecast.sums[0].quantiles, axis=2) > 0).all()
    assert forecast.quantiles.shape == (45, 4, 7)
    assert (np.diff(forecast.quantiles[:-1], axis=2) >= 0).all()


def test_a_place_that_never_reported_has_no_forecast_and_stops_nothing(panel: Panel, past: backtest.Backtest):
    forecast = ensemble(panel, past)
    assert np.isnan(forecast.points[-1]).all()
    assert np.isfinite(forecast.points[:-1]).all()
    assert np.isfinite(forecast.sums[0].quantiles).all()


def test_the_first_day_takes_its_widths_from_persistence(panel: Panel):
    nothing = backtest.run(panel, panel.weeks[:0], FUNCTIONS, functions=FUNCTIONS)
    forecast = ensemble(panel, nothing)
    assert np.isfinite(forecast.quantiles[:-1]).all()
    assert (forecast.quantiles[:-1, :, 6] > forecast.quantiles[:-1, :, 0]).all()


def test_a_past_day_is_forecast_the_same_with_and_without_later_data(panel: Panel, past: backtest.Backtest):
    """`past` goes on after the day."""
    cut = panel.until(panel.weeks[-5])
    known = backtest.run(cut, backtest.past(cut, 12), FUNCTIONS, functions=FUNCTIONS)
    assert past.as_of[-1] > cut.as_of
    one, other = ensemble(cut, known), ensemble(cut, past)
    assert np.array_equal(one.points, other.points, equal_nan=True)
    assert np.array_equal(one.quantiles, other.quantiles, equal_nan=True)
    assert np.array_equal(one.sums[1].quantiles, other.sums[1].quantiles)


def test_sums_of_places_without_a_forecast_are_unknown(panel: Panel, past: backtest.Backtest):
    """In the third week nobody knows how wrong forecasts of three weeks are; group b never has any forecast."""
    early = panel.until(panel.weeks[2])
    points = last_week(early, 8)
    points[15:30] = np.nan
    forecast = forecasting.forecast(early, {"last_week": points}, past.before(early.as_of))
    assert np.isfinite(forecast.sums[0].quantiles[[0, 2], :2]).all()
    assert np.isfinite(forecast.sums[1].quantiles[0][:2]).all()
    assert np.isnan(forecast.sums[0].quantiles[:, 2:]).all()
    assert np.isnan(forecast.sums[1].quantiles[0][2:]).all()
    assert np.isnan(forecast.sums[0].means[1]).all()
    assert np.isnan(forecast.sums[0].quantiles[1]).all()
    assert np.isfinite(forecast.sums[1].means[0]).all()
