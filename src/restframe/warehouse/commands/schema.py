"""CREATE SCHEMA and DROP SCHEMA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.relation_rows import engine_schema
from restframe.catalog.store import INTERNAL_SCHEMA
from restframe.engine.quoting import quoted
from restframe.result import Result
from restframe.sql.statements.drop import DropSchema
from restframe.sql.statements.schema import CreateSchema
from restframe.warehouse.commands.dependents import drop_all

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def create(statement: CreateSchema, session: Session) -> Result:
    """DuplicateSchema; InvalidDefinition for a name the system keeps for itself, UndefinedObject for an owner."""
    name = statement.name
    if name.startswith(("pg_", INTERNAL_SCHEMA)) or name == "information_schema":
        raise errors.InvalidDefinition(
            f'unacceptable schema name "{name}"',
            position=statement.name_position,
            detail="Names of this kind are reserved for system schemas.",
        )
    if session.catalog.has_schema(name):
        if not statement.if_not_exists:
            raise errors.DuplicateSchema(f'schema "{name}" already exists', position=statement.name_position)
        session.notice(f'Schema "{name}" already exists and will be skipped')
        return Result(command="CREATE SCHEMA")
    if statement.quota not in (None, "UNLIMITED"):
        session.notice("QUOTA is accepted and has no effect")
    owner = session.user if statement.owner is None else session.catalog.users.get(statement.owner).name
    session.connection.run(f"CREATE SCHEMA {quoted(engine_schema(name))}")
    session.catalog.add_schema(name, owner)
    return Result(command="CREATE SCHEMA")


def drop(statement: DropSchema, session: Session) -> Result:
    """DependentObjectsStillExist for a schema that is not empty, unless CASCADE is given."""
    for name in statement.names:
        if session.catalog.has_schema(name.name):
            _drop(name.name, statement.cascade, session)
        elif statement.if_exists:
            session.notice(f'Schema "{name.name}" does not exist and will be skipped')
        else:
            raise errors.UndefinedSchema(f'schema "{name.name}" does not exist', position=name.position)
    return Result(command="DROP SCHEMA")


def _drop(schema: str, cascade: bool, session: Session) -> None:
    catalog = session.catalog
    relations = catalog.relations(schema)
    models = [model for model in catalog.models() if schema in (model.schema, model.function_schema)]
    if (relations or models) and not cascade:
        held = [f"{one.kind} {schema}.{one.name}" for one in relations] + [f"model {one.name}" for one in models]
        raise errors.DependentObjectsStillExist(
            f"cannot drop schema {schema} because other objects depend on it",
            detail=f"it holds {', '.join(held[:10])}",
            hint="Use DROP ... CASCADE to drop the dependent objects too.",
        )
    callers = [catalog.relation(*caller) for model in models for caller in catalog.callers(model)]
    for view in dict.fromkeys(callers):
        if view not in relations:
            session.notice(f"drop cascades to view {view.schema}.{view.name}", "NOTICE")
    drop_all([*relations, *callers], cascade=True, session=session)
    for model in models:
        session.notice(f"drop cascades to model {model.schema}.{model.name}", "NOTICE")
        catalog.remove_model(model)
    session.connection.run(f"DROP SCHEMA {quoted(engine_schema(schema))}")
    catalog.remove_schema(schema)
