"""Rows in batches that suit the engine, and an iterator that runs ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe.warehouse.loading import flow
from restframe.warehouse.loading.flow import grouped
from restframe.warehouse.loading.prefetch import Prefetch

GROUP = 122_880


def batch(start: int, rows: int) -> pa.RecordBatch:
    numbers = range(start, start + rows)
    texts = pa.array([f"a rather long text, number {i}" for i in numbers], pa.string_view())
    return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), texts], names=["n", "t"])


@given(st.lists(st.integers(0, 300_000), max_size=6))
@settings(max_examples=20, deadline=None)
def test_groups_have_the_same_rows(sizes: list[int]) -> None:
    schema = pa.schema([("n", pa.int64())])
    rows = pa.RecordBatch.from_arrays([pa.array(range(300_000), pa.int64())], schema=schema)
    batches = [rows.slice(0, size) for size in sizes]
    groups = list(grouped(iter(batches)))
    assert [group.num_rows for group in groups[:-1]] == [GROUP] * (len(groups) - 1)
    assert all(0 < group.num_rows <= GROUP for group in groups)
    expected = pa.Table.from_batches(batches, schema).column("n")
    assert pa.Table.from_batches(groups, schema).column("n").to_pylist() == expected.to_pylist()


def test_a_group_holds_the_texts_of_its_own_rows_only() -> None:
    buffers = len(batch(0, 8192).column(1).buffers())
    sizes = [len(group.column(1).buffers()) for group in grouped(batch(i * 8192, 8192) for i in range(100))]
    assert max(sizes) <= buffers * (GROUP // 8192 + 1)


def test_groups_of_large_rows_are_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "_GROUP_BYTES", 10_000)
    assert [group.num_rows for group in grouped(iter([batch(0, 1000), batch(1000, 1000)]))] == [1000, 1000]


def nothing() -> None:
    pass


def test_items_come_in_order_and_not_too_far_ahead() -> None:
    made: list[int] = []

    def items() -> Generator[int]:
        for i in range(20):
            made.append(i)
            yield i

    prefetch = Prefetch(items(), ahead=3, check=nothing)
    found = []
    for item in prefetch:
        time.sleep(0.002)
        assert len(made) <= len(found) + 6
        found.append(item)
    assert found == list(range(20))
    prefetch.close()


def test_an_error_reaches_the_reader() -> None:
    def items() -> Generator[int]:
        yield 1
        raise ValueError("torn")

    prefetch = Prefetch(items(), ahead=3, check=nothing)
    iterator: Iterator[int] = iter(prefetch)
    assert next(iterator) == 1
    with pytest.raises(ValueError, match="torn"):
        next(iterator)


def test_closing_stops_it_and_lets_go() -> None:
    closed = threading.Event()

    def items() -> Generator[int]:
        try:
            while True:
                yield 0
        finally:
            closed.set()

    prefetch = Prefetch(items(), ahead=2, check=nothing)
    next(iter(prefetch))
    prefetch.close()
    assert closed.wait(60)


def test_whoever_waits_can_be_stopped() -> None:
    released = threading.Event()

    def items() -> Generator[int]:
        released.wait(60)
        yield 1

    def check() -> None:
        raise TimeoutError

    prefetch = Prefetch(items(), ahead=2, check=check)
    with pytest.raises(TimeoutError):
        next(iter(prefetch))
    released.set()
    prefetch.close()
