"""COPY: the statement as it is written, every option understood, nothing looked up yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy_options import (
    Columnar,
    Compression,
    Csv,
    Delimited,
    FixedWidth,
    Format,
    Json,
    read_options,
    unescape,
)

__all__ = [
    "Columnar",
    "Compression",
    "Copy",
    "Csv",
    "Delimited",
    "FixedWidth",
    "Format",
    "Json",
    "read_columns",
    "read_copy",
    "unescape",
]


@dataclass(frozen=True, slots=True)
class Copy(Statement):
    """COPY table [ ( column [, ...] ) ] FROM 's3://objectpath' authorization
    [ [ FORMAT ] [ AS ] data_format ] [ parameter [ argument ] [, ... ] ]

    data_format: CSV, DELIMITER, FIXEDWIDTH, JSON, PARQUET, ORC. Of the authorizations (IAM_ROLE, CREDENTIALS,
    ACCESS_KEY_ID with SECRET_ACCESS_KEY) the kind and the role are kept, and no key.
    AVRO, SHAPEFILE, LZOP, ENCRYPTED, SSH and READRATIO are refused by name, as are sources other than S3.

    columns : empty when none were listed
    iam_role : as given; `default` too where access keys or nothing was given
    source : a prefix of keys; with `manifest`, the manifest's own location
    null : the text that means NULL; data is compared with it as it stands, the default is backslash N
    accept_invalid : the character that replaces each byte which is not UTF-8; None to refuse such bytes
    encoding : utf8, utf16, utf16le or utf16be
    date_format, time_format : as written, 'auto', 'epochsecs' and 'epochmillisecs' among them; None when not given
    max_error : the load fails at this many errors; 0 and 1 both mean the first one, IGNOREALLERRORS none
    accepted : words of options that are understood and have no effect here

    https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
    """

    table: QualifiedName
    source: str
    columns: tuple[ColumnName, ...] = ()
    source_position: int = field(default=0, compare=False)
    authorization: Literal["iam_role", "credentials", "access_key"] | None = None
    iam_role: str = "default"
    format: Format = field(default_factory=Delimited)
    compression: Compression | None = None
    manifest: bool = False
    region: str | None = None
    null: str = "\\N"
    empty_as_null: bool = False
    blanks_as_null: bool = False
    trim_blanks: bool = False
    truncate_columns: bool = False
    round_decimals: bool = False
    fill_record: bool = False
    ignore_blank_lines: bool = False
    ignore_header: int = 0
    accept_any_date: bool = False
    accept_invalid: str | None = None
    date_format: str | None = None
    time_format: str | None = None
    encoding: Literal["utf8", "utf16", "utf16le", "utf16be"] = "utf8"
    explicit_ids: bool = False
    max_error: int = 0
    no_load: bool = False
    accepted: tuple[str, ...] = ()


def read_copy(cursor: Cursor) -> Copy:
    """A whole COPY statement.

    SyntaxError with the position of a word that is not understood, given twice or in conflict with another;
    NotSupportedError for what Redshift has and restframe has not.
    """
    cursor.expect("COPY")
    table = cursor.qualified_name()
    columns = read_columns(cursor)
    cursor.expect("FROM")
    source_position, source = cursor.position, _source(cursor)
    return Copy(table=table, source=source, columns=columns, source_position=source_position, **read_options(cursor))


def read_columns(cursor: Cursor) -> tuple[ColumnName, ...]:
    """[ ( column [, ...] ) ]"""
    if not cursor.accept("("):
        return ()
    names: list[ColumnName] = []
    while not names or cursor.accept(","):
        position = cursor.position
        column = ColumnName(cursor.identifier(), position)
        if column in names:
            raise errors.DuplicateColumn(f'column "{column.name}" specified more than once', position=position)
        names.append(column)
    cursor.expect(")")
    return tuple(names)


def _source(cursor: Cursor) -> str:
    position = cursor.position
    if cursor.word() in ("STDOUT", "PROGRAM"):
        raise errors.NotSupportedError(f"COPY FROM {cursor.word()} is not supported", position=position)
    source = cursor.string()
    scheme = source.partition("://")[0].lower()
    if scheme in ("emr", "dynamodb", "ssh"):
        raise errors.NotSupportedError(
            f"COPY from {scheme}:// is not supported", position=position, hint="COPY reads from s3:// locations."
        )
    if not source.lower().startswith("s3://"):
        raise errors.InvalidParameterValue(
            f'"{source[:100]}" is not an s3:// location', position=position, hint="Write it as s3://bucket/prefix."
        )
    return source
