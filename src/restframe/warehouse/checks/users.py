"""Rights that statements about users, groups, roles and default privileges need."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog.users import Principal
from restframe.sql import QualifiedName
from restframe.sql.statements.grant import AlterDefaultPrivileges
from restframe.sql.statements.group import AlterRole, DropRole
from restframe.sql.statements.user import AlterUser, CreateUser, DropUser, UserOptions
from restframe.warehouse.privileges import check_system, check_usage

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

Check = Callable[[Any, "Session"], None]


def create_user(statement: CreateUser, session: Session) -> None:
    check_system(session, "CREATE USER")
    _check_options(statement.options)


def _check_options(options: UserOptions) -> None:
    if options.superuser or options.sees_all:
        raise errors.InsufficientPrivilege("must be superuser to make superusers")


def alter_user(statement: AlterUser, session: Session) -> None:
    """Users may change their own passwords and what their sessions start with."""
    rights = session.catalog.rights
    mine = statement.name == rights.user.name
    harmless = statement.options == UserOptions(password=statement.options.password) and statement.new_name is None
    enables = statement.options.password is not None and (
        statement.options.password.text is None or rights.user.verifiers is None
    )
    if mine and harmless and not enables:
        return
    check_system(session, "ALTER USER")
    _check_options(statement.options)
    _check_no_superuser(statement.name, session)


def drop_user(statement: DropUser, session: Session) -> None:
    check_system(session, "DROP USER")
    for name in statement.names:
        _check_no_superuser(name, session)


def _check_no_superuser(name: str, session: Session) -> None:
    user = session.catalog.users.find(name)
    rights = None if user is None else session.catalog.grants.rights(user.id)
    if rights is not None and rights.superuser:
        raise errors.InsufficientPrivilege("must be superuser to alter or drop superusers")


def system(*privileges: str) -> Check:
    return lambda statement, session: check_system(session, *privileges)


def own_role(privilege: str) -> Check:
    def needed(statement: AlterRole | DropRole, session: Session) -> None:
        rights = session.catalog.rights
        role = session.catalog.users.find_role(statement.name)
        if role is None or role.owner != rights.user.name:
            held = session.catalog.users.roles_of(Principal("user", rights.user.id))
            if role is None or not held.get(role.id, False):
                check_system(session, privilege)

    return needed


def alter_defaults(statement: AlterDefaultPrivileges, session: Session) -> None:
    if any(name != session.catalog.rights.user.name for name in statement.users):
        check_system(session, "ALTER DEFAULT PRIVILEGES")
    for name in statement.schemas:
        check_usage(QualifiedName(name, ""), session)
