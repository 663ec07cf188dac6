"""SAVEPOINT, RELEASE and ROLLBACK TO, which Redshift has not got, but clients of PostgreSQL take for granted.

They work as long as the transaction has changed nothing when it sets a savepoint. Otherwise they are refused, as they
are to all others, in Redshift's words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Result
from restframe.sql.statements.transaction import ReleaseSavepoint, RollbackTo, Savepoint
from restframe.warehouse.savepoints import SavedState

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def save(statement: Savepoint, session: Session) -> Result:
    savepoints = _savepoints(statement, session, "SAVEPOINT")
    if session.has_written:
        raise _refused(statement, "A savepoint is possible before the first change of a transaction only.")
    savepoints.append(SavedState(statement.name, session.variables.saved(), session.user_id))
    return Result(command="SAVEPOINT")


def release(statement: ReleaseSavepoint, session: Session) -> Result:
    """Forget it, and those after it."""
    savepoints = _savepoints(statement, session, "RELEASE SAVEPOINT")
    del savepoints[_place(statement, savepoints) :]
    return Result(command="RELEASE")


def roll_back(statement: RollbackTo, session: Session) -> Result:
    """Undo what came after it, also in a transaction that has failed. It stays, those after it are forgotten.

    Cursors are closed, and the transaction sees what others have committed by now.
    """
    savepoints = _savepoints(statement, session, "ROLLBACK TO SAVEPOINT")
    place = _place(statement, savepoints)
    del savepoints[place + 1 :]
    session.start_over(savepoints[place])
    return Result(command="ROLLBACK")


def _savepoints(
    statement: Savepoint | ReleaseSavepoint | RollbackTo, session: Session, command: str
) -> list[SavedState]:
    if session.savepoints is None:
        raise _refused(statement)
    if not session.in_block:
        raise errors.NoActiveTransaction(
            f"{command} can only be used in transaction blocks", position=statement.position
        )
    return session.savepoints


def _place(statement: ReleaseSavepoint | RollbackTo, savepoints: list[SavedState]) -> int:
    """Of the last one of that name."""
    for place in reversed(range(len(savepoints))):
        if savepoints[place].name == statement.name:
            return place
    raise errors.InvalidSavepoint(f'savepoint "{statement.name[:100]}" does not exist', position=statement.position)


def _refused(statement: Savepoint | ReleaseSavepoint | RollbackTo, hint: str | None = None) -> errors.Error:
    return errors.NotSupportedError(
        f'SQL command "{statement.text[:100]}" not supported.', position=statement.position, hint=hint
    )
