"""Servers that are not ours, over real connections: kept alive, retried, bounded, and quoted when they fail."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pytest

from restframe import errors
from restframe.jobs import remote
from restframe.jobs.remote import RemoteServer
from restframe.jobs.rows import requests
from restframe.jobs.specs import ModelSpec


@dataclass
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/csv"
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False  # close without an answer
    cut_off: bool = False  # announce more than is sent


@dataclass
class Request:
    path: str
    body: bytes
    headers: dict[str, str]
    peer: int


Answer = Callable[[Request], Reply]


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[str, list[Request]]]:
    """A server that answers as told, its address, and the requests it saw."""
    seen: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(self.path, body, dict(self.headers), self.client_address[1])
            seen.append(request)
            reply = answer(request)
            if reply.hang_up:
                self.close_connection = True
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body) + (5 if reply.cut_off else 0)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)
            self.close_connection |= reply.cut_off

        do_GET = do_POST = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def client(answer: Answer, timeout_s: float = 60.0, **spec: object) -> Iterator[tuple[RemoteServer, list[Request]]]:
    with serving(answer) as (url, seen):
        server = RemoteServer("ep", ModelSpec("m", url=url, **spec), timeout_s)  # type: ignore[arg-type]
        yield server, seen
        server.close()


def in_turn(*replies: Reply) -> Answer:
    """One reply after another, the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def doubled(request: Request) -> Reply:
    """Twice each number of a CSV request."""
    lines = request.body.decode().splitlines()
    return Reply(body="".join(f"{2 * float(line)}\n" if line else "\n" for line in lines).encode())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(remote, "_LONGEST_PAUSE_S", 0.01)


def test_a_request_is_what_a_container_expects() -> None:
    with client(doubled) as (server, seen):
        server.ping()
        assert server.invoke(b"1\n2\n", "text/csv", "text/csv") == (b"2.0\n4.0\n", "text/csv")
    assert [(request.path, request.body) for request in seen] == [("/ping", b""), ("/invocations", b"1\n2\n")]
    assert seen[1].headers["Content-Type"] == "text/csv"
    assert seen[1].headers["Accept"] == "text/csv"


def test_an_address_may_have_a_path() -> None:
    with serving(doubled) as (url, seen):
        for address in (url + "/models/m", url + "/models/m/", url + "/models/m/invocations"):
            server = RemoteServer("ep", ModelSpec("m", url=address), 60)
            server.invoke(b"1\n", "text/csv", "")
            server.close()
    assert {request.path for request in seen} == {"/models/m/invocations"}


def test_connections_are_kept() -> None:
    with client(doubled) as (server, seen):
        for _ in range(5):
            server.invoke(b"1\n", "text/csv", "")
        assert len({request.peer for request in seen}) == 1
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda i: server.invoke(f"{i}\n".encode(), "text/csv", "")[0], range(40)))
        assert answers == [f"{2.0 * i}\n".encode() for i in range(40)]
        assert len({request.peer for request in seen}) <= 4


def test_a_connection_closed_meanwhile_is_opened_again() -> None:
    with client(in_turn(Reply(body=b"1\n"), Reply(hang_up=True), Reply(body=b"2\n"))) as (server, seen):
        assert server.invoke(b"1\n", "text/csv", "")[0] == b"1\n"
        assert server.invoke(b"1\n", "text/csv", "")[0] == b"2\n"
        assert len(seen) == 3


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(429, b"slow down"),
        Reply(503, headers={"Retry-After": "0"}),
        Reply(502),
        Reply(400, b'{"__type":"ThrottlingException","message":"Rate exceeded"}'),
        Reply(hang_up=True),
        Reply(body=b"1", cut_off=True),
    ],
)
def test_throttling_and_broken_connections_are_tried_again(refusal: Reply) -> None:
    with client(in_turn(refusal, refusal, Reply(body=b"7\n"))) as (server, seen):
        assert server.invoke(b"1\n", "text/csv", "")[0] == b"7\n"
        assert len(seen) == 3


