"""Channels of a query against the same by pandas: CPU time, one thread, the same rows, gzip of JSON Lines in memory.

    python benchmarks/forecasting_channels.py [rows]

Pairs of runs side by side in one process; the medians, and the median of their ratios. pandas reads the query's Arrow
table, groups by item and step, and Python's json writes train and test; `channels` also writes the series it keeps,
all of them durably into the warehouse's bucket.
"""

from __future__ import annotations

import gzip
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import restframe
from restframe.forecasting import channels

WINDOWS, LENGTH = 2, 48
# What is counted, how many items, how far apart their rows are in seconds, the step.
CASES = {
    "many rows in a step": (50, 4, "2h"),
    "a row in each step": (1000, 3600 / 1000, "1h"),
}


def by_restframe(warehouse: restframe.Warehouse, frequency: str) -> None:
    options = {"prediction_length": LENGTH, "windows": WINDOWS, "aggregate": "sum"}
    channels(warehouse, "select * from trips", "s3://out/trips", frequency=frequency, **options)


def by_pandas(warehouse: restframe.Warehouse, frequency: str) -> None:
    frame = warehouse.sql("select * from trips").to_pandas()
    grouped = frame.groupby(["item", frame["t"].dt.floor(frequency)])["n"].sum().unstack("item").asfreq(frequency)
    for windows in ([0], range(1, WINDOWS + 1)):
        lines = [
            json.dumps(
                {"start": str(series.index[0]), "target": [None if value != value else value for value in values]}
            )
            for _, series in grouped.items()
            for window in windows
            for values in [series.iloc[: len(series) - (WINDOWS - window) * LENGTH].tolist()]
        ]
        gzip.compress("\n".join(lines).encode(), compresslevel=1)


def cpu_s(run: Callable[[restframe.Warehouse, str], None], warehouse: restframe.Warehouse, frequency: str) -> float:
    start = time.process_time()
    run(warehouse, frequency)
    return time.process_time() - start


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as directory, restframe.open(directory, threads=1) as warehouse:
        warehouse.storage.create_bucket("out")
        print(f"{rows} rows\n{'case':24}{'restframe CPU s':>16}{'pandas CPU s':>14}{'ratio':>8}")
        for name, (items, apart_s, frequency) in CASES.items():
            warehouse.sql("drop table if exists trips")
            warehouse.sql(f"""
                create table trips as
                select timestamp '2020-01-01' + (i * {apart_s})::int * interval '1 second' as t,
                       'item ' || i % {items} as item, (i % 7)::int as n
                from generate_series(0, {rows - 1}) rows(i)
            """)
            by_restframe(warehouse, frequency)
            pairs = [
                (cpu_s(by_restframe, warehouse, frequency), cpu_s(by_pandas, warehouse, frequency)) for _ in range(3)
            ]
            ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(our / their for our, their in pairs)
            print(f"{name:24}{ours:>16.2f}{theirs:>14.2f}{ratio:>8.2f}")


if __name__ == "__main__":
    main()
