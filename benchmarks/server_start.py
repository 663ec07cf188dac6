"""How long `restframe serve` takes to its first answer, and how much memory it holds when nobody asks anything.

    python benchmarks/server_start.py

Servers are started alternately in a fresh directory and in one that has been served before. The first answer is that
of the health page, asked for again and again from the start; then every service answers a request once. Memory is the
resident set of the process, after a few seconds without a request, before and after it has loaded the descriptions of
all services. Beside them a Python that imports the engine and Arrow alone. Medians of the rounds. The bars are 2 s and
250 MB.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3

ROUNDS = 5
IDLE_S = 3.0
BASE = "import duckdb, pyarrow, time; duckdb.connect().execute('select 1'); time.sleep(60)"


def resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def answers(port: int) -> bool:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/_restframe/health")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def ask_everything(directory: str, url: str) -> None:
    command = [sys.executable, "-m", "restframe", "env", "-d", directory, "--format", "json"]
    environment = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    def client(service: str) -> Any:
        return boto3.session.Session().client(
            service,
            region_name="us-east-1",
            endpoint_url=url,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )

    client("sts").get_caller_identity()
    client("iam").get_role(RoleName="restframe")
    client("s3").list_buckets()
    client("secretsmanager").list_secrets()
    client("redshift").describe_clusters()
    client("redshift-serverless").list_workgroups()
    client("sagemaker").list_training_jobs()
    client("logs").describe_log_groups()
    client("redshift-data").list_statements()


def measure(directory: str) -> tuple[float, float, float]:
    """Seconds to the first answer, and MB at rest before and after every service was used."""
    port = free_port()
    started = time.perf_counter()
    ports = ["--port", str(port), "--proxy-port", "0", "--sql-port", "0"]
    command = [sys.executable, "-m", "restframe", "serve", "-d", directory, *ports]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        while not answers(port):
            time.sleep(0.01)
        seconds = time.perf_counter() - started
        time.sleep(IDLE_S)
        fresh = resident_mb(server.pid)
        ask_everything(directory, f"http://127.0.0.1:{port}")
        time.sleep(IDLE_S)
        used = resident_mb(server.pid)
        server.terminate()
    return seconds, fresh, used


def base_mb() -> float:
    with subprocess.Popen([sys.executable, "-c", BASE]) as process:
        time.sleep(IDLE_S)
        found = resident_mb(process.pid)
        process.kill()
    return found


def main() -> None:
    taken: dict[str, list[tuple[float, float, float]]] = {"first start": [], "next start": []}
    bases = []
    with tempfile.TemporaryDirectory() as directory:
        measure(f"{directory}/again")  # byte code is written, the directory is made
        for number in range(ROUNDS):
            taken["first start"].append(measure(f"{directory}/{number}"))
            taken["next start"].append(measure(f"{directory}/again"))
            bases.append(base_mb())
    print(f"{'':<14}{'first answer, s':>16}{'at rest, MB':>14}{'after all services, MB':>24}")
    for name, values in taken.items():
        seconds, fresh, used = (statistics.median(column) for column in zip(*values, strict=True))
        print(f"{name:<14}{seconds:>16.2f}{fresh:>14.0f}{used:>24.0f}")
    print(f"{'engine alone':<14}{'':>16}{statistics.median(bases):>14.0f}")


if __name__ == "__main__":
    main()
