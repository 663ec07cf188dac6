"""Named parameters of the Data API: what is one, and that its value arrives as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.sql import fill


def test_a_name_becomes_a_literal() -> None:
    filled = fill("select * from t where a = :a and b = :b", {"a": "1", "b": "it's"})
    assert filled.text == "select * from t where a =  '1'  and b =  'it''s' "
    assert filled.names == {"a", "b"}


@pytest.mark.parametrize(
    "text",
    [
        "select ':a'",
        'select ":a"',
        "select 1 -- :a",
        "select 1 /* :a /* :a */ :a */",
        "select $$ :a $$",
        "select $x$ :a $x$",
        "select b::a",
        "select 'x\\' :a'",
        "select 'no end :a",
        "select $x$ no end :a $y$",
        "select :other",
    ],
)
def test_what_only_looks_like_a_name_stays(text: str) -> None:
    filled = fill(text, {"a": "1"})
    assert (filled.text, filled.names) == (text, frozenset())


def test_an_unfinished_comment_is_an_error() -> None:
    with pytest.raises(errors.SyntaxError):
        fill("select :a /* :a", {"a": "1"})


def test_positions_are_those_of_the_text_as_it_was_given() -> None:
    text = "select :a, wrong, :b, wrong"
    filled = fill(text, {"a": "a long value", "b": "2"})
    first, second = filled.text.index("wrong"), filled.text.rindex("wrong")
    assert filled.original_position(1) == 1
    assert filled.original_position(first + 1) == text.index("wrong") + 1
    assert filled.original_position(second + 1) == text.rindex("wrong") + 1


text_of_sql = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(text_of_sql)
def test_any_value_arrives_as_it_was(translating_engine: Any, value: str) -> None:
    filled = fill("select :value || ''", {"value": value})
    assert translating_engine.rows(filled.text) == [(value,)]


@given(text_of_sql, st.sampled_from(["e:v", "'a':v", ":v'b'", "x:v", ":v:v"]))
def test_no_value_becomes_part_of_what_stands_beside_it(value: str, around: str) -> None:
    filled = fill(around, {"v": value})
    literal = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    assert filled.text == around.replace(":v", f" {literal} ")
