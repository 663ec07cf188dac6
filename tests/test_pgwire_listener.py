"""The port for SQL clients: real connections, and what becomes of those that misbehave."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import strategies as st

from restframe.pgwire import listener as listener_module
from restframe.pgwire.workers import Workers

SSL = struct.pack("!II", 8, 80877103)
GSS = struct.pack("!II", 8, 80877104)


def startup(**parameters: str) -> bytes:
    body = b"".join(f"{name}\0{value}\0".encode() for name, value in parameters.items()) + b"\0"
    return struct.pack("!II", len(body) + 8, 3 << 16) + body


def query(text: str) -> bytes:
    return b"Q" + struct.pack("!I", len(text.encode()) + 5) + text.encode() + b"\0"


@contextlib.contextmanager
def raw(pg: Any) -> Iterator[socket.socket]:
    with socket.create_connection((pg.host, pg.port), timeout=60) as connected:
        yield connected


@contextlib.contextmanager
def logged_in(pg: Any) -> Iterator[socket.socket]:
    """A socket whose user is known, at its first ReadyForQuery."""
    password, _ = pg.identity.database_password(pg.user, 900)
    with raw(pg) as connected:
        connected.sendall(startup(user=f"IAM:{pg.user}", database="dev"))
        assert connected.recv(100)[:1] == b"R"
        connected.sendall(b"p" + struct.pack("!I", len(password) + 5) + password.encode() + b"\0")
        until(connected, b"Z\0\0\0\5I")
        yield connected


def until(connected: socket.socket, end: bytes) -> bytes:
    received = b""
    while not received.endswith(end):
        piece = connected.recv(65536)
        assert piece, received
        received += piece
    return received


def all_of(connected: socket.socket) -> bytes:
    """What comes until the server closes; a reset ends it, too."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connected.recv(65536):
            received += piece
    return received


def eventually(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.01)


def nothing_is_left(pg: Any) -> None:
    listener = pg.listener
    eventually(lambda: not listener.connections and not listener.admission.count)
    eventually(lambda: (listener._logins, listener._by_pid) == ({}, {}))
    eventually(lambda: listener.workers.count == len(listener.workers._idle))


def is_executing(pg: Any) -> bool:
    """Whether a statement runs, so that it can be stopped; what is cancelled before that goes on."""
    sessions = [one.conversation.session for one in list(pg.listener.connections) if one.conversation is not None]
    return any(session is not None and session.executing for session in sessions)


@pytest.fixture
def endless_rows() -> str:
    """A result of hundreds of gigabytes."""
    return "select a.i, b.i, 'some text' from generate_series(1, 200000) a(i), generate_series(1, 200000) b(i)"


# Getting in


def test_with_and_without_tls(shared_pg: Any) -> None:
    authority = str(shared_pg.warehouse.settings.directory / "ca" / "ca.pem")
    for host in ("localhost", "127.0.0.1"):
        with shared_pg.connect(host=host, sslmode="verify-full", sslrootcert=authority) as connection:
            assert connection.pgconn.ssl_in_use
            assert connection.execute("select repeat('x', 60000)").fetchone() == ("x" * 60000,)
            assert len(connection.execute("select i from generate_series(1, 300000) as g(i)").fetchall()) == 300_000
    with shared_pg.connect() as connection:
        assert not connection.pgconn.ssl_in_use
    nothing_is_left(shared_pg)


def test_encryption_by_gss_is_not_had(shared_pg: Any) -> None:
    with raw(shared_pg) as connected:
        connected.sendall(GSS)
        assert connected.recv(10) == b"N"
        connected.sendall(SSL)
        assert connected.recv(10) == b"S"
    nothing_is_left(shared_pg)


def test_what_is_said_before_tls_is_not_taken_for_said_under_it(shared_pg: Any) -> None:
    with raw(shared_pg) as connected:
        connected.sendall(SSL + startup(user="awsuser"))
        answer = all_of(connected)
    assert b"C08P01" in answer and not answer.startswith(b"S")


