"""One statement through the Data API with boto3, against the moto server.

    python -m venv moto && moto/bin/pip install 'moto[server]'
    python benchmarks/data_api.py moto/bin/moto_server [--rounds 200]

A flow is what every notebook does: ExecuteStatement, DescribeStatement until it is FINISHED, GetStatementResult. Ours
checks signatures, writes a journal and runs the query; moto answers with canned rows and does none of it. One client
each, by turns; medians, and the median of the ratios of neighbours. Wall time, for it is what users wait for; the part
that boto3 itself takes is in both, and is stated.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from typing import Any

from live import LOGIN, QUERY, make_items, moto, restframe


def flow(client: Any, settled: str, asked: list[int]) -> float:
    """Milliseconds of one flow; how often it was asked whether the statement is over is put into the list."""
    start = time.perf_counter()
    statement = client.execute_statement(Sql=QUERY, **LOGIN)["Id"]
    times = 1
    while client.describe_statement(Id=statement)["Status"] != settled:
        times += 1
    rows = client.get_statement_result(Id=statement)["Records"]
    assert len(rows) == 3, rows
    asked.append(times)
    return (time.perf_counter() - start) * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("moto_server")
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    with restframe() as ours, moto(given.moto_server) as mock:
        make_items(ours)
        asked: list[int] = []
        own = functools.partial(flow, ours.client("redshift-data"), "FINISHED", asked)
        # moto leaves its statements STARTED for ever, and gives their result all the same
        theirs = functools.partial(flow, mock.client("redshift-data"), "STARTED", [])
        for _ in range(20):
            own(), theirs()
        asked.clear()
        before = [ours.cpu_s(), mock.cpu_s(), time.process_time()]
        pairs = [(own(), theirs()) for _ in range(given.rounds)]
        after = [ours.cpu_s(), mock.cpu_s(), time.process_time()]
    used = [(end - start) * 1000 / given.rounds for start, end in zip(before, after, strict=True)]
    print(f"{'':12}{'p50 ms':>10}{'min ms':>10}{'server CPU ms':>16}")
    for name, times, server in zip(("restframe", "moto"), zip(*pairs, strict=True), used, strict=False):
        print(f"{name:12}{statistics.median(times):10.2f}{min(times):10.2f}{server:16.2f}")
    ratio = statistics.median(slow / fast for fast, slow in pairs)
    print(f"{ratio:.1f} times faster, bar 3; boto3 takes {used[2] / 2:.2f} ms CPU of each flow;")
    print(f"DescribeStatement was asked {statistics.mean(asked):.2f} times a flow")


if __name__ == "__main__":
    main()
