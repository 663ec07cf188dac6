"""PostgreSQL's longer spellings, made into those the grammar of queries has.

Clients name what they mean beyond doubt: `OPERATOR(pg_catalog.~)`, `::pg_catalog.regclass`, `COLLATE
pg_catalog.default`. The types of the system tables are written as a length of `name`, `name(regclass)`: of all types
this is the only one whose values they are never mistaken for, and which the parser takes with `[]` behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokens import Token, TokenType

SYSTEM_TYPES = frozenset(
    {
        "oid", "char", "regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole", "int2vector",
        "oidvector", "aclitem", "xid", "cid", "tid", "cstring", "bytea",
    }
)  # fmt: skip

# Without one of these in it, a text is left as it is.
_MARKS = (
    "pg_catalog", "operator", "array", '"char"', "oid", "reg", "vector", "aclitem", "cstring", "xid", "cid", "tid",
    "bytea",
)  # fmt: skip


def respelled(tokens: list[Token], text: str) -> list[Token]:
    """The tokens of a query without those spellings."""
    lowered = text.lower()
    if not any(mark in lowered for mark in _MARKS):
        return tokens
    result: list[Token] = []
    casts: list[bool] = []  # of each open parenthesis: is it that of a CAST
    at = 0
    while at < len(tokens):
        token = tokens[at]
        word = _word(token)
        if word == "OPERATOR" and _is(tokens, at + 1, "(") and (end := _closing(tokens, at + 1)):
            result += tokens[_behind_schema(tokens, at + 2) : end]
            at = end + 1
            continue
        if word == "(":
            casts.append(bool(result) and _word(result[-1]) in ("CAST", "TRY_CAST"))
            if result and result[-1].token_type is TokenType.ARRAY and _word_at(tokens, at + 1) in _QUERY_WORDS:
                result[-1] = _named("array_of_query", result[-1])
        elif word == ")" and casts:
            casts.pop()
        result.append(token)
        at += 1
        if token.token_type is TokenType.DCOLON or (word == "AS" and casts and casts[-1]):
            at = _read_type(tokens, _behind_schema(tokens, at), result)
        elif word == "COLLATE":
            at = _behind_schema(tokens, at)
    return result


_QUERY_WORDS = frozenset({"SELECT", "WITH", "VALUES"})


def _read_type(tokens: Sequence[Token], at: int, result: list[Token]) -> int:
    """Take the name of a type over if it is one of the system's; the place behind it."""
    if at >= len(tokens):
        return at
    token = tokens[at]
    name = token.text.lower()
    quoted = token.token_type is TokenType.IDENTIFIER
    if name not in SYSTEM_TYPES or token.token_type is TokenType.STRING or (name == "char" and not quoted):
        return at
    result += [
        _sign(TokenType.NAME, "name", token),
        _sign(TokenType.L_PAREN, "(", token),
        _named(name, token),
        _sign(TokenType.R_PAREN, ")", token),
    ]
    return at + 1


def _behind_schema(tokens: Sequence[Token], at: int) -> int:
    """The place behind `pg_catalog.`, if that stands here."""
    return at + 2 if _word_at(tokens, at) == "PG_CATALOG" and _is(tokens, at + 1, ".") else at


def _closing(tokens: Sequence[Token], opening: int) -> int:
    """The place of the next closing parenthesis, which an operator stands in front of; 0 when there is none."""
    ahead = range(opening + 1, min(opening + 8, len(tokens)))
    return next((at for at in ahead if _is(tokens, at, ")")), 0)


def _is(tokens: Sequence[Token], at: int, sign: str) -> bool:
    return at < len(tokens) and tokens[at].text == sign and tokens[at].token_type is not TokenType.STRING


def _word_at(tokens: Sequence[Token], at: int) -> str:
    return _word(tokens[at]) if at < len(tokens) else ""


def _word(token: Token) -> str:
    """A word or sign in upper case; a quoted identifier counts as the word it is, a string as none."""
    return "" if token.token_type is TokenType.STRING else str(token.text).upper()


def _named(name: str, beside: Token) -> Token:
    return _sign(TokenType.IDENTIFIER, name, beside)


def _sign(kind: TokenType, text: str, beside: Token) -> Token:
    return Token(kind, text, beside.line, beside.col, beside.start, beside.end)
