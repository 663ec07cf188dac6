"""New warehouses begin with a copy of one that was new: to define all system views costs half a second of CPU."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from restframe import __version__, kernels

_PACKAGE = Path(kernels.__file__).parent
_SOURCES = ("catalog", "sql")  # of what is in a new file
_MOST_KEPT = 4  # one is enough, but for several superusers, and for those who work on the sources


class NewFile:
    """A new warehouse's file, as the first one of this version and superuser left it for the others.

    It lies where compiled kernels do; where there is no such place, every warehouse is made from the beginning. A file
    that is out of date does no harm: what it defines is compared when it is opened, as in any old one.
    """

    def __init__(self, superuser: str) -> None:
        place = kernels.directory()
        self._kept = None if place is None else place.parent / f"new-{_digest(superuser)}.duckdb"

    def put(self, file: Path) -> bool:
        """Put a copy where there is no file yet; whether there is one now."""
        if self._kept is None or not self._kept.exists() or file.with_name(f"{file.name}.wal").exists():
            return False
        # A link is made whole or not at all, and never in place of what another process has just made.
        with contextlib.suppress(OSError), _staged(self._kept, file.parent) as copy:
            os.link(copy, file)
            return True
        return False

    def keep(self, file: Path) -> None:
        """Keep a copy of a file in which there is nothing yet, and to which nobody writes now."""
        if self._kept is not None and not self._kept.exists():
            with contextlib.suppress(OSError), _staged(file, self._kept.parent) as copy:
                copy.replace(self._kept)
                newest_first = sorted(self._kept.parent.glob("new-*"), key=lambda kept: -kept.stat().st_mtime)
                for other in newest_first[_MOST_KEPT:]:
                    other.unlink(missing_ok=True)


@contextlib.contextmanager
def _staged(file: Path, directory: Path) -> Iterator[Path]:
    """A copy that is on disk, under a name of its own."""
    number, name = tempfile.mkstemp(prefix=".new-", dir=directory)
    try:
        with os.fdopen(number, "wb") as copy, file.open("rb") as source:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _digest(superuser: str) -> str:
    found = hashlib.sha256(f"{__version__} {metadata.version('duckdb')} {superuser}".encode())
    for source in _SOURCES:
        for file in sorted((_PACKAGE / source).rglob("*.py")):
            status = file.stat()
            found.update(f"{file} {status.st_size} {status.st_mtime_ns}\n".encode())
    return found.hexdigest()[:16]
