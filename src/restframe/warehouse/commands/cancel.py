"""CANCEL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Result
from restframe.sql.statements.cancel import Cancel
from restframe.warehouse.signals import signal

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def cancel(statement: Cancel, session: Session) -> Result:
    """No effect on a session that runs nothing. UndefinedObject when there is none, InsufficientPrivilege."""
    if not signal("cancel", statement.pid, session, statement.message):
        raise errors.UndefinedObject(f"session {statement.pid} does not exist", hint="stv_sessions lists them.")
    return Result(command="CANCEL")
