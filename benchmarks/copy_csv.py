"""COPY of text files against DuckDB's own reader: CPU of one process, the same options, rows and table.

    python benchmarks/copy_csv.py [--megabytes 1000] [--rounds 3] [--threads 2]

Three inputs of the same rows, made like TPC-H's lineitem by a fixed rule: one pipe-delimited file, one CSV with
quoted texts, and eight gzip parts. Each round loads every input once with restframe and once with DuckDB into a new
table in a new file, checkpoint included; ratios are medians over the rounds. DuckDB gets every option explicitly,
detection of dialects off; it does not check lengths, truncate decimals or verify gzip's checksums as COPY does.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb

import restframe

COLUMNS = {
    "l_orderkey": "bigint", "l_partkey": "integer", "l_suppkey": "integer", "l_linenumber": "integer",
    "l_quantity": "decimal(15,2)", "l_extendedprice": "decimal(15,2)", "l_discount": "decimal(15,2)",
    "l_tax": "decimal(15,2)", "l_returnflag": "char(1)", "l_linestatus": "char(1)", "l_shipdate": "date",
    "l_commitdate": "date", "l_receiptdate": "date", "l_shipinstruct": "varchar(25)", "l_shipmode": "varchar(10)",
    "l_comment": "varchar(44)",
}  # fmt: skip
DDL = f"create table lineitem ({', '.join(f'{name} {type_}' for name, type_ in COLUMNS.items())})"
WORDS = ["furiously", "regular", "deposits", "sleep,", "carefully", "after", "the", "quickly", "final", "accounts"]


def drawn(salt: int, choices: int | list[str]) -> str:
    """SQL for a number below `choices`, or one of them, that depends on the row only."""
    if isinstance(choices, int):
        return f"(hash(i * 64 + {salt}) % {choices})::INTEGER"
    return f"{choices}[1 + {drawn(salt, len(choices))}]"


MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
ROWS = f"""
    SELECT i // 4, {drawn(1, 200_000)}, {drawn(2, 10_000)}, i % 7 + 1, {drawn(3, 50)}::DECIMAL(15,2),
           ({drawn(4, 10_500_000)} / 100)::DECIMAL(15,2), ({drawn(5, 11)} / 100)::DECIMAL(15,2),
           ({drawn(6, 9)} / 100)::DECIMAL(15,2), {drawn(7, ["N", "A", "R"])}, {drawn(8, ["O", "F"])},
           DATE '1992-01-01' + {drawn(9, 2500)}, DATE '1992-01-15' + {drawn(10, 2500)},
           DATE '1992-01-30' + {drawn(11, 2500)}, {drawn(12, INSTRUCTIONS)}, {drawn(13, MODES)},
           concat_ws(' ', {drawn(14, WORDS)}, {drawn(15, WORDS)}, if({drawn(16, 3)} = 0, {drawn(17, WORDS)}, NULL))
    FROM range($start, $stop) rows(i)
"""
ROW_BYTES = 125
PARTS = 8

Load = Callable[[], None]


def generate(bucket: Path, megabytes: int) -> dict[str, Path]:
    """The inputs by their names; a path may be a pattern."""
    rows = megabytes * 1_000_000 // ROW_BYTES
    connection = duckdb.connect()
    made = {"pipe": bucket / "lineitem.tbl", "csv": bucket / "lineitem.csv", "gzip": bucket / "part_*.gz"}
    query = ROWS.replace("$start", "0").replace("$stop", str(rows))
    connection.execute(f"COPY ({query}) TO '{made['pipe']}' (FORMAT csv, DELIM '|', HEADER false, QUOTE '')")
    connection.execute(f"COPY ({query}) TO '{made['csv']}' (FORMAT csv, HEADER false)")
    for part in range(PARTS):
        start, stop = rows * part // PARTS, rows * (part + 1) // PARTS
        query = ROWS.replace("$start", str(start)).replace("$stop", str(stop))
        path = bucket / f"part_{part}.gz"
        connection.execute(
            f"COPY ({query}) TO '{path}' (FORMAT csv, DELIM '|', HEADER false, QUOTE '', COMPRESSION gzip)"
        )
    return made


def with_duckdb(source: Path, quote: str, directory: Path, threads: int) -> float:
    connection = duckdb.connect(str(directory / "other.duckdb"), config={"threads": threads})
    connection.execute(DDL)
    form = "header = false, auto_detect = false, strict_mode = true, new_line = '\\n'"
    options = f"{form}, quote = '{quote}', escape = '{quote}', delim = '{',' if quote else '|'}', nullstr = '\\N'"
    types = ", ".join(f"'{name}': '{type_}'" for name, type_ in COLUMNS.items())
    seconds = cpu(
        lambda: connection.execute(
            f"INSERT INTO lineitem SELECT * FROM read_csv('{source}', columns = {{{types}}}, {options})"
        ).execute("CHECKPOINT")
    )
    connection.close()
    (directory / "other.duckdb").unlink()
    return seconds


def with_restframe(key: str, options: str, bucket: Path, directory: Path, threads: int) -> float:
    with restframe.open(directory / "warehouse", buckets_directory=bucket.parent, threads=threads) as warehouse:
        warehouse.sql("drop table if exists lineitem")
        warehouse.sql(DDL)
        return cpu(
            lambda: (warehouse.sql(f"copy lineitem from 's3://{bucket.name}/{key}' {options}"), warehouse.close())
        )


def cpu(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        bucket = directory / "buckets" / "benchmark"
        bucket.mkdir(parents=True)
        inputs = generate(bucket, given.megabytes)
        cases = [
            ("pipe", "lineitem.tbl", "delimiter '|'", ""),
            ("csv", "lineitem.csv", "csv", '"'),
            ("gzip", "part_", "delimiter '|' gzip", ""),
        ]
        # Kernels are compiled once for a machine; that is not what is measured.
        with_restframe("lineitem.csv", "csv maxerror 100000 noload", bucket, directory, given.threads)
        print(f"{given.megabytes} MB, {given.threads} threads, CPU seconds, median of {given.rounds}")
        print(f"{'input':<8}{'restframe':>12}{'duckdb':>12}{'ratio':>8}")
        for name_, key, options, quote in cases:
            pairs = [
                (
                    with_restframe(key, options, bucket, directory, given.threads),
                    with_duckdb(inputs[name_], quote, directory, given.threads),
                )
                for _ in range(given.rounds)
            ]
            ours, theirs = (statistics.median(seconds) for seconds in zip(*pairs, strict=True))
            ratio = statistics.median(our / their for our, their in pairs)
            print(f"{name_:<8}{ours:>12.2f}{theirs:>12.2f}{ratio:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
