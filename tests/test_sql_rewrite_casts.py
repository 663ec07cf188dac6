"""CAST and its kin: text cut to bytes, decimals cut or rounded, refusals."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors

many = settings(max_examples=150, deadline=None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'Fourscore and seven'::varchar(5)", "Fours"),
        ("'héé'::varchar(3)", "hé"),
        ("'héé'::varchar(2)", "h"),
        ("'€uro'::varchar(2)", ""),
        ("12345::varchar(3)", "123"),
        ("'ab  '::char(3) || '|'", "ab|"),
        ("cast('x' as character varying(max))", "x"),
        ("convert(integer, '42')", 42),
        ("cast(2008 as char(4))", "2008"),
        ("1.567::decimal", Decimal(2)),
        ("'1.5'::numeric", Decimal(2)),
        ("cast(109.652 as decimal(4,1))", Decimal("109.7")),
        ("2.5::int", 3),
        ("3.5::int + 2.5::int", 7),
        ("' 42 '::int", 42),
        ("'1e3'::float", 1000.0),
        ("100::float8::varchar", "100"),
        ("0.1::real::varchar", "0.1"),
        ("1.50::decimal(5,2)::varchar", "1.50"),
        ("timestamp '2020-01-01 10:00'::varchar", "2020-01-01 10:00:00"),
        ("timestamp '2020-01-01 10:00:00.5'::varchar", "2020-01-01 10:00:00.5"),
        ("date '2020-01-01'::timestamp", dt.datetime(2020, 1, 1)),
        ("timestamp '2020-01-01 10:00'::date", dt.date(2020, 1, 1)),
        ("'yes'::boolean and 't'::bool and not 'f'::bool", True),
        ("5::bool", True),
        ("true::int", 1),
        ("try_cast('x' as int)", None),
        ("try_cast('2020-13-01' as date)", None),
        ("try_cast('20201231' as date)", dt.date(2020, 12, 31)),
        ("null::varchar(3)", None),
        ("'abc'::varbyte", b"abc"),
    ],
)  # fmt: skip
def test_casts(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12), st.integers(1, 20))
@many
def test_text_is_cut_to_bytes_at_a_character(redshift: Any, text: str, length: int) -> None:
    cut = text.encode()[:length].decode(errors="ignore")
    redshift.table("t", "s varchar(100)")
    redshift.connection.execute("INSERT INTO public.t VALUES (?)", [text])
    assert redshift.row(f"select s::varchar({length}) from t") == (cut,)
    redshift.forget_tables()


def test_decimals_of_tables_are_cut_and_constants_rounded(redshift: Any) -> None:
    redshift.table("t", "d decimal(10,4), f float8", "1.6789, 1.6789")
    assert redshift.row("select d::decimal(10,2), (-d)::decimal(4,1) from t") == (Decimal("1.67"), Decimal("-1.6"))
    assert redshift.row("select 1.6789::decimal(10,2), f::decimal(10,2) from t") == (Decimal("1.68"), Decimal("1.68"))


def test_the_manuals_standard_deviations_are_rounded(redshift: Any) -> None:
    redshift.table("t", "n int", "1", "2", "4")
    assert redshift.row("select cast(stddev_samp(n) as dec(14,2)), cast(stddev_pop(n) as dec(14,2)) from t") == (
        Decimal("1.53"), Decimal("1.25"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "condition", "message"),
    [
        ("true::varchar", errors.CannotCoerce, "cannot cast type boolean to character varying"),
        ("2.5::bool", errors.CannotCoerce, "cannot cast type numeric to boolean"),
        ("1::date", errors.CannotCoerce, "cannot cast type integer to date"),
        ("current_date::int", errors.CannotCoerce, "cannot cast type date to integer"),
        ("current_date::super", errors.CannotCoerce, "cannot cast type date to super"),
        ("'x'::int", errors.InvalidTextRepresentation, 'invalid input syntax for type integer: "x"'),
        ("'2.5'::int", errors.InvalidTextRepresentation, 'invalid input syntax for type integer: "2.5"'),
        ("'abc'::decimal(5,2)", errors.InvalidTextRepresentation, 'invalid input syntax for type numeric: "abc"'),
        ("1::decimal(39,0)", errors.InvalidParameterValue, "NUMERIC precision 39 must be between 1 and 38"),
        ("'x'::varchar(70000)", errors.InvalidParameterValue, "length for type varchar cannot exceed 65535"),
        ("1::geometry", errors.UndefinedObject, 'type "geometry" does not exist'),
        ("1::tinyint", errors.UndefinedObject, 'type "tinyint" does not exist'),
        ("1::int[]", errors.CannotCoerce, "cannot cast type integer to integer[]"),
        ("1::regconfig", errors.UndefinedObject, "does not exist"),
    ],
)
def test_casts_that_are_refused(redshift: Any, expression: str, condition: type[errors.Error], message: str) -> None:
    with pytest.raises(condition) as caught:
        redshift.value(expression)
    assert message in caught.value.message
    assert caught.value.position is not None


@pytest.mark.parametrize("expression", ["12345678::smallint", "123.456::decimal(2,1)", "'99999999999'::int"])
def test_values_out_of_range_are_errors_of_the_engine(redshift: Any, expression: str) -> None:
    with pytest.raises(Exception, match=r"(?i)out of range|could not convert"):
        redshift.value(expression)
