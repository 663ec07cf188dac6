"""Waiting ends when it is so, when the time is over, or when nobody wants to know any more."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from restframe.jobs.waiting import wait_for


def test_it_ends_when_it_is_so() -> None:
    changed, done = threading.Condition(), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(wait_for, changed, done.is_set, None, None)
        time.sleep(0.05)
        assert not waiting.done()
        with changed:
            done.set()
            changed.notify_all()
        waiting.result(60)


def test_it_ends_when_the_time_is_over() -> None:
    started = time.monotonic()
    wait_for(threading.Condition(), lambda: False, 0.1, threading.Event())
    wait_for(threading.Condition(), lambda: False, 0, None)
    assert time.monotonic() - started >= 0.1


def test_it_ends_when_somebody_has_given_up() -> None:
    given_up = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(wait_for, threading.Condition(), lambda: False, 60, given_up)
        time.sleep(0.05)
        assert not waiting.done()
        given_up.set()
        waiting.result(60)
