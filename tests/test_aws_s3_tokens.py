"""Continuation tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws.errors import AwsError
from restframe.aws.s3 import tokens


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_there_and_back(after: str) -> None:
    assert tokens.read(tokens.write(after)) == after


def test_no_token_is_the_beginning() -> None:
    assert tokens.read(None) == ""


@pytest.mark.parametrize("token", ["", "x", "ä", "MQ=", "Mv8=", "Mf8=", "!!!!"])
def test_tokens_that_are_none(token: str) -> None:
    with pytest.raises(AwsError, match="The continuation token provided is incorrect"):
        tokens.read(token)
