"""COPY FROM STDIN and TO STDOUT as they are written: in both ways that PostgreSQL knows."""

from __future__ import annotations

from typing import Any

import pytest

from restframe import errors, sql
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy import Copy
from restframe.sql.statements.copy_stream import CopyFromStdin, CopyToStdout
from restframe.sql.statements.copy_stream_options import StreamOptions


def read(text: str) -> Any:
    (statement,) = sql.parse(text)
    return statement


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("", StreamOptions()),
        ("csv", StreamOptions("csv", delimiter=",", null="")),
        ("binary", StreamOptions("binary")),
        ("with (format binary)", StreamOptions("binary")),
        ("with binary", StreamOptions("binary")),
        ("(format 'text', delimiter '|', null 'NULL')", StreamOptions(delimiter="|", null="NULL")),
        ("delimiter as '|' null as 'NULL'", StreamOptions(delimiter="|", null="NULL")),
        ("with delimiter '|' null ''", StreamOptions(delimiter="|", null="")),
        ("delimiters '|' with null ''", StreamOptions(delimiter="|", null="")),
        ("using delimiters ';'", StreamOptions(delimiter=";")),
        (r"with delimiter as e'\t' null as e'\\N'", StreamOptions()),
        (r"(delimiter '\t', null '\N')", StreamOptions()),
        ("(format csv, header)", StreamOptions("csv", True, ",", "")),
        ("(format csv, header false, quote '''')", StreamOptions("csv", False, ",", "", "'", "'")),
        ("(format csv, header match, escape e'\\\\')", StreamOptions("csv", "match", ",", "", '"', "\\")),
        ("csv header quote as '''' escape as '!'", StreamOptions("csv", True, ",", "", "'", "!")),
        ("(format text, header on, encoding 'latin1')", StreamOptions(header=True, encoding="latin-1")),
        ("csv encoding 'UTF-8'", StreamOptions("csv", delimiter=",", null="")),
        ("(format csv, freeze)", StreamOptions("csv", delimiter=",", null="", accepted=("FREEZE",))),
        (
            "(format csv, force_not_null (a, b), force_null *)",
            StreamOptions("csv", False, ",", "", force_not_null=(ColumnName("a"), ColumnName("b")), force_null="*"),
        ),
        (
            "csv force not null a, b",
            StreamOptions("csv", False, ",", "", force_not_null=(ColumnName("a"), ColumnName("b"))),
        ),
    ],
)
def test_options_of_copy_from_stdin(text: str, options: StreamOptions) -> None:
    assert read(f"copy t from stdin {text}").options == options


def test_the_table_and_its_columns() -> None:
    statement = read('COPY "public"."t"("a", b) FROM STDIN WITH (FORMAT binary)')
    assert isinstance(statement, CopyFromStdin)
    assert (str(statement.table), [c.name for c in statement.columns]) == ("public.t", ["a", "b"])


def test_copy_to_stdout_of_a_table_and_of_a_query() -> None:
    table = read("copy s.t (b) to stdout csv header force quote *")
    assert isinstance(table, CopyToStdout)
    assert (str(table.table), table.columns, table.options.force_quote) == ("s.t", (ColumnName("b"),), "*")
    query = read("copy (select ')' as a, (1) b) to stdout (format csv, force_quote (a))")
    assert isinstance(query, CopyToStdout)
    assert query.query is not None
    assert (query.table, query.query.text) == (None, "select ')' as a, (1) b")


def test_copy_from_s3_is_read_as_before() -> None:
    assert isinstance(read("copy t (a) from 's3://b/to' csv"), Copy)


@pytest.mark.parametrize(
    ("text", "kind", "message", "at"),
    [
        ("copy t from '/etc/passwd'", errors.InvalidParameterValue, '"/etc/passwd" is not an s3:// location', 13),
        ("copy t from program 'ls'", errors.NotSupportedError, "COPY FROM PROGRAM is not supported", 13),
        (
            "copy t to '/tmp/x'",
            errors.NotSupportedError,
            "COPY to a file or program of the server is not supported",
            11,
        ),
        (
            "copy t to program 'x'",
            errors.NotSupportedError,
            "COPY to a file or program of the server is not supported",
            11,
        ),
        (
            "copy (select 1) to '/x'",
            errors.NotSupportedError,
            "COPY to a file or program of the server is not supported",
            20,
        ),
        ("copy t", errors.SyntaxError, "syntax error at end of input", 7),
        ("copy t from stdin where a > 1", errors.SyntaxError, 'syntax error at or near "where"', 19),
        ("copy (delete from t) to stdout", errors.SyntaxError, 'syntax error at or near "delete"', 7),
        ("copy (select 1) from stdin", errors.SyntaxError, 'syntax error at or near "from"', 17),
        ("copy t from stdin (on_error ignore)", errors.SyntaxError, 'option "on_error" not recognized', 20),
        ("copy t from stdin (format xml)", errors.InvalidParameterValue, 'COPY format "xml" not recognized', 27),
        ("copy t from stdin (header, header)", errors.SyntaxError, "conflicting or redundant options", 28),
        ("copy t from stdin (header 2)", errors.SyntaxError, 'the option requires a Boolean value or "match"', 27),
        ("copy t from stdin binary null ''", errors.SyntaxError, "cannot specify NULL in BINARY mode", 26),
        ("copy t from stdin quote 'x'", errors.NotSupportedError, "COPY quote available only in CSV mode", 19),
        (
            "copy t from stdin csv force quote a",
            errors.NotSupportedError,
            "COPY force quote only available using COPY TO",
            23,
        ),
        (
            "copy t to stdout csv force null a",
            errors.NotSupportedError,
            "COPY force null only available using COPY FROM",
            22,
        ),
        (
            "copy t to stdout (format csv, header match)",
            errors.NotSupportedError,
            'cannot use "match" with HEADER in COPY TO',
            31,
        ),
        (
            "copy t from stdin delimiter 'ab'",
            errors.NotSupportedError,
            "COPY delimiter must be a single one-byte character",
            19,
        ),
        (
            "copy t from stdin delimiter 'é'",
            errors.NotSupportedError,
            "COPY delimiter must be a single one-byte character",
            19,
        ),
        ("copy t from stdin delimiter 'a'", errors.InvalidParameterValue, 'COPY delimiter cannot be "a"', 19),
        (
            "copy t from stdin null 'a\tb'",
            errors.InvalidParameterValue,
            "COPY delimiter must not appear in the NULL specification",
            19,
        ),
        (
            "copy t from stdin csv quote ','",
            errors.InvalidParameterValue,
            "COPY delimiter and quote must be different",
            23,
        ),
        (
            "copy t from stdin encoding 'xx'",
            errors.InvalidParameterValue,
            'argument to option "encoding" must be a valid encoding name, not "xx"',
            28,
        ),
    ],
)
def test_what_is_refused(text: str, kind: type[errors.Error], message: str, at: int) -> None:
    with pytest.raises(errors.Error) as caught:
        sql.parse(text)
    assert (type(caught.value), caught.value.message, caught.value.position) == (kind, message, at)
