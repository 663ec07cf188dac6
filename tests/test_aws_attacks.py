"""What somebody sends who means no good, or whose clock, key or network is not in order."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.auth
import pytest
from botocore.exceptions import ClientError

from restframe.aws import connection as connection_
from restframe.aws.bodies import Budget
from restframe.aws.operation import Call, Input, Operations, Output
from restframe.aws.signature import EMPTY_HASH, Seal, _signing_key
from restframe.identity import Credentials

DATA = Operations("redshift-data")
S3 = Operations("s3")
IAM = Operations("iam")

SECRET_WORDS: list[str] = []  # what no log line and no answer may show; each test adds its own
stored: dict[str, bytes] = {}
ran: list[str] = []

EXECUTE = {"X-Amz-Target": "RedshiftData.ExecuteStatement", "Content-Type": "application/x-amz-json-1.1"}
BODY = b'{"Database": "dev", "Sql": "select 1"}'


@DATA("ExecuteStatement")
def execute_statement(request: Input, call: Call) -> Output:
    ran.append(call.operation)
    return {"Id": "d9b6c0c9-0747-4bf4-b142-e8883122f766"}


@S3("PutObject")
def put_object(request: Input, call: Call) -> Output:
    data = b"".join(iter(lambda: request["Body"].read(65536), b""))
    stored[request["Key"]] = data
    return {}


@S3("GetObject")
def get_object(request: Input, call: Call) -> Output:
    ran.append(call.operation)
    return {"Body": b"the object"}


@IAM("GetUser")
def get_user(request: Input, call: Call) -> Output:
    ran.append(call.operation)
    return {"User": {"Path": "/", "UserName": "u", "UserId": "u", "Arn": "a" * 20, "CreateDate": datetime(2026, 1, 1)}}


@pytest.fixture
def server(shared_aws: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    """A live server; after each test nothing secret stands in the log, however much is logged."""
    caplog.set_level(logging.WARNING, "botocore")  # the client may say what it likes
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(shared_aws.application, "operations", {"redshift-data": DATA, "s3": S3, "iam": IAM}.get)
    stored.clear()
    ran.clear()
    SECRET_WORDS[:] = [shared_aws.credentials.secret_access_key]
    yield shared_aws
    written = "\n".join(map(logging.Formatter().format, caplog.get_records("call")))
    for word in SECRET_WORDS:
        assert word not in written
    assert "Signature=" not in written and "Traceback" not in written


def told(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str]:
    """Status and code of an error, in whatever form."""
    status, headers, body = answer
    for word in SECRET_WORDS:
        assert word.encode() not in body
    text = body.decode()
    if text.startswith("{"):
        assert headers["x-amzn-errortype"] == json.loads(text)["__type"]
        return status, json.loads(text)["__type"]
    assert "<Code>" in text, text
    return status, text.partition("<Code>")[2].partition("</Code>")[0]


def execute(server: Any, headers: dict[str, str] | None = None, body: bytes = BODY, **options: Any) -> tuple[int, str]:
    signed = server.signed("redshift-data", "POST", "/", body, headers or EXECUTE, **options)
    return told(server.send("POST", "/", signed, body))


def put(server: Any, body: bytes, said: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Store an object; `said` is the body that was signed."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = server.signed("s3", "PUT", "/b/k", body if said is None else said, names)
    answer = server.send("PUT", "/b/k", signed, body)
    return (200, "") if answer[0] == 200 else told(answer)


def raw(server: Any, data: bytes, *, finish: bool = False) -> bytes:
    """Everything the server says to these bytes until it closes the connection."""
    heard = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(data)
            if finish:
                connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while piece := connection.recv(65536):
                heard += piece
    return heard


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"


# who says to be somebody else


def other(server: Any, **changes: Any) -> Credentials:
    fields = {name: getattr(server.credentials, name) for name in ("access_key_id", "secret_access_key", "principal")}
    return Credentials(**{**fields, **changes})


@pytest.mark.parametrize(
    ("service", "method", "target", "missing", "unknown", "wrong"),
    [
        (
            "redshift-data",
            "POST",
            "/",
            "MissingAuthenticationTokenException",
            "UnrecognizedClientException",
            "InvalidSignatureException",
        ),
        (
            "iam",
            "GET",
            "/?Action=GetUser&Version=2010-05-08",
            "MissingAuthenticationToken",
            "InvalidClientTokenId",
            "SignatureDoesNotMatch",
        ),
        ("s3", "GET", "/b/k", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"),
    ],
    ids=["json", "query", "s3"],
)
def test_strangers(server: Any, service: str, method: str, target: str, missing: str, unknown: str, wrong: str) -> None:
    headers = EXECUTE if service == "redshift-data" else {}
    body = BODY if headers else b""
    unsigned = {"Host": f"127.0.0.1:{server.port}", **headers}
    assert told(server.send(method, target, unsigned, body)) == (403, missing)
    for credentials, code in (
        (other(server, access_key_id="AKIAIOSFODNN7EXAMPLE"), unknown),
        (other(server, secret_access_key="x" * 40), wrong),
        (other(server, access_key_id=server.credentials.access_key_id.lower()), unknown),
    ):
        signed = server.signed(service, method, target, body, headers, credentials=credentials)
        assert told(server.send(method, target, signed, body)) == (403, code)
    assert not ran


def test_a_revoked_key(server: Any) -> None:
    keys = server.backend.identity.keys
    credentials = keys.create("leaver")
    SECRET_WORDS.append(credentials.secret_access_key)
    server.signed("redshift-data", "POST", "/", BODY, EXECUTE, credentials=credentials)
    keys.revoke(credentials.access_key_id)
    assert execute(server, credentials=credentials) == (403, "UnrecognizedClientException")


def test_session_tokens(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = server.backend.identity.issue(server.credentials.principal, 900)
    assert issued.session_token is not None
    SECRET_WORDS.extend([issued.secret_access_key, issued.session_token])
    for changes in ({"session_token": "x" + issued.session_token[1:]}, {"session_token": None}):
        changed = Credentials(issued.access_key_id, issued.secret_access_key, issued.principal, **changes)
        assert execute(server, credentials=changed) == (403, "UnrecognizedClientException")
    stolen = Credentials(
        server.credentials.access_key_id, server.credentials.secret_access_key, issued.principal, issued.session_token
    )
    assert execute(server, credentials=stolen) == (403, "UnrecognizedClientException")
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + 901)
    assert execute(server, credentials=issued) == (403, "ExpiredTokenException")
    signed = server.signed("s3", "GET", "/b/k", credentials=issued)
    assert told(server.send("GET", "/b/k", signed)) == (400, "ExpiredToken")


# who comes at the wrong time


@pytest.mark.parametrize(("minutes", "accepted"), [(-16, False), (-14, True), (14, True), (16, False)])
def test_clocks(server: Any, monkeypatch: pytest.MonkeyPatch, minutes: int, accepted: bool) -> None:
    moment = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_: moment.replace(tzinfo=None))
    json_signed = server.signed("redshift-data", "POST", "/", BODY, EXECUTE)
    s3_signed = server.signed("s3", "GET", "/b/k")
    if accepted:
        assert server.send("POST", "/", json_signed, BODY)[0] == 200
        assert server.send("GET", "/b/k", s3_signed)[0] == 200
        return
    assert told(server.send("POST", "/", json_signed, BODY)) == (403, "InvalidSignatureException")
    assert told(server.send("GET", "/b/k", s3_signed)) == (403, "RequestTimeTooSkewed")
    assert not ran


def test_the_same_request_again_is_good_as_long_as_its_signature(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    signed = server.signed("redshift-data", "POST", "/", BODY, EXECUTE)
    assert [server.send("POST", "/", signed, BODY)[0] for _ in range(2)] == [200, 200]
    later = datetime.now(UTC) + timedelta(minutes=16)
    monkeypatch.setattr("restframe.aws.exchange.datetime", Clock(later))
    assert told(server.send("POST", "/", signed, BODY)) == (403, "InvalidSignatureException")


class Clock:
    def __init__(self, moment: datetime) -> None:
        self._moment = moment

    def now(self, zone: Any) -> datetime:
        return self._moment.astimezone(zone)


def test_a_presigned_url_after_its_time(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = server.client("s3", signature_version="s3v4")
    url = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}, ExpiresIn=60)
    target = url.removeprefix(server.url)
    SECRET_WORDS.append(target.partition("X-Amz-Signature=")[2][:64])
    host = {"Host": f"127.0.0.1:{server.port}"}
    assert server.send("GET", target, host)[2] == b"the object"
    assert told(server.send("PUT", target, host, b"x")) == (403, "SignatureDoesNotMatch")
    assert told(server.send("GET", target.replace("/k?", "/l?"), host)) == (403, "SignatureDoesNotMatch")
    assert told(server.send("GET", target.replace("Expires=60", "Expires=61"), host)) == (403, "SignatureDoesNotMatch")
    assert told(server.send("GET", target + "&versionId=1", host)) == (403, "SignatureDoesNotMatch")
    assert told(server.send("GET", target, {**host, "x-amz-acl": "private"})) == (403, "AccessDenied")
    assert told(server.send("GET", target, {**host, "Authorization": "x"})) == (400, "InvalidArgument")
    monkeypatch.setattr("restframe.aws.exchange.datetime", Clock(datetime.now(UTC) + timedelta(seconds=61)))
    assert told(server.send("GET", target, host)) == (403, "AccessDenied")


# what was changed on the way


def test_a_changed_request(server: Any) -> None:
    signed = server.signed("redshift-data", "POST", "/", BODY, EXECUTE)
    changed = BODY.replace(b"1", b"2")
    refused = (403, "InvalidSignatureException")
    assert told(server.send("POST", "/", signed, changed)) == refused
    assert told(server.send("POST", "/?a=b", signed, BODY)) == refused
    assert told(server.send("POST", "//a", signed, BODY)) == refused
    assert told(server.send("POST", "/", {**signed, "X-Amz-Target": "RedshiftData.ListStatements"}, BODY)) == refused
    assert told(server.send("POST", "/", {**signed, "Host": "example.com"}, BODY)) == refused
    hashed = {**signed, "x-amz-content-sha256": hashlib.sha256(changed).hexdigest()}
    assert told(server.send("POST", "/", hashed, changed)) == refused
    assert not ran


def test_a_signature_of_another_service(server: Any) -> None:
    signed = server.signed("iam", "POST", "/", BODY, EXECUTE)
    assert told(server.send("POST", "/", signed, BODY))[0] in (400, 403)
    signed = server.signed("lambda", "POST", "/", BODY, EXECUTE)
    assert told(server.send("POST", "/", signed, BODY)) == (501, "UnknownOperationException")
    signed = server.signed("redshift-data", "GET", "/b/k")
    assert told(server.send("GET", "/b/k", signed))[0] in (400, 403, 501)
    assert not ran


def test_a_changed_object(server: Any) -> None:
    assert put(server, b"good") == (200, "")
    stored.clear()
    assert put(server, b"evil", said=b"good") == (400, "XAmzContentSHA256Mismatch")
    assert put(server, b"evil" * 100_000, said=b"good" * 100_000) == (400, "XAmzContentSHA256Mismatch")
    assert put(server, b"evil", x_amz_checksum_crc32="AAAAAA==") == (400, "BadDigest")
    assert put(server, b"evil", content_md5="1B2M2Y8AsgTpgAmY7PhCfg==") == (400, "BadDigest")
    assert put(server, b"evil", content_md5="nonsense") == (400, "InvalidDigest")
    assert put(server, b"evil", x_amz_content_sha256="nonsense") == (400, "InvalidArgument")
    assert put(server, b"evil", x_amz_content_sha256="STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD") == (
        501,
        "NotImplemented",
    )
    assert not stored


def chunked(
    server: Any, *pieces: bytes, order: list[int] | None = None, **changes: Any
) -> tuple[dict[str, str], bytes]:
    """A signed upload of some chunks, with a trailer; `order` sends the signed chunks in another one."""
    headers = {
        "content-encoding": "aws-chunked",
        "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "x-amz-trailer": "x-amz-checksum-sha256",
        "x-amz-decoded-content-length": str(sum(map(len, pieces))),
    }
    signed = server.signed("s3", "PUT", "/b/k", b"", headers)
    date = signed["X-Amz-Date"]
    key = _signing_key(server.credentials.secret_access_key, date[:8], "us-east-1", "s3")
    signature = signed["Authorization"].rpartition("Signature=")[2]
    seal = Seal(key, date, f"{date[:8]}/us-east-1/s3/aws4_request", signature)
    chunks = []
    for piece in (*pieces, b""):
        signature = seal.sign("PAYLOAD", signature, EMPTY_HASH, hashlib.sha256(piece).hexdigest())
        ending = b"\r\n" if piece else b""
        chunks.append(b"%x;chunk-signature=%s\r\n%s%s" % (len(piece), signature.encode(), piece, ending))
    digest = hashlib.sha256(b"".join(pieces)).digest()
    trailer = f"x-amz-checksum-sha256:{base64.b64encode(digest).decode()}\n"
    signature = seal.sign("TRAILER", signature, hashlib.sha256(trailer.encode()).hexdigest())
    body = b"".join(chunks[at] for at in order or range(len(chunks)))
    return signed, body + f"{trailer[:-1]}\r\nx-amz-trailer-signature:{signature}\r\n\r\n".encode()


def test_changed_chunks(server: Any) -> None:
    def send(headers: dict[str, str], body: bytes) -> tuple[int, str]:
        answer = server.send("PUT", "/b/k", headers, body)
        return (200, "") if answer[0] == 200 else told(answer)

    pieces = (b"a" * 100_000, b"b" * 100_000, b"c")
    headers, body = chunked(server, *pieces)
    assert send(headers, body) == (200, "")
    assert stored.pop("k") == b"".join(pieces)
    mismatch = (403, "SignatureDoesNotMatch")
    assert send(headers, body.replace(b"ab", b"bb").replace(b"aa\r\n", b"ab\r\n")) == mismatch
    assert send(headers, body.replace(b"x-amz-checksum-sha256:", b"x-amz-checksum-sha256:A")) == mismatch
    assert send(*chunked(server, *pieces, order=[1, 0, 2, 3])) == mismatch
    assert send(*chunked(server, *pieces, order=[0, 1, 3])) == mismatch
    assert send(headers, body[:100_200]) == (400, "IncompleteBody")
    assert send(headers, body[: body.index(b"x-amz-checksum")]) == (400, "IncompleteBody")
    assert send(headers, body + b"1") == (400, "InvalidRequest")
    assert send(headers, b"f" * 5000) == (400, "InvalidRequest")
    assert send({**headers, "x-amz-decoded-content-length": "5"}, body) == mismatch
    assert not stored


def test_a_length_that_is_not_that_of_the_chunks(server: Any) -> None:
    body = b"5\r\nhello\r\n0\r\n\r\n"
    for length in ("4", "6"):
        code = put(
            server,
            body,
            x_amz_content_sha256="STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            x_amz_decoded_content_length=length,
        )
        assert code == (400, "IncompleteBody")
    assert not stored


# bodies that are longer or shorter than said


@pytest.mark.parametrize("said", [200, 200_000])
def test_a_body_that_ends_too_early_stores_nothing(server: Any, said: int) -> None:
    signed = server.signed("s3", "PUT", "/b/k", b"", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    heard = raw(server, head("PUT", "/b/k", {**signed, "Content-Length": str(said)}) + b"x" * (said - 1), finish=True)
    assert not heard.startswith(b"HTTP/1.1 200") and not stored


def test_a_body_that_goes_on_is_another_request(server: Any) -> None:
    signed = server.signed("s3", "PUT", "/b/k", b"four")
    heard = raw(server, head("PUT", "/b/k", {**signed, "Content-Length": "4"}) + b"fourGET / HTTP/9.9\r\n\r\n")
    assert (heard.count(b"HTTP/1.1 "), stored) in ((1, {}), (1, {"k": b"four"}), (2, {"k": b"four"}))
    assert b"400 Bad Request" in heard


def test_ten_gigabytes_of_json_are_refused_before_they_come(server: Any) -> None:
    signed = server.signed("redshift-data", "POST", "/", BODY, EXECUTE)
    heard = raw(server, head("POST", "/", {**signed, "Content-Length": "10000000000"}))
    assert heard.startswith(b"HTTP/1.1 413 ") and b"RequestEntityTooLargeException" in heard
    heard = raw(server, head("POST", "/", {**signed, "Content-Length": "10000000000", "Expect": "100-continue"}))
    assert heard.startswith(b"HTTP/1.1 413 ") and b"100 Continue" not in heard


def test_endless_json_in_chunks_is_refused_on_the_way(server: Any) -> None:
    signed = server.signed("redshift-data", "POST", "/", BODY, EXECUTE)
    chunk = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
    heard = raw(server, head("POST", "/", {**signed, "Transfer-Encoding": "chunked"}) + chunk * 18)
    assert heard.startswith(b"HTTP/1.1 413 ")


class Watched(Budget):
    """A budget that tells when something of it was taken, and given back."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.taken = threading.Event()
        self.given_back = threading.Semaphore(0)

    def take(self, size: int) -> bool:
        taken = super().take(size)
        self.taken.set()
        return taken

    def give_back(self, size: int) -> None:
        super().give_back(size)
        if size:
            self.given_back.release()


