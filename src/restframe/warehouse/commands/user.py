"""CREATE, ALTER and DROP USER."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog.store import INTERNAL_SCHEMA
from restframe.catalog.users import SUPERUSER_ID, Principal, User
from restframe.identity.verifiers import Verifiers
from restframe.result import Result
from restframe.sql.statements import Statement
from restframe.sql.statements.user import AlterUser, CreateUser, DropUser, Password, UserOptions
from restframe.warehouse.commands import Locks
from restframe.warehouse.variables import check_value

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def locks(statement: Statement, session: Session) -> Locks:
    """One at a time changes users, groups and roles: of two who make one of a name, the second is told so."""
    return ((INTERNAL_SCHEMA, "users"),)


def create(statement: CreateUser, session: Session) -> Result:
    """DuplicateObject; InvalidParameterValue for a password that is too weak, UndefinedObject for a group.

    A user without PASSWORD has none, and logs in with temporary credentials.
    """
    users = session.catalog.users
    check_free(statement.name, statement.name_position, session)
    blank = User(statement.name, users.next_id())
    user = _with_options(blank, statement.options, session)
    users.add(user)
    for name in statement.groups:
        users.join(users.group(name), user)
    return Result(command="CREATE USER")


def check_free(name: str, position: int, session: Session) -> None:
    """That a user can be given this name."""
    if name == "public":
        raise errors.InvalidDefinition('user name "public" is reserved', position=position)
    if session.catalog.users.find(name) is not None:
        raise errors.DuplicateObject(f'user "{name}" already exists', position=position)


def alter(statement: AlterUser, session: Session) -> Result:
    users = session.catalog.users
    old = users.get(statement.name, statement.name_position)
    user = old
    if statement.new_name is not None:
        user = _renamed(user, statement.new_name, session)
    user = _with_options(user, statement.options, session)
    user = dataclasses.replace(user, settings=_changed_settings(user, statement.settings))
    users.replace(user)
    return Result(command="ALTER USER")


def _renamed(user: User, name: str, session: Session) -> User:
    if user.id == SUPERUSER_ID:
        raise errors.NotSupportedError(
            f'user "{user.name}" cannot be renamed', hint="Change the setting `user`, and start again."
        )
    if user.id in (session.user_id, session.login.id):
        raise errors.NotSupportedError("session user cannot be renamed")
    check_free(name, 1, session)
    session.catalog.grants.renamed()
    verifiers = user.verifiers and Verifiers.read(user.verifiers).renamed()
    if user.verifiers and not verifiers:
        session.notice("MD5 password cleared because of user rename", "NOTICE")
    return dataclasses.replace(user, name=name, verifiers=verifiers.text if verifiers else None)


def _changed_settings(user: User, changes: Iterable[tuple[str, str | None]]) -> tuple[tuple[str, str], ...]:
    settings = dict(user.settings)
    for name, value in changes:
        known, checked = check_value(name, value)
        settings.pop(known, None)
        if checked is not None:
            settings[known] = checked
    return tuple(sorted(settings.items()))


def drop(statement: DropUser, session: Session) -> Result:
    """ObjectInUse for a user who owns or may do something that nobody else was told about."""
    users, grants = session.catalog.users, session.catalog.grants
    for name in statement.names:
        user = users.find(name)
        if user is None and statement.if_exists:
            session.notice(f'user "{name}" does not exist, skipping')
            continue
        user = users.get(name)
        if user.id in (session.user_id, session.login.id):
            raise errors.ObjectInUse("current user cannot be dropped")
        if user.id == SUPERUSER_ID:
            raise errors.ObjectInUse(f'user "{name}" can\'t be dropped because it is the administrator')
        if users.owns_something(user):
            raise errors.ObjectInUse(f'user "{name}" can\'t be dropped because the user owns some object')
        if grants.holds_any(Principal("user", user.id)):
            raise errors.ObjectInUse(f'user "{name}" can\'t be dropped because the user has a privilege on some object')
        grants.forget_principal(Principal("user", user.id))
        users.remove(user)
    return Result(command="DROP USER")


# Options


def _with_options(user: User, options: UserOptions, session: Session) -> User:
    changes: dict[str, Any] = {
        name: value
        for name in ("createdb", "superuser", "sees_all", "external_id")
        if (value := getattr(options, name)) is not None
    }
    for name in ("connection_limit", "session_timeout_s"):
        value = getattr(options, name)
        if value is not None:
            changes[name] = None if value == -1 else value
    if options.valid_until is not None:
        changes["valid_until"] = _moment(options.valid_until, session)
    changed = dataclasses.replace(user, **changes)
    if changed.id == SUPERUSER_ID and not changed.superuser:
        raise errors.InvalidParameterValue(f'user "{user.name}" must remain a superuser')
    if options.password is not None:
        changed = dataclasses.replace(changed, verifiers=_verifiers(changed, options.password))
    return changed


def _moment(text: str, session: Session) -> datetime | None:
    """None for infinity."""
    if text.strip().lower() == "infinity":
        return None
    read = "SELECT CAST(_restframe.timestamptz(?) AT TIME ZONE 'UTC' AS TIMESTAMP)"
    moment: datetime = session.connection.run(read, [text])[0][0]
    return moment


def _verifiers(user: User, password: Password) -> str | None:
    if password.text is None:
        if user.superuser:
            raise errors.InvalidParameterValue("cannot disable the password of a superuser", position=password.position)
        return None
    check_password(password)
    return Verifiers.of(user.name, password.text).text


_HASHED = re.compile(r"md5[0-9a-f]{32}|sha256\|[0-9a-f]{64}\|[0-9a-f]{64}", re.IGNORECASE)
_FORBIDDEN = "'\"\\/@"


def check_password(password: Password) -> None:
    """InvalidParameterValue for one that Redshift refuses; what is hashed already is taken as it is.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
    """
    text = password.text or ""
    if _HASHED.fullmatch(text):
        return
    clear = text.removeprefix("sha256|")
    if not 8 <= len(clear) <= 64:
        problem = "must be between 8 and 64 characters in length"
    elif not all(any(wanted(sign) for sign in clear) for wanted in (_is_upper, _is_lower, _is_digit)):
        problem = "must contain at least one uppercase letter, one lowercase letter, and one number"
    elif not all("!" <= sign <= "~" and sign not in _FORBIDDEN for sign in clear):
        problem = (
            "can contain any printable ASCII character except ' (single quote), \" (double quote), \\, /, @, or space"
        )
    else:
        return
    raise errors.InvalidParameterValue(f"password {problem}", position=password.position)


def _is_upper(sign: str) -> bool:
    return "A" <= sign <= "Z"


def _is_lower(sign: str) -> bool:
    return "a" <= sign <= "z"


def _is_digit(sign: str) -> bool:
    return "0" <= sign <= "9"
