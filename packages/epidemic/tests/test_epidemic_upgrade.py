"""A warehouse of an earlier version goes on with this one."""

from __future__ import annotations

from pathlib import Path

import pytest

from restframe_epidemic import errors
from restframe_epidemic.privacy import roles
from restframe_epidemic.store import Store

# As they were before beds of all levels, areas and quarters, each with a row.
EARLIER = """
CREATE SCHEMA epidemic;
CREATE SCHEMA epidemic_published;
CREATE TABLE epidemic.location (
    location varchar(16) NOT NULL PRIMARY KEY, name varchar(128) NOT NULL, level varchar(16) NOT NULL,
    parent varchar(16), population bigint, latitude float8, longitude float8
) DISTSTYLE ALL;
INSERT INTO epidemic.location VALUES ('N1', 'North', 'county', NULL, 900, NULL, NULL);
CREATE TABLE epidemic.hospital_demand (
    run_id varchar(64) NOT NULL, reference_date date NOT NULL, location varchar(16) NOT NULL, unit varchar(32) NOT NULL,
    date date NOT NULL, demand float8 NOT NULL, lower float8, upper float8, capacity float8, days_until_full int
);
INSERT INTO epidemic.hospital_demand VALUES
    ('r', '2021-01-04', 'N1', 'icu_beds', '2021-01-05', 7, 5, 9, 20, NULL);
CREATE VIEW epidemic_published.hospital_demand AS
SELECT beds.reference_date, beds.location, place.name, place.level, place.parent, beds.unit, beds.date, beds.demand,
       beds.lower, beds.upper, beds.capacity, beds.days_until_full
FROM epidemic.hospital_demand AS beds
JOIN epidemic.location AS place ON place.location = beds.location;
CREATE TABLE epidemic_published.condition_burden (
    as_of date, location varchar(16), name varchar(128), level varchar(16), parent varchar(16), condition varchar(64),
    patients bigint, estimated_infected float8, cases float8, deaths float8, deaths_per_100k float8
);
CREATE TABLE epidemic_published.treatment_gap (
    location varchar(16), name varchar(128), level varchar(16), parent varchar(16), month date, measure varchar(64),
    subject varchar(64), events bigint, expected float8, change float8, lower float8, upper float8
);
INSERT INTO epidemic_published.treatment_gap VALUES
    ('N1', 'North', 'county', NULL, '2020-05-01', 'visits', 'cardiology', 40, 50, 0.8, 0.6, 1.1);
CREATE TABLE epidemic_published.provider_access (
    location varchar(16), name varchar(128), level varchar(16), parent varchar(16), specialty varchar(64),
    capacity float8, providers bigint, accepting bigint, access float8, hhi float8
);
"""


def test_a_warehouse_of_an_earlier_version(tmp_path: Path) -> None:
    with Store(tmp_path / "warehouse") as store:
        store.run(EARLIER)
        roles.grant(store)
        for _ in range(2):  # once more changes nothing
            store.prepare()
        store.run("INSERT INTO epidemic.parameter VALUES ('beds_available_share', 0.25, 'share', 'made up')")
        store.run("CREATE USER dash PASSWORD 'Passw0rd-of-theirs'")
        store.run(f"GRANT ROLE {roles.DASHBOARD} TO dash")
        store.run("SET SESSION AUTHORIZATION dash")
        beds = "SELECT location, demand, demand_of_agents, capacity, available FROM epidemic_published.hospital_demand"
        assert store.run(beds).fetchall() == [("N1", 7.0, None, 20.0, 5.0)]
        gaps = "SELECT told_of, months, events, change FROM epidemic_published.local_gap WHERE location = 'N1'"
        assert store.run(gaps).fetchall() == [("N1", 1, 40, 0.8)]
        store.run("RESET SESSION AUTHORIZATION")
        area = "a" * 24
        store.run("INSERT INTO epidemic_published.treatment_gap (location, months) VALUES ($1, 3)", [area])
        store.run("INSERT INTO epidemic_published.condition_burden (location, infected_lower) VALUES ($1, 3)", [area])
        store.run("INSERT INTO epidemic_published.provider_access (location, area) VALUES ('N1', $1)", [area])


def test_who_may_not_upgrade_is_told_who_may(tmp_path: Path) -> None:
    with Store(tmp_path / "warehouse") as store:
        store.run(EARLIER)
        store.run("CREATE USER ana PASSWORD 'Passw0rd-of-theirs'")
        store.run("GRANT USAGE ON SCHEMA epidemic, epidemic_published TO ana")
        store.run("GRANT SELECT ON ALL TABLES IN SCHEMA epidemic, epidemic_published TO ana")
        store.run("SET SESSION AUTHORIZATION ana")
        with pytest.raises(errors.UsageError, match=r"earlier version.*must be owner of relation") as refused:
            store.prepare()
        assert refused.value.hint is not None and "Let the user who made its tables" in refused.value.hint
