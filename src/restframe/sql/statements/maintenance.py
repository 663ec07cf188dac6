"""TRUNCATE, ANALYZE and VACUUM."""

from __future__ import annotations

from dataclasses import dataclass

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName, read_column_names


@dataclass(frozen=True, slots=True)
class Truncate(Statement):
    """TRUNCATE [ TABLE ] name

    https://docs.aws.amazon.com/redshift/latest/dg/r_TRUNCATE.html
    """

    name: QualifiedName


@dataclass(frozen=True, slots=True)
class Analyze(Statement):
    """ANALYZE [ VERBOSE ] [ name [ ( column [, ...] ) ] ] [ PREDICATE COLUMNS | ALL COLUMNS ]

    name : None for all tables

    https://docs.aws.amazon.com/redshift/latest/dg/r_ANALYZE.html
    """

    name: QualifiedName | None = None
    columns: tuple[ColumnName, ...] = ()


@dataclass(frozen=True, slots=True)
class Vacuum(Statement):
    """VACUUM [ FULL | SORT ONLY | DELETE ONLY | REINDEX | RECLUSTER ] [ name [ TO n PERCENT ] [ BOOST ] ]

    name : None for all tables

    https://docs.aws.amazon.com/redshift/latest/dg/r_VACUUM_command.html
    """

    mode: str = "FULL"
    name: QualifiedName | None = None


def read_truncate(cursor: Cursor) -> Truncate:
    cursor.expect("TRUNCATE")
    cursor.accept("TABLE")
    return Truncate(cursor.qualified_name())


def read_analyze(cursor: Cursor) -> Analyze:
    cursor.expect("ANALYZE")
    if cursor.sees("COMPRESSION"):
        raise errors.NotSupportedError("ANALYZE COMPRESSION is not supported", position=cursor.position)
    cursor.accept("VERBOSE")
    if cursor.at_end() or _columns_choice(cursor):
        return Analyze()
    name = cursor.qualified_name()
    columns = read_column_names(cursor) if cursor.sees("(") else ()
    _columns_choice(cursor)
    return Analyze(name, columns)


def _columns_choice(cursor: Cursor) -> bool:
    return cursor.accept("PREDICATE", "COLUMNS") or cursor.accept("ALL", "COLUMNS")


def read_vacuum(cursor: Cursor) -> Vacuum:
    cursor.expect("VACUUM")
    mode = cursor.accept_any(("FULL", "SORT", "DELETE", "REINDEX", "RECLUSTER"))
    if mode in ("SORT", "DELETE"):
        cursor.expect("ONLY")
        mode += " ONLY"
    if cursor.at_end() or cursor.accept("BOOST"):
        return Vacuum(mode or "FULL")
    name = cursor.qualified_name()
    if cursor.accept("TO"):
        _percent(cursor)
    cursor.accept("BOOST")
    return Vacuum(mode or "FULL", name)


def _percent(cursor: Cursor) -> None:
    position = cursor.position
    if not 0 <= cursor.integer() <= 100:
        raise errors.InvalidParameterValue("VACUUM threshold must be between 0 and 100", position=position)
    cursor.expect("PERCENT")
