"""ANALYZE and VACUUM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.engine.quoting import quoted
from restframe.result import Result
from restframe.sql.statements.maintenance import Analyze, Vacuum
from restframe.warehouse.commands.table import the_table

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def analyze(statement: Analyze, session: Session) -> Result:
    """Renew the engine's statistics, of all columns, whichever are named; UndefinedTable, UndefinedColumn."""
    if statement.name is None:
        session.connection.run("ANALYZE")
        return Result(command="ANALYZE")
    relation = the_table(statement.name, session)
    for column in statement.columns:
        if relation.column(column.name) is None:
            raise errors.UndefinedColumn(
                f'column "{column.name}" of relation "{relation.name}" does not exist', position=column.position
            )
    session.connection.run(f"ANALYZE {quoted(relation.engine_schema, relation.name)}")
    return Result(command="ANALYZE")


def vacuum(statement: Vacuum, session: Session) -> Result:
    """Nothing to do: the engine reclaims space and sorts on its own. The table must exist.

    ActiveTransaction inside a transaction block, as in Redshift.
    """
    if session.transaction != "idle":
        raise errors.ActiveTransaction("VACUUM cannot run inside a transaction block", position=statement.position)
    if statement.name is not None:
        the_table(statement.name, session)
    session.notice("VACUUM has no effect: the engine reclaims space by itself")
    return Result(command="VACUUM")
