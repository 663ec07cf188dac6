"""Models behind HTTP, asked from SQL: how often, about what, and what happens when the server misbehaves."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe import Warehouse, errors
from restframe.jobs import remote
from restframe.jobs.serving import EndpointServer
from restframe.warehouse import Session


@dataclass
class Reply:
    lines: list[str] | None = None
    status: int = 200
    body: bytes | None = None
    content_type: str = "text/csv"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def bytes(self) -> bytes:
        return self.body if self.body is not None else "".join(f"{line}\n" for line in self.lines or []).encode()


def twice(lines: list[str]) -> Reply:
    """Twice the sum of each line's numbers."""
    return Reply([str(2 * sum(float(text) for text in line.split(",") if text)) for line in lines])


class Server:
    """An inference server on this machine that answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[list[str]], Reply] = twice
        self.ping: Callable[[], Reply] = lambda: Reply([])
        self.requests: list[bytes] = []
        self.awake = threading.Event()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self.send(server.ping())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                server.requests.append(body)
                if server.listens:
                    self.send(server.answer(body.decode().splitlines()))
                else:
                    self.close_connection = True

            def send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.bytes)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.bytes)

            def log_message(self, *_: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                """A client that hung up is part of some tests."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.listens = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def asked(self) -> list[str]:
        """The lines of all requests."""
        return [line for body in self.requests for line in body.decode().splitlines()]

    def sleeping(self, lines: list[str]) -> Reply:
        self.awake.wait(120)
        return twice(lines)

    def go_down(self) -> None:
        self.listens = False
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def close(self) -> None:
        self.awake.set()
        if self.listens:
            self.go_down()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture
def warehouse(tmp_path: Path, server: Server) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        opened.deploy(server.url, "ep")
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        opened.execute(model())
        opened.execute("CREATE TABLE t (id int, n int, x float8, s varchar(20))")
        yield opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(remote, "_LONGEST_PAUSE_S", 0.01)


def model(name: str = "m", function: str = "f(int)", returns: str = "decimal(18,6)", tail: str = "") -> str:
    return f"CREATE MODEL {name} FUNCTION {function} RETURNS {returns} SAGEMAKER 'ep' IAM_ROLE default {tail}"


def rows(session: Session, text: str) -> list[tuple[Any, ...]]:
    return session.execute(text).fetchall()


def fill(session: Session, count: int, distinct: int) -> None:
    session.execute(
        f"INSERT INTO t SELECT i, i % {distinct}, i / 2.0, 's' FROM generate_series(0, {count - 1}) AS g(i)"
    )


# What is asked


def test_the_wire_is_one_line_a_row_without_a_header(session: Session, server: Server) -> None:
    session.execute(model("w", "wide(int, float8, varchar, boolean, decimal(6,2), timestamp, date)"))
    server.answer = lambda lines: Reply(["1"] * len(lines))
    values = """1, 2.5::float8, 'a "b", c', true, 3.10, '2014-11-02 01:00:00'::timestamp, '2014-11-02'::date"""
    rows(session, f"select wide({values}), wide(7, null, '', false, null, null, null)")
    assert sorted(server.asked) == [
        '1,2.5,"a ""b"", c",true,3.10,2014-11-02 01:00:00,2014-11-02',
        '7,,"",false,,,',
    ]


def test_nulls_and_empty_answers(session: Session, server: Server) -> None:
    session.execute(model("two", "f(int, int)"))
    session.execute("INSERT INTO t VALUES (1, NULL), (2, 5), (NULL, NULL)")
    assert rows(session, "select f(id, n), f(n) from t order by id") == [(2, None), (14, 10), (None, None)]
    assert sorted(server.asked) == ["1,", "2,5", "5"]
    server.answer = lambda lines: Reply([""] * len(lines))
    assert rows(session, "select f(7)") == [(None,)]


def test_each_statement_asks_anew_and_each_argument_once(session: Session, server: Server) -> None:
    session.execute("INSERT INTO t VALUES (1, 5), (2, 5), (3, 6)")
    text = "select f(n), f(n) + 1, f(id + 4) from t where f(n) > 0 order by id"
    assert rows(session, text)[0] == (10, 11, 10)
    assert sorted(server.asked) == ["5", "6", "7"]
    rows(session, text)
    assert len(server.asked) == 6


