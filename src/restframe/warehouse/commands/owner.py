"""ALTER SCHEMA, ALTER VIEW and ALTER MODEL: to whom something belongs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog import dependencies
from restframe.result import Result
from restframe.sql.statements.owner import AlterOwner, AlterSchemaQuota

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def alter(statement: AlterOwner, session: Session) -> Result:
    """UndefinedObject for a user, UndefinedSchema, UndefinedTable, WrongObjectType."""
    catalog, name = session.catalog, statement.name
    owner = catalog.users.get(statement.owner).name
    if statement.kind == "schema":
        if not catalog.has_schema(name.name):
            raise errors.UndefinedSchema(f'schema "{name.name}" does not exist', position=name.position)
        catalog.set_schema_owner(name.name, owner)
    elif statement.kind == "model":
        catalog.set_model_owner(catalog.model(name.schema, name.name, name.position), owner)
    else:
        relation = catalog.relation(name.schema, name.name, name.position)
        if relation.kind != "view":
            raise errors.WrongObjectType(f'"{relation.name}" is not a view', position=name.position)
        reads = dependencies.reads(catalog, relation.schema, relation.name)
        catalog.replace_relation(relation, dataclasses.replace(relation, owner=owner), reads)
    return Result(command=f"ALTER {statement.kind.upper()}")


def set_quota(statement: AlterSchemaQuota, session: Session) -> Result:
    if not session.catalog.has_schema(statement.name.name):
        raise errors.UndefinedSchema(f'schema "{statement.name.name}" does not exist', position=statement.name.position)
    session.notice("QUOTA is accepted and has no effect")
    return Result(command="ALTER SCHEMA")
