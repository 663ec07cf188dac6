"""What each statement of our own does: one module per family, one function per statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restframe.result import Column, Result
from restframe.types import SqlType

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


# Tables by the engine's schema and name.
Locks = tuple[tuple[str, str], ...]

# The columns of a statement's rows; None when it returns none.
Columns = tuple[Column, ...] | None


@dataclass(frozen=True, slots=True)
class Command:
    """How the warehouse carries out one kind of statement.

    run : does it, given the statement and its session
    transaction : whether it runs inside a transaction, its own if none is open
    changes : whether it does what a read-only transaction may not; those that need no transaction never do
    locks : the tables it writes, found before the transaction starts
    columns : what its rows will have, asked before it runs; `returning` makes one for columns that are always the same
    """

    run: Callable[[Any, Session], Result]
    transaction: bool = True
    changes: bool = True
    locks: Callable[[Any, Session], Locks] = lambda statement, session: ()
    columns: Callable[[Any, Session], Columns] = lambda statement, session: None


def returning(*columns: tuple[str, SqlType]) -> Callable[[Any, Session], Columns]:
    """For a command whose rows always have these columns."""
    described = tuple(Column(name, type_) for name, type_ in columns)
    return lambda statement, session: described
