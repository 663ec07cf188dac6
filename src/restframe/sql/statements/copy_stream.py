"""COPY between the client and the warehouse: FROM STDIN and TO STDOUT, which PostgreSQL has and Redshift has not."""

from __future__ import annotations

from dataclasses import dataclass, field

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.copy import Copy, read_columns, read_copy
from restframe.sql.statements.copy_stream_options import StreamOptions, read_stream_options
from restframe.sql.statements.query import Query, read_query


@dataclass(frozen=True, slots=True)
class CopyFromStdin(Statement):
    """COPY table [ ( column [, ...] ) ] FROM STDIN [ [ WITH ] ( option [, ...] ) ]

    option: FORMAT { text | csv | binary } | DELIMITER 'c' | NULL 'text' | HEADER [ boolean | MATCH ] | QUOTE 'c'
    | ESCAPE 'c' | FORCE_NOT_NULL { ( column [, ...] ) | * } | FORCE_NULL { ( column [, ...] ) | * } | ENCODING 'name'
    | FREEZE [ boolean ], or in the older way [ BINARY ] [ DELIMITER [ AS ] 'c' ] [ NULL [ AS ] 'text' ]
    [ CSV [ HEADER ] [ QUOTE [ AS ] 'c' ] [ ESCAPE [ AS ] 'c' ] [ FORCE NOT NULL column [, ...] ] ]

    columns : empty when none were listed, which means all

    https://www.postgresql.org/docs/current/sql-copy.html
    """

    table: QualifiedName
    columns: tuple[ColumnName, ...] = ()
    options: StreamOptions = field(default_factory=StreamOptions)


@dataclass(frozen=True, slots=True)
class CopyToStdout(Statement):
    """COPY { table [ ( column [, ...] ) ] | ( query ) } TO STDOUT [ [ WITH ] ( option [, ...] ) ]

    The options are those of CopyFromStdin, with FORCE_QUOTE { ( column [, ...] ) | * } in place of the other two.

    table : None when a query stands in its place

    https://www.postgresql.org/docs/current/sql-copy.html
    """

    table: QualifiedName | None = None
    query: Query | None = None
    columns: tuple[ColumnName, ...] = ()
    options: StreamOptions = field(default_factory=StreamOptions)


def read_any_copy(cursor: Cursor) -> Copy | CopyFromStdin | CopyToStdout:
    """Any COPY; those with other sources than STDIN are read as Redshift's.

    SyntaxError with the position of what is not understood, NotSupportedError for files and programs of the server.
    """
    if cursor.sees("COPY", "("):
        return _read_of_query(cursor)
    direction, place = _direction(cursor)
    if direction == "FROM" and place != "STDIN":
        return read_copy(cursor)
    cursor.expect("COPY")
    table = cursor.qualified_name()
    columns = read_columns(cursor)
    if cursor.accept("FROM", "STDIN"):
        return CopyFromStdin(table, columns, read_stream_options(cursor, "FROM"))
    _expect_stdout(cursor)
    return CopyToStdout(table, None, columns, read_stream_options(cursor, "TO"))


def _direction(cursor: Cursor) -> tuple[str | None, str | None]:
    """FROM or TO, whichever follows the table, and the word after it."""
    ahead = 1
    while ahead < len(cursor.tokens):
        if cursor.sees("FROM", ahead=ahead) or cursor.sees("TO", ahead=ahead):
            return cursor.word(ahead), cursor.word(ahead + 1)
        ahead += 1
    return None, None


def _read_of_query(cursor: Cursor) -> CopyToStdout:
    cursor.expect("COPY", "(")
    position, text = cursor.position, cursor.enclosed()
    query = read_query(text, position)
    _expect_stdout(cursor)
    return CopyToStdout(None, query, (), read_stream_options(cursor, "TO"))


def _expect_stdout(cursor: Cursor) -> None:
    cursor.expect("TO")
    if cursor.sees_string() or cursor.sees("PROGRAM"):
        raise errors.NotSupportedError(
            "COPY to a file or program of the server is not supported",
            position=cursor.position,
            hint="Use COPY ... TO STDOUT, or UNLOAD to write to s3:// locations.",
        )
    cursor.expect("STDOUT")
