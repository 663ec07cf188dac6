"""Fuzzes a live `restframe serve` from botocore's descriptions of its services, with state, and says what it finds.

    python tests/fuzz_aws.py --minutes 60 --threads 4 --kill-every 300 /tmp/somewhere

Requests are made from the shapes of every operation we serve, signed, sometimes bent before or after that, and sent.
After each the answer must be one that botocore can read, with a request id, no 5xx but 501 and 503, nothing of the
server's own in it, and soon. Beside them each thread keeps things of its own, and looks whether they are still there,
also after the server was killed.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import random
import re
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fuzz_answers import Answer
from fuzz_inputs import Inputs, Seen
from fuzz_requests import Requests
from fuzz_server import Finds, Raw, Server
from fuzz_words import tested_sql
from fuzz_world import Gardener, Keeper
from restframe.aws.app import SERVICES, Application

# What answers later by design, and what starts processes or stops everything, is asked for less often.
SLOW_S, WARM_S = 2.0, 15.0
RARELY = {
    "CreateTrainingJob": 0.03,
    "CreateEndpoint": 0.1,
    "PauseCluster": 0.02,
    "DescribeTrainingJob": 0.3,
    "DeleteSecret": 0.2,
}
RARELY |= {
    "DeleteLogGroup": 0.2,
    "DeleteEndpoint": 0.2,
    "DeleteBucket": 0.5,
    "DeleteModel": 0.2,
    "DeleteEndpointConfig": 0.2,
}


class Fuzzer:
    """One thread of requests. All threads share a server, what was seen, and the finds."""

    def __init__(
        self,
        server: Server,
        seed: str,
        seen: Seen,
        finds: Finds,
        sql: tuple[str, ...],
        slow_s: float,
        services: Sequence[str],
    ) -> None:
        self.server = server
        self.slow_s = slow_s
        self.rng = random.Random(seed)
        self.finds = finds
        self.requests = Requests(server, self.rng, Inputs(self.rng, seen, sql))
        self.operations = [(service, name) for service in services for name in _served(service)]
        self.connection: http.client.HTTPConnection | None = None
        self.generation = 0
        self.sent = 0

    def step(self) -> None:
        """Send one request and judge its answer."""
        service, name = self.rng.choice(self.operations)
        if self.rng.random() > RARELY.get(name, 1):
            return
        raw = self.requests.make(service, name)
        parsed = self.send(raw) if raw is not None else None
        if parsed and name.endswith("ExecuteStatement") and isinstance(parsed.get("Id"), str) and not raw.bent:
            self._follow(parsed["Id"])

    # sending them and judging the answers

    def send(self, raw: Raw) -> dict[str, Any] | None:
        """What botocore makes of the answer; None when there was none."""
        generation = self.server.generation
        started = time.monotonic()
        try:
            status, headers, body = self._exchange(raw)
        except (ValueError, UnicodeError):
            return None  # http.client does not send such a thing
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            if generation == self.server.generation and self.server.alive:
                self.finds.add("no answer", raw, repr(error))
            time.sleep(0.1)
            return None
        took = time.monotonic() - started
        self.sent += 1
        return self._judge(raw, status, headers, body, took)

    def _exchange(self, raw: Raw) -> tuple[int, dict[str, str], bytes]:
        if self.connection is None or self.generation != self.server.generation:
            self.generation = self.server.generation
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection = self.connection
        try:
            connection.putrequest(raw.method, raw.target, skip_host=True, skip_accept_encoding=True)
            for name, value in {"Host": f"127.0.0.1:{self.server.port}", **raw.headers}.items():
                if name.lower() not in ("content-length", "transfer-encoding"):
                    connection.putheader(name, value.encode("latin-1"))
            if raw.pieces:
                connection.putheader("Transfer-Encoding", "chunked")
            else:
                connection.putheader("Content-Length", str(len(raw.body)))
        except (ValueError, UnicodeError):
            connection.close()
            self.connection = None
            raise
        body: Any = raw.body
        if raw.pieces:
            step = len(body) // raw.pieces + 1
            body = (raw.body[at : at + step] for at in range(0, len(raw.body), step))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
            connection.endheaders(body, encode_chunked=raw.pieces > 0)
        response = connection.getresponse()
        body = response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body

    def _judge(self, raw: Raw, status: int, headers: dict[str, str], body: bytes, took: float) -> dict[str, Any] | None:
        """What botocore makes of an answer, when it has a form that can be known."""
        answer = Answer(raw, status, headers, body, took)
        for word in self.server.forbidden:
            if word.encode() in body or any(word in value for value in headers.values()):
                self.finds.add("secret", raw, str(answer))
        if raw.method in ("OPTIONS", "TRACE") or body == b"Invalid HTTP request received.":
            return None  # not said by an operation
        # a server that has just started still reads descriptions, and all at once here
        warm = time.monotonic() - self.server.started > WARM_S
        if took > self.slow_s and warm and not self._may_wait(raw):
            self.finds.add("slow", raw, f"{took:.1f} s {answer}")
        parsed: dict[str, Any] = {}
        if raw.method != "HEAD" and (not raw.bent or status >= 300):
            parsed = answer.parsed(self.finds)
            told = {name: value for name, value in parsed.items() if name not in _NOT_LEARNT}
            self.requests.inputs.seen.learn(raw.service, told)
        answer.judge(parsed, self.finds)
        return parsed

    def _follow(self, identifier: str) -> None:
        """See what became of a statement."""
        raw = self.requests.plain("redshift-data", "DescribeStatement", {"Id": identifier, "WaitTimeSeconds": 3})
        told = self.send(raw) or {}
        error, text = str(told.get("Error") or ""), str(told.get("QueryStrings") or told.get("QueryString"))
        words = _OURS.search(error)
        if len(error) > 1500 or (words and words[0].lower() not in text.lower()):
            self.finds.add("odd error of a statement", raw, f"{text[:1000]!r} {error}")
        if told.get("HasResultSet") and told.get("ResultFormat") == "JSON":
            self.send(self.requests.plain("redshift-data", "GetStatementResult", {"Id": identifier}))

    @staticmethod
    def _may_wait(raw: Raw) -> bool:
        waits = raw.operation.startswith("Describe") or raw.operation == "CancelStatement"
        return waits or b"WaitTimeSeconds" in raw.body


_NOT_LEARNT = ("Error", "ResponseMetadata", "SecretString")
# what no user has written, and none can act upon
_OURS = re.compile(
    r"(?i:duckdb|sqlglot|internal|pyarrow|traceback)|0x[0-9a-f]{6}|object at|NoneType|[a-z] ?Error:|attribute '"
)


def _served(service: str) -> list[str]:
    operations = Application.operations(service)
    assert operations is not None
    return operations.names()


def run(
    server: Server,
    finds: Finds,
    *,
    seed: str,
    threads: int,
    seconds: float,
    kill_every: float = 0,
    slow_s: float = SLOW_S,
    services: Sequence[str] = tuple(SERVICES),
) -> int:
    """Fuzz for some seconds; how many requests were answered.

    kill_every : about so many seconds the server is killed and started again; 0 is never
    slow_s : what takes longer is a find, unless it may wait
    """
    end = time.monotonic() + seconds
    seen, sql = Seen(), tested_sql()
    fuzzers = [Fuzzer(server, f"{seed}-{n}", seen, finds, sql, slow_s, services) for n in range(threads)]

    def work(fuzzer: Fuzzer, keeper: Keeper, gardener: Gardener) -> None:
        while time.monotonic() < end:
            try:
                fuzzer.step()
                if fuzzer.rng.random() < 0.1:
                    keeper.step()
                if fuzzer.rng.random() < 0.03:
                    gardener.step()
            except Exception:  # noqa: BLE001 - a find, and no end of the others
                finds.add("the fuzzer itself", None, traceback.format_exc())

    keepers = [Keeper(server, f"{seed}-{n}", finds) for n in range(threads)]
    gardeners = [Gardener(server, f"{seed}-{n}", seen) for n in range(threads)]
    workers = [threading.Thread(target=work, args=those) for those in zip(fuzzers, keepers, gardeners, strict=True)]
    for worker in workers:
        worker.start()
    rng, next_kill, next_word = random.Random(seed), time.monotonic() + (kill_every or 10**9), time.monotonic()
    while any(worker.is_alive() for worker in workers):
        time.sleep(0.5)
        if server.process.poll() is not None:
            server.alive = False
            finds.add("the server has ended", None, str(server.process.returncode))
            server.start()
        if time.monotonic() > next_kill:
            next_kill = time.monotonic() + kill_every * rng.uniform(0.5, 1.5)
            server.kill()
            server.start()
        if time.monotonic() > next_word:
            next_word = time.monotonic() + 30
            print(f"{time.strftime('%T')} {sum(f.sent for f in fuzzers)} requests, {server.memory_mb()} MB,", end=" ")
            print(f"{server.files()} files, {sum(finds.counts.values())} finds", flush=True)
    for line in server.complaints():
        finds.add("log", None, line)
    return sum(fuzzer.sent for fuzzer in fuzzers)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="for the warehouse, the server's log and the finds")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=0, metavar="SECONDS", help="about; 0 never")
    parser.add_argument("--slow", type=float, default=SLOW_S, metavar="SECONDS", help="what takes longer is a find")
    parser.add_argument("--only", nargs="+", choices=SERVICES, default=tuple(SERVICES), metavar="SERVICE")
    parser.add_argument("--seed", default=str(int(time.time())))
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    finds = Finds(given.directory / "finds.jsonl")
    server = Server(given.directory / "warehouse")
    try:
        sent = run(
            server,
            finds,
            seed=given.seed,
            threads=given.threads,
            seconds=given.minutes * 60,
            kill_every=given.kill_every,
            slow_s=given.slow,
            services=given.only,
        )
    finally:
        server.stop()
    codes = {name: [count, finds.messages.get(name)] for name, count in sorted(finds.codes.items())}
    (given.directory / "codes.json").write_text(json.dumps(codes, indent=1))
    print(f"seed {given.seed}: {sent} requests, {len(finds.counts)} kinds of finds")
    for name, count in finds.counts.most_common():
        print(f"{count:8} {name}")
    print("slowest:", sorted(finds.slowest.items(), key=lambda item: -item[1])[:15])
    return 1 if finds.counts else 0


if __name__ == "__main__":
    sys.exit(main())
