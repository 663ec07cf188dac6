"""SHOW SCHEMAS, TABLES, COLUMNS, TABLE and VIEW: what the catalog holds, in the columns of Redshift's answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.result import Result
from restframe.sql import QualifiedName
from restframe.sql.statements.show import ShowColumns, ShowSchemas, ShowTable, ShowTables, ShowView
from restframe.types import SqlType
from restframe.warehouse.commands.definitions import written

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_TEXT = SqlType("varchar", length=65535)
_INT = SqlType("int4")

# The columns of what each statement answers.
SCHEMAS = [
    (name, _TEXT)
    for name in (
        "database_name", "schema_name", "schema_owner", "schema_type", "schema_acl", "source_database", "schema_option",
    )
]  # fmt: skip
TABLES = [
    (name, _TEXT)
    for name in ("database_name", "schema_name", "table_name", "table_type", "table_acl", "remarks")
]  # fmt: skip
COLUMNS = [
    ("database_name", _TEXT), ("schema_name", _TEXT), ("table_name", _TEXT), ("column_name", _TEXT),
    ("ordinal_position", _INT), ("column_default", _TEXT), ("is_nullable", _TEXT), ("data_type", _TEXT),
    ("character_maximum_length", _INT), ("numeric_precision", _INT), ("numeric_scale", _INT), ("remarks", _TEXT),
]  # fmt: skip
TABLE = [("Show Table DDL statement", _TEXT)]
VIEW = [("Show View DDL statement", _TEXT)]


def schemas(statement: ShowSchemas, session: Session) -> Result:
    _check_database(statement.database, statement.position, session)
    rows = [
        (session.settings.database, name, owner, "local", None, None, None)
        for name, owner in session.catalog.schema_owners()
        if _like(name, statement.like)
    ]
    return _result(SCHEMAS, rows, statement.limit)


def tables(statement: ShowTables, session: Session) -> Result:
    schema = statement.schema
    if schema.schema is not None:
        _check_database(schema.schema, schema.position, session)
    if not session.catalog.has_schema(schema.name):
        raise errors.UndefinedSchema(f'schema "{schema.name}" does not exist', position=schema.position)
    rows = [
        (session.settings.database, schema.name, one.name, one.kind.upper(), None, None)
        for one in session.catalog.relations(schema.name)
        if _like(one.name, statement.like)
    ]
    return _result(TABLES, rows, statement.limit)


def columns(statement: ShowColumns, session: Session) -> Result:
    relation = _relation(statement.table, session)
    rows = [
        (session.settings.database, relation.schema, relation.name, *_column_row(place, column))
        for place, column in enumerate(relation.columns, start=1)
        if _like(column.name, statement.like)
    ]
    return _result(COLUMNS, rows, statement.limit)


def _column_row(place: int, column: ColumnDefinition) -> tuple[Any, ...]:
    type_ = column.type
    precision = type_.precision or {"int2": 16, "int4": 32, "int8": 64}.get(type_.name)
    scale = 0 if type_.is_integer else type_.scale
    nullable = "NO" if column.not_null else "YES"
    name = str(SqlType(type_.name))  # without its length
    return (column.name, place, column.default, nullable, name, type_.length, precision, scale, None)


def table(statement: ShowTable, session: Session) -> Result:
    """The statement that would make the table again."""
    relation = _relation(statement.name, session)
    if relation.kind not in ("table", "temporary table"):
        raise errors.WrongObjectType(f'"{relation.name}" is not a table', position=statement.name.position)
    return Result.of_rows(TABLE, [(table_ddl(relation),)], "SHOW TABLE")


def view(statement: ShowView, session: Session) -> Result:
    relation = _relation(statement.name, session)
    if relation.kind != "view":
        raise errors.WrongObjectType(f'"{relation.name}" is not a view', position=statement.name.position)
    return Result.of_rows(VIEW, [(relation.definition,)], "SHOW VIEW")


def table_ddl(relation: Relation) -> str:
    """CREATE TABLE as SHOW TABLE prints it: a line a column, then constraints, then the table's attributes."""
    lines = [_column_ddl(column) for column in relation.columns] + list(relation.constraints)
    kept = [f"CREATE TABLE {written(relation.schema)}.{written(relation.name)} ("]
    kept.append(",\n".join(f"    {line}" for line in lines))
    kept.append(")")
    if not relation.backup:
        kept.append("BACKUP NO")
    kept.append(f"DISTSTYLE {relation.diststyle}")
    kept += [f"DISTKEY ({written(column.name)})" for column in relation.columns if column.distkey]
    key = sorted((column for column in relation.columns if column.sortkey), key=lambda column: column.sortkey)
    if key:
        style = "" if relation.sortstyle == "COMPOUND" else f"{relation.sortstyle} "
        kept.append(f"{style}SORTKEY ({', '.join(written(column.name) for column in key)})")
    elif relation.sortstyle == "AUTO":
        kept.append("SORTKEY AUTO")
    return "\n".join(kept) + ";"


def _column_ddl(column: ColumnDefinition) -> str:
    parts = [written(column.name), str(column.type)]
    if column.not_null:
        parts.append("NOT NULL")
    if column.default is not None:
        parts.append(f"DEFAULT {column.default}")
    if column.identity is not None:
        kind = "IDENTITY" if column.identity.always else "GENERATED BY DEFAULT AS IDENTITY"
        parts.append(f"{kind}({column.identity.seed},{column.identity.step})")
    if column.encoding is not None:
        parts.append(f"ENCODE {column.encoding}")
    return " ".join(parts)


# What they share


def _relation(name: QualifiedName, session: Session) -> Relation:
    return session.catalog.relation(name.schema, name.name, name.position)


def _check_database(name: str, position: int, session: Session) -> None:
    if name != session.settings.database.lower():
        raise errors.UndefinedObject(f'database "{name}" does not exist', position=position)


def _like(name: str, pattern: str | None) -> bool:
    """SQL's LIKE, in any case as SHOW has it."""
    if pattern is None:
        return True
    first, *later = ("".join("." if sign == "_" else re.escape(sign) for sign in part) for part in pattern.split("%"))
    if later:
        # Atomic groups: no choice is ever tried twice, whatever the pattern.
        first += "".join(f"(?>.*?{part})" for part in later[:-1]) + f".*{later[-1]}"
    return re.fullmatch(first, name, re.IGNORECASE | re.DOTALL) is not None


def _result(columns: list[tuple[str, SqlType]], rows: Iterable[tuple[Any, ...]], limit: int | None) -> Result:
    return Result.of_rows(columns, list(rows)[:limit], "SHOW")
