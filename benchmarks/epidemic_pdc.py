"""PDC of a million patients by county from twelve million fills, beside what scanning and sorting the same table takes.

    python benchmarks/epidemic_pdc.py [--patients 1000000] [--fills 12] [--threads N]

Every patient takes a statin, one in twenty changes to another during the year, refills come up to eight days early and
ten days late, and one claim in twenty is reversed. Also: how fast claims of all kinds are made up and loaded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

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


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def fill(store: Store, patients: int, fills: int) -> None:
    """A year of fills, 100,000 patients at a time."""
    store.session.execute_all(claims.schema())
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
    store.copy(f"epidemic_claims.{table}", key, list(columns))


def made_up(store: Store, patients: int, directory: Path) -> list[tuple[str, float, str]]:
    random = np.random.default_rng(0)
    places = Places(
        tuple(f"{county:05d}" for county in range(COUNTIES)),
        tuple(f"{county // 60:02d}" for county in range(COUNTIES)),
        random.lognormal(10.2, 1.4, COUNTIES),
        random.random(COUNTIES),
    )
    begun = time.perf_counter()
    truth = generate(Design(patients), places, directory)
    taken = time.perf_counter() - begun
    rows = sum(truth.rows.values())
    loaded = seconds(lambda: loading.load_generated(store, directory))
    return [
        ("make up claims of all kinds", taken, f"{patients:,} patients, {rows:,} rows, {rows / taken:,.0f} rows/s"),
        ("load them", loaded, f"{rows / loaded:,.0f} rows/s"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=1_000_000)
    parser.add_argument("--fills", type=int, default=12)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = {} if given.threads is None else {"threads": given.threads}
        with Store(Path(directory) / "warehouse", **settings) as store:
            store.prepare()
            fill(store, given.patients, given.fills)
            count = store.run("SELECT count(*) FROM epidemic_claims.pharmacy_claim").scalar()
            best: dict[str, float] = {}
            for _ in range(given.repeat):
                parts: list[tuple[str, float]] = []
                parts.append(("scan the fills", seconds(lambda: store.run(SCAN).fetchall())))
                parts.append(("sort them by patient, drug and date", seconds(lambda: store.run(SORT))))
                store.run("DROP TABLE sorted")
                marts.run(
                    store, YEAR, ["adherence"], lambda mart, taken, parts=parts: parts.append((f"{mart}.sql", taken))
                )
                parts.append(("PDC by county, together", parts[-1][1] + parts[-2][1]))
                best = {name: min(taken, best.get(name, taken)) for name, taken in parts}
            sort = best["sort them by patient, drug and date"]
            pdc = store.run("SELECT sum(patients), count(DISTINCT location) FROM epidemic_gaps.adherence").fetchall()[0]
            print(f"{count:,} fills; {pdc[0]:,} patients measured in {pdc[1]:,} counties; best of {given.repeat}")
            for name, taken in best.items():
                print(f"{name:38} {taken:8.2f} s   {taken / sort:5.2f} x sorting")
            for name, taken, what in made_up(store, given.patients, Path(directory) / "made up"):
                print(f"{name:38} {taken:8.2f} s   {what}")


if __name__ == "__main__":
    main()