def test_large_bodies_have_only_so_much_room_together(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = Watched(1_500_000)
    monkeypatch.setattr(server.application, "memory", memory)
    body = json.dumps({"Database": "dev", "Sql": "x" * 90_000}).encode().ljust(1_000_000)
    signed = {**server.signed("redshift-data", "POST", "/", body, EXECUTE), "Content-Length": str(len(body))}
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
        slow.sendall(head("POST", "/", signed) + body[:-1])
        assert memory.taken.wait(60)
        assert told(server.send("POST", "/", signed, body)) == (503, "ThrottlingException")
        slow.sendall(body[-1:])
        assert slow.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert memory.given_back.acquire(timeout=60)
    assert server.send("POST", "/", signed, body)[0] == 200


def test_a_large_form_for_s3_is_refused(server: Any) -> None:
    signed = server.signed("s3", "POST", "/b?delete", b"")
    heard = raw(server, head("POST", "/b?delete", {**signed, "Content-Length": "100000000"}))
    assert heard.startswith((b"HTTP/1.1 413 ", b"HTTP/1.1 501 "))


# bodies that are no good


@pytest.mark.parametrize(
    "body",
    [
        b'{"Sql":' * 50_000,
        b"[" * 50_000 + b"]" * 50_000,
        b'{"Database": "dev", "Sql": "\xff\xfe"}',
        b'{"Database": "dev", "Sql": "\\ud800"}',
        b'{"Database": "dev", "Sql": 1e999}',
        b'{"Database": "dev", "Sql": NaN}',
        b'{"Database": "dev"}',
        b'{"Database": "dev", "Sql": ["select 1"]}',
        b'{"Database": "dev", "Sql": "a", "Sql": "b"}',
        b"null",
        b"",
        b"\x00",
        gzip.compress(BODY, mtime=0),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_json_that_is_no_good(server: Any, body: bytes) -> None:
    status, code = execute(server, body=body)
    assert (status, code in ("ValidationException", "SerializationException")) == (400, True)
    assert not ran


@pytest.mark.parametrize(
    "target", ["RedshiftData.Nothing", "Redshift.ExecuteStatement", "", "RedshiftData.", "a" * 9000]
)
def test_operations_that_do_not_exist(server: Any, target: str) -> None:
    status, code = execute(server, {**EXECUTE, "X-Amz-Target": target} if target else {"Content-Type": "text/plain"})
    assert (status in (400, 404), code) == (True, "UnknownOperationException")


# heads that are no good


GOOD = b"GET /_restframe/health HTTP/1.1\r\nHost: h\r\n"


@pytest.mark.parametrize(
    "data",
    [
        GOOD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        GOOD + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        GOOD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        GOOD + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        GOOD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        GOOD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        GOOD + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        GOOD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
        GOOD + b"Content-Length: -1\r\n\r\n",
        GOOD + b"Content-Length: +1\r\n\r\na",
        GOOD + b"Content-Length: 1, 1\r\n\r\na",
        GOOD + b"Content-Length: 99999999999999999999\r\n\r\n",
        GOOD + b"X-A: a\r\n b\r\n\r\n",
        GOOD + b"X-A : a\r\n\r\n",
        GOOD + b"X-A: a\rX-B: b\r\n\r\n",
        GOOD + b"X-A: a\0b\r\n\r\n",
        GOOD + b"\0: a\r\n\r\n",
        GOOD + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n",
        GOOD + b"X-A: a\r\n" * 1000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /_restframe/health HTTP/9.9\r\nHost: h\r\n\r\n",
        b"GET /_restframe/health\nHost: h\n\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n",
        b"NONSENSE / HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\0" * 1000,
    ],
    ids=lambda data: repr(data[-30:]),
)
def test_nonsense_is_refused_and_the_connection_closed(server: Any, data: bytes) -> None:
    heard = raw(server, data)
    assert heard.startswith(b"HTTP/1.1 400 ") and heard.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("hosts", [[], ["a", "b"]])
def test_a_request_has_one_host(server: Any, hosts: list[str]) -> None:
    heard = raw(
        server,
        b"GET /b HTTP/1.1\r\nConnection: close\r\n" + b"".join(b"Host: %s\r\n" % h.encode() for h in hosts) + b"\r\n",
    )
    assert heard.startswith(b"HTTP/1.1 400 ") and b"<Code>InvalidRequest</Code>" in heard


def test_a_host_that_is_no_name_breaks_nothing(server: Any) -> None:
    for host in (b"", b":", b"[::1", b"a" * 5000, b"\xff", b"../..", b"h:99999999", b"b.c..d"):
        heard = raw(server, b"GET /b/k HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n")
        assert heard.startswith(b"HTTP/1.1 4"), host


def test_headers_cannot_come_after_the_body(server: Any) -> None:
    """What a chunked body has behind it is no header, though the parser tells it as one."""
    signed = server.signed("s3", "PUT", "/b/k", b"x", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    body = b"1\r\nx\r\n0\r\nx-amz-acl: public-read\r\nHost: other\r\n\r\n"
    headers = {**signed, "Transfer-Encoding": "chunked", "Connection": "close"}
    assert raw(server, head("PUT", "/b/k", headers) + body).startswith(b"HTTP/1.1 200 ")
    assert stored == {"k": b"x"}


@pytest.mark.parametrize(
    "key", ["../../etc/passwd", "%2e%2e/%2e%2e/x", "a%00b", "%", "%zz", "\\..\\x", "a%0d%0ab", "%ff"]
)
def test_odd_keys_are_signed_like_others(server: Any, key: str) -> None:
    heard = raw(server, head("GET", f"/b/{key}", {"Host": "h", "Connection": "close"}))
    assert heard.startswith(b"HTTP/1.1 403 ")


# who is slow


def test_who_does_not_finish_a_head_is_left(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_, "HEAD_TIMEOUT_S", 0.3)
    for data in (b"", b"GET / HT", GOOD + b"X-A: b\r\n"):
        started = time.monotonic()
        assert raw(server, data) == b""
        assert time.monotonic() - started < 15  # without the change of the time allowed it is 20


def test_who_does_not_finish_a_body_is_left(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restframe.aws.app._BODY_IDLE_S", 0.3)
    for length in ("100", "100000"):
        signed = server.signed("s3", "PUT", "/b/k", b"", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
        started = time.monotonic()
        heard = raw(server, head("PUT", "/b/k", {**signed, "Content-Length": length}) + b"x")
        assert time.monotonic() - started < 15  # without the change of the time allowed it is 20
        assert heard.startswith(b"HTTP/1.1 400 ") and not stored
        assert b"<Code>RequestTimeout</Code>" in heard or b"<Code>IncompleteBody</Code>" in heard


def test_who_sends_next_to_nothing_all_the_time_is_left(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("restframe.aws.app._BODY_IDLE_S", 0.3)
    monkeypatch.setattr("restframe.aws.bodies._MINIMAL_RATE", 1000)
    signed = server.signed("s3", "PUT", "/b/k", b"", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
        slow.sendall(head("PUT", "/b/k", {**signed, "Content-Length": "100000"}))
        slow.settimeout(0.1)
        heard = b""
        for _ in range(600):
            with contextlib.suppress(TimeoutError):
                heard += slow.recv(65536)
            if heard.endswith(b"</Error>"):
                break
            if not heard:
                slow.sendall(b"x")
    assert heard.startswith(b"HTTP/1.1 400 ") and b"RequestTimeout" in heard and not stored


# what is written about them


def test_nobody_writes_into_the_log(
    server: Any, caplog: pytest.LogCaptureFixture, eventually: Callable[[Callable[[], object]], None]
) -> None:
    for name in ("AKIA%0AINFO all is well", "AKIA%1b%5b31m", "AKIA%c3%a4"):
        query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={name.replace(' ', '%20')}%2F20260101%2Fus-east-1%2Fs3"
            f"%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature="
        )
        status, code = told(server.send("GET", f"/b/k?{query}{'0' * 64}", {"Host": "h"}))
        assert (status, code) == (400, "AuthorizationHeaderMalformed")
    eventually(lambda: caplog.text.count(": 400 in ") >= 3)  # the lines are written when the answers are out
    assert "all is well" not in caplog.text and "\x1b" not in caplog.text and "ä" not in caplog.text


def test_what_is_done_is_written(
    server: Any, caplog: pytest.LogCaptureFixture, eventually: Callable[[Callable[[], object]], None]
) -> None:
    """Or there would be nothing in which the other tests could find a secret."""
    assert execute(server, body=b"null") == (400, "SerializationException")
    line = f"redshift-data.ExecuteStatement key {server.credentials.access_key_id}: 400 in"
    eventually(lambda: line in caplog.text)


def test_the_server_is_well_after_all_this(server: Any) -> None:
    client = server.client("redshift-data")
    assert client.execute_statement(Database="dev", Sql="select 1")["Id"]
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        server.client(
            "redshift-data", credentials=other(server, access_key_id="AKIAIOSFODNN7EXAMPLE")
        ).execute_statement(Database="dev", Sql="select 1")
