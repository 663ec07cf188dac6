"""How the catalog is read and written: within a session's transaction, and kept until something changes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

_states = itertools.count(1)

_MAX_ENTRIES = 100_000

T = TypeVar("T")
Key = tuple[str, ...]


class Executor(Protocol):
    """What the catalog needs of a connection."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    @property
    def in_transaction(self) -> bool: ...


class Cache:
    """Committed entries by key, shared by all sessions; forgotten by whoever commits a change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Key, Any] = {}
        self.version = 0  # how often it was forgotten

    def get(self, key: Key, load: Callable[[], T]) -> T:
        with self._lock:
            if key in self._entries:
                return cast(T, self._entries[key])
            version = self.version
        found = load()
        with self._lock:
            if version == self.version:  # else what was read may have been changed meanwhile
                if len(self._entries) >= _MAX_ENTRIES:  # names that are not there are kept too
                    self._entries.clear()
                self._entries[key] = found
        return found

    def forget(self) -> None:
        with self._lock:
            self.version += 1
            self._entries.clear()


class SessionRecords:
    """The catalog's tables as one session sees them.

    private : whether the session sees what no other does, such as temporary tables
    """

    def __init__(self, connection: Executor, cache: Cache) -> None:
        self._connection = connection
        self._cache = cache
        self._own: dict[Key, Any] = {}  # read inside this session's open transaction
        self._changed = False
        self._version = 0  # the cache's, when the open transaction began
        self._state = next(_states)
        self.private = False

    @property
    def is_everybodys(self) -> bool:
        """Whether names mean here what they mean in every other session with this search path."""
        return not self._connection.in_transaction and not self.private

    @property
    def state(self) -> tuple[int, int]:
        """What names mean here: as long as two states are equal, and the search paths, every name means the same.

        Sessions share it unless they have temporary tables, or a transaction in which that differs from what is
        committed.
        """
        if self._sees_committed:
            return self._cache.version, self._state if self.private else 0
        return -1, self._state

    @property
    def _sees_committed(self) -> bool:
        """Whether names mean what is committed now; a transaction goes on seeing what was when it began."""
        if not self._connection.in_transaction:
            return True
        return not self._changed and self._version == self._cache.version

    def begin(self) -> None:
        """After the engine's, and before anything is read."""
        self._version = self._cache.version
        self._state = next(_states)

    def commit(self) -> None:
        """After the engine's commit: what was changed becomes visible to the other sessions."""
        if self._changed:
            self._cache.forget()
        self._own.clear()
        self._changed = False

    def rollback(self) -> None:
        self._own.clear()
        self._changed = False
        self._state = next(_states)

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.run(sql, parameters)

    def cached(self, key: Key, load: Callable[[], T]) -> T:
        """What `load` reads, kept until something in the catalog changes."""
        if self._sees_committed:
            return self._cache.get(key, load)
        if key not in self._own:
            self._own[key] = load()
        return cast(T, self._own[key])

    def changes_state(self) -> None:
        """Names mean something else from here on, in this session."""
        self._state = next(_states)

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.run(sql, parameters)
        self._own.clear()
        self._changed = True
        self.changes_state()
