"""What system views tell of sessions and statements."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import restframe
from restframe import errors
from restframe.warehouse import activity
from restframe.warehouse.activity import masked


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path) as opened:
        yield opened


def rows(session: restframe.Session, query: str) -> list[tuple[object, ...]]:
    return session.execute(query).fetchall()


def test_statements_are_remembered_with_their_end(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("SET query_group TO 'nightly'")
        session.execute("CREATE TABLE t (a int)")
        session.execute("INSERT INTO t VALUES (1), (2)")
        with pytest.raises(errors.UndefinedColumn):
            session.execute("SELECT b FROM t")
        found = rows(
            session,
            "SELECT trim(query_type), trim(status), returned_rows, trim(query_label), trim(query_text) "
            "FROM sys_query_history WHERE trim(query_text) LIKE '% t%' AND status <> 'running' ORDER BY query_id",
        )
        assert found == [
            ("DDL", "success", None, "nightly", "CREATE TABLE t (a int)"),
            ("INSERT", "success", 2, "nightly", "INSERT INTO t VALUES (1), (2)"),
            ("SELECT", "failed", None, "nightly", "SELECT b FROM t"),
        ]
        assert rows(session, "SELECT aborted, trim(querytxt) FROM stl_query WHERE querytxt LIKE 'SELECT b%'") == [
            (1, "SELECT b FROM t")
        ]
        assert rows(session, "SELECT trim(context), trim(error) FROM stl_error") == [
            ("42703", 'column "b" does not exist')
        ]
        assert rows(session, "SELECT trim(text) FROM stl_ddltext") == [("CREATE TABLE t (a int)",)]
        assert rows(session, "SELECT count(*) FROM svl_qlog WHERE elapsed < 0") == [(0,)]


def test_long_texts_come_in_parts_of_200(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session:
        session.execute(f"SELECT '{'x' * 250}' AS padded")
        found = rows(session, "SELECT sequence, length(text) FROM stl_querytext WHERE text LIKE '%x%' ORDER BY 1")
        assert found[:2] == [(0, 200), (1, 69)]


def test_one_statement_of_a_transaction_shares_its_number_with_the_next(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("BEGIN")
        session.execute("SELECT 11")
        session.execute("SELECT 12")
        session.execute("COMMIT")
        session.execute("SELECT 13")
        found = rows(session, "SELECT xid FROM stl_query WHERE querytxt LIKE 'SELECT 1_' ORDER BY query")
        assert found[0] == found[1] != found[2]


def test_passwords_and_keys_are_masked(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("CREATE USER ada PASSWORD 'Secret-word-1'")
        with pytest.raises(errors.Error):
            session.execute("COPY t FROM 's3://b/k' ACCESS_KEY_ID 'AKIA' SECRET_ACCESS_KEY 'Secret-word-2'")
        found = rows(session, "SELECT trim(text) FROM svl_statementtext WHERE text LIKE 'C%' ORDER BY starttime")
        assert found[0] == ("CREATE USER ada PASSWORD '***'",)
        assert not any("Secret-word" in str(text) for (text,) in found)


@pytest.mark.parametrize(
    "text, shown",
    [
        ("ALTER USER a PASSWORD 'it''s' CREATEDB", "ALTER USER a PASSWORD '***' CREATEDB"),
        ("alter user a password\n'b", "alter user a password\n'***'"),
        ("COPY t FROM 'x' CREDENTIALS AS 'aws_access_key_id=a'", "COPY t FROM 'x' CREDENTIALS AS '***'"),
        ("COPY t FROM 'x' SESSION_TOKEN 't' GZIP", "COPY t FROM 'x' SESSION_TOKEN '***' GZIP"),
        ("ALTER USER a PASSWORD DISABLE", "ALTER USER a PASSWORD DISABLE"),
    ],
)
def test_what_is_masked(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_sessions_are_seen_while_they_last_and_afterwards(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as watching:
        other = warehouse.session()
        other.execute("SET application_name TO 'loader'")
        other.execute("BEGIN")
        found = rows(watching, f"SELECT state, application_name, query FROM pg_stat_activity WHERE pid = {other.pid}")
        assert found == [("idle in transaction", "loader", "BEGIN")]
        assert rows(watching, f"SELECT count(*) FROM svv_transactions WHERE pid = {other.pid}") == [(1,)]
        assert rows(watching, f"SELECT count(*) FROM stv_sessions WHERE process = {other.pid}") == [(1,)]
        other.close()
        assert rows(watching, f"SELECT count(*) FROM stv_sessions WHERE process = {other.pid}") == [(0,)]
        found = rows(watching, f"SELECT trim(status) FROM sys_session_history WHERE session_id = {other.pid}")
        assert found == [("closed",)]
        found = rows(watching, f"SELECT trim(event) FROM stl_connection_log WHERE pid = {other.pid} ORDER BY 1")
        assert found == [("authenticated",), ("disconnecting session",), ("initiating session",)]


def test_what_runs_is_in_flight(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session, warehouse.session() as watching:
        endless = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b"

        def run() -> None:
            with contextlib.suppress(errors.QueryCanceled):
                session.execute(endless)

        thread = threading.Thread(target=run)
        thread.start()
        found: list[tuple[object, ...]] = []
        while not found:
            found = rows(watching, f"SELECT trim(text) FROM stv_inflight WHERE pid = {session.pid}")
        session.cancel()
        thread.join()
        assert found == [(endless[:100],)]
        found = rows(watching, f"SELECT trim(status) FROM sys_query_history WHERE session_id = {session.pid}")
        assert found == [("canceled",)]


def test_sessions_may_come_and_go_while_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Somebody:
        def __init__(self, pid: int) -> None:
            self.pid = pid
            known.opened(self)  # type: ignore[arg-type]

    def come_and_go() -> None:
        while not over.is_set():
            somebody = Somebody(len(there))
            del somebody

    monkeypatch.setattr(activity, "_session", lambda session: {"pid": session.pid})
    known, over = activity.Activity(), threading.Event()
    there = [Somebody(pid) for pid in range(100)]
    guests = threading.Thread(target=come_and_go)
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # threads take turns within a walk over a hundred
    try:
        guests.start()
        for _ in range(300):
            listed = [row["pid"] for row in known._rows("sessions", None)]
            assert listed[:100] == list(range(100)) and len(listed) <= 101
    finally:
        over.set()
        guests.join()
        sys.setswitchinterval(before)


def test_others_see_their_own_rows(warehouse: restframe.Warehouse) -> None:
    warehouse.sql(
        "CREATE USER ada PASSWORD 'Pass-word1'; CREATE USER eve PASSWORD 'Pass-word1' SYSLOG ACCESS UNRESTRICTED"
    )
    with warehouse.session("ada") as ada, warehouse.session("eve") as eve:
        ada.execute("SELECT 'mine'")
        seen_by_ada = rows(ada, "SELECT DISTINCT user_id FROM sys_query_history")
        assert seen_by_ada == [(ada.user_id,)]
        assert rows(ada, "SELECT count(*) FROM stv_sessions") == [(1,)]
        assert {(100,), (ada.user_id,)} <= set(rows(eve, "SELECT DISTINCT user_id FROM sys_query_history"))


def test_texts_no_json_can_carry_break_no_view(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session:
        for text in ("SELECT '\udcff'", "SELECT 'a\0b'", "SELECT '\"\\ü\t'"):
            with contextlib.suppress(errors.Error, UnicodeError):
                session.execute(text).fetchall()
        assert rows(session, "SELECT count(*) > 0 FROM stl_query") == [(True,)]


def test_the_history_is_bounded(warehouse: restframe.Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "MOST_STATEMENTS", 3)
    with warehouse.session() as session:
        for number in range(5):
            session.execute(f"SELECT {number}")
        assert rows(session, "SELECT trim(querytxt) FROM stl_query ORDER BY query") == [
            ("SELECT 2",), ("SELECT 3",), ("SELECT 4",),
        ]  # fmt: skip
        monkeypatch.setattr(activity, "MOST_TEXT", 20)
        session.execute("SELECT 'longer than all'")
        assert rows(session, "SELECT count(*) FROM stl_query") == [(0,)]


def test_settings_are_the_sessions_own(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("SET statement_timeout TO 5000")
        query = "SELECT setting, boot_val, source FROM pg_settings WHERE name = 'statement_timeout'"
        assert rows(session, query) == [("5000", "0", "session")]


def test_prepared_statements_and_cursors_are_the_sessions_own(warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as session, warehouse.session() as other:
        session.execute("PREPARE twice (int) AS SELECT $1 * 2")
        query = "SELECT name, statement LIKE '%$1 * 2', parameter_types FROM pg_prepared_statements"
        assert rows(session, query) == [("twice", True, ["integer"])]
        assert rows(other, query) == []
        session.execute("BEGIN")
        session.execute("DECLARE all_of_them CURSOR FOR SELECT 1")
        assert rows(session, "SELECT name FROM pg_cursors") == [("all_of_them",)]
        session.execute("COMMIT")
        assert rows(session, "SELECT count(*) FROM pg_cursors") == [(0,)]
