"""Features, and the members that learn from them, on invented epidemics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from restframe_epidemic import backtest, panel_reading
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.models import MEMBERS, direct, examples, features, linear, member, phases, projection
from restframe_epidemic.models.weekly import Weeks
from restframe_epidemic.panel import FloatArray, Panel, cleansed
from restframe_epidemic.scores import short_history

OURS = ["persistence", "projection", "direct", "boosting"]


def panel(weekly: FloatArray, *, week_ends: str = "saturday", **said: pd.DataFrame) -> Panel:
    """(N, W) reports, a seventh of them each day; places 0 and 1 are in group A, 2 and 3 in B, and so on."""
    places = [f"P{number:03}" for number in range(len(weekly))]
    groups = [f"G{number // 2:03}" for number in range(len(weekly))]
    last = pd.Timestamp("2031-05-03" if week_ends == "saturday" else "2031-05-04")
    days = pd.date_range(end=last, periods=7 * weekly.shape[1])
    cumulative = np.cumsum(np.repeat(weekly / 7, 7, axis=1), axis=1)
    reports = pd.DataFrame(
        {
            "location": np.repeat(places, len(days)),
            "date": np.tile(days, len(places)),
            "cases": cumulative.ravel(),
            "deaths": cumulative.ravel() / 50,
        }
    )
    locations = pd.DataFrame(
        {
            "location": [*places, *sorted(set(groups))],
            "name": [*places, *sorted(set(groups))],
            "parent": [*groups, *[None] * len(set(groups))],
            "population": [*[70_000.0] * len(places), *[140_000.0] * len(set(groups))],
        }
    )
    return panel_reading.from_frames(reports, locations, week_ends=week_ends, **said)


def epidemic(places: int = 60, weeks: int = 22, seed: int = 7) -> FloatArray:
    """Waves of different height and time, as whole reports."""
    rng = np.random.default_rng(seed)
    peak, height = rng.uniform(5, 25, (places, 1)), rng.lognormal(5, 1, (places, 1))
    drawn: FloatArray = rng.poisson(height * np.exp(-(((np.arange(weeks) - peak) / 7) ** 2))).astype(np.float64)
    return 7 * drawn


def column(panel: Panel, name: str, target: str = "cases") -> FloatArray:
    """(W, N)"""
    x, names = features.matrix(features.wide(panel, target), range(len(panel.weeks)))
    return x[:, :, names.index(name)]


# --- features


def test_growth_and_level_are_what_they_are_called() -> None:
    known = panel(np.array([[700.0, 700, 1400, 2800], [70, 70, 70, 70]]))
    assert column(known, "level")[-1] == pytest.approx(np.log([2801, 71]))
    assert column(known, "noise")[-1] == pytest.approx([2801**-0.5, 71**-0.5])
    assert column(known, "growth_0")[-1] == pytest.approx([np.log(2801 / 1401), 0])
    assert column(known, "growth_1")[-1] == pytest.approx([np.log(1401 / 701), 0])
    assert column(known, "growth_pairs")[-1] == pytest.approx([np.log(2101 / 701), 0])
    assert column(known, "incidence")[-1] == pytest.approx(np.log1p([4000, 100]))  # per 100,000 of 70,000
    assert column(known, "attack")[-1] == pytest.approx(np.log1p([8000, 400]))
    assert column(known, "group_incidence")[-1] == pytest.approx(np.log1p([2050, 2050]))
    assert column(known, "late_growth")[-1] == pytest.approx([np.log(1201 / 601), 0])
    assert column(known, "above_median")[-1] == pytest.approx([np.log(2801 / 2101), 0])
    assert column(known, "growth_0")[0] == pytest.approx(np.log([701, 71]))  # before the first day there was nothing


def test_the_last_days_of_a_week_count_apart() -> None:
    week, steady = [1.0, 2, 3, 4, 5, 6, 7], [2.0] * 7
    series = Weeks(np.array([[*steady * 4, *week, *[0.0, 0, 0, 4, 8, 8, 8]]]), np.array([1000.0]))
    assert series.lag()[0].tolist() == [14, 14, 14, 14, 28, 28]
    assert series.lag(1)[0].tolist() == [0, 14, 14, 14, 14, 28]
    assert series.lag(days=3)[0].tolist() == [6, 6, 6, 6, 18, 24]
    assert series.late_growth(3)[0, -1] == pytest.approx(np.log(25 / 19))
    assert series.late_growth(1)[0, -1] == pytest.approx(np.log(9 / 8))
    assert series.late_share()[0, -1] == pytest.approx(27 / 35 - (6 + 6 + 6 + 18 + 3) / (14 + 14 + 14 + 28 + 7))
    assert series.largest_share()[0, -1] == pytest.approx(9 / 35)
    assert series.zero_days()[0, -1] == pytest.approx(3 / 7)
    assert series.median_day()[0, -1] == 4
    assert series.rate(2)[0, -1] == pytest.approx(np.log(29 / 1000 * 100_000))
    few = Weeks(np.array([[9.0, *[0.0] * 6, 1.0, *[0.0] * 13]]), np.array([1000.0]))
    assert few.age()[0].tolist() == [0, 1, 2]
    assert few.noise(2)[0].tolist() == pytest.approx([10**-0.5, 11**-0.5, 2**-0.5])


def test_a_small_place_is_given_the_growth_of_its_group() -> None:
    known = panel(np.array([[7000.0, 14000], [7, 7]]))
    large, small = column(known, "shrunk_growth")[-1]
    assert large == pytest.approx(np.log(2), abs=0.01)
    assert small == pytest.approx(np.log((7 + 20 * 14008 / 7008) / 27))


def test_neighbours_are_those_of_the_adjacency() -> None:
    adjacency = pd.DataFrame({"location": ["P000", "P002"], "neighbour": ["P002", "P000"]})
    known = panel(np.array([[70.0, 70], [70, 70], [70, 700], [70, 70]]), adjacency=adjacency)
    assert column(known, "near_growth_0")[-1] == pytest.approx([np.log(771 / 141), 0, np.log(771 / 141), 0])


def test_a_signal_is_that_of_the_weeks_last_day() -> None:
    """The last day but seven is the last of its week."""
    last = pd.Timestamp("2031-05-03")
    since = {"location": "G000", "name": "masks", "date": [last - pd.Timedelta(days=60), last - pd.Timedelta(days=7)]}
    known = panel(np.full((2, 8), 70.0), signals=pd.DataFrame({**since, "value": [1.0, 3.0]}))
    assert column(known, "signal_masks")[-3:, 0].tolist() == [1, 3, 3]
    assert column(known, "change_masks")[-3:, 0].tolist() == [0, 2, 2]


def test_days_that_were_moved_are_told_of_this_week_and_the_last() -> None:
    known = panel(np.full((2, 4), 70.0))
    irregular = np.zeros((2, 28), dtype=np.bool_)
    irregular[0, 7:14] = True
    known = replace(known, irregular=irregular)
    assert column(known, "irregular")[:, 0].tolist() == [0, 1, 0, 0]
    assert column(known, "irregular_before")[:, 0].tolist() == [0, 0, 1, 0]


def test_incidence_is_told_against_the_neighbours_and_the_group() -> None:
    known = panel(np.array([[70.0], [700.0]]))
    above = np.log1p([100, 1000]) - np.log1p(550)
    assert column(known, "group_relative")[0] == pytest.approx(above)
    assert column(known, "near_relative")[0] == pytest.approx([0, 0])  # nobody touches them


def test_signals_and_determinants_have_columns_only_when_somebody_has_them() -> None:
    weekly = np.full((4, 6), 70.0)
    signals = pd.DataFrame(
        {"location": "P001", "date": pd.to_datetime(["2031-03-25", "2031-04-24"]), "name": "masks", "value": [1.0, 3.0]}
    )
    static = pd.DataFrame({"location": ["P000", "P001"], "name": "crowding", "value": [2.0, 4.0]})
    known = panel(weekly, signals=signals, features=static)
    assert column(known, "signal_masks")[-1].tolist() == [3, 3, 3, 3]  # the others': the mean of those who have it
    assert column(known, "change_masks")[-1].tolist() == [2, 2, 2, 2]
    assert column(known, "static_crowding")[-1].tolist() == [2, 4, 3, 3]
    _, names = features.matrix(features.wide(panel(weekly), "cases"), [5])
    assert not [name for name in names if name.startswith(("signal_", "change_", "static_"))]


def test_deaths_are_seen_with_the_cases_that_lead_them() -> None:
    known = panel(np.array([[350.0, 700, 1400, 2800]] * 2))
    assert column(known, "level", "deaths")[-1] == pytest.approx(np.log([57, 57]))
    assert column(known, "cases_level", "deaths")[-1] == pytest.approx(np.log([2801, 2801]))
    assert column(known, "fatality", "deaths")[-1] == pytest.approx(np.log([26.35 / 272.5] * 2))
    assert column(known, "fatality_1", "deaths")[-1] == pytest.approx(np.log([57 / 1410] * 2))


def test_later_weeks_change_no_bit_of_a_row() -> None:
    known = panel(epidemic())
    cut = replace(
        known,
        dates=known.dates[: 7 * 12],
        daily={target: values[:, : 7 * 12] for target, values in known.daily.items()},
        irregular=known.irregular[:, : 7 * 12],
    )
    whole, _ = features.matrix(features.wide(known, "deaths"), [3, 11])
    part, _ = features.matrix(features.wide(cut, "deaths"), [3, 11])
    assert whole.tobytes() == part.tobytes()


def test_an_impossible_population_is_taken_for_an_unknown_one() -> None:
    known = replace(panel(epidemic(4)), population=np.array([1000.0, np.nan, -5.0, 3000.0]))
    assert features.population(known).tolist() == [1000, 2000, 2000, 3000]
    x, _ = features.matrix(features.wide(known, "cases"), range(10))
    assert np.isfinite(x).all()


# --- members


@pytest.mark.parametrize("name", OURS)
def test_steady_growth_goes_on(name: str) -> None:
    weekly = np.round(np.outer(np.geomspace(70, 7000, 60), 1.1 ** np.arange(20)))
    points = member(name)(panel(weekly), 4)
    expected = weekly[:, [-1]] * (1.1 ** np.arange(1, 5) if name in ("direct", "boosting") else np.ones(4))
    tolerance = {"persistence": 1e-9, "projection": 0.4, "direct": 0.02, "boosting": 0.05}[name]
    assert points == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("target", ["cases", "deaths"])
def test_what_is_reported_later_changes_no_bit(name: str, target: str) -> None:
    weekly = epidemic()
    later = panel(np.concatenate([weekly[:, :14], 1000 - weekly[:, 14:]], axis=1).clip(0))
    day = later.weeks[13]
    known = panel(weekly).until(day)
    first = member(name)(known, 6, target=target, seed=3)
    assert first.shape == (60, 6)
    assert (first >= 0).all()
    assert first.tobytes() == member(name)(later.until(day), 6, target=target, seed=3).tobytes()


@pytest.mark.parametrize("name", OURS)
def test_places_in_trouble_cost_nobody_else_anything(name: str) -> None:
    weekly = epidemic()
    weekly[0] = 0
    weekly[1, :-1] = 0
    known = panel(weekly)
    known = replace(known, population=np.append([70_000.0, 70_000, np.nan, -1], known.population[4:]))
    known.daily["cases"][4] = np.nan
    points = member(name)(known, 8)
    assert points.shape == (60, 8)
    assert np.isfinite(points[5:]).all()
    assert (points[0] == 0).all() or name == "projection"
    assert np.isnan(points[2:4]).all() == (name == "projection")
    assert np.isnan(points[4]).all()


@pytest.mark.parametrize("name", OURS)
@pytest.mark.parametrize("weeks", [1, 5])
def test_the_first_weeks_of_an_epidemic_are_bearable(name: str, weeks: int) -> None:
    points = member(name)(panel(epidemic()[:, :weeks]), 4)
    assert points.shape == (60, 4)
    assert name in ("direct", "boosting") or np.isfinite(points).all()


@pytest.mark.parametrize("name", OURS)
def test_weeks_may_end_on_sunday(name: str) -> None:
    weekly = epidemic()
    assert np.array_equal(member(name)(panel(weekly), 2), member(name)(panel(weekly, week_ends="sunday"), 2))


def test_members_are_registered() -> None:
    assert set(OURS) <= set(MEMBERS)


SHOWN = {
    "A member alone": "panel",
    "Regression members": "x",
    "Curve fit": "found",
    "SEIR": "past",
}


@pytest.mark.parametrize("section", SHOWN)
def test_what_the_page_shows_of_a_member_runs(section: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "epidemic.md").read_text(encoding="utf-8")
    text = page.split(f"\n## {section}\n")[1].split("\n## ")[0].split("\n### ")[0]
    code = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    ") and "F(t" not in line[:9])
    code = code[code.index("from restframe_epidemic") :]
    days = pd.date_range("2020-03-01", "2020-08-01")
    given: dict[str, object] = {
        "reports": pd.DataFrame({"location": "a", "date": days, "cases": np.arange(len(days)) ** 2, "deaths": 0}),
        "locations": pd.DataFrame({"location": ["a"], "parent": [None], "population": [1e6]}),
        "adjacency": pd.DataFrame({"location": ["a"], "neighbour": ["b"]}),
        "policies": pd.DataFrame({"location": ["a"], "date": ["2020-04-01"], "name": ["masks"], "value": [1.0]}),
    }
    if section != "A member alone":
        given = {
            "panel": panel(epidemic()),
            "reports": epidemic(),
            "infections": epidemic() + 1,
            "people": np.full(60, 1e6),
        }
    exec(code, given)
    assert SHOWN[section] in given


# --- lessons


def test_lessons_are_weeks_whose_outcome_is_known() -> None:
    weekly = np.array([[70.0, 70, 70, 70, 70, 140, 280, 560]] * 2)
    known = examples.Examples.of(panel(weekly), "cases", [("twice", 2 * weekly)])
    lessons = known.lessons(2, window_weeks=2)
    assert lessons is not None
    assert lessons.x.ravel().tolist() == [140, 140, 280, 280]
    assert lessons.growth == pytest.approx(np.repeat(np.log([281 / 71, 561 / 141]), 2))
    assert lessons.weight == pytest.approx(np.repeat([71, 141], 2) / 106)
    assert known.lessons(4, window_weeks=2) is None


def test_trees_do_not_see_policies_and_determinants() -> None:
    height = np.log(epidemic(60)[:, -1] + 1)  # what trees would grasp at
    static = pd.DataFrame({"location": [f"P{n:03}" for n in range(60)], "name": "crowding", "value": height})
    known = panel(epidemic(60), features=static)
    without = replace(known, features={})
    assert np.array_equal(member("boosting")(known, 1), member("boosting")(without, 1))
    assert not np.array_equal(member("direct")(known, 1), member("direct")(without, 1))


def test_growth_beyond_the_fourth_week_fades() -> None:
    known = examples.Examples.of(panel(epidemic(4, weeks=12)), "cases", [("nothing", np.zeros(4))])
    points = known.reports(known.growth(6, lambda lessons, now: np.full(4, 0.4), window_weeks=5))
    level = known.weekly[:, -1:] + 1
    assert points[:, 3:] == pytest.approx(level * np.exp([0.4, 0.4 + 0.075, 0.4 + 0.075 + 0.05625]) - 1)


# --- direct


def test_outliers_do_not_bend_the_regression() -> None:
    rng = np.random.default_rng(0)
    z = np.column_stack([rng.normal(size=(2000, 2)), np.ones(2000)])
    y = z @ [0.5, -0.25, 0.1] + np.where(rng.random(2000) < 0.2, 5.0, 0.0)
    b = direct.least_absolute(z, y, np.ones(2000), np.zeros(3))
    assert b == pytest.approx([0.5, -0.25, 0.1], abs=0.03)


def test_our_sums_and_solutions_are_those_of_linear_algebra() -> None:
    rng = np.random.default_rng(0)
    z, y, weight = rng.normal(size=(7, 3)), rng.normal(size=7), rng.random(7)  # four rows at a time, and three left
    upper, products = linear.normal(z, y, weight)
    assert upper == pytest.approx(np.triu(z.T @ (weight[:, None] * z) / weight.sum()))
    assert products == pytest.approx(z.T @ (weight * y) / weight.sum())
    whole = upper + np.triu(upper, 1).T
    assert linear.solve(upper.copy(), products) == pytest.approx(np.linalg.solve(whole, products))
    drawn = np.linalg.solve(whole + np.diag([0.5, 0.0, 2.0]), products)
    assert linear.ridge(z, y, weight, np.array([0.5, 0.0, 2.0])) == pytest.approx(drawn)


def test_without_features_it_is_the_weighted_median() -> None:
    y = np.array([0.0, 1.0, 2.0, 10.0])
    b = direct.least_absolute(np.ones((4, 1)), y, np.array([1.0, 1.0, 5.0, 1.0]), np.zeros(1))
    assert b == pytest.approx([2.0], abs=0.1)


# --- projection and the two phases


def test_a_group_goes_on_growing_less_each_week() -> None:
    ahead = projection.group_projection(np.array([[0.0, 1000, 1100, 1210], [0, 10, 100, 1000]]), 2)
    growth = np.log(1220 / 1010) / 2
    assert ahead[0] == pytest.approx(1210 * np.exp([0.75 * growth, (0.75 + 0.5625) * growth]))
    assert ahead[1] == pytest.approx(1000 * np.exp([0.375, 0.65625]))  # clipped at exp(.5) a week


def test_a_place_without_history_gets_what_places_like_it_have() -> None:
    crowding = np.tile([-1.0, 1.0], 40)
    weekly = np.full((80, 12), 700.0) * np.where(crowding > 0, 2.0, 0.5)[:, None]
    weekly[78:] = 0  # two small places of the last group report nothing yet
    static = pd.DataFrame({"location": [f"P{n:03}" for n in range(80)], "name": "crowding", "value": crowding})
    known = replace(panel(weekly, features=static), group=np.minimum(np.arange(80) // 2, 38))
    known = replace(known, population=np.append(known.population[:78], [70, 70]))
    points = projection.forecast(known, 1)[:, 0]
    assert points[:76] == pytest.approx(weekly[:76, -1], rel=0.02)
    assert points[79] / points[78] == pytest.approx(4, rel=0.3)


def test_few_reports_are_read_in_the_light_of_determinants() -> None:
    """Of 200 places 40 are so small that most of what they report is chance; their determinants are known."""
    rng = np.random.default_rng(1)
    rate = rng.normal(size=200)
    small = np.arange(200) % 5 == 0
    expected = np.where(small, 1.0, 100.0) * np.exp(0.7 * rate)
    weekly = rng.poisson(expected[:, None], (200, 12)).astype(np.float64)
    static = pd.DataFrame({"location": [f"P{n:03}" for n in range(200)], "name": "rate", "value": rate})
    known = replace(panel(weekly, features=static), group=np.arange(200) // 25)
    known = replace(known, population=np.where(small, 700.0, 70_000.0))
    assert short_history(known.weekly())[small].sum() > 30
    ours = np.abs(projection.forecast(known, 1)[:, 0] - expected)[small].mean()
    blind = projection.forecast(replace(known, features={}), 1)[:, 0]
    assert ours < 0.7 * np.abs(blind - expected)[small].mean()
    assert ours < 0.6 * np.abs(known.weekly()[:, -1] - expected)[small].mean()


def test_short_histories_are_left_to_those_who_learn_from_other_places() -> None:
    """Place 0 has a long history, the others short ones; nobody who learns from others has a forecast for place 2."""
    points = np.array([[[1.0], [2], [3]], [[4], [5], [np.nan]]])
    curve, of_others = phases.two_phases(("curve", "projection"), points, np.array([False, True, True]))
    np.testing.assert_array_equal(curve, [[1], [np.nan], [3]])
    np.testing.assert_array_equal(of_others, [[4], [5], [np.nan]])


def test_the_ensemble_has_two_phases() -> None:
    weekly = epidemic(4, 12)
    weekly[1] = 1
    known = panel(weekly)
    points = {"persistence": np.full((4, 4), 100.0), "projection": np.full((4, 4), 50.0)}
    past = backtest.run(known, backtest.past(known, 8), points, 4)
    result = forecasting.forecast(known, points, past)
    assert result.points[1, 0] == pytest.approx(50)
    assert (result.points[[0, 2, 3], 0] > 51).all()
    without = phases.two_phases(("persistence",), past.points[:, 0][None], np.ones((8, 4), dtype=bool))
    assert np.isfinite(without).all()  # nobody else is there


def test_a_past_day_hears_those_who_spoke_then() -> None:
    """All places had short histories on the past days and have long ones now: what persistence said does not count."""
    known = panel(np.concatenate([np.full((30, 20), 2.0), np.full((30, 4), 9.0)], axis=1))
    assert not short_history(known.weekly()).any()
    days = backtest.past(known, 8)[:4]
    assert all(short_history(known.until(day).weekly()).all() for day in days)
    said = {"persistence": np.full((30, 4), 5000.0), "projection": np.full((30, 4), 2.0)}
    functions = {
        name: (lambda panel, horizons, *, target="cases", seed=0, points=points: points)
        for name, points in said.items()
    }
    past = backtest.run(known, days, said, 4, functions=functions)
    points = {name: np.full((30, 4), 9.0) for name in said}
    result = forecasting.forecast(known, points, past)
    assert (result.quantiles[:, 0, 1] > 4.5).all()  # of errors by 5,000 it would be 0


@pytest.mark.parametrize("name", MEMBERS)
def test_a_place_that_never_reported_has_no_forecast(name: str) -> None:
    known = panel(epidemic(12, 16))
    reported = {target: values.copy() for target, values in known.reported.items()}
    for values in reported.values():
        values[3] = np.nan
    daily, before, irregular = cleansed(reported, known.holiday)
    known = replace(known, reported=reported, daily=daily, before=before, irregular=irregular)
    for target in ("cases", "deaths"):
        points = member(name)(known, 2, target=target)
        assert np.isnan(points[3]).all()
        assert np.isfinite(np.delete(points, 3, axis=0)).all()


@pytest.mark.parametrize("name", ["curve", "seir"])
def test_weeks_of_places_that_report_weekly_are_as_good_as_others(name: str) -> None:
    known = panel(epidemic(12, 20))
    unmoved = replace(known, irregular=np.zeros_like(known.irregular))
    moved = replace(known, irregular=~unmoved.irregular)  # as sharing a week's report among its days does
    for target in ("cases", "deaths"):
        daily, weekly = (member(name)(of, 2, target=target) for of in (unmoved, moved))
        np.testing.assert_array_equal(weekly, daily)


def test_an_epidemic_that_is_over_can_be_learned_from() -> None:
    weekly = np.zeros((3, 24))
    weekly[0, 7] = 2  # of the weeks that are learned from, one comes at most four weeks later
    for week in range(9, 25):
        assert (member("boosting")(panel(weekly[:, :week]), 4)[1:] == 0).all()
