"""Memos and answers: each distinct argument is asked once, and what comes back is cut to RETURNS, not rounded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.types import SqlType, parse_type
from restframe.warehouse.prediction import answers
from restframe.warehouse.prediction.memo import Memo


class Doubler:
    """Answers twice the sum of its arguments and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def __call__(self, arguments: Sequence[pa.Array]) -> pa.Array:
        rows = list(zip(*(argument.to_pylist() for argument in arguments), strict=True))
        self.asked += rows
        return pa.array([2.0 * sum(x or 0 for x in row) for row in rows], pa.float64())


def test_each_distinct_integer_is_asked_once() -> None:
    model = Doubler()
    memo = Memo(model, pa.float64(), 1 << 20)
    assert memo([pa.array([5, 7, 5, 5])]).to_pylist() == [10.0, 14.0, 10.0, 10.0]
    assert memo([pa.array([7, 9])]).to_pylist() == [14.0, 18.0]
    assert model.asked == [(5,), (7,), (9,)]


@given(st.lists(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=20), min_size=1, max_size=6))
def test_integers_near_and_far_are_answered_in_order(batches: list[list[int]]) -> None:
    model = Doubler()
    memo = Memo(model, pa.float64(), 1 << 20)
    for batch in batches:
        assert memo([pa.array(batch, pa.int64())]).to_pylist() == [2.0 * x for x in batch]


@given(st.lists(st.lists(st.integers(-30000, 30000), min_size=1, max_size=20), min_size=1, max_size=6))
def test_integers_of_any_sign_are_asked_once(batches: list[list[int]]) -> None:
    model = Doubler()
    memo = Memo(model, pa.float64(), 1 << 20)
    for batch in batches:
        assert memo([pa.array(batch, pa.int16())]).to_pylist() == [2.0 * x for x in batch]
    assert len(model.asked) == len(set(model.asked))


numbers = st.none() | st.floats(allow_nan=False, width=32)


@given(st.lists(st.tuples(numbers, st.none() | st.integers(-5, 5)), min_size=1, max_size=30))
def test_several_arguments_with_nulls(rows: list[tuple[float | None, int | None]]) -> None:
    model = Doubler()
    memo = Memo(model, pa.float64(), 1 << 20)
    columns = [pa.array([a for a, _ in rows], pa.float64()), pa.array([b for _, b in rows], pa.int32())]
    expected = [2.0 * ((a or 0) + (b or 0)) for a, b in rows]
    assert memo(columns).to_pylist() == expected
    memo(columns)
    assert len(model.asked) <= len(set(rows)) + 1  # 0.0 and -0.0 are equal and told apart


def test_text_arguments_are_remembered_too() -> None:
    asked = []

    def length(arguments: Sequence[pa.Array]) -> pa.Array:
        asked.extend(arguments[0].to_pylist())
        return pa.array([len(text) for text in arguments[0].to_pylist()])

    memo = Memo(length, pa.int64(), 1 << 20)
    assert memo([pa.array(["ab", "c", "ab"])]).to_pylist() == [2, 1, 2]
    assert asked == ["ab", "c"]


@pytest.mark.parametrize("type_", [pa.int64(), pa.float64()])
def test_a_full_memo_keeps_what_it_has_and_asks_for_the_rest(type_: pa.DataType) -> None:
    model = Doubler()
    memo = Memo(model, pa.float64(), most=2)
    memo([pa.array([1, 2], type_)])
    assert memo([pa.array([3, 1, 3], type_)]).to_pylist() == [6.0, 2.0, 6.0]
    assert memo([pa.array([2, 1, 2], type_)]).to_pylist() == [4.0, 2.0, 4.0]
    assert sorted(model.asked) == [(1,), (1,), (2,), (3,)]


def test_many_threads_get_right_answers() -> None:
    memo = Memo(Doubler(), pa.float64(), 1 << 20)
    wrong = []

    def work(seed: int) -> None:
        random = np.random.default_rng(seed)
        for _ in range(200):
            values = random.integers(-1000 * (seed + 1), 1000 * (seed + 1), 64)
            if memo([pa.array(values)]).to_pylist() != [2.0 * x for x in values.tolist()]:
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_decimals_are_cut_as_redshift_cuts_them() -> None:
    """The pairs the service printed both as floats and in SQL."""
    scores = np.array([0.943025999, 0.94302500001, 0.9430249999, -1.9999999, 3.113783, np.nan])
    cut = answers.from_numbers(scores, parse_type("decimal(10,6)"))
    assert [str(x) if x is not None else None for x in cut.to_pylist()] == [
        "0.943025",
        "0.943025",
        "0.943024",
        "-1.999999",
        "3.113783",
        None,
    ]


