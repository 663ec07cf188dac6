"""The regular expressions of the descriptions."""

from __future__ import annotations

import pytest

from restframe.aws import wire
from restframe.aws.wire.description import describe
from restframe.aws.wire.patterns import Pattern, is_dangerous


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+",
        "(a*)*",
        "(a|b)*",
        "(a|a)+",
        "([-a-z]*[a-z])*",
        "(a?){30}",
        "([a-z]+/?){3,}",
        "x((a+)+)?",
        "(?:a+b?)+",
        "((a))*",
    ],
)
def test_what_may_take_endlessly_long(text: str) -> None:
    assert is_dangerous(text)


@pytest.mark.parametrize(
    "text",
    [
        "(-*[a-z])*",
        "([a-z]+-)+",
        "(ab)+",
        "(x{3}-){2}",
        "(/[a-z]+)*",
        "a+",
        "(a+)?",
        "(a|b)",
        "[(a+)+]",
        r"\(a+\)+",
        "(a+){1}",
    ],
)
def test_what_is_harmless(text: str) -> None:
    assert not is_dangerous(text)


def test_the_whole_text_counts() -> None:
    pattern = Pattern("^[a-z]+")
    assert pattern.holds("abc")
    assert not pattern.holds("abc1")
    assert not pattern.holds("abc\n")
    assert not Pattern(r"\d+").holds("١٢")


def test_what_cannot_be_checked_holds() -> None:
    assert Pattern(r"[\p{L}]+").holds("1")
    assert Pattern("(a+)+").holds("b" * 1000)
    assert Pattern("[a-z]+").holds("1" * 2000)


PATTERNS = sorted(
    {shape["pattern"] for name in wire.SERVICES for shape in describe(name)["shapes"].values() if "pattern" in shape}
)


def test_most_patterns_of_the_descriptions_are_checked() -> None:
    """Others are not Python's, or may take endlessly long."""
    assert {text for text in PATTERNS if is_dangerous(text)} >= {
        "https://([.\\-_a-zA-Z0-9]+/?){3,1016}",
        "[a-z0-9]([-a-z0-9]*[a-z0-9]){0,39}?",
    }
    unchecked = [text for text in PATTERNS if Pattern(text).holds("\x00" * 1000) and Pattern(text).holds("")]
    assert len(unchecked) < len(PATTERNS) / 5


@pytest.mark.parametrize("piece", ["a", "-", "a-", "1", "/a", ".", "arn:aws:", "https://a/", " "])
def test_no_pattern_of_the_descriptions_takes_endlessly_long(piece: str) -> None:
    for text in PATTERNS:
        for size in (20, 63, 1000):
            Pattern(text).holds((piece * size)[:size] + "\x00")
            Pattern(text).holds("https://a/b/c" + (piece * size)[:size] + "\x00")
