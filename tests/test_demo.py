"""`restframe demo taxi`, played from beginning to end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import restframe


def play(out: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "restframe", "demo", "taxi", "--out", str(out), *arguments],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def chart_data(out: Path) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', (out / "taxi.html").read_text())
    assert found is not None
    data: dict[str, object] = json.loads(found[1])
    return data


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    out = tmp_path_factory.mktemp("generated")
    return out, play(out)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    data = Path(__file__).resolve().parents[2] / "shared" / "data" / "nab" / "nyc_taxi.csv"
    if not data.exists():
        pytest.skip("real data not present: nab/nyc_taxi.csv")
    out = tmp_path_factory.mktemp("real")
    return out, play(out, "--data-file", str(data))


def test_the_story_shows_its_statements_and_says_what_is_made_up(generated: tuple[Path, str]) -> None:
    _, text = generated
    for statement in (
        "DROP TABLE IF EXISTS public.rcf_taxi_data CASCADE;",
        "iam_role default ignoreheader 1 csv delimiter ',';",
        "SAGEMAKER 'taxi-random-cut-forest'",
        "show model public.remote_random_cut_forest",
        "where score > (select score_cutoff_value from score_cutoff)",
    ):
        assert statement in text
    assert "this is not New York's ridership" in text
    assert "\x1b" not in text
    assert "ForestInfo{num_trees: 50, num_samples_in_forest: 10300, num_samples_per_tree: 206" in text
    assert re.search(r"Model State\s+│ READY", text)


def test_the_invented_events_are_found(generated: tuple[Path, str]) -> None:
    out, text = generated
    assert "they touch 5 of the 5 named events" in text
    assert f"{out / 'taxi.html'}" in text
    data = chart_data(out)
    assert len(data["scores"]) == 10_320  # type: ignore[arg-type]


def test_it_can_be_played_again(generated: tuple[Path, str]) -> None:
    out, first = generated
    assert play(out).splitlines()[-1].startswith("Done in")
    assert "10,320" in first


def test_the_real_file_shows_the_marathon_first(real: tuple[Path, str]) -> None:
    _, text = real
    listed = text[text.index("List what lies above") :]
    rows = re.findall(r"^\s+(2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d) │\s+(\d+) │\s+([\d.]+)$", listed, re.MULTILINE)
    assert rows[0][:2] == ("2014-11-02 01:00:00", "39197")
    assert rows[1][:2] == ("2014-11-02 01:30:00", "35212")
    assert 4.4 < float(rows[0][2]) < 4.9


def test_the_real_file_has_the_published_number_of_anomalies(real: tuple[Path, str]) -> None:
    _, text = real
    found = re.search(r"(\d+) of 10,320 half hours are above the cut-off; they touch (\d) of the 5", text)
    assert found is not None
    # the published run has 236; over 60 seeds 236 with a standard deviation of 15
    assert 190 <= int(found[1]) <= 285
    assert int(found[2]) == 4


def test_events_and_holidays_are_named(real: tuple[Path, str]) -> None:
    _, text = real
    table = text[text.index("Say what stands out") :]
    for name in ("NYC marathon", "Thanksgiving", "Christmas", "New Year", "Snow storm"):
        assert re.search(rf"^\s+{name}  ", table, re.MULTILINE)
    for name in ("Independence Day", "Labor Day"):
        assert f"{name} (no label)" in table
    assert re.search(r"Thanksgiving .* none ", table)
    assert "clocks went back" in table


def test_what_the_chart_marks_is_what_the_query_returns(real: tuple[Path, str]) -> None:
    from restframe.cli.demo.taxi import ANOMALIES

    out, _ = real
    with restframe.open(out / "warehouse") as warehouse:
        queried = warehouse.sql(ANOMALIES).fetchall()
    data = chart_data(out)
    marked = [riders for riders, score in zip(data["riders"], data["scores"], strict=True) if score > data["cutoff"]]  # type: ignore[call-overload]
    assert sorted(marked) == sorted(riders for _, riders, _ in queried)


def test_a_data_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "restframe", "demo", "taxi", "--out", str(tmp_path), "--data-file", "nowhere.csv"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 1
    assert 'there is no file "nowhere.csv"' in done.stderr


def test_the_data_may_come_from_a_bucket(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    bucket = tmp_path / "warehouse" / "s3" / "mine"
    bucket.mkdir(parents=True)
    (bucket / "rides.csv").write_bytes(shared_data("nab/nyc_taxi.csv").read_bytes())
    assert "2014-11-02 01:00:00" in play(tmp_path, "--data-file", "s3://mine/rides.csv")
