"""What a session goes back to by ROLLBACK TO.

The engine cannot undo a part of a transaction. All of one it can, so a savepoint is possible as long as its transaction
has changed nothing: what comes after it is then undone with the whole transaction, and another one takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restframe.warehouse.variables import Saved


@dataclass(frozen=True, slots=True)
class SavedState:
    """A savepoint: what is the session's own, for its data are what they were at BEGIN.

    user_id : as whom it acted
    """

    name: str
    variables: Saved
    user_id: int