def test_it_gives_up_after_some_attempts() -> None:
    with client(in_turn(Reply(503, b"overloaded"))) as (server, seen):
        with pytest.raises(errors.EndpointFailed) as caught:
            server.invoke(b"1\n", "text/csv", "")
        assert caught.value.message == 'endpoint "ep" answered 503 Service Unavailable: overloaded'
        assert len(seen) == 5


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(500, b"Traceback: boom"), "500 Internal Server Error: Traceback: boom"),
        (Reply(400, b'{"message": "3 features expected"}'), "400 Bad Request: 3 features expected"),
        (Reply(400, b'{"error_code": "BAD", "message": "no column a"}'), "400 Bad Request: no column a"),
        (Reply(404), "404 Not Found"),
        (Reply(302, headers={"Location": "http://elsewhere/"}), "302 Found"),
        (Reply(500, b"a\nb\x00" + b"x" * 10_000), f"500 Internal Server Error: a b {'x' * 296}..."),
    ],
)
def test_other_errors_come_through_in_the_servers_words(reply: Reply, words: str) -> None:
    with client(in_turn(reply)) as (server, seen):
        with pytest.raises(errors.EndpointFailed) as caught:
            server.invoke(b"1\n", "text/csv", "")
        assert caught.value.message == f'endpoint "ep" answered {words}'
        assert len(seen) == 1


def test_nobody_there() -> None:
    with serving(doubled) as (url, _):
        pass
    server = RemoteServer("ep", ModelSpec("m", url=url), 60)
    with pytest.raises(errors.EndpointFailed, match='endpoint "ep" cannot be reached: Connection refused') as caught:
        server.ping()
    assert caught.value.hint == f"Is a server running at {url}?"


def test_a_server_that_goes_down_between_requests() -> None:
    with client(in_turn(Reply(body=b"1\n"), Reply(hang_up=True))) as (server, seen):
        assert server.invoke(b"1\n", "text/csv", "")[0] == b"1\n"
        with pytest.raises(errors.EndpointFailed, match="cannot be reached: it broke off its answer"):
            server.invoke(b"1\n", "text/csv", "")
        assert len(seen) == 7  # the connection that lay idle, and five attempts


def test_a_server_that_sleeps(eventually: Callable[[Callable[[], object]], None]) -> None:
    awake = threading.Event()

    def sleep(_: Request) -> Reply:
        awake.wait(60)
        return Reply(body=b"1\n")

    with client(sleep, timeout_s=0.2) as (server, seen):
        started = time.monotonic()
        with pytest.raises(errors.EndpointFailed, match=r'endpoint "ep" did not answer within 0\.2 s'):
            server.invoke(b"1\n", "text/csv", "")
        assert time.monotonic() - started < 50
        eventually(lambda: seen)  # it may come to the request after we have left
        assert len(seen) == 1
        awake.set()


def test_a_request_can_be_stopped_from_another_thread() -> None:
    awake, arrived = threading.Event(), threading.Event()

    def sleep(_: Request) -> Reply:
        arrived.set()
        awake.wait(60)
        return Reply(body=b"1\n")

    with client(sleep, timeout_s=60) as (server, seen), ThreadPoolExecutor(1) as pool:
        (request,) = requests(server, [pa.array([1])], 1000)
        answer = pool.submit(request.answer)
        assert arrived.wait(60)
        request.stop()
        with pytest.raises(errors.EndpointFailed):
            answer.result(timeout=60)
        assert len(seen) == 1
        with pytest.raises(errors.EndpointFailed):
            request.answer()
        assert len(seen) == 1
        awake.set()


