"""BEGIN, COMMIT, ROLLBACK, SET TRANSACTION and LOCK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Result
from restframe.sql.statements.transaction import Begin, Commit, LockTable, Rollback, SetTransaction
from restframe.warehouse.commands import Locks

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def begin(statement: Begin, session: Session) -> Result:
    session.begin()
    _set_mode(statement.read_only, session)
    return Result(command="BEGIN")


def set_transaction(statement: SetTransaction, session: Session) -> Result:
    """The level is accepted without effect. SET TRANSACTION outside a transaction block lasts for nothing."""
    if statement.session:
        if statement.read_only is not None:
            session.set_variable("default_transaction_read_only", "on" if statement.read_only else "off")
    elif session.transaction != "open":
        session.notice("SET TRANSACTION can only be used in transaction blocks", "WARNING")
    else:
        _set_mode(statement.read_only, session)
    return Result(command="SET")


def _set_mode(read_only: bool | None, session: Session) -> None:
    if read_only is not None:
        session.variables.set("transaction_read_only", "on" if read_only else "off", local=True)


def lock(statement: LockTable, session: Session) -> Result:
    """The tables are locked before it runs (`locks_of_lock`), in whatever mode: only writers wait for each other."""
    if session.transaction != "open":
        raise errors.NoActiveTransaction(
            "LOCK TABLE may only be used in transaction blocks", position=statement.position
        )
    return Result(command="LOCK TABLE")


def locks_of_lock(statement: LockTable, session: Session) -> Locks:
    found = [session.catalog.relation(name.schema, name.name, name.position) for name in statement.names]
    for relation, name in zip(found, statement.names, strict=True):
        if not relation.kind.endswith("table"):
            raise errors.WrongObjectType(f'"{relation.name}" is not a table', position=name.position)
    return tuple((relation.engine_schema, relation.engine_name) for relation in found)


def commit(statement: Commit, session: Session) -> Result:
    return Result(command=session.commit())


def rollback(statement: Rollback, session: Session) -> Result:
    return Result(command=session.rollback())
