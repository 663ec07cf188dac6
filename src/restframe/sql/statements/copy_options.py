"""The options of COPY: data formats, conversions, load operations, authorization, in any order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements.iam_role import read_iam_role, role_of_credentials


@dataclass(frozen=True, slots=True)
class Csv:
    """CSV [ QUOTE [ AS ] 'quote_character' ] [ DELIMITER [ AS ] 'delimiter_char' ]"""

    delimiter: str = ","
    quote: str = '"'


@dataclass(frozen=True, slots=True)
class Delimited:
    """[ DELIMITER [ AS ] 'delimiter_char' ] [ ESCAPE ] [ REMOVEQUOTES ]"""

    delimiter: str = "|"
    escape: bool = False
    remove_quotes: bool = False


@dataclass(frozen=True, slots=True)
class FixedWidth:
    """FIXEDWIDTH 'label:width, ...'; widths in characters."""

    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Json:
    """JSON [ AS ] { 'auto' | 'auto ignorecase' | 'noshred' | 's3://jsonpaths_file' }

    paths : the location of the JSONPaths file, None for the other options
    """

    option: Literal["auto", "auto ignorecase", "noshred", "paths"] = "auto"
    paths: str | None = None


@dataclass(frozen=True, slots=True)
class Columnar:
    """PARQUET or ORC"""

    kind: Literal["parquet", "orc"]


# Of errors, with IGNOREALLERRORS.
NO_LIMIT = 2**62

Format = Csv | Delimited | FixedWidth | Json | Columnar
Compression = Literal["gzip", "bzip2", "zstd"]


def read_options(cursor: Cursor) -> dict[str, Any]:
    """All options up to the end of the statement, as fields of Copy.

    SyntaxError with the position of a word that is not understood, given twice or in conflict with another;
    NotSupportedError for what Redshift has and restframe has not.
    """
    given = _Options()
    while not cursor.at_end():
        if not cursor.accept(","):
            _read_option(cursor, given)
    _check_conflicts(given)
    return {**given.values, "format": _format(given), "accepted": tuple(given.accepted)}


class _Options:
    """What has been read: values for Copy's fields, the parts of the format, and where each option stood."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.format: dict[str, Any] = {}  # delimiter, quote, escape, remove_quotes, kind and its argument
        self.accepted: list[str] = []
        self.positions: dict[str, int] = {}  # by the option's word, in the order in which they were written

    def note(self, word: str, position: int) -> None:
        if word in self.positions:
            raise errors.SyntaxError(f"conflicting or redundant options: {word}", position=position)
        self.positions[word] = position


def _read_option(cursor: Cursor, given: _Options) -> None:
    position = cursor.position
    if cursor.accept("FORMAT") or cursor.sees("AS"):
        cursor.accept("AS")
        given.note("FORMAT", position)
        if cursor.word() not in _FORMATS:
            cursor.fail()
        position = cursor.position
    cursor.accept("WITH", "CREDENTIALS") or cursor.accept("CREDENTIALS")
    word = "CREDENTIALS" if cursor.position != position else cursor.word()
    if word is None:
        cursor.fail()
    if word in _REFUSED:
        raise errors.NotSupportedError(f"COPY option {word} is not supported", position=position)
    reader = _READERS.get(word)
    if reader is None:
        cursor.fail()
    if word != "CREDENTIALS":
        cursor.advance()
    given.note(word, position)
    reader(cursor, given)


def _flag(name: str) -> Callable[[Cursor, _Options], None]:
    def read(cursor: Cursor, given: _Options) -> None:
        given.values[name] = True

    return read


def _part(name: str) -> Callable[[Cursor, _Options], None]:
    def read(cursor: Cursor, given: _Options) -> None:
        given.format[name] = True

    return read


def _text(name: str, check: Callable[[str], str] = str) -> Callable[[Cursor, _Options], None]:
    """[ AS ] 'text'"""

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept("AS")
        given.values[name] = _checked(cursor, check)

    return read


