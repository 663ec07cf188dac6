"""Tokens with which lists go on."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws import tokens

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.floats(allow_nan=False), TEXTS)
def test_there_and_back(value: float, text: str) -> None:
    assert tokens.read(tokens.write(value, text), float, str) == [value, text]


@pytest.mark.parametrize(
    "place", ['["a", "b"]', "[]", "[1]", '"a"', "null", "{}", '["\\ud800"]', "[" * 3000, "", "\xff"]
)
def test_places_that_are_none(place: str) -> None:
    with pytest.raises(ValueError):
        tokens.read(base64.urlsafe_b64encode(place.encode("latin-1")).decode(), str)


@given(TEXTS)
def test_texts_that_are_no_tokens(token: str) -> None:
    with pytest.raises(ValueError):
        tokens.read(token, str)
