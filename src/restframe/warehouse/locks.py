"""Write locks on tables: a second writer waits its turn, as in Redshift, instead of failing at once."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable

from restframe import errors

# How often a waiting writer looks whether it was cancelled.
_GLANCE_S = 0.05


class TableLocks:
    """First come, first served. A lock is held until its owner's transaction ends, and may be taken again by it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._holders: dict[Hashable, object] = {}
        self._queues: dict[Hashable, deque[object]] = {}
        self._waits_for: dict[object, Hashable] = {}

    def acquire(self, owner: object, table: Hashable, check_cancelled: Callable[[], None]) -> None:
        """Wait for the table.

        DeadlockDetected when the wait could never end; whatever `check_cancelled` raises while waiting.
        """
        with self._changed:
            if self._holders.get(table) is owner:
                return
            queue = self._queues.setdefault(table, deque())
            queue.append(owner)
            self._waits_for[owner] = table
            try:
                if self._would_never_end(owner):
                    raise errors.DeadlockDetected(
                        "deadlock detected",
                        detail="Each of several transactions waits for a table that another one has written.",
                        hint="Retry the transaction; write tables in the same order everywhere.",
                    )
                while table in self._holders or queue[0] is not owner:
                    self._changed.wait(_GLANCE_S)
                    check_cancelled()
                self._holders[table] = owner
            finally:
                queue.remove(owner)
                del self._waits_for[owner]
                if not queue:
                    self._queues.pop(table, None)
                self._changed.notify_all()

    def release_all(self, owner: object) -> None:
        with self._changed:
            for table in [table for table, holder in self._holders.items() if holder is owner]:
                del self._holders[table]
            self._changed.notify_all()

    def _would_never_end(self, owner: object) -> bool:
        """Whether following holder after holder from what `owner` waits for leads back to `owner`."""
        seen: set[int] = set()
        current: object = owner
        while (table := self._waits_for.get(current)) is not None:
            current = self._holders.get(table)
            if current is owner:
                return True
            if current is None or id(current) in seen:
                return False
            seen.add(id(current))
        return False
