"""Comparisons: numbers beside text are text, literals beside dates are dates, CHAR ignores trailing blanks."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def rides(redshift: Any) -> Any:
    redshift.table(
        "rides", "vendorid varchar(10), n int, day date, at timestamp, flag char(5), price decimal(8,2), ok bool",
        "'1', 1, '2020-03-01', '2020-03-01 10:00', 'Y', 9.50, true",
        "'', 2, '2020-03-02', '2020-03-02 23:59:59', 'N  ', 10.00, false",
        "'2', 10, '2020-03-03', '2020-03-03', null, null, null",
        "'1x', null, null, null, 'Y', 1, true",
    )  # fmt: skip
    return redshift


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("vendorid = 1", 1),
        ("1 = vendorid", 1),
        ("vendorid <> 1", 3),
        ("vendorid in (1, 2)", 2),
        ("vendorid not in (1, 2)", 2),
        ("vendorid between 1 and 2", 3),
        ("vendorid = n", 1),
        ("n in (vendorid)", 1),
        ("n = '1'", 1),
        ("n in ('1', 2)", 2),
        ("vendorid = 1.0", 0),
        ("n in (select vendorid from rides)", 2),
        ("vendorid in (select n from rides)", 2),
        ("case vendorid when 1 then true else false end", 1),
        ("decode(vendorid, 1, 'one', 'other') = 'one'", 1),
        ("nullif(vendorid, 1) is null", 1),
        ("day = '2020-03-01'", 1),
        ("day between '20200301' and '3/2/2020'", 2),
        ("day < '2020-03-02 12:00'", 2),
        ("at >= '2020-03-02' and at < '2020-03-03'", 1),
        ("at in ('2020-03-03', '2020-03-01 10:00')", 2),
        ("day = at", 1),
        ("vendorid = day", 0),
        ("flag = 'N'", 1),
        ("flag = 'Y    '", 2),
        ("flag in ('Y  ', 'z')", 2),
        ("ok = 't'", 2),
        ("price = '9.5'", 1),
        ("price > n", 2),
        ("n is distinct from 1", 3),
        ("(n, vendorid) = (1, '1')", 1),
        ("(n, vendorid) in (select n, vendorid from rides)", 3),
        ("n = any(select 1)", 1),
        ("n >= all(select 2)", 2),
        ("exists(select 1 from rides r where r.n > rides.n)", 2),
        ("not (n = 1 or n = 2)", 1),
        ("ok is true", 2),
        ("ok is not false", 3),
        ("ok is unknown", 1),
        ("n isnull", 1),
        ("n notnull", 3),
    ],
)  # fmt: skip
def test_conditions(rides: Any, condition: str, expected: int) -> None:
    assert rides.row(f"select count(*) from rides where {condition}") == (expected,)


def test_joins_between_numbers_and_text_compare_text(rides: Any) -> None:
    assert rides.rows("select a.vendorid from rides a join rides b on a.vendorid = b.n") == [("1",), ("2",)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'a_b' like 'a\\\\_b'", True),
        ("'axb' like 'a\\\\_b'", False),
        ("'a%b' like 'a^%b' escape '^'", True),
        ("'ABC' ilike 'a%'", True),
        ("'abc' not like 'x%'", True),
        ("15.5 like '15%'", True),
        ("timestamp '2008-09-01 10:00' like '2008-09%'", True),
        ("null like 'a'", None),
        ("'abc' similar to '(a|z)%'", True),
        ("'abc' similar to 'a_c'", True),
        ("'abc' similar to 'b'", False),
        ("'a.c' similar to 'a.c'", True),
        ("'abc' similar to 'a.c'", False),
        ("'a%' similar to 'a\\\\%'", True),
        ("'ab' similar to '[a-c]{2}'", True),
        ("'a\nb' similar to 'a%b'", True),
        ("'abc' not similar to 'a%'", False),
        ("'abc' ~ 'b'", True),
        ("'abc' ~ '^b'", False),
        ("'ABC' ~* 'b'", True),
        ("'abc' !~ 'x'", True),
        ("'abc' !~* 'B'", False),
    ],
)
def test_patterns(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) is expected


def test_a_pattern_from_a_column_has_the_backslash_as_escape(redshift: Any) -> None:
    redshift.table("t", "s varchar(10), p varchar(10)", "'a_b', 'a\\\\_b'", "'axb', 'a\\\\_b'")
    assert redshift.rows("select s from t where s like p") == [("a_b",)]
