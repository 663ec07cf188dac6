"""What the session's user may do to an object: asked before anything is locked, read or changed.

Whoever has no right to a relation is told so before the statement is looked at any further, so that neither its
columns nor their types can be learnt from errors.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog import dependencies
from restframe.catalog.grants import DATABASE, SYSTEM, Grant, Object, Rights
from restframe.catalog.models import Model
from restframe.catalog.records import Part
from restframe.catalog.relations import Relation, Schema
from restframe.sql import QualifiedName, Translation
from restframe.sql.statements import Statement
from restframe.sql.statements.iam_role import role_name

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_NOTHING: frozenset[str] = frozenset()


# Schemas


def check_usage(name: QualifiedName, session: Session) -> None:
    """That the schema a name begins with may be used; whether it exists is another question. UndefinedDatabase."""
    check_named_database(name, session)
    if name.schema is not None and session.catalog.hides(name.schema):
        raise denied_schema(name.schema)


def check_databases(statement: Statement, session: Session) -> None:
    """That what one of our own statements names is in the one database. UndefinedDatabase."""
    for field in dataclasses.fields(statement):
        value = getattr(statement, field.name)
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, QualifiedName):
                check_named_database(one, session)


def check_named_database(name: QualifiedName, session: Session) -> None:
    if name.database not in (None, session.settings.database.lower()):
        raise errors.UndefinedDatabase(f'database "{name.database}" does not exist', position=name.position)


def check_schema(schema: Schema, privilege: str, session: Session) -> None:
    rights = session.catalog.rights
    if schema.owner != rights.user.name and not rights.has(schema.object, privilege):
        raise denied_schema(schema.name)


def denied_schema(name: str) -> errors.InsufficientPrivilege:
    return errors.InsufficientPrivilege(f"permission denied for schema {name}")


def check_creation(name: QualifiedName, session: Session, system: str | None = None) -> None:
    """That an object may be made under this name; `system` is the privilege that allows it everywhere."""
    rights = session.catalog.rights
    if rights.superuser:
        return
    check_usage(name, session)
    schema = session.catalog.find_schema(session.catalog.creation_schema(name.schema, name.position))
    if schema is not None and not (system is not None and rights.has(SYSTEM, system)):
        check_schema(schema, "CREATE", session)


def check_temporary(session: Session) -> None:
    if not session.catalog.rights.has(DATABASE, "TEMPORARY"):
        raise errors.InsufficientPrivilege(
            f"permission denied to create temporary tables in database {session.settings.database}"
        )


def check_database(privilege: str, session: Session) -> None:
    if not session.catalog.rights.has(DATABASE, privilege):
        raise errors.InsufficientPrivilege(f"permission denied for database {session.settings.database}")


# Relations


def find(name: QualifiedName, session: Session) -> Relation | None:
    """The relation a name means, if it may be looked for."""
    check_usage(name, session)
    return session.catalog.find_relation(name.schema, name.name)


def check_any(relation: Relation, session: Session) -> None:
    """That the user has some right to the relation."""
    rights = session.catalog.rights
    if not (rights.superuser or _is_open(relation, rights) or rights.has_any(relation.object)):
        raise denied(relation)


def check(relation: Relation, privilege: str, session: Session, columns: frozenset[str] | None = None) -> None:
    """That the user has a privilege on a relation, or on all of these columns of it; on any one when they are none."""
    if not allows(session.catalog.rights, relation, privilege, columns):
        raise denied(relation)


def allows(rights: Rights, relation: Relation, privilege: str, columns: frozenset[str] | None = None) -> bool:
    if rights.superuser or rights.has(relation.object, privilege) or relation.owner == rights.user.name:
        return True
    if relation.kind == "system view":
        return privilege == "SELECT"
    if columns is None:
        return False
    granted = rights.columns_with(relation.object, privilege)
    return bool(granted) and columns <= granted


def _is_open(relation: Relation, rights: Rights) -> bool:
    return relation.kind == "system view" or relation.owner == rights.user.name


def denied(relation: Relation) -> errors.InsufficientPrivilege:
    return errors.InsufficientPrivilege(f"permission denied for relation {relation.name}")


def check_owner(relation: Relation, session: Session, privilege: str | None = None, system: str | None = None) -> None:
    """That the user owns a relation, or has the privilege that stands in for it, on it or everywhere."""
    rights = session.catalog.rights
    if rights.superuser or relation.owner == rights.user.name:
        return
    if privilege is not None and rights.has(relation.object, privilege):
        return
    if system is not None and rights.has(SYSTEM, system) and relation.kind != "system view":
        return
    raise errors.InsufficientPrivilege(f"must be owner of relation {relation.name}")


# Models


def check_model(model: Model, session: Session, *, owner: bool = False) -> None:
    """That the user may call the model's function; with `owner`, that the model is the user's own."""
    rights = session.catalog.rights
    if rights.superuser or model.owner == rights.user.name:
        return
    if owner:
        raise errors.InsufficientPrivilege(f"must be owner of model {model.name}")
    if not rights.has(model.object, "EXECUTE"):
        what = f"function {model.function_name}" if model.function_name else f"model {model.name}"
        raise errors.InsufficientPrivilege(f"permission denied for {what}")


# The warehouse


def check_system(session: Session, *privileges: str) -> None:
    """That the user is a superuser, or was granted one of these privileges through a role."""
    rights = session.catalog.rights
    if not (rights.superuser or any(rights.has(SYSTEM, privilege) for privilege in privileges)):
        raise errors.InsufficientPrivilege("permission denied", hint="This takes a superuser.")


# IAM roles


def check_iam_role(given: str, command: str, session: Session) -> None:
    """That the user may run this command with an IAM role, or the chain of them, that a statement names.

    https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT-usage-notes.html
    """
    rights, role = session.catalog.rights, role_name(given)
    if not rights.may_assume(role, command):
        raise errors.InsufficientPrivilege(
            f'User {rights.user.name} does not have ASSUMEROLE permission on IAM role "{role[:300]}" for {command}'
        )


# Queries and changes of rows


def check_query(translation: Translation, session: Session) -> None:
    """That the user may read, change and call all that a statement does, however it was come by.

    What a view reads its owner must have the right to; the models it calls, the user.
    """
    rights = session.catalog.rights
    if rights.superuser:
        return
    for table, columns in translation.uses:
        relation: Relation = table.origin
        _check_reach(relation.schema, relation.kind, session)
        if not allows(rights, relation, "SELECT", columns):
            raise denied(relation)
        if relation.kind == "view":
            check_view(relation, session)
    if translation.writes is not None:
        target: Relation = translation.writes.origin
        _check_reach(target.schema, target.kind, session)
        for privilege, changed in translation.changes:
            if not allows(rights, target, privilege, changed):
                raise denied(target)
    _check_calls(translation, session)


def _check_reach(schema: str, kind: str, session: Session) -> None:
    """A translation may be another user's, who may use the schema."""
    if kind in ("table", "view") and session.catalog.hides(schema):
        raise denied_schema(schema)


