"""PDC of a million patients by county from twelve million fills, beside what scanning and sorting the same table takes.

    python benchmarks/epidemic_pdc.py [--patients 1000000] [--fills 12] [--threads N]

Wall and processor seconds of the whole process, all threads together; on a machine that does other work too, only the
latter tell. Every patient takes a statin, one in twenty changes to another during the year, refills come up to eight
days early and ten days late, and one claim in twenty is reversed. Also: how fast claims of all kinds are made up and
loaded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from restframe_epidemic.gaps import claims, marts
from restframe_epidemic.gaps.claims import loading
from restframe_epidemic.gaps.claims.design import Design, Places, reference
from restframe_epidemic.gaps.claims.generate import generate
from restframe_epidemic.gaps.claims.patients import coded, tokens
from restframe_epidemic.store import Store

COUNTIES = 3142
YEAR = marts.Parameters(
    date(2020, 1, 1),
    date(2020, 12, 31),
    date(2020, 3, 15),
    periods=(marts.Period("2020", date(2020, 1, 1), date(2020, 12, 31)),),
)
CHUNK = 100_000
SCAN = "SELECT count(*), count(DISTINCT drug), sum(days_supply), max(fill_date) FROM epidemic_claims.pharmacy_claim"
SORT = """
    CREATE TEMP TABLE sorted AS
    SELECT token, drug, fill_date, days_supply FROM epidemic_claims.pharmacy_claim ORDER BY token, drug, fill_date
"""


class Clock(NamedTuple):
    """Seconds by the clock on the wall, and of processors."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> Clock:
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, other: Clock) -> Clock:
        return Clock(self.wall - other.wall, self.processor - other.processor)


def taken(work: Callable[[], object]) -> Clock:
    begun = Clock.now()
    work()
    return Clock.now() - begun


def fill(store: Store, patients: int, fills: int) -> None:
    """A year of fills, 100,000 patients at a time."""
    store.run(claims.schema())
    store.replace("epidemic_claims.drug", pa.Table.from_pylist(reference("drug")))
    names = [f"{county:05d}" for county in range(COUNTIES)]
    for first in range(0, patients, CHUNK):
        random = np.random.default_rng([0, first])
        n = min(CHUNK, patients - first)
        token = tokens(0, first, n)
        _append(
            store,
            "patient",
            {
                "token": token,
                "birth_year": pa.array(random.integers(1935, 2000, n).astype(np.int32)),
                "location": coded(names, random.integers(0, COUNTIES, n)).dictionary_decode(),
            },
        )
        _append(store, "eligibility", {"token": token, "start_date": pa.array(np.full(n, np.datetime64("2018-01-01")))})
        patient = np.repeat(np.arange(n), fills)
        days = random.integers(0, 30, (n, 1)) + np.cumsum(random.integers(22, 41, (n, fills)), axis=1) - 31
        changed = np.where(random.random((n, 1)) < 0.05, random.integers(1, fills, (n, 1)), fills)
        product = (np.arange(fills) >= changed).astype(np.int64)
        count = n * fills
        _append(
            store,
            "pharmacy_claim",
            {
                "claim": pa.array(np.arange(count) + first * fills).cast(pa.string()),
                "token": coded(token, patient).dictionary_decode(),
                "drug": coded(["RX3001", "RX3002"], product.ravel()).dictionary_decode(),
                "fill_date": pa.array(np.datetime64("2020-01-01") + days.ravel()),
                "days_supply": pa.array(np.full(count, 30, dtype=np.int32)),
                "status": coded(["paid", "reversed"], (random.random(count) < 0.05) * 1).dictionary_decode(),
            },
        )


def _append(store: Store, table: str, columns: dict[str, pa.Array]) -> None:
    key = f"spool/benchmark-{table}.parquet"
    store.keep(key, pa.table(columns))
    store.load(f"epidemic_claims.{table}", list(columns), [store.lake / key])


def made_up(store: Store, patients: int, directory: Path) -> None:
    random = np.random.default_rng(0)
    places = Places(
        tuple(f"{county:05d}" for county in range(COUNTIES)),
        tuple(f"{county // 60:02d}" for county in range(COUNTIES)),
        random.lognormal(10.2, 1.4, COUNTIES),
        random.random(COUNTIES),
    )
    making = taken(lambda: generate(Design(patients), places, directory))
    rows = sum(pq.read_metadata(file).num_rows for file in directory.rglob("*.parquet"))
    loaded = taken(lambda: loading.load_generated(store, directory))
    print(f"claims of all kinds, {patients:,} patients in three years: {rows:,} rows")
    for name, time_taken in {"make them up": making, "load them": loaded}.items():
        print(f"{name:38} {time_taken.wall:8.2f} {time_taken.processor:10.2f}   {rows / time_taken.wall:,.0f} rows/s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--fills", type=int, default=12)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings: dict[str, Any] = {} if given.threads is None else {"threads": given.threads}
        with Store(Path(directory) / "warehouse", **settings) as store:
            store.prepare()
            fill(store, given.patients, given.fills)
            count = store.run("SELECT count(*) FROM epidemic_claims.pharmacy_claim").scalar()
            print(f"{count:,} fills, the quickest of {given.repeat} turns")
            print(f"{'':38} {'wall s':>8} {'processor':>10}   of sorting")
            best: dict[str, Clock] = {}
            for _ in range(given.repeat):
                turn = {"scan": taken(lambda: store.run(SCAN).fetchall()), "sort": taken(lambda: store.run(SORT))}
                store.run("DROP TABLE sorted")
                turn["PDC by patient and county"] = taken(lambda: marts.run(store, YEAR, ["adherence"]))
                best = {name: min(clock, best.get(name, clock)) for name, clock in turn.items()}
            for name, clock in best.items():
                ratio = clock.processor / best["sort"].processor
                print(f"{name:38} {clock.wall:8.2f} {clock.processor:10.2f} {ratio:8.2f} x")
            patients = store.run("SELECT sum(patients) FROM epidemic_gaps.adherence").scalar()
            print(f"{patients:,} patients are in the measure")
            made_up(store, given.patients, Path(directory) / "made up")


if __name__ == "__main__":
    main()
