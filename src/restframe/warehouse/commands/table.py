"""CREATE TABLE, CREATE TABLE AS, SELECT INTO, DROP TABLE, TRUNCATE and COMMENT ON."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.relation_rows import engine_schema
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.catalog.store import TEMPORARY_SCHEMA
from restframe.engine.quoting import literal, quoted
from restframe.result import Result
from restframe.sql import QualifiedName, Query, Translation, translate, translate_default
from restframe.sql.statements.columns import ColumnClause, ColumnName
from restframe.sql.statements.comment import CommentOn
from restframe.sql.statements.create_table import (
    CreateTable,
    CreateTableAs,
    LikeClause,
    TableAttributes,
)
from restframe.sql.statements.drop import DropTable, DropView
from restframe.sql.statements.maintenance import Truncate
from restframe.sql.statements.query import SelectInto
from restframe.sql.statements.view import CreateView
from restframe.types import SqlType
from restframe.warehouse.commands import Locks
from restframe.warehouse.commands.definitions import TableDefinition, check_distinct, column_definition, define
from restframe.warehouse.commands.dependents import drop_all
from restframe.warehouse.privileges import grant_defaults
from restframe.warehouse.queries import SessionNames, prepare_models

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


# CREATE TABLE


def create(statement: CreateTable, session: Session) -> Result:
    """Make a table, or leave the one that is there with IF NOT EXISTS.

    DuplicateTable, DuplicateColumn, UndefinedSchema, InvalidDefinition; UndefinedTable for LIKE's parent.
    """
    place = _place(statement.name, statement.temporary, session)
    if _is_taken(statement.name, place, session):
        if not statement.if_not_exists:
            raise _already_there(statement.name)
        session.notice(f'Relation "{statement.name.name}" already exists and will be skipped')
        return Result(command="CREATE TABLE")
    definition, backup = _definition(statement, session)
    relation = dataclasses.replace(
        place,
        columns=definition.columns,
        diststyle=definition.diststyle,
        sortstyle=definition.sortstyle,
        constraints=definition.constraints,
        backup=backup,
    )
    make_table(relation, session)
    return Result(command="CREATE TABLE")


def _place(name: QualifiedName, temporary: bool, session: Session) -> Relation:
    """The new table, so far without columns."""
    if temporary:
        return Relation("pg_temp", name.name, "temporary table", (), engine_schema=TEMPORARY_SCHEMA, owner=session.user)
    schema = session.catalog.creation_schema(name.schema, name.position)
    return Relation(schema, name.name, "table", (), engine_schema=engine_schema(schema), owner=session.user)


def _is_taken(name: QualifiedName, place: Relation, session: Session) -> bool:
    if place.kind == "temporary table":
        found = session.catalog.find_relation(None, name.name)
        return found is not None and found.kind == "temporary table"
    return session.catalog.find_relation(place.schema, name.name) is not None


def _already_there(name: QualifiedName) -> errors.DuplicateTable:
    return errors.DuplicateTable(f'Relation "{name.name}" already exists', position=name.position)


def _definition(statement: CreateTable, session: Session) -> tuple[TableDefinition, bool]:
    """The table's definition and whether it is backed up; with LIKE, the parent decides what is not a column."""
    columns: list[ColumnDefinition] = []
    named: list[tuple[str, int]] = []
    clauses: list[ColumnClause] = []
    parent: Relation | None = None
    for element in statement.elements:
        if isinstance(element, LikeClause):
            parent = session.catalog.relation(element.parent.schema, element.parent.name, element.parent.position)
            added = _columns_like(parent, element)
            named += [(column.name, element.parent.position) for column in added]
            columns += added
        else:
            columns.append(column_definition(element))
            named.append((element.name, element.position))
            clauses.append(element)
    check_distinct(named)
    if parent is None:
        return define(columns, clauses, statement.attributes, statement.constraints), statement.attributes.backup
    if statement.attributes != TableAttributes() or any(clause.distkey or clause.sortkey for clause in clauses):
        raise errors.InvalidDefinition(
            "LIKE takes distribution, sort keys and BACKUP from the parent; they cannot be given",
            position=statement.name.position,
        )
    constraints = define(columns, clauses, TableAttributes(), statement.constraints).constraints
    return TableDefinition(tuple(columns), parent.diststyle, parent.sortstyle, constraints), parent.backup


def _columns_like(parent: Relation, clause: LikeClause) -> list[ColumnDefinition]:
    if parent.kind not in ("table", "temporary table"):
        raise errors.WrongObjectType(f'"{parent.name}" is not a table', position=clause.parent.position)
    return [
        dataclasses.replace(column, identity=None, default=column.default if clause.including_defaults else None)
        for column in parent.columns
    ]