def _number(name: str | None, word: str, low: int, high: int) -> Callable[[Cursor, _Options], None]:
    """[ AS ] number; accepted without effect when it has no name."""

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept("AS")
        position = cursor.position
        number = cursor.integer()
        if not low <= number <= high:
            raise errors.InvalidParameterValue(f"{word} must be between {low} and {high}", position=position)
        if name is None:
            given.accepted.append(word)
        else:
            given.values[name] = number

    return read


def _switch(word: str, *more: str) -> Callable[[Cursor, _Options], None]:
    """[ ON | TRUE | OFF | FALSE | ... ]; accepted without effect."""

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept_any(("ON", "TRUE", "OFF", "FALSE", *more))
        given.accepted.append(word)

    return read


def _ignore_all_errors(cursor: Cursor, given: _Options) -> None:
    given.values["max_error"] = NO_LIMIT


def _always(cursor: Cursor, given: _Options) -> None:
    """An option that says what is done anyway."""


def _checked(cursor: Cursor, check: Callable[[str], str]) -> str:
    """The next string as `check` makes it; an error it raises gets the string's position."""
    position = cursor.position
    text = cursor.string()
    try:
        return check(text)
    except errors.Error as error:
        error.position = position
        raise


def _compression(kind: Compression) -> Callable[[Cursor, _Options], None]:
    def read(cursor: Cursor, given: _Options) -> None:
        if "compression" in given.values:
            _conflict(given, kind.upper(), given.values["compression"].upper())
        given.values["compression"] = kind

    return read


# Authorization


def _authorize(given: _Options, kind: str) -> None:
    if given.values.get("authorization", kind) != kind:
        _conflict(given, list(given.positions)[-1], given.values["authorization"].upper())
    given.values["authorization"] = kind


def _iam_role(cursor: Cursor, given: _Options) -> None:
    given.values["iam_role"] = read_iam_role(cursor)
    _authorize(given, "iam_role")


