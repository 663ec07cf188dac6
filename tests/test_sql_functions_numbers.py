"""Mathematical functions, conditions, and what a session says about itself."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from restframe import errors


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("abs(-5)", 5),
        ("ceil(28.05) + ceiling(-0.5)", Decimal(29)),
        ("floor(-28.05)", Decimal(-29)),
        ("round(28.05)", Decimal(28)),
        ("round(28.05, 1)", Decimal("28.1")),
        ("round(-2.5)", Decimal(-3)),
        ("round(1234.567, -2)", Decimal(1200)),
        ("round(2.5e0)", 3.0),
        ("round(1285, -1)", 1290),
        ("trunc(111.15)", Decimal(111)),
        ("trunc(111.15, 1)", Decimal("111.1")),
        ("trunc(111.15, -1)", Decimal(110)),
        ("trunc(-1.7e0)", -1.0),
        ("mod(-7, 3)", -1),
        ("mod(7.5, 2)", Decimal("1.5")),
        ("power(2, 10) + sqrt(16) + cbrt(8)", pytest.approx(1030.0)),
        ("cbrt(27)", 3.0),
        ("cbrt(-27) + cbrt(0)", -3.0),
        ("||/ 64 - |/ 16", 0.0),
        ("log(1000) + ln(exp(1)) + dlog10(100)", pytest.approx(6.0)),
        ("dexp(0) + dlog1(1)", 1.0),
        ("sign(-5) + sign(2.5)", Decimal(0)),
        ("pi()", math.pi),
        ("degrees(radians(180))", pytest.approx(180.0)),
        ("sin(0) + cos(0) + tan(0) + atan2(0, 1)", 1.0),
        ("cot(1)", pytest.approx(1 / math.tan(1))),
        ("random() between 0 and 1", True),
        ("greatest(1, null, 3)", 3),
        ("least('b', 'a')", "a"),
        ("coalesce(null, null, 2)", 2),
        ("nvl(null, 'x')", "x"),
        ("nvl2(null, 'a', 'b') || nvl2(1, 'a', 'b')", "ba"),
        ("nullif(1, 1)", None),
        ("nullif(2, 1)", 2),
        ("decode(2, 1, 'one', 2, 'two')", "two"),
        ("decode(null, 1, 'one', null, 'none', 'other')", "none"),
        ("decode(3, 1, 'one')", None),
        ("decode(3, 1 + 1, 'two', 1 + 2, 'three')", "three"),
        ("coalesce(null, date '2024-01-01') = '2024-01-01'", True),
        ("checksum(109.20::decimal(8,2))", 10920),
    ],
)  # fmt: skip
def test_functions_of_numbers(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "type_"),
    [
        ("ceil(d)", "numeric(7,0)"),
        ("round(d)", "numeric(7,0)"),
        ("round(d, 1)", "numeric(8,1)"),
        ("round(i)", "integer"),
        ("abs(d)", "numeric(8,2)"),
        ("sqrt(i)", "double precision"),
        ("coalesce(i, d)", "numeric(12,2)"),
        ("nvl(i, 0)", "integer"),
        ("case when i = 1 then i else b end", "bigint"),
        ("len('a')", "integer"),
        ("mod(i, b)", "bigint"),
    ],
)
def test_types_of_results(redshift: Any, expression: str, type_: str) -> None:
    redshift.table("t", "i int, b bigint, d decimal(8,2)")
    assert str(redshift.translate(f"select {expression} from t").types[0]) == type_


def test_functions_of_columns(redshift: Any) -> None:
    redshift.table("t", "i int, d decimal(8,2), n int", "7, 111.15, 1", "-7, -28.05, -1", "null, null, 0")
    assert redshift.rows("select round(d, n), trunc(d, n), abs(i), floor(d), i % 3 from t order by i") == [
        (Decimal("-30.00"), Decimal("-20.00"), 7, Decimal(-29), -1),
        (Decimal("111.20"), Decimal("111.10"), 7, Decimal(111), 1),
        (None, None, None, None, None),
    ]  # fmt: skip


def test_what_a_session_says_about_itself(redshift: Any) -> None:
    redshift.connection.execute(
        "SET VARIABLE restframe_user = 'awsuser'; SET VARIABLE restframe_database = 'dev'; "
        "SET VARIABLE restframe_schema = 'public'; SET VARIABLE restframe_pid = 7; "
        "SET VARIABLE restframe_last_copy_count = 10320; SET VARIABLE restframe_search_path = ['public', 'other']"
    )
    assert redshift.row(
        "select current_user, user, session_user, current_database(), current_schema(), pg_backend_pid(), "
        "pg_last_copy_count(), current_schemas(false), current_schemas(true)"
    ) == ("awsuser", "awsuser", "awsuser", "dev", "public", 7, 10320, ["public", "other"],
          ["pg_catalog", "public", "other"])  # fmt: skip
    version = redshift.value("version()")
    assert version.startswith("PostgreSQL 8.0.2 on ")
    assert "Redshift 1.0" in version


@pytest.mark.parametrize(
    ("expression", "condition"),
    [
        ("sqrt('x' || 'y')", errors.UndefinedFunction),
        ("abs(current_date)", errors.UndefinedFunction),
        ("abs(true)", errors.UndefinedFunction),
        ("power(2)", errors.UndefinedFunction),
        ("strtol('1', 99)", errors.InvalidParameterValue),
        ("99999999999999999999999999999999999999999", errors.NumericValueOutOfRange),
        ("object('a')", errors.UndefinedFunction),
        ("pi(1)", errors.UndefinedFunction),
    ],
)
def test_what_is_refused(redshift: Any, expression: str, condition: type[errors.Error]) -> None:
    with pytest.raises(condition) as caught:
        redshift.value(expression)
    assert caught.value.position is not None


def test_an_unknown_function_is_named_with_its_types_and_a_way_out(redshift: Any) -> None:
    with pytest.raises(errors.UndefinedFunction) as caught:
        redshift.translate("select  foo(1, 'a', null)")
    assert caught.value.message == "function foo(integer, character varying, unknown) does not exist"
    assert caught.value.position == 9
    with pytest.raises(errors.UndefinedFunction) as caught:
        redshift.translate("select date_format(current_date, '%Y')")
    assert caught.value.hint == "Use to_char(timestamp, format)."
