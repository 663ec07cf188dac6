"""Work in threads whose results do not tell that there were any."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

# Each holds a block or a piece and several times as much beside it. Arrow's functions and the kernels leave Python's
# lock to others.
THREADS = 2


def in_order(work: Callable[[T], R], items: Iterable[T], threads: int = THREADS) -> Generator[R, None, None]:
    """The results of `work` in the order of `items`, of which a few more than there are threads are under way.

    An error is raised where its result would be; what was not begun by then is left.
    """
    waiting: deque[Future[R]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for each in waiting:
                each.cancel()
