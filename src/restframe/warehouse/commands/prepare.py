"""PREPARE, DEALLOCATE and DISCARD; EXECUTE is planned as the statement it names (`warehouse/prepared.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.store import TEMPORARY_SCHEMA
from restframe.engine.quoting import quoted
from restframe.result import Result
from restframe.sql.statements.prepare import Deallocate, Discard, PrepareStatement, Unlisten

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def prepare(statement: PrepareStatement, session: Session) -> Result:
    """Prepared statements outlive their transaction, even when it is rolled back. DuplicatePreparedStatement."""
    if statement.name in session.prepared:
        raise errors.DuplicatePreparedStatement(
            f'prepared statement "{statement.name}" already exists', position=statement.name_position
        )
    try:
        session.prepared[statement.name] = session.prepare(statement.body, statement.types)
    except errors.Error as error:
        if error.position is not None:
            error.position += statement.body_position - 1
        raise
    return Result(command="PREPARE")


def deallocate(statement: Deallocate, session: Session) -> Result:
    if statement.name is None:
        session.prepared.clear()
        return Result(command="DEALLOCATE ALL")
    if session.prepared.pop(statement.name, None) is None:
        raise errors.UndefinedPreparedStatement(
            f'prepared statement "{statement.name}" does not exist', position=statement.name_position
        )
    return Result(command="DEALLOCATE")


def discard(statement: Discard, session: Session) -> Result:
    """ALL makes the session as good as new; PLANS and SEQUENCES have no effect, because nothing of theirs is kept."""
    if statement.what == "ALL":
        if session.transaction != "idle":
            raise errors.ActiveTransaction(
                "DISCARD ALL cannot run inside a transaction block", position=statement.position
            )
        session.prepared.clear()
        session.authorize(session.login.id)
        session.set_variable("all", None)
    if statement.what in ("ALL", "TEMP"):
        for relation in session.catalog.temporary_relations():
            session.connection.run(f"DROP TABLE {quoted(TEMPORARY_SCHEMA, relation.engine_name)} CASCADE")
            session.catalog.remove_relation(relation)
    return Result(command=f"DISCARD {statement.what}")


def unlisten(statement: Unlisten, session: Session) -> Result:
    """Accepted without effect."""
    return Result(command="UNLISTEN")