CUTOFF = """with score_cutoff as
(select stddev(public.f(n)) as std, avg(public.f(n)) as mean, ( mean + 3 * std ) as score_cutoff_value from public.t)
select id, n, public.f(n) as score from public.t
where score > (select score_cutoff_value from score_cutoff) order by 2 desc"""


def test_the_cut_off_query_asks_about_each_value_once(session: Session, server: Server) -> None:
    fill(session, 10_320, 8_089)
    session.execute("INSERT INTO t VALUES (-1, 90000)")
    assert rows(session, CUTOFF) == [(-1, 90_000, Decimal("180000.000000"))]
    assert len(server.asked) == len(set(server.asked)) == 8_090
    assert len(server.requests) == 2


def test_many_rows_are_asked_ahead_in_few_requests(session: Session, server: Server) -> None:
    fill(session, 30_000, 3_000)
    assert rows(session, "select count(distinct f(n)) from t") == [(3_000,)]
    assert [len(body.splitlines()) for body in server.requests] == [3_000]
    server.requests.clear()
    session.execute("CREATE TABLE kept AS SELECT n, f(n) AS s FROM t")
    session.execute("INSERT INTO kept SELECT n, f(n) FROM t")
    assert [len(body.splitlines()) for body in server.requests] == [3_000, 3_000]


def test_the_table_of_a_subquery_that_aggregates_is_asked_ahead_too(session: Session, server: Server) -> None:
    fill(session, 30_000, 3_000)
    rows(session, "select * from (select max(f(n)) as m from t) q where m > 0 limit 1")
    assert [len(body.splitlines()) for body in server.requests] == [3_000]


@pytest.mark.parametrize(
    "text",
    [
        "select f(n) from t limit 3",
        "select * from (select f(n) from t) q limit 3",
        "(select f(n) from t) limit 3",
        "select f(n) from t union all select f(n) from t limit 3",
    ],
)
def test_nothing_is_asked_ahead_for_a_few_rows(text: str, session: Session, server: Server) -> None:
    fill(session, 30_000, 20_000)
    assert len(rows(session, text)) == 3
    assert len(server.asked) <= 8_192


@pytest.mark.parametrize(
    "text",
    [
        "create table kept as select count(f(n)) as c from t where n < 10",
        "select sum(case when n < 10 then f(n) end) from t",
        "select count(decode(n < 10, true, f(n))) from t",
        "select f(n) from (select n from t where n < 10) q",
        "select max(s) from (select n, f(n) as s from t) q where n < 10",
        "select t.n, f(t.n) from t join (select 9 as n) u on t.n < u.n + 1",
        "update t set x = f(n) where n < 10",
        "delete from t where n < 10 and f(n) >= 0",
        "select case when false then (select max(f(n)) from t) end, (select max(f(n)) from t where n < 10)",
    ],
)
def test_rows_that_are_guarded_are_not_asked(text: str, session: Session, server: Server) -> None:
    fill(session, 12_000, 3_000)
    session.execute(text).close()
    assert sorted(server.asked, key=int) == [str(n) for n in range(10)]


def test_a_division_guarded_by_case_does_not_reach_the_server(session: Session, server: Server) -> None:
    def picky(lines: list[str]) -> Reply:
        return Reply(status=500, body=b"zero!") if "0" in lines else twice(lines)

    server.answer = picky
    session.execute("INSERT INTO t VALUES (1, 0), (2, 4)")
    assert rows(session, "select case when n <> 0 then f(n) else -1 end from t order by id") == [(-1,), (8,)]
    with pytest.raises(errors.EndpointFailed, match="zero!"):
        rows(session, "select f(n) from t")


def test_requests_have_at_most_max_batch_rows(session: Session, server: Server) -> None:
    session.execute(model("b", "batched(int)", tail="SETTINGS (MAX_BATCH_ROWS 100)"))
    fill(session, 5_000, 950)
    assert rows(session, "select count(distinct batched(n)) from t") == [(950,)]
    assert sorted(len(body.splitlines()) for body in server.requests) == [50] + [100] * 9


def test_requests_have_at_most_max_request_bytes(tmp_path: Path, server: Server) -> None:
    with restframe.open(tmp_path / "small", max_request_bytes=2_000) as warehouse:
        warehouse.deploy(server.url, "ep")
        with warehouse.session() as session:
            session.execute(model("m", "f(int, float8)"))
            session.execute("CREATE TABLE t (id int, n int, x float8, s varchar(20))")
            fill(session, 3_000, 3_000)
            assert rows(session, "select count(f(n, x)) from t") == [(3_000,)]
    assert max(len(body) for body in server.requests) <= 2_000
    assert sum(len(body) for body in server.requests) / len(server.requests) > 1_000
    assert len(server.asked) == len(set(server.asked)) == 3_000


