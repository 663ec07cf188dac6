"""One statement through the Data API with boto3, against the moto server.

    python -m venv moto && moto/bin/pip install 'moto[server]'
    python benchmarks/data_api.py moto/bin/moto_server [--rounds 200]

A flow is what every notebook does: ExecuteStatement, DescribeStatement until it is FINISHED, GetStatementResult. Ours
checks signatures, writes a journal and runs the query; moto answers with canned rows and does none of it. One client
each, by turns, and the medians; wall time, for it is what users wait for.

boto3 itself takes a good part of it. What that is shows a third server, which sends three answers that were made
beforehand: no server can be faster with this client, and what is above it is the server's own.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from typing import Any

from live import LOGIN, QUERY, canned, make_items, moto, restframe

ANSWERS: dict[str, dict[str, Any]] = {
    "ExecuteStatement": {"Id": "00000000-0000-0000-0000-000000000000"},
    "DescribeStatement": {"Id": "00000000-0000-0000-0000-000000000000", "Status": "FINISHED"},
    "GetStatementResult": {
        "Records": [[{"longValue": n}, {"stringValue": f"item {n}"}, {"stringValue": "0.14"}] for n in range(3)],
        "TotalNumRows": 3,
    },
}


def flow(client: Any, settled: str) -> float:
    """Milliseconds of one flow; it is settled when the statement has this status."""
    start = time.perf_counter()
    statement = client.execute_statement(Sql=QUERY, **LOGIN)["Id"]
    while client.describe_statement(Id=statement)["Status"] != settled:
        pass
    rows = client.get_statement_result(Id=statement)["Records"]
    assert len(rows) == 3, rows
    return (time.perf_counter() - start) * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("moto_server")
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    with restframe() as ours, moto(given.moto_server) as mock, canned(ANSWERS) as nothing:
        make_items(ours)
        servers = {"restframe": ours, "moto": mock, "boto3 alone": nothing}
        # moto leaves its statements STARTED for ever, and gives their result all the same
        settled = {"restframe": "FINISHED", "moto": "STARTED", "boto3 alone": "FINISHED"}
        flows = {
            name: functools.partial(flow, one.client("redshift-data"), settled[name]) for name, one in servers.items()
        }
        measured = [{name: run() for name, run in flows.items()} for _ in range(20)]
        before = {name: one.cpu_s() for name, one in servers.items()}
        measured = [{name: run() for name, run in flows.items()} for _ in range(given.rounds)]
        used = {name: (one.cpu_s() - before[name]) * 1000 / given.rounds for name, one in servers.items()}
    print(f"{'':12}{'p50 ms':>10}{'p10 ms':>10}{'server CPU ms':>16}")
    middle = {}
    for name in servers:
        times = sorted(one[name] for one in measured)
        middle[name] = statistics.median(times)
        print(f"{name:12}{middle[name]:10.2f}{times[len(times) // 10]:10.2f}{used[name]:16.2f}")
    ratio = statistics.median(one["moto"] / one["restframe"] for one in measured)
    most = statistics.median(one["moto"] / one["boto3 alone"] for one in measured)
    print(
        f"restframe is {ratio:.1f} times as fast as moto, bar 3; "
        f"a server that takes no time would be {most:.1f} times as fast"
    )


if __name__ == "__main__":
    main()
