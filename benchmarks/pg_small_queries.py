"""What the PostgreSQL protocol adds to a tiny query, over the in-process Session.

    python benchmarks/pg_small_queries.py [queries] [rounds]

A server in a process of its own; one connection, one query after the other: bytes through a socket, the same with
psycopg, and, in this process, Session.execute + fetchall on a warehouse of its own. By turns, median of the rounds.
"""

from __future__ import annotations

import os
import socket
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable

import psycopg

import live
import restframe

QUERIES = {
    "select 1": "select 1",
    "one row by key": "select id, name from items where id = 77",
}
TABLE = "create table items (id int, grp int, name varchar(20), price decimal(8,2))"
ROWS = "insert into items select n, n % 10, 'item ' || n, n / 7.0 from generate_series(1, 1000) as g(n)"
READY = b"Z\0\0\0\5I"


class Simple:
    """Queries as bytes, answers read up to ReadyForQuery and not looked into."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._socket = socket.socket(fileno=os.dup(connection.pgconn.socket))
        self._socket.setblocking(True)

    def __call__(self, query: bytes) -> None:
        self._socket.sendall(query)
        received = b""
        while not received.endswith(READY):
            received += self._socket.recv(65536)


def seconds(run: Callable[[], object], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return time.perf_counter() - start


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with (
        live.restframe() as server,
        tempfile.TemporaryDirectory() as directory,
        restframe.open(directory) as warehouse,
        psycopg.connect(server.dsn, autocommit=True) as connection,
        warehouse.session() as session,
    ):
        for execute in (connection.execute, session.execute):
            execute(TABLE)
            execute(ROWS)
        simple = Simple(connection)
        print(f"{count} queries, median of {rounds} rounds, ms for one; in brackets against the Session")
        print(f"{'':<16}{'Session':>9}{'bytes':>18}{'psycopg':>18}")
        for name, text in QUERIES.items():
            message = b"Q" + struct.pack("!I", len(text) + 5) + text.encode() + b"\0"
            runs: dict[str, Callable[[], object]] = {
                "session": lambda text=text: session.execute(text).fetchall(),
                "bytes": lambda message=message: simple(message),
                "psycopg": lambda text=text: connection.execute(text).fetchall(),
            }
            for run in runs.values():
                seconds(run, 200)
            took = {kind: [seconds(run, count)] for kind, run in runs.items()}
            for _ in range(rounds - 1):
                for kind, run in runs.items():
                    took[kind].append(seconds(run, count))
            ms = {kind: statistics.median(all_) / count * 1000 for kind, all_ in took.items()}
            cells = "".join(f"{ms[kind]:>10.3f} ({ms[kind] / ms['session']:.2f}x)" for kind in ("bytes", "psycopg"))
            print(f"{name:<16}{ms['session']:>9.3f}{cells}")


if __name__ == "__main__":
    main()
