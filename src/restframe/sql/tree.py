"""A query's text as a syntax tree of sqlglot's, with errors in PostgreSQL's words.

sqlglot knows the functions of all dialects and turns `nvl(a, b)` or `to_char(a, b)` into nodes of its own devising,
whose meaning and argument order are another dialect's business. We want the call as it was written: name, arguments,
place. Its parser leaves a call alone when the closing parenthesis carries a certain comment, so every one gets that
comment before parsing. A few names have a grammar of their own in the parser and are hidden from it by a mark.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NoReturn

from sqlglot import exp
from sqlglot.errors import ParseError
from sqlglot.tokens import Token, TokenType

from restframe import errors
from restframe.sql.lexer import DIALECT, text_of, tokenize
from restframe.sql.spellings import respelled

# What it cannot read as a query it announces on this logger before we refuse it.
logging.getLogger("sqlglot").addHandler(logging.NullHandler())

# Set on the name of a function whose calls sqlglot would read in its own way; no identifier can end in it.
MARK = "("


class Tree:
    """The syntax tree of one statement's text.

    Translation changes the tree it works on, so each one takes a tree of its own: the first gets what was parsed to
    find syntax errors, later ones have the text parsed anew.
    """

    __slots__ = ("_fresh", "_values", "position", "text")

    def __init__(
        self, text: str, position: int, tree: exp.Expr | None, values: Sequence[exp.Expr] | None = None
    ) -> None:
        self.text = text
        self.position = position
        self._fresh = tree
        self._values = values

    def with_values(self, values: Sequence[exp.Expr]) -> Tree:
        """The same with these nodes in the places of its parameters `$1`, `$2` ..."""
        return Tree(self.text, self.position, None, values)

    @property
    def clauses(self) -> set[str]:
        """The parts that the topmost node has, as sqlglot calls them; not to be asked once the tree was taken."""
        return {key for key, value in self._fresh.args.items() if value} if self._fresh is not None else set()

    def take(self) -> exp.Expr:
        fresh, self._fresh = self._fresh, None
        tree = fresh if fresh is not None else parse_tree(self.text, self.position)
        return tree if self._values is None else tree.transform(_filled, self._values, copy=False)


def _filled(node: exp.Expr, values: Sequence[exp.Expr]) -> exp.Expr:
    if node.__class__ is exp.Placeholder and node.comments:
        return values[int(node.comments[0]) - 1].copy()
    if node.__class__ is exp.Parameter and node.name.isdecimal() and 1 <= int(node.name) <= len(values):
        return values[int(node.name) - 1].copy()
    return node


def parse_tree(text: str, position: int = 1) -> exp.Expr:
    """The tree of one statement.

    position : where the text starts in the whole that was given, counted from 1

    SyntaxError with its place; StatementTooComplex for a text nested too deeply.
    """
    tokens = tokenize(text, position - 1)
    if "\\" in text:
        for token in tokens:
            token.text = text_of(token, text, position - 1)
    tokens = respelled(tokens, text)
    _prepare(tokens, position)
    if "::" in text:
        tokens = _with_typed_literals_first(tokens)
    try:
        trees = DIALECT.parser(error_message_context=len(text)).parse(tokens, text)
    except ParseError as error:
        _fail(error, tokens, text, position)
    except (TypeError, AttributeError, IndexError, ValueError) as error:  # at some texts that are none
        raise errors.SyntaxError("syntax error", position=position) from error
    except RecursionError as error:
        raise errors.StatementTooComplex("statement is nested too deeply", position=position) from error
    if len(trees) != 1 or trees[0] is None:
        raise errors.SyntaxError("syntax error at end of input", position=position + len(text))
    return trees[0]


def _prepare(tokens: list[Token], position: int) -> None:
    """Make the parser read every function call as written; drop comments, some of which mean something to it."""
    opened: list[tuple[bool, bool]] = []  # of each open bracket: leave the call alone, stands behind a type's name
    after_types = placeholders = 0
    before = _START
    for token in tokens:
        kind = token.token_type
        if token.comments:
            token.comments = []
        if before.token_type is TokenType.COMMA and kind in _AFTER_A_LIST:
            _refuse(token, position)
        if kind is TokenType.L_PAREN or kind is TokenType.L_BRACKET:
            typed = before.token_type in _TYPES
            after_types += typed
            if len(opened) == _MAX_NESTING or after_types > _MAX_NESTING_OF_TYPES:
                raise errors.StatementTooComplex("statement is nested too deeply", position=position + token.start)
            opened.append((not _is_approximate(tokens, before), typed))
            if kind is TokenType.L_BRACKET and not _may_be_subscripted(before):
                raise errors.NotSupportedError(
                    "an array in brackets is not supported",
                    position=position + token.start,
                    hint="Write array(...) for a SUPER array.",
                )
            if before.token_type is TokenType.VAR and before.text.upper() in _OWN_GRAMMAR:
                before.text += MARK
            elif before.token_type is TokenType.ARRAY and kind is TokenType.L_PAREN:
                before.text += MARK  # sqlglot would make array(1, 2)[0] a list of 0
        elif kind is TokenType.R_PAREN or kind is TokenType.R_BRACKET:
            if opened:
                leave_alone, typed = opened.pop()
                after_types -= typed
                if leave_alone and kind is TokenType.R_PAREN:
                    token.comments = _LEAVE_CALL_ALONE
        elif kind is TokenType.COMMA and before.token_type is TokenType.L_PAREN:
            _refuse(token, position)
        elif kind is TokenType.VAR and token.text in _IF:
            # Redshift has no IF, and sqlglot takes exponential time over `if[if[if[`: a name like any other.
            token.token_type = TokenType.IDENTIFIER
        elif kind in _OTHER_STRINGS:
            token.token_type = TokenType.STRING
        elif kind is TokenType.PLACEHOLDER:
            # Comments stay with their node: so a `?` keeps its number wherever the rewrite moves it.
            placeholders += 1
            token.comments = [str(placeholders)]
        before = token
    if before.token_type is TokenType.COMMA:
        raise errors.SyntaxError("syntax error at end of input", position=position + before.end + 1)


_OTHER_STRINGS = frozenset({TokenType.BYTE_STRING, TokenType.HEREDOC_STRING})


def _may_be_subscripted(before: Token) -> bool:
    """Whether a bracket behind this token is a subscript, or belongs to ARRAY or a type."""
    if before.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.IDENTIFIER, TokenType.STRING):
        return True
    return before.text[-1:].isalnum() and before.text.upper() not in _BEFORE_VALUES


# Words that a value follows.
_BEFORE_VALUES = frozenset(
    {
        "ALL", "AND", "ANY", "AS", "BETWEEN", "BY", "CASE", "DISTINCT", "ELSE", "FROM", "HAVING", "ILIKE", "IN", "IS",
        "LIKE", "LIMIT", "NOT", "OFFSET", "ON", "OR", "QUALIFY", "SELECT", "SET", "SIMILAR", "THEN", "TO", "VALUES",
        "WHEN", "WHERE",
    }
)  # fmt: skip


def _with_typed_literals_first(tokens: list[Token]) -> list[Token]:
    """`date '2020-01-01'::varchar` in parentheses where it should bind first; sqlglot casts the text before."""
    result: list[Token] = []
    for token in tokens:
        if token.token_type is TokenType.DCOLON and result and result[-1].token_type is TokenType.STRING:
            start = len(result) - 2
            while start > 0 and result[start].text.upper() in _TYPE_CONTINUES:
                start -= 1
            if start >= 0 and result[start].token_type in _TYPES:
                first, last = result[start], result[-1]
                result.insert(start, _bracket(TokenType.L_PAREN, first))
                result.append(_bracket(TokenType.R_PAREN, last))
        result.append(token)
    return result


def _bracket(kind: TokenType, beside: Token) -> Token:
    return Token(kind, "(" if kind is TokenType.L_PAREN else ")", beside.line, beside.col, beside.start, beside.end)


_TYPE_CONTINUES = frozenset({"PRECISION", "VARYING", "WITH", "WITHOUT", "TIME", "ZONE"})


def _refuse(token: Token, position: int) -> NoReturn:
    raise errors.SyntaxError(f'syntax error at or near "{token.text[:64]}"', position=position + token.start)


# sqlglot forgives commas with nothing behind them.
_AFTER_A_LIST = frozenset({TokenType.COMMA, TokenType.R_PAREN, TokenType.FROM, TokenType.WHERE})
_START = Token(TokenType.SEMICOLON, "")
_TYPES = frozenset(DIALECT.parser_class.TYPE_TOKENS)
_IF = frozenset({"IF", "if", "If", "iF"})
_MAX_NESTING = 200
# The parser tries `type(` as a type first, then as a function: each level doubles its work.
_MAX_NESTING_OF_TYPES = 8
_LEAVE_CALL_ALONE = [exp.SQLGLOT_ANONYMOUS]
# Names that sqlglot's parser reads with a grammar of their own, which Redshift has not got for them.
_OWN_GRAMMAR = frozenset(
    set(DIALECT.parser_class.FUNCTION_PARSERS)
    - {"CAST", "CONVERT", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST"}
)


def _is_approximate(tokens: list[Token], name: Token) -> bool:
    """Whether a name is that of APPROXIMATE COUNT or APPROXIMATE PERCENTILE_DISC, which sqlglot is to read."""
    if name.token_type is not TokenType.VAR or name.text.upper() not in _APPROXIMATE:
        return False
    at = next(i for i, token in enumerate(tokens) if token is name)
    return at > 0 and tokens[at - 1].text.upper() == "APPROXIMATE"


_APPROXIMATE = frozenset({"COUNT", "PERCENTILE_DISC"})


def _fail(error: ParseError, tokens: list[Token], text: str, position: int) -> NoReturn:
    """The parser's complaint as PostgreSQL's: the first token it could not use."""
    found = error.errors[0]
    start = len(found["start_context"] or "")
    description = str(found["description"])
    word = text[start : start + len(found["highlight"] or "")]
    wants_more = description.startswith(("Required keyword", "Expected", "Expecting"))
    if not tokens or (wants_more and start >= tokens[-1].start and text[tokens[-1].end] not in ")"):
        raise errors.SyntaxError("syntax error at end of input", position=position + len(text)) from error
    raise errors.SyntaxError(f'syntax error at or near "{word[:64]}"', position=position + start) from error
