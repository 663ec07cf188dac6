"""Long VALUES lists read as columns of text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe.sql.values import RowsOfLiterals, read_rows_of_literals

FILL = ", ".join(["(0, 'x')"] * 600)


def read(rows: str, head: str = "insert into t (a, b) values") -> RowsOfLiterals:
    found = read_rows_of_literals(f"{head} {FILL}, {rows}")
    assert found is not None
    return found[1]


def last(rows: RowsOfLiterals) -> tuple[str | None, ...]:
    return tuple(column[-1] for column in rows.columns)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("(1, 'a')", ("1", "a")),
        ("( -2.50 ,'it''s' )", ("-2.50", "it's")),
        ("(null, NULL)", (None, None)),
        ("(1e5, '')", ("1e5", "")),
        ("(007, 'null')", ("7", "null")),
        ("(0.5, 'a\\nb\\\\c')", ("0.5", "a\nb\\c")),
        ("(true, FALSE)", ("true", "FALSE")),
        ("\n(3,\n'(4, 5)')\n", ("3", "(4, 5)")),
    ],
)
def test_rows_of_literals(row: str, expected: tuple[str | None, ...]) -> None:
    assert last(read(row)) == expected


@pytest.mark.parametrize(
    "rows",
    [
        "(1, 'a'), (2)", "(1, 'a', 3)", "(1, f(2))", "(1, 1 + 2)", "(1, a)", "(1,, 'a')", "(1 'a')", "1, 'a'",
        "(1, 'a'", "(1, 'a'),", "(1, 'a') -- done", "(1, 'a') /* c */", "(1, 'a') returning a", "(1, default)",
        "(1, ?)", "(1, $1)", "(1, date '2020-01-01')",
        "((1), 'a')", "(1, 'a')(2, 'b')", "(1, 'a'); drop table t", "(1, 'a)",
    ],
)  # fmt: skip
def test_everything_else_is_left_to_the_parser(rows: str) -> None:
    assert read_rows_of_literals(f"insert into t (a, b) values {FILL}, {rows}") is None


@pytest.mark.parametrize(
    ("head", "shortened"),
    [
        ("insert into t values", "insert into t DEFAULT VALUES"),
        ("INSERT  INTO public.t (a,b) VALUES", "INSERT  INTO public.t (a,b) DEFAULT VALUES"),
        ('insert into "S"."My ""T""" ("a b", c) values', 'insert into "S"."My ""T""" ("a b", c) DEFAULT VALUES'),
    ],
)
def test_heads(head: str, shortened: str) -> None:
    found = read_rows_of_literals(f"{head} {FILL}")
    assert found is not None
    assert found[0] == shortened


def test_short_lists_and_other_statements_are_none_of_ours() -> None:
    assert read_rows_of_literals("insert into t values (1)") is None
    assert read_rows_of_literals("select " + "1, " * 3000 + "1") is None
    assert read_rows_of_literals(f"insert into t select * from u where x in ({FILL})") is None


def test_columns_with_numbers_are_marked() -> None:
    assert read("(1, null)").unquoted == (True, False)


@given(st.lists(st.text(st.characters(exclude_characters="\\")), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_any_text_comes_back(texts: list[str]) -> None:
    rows = ", ".join("(1, '" + text.replace("'", "''") + "')" for text in texts)
    assert read(rows).columns[1][600:] == texts
