"""Redshift text to tokens, and the cursor with which our own statements are read from them.

sqlglot's tokenizer does the lexing. Its Redshift flavour swallows the rest of a SHOW, an UNLOAD and other statements
as one raw string; `Redshift` below switches that off, so that every statement arrives as words.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar, NoReturn

from sqlglot.dialects.redshift import Redshift as _Redshift
from sqlglot.errors import TokenError
from sqlglot.tokens import Token, TokenType

from restframe import errors
from restframe.sql.escapes import unescaped
from restframe.sql.split import end_of_comment
from restframe.types import SqlType, parse_type

# The operators of several signs that Redshift has, and some that are better refused by name. Those of other dialects
# would be found in the middle of ours: `?::` in `?::int`, `{{` in a brace within a brace.
_SIGNS = frozenset(
    {"::", "||", "<=", ">=", "<>", "!=", "~", "~*", "~~", "~~*", "|/", "||/", "(+)", ":=", "=>", "->", "->>"}
)


class Redshift(_Redshift):
    """sqlglot's Redshift dialect without raw command tokens; queries are parsed with it too."""

    class Tokenizer(_Redshift.Tokenizer):
        COMMANDS: ClassVar[set[TokenType]] = set()
        KEYWORDS: ClassVar[dict[str, TokenType]] = {
            word: kind
            for word, kind in _Redshift.Tokenizer.KEYWORDS.items()
            if (word[0].isalnum() or word in _SIGNS) and word != "UNLOAD"
        }


DIALECT = Redshift()


@dataclass(frozen=True, slots=True)
class QualifiedName:
    """`[[database.]schema.]name` as written, folded to lower case as Redshift folds identifiers, quoted or not."""

    schema: str | None
    name: str
    position: int = field(default=1, compare=False)  # of the first character, from 1
    database: str | None = None

    def __str__(self) -> str:
        return self.name if self.schema is None else f"{self.schema}.{self.name}"


def folded(name: str) -> str:
    """An identifier as Redshift keeps it: in lower case, and of no more than 127 bytes."""
    name = name.lower()
    if len(name) <= _FITS_IN_ANY_CASE:
        return name
    return name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")


_MAX_NAME_BYTES = 127
_FITS_IN_ANY_CASE = _MAX_NAME_BYTES // 4  # a character has at most four bytes


def tokenize(text: str, base: int = 0) -> list[Token]:
    """All tokens of a text; comments and white space are gone.

    base : offset at which the text starts within a longer one, for the positions of errors

    SyntaxError with the position of an unterminated string, quoted identifier or comment; StatementTooComplex for
    more words and signs than we care to hold in memory.
    """
    _check_length(text, base)
    numbered = _PARAMETER.search(text) is not None
    try:
        tokens = DIALECT.tokenize(_with_other_signs(text) if numbered else text)
    except TokenError as error:
        position = base + _unterminated(text)
        raise errors.SyntaxError("unterminated quoted string or comment", position=position) from error
    if numbered:
        for token in tokens:
            if token.token_type is TokenType.PARAMETER:
                token.text = text[token.start]
    return tokens


def text_of(token: Token, text: str, base: int = 0) -> str:
    """What a string's token means; of its backslashes sqlglot knows some only.

    text : in which the token stands
    """
    written = text[token.start : token.end + 1]
    if "\\" not in written or token.token_type not in _ESCAPED:
        return str(token.text)
    extended = token.token_type is TokenType.BYTE_STRING
    try:
        return unescaped(written[2:-1] if extended else written[1:-1], extended)
    except errors.Error as error:
        error.position = base + token.start + 1
        raise


_ESCAPED = frozenset({TokenType.STRING, TokenType.BYTE_STRING})


def _check_length(text: str, base: int) -> None:
    if len(text) <= _MOST_WORDS:
        return
    words = itertools.islice(_WORD.finditer(text), _MOST_WORDS + 1)
    if sum(1 for _ in words) > _MOST_WORDS:
        raise errors.StatementTooComplex(
            f"statement is too long: it has more than {_MOST_WORDS} words and signs",
            position=base + 1,
            hint="Load many rows with COPY, or INSERT them as literals.",
        )


# A tree takes about half a kilobyte for each.
_MOST_WORDS = 500_000
_WORD = re.compile(r"""\w[\w$.]*+|'(?:[^'\\]++|\\.|'')*+'|"(?:[^"]++|"")*+"|--[^\n]*+|[^\s]""", re.DOTALL)

