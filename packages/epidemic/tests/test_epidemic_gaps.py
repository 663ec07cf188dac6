"""From claims to what is published: drivers, suppression, the command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from restframe_epidemic import cli, errors
from restframe_epidemic.gaps import drivers
from restframe_epidemic.gaps.claims import generate, loading
from restframe_epidemic.gaps.claims.design import Design, Places
from restframe_epidemic.privacy import published
from restframe_epidemic.privacy.attack import attack
from restframe_epidemic.privacy.cells import Table
from restframe_epidemic.store import Store

STATES, EACH = 8, 4


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """20,000 patients in 32 counties; refills come later where incidence is higher. After `gaps` has run."""
    directory = tmp_path_factory.mktemp("gaps")
    random = np.random.default_rng(5)
    count = STATES * EACH
    places = Places(
        tuple(f"{state}{i:02d}" for state in range(STATES) for i in range(EACH)),
        tuple(f"S{state}" for state in range(STATES) for _ in range(EACH)),
        np.exp(random.normal(9.0, 1.2, count)),
        random.random(count),
    )
    generate.generate(Design(20_000, seed=1), places, directory / "claims")
    with Store(directory / "warehouse") as store:
        store.prepare()
        loading.load_generated(store, directory / "claims")
        rows = [
            {"location": code, "name": code, "level": "county", "parent": parent, "population": int(people)}
            | {"latitude": 40 + i % EACH / 9, "longitude": -90 + i // EACH / 3}
            for i, (code, parent, people) in enumerate(
                zip(places.location, places.parent, places.population, strict=True)
            )
        ]
        above = [{"location": f"S{state}", "name": "state", "level": "state", "parent": "N"} for state in range(STATES)]
        top = [{"location": "N", "name": "nation", "level": "nation", "parent": None}]
        store.replace(
            "epidemic.location", pa.Table.from_pandas(pd.DataFrame(rows + above + top).astype({"population": "Int64"}))
        )
        cases = {
            "location": list(places.location),
            "date": pa.array([pd.Timestamp("2020-05-01").date()] * count),
            "cases": places.population * places.incidence * 0.1,
            "deaths": places.population * places.incidence * 0.001,
        }
        store.replace("epidemic.incidence", pa.table(cases))
        # Nobody dies: the parameter tells which share of infections is reported.
        days = pd.date_range("2020-03-15", "2020-06-27")
        people = (places.population * places.incidence * 0.1).astype(int)
        reported = {
            "location": np.repeat(places.location, len(days)),
            "date": pa.array(np.tile(days.date, count)),
            "cases": (people[:, None] * np.linspace(0, 1, len(days))).astype(int).ravel(),
        }
        store.replace("epidemic.case_report", pa.table(reported))
        store.run("INSERT INTO epidemic.parameter VALUES ('ascertainment', 0.5, 'share', 'assumed')")
        for name, ratio in (("infections_least", 0.8), ("infections_most", 2.0)):
            store.run("INSERT INTO epidemic.parameter VALUES ($1, $2, 'ratio', 'assumed')", [name, ratio])
        noise = {"location": list(places.location), "name": ["noise"] * count, "value": random.normal(size=count)}
        store.replace("epidemic.feature", pa.table(noise))
    assert cli.main(["gaps", "--warehouse", str(directory / "warehouse"), "--epidemic-start", "2020-03-15"]) == 0
    yield directory


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    with Store(directory / "warehouse") as opened:
        yield opened


def test_refills_come_later_where_there_are_more_cases(store: Store) -> None:
    first, *others = store.run(
        "SELECT driver, effect, upper FROM epidemic_published.driver WHERE measure = 'fills' ORDER BY rank"
    ).fetchall()
    assert first[0] == "reported cases per 100,000"
    assert first[1] < -0.03 and first[2] < 0
    assert "noise" in {driver for driver, _, _ in others}


def test_diagnoses_that_were_not_made_show_in_the_nations_change(store: Store) -> None:
    events, expected = store.run(
        """
        SELECT sum(events), sum(expected) FROM epidemic_gaps.local_change
        WHERE location = 'N' AND measure = 'new diagnoses' AND months = 1
        """
    ).fetchall()[0]
    # 35 % are planted. Chance alone has a standard error of 1 / sqrt(500), on either side.
    assert events > 400
    assert events / expected == pytest.approx(0.65, abs=0.1)


def test_the_attacker_finds_nothing_in_what_is_published(store: Store) -> None:
    with store.connection.warehouse.session() as session:
        session.execute("CREATE USER dash PASSWORD 'Passw0rd-of-theirs'")
        session.execute("GRANT ROLE epidemic_dashboard TO dash")
        session.execute("SET SESSION AUTHORIZATION dash")
        gap = session.execute("SELECT * FROM epidemic_published.treatment_gap").to_pandas()
        burden = session.execute("SELECT * FROM epidemic_published.condition_burden").to_pandas()
    tables = [
        Table("gap", gap, ("location", "month", "months", "measure", "subject"), "events"),
        Table("burden", burden, ("location", "condition")),
    ]
    for table in tables:
        above = table.frame[["location", "parent"]].dropna().drop_duplicates()
        assert not table.frame[table.count].between(1, 10).any()
        assert attack([table], {"location": dict(above.itertuples(index=False))}) == []
    assert gap["events"].isna().any()
    assert gap.loc[gap["events"].isna(), ["change", "lower", "upper"]].isna().all(axis=None)


def test_most_of_what_was_counted_is_shown(store: Store) -> None:
    """Four fifths of each subject by the rule; suppression for others' sake takes little more."""
    shown, counted = store.run(
        """
        SELECT sum(gap.events), sum(known.events) FROM epidemic_published.treatment_gap AS gap
        JOIN epidemic_gaps.local_change AS known ON known.location = gap.location AND known.month = gap.month
            AND known.months = gap.months AND known.measure = gap.measure AND known.subject = gap.subject
        """
    ).fetchall()[0]
    assert shown > 0.99 * counted
    told = store.run(
        """
        SELECT DISTINCT level, months FROM epidemic_published.treatment_gap
        WHERE subject IN ('statins', 'asthma') ORDER BY 1, 2
        """
    )
    # Statins are filled often enough to be told of areas and months; asthma is found too seldom, but in the nation.
    assert told.fetchall() == [("area", 1), ("county", 1), ("nation", 1), ("nation", 3), ("state", 1)]


