"""ALTER TABLE, action by action: the engine's table first where it has the property, then the catalog's record."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog import dependencies
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.engine.quoting import quoted
from restframe.result import Result
from restframe.sql import QualifiedName, TableReference, read_query, translate
from restframe.sql.statements.alter_table import (
    AddColumn,
    AddConstraint,
    AlterColumnEncoding,
    AlterColumnType,
    AlterDistribution,
    AlterEncodeAuto,
    AlterSortKey,
    AlterTable,
    ChangeOwner,
    DropColumn,
    DropConstraint,
    RenameColumn,
    RenameTable,
)
from restframe.sql.statements.columns import ColumnName
from restframe.warehouse.commands import Locks
from restframe.warehouse.commands.definitions import column_definition, constraint_text
from restframe.warehouse.commands.dependents import all_dependents, drop_all, identity_sequences
from restframe.warehouse.commands.table import column_ddl
from restframe.warehouse.queries import SessionNames, table_reference

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def alter(statement: AlterTable, session: Session) -> Result:
    """Change a table. UndefinedTable, UndefinedColumn, and what the actions below say."""
    relation = _relation(statement, session)
    for action in statement.actions:
        changed = _ACTIONS[type(action)](action, relation, session)
        reads = dependencies.reads(session.catalog, relation.schema, relation.name)
        session.catalog.replace_relation(relation, changed, reads)
        relation = changed
    return Result(command="ALTER TABLE")


def _relation(statement: AlterTable, session: Session) -> Relation:
    name = statement.name
    relation = session.catalog.relation(name.schema, name.name, name.position)
    may_be_a_view = isinstance(statement.actions[0], RenameTable | ChangeOwner)
    if relation.kind == "system view" or (relation.kind == "view" and not may_be_a_view):
        raise errors.WrongObjectType(f'"{relation.name}" is not a table', position=name.position)
    return relation


def locks(statement: AlterTable, session: Session) -> Locks:
    relation = _relation(statement, session)
    return ((relation.engine_schema, relation.engine_name),)


# Columns


def _add_column(action: AddColumn, relation: Relation, session: Session) -> Relation:
    """The existing rows get the default. Redshift asks for one with NOT NULL, and takes no keys or identity here."""
    clause = action.column
    column = column_definition(clause)
    if relation.column(column.name) is not None:
        raise errors.DuplicateColumn(
            f'column "{column.name}" of relation "{relation.name}" already exists', position=clause.position
        )
    if clause.identity or clause.distkey or clause.sortkey or clause.unique or clause.primary_key or clause.references:
        raise errors.NotSupportedError(
            "ALTER TABLE ADD COLUMN takes DEFAULT, ENCODE, COLLATE and NOT NULL only", position=clause.position
        )
    if column.not_null and column.default is None:
        raise errors.InvalidDefinition(
            "ALTER TABLE ADD COLUMN defined as NOT NULL must have a non-null default expression",
            position=clause.position,
        )
    ddl = column_ddl(dataclasses.replace(column, not_null=False), relation, session)
    _engine(relation, f"ADD COLUMN {ddl}", session)
    if column.not_null:
        _engine(relation, f"ALTER COLUMN {quoted(column.name)} SET NOT NULL", session)
    return dataclasses.replace(relation, columns=(*relation.columns, column))


def _drop_column(action: DropColumn, relation: Relation, session: Session) -> Relation:
    column = _column(action.column, relation)
    if column.distkey or column.sortkey:
        key = "distribution" if column.distkey else "sort"
        raise errors.InvalidDefinition(
            f'cannot drop column "{column.name}", which is the {key} key', position=action.column.position
        )
    if len(relation.columns) == 1:
        raise errors.InvalidDefinition("a table must have at least one column", position=action.column.position)
    changed = dataclasses.replace(relation, columns=tuple(one for one in relation.columns if one != column))
    broken = [view for view in all_dependents([relation], session) if _breaks(view, changed, session)]
    if broken and not action.cascade:
        listed = ", ".join(f"{view.schema}.{view.name}" for view in broken[:10])
        raise errors.DependentObjectsStillExist(
            f"cannot drop column {column.name} of table {relation.name} because other objects depend on it",
            position=action.column.position,
            detail=f"dependent views: {listed}",
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    for view in broken:
        session.notice(f"drop cascades to view {view.schema}.{view.name}", "NOTICE")
    drop_all(broken, cascade=True, session=session)
    sequences = identity_sequences(relation, [column.name], session)
    _engine(relation, f"DROP COLUMN {quoted(column.name)}", session)
    for sequence in sequences:
        session.connection.run(f"DROP SEQUENCE {sequence}")
    return changed


def _breaks(view: Relation, changed: Relation, session: Session) -> bool:
    """Whether a view's query would mean something else if `changed` were in the place of the relation of its name."""

    names = _NamesAfter(session, changed)
    try:
        translation = translate(read_query(view.definition or ""), names, expand_stars=True)
    except errors.ProgrammingError:
        return True
    return len(translation.labels or ()) != len(view.columns)


