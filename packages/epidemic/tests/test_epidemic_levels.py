"""A country of four levels with mistakes in its tables: every level is forecast, and a mistake costs its own row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from restframe_epidemic import cli
from restframe_epidemic.ensemble import coherence
from restframe_epidemic.store import Store

WEEKS = 12
# ward -> district -> province -> nation; nobody knows the district of w8, and that of w9 is a mistake
WARDS = {"w1": "d1", "w2": "d1", "w3": "d2", "w4": "d2", "w5": "d3", "w6": "d3", "w7": "d4", "w8": "", "w9": "d77"}
DISTRICTS = {"d1": "p1", "d2": "p1", "d3": "p2", "d4": "p2"}
LOCATIONS = """
DELETE FROM epidemic.location;
INSERT INTO epidemic.location (location, name, level, parent, population)
SELECT code, code, level, NULLIF(parent, ''), 50000 FROM epidemic_staging.places;
DELETE FROM epidemic.case_report;
INSERT INTO epidemic.case_report (location, date, cases, deaths)
SELECT ward, day, cases, cases / 50 FROM epidemic_staging.reports;
DELETE FROM epidemic.capacity;
INSERT INTO epidemic.capacity (location, icu_beds, hospital_beds) VALUES ('w1', 5, NULL), ('w1', 4, 70), ('w2', 1, 9);
DELETE FROM epidemic.signal;
INSERT INTO epidemic.signal (location, date, name, value) VALUES
    ('n', '2021-03-01', 'closed', 1), ('n', '2021-03-01', 'closed', 3), ('n', '2021-04-01', 'closed', 1);
