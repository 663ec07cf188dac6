"""SHOW GRANTS and SHOW COLUMN GRANTS: who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements.show import ShowOfDatabase, read_of_database
from restframe.sql.statements.show_names import Path, Show, Text, read_like, read_limit, read_list, read_path, read_type


@dataclass(frozen=True, slots=True)
class Grantee:
    """Whose grants are shown; PUBLIC is called public."""

    kind: Literal["user", "role", "public"]
    name: str
    position: int = 1


@dataclass(frozen=True, slots=True)
class ShowGrants(Show):
    """SHOW GRANTS ON { DATABASE name | SCHEMA [ database. ] schema | [ TABLE ] [ [ database. ] schema. ] table |
    FUNCTION [ [ database. ] schema. ] name [ ( type [, ...] ) ] } [ FOR grantee ] [ LIMIT n ]

    grantee is { user | ROLE role | PUBLIC }.

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_GRANTS.html
    """

    kind: Literal["database", "schema", "table", "function"]
    on: Path
    grantee: Grantee | None = None
    arguments: tuple[Text, ...] | None = None


@dataclass(frozen=True, slots=True)
class ShowGrantsFor(Show):
    """SHOW GRANTS FOR { user | ROLE role } [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_GRANTS.html
    """

    grantee: Grantee


@dataclass(frozen=True, slots=True)
class ShowColumnGrants(Show):
    """SHOW COLUMN GRANTS ON TABLE [ [ database. ] schema. ] table [ FOR grantee ] [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_COLUMN_GRANTS.html
    """

    table: Path
    grantee: Grantee | None = None


def read_show_grants(cursor: Cursor) -> ShowGrants | ShowGrantsFor | ShowOfDatabase:
    cursor.expect("SHOW", "GRANTS")
    if cursor.sees("FOR"):
        return ShowGrantsFor(_grantee(cursor), limit=read_limit(cursor))
    cursor.expect("ON")
    if cursor.accept("TABLES", "FROM"):
        return read_of_database(cursor, "grants")
    kind = cursor.accept_any(("DATABASE", "SCHEMA", "FUNCTION", "TABLE")) or "TABLE"
    if cursor.sees("PROCEDURE"):
        raise errors.NotSupportedError("procedures are not supported", position=cursor.position)
    on = read_path(cursor, {"DATABASE": 1, "SCHEMA": 2}.get(kind, 3))
    arguments = read_list(cursor, read_type) if kind == "FUNCTION" and cursor.sees("(") else None
    grantee = _grantee(cursor) if cursor.sees("FOR") else None
    return ShowGrants(_KINDS[kind], on, grantee, arguments, limit=read_limit(cursor))


_KINDS: dict[str, Literal["database", "schema", "table", "function"]] = {
    "DATABASE": "database",
    "SCHEMA": "schema",
    "TABLE": "table",
    "FUNCTION": "function",
}


def read_show_column_grants(cursor: Cursor) -> ShowColumnGrants:
    cursor.expect("SHOW", "COLUMN", "GRANTS", "ON", "TABLE")
    table = read_path(cursor, 3)
    grantee = _grantee(cursor) if cursor.sees("FOR") else None
    return ShowColumnGrants(table, grantee, like=read_like(cursor), limit=read_limit(cursor))


def _grantee(cursor: Cursor) -> Grantee:
    cursor.expect("FOR")
    position = cursor.position
    if cursor.accept("PUBLIC"):
        return Grantee("public", "public", position)
    if cursor.accept("ROLE"):
        return Grantee("role", cursor.identifier(), position)
    return Grantee("user", cursor.identifier(), position)
