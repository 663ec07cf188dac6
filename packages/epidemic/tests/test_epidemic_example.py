"""The invented country: its files are always the same, and tell an epidemic."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from restframe_epidemic import cli, country, errors, example, panel_reading
from restframe_epidemic.store import Store


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["example", str(tmp_path / "new" / "one")]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.name for path in paths][-2:] == ["reports_2020-11-22.csv.gz", "reports_2020-11-29.csv.gz"]
    again = example.write(tmp_path / "again")
    other = example.write(tmp_path / "other", seed=1)
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    assert paths[-1].read_bytes() != other[-1].read_bytes()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_epidemic_comes_in_two_waves(tmp_path: Path, seed: int) -> None:
    counts: dict[str, list[int]] = {}
    for path in example.write(tmp_path, seed)[-2:]:
        with gzip.open(path, "rt", newline="") as file:
            for row in csv.DictReader(file):
                if row["cases"].isdigit() and row["day"] < "2021":
                    counts.setdefault(row["district"], []).append(int(row["cases"]))
    del counts["X01"]
    assert len(counts) == 36 and max(counts["W09"]) == 0
    series = [np.diff(whole, prepend=0) for code, whole in counts.items() if code not in ("N03", "S02")]
    weekly = np.sum([daily[: 39 * 7].reshape(39, 7).sum(axis=1) for daily in series], axis=0)
    spring, summer, autumn = weekly[:12].max(), weekly[14:22].min(), weekly[-4:].max()
    assert spring > 3 * summer and autumn > 3 * summer


def test_a_warehouse_of_another_country_is_not_forecast_with_its_weeks(tmp_path: Path) -> None:
    """--country forgotten: the files of Marisma, whose weeks end on Sunday, and the United States by default."""
    with Store(tmp_path / "w") as store:
        store.prepare()
        store.run("INSERT INTO epidemic.calendar VALUES ('2020-11-28', '2020-11-29')")
        with pytest.raises(errors.UsageError, match="weeks end on sunday in this warehouse, and on saturday in United"):
            panel_reading.read(store, country.read("us"))
        with pytest.raises(errors.NoData, match="no locations"):
            panel_reading.read(store, country.read("marisma"))


def test_more_people_and_reports_than_there_are_on_earth_cost_their_own_values(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    example.write(raw)
    districts = (raw / "districts.csv").read_text()
    (raw / "districts.csv").write_text(districts.replace(",37648,", ",9223372036854775807,"))
    (raw / "reports_2020-11-30.csv.gz").write_bytes(
        gzip.compress(b"district,day,cases,deaths\nN01,2020-11-30,9000000000000000000,0\nN02,2020-11-30,1,0\n")
    )
    command = ["--warehouse", str(tmp_path / "w"), "--country", "marisma", "--data", str(raw)]
    assert cli.main(["ingest", *command]) == 0
    with Store(tmp_path / "w") as store:
        refused = store.run(
            "SELECT key, column_name, action FROM epidemic.quarantine WHERE rule = 'maximum' ORDER BY 1"
        )
        assert refused.fetchall() == [("N01|2020-11-30", "cases", "rejected"), ("N02", "people", "changed")]
        people = store.run("SELECT population FROM epidemic.location WHERE location = 'N02'")
        assert people.scalar() is None
