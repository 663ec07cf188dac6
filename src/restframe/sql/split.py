"""Cuts a text into its statements without tokenizing it: a bulk INSERT of megabytes is read once, by its own reader."""

from __future__ import annotations

import re
from dataclasses import dataclass

from restframe import errors


@dataclass(frozen=True, slots=True)
class Span:
    """One statement's source: no blanks or comments before it, no semicolon and no blanks after it.

    start : offset into the whole text
    keyword : its first word in upper case, or the sign it starts with
    """

    start: int
    text: str
    keyword: str


def split(text: str) -> list[Span]:
    """The statements of a text; those of blanks and comments alone are dropped.

    SyntaxError with the position of a quote or comment that never ends; CharacterNotInRepertoire for what is no text;
    StatementTooComplex for more statements than we care to hold in memory.
    """
    _check_characters(text)
    spans: list[Span] = []
    start = 0
    while start <= len(text):
        end = end_of_statement(text, start)
        span = _span(text, start, end)
        if span is not None:
            if len(spans) == _MOST_STATEMENTS:
                raise errors.StatementTooComplex(
                    f"more than {_MOST_STATEMENTS} statements in one text", position=span.start + 1
                )
            spans.append(span)
        start = end + 1
    return spans


_MOST_STATEMENTS = 100_000


def _check_characters(text: str) -> None:
    at = text.find("\0")
    if at < 0 and not text.isascii():
        surrogate = _SURROGATE.search(text)
        at = -1 if surrogate is None else surrogate.start()
    if at >= 0:
        raise errors.CharacterNotInRepertoire(
            f'invalid character for encoding "UTF8": U+{ord(text[at]):04X}', position=at + 1
        )


_SURROGATE = re.compile("[\ud800-\udfff]")

# Everything up to a top-level semicolon or a block comment, which may be nested and so is no matter for a regular
# expression. Possessive, hence linear. Strings have backslash escapes and doubled quotes, as the lexer reads them.
_PLAIN = re.compile(
    r"""(?: [^;'"$/\w-]++
          | \w[\w$]*+
          | ' (?: [^'\\]++ | \\. | '' )*+ '
          | " (?: [^"]++ | "" )*+ "
          | --[^\n]*+ | -
          | /(?!\*)
          | \$ (?P<tag> (?:[^\W\d]\w*+)?+ ) \$ .*? \$(?P=tag)\$
          | \$ (?! (?:[^\W\d]\w*+)?+ \$ )
        )*+""",
    re.VERBOSE | re.DOTALL,
)
_BLANK = re.compile(r"(?:\s++|--[^\n]*+)*+")
_COMMENT_MARK = re.compile(r"/\*|\*/")
_WORD = re.compile(r"\w+|.", re.DOTALL)


def end_of_statement(text: str, start: int) -> int:
    """Where the statement that begins at `start` ends: at its semicolon, or at the end of the text.

    SyntaxError for a quote or comment that never ends.
    """
    at = start
    while True:
        match = _PLAIN.match(text, at)
        at = match.end() if match else at
        if at == len(text) or text[at] == ";":
            return at
        if not text.startswith("/*", at):
            raise errors.SyntaxError(
                "unterminated quoted string",
                position=at + 1,
                hint="A backslash takes the quote behind it into the string; write two for one."
                if text[at] == "'" and "\\'" in text[at:]
                else None,
            )
        at = end_of_comment(text, at)


def end_of_comment(text: str, start: int) -> int:
    """Where the block comment that begins at `start` ends; comments nest. SyntaxError when it never does."""
    depth = 0
    for mark in _COMMENT_MARK.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    raise errors.SyntaxError("unterminated comment", position=start + 1)


def _span(text: str, start: int, end: int) -> Span | None:
    while True:
        match = _BLANK.match(text, start, end)
        start = match.end() if match else start
        if not text.startswith("/*", start, end):
            break
        start = end_of_comment(text, start)
    word = _WORD.match(text, start, end)
    return None if word is None else Span(start, text[start:end].rstrip(), word[0].upper())
