"""Beds needed, against beds there are."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from restframe_epidemic import hospital
from restframe_epidemic.models.agents import disease, forecasting
from restframe_epidemic.models.agents.forecasting import REPORT_DAYS, Outcomes
from restframe_epidemic.panel import Panel
from restframe_epidemic.store import Store

LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])


@pytest.fixture(scope="module")
def panel() -> Panel:
    spec = importlib.util.spec_from_file_location("waves", Path(__file__).parent / "waves.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Panel = module.panel(places=12, provinces=2, weeks=28)
    people = made.population.copy()
    people[3] = np.nan
    icu = np.full(12, 1e6)
    icu[0], icu[1] = 0.0, np.nan
    return replace(made, population=people, capacity={"icu_beds": icu})


@pytest.fixture(scope="module")
def outcomes(panel: Panel) -> Outcomes:
    return forecasting.run(panel, 3, replicates=6, spread=True, ahead=REPORT_DAYS)


def test_a_stay_begins_after_infection_and_ends() -> None:
    ward, stay, icu = hospital.stays(disease.Disease(*np.full((4, 1), 0.1)))
    admission = 4.0 + 1.5 + 5.0
    assert ward @ np.arange(len(ward)) / ward.sum() > admission
    assert ward.sum() == pytest.approx(5.0, abs=0.2)
    assert icu.sum() == pytest.approx(9.0, abs=0.2)
    assert stay.sum() == pytest.approx(1.0 + 9.0 + 5.0, abs=0.4)
    assert ward[0] == 0.0


def test_constant_infections_need_rate_times_stay() -> None:
    """Little's law: a hundred patients a day who each stay five days fill five hundred beds."""
    ward = hospital.stays(disease.Disease(*np.full((4, 1), 0.1)))[0]
    patients = hospital._patients(np.full((1, 1, 200), 100.0), ward)
    assert patients[0, 0, -1] == pytest.approx(100 * ward.sum())


def test_demand_has_ordered_quantiles_for_every_day(panel: Panel, outcomes: Outcomes) -> None:
    demand = hospital.of_agents(panel, outcomes)
    assert demand.dates[0] == panel.as_of + 1
    for unit in hospital.UNITS:
        beds = demand.beds[unit][:12]
        assert beds.shape == (12, 21, 5)
        known = np.arange(12) != 3
        assert (np.diff(beds[known], axis=2) >= 0).all()
        assert np.isnan(beds[3]).all(), "nobody is known to live there"
    assert (demand.beds["icu_beds"][0, :, 2] < demand.beds["hospital_beds"][0, :, 2]).all()


def test_levels_above_have_the_patients_of_their_places(panel: Panel, outcomes: Outcomes) -> None:
    """Of the agents, and of many patients, of whom medians of sums are about sums of medians."""
    many = replace(outcomes, people=100 * outcomes.people)
    demand = hospital.of_agents(panel, many)
    assert demand.locations[12:] == ("00", "01", "top")
    assert demand.capacity["icu_beds"][12:].tolist() == [4e6, 6e6, 1e7], "of eleven places it is known"
    assert np.isnan(demand.capacity["hospital_beds"]).all()
    beds = demand.beds["hospital_beds"]
    below = np.stack([np.nansum(beds[:12][panel.group == g], axis=0) for g in (0, 1)])
    assert beds[12:14, :, 2] == pytest.approx(below[:, :, 2], rel=0.1)
    assert beds[14, :, 2] == pytest.approx(beds[12:14, :, 2].sum(axis=0), rel=0.1)
    # Chance is less of many than of few; that transmission is off is not.
    assert (np.diff(beds[14][:, [0, 4]]) < np.diff(below.sum(axis=0)[:, [0, 4]])).all()
    wider = [np.diff(row[:, [0, 4]])[-1] / row[-1, [2]] for row in (beds[14], beds[np.nanargmax(beds[:12, -1, 2])])]
    assert wider[0] > 0.6 * wider[1]
    nobody = replace(outcomes, people=np.full_like(outcomes.people, np.nan))
    assert np.isnan(hospital.of_agents(panel, nobody).beds["icu_beds"]).all()


def test_in_the_first_weeks_of_an_epidemic_the_ensemble_begins_where_the_agents_do(panel: Panel) -> None:
    early = panel.until(panel.weeks[3])
    outcomes = forecasting.run(early, 2, replicates=6, spread=True, ahead=REPORT_DAYS)
    alone = hospital.of_agents(early, outcomes).beds["hospital_beds"][:12]
    quantiles = outcomes.reports(2).mean(axis=0)[:, :, None] * np.array([0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.5])
    some = hospital.of_ensemble(early, outcomes, quantiles, LEVELS).beds["hospital_beds"]
    assert some.shape == alone.shape == (12, 14, 5)
    assert np.nansum(some[:, :, 4], axis=0) == pytest.approx(np.nansum(alone[:, :, 4], axis=0), rel=0.25)


def test_without_quantiles_the_ensemble_tells_nothing(panel: Panel) -> None:
    quantiles = np.full((12, 2, len(LEVELS)), np.nan)
    demands = hospital.demand(panel.until(panel.weeks[1]), 2, quantiles=quantiles, levels=LEVELS)
    assert list(demands) == ["agents", "ensemble"]
    assert np.isnan(demands["ensemble"].days_until_full["icu_beds"]).all()
    assert hospital.rows(demands["ensemble"], "run", "ensemble").num_rows == 0