def test_several_connections_are_used_at_once_and_no_more_than_allowed(session: Session, server: Server) -> None:
    together = threading.Barrier(4, timeout=60)
    lock, now, most = threading.Lock(), 0, 0

    def meet(lines: list[str]) -> Reply:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        together.wait()
        with lock:
            now -= 1
        return twice(lines)

    server.answer = meet
    session.execute(model("b", "batched(int)", tail="SETTINGS (MAX_BATCH_ROWS 10)"))
    session.execute("INSERT INTO t SELECT i, i FROM generate_series(1, 80) AS g(i)")
    assert rows(session, "select sum(batched(n)) from t") == [(6_480,)]
    assert most == 4


def test_arguments_without_repetition_are_asked_as_they_come(session: Session, server: Server) -> None:
    fill(session, 250_000, 250_000)
    assert rows(session, "select count(distinct f(n)) from t where n >= 0") == [(250_000,)]
    assert len(server.asked) == len(set(server.asked)) == 250_000


def test_a_view_is_asked_batch_by_batch(session: Session, server: Server) -> None:
    fill(session, 10_000, 500)
    session.execute("CREATE VIEW v AS SELECT id, f(n) AS s FROM t")
    assert rows(session, "select count(*), max(s) from v") == [(10_000, 998)]
    assert len(server.asked) == len(set(server.asked)) == 500


def test_a_column_of_a_view_is_not_read_ahead(session: Session, server: Server) -> None:
    fill(session, 10_000, 3_000)
    session.execute("CREATE VIEW v AS SELECT n FROM t")
    assert rows(session, "select count(f(n)) from v") == [(10_000,)]
    assert len(server.asked) == len(set(server.asked)) == 3_000
    assert len(server.requests) == 2  # of the first 2,048 rows, and of what is new in the next


def test_a_text_is_cut_to_the_length_of_returns(session: Session, server: Server) -> None:
    session.execute(model("t", "kind(int)", "varchar(4)"))
    server.answer = lambda lines: Reply(["höher"] * len(lines))
    session.execute("CREATE TABLE kept (s varchar(4)); INSERT INTO kept SELECT kind(1)")
    assert rows(session, "select s, octet_length(s) from kept") == [("höh", 4)]


def test_sessions_at_once(warehouse: Warehouse, session: Session, server: Server) -> None:
    fill(session, 6_000, 1_000)

    def work(i: int) -> list[tuple[Any, ...]]:
        with warehouse.session() as own:
            return [rows(own, f"select sum(f(n + {i})), count(f(id)) from t")[0] for _ in range(3)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(work, range(4)))
    assert found == [[(Decimal(2 * (2_997_000 + 6_000 * i)), 6_000)] * 3 for i in range(4)]


def test_a_result_that_streams_while_the_next_statement_asks(session: Session) -> None:
    fill(session, 300_000, 100)
    first = session.execute("select f(n) from t order by id")
    batches = iter(first)
    assert [next(batches)[0] for _ in range(3)] == [0, 2, 4]
    assert rows(session, "select f(11)") == [(22,)]
    assert sum(1 for _ in batches) == 299_997


# Other servers


def test_a_server_like_mlflows(warehouse: Warehouse, session: Session, server: Server) -> None:
    def predictions(lines: list[str]) -> Reply:
        frame = json.loads(lines[0])["dataframe_split"]
        assert frame["columns"] == ["a", "b"]
        body = json.dumps({"predictions": [sum(x or 0 for x in row) for row in frame["data"]]}).encode()
        return Reply(body=body, content_type="application/json; charset=utf-8")

    server.answer = predictions
    warehouse.deploy(server.url, "mlflow", header=("a", "b"), content_type="application/json")
    session.execute(model("j", "g(int, float8)", "float8").replace("'ep'", "'mlflow'"))
    assert rows(session, "select g(1, 2.5), g(2, null)") == [(3.5, 2.0)]


def test_a_server_that_wants_a_header_line(warehouse: Warehouse, session: Session, server: Server) -> None:
    def lines_after_the_header(lines: list[str]) -> Reply:
        assert lines[0] == '"a"'
        return twice(lines[1:])

    server.answer = lines_after_the_header
    warehouse.deploy(server.url, "header", header=("a",))
    session.execute(model("h", "h(int)").replace("'ep'", "'header'"))
    assert rows(session, "select h(4)") == [(8,)]


