"""Members on past days: what they may see, what is kept, and that a broken one stops nothing."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from restframe_epidemic import backtest, errors, models, panel_reading
from restframe_epidemic.panel import FloatArray, Panel, cleansed


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Two places, ten weeks from Sunday 2020-03-01: 7 reports in the first week, 14 in the second ...; b none."""
    dates = pd.date_range("2020-02-29", periods=71)
    cases = np.cumsum(np.concatenate([[0], np.repeat(np.arange(1, 11), 7)]))
    reports = pd.concat(
        pd.DataFrame({"location": code, "date": dates, "cases": series, "deaths": 0})
        for code, series in (("a", cases), ("b", 0 * cases))
    )
    return panel_reading.from_frames(reports, pd.DataFrame({"location": ["a", "b"], "population": 1000.0}))


def last_week(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    return np.repeat(panel.weekly(target)[:, -1:], horizons, axis=1)


def diverging(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    raise FloatingPointError("no step makes it better")


def test_a_member_sees_each_day_only_what_was_reported_by_then(panel: Panel):
    result = backtest.run(panel, panel.weeks[3:6], ["last"], 2, functions={"last": last_week})
    assert result.as_of.astype(str).tolist() == ["2020-03-28", "2020-04-04", "2020-04-11"]
    assert result.of("last")[:, 0].tolist() == [[28, 28], [35, 35], [42, 42]]


def test_the_truth_of_weeks_to_come_is_not_known(panel: Panel):
    truth = backtest.truth(panel, panel.weeks[-3:], 3)[:, 0]
    assert truth[0].tolist()[:2] == [63, 70]
    assert np.isnan(truth).tolist() == [[False, False, True], [False, True, True], [True, True, True]]


def test_truth_is_as_reported_also_where_cleansing_moved_it():
    dates = pd.date_range("2020-02-29", periods=29)
    daily = np.array([0] + [10] * 14 + [300] + [10] * 13)
    reports = pd.DataFrame({"location": "a", "date": dates, "cases": np.cumsum(daily), "deaths": 0})
    panel = panel_reading.from_frames(reports, pd.DataFrame({"location": ["a"], "population": 1000.0}))
    assert backtest.as_reported(panel)[0].tolist() == [70, 70, 360, 70]


def test_a_member_that_fails_is_named_and_costs_the_others_nothing(panel: Panel):
    result = backtest.run(
        panel, panel.weeks[4:5], ["diverging", "last"], 2, functions={"diverging": diverging, "last": last_week}
    )
    assert np.isnan(result.of("diverging")).all()
    assert result.of("last")[0, 0].tolist() == [35, 35]
    assert result.failures == ("diverging failed on 2020-04-04: FloatingPointError: no step makes it better",)


def test_nobody_knows_how_a_place_goes_on_that_has_fallen_silent(panel: Panel):
    reported = {target: counts.copy() for target, counts in panel.reported.items()}
    reported["cases"][0, 36:] = np.nan  # two weeks have not been reported when the seventh ends
    daily, before, irregular = cleansed(reported, panel.holiday)
    silent = replace(panel, reported=reported, daily=daily, before=before, irregular=irregular)
    members = ["persistence", "projection", "direct", "curve", "seir"]
    result = backtest.run(silent, panel.weeks[[5, 6]], members, 2)
    assert np.isfinite(result.of("projection")[0, 0]).all()
    assert np.isnan(result.points[1, :, 0]).all()


def test_a_name_that_is_no_member_is_refused(panel: Panel):
    with pytest.raises(errors.UsageError, match='no member "oracle"'):
        backtest.run(panel, panel.weeks[4:5], ["oracle"])


def test_workers_change_nothing(panel: Panel):
    one, two = (backtest.run(panel, panel.weeks[2:5], ["persistence", "projection"], workers=w) for w in (1, 2))
    assert (one.points == two.points).all()


MEMBER = """
from restframe_epidemic.models import counting_help
def forecast(panel, horizons, *, target="cases", seed=0):
    import numpy as np
    counting_help.CALLS.append(str(panel.as_of))
    return np.full((len(panel.locations), horizons), 7.0)
"""


@pytest.fixture
def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A member `counting` that notes the days it is asked for."""
    import sys

    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    (tmp_path / "counting.py").write_text(MEMBER)
    (tmp_path / "counting_help.py").write_text("CALLS = []\n")
    monkeypatch.setitem(models.MEMBERS, "counting", "counting")
    backtest._code.cache_clear()
    from restframe_epidemic.models import counting_help  # type: ignore[attr-defined]

    calls: list[str] = counting_help.CALLS
    yield calls  # type: ignore[misc]
    for name in ("counting", "counting_help"):
        sys.modules.pop(f"restframe_epidemic.models.{name}", None)
        if hasattr(models, name):
            delattr(models, name)
    backtest._code.cache_clear()


def test_what_was_forecast_is_kept_until_data_or_code_change(panel: Panel, counting: list[str], tmp_path: Path):
    def run(of: Panel = panel) -> FloatArray:
        return backtest.run(of, of.weeks[4:6], ["counting"], 2, folder=tmp_path / "kept").of("counting")

    assert run().tolist() == run().tolist()
    assert counting == ["2020-04-04", "2020-04-11"]
    run(panel.until(panel.weeks[6]))  # later data play no part
    assert len(counting) == 2
    (tmp_path / "counting_help.py").write_text("CALLS = []  # another algorithm\n")
    backtest._code.cache_clear()
    run()
    assert len(counting) == 4
    assert not [path for path in (tmp_path / "kept").iterdir() if path.name.startswith(".")]


def test_a_kept_forecast_that_is_damaged_or_made_with_another_table_is_made_anew(
    panel: Panel, counting: list[str], tmp_path: Path
):
    def run() -> list[float]:
        found = backtest.run(panel, panel.weeks[4:5], ["counting"], 2, folder=tmp_path / "kept")
        return list(found.of("counting")[0, 0])

    run()
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:40])
    assert run() == [7.0, 7.0]
    kept.write_bytes(b"")
    assert run() == [7.0, 7.0]
    assert len(counting) == 3
    (tmp_path / "effects.csv").write_text("policy,factor\n")
    backtest._code.cache_clear()
    run()
    assert len(counting) == 4


def test_kept_forecasts_go_when_nobody_has_taken_them_for_two_months(panel: Panel, counting: list[str], tmp_path: Path):
    """Each correction makes other forecasts of past days: without an end, a year of days would fill the disk."""

    def run(*weeks: int) -> None:
        backtest.run(panel, panel.weeks[list(weeks)], ["counting"], 2, folder=tmp_path / "kept")

    run(3, 4)
    for path in (tmp_path / "kept").iterdir():
        os.utime(path, (time.time() - 59 * 86_400,) * 2)
    run(4)  # is taken, and thereby young again
    (unused,) = (path for path in (tmp_path / "kept").iterdir() if time.time() - path.stat().st_mtime > 86_400)
    os.utime(unused, (time.time() - 61 * 86_400,) * 2)
    run(4)
    assert len(counting) == 2 and len(list((tmp_path / "kept").iterdir())) == 1 and not unused.exists()


def test_whatever_a_member_may_look_at_tells_panels_apart(panel: Panel):
    changes = {
        "holiday": np.ones_like(panel.holiday),
        "top": "all",
        "neighbours": (np.array([1]), np.array([], dtype=np.int64)),
        "reported": {**panel.reported, "cases": panel.reported["cases"] + 1},
        "before": {**panel.before, "cases": panel.before["cases"] + 1},
        "features": {"crowding": np.ones(2)},
    }
    known = {backtest.fingerprint(panel), *(backtest.fingerprint(replace(panel, **{k: v})) for k, v in changes.items())}
    assert len(known) == 1 + len(changes)
