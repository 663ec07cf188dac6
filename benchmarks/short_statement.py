"""What a session adds to a short statement, over the engine alone.

    python benchmarks/short_statement.py [repetitions]

One process, by turns: raw DuckDB's execute + fetchall, Session.execute + fetchall, on the same open database; with a
text the session has not seen, and with one that it has.
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
        print("bar 1.0 ms added, stretch 0.5")
        print(f"{'p50 in ms':22}{'engine':>10}{'new text':>10}{'added':>8}{'asked again':>13}{'added':>8}")
        for name, query in QUERIES.items():
            rounds = [
                (
                    timed(lambda q=query: raw.execute(q).fetchall()),  # type: ignore[misc]
                    # a comment makes the text a new one, which is parsed and translated
                    timed(lambda q=f"{query} -- {i}": session.execute(q).fetchall()),  # type: ignore[misc]
                    timed(lambda q=query: session.execute(q).fetchall()),  # type: ignore[misc]
                )
                for i in range(repetitions)
            ]
            engine, new, again = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(f"{name:22}{engine:10.3f}{new:10.3f}{new - engine:8.3f}{again:13.3f}{again - engine:8.3f}")


if __name__ == "__main__":
    main()
