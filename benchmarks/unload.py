"""UNLOAD against the engine's own COPY TO: CPU time, one thread, the same rows and formats.

    python benchmarks/unload.py [rows]

Pairs of runs side by side in one process; the median of their ratios. UNLOAD makes objects in two slices, durable and
all or nothing, in Redshift's text; the engine writes one file into its spool.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable

import restframe

TABLE = """
    create table lines (
        orderkey bigint, partkey bigint, linenumber int, quantity decimal(15,2), price decimal(15,2), flag char(1),
        shipped date, changed timestamp, instructions varchar(25), comment varchar(44), ok boolean, weight float8
    )
"""
ROWS = """
    INSERT INTO public.lines SELECT
        i AS orderkey, (i * 7919) % 200000 AS partkey, CAST(i % 7 AS INTEGER) AS linenumber,
        CAST(i % 50 AS DECIMAL(15,2)) AS quantity, CAST((i * 31) % 1000000 / 100.0 AS DECIMAL(15,2)) AS price,
        ['A', 'N', 'R'][i % 3 + 1] AS flag, DATE '1992-01-01' + CAST(i % 2500 AS INTEGER) AS shipped,
        TIMESTAMP '2014-07-01' + INTERVAL (i % 100000) SECOND AS changed, 'DELIVER IN PERSON' AS instructions,
        'a comment with a number ' || (i % 977) AS comment, i % 2 = 0 AS ok, random() AS weight
    FROM range({rows}) AS numbers(i)
"""
FORMATS = {
    "text": ("", "FORMAT csv, HEADER false, DELIMITER '|'"),
    "csv": ("csv", "FORMAT csv, HEADER false"),
    "csv zstd": ("csv zstd", "FORMAT csv, HEADER false, COMPRESSION zstd"),
    "csv gzip": ("csv gzip", "FORMAT csv, HEADER false, COMPRESSION gzip"),
    "json": ("json", "FORMAT json"),
    "parquet": ("parquet", "FORMAT parquet"),
}


def cpu_s(run: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    run(text)
    return time.process_time() - start


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as directory, restframe.open(directory, threads=1) as warehouse:
        session = warehouse.session()
        session.execute(TABLE)
        session.connection.run(ROWS.format(rows=rows))
        target = warehouse.settings.spool / "engine"
        print(f"{rows} rows\n{'format':10}{'engine CPU s':>14}{'unload CPU s':>14}{'ratio':>8}")
        for name, (options, engine_options) in FORMATS.items():
            copy = f"COPY (SELECT * FROM public.lines) TO '{target}' ({engine_options})"
            unload = f"unload ('select * from lines') to 's3://out/{name}/' iam_role default allowoverwrite {options}"
            pairs = [(cpu_s(session.connection.run, copy), cpu_s(session.execute, unload)) for _ in range(3)]
            engine, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            print(f"{name:10}{engine:14.2f}{ours:14.2f}{statistics.median(b / a for a, b in pairs):8.2f}")


if __name__ == "__main__":
    main()