def test_days_until_full_are_told_where_the_capacity_is_known(panel: Panel, outcomes: Outcomes) -> None:
    beds = np.full(12, 1e6)
    needed = hospital.of_agents(panel, outcomes).beds["icu_beds"][:12, 0, 2]
    most, second, third = np.argsort(-np.nan_to_num(needed))[:3]
    beds[[most, second, third]] = 0.5, 0.0, np.nan
    full = hospital.of_agents(replace(panel, capacity={"icu_beds": beds}), outcomes).days_until_full
    full = {unit: days[:12] for unit, days in full.items()}
    assert full["icu_beds"][most, 2] == 1.0
    others = np.arange(12) != most
    assert np.isnan(full["icu_beds"][others]).all(), "none that could be full, not known how many, or far more"
    assert np.isnan(full["hospital_beds"]).all()


def test_only_free_beds_count(panel: Panel, outcomes: Outcomes) -> None:
    most = hospital.of_agents(panel, outcomes).beds["icu_beds"][:12, :, 2].max(axis=1)
    place = int(np.nanargmax(most))
    beds = panel.capacity["icu_beds"].copy()
    beds[place] = 2 * most[place]
    occupied = replace(panel, capacity={"icu_beds": beds}, parameters={hospital.FREE_SHARE: 0.3})
    empty = hospital.of_agents(replace(occupied, parameters={}), outcomes).days_until_full["icu_beds"]
    assert np.isnan(empty[place, 2])
    assert hospital.of_agents(occupied, outcomes).days_until_full["icu_beds"][place, 2] >= 1.0


def test_more_cases_need_more_beds(panel: Panel, outcomes: Outcomes) -> None:
    middle = outcomes.reports(3).mean(axis=0)
    quantiles = middle[:, :, None] * np.array([0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.5])
    some = hospital.of_ensemble(panel, outcomes, quantiles, LEVELS).beds["hospital_beds"]
    many = hospital.of_ensemble(panel, outcomes, 3 * quantiles, LEVELS).beds["hospital_beds"]
    known = np.arange(12) != 3
    assert (many[known, -1, 2] > 1.5 * some[known, -1, 2]).all()
    alone = hospital.of_agents(panel, outcomes).beds["hospital_beds"][:12]
    assert some[known, :, 2].sum() == pytest.approx(alone[known, :, 2].sum(), rel=0.25)


def test_levels_above_have_the_beds_of_their_own_forecast(panel: Panel, outcomes: Outcomes) -> None:
    """Two provinces and all, when places err together: medians of sums are a little above sums of medians."""
    middle = outcomes.reports(3).mean(axis=0)
    quantiles = middle[:, :, None] * np.array([0.4, 0.6, 0.8, 1.0, 1.3, 1.7, 2.5])
    above = [level.sums(quantiles) for level in panel.levels]
    capacity = {"icu_beds": np.where(np.arange(12) % 2, 5.0, np.nan)}
    demand = hospital.of_ensemble(replace(panel, capacity=capacity), outcomes, quantiles, LEVELS, above)
    assert demand.locations[12:] == ("00", "01", "top")
    assert demand.capacity["icu_beds"][12:].tolist() == [15.0, 15.0, 30.0]
    beds = demand.beds["hospital_beds"]
    known = np.arange(12) != 3  # nobody knows how many live there, but it had patients
    below = np.stack([beds[:12][known & (panel.group == g)].sum(axis=0) for g in (0, 1)])
    assert (below[1, :, 2] <= beds[13, :, 2]).all() and (beds[13, :, 2] < 1.3 * below[1, :, 2]).all()
    assert (beds[12, :14, 2] > 1.01 * below[0, :14, 2]).all()
    assert beds[14, :, 2] == pytest.approx(beds[12:14, :, 2].sum(axis=0), rel=0.05)
    # Chance is less of many than of few.
    assert (np.diff(beds[14][:, [0, 4]]) < np.diff(below.sum(axis=0)[:, [0, 4]])).all()


def test_the_table_has_null_for_what_is_not_known(tmp_path: Path, panel: Panel, outcomes: Outcomes) -> None:
    demand = hospital.of_agents(panel, outcomes)
    with Store(tmp_path) as store:
        store.prepare()
        for _ in range(2):  # the second time replaces the first
            assert hospital.write(store, "one", {"agents": demand}) == (11 + 3) * 21 * 2
        rows = store.frame(
            "SELECT unit, count(*) AS n, count(capacity) AS told, count(days_until_full) AS filled, "
            "sum(CASE WHEN lower <= demand AND demand <= upper THEN 1 ELSE 0 END) AS ordered "
            "FROM epidemic.hospital_demand GROUP BY unit ORDER BY unit"
        )
    assert rows.to_dict("records") == [
        {"unit": "hospital_beds", "n": 294, "told": 0, "filled": 0, "ordered": 294},
        {"unit": "icu_beds", "n": 294, "told": 273, "filled": 0, "ordered": 294},
    ]
