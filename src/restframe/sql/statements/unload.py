"""UNLOAD: the statement as it is written, every option understood, nothing looked up yet."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy import unescape
from restframe.sql.statements.iam_role import read_iam_role, role_of_credentials

Format = Literal["text", "csv", "fixedwidth", "json", "parquet"]
Compression = Literal["gzip", "bzip2", "zstd"]

MEGABYTE = 1 << 20
MAX_FILE_BYTES = int(6.2 * 1024 * MEGABYTE)  # the default, and the most that can be asked for
ROW_GROUP_BYTES = 32 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Unload(Statement):
    """UNLOAD ( 'select_statement' ) TO 's3://object_path/name_prefix' authorization [ option [ ... ] ]

    option: [ FORMAT [ AS ] ] { CSV | PARQUET | JSON } | PARTITION BY ( column [, ...] ) [ INCLUDE ]
    | MANIFEST [ VERBOSE ] | HEADER | DELIMITER [ AS ] 'character' | FIXEDWIDTH [ AS ] 'name:width, ...'
    | ENCRYPTED [ AUTO ] | BZIP2 | GZIP | ZSTD | ADDQUOTES | NULL [ AS ] 'text' | ESCAPE | ALLOWOVERWRITE | CLEANPATH
    | PARALLEL [ ON | TRUE | OFF | FALSE ] | MAXFILESIZE [ AS ] size [ MB | GB ] | ROWGROUPSIZE [ AS ] size [ MB | GB ]
    | REGION [ AS ] 'region' | EXTENSION 'extension' | KMS_KEY_ID 'key'

    Of the authorizations the kind and the role are kept, and no key. Encryption by the client (MASTER_SYMMETRIC_KEY)
    is refused.

    iam_role : as given; `default` too where access keys or nothing was given
    query : the text between the quotes, without a semicolon at its end
    delimiter : of text and csv; the format's own when None was given
    null : the text for NULL; None for the format's own
    widths : of fixedwidth, (column, width) in order; widths in characters
    accepted : words of options that are understood and have no effect here

    https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
    """

    query: str
    target: str
    target_position: int = field(default=0, compare=False)
    query_source: str = field(default="", compare=False)  # as quoted, to find places in it again
    query_position: int = field(default=0, compare=False)  # of its first character
    authorization: Literal["iam_role", "credentials", "access_key"] | None = None
    iam_role: str = "default"
    format: Format = "text"
    header: bool = False
    delimiter: str | None = None
    widths: tuple[tuple[str, int], ...] = ()
    add_quotes: bool = False
    null: str | None = None
    escape: bool = False
    compression: Compression | None = None
    extension: str | None = None
    parallel: bool = True
    partition_by: tuple[ColumnName, ...] = ()
    include_partitions: bool = False
    max_file_bytes: int = MAX_FILE_BYTES
    row_group_bytes: int = ROW_GROUP_BYTES
    manifest: Literal["plain", "verbose"] | None = None
    allow_overwrite: bool = False
    clean_path: bool = False
    region: str | None = None
    accepted: tuple[str, ...] = ()

    def place(self, position: int) -> int:
        """Where in the whole text the character stands that has this position, from 1, in `query`."""
        offset = at = 0
        while offset < position - 1 and at < len(self.query_source):
            at = _ESCAPED.match(self.query_source, at).end()  # type: ignore[union-attr]
            offset += 1
        return self.query_position + at


def read_unload(cursor: Cursor) -> Unload:
    """A whole UNLOAD statement.

    SyntaxError with the position of a word that is not understood, given twice or in conflict with another;
    NotSupportedError for what Redshift has and restframe has not.
    """
    cursor.expect("UNLOAD", "(")
    query_position, source, query = _query(cursor)
    cursor.expect(")", "TO")
    target_position = cursor.position
    target = cursor.string()
    if not target.lower().startswith("s3://"):
        raise errors.InvalidParameterValue(
            f'"{target[:100]}" is not an s3:// location',
            position=target_position,
            hint="Write it as s3://bucket/prefix.",
        )
    given = _Options()
    while not cursor.at_end():
        if not cursor.accept(","):
            _read_option(cursor, given)
    _check_conflicts(given)
    return Unload(
        query=query,
        target=target,
        target_position=target_position,
        query_source=source,
        query_position=query_position,
        accepted=tuple(given.accepted),
        **given.values,
    )


# One character of a quoted query as it is written. A backslash is one unless it stands before a quote or another.
_ESCAPED = re.compile(r"''|\\'|\\\\|.", re.DOTALL)


def _query(cursor: Cursor) -> tuple[int, str, str]:
    """The position of the query's first character, its source and its text."""
    position, token = cursor.position, cursor.token
    if token is None or not cursor.sees_string():
        cursor.fail()
    text = cursor.string()
    source = cursor.text[token.start : token.end + 1]
    if source.startswith("$"):
        opening = source.index("$", 1) + 1
        source = text = source[opening:-opening]
        position += opening
    else:
        source = source[1:-1]
        text = _ESCAPED.sub(lambda written: written[0][-1], source)
        position += 1
    stripped = text.rstrip("; \t\r\n")
    if not stripped.strip():
        raise errors.SyntaxError("UNLOAD needs a query", position=position)
    return position, source, stripped


