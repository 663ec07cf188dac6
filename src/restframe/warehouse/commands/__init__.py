"""What each statement of our own does: one module per family, one function per statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restframe.result import Result

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


# Tables by the engine's schema and name.
Locks = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Command:
    """How the warehouse carries out one kind of statement.

    run : does it, given the statement and its session
    transaction : whether it runs inside a transaction, its own if none is open
    locks : the tables it writes, found before the transaction starts
    """

    run: Callable[[Any, Session], Result]
    transaction: bool = True
    locks: Callable[[Any, Session], Locks] = lambda statement, session: ()