_PARAMETER = re.compile(r"\$[0-9]")

# What has no parameter in it, taken whole; then the sign of a parameter, or a comment, which may be nested.
_PIECE = re.compile(
    r"""  \w[\w$]*+
        | ' (?: [^'\\]++ | \\. | '' )*+ '
        | " (?: [^"]++ | "" )*+ "
        | --[^\n]*+
        | \$ (?P<tag> (?:[^\W\d]\w*+)?+ ) \$ .*? \$(?P=tag)\$
        | (?P<parameter> \$ (?=[0-9]) )
        | (?P<comment> /\* )""",
    re.VERBOSE | re.DOTALL,
)


def _with_other_signs(text: str) -> str:
    """The text with `@1` for `$1`: sqlglot's tokenizer takes what is in `$1, $2` for the mark of a quoted text."""
    pieces: list[str] = []
    done = at = 0
    while match := _PIECE.search(text, at):
        at = match.end()
        if match["parameter"]:
            pieces += text[done : match.start()], "@"
            done = at
        elif match["comment"]:
            at = end_of_comment(text, match.start())
    return "".join((*pieces, text[done:]))


def place_of(name: str, text: str) -> int | None:
    """Offset of the first place where an identifier stands in a text; None when it does not."""
    return next((int(token.start) for token in tokenize(text) if folded(str(token.text)) == name), None)


def _unterminated(text: str) -> int:
    """The 1-based position at which the construct starts that never ends."""
    i = 0
    while i < len(text):
        start, two = i, text[i : i + 2]
        if two == "--":
            end = text.find("\n", i)
            i = len(text) if end < 0 else end
        elif two == "/*":
            end = text.find("*/", i)
            if end < 0:
                return start + 1
            i = end + 1
        elif text[i] in "'\"":
            quote = text[i]
            i += 1
            while i < len(text) and text[i] != quote:
                i += 2 if text[i] == "\\" and quote == "'" else 1
            if i >= len(text):
                return start + 1
        i += 1
    return len(text) + 1