# Options


class _Options:
    """What has been read: values for Unload's fields, and where each option stood."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.accepted: list[str] = []
        self.positions: dict[str, int] = {}  # by the option's word, in the order in which they were written

    def note(self, word: str, position: int) -> None:
        if word in self.positions:
            raise errors.SyntaxError(f"conflicting or redundant options: {word}", position=position)
        self.positions[word] = position

    def conflict(self, word: str, other: str) -> None:
        """SyntaxError at the one written later if both were given."""
        if word in self.positions and other in self.positions:
            raise errors.SyntaxError(
                f"{word} cannot be used with {other}", position=max(self.positions[word], self.positions[other])
            )


_Reader = Callable[[Cursor, _Options], None]


def _read_option(cursor: Cursor, given: _Options) -> None:
    position = cursor.position
    if cursor.accept("FORMAT") or cursor.sees("AS"):
        cursor.accept("AS")
        if cursor.word() not in ("CSV", "PARQUET", "JSON"):
            cursor.fail()
    if cursor.sees("WITH", "CREDENTIALS"):
        cursor.advance()
    # the lexer makes one word of `PARTITION BY`
    word = re.split(r"\s", cursor.word() or "")[0]
    if word == "MASTER_SYMMETRIC_KEY":
        raise errors.NotSupportedError("client-side encryption is not supported", position=position)
    reader = _READERS.get(word)
    if reader is None:
        cursor.fail()
    if word == "PARTITION":
        _by(cursor)
    else:
        cursor.advance()
    given.note(word, position)
    reader(cursor, given)


def _set(name: str, value: Any) -> _Reader:
    def read(_: Cursor, given: _Options) -> None:
        given.values[name] = value

    return read


def _text(name: str, check: Callable[[str], str] = str) -> _Reader:
    """[ AS ] 'text'"""

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept("AS")
        position = cursor.position
        try:
            given.values[name] = check(cursor.string())
        except errors.DatabaseError as error:
            error.position = error.position or position
            raise

    return read


def _delimiter(text: str) -> str:
    character = unescape(text)
    if len(character) != 1 or not "\x00" < character < "\x7f" or character in "\r\n":
        raise errors.InvalidParameterValue("UNLOAD delimiter must be a single ASCII character")
    return character


def _null(text: str) -> str:
    null = text if text == "\\N" else unescape(text)
    if "\n" in null or "\r" in null or len(null) > 1000:
        raise errors.InvalidParameterValue("the NULL string cannot contain a line end or more than 1000 characters")
    return null


def _extension(text: str) -> str:
    if "/" in text or "\0" in text or not 0 < len(text) <= 100:
        raise errors.InvalidParameterValue("an extension has 1 to 100 characters and no slash")
    return text


def _region(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    given.values["region"] = cursor.string()
    given.accepted.append("REGION")


def _encrypted(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AUTO")
    given.accepted.append("ENCRYPTED")


def _key(cursor: Cursor, given: _Options) -> None:
    cursor.string()
    given.accepted.append("KMS_KEY_ID")


def _parallel(cursor: Cursor, given: _Options) -> None:
    given.values["parallel"] = cursor.accept_any(("ON", "TRUE", "OFF", "FALSE")) not in ("OFF", "FALSE")


def _manifest(cursor: Cursor, given: _Options) -> None:
    given.values["manifest"] = "verbose" if cursor.accept("VERBOSE") else "plain"


def _by(cursor: Cursor) -> None:
    if cursor.advance().text.upper() == "PARTITION":
        cursor.expect("BY")


def _partition(cursor: Cursor, given: _Options) -> None:
    cursor.expect("(")
    columns: list[ColumnName] = []
    while not columns or cursor.accept(","):
        position = cursor.position
        column = ColumnName(cursor.identifier(), position)
        if column in columns:
            raise errors.DuplicateColumn(f'column "{column.name}" specified more than once', position=position)
        columns.append(column)
    cursor.expect(")")
    given.values["partition_by"] = tuple(columns)
    given.values["include_partitions"] = cursor.accept("INCLUDE")


def _fixed_width(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    position = cursor.position
    specification = cursor.string()
    fields = [_FIELD.fullmatch(part) for part in specification.split(",")]
    if not all(fields):
        raise errors.InvalidParameterValue(
            f'"{specification[:100]}" is not a fixed width specification',
            position=position,
            hint="Write it as 'column:width,column:width'.",
        )
    given.values["widths"] = tuple((part[1].strip().lower(), int(part[2])) for part in fields if part)
    given.values["format"] = "fixedwidth"


_FIELD = re.compile(r"\s*([^:,]+):\s*0*([1-9][0-9]{0,6})\s*")


def _size(name: str, pattern: str, low: int, high: int) -> _Reader:
    """[ AS ] number [ MB | GB ], between two numbers of bytes"""

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept("AS")
        position = cursor.position
        token = cursor.advance()
        # the lexer may take number and unit for one word: `256MB`
        match = re.fullmatch(pattern + r"\s*(MB|GB)?", cursor.text[token.start : token.end + 1].upper())
        if match is None:
            raise errors.SyntaxError(f"{_WORD[name]} must be a number of MB or GB", position=position)
        unit = match[2] or cursor.accept_any(("MB", "GB")) or "MB"
        size = int(float(match[1]) * MEGABYTE * (1024 if unit == "GB" else 1))
        if not low <= size <= high:
            raise errors.InvalidParameterValue(
                f"{_WORD[name]} must be between {_megabytes(low)} and {_megabytes(high)}", position=position
            )
        given.values[name] = size

    return read


_WORD = {"max_file_bytes": "MAXFILESIZE", "row_group_bytes": "ROWGROUPSIZE"}


def _megabytes(size: int) -> str:
    return f"{size // MEGABYTE} MB" if size < 1 << 30 else f"{size / (1 << 30):.1f} GB"


def _authorization(kind: str) -> _Reader:
    """[ AS ] 'text', and DEFAULT for a role; two kinds do not go together"""

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept("AS")
        position = cursor.position
        text = read_iam_role(cursor) if kind == "iam_role" else cursor.string()
        if "master_symmetric_key=" in text:
            raise errors.NotSupportedError("client-side encryption is not supported", position=position)
        if given.values.get("authorization", kind) != kind:
            *others, word = given.positions
            other = next(one for one in others if one in _AUTHORIZING)
            given.conflict(word, other)
        given.values["authorization"] = kind
        if kind != "access_key":
            given.values["iam_role"] = text if kind == "iam_role" else role_of_credentials(text)

    return read


_AUTHORIZING: dict[str, _Reader] = {
    "IAM_ROLE": _authorization("iam_role"),
    "CREDENTIALS": _authorization("credentials"),
    "ACCESS_KEY_ID": _authorization("access_key"),
    "SECRET_ACCESS_KEY": _authorization("access_key"),
    "SESSION_TOKEN": _authorization("access_key"),
}
_READERS: dict[str, _Reader] = {
    **_AUTHORIZING,
    "CSV": _set("format", "csv"),
    "JSON": _set("format", "json"),
    "PARQUET": _set("format", "parquet"),
    "FIXEDWIDTH": _fixed_width,
    "PARTITION": _partition,
    "MANIFEST": _manifest,
    "HEADER": _set("header", True),
    "DELIMITER": _text("delimiter", _delimiter),
    "ENCRYPTED": _encrypted,
    "KMS_KEY_ID": _key,
    "BZIP2": _set("compression", "bzip2"),
    "GZIP": _set("compression", "gzip"),
    "ZSTD": _set("compression", "zstd"),
    "ADDQUOTES": _set("add_quotes", True),
    "NULL": _text("null", _null),
    "ESCAPE": _set("escape", True),
    "ALLOWOVERWRITE": _set("allow_overwrite", True),
    "CLEANPATH": _set("clean_path", True),
    "PARALLEL": _parallel,
    "MAXFILESIZE": _size("max_file_bytes", r"([0-9]{1,6}(?:\.[0-9]{1,6})?)", 5 * MEGABYTE, MAX_FILE_BYTES),
    "ROWGROUPSIZE": _size("row_group_bytes", r"([0-9]{1,6})", ROW_GROUP_BYTES, 128 * MEGABYTE),
    "REGION": _region,
    "EXTENSION": _text("extension", _extension),
}


# What goes together

_NOT_TOGETHER = (
    ("CSV", ("PARQUET", "JSON", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE")),
    ("JSON", ("PARQUET", "FIXEDWIDTH", "DELIMITER", "HEADER", "ADDQUOTES", "ESCAPE", "NULL")),
    ("PARQUET", ("FIXEDWIDTH", "DELIMITER", "HEADER", "ADDQUOTES", "ESCAPE", "NULL", "GZIP", "BZIP2", "ZSTD")),
    ("FIXEDWIDTH", ("DELIMITER", "HEADER", "ADDQUOTES", "ESCAPE")),
    ("GZIP", ("BZIP2", "ZSTD")),
    ("BZIP2", ("ZSTD",)),
    ("CLEANPATH", ("ALLOWOVERWRITE",)),
    ("KMS_KEY_ID", ("CREDENTIALS",)),
)
_NEEDS = (("ROWGROUPSIZE", "PARQUET"), ("KMS_KEY_ID", "ENCRYPTED"), ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))


def _check_conflicts(given: _Options) -> None:
    for word, others in _NOT_TOGETHER:
        for other in others:
            given.conflict(word, other)
    for word, needed in (*_NEEDS, ("SECRET_ACCESS_KEY", "ACCESS_KEY_ID")):
        if word in given.positions and needed not in given.positions:
            raise errors.SyntaxError(f"{word} needs {needed}", position=given.positions[word])
