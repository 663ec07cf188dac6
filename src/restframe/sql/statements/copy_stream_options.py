"""The options of COPY FROM STDIN and TO STDOUT, in PostgreSQL's two ways of writing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlglot.tokens import TokenType

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy_options import unescape

EVERY_COLUMN: Literal["*"] = "*"
Columns = tuple[ColumnName, ...] | Literal["*"]


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How rows are written in a stream.

    header : whether a line of names comes first; `match` when it must name the columns, in their order
    delimiter, quote, escape : one ASCII character each; the last two are of CSV
    null : the text that stands for NULL
    force_quote, force_not_null, force_null : of CSV; columns always quoted, never NULL, NULL though quoted
    encoding : the Python codec of the text
    accepted : words of options that are understood and have no effect
    """

    format: Literal["text", "csv", "binary"] = "text"
    header: bool | Literal["match"] = False
    delimiter: str = "\t"
    null: str = "\\N"
    quote: str = '"'
    escape: str = '"'
    force_quote: Columns = ()
    force_not_null: Columns = ()
    force_null: Columns = ()
    encoding: str = "utf-8"
    accepted: tuple[str, ...] = ()


def read_stream_options(cursor: Cursor, direction: Literal["FROM", "TO"]) -> StreamOptions:
    """All options up to the end of the statement.

    SyntaxError for a word that is not understood, given twice or of the other direction; NotSupportedError and
    InvalidParameterValue for what PostgreSQL refuses so.
    https://www.postgresql.org/docs/current/sql-copy.html
    """
    given = _Options()
    if cursor.sees("DELIMITERS") or cursor.sees("USING"):
        _read_old_option(cursor, given)
    cursor.accept("WITH")
    if cursor.sees("("):
        _read_list(cursor, given)
    else:
        while not cursor.at_end():
            _read_old_option(cursor, given)
    return _checked(given, direction)


