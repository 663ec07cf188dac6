"""Savepoints: for clients of PostgreSQL, as long as their transaction has changed nothing when it sets one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

import restframe
from restframe import errors
from restframe.warehouse import Session, Warehouse


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with restframe.open(tmp_path_factory.mktemp("saved") / "rides") as opened, opened.session() as session:
        session.execute("create user passenger password 'Passenger1'")
        session.execute("create table rides (id int)")
        session.execute("grant all on rides to passenger")
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        opened.savepoints = []
        opened.execute("delete from rides; insert into rides values (1)")
        yield opened


def count(session: Session) -> Any:
    return session.execute("select count(*) from rides").scalar()


def tags(session: Session, text: str) -> list[str]:
    return [result.command for result in session.execute_all(text)]


def test_what_came_after_a_savepoint_is_undone(session: Session) -> None:
    assert tags(session, "begin; savepoint here; insert into rides values (2)") == ["BEGIN", "SAVEPOINT", "INSERT"]
    session.execute("create table trips (id int)")
    assert session.execute("rollback to savepoint here").command == "ROLLBACK"
    assert session.transaction == "open"
    assert count(session) == 1
    session.execute("insert into rides values (3), (4)")
    session.execute("commit")
    assert count(session) == 3
    with pytest.raises(errors.UndefinedTable):
        session.execute("select * from trips")


def test_a_failed_transaction_goes_on_from_its_savepoint(session: Session) -> None:
    session.execute("begin; savepoint here")
    with pytest.raises(errors.DataError):
        session.execute("select 'x'::int")
    with pytest.raises(errors.InFailedTransaction):
        session.execute("release here")
    with pytest.raises(errors.InFailedTransaction):
        session.execute("savepoint there")
    assert session.transaction == "failed"
    session.execute("rollback to here")
    session.execute("insert into rides values (2)")
    session.execute("commit")
    assert count(session) == 2


def test_a_released_savepoint_keeps_what_came_after_it(session: Session) -> None:
    session.execute("begin; savepoint here; insert into rides values (2)")
    assert session.execute("release savepoint here").command == "RELEASE"
    with pytest.raises(errors.InvalidSavepoint, match='savepoint "here" does not exist') as caught:
        session.execute("rollback to here")
    assert caught.value.sqlstate == "3B001"
    session.execute("rollback")
    session.execute("begin; savepoint here; insert into rides values (2); release here; commit")
    assert count(session) == 2


def test_savepoints_inside_each_other(session: Session) -> None:
    session.execute('begin; savepoint "Outer"; savepoint inner; savepoint last; insert into rides values (2)')
    session.execute("rollback to inner")
    with pytest.raises(errors.InvalidSavepoint):
        session.execute("rollback to last")
    session.execute("rollback to inner")
    session.execute("savepoint again; release again")
    session.execute('insert into rides values (3); rollback to "Outer"')
    with pytest.raises(errors.InvalidSavepoint):
        session.execute("release inner")
    session.execute('rollback to "Outer"; insert into rides values (4); commit')
    assert session.execute("select id from rides order by 1").fetchall() == [(1,), (4,)]


def test_the_last_savepoint_of_a_name_is_meant(session: Session) -> None:
    session.execute("begin; savepoint here; set application_name to 'one'; savepoint here")
    session.execute("set application_name to 'two'; rollback to here")
    assert session.execute("show application_name").scalar() == "one"
    session.execute("release here; rollback to here")
    assert session.execute("show application_name").scalar() == ""


def test_parameters_modes_and_the_user_are_what_they_were_at_the_savepoint(session: Session) -> None:
    session.execute("begin read only; set local query_group to 'early'; set session authorization passenger")
    session.execute("savepoint here; set query_group to 'late'; reset session authorization; rollback to here")
    assert session.execute("show query_group").scalar() == "early"
    assert session.execute("select current_user").scalar() == "passenger"
    with pytest.raises(errors.ReadOnlyTransaction):
        session.execute("insert into rides values (2)")
    session.execute("rollback")
    assert session.execute("select current_user").scalar() == session.login.name
    assert session.execute("show query_group").scalar() == ""


@pytest.mark.parametrize(
    "change", ["insert into rides values (2)", "create temp table passing (id int)", "lock rides", "truncate rides"]
)
def test_a_transaction_that_has_changed_something_takes_no_savepoint(session: Session, change: str) -> None:
    session.execute("begin")
    session.execute(change)
    with pytest.raises(errors.NotSupportedError, match='SQL command "savepoint here" not supported') as caught:
        session.execute("savepoint here")
    assert caught.value.hint is not None
    session.execute("rollback")
    session.execute("begin; savepoint here; commit")


def test_nothing_is_left_of_savepoints_when_the_transaction_ends(session: Session) -> None:
    session.execute("begin; savepoint here; commit; begin")
    with pytest.raises(errors.InvalidSavepoint):
        session.execute("rollback to here")


@pytest.mark.parametrize(
    ("text", "command"),
    [("savepoint here", "SAVEPOINT"), ("release here", "RELEASE SAVEPOINT"), ("rollback to here", "ROLLBACK TO")],
)
def test_savepoints_need_a_transaction_block(session: Session, text: str, command: str) -> None:
    for said in (text, f"insert into rides values (2); {text}"):
        with pytest.raises(errors.NoActiveTransaction, match=f"{command}.* can only be used in transaction blocks"):
            session.execute(said)
    assert count(session) == 1


def test_cursors_are_closed_on_the_way_back(session: Session) -> None:
    session.execute("begin; savepoint here; declare all_of_them cursor for select id from rides")
    assert session.execute("fetch 1 from all_of_them").fetchall() == [(1,)]
    session.execute("rollback to here")
    with pytest.raises(errors.UndefinedCursor):
        session.execute("fetch 1 from all_of_them")


def test_a_savepoint_costs_a_writer_no_conflict(warehouse: Warehouse, session: Session) -> None:
    """What the transaction sees is fixed when it writes, after others have: it has read nothing yet."""
    session.execute("begin; savepoint here")
    with warehouse.session() as other:
        other.execute("update rides set id = 5")
    session.execute("update rides set id = id + 1; commit")
    assert session.execute("select id from rides").scalar() == 6


@pytest.mark.parametrize("text", ["savepoint here", "release savepoint here", "rollback to here"])
def test_redshift_knows_none(warehouse: Warehouse, text: str) -> None:
    with warehouse.session() as session, pytest.raises(errors.NotSupportedError) as caught:
        session.execute(f"begin; {text}")
    assert caught.value.message == f'SQL command "{text}" not supported.'
    assert caught.value.position == 8


def test_nested_transactions_of_psycopg(pg: Any) -> None:
    with pg.connect() as connection:
        connection.execute("create table trips (id int)")
        connection.commit()
        with connection.transaction(), pytest.raises(psycopg.errors.DivisionByZero), connection.transaction():
            connection.execute("insert into trips values (1)")
            connection.execute("select 1 / 0")
        with connection.transaction(), connection.transaction("named"):
            connection.execute("insert into trips values (2)")
        assert connection.execute("select id from trips").fetchall() == [(2,)]
