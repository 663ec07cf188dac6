"""CREATE TABLE and CREATE TABLE AS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import (
    ColumnClause,
    ColumnName,
    References,
    read_column,
    read_column_names,
    read_references,
)
from restframe.sql.statements.query import Query, read_query


@dataclass(frozen=True, slots=True)
class TableConstraint:
    """[ CONSTRAINT name ] { UNIQUE | PRIMARY KEY | FOREIGN KEY } ( column [, ...] ) [ REFERENCES ... ]

    Redshift tells its planner about them and never enforces them.
    """

    kind: Literal["unique", "primary key", "foreign key"]
    columns: tuple[ColumnName, ...]
    name: str | None = None
    references: References | None = None


@dataclass(frozen=True, slots=True)
class LikeClause:
    """LIKE parent [ { INCLUDING | EXCLUDING } DEFAULTS ]: the parent's columns, keys and NOT NULLs."""

    parent: QualifiedName
    including_defaults: bool = False


@dataclass(frozen=True, slots=True)
class TableAttributes:
    """What may follow the column list, in any order.

    BACKUP { YES | NO }, DISTSTYLE { AUTO | EVEN | KEY | ALL }, DISTKEY ( column ),
    [ COMPOUND | INTERLEAVED ] SORTKEY ( column [, ...] ), SORTKEY AUTO, ENCODE AUTO

    diststyle : None when it was not written
    sortstyle : COMPOUND, INTERLEAVED, AUTO, or nothing
    """

    diststyle: str | None = None
    distkey: ColumnName | None = None
    sortkey: tuple[ColumnName, ...] = ()
    sortstyle: str = ""
    encode_auto: bool = False
    backup: bool = True


@dataclass(frozen=True, slots=True)
class CreateTable(Statement):
    """CREATE [ [ LOCAL ] { TEMPORARY | TEMP } ] TABLE [ IF NOT EXISTS ] name
    ( { column | table_constraint | LIKE parent } [, ...] ) [ table_attributes ]

    temporary : also true for a name that starts with `#`
    elements : columns and LIKE clauses in the order in which they make the table's columns

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html
    """

    name: QualifiedName
    elements: tuple[ColumnClause | LikeClause, ...]
    constraints: tuple[TableConstraint, ...] = ()
    attributes: TableAttributes = field(default_factory=TableAttributes)
    temporary: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True, slots=True)
class CreateTableAs(Statement):
    """CREATE [ [ LOCAL ] { TEMPORARY | TEMP } ] TABLE name [ ( column [, ...] ) ] [ table_attributes ] AS query

    columns : names for the query's columns, none when it keeps its own

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_AS.html
    """

    name: QualifiedName
    query: Query
    columns: tuple[ColumnName, ...] = ()
    attributes: TableAttributes = field(default_factory=TableAttributes)
    temporary: bool = False


def read_create_table(cursor: Cursor) -> CreateTable | CreateTableAs:
    cursor.expect("CREATE")
    cursor.accept("LOCAL")
    temporary = cursor.accept_any(("TEMP", "TEMPORARY")) is not None
    cursor.expect("TABLE")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    name = cursor.qualified_name()
    temporary = temporary or name.name.startswith("#")
    if temporary and name.schema is not None:
        raise errors.InvalidDefinition(
            "cannot create temporary relation in non-temporary schema", position=name.position
        )
    if _is_list_of_names(cursor) or not cursor.sees("("):
        return _read_as(cursor, name, temporary, if_not_exists)
    elements, constraints = _read_elements(cursor)
    attributes = read_table_attributes(cursor)
    return CreateTable(name, elements, constraints, attributes, temporary, if_not_exists)


def _is_list_of_names(cursor: Cursor) -> bool:
    """Whether `( a, ...` or `( a )` follows: names without types, as only CREATE TABLE AS has them."""
    return cursor.sees("(") and (cursor.sees(",", ahead=2) or cursor.sees(")", ahead=2))


def _read_as(cursor: Cursor, name: QualifiedName, temporary: bool, if_not_exists: bool) -> CreateTableAs:
    columns = read_column_names(cursor) if cursor.sees("(") else ()
    attributes = read_table_attributes(cursor)
    if if_not_exists:
        cursor.fail("CREATE TABLE AS cannot be used with IF NOT EXISTS")
    cursor.expect("AS")
    _refuse_with_data(cursor)
    position = cursor.position
    return CreateTableAs(name, read_query(cursor.rest(), position), columns, attributes, temporary)


def _refuse_with_data(cursor: Cursor) -> None:
    """PostgreSQL's WITH [ NO ] DATA after the query is none of Redshift's syntax."""
    words = [str(token.text).upper() for token in cursor.tokens[-3:]]
    if words == ["WITH", "NO", "DATA"] or words[1:] == ["WITH", "DATA"]:
        start = cursor.tokens[-3 if "NO" in words else -2].start
        raise errors.SyntaxError(
            'syntax error at or near "WITH"',
            position=cursor.base + start + 1,
            hint="Redshift has no WITH [NO] DATA; add LIMIT 0 to the query for an empty table.",
        )


