"""How fast clients load and fetch rows by COPY: restframe's PostgreSQL door beside PostgreSQL itself.

    python benchmarks/pg_copy_in.py [--rows 1000000] [--repeats 5] [--postgres BIN_DIRECTORY]

COPY FROM STDIN of int, bigint, double precision, varchar and timestamp into an empty table, and COPY TO STDOUT of it,
over one TCP connection of this machine. The client sends messages of 64 KB that were made before, and reads bytes and
looks at none; the time includes the commit. Both take turns; the table has medians, and the median of the ratios of
the pairs. PostgreSQL is started for this, with its defaults, where its programs are found.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg

from live import restframe
from pg_results import message, postgres, programs

_TABLE = "create table t (a int, b bigint, c double precision, d varchar(40), e timestamp)"
_FILL = (
    "insert into t select n, n * 1000003::bigint, n / 7.0::double precision, 'name ' || n, "
    "timestamp '2020-01-01' + n * interval '1 second' from generate_series(1, {rows}) as g(n)"
)
_FORMATS = {"text": "(format text)", "csv": "(format csv)", "binary": "(format binary)"}
_MESSAGE_BYTES = 1 << 16
_READY = b"Z\0\0\0\5I"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--postgres", type=Path, help="where initdb and pg_ctl are")
    given = parser.parse_args()
    with restframe() as ours, postgres(given.postgres or programs()) as theirs:
        environment = ours.environment
        address = {key: environment[f"PG{key.upper()}"] for key in ("host", "port", "user", "password")}
        own = psycopg.conninfo.make_conninfo(dbname=environment["PGDATABASE"], **address)
        servers = {"restframe": _connect(own), "PostgreSQL": _connect(theirs)}
        servers["PostgreSQL"].execute(_FILL.format(rows=given.rows).encode())
        data = {name: _messages(servers["PostgreSQL"], options) for name, options in _FORMATS.items()}
        print(f"{given.rows:,} rows, median of {given.repeats}")
        print(f"{'':14}{'restframe s':>14}{'PostgreSQL s':>14}{'ratio':>8}{'MB':>8}")
        for direction in ("from", "to"):
            for name, options in _FORMATS.items():
                times: dict[str, list[float]] = {server: [] for server in servers}
                for repeat in range(given.repeats + 1):
                    for server, connection in servers.items():
                        if direction == "from":
                            connection.execute("truncate t")
                            took = _load(connection, options, data[name])
                        else:
                            took = _fetch(connection, options)
                        if repeat:  # the first one warms up
                            times[server].append(took)
                _check(servers.values(), given.rows)
                medians = [statistics.median(taken) for taken in times.values()]
                ratio = statistics.median(x / y for x, y in zip(*times.values(), strict=True))
                size = sum(map(len, data[name])) / 1e6
                print(
                    f"{direction + ' ' + name:14}{medians[0]:14.3f}{medians[1]:14.3f}{ratio:8.2f}{size:8.0f}",
                    flush=True,
                )


def _connect(conninfo: str) -> psycopg.Connection:
    connection = psycopg.connect(conninfo, sslmode="disable", autocommit=True)
    connection.execute(_TABLE)
    return connection


def _messages(connection: psycopg.Connection, options: str) -> list[bytes]:
    """The table's rows as messages of COPY FROM STDIN."""
    with connection.cursor().copy(f"copy t to stdout {options}".encode()) as copy:
        data = b"".join(map(bytes, copy))
    pieces = (data[start : start + _MESSAGE_BYTES] for start in range(0, len(data), _MESSAGE_BYTES))
    return [message(b"d", piece) for piece in pieces]


def _load(connection: psycopg.Connection, options: str, messages: Sequence[bytes]) -> float:
    with _line(connection) as line:
        start = time.perf_counter()
        line.sendall(message(b"Q", f"copy t from stdin {options}\0".encode()))
        answer = line.recv(1 << 16)
        if answer[:1] != b"G":
            raise SystemExit(f"the server answered {answer!r}")
        for one in messages:
            line.sendall(one)
        line.sendall(message(b"c", b""))
        _drain(line)
        return time.perf_counter() - start


def _fetch(connection: psycopg.Connection, options: str) -> float:
    with _line(connection) as line:
        start = time.perf_counter()
        line.sendall(message(b"Q", f"copy t to stdout {options}\0".encode()))
        _drain(line)
        return time.perf_counter() - start


def _line(connection: psycopg.Connection) -> socket.socket:
    """The connection's socket, past libpq, which logged in."""
    line = socket.socket(fileno=os.dup(connection.fileno()))
    line.setblocking(True)
    return line


def _drain(line: socket.socket) -> None:
    """Read until the server is ready for the next query."""
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)
    while True:
        got = line.recv_into(view)
        if not got:
            raise SystemExit("the server hung up")
        if buffer.endswith(_READY, 0, got):
            return


def _check(connections: Iterable[psycopg.Connection], rows: int) -> None:
    for connection in connections:
        found = connection.execute("select count(*) from t").fetchone()
        if found != (rows,):
            raise SystemExit(f"{found} rows were loaded")


if __name__ == "__main__":
    main()
