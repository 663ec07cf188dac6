"""How long a day takes: ingest, all members, ensemble, beds, scores, for every US county, step by step.

    python benchmarks/epidemic_daily.py --data ../shared/data/covid --as-of 2020-09-14

The first day also runs the members on 16 past weeks, to learn how wrong they are; what they said is kept, so that an
ordinary day later has only the newest week to do. Both are timed, one after the other in a new warehouse: the first as
of a week before. The bar is on the ordinary day, 10 minutes on two cores.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from restframe_epidemic import cli
from restframe_epidemic.store import Store

BAR_S = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data/covid"))
    parser.add_argument("--as-of", default="2020-09-14", help="the ordinary day (2020-09-14)")
    parser.add_argument("--members", help="with commas; all of them without it")
    parser.add_argument("--warehouse", type=Path, help="kept there; a temporary one without it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        warehouse = given.warehouse or Path(temporary) / "warehouse"
        week_before = str(np.datetime64(given.as_of) - 7)
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
        for label, day in (("first day", week_before), ("ordinary day", given.as_of)):
            wall, cpu = _timed(given, warehouse, day)
            print(f"\n{label}, as of {day}: {wall:.0f} s, {cpu:.0f} s of processors (bar {BAR_S} s)")
            _steps(warehouse)


def _timed(given: argparse.Namespace, warehouse: Path, day: str) -> tuple[float, float]:
    command = ["run", "--daily", "--warehouse", str(warehouse), "--data", str(given.data), "--as-of", day]
    command += ["--members", given.members] if given.members else []
    began, used = time.perf_counter(), _cpu()
    cli.main(command)
    return time.perf_counter() - began, _cpu() - used


def _cpu() -> float:
    """Seconds of this process and of those that it had."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _steps(warehouse: Path) -> None:
    query = """
        SELECT step, status, seconds, rows FROM epidemic.run_step
        WHERE run_id = (SELECT run_id FROM epidemic.run ORDER BY started DESC LIMIT 1) ORDER BY started
    """
    with Store(warehouse) as store:
        steps = store.run(query).fetchall()
    for step, status, seconds, rows in steps:
        print(f"  {step:<28} {status:<8} {seconds:>8.1f} s {'' if rows is None else f'{rows:>12,} rows'}")


if __name__ == "__main__":
    main()
