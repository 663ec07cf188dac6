"""SEIR forwards and backwards, what is learned of its transmission, and the deaths that follow."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from restframe_epidemic.models import fatality, member, seir, transmission
from restframe_epidemic.models.compartments import Course, infections_from_reports, invert, simulate
from restframe_epidemic.panel import FloatArray, Panel

COURSE = Course(latent_days=3.5, infectious_days=6.0)
START = np.array([[99_700.0, 100.0, 200.0, 0.0]])


def test_the_compartments_follow_the_differential_equations() -> None:
    beta = np.array([0.5, 0.4, 0.3, 0.1, 0.35])
    state = START[0]
    for rate in beta:

        def slope(_: float, y: np.ndarray, rate: float = rate) -> list[float]:
            S, E, infectious, _R = y
            new = rate * S * infectious / 100_000
            return [-new, new - E / 3.5, E / 3.5 - infectious / 6, infectious / 6]

        state = solve_ivp(slope, (0, 7), state, rtol=1e-10, atol=1e-8).y[:, -1]
    assert simulate(START, beta[None], COURSE).last()[0] == pytest.approx(state, rel=2e-4)


@pytest.mark.parametrize("reproduction", [1.3, 2.0, 3.5])
def test_the_final_size_is_that_of_the_theory(reproduction: float) -> None:
    """log(s0 / s) = R0 (1 - s): Kermack and McKendrick 1927"""
    start = np.array([[999_999.0, 0.0, 1.0, 0.0]])
    epidemic = simulate(start, np.full((1, 400), reproduction / 6.0), COURSE)
    left = brentq(lambda s: np.log(0.999999 / s) - reproduction * (1 - s), 1e-9, 1 - 1e-3)
    assert epidemic.S[0, -1] / 1e6 == pytest.approx(left, rel=2e-3)


def test_people_are_neither_made_nor_lost() -> None:
    epidemic = simulate(START, np.array([[0.3, 40.0, 0.0, 1e6, 0.2]]), COURSE)
    everyone = epidemic.S + epidemic.E + epidemic.I + epidemic.R
    assert everyone == pytest.approx(np.full((1, 6), 100_000.0))
    assert min(epidemic.S.min(), epidemic.E.min(), epidemic.I.min(), epidemic.R.min()) >= 0


def test_inversion_gives_back_the_infections_and_the_rates() -> None:
    random = np.random.default_rng(1)
    infections = np.exp(random.normal(5, 1, (50, 25)))
    past = invert(infections, np.full(50, 1e5), COURSE)
    assert np.isnan(past.beta[:, 0]).all()
    again = simulate(
        np.stack([past.epidemic.S[:, 1], past.epidemic.E[:, 1], past.epidemic.I[:, 1], past.epidemic.R[:, 1]], axis=1),
        past.beta[:, 1:],
        COURSE,
    )
    assert again.infections == pytest.approx(infections[:, 1:], rel=1e-6)


def test_the_first_week_is_taken_for_a_steady_one() -> None:
    """700 a week are 100 a day, each of whom stays 3.5 days in E and 6 in I."""
    first = invert(np.full((1, 3), 700.0), np.array([1e6]), COURSE).epidemic
    assert (first.E[0, 0], first.I[0, 0], first.R[0, 0]) == pytest.approx((350, 600, 0))


def test_a_place_that_cannot_be_inverted_is_nan_alone() -> None:
    infections = np.full((4, 6), 100.0)
    infections[1, 3] = np.nan
    past = invert(infections, np.array([1e5, 1e5, np.nan, 500.0]), COURSE)
    assert np.isfinite(past.beta[:, 1:]).all(axis=1).tolist() == [True, False, False, False]


def test_more_reports_than_people_are_taken_as_better_ascertained() -> None:
    infections, share = infections_from_reports(np.array([[400.0, 500.0]]), np.array([1000.0]), 0.35)
    assert infections.sum() == pytest.approx(900)
    assert share[0] == pytest.approx(902 / 900)


def test_the_regression_finds_planted_coefficients_past_outliers() -> None:
    random = np.random.default_rng(2)
    X = random.normal(size=(4000, 3)) * [1.0, 5.0, 1.0]
    log_beta = -1.7 + X @ [0.3, -0.04, 0.0] + random.normal(0, 0.1, 4000)
    log_beta[:200] += 6.0
    rows = np.arange(4000) % 40
    model = transmission.learn(("x", "policy", "nothing"), X, log_beta, np.ones(4000), rows, np.full(3, 1e-3))
    assert model.coefficients == pytest.approx([0.3, -0.2, 0.0], abs=0.02)
    assert np.abs(model.coefficients[2]) < 3 * model.error[2]
    assert (model.error < 0.02).all()
    assert model.predict(np.zeros((1, 3)))[0] == pytest.approx(-1.7, abs=0.05)
    assert model.predict(np.array([[1e6, 0.0, 0.0]]))[0] == model.highest


def test_a_member_is_much_nearer_than_the_last_week(waves: ModuleType) -> None:
    whole = waves.panel()
    for target, part in (("cases", 0.7), ("deaths", 0.9)):
        error, of_last_week = np.zeros(4), np.zeros(4)
        for week in (14, 20, 26, 32):
            panel = whole.until(whole.weeks[week])
            coming = whole.weekly(target)[:, week + 1 : week + 5]
            error += np.abs(member("seir")(panel, 4, target=target) - coming).sum(axis=0)
            of_last_week += np.abs(panel.weekly(target)[:, -1:] - coming).sum(axis=0)
        assert (error < part * of_last_week).all(), target


def test_no_forecast_explodes_or_is_negative_through_several_waves(waves: ModuleType) -> None:
    whole = waves.panel(weeks=60, swing=0.5)
    for week in range(10, 60, 7):
        panel = whole.until(whole.weeks[week])
        for target in ("cases", "deaths"):
            ahead = seir.forecast(panel, 8, target=target)
            assert np.isfinite(ahead).all()
            assert (ahead >= 0).all()
            assert ahead.sum() < 100 * (panel.weekly(target).max(axis=1).sum() + 10)
            assert (np.cumsum(ahead, axis=1)[:, -1] <= panel.population).all()


def test_broken_places_are_nan_and_leave_the_others_alone(waves: ModuleType) -> None:
    panel = waves.panel(weeks=24)
    daily = panel.daily["cases"].copy()
    daily[0] = np.nan
    daily[1] = 0.0
    population = panel.population.copy()
    population[2:4] = np.nan, -5.0
    broken = replace(panel, daily={**panel.daily, "cases": daily}, population=population)
    ahead = seir.forecast(broken, 3)
    assert np.isnan(ahead[[0, 2, 3]]).all()
    assert np.isfinite(ahead[[1, *range(4, 40)]]).all()
    assert ahead[1].max() < 0.5


def test_the_course_of_the_disease_is_the_countrys(waves: ModuleType) -> None:
    panel = waves.panel(places=12, weeks=24)
    slower = Course(latent_days=6.0, infectious_days=9.0, ascertainment=0.1)
    parameters = {"latent_days": 6.0, "infectious_days": 9.0, "ascertainment": 0.1}
    told = seir.forecast(replace(panel, parameters=parameters), 2)
    assert np.array_equal(told, seir.forecast(panel, 2, course=slower))
    assert not np.allclose(told, seir.forecast(panel, 2), rtol=0.01)
    of_places = {"ascertainment": np.full(12, 0.1)}
    past = transmission.history(replace(panel, features=of_places), Course())
    assert past.ascertainment.tolist() == [0.1] * 12
    assert "static_ascertainment" not in dict(transmission.columns(replace(panel, features=of_places), past))


def test_who_was_infected_before_the_first_week_is_immune(waves: ModuleType) -> None:
    whole = waves.panel(places=12)
    late = waves.begun_late(whole, 16)

    def susceptible(panel: Panel) -> FloatArray:
        return np.asarray(transmission.history(panel, Course()).own.epidemic.S[:, -1] / panel.population)

    assert susceptible(late) == pytest.approx(susceptible(whole), abs=0.02)
    assert (susceptible(replace(late, before={})) > susceptible(whole) + 0.05).all()
    assert seir.forecast(late, 4).sum() == pytest.approx(seir.forecast(whole, 4).sum(), rel=0.1)
    everybody = replace(late, before={"cases": late.population})
    assert np.isfinite(seir.forecast(everybody, 4)).all()


def test_the_first_cases_are_no_epidemic_of_before(waves: ModuleType) -> None:
    panel = replace(waves.panel(places=3, weeks=12), before={"cases": np.array([10.0, 11.0, np.nan])})
    assert panel.already().tolist() == [0, 11, 0]
    assert panel.already("deaths").tolist() == [0, 0, 0]


def test_later_reports_change_no_bit(waves: ModuleType) -> None:
    whole = waves.panel(places=12)
    day = whole.weeks[25]
    for target in ("cases", "deaths"):
        direct = seir.forecast(whole.until(day), 3, target=target)
        assert np.array_equal(direct, seir.forecast(whole.until(whole.weeks[33]).until(day), 3, target=target))


def test_no_history_is_nothing_to_learn_from(waves: ModuleType) -> None:
    whole = waves.panel(places=6, weeks=8)
    assert np.isnan(seir.forecast(whole.until(whole.weeks[2]), 2)).all()
    assert seir.explain(whole.until(whole.weeks[2])) == []


def test_a_policy_that_slows_the_virus_is_found_with_its_sign(waves: ModuleType) -> None:
    panel = waves.panel()
    past = transmission.history(panel, Course())
    slow = np.repeat(past.own.beta[:, 1:] < 0.17, 7, axis=1).astype(np.float64)
    policy = np.concatenate([slow, slow[:, -7:]], axis=1)  # in force the week before the virus slows
    noise = np.random.default_rng(0).normal(size=policy.shape)
    informed = replace(panel, signals={"curfew": policy, "weather": noise}, features={"crowding": noise[:, 0]})
    effects = {effect.name: effect for effect in seir.explain(informed)}
    assert set(effects) == {"curfew", "change_curfew", "weather", "change_weather", "crowding"}
    assert effects["curfew"].coefficient < -3 * effects["curfew"].error
    assert abs(effects["weather"].coefficient) < 4 * effects["weather"].error
    assert next(iter(effects)) == "curfew"


def off(panel: Panel, name: str, week: int, whole: Panel) -> FloatArray:
    """(N,) error of the logarithm of the first week's forecast."""
    return np.abs(np.log1p(member(name)(panel, 1)[:, 0]) - np.log1p(whole.weekly()[:, week + 1]))


