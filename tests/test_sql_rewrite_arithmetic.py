"""Numbers as Redshift computes them: whole division, decimals with the manual's scales, sums and averages."""

from __future__ import annotations

from decimal import ROUND_DOWN, Context, Decimal
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.rewrite.rules import arithmetic
from restframe.types import parse_type

many = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("7 / -2", -3),
        ("7 % 3 + -7 % 3", 0),
        ("7 / 2.0", Decimal("3.5000000000000000")),
        ("1.0 / 3", Decimal("0.33333333333333333333")),
        ("2 / 3e0", pytest.approx(2 / 3)),
        ("10 / 4 * 2", 4),
        ("10 - 4 - 3", 3),
        ("2 ^ 3 + |/ 16 + ||/ 27", pytest.approx(15.0)),
        ("200::smallint * 200", 40000),
        ("'5' + 1", 6),
        ("'2.5' * 2.0", Decimal("5.00")),
        ("1 + null", None),
        ("5 & 3 | 8", 9),
        ("1 << 4", 16),
        ("~5", -6),
    ],
)
def test_operators(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        ("/", "decimal(8,2)", "decimal(8,2)", "numeric(17,9)"),
        ("/", "decimal(8,2)", "smallint", "numeric(14,8)"),
        ("/", "decimal(38,4)", "decimal(38,4)", "numeric(38,4)"),
        ("*", "decimal(8,2)", "smallint", "numeric(14,2)"),
        ("+", "decimal(8,2)", "decimal(10,4)", "numeric(11,4)"),
        ("-", "bigint", "decimal(5,2)", "numeric(22,2)"),
        ("*", "int", "bigint", "bigint"),
        ("+", "smallint", "int", "integer"),
        ("/", "real", "real", "real"),
        ("/", "real", "int", "double precision"),
        ("+", "decimal(8,2)", "real", "double precision"),
    ],
)
def test_types_of_results(operator: str, left: str, right: str, expected: str) -> None:
    assert str(arithmetic(operator, parse_type(left), parse_type(right))) == expected


@given(
    st.decimals(-99_999_999, 99_999_999, places=2),
    st.decimals(-99_999, 99_999, places=3),
)
@many
def test_decimals_are_divided_to_the_manuals_scale_and_cut_off(
    redshift: Any, dividend: Decimal, divisor: Decimal
) -> None:
    assume(divisor != 0)
    redshift.table("t", "a decimal(10,2), b decimal(8,3)", f"{dividend:f}, {divisor:f}")
    exact = Context(prec=100).divide(dividend, divisor)
    # scale = max(4, s1 + p2 - s2 + 1) = 8
    assert redshift.row("select a / b from t") == (exact.quantize(Decimal("0.00000001"), ROUND_DOWN),)
    redshift.forget_tables()


def test_a_column_through_a_whole_number_has_eight_places(redshift: Any) -> None:
    redshift.table("sales", "pricepaid decimal(8,2), qtysold smallint", "276.00, 3")
    assert str(redshift.row("select pricepaid / qtysold from sales")[0]) == "92.00000000"


def test_division_by_zero_is_an_error(redshift: Any) -> None:
    redshift.table("t", "a int, d decimal(8,2)", "0, 0")
    for expression in ("1 / a", "1 % a", "1.0 / d", "1 / 0"):
        with pytest.raises(Exception, match=r"(?i)division by zero"):
            redshift.rows(f"select {expression} from t")


def test_products_of_decimals_with_many_places_do_not_overflow(redshift: Any) -> None:
    redshift.table("t", "a decimal(18,6), b decimal(18,6)", "100000.000001, 20000.5")
    assert redshift.row("select a * b from t") == (Decimal("2000050000.020000500000"),)


def test_averages_and_sums(redshift: Any) -> None:
    redshift.table(
        "t", "i int, b bigint, d decimal(5,2), f real",
        "1, 9000000000000000000, 1.00, 0.5", "2, 200000000000000000, 1.01, 1", "-4, 0, 1.01, null",
    )  # fmt: skip
    assert redshift.row("select avg(i), avg(b), avg(d), avg(f) from t where i > 0") == (
        1, 4600000000000000000, Decimal("1.00"), 0.75,
    )  # fmt: skip
    assert redshift.row("select avg(i), sum(i), sum(d), sum(distinct d), avg(distinct d) from t") == (
        0, -1, Decimal("3.02"), Decimal("2.01"), Decimal("1.00"),
    )  # fmt: skip
    types = redshift.translate("select avg(i), avg(d), avg(f), sum(i), sum(d), sum(f) from t").types
    assert [str(type_) for type_ in types] == [
        "bigint", "numeric(38,2)", "double precision", "bigint", "numeric(38,2)", "double precision",
    ]  # fmt: skip


def test_long_chains_are_no_deep_trees(redshift: Any) -> None:
    assert redshift.value(" + ".join(["1"] * 900)) == 900
    assert redshift.value("(" + " and ".join(["1 = 1"] * 3000) + ")") is True
    assert redshift.value(" || ".join(["'a'"] * 900)) == "a" * 900


@pytest.mark.parametrize("expression", ["s + 1", "1 - s", "b + 1", "s * s", "d * 2", "d + d"])
def test_operators_that_do_not_exist(redshift: Any, expression: str) -> None:
    redshift.table("t", "s varchar(5), b bool, d date")
    with pytest.raises(errors.UndefinedFunction, match="operator does not exist"):
        redshift.translate(f"select {expression} from t")
