"""What scoring costs inside SQL: 10 million rows with 30 thousand distinct integers, one thread.

    python benchmarks/sql_scoring.py [rows]

First the CPU time per row of a query that calls a model, above the same query without the call (a forest of 100 trees
in this process, whose answers are kept: what remains is the look-up), and what the first query pays for asking it.
Then the document's cut-off query against the same forest behind HTTP in another process, wall time; a remote
endpoint's answers are kept for one statement only, so every run asks it again.
"""

from __future__ import annotations

import contextlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import restframe
from restframe import Warehouse
from restframe.storage import ObjectUrl

DISTINCT = 30_000
REPETITIONS = 7
CUTOFF = """
    with score_cutoff as
    (select stddev(public.score_remote(n)) as std, avg(public.score_remote(n)) as mean,
            ( mean + 3 * std ) as score_cutoff_value
    from public.numbers)
    select n, public.score_remote(n) as score from public.numbers
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
    def cpu_of(query: str) -> float:
        return measured(lambda: warehouse.sql(query).fetchall(), cpu_s)

    warehouse.sql("select max(score_local(n)) from (select 1 as n)")  # compile the kernels
    first_s = cpu_of("select max(score_local(n)) from numbers")
    for aggregate in ("max", "sum"):
        pairs = [
            (cpu_of(f"select {aggregate}(n) from numbers"), cpu_of(f"select {aggregate}(score_local(n)) from numbers"))
            for _ in range(REPETITIONS)
        ]
        added = [(scored - plain) / rows * 1e9 for plain, scored in pairs]
        median = statistics.median(added)
        print(
            f"in this process, {aggregate}: {median:.1f} ns CPU a row more (least {min(added):.1f}); bar 40, stretch 25"
        )
    print(f"the first query, which asks the forest: {first_s:.2f} s CPU")


@contextlib.contextmanager
def served(warehouse: Warehouse, directory: Path) -> Iterator[str]:
    """The address of another process that serves the same forest, from a warehouse of its own."""
    artifact = warehouse.jobs.endpoint("forest").describe().model.artifact
    assert artifact is not None
    with restframe.open(directory) as other:
        other.storage.put(ObjectUrl.parse(artifact), warehouse.storage.read(ObjectUrl.parse(artifact)))
        other.deploy(artifact, "forest")
    command = [sys.executable, "-m", "restframe", "endpoint", "serve", "forest", "-d", str(directory), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield server.stdout.readline().split()[3].removesuffix("/invocations;")
    finally:
        server.terminate()
        server.wait()


def over_http(warehouse: Warehouse, url: str) -> None:
    warehouse.deploy(url, "remote-forest")
    warehouse.sql(
        "create model remote_forest function score_remote(int) returns decimal(10,6) "
        "sagemaker 'remote-forest' iam_role default"
    )
    clocks = (time.perf_counter, cpu_s)
    runs = []
    for _ in range(REPETITIONS):
        started = [clock() for clock in clocks]
        found = warehouse.sql(CUTOFF).fetchall()
        runs.append([clock() - start for clock, start in zip(clocks, started, strict=True)])
    walls, cpus = zip(*runs, strict=True)
    print(
        f"the cut-off query over HTTP: {statistics.median(walls):.2f} s wall (least {min(walls):.2f}), "
        f"{statistics.median(cpus):.2f} s CPU here, {len(found)} rows; bar 3, stretch 1.5"
    )


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        with restframe.open(path / "client", threads=1) as warehouse:
            prepare(warehouse, rows)
            in_process(warehouse, rows)
            with served(warehouse, path / "server") as url:
                over_http(warehouse, url)


if __name__ == "__main__":
    main()
