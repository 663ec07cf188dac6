"""The agent-based simulation: its people, its course, its calibration, and what it forecasts."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from restframe_epidemic import errors
from restframe_epidemic.models import agents, compartments, member
from restframe_epidemic.models.agents import (
    calibration,
    disease,
    forecasting,
    interventions,
    kernel,
    population,
    randomness,
    reproduction,
    simulation,
)
from restframe_epidemic.panel import FloatArray, Panel

AGE_FROM = np.array([0, 18, 65])
AGE_SHARE = np.array([0.25, 0.6, 0.15])
ALIKE = disease.Disease(
    susceptibility=np.ones(3),
    hospitalised=np.array([0.01, 0.05, 0.3]),
    critical=np.array([0.001, 0.01, 0.1]),
    fatal=np.array([0.0, 0.005, 0.2]),
)


@pytest.fixture(scope="module")
def waves() -> ModuleType:
    path = Path(__file__).parent / "waves.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def provinces(waves: ModuleType) -> Panel:
    panel: Panel = waves.panel(places=24, provinces=3, weeks=32)
    return panel


def people(agents: int = 20_000, **society: float) -> population.Population:
    return population.synthesize(
        agents, AGE_FROM, AGE_SHARE, replace(population.Society(), **society), randomness.stream("people")
    )


def spread(
    who: population.Population,
    ill: disease.Disease,
    days: int = 120,
    seeds: int = 20,
    replicates: int = 2,
    scale: FloatArray | None = None,
    immune: int = 0,
) -> simulation.Course:
    target = np.full((replicates, days), kernel.FREE)
    target[:, 0] = seeds
    streams = np.concatenate([randomness.stream("spread", number) for number in range(replicates)])
    return simulation.simulate(
        who, disease.prepare(ill), streams, target=target, transmission=np.ones(target.shape), scale=scale,
        immune=immune,
    )  # fmt: skip


# People


def test_people_have_the_ages_households_and_groups_of_their_place() -> None:
    who = people(50_000, household_size=3.0)
    assert np.bincount(who.age) / 50_000 == pytest.approx(AGE_SHARE, abs=0.01)
    heads = np.unique(who.first)
    assert 50_000 / len(heads) == pytest.approx(3.0, abs=0.05)
    assert (who.age[heads] > 0).all(), "no household of children alone"
    np.testing.assert_array_equal(np.flatnonzero(who.first == who.first[1234]), who.first[1234] + np.arange(
        who.others[1234] + 1))  # fmt: skip
    sizes = np.diff(who.start)
    assert sizes[: who.classes].mean() == pytest.approx(20, rel=0.1)
    assert sizes[who.classes :].mean() == pytest.approx(16, rel=0.1)
    assert (who.age[who.group < 0] != 0).sum() > 0
    for group in (0, who.classes):
        members = who.member[who.start[group] : who.start[group + 1]]
        assert (who.group[members] == group).all()


def test_a_place_of_one_person_has_one_household() -> None:
    who = people(1)
    assert (len(who.age), who.others[0], who.first[0]) == (1, 0, 0)


# The course


def test_nobody_appears_or_vanishes() -> None:
    course = spread(people(), ALIKE, immune=1000)
    states = course.states()
    assert (sum(states.values()) == 20_000).all()
    assert all((count >= 0).all() for count in states.values())
    last = {name: count[:, -1].tolist() for name, count in states.items()}
    assert (course.status == kernel.SUSCEPTIBLE).sum(axis=1).tolist() == last["susceptible"]
    assert (course.by_age.sum(axis=2) == course.series("infected")).all()
    assert (course.icu() <= course.beds()).all()
    assert (course.icu() >= 0).all()


def test_severity_follows_its_table() -> None:
    course = spread(people(50_000), replace(ALIKE, contact_rate=(0.1, 0.4, 0.4, 0.4)), days=300, seeds=100)
    by_age = course.by_age.sum(axis=(0, 1))
    assert course.series("admitted").sum() == pytest.approx(by_age @ ALIKE.hospitalised, rel=0.05)
    assert course.series("icu_in").sum() == pytest.approx(by_age @ ALIKE.critical, rel=0.1)
    assert course.series("died").sum() == pytest.approx(by_age @ ALIKE.fatal, rel=0.1)


def test_the_mean_field_limit_has_the_final_size_of_seir() -> None:
    """One layer, everybody alike: the final size solves z = 1 - exp(-R0 z)."""
    alike = replace(ALIKE, contact_rate=(0.0, 0.0, 0.0, 0.3), asymptomatic_infectiousness=1.0)
    R0 = 0.3 * alike.infectious_days()
    course = spread(people(50_000), alike, days=365, seeds=50, replicates=3)
    size = course.series("infected").sum(axis=1) / 50_000
    z = 0.5
    for _ in range(100):
        z = 1 - np.exp(-R0 * z)
    assert size == pytest.approx(z, rel=0.02)
    days = compartments.Course(latent_days=4.0, infectious_days=alike.infectious_days())
    seir = compartments.simulate(np.array([[49_950.0, 50.0, 0.0, 0.0]]), np.full((1, 52), 0.3), days)
    assert size.mean() == pytest.approx(float(seir.R[0, -1]) / 50_000, rel=0.05)


def test_infection_comes_home_more_often_than_it_comes_from_strangers() -> None:
    """Who lives with somebody infected is more often infected than others are."""
    course = spread(people(), ALIKE, days=60, seeds=50, replicates=1)
    ever = course.status[0] != kernel.SUSCEPTIBLE
    who = people()
    infected_at_home = np.bincount(who.first, weights=ever, minlength=20_000)[who.first] - ever
    exposed = (infected_at_home > 0) & (who.others > 0)
    assert ever[exposed].mean() > 2 * ever[~exposed].mean()


def test_closing_schools_spares_children_most() -> None:
    ill = replace(ALIKE, contact_rate=(0.03, 0.6, 0.1, 0.1))
    opened = spread(people(), ill, replicates=4)
    closed = spread(people(), ill, replicates=4, scale=interventions.closed(["school"], 120))
    before, after = opened.by_age.sum(axis=(0, 1)), closed.by_age.sum(axis=(0, 1))
    assert (after < before).all()
    assert after[0] / before[0] < 0.8 * after[1] / before[1]


def test_a_target_is_reached_and_tells_the_reproduction_number() -> None:
    """Replayed at a constant number of infections a day, transmission 1 keeps it constant."""
    who, days = people(50_000), 42
    target = np.full((4, days + 28), kernel.FREE)
    target[:, :days] = 40
    streams = np.concatenate([randomness.stream("target", number) for number in range(4)])
    course = simulation.simulate(
        who, disease.prepare(ALIKE), streams, target=target, transmission=np.ones(target.shape), inverted=True
    )
    infected = course.series("infected")
    assert (infected[:, :days] == 40).all()
    assert infected[:, days : days + 7].mean() == pytest.approx(40, rel=0.1)
    # Without anybody infectious on the first days, all of them came from outside.
    assert (course.contacts[:, 0] == 0).all()


def test_where_nobody_is_left_contacts_end() -> None:
    """Each infection seems to take thousands of contacts there: of as many agents as these, a day took minutes."""
    who, days = people(400), 42
    target = np.full((1, days + 28), kernel.FREE)
    target[:, :days] = 0
    target[:, days - 7 : days] = 400
    course = simulation.simulate(
        who, disease.prepare(ALIKE), randomness.stream("nobody"), target=target,
        transmission=np.full(target.shape, 5.0), inverted=True,
    )  # fmt: skip
    assert course.series("infected").sum() == 400
    assert course.contacts[0, :days].max() < 4 * 400
    assert course.contacts[0, days] == pytest.approx(20 * 400, rel=0.05)


def test_streams_decide_and_nothing_else() -> None:
    who = people()
    first, second = spread(who, ALIKE, replicates=2), spread(who, ALIKE, replicates=1)
    np.testing.assert_array_equal(first.flow[0], second.flow[0])
    assert (first.flow[0] != first.flow[1]).any()


def test_a_stream_is_known_by_its_names_alone() -> None:
    assert randomness.stream(1, "01001", 2) == randomness.stream(1, "01001", 2)
    assert randomness.stream(1, "01001", 2) != randomness.stream(1, "0100", 12)


def test_poisson_numbers_have_their_mean_and_variance() -> None:
    stream = randomness.stream("poisson")
    for mean in (0.0, 0.3, 30.0, 3000.0):
        numbers = np.array([randomness.poisson(stream, mean) for _ in range(2000)])
        assert numbers.mean() == pytest.approx(mean, abs=5 * (mean / 2000) ** 0.5)
        assert numbers.var() == pytest.approx(mean, rel=0.2)


# Reproduction numbers


def test_days_of_weeks_keep_their_sums() -> None:
    weekly = np.array([[0.0, 3.0, 100.0, 90.0], [0.0, 0.0, 0.0, 0.0]])
    days = reproduction.daily(weekly)
    np.testing.assert_allclose(days.reshape(2, 4, 7).sum(axis=2), weekly)
    assert (days >= 0).all()
    assert days[0, 14] < days[0, 20], "rising within the week in which reports rise"


def test_infectiousness_is_a_share_of_days_after_infection() -> None:
    w = reproduction.infectiousness(ALIKE)
    assert w.sum() == pytest.approx(1.0)
    assert w[0] == 0.0
    assert w @ np.arange(len(w)) == pytest.approx(7.0, abs=0.7)


@pytest.mark.parametrize("weeks", [3, 7])
def test_with_a_short_history_last_week_goes_on(waves: ModuleType, weeks: int) -> None:
    panel: Panel = waves.panel(places=6, provinces=2, weeks=7)
    panel = panel.until(panel.weeks[weeks - 1])
    panel = replace(panel, signals={"c1_school_closing": np.full((6, 7 * weeks), 2.0)})
    found = agents.forecast(panel, 2, replicates=4)
    last = panel.weekly()[:, -1]
    assert found.sum(axis=0) == pytest.approx(last.sum(), rel=0.25)


# Forecasts


def test_the_member_forecasts_every_place(provinces: Panel) -> None:
    found = member("agents")(provinces, 4, seed=1)
    assert found.shape == (24, 4)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    last = provinces.weekly()[:, -1].sum()
    assert 0.3 * last < found[:, 0].sum() < 3 * last


def test_it_is_better_than_last_week_when_waves_are_alike(waves: ModuleType) -> None:
    whole: Panel = waves.panel(places=40, provinces=4, weeks=44)
    cut = whole.until(whole.weeks[-5])
    truth = whole.weekly()[:, -4:]
    error = np.abs(agents.forecast(cut, 4, replicates=5) - truth).sum()
    assert error < 0.9 * np.abs(cut.weekly()[:, -1:] - truth).sum()


def test_the_number_of_threads_changes_no_bit(provinces: Panel) -> None:
    one = agents.run(provinces, 2, replicates=2, threads=1).people
    np.testing.assert_array_equal(agents.run(provinces, 2, replicates=2, threads=3).people, one)
    assert (agents.run(provinces, 2, replicates=2, seed=1).people != one).any()


def test_later_data_change_nothing(provinces: Panel, waves: ModuleType) -> None:
    day = provinces.weeks[-4]
    early: Panel = waves.panel(places=24, provinces=3, weeks=32).until(day)
    for target in ("cases", "deaths"):
        np.testing.assert_array_equal(
            agents.forecast(provinces.until(day), 2, target=target, replicates=2),
            agents.forecast(early, 2, target=target, replicates=2),
        )


def test_places_without_people_or_reports_have_no_forecast_and_stop_nobody(provinces: Panel) -> None:
    unknown, silent = provinces.population.copy(), {k: v.copy() for k, v in provinces.daily.items()}
    unknown[0], unknown[4] = np.nan, 0.0
    silent["cases"][1] = np.nan
    silent["cases"][2] = 0.0
    broken = replace(provinces, population=unknown, daily=silent)
    found = agents.forecast(broken, 2, replicates=2)
    assert np.isnan(found[[0, 1, 4]]).all()
    assert found[2] == pytest.approx([0.0, 0.0], abs=2.0)
    assert np.isfinite(found[[3, *range(5, 24)]]).all()


def test_a_neighbourhood_whose_people_are_not_known_stops_nobody(provinces: Panel) -> None:
    unknown = provinces.population.copy()
    unknown[[0, *provinces.neighbours[0]]] = np.nan
    found = agents.forecast(replace(provinces, population=unknown), 2, replicates=2)
    assert (np.isfinite(found).all(axis=1) == np.isfinite(unknown)).all()


def test_a_place_that_fails_is_left_out_and_told(
    provinces: Panel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = forecasting.synthesize

    def synthesize(count: int, *arguments: Any) -> population.Population:
        if count == int(provinces.population[5]):
            raise ValueError("no such people")
        return made(count, *arguments)

    monkeypatch.setattr(forecasting, "synthesize", synthesize)
    found = agents.forecast(provinces, 2, replicates=2)
    assert np.flatnonzero(np.isnan(found[:, 0])).tolist() == [5]
    assert caplog.messages == [f"{provinces.locations[5]} is not simulated: no such people"]


def test_more_reports_than_people_are_survived(provinces: Panel) -> None:
    tiny = provinces.population.copy()
    tiny[:3] = 30.0, 1.0, 1e-9
    assert np.isfinite(agents.forecast(replace(provinces, population=tiny), 2, replicates=2)).all()


def test_samples_are_wider_than_replicates_of_the_expectation(provinces: Panel) -> None:
    varied = agents.samples(provinces, 2, replicates=6)
    assert varied.shape == (6, 24, 2)
    same = agents.run(provinces, 2, replicates=6).reports(2)
    assert (varied.sum(axis=1).std(axis=0) > 2 * same.sum(axis=1).std(axis=0)).all()


def test_deaths_follow_the_cases(provinces: Panel) -> None:
    found = agents.forecast(provinces, 4, target="deaths", replicates=2)
    seen = provinces.weekly("deaths")[:, -1].sum()
    assert 0.3 * seen < found[:, 0].sum() < 3 * seen
    assert agents.samples(provinces, 2, target="deaths", replicates=3).shape == (3, 24, 2)


def test_ascertainment_is_told_by_deaths(provinces: Panel) -> None:
    ill = disease.of_panel(provinces)
    weeks = provinces.weekly().shape[1]
    share = calibration.ascertainment(provinces, ill, weeks - 8, weeks)
    more = replace(provinces, daily={**provinces.daily, "deaths": 3 * provinces.daily["deaths"]})
    assert (calibration.ascertainment(more, ill, weeks - 8, weeks) < share).all()
    none = replace(provinces, daily={"cases": provinces.daily["cases"]}, parameters={"ascertainment": 0.5})
    assert (calibration.ascertainment(none, ill, weeks - 8, weeks) == 0.5).all()
    usual = calibration.ascertainment(replace(none, parameters={}), ill, weeks - 8, weeks)
    assert (usual == compartments.Course().ascertainment).all()  # that of SEIR


def test_who_was_infected_before_the_first_week_is_immune(provinces: Panel, waves: ModuleType) -> None:
    late = waves.begun_late(provinces, 12)
    ill = disease.of_panel(late)
    found, none = (calibration.calibrate(panel, ill, 2).immune for panel in (late, replace(late, before={})))
    assert (found > np.minimum(none + late.before["cases"], 0.6 * late.population - 1)).all()


def test_an_unknown_target_is_refused(provinces: Panel) -> None:
    with pytest.raises(errors.UsageError, match='no target "births"'):
        agents.forecast(provinces, 2, target="births")


# Policies


def test_policies_scale_their_layers_by_day(provinces: Panel) -> None:
    level = np.zeros(provinces.daily["cases"].shape)
    level[:, -7:] = 3.0
    level[0] = np.nan
    policed = replace(provinces, signals={"c1_school_closing": level})
    scale = interventions.layer_scale(policed, 14, 2)
    assert scale.shape == (24, 16, 4)
    assert scale[1, 6].tolist() == [1.0, 1.0, 1.0, 1.0]
    assert scale[1, 7].tolist() == [1.0, 0.1, 1.0, 1.0]
    assert scale[1, 15].tolist() == [1.0, 0.1, 1.0, 1.0], "the last policy holds"
    assert (scale[0] == 1.0).all(), "what is not known changes nothing"


def test_closing_everything_ahead_ends_the_epidemic(provinces: Panel) -> None:
    scale = np.ones((24, 42 + 28, 4))
    scale[:, 42:] = 0.05
    open_, shut = (agents.run(provinces, 4, replicates=2, policies=p).reports(4) for p in (None, scale))
    assert shut[:, :, 3].sum() < 0.2 * open_[:, :, 3].sum()


def test_a_wrong_table_of_policies_names_its_line(tmp_path: Path) -> None:
    table = tmp_path / "effects.csv"
    table.write_text("signal,level,layer,factor\nmasks,1,community,0.8\nmasks,2,theatre,0.7\n")
    with pytest.raises(errors.DataError, match=r'effects\.csv, line 3: no layer "theatre"'):
        interventions.effects(table)
