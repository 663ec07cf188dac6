"""The generalized Gaussian curve: its function, its fit, and the forecasts made with it."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy.stats import gennorm

from restframe_epidemic.models import curve, member
from restframe_epidemic.models.curve import Curve, cdf, fit


@pytest.mark.parametrize(("a", "b"), [(1.5, 0.8), (5.0, 2.0), (2.0, 1.0), (30.0, 5.0), (4.0, 3.0)])
def test_the_function_is_the_generalized_normal_distributions(a: float, b: float) -> None:
    t = np.linspace(-25, 40, 400)
    expected = gennorm.cdf(t, b, loc=3, scale=a)
    assert np.allclose(cdf(t, 3, a, b), expected, rtol=1e-11, atol=1e-300)


def test_both_ends_keep_their_digits() -> None:
    """A difference of two numbers near 1 would be 0 here: weeks long after the peak are as exact as those before."""
    wave = Curve(*(np.array([value]) for value in (1e6, 0.0, 2.0, 2.0, 1e-300)))
    before, after = wave.incidence(-20, 1), wave.incidence(19, 1)
    assert after[0, 0] == pytest.approx(before[0, 0], rel=1e-9)
    assert 0 < after[0, 0] < 1e-30


def test_the_steps_of_the_curve_sum_to_the_whole_wave() -> None:
    wave = Curve(*(np.array([value]) for value in (1000.0, 10.0, 3.0, 1.5, 2.0)))
    assert wave.incidence(-90, 200).sum() == pytest.approx(1000 + 200 * 2.0)


def test_known_curves_are_found_again() -> None:
    random = np.random.default_rng(3)
    truth = Curve(
        K=random.uniform(2e4, 2e5, 30),
        mu=random.uniform(12, 18, 30),
        a=random.uniform(3, 6, 30),
        b=random.uniform(1.2, 3, 30),
        c=random.uniform(20, 100, 30),
    )
    found = fit(truth.incidence(0, 30), weight=np.ones(30))
    assert found.converged.all()
    assert np.allclose(found.curve.mu, truth.mu, atol=0.05)
    assert np.allclose(found.curve.K, truth.K, rtol=0.05)
    assert np.allclose(found.curve.a, truth.a, rtol=0.1)
    assert np.allclose(found.curve.b, truth.b, rtol=0.1)
    assert np.allclose(found.incidence(4), truth.incidence(30, 4), rtol=0.15)


def test_a_growing_epidemic_goes_on_growing_and_a_declining_one_declining() -> None:
    wave = Curve(*(np.array([value]) for value in (1e5, 14.0, 4.0, 2.0, 1.0)))
    whole = wave.incidence(0, 28)
    growing, declining = fit(whole[:, :10]).incidence(2), fit(whole[:, :20]).incidence(2)
    assert growing[0] == pytest.approx(whole[0, 10:12], rel=0.25)
    assert declining[0] == pytest.approx(whole[0, 20:22], rel=0.25)


def test_one_county_costs_no_other() -> None:
    usual = np.array([3.0, 5, 9, 14, 22, 30, 41, 50, 52, 60, 58, 61])
    missing_week = usual.copy()
    missing_week[4] = np.nan
    reports = np.stack([usual, np.zeros(12), np.full(12, np.nan), missing_week, np.full(12, np.inf), usual])
    found = fit(reports)
    assert found.converged.tolist() == [True, True, False, True, False, True]
    assert np.isnan(found.parameters[[2, 4]]).all()
    assert np.isnan(found.incidence(3)[[2, 4]]).all()
    assert found.incidence(3)[1] == pytest.approx(np.zeros(3), abs=1.0)
    assert found.incidence(3)[3] == pytest.approx(found.incidence(3)[0], rel=0.1)
    assert np.array_equal(found.parameters[0], fit(usual[None]).parameters[0])


def test_what_does_not_come_to_rest_is_nan() -> None:
    reports = np.array([[3.0, 900, 2, 1500, 0, 7000, 1, 20, 30000, 2, 8, 100]])
    stopped = fit(reports, rounds=1)
    assert not stopped.converged[0]
    assert np.isnan(stopped.incidence(2)).all()


def test_a_week_without_weight_changes_nothing() -> None:
    reports = np.array([[10.0, 14, 19, 27, 36, 47, 60, 74, 88, 100]])
    unknown = reports.copy()
    unknown[0, 5] = np.nan
    weight = curve.recency(10)
    weight[5] = 0
    prior = curve.weak_prior(reports)
    left_out, missing = fit(reports, weight=weight, prior=prior), fit(unknown, prior=prior)
    assert left_out.incidence(2) == pytest.approx(missing.incidence(2), rel=0.02)


def test_a_member_is_nearer_than_the_last_week(waves: ModuleType) -> None:
    whole = waves.panel()
    for target in ("cases", "deaths"):
        error, of_last_week = np.zeros(4), np.zeros(4)
        for week in (14, 20, 26, 32):
            panel = whole.until(whole.weeks[week])
            coming = whole.weekly(target)[:, week + 1 : week + 5]
            error += np.abs(member("curve")(panel, 4, target=target) - coming).sum(axis=0)
            of_last_week += np.abs(panel.weekly(target)[:, -1:] - coming).sum(axis=0)
        assert (error < 0.95 * of_last_week).all(), target


def test_the_parts_of_the_way_stay_between_nothing_and_all_of_it() -> None:
    random = np.random.default_rng(4)
    X = random.normal(size=(500, 2))
    everywhere = np.ones(500)
    assert curve.best_parts(X, X @ [0.3, 0.5], everywhere) == pytest.approx([0.3, 0.5])
    assert curve.best_parts(X, X @ [5.0, -2.0], everywhere) == pytest.approx([1.0, 0.0])
    assert curve.best_parts(X, -X.sum(axis=1), everywhere) == pytest.approx([0.0, 0.0])


def test_no_forecast_explodes_or_is_negative_through_several_waves(waves: ModuleType) -> None:
    whole = waves.panel(weeks=60, swing=0.7)
    for week in range(10, 60, 7):
        panel = whole.until(whole.weeks[week])
        ahead = curve.forecast(panel, 8)
        assert (ahead >= 0).all()
        assert (ahead <= 4 * (panel.weekly()[:, -1:] + 6)).all()


def test_a_doubling_epidemic_goes_on_for_two_weeks_and_not_beyond_four_times(waves: ModuleType) -> None:
    cases = np.repeat(np.geomspace(2, 4, 8)[:, None] * 2.0 ** np.arange(14), 7, axis=1).round()
    panel = waves.panel_of(cases, np.zeros_like(cases), np.full(8, 1e7), provinces=2)
    ahead, last = curve.forecast(panel, 8), panel.weekly()[:, -1]
    assert (ahead[:, 1] > 1.5 * last).all()
    assert (ahead <= 4 * (last[:, None] + 6)).all()


def test_a_residual_of_six_weeks_ago_counts_half() -> None:
    assert curve.recency(7)[[0, 6]] ** 2 == pytest.approx([0.5, 1])


def test_too_short_a_history_cannot_be_judged(waves: ModuleType) -> None:
    whole = waves.panel(places=6, weeks=8)
    assert np.isnan(curve.forecast(whole.until(whole.weeks[3]), 2)).all()


def test_later_reports_change_no_bit(waves: ModuleType) -> None:
    short, long = waves.panel(places=8, weeks=20), waves.panel(places=8, weeks=20)
    day = short.weeks[15]
    assert np.array_equal(curve.forecast(short.until(day), 2), curve.forecast(long.until(long.weeks[18]).until(day), 2))
