"""What scoring costs inside SQL: 10 million rows with 30 thousand distinct integers.

    python benchmarks/sql_scoring.py [rows]

First the CPU time per row of a query that calls a model, above the same query without the call (a forest of 100 trees
in this process). Then the document's cut-off query against the same forest behind HTTP in another process, wall time.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import restframe
from restframe import Warehouse

DISTINCT = 30_000
CUTOFF = """
    with score_cutoff as
    (select stddev(public.{f}(n)) as std, avg(public.{f}(n)) as mean, ( mean + 3 * std ) as score_cutoff_value
    from public.numbers)
    select n, public.{f}(n) as score from public.numbers
    where score > (select score_cutoff_value from score_cutoff) order by 2 desc
"""


def cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def measured(run: Callable[[], object], clock: Callable[[], float]) -> float:
    start = clock()
    run()
    return clock() - start


def prepare(warehouse: Warehouse, rows: int) -> None:
    warehouse.sql("create table numbers (n int)")
    warehouse.sql(
        f"insert into numbers select (random() * {DISTINCT - 1})::int from generate_series(1, {rows}) as g(i)"
    )
    warehouse.sql(f"unload ('select n from numbers limit {DISTINCT}') to 's3://bench/train/' csv")
    job = warehouse.train(
        "random_cut_forest", {"train": "s3://bench/train/"}, "s3://bench/out", hyperparameters={"feature_dim": 1}
    )
    warehouse.deploy(job, "forest")
    warehouse.sql(
        "create model local_forest function score_local(int) returns decimal(10,6) sagemaker 'forest' iam_role default"
    )


def in_process(warehouse: Warehouse, rows: int) -> None:
    without, with_call = "select max(n) from numbers", "select max(score_local(n)) from numbers"
    warehouse.sql(with_call)  # compile the kernels, fill the memo
    pairs = [
        tuple(measured(lambda q=query: warehouse.sql(q).fetchall(), cpu_s) for query in (without, with_call))  # type: ignore[misc]
        for _ in range(5)
    ]
    added = [(scored - plain) / rows * 1e9 for plain, scored in pairs]
    print(f"in this process: {statistics.median(added):.1f} ns CPU a row (min {min(added):.1f}); bar 40, stretch 25")


def over_http(warehouse: Warehouse, directory: str) -> None:
    server = subprocess.Popen(
        [sys.executable, "-m", "restframe.cli", "endpoint", "serve", "forest", "--copy-of", directory, "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().split()[-1]
        warehouse.deploy(url, "remote-forest")
        warehouse.sql(
            "create model remote_forest function score_remote(int) returns decimal(10,6) "
            "sagemaker 'remote-forest' iam_role default"
        )
        query = CUTOFF.format(f="score_remote")
        times = [measured(lambda: warehouse.sql(query).fetchall(), time.perf_counter) for _ in range(5)]
        median = statistics.median(times)
        print(f"the cut-off query over HTTP: {median:.2f} s wall (min {min(times):.2f}); bar 3, stretch 1.5")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as directory, restframe.open(directory, threads=1) as warehouse:
        prepare(warehouse, rows)
        in_process(warehouse, rows)
        over_http(warehouse, directory)


if __name__ == "__main__":
    main()