"""


def _country(folder: Path) -> None:
    """Reports come in two files, which both have a day of w1: it stands twice in the country's SQL. The source lets in
    days to come."""
    (folder / "sources").mkdir(parents=True)
    (folder / "country.toml").write_text('name = "Fourfold"\nweek_ends = "sunday"\n')
    (folder / "tables.sql").write_text(LOCATIONS)
    (folder / "sources" / "reports.toml").write_text(
        'uri = "reports.csv"\nformat = "csv"\nkey = ["ward", "day", "file"]\ndate = "day"\npartition = "month"\n'
        'cadence = "daily"\nlicence = "none"\nattribution = "nobody"\n[columns]\nward = { type = "varchar(16)" }\n'
        'day = { type = "date", future = true }\nfile = { type = "bigint" }\ncases = { type = "bigint" }\n'
    )
    above = [("n", "nation", ""), ("p1", "province", "n"), ("p2", "province", "n")]
    rows = [*above, *((code, "district", over) for code, over in DISTRICTS.items())]
    rows += [(code, "ward", over) for code, over in WARDS.items()]
    lines = ["code,level,parent", *(",".join(row) for row in [*rows, rows[-1]])]  # the last one stands twice
    (folder / "places.csv").write_text("\n".join(lines) + "\n")


def _reports(folder: Path) -> None:
    rng = np.random.default_rng(3)
    lines = ["ward,day,file,cases"]
    for number, ward in enumerate(WARDS, 1):
        counts = np.cumsum(rng.poisson(5 * number, 7 * WEEKS))
        days = np.datetime64("2021-03-01") + np.arange(len(counts))
        lines += [f"{ward},{day},1,{count}" for day, count in zip(days, counts, strict=True)]
        if ward == "w1":
            lines.append(f"w1,{days[30]},2,{counts[30] + 3}")
            lines += ["w1,9999-12-31,1,9", "w1,2999-01-01,1,9"]
    folder.mkdir()
    (folder / "reports.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def fourfold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("fourfold")
    _country(folder / "country")
    _reports(folder / "raw")
    command = ["--warehouse", str(folder / "w"), "--country", str(folder / "country")]
    assert cli.main(["ingest", *command, "--data", str(folder / "raw")]) == 0
    assert cli.main(["forecast", *command, "--members", "projection", "--target", "cases", "--workers", "1"]) == 0
    with Store(folder / "w") as store:
        yield store


def _levels(store: Store) -> dict[str, int]:
    return dict(
        store.run(
            "SELECT level, COUNT(DISTINCT location) FROM epidemic_published.latest_forecast"
            " WHERE mean IS NOT NULL AND (q025 < q975 OR horizon > 4) GROUP BY 1"
        ).fetchall()
    )


def test_every_level_has_means_and_quantiles(fourfold: Store) -> None:
    assert _levels(fourfold) == {"ward": 9, "district": 4, "province": 2, "nation": 1}


def test_means_add_up_from_level_to_level(fourfold: Store) -> None:
    """The nation has those whose district is not known, too."""
    mean = dict(
        fourfold.run("SELECT location, mean FROM epidemic_published.latest_forecast WHERE horizon = 2").fetchall()
    )
    for district in DISTRICTS:
        assert mean[district] == pytest.approx(sum(mean[ward] for ward, over in WARDS.items() if over == district))
    assert mean["p1"] == pytest.approx(mean["d1"] + mean["d2"])
    assert mean["p2"] == pytest.approx(mean["d3"] + mean["d4"])
    assert mean["n"] == pytest.approx(mean["p1"] + mean["p2"] + mean["w8"] + mean["w9"])
    assert mean["w8"] > 0 and mean["w9"] > 0


def test_reports_add_up_in_the_same_way(fourfold: Store) -> None:
    cases = dict(
        fourfold.run(
            "SELECT location, cases FROM epidemic_published.reported_week WHERE week_end = '2021-05-16'"
        ).fetchall()
    )
    assert cases["p1"] == cases["d1"] + cases["d2"]
    assert cases["n"] == cases["p1"] + cases["p2"] + cases["w8"] + cases["w9"]


def test_what_was_wrong_is_listed(fourfold: Store) -> None:
    listed = fourfold.run(
        "SELECT source, key, column_name, value, new_value, action FROM epidemic.quarantine"
        " WHERE source LIKE 'epidemic.%' ORDER BY 1, 2"
    ).fetchall()
    (beds, again, far, farthest, first, second, signal) = listed
    assert beds == ("epidemic.capacity", "w1", "icu_beds", "4.0", "5.0", "changed")
    assert again[:3] == ("epidemic.case_report", "w1|2021-03-31", "cases") and int(again[4]) == int(again[3]) + 3
    assert far == ("epidemic.case_report", "w1|2999-01-01", "date", "2999-01-01", None, "rejected")
    assert farthest == ("epidemic.case_report", "w1|9999-12-31", "date", "9999-12-31", None, "rejected")
    assert signal == ("epidemic.signal", "n|2021-03-01|closed", "value", "1.0", "3.0", "changed")
    assert first == ("epidemic.location", "w8", "parent", None, "n", "changed")
    assert second == ("epidemic.location", "w9", "parent", "d77", "n", "changed")
    told = fourfold.run("SELECT detail FROM epidemic.run_step WHERE step = 'read'").scalar()
    assert told == (
        "a report of a day that is to come, more than ten years after all others: w1 2999-01-01, w1 9999-12-31; "
        "locations whose parent is not there, counted in n alone: w9; "
        "locations without a parent, unlike others of their level, counted in n alone: w8; "
        "two capacities of one place, of which the greater ones stand: w1; "
        "two reports of one place and day, of which the greater counts stand: w1 2021-03-31; "
        "two values of one signal on a day, of which the greater stands: n 2021-03-01 closed"
    )
    assert fourfold.run("SELECT COUNT(*) FROM epidemic.location").scalar() == 16
    assert fourfold.run("SELECT COUNT(*) FROM epidemic.case_report").scalar() == 9 * 7 * WEEKS


def test_what_levels_have_in_common_is_found_for_each() -> None:
    """30 % of all, 20 % of provinces, 10 % of districts: in sums over levels, an interval holds what it says."""
    rng = np.random.default_rng(2)
    days, district = 200, np.repeat(np.arange(40), 10)
    province = district // 10
    z = np.sqrt(0.3) * rng.standard_normal((days, 1)) + np.sqrt(0.2) * rng.standard_normal((days, 4))[:, province]
    z += np.sqrt(0.1) * rng.standard_normal((days, 40))[:, district] + np.sqrt(0.4) * rng.standard_normal((days, 400))
    past = np.full((days, 400), 100.0)
    truth = past * np.exp(0.3 * z)
    shares = coherence.common(past, truth, district, [province])
    assert (shares.top, *shares.between, shares.group) == pytest.approx((0.3, 0.2, 0.1), abs=0.06)
    levels = np.array([-1.96, -1.2816, -0.6745, 0, 0.6745, 1.2816, 1.96])
    quantiles = 101 * np.exp(0.3 * np.tile(levels, (400, 1))) - 1
    drawn = coherence.sums(quantiles, district, shares, [province])
    for of, found in zip((district, province, np.zeros_like(district)), drawn, strict=True):
        sums = np.stack([np.bincount(of, day) for day in truth])
        assert np.mean((sums >= found[:, 2]) & (sums <= found[:, 4])) == pytest.approx(0.5, abs=0.08)
        assert np.mean((sums >= found[:, 0]) & (sums <= found[:, 6])) == pytest.approx(0.95, abs=0.04)
