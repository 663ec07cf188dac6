"""Demand, access, concentration and local change, on claims whose answers were found by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from restframe_epidemic.gaps import claims, marts
from restframe_epidemic.gaps.marts import Parameters
from restframe_epidemic.store import Store

LAST = date(2020, 12, 31)
PARAMETERS = Parameters(date(2018, 1, 1), LAST, date(2020, 7, 1))


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store(tmp_path_factory.mktemp("access") / "warehouse") as opened:
        opened.prepare()
        opened.run(claims.schema())
        yield opened


@pytest.fixture
def store(warehouse: Store) -> Store:
    """Four counties: b is 22 km from a, c 60 km from both, d far away; claims of nobody yet."""
    for table in ("patient", "eligibility", "medical_claim", "pharmacy_claim", "provider", "affiliation", "condition"):
        warehouse.run(f"DELETE FROM epidemic_claims.{table}")
    warehouse.run("DELETE FROM epidemic.location")
    warehouse.run(
        """
        INSERT INTO epidemic.location VALUES
            ('a', 'A', 'county', 'S', 100, 40.0, -90.0), ('b', 'B', 'county', 'S', 100, 40.2, -90.0),
            ('c', 'C', 'county', 'S', 100, 40.0, -90.7), ('d', 'D', 'county', 'T', 100, 41.5, -90.0),
            ('S', 'S', 'state', 'N', NULL, NULL, NULL), ('T', 'T', 'state', 'N', NULL, NULL, NULL),
            ('N', 'N', 'nation', NULL, NULL, NULL, NULL)
        """
    )
    warehouse.run("INSERT INTO epidemic_claims.condition VALUES ('E11', 'diabetes', 'endocrinology')")
    return warehouse


def patient(store: Store, token: str, location: str | None, end: date | None = None) -> None:
    store.run("INSERT INTO epidemic_claims.patient (token, location) VALUES ($1, $2)", [token, location])
    store.run("INSERT INTO epidemic_claims.eligibility VALUES ($1, NULL, CAST('2018-01-01' AS date), $2)", [token, end])


def visits(store: Store, rows: list[tuple[str, str, date, str | None]]) -> None:
    """claim, token, day, provider: of diabetes"""
    values = ", ".join(
        f"('{claim}', 1, '{token}', {provider}, '{day}', '{day}', 'E119')"
        for claim, token, day, provider in ((*row[:3], f"'{row[3]}'" if row[3] else "NULL") for row in rows)
    )
    store.run(
        "INSERT INTO epidemic_claims.medical_claim (claim, line, token, provider, from_date, through_date, diagnosis_1)"
        f" VALUES {values}"
    )


def provider(store: Store, name: str, location: str | None, a_week: float, specialty: str | None) -> None:
    store.run(
        "INSERT INTO epidemic_claims.provider VALUES ($1, $2, 'F', $3, true, 'gold', $4)",
        [name, specialty, location, a_week],
    )
    store.run(
        "INSERT INTO epidemic_claims.affiliation VALUES ($1, 'F', $2, CAST('2010-01-01' AS date), NULL)",
        [name, location],
    )


def test_demand_and_what_was_postponed(store: Store) -> None:
    patient(store, "p", "a")
    patient(store, "left", "a", end=date(2020, 6, 30))
    # Every four weeks until the epidemic, and one visit after that; the other patient goes with the plan.
    days = [date(2018, 1, 4) + timedelta(weeks=4 * i) for i in range(33)]
    assert days[-1] < date(2020, 7, 1) <= days[-1] + timedelta(weeks=4)
    rows = [(f"p{i}", "p", day, None) for i, day in enumerate(days)]
    rows += [(f"l{i}", "left", day, None) for i, day in enumerate(days)]
    rows.append(("late", "p", date(2020, 9, 3), None))
    visits(store, rows)
    marts.run(store, PARAMETERS, ["demand"])
    found = store.run(
        """
        SELECT week_end, patients, visits, expected_visits, postponed, demand FROM epidemic_gaps.demand
        WHERE location = 'a' AND specialty = 'endocrinology' ORDER BY week_end
        """
    ).fetchall()
    by_week = {row[0]: row[1:] for row in found}
    # No calendar: weeks end as the last day of the claims does, on Thursdays.
    assert by_week[date(2019, 10, 3)][:2] == (2, 0)
    assert by_week[date(2020, 7, 2)][:2] == (1, 0)
    assert by_week[date(2020, 9, 3)][:2] == (1, 1)
    # 26 weeks of the epidemic at about a visit in four weeks, less the one that was made.
    _, _, expected, postponed, demand = by_week[LAST]
    assert expected == pytest.approx(0.25, abs=0.15)
    assert postponed == pytest.approx(27 * 0.25 - 1, abs=1.0)
    assert demand == pytest.approx(expected + postponed / 26)


def test_access_is_as_pysal_finds_it(store: Store) -> None:
    """access 1.1.1: enhanced_two_stage_fca with max_cost=100 and step_fn({25: 1, 50: .68, 100: .22}) on the same."""
    for name, location, a_week in (("x", "a", 40.0), ("y", "a", 20.0), ("z", "c", 25.0)):
        provider(store, name, location, a_week, "endocrinology")
    _demand(store, {"a": 30, "b": 20, "c": 50, "d": 10})
    marts.run(store, PARAMETERS, ["access"])
    rows = store.run("SELECT location, access, capacity, providers FROM epidemic_gaps.access ORDER BY 1").fetchall()
    # by hand: 60 / (30 + 20 + .22 * 50) at a, 25 / (50 + .22 * 50) at c
    assert [(place, round(access, 5), capacity, count) for place, access, capacity, count in rows] == [
        ("a", 1.07377, 60.0, 2),
        ("b", 1.07377, 0.0, 0),
        ("c", 0.62623, 25.0, 1),
        ("d", 0.0, 0.0, 0),
    ]


def test_providers_that_offer_nothing_are_listed_with_the_reason(store: Store) -> None:
    provider(store, "nowhere", None, 10.0, "endocrinology")
    provider(store, "what", "a", 10.0, None)
    provider(store, "dowser", "a", 10.0, "dowsing")
    provider(store, "shut", "a", 10.0, "endocrinology")
    store.run("UPDATE epidemic_claims.affiliation SET end_date = '2020-06-01' WHERE provider = 'shut'")
    provider(store, "good", "a", 10.0, "endocrinology")
    _demand(store, {"a": 20})
    marts.run(store, PARAMETERS, ["access"])
    assert store.run("SELECT provider, reason FROM epidemic_gaps.left_out_provider ORDER BY 1").fetchall() == [
        ("dowser", "specialty of no condition"),
        ("nowhere", "without location"),
        ("shut", "closed"),
        ("what", "unknown specialty"),
    ]
    assert store.run("SELECT capacity, access FROM epidemic_gaps.access").fetchall() == [(10.0, 0.5)]


def test_a_place_without_coordinates_has_no_access(store: Store) -> None:
    store.run("UPDATE epidemic.location SET latitude = NULL WHERE location = 'b'")
    provider(store, "x", "a", 15.0, "endocrinology")
    _demand(store, {"a": 30, "b": 20})
    marts.run(store, PARAMETERS, ["access"])
    rows = store.run("SELECT location, access FROM epidemic_gaps.access ORDER BY 1").fetchall()
    assert rows == [("a", 0.5), ("b", None)]


def _demand(store: Store, wanted: dict[str, float]) -> None:
    store.run("DROP TABLE IF EXISTS epidemic_gaps.demand")
    store.run("CREATE SCHEMA IF NOT EXISTS epidemic_gaps")
    store.run(
        "CREATE TABLE epidemic_gaps.demand (location varchar(16), specialty varchar(64), week_end date, demand float8)"
    )
    for place, demand in wanted.items():
        store.run(
            "INSERT INTO epidemic_gaps.demand VALUES ($1, 'endocrinology', CAST($2 AS date), $3)",
            [place, LAST, demand],
        )
    # There must be claims at all.
    patient(store, "p", "a")
    visits(store, [("1", "p", LAST, None)])


def test_concentration(store: Store) -> None:
    for name in ("x", "y", "z"):
        provider(store, name, "a", 10.0, "endocrinology")
    provider(store, "other", "a", 10.0, "dowsing")
    patient(store, "p", "a")
    before, since = date(2020, 3, 2), date(2020, 8, 3)
    visits(store, [(f"b{i}", "p", before, name) for i, name in enumerate("xxyz")])
    visits(store, [(f"s{i}", "p", since, name) for i, name in enumerate(("x", "x", "other", None))])
    marts.run(store, PARAMETERS, ["demand", "concentration"])
    rows = store.run(
        "SELECT is_since, visits, providers, hhi FROM epidemic_gaps.concentration WHERE location = 'a' ORDER BY 1"
    ).fetchall()
    # shares of 50, 25 and 25 %: 2500 + 625 + 625
    assert rows == [(False, 4, 3, 3750.0), (True, 2, 1, 10000.0)]


def test_local_change(store: Store) -> None:
    """8 visits a month everywhere before; then 4 in a, 8 in d. Months of the epidemic begin with July 2020."""
    rows = []
    for place, now in (("a", 4), ("d", 8)):
        for at in range(8):
            patient(store, f"{place}{at}", place)
        for month in range(36):
            day = date(2018 + month // 12, month % 12 + 1, 10)
            for at in range(now if day >= date(2020, 7, 1) else 8):
                rows.append((f"{place}{month}-{at}", f"{place}{at}", day, None))
    visits(store, rows)
    marts.run(store, PARAMETERS, ["diagnosis", "demand", "local_change"])
    found = store.run(
        """
        SELECT location, events, exposure, events_before, round(expected, 3), round(change, 3), round(lower, 3),
            round(upper, 3)
        FROM epidemic_gaps.local_change WHERE measure = 'visits' AND month = '2020-10-01' AND months = 1
        ORDER BY location
        """
    ).fetchall()
    # The year of looking back is no baseline: 18 months of 8 are. Of a: p = 4 / 148, Wilson's .010559 to .067427,
    # as odds times 18. S and T are their only counties with patients; N has 12 of 16.
    assert found == [
        ("N", 12, 16, 288, 16.0, 0.75, 0.424, 1.326),
        ("S", 4, 8, 144, 8.0, 0.5, 0.192, 1.301),
        ("T", 8, 8, 144, 8.0, 1.0, 0.498, 2.009),
        ("a", 4, 8, 144, 8.0, 0.5, 0.192, 1.301),
        ("d", 8, 8, 144, 8.0, 1.0, 0.498, 2.009),
    ]
    quarters = store.run(
        """
        SELECT location, month, events, events_before, round(expected, 3) FROM epidemic_gaps.local_change
        WHERE measure = 'visits' AND months = 3 AND location IN ('a', 'N') ORDER BY location, month
        """
    ).fetchall()
    assert quarters == [
        ("N", date(2020, 7, 1), 36, 288, 48.0),
        ("N", date(2020, 10, 1), 36, 288, 48.0),
        ("a", date(2020, 7, 1), 12, 144, 24.0),
        ("a", date(2020, 10, 1), 12, 144, 24.0),
    ]


def test_patients_of_whom_only_the_state_is_known_count_in_no_total(store: Store) -> None:
    for token, place in (("p", "a"), ("s", "S"), ("u", None)):
        patient(store, token, place)
    days = [date(2019, 3, 4), date(2020, 8, 3), date(2020, 9, 7)]
    visits(store, [(f"{token}{day}", token, day, None) for token in ("p", "s", "u") for day in days])
    marts.run(store, PARAMETERS, ["diagnosis", "demand", "access", "concentration", "local_change", "published"])
    events = "SELECT DISTINCT location, events FROM epidemic_gaps.local_change WHERE month = '2020-09-01' ORDER BY 1, 2"
    assert store.run(events).fetchall() == [("N", 0), ("N", 1), ("S", 0), ("S", 1), ("a", 0), ("a", 1)]
    burden = "SELECT location, patients FROM epidemic_gaps.burden ORDER BY 1, 2"
    assert store.run(burden).fetchall() == [("N", 1), ("S", 1), ("a", 1)]


def test_people_with_a_condition_who_were_infected_by_age(store: Store) -> None:
    """Of 3 young patients 2 are ill, of 2 old ones both. In a, 80 young and 20 old people live, who catch it twice as
    easily: 80 * 2/3 + 40 of 120 of those infected have it; and 3 patients for 2 * 2/3 + 2 expected.
    """
    store.run("INSERT INTO epidemic.population_age VALUES ('a', 0, 80), ('a', 60, 20)")
    store.run("INSERT INTO epidemic.age_severity (age_from, susceptibility) VALUES (0, 1), (50, 2)")
    store.run("INSERT INTO epidemic.parameter VALUES ('infections_least', 0.5, '', ''), ('infections_most', 2, '', '')")
    marts.prepare(store)
    store.run("DELETE FROM epidemic_gaps.infection")
    store.run("INSERT INTO epidemic_gaps.infection VALUES ('a', 50)")
    for token, place, born in (("y1", "a", 2000), ("y2", "a", 2000), ("y3", "b", 2000), ("o1", "a", 1940)):
        patient(store, token, place)
        store.run("UPDATE epidemic_claims.patient SET birth_year = $1 WHERE token = $2", [born, token])
    patient(store, "o2", "a")
    store.run("UPDATE epidemic_claims.patient SET birth_year = 1960 WHERE token = 'o2'")
    visits(store, [(token, token, date(2020, 9, 7), None) for token in ("y1", "y3", "o1", "o2")])
    marts.run(store, PARAMETERS, ["demand", "access", "published"])
    for table in ("population_age", "age_severity", "parameter"):
        store.run(f"DELETE FROM epidemic.{table}")
    rows = store.run(
        """
        SELECT location, patients, round(infected, 6), round(infected_lower, 3), round(infected_upper, 3)
        FROM epidemic_gaps.burden WHERE location IN ('a', 'b', 'S', 'd') ORDER BY location
        """
    ).fetchall()
    # ln 2 and 1.96 / sqrt(patients) together; S has 4 patients for as many expected, and a's infections.
    assert rows == [
        ("S", 4, 38.888889, 11.709, 129.162),
        ("a", 3, 35.0, 9.284, 131.943),
        ("b", 1, None, None, None),
    ]


def test_every_file_of_measures_is_run() -> None:
    folder = Path(marts.__file__).parent
    assert {path.stem for path in folder.glob("*.sql")} == {*marts.STEPS, "parameters", "end"}


def test_the_extract_by_patient_is_coarser_than_the_claims(store: Store) -> None:
    store.run("UPDATE epidemic.location SET population = 50000 WHERE location = 'a'")
    for token, place, born in (("p", "a", 1950), ("old", "a", 1925), ("few", "b", 1950)):
        patient(store, token, place)
        store.run("UPDATE epidemic_claims.patient SET birth_year = $1 WHERE token = $2", [born, token])
        visits(store, [(token, token, date(2020, 12, 28), None)])
    marts.run(store, PARAMETERS, ["extract"])
    rows = store.run("SELECT age, area, condition, week_end, visits FROM epidemic_gaps.patient_extract ORDER BY 1, 2")
    # 90 is everybody over 89; 100 people live in b, so that its state stands there; weeks end on Thursdays.
    assert rows.fetchall() == [
        (70, "S", "diabetes", LAST, 1),
        (70, "a", "diabetes", LAST, 1),
        (90, "a", "diabetes", LAST, 1),
    ]
    assert store.run("SELECT count(DISTINCT person) FROM epidemic_gaps.patient_extract").scalar() == 3
    columns = "SELECT column_name FROM svv_columns WHERE table_name = 'patient_extract'"
    assert "token" not in {name for (name,) in store.run(columns).fetchall()}
