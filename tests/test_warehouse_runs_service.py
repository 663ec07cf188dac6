"""Statement runs: accepting, states, results, batches, parameters, tokens, cancelling, listing, limits."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import restframe
from restframe.warehouse import runs
from restframe.warehouse.runs import Caller, Filter, Request, Run

ANN = Caller("analyst", "analyst/ann")
BOB = Caller("analyst", "analyst/bob")
EVE = Caller("stranger", "stranger/eve")

Go = Callable[..., Run]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        yield opened


@pytest.fixture
def go(warehouse: restframe.Warehouse) -> Go:
    """Run texts to their end."""

    def run(*texts: str, **options: Any) -> Run:
        accepted = warehouse.statements.submit(Request(texts, "awsuser", **options), ANN)
        return warehouse.statements.wait(accepted.id, ANN, 60)

    return run


def rows(warehouse: restframe.Warehouse, run: Run, part: int = 0) -> list[dict[str, Any]]:
    with warehouse.statements.result(run.id, part, ANN).open() as reader:
        found: list[dict[str, Any]] = reader.read_all().to_pylist()
        return found


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_query_and_its_result(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("select 1 as a, 'x' as b union all select 2, null order by 1")
    part = run.parts[0]
    assert (run.state, part.state, part.rows, part.has_result, run.error) == ("FINISHED", "FINISHED", 2, True, None)
    assert run.created_at <= part.updated_at <= run.updated_at
    assert run.duration_ns > 0
    assert part.size_bytes > 0
    assert run.pid is not None and part.query_id is not None
    result = warehouse.statements.result(run.id, 0, ANN)
    assert [(column.name, str(column.type)) for column in result.columns] == [
        ("a", "integer"), ("b", "character varying(1)"),
    ]  # fmt: skip
    assert rows(warehouse, run) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]


def test_no_end_is_seen_before_it_is_in_the_journal(
    warehouse: restframe.Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = warehouse.statements
    arrived, go_on = threading.Event(), threading.Event()
    finish = statements._register.finish

    def slow_finish(*given: Any) -> None:
        arrived.set()
        go_on.wait(60)
        finish(*given)

    monkeypatch.setattr(statements._register, "finish", slow_finish)
    run = statements.submit(Request(("select 7 as n",), "awsuser"), ANN)
    assert arrived.wait(60)
    assert statements.get(run.id, ANN).state == "STARTED"
    go_on.set()
    ended = statements.wait(run.id, ANN, 60)
    assert ended.state == "FINISHED"
    assert rows(warehouse, ended) == [{"n": 7}]


def test_a_statement_without_rows(warehouse: restframe.Warehouse, go: Go) -> None:
    made = go("create table t (a int)")
    assert (made.state, made.parts[0].rows, made.parts[0].has_result) == ("FINISHED", 0, False)
    assert go("insert into t values (1), (2)").parts[0].rows == 2
    with pytest.raises(runs.NoResult, match="Query does not have result"):
        warehouse.statements.result(made.id, 0, ANN)


@pytest.mark.parametrize("text", ["", "  \n", "-- nothing", ";;"])
def test_a_blank_statement_finishes(go: Go, text: str) -> None:
    run = go(text)
    assert (run.state, run.parts[0].rows, run.parts[0].has_result) == ("FINISHED", 0, False)


def test_several_statements_in_one_text_are_one_transaction(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("create table t (a int); insert into t values (1); select a + 1 as b from t;")
    assert rows(warehouse, run) == [{"b": 2}]
    assert go("insert into t values (5); select 1 / 0").state == "FAILED"
    assert warehouse.sql("select count(*) from t").scalar() == 1


def test_transaction_control_inside(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int)")
    assert go("begin; insert into t values (1); commit; begin; insert into t values (2); rollback").state == "FINISHED"
    assert go("begin; insert into t values (3)").state == "FINISHED"  # nobody can commit it any more
    assert warehouse.sql("select a from t").fetchall() == [(1,)]


def test_an_error_is_worded_as_the_driver_words_it(go: Go) -> None:
    assert go("select * from nowhere").error == 'ERROR: relation "nowhere" does not exist\n  Position: 15'
    run = go("selec 1")
    assert (run.state, run.parts[0].state) == ("FAILED", "FAILED")
    assert run.error == run.parts[0].error == 'ERROR: syntax error at or near "selec"\n  Position: 1'
    assert (run.parts[0].rows, run.parts[0].has_result) == (-1, False)


def test_a_query_that_fails_while_it_is_read(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t as select generate_series(1, 300000) as i")
    run = go("insert into t values (-1); select 10 / (i - 299999) from t where i > 0")
    assert (run.state, run.error) == ("FAILED", "ERROR: division by zero")
    assert warehouse.sql("select count(*) from t").scalar() == 300_000
    assert not list((warehouse.settings.directory / "results").iterdir())


# Batches


def test_a_batch_has_a_part_for_each_text(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("create table t (a int)", "insert into t values (1), (2)", "select sum(a) as s from t", batch=True)
    assert run.state == "FINISHED"
    assert [(part.state, part.rows, part.has_result) for part in run.parts] == [
        ("FINISHED", 0, False), ("FINISHED", 2, False), ("FINISHED", 1, True),
    ]  # fmt: skip
    assert rows(warehouse, run, 2) == [{"s": 3}]
    assert run.duration_ns == sum(part.duration_ns for part in run.parts)


def test_a_failing_batch_leaves_nothing(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int)")
    run = go("insert into t values (1)", "select * from nowhere", "insert into t values (2)", batch=True)
    assert (run.state, [part.state for part in run.parts]) == ("FAILED", ["FINISHED", "FAILED", "ABORTED"])
    assert run.error == 'Query #2 failed with ERROR: relation "nowhere" does not exist\n  Position: 15'
    assert run.parts[1].error == 'ERROR: relation "nowhere" does not exist\n  Position: 15'
    assert warehouse.sql("select count(*) from t").scalar() == 0


def test_a_batch_that_commits_each_text(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int)")
    run = go(
        "insert into t values (1)", "select * from nowhere", "insert into t values (2)",
        batch=True, one_transaction=False,
    )  # fmt: skip
    assert (run.state, [part.state for part in run.parts]) == ("FAILED", ["FINISHED", "FAILED", "FINISHED"])
    assert warehouse.sql("select a from t order by a").fetchall() == [(1,), (2,)]


# Parameters


def test_parameters_are_typed_by_their_place(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int, b varchar(20), c date)")
    go("insert into t values (:a, :b, :c)", parameters=(("a", "7"), ("b", "it's"), ("c", "2024-02-29")))
    run = go(
        "select a + :one as a, b, c + 1 as c from t where a = :a and b = :b and c >= :c",
        parameters=(("one", "1"), ("a", "7"), ("b", "it's"), ("c", "2024-02-01")),
    )
    assert rows(warehouse, run) == [{"a": 8, "b": "it's", "c": dt.date(2024, 3, 1)}]


def test_each_text_of_a_batch_takes_what_it_needs(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("select :a::int as a", "select :b as b", batch=True, parameters=(("a", "1"), ("b", "2")))
    assert rows(warehouse, run, 0) == [{"a": 1}]
    assert rows(warehouse, run, 1) == [{"b": "2"}]


def test_a_parameter_cannot_leave_its_literal(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("select :a as a", parameters=(("a", "'; drop table t; --\\'"),))
    assert rows(warehouse, run) == [{"a": "'; drop table t; --\\'"}]


def test_a_parameter_that_stands_nowhere_is_refused(go: Go) -> None:
    with pytest.raises(runs.UnusedParameters, match=r"Unused parameters: \[b, c\]"):
        go("select :a, ':b'", parameters=(("a", "1"), ("b", "2"), ("c", "3")))


def test_the_place_of_an_error_is_that_in_the_text_that_was_sent(go: Go) -> None:
    run = go("select :a, nowhere", parameters=(("a", "a rather long value"),))
    assert run.error == 'ERROR: column "nowhere" does not exist\n  Position: 12'


# Tokens


def test_the_same_token_gives_the_same_run(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int)")
    request = Request(("insert into t values (1)",), "awsuser")
    first = warehouse.statements.submit(request, ANN, "token")
    warehouse.statements.wait(first.id, ANN, 60)
    again = warehouse.statements.submit(request, ANN, "token")
    assert (again.id, again.state) == (first.id, "FINISHED")
    assert warehouse.statements.submit(request, BOB, "token").id != first.id
    with pytest.raises(runs.DifferentRequest):
        warehouse.statements.submit(Request(("select 1",), "awsuser"), ANN, "token")


def test_two_clients_with_one_token_at_once(warehouse: restframe.Warehouse, go: Go) -> None:
    go("create table t (a int)")
    request = Request(("insert into t values (1)",), "awsuser")
    start = threading.Barrier(8)
    ids: set[str] = set()

    def client() -> None:
        start.wait()
        ids.add(warehouse.statements.submit(request, ANN, "token").id)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (run_id,) = ids
    assert warehouse.statements.wait(run_id, ANN, 60).state == "FINISHED"
    assert warehouse.sql("select count(*) from t").scalar() == 1


def test_a_token_lives_for_eight_hours(warehouse: restframe.Warehouse, go: Go) -> None:
    request = Request(("select 1",), "awsuser")
    first = warehouse.statements.submit(request, ANN, "token")
    warehouse.statements.wait(first.id, ANN, 60)
    with warehouse.journal.transaction() as connection:
        connection.execute("UPDATE statement_runs SET created_at = created_at - 8 * 3600 - 1")
    second = warehouse.statements.submit(request, ANN, "token")
    assert second.id != first.id
    assert warehouse.statements.submit(request, ANN, "token").id == second.id


# Cancelling


def test_a_running_statement_is_cancelled(warehouse: restframe.Warehouse, endless: str) -> None:
    statements = warehouse.statements
    run = statements.submit(Request((endless,), "awsuser"), ANN)
    until(lambda: statements.get(run.id, ANN).state == "STARTED")
    statements.cancel(run.id, ANN)
    ended = statements.wait(run.id, ANN, 60)
    assert (ended.state, ended.parts[0].state) == ("ABORTED", "ABORTED")
    assert ended.error == "Query cancelled on user's request"
    with pytest.raises(runs.NotRunning, match=f"already in ABORTED state with ID: {run.id}"):
        statements.cancel(run.id, ANN)


def test_a_cancelled_batch_leaves_nothing(warehouse: restframe.Warehouse, go: Go, endless: str) -> None:
    go("create table t (a int)")
    statements = warehouse.statements
    run = statements.submit(Request(("insert into t values (1)", endless, "select 1"), "awsuser", batch=True), ANN)
    until(lambda: statements.get(run.id, ANN).parts[1].state == "STARTED")
    statements.cancel(run.id, ANN)
    ended = statements.wait(run.id, ANN, 60)
    assert (ended.state, [part.state for part in ended.parts]) == ("ABORTED", ["FINISHED", "ABORTED", "ABORTED"])
    assert warehouse.sql("select count(*) from t").scalar() == 0


def test_a_waiting_statement_is_cancelled_at_once(tmp_path: Path, endless: str) -> None:
    with restframe.open(tmp_path / "warehouse", statement_workers=1) as warehouse:
        statements = warehouse.statements
        running = statements.submit(Request((endless,), "awsuser"), ANN)
        waiting = statements.submit(Request(("create table t (a int)",), "awsuser"), ANN)
        assert statements.get(waiting.id, ANN).state == "SUBMITTED"
        statements.cancel(waiting.id, ANN)
        assert statements.get(waiting.id, ANN).state == "ABORTED"
        statements.cancel(running.id, ANN)
        assert statements.wait(running.id, ANN, 60).state == "ABORTED"
        with pytest.raises(restframe.Error, match='"t" does not exist'):
            warehouse.sql("select * from t")


def test_a_finished_statement_cannot_be_cancelled(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("select 1")
    with pytest.raises(runs.NotRunning, match=f"already in FINISHED state with ID: {run.id}"):
        warehouse.statements.cancel(run.id, ANN)


def test_a_time_out_is_a_failure(go: Go, endless: str) -> None:
    run = go(f"set statement_timeout to 50; {endless}")
    assert (run.state, run.error) == ("FAILED", run.parts[0].error)
    assert run.error is not None and "statement timeout" in run.error


# Waiting


def test_waiting_ends_with_the_run_or_the_time(warehouse: restframe.Warehouse, endless: str) -> None:
    statements = warehouse.statements
    run = statements.submit(Request((endless,), "awsuser"), ANN)
    until(lambda: statements.get(run.id, ANN).state == "STARTED")
    assert statements.wait(run.id, ANN, 0.05).state == "STARTED"
    threading.Timer(0.1, statements.cancel, (run.id, ANN)).start()
    assert statements.wait(run.id, ANN, 60).state == "ABORTED"


def test_no_more_than_twenty_wait_for_one(warehouse: restframe.Warehouse, endless: str) -> None:
    statements = warehouse.statements
    run = statements.submit(Request((endless,), "awsuser"), ANN)
    threads = [threading.Thread(target=statements.wait, args=(run.id, ANN, 60)) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: statements._live[run.id].waiting == 20)
    with pytest.raises(runs.TooManyWaiting):
        statements.wait(run.id, ANN, 60)
    statements.cancel(run.id, ANN)
    for thread in threads:
        thread.join()


# Who sees what


def test_a_run_is_its_roles(warehouse: restframe.Warehouse, go: Go) -> None:
    run = go("select 1")
    assert warehouse.statements.get(run.id, BOB).id == run.id
    for ask in (warehouse.statements.get, warehouse.statements.cancel):
        with pytest.raises(runs.NoSuchRun):
            ask(run.id, EVE)
    with pytest.raises(runs.NoSuchRun):
        warehouse.statements.result(run.id, 0, EVE)
    with pytest.raises(runs.NoSuchRun):
        warehouse.statements.get("no such", ANN)


def test_listing(warehouse: restframe.Warehouse, go: Go) -> None:
    statements = warehouse.statements
    ids = [go("select 1", name=f"good {i}", labels={"database": "dev"}).id for i in range(5)]
    bad = go("selec", name="bad")
    hers = statements.submit(Request(("select 1",), "awsuser", name="good of bob"), BOB)
    statements.wait(hers.id, BOB, 60)

    def listed(caller: Caller = ANN, **wanted: Any) -> list[str]:
        return [run.id for run in statements.listed(caller, Filter(**wanted), 100).runs]

    assert listed() == [hers.id, bad.id, *ids[::-1]]
    assert listed(state="FAILED") == [bad.id]
    assert listed(name_prefix="good") == [hers.id, *ids[::-1]]
    assert listed(name_prefix="good", whole_role=False) == ids[::-1]
    assert listed(labels={"database": "dev"}) == ids[::-1]
    assert listed(name_prefix="GOOD") == []
    assert listed(EVE) == []

    first = statements.listed(ANN, Filter(state="FINISHED", whole_role=False), 2)
    second = statements.listed(ANN, Filter(state="FINISHED", whole_role=False), 2, first.next)
    third = statements.listed(ANN, Filter(state="FINISHED", whole_role=False), 2, second.next)
    assert [run.id for page in (first, second, third) for run in page.runs] == ids[::-1]
    assert third.next is None


def test_a_running_statement_is_listed_as_what_it_is(warehouse: restframe.Warehouse, endless: str) -> None:
    statements = warehouse.statements
    run = statements.submit(Request((endless,), "awsuser"), ANN)
    until(lambda: statements.get(run.id, ANN).state == "STARTED")
    assert [one.id for one in statements.listed(ANN, Filter(state="STARTED"), 10).runs] == [run.id]
    assert statements.listed(ANN, Filter(state="SUBMITTED"), 10).runs == ()
    statements.cancel(run.id, ANN)


# Limits


def test_a_text_of_100_kb_and_one_over(go: Go) -> None:
    head, tail = "select '", "' as a"
    fits = head + "x" * (100 * 1024 - len(head) - len(tail)) + tail
    assert go(fits).error is not None  # a VARCHAR of more than 65,535 bytes, but accepted
    with pytest.raises(runs.TextTooLong, match="Cannot process query string larger than 100kB"):
        go(fits + " ")
    with pytest.raises(runs.TextTooLong):
        go("-- " + "\N{EURO SIGN}" * (100 * 1024 // 3))


def test_no_more_than_500_are_active(tmp_path: Path, endless: str) -> None:
    with restframe.open(tmp_path / "warehouse", statement_workers=1) as warehouse:
        statements = warehouse.statements
        for _ in range(500):
            statements.submit(Request((endless,), "awsuser"), ANN)
        with pytest.raises(runs.TooManyRuns):
            statements.submit(Request(("select 1",), "awsuser"), ANN)


def test_runs_may_end_while_those_that_are_active_are_counted(
    warehouse: restframe.Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    living: dict[str, Any] = {}

    class Ending:
        """A run that ends when somebody looks at it."""

        @property
        def run(self) -> SimpleNamespace:
            living.popitem()
            return SimpleNamespace(is_final=False)

    living.update(dict.fromkeys(map(str, range(500)), Ending()))
    with monkeypatch.context() as patch:
        patch.setattr(warehouse.statements, "_live", living)
        with pytest.raises(runs.TooManyRuns):
            warehouse.statements.submit(Request(("select 1",), "awsuser"), ANN)


def test_a_result_over_the_limit(tmp_path: Path) -> None:
    with restframe.open(tmp_path / "warehouse", statement_result_bytes=100_000) as warehouse:
        warehouse.sql("create table t (a int)")
        text = "insert into t values (1); select generate_series(1, 200000) * 7919 as i"
        run = warehouse.statements.submit(Request((text,), "awsuser"), ANN)
        run = warehouse.statements.wait(run.id, ANN, 60)
        assert run.state == "FAILED"
        assert run.error is not None and run.error.startswith("Database response exceeded size limit")
        assert warehouse.sql("select count(*) from t").scalar() == 0
        assert not list((warehouse.settings.directory / "results").iterdir())


def test_long_rows_are_read_a_few_at_a_time(warehouse: restframe.Warehouse, go: Go) -> None:
    """Whoever asks for a page holds a batch: of rows of 64 KB, 16,384 would be a gigabyte."""
    run = go("select i, repeat('x', 60000) as text from (select generate_series(1, 400) as i)")
    with warehouse.statements.result(run.id, 0, ANN).open() as reader:
        batches = [reader.get_batch(number) for number in range(reader.num_record_batches)]
    assert max(batch.nbytes for batch in batches) < 5 << 20
    assert sorted(number for batch in batches for number in batch["i"].to_pylist()) == list(range(1, 401))


def test_a_row_over_the_limit(go: Go) -> None:
    run = go("select repeat('x', 65000) as a, repeat('y', 600) as b")
    assert run.state == "FAILED"
    assert run.error is not None and run.error.startswith("Packet for query is too large (65600 > 65536)")
    assert go("select repeat('x', 65000) as a, repeat('y', 500) as b").state == "FINISHED"


def test_old_runs_are_forgotten(tmp_path: Path) -> None:
    with restframe.open(tmp_path / "warehouse", statement_retention_s=3600) as warehouse:
        statements = warehouse.statements
        large = "select generate_series(1, 100000) as i"
        run = statements.submit(Request((large,), "awsuser"), ANN, "token")
        assert statements.wait(run.id, ANN, 60).state == "FINISHED"
        results = warehouse.settings.directory / "results"
        assert len(list(results.iterdir())) == 1
        with warehouse.journal.transaction() as connection:
            connection.execute("UPDATE statement_runs SET created_at = created_at - 3601")
        with pytest.raises(runs.NoSuchRun):
            statements.get(run.id, ANN)
        assert statements.listed(ANN, Filter(), 10).runs == ()
    with restframe.open(tmp_path / "warehouse", statement_retention_s=3600) as warehouse:
        assert not list(results.iterdir())
        assert warehouse.journal.rows("SELECT 1 FROM statement_results") == []


# The end


def test_closing_stops_what_runs_and_what_waits(tmp_path: Path, endless: str) -> None:
    with restframe.open(tmp_path / "warehouse", statement_workers=1) as warehouse:
        statements = warehouse.statements
        ids = [statements.submit(Request((endless,), "awsuser"), ANN).id for _ in range(3)]
        done = statements.submit(Request(("select 1",), "awsuser"), BOB)
        statements.cancel(done.id, BOB)
        until(lambda: statements.get(ids[0], ANN).state == "STARTED")
    with restframe.open(tmp_path / "warehouse") as warehouse:
        for run_id in ids:
            run = warehouse.statements.get(run_id, ANN)
            assert run.state == "FAILED"
            assert run.error == "The server was stopped while the statement was waiting or running."
        assert warehouse.statements.get(done.id, ANN).state == "ABORTED"


def test_results_are_there_after_a_restart(tmp_path: Path) -> None:
    with restframe.open(tmp_path / "warehouse") as warehouse:
        statements = warehouse.statements
        small = statements.submit(Request(("select 42 as a",), "awsuser"), ANN)
        large = statements.submit(Request(("select generate_series(1, 100000) as i",), "awsuser"), ANN)
        for run in (small, large):
            assert statements.wait(run.id, ANN, 60).state == "FINISHED"
    with restframe.open(tmp_path / "warehouse") as warehouse:
        assert rows(warehouse, small) == [{"a": 42}]
        with warehouse.statements.result(large.id, 0, ANN).open() as reader:
            assert reader.read_all().column("i").to_pylist() == list(range(1, 100_001))
