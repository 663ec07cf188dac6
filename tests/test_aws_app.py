"""From the wire to an operation and back: dispatch, errors, bodies, waiting, leaving, closing."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import json
import logging
import re
import secrets
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe import errors
from restframe.aws import connection as connection_
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations, Output
from restframe.aws.pool import Pool

DATA = Operations("redshift-data", {errors.UndefinedTable: "ResourceNotFoundException"})
S3 = Operations("s3")
STS = Operations("sts")


class Scene:
    """What the operations below saw and do."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.calls: list[Call] = []
        self.go = threading.Event()
        self.entered = threading.Semaphore(0)
        self.closed = threading.Event()
        self.left = threading.Event()


scene = Scene()


@DATA("ExecuteStatement")
def execute_statement(request: Input, call: Call) -> Output:
    scene.calls.append(call)
    if request["Sql"] == "undefined":
        raise errors.UndefinedTable('relation "t" does not exist')
    if request["Sql"] == "full":
        raise errors.DiskFull("the disk is full")
    if request["Sql"] == "bug":
        raise ZeroDivisionError("secret of the server")
    return {"Id": "d9b6c0c9-0747-4bf4-b142-e8883122f766"}


@DATA("DescribeStatement", waits=True)
def describe_statement(request: Input, call: Call) -> Output:
    scene.entered.release()
    while not scene.go.wait(0.01):
        if call.gone.is_set():
            scene.left.set()
            raise AwsError("InternalServerException", "nobody is there any more")
    return {"Id": request["Id"], "Status": "FINISHED"}


@S3("PutObject")
def put_object(request: Input, call: Call) -> Output:
    scene.calls.append(call)
    if request["Bucket"] == "closed":
        raise AwsError("NoSuchBucket", "The specified bucket does not exist")
    body = request["Body"]
    data = b""
    while piece := body.read(100_000):
        data += piece
    assert body.length is None or len(data) == body.length
    scene.objects[request["Key"]] = data
    return {
        "ETag": f'"{hashlib.md5(data).hexdigest()}"',
        **{f"Checksum{k.upper()}": v for k, v in body.checksums.items()},
    }


@S3("GetObject")
def get_object(request: Input, call: Call) -> Output:
    if request["Key"] == "endless":
        return {"Body": endless(), "ContentLength": 1 << 50}
    data = scene.objects[request["Key"]]
    return {"Body": pieces(data), "ContentLength": len(data)}


@S3("HeadObject")
def head_object(request: Input, call: Call) -> Output:
    return {"ContentLength": len(scene.objects[request["Key"]])}


@S3("DeleteObjects")
def delete_objects(request: Input, call: Call) -> Output:
    return {"Deleted": [{"Key": one["Key"]} for one in request["Delete"]["Objects"]]}


def endless() -> Iterator[bytes]:
    try:
        while True:
            yield b"x" * 65536
    finally:
        scene.closed.set()


def pieces(data: bytes) -> Iterator[bytes]:
    try:
        for at in range(0, len(data), 65536):
            if data[at : at + 4] == b"stop":
                raise OSError("the disk is gone")
            yield data[at : at + 65536]
    finally:
        scene.closed.set()


@STS("GetCallerIdentity")
def get_caller_identity(request: Input, call: Call) -> Output:
    return {"Account": call.caller.account, "Arn": call.caller.arn, "UserId": call.caller.user_id}


