"""Many SQL clients at once: memory of one that is idle, and short queries beside long ones.

    python benchmarks/pg_connections.py [connections] [seconds]

A server in a process of its own. Each connection asks a short query of a mix once a second, at a time of its own; then
the same while four others run long queries one after the other. Times are from the query to ReadyForQuery.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import random
import socket
import statistics
import struct
import sys
import time

import psycopg

import live
from pg_small_queries import ROWS, TABLE

SHORT = (
    "select 1",
    "select id, name from items where id = 77",
    "select grp, count(*), avg(price) from items group by grp order by grp",
    "select id, price from items order by price desc limit 10",
)
BIG = "create table big as select a.i * 2000 + b.i as k, (a.i * b.i) % 1009 as v from {0} a(i), {0} b(i)"
SERIES = "generate_series(1, 2000)"
LONG = "select max(md5(v || 'x' || k)) from big"
LONG_ONES = 4


def message(text: str) -> bytes:
    return b"Q" + struct.pack("!I", len(text) + 5) + text.encode() + b"\0"


class Client:
    """A connection that psycopg has made, used through its socket."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._socket = socket.socket(fileno=os.dup(connection.pgconn.socket))
        self._socket.setblocking(False)

    async def ask(self, query: bytes) -> float:
        """Milliseconds."""
        loop, start = asyncio.get_running_loop(), time.perf_counter()
        await loop.sock_sendall(self._socket, query)
        received = b""
        while not received.endswith(b"Z\0\0\0\5I"):
            received = received[-6:] + await loop.sock_recv(self._socket, 65536)
        assert b"ERROR" not in received
        return (time.perf_counter() - start) * 1000


async def short_ones(clients: list[Client], seconds: float) -> list[float]:
    queries = [message(text) for text in SHORT]

    async def once_a_second(client: Client) -> list[float]:
        await asyncio.sleep(random.random())
        end, took = time.monotonic() + seconds, []
        while (begun := time.monotonic()) < end:
            took.append(await client.ask(random.choice(queries)))
            await asyncio.sleep(max(0.0, begun + 1 - time.monotonic()))
        return took

    return [one for took in await asyncio.gather(*map(once_a_second, clients)) for one in took]


async def with_long_ones(clients: list[Client], long: list[Client], seconds: float) -> tuple[list[float], list[float]]:
    took_long: list[float] = []

    async def again_and_again(client: Client) -> None:
        while True:
            took_long.append(await client.ask(message(LONG)))

    tasks = [asyncio.create_task(again_and_again(client)) for client in long]
    await asyncio.sleep(0.5)
    took = await short_ones(clients, seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return took, took_long


def shown(took: list[float]) -> str:
    return (
        f"{statistics.median(took):>8.2f}{statistics.quantiles(took, n=100)[98]:>9.2f}{max(took):>9.1f}{len(took):>9}"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 15
    with live.restframe() as server, contextlib.ExitStack() as opened:

        def connect() -> psycopg.Connection:
            connection = psycopg.connect(server.dsn, autocommit=True)
            opened.callback(connection.close)
            return connection

        first = connect()
        for text in (TABLE, ROWS, *SHORT):
            first.execute(text)
        for _ in range(3):  # what is made once, and what the allocator keeps for the next ones
            with contextlib.ExitStack() as few:
                for _ in range(count // 2):
                    few.enter_context(psycopg.connect(server.dsn, autocommit=True)).execute(SHORT[1])
        time.sleep(1)
        before = server.memory_mb()
        connections = [connect() for _ in range(count)]
        idle = server.memory_mb()
        for connection in connections:
            connection.execute(SHORT[1])
        used = server.memory_mb()
        print(f"memory of an idle connection: {(idle - before) * 1000 / count:.0f} kB,")
        print(f"of one that has asked something: {(used - before) * 1000 / count:.0f} kB; of the server {used:.0f} MB")
        first.execute(BIG.format(SERIES))
        clients = [Client(connection) for connection in connections]
        alone = asyncio.run(short_ones(clients, seconds))
        together, long = asyncio.run(with_long_ones(clients, [Client(connect()) for _ in range(LONG_ONES)], seconds))
        print(f"{'ms':<22}{'median':>8}{'p99':>9}{'longest':>9}{'queries':>9}")
        print(f"{'short ones alone':<22}{shown(alone)}")
        print(f"{'beside long ones':<22}{shown(together)}")
        p99 = [statistics.quantiles(took, n=100)[98] for took in (together, alone)]
        long_s = statistics.mean(long or [math.nan]) / 1000
        print(f"p99 beside {LONG_ONES} long ones of {long_s:.1f} s: {p99[0] / p99[1]:.2f}x")


if __name__ == "__main__":
    main()
