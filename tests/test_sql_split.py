"""Cutting a text into statements: quotes, comments and dollar quotes hide their semicolons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.split import split


def texts(text: str) -> list[str]:
    return [span.text for span in split(text)]


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("", []),
        (" ;; \n -- nothing\n; /* nor ; here */ ;", []),
        ("select 1", ["select 1"]),
        ("select 1;", ["select 1"]),
        ("drop model if exists m;CREATE MODEL m", ["drop model if exists m", "CREATE MODEL m"]),
        ("select ';', ';;';select \"a;b\"", ["select ';', ';;'", 'select "a;b"']),
        ("select 'it''s;' ; b", ["select 'it''s;'", "b"]),
        (r"select 'a\';' ; b", [r"select 'a\';'", "b"]),
        ("a -- ; not here\n; b", ["a -- ; not here", "b"]),
        ("a /* one ; /* nested ; */ ; */ b; c", ["a /* one ; /* nested ; */ ; */ b", "c"]),
        ("call p($$ x; y $$); d", ["call p($$ x; y $$)", "d"]),
        ("do $q$ a; $$ b; $q$; e", ["do $q$ a; $$ b; $q$", "e"]),
        ("select $1; select a$b$; select c$b$", ["select $1", "select a$b$", "select c$b$"]),
        ("1 - 2 / 3 -1;x", ["1 - 2 / 3 -1", "x"]),
    ],
)
def test_statements_of_a_text(text: str, statements: list[str]) -> None:
    assert texts(text) == statements


def test_spans_say_where_and_what() -> None:
    first, second = split("-- hello\n  Select 1;  /* x */ (select 2)")

    assert (first.start, first.keyword) == (11, "SELECT")
    assert (second.start, second.keyword) == (30, "(")


@pytest.mark.parametrize(
    ("text", "position"),
    [("select 1; select 'abc", 18), ('x "never', 3), ("a /* b /* c */", 3), ("x $$ y", 3), ("x /* */ '", 9)],
)
def test_what_never_ends_is_an_error_where_it_starts(text: str, position: int) -> None:
    with pytest.raises(errors.SyntaxError, match="unterminated") as caught:
        split(text)
    assert caught.value.position == position


def test_a_quote_behind_a_backslash_ends_no_string() -> None:
    with pytest.raises(errors.SyntaxError, match="unterminated") as caught:
        split("copy t from stdin csv escape '\\'")
    assert caught.value.hint == "A backslash takes the quote behind it into the string; write two for one."


PIECES = ["a", " ", "\n", "';'", '";"', "-- ;\n", "/* ; */", "/* /* ; */ */", "$$;$$", "$x$;$x$", "$1", "-", "/", "é"]


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(lambda pieces: "x " + " ".join(pieces)), max_size=5))
def test_joined_statements_come_apart_again(statements: list[str]) -> None:
    assert texts(" ;\n".join(statements)) == [statement.rstrip() for statement in statements]


@given(st.text(alphabet="a ;'\"-/*$\\\n", max_size=40))
def test_no_character_outside_blanks_comments_and_semicolons_is_lost(text: str) -> None:
    try:
        spans = split(text)
    except errors.SyntaxError:
        return
    for span in spans:
        assert text[span.start : span.start + len(span.text)] == span.text
    ends = [0, *(span.start + len(span.text) for span in spans)]
    starts = [*(span.start for span in spans), len(text)]
    for end, start in zip(ends, starts, strict=True):
        assert split(text[end:start]) == []


@pytest.mark.parametrize(("text", "position"), [("select 'a\0b'", 10), ("select 1;\0", 10), ("select 'é\ud800'", 10)])
def test_characters_that_are_no_text(text: str, position: int) -> None:
    with pytest.raises(errors.CharacterNotInRepertoire) as caught:
        split(text)
    assert caught.value.position == position


def test_of_very_many_statements_no_trees_are_made() -> None:
    assert len(split("select 1;" * 100_000)) == 100_000
    with pytest.raises(errors.StatementTooComplex) as caught:
        split("select 1;" * 100_001)
    assert caught.value.position == 900_001