class _NamesAfter(SessionNames):
    """The names as they will be after a change of one relation."""

    def __init__(self, session: Session, changed: Relation) -> None:
        super().__init__(session, checked=False)
        self._changed = changed

    def relation(self, name: QualifiedName) -> TableReference:
        found = self._session.catalog.relation(name.schema, name.name, name.position)
        is_changed = (found.schema, found.name) == (self._changed.schema, self._changed.name)
        return table_reference(self._changed if is_changed else found)


def _rename_column(action: RenameColumn, relation: Relation, session: Session) -> Relation:
    column = _column(action.column, relation)
    if relation.column(action.name) is not None:
        raise errors.DuplicateColumn(
            f'column "{action.name}" of relation "{relation.name}" already exists', position=action.column.position
        )
    _refuse_dependents(relation, session, f"rename a column of {relation.name}")
    _engine(relation, f"RENAME COLUMN {quoted(column.name)} TO {quoted(action.name)}", session)
    return _with_column(relation, column, name=action.name)


def _alter_type(action: AlterColumnType, relation: Relation, session: Session) -> Relation:
    """Only the length of a VARCHAR, and never below what is stored."""
    column, wanted, position = _column(action.column, relation), action.type, action.column.position
    if column.type.name != "varchar" or wanted.name != "varchar":
        raise errors.NotSupportedError(
            "ALTER COLUMN TYPE can change the length of VARCHAR columns only", position=position
        )
    if column.default is not None:
        raise errors.NotSupportedError(
            f'cannot alter the type of column "{column.name}", which has a default', position=position
        )
    if column.encoding in ("bytedict", "runlength", "text255", "text32k"):
        raise errors.NotSupportedError(
            f'cannot alter the type of column "{column.name}" with encoding {column.encoding}', position=position
        )
    rows = session.connection.run(
        f"SELECT max(strlen({quoted(column.name)})) FROM {quoted(relation.engine_schema, relation.name)}"
    )
    if (rows[0][0] or 0) > (wanted.length or 0):
        raise errors.StringDataRightTruncation(
            f'cannot alter column "{column.name}" to {wanted}: it holds a value of {rows[0][0]} bytes',
            position=position,
        )
    return _with_column(relation, column, type=wanted)


def _alter_encoding(action: AlterColumnEncoding, relation: Relation, session: Session) -> Relation:
    return _with_column(relation, _column(action.column, relation), encoding=action.encoding)


def _alter_encode_auto(action: AlterEncodeAuto, relation: Relation, session: Session) -> Relation:
    columns = tuple(dataclasses.replace(column, encoding=None) for column in relation.columns)
    return dataclasses.replace(relation, columns=columns)


# Keys


def _alter_distribution(action: AlterDistribution, relation: Relation, session: Session) -> Relation:
    key = None if action.column is None else _column(action.column, relation).name
    columns = tuple(dataclasses.replace(column, distkey=column.name == key) for column in relation.columns)
    return dataclasses.replace(relation, columns=columns, diststyle=action.style)


