"""Python code that another thread stops: the reading of long texts."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from restframe import errors
from restframe.warehouse import Warehouse
from restframe.warehouse.stoppable import Stoppable

REASON = errors.QueryCanceled("somebody wants it")
LONG = "select " + ", ".join(f"a + {i}" for i in range(100_000)) + " from t"  # seconds to read


# A stop that arrives in a callback of the garbage collector is lost and said to be so; it comes again.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def test_work_ends_when_somebody_stops_it() -> None:
    def endless() -> None:
        threading.Timer(0.1, work.stop, (REASON,)).start()
        while True:
            pass

    work = Stoppable()
    with pytest.raises(errors.QueryCanceled, match="somebody wants it"):
        work.run(endless)
    assert work.run(lambda: 42) == 42  # the next one is not stopped by what was meant for the last one


def test_a_stop_that_is_lost_comes_again() -> None:
    def endless() -> None:
        with contextlib.suppress(BaseException):
            threading.Timer(0.1, work.stop, (REASON,)).start()
            while True:
                pass
        while True:
            pass

    work = Stoppable()
    with pytest.raises(errors.QueryCanceled, match="somebody wants it"):
        work.run(endless)


def test_nothing_is_stopped_when_nothing_is_at_work() -> None:
    work = Stoppable()
    assert not work.stop(REASON)
    work.run(list)
    assert not work.stop(REASON)


def test_a_stop_at_the_very_end_arrives_nowhere_else() -> None:
    """Stops as fast as they can, over work that ends at once: each is for the work or for nobody."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    work = Stoppable()
    done = threading.Event()

    def stop_again_and_again() -> None:
        while not done.is_set():
            work.stop(REASON)

    stopping = threading.Thread(target=stop_again_and_again)
    stopping.start()
    stopped, end = 0, time.monotonic() + 20
    try:
        while stopped < 300 and time.monotonic() < end:
            try:
                work.run(lambda: [str(number) for number in range(20)])
            except errors.QueryCanceled:
                stopped += 1
    finally:
        sys.setswitchinterval(interval)
        done.set()
        stopping.join()
    assert stopped > 20  # all 300, unless the machine has no time for it


@pytest.fixture
def no_callbacks() -> Iterator[None]:
    """A tool of tests that listens to the garbage collector would be what is stopped, time and again."""
    callbacks = gc.callbacks[:]
    gc.callbacks.clear()
    gc.freeze()
    yield
    gc.unfreeze()
    gc.callbacks[:] = callbacks


@dataclass
class Works:
    """begun : called when one begins. ended : what those return that come to their end."""

    begun: Callable[[], None] = lambda: None
    ended: list[object] = field(default_factory=list)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Works:
    found, run = Works(), Stoppable.run

    def watched(work: Callable[[], object]) -> None:
        found.begun()
        found.ended.append(work())

    def spy(self: Stoppable, work: Callable[[], object], limit_s: float | None = None) -> object:
        return run(self, lambda: watched(work), limit_s)

    monkeypatch.setattr(Stoppable, "run", spy)
    return found


def test_a_long_text_is_cancelled_while_it_is_read(no_callbacks: None, works: Works, tmp_path: Path) -> None:
    with Warehouse(tmp_path) as warehouse, warehouse.session() as session:
        session.execute("create table t (a int)")
        session.execute("begin; insert into t values (1)")
        works.begun = lambda: threading.Timer(0.2, session.cancel).start()
        for parse in (session.execute, session.prepare):
            with pytest.raises(errors.QueryCanceled, match="cancelled on user's request"):
                parse(LONG)
            assert works.ended == []
            assert session.transaction == "failed"
            session.execute("rollback; begin")
        session.execute("rollback")
        assert session.execute("select count(*) from t").fetchall() == [(0,)]


def test_a_long_text_is_read_under_the_statement_timeout(no_callbacks: None, works: Works, tmp_path: Path) -> None:
    with Warehouse(tmp_path) as warehouse, warehouse.session() as session:
        session.execute("create table t (a int); set statement_timeout to 100")
        with pytest.raises(errors.QueryCanceled, match="cancelled on statement timeout"):
            session.execute(LONG)
        assert works.ended == []
        session.execute("set statement_timeout to 0")
        assert session.execute("select count(*) from t").fetchall() == [(0,)]


def test_a_long_series_is_no_array_first_so_that_it_can_be_cancelled(tmp_path: Path) -> None:
    with Warehouse(tmp_path) as warehouse, warehouse.session() as session:
        session.execute("set statement_timeout to 200")
        with pytest.raises(errors.QueryCanceled, match="cancelled on statement timeout"):
            session.execute("select count(*), sum(n * 2) from generate_series(1, 1000000000000) as g(n)").fetchall()
        session.execute("set statement_timeout to 0")
        asked = session.prepare("select sum(n) from generate_series($1::int, $2::int) as g(n)")
        assert session.run_prepared(asked, [-1, 3]).fetchall() == [(5,)]
