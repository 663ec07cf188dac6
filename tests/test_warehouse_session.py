"""Sessions: transactions, several statements in a text, streaming, cancelling, time-outs, two sessions at once."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe import errors
from restframe.warehouse import Session, Warehouse

Eventually = Callable[[Callable[[], object]], None]

# Runs for minutes when nothing stops it.
ENDLESS = """
    select count(*) from generate_series(1, 200000) as a(i), generate_series(1, 200000) as b(i)
    where a.i + b.i = 7 and a.i * b.i = 11
"""


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "rides") as opened:
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        opened.execute("create table rides (id int, zone varchar(20))")
        opened.execute("insert into rides values (1, 'north'), (2, 'south')")
        yield opened


def count(session: Session) -> object:
    return session.execute("select count(*) from rides").scalar()


def test_a_blank_text_does_nothing(session: Session) -> None:
    assert session.execute(" ; -- nothing\n").tag == ""


def test_tags_say_what_was_done(session: Session) -> None:
    result = session.execute("select * from rides")
    result.fetchall()
    assert result.tag == "SELECT 2"
    assert session.execute("insert into rides values (3, 'east')").tag == "INSERT 0 1"
    assert session.execute("update rides set zone = 'west' where id > 1").tag == "UPDATE 2"
    assert session.execute("delete from rides").tag == "DELETE 3"


def test_rollback_undoes_rows_and_tables(session: Session) -> None:
    session.execute("begin")
    session.execute("insert into rides values (3, 'east')")
    session.execute("create table zones (name varchar(20))")
    assert count(session) == 3
    session.execute("rollback")
    assert count(session) == 2
    with pytest.raises(errors.UndefinedTable):
        session.execute("select * from zones")


def test_others_see_a_transaction_only_when_it_is_committed(warehouse: Warehouse, session: Session) -> None:
    with warehouse.session() as other:
        session.execute("begin; insert into rides values (3, 'east'); create table zones (name varchar(20))")
        assert count(other) == 2
        with pytest.raises(errors.UndefinedTable):
            other.execute("select * from zones")
        session.execute("commit")
        assert count(other) == 3
        assert other.execute("select count(*) from zones").scalar() == 0


def test_an_error_in_a_block_makes_the_rest_of_it_wait_for_its_end(session: Session) -> None:
    session.execute("begin; insert into rides values (3, 'east')")
    with pytest.raises(errors.UndefinedColumn):
        session.execute("select nope from rides")
    with pytest.raises(errors.InFailedTransaction):
        session.execute("select 1")
    assert session.execute("commit").tag == "ROLLBACK"
    assert count(session) == 2


def test_a_syntax_error_fails_the_block_too(session: Session) -> None:
    session.execute("begin; insert into rides values (3, 'east')")
    with pytest.raises(errors.SyntaxError):
        session.execute("selec 1")
    with pytest.raises(errors.InFailedTransaction):
        session.execute("select 1")
    session.execute("rollback")
    with pytest.raises(errors.SyntaxError):
        session.execute("selec 1")
    assert count(session) == 2


def test_several_statements_are_one_transaction(session: Session) -> None:
    with pytest.raises(errors.DivisionByZero):
        session.execute("insert into rides values (3, 'east'); select 1 / (id - id) from rides").fetchall()
    assert count(session) == 2
    assert session.execute("insert into rides values (3, 'east'); select count(*) from rides").fetchall() == [(3,)]
    assert session.transaction == "idle"


def test_a_text_may_bring_its_own_begin_and_commit(session: Session) -> None:
    with pytest.raises(errors.UndefinedTable):
        session.execute("begin; insert into rides values (3, 'east'); commit; select * from nowhere")
    assert count(session) == 3


def test_every_result_of_a_text_can_be_read(session: Session) -> None:
    results = session.execute_all("select 1 as a; insert into rides values (3, 'x'); select id from rides order by id")
    assert results[0].fetchall() == [(1,)]
    assert results[1].tag == "INSERT 0 1"
    assert results[2].fetchall() == [(1,), (2,), (3,)]


def test_set_is_undone_with_its_transaction(session: Session) -> None:
    session.execute("set query_group to 'nightly'")
    session.execute("begin; set query_group to 'other'; set search_path to elsewhere; rollback")
    assert session.execute("show query_group").fetchall() == [("nightly",)]
    assert count(session) == 2


def test_search_path_decides_what_a_bare_name_means(session: Session) -> None:
    session.execute("create schema east; create table east.rides (id int)")
    session.execute("set search_path to east, public")
    assert count(session) == 0
    session.execute("set search_path to public, east")
    assert count(session) == 2


def test_temporary_tables_are_the_sessions_own(warehouse: Warehouse, session: Session) -> None:
    session.execute("create temp table rides (id int, note varchar(5))")
    assert count(session) == 0
    with warehouse.session() as other:
        assert count(other) == 2
    session.execute("drop table rides")
    assert count(session) == 2


def test_a_result_streams_in_constant_memory(tmp_path: Path) -> None:
    """A hundred million rows, 1.6 GB, in a process that may grow by far less."""
    script = f"""