def make_table(relation: Relation, session: Session) -> None:
    """Make the relation's table in the engine, with sequences for its identities, and record it."""
    columns = ", ".join(column_ddl(column, relation, session) for column in relation.columns)
    temporary = "TEMP " if relation.kind == "temporary table" else ""
    table = quoted(relation.name) if temporary else quoted(relation.engine_schema, relation.name)
    session.connection.run(f"CREATE {temporary}TABLE {table} ({columns})")
    recorded = session.catalog.add_relation(relation)
    if recorded.kind == "table":
        grant_defaults(recorded, session)


def column_ddl(column: ColumnDefinition, relation: Relation, session: Session) -> str:
    """A column as the engine's CREATE TABLE takes it; the sequence of an identity is made on the way."""
    text = f"{quoted(column.name)} {column.type.engine_type}"
    if column.identity is not None:
        text += f" DEFAULT nextval({literal(_make_sequence(column, relation, session))})"
    elif column.default is not None:
        default = translate_default(column.default)
        _check_fits(default, column, session)
        text += f" DEFAULT ({default})"
    return f"{text} NOT NULL" if column.not_null else text


def _check_fits(default: str, column: ColumnDefinition, session: Session) -> None:
    """The engine knows no lengths, and nothing looks at a default again when rows take it."""
    if column.type.is_text:
        stored = session.connection.run(f"SELECT strlen(CAST({default} AS VARCHAR))")[0][0]
        if (stored or 0) > (column.type.length or 0):
            raise errors.StringDataRightTruncation(
                f"value too long for type {column.type}: DEFAULT {column.default}"[:200]
            )


_SEQUENCE_PREFIX = "identity_"


def _make_sequence(column: ColumnDefinition, relation: Relation, session: Session) -> str:
    assert column.identity is not None
    name, step = f"{_SEQUENCE_PREFIX}{uuid.uuid4().hex}", column.identity.step
    limits = f"MINVALUE {-(2**63) + 1} MAXVALUE {2**63 - 1}"
    options = f"START WITH {column.identity.seed} INCREMENT BY {step} {limits}"
    if relation.kind == "temporary table":
        session.connection.run(f"CREATE TEMP SEQUENCE {quoted(name)} {options}")
        return quoted("temp", "main", name)
    session.connection.run(f"CREATE SEQUENCE {quoted(relation.engine_schema, name)} {options}")
    return quoted(relation.engine_schema, name)


# CREATE TABLE AS


def create_as(statement: CreateTableAs, session: Session) -> Result:
    """Make a table of a query's rows; it has the columns' names and types.

    DuplicateTable, DuplicateColumn, and whatever the query raises.
    """
    return _create_as(
        statement.name, statement.query, statement.temporary, statement.columns, statement.attributes, session
    )


def select_into(statement: SelectInto, session: Session) -> Result:
    """The same, written as SELECT ... INTO."""
    temporary = statement.temporary or statement.name.name.startswith("#")
    return _create_as(statement.name, statement.query, temporary, (), TableAttributes(), session)


def _create_as(
    name: QualifiedName,
    query: Query,
    temporary: bool,
    columns: Sequence[ColumnName],
    attributes: TableAttributes,
    session: Session,
) -> Result:
    place = _place(name, temporary, session)
    if _is_taken(name, place, session):
        raise _already_there(name)
    translation = translate(query, SessionNames(session))
    prepare_models(translation, session)
    found = [_kept(one, query.position) for one in output_columns(translation, columns, query.position)]
    definition = define(found, (), attributes)
    relation = dataclasses.replace(
        place,
        columns=definition.columns,
        diststyle=definition.diststyle,
        sortstyle=definition.sortstyle,
        backup=attributes.backup,
    )
    make_table(relation, session)
    session.connection.run(f"INSERT INTO {quoted(relation.engine_schema, relation.name)} {translation.sql}")
    return Result(command="SELECT")


def _kept(column: ColumnDefinition, position: int) -> ColumnDefinition:
    """A column of a query as one of a table: the system's own types become what tables can have.

    NotSupportedError for a list.
    """
    if column.type.element is not None:
        shown = f'column "{column.name}" has unsupported type "{column.type}"'
        raise errors.NotSupportedError(shown, position=position)
    return dataclasses.replace(column, type=_KEPT.get(column.type.name, column.type))


_TEXT = SqlType("varchar", length=256)
_KEPT = {
    "oid": SqlType("int8"), "name": _TEXT, "char": SqlType("bpchar", length=1), "regclass": _TEXT, "regtype": _TEXT,
    "regproc": _TEXT, "aclitem": _TEXT,
}  # fmt: skip


