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
import gzip
import http.client
import json
import random
import re
import sys
import threading
import time
import traceback
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from fuzz_inputs import Inputs, Seen, json_text
from fuzz_server import Finds, Raw, Server
from fuzz_words import TEXTS, tested_sql
from fuzz_world import Gardener, Keeper
from restframe.aws import wire
from restframe.aws.app import SERVICES, Application

# What answers later by design, and what starts processes or stops everything, is asked for less often.
SLOW_S = 2.0
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
GOOD_5XX = {
    500: {"DatabaseConnectionException"},
    501: {"NotImplemented", "UnknownOperationException", "NotImplementedException"},
    503: {"SlowDown", "ThrottlingException", "ServiceUnavailable"},
}


class Fuzzer:
    """One thread of requests. All threads share a server, what was seen, and the finds."""

    def __init__(
        self, server: Server, seed: str, seen: Seen, finds: Finds, sql: tuple[str, ...], slow_s: float
    ) -> None:
        self.server = server
        self.slow_s = slow_s
        self.rng = random.Random(seed)
        self.seen = seen
        self.finds = finds
        self.inputs = Inputs(self.rng, seen, sql)
        self.operations = [(s, name) for s in SERVICES for name in _served(s)]
        self.connection: http.client.HTTPConnection | None = None
        self.generation = 0
        self.sent = 0

    def step(self) -> None:
        """Send one request and judge its answer."""
        service, name = self.rng.choice(self.operations)
        if self.rng.random() > RARELY.get(name, 1):
            return
        raw = self._request(service, name)
        if raw is not None:
            self.send(raw)

    # making requests

    def _request(self, service: str, name: str) -> Raw | None:
        description = wire.service(service)
        operation = description.model.operation_model(name)
        params = self.inputs.input(operation.input_shape, service)
        try:
            serializer = create_serializer(description.protocol, include_validation=False)
            made = serializer.serialize_to_request(params, operation)
            body = made["body"]
            body = urllib.parse.urlencode(body).encode() if isinstance(body, dict) else body
            body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body)
        except Exception:  # noqa: BLE001 - whatever botocore says of values of other types
            if description.protocol != "json":
                return None
            target = f"{operation.metadata.get('targetPrefix')}.{name}"
            version = operation.metadata.get("jsonVersion", "1.1")
            headers = {"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"}
            made = {"method": "POST", "url_path": "/", "query_string": "", "headers": headers}
            body = json_text(params).encode("utf-8", "surrogatepass")
        query = made["query_string"]
        query = urllib.parse.urlencode(query, errors="surrogatepass") if isinstance(query, dict) else query
        joint = "&" if "?" in made["url_path"] else "?"
        target = made["url_path"] + (joint + query if query else "")
        headers = {str(k): _header(v) for k, v in made["headers"].items()}
        # without a parameter that is missing a REST request is another operation's
        bent = description.protocol.startswith("rest") and self.inputs.wildness > 0
        raw = Raw(service, name, made["method"], target, headers, body, bent)
        draw = self.rng.random()
        if draw < 0.12:
            self._bend(raw)
        self._sign(raw)
        if draw > 0.96:
            self._bend(raw)
        return raw

    def _bend(self, raw: Raw) -> None:
        rng = self.rng
        raw.bent = True
        for _ in range(rng.choice((1, 1, 2, 3))):
            rng.choice((self._bend_body, self._bend_headers, self._bend_target, self._bend_method))(raw)

    def _bend_method(self, raw: Raw) -> None:
        raw.method = self.rng.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"))

    def _bend_body(self, raw: Raw) -> None:
        rng, body = self.rng, raw.body
        at = rng.randrange(len(body) + 1)
        raw.body = rng.choice(
            (
                *(b"", body[:at], body + b"\0", body[:at] + rng.randbytes(3) + body[at:], body[at:] + body[:at]),
                *(gzip.compress(body), self.inputs.text().encode("utf-8", "surrogatepass"), b"\xff\xfe" + body),
                *(
                    b"{" * 20_000,
                    b'{"a":' * 2000 + b"1" + b"}" * 2000,
                    b"<a>" * 3000,
                    b"&".join([b"a.member.1=x"] * 500),
                ),
                b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;">]><Delete><Object><Key>&c;</Key></Object></Delete>',
                b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Tagging>&b;</Tagging>',
            )
        )

    def _bend_headers(self, raw: Raw) -> None:
        rng = self.rng
        names = [
            *raw.headers,
            "Content-Type",
            "X-Amz-Target",
            "Range",
            "If-Match",
            "If-None-Match",
            "If-Modified-Since",
        ]
        names += ["x-amz-copy-source", "x-amz-meta-a", "Content-Encoding", "x-amz-decoded-content-length", "Expect"]
        names += [
            "x-amz-content-sha256",
            "x-amz-checksum-crc32",
            "x-amz-sdk-checksum-algorithm",
            "Origin",
            "Content-MD5",
        ]
        names += [
            "x-amz-trailer",
            "x-amz-security-token",
            "Accept-Encoding",
            "x-amz-tagging",
            "x-amz-date",
            "Cache-Control",
        ]
        name = rng.choice(names)
        if rng.random() < 0.25:
            raw.headers.pop(name, None)
        else:
            values = (*TEXTS, "bytes=0-", "bytes=-0", "aws-chunked", "gzip", "*", "Thu, 01 Jan 1970 00:00:00 GMT")
            values += ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", "UNSIGNED-PAYLOAD", "application/xml", "RedshiftData.X")
            raw.headers[name] = _header(rng.choice(values))[:9000]

    def _bend_target(self, raw: Raw) -> None:
        rng = self.rng
        path, _, query = raw.target.partition("?")
        extra = urllib.parse.quote(self.inputs.text(), safe="", errors="replace")[:9000]
        words = ("list-type=2", "uploads", "uploadId=x", "partNumber=0", "partNumber=99999999999", "max-keys=-1", "acl")
        words += (
            "versions",
            "delete",
            "tagging",
            "policy",
            "response-content-type=a%0d%0ab",
            "encoding-type=url",
            "x-id=A",
        )
        words += (
            f"prefix={extra}",
            f"marker={extra}",
            f"continuation-token={extra}",
            f"Action={extra}",
            "max-keys=1",
            "torrent",
        )
        path = rng.choice(
            (path, path, path, path + "/", path + "/../..", "//" + path, path.replace("/", "/%2e%2e/"), path + extra)
        )
        query = rng.choice(
            (query, "&".join(filter(None, (query, rng.choice(words)))), rng.choice(words), extra, query + "&&=&")
        )
        raw.target = path + ("?" + query if query else "")

    def _sign(self, raw: Raw) -> None:
        request = AWSRequest(
            method=raw.method, url=self.server.url + raw.target, data=raw.body, headers=dict(raw.headers)
        )
        request.context["payload_signing_enabled"] = True
        signing_name = wire.service(raw.service).signing_name
        with contextlib.suppress(Exception):  # what cannot be signed goes as it is
            kind = S3SigV4Auth if raw.service == "s3" else SigV4Auth
            kind(self.server.keys, signing_name, "us-east-1").add_auth(request)
            raw.headers = dict(request.headers.items())

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
                if name.lower() != "content-length":
                    connection.putheader(name, value.encode("latin-1"))
            connection.putheader("Content-Length", str(len(raw.body)))
        except (ValueError, UnicodeError):
            connection.close()
            self.connection = None
            raise
        connection.endheaders(raw.body)
        response = connection.getresponse()
        body = response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, body

    def _judge(self, raw: Raw, status: int, headers: dict[str, str], body: bytes, took: float) -> dict[str, Any] | None:
        found = self.finds
        description = wire.service(raw.service)
        operation = description.model.operation_model(raw.operation)
        shown = f"{status} {headers} {body[:1500]!r}"
        for word in self.server.forbidden:
            if word.encode() in body or any(word in value for value in headers.values()):
                found.add("secret", raw, shown)
        if raw.method in ("OPTIONS", "TRACE") or body == b"Invalid HTTP request received.":
            return None
        code, refusal = "", {}
        parsed: dict[str, Any] = {}
        if raw.method != "HEAD" and (not raw.bent or status >= 300):
            try:
                streams = (
                    status < 300 and operation.get_event_stream_output() is None and operation.has_streaming_output
                )
                data = {"status_code": status, "headers": headers, "body": body}
                protocol = _protocol(body) if raw.bent else description.protocol
                if streams:
                    parsed = {"ResponseMetadata": {"RequestId": headers.get("x-amzn-requestid", "")}}
                else:
                    parsed = create_parser(protocol).parse(data, operation.output_shape)
            except Exception as error:  # noqa: BLE001 - whatever it is, clients get it, too
                if status != 304:
                    found.add("unreadable", raw, f"{error!r} {shown}")
                return None
            refusal = parsed.get("Error", {}) if status >= 300 else {}
            code = refusal.get("Code", "")
            request_id = parsed.get("ResponseMetadata", {}).get("RequestId") or headers.get("x-amz-request-id")
            if not request_id:
                found.add("no request id", raw, shown)
            if status >= 400 and (not code or code == str(status) or not refusal.get("Message")):
                found.add("no code or message", raw, shown)
            self.seen.learn(
                raw.service, {k: v for k, v in parsed.items() if k not in ("Error", "ResponseMetadata", "SecretString")}
            )
        if status >= 500 and raw.method != "HEAD" and code not in GOOD_5XX.get(status, ()):
            found.add(f"{status} {code}", raw, shown)
        if len(body) > 4000 and status >= 400:
            found.add("long error", raw, f"{len(body)} bytes {shown}")
        with found.lock:
            found.codes[f"{raw.service}.{raw.operation} {status} {code}"] += 1
            found.messages[f"{raw.service}.{raw.operation} {status} {code}"] = str(refusal.get("Message"))[:300]
            if took > found.slowest.get(raw.operation, 0):
                found.slowest[raw.operation] = round(took, 2)
        if took > self.slow_s and not self._may_wait(raw):
            found.add("slow", raw, f"{took:.1f} s {shown}")
        if raw.operation == "DescribeStatement" and len(parsed.get("Error") or "") > 1500:
            found.add("long error of a statement", raw, str(parsed))
        if raw.operation == "DescribeStatement" and re.search(
            r"duckdb|sqlglot|internal|python|0x[0-9a-f]{6}|object at", str(parsed.get("Error") or ""), re.I
        ):
            found.add("odd error of a statement", raw, str(parsed))
        return parsed

    @staticmethod
    def _may_wait(raw: Raw) -> bool:
        operation = Application.operations(raw.service)
        assert operation is not None
        return (
            raw.operation.startswith("Describe") or b"WaitTimeSeconds" in raw.body or raw.operation == "CancelStatement"
        )