import resource, restframe
with restframe.open({str(tmp_path / "big")!r}, memory_limit="500MB") as warehouse, warehouse.session() as session:
    session.execute("select 1").fetchall()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = session.execute(
        "select a.i * 10000 + b.i as n, b.i / 2 as half "
        "from generate_series(1, 10000) as a(i), generate_series(1, 10000) as b(i)")
    rows = sum(batch.num_rows for batch in result.batches())
    print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    rows, grown_mb = done.stdout.split()
    assert rows == "100000000"
    assert int(grown_mb) < 400


def test_the_next_statement_does_not_lose_what_was_not_read(session: Session) -> None:
    rows = iter(session.execute("select i from generate_series(1, 2000000) as g(i)"))
    assert next(rows) == (1,)
    assert session.execute("select 5").scalar() == 5
    assert sum(1 for _ in rows) == 1999999


def test_cancel_stops_a_statement_that_would_run_for_minutes(session: Session) -> None:
    done = threading.Event()

    def cancel() -> None:
        while not done.wait(0.2):  # what has not begun is not cancelled
            session.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(errors.QueryCanceled, match="cancelled on user's request"):
        session.execute(ENDLESS).fetchall()
    done.set()
    thread.join()
    assert count(session) == 2


def test_cancel_when_nothing_runs_leaves_the_next_statement_alone(session: Session) -> None:
    session.cancel()
    assert count(session) == 2


def test_statement_timeout_stops_a_statement_and_spares_the_next(session: Session) -> None:
    session.execute("set statement_timeout to 200")
    with pytest.raises(errors.QueryCanceled, match="statement timeout"):
        session.execute(ENDLESS).fetchall()
    session.execute("set statement_timeout to 0")
    for _ in range(20):
        assert count(session) == 2


def test_a_second_writer_waits_for_the_first(warehouse: Warehouse, session: Session) -> None:
    session.execute("begin; update rides set zone = 'first'")
    order = []

    def write() -> None:
        with warehouse.session() as other:
            other.execute("update rides set zone = zone || ' second'")
            order.append("second")

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.2)
    order.append("first")
    session.execute("commit")
    thread.join()
    assert order == ["first", "second"]
    assert session.execute("select distinct zone from rides").fetchall() == [("first second",)]


def waits(session: Session, eventually: Eventually) -> None:
    """Until a writer waits for another one."""
    eventually(lambda: session.services.locks._waits_for)


def test_a_waiting_writer_can_be_cancelled(warehouse: Warehouse, session: Session, eventually: Eventually) -> None:
    session.execute("begin; delete from rides")
    with warehouse.session() as other:

        def cancel() -> None:
            waits(session, eventually)
            other.cancel()

        waiting = threading.Thread(target=cancel)
        waiting.start()
        with pytest.raises(errors.QueryCanceled):
            other.execute("delete from rides")
        waiting.join()
    session.execute("rollback")