# The list in parentheses


def _read_elements(
    cursor: Cursor,
) -> tuple[tuple[ColumnClause | LikeClause, ...], tuple[TableConstraint, ...]]:
    elements: list[ColumnClause | LikeClause] = []
    constraints: list[TableConstraint] = []
    cursor.expect("(")
    while True:
        if cursor.sees("LIKE"):
            elements.append(_read_like(cursor))
        elif cursor.word() in ("CONSTRAINT", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY"):
            constraints.append(read_table_constraint(cursor))
        else:
            elements.append(read_column(cursor))
        if not cursor.accept(","):
            cursor.expect(")")
            return tuple(elements), tuple(constraints)


def _read_like(cursor: Cursor) -> LikeClause:
    cursor.expect("LIKE")
    parent = cursor.qualified_name()
    choice = cursor.accept_any(("INCLUDING", "EXCLUDING"))
    if choice is not None:
        cursor.expect("DEFAULTS")
    return LikeClause(parent, choice == "INCLUDING")


def read_table_constraint(cursor: Cursor) -> TableConstraint:
    """[ CONSTRAINT name ] and a constraint of the whole table."""
    name = cursor.identifier() if cursor.accept("CONSTRAINT") else None
    if cursor.accept("UNIQUE"):
        return TableConstraint("unique", read_column_names(cursor), name)
    if cursor.accept("PRIMARY KEY"):
        return TableConstraint("primary key", read_column_names(cursor), name)
    cursor.expect("FOREIGN KEY")
    columns = read_column_names(cursor)
    cursor.expect("REFERENCES")
    return TableConstraint("foreign key", columns, name, read_references(cursor))


# Table attributes, by the word each starts with


class _Attribute(NamedTuple):
    name: str  # the field of TableAttributes that must not be set twice
    read: Callable[[Cursor], dict[str, Any]]  # called at the first word


def read_table_attributes(cursor: Cursor) -> TableAttributes:
    """Attributes until a word that is none. SyntaxError for one given twice or for two that contradict each other."""
    given: dict[str, Any] = {}
    while (attribute := _ATTRIBUTES.get(cursor.word() or "")) is not None:
        position = cursor.position
        if attribute.name in given:
            raise errors.SyntaxError(
                f"conflicting or redundant options: {cursor.word()} is given twice", position=position
            )
        given.update(attribute.read(cursor))
        if "distkey" in given and given.get("diststyle", "KEY") != "KEY":
            raise errors.InvalidDefinition(
                f"DISTKEY cannot be given with DISTSTYLE {given['diststyle']}", position=position
            )
    return TableAttributes(**given)


def _backup(cursor: Cursor) -> dict[str, Any]:
    cursor.expect("BACKUP")
    choice = cursor.accept_any(("YES", "NO"))
    if choice is None:
        cursor.fail()
    return {"backup": choice == "YES"}


def _diststyle(cursor: Cursor) -> dict[str, Any]:
    cursor.expect("DISTSTYLE")
    style = cursor.accept_any(("AUTO", "EVEN", "KEY", "ALL"))
    if style is None:
        cursor.fail()
    return {"diststyle": style}


def _distkey(cursor: Cursor) -> dict[str, Any]:
    cursor.expect("DISTKEY")
    opening = cursor.position
    names = read_column_names(cursor)
    if len(names) > 1:
        raise errors.SyntaxError("a table can have one DISTKEY column only", position=opening)
    return {"distkey": names[0]}


def _sortkey(cursor: Cursor) -> dict[str, Any]:
    style = cursor.accept_any(("COMPOUND", "INTERLEAVED"))
    cursor.expect("SORTKEY")
    if style is None and cursor.accept("AUTO"):
        return {"sortkey": (), "sortstyle": "AUTO"}
    opening = cursor.position
    names = read_column_names(cursor)
    limit = _MAX_INTERLEAVED if style == "INTERLEAVED" else _MAX_COMPOUND
    if len(names) > limit:
        raise errors.InvalidDefinition(f"a sort key can have at most {limit} columns", position=opening)
    return {"sortkey": names, "sortstyle": style or "COMPOUND"}


def _encode(cursor: Cursor) -> dict[str, Any]:
    cursor.expect("ENCODE", "AUTO")
    return {"encode_auto": True}


_MAX_COMPOUND = 400
_MAX_INTERLEAVED = 8

_ATTRIBUTES = {
    "BACKUP": _Attribute("backup", _backup),
    "DISTSTYLE": _Attribute("diststyle", _diststyle),
    "DISTKEY": _Attribute("distkey", _distkey),
    "COMPOUND": _Attribute("sortkey", _sortkey),
    "INTERLEAVED": _Attribute("sortkey", _sortkey),
    "SORTKEY": _Attribute("sortkey", _sortkey),
    "ENCODE": _Attribute("encode_auto", _encode),
}
