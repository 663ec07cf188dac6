"""SHOW GRANTS and SHOW COLUMN GRANTS, and what is shown of a whole database.

Who is no superuser sees what was granted to the user, the user's groups and roles, and to everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog import listings
from restframe.catalog.grants import DATABASE, Object
from restframe.catalog.listings import Patterns
from restframe.catalog.users import PUBLIC, Principal
from restframe.result import Column, Result
from restframe.sql.statements.show import ShowOfDatabase
from restframe.sql.statements.show_grants import Grantee, ShowColumnGrants, ShowGrants, ShowGrantsFor
from restframe.types import SqlType
from restframe.warehouse.commands import Columns, show
from restframe.warehouse.commands.show import INT, TEXT, check_database, find_relation, find_schema, like, result
from restframe.warehouse.commands.show_functions import argument_list, find_function

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

Row = tuple[Any, ...]

_BOOLEAN = SqlType("bool")
_GRANT = (
    ("privilege_type", TEXT), ("identity_id", INT), ("identity_name", TEXT), ("identity_type", TEXT),
    ("admin_option", _BOOLEAN), ("privilege_scope", TEXT), ("grantor_name", TEXT),
)  # fmt: skip
_SCHEMA = (("database_name", TEXT), ("schema_name", TEXT))

TABLE = (*_SCHEMA, ("object_name", TEXT), ("object_type", TEXT), *_GRANT)
COLUMN = (*_SCHEMA, ("table_name", TEXT), ("column_name", TEXT), ("object_type", TEXT), *_GRANT)
_BY_KIND = {
    "database": (("database_name", TEXT), *_GRANT),
    "schema": (*_SCHEMA, *_GRANT),
    "table": TABLE,
    "function": (*_SCHEMA, ("function_name", TEXT), ("argument_types", TEXT), *_GRANT),
}


def grants(statement: ShowGrants, session: Session) -> Result:
    """What was granted on one object; owners have their rights without a grant."""
    database = session.settings.database.lower()
    of_object: Row
    if statement.kind == "database":
        check_database(statement.on, session)
        on, of_object = DATABASE, (database,)
    elif statement.kind == "schema":
        schema = session.catalog.find_schema(find_schema(statement.on, session))
        if schema is None:  # of the system
            return result(_BY_KIND["schema"], [], statement)
        on, of_object = schema.object, (database, schema.name)
    elif statement.kind == "table":
        relation = find_relation(statement.on, session)
        on = relation.object
        of_object = (database, relation.schema, relation.name, "VIEW" if relation.kind == "view" else "TABLE")
    else:
        model = find_function(statement.on, statement.arguments, session)
        if model is None:
            shown = ".".join(map(str, statement.on.parts))[:200]
            raise errors.UndefinedFunction(f"function {shown} does not exist", position=statement.on.position)
        on, of_object = model.object, (database, model.function_schema, model.function_name, argument_list(model))
    rows = [(*of_object, *_shown(one)) for one in _granted(on, statement.grantee, session) if one[2] is None]
    return result(_BY_KIND[statement.kind], rows, statement)


def columns_of_grants(statement: ShowGrants, session: Session) -> Columns:
    return tuple(Column(name, type_) for name, type_ in _BY_KIND[statement.kind])


def column_grants(statement: ShowColumnGrants, session: Session) -> Result:
    relation = find_relation(statement.table, session)
    of_table = (session.settings.database.lower(), relation.schema, relation.name)
    found = [one for one in _granted(relation.object, statement.grantee, session) if one[2] is not None]
    fitting = like(statement, [one[2] for one in found], session)
    rows = [(*of_table, one[2], "COLUMN", *_shown(one)) for one in found if one[2] in fitting]
    return result(COLUMN, rows, statement)


def grants_for(statement: ShowGrantsFor, session: Session) -> Result:
    """All that was granted to a user or role directly, but on single columns."""
    principal = _principal(statement.grantee, session)
    rows = listings.grants(
        session.catalog.read, f"g.column_name IS NULL AND {listings.of_grantee(principal)}", (), _reader(session)
    )
    names = _names(session)
    shown = [(*names[one[0], one[1]], *_shown(one)) for one in rows if (one[0], one[1]) in names]
    return result(TABLE, sorted(shown, key=lambda row: [str(value) for value in row]), statement)


def _names(session: Session) -> dict[tuple[str, int], Row]:
    """Of every object that privileges are on: database, schema, name and what it is."""
    database, catalog = session.settings.database.lower(), session.catalog
    names: dict[tuple[str, int], Row] = {("database", 0): (database, None, None, "DATABASE")}
    for oid, name in catalog.read("SELECT oid, name FROM _restframe.base_schemas", ()):
        names["schema", oid] = (database, name, None, "SCHEMA")
    for one in listings.relations(catalog.read, Patterns()):
        schema, name, kind = one.row[:3]
        names["table", one.oid] = (database, schema, name, kind)
    for model in catalog.models():
        names["model", model.id] = (database, model.function_schema, model.function_name, "FUNCTION")
    return names


# Of a whole database


def of_database(statement: ShowOfDatabase, session: Session) -> Result:
    check_database(statement.database, session)
    likes = (statement.schema_like, statement.table_like, statement.column_like)
    patterns = Patterns(*(None if one is None else str(one) for one in likes))
    if statement.kind == "tables":
        return show.tables_like(patterns, statement, session)
    if statement.kind == "columns":
        return show.columns_like(patterns, statement, session)
    database, catalog = session.settings.database.lower(), session.catalog
    tables = {one.oid: one.row[:3] for one in listings.relations(catalog.read, patterns)}
    found = listings.grants(catalog.read, "g.kind = 'table' AND g.column_name IS NULL", (), _reader(session))
    rows = [(database, *tables[one[1]], *_shown(one)) for one in found if one[1] in tables]
    return result(TABLE, rows, statement)


def columns_of_database(statement: ShowOfDatabase, session: Session) -> Columns:
    described = {"tables": show.TABLES, "columns": show.COLUMNS, "grants": TABLE}[statement.kind]
    return tuple(Column(name, type_) for name, type_ in described)


# What they share


def _granted(on: Object, grantee: Grantee | None, session: Session) -> list[Row]:
    principal = None if grantee is None else _principal(grantee, session)
    where = f"g.kind = $1 AND g.object_id = $2 AND {listings.of_grantee(principal)}"
    return listings.grants(session.catalog.read, where, (on.kind, on.id), _reader(session))


def _reader(session: Session) -> int | None:
    return None if session.catalog.rights.superuser else session.catalog.user_id


def _principal(grantee: Grantee, session: Session) -> Principal:
    """UndefinedObject when there is no such user or role."""
    users = session.catalog.users
    if grantee.kind == "user":
        return Principal("user", users.get(grantee.name, grantee.position).id)
    if grantee.kind == "role":
        return Principal("role", users.role(grantee.name, grantee.position).id)
    return PUBLIC


def _shown(row: Sequence[Any]) -> Row:
    kind, _, column, privilege, id_, name, identity, grantable, grantor = row
    scope = "COLUMN" if column is not None else {"model": "FUNCTION"}.get(kind, kind.upper())
    return privilege, id_, name, identity, grantable, scope, grantor
