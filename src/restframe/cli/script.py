"""A script as a shell sees it: SQL statements, and backslash commands that have a line each to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from restframe import errors
from restframe.sql.split import end_of_statement, split


@dataclass(frozen=True, slots=True)
class Piece:
    """start : offset into the whole text. A backslash command's text begins with its backslash."""

    text: str
    start: int

    @property
    def is_command(self) -> bool:
        return self.text.startswith("\\")


def pieces(text: str) -> Iterator[Piece]:
    """What is to be done, one by one; SyntaxError, with the place, when a quote or comment never ends."""
    at = 0
    while at < len(text):
        start = at + _blank(text[at:])
        if text.startswith("\\", start):
            end = _end_of_line(text, start)
            yield Piece(text[start:end].rstrip(), start)
        else:
            end = end_of_statement(text, at)
            for span in split(text[at:end]):
                yield Piece(span.text, at + span.start)
        at = end + 1


def is_complete(text: str) -> bool:
    """Whether a shell need not wait for another line: everything ends with a semicolon, or it is a command."""
    at = 0
    while at < len(text):
        start = at + _blank(text[at:])
        if text.startswith("\\", start):
            at = _end_of_line(text, start) + 1
            continue
        try:
            end = end_of_statement(text, at)
        except errors.SyntaxError:
            return False
        if end == len(text):
            return not split(text[at:end])
        at = end + 1
    return True


def _blank(text: str) -> int:
    return len(text) - len(text.lstrip())


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end