def test_what_comes_while_tls_is_made_ready_is_not_taken_for_said_under_it(
    pg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, secure = pg.listener, pg.listener.secure
    waiting: list[Any] = []
    monkeypatch.setattr(listener, "secure", waiting.append)
    with raw(pg) as connected:
        connected.sendall(SSL)
        eventually(lambda: bool(waiting))
        connected.sendall(startup(user="awsuser"))
        (one,) = listener.connections
        eventually(lambda: bool(one._kept))
        listener._loop.call_soon_threadsafe(secure, *waiting)
        answer = all_of(connected)
    assert b"C08P01" in answer and not answer.startswith(b"S")
    nothing_is_left(pg)


def test_no_second_tls_under_the_first(shared_pg: Any) -> None:
    context = ssl.create_default_context(cafile=shared_pg.warehouse.settings.directory / "ca" / "ca.pem")
    with raw(shared_pg) as connected:
        connected.sendall(SSL)
        assert connected.recv(1) == b"S"
        with context.wrap_socket(connected, server_hostname="localhost") as secure:
            secure.sendall(SSL)
            assert secure.recv(1) == b"N"
            secure.sendall(startup(user="awsuser", database="dev"))
            assert secure.recv(100)[:1] == b"R"


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00" + bytes(600),
        struct.pack("!II", 20_000, 3 << 16),
        struct.pack("!II", 9, 3 << 16) + b"x",
        startup(user="awsuser") + b"p\x00\x01\x00\x00",
        startup(user="awsuser") + b"Q\xff\xff\xff\xff",
    ],
    ids=["http", "tls", "too long", "layout", "password too long", "query too long"],
)
def test_what_is_no_login_is_refused(shared_pg: Any, said: bytes) -> None:
    with raw(shared_pg) as connected:
        connected.sendall(said)
        answer = all_of(connected)
    assert b"SFATAL" in answer
    nothing_is_left(shared_pg)


def test_who_does_not_log_in_is_dropped(pg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "_LOGIN_S", 0.2)
    for said in (b"", SSL, startup(user="awsuser", database="dev")):
        with raw(pg) as connected:
            connected.sendall(said)
            assert len(all_of(connected)) < 200
    nothing_is_left(pg)
    monkeypatch.setattr(listener_module, "_LOGIN_S", 3)
    with pg.connect() as connection:
        time.sleep(3.2)
        assert connection.execute("select 1").fetchone() == (1,)


def test_who_only_holds_places_of_logins_shuts_nobody_out(pg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener_module, "_MAXIMAL_LOGINS", 3)
    with raw(pg) as first, raw(pg) as second, raw(pg) as third:
        second.sendall(SSL)
        third.sendall(startup(user="awsuser", database="dev"))
        eventually(lambda: len(pg.listener.connections) == 3)
        pg.connect().close()
        assert all_of(first) == b""
        assert second.recv(1) == b"S"
        with raw(pg):
            pg.connect().close()
            assert all_of(second) == b""
        assert third.recv(1) == b"R"
    nothing_is_left(pg)


def test_who_guesses_passwords_and_hangs_up_holds_no_thread(pg: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pg.identity.throttle, "attempt", lambda address, user: 60.0)
    guess = startup(user="IAM:awsuser", database="dev") + b"p\0\0\0\6x\0"
    for _ in range(20):
        with raw(pg) as connected:
            connected.sendall(guess)
            assert connected.recv(1) == b"R"
    nothing_is_left(pg)


