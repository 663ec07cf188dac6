"""SHOW of what the catalog holds; SHOW MODEL stands with the models, SHOW of a parameter with SET."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class ShowSchemas(Statement):
    """SHOW SCHEMAS FROM DATABASE name [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_SCHEMAS.html
    """

    database: str
    like: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ShowTables(Statement):
    """SHOW TABLES FROM SCHEMA [ database. ] schema [ LIKE 'pattern' ] [ LIMIT n ]

    schema : its `schema` is the database, when one was named

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLES.html
    """

    schema: QualifiedName
    like: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ShowColumns(Statement):
    """SHOW COLUMNS FROM TABLE [ [ database. ] schema. ] table [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_COLUMNS.html
    """

    table: QualifiedName
    like: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class ShowTable(Statement):
    """SHOW TABLE [ schema. ] name: the CREATE TABLE statement that makes it

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLE.html
    """

    name: QualifiedName


@dataclass(frozen=True, slots=True)
class ShowView(Statement):
    """SHOW VIEW [ schema. ] name: its query

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_VIEW.html
    """

    name: QualifiedName


def read_show_schemas(cursor: Cursor) -> ShowSchemas:
    cursor.expect("SHOW", "SCHEMAS", "FROM", "DATABASE")
    return ShowSchemas(cursor.identifier(), *_like_and_limit(cursor))


def read_show_tables(cursor: Cursor) -> ShowTables:
    cursor.expect("SHOW", "TABLES", "FROM", "SCHEMA")
    return ShowTables(cursor.qualified_name(), *_like_and_limit(cursor))


def read_show_columns(cursor: Cursor) -> ShowColumns:
    cursor.expect("SHOW", "COLUMNS", "FROM", "TABLE")
    return ShowColumns(cursor.qualified_name(), *_like_and_limit(cursor))


def read_show_table(cursor: Cursor) -> ShowTable:
    cursor.expect("SHOW", "TABLE")
    return ShowTable(cursor.qualified_name())


def read_show_view(cursor: Cursor) -> ShowView:
    cursor.expect("SHOW", "VIEW")
    return ShowView(cursor.qualified_name())


def _like_and_limit(cursor: Cursor) -> tuple[str | None, int | None]:
    like = cursor.string() if cursor.accept("LIKE") else None
    limit = cursor.integer() if cursor.accept("LIMIT") else None
    return like, limit