@pytest.mark.parametrize(("name", "part"), [("seir", 0.25), ("direct", 0.4)])
def test_what_a_policy_did_elsewhere_is_expected_where_it_begins(waves: ModuleType, name: str, part: float) -> None:
    whole, curfew = waves.curfews()
    blind, informed = 0.0, 0.0
    for week in (18, 21, 24):
        known = whole.until(whole.weeks[week])
        signal = curfew[:, : len(known.dates)]
        changed = signal[:, -1] != signal[:, -7]  # on the last day: no report tells of it yet
        blind += off(known, name, week, whole)[changed].sum()
        informed += off(replace(known, signals={"curfew": signal}), name, week, whole)[changed].sum()
    assert informed < part * blind


@pytest.mark.parametrize("name", ["seir", "direct", "growth"])
def test_what_comes_from_neighbours_is_seen_coming(waves: ModuleType, name: str) -> None:
    """Each place has this week the transmission that the one before it had last week."""
    pattern = np.random.default_rng(1).normal(0, 0.35, 70)
    whole = waves.of_rates(0.2 * np.exp(pattern[(np.arange(24)[None] - np.arange(40)[:, None]) % 70]), provinces=1)
    known = whole.until(whole.weeks[22])
    alone = replace(known, neighbours=(np.zeros(0, dtype=np.int64),) * 40)
    assert off(known, name, 22, whole).sum() < 0.6 * off(alone, name, 22, whole).sum()


