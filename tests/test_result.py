"""Results: rows once, in order, in the announced types, without more memory than asked for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest

from restframe import errors
from restframe.result import Column, Result
from restframe.types import SqlType

INT = SqlType("int4")
TEXT = SqlType("varchar", length=10)


def counting(batches: int, rows: int, taken: list[int]) -> Iterator[pa.RecordBatch]:
    """Batches of consecutive numbers, as wide as an engine might make them, that say when they are taken."""
    for i in range(batches):
        taken.append(i)
        yield pa.RecordBatch.from_arrays([pa.array(range(i * rows, (i + 1) * rows), pa.int64())], names=["n"])


def streaming(batches: int, rows: int, taken: list[int]) -> Result:
    return Result((Column("n", INT),), "SELECT", 0, _batches=counting(batches, rows, taken))


def test_rows_and_their_tag() -> None:
    result = Result.of_rows([("id", INT), ("name", TEXT)], [(1, "a"), (2, None)])
    assert result.fetchall() == [(1, "a"), (2, None)]
    assert result.tag == "SELECT 2"
    assert result.fetchall() == []


def test_a_result_without_rows_says_what_was_done() -> None:
    result = Result(command="INSERT", row_count=3)
    assert (result.tag, result.returns_rows) == ("INSERT 0 3", False)
    with pytest.raises(errors.InterfaceError, match="INSERT returns no rows"):
        result.fetchall()


def test_batches_are_taken_as_they_are_read_and_have_the_announced_types() -> None:
    taken: list[int] = []
    result = streaming(5, 10, taken)
    batches = result.batches()
    assert taken == []
    assert next(batches).schema.field("n").type == pa.int32()
    assert taken == [0]
    assert result.row_count == 10


def test_what_waits_keeps_its_order_in_memory_and_on_disk(tmp_path: Path) -> None:
    taken: list[int] = []
    result = streaming(40, 10, taken)
    rows = iter(result)
    assert next(rows) == (0,)
    closed = []
    result.when_closed(lambda: closed.append(True))
    result.buffer(tmp_path)
    assert taken == list(range(40))
    assert closed == [True]
    assert [n for (n,) in rows] == list(range(1, 400))
    assert list(tmp_path.iterdir()) == []


def test_scalar_gives_the_first_value_and_lets_go_of_the_rest() -> None:
    closed = []
    result = streaming(3, 10, [])
    result.when_closed(lambda: closed.append(True))
    assert result.scalar() == 0
    assert closed == [True]
    assert Result.of_rows([("n", INT)], []).scalar() is None


def test_a_value_that_does_not_fit_its_announced_type_is_an_error() -> None:
    big = pa.RecordBatch.from_arrays([pa.array([2**40])], names=["n"])
    result = Result((Column("n", INT),), "SELECT", 0, _batches=iter([big]))
    with pytest.raises(errors.NumericValueOutOfRange, match=r"^integer out of range$"):
        result.fetchall()


@pytest.mark.parametrize("value", ["12345.6", "0.25"])
def test_a_decimal_that_does_not_fit_its_announced_type_is_named(value: str) -> None:
    batch = pa.RecordBatch.from_arrays([pa.array([Decimal(value)])], names=["n"])
    column = Column("n", SqlType("numeric", precision=4, scale=1))
    with pytest.raises(errors.NumericValueOutOfRange, match=r"^numeric field overflow$") as caught:
        Result((column,), "SELECT", 0, _batches=iter([batch])).fetchall()
    assert caught.value.detail == 'A value of column "n" does not fit numeric(4,1).'


def test_pandas() -> None:
    frame = Result.of_rows([("id", INT), ("name", TEXT)], [(1, "a")]).to_pandas()
    assert frame.to_dict("list") == {"id": [1], "name": ["a"]}


def test_a_result_given_up_is_not_taken_for_a_whole_one() -> None:
    result = streaming(3, 4, [])
    batches = result.batches()
    next(batches)
    result.close()
    with pytest.raises(errors.InterfaceError, match="closed before its last row"):
        next(batches)
    with pytest.raises(errors.InterfaceError, match="closed before its last row"):
        result.fetchall()


def test_a_time_that_python_does_not_know() -> None:
    times = pa.array([10**17 * 30], pa.timestamp("us"))
    result = Result(
        (Column("t", SqlType("timestamp")),), "SELECT", 0, _batches=iter((pa.record_batch([times], ["t"]),))
    )
    with pytest.raises(errors.InvalidDatetime, match="outside the years 1 to 9999"):
        result.fetchall()


def test_closing_ends_what_computes_the_rows_whoever_still_knows_it() -> None:
    rows = counting(3, 1, [])
    result = Result((Column("n", INT),), "SELECT", 0, _batches=rows)
    next(result.batches())
    result.close()
    assert next(rows, None) is None


def test_char_values_are_filled_up_a_few_megabytes_at_a_time() -> None:
    wide = SqlType("bpchar", length=4096)
    rows = pa.record_batch([pa.array(["a", None] * 5000), pa.array(range(10_000), pa.int32())], ["c", "n"])
    result = Result((Column("c", wide), Column("n", INT)), "SELECT", 0, _batches=iter((rows,)))
    parts = list(result.batches())
    assert max(part.nbytes for part in parts) < 17 << 20
    assert [part.num_rows for part in parts] == [4096, 4096, 1808]
    assert parts[0].column("c")[0].as_py() == "a" + " " * 4095
    assert result.tag == "SELECT 10000"


@pytest.mark.parametrize("small_disk", [1], indirect=True)
def test_what_has_no_room_to_wait_fails_where_it_would_be_read(small_disk: Path) -> None:
    rows = counting(40, 65_536, [])
    result = Result((Column("n", INT),), "SELECT", 0, _batches=rows)
    failure = result.buffer(small_disk)
    assert isinstance(failure, errors.DiskFull)
    assert next(rows, None) is None  # nothing is computed for it any more
    with pytest.raises(errors.DiskFull, match=r"^the result cannot be kept: No space left on device$"):
        result.fetchall()
    assert list(small_disk.iterdir()) == []