class Cursor:
    """Reads the tokens of one statement from left to right.

    A keyword is matched in any case, and never by a quoted identifier or a string. `position` is where the next
    token starts, from 1, as errors report it: counted in the whole text that was given, of which `text` is the part
    that starts after `base` characters.
    """

    __slots__ = ("_at", "base", "text", "tokens")

    def __init__(self, text: str, tokens: list[Token], base: int = 0) -> None:
        self.text = text
        self.tokens = tokens
        self.base = base
        self._at = 0

    # Looking

    @property
    def token(self) -> Token | None:
        """The next token, None at the end."""
        return self.tokens[self._at] if self._at < len(self.tokens) else None

    @property
    def position(self) -> int:
        return self.base + self.offset + 1

    @property
    def offset(self) -> int:
        """Offset into `text` of the next token, for cutting out source text."""
        token = self.token
        if token is not None:
            return int(token.start)
        return int(self.tokens[-1].end) + 1 if self.tokens else 0

    def at_end(self) -> bool:
        return self._at >= len(self.tokens)

    def word(self, ahead: int = 0) -> str | None:
        """The word `ahead` tokens further on in upper case; None for strings, quoted identifiers, numbers and signs."""
        index = self._at + ahead
        if index >= len(self.tokens):
            return None
        token = self.tokens[index]
        if token.token_type in _NOT_A_WORD or not (token.text[:1].isalpha() or token.text[:1] in "_#"):
            return None
        return str(token.text).upper()

    def sees(self, *words: str, ahead: int = 0) -> bool:
        """Whether the tokens `ahead` further on are these keywords or signs, in this order."""
        return all(self._matches(self._at + ahead + i, word) for i, word in enumerate(words))

    def sees_string(self) -> bool:
        return self.token is not None and self.token.token_type in _STRINGS

    def _matches(self, index: int, word: str) -> bool:
        if index >= len(self.tokens):
            return False
        token = self.tokens[index]
        return token.token_type not in _NOT_A_WORD and str(token.text).upper() == word

    # Taking

    def advance(self) -> Token:
        token = self.token
        if token is None:
            self.fail()
        self._at += 1
        return token

    def accept(self, *words: str) -> bool:
        """Take these keywords or signs if they come next."""
        if not self.sees(*words):
            return False
        self._at += len(words)
        return True

    def accept_any(self, words: Iterable[str]) -> str | None:
        """Take whichever of these keywords comes next."""
        return next((word for word in words if self.accept(word)), None)

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                self.fail()

    def expect_end(self) -> None:
        if not self.at_end():
            self.fail()

    def identifier(self) -> str:
        """A name, quoted or not, in lower case."""
        token = self.token
        if token is None:
            self.fail()
        if token.token_type == TokenType.IDENTIFIER:
            if not token.text:
                raise errors.SyntaxError("zero-length delimited identifier", position=self.position)
        elif self.word() is None:
            self.fail()
        self._at += 1
        return folded(str(token.text))

    def qualified_name(self) -> QualifiedName:
        """`name`, `schema.name` or `database.schema.name`."""
        position = self.position
        parts = [self.identifier()]
        while self.accept("."):
            parts.append(self.identifier())
        if len(parts) > 3:
            raise errors.SyntaxError(f'improper qualified name "{".".join(parts)}"', position=position)
        database, schema, name = (None, None, None, *parts)[-3:]
        assert name is not None
        return QualifiedName(schema, name, position, database)

    def string(self) -> str:
        """A quoted text with doubled quotes undone and backslashes kept as they stand.

        COPY's `'\\t'` and `'\\N'` are the command's to interpret, so escapes must survive the lexer.
        """
        token = self.token
        if token is None or token.token_type not in _STRINGS:
            self.fail()
        self._at += 1
        if token.token_type is not TokenType.STRING:
            return text_of(token, self.text, self.base)
        return self.text[token.start + 1 : token.end].replace("''", "'")

    def integer(self) -> int:
        """A whole number, with or without a minus sign."""
        negative = self.accept("-")
        token = self.token
        if token is None or token.token_type != TokenType.NUMBER or not _WHOLE_NUMBER.fullmatch(token.text):
            self.fail()
        self._at += 1
        return -int(token.text) if negative else int(token.text)

    def data_type(self) -> SqlType:
        """A type with its length or precision: `int`, `decimal(10,6)`, `timestamp with time zone`."""
        position, start = self.position, self.offset
        if self.word() is None:
            self.fail()
        last = self.advance()
        while self.word() in _TYPE_CONTINUES:
            last = self.advance()
        if self.sees("("):
            while not self.sees(")"):
                self.advance()
            last = self.advance()
            while self.word() in _TYPE_CONTINUES:
                last = self.advance()
        try:
            return parse_type(self.text[start : last.end + 1])
        except errors.Error as error:
            error.position = position
            raise

    def parenthesised(self) -> str:
        """The source text between a pair of parentheses, which are taken with it."""
        self.expect("(")
        return self.enclosed()

    def enclosed(self) -> str:
        """The source text from here to the parenthesis that closes the one before it, which is taken with it."""
        opening = self.base + self.tokens[self._at - 1].start + 1
        start, depth = self.offset, 1
        while depth:
            if self.at_end():
                raise errors.SyntaxError('unbalanced "("', position=opening)
            depth += {"(": 1, ")": -1}.get(self._sign(), 0)
            last = self.advance()
        return self.text[start : last.start]

    def _sign(self) -> str:
        token = self.token
        return "" if token is None or token.token_type in _NOT_A_WORD else str(token.text)

    def rest(self) -> str:
        """The source text from here to the end of the statement, which is taken."""
        if self.at_end():
            return ""
        start, self._at = self.offset, len(self.tokens)
        return self.text[start : self.tokens[-1].end + 1]

    def fail(self, message: str | None = None) -> NoReturn:
        """SyntaxError at the next token, in PostgreSQL's words unless others are given."""
        if message is None:
            token = self.token
            if token is None:
                message = "syntax error at end of input"
            else:
                message = f'syntax error at or near "{self.text[token.start : token.end + 1][:64]}"'
        raise errors.SyntaxError(message, position=self.position)


# More digits than any of our numbers may have, and few enough for int().
_WHOLE_NUMBER = re.compile(r"[0-9]{1,40}")
_STRINGS = frozenset({TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.BYTE_STRING})
_NOT_A_WORD = _STRINGS | {TokenType.IDENTIFIER, TokenType.NUMBER}
_TYPE_CONTINUES = frozenset({"PRECISION", "VARYING", "WITH", "WITHOUT", "TIME", "ZONE"})
