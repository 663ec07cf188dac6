"""A day from files to scores, in a country that is not the United States; twice, stopped, and with broken members."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from restframe_epidemic import backtest, cli, country, daily, models, panel_reading, runs
from restframe_epidemic.cli.arguments import Shown
from restframe_epidemic.panel import FloatArray, Panel
from restframe_epidemic.store import Store

Rows = list[tuple[Any, ...]]
SMALL = ("--members", "curve", "--target", "cases", "--horizons", "2", "--workers", "1")


@pytest.fixture(scope="module")
def island_files(island: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("files")
    island.write(directory)
    return Path(directory)


@pytest.fixture(scope="module")
def days(island: ModuleType, island_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A warehouse after the days 2021-07-20 and 2021-08-03, with every report up to the second known on both."""
    directory = tmp_path_factory.mktemp("days") / "warehouse"
    command = ["run", "--daily", "--warehouse", str(directory), "--country", str(island.COUNTRY)]
    command += ["--data", str(island_files), "--members", "curve,seir", "--workers", "1"]
    assert cli.main([*command, "--as-of", "2021-07-20"]) == 0
    assert cli.main(command) == 0
    with Store(directory) as store:
        yield store


def rows(store: Store, text: str) -> Rows:
    return store.run(text).fetchall()


def test_the_newest_forecast_is_of_the_last_whole_week_in_the_countrys_words(days: Store) -> None:
    assert rows(
        days,
        """SELECT DISTINCT model_id, reference_date::varchar, target FROM epidemic.forecast
           WHERE reference_date > '2021-07-18' ORDER BY 1, 2, 3""",
    ) == [
        (model, "2021-08-01", target)
        for model in ("curve", "ensemble", "seir")
        for target in ("wk inc death", "wk inc infection")
    ]
    assert rows(
        days,
        """SELECT output_type, min(horizon), max(horizon), count(DISTINCT output_type_id) FROM epidemic.forecast
           WHERE model_id = 'ensemble' GROUP BY 1 ORDER BY 1""",
    ) == [("mean", 1, 8, 0), ("median", 1, 8, 0), ("quantile", 1, 4, 7)]


def test_groups_are_the_sums_of_their_places(days: Store) -> None:
    of_places = rows(
        days,
        """SELECT place.parent, f.horizon, round(sum(f.value), 6) FROM epidemic_published.forecast AS f
           JOIN epidemic.location AS place ON place.location = f.location
           WHERE f.latest AND f.output_type = 'mean' AND f.level = 'parish' AND f.target = 'wk inc infection'
           GROUP BY 1, 2 ORDER BY 1, 2""",
    )
    of_groups = rows(
        days,
        """SELECT location, horizon, round(value, 6) FROM epidemic_published.forecast
           WHERE latest AND output_type = 'mean' AND level = 'canton' AND target = 'wk inc infection' ORDER BY 1, 2""",
    )
    assert len(of_places) == 3 * 8
    assert of_groups == of_places


def test_dashboards_see_quantiles_side_by_side_and_in_order(days: Store) -> None:
    latest = days.frame(
        "SELECT * FROM epidemic_published.latest_forecast WHERE horizon <= 4 AND target = 'wk inc infection'"
    )
    assert len(latest) == (18 + 3) * 4
    assert set(latest["target_end_date"].dt.strftime("%Y-%m-%d")) == {
        "2021-08-08",
        "2021-08-15",
        "2021-08-22",
        "2021-08-29",
    }
    quantiles = latest[["q025", "q10", "q25", "q50", "q75", "q90", "q975"]].to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_a_place_without_any_case_expects_hardly_one(days: Store, island: ModuleType) -> None:
    most = rows(
        days,
        f"SELECT max(point) FROM epidemic_published.latest_forecast WHERE horizon <= 2 AND location = '{island.EMPTY}'",
    )
    assert most[0][0] < 0.5


