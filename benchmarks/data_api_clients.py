"""A hundred clients of the Data API at once: 10,000 flows, without an error, and how long each waits.

    python benchmarks/data_api_clients.py [--clients 100] [--flows 10000] [--pause 1] [--processes 2]

A flow is ExecuteStatement, DescribeStatement until it is FINISHED, GetStatementResult, over a connection that is kept
open. boto3 would cost more processor time than the server, so the clients here write their bytes themselves: each
request is signed (version 4), sent and read in some 0.1 ms.

Three runs. One client, as fast as it can: the time of a flow when nobody else is there. Then all of them as fast as
they can, which is a closed loop: whoever gets an answer asks again, so that the server is always full and, by Little's
law, a flow takes clients / throughput, whatever the server does. It shows the throughput, and that nothing fails or
leaks. Then each of them once a second, at random moments: what a hundred users feel. Times there count from the moment
at which a flow was due.

Two commits of each flow wait for the disk, which others may keep busy: TMPDIR=/dev/shm leaves the disk out.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import hashlib
import hmac
import json
import multiprocessing
import random
import statistics
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from live import LOGIN, QUERY, Live, make_items, restframe


@functools.cache
def signing_key(secret: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (day, region, "redshift-data", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


class Client:
    """One connection. Speaks HTTP/1.1 as far as our server's answers need it."""

    def __init__(self, url: str, environment: Mapping[str, str]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._access_key = environment["AWS_ACCESS_KEY_ID"]
        self._secret = environment["AWS_SECRET_ACCESS_KEY"]
        self._region = environment["AWS_DEFAULT_REGION"]

    async def __aenter__(self) -> Client:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def call(self, operation: str, **members: Any) -> dict[str, Any]:
        self._writer.write(self._request(operation, json.dumps(members).encode()))
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = int(head.partition("content-length:")[2].partition("\r\n")[0])
        answer: dict[str, Any] = json.loads(await self._reader.readexactly(length))
        if not head.startswith("http/1.1 200"):
            raise RuntimeError(f"{operation}: {answer}")
        return answer

    def _request(self, operation: str, body: bytes) -> bytes:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        host, target = f"{self._host}:{self._port}", f"RedshiftData.{operation}"
        signed = f"host:{host}\nx-amz-date:{now}\nx-amz-target:{target}\n"
        names, scope = "host;x-amz-date;x-amz-target", f"{now[:8]}/{self._region}/redshift-data/aws4_request"
        request = f"POST\n/\n\n{signed}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = signing_key(self._secret, now[:8], self._region)
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Date: {now}\r\nX-Amz-Target: {target}\r\n"
            f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: AWS4-HMAC-SHA256 Credential={self._access_key}/{scope}, SignedHeaders={names}, "
            f"Signature={signature}\r\n\r\n"
        ).encode() + body

    async def flow(self) -> float:
        """Milliseconds of one flow."""
        start = time.perf_counter()
        said = await self.call("ExecuteStatement", Sql=QUERY, ClientToken=str(uuid.uuid4()), **LOGIN)
        while (run := await self.call("DescribeStatement", Id=said["Id"], WaitTimeSeconds=20))["Status"] != "FINISHED":
            if run["Status"] not in ("SUBMITTED", "PICKED", "STARTED"):
                raise RuntimeError(str(run))
        result = await self.call("GetStatementResult", Id=said["Id"])
        if result["TotalNumRows"] != 3:
            raise RuntimeError(str(result))
        return (time.perf_counter() - start) * 1000


@dataclass(frozen=True)
class Load:
    """pause_s : mean of the random time between a client's flows, from begin to begin; 0: no pause"""

    clients: int
    flows: int
    pause_s: float


async def load(url: str, environment: Mapping[str, str], given: Load) -> list[float]:
    """Milliseconds of each flow."""
    left, times = iter(range(given.flows)), []

    async def one() -> None:
        async with Client(url, environment) as client:
            due = time.perf_counter() + random.random() * given.pause_s
            for _ in left:
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                begun = due if given.pause_s else time.perf_counter()
                await client.flow()
                times.append((time.perf_counter() - begun) * 1000)
                due += random.expovariate(1 / given.pause_s) if given.pause_s else 0.0

    await asyncio.gather(*(one() for _ in range(given.clients)))
    return times


@dataclass(frozen=True)
class Done:
    """times : ms of each flow. start, end : of the clock that all processes share. cpu_s : that the clients took"""

    times: list[float]
    start: float
    end: float
    cpu_s: float


def in_process(url: str, environment: Mapping[str, str], given: Load) -> Done:
    start, used = time.time(), time.process_time()
    times = asyncio.run(load(url, environment, given))
    return Done(times, start, time.time(), time.process_time() - used)


@dataclass(frozen=True)
class Line:
    p50: float
    p99: float
    rate: float


def measure(live: Live, name: str, given: Load, processes: int) -> Line:
    """Run a load and print one line."""
    part = Load(given.clients // processes, given.flows // processes, given.pause_s)
    memory, cpu = live.memory_mb(), live.cpu_s()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        done = pool.starmap(in_process, [(live.url, dict(live.environment), part)] * processes)
    times = sorted(one for each in done for one in each.times)
    rate = len(times) / (max(each.end for each in done) - min(each.start for each in done))
    line = Line(statistics.median(times), times[int(len(times) * 0.99)], rate)
    server_ms = (live.cpu_s() - cpu) * 1000 / len(times)
    client_ms = sum(each.cpu_s for each in done) * 1000 / len(times)
    print(
        f"{name:28}{len(times):8}{rate:8.0f}{line.p50:9.2f}{line.p99:9.2f}{times[-1]:9.1f}"
        f"{server_ms:10.2f}{client_ms:9.2f}{memory:9.0f}{live.memory_mb():7.0f}",
        flush=True,
    )
    return line


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--flows", type=int, default=10_000)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds between a client's flows in the third run")
    parser.add_argument("--processes", type=int, default=2, help="that the clients run in")
    given = parser.parse_args()
    with restframe() as live:
        make_items(live)
        asyncio.run(load(live.url, live.environment, Load(10, 300, 0)))
        print(f"{'':28}{'':8}{'':8}{'ms':>9}{'ms':>9}{'ms':>9}{'CPU ms a flow':>19}{'server MB':>16}")
        print(
            f"{'':28}{'flows':>8}{'per s':>8}{'p50':>9}{'p99':>9}{'most':>9}"
            f"{'server':>10}{'clients':>9}{'before':>9}{'after':>7}"
        )
        alone = measure(live, "one client", Load(1, min(1000, given.flows), 0), 1)
        everybody = Load(given.clients, given.flows, 0)
        full = measure(live, f"{given.clients} as fast as they can", everybody, given.processes)
        paced = Load(given.clients, given.flows, given.pause)
        calm = measure(live, f"{given.clients}, each every {given.pause:g} s", paced, given.processes)
    closed, unavoidable = full.p99 / alone.p50, given.clients / full.rate * 1000 / alone.p50
    print(f"p99 of clients that pause is {calm.p99 / alone.p50:.1f} times the p50 of one client, bar 20. In the closed")
    print(f"loop it is {closed:.1f} times; clients / throughput alone make {unavoidable:.1f} of that.")


if __name__ == "__main__":
    main()
