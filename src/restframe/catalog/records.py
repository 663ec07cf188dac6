"""How the catalog is read and written: within a session's transaction, and kept until something changes."""

from __future__ import annotations

import enum
import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar, cast

_states = itertools.count(1)

_MAX_ENTRIES = 100_000

T = TypeVar("T")
Key = tuple[str, ...]


class Part(enum.IntEnum):
    """What entries follow from. A change of one part may change what follows from the parts after it, not before it.

    FRAME : users, groups, roles, grants, schemas and models
    RELATIONS : tables and views, their columns, and what views read
    """

    FRAME = 0
    RELATIONS = 1


class Executor(Protocol):
    """What the catalog needs of a connection."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    @property
    def in_transaction(self) -> bool: ...


class Cache:
    """Committed entries by part and key, shared by all sessions; forgotten by whoever commits a change.

    versions : for each part, how often its entries were forgotten
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: list[dict[Key, Any]] = [{} for _ in Part]
        self.versions = [0 for _ in Part]

    def get(self, key: Key, load: Callable[[], T], part: Part) -> T:
        entries = self._entries[part]
        with self._lock:
            if key in entries:
                return cast(T, entries[key])
            version = self.versions[part]
        found = load()
        with self._lock:
            if version == self.versions[part]:  # else what was read may have been changed meanwhile
                if len(entries) >= _MAX_ENTRIES:  # names that are not there are kept too
                    entries.clear()
                entries[key] = found
        return found

    def forget(self, changed: Part) -> None:
        with self._lock:
            for part in _from(changed):
                self.versions[part] += 1
                self._entries[part].clear()


def _from(changed: Part) -> list[Part]:
    """The parts that may have changed with this one."""
    return [part for part in Part if part >= changed]


class SessionRecords:
    """The catalog's tables as one session sees them.

    private : whether the session sees what no other does, such as temporary tables
    """

    def __init__(self, connection: Executor, cache: Cache) -> None:
        self._connection = connection
        self._cache = cache
        self._own: list[dict[Key, Any]] = [{} for _ in Part]  # read inside the open transaction
        self._changed: Part | None = None  # the first one that the open transaction has changed
        self._versions = [0 for _ in Part]  # the cache's, when the open transaction began
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
        if self._sees_committed(_LAST):
            return self._cache.versions[_LAST], self._state if self.private else 0
        return -1, self._state

    def _sees_committed(self, part: Part) -> bool:
        """Whether a part is here as it is committed now; a transaction goes on seeing what was when it began."""
        if not self._connection.in_transaction:
            return True
        unchanged = self._changed is None or part < self._changed
        return unchanged and self._versions[part] == self._cache.versions[part]

    def begin(self) -> None:
        """After the engine's, and before anything is read."""
        self._versions = list(self._cache.versions)
        self._state = next(_states)

    def commit(self) -> None:
        """After the engine's commit: what was changed becomes visible to the other sessions."""
        if self._changed is not None:
            self._cache.forget(self._changed)
        self._forget_own(_FIRST)
        self._changed = None

    def rollback(self) -> None:
        self._forget_own(_FIRST)
        self._changed = None
        self._state = next(_states)

    def _forget_own(self, changed: Part) -> None:
        for part in _from(changed):
            self._own[part].clear()

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.run(sql, parameters)

    def cached(self, key: Key, load: Callable[[], T], part: Part = Part.RELATIONS) -> T:
        """What `load` reads, kept until this part of the catalog, or one before it, changes."""
        if self._sees_committed(part):
            return self._cache.get(key, load, part)
        own = self._own[part]
        if key not in own:
            own[key] = load()
        return cast(T, own[key])

    def changes_state(self) -> None:
        """Names mean something else from here on, in this session."""
        self._state = next(_states)

    def write(self, sql: str, parameters: Sequence[Any] = (), part: Part = Part.FRAME) -> None:
        """Run what changes this part of the catalog; when it has changed no row, all is as it was."""
        if self._connection.run(sql, parameters) == _NO_ROW:
            return
        self._forget_own(part)
        self._changed = part if self._changed is None else min(part, self._changed)
        self.changes_state()


_FIRST, _LAST = min(Part), max(Part)
_NO_ROW = [(0,)]  # what the engine answers when it has inserted, updated or deleted none