@pytest.fixture
def server(shared_aws: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A live server that has nothing but the operations above."""
    served = {"redshift-data": DATA, "s3": S3, "sts": STS}
    monkeypatch.setattr(shared_aws.application, "operations", served.get)
    monkeypatch.setattr(shared_aws.application, "closing", False)
    scene.__init__()  # type: ignore[misc]
    yield shared_aws
    scene.go.set()
    scene.calls.clear()


def refused(function: Any, **arguments: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        function(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


# operations


def test_an_operation_answers_its_caller(server: Any) -> None:
    answer = server.client("redshift-data").execute_statement(Database="dev", Sql="select 1")
    assert answer["Id"] == "d9b6c0c9-0747-4bf4-b142-e8883122f766"
    (call,) = scene.calls
    assert (call.service, call.operation, call.region) == ("redshift-data", "ExecuteStatement", "us-east-1")
    assert call.request_id == answer["ResponseMetadata"]["RequestId"]
    assert call.caller.database_user == "awsuser"


def test_forms_and_objects_find_their_way_too(server: Any) -> None:
    assert server.client("sts").get_caller_identity()["Account"] == "000000000000"
    s3 = server.client("s3")
    s3.put_object(Bucket="b", Key="a ä+%/k", Body=b"hello", Metadata={"colour": "red"})
    assert s3.get_object(Bucket="b", Key="a ä+%/k")["Body"].read() == b"hello"
    assert s3.head_object(Bucket="b", Key="a ä+%/k")["ContentLength"] == 5


def test_errors_of_the_warehouse_are_told_in_the_words_of_the_service(server: Any) -> None:
    execute = server.client("redshift-data").execute_statement
    assert refused(execute, Database="dev", Sql="undefined") == (
        400,
        "ResourceNotFoundException",
        'relation "t" does not exist',
    )
    assert refused(execute, Database="dev", Sql="full")[:2] == (500, "InternalFailure")


def test_what_nobody_expected_shows_nothing_of_itself(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    status, code, message = refused(server.client("redshift-data").execute_statement, Database="dev", Sql="bug")
    assert (status, code) == (500, "InternalFailure")
    assert message == "We encountered an internal error. Please try again."
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.getMessage().endswith("redshift-data.ExecuteStatement failed")


@pytest.mark.parametrize(
    ("service", "call", "code", "status"),
    [
        ("redshift-data", lambda c: c.list_statements, "UnknownOperationException", 501),
        ("sts", lambda c: c.get_session_token, "InvalidAction", 400),
        ("s3", lambda c: c.list_buckets, "NotImplemented", 501),
        ("iam", lambda c: c.list_users, "InvalidAction", 400),
    ],
)
def test_an_operation_that_is_not_served_is_named(server: Any, service: str, call: Any, code: str, status: int) -> None:
    client = server.client(service)
    name = client.meta.method_to_api_mapping[call(client).__name__]
    assert refused(call(client)) == (
        status,
        code,
        f"restframe does not serve {service} {name}. docs/aws.md lists the operations it serves.",
    )


def test_temporary_credentials(server: Any) -> None:
    issued = server.backend.identity.issue(server.credentials.principal, 900, session_name="visit")
    answer = server.client("sts", credentials=issued).get_caller_identity()
    assert answer["Arn"] == "arn:aws:sts::000000000000:assumed-role/restframe/visit"


# no signature is needed


def test_health(server: Any) -> None:
    for path in ("/_restframe/health", "/ping"):
        status, headers, body = server.send("GET", path, {"Host": "h"})
        assert (status, headers["content-type"], json.loads(body)["status"]) == (200, "application/json", "ok")


def test_a_bucket_may_be_called_ping(server: Any) -> None:
    scene.objects["k"] = b"x"
    assert refused(server.client("s3").list_objects_v2, Bucket="ping")[1] == "NotImplemented"


PREFLIGHT = {"Host": "h", "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-amz-date"}


@pytest.mark.parametrize("origin", ["http://localhost:8888", "http://localhost", "http://127.0.0.1:3000"])
def test_pages_of_this_machine_may_ask(server: Any, origin: str) -> None:
    status, headers, _ = server.send("OPTIONS", "/b/k", {**PREFLIGHT, "Origin": origin})
    assert (status, headers["access-control-allow-origin"]) == (200, origin)
    assert headers["access-control-allow-headers"] == "x-amz-date"
    scene.objects["k"] = b"x"
    signed = server.signed("s3", "GET", "/b/k")
    status, headers, body = server.send("GET", "/b/k", {**signed, "Origin": origin})
    assert (status, headers["access-control-allow-origin"], body) == (200, origin, b"x")
    assert "ETag" in headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    "origin", ["http://example.com", "http://localhost.example.com", "http://localhost:80.example.com", "null", ""]
)
def test_other_pages_may_not(server: Any, origin: str) -> None:
    status, headers, _ = server.send("OPTIONS", "/b/k", {**PREFLIGHT, "Origin": origin})
    assert (status, "access-control-allow-origin" in headers) == (403, False)
    _, headers, _ = server.send("GET", "/b/k", {**server.signed("s3", "GET", "/b/k"), "Origin": origin})
    assert "access-control-allow-origin" not in headers


# bodies


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "XXHASH128"])
def test_objects_of_all_sizes_with_all_checksums(server: Any, size: int, algorithm: str) -> None:
    data = bytes(range(256)) * (size // 256 + 1)
    s3 = server.client("s3")
    for body in (data[:size], Unseekable(data[:size])):
        answer = s3.put_object(Bucket="b", Key="k", Body=body, ChecksumAlgorithm=algorithm, ContentLength=size)
        assert scene.objects["k"] == data[:size]
        assert f"Checksum{algorithm}" in answer


class Unseekable(io.BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_presigned_upload_and_download(server: Any) -> None:
    s3 = server.client("s3", signature_version="s3v4")
    address = s3.generate_presigned_url("put_object", {"Bucket": "b", "Key": "k"}, ExpiresIn=60)
    target = address.removeprefix(server.url)
    status, _, _ = server.send("PUT", target, {"Host": f"127.0.0.1:{server.port}"}, b"through a URL")
    assert (status, scene.objects) == (200, {"k": b"through a URL"})
    target = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}).removeprefix(server.url)
    assert server.send("GET", target, {"Host": f"127.0.0.1:{server.port}"})[2] == b"through a URL"


def test_a_body_in_chunks_leaves_no_trace_of_them(server: Any) -> None:
    data = b"0123456789" * 10_000
    body = b"%x\r\n%s\r\n0\r\nx-amz-checksum-crc32:%s\r\n\r\n" % (len(data), data, b"Xx8BLg==")
    headers = {
        "content-encoding": "gzip,aws-chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-trailer": "x-amz-checksum-crc32",
        "x-amz-decoded-content-length": str(len(data)),
    }
    status, _, answer = server.send("PUT", "/b/k", server.signed("s3", "PUT", "/b/k", b"", headers), body)
    assert (status, b"BadDigest" in answer) == (400, True)
    body = body.replace(b"Xx8BLg==", base64.b64encode(zlib.crc32(data).to_bytes(4, "big")))
    status, _, answer = server.send("PUT", "/b/k", server.signed("s3", "PUT", "/b/k", b"", headers), body)
    assert (status, scene.objects["k"] == data) == (200, True), answer
    assert scene.calls[-1].http.headers.get("content-encoding") == "gzip"


def test_a_large_object_comes_and_goes(server: Any) -> None:
    data = secrets.token_bytes(1 << 20) * 8
    s3 = server.client("s3")
    s3.put_object(Bucket="b", Key="k", Body=data)
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == data
    assert scene.closed.wait(60)


def test_a_form_in_a_body_may_be_checked_too(server: Any) -> None:
    answer = server.client("s3").delete_objects(Bucket="b", Delete={"Objects": [{"Key": "k"}]})
    assert [one["Key"] for one in answer["Deleted"]] == ["k"]
    body = b"<Delete><Object><Key>k</Key></Object></Delete>"
    headers = {"content-md5": base64.b64encode(hashlib.md5(b"other").digest()).decode()}
    signed = server.signed("s3", "POST", "/b?delete", body, headers)
    status, _, answer = server.send("POST", "/b?delete", signed, body)
    assert (status, b"<Code>BadDigest</Code>" in answer) == (400, True)


def test_a_connection_is_used_again_after_answers_and_errors(server: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with contextlib.closing(connection):
        sockets = set()
        for sql in ("select 1", "undefined", "bug", "select 1"):
            body = json.dumps({"Database": "dev", "Sql": sql}).encode()
            headers = {"X-Amz-Target": "RedshiftData.ExecuteStatement", "Content-Type": "application/x-amz-json-1.1"}
            connection.request("POST", "/", body, server.signed("redshift-data", "POST", "/", body, headers))
            connection.getresponse().read()
            sockets.add(id(connection.sock))
        assert len(sockets) == 1


def test_an_answer_that_breaks_off_ends_the_connection(
    server: Any, caplog: pytest.LogCaptureFixture, eventually: Callable[[Callable[[], object]], None]
) -> None:
    scene.objects["k"] = b"x" * 655_360 + b"stop" + b"x" * 655_360
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        server.send("GET", "/b/k", server.signed("s3", "GET", "/b/k"))
    assert scene.closed.wait(60)
    eventually(lambda: "the answer broke off" in caplog.text)


def test_what_an_answer_holds_is_let_go_when_the_client_leaves(server: Any) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/b/endless", headers=server.signed("s3", "GET", "/b/endless"))
    response = connection.getresponse()
    assert response.read(1000) == b"x" * 1000
    response.close()
    connection.close()
    assert scene.closed.wait(60)


def test_what_an_answer_holds_is_let_go_when_the_client_takes_nothing_of_it(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_, "STALLED_S", 0.3)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with contextlib.closing(connection):
        connection.request("GET", "/b/endless", headers=server.signed("s3", "GET", "/b/endless"))
        assert scene.closed.wait(60)


def test_head_reads_nothing(server: Any) -> None:
    scene.objects["k"] = b"x" * 10
    status, headers, body = server.send("HEAD", "/b/k", server.signed("s3", "HEAD", "/b/k"))
    assert (status, headers["content-length"], body) == (200, "10", b"")
    status, headers, body = server.send("HEAD", "/", server.signed("s3", "HEAD", "/"))
    assert (status >= 400, body) == (True, b"")


# being told to go on


def expecting(server: Any, target: str, headers: dict[str, str], body: bytes) -> tuple[bytes, socket.socket]:
    """What the server says before it gets the body."""
    signed = server.signed("s3", "PUT", target, body, headers)
    head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    connection.sendall(
        f"PUT {target} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
    )
    return connection.recv(65536), connection


def test_a_client_is_told_to_go_on_when_its_body_is_wanted(server: Any) -> None:
    said, connection = expecting(server, "/b/k", {}, b"x" * 100_000)
    with connection:
        assert said == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"x" * 100_000)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
    assert scene.objects == {"k": b"x" * 100_000}


@pytest.mark.parametrize(
    ("target", "headers", "code"),
    [
        ("/closed/k", {}, b"NoSuchBucket"),
        ("/b?acl", {}, b"NotImplemented"),
        ("/b/k", {"x-amz-security-token": "x"}, b"InvalidToken"),
        ("/b/k", {"x-amz-checksum-crc32": "x"}, b"InvalidRequest"),
    ],
)
def test_a_client_is_not_told_to_go_on_for_nothing(
    server: Any, target: str, headers: dict[str, str], code: bytes
) -> None:
    said, connection = expecting(server, target, headers, b"x" * 100_000)
    with connection:
        while b"</Error>" not in said:
            said += connection.recv(65536)
        assert (said[:10], code in said, b"connection: close" in said) == (b"HTTP/1.1 4", True, True) or (
            said[:10] == b"HTTP/1.1 5" and code in said
        )


def test_a_client_that_does_not_wait_gets_to_read_why_it_was_refused(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_LINGER_S", "_LINGER_IDLE_S"):  # this client may be slow, too
        monkeypatch.setattr(f"restframe.aws.app.{name}", 60)
    signed = server.signed("s3", "PUT", "/closed/k", b"x" * 5_000_000)
    status, headers, body = server.send("PUT", "/closed/k", signed, b"x" * 5_000_000)
    assert (status, headers["connection"], b"NoSuchBucket" in body) == (404, "close", True)


# waiting


def test_a_hundred_that_wait_hold_nobody_up(server: Any) -> None:
    client = server.client("redshift-data", max_pool_connections=101)
    statement = "d9b6c0c9-0747-4bf4-b142-e8883122f766"
    with ThreadPoolExecutor(100) as threads:
        waiting = [threads.submit(client.describe_statement, Id=statement) for _ in range(100)]
        for _ in range(100):
            assert scene.entered.acquire(timeout=60)
        assert client.execute_statement(Database="dev", Sql="select 1")["Id"] == statement
        scene.go.set()
        assert {future.result()["Status"] for future in waiting} == {"FINISHED"}


def test_slow_uploads_hold_nobody_up(server: Any) -> None:
    data = b"x" * 100_000
    head = "".join(f"{name}: {value}\r\n" for name, value in server.signed("s3", "PUT", "/b/k", data).items())
    slow = []
    for _ in range(50):
        slow.append(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        slow[-1].sendall(f"PUT /b/k HTTP/1.1\r\n{head}Content-Length: {len(data)}\r\n\r\n".encode() + data[:-1])
    assert server.client("sts").get_caller_identity()["Account"] == "000000000000"
    for connection in slow:
        with connection:
            connection.sendall(data[-1:])
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_when_all_are_waiting_the_next_is_told_to_come_later(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Pool("one", threads=1, queued=0)
    monkeypatch.setattr(server.application, "waiting", pool)
    client = server.client("redshift-data")
    statement = "d9b6c0c9-0747-4bf4-b142-e8883122f766"
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(client.describe_statement, Id=statement)
        assert scene.entered.acquire(timeout=60)
        assert refused(client.describe_statement, Id=statement)[:2] == (503, "ThrottlingException")
        assert refused(server.client("s3").put_object, Bucket="b", Key="k", Body=b"x" * 100_000)[:2] == (
            503,
            "SlowDown",
        )
        client.execute_statement(Database="dev", Sql="select 1")
        scene.go.set()
        assert first.result()["Status"] == "FINISHED"
    pool.close()


def describing(server: Any) -> http.client.HTTPConnection:
    """A client that waits for an answer, already in the operation."""
    body = b'{"Id": "d9b6c0c9-0747-4bf4-b142-e8883122f766"}'
    headers = {"X-Amz-Target": "RedshiftData.DescribeStatement", "Content-Type": "application/x-amz-json-1.1"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/", body, server.signed("redshift-data", "POST", "/", body, headers))
    assert scene.entered.acquire(timeout=60)
    return connection


def test_who_waits_for_a_client_that_left_can_know_it(server: Any) -> None:
    describing(server).close()
    assert scene.left.wait(60)


def test_closing_ends_what_waits_and_lets_the_rest_finish(server: Any) -> None:
    connection = describing(server)
    with contextlib.closing(connection):
        assert server.application.close(grace_s=60)
        assert scene.left.is_set()
        assert connection.getresponse().status == 500
    assert refused(server.client("sts").get_caller_identity)[:2] == (503, "ThrottlingException")


# the log


def test_each_request_has_a_line(
    server: Any, caplog: pytest.LogCaptureFixture, eventually: Callable[[Callable[[], object]], None]
) -> None:
    caplog.set_level(logging.INFO)
    answer = server.client("redshift-data").execute_statement(Database="dev", Sql="select 1")
    identifier = answer["ResponseMetadata"]["RequestId"]
    # the line is written when the answer is out; so may be that of the test before
    eventually(lambda: any(line.startswith(identifier) for line in caplog.messages))
    (line,) = (line for line in caplog.messages if line.startswith(identifier))
    start = f"{identifier} redshift-data.ExecuteStatement key {server.credentials.access_key_id}: 200 in "
    assert line.startswith(start)
    assert re.fullmatch(r"[0-9.]+ ms, \d+ bytes received, 45 sent", line.removeprefix(start))
