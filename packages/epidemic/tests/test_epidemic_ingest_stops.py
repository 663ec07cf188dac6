"""Ingestion that is killed in each of its stages: the same command again gives the same tables."""

from __future__ import annotations

import gzip
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

from restframe_epidemic.cli import main
from restframe_epidemic.store import Store

# Ends the process in the middle of the n-th call of a function.
KILLED = """
import importlib, os, signal, sys
module, path, at, when, *arguments = sys.argv[1:]
holder = importlib.import_module(module)
*parents, name = path.split(".")
for parent in parents:
    holder = getattr(holder, parent)
function, calls = getattr(holder, name), 0

def killed(*given, **named):
    global calls
    calls += 1
    if calls == int(at):
        if when == "after":
            function(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)
    return function(*given, **named)

setattr(holder, name, killed)
from restframe_epidemic.cli import main
main(arguments)
"""

# In their order, so that each run gets as far as the next stage: module, function, which call, at its end or beginning.
STAGES = {
    "while rows are spilled": ("restframe_epidemic.pipeline.spill", "Spill.add", 1, "before"),
    "between partitions": ("restframe_epidemic.pipeline.lake", "Lake.write_rows", 2, "before"),
    "before the manifest": ("restframe_epidemic.pipeline.lake", "Lake.write_manifest", 2, "before"),
    "after the manifest": ("restframe_epidemic.pipeline.lake", "Lake.write_manifest", 1, "after"),
    "in the middle of loading": ("restframe_epidemic.store", "Store.load", 4, "after"),
    "after loading": ("restframe_epidemic.pipeline.loading", "load", 2, "after"),
    "while tables are filled": ("restframe_epidemic.country", "transform", 1, "after"),
}
TODAY = "2021-03-31"


def prepared(island: ModuleType, directory: Path) -> Path:
    """Nine days of raw files with a wrong row, a repeated one and a contradiction; returns their directory."""
    data = directory / "raw"
    island.write(data, weeks=1)
    with gzip.open(data / "reports.csv.gz", "at") as file:
        file.write("P-01,2021-02-31,5,0\nP-02,2021-02-03,1,0\nP-02,2021-02-03,2,0\n")
    return data


def tables(warehouse: Path) -> dict[str, list[str]]:
    """The rows of all that ingestion fills."""
    with Store(warehouse) as store:
        names = store.run(
            "SELECT table_schema || '.' || table_name FROM information_schema.tables"
            " WHERE table_schema IN ('epidemic', 'epidemic_staging') ORDER BY 1"
        ).fetchall()
        assert not list((store.lake / ".writing").rglob("*"))
        return {str(name): sorted(map(repr, store.run(f"SELECT * FROM {name}").fetchall())) for (name,) in names}


def command(island: ModuleType, data: Path, directory: Path) -> list[str]:
    options = {"country": island.COUNTRY, "data": data, "warehouse": directory / "warehouse", "today": TODAY}
    return ["ingest", *(text for name, value in options.items() for text in (f"--{name}", str(value)))]


def test_killed_in_one_stage_after_the_other(island: ModuleType, tmp_path: Path) -> None:
    undisturbed = command(island, prepared(island, tmp_path / "one"), tmp_path / "one")
    assert main(undisturbed) == 0
    arguments = command(island, prepared(island, tmp_path / "other"), tmp_path / "other")
    for stage, (module, function, at, when) in STAGES.items():
        killed = [sys.executable, "-c", KILLED, module, function, str(at), when, *arguments]
        ended = subprocess.run(killed, capture_output=True, timeout=300)
        assert ended.returncode == -signal.SIGKILL, f"{stage}: {ended.stderr.decode()}"
    assert main(arguments) == 0
    assert tables(tmp_path / "other" / "warehouse") == tables(tmp_path / "one" / "warehouse")