def test_answers_that_are_texts_or_truths(session: Session, server: Server) -> None:
    session.execute(model("t", "kind(int)", "varchar(20)"))
    session.execute(model("b", "odd(int)", "boolean"))
    server.answer = lambda lines: Reply(['"a ""b"", c"' if line == "1" else "plain" for line in lines])
    assert rows(session, "select kind(1), kind(2)") == [('a "b", c', "plain")]
    server.answer = lambda lines: Reply(["true" if int(line) % 2 else "False." for line in lines])
    assert rows(session, "select odd(1), odd(2)") == [(True, False)]


def test_another_warehouse_is_a_server_too(tmp_path: Path, session: Session, warehouse: Warehouse) -> None:
    import numpy as np

    from restframe.storage import ObjectUrl

    points = "\n".join(str(n) for n in np.random.default_rng(1).integers(8_000, 20_000, 2_000))
    with restframe.open(tmp_path / "other") as other:
        other.storage.put(ObjectUrl.parse("s3://rides/train/points.csv"), points.encode())
        job = other.train(
            "random_cut_forest", {"train": "s3://rides/train/"}, "s3://rides/out", hyperparameters={"feature_dim": 1}
        )
        other.deploy(job, "forest")
        other.sql(model("m", "f(int)").replace("'ep'", "'forest'"))
        with EndpointServer(other.jobs, "forest") as serving:
            warehouse.deploy(serving.url, "forest")
            session.execute(model("r", "remote(int)").replace("'ep'", "'forest'"))
            numbers = "select 8000 + 31 * i as n from generate_series(0, 999) as g(i)"
            here = rows(session, f"select remote(n) from ({numbers}) q order by n")
            assert here == other.sql(f"select f(n) from ({numbers}) q order by n").fetchall()


# Servers that misbehave: the statement fails in the server's words, the session goes on


def works_again(session: Session, server: Server) -> bool:
    server.answer = twice
    return rows(session, "select f(4), count(*) from t") == rows(session, "select 8::decimal(18,6), count(*) from t")


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(["1"]), 'endpoint "ep": the answer has 1 values for 2 rows'),
        (Reply(["1", "2", "3"]), 'endpoint "ep": the answer has 3 values for 2 rows'),
        (Reply([]), 'endpoint "ep": the answer has 1 values for 2 rows'),
        (Reply(["1", "oops"]), 'endpoint "ep" answered "oops", which is no numeric(18,6)'),
        (Reply(["1", "x" * 10_000]), f'endpoint "ep" answered "{"x" * 60}", which is no numeric(18,6)'),
        (Reply(["1", "1e12"]), "the model's answer 1e12 does not fit numeric(18,6)"),
        (Reply(["1", "inf"]), 'endpoint "ep" answered "inf", which is no numeric(18,6)'),
        (
            Reply(status=500, body=b'{"message": "no such column"}'),
            'endpoint "ep" answered 500 Internal Server Error: no such column',
        ),
        (
            Reply(status=400, body=b"<html>" + b"y" * 10_000),
            f'endpoint "ep" answered 400 Bad Request: <html>{"y" * 294}...',
        ),
        (Reply(status=503, body=b"busy"), 'endpoint "ep" answered 503 Service Unavailable: busy'),
        (Reply(body=b"<html>", content_type="text/html"), 'endpoint "ep": the answer has the content type "text/html"'),
    ],
)
def test_an_answer_that_is_none(reply: Reply, message: str, session: Session, server: Server) -> None:
    session.execute("INSERT INTO t VALUES (1, 5), (2, 6)")
    server.answer = lambda _: reply
    with pytest.raises(errors.Error) as caught:
        rows(session, "select f(n) from t")
    assert caught.value.message == message
    assert works_again(session, server)


def test_inside_a_block_the_block_has_failed(session: Session, server: Server) -> None:
    server.answer = lambda _: Reply(status=500)
    session.execute("BEGIN; INSERT INTO t VALUES (1, 5)")
    with pytest.raises(errors.EndpointFailed):
        session.execute("INSERT INTO t SELECT id, f(n) FROM t")
    with pytest.raises(errors.InFailedTransaction):
        session.execute("select 1")
    session.execute("ROLLBACK")
    assert rows(session, "select count(*) from t") == [(0,)]
    assert works_again(session, server)


