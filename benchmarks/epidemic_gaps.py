"""What measuring and publishing treatment gaps costs, and how much of what was counted is published.

    restframe-epidemic ingest --data ../shared/data/covid --warehouse /tmp/places
    python benchmarks/epidemic_gaps.py --places /tmp/places [--patients 100000] [--seed 0]

Claims of as many patients are made up for the places of a warehouse, in a copy of it. Processor seconds of the whole
process, all threads together; on a machine that does other work too, only these tell.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from restframe_epidemic import country
from restframe_epidemic.gaps import claims, drivers, infections, marts
from restframe_epidemic.gaps.claims import loading, places
from restframe_epidemic.gaps.claims.design import Design
from restframe_epidemic.gaps.claims.generate import generate
from restframe_epidemic.privacy import published
from restframe_epidemic.store import Store

_START = date(2020, 3, 15)
T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--places", type=Path, required=True)
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(given.places, Path(folder, "warehouse"))
        with Store(Path(folder, "warehouse")) as store:
            store.prepare()
            store.run(claims.schema())
            marts.prepare(store)
            _measure(store, Design(given.patients, given.seed, epidemic_start=_START), Path(folder, "claims"))


def _measure(store: Store, design: Design, folder: Path) -> None:
    truth = _timed("claims made up", lambda: generate(design, places.read(store, design.seed), folder))
    _timed("loaded", lambda: loading.load_generated(store, folder))
    print(f"  {truth.rows['medical_claim'] + truth.rows['pharmacy_claim']:,} claims of {design.patients:,} patients")
    first, last = marts.days_of_claims(store)
    _timed("infections", lambda: infections.run(store, country.read(country.DEFAULT), last))
    since = time.process_time()

    def finished(mart: str, _: float) -> None:
        nonlocal since
        print(f"  {mart:<20} {time.process_time() - since:8.1f} s")
        since = time.process_time()

    parameters = marts.Parameters(first, last, design.epidemic_start)
    _timed("measures", lambda: marts.run(store, parameters, finished=finished))
    _timed("drivers", lambda: drivers.run(store))
    losses = _timed("publishing", lambda: published.publish(store))
    areas = store.run("SELECT count(DISTINCT area) FROM epidemic_published.area").scalar()
    print(f"told of {areas:,} areas")
    print(f"{'left out':<26} {'counts':>10} {'of them':>10} {'of counted':>11}")
    for loss in losses:
        out = loss.primary + loss.complementary
        print(f"{loss.table:<26} {loss.cells:>10,} {out:>10,} {loss.patients_left_out / loss.patients:>11.2%}")
    small, counts = store.run(
        """
        SELECT sum(CASE WHEN events BETWEEN 1 AND 10 THEN 1 ELSE 0 END), sum(CASE WHEN events > 0 THEN 1 ELSE 0 END)
        FROM epidemic_gaps.local_change
        WHERE months = 1 AND location NOT IN (SELECT area FROM epidemic_published.area WHERE level = 'area')
        """
    ).fetchall()[0]
    print(f"of all counties, states and months alone: {small:,} of {counts:,} counts are 1 to 10")


def _timed(what: str, work: Callable[[], T]) -> T:
    begun = time.process_time()
    result = work()
    print(f"{what:<22} {time.process_time() - begun:8.1f} s")
    return result


if __name__ == "__main__":
    main()