def _served(service: str) -> list[str]:
    operations = Application.operations(service)
    assert operations is not None
    return operations.names()


def _protocol(body: bytes) -> str:
    """Which one an error is in, where it is not clear what the request asked for."""
    return "json" if body.startswith(b"{") else "query" if b"<ErrorResponse" in body else "rest-xml"


def _header(value: Any) -> str:
    """As botocore sends it: UTF-8 where latin-1 does not do."""
    text = str(value)
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def run(
    server: Server,
    finds: Finds,
    *,
    seed: str,
    threads: int,
    seconds: float,
    kill_every: float = 0,
    slow_s: float = SLOW_S,
) -> int:
    """Fuzz for some seconds; how many requests were answered.

    kill_every : about so many seconds the server is killed and started again; 0 is never
    slow_s : what takes longer is a find, unless it may wait
    """
    end = time.monotonic() + seconds
    seen, sql = Seen(), tested_sql()
    fuzzers = [Fuzzer(server, f"{seed}-{n}", seen, finds, sql, slow_s) for n in range(threads)]

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
    for line in _complaints(server.log):
        finds.add("log", None, line)
    return sum(fuzzer.sent for fuzzer in fuzzers)


def _complaints(log: Path) -> Iterator[str]:
    """What the server's log has that none should have."""
    text = log.read_text(errors="replace")
    for match in re.finditer(
        r"^.*( ERROR | CRITICAL |Traceback|never awaited|Exception ignored).*$", text, re.MULTILINE
    ):
        yield text[match.start() : match.start() + 3000]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="for the warehouse, the server's log and the finds")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--kill-every", type=float, default=0, metavar="SECONDS", help="about; 0 never")
    parser.add_argument("--slow", type=float, default=SLOW_S, metavar="SECONDS", help="what takes longer is a find")
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