def _check_calls(translation: Translation, session: Session) -> None:
    if not translation.calls and not any(table.models for table in translation.reads):
        return
    for call in translation.calls:
        model: Model = call.function.origin
        _check_reach(model.function_schema or model.schema, "table", session)
        check_model(model, session)
    hidden = {name for table in translation.reads for name in table.models}
    for model in session.catalog.cached(("models",), session.catalog.models, Part.FRAME) if hidden else ():
        if model.engine_function in hidden:
            check_model(model, session)


def check_view(view: Relation, session: Session) -> None:
    """That the view's owner may read what it reads: the rights of whoever reads the view do not matter there."""
    forbidden = _forbidden(view, session)
    if forbidden is not None:
        raise denied(forbidden)


def _forbidden(view: Relation, session: Session) -> Relation | None:
    """The first relation that a view reads, itself or through others, without its owner's right to.

    The answer is the same for everybody, and kept until the catalog changes.
    """
    return session.catalog.cached(("view", str(view.oid)), lambda: _find_forbidden(view, session))


def _find_forbidden(view: Relation, session: Session) -> Relation | None:
    catalog = session.catalog
    owner = catalog.users.find(view.owner)
    rights = None if owner is None else catalog.grants.rights(owner.id)
    if rights is None:
        return view
    for schema, name, columns in () if rights.superuser else dependencies.view_reads(catalog, view):
        read = catalog.find_relation(schema, name)
        if read is None:
            continue  # dropped; the engine has words for that
        if not allows(rights, read, "SELECT", columns):
            return read
    for schema, name, _ in dependencies.view_reads(catalog, view):
        inner = catalog.find_relation(schema, name)
        found = _forbidden(inner, session) if inner is not None and inner.kind == "view" else None
        if found is not None:
            return found
    return None


def is_visible(target: Object, owner: str, session: Session) -> bool:
    """Whether a list of objects shows this one to the user."""
    rights = session.catalog.rights
    return rights.superuser or owner == rights.user.name or rights.has_any(target)


def grant_defaults(relation: Relation, session: Session) -> None:
    """Grant on a new relation what ALTER DEFAULT PRIVILEGES says for its owner and schema."""
    grants = session.catalog.grants
    grants.give(
        Grant(relation.object, default.privilege, default.grantee, session.user_id, grantable=default.grantable)
        for default in grants.defaults(session.user_id)
        if default.kind == "table" and default.schema in (None, relation.schema)
    )
