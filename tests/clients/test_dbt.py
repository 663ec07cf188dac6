"""dbt with its Redshift adapter, on a small project that has one of everything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

Dbt = Callable[..., Any]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project, in which dbt may write."""
    return Path(shutil.copytree(Path(__file__).with_name("dbt_project"), tmp_path / "project"))


def outcomes(results: Any) -> dict[str, str]:
    return {one["unique_id"].split(".")[2]: one["status"] for one in results["results"]}


BUILT = {
    "trips": "success", "zones": "success", "stg_trips": "success", "fares": "success", "trips_seen": "success",
    "zones_history": "success", "fares_are_positive": "pass", "not_null_fares_borough": "pass",
    "not_null_fares_day": "pass", "unique_trips_seen_trip": "pass", "not_null_trips_seen_trip": "pass",
    "relationships_trips_zone__zone__ref_zones_": "pass", "accepted_values_zones_borough__Queens__Bronx": "pass",
}  # fmt: skip


def rows(served: Any, text: str) -> list[tuple[Any, ...]]:
    place = {option: served.environment[f"PG{option.upper()}"] for option in ("host", "port", "user", "password")}
    with psycopg.connect(dbname="dev", **place) as connection:
        return connection.execute(text).fetchall()


def test_dbt_builds_a_project_again_and_again_and_documents_it(served: Any, dbt: Dbt, project: Path) -> None:
    assert outcomes(dbt(project, "build")) == BUILT
    assert rows(served, "select borough, day::varchar, fare::varchar, trips from rides.fares order by 1, 2") == [
        ("Bronx", "2020-01-02", "30.00", 1),
        ("Queens", "2020-01-01", "19.75", 2),
        ("unknown", "2020-01-03", "4.75", 1),
    ]
    table = rows(
        served, "select diststyle, sortkey1 from svv_table_info where schema = 'rides' and \"table\" = 'fares'"
    )
    assert table == [("KEY(borough)", "borough")]

    # A trip more, another fare, a zone that has moved: the incremental model and the snapshot take the change alone.
    seeds = project / "seeds"
    trips = (seeds / "trips.csv").read_text().replace("12.50", "13.00") + "5,2,2020-01-04 00:00:00,1.25\n"
    (seeds / "trips.csv").write_text(trips)
    (seeds / "zones.csv").write_text((seeds / "zones.csv").read_text().replace("Bronx", "Queens"))
    assert outcomes(dbt(project, "build")) == BUILT
    assert rows(served, "select trip, fare::varchar from rides.trips_seen order by trip") == [
        (1, "13.00"), (2, "7.25"), (3, "30.00"), (4, "4.75"), (5, "1.25"),
    ]  # fmt: skip
    assert rows(
        served, "select zone, borough, dbt_valid_to is null from rides.zones_history where zone = 2 order by 3"
    ) == [(2, "Bronx", False), (2, "Queens", True)]

    catalog = dbt(project, "docs", "generate", wrote="catalog.json")
    fares = catalog["nodes"]["model.rides.fares"]
    assert [(name, one["type"]) for name, one in fares["columns"].items()] == [
        ("borough", "character varying(20)"), ("day", "date"), ("fare", "numeric(38,2)"), ("trips", "bigint"),
    ]  # fmt: skip
    assert fares["stats"]["diststyle"]["value"] == "KEY(borough)"
    assert catalog["sources"] == {} and catalog["errors"] is None


def test_dbt_says_which_test_has_failed(served: Any, dbt: Dbt, project: Path) -> None:
    (project / "seeds" / "trips.csv").write_text("trip,zone,started,fare\n1,9,2020-01-01 08:00:00,1.00\n")
    with pytest.raises(AssertionError, match="relationships_trips_zone"):
        dbt(project, "build", "--select", "trips", "zones", "--vars", "{}")
