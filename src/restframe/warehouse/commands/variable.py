"""SET, RESET and SHOW of configuration parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Column, Result
from restframe.sql.statements.variable import ResetVariable, SetSessionAuthorization, SetVariable, ShowVariable
from restframe.types import SqlType
from restframe.warehouse.commands import Columns
from restframe.warehouse.configuration import shown_name

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_TEXT = SqlType("varchar", length=65535)


def set_variable(statement: SetVariable, session: Session) -> Result:
    """SET LOCAL lasts as long as the transaction, and outside of one not at all; a rollback undoes either."""
    if statement.local and session.transaction != "open":
        session.notice("SET LOCAL can only be used in transaction blocks", "WARNING")
        return Result(command="SET")
    try:
        session.set_variable(statement.name, ", ".join(statement.values), local=statement.local)
    except errors.UndefinedObject as error:
        error.position = statement.name_position
        raise
    return Result(command="SET")


def reset(statement: ResetVariable, session: Session) -> Result:
    try:
        session.set_variable(statement.name or "all", None)
    except errors.UndefinedObject as error:
        error.position = statement.name_position
        raise
    return Result(command="RESET")


def columns_of_show(statement: ShowVariable, session: Session) -> Columns:
    names = ("name", "setting") if statement.name is None else (shown_name(statement.name),)
    return tuple(Column(name, _TEXT) for name in names)


def set_session_authorization(statement: SetSessionAuthorization, session: Session) -> Result:
    """Act as another user. Only who came in as a superuser may, whoever the session acts as now.

    InsufficientPrivilege, UndefinedObject.
    """
    if statement.user is None or statement.user == session.login.name:
        session.authorize(session.login.id)
        return Result(command="SET")
    came_in = session.catalog.grants.rights(session.login.id)
    if came_in is None or not came_in.superuser:
        raise errors.InsufficientPrivilege("permission denied to set session authorization")
    session.authorize(session.catalog.users.get(statement.user, statement.name_position).id)
    return Result(command="SET")


def show(statement: ShowVariable, session: Session) -> Result:
    columns = [(column.name, column.type) for column in columns_of_show(statement, session) or ()]
    if statement.name is None:
        return Result.of_rows(columns, session.variables.all(), "SHOW")
    try:
        value = session.variables[statement.name]
    except errors.UndefinedObject as error:
        error.position = statement.name_position
        raise
    return Result.of_rows(columns, [(value,)], "SHOW")