def test_a_place_whose_population_is_a_mistake_is_listed_and_forecast_by_the_others(
    days: Store, island: ModuleType
) -> None:
    assert rows(
        days,
        """SELECT DISTINCT model_id, location, reason FROM epidemic.run_fallback
           WHERE target = 'cases' AND model_id <> 'curve'""",
    ) == [("seir", island.UNKNOWN, "its population is not known")]
    count = rows(days, f"SELECT count(*) FROM epidemic_published.latest_forecast WHERE location = '{island.UNKNOWN}'")
    assert count == [(16,)]


def test_runs_tell_their_steps_inputs_and_versions(days: Store) -> None:
    told = rows(
        days,
        """SELECT command, reference_date::varchar, status, model_version, substring(data_vintage, 1, 10),
                  finished >= started FROM epidemic.run ORDER BY reference_date""",
    )
    said = {"members", "backfill", "targets", "horizons", "history_weeks", "seed"}
    said |= {"as_of", "epidemic_start", "lookback"}
    assert [set(json.loads(options)) for (options,) in rows(days, "SELECT options FROM epidemic.run")] == [said] * 2
    version = runs.model_version()
    assert told == [("daily", day, "done", version, day, True) for day in ("2021-07-18", "2021-08-01")]
    steps = rows(
        days,
        """SELECT step, status FROM epidemic.run_step
           WHERE run_id LIKE '2021-08-01%' ORDER BY started""",
    )
    assert [step for step, _ in steps] == [
        "ingest",
        "read",
        *(
            f"{step} {target}"
            for target in ("cases", "deaths")
            for step in ("member curve", "member seir", "past days", "ensemble")
        ),
        "hospital",
        "gaps",
        "score cases",
        "score deaths",
    ]
    assert dict(steps)["gaps"] == "skipped"
    notes = rows(days, "SELECT detail FROM epidemic.run_step WHERE step = 'read' AND run_id LIKE '2021-08-01%'")
    assert notes == [("places whose population is not known or not positive: P-17",)]


def test_the_version_of_a_run_is_that_of_all_the_code_that_forecasts_and_beds_come_from() -> None:
    package = Path(runs.__file__).parent
    counted = {path for pattern in runs._MODELS for path in package.glob(pattern)}
    assert all(list(package.glob(pattern)) for pattern in runs._MODELS)
    seen = {f"restframe_epidemic.{name}" for name in ("store", "country")}  # which change no number
    names = [
        "panel_reading",
        "earlier",
        "ensemble.forecasting",
        "hospital",
        *(f"models.{name}" for name in models.MEMBERS),
    ]
    todo = [f"restframe_epidemic.{name}" for name in names]
    files = set()
    while todo:
        source = backtest._source(todo.pop())
        if source is not None:
            files.add(source)
            new = backtest._imports(source.read_bytes()) - seen
            seen |= new
            todo += new
    left_out = {"__init__.py", "errors.py", "parts.py"}
    assert {str(path.relative_to(package)) for path in files - counted} == left_out


def test_beds_are_counted_against_what_there_is(days: Store) -> None:
    assert rows(
        days,
        """SELECT unit, model_id, count(DISTINCT location), min(date)::varchar,
                  bool_and(lower <= demand AND demand <= upper)
           FROM epidemic.hospital_demand WHERE reference_date = '2021-08-01' GROUP BY 1, 2 ORDER BY 1, 2""",
    ) == [
        (unit, model_id, places, "2021-08-02", True)
        for unit in ("hospital_beds", "icu_beds")
        for model_id, places in (("agents", 17 + 3), ("ensemble", 17 + 3))
    ]
    assert rows(
        days,
        """SELECT level, count(DISTINCT location), count(demand_of_agents) > 0
           FROM epidemic_published.hospital_demand GROUP BY 1 ORDER BY 1""",
    ) == [("canton", 3, True), ("parish", 17, True)]