@given(st.decimals(-9999, 9999, places=6, allow_nan=False, allow_infinity=False))
def test_a_number_that_has_the_digits_keeps_them(value: Decimal) -> None:
    cut = answers.from_numbers(np.array([float(value)]), parse_type("decimal(10,6)"))
    assert cut.to_pylist() == [value]


@given(st.floats(-1e12, 1e12))
def test_cutting_is_that_of_the_printed_digits(value: float) -> None:
    cut = answers.from_numbers(np.array([value]), parse_type("decimal(18,5)"))
    exact = Decimal(repr(value)).quantize(Decimal("0.00001"), rounding="ROUND_DOWN")
    # above 15 digits a double cannot say which side of the cut it means
    assert abs(cut.to_pylist()[0] - exact) <= (Decimal(0) if abs(value) < 1e9 else Decimal("0.001"))


@pytest.mark.parametrize(
    ("returns", "numbers", "expected"),
    [
        ("int", [1.9, -1.9, 0.0], [1, -1, 0]),
        ("smallint", [32767.0], [32767]),
        ("float8", [1.5], [1.5]),
        ("boolean", [0.0, 1.0], [False, True]),
        ("varchar(20)", [1.0, 2.5, np.inf], ["1", "2.5", "inf"]),
        ("varchar(3)", [1.0, 2.125], ["1", "2.1"]),
        ("decimal(30,10)", [0.1, -2.5], [Decimal("0.1000000000"), Decimal("-2.5000000000")]),
    ],
)
def test_numbers_become_what_returns_says(returns: str, numbers: list[float], expected: list[object]) -> None:
    assert answers.from_numbers(np.array(numbers), parse_type(returns)).to_pylist() == expected


def test_an_answer_too_large_is_an_error_that_names_it() -> None:
    with pytest.raises(errors.NumericValueOutOfRange, match=r"12345 does not fit numeric\(5,2\)"):
        answers.from_numbers(np.array([1.0, 12345.0]), parse_type("decimal(5,2)"))
    with pytest.raises(errors.NumericValueOutOfRange, match="40000"):
        answers.from_numbers(np.array([40000.0]), SqlType("int2"))


@pytest.mark.parametrize(
    ("returns", "texts", "expected"),
    [
        ("decimal(10,6)", ["0.9430259", "", "1e-3"], [Decimal("0.943025"), None, Decimal("0.001000")]),
        ("decimal(20,6)", ["123456789012.1234569"], [Decimal("123456789012.123456")]),
        ("varchar(10)", ["yes", ""], ["yes", None]),
        ("varchar(4)", ["höher", "hoch"], ["höh", "hoch"]),
        ("boolean", ["True.", "0", ""], [True, False, None]),
        ("int", ["3.0"], [3]),
        ("bigint", ["9007199254740993", "-2.9", "1e3", ""], [9007199254740993, -2, 1000, None]),
    ],
)
def test_lines_of_text_become_what_returns_says(returns: str, texts: list[str], expected: list[object]) -> None:
    assert answers.from_texts(texts, parse_type(returns), "ep").to_pylist() == expected


@pytest.mark.parametrize("text", ["9223372036854775808", "1e999999", "inf", "NaN", "x"])
def test_a_line_that_is_no_bigint(text: str) -> None:
    with pytest.raises((errors.NumericValueOutOfRange, errors.EndpointFailed), match=text):
        answers.from_texts(["1", text], parse_type("bigint"), "ep")


def test_whole_numbers_in_json_stay_exact() -> None:
    found = answers.from_answers(pa.array([9007199254740993, None]), parse_type("bigint"), "ep")
    assert found.to_pylist() == [9007199254740993, None]
    found = answers.from_answers(pa.array([9007199254740993, None]), parse_type("varchar(20)"), "ep")
    assert found.to_pylist() == ["9007199254740993", None]


def test_a_line_that_is_no_number_is_the_endpoints_fault() -> None:
    with pytest.raises(errors.EndpointFailed, match='endpoint "ep" answered "oops", which is no numeric'):
        answers.from_texts(["1.0", "oops"], parse_type("decimal(10,6)"), "ep")
