"""SHOW of what the catalog holds; SHOW MODEL stands with the models, SHOW of a parameter with SET."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.show_names import Path, Show, Text, read_like, read_limit, read_path, read_pattern


@dataclass(frozen=True, slots=True)
class ShowDatabases(Show):
    """SHOW DATABASES [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_DATABASES.html
    """


@dataclass(frozen=True, slots=True)
class ShowSchemas(Show):
    """SHOW SCHEMAS FROM DATABASE name [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_SCHEMAS.html
    """

    database: Path


@dataclass(frozen=True, slots=True)
class ShowTables(Show):
    """SHOW TABLES FROM SCHEMA [ database. ] schema [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_TABLES.html
    """

    schema: Path


@dataclass(frozen=True, slots=True)
class ShowColumns(Show):
    """SHOW COLUMNS FROM TABLE [ [ database. ] schema. ] table [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_COLUMNS.html
    """

    table: Path


@dataclass(frozen=True, slots=True)
class ShowOfDatabase(Show):
    """SHOW { TABLES | COLUMNS | GRANTS ON TABLES } FROM DATABASE name [ DRIVER_TOKEN 'token' ]
    [ WHERE { SCHEMA_NAME | TABLE_NAME | COLUMN_NAME } LIKE 'pattern' [ AND ... ] ] [ LIMIT n ]

    What Redshift's drivers ask instead of one statement for each schema or table. The token is one that we never gave.

    https://github.com/aws/amazon-redshift-python-driver
    """

    kind: Literal["tables", "columns", "grants"]
    database: Path
    schema_like: Text | None = None
    table_like: Text | None = None
    column_like: Text | None = None


@dataclass(frozen=True, slots=True)
class ShowPrimaryKeys(Show):
    """SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE [ [ database. ] schema. ] table [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_CONSTRAINTS.html
    """

    table: Path


@dataclass(frozen=True, slots=True)
class ShowForeignKeys(Show):
    """SHOW CONSTRAINTS FOREIGN KEYS [ EXPORTED ] FROM TABLE [ [ database. ] schema. ] table [ LIMIT n ]

    exported : those of other tables that reference this one

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_CONSTRAINTS.html
    """

    table: Path
    exported: bool = False


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


def read_show_databases(cursor: Cursor) -> ShowDatabases:
    cursor.expect("SHOW", "DATABASES")
    return ShowDatabases(like=read_like(cursor), limit=read_limit(cursor))


def read_show_schemas(cursor: Cursor) -> ShowSchemas:
    cursor.expect("SHOW", "SCHEMAS", "FROM", "DATABASE")
    return ShowSchemas(read_path(cursor, 1), like=read_like(cursor), limit=read_limit(cursor))


def read_show_tables(cursor: Cursor) -> ShowTables | ShowOfDatabase:
    cursor.expect("SHOW", "TABLES", "FROM")
    if cursor.sees("DATABASE"):
        return read_of_database(cursor, "tables")
    cursor.expect("SCHEMA")
    return ShowTables(read_path(cursor, 2), like=read_like(cursor), limit=read_limit(cursor))


def read_show_columns(cursor: Cursor) -> ShowColumns | ShowOfDatabase:
    cursor.expect("SHOW", "COLUMNS", "FROM")
    if cursor.sees("DATABASE"):
        return read_of_database(cursor, "columns")
    cursor.expect("TABLE")
    return ShowColumns(read_path(cursor, 3), like=read_like(cursor), limit=read_limit(cursor))


def read_of_database(cursor: Cursor, kind: Literal["tables", "columns", "grants"]) -> ShowOfDatabase:
    """From DATABASE on."""
    cursor.expect("DATABASE")
    database = read_path(cursor, 1)
    if cursor.accept("DRIVER_TOKEN"):
        cursor.string()
    filters: dict[str, Text] = {}
    more = cursor.accept("WHERE")
    while more:
        column = cursor.accept_any(name for name in _FILTERS[kind] if name not in filters)
        if column is None:
            cursor.fail()
        cursor.expect("LIKE")
        filters[column] = read_pattern(cursor)
        more = cursor.accept("AND")
    patterns = (filters.get(name) for name in _FILTERS["columns"])
    return ShowOfDatabase(kind, database, *patterns, limit=read_limit(cursor))


_FILTERS = {
    "tables": ("SCHEMA_NAME", "TABLE_NAME"),
    "columns": ("SCHEMA_NAME", "TABLE_NAME", "COLUMN_NAME"),
    "grants": ("SCHEMA_NAME", "TABLE_NAME"),
}


def read_show_constraints(cursor: Cursor) -> ShowPrimaryKeys | ShowForeignKeys:
    cursor.expect("SHOW", "CONSTRAINTS")
    if cursor.accept("PRIMARY", "KEYS"):
        cursor.expect("FROM", "TABLE")
        return ShowPrimaryKeys(read_path(cursor, 3), limit=read_limit(cursor))
    cursor.expect("FOREIGN", "KEYS")
    exported = cursor.accept("EXPORTED")
    cursor.expect("FROM", "TABLE")
    return ShowForeignKeys(read_path(cursor, 3), exported, limit=read_limit(cursor))


def read_show_table(cursor: Cursor) -> ShowTable:
    cursor.expect("SHOW", "TABLE")
    return ShowTable(cursor.qualified_name())


def read_show_view(cursor: Cursor) -> ShowView:
    cursor.expect("SHOW", "VIEW")
    return ShowView(cursor.qualified_name())
