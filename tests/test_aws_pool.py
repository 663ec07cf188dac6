"""Threads for what blocks: results, bounds, and threads that come and go."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from restframe.aws.pool import Busy, Pool


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "some"]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_values_and_errors_come_back() -> None:
    pool = Pool("some", threads=2, queued=10)

    async def use() -> list[object]:
        calls = [pool.run(lambda n=n: 12 // n) for n in (1, 2, 3, 0)]  # type: ignore[misc]
        return await asyncio.gather(*calls, return_exceptions=True)

    first, second, third, last = asyncio.run(use())
    assert (first, second, third) == (12, 6, 4)
    assert isinstance(last, ZeroDivisionError)
    assert len(names()) <= 2
    pool.close()
    until(lambda: names() == [])


def test_one_more_than_may_run_and_wait_is_refused() -> None:
    pool, go_on = Pool("some", threads=2, queued=1), threading.Event()

    async def use() -> list[object]:
        waiting = [asyncio.ensure_future(pool.run(go_on.wait)) for _ in range(3)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await pool.run(go_on.wait)
        assert not pool.wait(0.01)
        go_on.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(use()) == [True, True, True]
    assert pool.wait(60)
    pool.close()


def test_threads_without_work_leave_and_others_come() -> None:
    pool = Pool("some", threads=2, queued=1, idle_s=0.01)

    async def use() -> int:
        return await pool.run(lambda: 7)

    assert asyncio.run(use()) == 7
    until(lambda: names() == [])
    assert asyncio.run(use()) == 7
    pool.close()
