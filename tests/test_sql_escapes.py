"""Strings as clients quote them arrive as they were."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import pq, sql

from restframe import errors
from restframe.sql.escapes import unescaped
from restframe.sql.tree import parse_tree

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def read(literal: str) -> str:
    """What the engine is given for a literal."""
    text = f"select {literal}"
    (value,) = parse_tree(text).expressions
    return str(value.this)


@given(TEXTS)
@example("\\'")
@example("'\\")
@example("\\\\''\\x41\\101")
@example("$$ -- /* ; $1 ?")
def test_texts_quoted_by_clients_arrive(text: str) -> None:
    doubled = text.replace("'", "''")
    # what is told of standard_conforming_strings is off, and then drivers double backslashes: JDBC's in '', psycopg2
    # and libpq in E''
    assert read("'" + doubled.replace("\\", "\\\\") + "'") == text
    assert read(" E'" + doubled.replace("\\", "\\\\") + "'") == text
    quoted = pq.Escaping().escape_string(text.encode()).decode()
    assert read(f" E'{quoted}'" if "\\" in text else f"'{quoted}'") == text
    assert read(sql.Literal(text).as_string()) == text


@pytest.mark.parametrize(
    ("body", "extended", "text"),
    [
        (r"\b\f\n\r\t\v\q\'\\", False, "\b\f\n\r\tvq'\\"),
        (r"\101\7\0012\501", True, "A\x07\x012A"),
        (r"\x41\xg", False, "x41xg"),
        (r"\x41\x4z\xg", True, "A\x04zxg"),
        (r"\u00e9\uD83D\uDE00\U0001F600", True, "é😀😀"),
        (r"\u00e9", False, "u00e9"),
        (r"\303\251", False, "é"),
        ("it''s", False, "it's"),
        (r"\\''", False, "\\'"),
        (r"\''", False, "''"),
    ],
)
def test_escapes(body: str, extended: bool, text: str) -> None:
    assert unescaped(body, extended) == text


@pytest.mark.parametrize(
    ("body", "sqlstate"), [(r"a\0", "22021"), (r"\xff", "22021"), (r"\ud83d", "42601"), (r"\U00110000", "42601")]
)
def test_what_is_no_character(body: str, sqlstate: str) -> None:
    with pytest.raises(errors.Error) as refused:
        unescaped(body, extended=True)
    assert refused.value.sqlstate == sqlstate


def test_mistakes_have_their_place() -> None:
    with pytest.raises(errors.CharacterNotInRepertoire) as refused:
        parse_tree(r"select 1, E'\xff'", position=11)
    assert refused.value.position == 21
