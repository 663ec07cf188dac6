"""What a session adds to a short statement, over the engine alone.

    python benchmarks/short_statement.py [repetitions]

One process, alternating: raw DuckDB's execute + fetchall, Session.execute + fetchall, on the same open database.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import restframe

QUERIES = {
    "select a constant": "select 1",
    "one row by key": "select id, name from items where id = 77",
    "small aggregate": "select grp, count(*), avg(price) from items group by grp order by grp",
}


def timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory() as directory, restframe.open(directory) as warehouse:
        session = warehouse.session()
        session.execute("create table items (id int, grp int, name varchar(20), price decimal(8,2))")
        session.execute(
            "insert into items select n, n % 10, 'item ' || n, n / 7.0 from generate_series(1, 1000) as g(n)"
        )
        raw = session.connection._connection.cursor()  # the same database, without restframe
        raw.execute("SET search_path = 'public'")
        print(f"{'statement':22}{'engine p50 ms':>15}{'session p50 ms':>16}{'added ms':>10}   bar 1.0, stretch 0.5")
        for name, query in QUERIES.items():
            pairs = [
                (
                    timed(lambda q=query: raw.execute(q).fetchall()),  # type: ignore[misc]
                    timed(lambda q=query: session.execute(q).fetchall()),  # type: ignore[misc]
                )
                for _ in range(repetitions)
            ]
            engine, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(f"{name:22}{engine:15.3f}{ours:16.3f}{ours - engine:10.3f}")


if __name__ == "__main__":
    main()
