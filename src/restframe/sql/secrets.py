"""Statements as they may be logged and shown: without the passwords and keys that stand in them."""

from __future__ import annotations

import re

from restframe import errors
from restframe.sql.lexer import tokenize

_WORDS = (
    "password", "credentials", "access_key_id", "secret_access_key", "session_token", "master_symmetric_key",
)  # fmt: skip
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b\s*", re.IGNORECASE)
_QUOTES = frozenset("'\"$")
MASK = "'***'"


def masked(text: str) -> str:
    """The text with *** for everything quoted behind a word that announces a secret.

    A text that cannot be told apart into words is cut off there.
    """
    first = _WORD.search(text)
    if first is None:
        return text
    try:
        tokens = tokenize(text)
    except (errors.SyntaxError, errors.StatementTooComplex):
        return f"{text[: first.end()]}{MASK}"
    kept: list[str] = []
    done, announced = 0, False
    for token in tokens:
        quoted = text[token.start] in _QUOTES
        if quoted and announced:
            kept += [text[done : token.start], MASK]
            done = token.end + 1
        announced |= not quoted and token.text.lower() in _WORDS
    return "".join([*kept, text[done:]])
