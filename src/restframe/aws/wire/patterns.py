"""The regular expressions of the descriptions: written for Java, and some take endlessly long to find no match.

`(-*[a-z])*` is harmless, because each character can only have been taken by one part; `([-a-z]*[a-z])*` is not: there
are as many ways through a text as it has partitions. Python has no time limit for a match, so we look for this first.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

_LONGEST = 1024  # characters; patterns that backtrack a little stay quick up to here
_MANY = 1_000_000
_TOKEN = re.compile(
    r"\[\^?\]?(?:\\.|[^\]\\])*\]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|\\.|\(\?(?:<?[=!]|:)|[()|]|[*+?]\??|\{\d*,?\d*\}\??|.",
    re.DOTALL,
)
_REPEATED_GROUP = re.compile(r"\)[*+{]")
_BOUNDS = re.compile(r"\{(\d*)(,?)(\d*)\}\??")
_ASCII = [chr(code) for code in range(128)]


class Pattern:
    """One that `holds` for a text as a whole. What Python cannot compile, or not safely run, holds for everything."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _compiled(self) -> re.Pattern[str] | None:
        return _compile(self._text)

    def holds(self, value: str) -> bool:
        if self._compiled is None or len(value) > _LONGEST:
            return True
        return self._compiled.fullmatch(value) is not None


def _compile(text: str) -> re.Pattern[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = re.compile(text, re.ASCII)
            return None if is_dangerous(text) else compiled
    except (re.error, OverflowError, RecursionError):
        return None


@dataclass(slots=True)
class _Part:
    """One part of a pattern with how often it may stand there.

    characters : those of ASCII that a part of one character takes
    inside : the parts of a group
    """

    characters: frozenset[str] = frozenset()
    inside: list[_Part] | None = None
    least: int = 1
    most: int = 1


def is_dangerous(text: str) -> bool:
    """Whether a part that is repeated may itself be taken apart in several ways. Rather too often than not."""
    return bool(_REPEATED_GROUP.search(text)) and _any_dangerous(list(_parts(_TOKEN.findall(text)[::-1])))


def _any_dangerous(parts: list[_Part]) -> bool:
    return any(
        part.inside is not None and (_any_dangerous(part.inside) or (part.most > 1 and _ambiguous(part.inside)))
        for part in parts
    )


def _ambiguous(parts: list[_Part]) -> bool:
    """Whether one text may be several rounds of these parts in several ways."""
    if any(part.inside is not None for part in parts):
        return True
    for index, part in enumerate(parts):
        if part.least == part.most:
            continue
        # what may follow, up to what must; behind the last part stands the first, and in the end the part itself
        for following in parts[index + 1 :] + parts[: index + 1]:
            if part.characters & following.characters:
                return True
            if following.least:
                break
    return False


def _parts(tokens: list[str]) -> Iterator[_Part]:
    """Those up to the end of the group. tokens : in reverse, taken from the end"""
    alternatives = False
    found: list[_Part] = []
    while tokens and tokens[-1] != ")":
        token = tokens.pop()
        if token == "|":
            alternatives = True
            continue
        if token.startswith("("):
            part = _Part(inside=list(_parts(tokens)))
            tokens.pop()
        elif token in ("^", "$", r"\A", r"\Z", r"\b"):
            continue
        else:
            part = _Part(_characters(token))
        if tokens:
            part.least, part.most = _bounds(tokens)
        found.append(part)
    if alternatives:
        # a group in the group, so that a repetition around them counts as ambiguous
        found = [_Part(inside=found)]
    yield from found


@cache
def _characters(token: str) -> frozenset[str]:
    single = re.compile(token if len(token) > 1 or token == "." else re.escape(token), re.ASCII | re.DOTALL)
    return frozenset(character for character in _ASCII if single.fullmatch(character))


def _bounds(tokens: list[str]) -> tuple[int, int]:
    """How often the part before may stand there; takes the token that says so."""
    token = tokens[-1]
    if token[0] in "*+?":
        tokens.pop()
        return {"*": (0, _MANY), "+": (1, _MANY), "?": (0, 1)}[token[0]]
    found = _BOUNDS.fullmatch(token)
    if found is None:
        return 1, 1
    tokens.pop()
    least = int(found[1] or 0)
    return least, int(found[3] or _MANY) if found[2] else least
