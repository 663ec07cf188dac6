"""Sessions side by side: cancelled anywhere, waiting for each other, with results half read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import restframe
from restframe import Warehouse, errors
from restframe.warehouse.session import Session


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        opened.execute("CREATE TABLE numbers AS SELECT n, n % 7 AS k FROM generate_series(1, 400000) AS g(n)")
        yield opened


def in_threads(*works: Callable[[], object]) -> list[BaseException]:
    failures: list[BaseException] = []

    def guard(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  (shown by the test)
            failures.append(error)

    threads = [threading.Thread(target=guard, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return failures


def test_cancelled_while_it_streams_in_a_block(session: Session) -> None:
    for _ in range(20):
        session.execute("BEGIN")
        batches = session.execute("SELECT * FROM numbers").batches()
        next(batches)
        session.cancel()
        with pytest.raises(errors.QueryCanceled):
            next(batches)
        assert session.transaction == "failed"
        session.execute("ROLLBACK")
        assert session.execute("BEGIN; SELECT 1; COMMIT").command == "COMMIT"


def test_cancelled_at_any_moment(session: Session) -> None:
    """Whatever an interrupt hits, session and engine agree afterwards on whether a transaction is open."""
    over = threading.Event()

    def cancel() -> None:
        while not over.wait(0.0007):
            session.cancel()

    canceller = threading.Thread(target=cancel)
    canceller.start()
    cancelled = 0
    try:
        for turn in range(300):
            try:
                session.execute(("BEGIN; DELETE FROM numbers WHERE n < 0; ROLLBACK", "SELECT * FROM numbers")[turn % 2])
            except errors.QueryCanceled:
                cancelled += 1
                while session.transaction != "idle":
                    session.rollback()
    finally:
        over.set()
        canceller.join()
    assert cancelled
    assert session.execute("BEGIN; SELECT count(*) FROM numbers").scalar() == 400_000
    session.execute("COMMIT")


def test_time_out_that_is_over_at_once(session: Session) -> None:
    session.execute("SET statement_timeout TO 1")
    watchdog = threading.Timer(60, session.cancel)
    watchdog.start()
    for _ in range(30):
        with pytest.raises(errors.QueryCanceled, match="statement timeout"):
            session.execute("SELECT count(*) FROM numbers a JOIN numbers b ON a.k = b.k").fetchall()
    watchdog.cancel()


def test_several_statements_after_a_result_half_read(session: Session) -> None:
    result = session.execute("SELECT n FROM numbers ORDER BY n")
    assert session.execute("CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1); SELECT * FROM t").fetchall() == [
        (1,)
    ]
    assert len(result.fetchall()) == 400_000


def test_cancelled_result_fails_its_reader_alone(session: Session) -> None:
    result = session.execute("SELECT n FROM numbers")
    session.cancel()
    assert session.execute("SELECT 1").scalar() == 1
    with pytest.raises(errors.QueryCanceled):
        result.fetchall()


def test_cancelled_result_whose_text_changed_something(session: Session) -> None:
    session.execute("DELETE FROM numbers WHERE n = 1; SELECT n FROM numbers")
    session.cancel()
    with pytest.raises(errors.QueryCanceled):
        session.execute("SELECT 1")
    assert session.execute("SELECT count(*) FROM numbers").scalar() == 400_000


def test_temporary_tables_of_one_name_do_not_wait(warehouse: Warehouse) -> None:
    with warehouse.session() as one, warehouse.session() as other:
        for session in (one, other):
            session.execute("SET statement_timeout TO 60000")
            session.execute("CREATE TEMP TABLE t (a int)")
        one.execute("BEGIN; INSERT INTO t VALUES (1)")
        assert other.execute("INSERT INTO t VALUES (1)").row_count == 1
        other.execute("DROP TABLE t")
        one.execute("CREATE TEMP TABLE u (a int)")
        other.execute("CREATE TEMP TABLE u (a int)")
        one.execute("COMMIT")


def test_same_table_created_by_many(warehouse: Warehouse) -> None:
    def create() -> None:
        with warehouse.session() as session:
            for turn in range(10):
                session.execute(f"CREATE TABLE IF NOT EXISTS t{turn} (a int)")
                session.execute(f"INSERT INTO t{turn} VALUES (1)")

    assert in_threads(*[create] * 4) == []
    with warehouse.session() as session:
        assert session.execute("SELECT count(*) FROM t0").scalar() == 4


def test_blocks_that_change_one_table_wait_without_a_conflict(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("CREATE TABLE counters (n int); INSERT INTO counters VALUES (0)")

    def count() -> None:
        with warehouse.session() as session:
            for _ in range(20):
                session.execute("BEGIN")
                session.execute("UPDATE counters SET n = n + 1")
                session.execute("COMMIT")

    assert in_threads(*[count] * 4) == []
    with warehouse.session() as session:
        assert session.execute("SELECT n FROM counters").scalar() == 80
