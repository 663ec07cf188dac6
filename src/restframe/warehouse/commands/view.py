"""CREATE VIEW and DROP VIEW."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog import dependencies
from restframe.catalog.relation_rows import engine_schema
from restframe.catalog.relations import Relation
from restframe.engine.quoting import quoted
from restframe.result import Result
from restframe.sql import QualifiedName, TableReference, translate
from restframe.sql.statements.drop import DropView
from restframe.sql.statements.view import CreateView
from restframe.warehouse.commands.dependents import drop_all
from restframe.warehouse.commands.table import output_columns
from restframe.warehouse.privileges import check_query, grant_defaults
from restframe.warehouse.queries import SessionNames

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

LATE_BINDING = " with no schema binding"


def create(statement: CreateView, session: Session) -> Result:
    """Keep a query under a name; it is translated once, now.

    DuplicateTable when the name is taken; with OR REPLACE, InvalidDefinition when the view there has other columns.
    What a view WITH NO SCHEMA BINDING reads must exist when it is created, and may be dropped afterwards.
    """
    name, catalog = statement.name, session.catalog
    schema = catalog.creation_schema(name.schema, name.position)
    old = catalog.find_relation(schema, name.name)
    if old is not None and (old.kind != "view" or not statement.or_replace):
        if statement.or_replace:
            raise errors.WrongObjectType(f'"{name.name}" is not a view', position=name.position)
        raise errors.DuplicateTable(f'Relation "{name.name}" already exists', position=name.position)
    names = _NotedNames(session)
    translation = translate(statement.query, names, expand_stars=True)
    check_query(translation, session)
    columns = output_columns(translation, statement.columns, statement.query.position)
    read = _permanent(names.relations, statement)
    models = {call.function.engine_name for call in translation.calls} | {m for one in read for m in one.models}
    view = Relation(
        schema,
        name.name,
        "view",
        tuple(columns),
        engine_schema=engine_schema(schema),
        owner=session.user if old is None else old.owner,
        definition=statement.query.text + (LATE_BINDING if statement.late_binding else ""),
        models=tuple(sorted(models)),
    )
    reads = () if statement.late_binding else [(one.schema, one.name) for one in read if one.kind != "system view"]
    listed = ", ".join(quoted(column.name) for column in columns)
    session.connection.run(
        f"CREATE OR REPLACE VIEW {quoted(view.engine_schema, view.name)} ({listed}) AS {translation.sql}"
    )
    if old is not None:
        _check_same_columns(old, view, name)
        recorded = catalog.replace_relation(old, view, reads)
    else:
        recorded = catalog.add_relation(view, reads)
    uses = [(table.origin, columns) for table, columns in translation.uses]
    dependencies.set_view_reads(catalog, recorded, [(one.schema, one.name, used) for one, used in uses if one.oid])
    if old is None:
        grant_defaults(recorded, session)
    return Result(command="CREATE VIEW")


class _NotedNames(SessionNames):
    """Names that remember which relations were asked for: what the view will depend on."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.relations: list[Relation] = []

    def relation(self, name: QualifiedName) -> TableReference:
        found = super().relation(name)
        self.relations.append(found.origin)
        return found


def _permanent(relations: list[Relation], statement: CreateView) -> list[Relation]:
    for relation in relations:
        if relation.kind == "temporary table":
            raise errors.InvalidDefinition(
                f'a view cannot read the temporary table "{relation.name}"', position=statement.query.position
            )
    return relations


def _check_same_columns(old: Relation, new: Relation, name: QualifiedName) -> None:
    for before, after in zip(old.columns, new.columns, strict=False):
        if before.name != after.name:
            raise errors.InvalidDefinition(f'cannot change name of view column "{before.name}"', position=name.position)
        if before.type != after.type:
            raise errors.InvalidDefinition(
                f'cannot change data type of view column "{before.name}"',
                position=name.position,
                hint="Drop the view and create it again.",
            )
    if len(old.columns) != len(new.columns):
        raise errors.InvalidDefinition("cannot change number of columns in view", position=name.position)


def drop(statement: DropView, session: Session) -> Result:
    """DependentObjectsStillExist when another view reads it and CASCADE is not given."""
    relations = []
    for name in statement.names:
        found = session.catalog.find_relation(name.schema, name.name)
        if found is None and statement.if_exists:
            session.notice(f'View "{name.name}" does not exist and will be skipped')
            continue
        if found is None:
            raise errors.UndefinedTable(f'View "{name.name}" does not exist', position=name.position)
        if found.kind != "view":
            hint = "Use DROP TABLE to remove a table." if "table" in found.kind else None
            raise errors.WrongObjectType(f'"{found.name}" is not a view', position=name.position, hint=hint)
        relations.append(found)
    drop_all(relations, statement.cascade, session)
    return Result(command="DROP VIEW")
