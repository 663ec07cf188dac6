"""Where compiled kernels are kept, and whether they are there; without the compiler, whose import takes a second.

Kernels are compiled at first use, which takes seconds in which the process does little else, and are kept on disk for
the next process. A server has a child process do that ahead of all use (`restframe.server.warming`); what comes before
the child is done goes without kernels, or waits for it.

All kernels of an installation lie in one directory, named by a digest of what they are made from: numba compares no
more than a kernel's own file, and would take one for new whose parts, in other files, are newer.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Literal

# What is compiled together, in the order in which it is likely to be wanted: COPY from buckets; rows for SQL clients
# and COPY TO; COPY FROM STDIN; forests; DeepAR's forecasts; exponential smoothing.
Group = Literal["loading", "results", "copying", "forest", "deepar", "smoothing"]
GROUPS: tuple[Group, ...] = ("loading", "results", "copying", "forest", "deepar", "smoothing")

_SOURCES = (
    "compiled.py", "storage/writing", "storage/loading", "storage/copying", "ml/random_cut_forest",
    "ml/deepar/kernels.py", "ml/deepar/lanes.py", "ml/forecasting/smoothing.py",
)  # fmt: skip
_PACKAGE = Path(__file__).parent
FEW_BYTES = 1 << 16  # of text; to interpret a kernel for so many takes a fraction of a second
_LOCK = "lock"
_GLANCE_S = 0.05
_OLD_S = 30 * 86_400

_seen: set[Group] = set()  # that are complete, and stay so
_ours = False  # this process compiles them


@cache
def directory() -> Path | None:
    """Where this process keeps kernels: below NUMBA_CACHE_DIR, or beside the package, or in the user's cache.

    None when none of these can be written; then each process compiles for itself.
    """
    digest = _digest()
    for place in _places():
        path = place / digest
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(path, os.W_OK | os.X_OK):
            return path
    return None


def _places() -> Iterator[Path]:
    """One for this installation in each directory that may be had."""
    own = f"restframe-{hashlib.sha256(str(_PACKAGE).encode()).hexdigest()[:16]}"
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        yield Path(given).absolute() / own
    yield _PACKAGE / "__pycache__" / "kernels"
    with contextlib.suppress(RuntimeError):  # a user without a home
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / own


def _digest() -> str:
    """Of the sources, the compiler, and the processor that it compiles for."""
    found = hashlib.sha256(f"{platform.python_version()} {metadata.version('numba')} {_processor()}".encode())
    for name in _SOURCES:
        source = _PACKAGE / name
        for file in sorted(source.glob("*.py")) if source.is_dir() else [source]:
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


def _processor() -> str:
    """Its kind and features, as far as the system tells."""
    wanted = ("model name", "flags", "Features", "CPU part")
    with contextlib.suppress(OSError):
        first = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
        return "\n".join(line for line in first.splitlines() if line.startswith(wanted))
    return platform.machine()


def complete(group: Group) -> bool:
    """Whether all kernels of a group are on disk."""
    if group in _seen:
        return True
    place = directory()
    if place is None or not (place / group).exists():
        return False
    _seen.add(group)
    return True


def compiled_here() -> bool:
    """Whether this process is the one that compiles ahead of all use."""
    return _ours


def pending(group: Group) -> bool:
    """Whether another process compiles a group now, so that whoever has another way should take it."""
    return not (_ours or complete(group)) and _being_compiled()


def wait(group: Group, check: Callable[[], None]) -> None:
    """Let another process that compiles a group come to its end, rather than do the same here.

    What is waited for is compiled next. check : called now and then, ends the waiting with what it raises
    """
    place = directory()
    if place is not None and pending(group):
        _wish(place, group).touch()
    while pending(group):
        check()
        time.sleep(_GLANCE_S)


def _being_compiled() -> bool:
    place = directory()
    try:
        lock = None if place is None else os.open(place / _LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    if lock is None:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


@contextlib.contextmanager
def compiling() -> Iterator[Path | None]:
    """For the one process that compiles: where, or None when another one does or there is no place for them."""
    global _ours
    place = directory()
    if place is None:
        yield None
        return
    lock = os.open(place / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        yield None
        return
    _ours = True
    try:
        yield place
    finally:
        _ours = False
        os.close(lock)


def missing() -> list[Group]:
    """The groups that are to be compiled, those first that somebody waits for."""
    place = directory()
    left = [group for group in GROUPS if not complete(group)]
    return left if place is None else sorted(left, key=lambda group: not _wish(place, group).exists())


def _wish(place: Path, group: Group) -> Path:
    return place / f"{group}.wanted"


def completed(group: Group) -> None:
    """Note that all kernels of a group are on disk. For the process that compiles."""
    place = directory()
    assert place is not None
    (place / group).touch()
    _wish(place, group).unlink(missing_ok=True)


def forget_old() -> None:
    """Remove what was kept long ago for other sources, another Python, or another processor."""
    place = directory()
    assert place is not None
    for other in place.parent.iterdir():
        if other != place and other.is_dir() and time.time() - other.stat().st_mtime > _OLD_S:
            shutil.rmtree(other, ignore_errors=True)