def output_columns(translation: Translation, names: Sequence[ColumnName], position: int) -> list[ColumnDefinition]:
    """The columns a query gives, under its labels, or under `names` for as many as there are.

    position : of the query, for a label that occurs twice
    """
    labels = translation.labels or ()
    if len(names) > len(labels):
        raise errors.InvalidDefinition("too many column names were specified", position=names[len(labels)].position)
    chosen = [(name.name, name.position) for name in names] + [(label, position) for label in labels[len(names) :]]
    check_distinct(chosen)
    return [
        ColumnDefinition(name, _stored_type(type_)) for (name, _), type_ in zip(chosen, translation.types, strict=True)
    ]


def _stored_type(type_: SqlType | None) -> SqlType:
    """A type for a column: a text of unknown length may be as long as texts can be, a column of NULLs is a text."""
    if type_ is None:
        return SqlType("varchar", length=_LONGEST["varchar"])
    if type_.length is None and type_.name in _LONGEST:
        return SqlType(type_.name, length=_LONGEST[type_.name])
    return type_


_LONGEST = {"varchar": 65535, "bpchar": 4096, "varbyte": 1024000}


# DROP TABLE and the others


def drop(statement: DropTable, session: Session) -> Result:
    """DependentObjectsStillExist when a view reads the table and CASCADE is not given."""
    relations = []
    for name in statement.names:
        found = session.catalog.find_relation(name.schema, name.name)
        if found is not None:
            relations.append(_a_table(found, name))
        elif statement.if_exists:
            session.notice(f'Table "{name.name}" does not exist and will be skipped')
        else:
            raise errors.UndefinedTable(f'Table "{name.name}" does not exist', position=name.position)
    drop_all(relations, statement.cascade, session)
    return Result(command="DROP TABLE")


def _a_table(relation: Relation, name: QualifiedName) -> Relation:
    if relation.kind not in ("table", "temporary table"):
        hint = "Use DROP VIEW to remove a view." if relation.kind == "view" else None
        raise errors.WrongObjectType(f'"{relation.name}" is not a table', position=name.position, hint=hint)
    return relation


def locks_of_create(statement: CreateTable | CreateTableAs | SelectInto | CreateView, session: Session) -> Locks:
    """The name itself: of two who create it, the second waits, and is told that it exists."""
    name = statement.name
    if not isinstance(statement, CreateView) and (statement.temporary or name.name.startswith("#")):
        return ()
    return ((engine_schema(session.catalog.creation_schema(name.schema, name.position)), name.name),)


def locks_of_drop(statement: DropTable | DropView, session: Session) -> Locks:
    found = (session.catalog.find_relation(name.schema, name.name) for name in statement.names)
    return tuple(sorted({(one.engine_schema, one.engine_name) for one in found if one is not None}))


def truncate(statement: Truncate, session: Session) -> Result:
    """Empty a table and commit, as Redshift does, whatever transaction it stands in."""
    relation = the_table(statement.name, session)
    session.connection.run(f"TRUNCATE {quoted(relation.engine_schema, relation.name)}")
    session.commit_now()
    return Result(command="TRUNCATE TABLE")


def the_table(name: QualifiedName, session: Session) -> Relation:
    """The table a name means; WrongObjectType for a view."""
    return _a_table(session.catalog.relation(name.schema, name.name, name.position), name)


def locks_of_table(statement: Truncate, session: Session) -> Locks:
    relation = session.catalog.relation(statement.name.schema, statement.name.name, statement.name.position)
    return ((relation.engine_schema, relation.engine_name),)


def comment(statement: CommentOn, session: Session) -> Result:
    name = statement.name
    if statement.kind == "schema":
        schema = session.catalog.find_schema(name.name)
        if schema is None:
            raise errors.UndefinedSchema(f'schema "{name.name}" does not exist', position=name.position)
        session.catalog.set_comment(schema.oid, None, statement.comment)
        return Result(command="COMMENT")
    relation = session.catalog.relation(name.schema, name.name, name.position)
    kind = "VIEW" if relation.kind == "view" else "TABLE"
    if (statement.kind != "column" and statement.kind.upper() != kind) or relation.kind == "system view":
        raise errors.WrongObjectType(f'"{relation.name}" is not a {statement.kind}', position=name.position)
    if statement.column is not None and relation.column(statement.column.name) is None:
        raise errors.UndefinedColumn(
            f'column "{statement.column.name}" of relation "{relation.name}" does not exist', position=name.position
        )
    if relation.kind == "temporary table":
        session.notice("comments on temporary tables are not kept")
    else:
        column = None if statement.column is None else statement.column.name
        session.catalog.set_comment(relation.oid, column, statement.comment)
    return Result(command="COMMENT")
