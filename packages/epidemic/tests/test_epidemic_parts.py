"""A member that takes long keeps what it has finished, place by place: a kill costs the places that were running."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from restframe_epidemic import backtest, parts
from restframe_epidemic.models import agents
from restframe_epidemic.models.agents import forecasting

# Kills itself when two chunks of two places are done.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import waves
from restframe_epidemic import backtest
from restframe_epidemic.models.agents import forecasting
forecasting._CHUNK = 2
panel = waves.panel(8, 2, 16)
def told(done, of):
    if done >= 4:
        os.kill(os.getpid(), signal.SIGKILL)
backtest.run(panel, panel.weeks[-1:], ["agents"], 2, folder=Path(sys.argv[2]), within=told)
"""


def test_killed_in_the_middle_of_the_places_a_forecast_goes_on_with_those_that_were_done(
    waves: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(__file__).parent
    status = subprocess.run([sys.executable, "-c", KILLED, str(here), str(tmp_path)], check=False).returncode
    assert status == -signal.SIGKILL
    (folder,) = tmp_path.glob("agents-*.parts")
    done = {path.name: path.stat().st_mtime_ns for path in folder.glob("[0-9]*.npy")}
    assert len(done) >= 2
    monkeypatch.setattr(forecasting, "_CHUNK", 2)
    panel = waves.panel(8, 2, 16)
    told: list[tuple[int, int]] = []
    day = panel.weeks[-1:]
    again = backtest.run(panel, day, ["agents"], 2, folder=tmp_path, within=lambda *at: told.append(at))
    assert told == [(2, 8), (4, 8), (6, 8), (8, 8)]
    now = {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert len(now) == 4 and {name: now[name] for name in done} == done
    whole = backtest.run(panel, day, ["agents"], 2)
    assert np.array_equal(again.points, whole.points)
    assert np.isfinite(whole.points).all()
    # Deaths come from the same simulation.
    deaths = backtest.run(panel, day, ["agents"], 2, target="deaths", folder=tmp_path)
    assert now == {path.name: path.stat().st_mtime_ns for path in folder.glob("*.npy")}
    assert np.array_equal(deaths.points, backtest.run(panel, day, ["agents"], 2, target="deaths").points)


def test_the_mean_is_that_of_the_replicates(waves: ModuleType) -> None:
    panel = waves.panel(6, 2, 16)
    replicates = agents.run(panel, 2, replicates=3).reports(2)
    assert np.array_equal(agents.forecast(panel, 2, replicates=3), replicates.mean(axis=0))


def test_parts_of_forecasts_that_nobody_goes_on_with_are_removed(tmp_path: Path) -> None:
    kept, forgotten = parts.of(tmp_path, "kept"), parts.of(tmp_path, "forgotten")
    for each in (kept, forgotten):
        each.write("0", np.zeros(2))
    os.utime(forgotten.folder, (0, 0))
    parts.forget(tmp_path)
    assert (kept.read("0", (2,)) == 0).all()
    assert forgotten.read("0", (2,)) is None


def test_a_file_that_is_no_such_array_is_none(tmp_path: Path) -> None:
    """Somebody's pickle, an archive, an endless array, another forecast: nothing of it is opened or believed."""
    path = tmp_path / "0.npy"
    endless = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, endless)
    assert parts.read(path, (10**12,)) is None
    path.write_bytes(pickle.dumps(np.zeros(2)))
    assert parts.read(path, (2,)) is None
    with path.open("wb") as file:
        np.savez(file, np.zeros(2))
    assert parts.read(path, (2,)) is None
    for other in (np.zeros(3), np.zeros(2, dtype=np.float32), np.array([None, None])):
        with path.open("wb") as file:
            np.save(file, other)
        assert parts.read(path, (2,)) is None
    parts.write(path, np.ones(2))
    assert parts.read(path, (2,)).tolist() == [1.0, 1.0]
