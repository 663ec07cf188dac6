"""BEGIN, COMMIT and ROLLBACK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe.result import Result
from restframe.sql.statements.transaction import Begin, Commit, Rollback

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def begin(statement: Begin, session: Session) -> Result:
    session.begin()
    return Result(command="BEGIN")


def commit(statement: Commit, session: Session) -> Result:
    return Result(command=session.commit())


def rollback(statement: Rollback, session: Session) -> Result:
    return Result(command=session.rollback())