def test_a_week_of_moved_reports_counts_less(waves: ModuleType) -> None:
    panel = waves.panel(weeks=30)
    irregular = panel.irregular.copy()
    irregular[:, 7 * 24 : 7 * 25] = True
    daily = panel.daily["cases"].copy()
    daily[:, 7 * 24 : 7 * 25] *= 0.2
    dip = replace(panel, daily={**panel.daily, "cases": daily})
    flagged = replace(dip, irregular=irregular)
    usual = seir.forecast(panel, 2)
    assert np.abs(seir.forecast(flagged, 2) - usual).sum() < np.abs(seir.forecast(dip, 2) - usual).sum()


def test_nothing_is_learned_from_what_followed_in_a_week_of_moved_reports(waves: ModuleType) -> None:
    panel = waves.panel(places=12, weeks=20)
    irregular = panel.irregular.copy()
    irregular[:, -7:] = True
    learned = []
    for factor in (0.2, 3.0):
        daily = panel.daily["cases"].copy()
        daily[:, -7:] *= factor
        moved = replace(panel, daily={**panel.daily, "cases": daily}, irregular=irregular)
        models, _ = transmission.learn_horizons(
            moved, transmission.history(moved, Course()), 1, transmission.Training()
        )
        learned.append(models[0].coefficients)
    assert np.array_equal(*learned)