def test_writers_that_wait_for_each_other_are_told(
    warehouse: Warehouse, session: Session, eventually: Eventually
) -> None:
    session.execute("create table zones (name varchar(20))")
    session.execute("begin; insert into rides values (3, 'x')")
    failures: list[errors.Error] = []

    def other_order() -> None:
        with warehouse.session() as other:
            try:
                other.execute("begin; insert into zones values ('x'); insert into rides values (4, 'y'); commit")
            except errors.Error as error:
                failures.append(error)

    thread = threading.Thread(target=other_order)
    thread.start()
    waits(session, eventually)
    with pytest.raises(errors.DeadlockDetected):
        session.execute("insert into zones values ('y')")
    session.execute("rollback")
    thread.join()
    assert failures == []
    assert count(session) == 3


@pytest.mark.parametrize(
    "text",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/etc/*')",
        "copy rides to '/tmp/stolen.csv'",
        "copy (select 1) to '/tmp/stolen.csv'",
        "attach '/tmp/other.db'",
        "install httpfs",
        "load httpfs",
        "pragma database_list",
        "select getenv('HOME')",
        "select * from duckdb_settings()",
        "select current_setting('temp_directory')",
        "select * from _restframe.models",
        "delete from _restframe.tables",
        "create table _restframe.mine (a int)",
        "set enable_external_access to true",
        "select * from query('select 1')",
        "export database '/tmp/stolen'",
        "checkpoint",
        "call pragma_version()",
        "select __m_1(1, 2)",
        "select * from duckdb_tables",
        "select * from main.rides",
        "select * from information_schema.nothing",
        "select * from sqlite_master",
    ],
)
def test_nothing_leads_out_of_redshifts_sql(session: Session, text: str) -> None:
    with pytest.raises(errors.Error) as caught:
        session.execute(text).fetchall()
    assert caught.value.sqlstate[:2] in ("42", "0A", "3F", "22")
    assert not Path("/tmp/stolen.csv").exists()


def test_one_process_owns_a_directory(tmp_path: Path) -> None:
    with restframe.open(tmp_path / "rides"):
        script = f"import restframe; restframe.open({str(tmp_path / 'rides')!r})"
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "the warehouse is open in another process" in done.stderr


def test_what_was_committed_is_there_after_reopening(tmp_path: Path) -> None:
    with restframe.open(tmp_path / "rides") as warehouse:
        warehouse.sql("create table t (a int, b varchar(3))")
        warehouse.sql("insert into t values (1, 'x')")
    with restframe.open(tmp_path / "rides") as warehouse:
        assert warehouse.sql("select * from t").fetchall() == [(1, "x")]
        with pytest.raises(errors.StringDataRightTruncation):
            warehouse.sql("insert into t values (2, 'four')")


def test_what_a_crash_left_in_the_spool_is_gone_after_reopening(tmp_path: Path) -> None:
    (tmp_path / "rides" / "spool" / "half").mkdir(parents=True)
    (tmp_path / "rides" / "spool" / "part.csv").write_text("1,2")
    with restframe.open(tmp_path / "rides"):
        assert [path.name for path in (tmp_path / "rides" / "spool").iterdir() if path.name != "engine"] == []


def test_a_closed_session_says_so(warehouse: Warehouse) -> None:
    session = warehouse.session()
    session.close()
    session.close()
    with pytest.raises(errors.InterfaceError, match="closed"):
        session.execute("select 1")


def test_a_query_asked_again_sees_what_has_changed(warehouse: Warehouse, session: Session) -> None:
    query = "select * from rides where id = 1;"
    assert session.execute(query).fetchall() == [(1, "north")]
    assert session.execute(query).fetchall() == [(1, "north")]
    with warehouse.session() as other:
        other.execute("alter table rides add column note varchar(9) default 'new'")
    assert session.execute(query).fetchall() == [(1, "north", "new")]
    session.execute("create temp table rides (id int); insert into rides values (1)")
    assert session.execute(query).fetchall() == [(1,)]
    session.execute("drop table rides")
    session.execute("create schema east; create table east.rides (id int); insert into east.rides values (1), (1)")
    session.execute("set search_path to east")
    assert session.execute(query).fetchall() == [(1,), (1,)]
    session.execute("set search_path to public")
    session.execute("begin; drop table rides; create table rides (id bigint); insert into rides values (1)")
    assert session.execute(query).fetchall() == [(1,)]
    session.execute("rollback")
    assert session.execute(query).fetchall() == [(1, "north", "new")]


def test_place_of_a_name_only_the_engine_misses(session: Session) -> None:
    session.execute("CREATE TABLE numbers (n int, k int)")
    with pytest.raises(errors.GroupingError) as caught:
        session.execute("SELECT 1; SELECT k, n FROM numbers GROUP BY k")
    assert caught.value.position == 21


def test_parameters_by_what_they_are_compared_and_computed_with(session: Session) -> None:
    assert session.execute("SELECT ? + 1, date '2024-01-31' + ?, 2.5 * ?", ("1", 1, "2")).fetchall() == [
        (2, dt.date(2024, 2, 1), 5)
    ]
    assert session.execute("SELECT ?", (dt.timedelta(days=1),)).columns[0].type.name == "interval"
    assert session.execute("SELECT ?", (2**63,)).scalar() == 2**63


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        (object(), errors.NotSupportedError),
        ([1], errors.NotSupportedError),
        ({"a": 1}, errors.NotSupportedError),
        (10**50, errors.NumericValueOutOfRange),
        ("\ud800", errors.CharacterNotInRepertoire),
    ],
)
def test_parameters_that_are_none_of_redshifts(session: Session, value: object, condition: type[errors.Error]) -> None:
    with pytest.raises(condition):
        session.execute("SELECT ?", (value,))


def test_parameters_too_many_and_too_few(session: Session) -> None:
    with pytest.raises(errors.SyntaxError, match="the statement has no parameter 2"):
        session.execute("SELECT ?", (1, 2))
    with pytest.raises(errors.UndefinedParameter, match=r"there is no parameter \$2"):
        session.execute("SELECT ?, ?", (1,))


def test_time_outs_out_of_range(session: Session) -> None:
    for value in ("99999999999999999999", "-1", "1000 h"):
        with pytest.raises(errors.InvalidParameterValue):
            session.execute(f"SET statement_timeout TO '{value}'")


@pytest.mark.parametrize("count", [1, 2000])  # the second is read without a tree
def test_many_rows_are_stored_as_one_is(session: Session, count: int) -> None:
    session.execute("CREATE TABLE whole (n int)")
    for literal, stored in (("1.6", 2), ("'7'", 7), ("true", 1)):
        session.execute(f"INSERT INTO whole VALUES {', '.join([f'({literal})'] * count)}; SELECT max(n) FROM whole")
        assert session.execute("SELECT max(n) FROM whole").scalar() == stored
        session.execute("TRUNCATE whole")
    for literal in ("'1.6'", "'0x1F'", "'true'"):
        with pytest.raises(errors.InvalidTextRepresentation):
            session.execute(f"INSERT INTO whole VALUES {', '.join([f'({literal})'] * count)}")


def test_what_is_undone_after_a_cancellation_is_not_cancelled_too(
    warehouse: Warehouse, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.session() as session:
        run = session.connection.run

        def slow(sql: str, parameters: Any = ()) -> Any:
            if sql.startswith("SET VARIABLE restframe_schema"):
                run("SELECT sum(a.range * b.range) FROM range(5000) a, range(5000) b")
            return run(sql, parameters)

        monkeypatch.setattr(session.connection, "run", slow)
        with pytest.raises(errors.QueryCanceled, match="statement timeout"):
            session.execute(f"set search_path to elsewhere; set statement_timeout to 30; {endless}")
        assert session.execute("select current_schema()").scalar() == "public"
