"""How fast a large result leaves: restframe's PostgreSQL door beside PostgreSQL itself, server and network only.

    python benchmarks/pg_results.py [--rows 1000000] [--repeats 7] [--postgres BIN_DIRECTORY]

Both answer `select * from t` with int, bigint, double precision, varchar and timestamp over one TCP connection of this
machine, to a client that reads bytes and looks at none. They take turns; the table has medians, and the median of the
ratios of the pairs. PostgreSQL is started for this, with its defaults, where its programs are found.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import shutil
import socket
import statistics
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from live import restframe

_TABLE = "create table t (a int, b bigint, c double precision, d varchar(40), e timestamp)"
_FILL = (
    "insert into t select n, n * 1000003::bigint, n / 7.0::double precision, 'name ' || n, "
    "timestamp '2020-01-01' + n * interval '1 second' from generate_series(1, {rows}) as g(n)"
)
_QUERY = b"select a, b, c, d, e from t"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--postgres", type=Path, help="where initdb and pg_ctl are")
    given = parser.parse_args()
    with restframe() as ours, postgres(given.postgres or programs()) as theirs:
        environment = ours.environment
        address = {key: environment[f"PG{key.upper()}"] for key in ("host", "port", "user", "password")}
        servers = {
            "restframe": _filled(
                psycopg.conninfo.make_conninfo(dbname=environment["PGDATABASE"], **address), given.rows
            ),
            "PostgreSQL": _filled(theirs, given.rows),
        }
        print(f"{given.rows:,} rows, median of {given.repeats}")
        print(f"{'':8}{'restframe s':>14}{'PostgreSQL s':>14}{'ratio':>8}{'MB':>8}")
        for form, ask in (("binary", _extended(1)), ("text", _extended(0)), ("simple", _simple())):
            times: dict[str, list[float]] = {name: [] for name in servers}
            for repeat in range(given.repeats + 1):
                for name, (line, _) in servers.items():
                    took, size = _drain(line, ask)
                    if repeat:  # the first one warms up
                        times[name].append(took)
            medians = [statistics.median(taken) for taken in times.values()]
            ratio = statistics.median(x / y for x, y in zip(*times.values(), strict=True))
            print(f"{form:8}{medians[0]:14.3f}{medians[1]:14.3f}{ratio:8.2f}{size / 1e6:8.0f}")


def _filled(conninfo: str, rows: int) -> tuple[socket.socket, psycopg.Connection]:
    """A connection to a server that has the table: libpq logs in and keeps it open, the socket is ours."""
    connection = psycopg.connect(conninfo, sslmode="disable", autocommit=True)
    connection.execute(_TABLE)
    connection.execute(_FILL.format(rows=rows).encode())
    connection.execute("vacuum t")
    connection.execute("analyze t")
    line = socket.socket(fileno=os.dup(connection.fileno()))
    line.setblocking(True)
    return line, connection


def _drain(line: socket.socket, ask: bytes) -> tuple[float, int]:
    """Seconds until the server is ready for the next query, and how many bytes came."""
    buffer = bytearray(1 << 20)
    view, end, size = memoryview(buffer), b"Z\0\0\0\5I", 0
    start = time.perf_counter()
    line.sendall(ask)
    while True:
        got = line.recv_into(view)
        if not got:
            raise SystemExit("the server hung up")
        size += got
        if buffer.endswith(end, 0, got):
            break
    took = time.perf_counter() - start
    if size < 10_000:
        raise SystemExit(f"the server answered {bytes(view[:got])!r}")
    return took, size


def _simple() -> bytes:
    return message(b"Q", _QUERY + b"\0")


def _extended(form: int) -> bytes:
    bind = b"\0\0" + struct.pack(">hhhh", 0, 0, 1, form)
    return (
        message(b"P", b"\0" + _QUERY + b"\0\0\0")
        + message(b"B", bind)
        + message(b"E", b"\0" + struct.pack(">i", 0))
        + message(b"S", b"")
    )


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack(">i", len(body) + 4) + body


def programs() -> Path:
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not installed:
        raise SystemExit("PostgreSQL is not installed; --postgres says where its programs are")
    return installed[-1].parent


@contextlib.contextmanager
def postgres(programs: Path) -> Iterator[str]:
    """A PostgreSQL server with its defaults over a new directory, as another user where we are root; its conninfo."""
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as directory:
        if user is not None:
            os.chown(directory, user.pw_uid, user.pw_gid)
        run_as = {"user": user.pw_uid, "group": user.pw_gid} if user else {}
        quiet = {"stdout": subprocess.DEVNULL, "check": True, "cwd": directory, **run_as}
        data = f"{directory}/data"
        subprocess.run([programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust"], **quiet)
        options = f"-p {port} -k {directory} -h 127.0.0.1"
        control = [programs / "pg_ctl", "-D", data, "-l", f"{directory}/log", "-w"]
        subprocess.run([*control, "-o", options, "start"], **quiet)
        try:
            yield f"host=127.0.0.1 port={port} user=postgres dbname=postgres"
        finally:
            subprocess.run([*control, "-m", "fast", "stop"], **quiet)


if __name__ == "__main__":
    main()
