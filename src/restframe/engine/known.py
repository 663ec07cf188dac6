"""Statements the engine has parsed before, which is a good part of what a short one costs, and what came of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_MOST_STATEMENTS = 500
_LONGEST_TEXT = 8_192


@dataclass(slots=True)
class Known:
    """statement : parsed, or its text where that cannot be kept
    few : whether all its results so far, of which there was one at least, had few rows; None before
    """

    statement: Any
    few: bool | None = None

    def learn(self, few: bool) -> None:
        self.few = few and self.few is not False


class KnownStatements:
    """Shared by all connections: a parsed statement is copied whenever it runs, and names in it looked up anew."""

    def __init__(self) -> None:
        self._known: dict[str, Known] = {}

    def find(self, text: str, parse: Callable[[str], Sequence[Any]]) -> Known:
        """The statement, parsed now unless it has been."""
        found = self._known.get(text)
        if found is not None:
            return found
        if len(text) > _LONGEST_TEXT:
            return Known(text, few=False)
        parsed = parse(text)
        known = Known(parsed[0] if len(parsed) == 1 else text)
        if len(self._known) >= _MOST_STATEMENTS:
            self._known.clear()
        self._known[text] = known
        return known