def test_no_more_requests_are_under_way_than_allowed() -> None:
    counting, together = threading.Lock(), threading.Barrier(2)
    now, most = 0, 0

    def busy(request: Request) -> Reply:
        nonlocal now, most
        with counting:
            now += 1
            most = max(most, now)
        together.wait(60)  # the two that are allowed wait for each other; the next would come meanwhile
        time.sleep(0.02)
        with counting:
            now -= 1
        return doubled(request)

    with serving(busy) as (url, _), ThreadPoolExecutor(8) as pool:
        server = RemoteServer("ep", ModelSpec("m", url=url), 60, connections=2)
        list(pool.map(lambda i: server.invoke(f"{i}\n".encode(), "text/csv", ""), range(12)))
        server.close()
    assert most == 2


def test_an_endless_answer_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_ANSWER_BYTES", 1 << 20)
    with (
        client(in_turn(Reply(body=bytes(3 << 20)))) as (server, _),
        pytest.raises(errors.EndpointFailed, match="answered more than 1 MB"),
    ):
        server.invoke(b"1\n", "text/csv", "")


def test_a_header_line_for_servers_that_want_one() -> None:
    with client(in_turn(Reply(body=b"1\n")), header=("n", 'a "b"')) as (server, seen):
        server.invoke(b"1,2\n", "text/csv; charset=utf-8", "")
        server.invoke(b"[]", "application/json", "")
    assert [request.body for request in seen] == [b'"n","a ""b"""\n1,2\n', b"[]"]


# Rows of SQL


def answers(
    server: RemoteServer, columns: list[pa.Array], max_bytes: int = 5_000_000, max_rows: int | None = None
) -> list[object]:
    return [value for one in requests(server, columns, max_bytes, max_rows) for value in one.answer().to_pylist()]


def test_rows_go_out_in_requests_of_bounded_size() -> None:
    numbers = pa.array(range(1000))
    expected = [str(2.0 * i) for i in range(1000)]
    with client(doubled) as (server, seen):
        assert answers(server, [numbers]) == expected
        assert len(seen) == 1
        seen.clear()
        assert answers(server, [numbers], max_bytes=500) == expected
        assert max(len(request.body) for request in seen) <= 500
        assert len(seen) < 16
        seen.clear()
        assert answers(server, [numbers], max_rows=300) == expected
        assert [request.body.count(b"\n") for request in seen] == [300, 300, 300, 100]
        assert answers(server, [pa.array([1e200])], max_bytes=3) == ["2e+200"]


def test_nulls_are_empty_both_ways() -> None:
    with client(doubled) as (server, _):
        assert answers(server, [pa.array([1, None, 3])]) == ["2.0", None, "6.0"]


def test_an_mlflow_server() -> None:
    def mlflow(request: Request) -> Reply:
        frame = json.loads(request.body)["dataframe_split"]
        assert frame["columns"] == ["a", "b"]
        body = json.dumps({"predictions": [a + b for a, b in frame["data"]]}).encode()
        return Reply(body=body, content_type="application/json")

    with client(mlflow, header=("a", "b"), content_type="application/json") as (server, seen):
        assert answers(server, [pa.array([1, 2]), pa.array([10.5, 20.5])]) == [11.5, 22.5]
        assert seen[0].headers["Accept"] == "application/json"
        with pytest.raises(errors.EndpointFailed, match='endpoint "ep" takes 2 columns, its function has 1 arguments'):
            answers(server, [pa.array([1])])


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(body=b"1\n"), 'endpoint "ep": the answer has 1 values for 2 rows'),
        (Reply(body=b"1\n2\n3\n"), 'endpoint "ep": the answer has 3 values for 2 rows'),
        (Reply(body=b"<html>", content_type="text/html"), 'endpoint "ep": the answer has the content type "text/html"'),
        (
            Reply(body=b"[", content_type="application/json"),
            'endpoint "ep": not JSON: expecting value at line 1, column 2',
        ),
    ],
)
def test_answers_that_make_no_sense(reply: Reply, message: str) -> None:
    with client(in_turn(reply)) as (server, _):
        with pytest.raises(errors.EndpointFailed) as caught:
            answers(server, [pa.array([1, 2])])
        assert caught.value.message == message
