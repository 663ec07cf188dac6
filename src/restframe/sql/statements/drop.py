"""DROP TABLE, DROP VIEW and DROP SCHEMA."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class DropTable(Statement):
    """DROP TABLE [ IF EXISTS ] name [, ...] [ CASCADE | RESTRICT ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_TABLE.html
    """

    names: tuple[QualifiedName, ...]
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class DropView(Statement):
    """DROP VIEW [ IF EXISTS ] name [, ...] [ CASCADE | RESTRICT ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_VIEW.html
    """

    names: tuple[QualifiedName, ...]
    if_exists: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class DropSchema(Statement):
    """DROP SCHEMA [ IF EXISTS ] name [, ...] [ CASCADE | RESTRICT ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_SCHEMA.html
    """

    names: tuple[QualifiedName, ...]
    if_exists: bool = False
    cascade: bool = False


def read_drop_table(cursor: Cursor) -> DropTable:
    names, if_exists, cascade = _read(cursor, "TABLE")
    return DropTable(names, if_exists, cascade)


def read_drop_view(cursor: Cursor) -> DropView:
    names, if_exists, cascade = _read(cursor, "VIEW")
    return DropView(names, if_exists, cascade)


def read_drop_schema(cursor: Cursor) -> DropSchema:
    names, if_exists, cascade = _read(cursor, "SCHEMA")
    return DropSchema(names, if_exists, cascade)


def _read(cursor: Cursor, kind: str) -> tuple[tuple[QualifiedName, ...], bool, bool]:
    cursor.expect("DROP", kind)
    if_exists = cursor.accept("IF", "EXISTS")
    names = [cursor.qualified_name()]
    while cursor.accept(","):
        names.append(cursor.qualified_name())
    cascade = cursor.accept_any(("CASCADE", "RESTRICT")) == "CASCADE"
    return tuple(names), if_exists, cascade