def test_a_server_that_throttles_is_asked_again(session: Session, server: Server) -> None:
    refusals = [
        Reply(status=429, body=b"slow down"),
        Reply(status=503, headers={"Retry-After": "0"}),
        Reply(status=400, body=b'{"__type": "ThrottlingException"}'),
    ]
    server.answer = lambda lines: refusals.pop() if refusals else twice(lines)
    assert rows(session, "select f(4)") == [(8,)]
    assert len(server.requests) == 4


def test_a_server_that_goes_down_in_the_middle(session: Session, server: Server) -> None:
    fill(session, 6_000, 6_000)

    def last(lines: list[str]) -> Reply:
        if len(server.requests) == 2:
            threading.Thread(target=server.go_down).start()
            server.listens = False
        return twice(lines)

    server.answer = last
    with pytest.raises(errors.EndpointFailed) as caught:
        rows(session, "select f(n) from t where n >= 0")
    assert caught.value.message.startswith('endpoint "ep" cannot be reached: ')
    assert caught.value.hint == f"Is a server running at {server.url}?"
    assert rows(session, "select count(*) from t") == [(6_000,)]


def test_a_server_that_is_gone_when_the_model_is_made(warehouse: Warehouse, server: Server, tmp_path: Path) -> None:
    server.go_down()
    with pytest.raises(errors.EndpointNotReady, match='endpoint "gone" is Failed: endpoint "gone" cannot be reached'):
        warehouse.deploy(server.url, "gone")


def test_a_server_that_takes_its_time_to_come_up(warehouse: Warehouse, session: Session, server: Server) -> None:
    server.ping = lambda: server.sleeping([])
    warehouse.deploy(server.url, "slow", wait=False)
    text = model("s", "g(int)").replace("'ep'", "'slow'")
    with pytest.raises(errors.EndpointNotReady) as caught:
        session.execute(text)
    assert caught.value.message == 'endpoint "slow" is Creating'
    assert caught.value.position == text.index("SAGEMAKER") + 1
    server.awake.set()
    warehouse.jobs.endpoint("slow").wait()
    session.execute(text)
    assert rows(session, "select g(4)") == [(8,)]


def test_cancelling_does_not_wait_for_a_slow_server(session: Session, server: Server) -> None:
    fill(session, 6_000, 6_000)
    server.answer = server.sleeping
    for text in ("select f(n) from t", "select f(4)", "create table kept as select f(n) as s from t"):
        server.requests.clear()
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(lambda text=text: rows(session, text))  # type: ignore[misc]
            while not server.requests:
                time.sleep(0.005)
            session.cancel()
            with pytest.raises(errors.QueryCanceled, match="cancelled on user's request"):
                running.result(timeout=60)  # the server would have slept for two minutes
    assert works_again(session, server)


def test_connections_are_free_again_after_cancelling(session: Session, server: Server) -> None:
    session.execute(model("b", "batched(int)", tail="SETTINGS (MAX_BATCH_ROWS 1)"))
    session.execute("INSERT INTO t SELECT i, i FROM generate_series(1, 8) AS g(i)")
    server.answer = server.sleeping
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(lambda: rows(session, "select batched(n) from t"))
        while len(server.requests) < 4:
            time.sleep(0.005)
        session.cancel()
        with pytest.raises(errors.QueryCanceled):
            running.result(timeout=60)
    server.answer = twice
    started = time.monotonic()
    assert rows(session, "select sum(batched(n)) from t") == [(72,)]
    assert time.monotonic() - started < 60


def test_the_statement_timeout_ends_waiting(session: Session, server: Server) -> None:
    server.answer = server.sleeping
    session.execute("SET statement_timeout TO 150")
    with pytest.raises(errors.QueryCanceled, match="cancelled on statement timeout"):
        rows(session, "select f(4)")
    session.execute("RESET statement_timeout")
    assert works_again(session, server)


def test_a_server_that_takes_longer_than_the_setting_allows(tmp_path: Path, server: Server) -> None:
    with restframe.open(tmp_path / "hasty", endpoint_timeout_s=2) as warehouse:
        warehouse.deploy(server.url, "ep")
        warehouse.sql(model())
        server.answer = server.sleeping
        with pytest.raises(errors.EndpointFailed, match=r'endpoint "ep" did not answer within 2 s'):
            warehouse.sql("select f(4)").fetchall()
        assert len(server.requests) == 1