def test_a_subject_stays_with_quarters_or_with_months(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter less two of its months would be the third."""
    told = "SELECT max(months) FROM epidemic_published.treatment_gap WHERE measure = 'new diagnoses' AND subject = $1"
    with pytest.raises(KeyboardInterrupt), store.transaction():
        store.run("UPDATE epidemic_gaps.local_change SET events = 20 * events WHERE subject = 'asthma'")
        published.publish(store)
        assert store.run(told, ["asthma"]).scalar() == 3
        monkeypatch.setattr(published, "_SHOWN", 0.99)
        published.publish(store)
        assert store.run(told, ["hypertension"]).scalar() == 1  # a month of it was left out
        store.run("DELETE FROM epidemic_published.treatment_gap")
        published.publish(store)
        assert [store.run(told, [subject]).scalar() for subject in ("asthma", "hypertension")] == [1, 3]
        raise KeyboardInterrupt  # all of it is undone


def test_every_place_has_a_figure_its_own_or_that_of_the_nearest_place_that_has_one(store: Store) -> None:
    found = store.run(
        """
        SELECT local_gap.measure, count(DISTINCT local_gap.location), min(local_gap.level), max(local_gap.level)
        FROM epidemic_published.local_gap WHERE subject IN ('statins', 'diabetes') GROUP BY 1 ORDER BY 1
        """
    ).fetchall()
    assert found == [("fills", 41, "area", "state"), ("new diagnoses", 41, "nation", "nation")]
    own = store.run("SELECT area FROM epidemic_published.area WHERE location = '000'").scalar()
    assert own == "002+"
    told = "SELECT DISTINCT told_of FROM epidemic_published.local_gap WHERE location = '000' AND subject = 'statins'"
    assert store.run(told).fetchall() == [(own,)]


def test_people_with_a_condition_who_were_infected(store: Store) -> None:
    """Half of the infections are reported, so that there are two for each case; nothing tells ages."""
    rows = store.run(
        """
        SELECT burden.patients, burden.estimated_infected, burden.infected_lower, burden.infected_upper, burden.cases
        FROM epidemic_published.condition_burden AS burden
        WHERE burden.level = 'nation' AND burden.condition = 'diabetes'
        """
    ).fetchall()
    patients, infected, lower, upper, cases = rows[0]
    enrolled = store.run(
        "SELECT count(*) FROM epidemic_claims.eligibility WHERE end_date IS NULL OR end_date >= '2020-12-31'"
    ).scalar()
    assert infected == pytest.approx(2 * cases * patients / enrolled, rel=0.06)  # two digits are told
    assert lower == pytest.approx(0.8 * infected, rel=0.06) and upper == pytest.approx(2 * infected, rel=0.06)


def test_what_is_expected_is_left_out_where_it_tells_of_a_small_count_before(store: Store) -> None:
    of_asthma = "measure = 'visits' AND subject = 'pulmonology' AND location"
    with pytest.raises(KeyboardInterrupt), store.transaction():
        before = store.run(
            f"SELECT max(events_before) FROM epidemic_gaps.local_change WHERE {of_asthma} = '003'"
        ).scalar()
        store.run(
            "UPDATE epidemic_gaps.local_change SET events_before = events_before - $1"
            f" WHERE {of_asthma} IN ('003', 'S0', 'N')",
            [before - 5],
        )
        published.publish(store)
        told = "SELECT count(events), count(expected), count(change) FROM epidemic_published.treatment_gap"
        # Its neighbour 002+ goes with it, or the total would tell.
        assert [store.run(f"{told} WHERE {of_asthma} = '{place}'").fetchall()[0][1:] for place in ("003", "002+")] == [
            (0, 0),
            (0, 0),
        ]
        raise KeyboardInterrupt  # all of it is undone


def test_what_was_suppressed_is_told(store: Store, directory: Path) -> None:
    rows = store.run("SELECT * FROM epidemic_published.suppression ORDER BY 1").fetchall()
    assert [row[0] for row in rows] == ["condition_burden", "time before the epidemic", "treatment_gap"]
    # No sums of patients: of few cells they would tell each.
    assert rows[2][1] > rows[2][2] > 0 and rows[2][3] > 0 and len(rows[2]) == 4


def test_no_fraction_tells_what_it_was_made_of(store: Store) -> None:
    def of_two_digits(values: pd.Series) -> bool:
        return len(values) > 5 and all(float(f"{value:.1e}") == value for value in values)

    burden = store.frame("SELECT * FROM epidemic_published.condition_burden WHERE patients > 0")
    for column in ("estimated_infected", "infected_lower", "infected_upper"):
        assert of_two_digits(burden[column])
    access = store.frame("SELECT * FROM epidemic_published.provider_access WHERE hhi IS NOT NULL")
    assert (access["hhi"] % 100 == 0).all() and of_two_digits(access["access"].dropna())


@pytest.mark.parametrize(
    ("table", "column", "written"),
    [
        ("condition_burden", "cases", ".0f"),
        ("condition_burden", "deaths", ".0f"),
        ("condition_burden", "deaths_per_100k", ".2f"),
        ("treatment_gap", "expected", ".2f"),
        ("treatment_gap", "change", ".4f"),
        ("treatment_gap", "upper", ".4f"),
        ("driver", "effect", ".4g"),
        ("driver", "one_sd", ".4g"),
    ],
)
def test_no_digits_of_the_arithmetic_are_published(store: Store, table: str, column: str, written: str) -> None:
    rows = store.run(f"SELECT {column} FROM epidemic_published.{table} WHERE {column} IS NOT NULL").fetchall()
    assert len(rows) > 2
    assert [value for (value,) in rows if value != float(f"{value:{written}}")] == []


def test_the_provider_finder_knows_open_providers_only(store: Store) -> None:
    columns = "provider, specialty, condition, location, location_name, accepts_new, plans"
    found = store.run(f"SELECT {columns} FROM epidemic_published.provider_finder").fetchall()
    closed = store.run("SELECT provider FROM epidemic_gaps.left_out_provider WHERE reason = 'closed'").fetchall()
    assert found and closed
    assert not {row[0] for row in found} & {row[0] for row in closed}


def test_the_command_again_gives_the_same_tables(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tables = (
        "area",
        "treatment_gap",
        "condition_burden",
        "provider_access",
        "driver",
        "provider_finder",
        "suppression",
    )

    def all_of() -> dict[str, list[str]]:
        with Store(directory / "warehouse") as store:
            return {name: sorted(map(repr, store.run(f"SELECT * FROM epidemic_published.{name}"))) for name in tables}

    before = all_of()
    assert cli.main(["gaps", "--warehouse", str(directory / "warehouse"), "--epidemic-start", "2020-03-15"]) == 0
    assert all_of() == before
    assert "treatment_gap" in capsys.readouterr().out
    with Store(directory / "warehouse") as store:
        steps = store.run(
            "SELECT step, run_step.status FROM epidemic.run_step JOIN epidemic.run ON run.run_id = run_step.run_id "
            "WHERE run.status = 'done' ORDER BY run_step.started"
        ).fetchall()
    assert steps == [
        ("infections", "done"),
        ("measures of claims", "done"),
        ("drivers", "done"),
        ("publishing", "done"),
    ]


def test_a_measure_that_fails_ends_the_run_as_failed(
    directory: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> None:
        raise errors.DataError("adherence.sql: no space left")

    monkeypatch.setattr("restframe_epidemic.gaps.marts.run", refused)
    arguments = ["--epidemic-start", "2020-03-15", "--lookback", "300"]
    assert cli.main(["gaps", "--warehouse", str(directory / "warehouse"), *arguments]) == 1
    assert "no space left" in capsys.readouterr().err
    with Store(directory / "warehouse") as store:
        ended = store.run("SELECT status, finished IS NOT NULL FROM epidemic.run ORDER BY started DESC").fetchall()
    assert ended[0] == ("failed", True)


def test_nothing_is_published_when_counts_do_not_add_up(store: Store) -> None:
    before = store.run("SELECT count(*), sum(events) FROM epidemic_published.treatment_gap").fetchall()
    with store.transaction():
        store.run("UPDATE epidemic_gaps.local_change SET events = events + 1 WHERE location = 'N'")
        with pytest.raises(errors.DataError, match="totals are not the sums of their parts"):
            published.publish(store)
        store.run("UPDATE epidemic_gaps.local_change SET events = events - 1 WHERE location = 'N'")
    assert store.run("SELECT count(*), sum(events) FROM epidemic_published.treatment_gap").fetchall() == before


def test_gaps_without_claims_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gaps", "--warehouse", str(tmp_path / "empty")]) == 1
    assert "there are no claims to measure" in capsys.readouterr().err


# Drivers on plain arrays


def planted(
    places: int = 400, states: int = 20, shared_sd: float = 0.05
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    cases, noise = random.gamma(2.0, 500.0, places), random.normal(size=places)
    state = np.arange(places) % states
    shared = random.normal(0.0, shared_sd, states)[state]
    expected = np.exp(random.normal(5.0, 1.0, places))
    z = (cases - cases.mean()) / cases.std()
    counts = random.poisson(expected * np.exp(np.log(0.8) + np.log(0.9) * z + shared))
    return {"cases": cases, "noise": noise}, np.stack([counts, expected]), state


def test_a_planted_effect_is_found_with_its_interval() -> None:
    found, (counts, expected), state = planted()
    explained = drivers.explain(counts, expected, found, state)
    cases, noise = explained.effects
    assert (cases.driver, cases.rank, cases.places, cases.clusters) == ("cases", 1, 400, 20)
    assert cases.lower < -0.1 < cases.upper and cases.upper < -0.05
    assert noise.lower < 0 < noise.upper
    assert cases.one_sd == pytest.approx(found["cases"].std())
    assert 0.3 < explained.r_squared < 1


def test_clustered_errors_widen_the_interval_of_what_is_the_same_in_a_state() -> None:
    _, (counts, expected), state = planted(shared_sd=0.3)
    random = np.random.default_rng(9)
    policy = random.normal(size=20)[state]
    clustered = drivers.explain(counts, expected, {"policy": policy}, state).effects[0]
    alone = drivers.explain(counts, expected, {"policy": policy}, np.arange(len(state))).effects[0]
    assert clustered.effect == pytest.approx(alone.effect)
    assert clustered.upper - clustered.lower > 1.2 * (alone.upper - alone.lower)


def test_drivers_that_cannot_be_told_apart_are_left_out() -> None:
    found, (counts, expected), state = planted()
    unknown = np.where(np.arange(len(state)) % 2, np.nan, found["noise"])
    more = {**found, "twin": 2 * found["cases"] + 1, "same": np.ones(len(state)), "unknown": unknown}
    explained = drivers.explain(counts, expected, more, state)
    assert {effect.driver for effect in explained.effects} == {"cases", "noise"}
    assert explained.notices == (
        "twin is left out: it goes with cases",
        "same is left out: it is the same everywhere",
        "unknown is left out: it is unknown of 200 of 400 places",
    )


def test_an_index_is_left_out_beside_its_parts() -> None:
    found, (counts, expected), state = planted()
    part = np.random.default_rng(4).normal(size=len(state))
    more = {**found, "part": part, "index": found["noise"] + part}
    explained = drivers.explain(counts, expected, more, state)
    assert explained.notices == ("index is left out: the others together tell it",)
    assert explained.effects[0].driver == "cases" and len(explained.effects) == 3


def test_too_few_places_explain_nothing() -> None:
    found, (counts, expected), state = planted(places=8, states=1)
    with pytest.raises(errors.NoData, match="too few to explain"):
        drivers.explain(counts, expected, found, state)