@pytest.mark.parametrize("message", [b"H\0\0\0\4", b"p" + struct.pack("!I", 9004) + bytes(9000)])
@pytest.mark.parametrize("pieces", [1, 1000])
def test_little_is_kept_of_what_is_said_before_anybody_is_known(
    pg: Any, monkeypatch: pytest.MonkeyPatch, message: bytes, pieces: int
) -> None:
    monkeypatch.setattr(listener_module, "_LOGIN_S", 1.5)
    monkeypatch.setattr(pg.identity.throttle, "attempt", lambda address, user: 60.0)
    with raw(pg) as connected:
        connected.sendall(startup(user="IAM:awsuser", database="dev") + b"p\0\0\0\6x\0")
        connected.settimeout(0.5)
        with contextlib.suppress(ConnectionError, TimeoutError):
            for _ in range(pieces):
                connected.sendall(message * (5_000_000 // len(message) // pieces + 1))
        assert all(len(one.answering._inbox) <= 200 for one in list(pg.listener.connections))
        connected.settimeout(60)
        all_of(connected)
    nothing_is_left(pg)


def test_messages_that_say_nothing_are_not_kept_without_bound(pg: Any, endless: str) -> None:
    with logged_in(pg) as connected:
        connected.sendall(query(endless))
        eventually(lambda: is_executing(pg))
        (one,) = pg.listener.connections
        for _ in range(1000):
            if not one.paused:
                connected.sendall(b"S\0\0\0\4" * 1000)
                time.sleep(0.001)
        eventually(lambda: one.paused)
        assert len(one.answering._inbox) < 20_000
    nothing_is_left(pg)


@pytest.mark.parametrize("limit", [2])
def test_the_number_of_connections_is_bounded(pg: Any, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pg.listener.admission, "_limit", limit)
    with pg.connect(), pg.connect(), pytest.raises(psycopg.OperationalError, match="too many clients"):
        pg.connect()
    eventually(lambda: not pg.listener.connections)
    pg.connect().close()


def test_system_tables_tell_from_where_a_client_came(shared_pg: Any) -> None:
    with shared_pg.connect() as connection:
        pid = connection.info.backend_pid
        for query in (
            "SELECT client_addr FROM pg_stat_activity WHERE pid = %s",
            "SELECT remotehost FROM stl_connection_log WHERE pid = %s AND event = 'authenticated'",
        ):
            assert connection.execute(query, (pid,)).fetchone()[0].rstrip() == "127.0.0.1"


# Cancelling


def test_cancel(shared_pg: Any, endless: str) -> None:
    for options in ({}, {"sslmode": "require"}):
        with shared_pg.connect(autocommit=True, **options) as connection:

            def cancel(connection: psycopg.Connection = connection) -> None:
                eventually(lambda: is_executing(shared_pg))
                connection.cancel_safe(timeout=60)

            thread = threading.Thread(target=cancel)
            thread.start()
            with pytest.raises(psycopg.errors.QueryCanceled):
                connection.execute(endless)
            thread.join()
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_wrong_key_cancels_nothing(shared_pg: Any) -> None:
    with shared_pg.connect(autocommit=True) as connection:
        pid = connection.info.backend_pid
        for key in (bytes(4), b"", b"longer than it is"):
            with raw(shared_pg) as connected:
                body = struct.pack("!II", 80877102, pid) + key
                connected.sendall(struct.pack("!I", len(body) + 4) + body)
                answer = all_of(connected)
                assert answer == b"" or b"C08P01" in answer
        assert connection.execute("select count(*) from generate_series(1, 1000000)").fetchone() == (1_000_000,)


def test_of_two_sessions_only_one_is_cancelled(shared_pg: Any, endless: str) -> None:
    with shared_pg.connect(autocommit=True) as one, shared_pg.connect(autocommit=True) as other:
        cancelled: list[str] = []

        def run() -> None:
            with pytest.raises(psycopg.errors.QueryCanceled) as caught:
                one.execute(endless)
            cancelled.append(str(caught.value.sqlstate))

        thread = threading.Thread(target=run)
        thread.start()
        eventually(lambda: is_executing(shared_pg))
        other.cancel_safe(timeout=60)
        time.sleep(0.2)
        assert thread.is_alive()
        one.cancel_safe(timeout=60)
        thread.join()
        assert cancelled == ["57014"]


def test_a_key_that_comes_late_stops_nothing_else(shared_pg: Any) -> None:
    with shared_pg.connect(autocommit=True) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        connection.cancel_safe(timeout=60)
        assert connection.execute("select 2").fetchone() == (2,)
        connection.execute("begin")
        connection.cancel_safe(timeout=60)
        assert connection.execute("select count(*) from generate_series(1, 300000)").fetchone() == (300_000,)
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


# Clients that go away, or are slow


def test_a_query_stops_when_its_client_goes(pg: Any, endless: str) -> None:
    with logged_in(pg) as connected:
        connected.sendall(query(f"begin; create table t (a int); {endless}"))
        eventually(lambda: is_executing(pg))
        time.sleep(0.2)
    nothing_is_left(pg)
    assert pg.warehouse.sql("select count(*) from pg_class where relname = 't'").scalar() == 0


def test_a_query_stops_when_its_client_goes_though_it_had_said_more_than_we_read(pg: Any, endless: str) -> None:
    with logged_in(pg) as connected:
        connected.sendall(query(endless))
        eventually(lambda: is_executing(pg))
        (one,) = pg.listener.connections
        for _ in range(1000):
            if not one.paused:
                connected.sendall(query("select '" + "x" * 20_000 + "'"))
                time.sleep(0.001)
        eventually(lambda: one.paused)
        assert one.answering._unread_bytes < 3 << 20
    nothing_is_left(pg)


@pytest.mark.parametrize("options", [{"sslmode": "disable"}, {"sslmode": "require"}])
def test_a_result_that_nobody_reads_is_not_computed(pg: Any, endless_rows: str, options: dict[str, str]) -> None:
    with pg.connect(**options) as first:  # which brings into memory what large results are written with
        first.execute("select i, i, 'some text' from generate_series(1, 300000) as g(i)").fetchall()
    nothing_is_left(pg)
    connection = pg.connect(autocommit=True, **options)
    connection.pgconn.send_query(endless_rows.encode())
    (one,) = pg.listener.connections
    eventually(lambda: one.busy)
    before = resident_bytes()
    time.sleep(1)
    assert one.busy and one.answering._in_loop_bytes < 4 << 20
    assert resident_bytes() - before < 100 << 20
    connection.pgconn.finish()
    nothing_is_left(pg)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def test_a_client_that_goes_within_copy_has_loaded_nothing(pg: Any) -> None:
    pg.warehouse.sql("create table t (a int)")
    with logged_in(pg) as connected:
        connected.sendall(query("copy t from stdin"))
        assert connected.recv(1000)[:1] == b"G"
        connected.sendall(b"d\0\0\0\x08123\n" * 1000)
    nothing_is_left(pg)
    assert pg.warehouse.sql("select count(*) from t").scalar() == 0


def test_copy_can_be_cancelled_while_it_waits_for_the_client(pg: Any) -> None:
    pg.warehouse.sql("create table t (a int)")
    with (
        pg.connect(autocommit=True) as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
        connection.cursor().copy("copy t from stdin") as copy,
    ):
        copy.write("1\n")
        eventually(lambda: is_executing(pg))
        connection.cancel_safe(timeout=60)
        eventually(lambda: not is_executing(pg))
    assert pg.warehouse.sql("select count(*) from t").scalar() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")
def test_a_long_statement_lets_others_first_and_its_thread_serves_nobody_else(
    pg: Any, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("restframe.pgwire.workers._LAST", 13)  # which the tests themselves hardly run with

    def is_last(one: Any) -> bool:
        return one.answering._thread_id is not None and os.getpriority(os.PRIO_PROCESS, one.answering._thread_id) == 13

    with contextlib.closing(pg.connect(autocommit=True)) as connection:
        (one,) = pg.listener.connections
        connection.pgconn.send_query(endless.encode())
        eventually(lambda: is_last(one))
        connection.cancel_safe(timeout=60)
        eventually(lambda: not one.busy and pg.listener.workers.count == 0)


# The end


def test_who_says_nothing_is_told_to_go(pg: Any, monkeypatch: pytest.MonkeyPatch, endless: str) -> None:
    idle, busy = pg.connect(autocommit=True), pg.connect(autocommit=True)
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(busy.execute, endless)
        eventually(lambda: is_executing(pg))
        try:
            monkeypatch.setattr(pg.listener, "_idle_s", 0.5)
            eventually(lambda: len(pg.listener.connections) == 1)
            with pytest.raises(psycopg.OperationalError) as caught:
                idle.execute("select 1")
            assert "idle-session timeout" in str(caught.value)
            # the time begins with the end of what runs
            monkeypatch.setattr(pg.listener, "_idle_s", 60)
            (one,) = pg.listener.connections
            one.idle_since -= 3600
            eventually(lambda: pg.listener._loop.time() - one.idle_since < 60)
        finally:
            busy.cancel_safe(timeout=60)
        with pytest.raises(psycopg.errors.QueryCanceled):
            running.result(60)
    time.sleep(0.5)
    assert busy.execute("select 1").fetchone() == (1,)
    busy.close()
    nothing_is_left(pg)


def test_stopping_tells_the_idle_and_lets_the_busy_finish(pg: Any) -> None:
    idle, busy, told = pg.connect(autocommit=True), pg.connect(autocommit=True), []
    series = "generate_series(1, 20000)"
    counting = f"select count(*) from {series} a(i), {series} b(i) where a.i + b.i = 7"

    def run() -> None:
        told.append(busy.execute(counting).fetchone())

    thread = threading.Thread(target=run)
    thread.start()
    eventually(lambda: is_executing(pg))
    stop(pg, 120)
    thread.join()
    assert told == [(6,)]
    with pytest.raises(psycopg.OperationalError, match="terminating connection due to administrator command"):
        idle.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        busy.execute("select 1")
    with pytest.raises(psycopg.OperationalError):
        pg.connect()
    assert (len(pg.listener.connections), pg.listener.workers.count) == (0, 0)


def test_stopping_cancels_what_lasts_longer_than_the_grace(pg: Any, endless: str) -> None:
    with contextlib.closing(pg.connect(autocommit=True)) as connection:
        connection.pgconn.send_query(endless.encode())
        eventually(lambda: is_executing(pg))
        stop(pg, 0.2)
        assert pg.listener.workers.count == 0


def stop(pg: Any, grace_s: float) -> None:
    import asyncio

    asyncio.run_coroutine_threadsafe(pg.listener.stop(grace_s), pg.listener._loop).result(240)


# Bytes that nobody would send


@contextlib.contextmanager
def secured(pg: Any) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=pg.warehouse.settings.directory / "ca" / "ca.pem")
    with raw(pg) as connected:
        connected.sendall(SSL)
        assert connected.recv(1) == b"S"
        with context.wrap_socket(connected, server_hostname="localhost") as secure:
            yield secure


def say_and_hang_up(connected: socket.socket, said: bytes) -> None:
    """Whatever is answered is read, up to the end."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        connected.sendall(said)
        if isinstance(connected, ssl.SSLSocket):
            connected.unwrap()
        else:
            connected.shutdown(socket.SHUT_WR)
            all_of(connected)


@hypothesis.settings(max_examples=40)
@hypothesis.given(st.binary(max_size=300), st.sampled_from(["raw", "secured", "logged_in"]))
def test_any_bytes_end_in_an_answer_or_a_closed_connection(shared_pg: Any, data: bytes, kind: str) -> None:
    opened = {"raw": raw, "secured": secured, "logged_in": logged_in}[kind]
    with opened(shared_pg) as connected:
        say_and_hang_up(connected, data)
    nothing_is_left(shared_pg)


@pytest.mark.parametrize("opened", [raw, secured])
def test_every_truncation_of_a_login(shared_pg: Any, opened: Any) -> None:
    first = b"" if opened is secured else GSS
    whole = first + startup(user="IAM:awsuser", database="dev", options="-c timezone=UTC") + b"p\0\0\0\x05\0"
    for end in range(0, len(whole), 1 if opened is raw else 3):
        with opened(shared_pg) as connected:
            say_and_hang_up(connected, whole[:end])
    nothing_is_left(shared_pg)


# Who would get in without a password

SASL_BEGUN = b"p\0\0\0\x37SCRAM-SHA-256\0\0\0\0\x21n,,n=,r=abcdefghijklmnopqrstuvwxy"


@pytest.mark.parametrize("before", [b"", SASL_BEGUN], ids=["at once", "in the middle"])
@pytest.mark.parametrize(
    "said",
    [
        query("select 4711"),
        b"P\0\0\0\x13\0select 4711\0\0\0",
        b"d\0\0\0\x081\t2\n",
        b"S\0\0\0\4",
        startup(user="awsuser", database="dev"),
        b"R\0\0\0\x08\0\0\0\0",
    ],
    ids=["query", "parse", "copy", "sync", "a second start", "the server's own words"],
)
def test_nothing_is_done_before_the_password(shared_pg: Any, before: bytes, said: bytes) -> None:
    with raw(shared_pg) as connected:
        connected.sendall(startup(user="awsuser", database="dev") + before + said)
        answer = all_of(connected)
    assert b"SFATAL" in answer
    for never in (b"4711", b"R\0\0\0\x08\0\0\0\0", b"Z\0\0\0\5"):
        assert never not in answer
    nothing_is_left(shared_pg)


@pytest.mark.parametrize(
    "said", [startup(user="awsuser", database="dev"), SASL_BEGUN, SSL], ids=["start", "sasl", "ssl"]
)
def test_who_has_logged_in_cannot_begin_again(shared_pg: Any, said: bytes) -> None:
    with logged_in(shared_pg) as connected:
        connected.sendall(said + query("select 4711"))
        answer = all_of(connected)
    assert b"C08P01" in answer
    assert b"4711" not in answer
    nothing_is_left(shared_pg)


# Threads


def test_workers_come_when_needed_and_serve_again() -> None:
    workers, done = Workers("test"), threading.Semaphore(0)
    both = threading.Barrier(2)
    for _ in range(2):
        workers.submit(lambda: bool(both.wait(60) < 0 or done.release()))
    for _ in range(2):
        assert done.acquire(timeout=60)
    eventually(lambda: len(workers._idle) == 2)
    workers.submit(lambda: bool(done.release()))
    assert done.acquire(timeout=60)
    assert workers.count == 2
    workers.submit(lambda: True)
    eventually(lambda: workers.count == 1)
    workers.close()
    assert workers.count == 0