def _alter_sort_key(action: AlterSortKey, relation: Relation, session: Session) -> Relation:
    places = {_column(name, relation).name: place for place, name in enumerate(action.columns, start=1)}
    columns = tuple(dataclasses.replace(column, sortkey=places.get(column.name, 0)) for column in relation.columns)
    return dataclasses.replace(relation, columns=columns, sortstyle=action.style)


# The table


def _rename(action: RenameTable, relation: Relation, session: Session) -> Relation:
    """The new name stands in the same schema. Views follow a table by name here, so there must be none."""
    taken = session.catalog.find_relation(None if relation.kind == "temporary table" else relation.schema, action.name)
    if taken is not None and taken.schema == relation.schema:
        raise errors.DuplicateTable(f'Relation "{action.name}" already exists')
    _refuse_dependents(relation, session, f"rename {relation.name}")
    _engine(relation, f"RENAME TO {quoted(action.name)}", session)
    return dataclasses.replace(relation, name=action.name)


def _change_owner(action: ChangeOwner, relation: Relation, session: Session) -> Relation:
    return dataclasses.replace(relation, owner=session.catalog.users.get(action.owner).name)


def _add_constraint(action: AddConstraint, relation: Relation, session: Session) -> Relation:
    constraint = action.constraint
    for name in constraint.columns:
        _column(name, relation)
    text = constraint_text(constraint)
    if constraint.kind == "primary key" and any("PRIMARY KEY (" in one for one in relation.constraints):
        raise errors.InvalidDefinition(
            f'multiple primary keys for table "{relation.name}" are not allowed',
            position=constraint.columns[0].position,
        )
    return dataclasses.replace(relation, constraints=(*relation.constraints, text))


def _drop_constraint(action: DropConstraint, relation: Relation, session: Session) -> Relation:
    kept = tuple(one for one in relation.constraints if not one.startswith(f"CONSTRAINT {action.name} "))
    if kept == relation.constraints:
        raise errors.UndefinedObject(f'constraint "{action.name}" does not exist')
    return dataclasses.replace(relation, constraints=kept)


# What the actions share


def _engine(relation: Relation, action: str, session: Session) -> None:
    kind = "VIEW" if relation.kind == "view" else "TABLE"
    session.connection.run(f"ALTER {kind} {quoted(relation.engine_schema, relation.name)} {action}")


def _column(name: ColumnName, relation: Relation) -> ColumnDefinition:
    found = relation.column(name.name)
    if found is None:
        raise errors.UndefinedColumn(
            f'column "{name.name}" of relation "{relation.name}" does not exist', position=name.position
        )
    return found


def _with_column(relation: Relation, column: ColumnDefinition, **changes: Any) -> Relation:
    columns = (dataclasses.replace(one, **changes) if one == column else one for one in relation.columns)
    return dataclasses.replace(relation, columns=tuple(columns))


def _refuse_dependents(relation: Relation, session: Session, what: str) -> None:
    views = all_dependents([relation], session)
    if views:
        raise errors.DependentObjectsStillExist(
            f"cannot {what} because other objects depend on it",
            detail=f"dependent views: {', '.join(f'{view.schema}.{view.name}' for view in views[:10])}",
            hint="Drop the views first and create them again afterwards.",
        )


_ACTIONS: dict[type, Callable[[Any, Relation, Session], Relation]] = {
    AddColumn: _add_column,
    DropColumn: _drop_column,
    RenameColumn: _rename_column,
    AlterColumnType: _alter_type,
    AlterColumnEncoding: _alter_encoding,
    AlterEncodeAuto: _alter_encode_auto,
    AlterDistribution: _alter_distribution,
    AlterSortKey: _alter_sort_key,
    RenameTable: _rename,
    ChangeOwner: _change_owner,
    AddConstraint: _add_constraint,
    DropConstraint: _drop_constraint,
}
