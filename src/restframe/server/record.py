"""server.json: who serves a directory, and where.

The server holds a lock on the file for as long as it lives, and the kernel lets go of it however the process ends: a
file that nobody has locked was left behind, and no process is ever taken for another one that got its number.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

NAME = "server.json"


@dataclass(frozen=True, slots=True)
class Record:
    """url, proxy : `http://address:port`, as this machine reaches them
    sql : `address:port` of the PostgreSQL protocol
    started : in ISO 8601
    """

    pid: int
    url: str
    proxy: str
    sql: str
    started: str
    version: str


@contextlib.contextmanager
def recorded(directory: Path, record: Record) -> Iterator[None]:
    """Let others read the record until the block ends. For the one process that has the warehouse open."""
    path = directory / NAME
    staged = directory / f".{NAME}"
    with staged.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump(asdict(record), file)
        file.flush()
        os.fsync(file.fileno())
        staged.replace(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def read(directory: Path) -> Record | None:
    """The record of the server that runs now; None when there is none."""
    try:
        file = (directory / NAME).open(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    with file:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        return Record(**json.load(file))
