"""Sessions that clients keep between statements, and those that are ready for the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe.warehouse import runs
from restframe.warehouse.runs import Caller, Request, Run

ANN = Caller("analyst", "analyst/ann")
EVE = Caller("stranger", "stranger/eve")

Go = Callable[..., Run]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        yield opened


@pytest.fixture
def go(warehouse: restframe.Warehouse) -> Go:
    def run(*texts: str, **options: Any) -> Run:
        accepted = warehouse.statements.submit(Request(texts, "awsuser", **options), ANN)
        return warehouse.statements.wait(accepted.id, ANN, 60)

    return run


def value(warehouse: restframe.Warehouse, run: Run) -> Any:
    with warehouse.statements.result(run.id, 0, ANN).open() as reader:
        return reader.read_all().column(0)[0].as_py()


def status(warehouse: restframe.Warehouse, session_id: str | None) -> str:
    return warehouse.statements.session(session_id or "", ANN).status


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_kept_session_keeps_its_tables_settings_and_transaction(warehouse: restframe.Warehouse, go: Go) -> None:
    session_id = go("create temp table t (a int); set search_path to elsewhere", keep_alive_s=60).session_id
    assert session_id is not None
    assert go("insert into t values (1), (2)", session_id=session_id).parts[0].rows == 2
    assert value(warehouse, go("show search_path", session_id=session_id)) == "elsewhere"
    go("begin", session_id=session_id)
    go("delete from t", session_id=session_id)
    go("rollback", session_id=session_id)
    run = go("select count(*) from t", session_id=session_id)
    assert (value(warehouse, run), run.session_id) == (2, session_id)
    assert go("select * from t").state == "FAILED"


def test_the_process_of_a_session_stays_the_same(warehouse: restframe.Warehouse, go: Go) -> None:
    first = go("select pg_backend_pid()", keep_alive_s=60)
    second = go("select pg_backend_pid()", session_id=first.session_id)
    assert first.pid == second.pid == value(warehouse, first) == value(warehouse, second)


def test_a_session_that_somebody_ends_gives_its_locks_back(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int)")
    kept = go("begin", keep_alive_s=60)
    go("insert into t values (1)", session_id=kept.session_id)
    assert value(warehouse, go(f"select pg_terminate_backend({kept.pid})")) == 1
    assert status(warehouse, kept.session_id) == "CLOSED"
    assert go("insert into t values (2)").state == "FINISHED"
    assert value(warehouse, go("select min(a) from t")) == 2


def test_one_statement_at_a_time(warehouse: restframe.Warehouse, go: Go, endless: str) -> None:
    session_id = go("select 1", keep_alive_s=60).session_id
    assert status(warehouse, session_id) == "AVAILABLE"
    run = warehouse.statements.submit(Request((endless,), "awsuser", session_id=session_id), ANN)
    shown = warehouse.statements.session(session_id or "", ANN)
    assert (shown.status, shown.run_id) == ("BUSY", run.id)
    with pytest.raises(runs.SessionNotAvailable, match="Session is not available"):
        go("select 1", session_id=session_id)
    warehouse.statements.cancel(run.id, ANN)
    warehouse.statements.wait(run.id, ANN, 60)
    assert go("select 1", session_id=session_id).state == "FINISHED"


def test_who_cancels_a_run_meets_no_later_one_in_its_session(
    warehouse: restframe.Warehouse, go: Go, endless: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = go("select 1", keep_alive_s=60).session_id
    session = warehouse.statements._kept.open(session_id or "")
    cancel, found = session.cancel, set()

    def cancel_slowly() -> None:
        cancel()
        time.sleep(0.5)  # in which the statement ends
        found.add(status(warehouse, session_id))

    monkeypatch.setattr(session, "cancel", cancel_slowly)
    run = warehouse.statements.submit(Request((endless,), "awsuser", session_id=session_id), ANN)
    until(lambda: session.executing)
    warehouse.statements.cancel(run.id, ANN)
    assert warehouse.statements.wait(run.id, ANN, 60).state == "ABORTED"
    assert found == {"BUSY"}


def test_a_batch_in_a_session_is_a_transaction_of_its_own(warehouse: restframe.Warehouse, go: Go) -> None:
    session_id = go("create temp table t (a int)", keep_alive_s=60).session_id
    assert go("insert into t values (1)", "select 1 / 0", batch=True, session_id=session_id).state == "FAILED"
    assert value(warehouse, go("select count(*) from t", session_id=session_id)) == 0
    assert go("insert into t values (1)", "insert into t values (2)", batch=True, session_id=session_id).error is None
    assert value(warehouse, go("select count(*) from t", session_id=session_id)) == 2


def test_a_session_ends_when_nobody_uses_it(warehouse: restframe.Warehouse, go: Go) -> None:
    session_id = go("select 1", keep_alive_s=60).session_id
    assert status(warehouse, session_id) == "AVAILABLE"
    go("select 1", session_id=session_id, keep_alive_s=1)
    until(lambda: status(warehouse, session_id) == "CLOSED")
    with pytest.raises(runs.SessionNotAvailable, match="Session is not available"):
        go("select 1", session_id=session_id)


def test_a_session_that_is_let_go_while_the_next_end_is_looked_for_is_closed_in_time(
    warehouse: restframe.Warehouse, go: Go, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, looked = warehouse.statements._kept, threading.Event()
    next_end = kept.next_end

    def look_slowly() -> float | None:
        found = next_end()
        if not looked.is_set():
            looked.set()
            time.sleep(0.5)  # in which the statement ends, and says so
        return found

    monkeypatch.setattr(kept, "next_end", look_slowly)
    session_id = go("select 1", keep_alive_s=1).session_id
    until(lambda: status(warehouse, session_id) == "CLOSED")


def test_a_statement_changes_for_how_long_a_session_is_kept(warehouse: restframe.Warehouse, go: Go) -> None:
    session_id = go("select 1", keep_alive_s=3600).session_id
    before = warehouse.statements.session(session_id or "", ANN).record
    go("select 1", session_id=session_id, keep_alive_s=7200)
    after = warehouse.statements.session(session_id or "", ANN).record
    assert after.expires_at - before.expires_at > 3590
    go("select 1", session_id=session_id, keep_alive_s=0)
    assert status(warehouse, session_id) == "CLOSED"


def test_no_session_is_older_than_a_day(warehouse: restframe.Warehouse, go: Go) -> None:
    session_id = go("select 1", keep_alive_s=86_400).session_id
    record = warehouse.statements.session(session_id or "", ANN).record
    assert record.expires_at == record.created_at + 86_400


def test_sessions_of_others_do_not_exist(warehouse: restframe.Warehouse, go: Go) -> None:
    session_id = go("select 1", keep_alive_s=60).session_id
    with pytest.raises(runs.NoSuchSession, match=f"Session with Id: {session_id} is invalid"):
        warehouse.statements.submit(Request(("select 1",), "awsuser", session_id=session_id), EVE)
    with pytest.raises(runs.NoSuchSession):
        go("select 1", session_id="00000000-0000-0000-0000-000000000000")
    assert warehouse.statements.sessions(EVE) == []
    assert [one.record.id for one in warehouse.statements.sessions(ANN)] == [session_id]


def test_no_more_than_500_sessions(warehouse: restframe.Warehouse, monkeypatch: pytest.MonkeyPatch, go: Go) -> None:
    monkeypatch.setattr("restframe.warehouse.runs.sessions._MOST_KEPT", 3)
    for _ in range(3):
        go("select 1", keep_alive_s=60)
    with pytest.raises(runs.TooManySessions):
        go("select 1", keep_alive_s=60)
    go("select 1", session_id=warehouse.statements.sessions(ANN)[0].record.id, keep_alive_s=0)
    assert go("select 1", keep_alive_s=60).state == "FINISHED"


def test_sessions_do_not_survive_a_restart(tmp_path: Path) -> None:
    with restframe.open(tmp_path / "warehouse") as warehouse:
        run = warehouse.statements.submit(Request(("select 1",), "awsuser", keep_alive_s=60), ANN)
        warehouse.statements.wait(run.id, ANN, 60)
    with restframe.open(tmp_path / "warehouse") as warehouse:
        assert status(warehouse, run.session_id) == "CLOSED"
        with pytest.raises(runs.SessionNotAvailable):
            warehouse.statements.submit(Request(("select 1",), "awsuser", session_id=run.session_id), ANN)


# Ready sessions


def test_a_session_that_was_only_read_with_is_used_again(warehouse: restframe.Warehouse, go: Go) -> None:
    first = go("select 1")
    assert go("select 2").pid == first.pid


@pytest.mark.parametrize(
    "text",
    [
        "set timezone to 'Europe/Berlin'",
        "create temp table t as select 1 as a",
        "select 1 as a into temp t",
        "begin; select 1",
        "selec",
    ],
)
def test_nobody_notices_what_was_done_before_in_a_session(warehouse: restframe.Warehouse, go: Go, text: str) -> None:
    before = go(text)
    after = go("show timezone")
    assert after.pid != before.pid
    assert value(warehouse, after) == "UTC"
    assert go("select * from t").state == "FAILED"


def test_each_user_has_a_session_of_their_own(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create user ann password disable")
    accepted = warehouse.statements.submit(Request(("select current_user",), "ann"), ANN)
    run = warehouse.statements.wait(accepted.id, ANN, 60)
    assert value(warehouse, run) == "ann"
    assert value(warehouse, go("select current_user")) == "awsuser"
