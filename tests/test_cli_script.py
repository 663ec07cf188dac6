"""Statements and backslash commands in a script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe import errors
from restframe.cli.script import is_complete, pieces


def _texts(text: str) -> list[str]:
    return [piece.text for piece in pieces(text)]


def test_statements_and_commands_alternate() -> None:
    text = "\\timing on\nselect 1; -- one; still\nselect ';\n\\q';\n  \\d trips\nselect 2"
    assert _texts(text) == ["\\timing on", "select 1", "select ';\n\\q'", "\\d trips", "select 2"]
    assert all(text[piece.start :].startswith(piece.text) for piece in pieces(text))


def test_a_backslash_inside_a_statement_is_no_command() -> None:
    assert _texts("copy t from 's3://b/k' delimiter\n'\\t'") == ["copy t from 's3://b/k' delimiter\n'\\t'"]


def test_a_quote_that_never_ends_is_reported_where_it_begins() -> None:
    with pytest.raises(errors.SyntaxError) as caught:
        _texts("select 1; select 'abc")
    assert caught.value.position == 18


@pytest.mark.parametrize(
    "text", ["", "select 1;", "select 1; -- done", "\\d", "\\d trips\n", "select 1;\n\\x", "select $$;$$;"]
)
def test_complete_texts_run_at_once(text: str) -> None:
    assert is_complete(text)


@pytest.mark.parametrize("text", ["select 1", "select ';'", "select 1; select", "select 'a", "/* ; ", "select $$;"])
def test_incomplete_texts_wait_for_another_line(text: str) -> None:
    assert not is_complete(text)


@given(st.text(alphabet="ab;'\"\\\n-/* $d", max_size=40))
def test_any_text_is_read_to_its_end(text: str) -> None:
    try:
        found = list(pieces(text))
    except errors.SyntaxError as error:
        assert error.position is None or 1 <= error.position <= len(text) + 1
        return
    assert [piece.start for piece in found] == sorted({piece.start for piece in found})
    assert all(text[piece.start :].startswith(piece.text) for piece in found)