def _credentials(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    text = cursor.string()
    if "master_symmetric_key=" in text:
        raise errors.NotSupportedError(
            "client-side encryption is not supported", position=given.positions["CREDENTIALS"]
        )
    given.values["iam_role"] = role_of_credentials(text)
    _authorize(given, "credentials")


def _access_key(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    cursor.string()
    _authorize(given, "access_key")


def _region(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    given.values["region"] = cursor.string()


# Formats


def _csv(cursor: Cursor, given: _Options) -> None:
    _set_format(given, "CSV", None)


def _columnar(cursor: Cursor, given: _Options) -> None:
    _set_format(given, list(given.positions)[-1], None)


def _fixed_width(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    position = cursor.position
    specification = cursor.string()
    widths = [_WIDTH.fullmatch(part) for part in specification.split(",")]
    if not all(widths):
        raise errors.InvalidParameterValue(
            f'"{specification[:100]}" is not a fixed width specification',
            position=position,
            hint="Write it as 'label:width,label:width'.",
        )
    _set_format(given, "FIXEDWIDTH", tuple(int(match[1]) for match in widths if match))


_WIDTH = re.compile(r"\s*[^:,]+:\s*0*([1-9][0-9]{0,6})\s*")


def _json(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    position = cursor.position
    option = cursor.string() if cursor.sees_string() else "auto"
    if option.lower().startswith("s3://"):
        _set_format(given, "JSON", Json("paths", option))
    elif option in ("auto", "auto ignorecase", "noshred"):
        _set_format(given, "JSON", Json(option))  # type: ignore[arg-type]
    else:
        raise errors.InvalidParameterValue(
            f'"{option[:100]}" is not an option of JSON',
            position=position,
            hint="The options are 'auto', 'auto ignorecase', 'noshred' and 's3://jsonpaths_file'.",
        )


def _set_format(given: _Options, word: str, argument: Any) -> None:
    if "kind" in given.format:
        _conflict(given, word, given.format["kind"])
    given.format.update(kind=word, argument=argument)


def _character(name: str) -> Callable[[Cursor, _Options], None]:
    """[ AS ] 'c', one ASCII character, perhaps written with a backslash."""

    def check(text: str) -> str:
        character = unescape(text)
        if len(character) != 1 or not "\x00" < character < "\x7f" or character in "\r\n":
            raise errors.InvalidParameterValue(f"COPY {name} must be a single ASCII character")
        return character

    def read(cursor: Cursor, given: _Options) -> None:
        cursor.accept("AS")
        given.format[name] = _checked(cursor, check)

    return read


def _replacement(cursor: Cursor, given: _Options) -> None:
    """[ AS ] [ 'c' ], any ASCII character but NUL."""

    def check(text: str) -> str:
        if len(text) != 1 or not "\x00" < text < "\x80":
            raise errors.InvalidParameterValue("the replacement must be a single ASCII character")
        return text

    with_as = cursor.accept("AS")
    given.values["accept_invalid"] = _checked(cursor, check) if with_as or cursor.sees_string() else "?"


def _null_string(text: str) -> str:
    null = text if text == "\\N" else unescape(text)
    if "\n" in null or "\r" in null:
        raise errors.InvalidParameterValue("the NULL string cannot contain a line end")
    if len(null) > 1000:
        raise errors.InvalidParameterValue("the NULL string cannot be longer than 1000 characters")
    return null


def _encoding(cursor: Cursor, given: _Options) -> None:
    cursor.accept("AS")
    position = cursor.position
    name = cursor.string().lower() if cursor.sees_string() else cursor.identifier()
    name = name.replace("-", "")
    if name not in ("utf8", "utf16", "utf16le", "utf16be"):
        raise errors.InvalidParameterValue(
            f'"{name[:100]}" is not a file encoding',
            position=position,
            hint="The encodings are UTF8, UTF16, UTF16LE and UTF16BE.",
        )
    given.values["encoding"] = name


_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{1,2}|[0-7]{1,3}|.)", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\\": "\\", "'": "'", '"': '"'}


def unescape(text: str) -> str:
    """The characters an option's text means: `\\t`, `\\\\`, octal `\\001` and hexadecimal `\\x7c` are one character.

    A backslash before any other character stands for itself.
    """

    def character(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped[0] in "01234567":
            return chr(int(escaped, 8))
        if len(escaped) > 1:
            return chr(int(escaped[1:], 16))
        return _ESCAPED.get(escaped, match[0])

    return _ESCAPE.sub(character, text)


_FORMATS: dict[str, Callable[[Cursor, _Options], None]] = {
    "CSV": _csv,
    "DELIMITER": _character("delimiter"),
    "FIXEDWIDTH": _fixed_width,
    "JSON": _json,
    "PARQUET": _columnar,
    "ORC": _columnar,
    "AVRO": _columnar,
    "SHAPEFILE": _columnar,
}
_READERS: dict[str, Callable[[Cursor, _Options], None]] = {
    **_FORMATS,
    "QUOTE": _character("quote"),
    "ESCAPE": _part("escape"),
    "REMOVEQUOTES": _part("remove_quotes"),
    "GZIP": _compression("gzip"),
    "BZIP2": _compression("bzip2"),
    "ZSTD": _compression("zstd"),
    "MANIFEST": _flag("manifest"),
    "REGION": _region,
    "IAM_ROLE": _iam_role,
    "CREDENTIALS": _credentials,
    "ACCESS_KEY_ID": _access_key,
    "SECRET_ACCESS_KEY": _access_key,
    "SESSION_TOKEN": _access_key,
    "ACCEPTANYDATE": _flag("accept_any_date"),
    "ACCEPTINVCHARS": _replacement,
    "BLANKSASNULL": _flag("blanks_as_null"),
    "DATEFORMAT": _text("date_format"),
    "EMPTYASNULL": _flag("empty_as_null"),
    "ENCODING": _encoding,
    "EXPLICIT_IDS": _flag("explicit_ids"),
    "FILLRECORD": _flag("fill_record"),
    "IGNOREBLANKLINES": _flag("ignore_blank_lines"),
    "IGNOREHEADER": _number("ignore_header", "IGNOREHEADER", 0, 2**31 - 1),
    "NULL": _text("null", _null_string),
    "ROUNDEC": _flag("round_decimals"),
    "TIMEFORMAT": _text("time_format"),
    "TRIMBLANKS": _flag("trim_blanks"),
    "TRUNCATECOLUMNS": _flag("truncate_columns"),
    "COMPROWS": _number(None, "COMPROWS", 1000, 2**31 - 1),
    "COMPUPDATE": _switch("COMPUPDATE", "PRESET"),
    "STATUPDATE": _switch("STATUPDATE"),
    "MAXERROR": _number("max_error", "MAXERROR", 0, 100_000),
    "IGNOREALLERRORS": _ignore_all_errors,
    "NOLOAD": _flag("no_load"),
    "SERIALIZETOJSON": _always,
}
_REFUSED = frozenset(
    {"AVRO", "SHAPEFILE", "SIMPLIFY", "LZOP", "ENCRYPTED", "MASTER_SYMMETRIC_KEY", "KMS_KEY_ID", "SSH", "READRATIO"}
    | {"JOB"}
)


# What goes together

_AUTHORIZING = frozenset({"IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"})
_WITH_COLUMNAR = _AUTHORIZING | {
    "FORMAT", "MANIFEST", "REGION", "COMPUPDATE", "STATUPDATE", "EXPLICIT_IDS", "NOLOAD", "SERIALIZETOJSON",
}  # fmt: skip
_NOT_WITH = {
    "CSV": {"ESCAPE", "REMOVEQUOTES"},
    "FIXEDWIDTH": {"DELIMITER", "ESCAPE", "REMOVEQUOTES", "QUOTE", "ENCODING", "FILLRECORD"},
    "JSON": {
        "DELIMITER", "ESCAPE", "REMOVEQUOTES", "QUOTE", "FILLRECORD", "IGNOREBLANKLINES", "NULL", "ACCEPTINVCHARS",
    },
    "": {"QUOTE"},
}  # fmt: skip


def _check_conflicts(given: _Options) -> None:
    kind = given.format.get("kind", "")
    for word in given.positions:
        if kind in ("PARQUET", "ORC") and word not in _WITH_COLUMNAR | {kind}:
            position = given.positions[word]
            raise errors.SyntaxError(f"{word} argument is not supported for {kind} based COPY", position=position)
        if word in _NOT_WITH.get(kind, ()):
            _conflict(given, word, kind)
    if kind not in ("PARQUET", "ORC") and "SERIALIZETOJSON" in given.positions:
        _conflict(given, "SERIALIZETOJSON", kind or "delimited text")
    if {"MAXERROR", "IGNOREALLERRORS"} <= set(given.positions):
        _conflict(given, "IGNOREALLERRORS", "MAXERROR")
    if ("ACCESS_KEY_ID" in given.positions) != ("SECRET_ACCESS_KEY" in given.positions):
        raise errors.SyntaxError(
            "ACCESS_KEY_ID and SECRET_ACCESS_KEY must be used together",
            position=min(p for word, p in given.positions.items() if word in _AUTHORIZING),
        )
    delimiter = given.format.get("delimiter", "," if kind == "CSV" else "|")
    if kind == "CSV" and delimiter == given.format.get("quote", '"'):
        _conflict(given, "QUOTE" if "QUOTE" in given.positions else "DELIMITER", "the same character as the other")
    if delimiter == "\\" and "ESCAPE" in given.positions:
        _conflict(given, "ESCAPE", "a backslash as DELIMITER")
    if kind in ("", "CSV") and delimiter in given.values.get("null", "\\N"):
        _conflict(given, "NULL" if "NULL" in given.positions else "DELIMITER", "a delimiter inside the NULL string")


def _conflict(given: _Options, word: str, other: str) -> NoReturn:
    if not other:
        raise errors.SyntaxError(f"{word} can only be used with CSV", position=given.positions[word])
    raise errors.SyntaxError(f"{word} cannot be used with {other}", position=given.positions[word])


def _format(given: _Options) -> Format:
    parts = dict(given.format)
    kind, argument = parts.pop("kind", ""), parts.pop("argument", None)
    if kind == "CSV":
        return Csv(**parts)
    if kind == "FIXEDWIDTH":
        return FixedWidth(argument)
    if kind == "JSON":
        return argument  # type: ignore[no-any-return]
    if kind in ("PARQUET", "ORC"):
        return Columnar(kind.lower())
    return Delimited(**parts)
