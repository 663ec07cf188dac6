"""PUT and GET of a large object with boto3, side by side with other servers: throughput and memory above idle.

    python benchmarks/s3_objects.py [--megabytes 1024] [--repetitions 3] [--moto moto_server] [--s3rver s3rver]

`restframe serve` with everything switched on, over a disk; the mock server keeps objects in memory, and s3rver in files
that it does not wait for. Each repetition asks all servers in turn, with the same client; medians, and the ratio of
our throughput to each of the others'. Memory is the most that was seen above that of the idle server; CPU is the
server's, all cores together, and does not depend on what else the machine does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import live

_PIECE_BYTES = 1 << 20
_RESTFRAME = "restframe"


@contextlib.contextmanager
def s3rver(program: str) -> Iterator[live.Live]:
    """s3rver, a server of objects in files; it checks signatures."""
    keys = {"AWS_ACCESS_KEY_ID": "S3RVER", "AWS_SECRET_ACCESS_KEY": "S3RVER", "AWS_DEFAULT_REGION": "us-east-1"}
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "--directory", directory, "--address", "127.0.0.1", "--port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert process.stdout is not None
        try:
            said = next(line for line in process.stdout if "listening" in line)
            yield live.Live(f"http://127.0.0.1:{said.split(':')[-1].strip()}", keys, process.pid)
        finally:
            process.terminate()
            process.wait(30)


@dataclass(frozen=True)
class Result:
    """memory_mb : above idle"""

    seconds: float
    cpu_s: float
    memory_mb: float


class Peak:
    """The most memory a server has had since it was begun to be watched."""

    def __init__(self, server: live.Live) -> None:
        self._server = server
        self._over = threading.Event()
        self.megabytes = 0.0

    def __enter__(self) -> Peak:
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self.megabytes = max(self.megabytes, self._server.memory_mb())


def put(client: Any, path: Path) -> None:
    with path.open("rb") as file:
        client.put_object(Bucket="benchmark", Key="one", Body=file)


def get(client: Any, path: Path) -> None:
    body = client.get_object(Bucket="benchmark", Key="one")["Body"]
    received = sum(len(piece) for piece in iter(lambda: body.read(_PIECE_BYTES), b""))
    assert received == path.stat().st_size


def upload(client: Any, path: Path) -> None:
    client.upload_file(str(path), "benchmark", "parts")


def download(client: Any, path: Path) -> None:
    target = path.with_suffix(".down")
    client.download_file("benchmark", "parts", str(target))
    assert target.stat().st_size == path.stat().st_size
    target.unlink()


WORK: dict[str, Callable[[Any, Path], None]] = {
    "put_object": put,
    "get_object": get,
    "upload_file": upload,
    "download_file": download,
}


def measured(server: live.Live, path: Path) -> dict[str, Result]:
    client = server.client("s3")
    client.create_bucket(Bucket="benchmark")
    client.put_object(Bucket="benchmark", Key="warm", Body=b"x")
    client.get_object(Bucket="benchmark", Key="warm")["Body"].read()
    idle = server.memory_mb()
    found = {}
    for name, work in WORK.items():
        with Peak(server) as peak:
            start, cpu_s = time.perf_counter(), server.cpu_s()
            work(client, path)
            seconds, cpu_s = time.perf_counter() - start, server.cpu_s() - cpu_s
        found[name] = Result(seconds, cpu_s, max(0.0, peak.megabytes - idle))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--moto", help="the mock server's program")
    parser.add_argument("--s3rver", help="s3rver's program")
    given = parser.parse_args()
    servers: dict[str, Callable[[], contextlib.AbstractContextManager[live.Live]]] = {_RESTFRAME: live.restframe}
    if given.moto:
        servers["moto"] = lambda: live.moto(given.moto)
    if given.s3rver:
        servers["s3rver"] = lambda: s3rver(given.s3rver)
    found: dict[str, dict[str, list[Result]]] = {name: {work: [] for work in WORK} for name in servers}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "object")
        with path.open("wb") as file:
            for _ in range(given.megabytes):
                file.write(os.urandom(_PIECE_BYTES))
        for _ in range(given.repetitions):
            for name, start in servers.items():
                # a new server each time: what one repetition left in memory is not idle
                with start() as server:
                    for work, result in measured(server, path).items():
                        found[name][work].append(result)
    show(found, given.megabytes)


def show(found: dict[str, dict[str, list[Result]]], megabytes: int) -> None:
    print(f"{megabytes} MB\n{'':15}{'server':12}{'MB/s':>8}{'ours is':>10}{'CPU s':>8}{'above idle':>14}")
    for work in WORK:
        for name, results in found.items():
            speed = megabytes / statistics.median(one.seconds for one in results[work])
            pairs = zip(results[work], found[_RESTFRAME][work], strict=True)
            ratio = statistics.median(theirs.seconds / ours.seconds for theirs, ours in pairs)
            cpu_s = statistics.median(one.cpu_s for one in results[work])
            memory = max(one.memory_mb for one in results[work])
            print(f"{work:15}{name:12}{speed:8.0f}{ratio:9.2f}x{cpu_s:8.2f}{memory:11.0f} MB")


if __name__ == "__main__":
    main()