class _Options:
    """What has been read, and where each option stood."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.positions: dict[str, int] = {}
        self.accepted: list[str] = []

    def put(self, name: str, value: Any, position: int) -> None:
        if name in self.positions:
            raise errors.SyntaxError("conflicting or redundant options", position=position)
        self.positions[name] = position
        self.values[name] = value


# FORMAT csv, HEADER, DELIMITER ';' in parentheses


def _read_list(cursor: Cursor, given: _Options) -> None:
    cursor.expect("(")
    while True:
        position, word = cursor.position, cursor.word()
        if word is None:
            cursor.fail()
        name = word.lower()
        reader = _READERS.get(name)
        if reader is None:
            raise errors.SyntaxError(f'option "{name[:100]}" not recognized', position=position)
        cursor.advance()
        value = reader(cursor)
        if name == "freeze":
            given.accepted.append("FREEZE")
        else:
            given.put(name, value, position)
        if not cursor.accept(","):
            break
    cursor.expect(")")


def _string(cursor: Cursor) -> str:
    """A text; backslashes mean what they do in COPY from S3, and in E'' strings too."""
    token = cursor.token
    if token is not None and token.token_type == TokenType.BYTE_STRING:
        return cursor.string()
    return unescape(cursor.string())


def _word_or_string(cursor: Cursor) -> str:
    word = cursor.word()
    if word is None:
        return _string(cursor)
    cursor.advance()
    return word


def _format(cursor: Cursor) -> str:
    position, name = cursor.position, _word_or_string(cursor).lower()
    if name not in ("text", "csv", "binary"):
        raise errors.InvalidParameterValue(f'COPY format "{name[:100]}" not recognized', position=position)
    return name


_TRUTHS = {"TRUE": True, "ON": True, "1": True, "FALSE": False, "OFF": False, "0": False}


def _boolean(cursor: Cursor, *others: str) -> Any:
    """Whether; true when nothing is said. One of the other words is handed back in lower case."""
    if cursor.sees(",") or cursor.sees(")"):
        return True
    position = cursor.position
    token = cursor.advance()
    word = str(token.text).upper()
    if word in others:
        return word.lower()
    if word not in _TRUTHS:
        wanted = "a Boolean value" + "".join(f' or "{other.lower()}"' for other in others)
        raise errors.SyntaxError(f"the option requires {wanted}", position=position)
    return _TRUTHS[word]


def _header(cursor: Cursor) -> Any:
    return _boolean(cursor, "MATCH")


def _columns_in_parentheses(cursor: Cursor) -> Columns:
    if cursor.accept("*"):
        return EVERY_COLUMN
    cursor.expect("(")
    columns = _columns(cursor)
    cursor.expect(")")
    return columns


def _columns(cursor: Cursor) -> Columns:
    if cursor.accept("*"):
        return EVERY_COLUMN
    names: list[ColumnName] = []
    while not names or cursor.accept(","):
        position = cursor.position
        names.append(ColumnName(cursor.identifier(), position))
    return tuple(names)


def _encoding(cursor: Cursor) -> str:
    position, name = cursor.position, _word_or_string(cursor)
    codec = _CODECS.get(name.upper().replace("-", "").replace("_", ""))
    if codec is None:
        raise errors.InvalidParameterValue(
            f'argument to option "encoding" must be a valid encoding name, not "{name[:100]}"', position=position
        )
    return codec


# PostgreSQL's names without signs. Encodings in which ASCII characters may be parts of others are not among them.
_CODECS = {
    "UTF8": "utf-8", "UNICODE": "utf-8", "SQLASCII": "utf-8", "LATIN1": "latin-1", "ISO88591": "latin-1",
    "LATIN2": "iso8859-2", "ISO88592": "iso8859-2", "LATIN5": "iso8859-9", "ISO88599": "iso8859-9",
    "LATIN9": "iso8859-15", "ISO885915": "iso8859-15", "ISO88595": "iso8859-5", "KOI8R": "koi8-r", "KOI8": "koi8-r",
    "WIN1250": "cp1250", "WIN1251": "cp1251", "WIN1252": "cp1252", "WINDOWS1252": "cp1252", "WIN1253": "cp1253",
    "WIN1254": "cp1254", "WIN1257": "cp1257",
}  # fmt: skip

_READERS: dict[str, Callable[[Cursor], Any]] = {
    "format": _format,
    "freeze": _boolean,
    "header": _header,
    "delimiter": _string,
    "null": _string,
    "quote": _string,
    "escape": _string,
    "force_quote": _columns_in_parentheses,
    "force_not_null": _columns_in_parentheses,
    "force_null": _columns_in_parentheses,
    "encoding": _encoding,
}


# CSV HEADER DELIMITER AS ';' one after another


def _read_old_option(cursor: Cursor, given: _Options) -> None:
    position = cursor.position
    form = cursor.accept_any(("BINARY", "CSV"))
    if form is not None:
        given.put("format", form.lower(), position)
    elif cursor.accept("HEADER"):
        given.put("header", True, position)
    elif cursor.accept("FREEZE"):
        given.accepted.append("FREEZE")
    elif cursor.accept("FORCE"):
        name = "force_quote" if cursor.accept("QUOTE") else "force_not_null" if cursor.accept("NOT") else "force_null"
        if name != "force_quote":
            cursor.expect("NULL")
        given.put(name, _columns(cursor), position)
    elif cursor.accept("USING", "DELIMITERS") or cursor.accept("DELIMITERS"):
        given.put("delimiter", _string(cursor), position)
    else:
        word = cursor.accept_any(("DELIMITER", "NULL", "QUOTE", "ESCAPE", "ENCODING"))
        if word is None:
            cursor.fail()
        cursor.accept("AS")
        given.put(word.lower(), _encoding(cursor) if word == "ENCODING" else _string(cursor), position)


# What goes together


def _checked(given: _Options, direction: str) -> StreamOptions:
    values, positions = given.values, given.positions
    form = values.get("format", "text")
    if form == "csv":
        values.setdefault("delimiter", ",")
        values.setdefault("null", "")
        values.setdefault("escape", values.get("quote", '"'))
    if form == "binary":
        for name in ("delimiter", "null", "header"):
            if name in positions:
                raise errors.SyntaxError(f"cannot specify {name.upper()} in BINARY mode", position=positions[name])
    for name in ("quote", "escape", "force_quote", "force_not_null", "force_null"):
        if name in positions and form != "csv":
            shown = name.replace("_", " ")
            raise errors.NotSupportedError(f"COPY {shown} available only in CSV mode", position=positions[name])
    for name, wanted in (("force_quote", "TO"), ("force_not_null", "FROM"), ("force_null", "FROM")):
        if name in positions and direction != wanted:
            shown = name.replace("_", " ")
            raise errors.NotSupportedError(f"COPY {shown} only available using COPY {wanted}", position=positions[name])
    if values.get("header") == "match" and direction == "TO":
        raise errors.NotSupportedError('cannot use "match" with HEADER in COPY TO', position=positions["header"])
    options = StreamOptions(**values, accepted=tuple(given.accepted))
    if form != "binary":
        _check_characters(options, positions)
    return options


def _check_characters(options: StreamOptions, positions: dict[str, int]) -> None:
    for name in ("delimiter", "quote", "escape") if options.format == "csv" else ("delimiter",):
        value = getattr(options, name)
        if len(value) != 1 or not value.isascii() or value == "\0":
            raise errors.NotSupportedError(
                f"COPY {name} must be a single one-byte character", position=positions.get(name)
            )
    delimiter, null = options.delimiter, options.null
    refused = None
    if delimiter in "\r\n":
        refused = "delimiter", "COPY delimiter cannot be newline or carriage return"
    elif "\r" in null or "\n" in null:
        refused = "null", "COPY null representation cannot use newline or carriage return"
    elif options.format == "text" and delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
        refused = "delimiter", f'COPY delimiter cannot be "{delimiter}"'
    elif delimiter in null:
        refused = "null", "COPY delimiter must not appear in the NULL specification"
    elif options.format == "csv" and delimiter == options.quote:
        refused = "quote", "COPY delimiter and quote must be different"
    elif options.format == "csv" and options.quote in null:
        refused = "null", "CSV quote character must not appear in the NULL specification"
    elif options.format == "csv" and (options.quote in "\r\n" or options.escape in "\r\n"):
        refused = "quote", "COPY quote and escape cannot be newline or carriage return"
    if refused is not None:
        raise errors.InvalidParameterValue(refused[1], position=positions.get(refused[0]))
