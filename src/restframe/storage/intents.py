"""Several objects published as one: a record on the disk says what is meant, so that a crash cannot leave half of it.

The record is written when every new file is complete on the disk, and removed when every file has its key. Found when
the store opens, it is carried out again, which changes nothing where it had been carried out already; staged files
that no record names are dropped.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from restframe import errors
from restframe.storage.files import new_name, sync_directory, write_durably
from restframe.storage.sidecars import Version
from restframe.storage.urls import ObjectUrl


@dataclass(frozen=True, slots=True)
class Put:
    staged: str  # the file's name in the temporary directory
    url: ObjectUrl
    version: Version


@dataclass(frozen=True, slots=True)
class Intent:
    """What to delete and then to put, in this order; `time_ns` is when it was decided."""

    puts: tuple[Put, ...]
    deletes: tuple[ObjectUrl, ...]
    time_ns: int


class Target(Protocol):
    """What carrying out needs of the store."""

    def staged_file(self, name: str) -> Path: ...

    def replace(self, url: ObjectUrl, staged: Path, version: Version) -> object: ...

    def delete(self, url: ObjectUrl) -> bool: ...

    def written_ns(self, url: ObjectUrl) -> int | None: ...


def record(intent: Intent, directory: Path, temporary: Path) -> Path:
    """From the moment the record stands, the publication happens: now, or when the store next opens.

    When writing it fails, it does not stand.
    """
    path = new_name(directory).with_suffix(".json")
    try:
        write_durably(path, json.dumps(_raw(intent)), temporary)
    except BaseException:
        path.unlink(missing_ok=True)
        sync_directory(directory)
        raise
    return path


def carry_out(intent: Intent, recorded: Path, target: Target) -> None:
    for url in intent.deletes:
        _delete(url, target)
    for put in intent.puts:
        target.replace(put.url, target.staged_file(put.staged), put.version)
    _remove(recorded)


def recover(directory: Path, target: Target) -> None:
    """Carry out what a crash interrupted, leaving alone whatever was written later than it was decided."""
    for recorded in sorted(directory.glob("*.json")):
        intent = _read(recorded)
        for url in intent.deletes:
            if not _is_later(target.written_ns(url), intent.time_ns):
                _delete(url, target)
        for put in intent.puts:
            staged = target.staged_file(put.staged)
            if staged.exists() and not _is_later(target.written_ns(put.url), intent.time_ns):
                target.replace(put.url, staged, put.version)
        _remove(recorded)


def _delete(url: ObjectUrl, target: Target) -> None:
    with contextlib.suppress(errors.NoSuchBucket):
        target.delete(url)


def _is_later(written_ns: int | None, time_ns: int) -> bool:
    return written_ns is not None and written_ns > time_ns


def _read(recorded: Path) -> Intent:
    raw = json.loads(recorded.read_text(encoding="utf-8"))
    puts = tuple(Put(one["staged"], ObjectUrl(**one["url"]), Version.from_json(one["version"])) for one in raw["puts"])
    return Intent(puts, tuple(ObjectUrl(**one) for one in raw["deletes"]), raw["time_ns"])


def _raw(intent: Intent) -> dict[str, Any]:
    puts = [{"staged": one.staged, "url": asdict(one.url), "version": one.version.to_json()} for one in intent.puts]
    return {"puts": puts, "deletes": [asdict(url) for url in intent.deletes], "time_ns": intent.time_ns}


def _remove(recorded: Path) -> None:
    recorded.unlink()
    sync_directory(recorded.parent)
