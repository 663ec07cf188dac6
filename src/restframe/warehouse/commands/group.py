"""CREATE, ALTER and DROP GROUP; CREATE, ALTER and DROP ROLE."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.users import Group, Principal, Role
from restframe.result import Result
from restframe.sql.statements.group import AlterGroup, AlterRole, CreateGroup, CreateRole, DropGroup, DropRole

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


# Groups


def create_group(statement: CreateGroup, session: Session) -> Result:
    users = session.catalog.users
    _check_free_group(statement.name, statement.name_position, session)
    group = Group(statement.name, users.next_id())
    users.add_group(group)
    for name in statement.users:
        users.join(group, users.get(name))
    return Result(command="CREATE GROUP")


def _check_free_group(name: str, position: int, session: Session) -> None:
    if name == "public":
        raise errors.InvalidDefinition('group name "public" is reserved', position=position)
    if session.catalog.users.find_group(name) is not None:
        raise errors.DuplicateObject(f'group "{name}" already exists', position=position)


def alter_group(statement: AlterGroup, session: Session) -> Result:
    """Whoever joins a group again, or leaves one without being in it, stays as before."""
    users = session.catalog.users
    group = users.group(statement.name, statement.name_position)
    if statement.action == "RENAME":
        _check_free_group(statement.new_name, statement.name_position, session)
        users.rename_group(group, statement.new_name)
        session.catalog.grants.renamed()
    for name in statement.users:
        change = users.join if statement.action == "ADD" else users.leave
        change(group, users.get(name))
    return Result(command="ALTER GROUP")


def drop_group(statement: DropGroup, session: Session) -> Result:
    """ObjectInUse for a group that was granted something. Its members stay users."""
    users, grants = session.catalog.users, session.catalog.grants
    group = users.group(statement.name, statement.name_position)
    if grants.holds_any(Principal("group", group.id)):
        raise errors.ObjectInUse(
            f'group "{group.name}" can\'t be dropped because the group has a privilege on some object'
        )
    users.remove_group(group)
    return Result(command="DROP GROUP")


# Roles


def create_role(statement: CreateRole, session: Session) -> Result:
    users = session.catalog.users
    _check_free_role(statement.name, statement.name_position, session)
    users.add_role(Role(statement.name, users.next_id(), session.user, statement.external_id))
    return Result(command="CREATE ROLE")


def _check_free_role(name: str, position: int, session: Session) -> None:
    if name == "public" or name.startswith("sys:"):
        raise errors.InvalidDefinition(f'role name "{name}" is reserved', position=position)
    if session.catalog.users.find_role(name) is not None:
        raise errors.DuplicateObject(f'role "{name}" already exists', position=position)


def alter_role(statement: AlterRole, session: Session) -> Result:
    users = session.catalog.users
    role = _own_role(statement.name, statement.name_position, session)
    if statement.new_name is not None:
        _check_free_role(statement.new_name, statement.name_position, session)
        role = dataclasses.replace(role, name=statement.new_name)
        session.catalog.grants.renamed()
    if statement.owner is not None:
        role = dataclasses.replace(role, owner=users.get(statement.owner).name)
    if statement.external_id is not None:
        role = dataclasses.replace(role, external_id=statement.external_id)
    users.replace_role(role)
    return Result(command="ALTER ROLE")


def drop_role(statement: DropRole, session: Session) -> Result:
    """DependentObjectsStillExist for a role that somebody holds, or that holds others, unless FORCE is given."""
    users = session.catalog.users
    role = _own_role(statement.name, statement.name_position, session)
    grants = () if statement.force else users.role_grants()
    if any(one.role_id == role.id and one.grantee.kind == "user" for one in grants):
        raise errors.DependentObjectsStillExist("cannot drop this role since it has been granted on a user")
    if any(one.role_id == role.id or one.grantee == Principal("role", role.id) for one in grants):
        raise errors.DependentObjectsStillExist("cannot drop this role since it depends on another role")
    session.catalog.grants.forget_principal(Principal("role", role.id))
    users.remove_role(role)
    return Result(command="DROP ROLE")


def _own_role(name: str, position: int, session: Session) -> Role:
    role = session.catalog.users.role(name, position)
    if role.is_systems:
        raise errors.InsufficientPrivilege(f'role "{name}" is a system-defined role and cannot be changed')
    return role
