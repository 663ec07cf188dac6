"""Write locks: who waits, in which order, and what happens when nobody could ever go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from restframe import errors
from restframe.warehouse.locks import TableLocks

Eventually = Callable[[Callable[[], object]], None]


def never_cancelled() -> None:
    pass


def test_a_second_writer_waits_until_the_first_is_done() -> None:
    locks, order = TableLocks(), []
    locks.acquire("first", "rides", never_cancelled)

    def second() -> None:
        locks.acquire("second", "rides", never_cancelled)
        order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    time.sleep(0.1)
    order.append("first")
    locks.release_all("first")
    thread.join(60)
    assert order == ["first", "second"]


def test_writers_are_served_in_the_order_they_came(eventually: Eventually) -> None:
    locks, order = TableLocks(), []
    locks.acquire("holder", "rides", never_cancelled)

    def wait(name: str) -> None:
        locks.acquire(name, "rides", never_cancelled)
        order.append(name)
        locks.release_all(name)

    threads = []
    for name in ("a", "b", "c"):
        threads.append(threading.Thread(target=wait, args=(name,)))
        threads[-1].start()
        eventually(lambda: len(locks._waits_for) == len(threads))
    locks.release_all("holder")
    for thread in threads:
        thread.join(60)
    assert order == ["a", "b", "c"]


def test_a_lock_may_be_taken_again_by_its_owner_and_other_tables_are_free() -> None:
    locks = TableLocks()
    locks.acquire("one", "rides", never_cancelled)
    locks.acquire("one", "rides", never_cancelled)
    locks.acquire("two", "zones", never_cancelled)


def test_waiting_for_each_other_is_refused_instead_of_waiting_for_ever(eventually: Eventually) -> None:
    locks = TableLocks()
    locks.acquire("one", "rides", never_cancelled)
    locks.acquire("two", "zones", never_cancelled)
    thread = threading.Thread(target=locks.acquire, args=("one", "zones", never_cancelled))
    thread.start()
    eventually(lambda: locks._waits_for)
    with pytest.raises(errors.DeadlockDetected):
        locks.acquire("two", "rides", never_cancelled)
    locks.release_all("two")
    thread.join(60)
    assert not thread.is_alive()


def test_a_cancelled_writer_leaves_the_queue() -> None:
    locks = TableLocks()
    locks.acquire("holder", "rides", never_cancelled)

    def cancelled() -> None:
        raise errors.QueryCanceled("cancelled")

    with pytest.raises(errors.QueryCanceled):
        locks.acquire("waiting", "rides", cancelled)
    locks.release_all("holder")
    locks.acquire("next", "rides", never_cancelled)