def test_earlier_forecasts_are_scored_when_their_weeks_have_come(days: Store) -> None:
    assert rows(
        days,
        """SELECT model_id, reference_date::varchar, max(horizon), count(DISTINCT location) FROM epidemic.score
           WHERE target = 'wk inc infection' AND model_id = 'ensemble' GROUP BY 1, 2""",
    ) == [("ensemble", "2021-07-18", 2, 18 + 3)]


def test_past_days_are_forecast_once(days: Store) -> None:
    """16 weeks and the day itself; two weeks later the week between and the day itself, for two targets."""
    kept = [path.name for path in (days.lake / "members").glob("*.npy")]
    assert sum(name.startswith("curve-") for name in kept) == 2 * (17 + 2)
    assert len(kept) == 2 * 2 * (17 + 2)


def test_a_hub_takes_the_exported_file(days: Store, tmp_path: Path) -> None:
    from restframe_epidemic import errors, forecasts

    def exported(run_id: str) -> list[dict[str, str]]:
        forecasts.export(days, run_id, tmp_path / "hub.csv")
        with (tmp_path / "hub.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    earlier, newest = (run_id for (run_id,) in rows(days, "SELECT run_id FROM epidemic.run ORDER BY reference_date"))
    table = exported(newest)
    assert len(table) == 2 * (18 * (8 + 8 + 4 * 7) + 3 * (4 + 8 + 4 * 7))
    assert list(table[0]) == list(forecasts.COLUMNS[1:])
    assert {row["output_type_id"] for row in table} == {"NA", "0.025", "0.1", "0.25", "0.5", "0.75", "0.9", "0.975"}
    assert {row["reference_date"] for row in table} == {"2021-08-01"}
    assert {row["reference_date"] for row in exported(earlier)} == {"2021-07-18"}
    with pytest.raises(errors.NoData, match="run nobody has no forecast to export"):
        forecasts.export(days, "nobody", tmp_path / "hub.csv")


def test_what_came_later_changes_no_forecast(days: Store, island: ModuleType, tmp_path: Path) -> None:
    """A warehouse whose files end on the first day says of that day, bit for bit, what the one with more files says."""
    island.write(tmp_path / "files", weeks=24, extra_days=2)
    command = ["--warehouse", str(tmp_path / "w"), "--country", str(island.COUNTRY)]
    assert cli.main(["ingest", *command, "--data", str(tmp_path / "files")]) == 0
    assert cli.main(["forecast", *command, "--members", "curve,seir", "--target", "cases", "--workers", "1"]) == 0
    query = """SELECT model_id, horizon, location, output_type, output_type_id, value FROM epidemic.forecast
               WHERE reference_date = '2021-07-18' AND target = 'wk inc infection' ORDER BY 1, 2, 3, 4, 5"""
    with Store(tmp_path / "w") as store:
        assert rows(store, query) == rows(days, query)
    # The file for a hub is of the day that was asked for, not of the newest.
    file = tmp_path / "hub.csv"
    command = ["forecast", *command, "--members", "persistence", "--target", "cases", "--workers", "1"]
    assert cli.main([*command, "--as-of", "2021-07-12", "--export", str(file)]) == 0
    with file.open(newline="") as opened:
        assert {row["reference_date"] for row in csv.DictReader(opened)} == {"2021-07-11"}


# Members that break


def _registered(monkeypatch: pytest.MonkeyPatch, **members: Callable[..., FloatArray]) -> None:
    monkeypatch.setattr(models, "MEMBERS", dict.fromkeys(members, "curve"))
    monkeypatch.setattr("restframe_epidemic.backtest.member", members.__getitem__)


def _last_week(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    points = np.repeat(panel.weekly(target)[:, -1:], horizons, axis=1)
    points[2] = np.nan  # a fit that diverged
    return points


def _broken(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    raise RuntimeError("singular matrix")


def test_a_failing_member_and_a_diverging_place_are_listed_and_the_day_goes_on(
    monkeypatch: pytest.MonkeyPatch, island: ModuleType, island_files: Path, tmp_path: Path
) -> None:
    _registered(monkeypatch, steady=_last_week, broken=_broken)
    place = country.read(island.COUNTRY)
    with Store(tmp_path / "w") as store:
        store.prepare()
        _loaded(store, place, island_files)
        options = daily.Options(targets=("cases",), workers=1, history_weeks=2).resolved()
        store.run(
            "INSERT INTO epidemic.forecast VALUES"
            " ('before', 'broken', '2021-08-01', 'wk inc infection', 1, 'P-01', 'median', NULL, 99)"
        )
        with runs.Run(store, "forecast", options.described) as run:
            panel, forecasts = daily.forecast(store, place, run, options)
        assert run.failed == ["member broken cases"]
        assert rows(store, "SELECT DISTINCT model_id FROM epidemic.forecast ORDER BY 1") == [("ensemble",), ("steady",)]
        assert rows(store, "SELECT status FROM epidemic.run") == [("failed",)]
        listed = dict(rows(store, "SELECT model_id || ' ' || location, reason FROM epidemic.run_fallback"))
    assert listed["steady P-03"] == "too little history, or a fit that did not converge"
    assert listed["broken P-01"] == "broken failed on 2021-08-01: RuntimeError: singular matrix"
    assert listed["ensemble P-03"] == "the last week again: no member had a forecast"
    assert len(listed) == 1 + 18 + 1
    assert forecasts["cases"].points[:, 0].tolist() == pytest.approx(panel.weekly()[:, -1].tolist())


def _three_times(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    return 3 * np.repeat(panel.weekly(target)[:, -1:], horizons, axis=1)


def test_a_member_that_is_not_run_on_past_days_is_judged_by_what_it_said_on_theirs(
    monkeypatch: pytest.MonkeyPatch, island: ModuleType, island_files: Path, tmp_path: Path
) -> None:
    """Until four of its days have come true it counts for as much as the other one: half way between, on the scale of
    logarithms, is 1.7 times the last week."""
    _registered(monkeypatch, steady=_last_week, costly=_three_times)
    place = country.read(island.COUNTRY)
    options = daily.Options(backfill=("steady",), targets=("cases",), horizons=2, workers=1).resolved()
    days = ("2021-06-20", "2021-06-27", "2021-07-04", "2021-07-11", "2021-07-18", "2021-07-25")
    ratio, made = [], []

    def learned_from(run_id: str) -> Rows:
        told = "SELECT reference_date::varchar, earlier_run_id FROM epidemic.run_earlier WHERE run_id = $1 ORDER BY 1"
        return store.run(told, [run_id]).fetchall()

    with Store(tmp_path / "w") as store:
        store.prepare()
        _loaded(store, place, island_files)
        for day in (*days, days[-1]):
            with runs.Run(store, "forecast", options.described) as run:
                panel, forecasts = daily.forecast(store, place, run, options, day)
            ratio.append(np.nanmedian(forecasts["cases"].points[3:17] / panel.weekly()[3:17, -1:], axis=0))
            made.append(run.run_id)
        assert made[-1] == made[-2], "the same earlier runs make the same run"
        assert learned_from(made[3]) == []
        assert learned_from(made[5]) == list(zip(days[:5], made[:5], strict=True))
        # One of them is gone: it is another run, which says what it had.
        store.run("DELETE FROM epidemic.forecast WHERE reference_date = '2021-06-27'")
        with runs.Run(store, "forecast", options.described) as run:
            daily.forecast(store, place, run, options, days[-1])
        assert run.run_id not in made
        assert [day for day, _ in learned_from(run.run_id)] == [days[0], *days[2:5]]
        detail = "SELECT detail FROM epidemic.run_step WHERE run_id = $1 AND step = 'past days cases'"
        assert store.run(detail, [run.run_id]).scalar() == "costly as in earlier runs, see epidemic.run_earlier"
    week_one, week_two = np.transpose(ratio[:6])
    assert week_one[:4] == pytest.approx(3**0.5, abs=0.05)
    assert week_one[4:] == pytest.approx(1, abs=0.05)
    assert week_two[:5] == pytest.approx(3**0.5, abs=0.05)
    assert week_two[5] == pytest.approx(1, abs=0.05)


def test_a_target_that_was_never_reported_is_skipped(
    monkeypatch: pytest.MonkeyPatch, island: ModuleType, island_files: Path, tmp_path: Path
) -> None:
    _registered(monkeypatch, steady=_last_week)
    place = country.read(island.COUNTRY)
    options = daily.Options(workers=1, history_weeks=2).resolved()
    with Store(tmp_path / "w") as store:
        store.prepare()
        _loaded(store, place, island_files)
        store.run("UPDATE epidemic.case_report SET deaths = NULL")
        with runs.Run(store, "forecast", options.described) as run:
            _, forecasts = daily.forecast(store, place, run, options)
        assert rows(store, "SELECT DISTINCT target FROM epidemic.forecast") == [("wk inc infection",)]
        assert rows(store, "SELECT step, detail FROM epidemic.run_step WHERE status = 'skipped'") == [
            ("members deaths", "no deaths were ever reported")
        ]
    assert list(forecasts) == ["cases"]


def test_a_run_that_fails_whole_says_so(
    monkeypatch: pytest.MonkeyPatch, island: ModuleType, island_files: Path, tmp_path: Path
) -> None:
    _registered(monkeypatch, steady=_last_week)
    place = country.read(island.COUNTRY)
    options = daily.Options(workers=1, history_weeks=2).resolved()
    with Store(tmp_path / "w") as store:
        store.prepare()
        _loaded(store, place, island_files)
        panel = panel_reading.read(store, place)
        with pytest.raises(OSError), runs.Run(store, "forecast", options.described) as run:
            run.begin(panel)
            with run.step("disk"):
                raise OSError("no space left")
        assert rows(store, "SELECT status FROM epidemic.run") == [("failed",)]
        assert rows(store, "SELECT step, status, detail FROM epidemic.run_step") == [
            ("disk", "failed", "OSError: no space left")
        ]


def _loaded(store: Store, place: country.Country, files: Path) -> None:
    from restframe_epidemic.cli.arguments import shown
    from restframe_epidemic.pipeline.ingest import ingest

    with shown() as watching:
        ingest(store, place, files, watching)


def test_sources_that_are_not_there_cost_their_own_tables_only(island: ModuleType, tmp_path: Path) -> None:
    island.write(tmp_path, weeks=3)
    (tmp_path / "roads.csv").unlink()
    (tmp_path / "measures.csv").unlink()
    place = country.read(island.COUNTRY)
    with Store(tmp_path / "w") as store:
        store.prepare()
        _loaded(store, place, tmp_path)
        panel = panel_reading.read(store, place)
    assert [len(near) for near in panel.neighbours] == [0] * 18
    assert dict(panel.signals) == {}
    assert panel.weekly().shape == (18, 3)


def test_sources_that_are_not_there_are_named_on_one_line(
    island: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What their files are called is in the run table."""
    island.write(tmp_path, weeks=3)
    (tmp_path / "roads.csv").unlink()
    (tmp_path / "measures.csv").unlink()
    place = ["--warehouse", str(tmp_path / "w"), "--country", str(island.COUNTRY), "--data", str(tmp_path)]
    assert cli.main(["ingest", *place]) == 0
    told = [
        line for line in capsys.readouterr().out.splitlines() if line.startswith(("not there", "roads", "measures"))
    ]
    assert told == ["not there: measures, roads; what is made of them is left out"]
    assert cli.main(["ingest", "roads", *place]) == 1
    assert cli.main(["run", "--daily", *place, "--members", "persistence", "--target", "cases"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ingest")]
    assert [line.partition("): ")[2] for line in lines] == ["not there: measures, roads"]
    with Store(tmp_path / "w") as store:
        ((detail,),) = rows(store, "SELECT detail FROM epidemic.run_step WHERE step = 'ingest'")
    assert detail == (
        "not there: measures, roads; measures is looked for as measures.csv; roads is looked for as roads.csv"
    )


# Stops


# Sends itself a signal as soon as it has said a line that begins so.
STOPPED = """
import os, signal, sys
from restframe_epidemic.cli import arguments, main
begins, how, *given = sys.argv[1:]
signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored where tests run in the background
say = arguments.Shown.say

def said(self, line):
    say(self, line)
    if line.startswith(begins):
        os.kill(os.getpid(), int(how))

arguments.Shown.say = said
sys.exit(main(given))
"""


def _stopped(arguments: list[str], stop_after: str, how: signal.Signals) -> tuple[int, list[str]]:
    """Run until it says a line that begins with `stop_after`; the exit status and all lines."""
    command = [sys.executable, "-c", STOPPED, stop_after, str(int(how)), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout.splitlines()


def test_killed_after_any_step_the_same_command_ends_with_the_same_tables(
    island: ModuleType, island_files: Path, tmp_path: Path
) -> None:
    def command(warehouse: str) -> list[str]:
        place = ["--warehouse", str(tmp_path / warehouse), "--country", str(island.COUNTRY)]
        return ["run", "--daily", *place, "--data", str(island_files), *SMALL]

    for step in ("ingest", "member curve cases", "past days cases"):
        status, lines = _stopped(command("stopped"), step, signal.SIGKILL)
        assert status == -signal.SIGKILL
        assert lines[-1].startswith(step)
    status, lines = _stopped(command("stopped"), "hospital", signal.SIGINT)
    assert (status, lines[-1]) == (130, "cancelled; what is finished is kept, the same command goes on from there")
    assert cli.main(command("stopped")) == 0
    assert cli.main(command("whole")) == 0
    tables = {
        "forecast": "*",
        "hospital_demand": "*",
        "incidence": "*",
        "quarantine": "*",
        "run_fallback": "*",
        "run": "run_id, command, reference_date, model_version, data_vintage, options, status",
        "run_step": "run_id, step",
    }
    with Store(tmp_path / "stopped") as one, Store(tmp_path / "whole") as other:
        for table, columns in tables.items():
            query = f"SELECT {columns} FROM epidemic.{table}"
            assert sorted(map(repr, rows(one, query))) == sorted(map(repr, rows(other, query))), table


# Ends itself when the first of the past days is done.
TERMINATED = """
import os, signal, sys
from restframe_epidemic.cli import arguments, main

def progress(self, what, done, of):
    if what.startswith("past days"):
        os.kill(os.getpid(), signal.SIGTERM)

arguments.Shown.progress = progress
sys.exit(main(sys.argv[1:]))
"""


def test_sigterm_ends_a_command_and_its_workers_as_ctrl_c_does(island: ModuleType, tmp_path: Path) -> None:
    """Workers' semaphores are given back: Python would write of leaked ones into the log."""
    island.write(tmp_path, weeks=6)
    place = ["--warehouse", str(tmp_path / "w"), "--country", str(island.COUNTRY), "--data", str(tmp_path)]
    small = ["--members", "persistence", "--target", "cases", "--workers", "2"]
    command = [sys.executable, "-c", TERMINATED, "run", "--daily", *place, *small]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 143
    assert ended.stderr == "cancelled; what is finished is kept, the same command goes on from there\n"
    assert "member persistence cases" in ended.stdout
    assert "past days" not in ended.stdout  # the step did not end


def test_a_log_gets_a_line_when_nothing_was_said_for_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    shown = Shown(None, {}, clock=lambda: now[0])
    for done, now[0] in enumerate((20.0, 59.0, 61.0, 100.0, 122.0, 190.0), 1):
        shown.progress("past days cases", done, 6)
    shown.say("past days cases (190.0 s, 6 rows)")
    assert capsys.readouterr().out.splitlines() == [
        "past days cases: 3 of 6",
        "past days cases: 5 of 6",
        "past days cases (190.0 s, 6 rows)",
    ]
