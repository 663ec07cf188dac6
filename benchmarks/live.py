"""Servers that benchmarks start for themselves, on free ports of this machine, and what they cost it."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESTFRAME = Path(sys.executable).with_name("restframe")

# What benchmarks of the Data API ask, of the table that make_items makes: three rows.
QUERY = "select id, name, price from items where id < 4 order by id"
LOGIN = {"ClusterIdentifier": "benchmark", "Database": "dev"}


@dataclass(frozen=True)
class Live:
    """url : where the AWS APIs are. environment : what a client program needs."""

    url: str
    environment: Mapping[str, str]
    process_id: int

    def client(self, service: str, connections: int = 10) -> Any:
        """A boto3 client without retries.

        connections : as many requests can be under way at once
        """
        import boto3
        from botocore.config import Config

        return boto3.client(
            service,
            endpoint_url=self.url,
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_DEFAULT_REGION"],
            config=Config(retries={"max_attempts": 0}, proxies={}, max_pool_connections=connections),
        )

    def cpu_s(self) -> float:
        """Processor time that the process has used."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """What of the process is in memory."""
        fields = Path(f"/proc/{self.process_id}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    @property
    def dsn(self) -> str:
        """For psycopg, without TLS."""
        names = (("host", "PGHOST"), ("port", "PGPORT"), ("user", "PGUSER"), ("password", "PGPASSWORD"))
        return "dbname=dev sslmode=disable " + " ".join(f"{name}={self.environment[key]}" for name, key in names)


def make_items(live: Live) -> None:
    client = live.client("redshift-data")
    for sql in (
        "create table items (id int, grp int, name varchar(20), price decimal(8,2))",
        "insert into items select n, n % 10, 'item ' || n, n / 7.0 from generate_series(1, 1000) as g(n)",
    ):
        said = client.execute_statement(Sql=sql, WaitTimeSeconds=20, **LOGIN)
        run = client.describe_statement(Id=said["Id"], WaitTimeSeconds=20)
        assert run["Status"] == "FINISHED", run


@contextlib.contextmanager
def restframe() -> Iterator[Live]:
    """`restframe serve` over a new warehouse, with everything switched on."""
    with tempfile.TemporaryDirectory() as directory:
        command = [RESTFRAME, "serve", "--data", directory, "--port", "0", "--proxy-port", "0", "--sql-port", "0"]
        with _running(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            # the last line it prints says how to use it
            if not any(b"restframe env" in line for line in process.stdout):
                raise SystemExit("restframe serve did not start")
            said = subprocess.run(
                [RESTFRAME, "env", "--data", directory, "--format", "json"], stdout=subprocess.PIPE, check=True
            )
            environment = json.loads(said.stdout)
            yield Live(environment["AWS_ENDPOINT_URL"], environment, process.pid)


@contextlib.contextmanager
def moto(program: str) -> Iterator[Live]:
    """The mock server whose program is given; it checks no signature and runs no SQL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
    with _running([program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(300):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        yield Live(f"http://127.0.0.1:{port}", keys, process.pid)


@contextlib.contextmanager
def canned(answers: Mapping[str, dict[str, Any]]) -> Iterator[Live]:
    """A server that does nothing but send the same answer to every call of an operation: what is left is the client.

    answers : by operation
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        process = multiprocessing.get_context("fork").Process(target=_answer, args=(listening, answers), daemon=True)
        process.start()
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "us-east-1"}
    try:
        yield Live(f"http://127.0.0.1:{port}", keys, process.pid or 0)
    finally:
        process.terminate()
        process.join()


def _answer(listening: socket.socket, answers: Mapping[str, dict[str, Any]]) -> None:
    """One connection after the other; a request is one that has arrived in whole."""
    said = {}
    for operation, answer in answers.items():
        body = json.dumps(answer).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        said[operation.encode()] = head.encode() + body
    while True:
        connection, _ = listening.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            received = b""
            while piece := connection.recv(65536):
                received += piece
                head, end, body = received.partition(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                if end and len(body) >= length:
                    connection.sendall(said[head.partition(b"RedshiftData.")[2].partition(b"\r\n")[0]])
                    received = b""


@contextlib.contextmanager
def _running(command: list[Any], **streams: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, **streams)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)
