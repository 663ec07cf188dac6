"""DECLARE, FETCH, MOVE and CLOSE. A cursor lives as long as its transaction, and reads forward only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Result
from restframe.sql import translate
from restframe.sql.statements.cursor import CloseCursor, DeclareCursor, Fetch
from restframe.warehouse.commands import Columns
from restframe.warehouse.cursors import OpenCursor
from restframe.warehouse.queries import SessionNames, select

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def declare(statement: DeclareCursor, session: Session) -> Result:
    """Start the query; any number of cursors may be open, where Redshift allows one.

    SCROLL is accepted without effect. NoActiveTransaction outside a transaction block, DuplicateCursor.
    """
    if session.transaction != "open":
        raise errors.NoActiveTransaction(
            "DECLARE CURSOR may only be used in transaction blocks", position=statement.position
        )
    if statement.name in session.cursors:
        raise errors.DuplicateCursor(f'cursor "{statement.name}" already exists', position=statement.name_position)
    if statement.scroll:
        session.notice("SCROLL has no effect: cursors read forward only", "NOTICE")
    translation = translate(statement.query, SessionNames(session))
    session.open_cursor(statement.name, OpenCursor(select(translation, session)))
    return Result(command="DECLARE CURSOR")


def fetch(statement: Fetch, session: Session) -> Result:
    """The next rows, which the cursor hands out as they are read; MOVE counts them and drops them."""
    cursor = _find(statement, session)
    if statement.move:
        return Result(command="MOVE", row_count=sum(batch.num_rows for batch in cursor.take(statement.count)))
    return Result(cursor.columns, "FETCH", 0, _batches=cursor.take(statement.count))


def columns_of_fetch(statement: Fetch, session: Session) -> Columns:
    """None for a cursor that is not there, which only running it may complain about."""
    cursor = session.cursors.get(statement.name)
    return None if cursor is None or statement.move else cursor.columns


def _find(statement: Fetch, session: Session) -> OpenCursor:
    cursor = session.cursors.get(statement.name)
    if cursor is None:
        raise errors.UndefinedCursor(f'cursor "{statement.name}" does not exist', position=statement.name_position)
    return cursor


def close(statement: CloseCursor, session: Session) -> Result:
    if statement.name is None:
        session.close_cursors()
        return Result(command="CLOSE CURSOR ALL")
    if statement.name not in session.cursors:
        raise errors.UndefinedCursor(f'cursor "{statement.name}" does not exist', position=statement.name_position)
    session.cursors.pop(statement.name).close()
    return Result(command="CLOSE CURSOR")
