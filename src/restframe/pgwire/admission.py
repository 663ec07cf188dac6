"""How many may be connected at once: all together, and each user."""

from __future__ import annotations

import threading
from collections import Counter

from restframe import errors
from restframe.catalog.users import User

# The last places are kept for whoever can end other sessions.
RESERVED = 3


class Admission:
    """Counts sessions; usable from any thread.

    limit : of all sessions; the last few are the superusers'
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._users: Counter[str] = Counter()

    def enter(self, user: User) -> None:
        """Count a session in. TooManyConnections."""
        with self._lock:
            if self._users.total() >= self._limit:
                raise errors.TooManyConnections("sorry, too many clients already")
            if not user.superuser:
                if self._users.total() >= self._limit - RESERVED:
                    raise errors.TooManyConnections("remaining connection slots are reserved for superusers")
                allowed = user.connection_limit
                if allowed is not None and self._users[user.name] >= allowed:
                    raise errors.TooManyConnections(f'too many connections for user "{user.name}"')
            self._users[user.name] += 1

    def leave(self, user: User) -> None:
        with self._lock:
            self._users[user.name] -= 1
            if not self._users[user.name]:
                del self._users[user.name]

    @property
    def count(self) -> int:
        with self._lock:
            return self._users.total()
