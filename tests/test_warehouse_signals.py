"""CANCEL, pg_cancel_backend() and pg_terminate_backend(): sessions that find and stop each other, through the wire."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg_errors

from restframe import errors


@pytest.fixture(scope="module")
def live(shared_pg: Any) -> Any:
    shared_pg.warehouse.sql(
        "CREATE TABLE t (a int); CREATE USER ann PASSWORD 'Analytical1'; CREATE USER ben PASSWORD 'Benevolent1'"
    )
    return shared_pg


@pytest.fixture
def ann(live: Any) -> Iterator[Callable[[], psycopg.Connection]]:
    """Opens sessions of a user who is no superuser."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(
            contextlib.closing(live.connect(user="ann", password="Analytical1", autocommit=True))
        )


def running(connection: psycopg.Connection, query: str) -> Future[BaseException | None]:
    """A query in a thread of its own, with the error it ends with."""
    ended: Future[BaseException | None] = Future()

    def run() -> None:
        try:
            connection.execute(query)
            ended.set_result(None)
        except psycopg.Error as error:
            ended.set_result(error)

    threading.Thread(target=run, daemon=True).start()
    return ended


def find(connection: psycopg.Connection, query: str) -> int:
    """The number of the session that a list of what runs comes to show."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        rows = connection.execute(query).fetchall()
        if rows:
            assert len(rows) == 1
            return int(rows[0][0])
        time.sleep(0.02)
    raise AssertionError(f"nothing found: {query}")


OTHERS = "LIKE '%generate_series%' AND pid <> pg_backend_pid()"
RECENT = f"SELECT pid FROM stv_recents WHERE status = 'Running' AND query {OTHERS}"
LISTS = (
    RECENT,
    f"SELECT pid FROM stv_inflight WHERE text {OTHERS}",
    f"SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query {OTHERS}",
    "SELECT session_id FROM sys_query_history WHERE status = 'running' AND query_text LIKE '%generate_series%' "
    "AND session_id <> pg_backend_pid()",
)


@pytest.mark.parametrize(
    ("stop", "told"),
    [
        ("SELECT pg_cancel_backend({})", r"Query \(\d+\) cancelled on user's request"),
        ("CANCEL {}", r"Query \(\d+\) cancelled on user's request"),
        ("CANCEL {} 'Too long for a Monday'", "Too long for a Monday"),
    ],
)
def test_a_user_finds_and_cancels_a_query_of_another_session(
    ann: Callable[[], psycopg.Connection], endless: str, stop: str, told: str
) -> None:
    busy, other = ann(), ann()
    ended = running(busy, endless)
    pids = {find(other, query) for query in LISTS}
    assert pids == {busy.info.backend_pid}
    other.execute(stop.format(busy.info.backend_pid))
    error = ended.result(60)
    assert isinstance(error, pg_errors.QueryCanceled)
    assert re.search(told, str(error))
    assert busy.execute("SELECT 1").fetchone() == (1,)


def test_what_the_functions_answer(ann: Callable[[], psycopg.Connection]) -> None:
    one, other = ann(), ann()
    ask = "SELECT pg_cancel_backend(%s), pg_cancel_backend(NULL), pg_catalog.pg_cancel_backend(-1)"
    assert other.execute(ask, [one.info.backend_pid]).fetchone() == (1, None, 0)
    assert one.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(pg_errors.UndefinedObject, match="session 2000000000 does not exist"):
        other.execute("CANCEL 2000000000")


def test_describing_it_cancels_nothing(live: Any, ann: Callable[[], psycopg.Connection], endless: str) -> None:
    busy = ann()
    ended = running(busy, endless)
    with live.warehouse.session("ann") as session:
        while not session.execute(RECENT).fetchall():
            time.sleep(0.02)
        prepared = session.prepare(f"SELECT pg_cancel_backend({busy.info.backend_pid})")
        session.execute(f"EXPLAIN SELECT pg_cancel_backend({busy.info.backend_pid})").fetchall()
        time.sleep(0.1)
        assert not ended.done()
        assert session.run_prepared(prepared).fetchall() == [(1,)]
    assert isinstance(ended.result(60), pg_errors.QueryCanceled)


def test_others_sessions_are_left_alone(live: Any, ann: Callable[[], psycopg.Connection]) -> None:
    hers = ann()
    with live.connect(user="ben", password="Benevolent1", autocommit=True) as ben:
        pid = hers.info.backend_pid
        for text in (
            f"SELECT pg_cancel_backend({pid})",
            f"SELECT pg_terminate_backend({pid})",
            f"CANCEL {pid}",
            f"SELECT pg_terminate_backend(pid) FROM (SELECT {pid} AS pid)",
        ):
            with pytest.raises(pg_errors.InsufficientPrivilege, match=f"must be superuser or own session {pid}"):
                ben.execute(text)
        live.warehouse.sql("GRANT ROLE sys:operator TO ben")
        assert ben.execute(f"SELECT pg_cancel_backend({pid})").fetchone() == (1,)
        with pytest.raises(pg_errors.InsufficientPrivilege):
            ben.execute(f"SELECT pg_terminate_backend({pid})")
        live.warehouse.sql("REVOKE ROLE sys:operator FROM ben")
    assert hers.execute("SELECT 1").fetchone() == (1,)


def test_a_superuser_ends_whole_sessions(
    live: Any, ann: Callable[[], psycopg.Connection], endless: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    idle, busy = ann(), ann()
    ended = running(busy, endless)
    with live.connect(autocommit=True) as boss:
        find(boss, RECENT)
        # The server takes note of sessions that earlier tests have left when it comes to it.
        of_ann = "SELECT count(*) FROM stv_sessions WHERE user_name = 'ann'"
        eventually(lambda: boss.execute(of_ann).fetchone() == (2,))
        stopped = boss.execute(
            "SELECT pg_terminate_backend(process) FROM stv_sessions WHERE user_name = 'ann' ORDER BY process"
        ).fetchall()
    assert stopped == [(1,), (1,)]
    assert isinstance(ended.result(60), pg_errors.AdminShutdown)
    with pytest.raises(psycopg.OperationalError, match="terminating connection due to administrator command"):
        idle.execute("SELECT 1")


def test_the_end_of_a_session_gives_its_locks_back(live: Any, ann: Callable[[], psycopg.Connection]) -> None:
    live.warehouse.sql("GRANT ALL ON t TO ann")
    holder = ann()
    holder.execute("BEGIN; INSERT INTO t VALUES (1)")
    waiting = running(ann(), "INSERT INTO t VALUES (2)")
    assert ann().execute(f"SELECT pg_terminate_backend({holder.info.backend_pid})").fetchone() == (1,)
    assert waiting.result(60) is None
    assert live.warehouse.sql("SELECT a FROM t").fetchall() == [(2,)]


def test_a_session_of_this_process_ends_when_it_is_used_again(live: Any) -> None:
    with live.warehouse.session("ann") as own, live.connect(autocommit=True) as boss:
        own.execute("BEGIN; CREATE TABLE passing (a int)")
        assert boss.execute(f"SELECT pg_terminate_backend({own.pid})").fetchone() == (1,)
        with pytest.raises(errors.AdminShutdown, match=r"^terminating connection due to administrator command$"):
            own.execute("COMMIT")
        assert boss.execute("SELECT count(*) FROM svv_tables WHERE table_name = 'passing'").fetchone() == (0,)


def test_a_statement_that_cancels_itself(live: Any) -> None:
    with live.connect(autocommit=True) as boss:
        with contextlib.suppress(pg_errors.QueryCanceled):
            boss.execute("SELECT pg_cancel_backend(pg_backend_pid())")
        assert boss.execute("SELECT 1").fetchone() == (1,)