def test_transmission_is_known_near_and_far(waves: ModuleType) -> None:
    panel = waves.panel(places=8, provinces=2, weeks=12)
    past = transmission.history(panel, Course())
    columns = dict(transmission.columns(panel, past))
    near = panel.weekly() + np.stack([panel.weekly()[touching].sum(axis=0) for touching in panel.neighbours])
    people = panel.population + np.array([panel.population[touching].sum() for touching in panel.neighbours])
    beta = invert(infections_from_reports(near, people, 0.35)[0], people).beta
    assert columns["log_beta_near_1"][:, 5:] == pytest.approx(np.log(beta)[:, 4:-1])
    group, of_group = panel.by_group(panel.weekly())[panel.group], panel.by_group(panel.population)[panel.group]
    assert columns["log_rate_group"] == pytest.approx(np.log((group + 1) / of_group[:, None] * 1e5))
    assert columns["log_rate_near"] == pytest.approx(np.log((near + 1) / people[:, None] * 1e5))


def test_deaths_find_their_delay_and_ratio(waves: ModuleType) -> None:
    panel = waves.panel(die=0.03)
    cases, deaths = panel.weekly("cases"), panel.weekly("deaths")
    delay = fatality.learn_delay(panel.by_group(cases), panel.by_group(deaths))
    assert delay.sum() == pytest.approx(1)
    assert delay @ np.arange(len(delay)) == pytest.approx(2.0, abs=0.3)
    ratio = fatality.ratios(panel, fatality.delayed(cases, delay), deaths, np.ones(cases.shape))
    assert np.median(ratio) == pytest.approx(0.03, rel=0.15)


def test_a_group_has_a_ratio_of_its_own_and_a_week_of_moved_deaths_none(waves: ModuleType) -> None:
    panel = waves.panel(places=400, provinces=2, weeks=12)
    due = np.full((400, 12), 20.0)
    deaths = np.where(panel.group == 0, 0.2, 0.8)[:, None] * np.ones(12)
    deaths[:, -1] *= 10
    regular = np.ones((400, 12))
    regular[:, -1] = 0
    ratio = fatality.ratios(panel, due, deaths, regular)
    assert ratio == pytest.approx(np.where(panel.group == 0, 0.01, 0.04), rel=0.1)


def test_a_delay_has_the_mean_it_is_named_after() -> None:
    for mean in fatality.MEANS[2:6]:
        assert fatality.gamma_delay(mean) @ np.arange(fatality.LAGS) == pytest.approx(mean, abs=0.1)


def test_few_deaths_are_drawn_towards_what_is_expected() -> None:
    observed = np.array([0.0, 3.0, 1000.0, 2000.0])
    expected = np.array([1.0, 1.0, 1000.0, 1000.0])
    relative = fatality.shrunken(observed, expected)
    assert 0.2 < relative[0] < 1 < relative[1] < 3
    assert relative[2:] == pytest.approx([1.0, 2.0], rel=0.02)


def test_a_policy_counts_from_the_last_day_of_its_week_on(waves: ModuleType) -> None:
    known = waves.panel(4, 2, 12)
    masks = np.zeros((4, 84))
    masks[:, 9 * 7 + 6 :] = 1
    known = replace(known, signals={"masks": masks})
    columns = dict(transmission.columns(known, transmission.history(known, Course())))
    assert columns["signal_masks"][0, 8:].tolist() == [0, 1, 1, 1]
    assert columns["change_masks"][0, 8:].tolist() == [0, 1, 1, 1]


LEARN = """
import numpy as np
from restframe_epidemic.models import transmission
random = np.random.default_rng(0)
X = random.normal(size=(600, 230))
y, weight, names = X[:, :5].sum(axis=1), random.uniform(1, 9, 600), tuple(map(str, range(230)))
model = transmission.learn(names, X, y, weight, np.arange(600) % 50, np.full(230, 0.01))
print(model.coefficients.tobytes().hex(), model.level.hex())
"""


def test_what_is_learned_is_the_same_on_any_number_of_threads() -> None:
    """The libraries of linear algebra solve some two hundred equations in parallel, and sum otherwise then."""
    told = [
        subprocess.run(
            [sys.executable, "-c", LEARN],
            env=os.environ | {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads},
            capture_output=True,
            check=True,
        ).stdout
        for threads in ("1", "2")
    ]
    assert told[0] and told[0] == told[1]
