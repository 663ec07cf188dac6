"""The server that is fuzzed, what is sent to it, and what was found."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import botocore.credentials
from botocore.config import Config


class Server:
    """A process of `restframe serve` that can be killed and started again.

    generation : how often it was started
    sql_port, password : of the PostgreSQL protocol, and the superuser's
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory.parent / "server.log"
        self.generation = 0
        self.alive = False
        self.start()

    def start(self) -> None:
        settings = {"LOG_LEVEL": "info", "DESCRIBE_HOLD_S": "2", "THREADS": "1", "STATEMENT_TIMEOUT_MS": "15000"}
        environment = {**os.environ, **{f"RESTFRAME_{name}": value for name, value in settings.items()}}
        command = [sys.executable, "-m", "restframe", "serve", "-d", str(self.directory)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--port", "0", "--sql-port", "0", "--proxy-port", "0"],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("  AWS APIs"):
                self.url = line.split()[-1]
            if line.startswith("In another shell:"):
                break
        self.port = urllib.parse.urlsplit(self.url).port
        command[3:4] = ["env"]
        told = json.loads(subprocess.check_output([*command, "--format", "json"]))
        self.keys = botocore.credentials.Credentials(told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"])
        self.sql_port, self.password = int(told["PGPORT"]), told["PGPASSWORD"]
        self.forbidden = [told["AWS_SECRET_ACCESS_KEY"], told["PGPASSWORD"], str(self.directory), "Traceback (most"]
        self.forbidden += [str(Path(__file__).resolve().parents[1] / "src"), "site-packages"]
        self.generation += 1
        self.started = time.monotonic()
        self.alive = True

    def kill(self) -> None:
        self.alive = False
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)

    def client(self, service: str) -> Any:
        """A boto3 client that tries everything once."""
        return boto3.session.Session(self.keys.access_key, self.keys.secret_key, region_name="us-east-1").client(
            service,
            endpoint_url=self.url,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
        )

    def memory_mb(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) // 1024

    def files(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/task").iterdir()))

    def complaints(self) -> Iterator[str]:
        """What its log has that none should have."""
        text = self.log.read_text(errors="replace")
        for match in re.finditer(
            r"^.*( ERROR | CRITICAL |Traceback|never awaited|Exception ignored).*$", text, re.MULTILINE
        ):
            yield text[match.start() : match.start() + 3000]


@dataclass
class Raw:
    """A request as it will be sent.

    bent : it may mean something else than the operation
    pieces : in how many chunks of HTTP's own the body goes; 0 sends it with a length
    """

    service: str
    operation: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    bent: bool = False
    signed: bool = False
    pieces: int = 0

    def shown(self) -> dict[str, Any]:
        return {**vars(self), "body": self.body[:3000].decode("latin-1"), "target": self.target[:3000]}


@dataclass
class Finds:
    """What was found, once for each kind; and what was seen at all."""

    path: Path | None = None
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    messages: dict[str, str] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, raw: Raw | None, detail: str) -> None:
        name = f"{kind} {raw.service}.{raw.operation}" if raw else kind
        with self.lock:
            self.counts[name] += 1
            if self.path is not None and self.counts[name] <= 3:
                record = {
                    "find": name,
                    "detail": detail[:3000],
                    "request": raw and raw.shown(),
                    "at": time.strftime("%T"),
                }
                with self.path.open("a") as file:
                    file.write(json.dumps(record) + "\n")
                print(f"FIND {name}: {detail[:300]}", flush=True)

    def note(self, operation: str, outcome: str, message: str, took: float) -> None:
        """That there was such an answer."""
        with self.lock:
            self.codes[f"{operation} {outcome}"] += 1
            self.messages[f"{operation} {outcome}"] = message
            self.slowest[operation] = max(round(took, 2), self.slowest.get(operation, 0.0))
