"""GRANT, REVOKE and ALTER DEFAULT PRIVILEGES."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog import grants
from restframe.catalog.grants import COLUMN_PRIVILEGES, DATABASE, IAM_ROLES, PRIVILEGES, SYSTEM, DefaultGrant, Object
from restframe.catalog.models import Model
from restframe.catalog.relations import Relation
from restframe.catalog.users import PUBLIC, Principal, RoleGrant
from restframe.result import Result
from restframe.sql import QualifiedName
from restframe.sql.statements.grant import (
    AlterDefaultPrivileges,
    Grant,
    Grantee,
    GrantRole,
    Privilege,
    Revoke,
    RevokeRole,
    Target,
)
from restframe.warehouse.privileges import check_usage, denied, denied_schema, find

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


@dataclass(frozen=True, slots=True)
class _Granted:
    """An object that a statement names, whose it is, and what is said to somebody who may not grant on it."""

    object: Object
    owner: str | None
    denied: errors.InsufficientPrivilege
    relation: Relation | None = None


def grant(statement: Grant, session: Session) -> Result:
    """InsufficientPrivilege for who neither owns the object nor may pass the privilege on; UndefinedObject and others
    for what does not exist, SyntaxError for a privilege that goes with other objects."""
    if statement.target.kind == "assumerole":
        return grant_assume_role(statement, session)
    targets = list(_targets(statement.target, session))
    grantees = [(_principal(one, session), one) for one in statement.grantees]
    _check_kind(statement.privileges, statement.target, statement.grantees)
    for target in targets:
        given = _grants(statement.privileges, target, session)
        _check_may_grant(given, target, session)
        for principal, grantee in grantees:
            session.catalog.grants.give(
                grants.Grant(target.object, privilege, principal, session.user_id, column, grantee.option)
                for privilege, column in given
            )
    return Result(command="GRANT")


def revoke(statement: Revoke, session: Session) -> Result:
    """As grant; DependentObjectsStillExist when the grantee has passed the privilege on, unless CASCADE is given.

    Nothing happens to what was not granted.
    """
    if statement.target.kind == "assumerole":
        return revoke_assume_role(statement, session)
    targets = list(_targets(statement.target, session))
    principals = [_principal(one, session) for one in statement.grantees]
    _check_kind(statement.privileges, statement.target, ())
    for target in targets:
        taken = _grants(statement.privileges, target, session)
        _check_may_grant(taken, target, session)
        for principal in principals:
            for privilege, column in taken:
                for one in _affected(target.object, privilege, column, principal, session):
                    _take(one, target, statement, session)
    return Result(command="REVOKE")


def _affected(
    on: Object, privilege: str, column: str | None, principal: Principal, session: Session
) -> Iterator[grants.Grant]:
    """What a privilege was granted as: on the whole table, it takes those on its columns with it."""
    for one in session.catalog.grants.on(on):
        if one.privilege == privilege and one.grantee == principal and column in (None, one.column):
            yield one


def _take(one: grants.Grant, target: _Granted, statement: Revoke, session: Session) -> None:
    all_grants = session.catalog.grants
    all_grants.take(one, option_only=statement.option_only)
    if not one.grantable:
        return
    rights = all_grants.rights(one.grantee.id)
    if rights is None or rights.superuser or rights.user.name == target.owner:
        return
    passed_on = [
        other
        for other in all_grants.on(one.object)
        if (other.privilege, other.column, other.grantor_id) == (one.privilege, one.column, one.grantee.id)
    ]
    if passed_on and not statement.cascade:
        raise errors.DependentObjectsStillExist("dependent privileges exist", hint="Use CASCADE to revoke them too.")
    for other in passed_on:
        _take(other, target, statement, session)


# What is granted


def _grants(privileges: Sequence[Privilege], target: _Granted, session: Session) -> list[tuple[str, str | None]]:
    """Each privilege with its column. Of ALL, somebody who may not grant all of them grants what is possible."""
    found: list[tuple[str, str | None]] = []
    for one in privileges:
        names: Sequence[str] = (one.name,)
        if one.name == "ALL":
            names = PRIVILEGES[target.object.kind] if one.columns is None else COLUMN_PRIVILEGES
            names = [name for name in names if _may_grant(name, target, session)] or names
        for column in one.columns or ():
            if target.relation is not None and target.relation.column(column) is None:
                raise errors.UndefinedColumn(
                    f'column "{column}" of relation "{target.relation.name}" does not exist', position=one.position
                )
        found += [(name, column) for name in names for column in (one.columns or (None,))]
    return found


def _may_grant(privilege: str, target: _Granted, session: Session) -> bool:
    rights = session.catalog.rights
    return rights.may_grant(target.object, privilege) or rights.user.name == target.owner


def _check_may_grant(given: Sequence[tuple[str, str | None]], target: _Granted, session: Session) -> None:
    if not all(_may_grant(privilege, target, session) for privilege, _ in given):
        raise target.denied


def _check_kind(privileges: Sequence[Privilege], target: Target, grantees: Sequence[Grantee]) -> None:
    """That there are such privileges on such objects."""
    known = _PRIVILEGES[target.kind]
    for one in privileges:
        if one.name not in (*known, "ALL") or (target.kind == "system" and one.name == "ALL"):
            raise errors.SyntaxError(
                f'syntax error at or near "{one.name[:64].lower()}"'
                if target.kind == "system"
                else f"invalid privilege type {one.name[:64]} for {target.kind.removesuffix(' in schema').rstrip('s')}",
                position=one.position,
            )
        if one.columns is not None and (target.kind != "table" or one.name not in (*COLUMN_PRIVILEGES, "ALL")):
            raise errors.SyntaxError(f"{one.name[:64]} cannot be granted on columns", position=one.position)
        for grantee in grantees:
            if target.kind == "system" and one.name != "CREATE MODEL" and grantee.kind != "role":
                raise errors.SyntaxError(f"{one.name} can be granted to roles only", position=grantee.position)


_PRIVILEGES = {
    "table": PRIVILEGES["table"],
    "tables in schema": PRIVILEGES["table"],
    "schema": PRIVILEGES["schema"],
    "database": PRIVILEGES["database"],
    "model": PRIVILEGES["model"],
    "function": PRIVILEGES["model"],
    "functions in schema": PRIVILEGES["model"],
    "language": ("USAGE",),
    "system": PRIVILEGES["system"],
    "assumerole": ("ASSUMEROLE",),
}


# On what


def _targets(target: Target, session: Session) -> Iterator[_Granted]:
    """The objects named; each is there, and may be known to the user."""
    match target.kind:
        case "table":
            for name in target.names:
                yield from _relation(name, session)
        case "tables in schema":
            for name in target.names:
                _schema(name, session)
                for relation in session.catalog.relations(name.name):
                    yield _Granted(relation.object, relation.owner, denied(relation), relation)
        case "schema":
            for name in target.names:
                yield _schema(name, session)
        case "database":
            for name in target.names:
                yield _database(name, session)
        case "model":
            for name in target.names:
                check_usage(name, session)
                yield _model(session.catalog.model(name.schema, name.name, name.position), f"model {name.name}")
        case "function":
            for name in target.names:
                yield from _functions(name, session)
        case "functions in schema":
            for name in target.names:
                _schema(name, session)
                for model in session.catalog.models():
                    if model.function_schema == name.name:
                        yield _model(model, f"function {model.function_name}")
        case "system":
            yield _Granted(SYSTEM, None, errors.InsufficientPrivilege("permission denied"))
        case "language":
            session.notice("privileges on languages are accepted and have no effect")


def _relation(name: QualifiedName, session: Session) -> Iterator[_Granted]:
    check_usage(name, session)
    relation = find(name, session) or session.catalog.relation(name.schema, name.name, name.position)
    if relation.kind in ("table", "view"):
        yield _Granted(relation.object, relation.owner, denied(relation), relation)
    else:
        session.notice(f"privileges on the {relation.kind} {relation.name} are accepted and have no effect")


def _schema(name: QualifiedName, session: Session) -> _Granted:
    schema = session.catalog.find_schema(name.name)
    if schema is None:
        raise errors.UndefinedSchema(f'schema "{name.name}" does not exist', position=name.position)
    return _Granted(schema.object, schema.owner, denied_schema(schema.name))


def _database(name: QualifiedName, session: Session) -> _Granted:
    database = session.settings.database
    if name.name != database.lower():
        raise errors.UndefinedDatabase(f'database "{name.name}" does not exist', position=name.position)
    return _Granted(DATABASE, None, errors.InsufficientPrivilege(f"permission denied for database {database}"))


def _model(model: Model, shown: str) -> _Granted:
    return _Granted(model.object, model.owner, errors.InsufficientPrivilege(f"permission denied for {shown}"))


def _functions(name: QualifiedName, session: Session) -> Iterator[_Granted]:
    check_usage(name, session)
    models = session.catalog.functions(name.schema, name.name)
    if not models:
        raise errors.UndefinedFunction(f"function {name} does not exist", position=name.position)
    yield from (_model(model, f"function {name.name}") for model in models)


# To whom


def _principal(grantee: Grantee, session: Session) -> Principal:
    users = session.catalog.users
    match grantee.kind:
        case "public":
            return PUBLIC
        case "group":
            return Principal("group", users.group(grantee.name, grantee.position).id)
        case "role":
            return Principal("role", users.role(grantee.name, grantee.position).id)
        case "user":
            return Principal("user", users.get(grantee.name, grantee.position).id)


# IAM roles


def grant_assume_role(statement: Grant, session: Session) -> Result:
    """Let grantees name these IAM roles in these commands; everybody may, until that is revoked from PUBLIC.

    InsufficientPrivilege unless a superuser says it; SyntaxError WITH GRANT OPTION, which ASSUMEROLE has not.
    https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT-usage-notes.html
    """
    _check_assume_role(statement, session)
    roles: list[str | None] = [name.name for name in statement.target.names]
    for grantee in statement.grantees:
        if grantee.option:
            raise errors.SyntaxError("ASSUMEROLE cannot be granted WITH GRANT OPTION", position=grantee.position)
        principal = _principal(grantee, session)
        if principal != PUBLIC:
            _say_who_keeps_all(PUBLIC, "public", statement.target.commands, session)
        session.catalog.grants.give(
            grants.Grant(IAM_ROLES, command, principal, session.user_id, role)
            for command in statement.target.commands
            for role in roles or [None]
        )
    return Result(command="GRANT")


def revoke_assume_role(statement: Revoke, session: Session) -> Result:
    """From ALL takes the roles that were granted by name too. There is no taking one role out of ALL."""
    _check_assume_role(statement, session)
    if statement.option_only:
        raise errors.SyntaxError("ASSUMEROLE has no grant option", position=statement.privileges[0].position)
    commands, roles = statement.target.commands, {name.name for name in statement.target.names}
    for grantee in statement.grantees:
        principal = _principal(grantee, session)
        for one in session.catalog.grants.on(IAM_ROLES):
            if one.grantee == principal and one.privilege in commands and (not roles or one.column in roles):
                session.catalog.grants.take(one)
        _say_who_keeps_all(principal, grantee.name or "public", commands, session)
    return Result(command="REVOKE")


def _check_assume_role(statement: Grant | Revoke, session: Session) -> None:
    if not session.catalog.rights.superuser:
        raise errors.InsufficientPrivilege("permission denied", hint="This takes a superuser.")
    _check_kind(statement.privileges, statement.target, ())


def _say_who_keeps_all(principal: Principal, name: str, commands: Sequence[str], session: Session) -> None:
    """That what was just said restricts nobody, because somebody holds the privilege on all roles."""
    granted = session.catalog.grants.on(IAM_ROLES)
    kept = {one.privilege for one in granted if one.grantee == principal and one.column is None} & set(commands)
    if kept:
        listed = ", ".join(command for command in commands if command in kept)
        whom = "PUBLIC" if principal == PUBLIC else name
        session.notice(
            f"{name} has ASSUMEROLE on all IAM roles for {listed}: REVOKE ASSUMEROLE ON ALL FROM {whom} FOR {listed} "
            "comes first",
            "WARNING",
        )


# Roles


def grant_role(statement: GrantRole, session: Session) -> Result:
    """InvalidGrant when a role would come to hold itself; WITH ADMIN OPTION stays where it is."""
    users = session.catalog.users
    for name in statement.roles:
        role = users.role(name)
        _check_may_pass(role.id, role.owner, session)
        for grantee in statement.grantees:
            principal = _role_holder(grantee, session)
            holders = {role.id, *users.roles_of(Principal("role", role.id))}
            if principal.kind == "role" and principal.id in holders:
                raise errors.InvalidGrant(f'role "{grantee.name}" is a member of role "{role.name}"')
            admin = grantee.option or any(
                one.admin for one in users.role_grants() if (one.role_id, one.grantee) == (role.id, principal)
            )
            users.grant_role(RoleGrant(role.id, principal, admin), session.catalog.rights.user)
    return Result(command="GRANT")


def revoke_role(statement: RevokeRole, session: Session) -> Result:
    users = session.catalog.users
    for name in statement.roles:
        role = users.role(name)
        _check_may_pass(role.id, role.owner, session)
        for grantee in statement.grantees:
            found = RoleGrant(role.id, _role_holder(grantee, session))
            held = any((one.role_id, one.grantee) == (found.role_id, found.grantee) for one in users.role_grants())
            users.revoke_role(found)
            if held and statement.option_only:
                users.grant_role(found, session.catalog.rights.user)
    return Result(command="REVOKE")


def _check_may_pass(role_id: int, owner: str, session: Session) -> None:
    """Roles are passed on by superusers, by who made them, and by who holds them with ADMIN OPTION."""
    rights = session.catalog.rights
    if rights.superuser or owner == rights.user.name:
        return
    if not session.catalog.users.roles_of(Principal("user", rights.user.id)).get(role_id, False):
        raise errors.InsufficientPrivilege("permission denied to grant or revoke this role")


def _role_holder(grantee: Grantee, session: Session) -> Principal:
    if grantee.kind not in ("user", "role"):
        raise errors.SyntaxError("a role can be granted to users and roles only", position=grantee.position)
    return _principal(grantee, session)


# Default privileges


def alter_defaults(statement: AlterDefaultPrivileges, session: Session) -> Result:
    """What is granted on tables and views that the users, or whoever says this, make from here on."""
    catalog = session.catalog
    owners = [catalog.users.get(name) for name in statement.users] or [catalog.rights.user]
    for name in statement.schemas:
        if not catalog.has_schema(name):
            raise errors.UndefinedSchema(f'schema "{name}" does not exist')
    known = PRIVILEGES["table"] if statement.kind == "table" else PRIVILEGES["model"]
    names: list[str] = []
    for one in statement.privileges:
        if one.columns is not None or one.name not in (*known, "ALL"):
            raise errors.SyntaxError(
                f"invalid privilege type {one.name[:64]} for {statement.kind}", position=one.position
            )
        names += known if one.name == "ALL" else (one.name,)
    if statement.kind != "table":
        session.notice(f"default privileges on {statement.kind}s are kept and have no effect")
    for owner in owners:
        for schema in statement.schemas or (None,):
            for grantee in statement.grantees:
                for name in names:
                    default = DefaultGrant(
                        owner.id, schema, statement.kind, name, _principal(grantee, session), grantee.option
                    )
                    _change_default(default, statement, session)
    return Result(command="ALTER DEFAULT PRIVILEGES")


def _change_default(default: DefaultGrant, statement: AlterDefaultPrivileges, session: Session) -> None:
    if statement.action == "GRANT":
        session.catalog.grants.add_default(default)
    elif not statement.option_only:
        session.catalog.grants.remove_default(default)
    elif any(_same(default, one) for one in session.catalog.grants.defaults(default.owner_id)):
        session.catalog.grants.add_default(default)


def _same(one: DefaultGrant, other: DefaultGrant) -> bool:
    return (one.schema, one.kind, one.privilege, one.grantee) == (
        other.schema, other.kind, other.privilege, other.grantee,
    )  # fmt: skip
