"""The names in directories, sorted; those of big directories are kept from one page of a listing to the next."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass

_BIG = 2_000  # names; below that reading again costs little
_KEPT = 300_000  # names, some 30 MB
# File systems stamp directories with a clock that moves every few milliseconds: only a stamp older than that when the
# names were read proves that nothing was added since.
_SETTLED_NS = 50_000_000


@dataclass(frozen=True, slots=True)
class _Listing:
    stamp: tuple[int, int]
    names: list[str]


class Names:
    """Usable from any thread."""

    def __init__(self) -> None:
        self._kept: dict[str, _Listing] = {}
        self._lock = threading.Lock()

    def of(self, directory: str) -> list[str]:
        """The folders, with a slash behind their name, and regular files of a directory, sorted; not to be changed.

        None when it cannot be read: removed since its parent was read, or too deep for the system.
        """
        try:
            status = os.stat(directory)  # noqa: PTH116
            stamp = (status.st_mtime_ns, status.st_ino)
            kept = self._kept.get(directory)
            if kept is not None and kept.stamp == stamp:
                return kept.names
            settled = time.time_ns() - status.st_mtime_ns > _SETTLED_NS
            names = _read(directory)
        except OSError:
            return []
        if settled and _BIG <= len(names) <= _KEPT:
            self._keep(directory, _Listing(stamp, names))
        return names

    def _keep(self, directory: str, listing: _Listing) -> None:
        with self._lock:
            self._kept.pop(directory, None)
            self._kept[directory] = listing
            while sum(len(one.names) for one in self._kept.values()) > _KEPT:
                del self._kept[next(iter(self._kept))]


def _read(directory: str) -> list[str]:
    found = []
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(entry.name + "/")
            elif entry.is_file(follow_symlinks=False):
                found.append(entry.name)
    found.sort()
    return found
