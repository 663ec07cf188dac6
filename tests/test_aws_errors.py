"""Errors as AWS words them."""

from __future__ import annotations

from restframe.aws.errors import AwsError


def test_an_error_repeats_nothing_endless() -> None:
    error = AwsError("ResourceNotFoundException", "a" * 100_000, 404, ResourceId="b" * 100_000, Size=1)
    assert error.message == "a" * 4096 + "..."
    assert error.members == {"ResourceId": "b" * 4096 + "...", "Size": 1}
    assert str(error) == f"ResourceNotFoundException: {error.message}"


def test_an_error_says_what_it_was_given() -> None:
    error = AwsError("ModelError", "a" * 4096, OriginalMessage="ä" * 4096)
    assert (error.code, error.status) == ("ModelError", None)
    assert (error.message, error.members) == ("a" * 4096, {"OriginalMessage": "ä" * 4096})
