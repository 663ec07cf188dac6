"""A Panel of tables: what is in it, what is left out, and that it never looks ahead."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from restframe_epidemic import errors, panel_reading
from restframe_epidemic.models import transmission
from restframe_epidemic.models.agents.disease import of_panel
from restframe_epidemic.models.compartments import Course
from restframe_epidemic.panel import Panel

DAYS = pd.date_range("2020-05-30", "2020-06-24")  # a Saturday, three weeks, and some days of a fourth
LOCATIONS = pd.DataFrame(
    {
        "location": ["a1", "a2", "b1", "A", "B", "Z"],
        "name": ["Ash", "Alder", "Beech", "A-land", "B-land", "Zed"],
        "parent": ["A", "A", "B", "Z", "Z", None],
        "population": [100.0, 200.0, 300.0, 300.0, 300.0, 600.0],
    }
)


def reports(**per_day: int) -> pd.DataFrame:
    """Cumulative counts of places that report the same number every day."""
    return pd.concat(
        pd.DataFrame({"location": code, "date": DAYS, "cases": np.arange(len(DAYS)) * new, "deaths": 0})
        for code, new in per_day.items()
    )


def equal(one: Panel, other: Panel) -> bool:
    """Bit for bit, in everything a member may look at."""

    def same(x: object, y: object) -> bool:
        if isinstance(x, np.ndarray):
            return (
                isinstance(y, np.ndarray) and x.shape == y.shape and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
            )
        if hasattr(x, "keys"):
            return set(x) == set(y) and all(same(x[name], y[name]) for name in x)
        if isinstance(x, tuple):
            return len(x) == len(y) and all(map(same, x, y))
        return bool(x == y)

    fields = [field.name for field in dataclasses.fields(Panel)]
    return all(same(getattr(one, name), getattr(other, name)) for name in fields)


@pytest.mark.parametrize(
    ("first", "week"), [("2020-05-30", "2020-06-06"), ("2020-05-31", "2020-06-06"), ("2020-06-01", "2020-06-13")]
)
def test_the_first_week_is_the_first_whole_one(first: str, week: str) -> None:
    """Weeks begin on Sundays; 2020-05-31 is one."""
    panel = panel_reading.from_frames(reports(a1=1).query("date >= @first"), LOCATIONS)
    assert str(panel.weeks[0]) == week


def test_reports_become_whole_weeks() -> None:
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), LOCATIONS)
    assert panel.locations == ("a1", "a2", "b1")
    assert panel.names == ("Ash", "Alder", "Beech")
    assert (panel.groups, panel.group.tolist(), panel.top) == (("A", "B"), [0, 0, 1], "Z")
    assert panel.weeks.astype(str).tolist() == ["2020-06-06", "2020-06-13", "2020-06-20"]
    assert panel.weekly().tolist() == [[7, 7, 7], [14, 14, 14], [21, 21, 21]]
    assert panel.by_group(panel.weekly()).tolist() == [[21, 21, 21], [21, 21, 21]]
    assert panel.notices == ()


def test_weeks_end_on_the_day_the_country_says() -> None:
    panel = panel_reading.from_frames(reports(a1=1, a2=1, b1=1), LOCATIONS, week_ends="tuesday")
    assert panel.weeks.astype(str).tolist() == ["2020-06-09", "2020-06-16", "2020-06-23"]
    with pytest.raises(errors.UsageError, match='"someday" is no weekday'):
        panel_reading.from_frames(reports(a1=1), LOCATIONS, week_ends="someday")


def test_a_day_in_the_middle_of_a_week_knows_the_week_before() -> None:
    whole = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), LOCATIONS)
    assert str(whole.until("2020-06-19").as_of) == "2020-06-13"
    assert str(panel_reading.from_frames(reports(a1=1), LOCATIONS, as_of="2020-06-15").as_of) == "2020-06-13"


def test_later_data_change_no_bit() -> None:
    """Not even through a correction or a dump, whose reports cleansing lays into the days before."""
    table = reports(a1=10, a2=20, b1=30)
    late = table["date"] >= "2020-06-16"
    table.loc[late & (table["location"] == "a1"), "cases"] += 5_000
    table.loc[late & (table["location"] == "a2"), "cases"] -= 150
    signals = pd.DataFrame(
        [
            ("A", "2020-06-01", "closed", 1.0),
            ("A", "2020-06-14", "closed", 3.0),
            ("a1", "2020-06-16", "closed", 4.0),
            ("A", "2020-06-17", "vaccines", 1.0),
        ],
        columns=["location", "date", "name", "value"],
    )
    whole = panel_reading.from_frames(table, LOCATIONS, signals=signals)
    early = table[table["date"] <= "2020-06-13"]
    known = panel_reading.from_frames(early, LOCATIONS, signals=signals.head(1))
    assert equal(whole.until("2020-06-13"), known)
    assert equal(panel_reading.from_frames(table, LOCATIONS, signals=signals, as_of="2020-06-13"), known)
    assert not np.array_equal(whole.daily["cases"][:, :14], known.daily["cases"])


def test_populations_that_are_none_are_unknown_and_told() -> None:
    wrong = LOCATIONS.assign(population=[np.nan, -5, 300, 0, 0, 0])
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), wrong)
    assert np.isnan(panel.population).tolist() == [True, True, False]
    assert panel.notices == ("places whose population is not known or not positive: a1, a2",)


def test_reports_of_unknown_places_are_left_out_and_told() -> None:
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3, x9=4), LOCATIONS)
    assert panel.locations == ("a1", "a2", "b1")
    assert panel.notices == ("reports of places that no location describes are left out: x9",)


def test_reports_of_the_levels_above_are_not_needed_and_no_notice_is_made_of_them() -> None:
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3, A=3, Z=6), LOCATIONS)
    assert panel.weekly().tolist() == [[7, 7, 7], [14, 14, 14], [21, 21, 21]]
    assert panel.notices == ()


def test_holidays_are_irregular_days() -> None:
    holidays = pd.DataFrame({"date": ["2020-06-10", "2020-12-25"]})
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), LOCATIONS, holidays=holidays)
    assert panel.dates[panel.holiday].astype(str).tolist() == ["2020-06-10"]
    assert panel.dates[panel.irregular[1]].astype(str).tolist() == ["2020-06-10"]


def test_three_reports_are_no_rhythm_yet() -> None:
    mondays = reports(a1=1, a2=2, b1=3).query("date.dt.day_of_week == 0")  # three of them in whole weeks
    assert panel_reading.from_frames(mondays, LOCATIONS).notices == ()


def test_a_place_without_reports_has_none() -> None:
    panel = panel_reading.from_frames(reports(a1=1, a2=2), LOCATIONS)
    assert np.isnan(panel.daily["cases"][2]).all()
    assert panel.notices == ("places without any report of cases: b1",)


def test_weekly_reports_are_whole_weeks_when_weeks_end_with_them() -> None:
    days = pd.date_range("2020-06-03", periods=9, freq="7D")  # Wednesdays
    table = pd.DataFrame({"location": "a1", "date": days, "cases": 70 * np.arange(9), "deaths": 0})
    table.loc[8, "cases"] += 70
    panel = panel_reading.from_frames(table, LOCATIONS, week_ends="wednesday")
    assert panel.weekly()[0].tolist() == [70.0] * 7 + [140.0]
    assert not any("wednesday" in notice for notice in panel.notices)
    torn = panel_reading.from_frames(table, LOCATIONS, week_ends="sunday")
    assert torn.notices[0].startswith("all reports are of a wednesday, and weeks end on sunday: a week is part of two")


def test_new_reports_in_place_of_cumulative_ones_are_noticed() -> None:
    table = reports(a1=1, a2=2, b1=3)
    assert not panel_reading.from_frames(table, LOCATIONS).notices
    table["cases"] = np.random.default_rng(1).poisson(20, len(table))
    (notice,) = panel_reading.from_frames(table, LOCATIONS).notices
    assert notice.startswith("counts of cases fall on 47 % of") and notice.endswith("case_report wants them added up")


def test_a_place_that_fell_silent_is_told() -> None:
    table = reports(a1=1, a2=2, b1=3)
    late = table["date"] > table["date"].max() - pd.Timedelta(days=18)
    panel = panel_reading.from_frames(table[~late | (table["location"] != "a2")], LOCATIONS)
    assert panel.notices == ("places that have not reported any cases for two weeks, so without a forecast: a2",)


def test_places_that_report_once_a_month_are_told_with_how_many_they_are() -> None:
    months, days = pd.date_range("2020-04-30", "2020-08-31", freq="ME"), pd.date_range("2020-04-30", "2020-09-27")
    table = pd.concat(
        pd.DataFrame({"location": code, "date": each, "cases": 6 * np.arange(len(each)), "deaths": 0})
        for code, each in (("a1", months), ("a2", months), ("b1", days))
    )
    told = (
        "places that report less often than every two weeks, so without a forecast but in the two weeks after a report:"
        " 2 (a1, a2)"
    )
    for day, known in (("2020-09-06", True), ("2020-09-27", False)):
        panel = panel_reading.from_frames(table, LOCATIONS, as_of=day, week_ends="sunday")
        assert panel.notices == (told,)
        assert np.isfinite(panel.weekly()[:, -1]).tolist() == [known, known, True]


def test_a_missing_day_is_filled_between_its_neighbours_and_marked() -> None:
    table = reports(a1=6, a2=2, b1=3)
    table = table[(table["location"] != "a1") | (table["date"] != "2020-06-10")]
    panel = panel_reading.from_frames(table, LOCATIONS)
    day = panel.dates.tolist().index(np.datetime64("2020-06-10").astype(object))
    assert panel.daily["cases"][0, day - 1 : day + 3].tolist() == [6, 6, 6, 6]
    assert panel.weekly()[0].tolist() == [42, 42, 42]


def test_of_two_reports_of_a_place_and_day_the_greater_counts_stand_and_it_is_told() -> None:
    again = pd.DataFrame({"location": "a1", "date": [DAYS[1], DAYS[3]], "cases": [5, np.nan], "deaths": [0, 2]})
    panel = panel_reading.from_frames(pd.concat([reports(a1=1, a2=1, b1=1), again]), LOCATIONS)
    assert panel.reported["cases"][0, :5].tolist() == [0, 5, 2, 3, 4]
    assert panel.reported["deaths"][0, :5].tolist() == [0, 0, 0, 2, 0]
    assert panel.notices == (
        "two reports of one place and day, of which the greater counts stand: a1 on 2020-05-31, a1 on 2020-06-02",
    )


def test_a_date_of_another_age_does_not_begin_the_series() -> None:
    stray = pd.DataFrame({"location": ["a1"], "date": [pd.Timestamp("0001-01-01")], "cases": [0], "deaths": [0]})
    panel = panel_reading.from_frames(pd.concat([stray, reports(a1=1, b1=2)]), LOCATIONS)
    assert panel.dates[0] == np.datetime64("2020-05-31")
    assert panel.weekly()[0].tolist() == [7.0, 7.0, 7.0]
    assert "reports from ten years and more before all others are left out: 0001-01-01" in panel.notices


def test_no_whole_week_is_no_data() -> None:
    with pytest.raises(errors.NoData, match="no whole week"):
        panel_reading.from_frames(reports(a1=1), LOCATIONS, as_of="2020-06-03")
    with pytest.raises(errors.NoData, match="there are no reports"):
        panel_reading.from_frames(reports(a1=1).head(0), LOCATIONS)


@pytest.mark.parametrize(
    ("changed", "groups", "notice"),
    [
        pytest.param(
            {"parent": ["A", "Q", "B", "Z", "Z", None]},
            [("a1", "A"), ("a2", ""), ("b1", "B")],
            "locations whose parent is not there, counted in Z alone: a2",
            id="parent",
        ),
        pytest.param(
            {"parent": ["A", None, "B", "Z", "Z", None], "level": [*"ppp", "s", "s", "n"]},
            [("a1", "A"), ("a2", ""), ("b1", "B")],
            "locations without a parent, unlike others of their level, counted in Z alone: a2",
            id="none",
        ),
        pytest.param(
            {"parent": ["A", "A", "B", "B", "A", None]},
            [("a1", "A"), ("a2", "A"), ("b1", "B")],
            "locations that are above themselves, in no sum: A, B",
            id="circle",
        ),
        pytest.param(
            {"location": ["a1", "a1", "b1", "A", "B", "Z"]},
            [("a1", "A"), ("b1", "B")],
            "locations that are given twice, of which one row counts: a1",
            id="twice",
        ),
    ],
)
def test_a_location_that_cannot_be_placed_costs_its_own_sums_alone(
    changed: dict[str, list[str]], groups: list[tuple[str, str]], notice: str
) -> None:
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), LOCATIONS.assign(**changed))
    named = [panel.groups[at] for at in panel.group]
    assert list(zip(panel.locations, named, strict=True)) == groups
    assert notice in panel.notices


def test_codes_may_be_numbers() -> None:
    numbers = pd.DataFrame({"location": [1001, 1002, 2001, 1, 2, 9], "parent": [1, 1, 2, 9, 9, None]})
    table = reports(a1=1, a2=2, b1=3).replace({"location": {"a1": 1001, "a2": 1002, "b1": 2001}})
    for parent in (numbers["parent"], numbers["parent"].astype("Int64"), numbers["parent"].astype(object)):
        panel = panel_reading.from_frames(table, numbers.assign(parent=parent, population=100.0))
        assert (panel.locations, panel.groups, panel.top) == (("1001", "1002", "2001"), ("1", "2"), "9")
        assert panel.group.tolist() == [0, 0, 1] and panel.notices == ()


def test_all_levels_that_a_country_has_stand_above_its_places() -> None:
    """A ward below a province without a district between, and a province that is empty."""
    parents = {"w1": "d1", "w2": "d1", "w3": "d2", "w4": "p2", "d1": "p1", "d2": "p2", "p1": "n", "p2": "n", "p3": "n"}
    level = {"w": "ward", "d": "district", "p": "province", "n": "nation"}
    locations = pd.DataFrame(
        [(code, level[code[0]], parents.get(code), 10) for code in (*parents, "n")],
        columns=["location", "level", "parent", "population"],
    )
    panel = panel_reading.from_frames(reports(w1=1, w2=2, w3=3, w4=4), locations)
    assert panel.locations == ("w1", "w2", "w3", "w4")
    assert [[level.codes[at] for at in level.of] for level in panel.levels] == [
        ["d1", "d1", "d2", ""],
        ["p1", "p1", "p2", "p2"],
        ["n", "n", "n", "n"],
    ]
    assert panel.levels[1].sums(panel.weekly()).tolist() == [[21, 21, 21], [49, 49, 49]]


def test_signals_hold_until_the_next_and_come_down_from_the_levels_above() -> None:
    signals = pd.DataFrame(
        [
            ("A", "2020-01-01", "closed", 1.0),
            ("A", "2020-06-10", "closed", 2.0),
            ("a2", "2020-06-11", "closed", 9.0),
            ("Z", "2020-06-02", "masks", 1.0),
            ("Z", "2020-06-04", "masks", np.nan),
        ],
        columns=["location", "date", "name", "value"],
    )
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), LOCATIONS, signals=signals)
    closed, masks = panel.signals["closed"], panel.signals["masks"]
    assert closed[0, [0, 9, 10, 11]].tolist() == [1, 1, 2, 2]  # days 10 and 11 are 10 and 11 June
    assert closed[1, [0, 9, 10, 11]].tolist() == [1, 1, 2, 9]  # its own when that begins
    assert np.isnan(closed[2]).all()
    assert masks[:, 2].tolist() == [1, 1, 1] and np.isnan(masks[:, 4]).all()


def test_people_over_ninety_are_of_the_band_before_and_an_age_that_is_none_costs_its_own_row() -> None:
    given = {"a1": [(0, 30), (40, 20), (85, 2), (90, 5), (100, 3)], "a2": [(-3, 20), (40, 30), (85, np.inf), (None, 9)]}
    rows = [(place, *row) for place, bands in given.items() for row in bands]
    ages = pd.DataFrame(rows, columns=["location", "age_from", "population"])
    panel = panel_reading.from_frames(reports(a1=1, a2=2), LOCATIONS, ages=ages)
    assert panel.age_from.tolist() == [0, 40, 85]
    assert panel.age_share[:2].tolist() == [[0.5, 20 / 60, 10 / 60], [0.4, 0.6, 0.0]]
    assert of_panel(panel).fatal.tolist() == pytest.approx([0.00011, 0.77 / 45, 0.08])


def test_a_rate_or_parameter_that_is_missing_is_the_built_in_one_and_it_is_told() -> None:
    panel = panel_reading.from_frames(
        reports(a1=1, a2=2, b1=3),
        LOCATIONS,
        severity=pd.DataFrame(
            {"age_from": [0, 40], "susceptibility": [0.5, None], "critical": [-0.1, 0.1], "fatal": [0.0, 0.1]}
        ),
        parameters=pd.DataFrame(
            {"name": ["latent_days", "infectious_days", "ascertainment"], "value": [3.0, 0.0, None]}
        ),
    )
    ill = of_panel(panel)
    built_in = of_panel(dataclasses.replace(panel, severity={}))
    assert set(panel.severity) == {"fatal"} and ill.fatal.tolist() == pytest.approx([0.1 * 50 / 90])
    assert ill.susceptibility.tolist() == built_in.susceptibility.tolist() == [1.0]
    assert ill.critical.tolist() == built_in.critical.tolist()
    assert panel.parameters == {"latent_days": 3.0}
    assert panel.notices == (
        "susceptibility by age is missing or negative from age 40: the built-in one stands for all ages",
        "critical by age is missing or negative from age 0: the built-in one stands for all ages",
        "parameters without a positive value, of which models take their own: ascertainment, infectious_days",
    )


def test_an_ascertainment_that_is_missing_is_that_of_the_country_and_it_is_told() -> None:
    features = pd.DataFrame({"location": ["a1", "a2"], "name": "ascertainment", "value": [0.5, 0.0]})
    panel = panel_reading.from_frames(reports(a1=1, a2=2, b1=3), LOCATIONS, features=features)
    assert panel.notices == ("places whose ascertainment is missing or no share, so as of the whole country: a2, b1",)
    assert transmission.history(panel, Course(ascertainment=0.3)).ascertainment.tolist() == [0.5, 0.3, 0.3]


def test_features_ages_and_severity_follow_the_bands_of_the_tables() -> None:
    panel = panel_reading.from_frames(
        reports(a1=1, a2=2, b1=3),
        LOCATIONS,
        features=pd.DataFrame({"location": ["a1", "B"], "name": "poverty", "value": [10.0, 20.0]}),
        ages=pd.DataFrame(
            {
                "location": ["a1", "a1", "a2", "a2", "a2"],
                "age_from": [0, 50, 0, 50, 0],
                "population": [1, 3, 1, 1, -9],
            }
        ),
        capacity=pd.DataFrame({"location": ["b1", "a1", "zz"], "icu_beds": [5, 2, 9]}),
        severity=pd.DataFrame({"age_from": [0, 40, 60], "fatal": [0.0, 0.1, 0.2]}),
        adjacency=pd.DataFrame({"location": ["a1", "a1", "b1"], "neighbour": ["b1", "zz", "b1"]}),
    )
    assert panel.features["poverty"].tolist()[0] == 10 and panel.features["poverty"][2] == 20
    assert np.isnan(panel.features["poverty"][1])
    assert panel.age_from.tolist() == [0, 50]
    assert panel.age_share.tolist() == [[0.25, 0.75], [0.5, 0.5], [2 / 6, 4 / 6]]
    assert panel.capacity["icu_beds"].tolist()[::2] == [2, 5] and np.isnan(panel.capacity["icu_beds"][1])
    assert panel.severity["fatal"].tolist() == pytest.approx([0.02, 0.175])  # means over 0-49 and 50-89
    assert [near.tolist() for near in panel.neighbours] == [[2], [], [0]]
