"""Ingest one big compressed raw file: peak memory, and speed beside decompressing it alone.

    python benchmarks/epidemic_ingest.py                 200 MB of text
    python benchmarks/epidemic_ingest.py --gigabytes 5

Makes a gzip file of pharmacy claims (text of the given size), ingests it into a fresh warehouse in its own process,
and compares with what reading it through Python's gzip takes. Speeds are in megabytes of text per second.
"""

from __future__ import annotations

import argparse
import gzip
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

HEADER = "claim|patient|prescriber|drug|fill_date|days_supply|quantity|status|reversed_date|copay\n"
ROWS = 200_000

INGEST = """
import sys, datetime, pathlib
from restframe_epidemic.cli import main
sys.exit(main(["ingest", "claims_pharmacy", "--data", sys.argv[1], "--warehouse", sys.argv[2]]))
"""
DECOMPRESS = """
import gzip, sys
with gzip.open(sys.argv[1]) as file:
    while file.read(1 << 20):
        pass
"""


def write(path: Path, size_bytes: int, days: int) -> int:
    """Claims of `size_bytes` of text at least, in no order, a hundredth of them with errors; returns their number."""
    rng = np.random.default_rng(1)
    written = rows = 0
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter="|", quoting_style="none")
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(HEADER.encode())
        while written < size_bytes:
            number = np.arange(rows, rows + ROWS)
            paid = rng.random(ROWS) < 0.97
            supply = rng.choice([30, 60, 90], ROWS)
            supply[rng.random(ROWS) < 0.01] = -1
            table = pa.table(
                {
                    "claim": np.char.add("C", np.char.zfill(number.astype(str), 12)),
                    "patient": np.char.add("P", rng.integers(0, 5_000_000, ROWS).astype(str)),
                    "prescriber": np.char.add("D", rng.integers(0, 100_000, ROWS).astype(str)),
                    "drug": np.char.zfill(rng.integers(0, 20_000, ROWS).astype(str), 11),
                    "fill_date": np.datetime64("2019-01-01") + rng.integers(0, days, ROWS),
                    "days_supply": supply,
                    "quantity": np.round(rng.uniform(1, 180, ROWS), 1),
                    "status": np.where(paid, "paid", "rejected"),
                    "reversed_date": pa.nulls(ROWS, pa.date32()),
                    "copay": np.round(rng.gamma(2, 8, ROWS), 2),
                }
            )
            sink = pa.BufferOutputStream()
            pyarrow.csv.write_csv(table, sink, options)
            text = sink.getvalue().to_pybytes()
            file.write(text)
            written += len(text)
            rows += ROWS
    return rows


def measured(*command: str) -> tuple[float, float]:
    """Seconds and the peak of memory in MB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[2][:200]} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2, help="of text (0.2)")
    parser.add_argument("--days", type=int, default=365, help="over which the claims are spread (365)")
    given = parser.parse_args()
    size_bytes = int(given.gigabytes * 1e9)
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw" / "claims"
        raw.mkdir(parents=True)
        path = raw / "pharmacy_claim.psv.gz"
        rows = write(path, size_bytes, given.days)
        packed = path.stat().st_size
        gunzip, _ = measured(sys.executable, "-c", DECOMPRESS, str(path))
        seconds, peak = measured(sys.executable, "-c", INGEST, str(raw.parent), str(Path(scratch) / "warehouse"))
        again, _ = measured(sys.executable, "-c", INGEST, str(raw.parent), str(Path(scratch) / "warehouse"))
    print(f"{size_bytes / 1e9:.2f} GB of text, {packed / 1e9:.2f} GB of gzip, {rows:,} rows over {given.days} days")
    print(f"{'':24}{'seconds':>10}{'MB/s':>10}{'peak MB':>10}")
    print(f"{'gzip alone':24}{gunzip:10.1f}{size_bytes / gunzip / 1e6:10.0f}{'':>10}")
    print(f"{'ingest':24}{seconds:10.1f}{size_bytes / seconds / 1e6:10.0f}{peak:10.0f}")
    print(f"{'ingest again':24}{again:10.1f}{'':>20}")
    print(f"ingest takes {seconds / gunzip:.1f} times as long as decompressing alone")


if __name__ == "__main__":
    main()
