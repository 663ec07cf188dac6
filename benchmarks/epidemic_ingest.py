"""Ingest one big compressed raw file: peak memory, and speed beside decompressing it alone.

    python benchmarks/epidemic_ingest.py                          200 MB of text
    python benchmarks/epidemic_ingest.py --gigabytes 5 --packed   a gzip file of 5 GB, some 12 GB of text

Makes a gzip file of pharmacy claims, ingests it into a fresh warehouse in its own process, and compares with what
reading it through Python's gzip takes. Speeds are in megabytes of text per second. Memory is what the process and those
that it starts hold together, pages that they share counted once (Linux), ten times a second.
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
ROWS = 200_000  # of a batch
DRAWN = 4

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


def write(path: Path, size_bytes: int, days: int, level: int, packed: bool) -> tuple[int, int]:
    """Claims of `size_bytes` at least, as text or as gzip, in no order, a hundredth of them with errors. Returns their
    number and the text's size.

    A few batches are drawn; the others repeat them with other claims' numbers.
    """
    rng = np.random.default_rng(1)
    drawn = [_batch(rng, days) for _ in range(DRAWN)]
    batches = written = 0
    with gzip.open(path, "wb", compresslevel=level) as file:
        file.write(HEADER.encode())
        while (path.stat().st_size if packed else written) < size_bytes:
            text = drawn[batches % DRAWN].replace(b"C000000", b"C%06d" % batches)
            written += file.write(text)
            batches += 1
    return batches * ROWS, written


def _batch(rng: np.random.Generator, days: int) -> bytes:
    supply = rng.choice([30, 60, 90], ROWS)
    supply[rng.random(ROWS) < 0.01] = -1
    table = pa.table(
        {
            "claim": np.char.add("C000000", np.char.zfill(np.arange(ROWS).astype(str), 6)),
            "patient": np.char.add("P", rng.integers(0, 5_000_000, ROWS).astype(str)),
            "prescriber": np.char.add("D", rng.integers(0, 100_000, ROWS).astype(str)),
            "drug": np.char.zfill(rng.integers(0, 20_000, ROWS).astype(str), 11),
            "fill_date": np.datetime64("2019-01-01") + rng.integers(0, days, ROWS),
            "days_supply": supply,
            "quantity": np.round(rng.uniform(1, 180, ROWS), 1),
            "status": np.where(rng.random(ROWS) < 0.97, "paid", "rejected"),
            "reversed_date": pa.nulls(ROWS, pa.date32()),
            "copay": np.round(rng.gamma(2, 8, ROWS), 2),
        }
    )
    sink = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False, delimiter="|", quoting_style="none")
    pyarrow.csv.write_csv(table, sink, options)
    return bytes(sink.getvalue())


def measured(*command: str) -> tuple[float, float, float]:
    """Seconds, seconds of processors, and the peak of memory in MB, of a process and those that it starts."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0.0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        peak = max(peak, sum(map(_held_mb, _family(process.pid))))
        time.sleep(0.1)
    if status:
        raise SystemExit(f"{command[2][:200]} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, peak


def _family(pid: int) -> list[int]:
    """A process and those below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(each for child in children for each in _family(int(child)))]


def _held_mb(pid: int) -> float:
    """A process's share of memory."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=0.2, help="of text (0.2)")
    parser.add_argument("--packed", action="store_true", help="of gzip instead")
    parser.add_argument("--level", type=int, default=1, help="at which gzip packs; 0 does not (1)")
    parser.add_argument("--days", type=int, default=365, help="over which the claims are spread (365)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        raw = Path(scratch) / "raw" / "claims"
        raw.mkdir(parents=True)
        path = raw / "pharmacy_claim.psv.gz"
        rows, text = write(path, int(given.gigabytes * 1e9), given.days, given.level, given.packed)
        packed = path.stat().st_size
        ingest = sys.executable, "-c", INGEST, str(raw.parent), str(Path(scratch) / "warehouse")
        took = {
            "gzip alone": measured(sys.executable, "-c", DECOMPRESS, str(path)),
            "ingest": measured(*ingest),
            "ingest again": measured(*ingest),
        }
    print(f"{text / 1e9:.2f} GB of text, {packed / 1e9:.2f} GB of gzip, {rows:,} rows over {given.days} days")
    print(f"{'':16}{'seconds':>10}{'MB/s':>10}{'processor s':>14}{'peak MB':>10}")
    for name, (seconds, busy, peak) in took.items():
        print(f"{name:16}{seconds:10.1f}{text / seconds / 1e6:10.0f}{busy:14.1f}{peak:10.0f}")
    print(f"ingest takes {took['ingest'][0] / took['gzip alone'][0]:.1f} times as long as decompressing alone")


if __name__ == "__main__":
    main()
