"""Work in threads whose results do not tell that there were any."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from restframe_epidemic.pipeline.threads import in_order


def test_results_come_in_the_order_of_what_they_are_made_of() -> None:
    second = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second.wait(60)
        second.set()
        return item * item

    assert list(in_order(work, range(6), threads=2)) == [0, 1, 4, 9, 16, 25]


def test_what_is_ahead_is_bounded() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(1000):
            taken.append(item)
            yield item

    results = in_order(str, items(), threads=2)
    assert [next(results), next(results)] == ["0", "1"]
    assert len(taken) == 4
    results.close()
    assert len(taken) == 4


def test_an_error_comes_where_its_result_would_have_been() -> None:
    results = in_order(lambda item: 6 // item, [3, 2, 0, 1], threads=2)
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
