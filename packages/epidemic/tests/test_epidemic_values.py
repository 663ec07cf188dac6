"""What texts and numbers of raw files become in the types that a source declares."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from restframe_epidemic.pipeline import values
from restframe_epidemic.sources import Column

DAY = datetime.date(2020, 4, 4)


def column(kind: Any, *size: int, **more: Any) -> Column:
    return Column("x", "x", kind, size, **more)


@pytest.mark.parametrize(
    ("declared", "given", "expected", "bad"),
    [
        (column("bigint"), [" 5", "-5", "+5", "5.0", "5.5", "", "5e3"], [5, -5, 5, 5, None, None, None], [4, 5, 6]),
        (column("smallint"), ["32767", "32768", "-32769"], [32767, None, None], [1, 2]),
        (column("int"), ["2147483648", None], [None, None], [0]),
        (column("float8"), ["1.5", ".5", "1e3", "NaN", "x", "1,5"], [1.5, 0.5, 1000.0, None, None, None], [4, 5]),
        (column("float8"), ["inf", "-Infinity", "1e999", "1e308"], [None, None, None, 1e308], [0, 1, 2]),
        (column("float8", decimal=","), ["1,5", "-,5", "2", "1.5", "1.234,5"], [1.5, -0.5, 2.0, None, None], [3, 4]),
        (column("bigint", decimal=","), ["5,0", "1.234"], [5, None], [1]),
        (column("decimal", 5, 2), ["1.5", "999.99", "1000", "1.005x"], ["1.50", "999.99", None, None], [2, 3]),
        (column("date"), ["2020-04-04", "2020-02-30", "2020-4-4", "04/04/2020"], [DAY, None, None, None], [1, 2, 3]),
        (column("date", format="%m/%d/%y"), ["4/4/20", "04/04/20", "2/30/20", "4"], [DAY] * 2 + [None] * 2, [2, 3]),
        (column("date", format="ordinal"), ["737519.0", "737519", "0", "9999999"], [DAY, DAY, None, None], [2, 3]),
        (column("boolean"), ["true", "F", "1", "perhaps"], [True, False, True, None], [3]),
        (column("varchar", 5, digits=5), ["1001.0", "1001", "01001", "123456"], ["01001"] * 3 + [None], [3]),
        (column("varchar", 5), ["a", None, " b "], ["a", None, " b "], []),
    ],
    ids=lambda it: it.type + it.format + str(it.digits) + it.decimal if isinstance(it, Column) else "",
)  # fmt: skip
def test_texts(declared: Column, given: list[str | None], expected: list[Any], bad: list[int]) -> None:
    result, unreadable = values.typed(declared, pa.array(given, pa.string()))
    assert result.type == values.arrow_type(declared)
    assert result.to_pylist() == [Decimal(each) if declared.kind == "decimal" and each else each for each in expected]
    assert unreadable.nonzero()[0].tolist() == bad


@pytest.mark.parametrize(
    ("declared", "given", "expected", "bad"),
    [
        (column("bigint"), pa.array([5.0, 5.5, float("nan")]), [5, None, None], [1, 2]),
        (column("bigint"), pa.array([5, None], pa.int8()), [5, None], []),
        (column("float8"), pa.array([1.5, float("nan")], pa.float32()), [1.5, None], []),
        (column("float8"), pa.array([1.5, None, float("-inf")]), [1.5, None, None], [2]),
        (column("varchar", 5, digits=5), pa.array([1001.0, 2.0]), ["01001", "00002"], []),
        (column("varchar", 5, digits=5), pa.array([1001], pa.int32()), ["01001"], []),
        (column("date"), pa.array([datetime.datetime(2020, 4, 4)]), [DAY], []),
        (column("date"), pa.array(["2020-04-04"], pa.large_string()), [DAY], []),
        (column("date", format="ordinal"), pa.array([737519], pa.int32()), [DAY], []),
        (column("varchar", 9), pa.array(["a", "b"]).dictionary_encode(), ["a", "b"], []),
        (column("varchar", 9), pa.array([b"\xf4", b"o"]), ["\ufffd", "o"], [0]),
    ],
    ids=range(11),
)  # fmt: skip
def test_what_parquet_has(declared: Column, given: pa.Array, expected: list[Any], bad: list[int]) -> None:
    result, unreadable = values.typed(declared, given)
    assert result.to_pylist() == expected
    assert unreadable.nonzero()[0].tolist() == bad
