"""Rights that statements about schemas and models need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog.grants import DATABASE, SYSTEM
from restframe.sql.statements.drop import DropSchema
from restframe.sql.statements.model import DropModel, ShowModel
from restframe.sql.statements.owner import AlterSchemaQuota
from restframe.sql.statements.schema import CreateSchema
from restframe.warehouse.privileges import (
    check_creation,
    check_database,
    check_iam_role,
    check_model,
    check_system,
    check_usage,
    is_visible,
)

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def create_schema(statement: CreateSchema, session: Session) -> None:
    rights = session.catalog.rights
    if statement.owner not in (None, rights.user.name):
        raise errors.InsufficientPrivilege("must be superuser to create a schema for another user")
    if not (rights.has(DATABASE, "CREATE") or rights.has(SYSTEM, "CREATE SCHEMA")):
        check_database("CREATE", session)


def drop_schema(statement: DropSchema, session: Session) -> None:
    rights = session.catalog.rights
    for name in statement.names:
        schema = session.catalog.find_schema(name.name)
        if schema is None or schema.owner == rights.user.name:
            continue
        if not (rights.has(schema.object, "DROP") or rights.has(SYSTEM, "DROP SCHEMA")):
            raise errors.InsufficientPrivilege(f"must be owner of schema {schema.name}")


def alter_schema_quota(statement: AlterSchemaQuota, session: Session) -> None:
    schema = session.catalog.find_schema(statement.name.name)
    rights = session.catalog.rights
    if schema is not None and schema.owner != rights.user.name and not rights.has(schema.object, "ALTER"):
        raise errors.InsufficientPrivilege(f"must be owner of schema {schema.name}")


def create_model(statement: Any, session: Session) -> None:
    check_system(session, "CREATE MODEL")
    check_creation(statement.name, session)
    function = getattr(statement, "function", None)
    if function is not None and function.schema is not None:
        check_creation(function, session)
    check_iam_role(statement.iam_role, "CREATE MODEL", session)


def drop_model(statement: DropModel, session: Session) -> None:
    check_usage(statement.name, session)
    model = session.catalog.find_model(statement.name.schema, statement.name.name)
    if model is not None:
        check_model(model, session, owner=True)


def show_model(statement: ShowModel, session: Session) -> None:
    if statement.name is not None:
        check_usage(statement.name, session)
        model = session.catalog.find_model(statement.name.schema, statement.name.name)
        if model is not None and not is_visible(model.object, model.owner, session):
            raise errors.InsufficientPrivilege(f"permission denied for model {model.name}")
