"""Text to tree: errors with their place, and everything of the user's that must not mean something to the parser."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.statements.query import Delete, Insert, Merge, Query, SelectInto, Update, read_query, read_statement
from restframe.sql.tree import parse_tree


@pytest.mark.parametrize(
    ("text", "message", "position"),
    [
        ("select 1 +", "syntax error at end of input", 11),
        ("select (1", "syntax error at end of input", 10),
        ("select a from", "syntax error at end of input", 14),
        ("select a b c from t", 'syntax error at or near "c"', 12),
        ("select a from t where", "syntax error at end of input", 22),
        ("select * form t", 'syntax error at or near "t"', 15),
        ("select case when 1 then 2", "syntax error at end of input", 26),
        ("select 'abc", "unterminated quoted string or comment", 8),
        ('select "abc', "unterminated quoted string or comment", 8),
        ("select 1 /* x", "unterminated quoted string or comment", 10),
        ("select 1 from t )", 'syntax error at or near ")"', 17),
        ("select id from t, @ t.a.b", "syntax error", 1),
        ("select id from t, t.a.b as %00 at i", "syntax error", 1),
        ("select 1\n  from t order order", 'syntax error at or near "order"', 25),
    ],
)
def test_syntax_errors(text: str, message: str, position: int) -> None:
    with pytest.raises(errors.SyntaxError) as caught:
        parse_tree(text)
    assert (caught.value.message, caught.value.position) == (message, position)


def test_positions_are_counted_from_where_the_text_starts() -> None:
    with pytest.raises(errors.SyntaxError) as caught:
        parse_tree("select a b c", 101)
    assert caught.value.position == 112


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("select 1", Query),
        ("with a as (select 1) select * from a", Query),
        ("(select 1) union (select 2)", Query),
        ("insert into t values (1)", Insert),
        ("update t set a = 1", Update),
        ("delete from t", Delete),
        ("merge into t using u on t.a = u.a when matched then delete", Merge),
    ],
)
def test_kinds_of_statements(text: str, kind: type) -> None:
    assert type(read_statement(text)) is kind


def test_select_into() -> None:
    statement = read_statement("select a into temp s.new from t")
    assert isinstance(statement, SelectInto)
    assert (str(statement.name), statement.name.position, statement.temporary) == ("s.new", 22, True)


def test_a_query_is_wanted() -> None:
    with pytest.raises(errors.SyntaxError, match='at or near "delete"'):
        read_query("delete from t", 5)


def test_a_statement_can_be_translated_twice(redshift: Any) -> None:
    from restframe import sql

    (statement,) = sql.parse("select nvl(1, 2) as x")
    assert sql.translate(statement, redshift).sql == sql.translate(statement, redshift).sql


# Hostile texts


@pytest.mark.parametrize(
    "comment",
    ["/* sqlglot.anonymous */", "/* sqlglot.meta start=99999, end=1 */", "-- sqlglot.meta inline", "/*+ hint */"],
)
def test_comments_mean_nothing(redshift: Any, comment: str) -> None:
    assert redshift.rows(f"select {comment}\n nvl(null, {comment}\n 7) {comment}\n") == [(7,)]
    with pytest.raises(errors.UndefinedColumn) as caught:
        redshift.translate(f"select nosuch {comment}\n")
    assert caught.value.position == 8


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_comes_back_from_a_literal(redshift: Any, text: str) -> None:
    written = text.replace("\\", "\\\\").replace("'", "''")
    assert redshift.row(f"select '{written}', len('{written}x')") == (text, len(text) + 1)


@given(st.text(st.characters(exclude_characters='\0"', exclude_categories=["Cs"]), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_any_name_comes_back_from_a_quoted_one(redshift: Any, name: str) -> None:
    name = name.lower()
    if name.lower() != name or not name.strip() or name.endswith("("):
        return
    translation = redshift.translate(f'select "{name}" from (select 1 as "{name}") as "q{name}"')
    assert translation.labels == (name,)
    assert redshift.connection.execute(translation.sql).fetchall() == [(1,)]


def test_quotes_in_names(redshift: Any) -> None:
    assert redshift.rows('select "a""b" from (select 1 as "a""b") x') == [(1,)]


@pytest.mark.parametrize(
    "nested",
    ["(" * 300 + "1" + ")" * 300, "(select " * 300 + "1" + ")" * 300, "not " * 5000 + "true", "- " * 5000 + "1",
     "case when 1=1 then " * 500 + "1" + " end" * 500, "abs(" * 300 + "1" + ")" * 300, "decimal(" * 60 + "1" + ")" * 60,
     "if[" * 60 + "1" + "]" * 60, "array[" * 60 + "1" + "]" * 60, "date[" * 60 + "1" + "]" * 60,
     "1::int" + "::int" * 5000],
)  # fmt: skip
def test_deep_nesting_is_refused_soon(redshift: Any, nested: str) -> None:
    start = time.process_time()
    with pytest.raises(errors.Error):
        redshift.rows(f"select {nested}")
    assert time.process_time() - start < 5


def test_placeholders_keep_their_numbers_wherever_they_move(redshift: Any) -> None:
    text = "select dateadd(day, ?::int, ?::date), decode(?::int, ?, 'same', ?) || ?::varchar"
    values = [1, "2020-01-01", 5, 5, "other", "!"]
    row = redshift.row(text, values)
    assert (str(row[0]), row[1]) == ("2020-01-02 00:00:00", "same!")


def test_named_and_numbered_parameters(redshift: Any) -> None:
    assert redshift.row("select :b::int - :a::int, :b::int", {"a": 1, "b": 5}) == (4, 5)
    assert redshift.row("select $2::int - $1::int", [1, 5]) == (4,)


def test_types_of_parameters_count_like_those_of_literals(redshift: Any) -> None:
    redshift.table("rides", "vendorid varchar(5)", "'1'", "''", "'x'")
    assert redshift.rows("select count(*) from rides where vendorid = ?", [1]) == [(1,)]
    assert [str(type_) for type_ in redshift.translate("select ? + 1, ?", [1.5, True]).types] == [
        "double precision", "boolean",
    ]  # fmt: skip
