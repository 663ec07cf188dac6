"""Objects that are uploaded in parts: the parts lie on the disk until they become one file.

    <directory>/<bucket>/<upload>/upload.json              the key and what is to be kept with the object
    <directory>/<bucket>/<upload>/00007-<MD5>-<checksum>   a part; of two with one number the newer one counts

A part's name says everything about it, so that one rename stores it. Completing copies the parts into a new file, in
the kernel where it can, and gives that file the key; only then are the parts removed. A crash leaves the upload as it
was, or the complete object.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from restframe import errors
from restframe.storage.files import (
    make_directory,
    new_name,
    replace_durably,
    seal,
    sync_directory,
    unique_time_ns,
    write_durably,
)
from restframe.storage.hashing import write_hashed
from restframe.storage.objects import About, ObjectInfo, Part, Precondition, Source, chunks, translated
from restframe.storage.sidecars import Version, stamp_of
from restframe.storage.urls import ObjectUrl, shown

ABANDONED_AFTER_S = 7 * 24 * 3600  # without a new part
_EXPIRE_EVERY_S = 3600
_ID = re.compile(r"[0-9a-f]{40}")
_RECORD = "upload.json"


@dataclass(frozen=True, slots=True)
class Upload:
    """options : what whoever began it wants to know when it goes on"""

    id: str
    url: ObjectUrl
    begun: datetime
    about: About
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """etag : the MD5 of its bytes; checksum : base64, empty for none"""

    number: int
    size_bytes: int
    etag: str
    checksum: str
    modified: datetime
    path: Path


class Store(Protocol):
    """What uploads need of the store they are in."""

    temporary: Path

    def need_bucket(self, bucket: str, create: bool = False) -> None: ...

    def replace(
        self, url: ObjectUrl, staged: Path, version: Version, precondition: Precondition | None = None
    ) -> ObjectInfo: ...


class Uploads:
    """The uploads under way in all buckets of a store. Usable from any thread.

    What takes an upload raises NoSuchUpload when it was completed, aborted, or abandoned.
    """

    def __init__(self, directory: Path, store: Store) -> None:
        self._directory = directory
        self._store = store
        self._expired_s = 0.0
        self._guard = threading.Lock()
        self._locks: weakref.WeakValueDictionary[str, _Lock] = weakref.WeakValueDictionary()

    def begin(self, url: ObjectUrl, about: About, options: Mapping[str, str]) -> Upload:
        self._store.need_bucket(url.bucket, create=True)
        if time.time() - self._expired_s > _EXPIRE_EVERY_S:
            self.expire()
        # ids begin with the time, so that they sort by it
        upload_id = f"{unique_time_ns():016x}{os.urandom(12).hex()}"
        upload = Upload(upload_id, url, _time_of(upload_id), about, dict(options))
        with translated(url):
            make_directory(self._path(upload))
            record = {"key": url.key, "options": upload.options, "about": about.to_json()}
            write_durably(self._path(upload) / _RECORD, json.dumps(record), self._store.temporary)
        return upload

    def find(self, url: ObjectUrl, upload_id: str) -> Upload:
        self._store.need_bucket(url.bucket)
        upload = self._read(url.bucket, upload_id) if _ID.fullmatch(upload_id) else None
        if upload is None or upload.url != url:
            raise errors.NoSuchUpload(f'upload "{shown(upload_id)}" does not exist')
        return upload

    def of(self, bucket: str, prefix: str = "") -> list[Upload]:
        """By key, and for one key in the order in which they began."""
        self._store.need_bucket(bucket)
        found = (self._read(bucket, name) for name in self._names(bucket))
        uploads = [upload for upload in found if upload is not None and upload.url.key.startswith(prefix)]
        return sorted(uploads, key=lambda upload: (upload.url.key, upload.id))

    def put(self, upload: Upload, number: int, source: Source, describe: Callable[[str], str]) -> UploadedPart:
        """Store a part, in the place of one that has its number. On the disk on return.

        describe : called with the MD5 of the bytes when all are there, gives their checksum; raises to store nothing
        """
        with translated(upload.url):
            staged = new_name(self._store.temporary)
            try:
                etag = write_hashed(staged, chunks(source))
                checksum = describe(etag)
                seal(staged)
                path = self._path(upload) / f"{number:05d}-{etag}-{checksum.replace('/', '_')}"
                with self._lock(upload):
                    before = [name for name in self._files(upload) if name.startswith(f"{number:05d}-")]
                    replace_durably(staged, path)
                    for name in before:
                        if name != path.name:
                            (path.parent / name).unlink()
                return _part(path)
            finally:
                staged.unlink(missing_ok=True)

    def parts(self, upload: Upload) -> list[UploadedPart]:
        """By number."""
        with self._lock(upload):
            found = [_part(self._path(upload) / name) for name in self._files(upload)]
        parts = sorted(found, key=lambda part: (part.number, part.modified))
        return list({part.number: part for part in parts}.values())

    def complete(
        self,
        upload: Upload,
        parts: Sequence[UploadedPart],
        about: About,
        etag: str,
        precondition: Precondition | None = None,
    ) -> ObjectInfo:
        """Make the parts one object, and end the upload. Readers see the old object until they see all of the new one.

        The upload goes on when there is no room, or the precondition refuses.
        """
        described = dataclasses.replace(
            about, upload=upload.id, parts=tuple(Part(one.size_bytes, one.checksum) for one in parts)
        )
        with translated(upload.url), self._lock(upload):
            self._files(upload)
            staged = new_name(self._store.temporary)
            try:
                with staged.open("wb") as file:
                    for part in parts:
                        _append(part.path, file)
                version = Version(stamp_of(seal(staged)), etag, described)
                info = self._store.replace(upload.url, staged, version, precondition)
            finally:
                staged.unlink(missing_ok=True)
            self._remove(upload)
        return info

    def abort(self, upload: Upload) -> None:
        with translated(upload.url), self._lock(upload):
            self._files(upload)
            self._remove(upload)

    def expire(self) -> None:
        """Remove uploads to which nothing was added for a week, and what a crash left of others."""
        self._expired_s = now = time.time()
        for path in self._directory.glob("*/*"):
            with contextlib.suppress(OSError):
                limit_s = ABANDONED_AFTER_S if (path / _RECORD).exists() else _EXPIRE_EVERY_S
                if now - path.stat().st_mtime > limit_s:
                    shutil.rmtree(path)

    # Files

    def _path(self, upload: Upload) -> Path:
        return self._directory / upload.url.bucket / upload.id

    def _names(self, bucket: str) -> Iterable[str]:
        try:
            return [name for name in os.listdir(self._directory / bucket) if _ID.fullmatch(name)]  # noqa: PTH208
        except FileNotFoundError:
            return ()

    def _read(self, bucket: str, upload_id: str) -> Upload | None:
        path = self._directory / bucket / upload_id / _RECORD
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        about = About.from_json(raw["about"])
        return Upload(upload_id, ObjectUrl(bucket, raw["key"]), _time_of(upload_id), about, raw["options"])

    def _files(self, upload: Upload) -> list[str]:
        """The names of the parts' files; the upload's lock is held."""
        with contextlib.suppress(FileNotFoundError):
            names = os.listdir(self._path(upload))  # noqa: PTH208  (names, not paths: there may be 10,000)
            if _RECORD in names:
                names.remove(_RECORD)
                return names
        raise errors.NoSuchUpload(f'upload "{upload.id}" does not exist')

    def _remove(self, upload: Upload) -> None:
        # without its record it is gone, whatever happens to the rest
        directory = self._path(upload)
        (directory / _RECORD).unlink()
        sync_directory(directory)
        shutil.rmtree(directory, ignore_errors=True)

    @contextlib.contextmanager
    def _lock(self, upload: Upload) -> Iterator[None]:
        with self._guard:
            lock = self._locks.setdefault(upload.id, _Lock())
        with lock.held:
            yield


class _Lock:
    def __init__(self) -> None:
        self.held = threading.RLock()


def _time_of(upload_id: str) -> datetime:
    return datetime.fromtimestamp(int(upload_id[:16], 16) / 1e9, UTC)


def _part(path: Path) -> UploadedPart:
    number, etag, checksum = path.name.split("-", 2)
    status = path.stat()
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return UploadedPart(int(number), status.st_size, etag, checksum.replace("_", "/"), modified, path)


def _append(path: Path, file: BinaryIO) -> None:
    with path.open("rb") as part:
        if hasattr(os, "copy_file_range"):
            with contextlib.suppress(OSError):  # not on this file system: what is left is copied below
                while os.copy_file_range(part.fileno(), file.fileno(), 1 << 30):
                    pass
        shutil.copyfileobj(part, file, 1 << 20)
        file.flush()
