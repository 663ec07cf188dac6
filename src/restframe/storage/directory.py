"""Our own object store: a directory for each bucket, a file for each object.

    <root>/<bucket>/<key>                        objects with plain keys
    <root>/.restframe/objects/<bucket>/...       objects whose key cannot be a path, see keys.py
    <root>/.restframe/about/<bucket>/...         sidecars
    <root>/.restframe/uploads/<bucket>/...       parts of objects that are not complete, see uploads.py
    <root>/.restframe/buckets/<bucket>/...       what is kept about a bucket itself, see notes.py
    <root>/.restframe/temporary/                 files being written, one file system with the buckets
    <root>/.restframe/intents/                   publications under way, see intents.py

A file that somebody drops into a bucket's directory is an object. A symbolic link is nothing at all, so nobody gets
out of the bucket through one. On a file system that ignores case, keys that differ in case only are one object.
"""

from __future__ import annotations

import contextlib
import dataclasses
import heapq
import os
import shutil
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from restframe import errors
from restframe.storage import intents
from restframe.storage.files import (
    make_directory,
    new_name,
    part_of,
    remove_durably,
    replace_durably,
    seal,
    sync_directory,
    unique_time_ns,
)
from restframe.storage.hashing import write_hashed
from restframe.storage.keys import coded, is_plain
from restframe.storage.names import Names
from restframe.storage.notes import Notes
from restframe.storage.objects import (
    About,
    Describe,
    ObjectInfo,
    OpenObject,
    Precondition,
    Source,
    Staged,
    chunks,
    discard,
    no_such_bucket,
    no_such_key,
    translated,
)
from restframe.storage.sidecars import Sidecars, Version, stamp_of, unhashed
from restframe.storage.uploads import Uploads
from restframe.storage.urls import ObjectUrl, check_bucket_name
from restframe.storage.walk import behind, coded_keys, plain_keys, rolled_up

_STRIPES = 64


class DirectoryStore:
    """Buckets under one directory. Safe to use from many threads; one process at a time may write."""

    def __init__(self, root: Path, auto_create: bool) -> None:
        self.root = root.resolve()
        self._auto_create = auto_create
        self._coded = self.root / ".restframe" / "objects"
        self._intents = self.root / ".restframe" / "intents"
        self.temporary = self.root / ".restframe" / "temporary"
        self._about = self.root / ".restframe" / "about"
        self._uploads = self.root / ".restframe" / "uploads"
        self._notes = self.root / ".restframe" / "buckets"
        self._sidecars = Sidecars(self._about, self.temporary)
        self._names = Names()
        self.uploads = Uploads(self._uploads, self)
        self.notes = Notes(self._notes, self.temporary)
        self._locks = [threading.RLock() for _ in range(_STRIPES)]

    def recover(self) -> None:
        """Finish what was published and drop what was not, after a crash. Nobody may be using the store."""
        with translated("object store"):
            intents.recover(self._intents, self)
            shutil.rmtree(self.temporary, ignore_errors=True)
            self.uploads.expire()

    # Buckets

    def exists(self, bucket: str) -> bool:
        try:
            return stat.S_ISDIR(os.lstat(self.root / bucket).st_mode)
        except FileNotFoundError:
            return False

    def buckets(self) -> list[tuple[str, datetime]]:
        """Name and time of the last change of every bucket, by name."""
        found = []
        for path in sorted(self.root.iterdir()) if self.root.is_dir() else []:
            with contextlib.suppress(errors.InvalidParameterValue):  # .restframe, lost+found
                check_bucket_name(path.name)
                if self.exists(path.name):
                    found.append((path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
        return found

    def create_bucket(self, bucket: str) -> bool:
        """Whether it is new."""
        if self.exists(bucket):
            return False
        with translated(f"s3://{bucket}"):
            make_directory(self.root / bucket)
        return True

    def delete_bucket(self, bucket: str) -> None:
        """ObjectInUse when something is left in it."""
        self.need_bucket(bucket)
        if next(self.list(ObjectUrl(bucket), ""), None) is None:
            for directory, _, _ in os.walk(self.root / bucket, topdown=False):
                with contextlib.suppress(OSError):
                    Path(directory).rmdir()
            sync_directory(self.root)
        if self.exists(bucket):
            raise errors.ObjectInUse(f'bucket "{bucket}" is not empty')
        for kept in (self._coded, self._about, self._uploads, self._notes):
            shutil.rmtree(kept / bucket, ignore_errors=True)

    # Reading

    def list(self, url: ObjectUrl, after: str) -> Iterator[ObjectInfo]:
        for key, path in self._keys(url, after):
            with contextlib.suppress(OSError):  # deleted since
                yield self._listed(ObjectUrl(url.bucket, key), path)

    def browse(self, url: ObjectUrl, after: str, delimiter: str) -> Iterator[ObjectInfo | str]:
        keys = self._keys(url, behind(after, url.key, delimiter), fold=delimiter == "/")
        for key, path in rolled_up(keys, url.key, delimiter, after):
            if path is None:
                yield key
            else:
                with contextlib.suppress(OSError):
                    yield self._listed(ObjectUrl(url.bucket, key), path)

    def _keys(self, url: ObjectUrl, after: str, fold: bool = False) -> Iterator[tuple[str, str]]:
        self.need_bucket(url.bucket)
        plain = plain_keys(str(self.root / url.bucket), url.key, after, self._names, fold)
        aside = coded_keys(str(self._coded / url.bucket), url.key, after)
        last = None
        for found in heapq.merge(plain, aside, key=lambda found: found[0]) if aside else plain:
            # a crash can leave an object under both of its names; the plain one, which merge gives first, is newer
            if found[0] != last:
                last = found[0]
                yield found

    def _listed(self, url: ObjectUrl, path: str) -> ObjectInfo:
        status = os.lstat(path)
        return _info(url, status, self._sidecars.version(url, status))

    def head(self, url: ObjectUrl) -> ObjectInfo:
        with self.open(url, 0, 0) as found:
            return found.info

    def open(self, url: ObjectUrl, start: int, end: int | None) -> OpenObject:
        with translated(url):
            while True:
                file = self._open(url)
                status = os.fstat(file.fileno())
                version = self._sidecars.version(url, status)
                if version is not None or stamp_of(self._find(url)[1]) == stamp_of(status):
                    break
                file.close()  # replaced twice since it was opened, its description is gone
        info = _info(url, status, version)
        return OpenObject(info, part_of(file, start, info.size_bytes if end is None else end))

    @contextlib.contextmanager
    def local_file(self, url: ObjectUrl) -> Iterator[Path]:
        """The object's own file under a second name, which stays when the object is replaced or deleted.

        The second name has no letters that a reader could take for a pattern or a format.
        """
        with translated(url):
            path, _ = self._find(url)
            second = new_name(self.temporary)
            try:
                os.link(path, second, follow_symlinks=False)
            except (OSError, NotImplementedError):  # another owner's file, or a file system without links
                second = path
        try:
            yield second
        finally:
            if second != path:
                second.unlink(missing_ok=True)

    # Writing

    def put(
        self,
        url: ObjectUrl,
        source: Source,
        about: About | Describe,
        precondition: Precondition | None,
        etag: str | None,
    ) -> ObjectInfo:
        self.need_bucket(url.bucket, create=True)
        with translated(url):
            staged = new_name(self.temporary)
            try:
                hashed = write_hashed(staged, chunks(source))
                known = about if isinstance(about, About) else about(hashed)
                version = Version(stamp_of(seal(staged)), etag or hashed, known)
                return self.replace(url, staged, version, precondition)
            finally:
                staged.unlink(missing_ok=True)

    def describe(self, url: ObjectUrl, change: Callable[[ObjectInfo], About]) -> ObjectInfo:
        with translated(url), self._lock(url):
            status = self._find(url)[1]
            info = _info(url, status, self._sidecars.version(url, status))
            info = dataclasses.replace(info, about=change(info))
            self._sidecars.announce(url, Version(stamp_of(status), info.etag, info.about), None)
        return info

    def delete(self, url: ObjectUrl, precondition: Precondition | None = None) -> bool:
        """Whether there was an object."""
        self.need_bucket(url.bucket)
        with translated(url), self._lock(url):
            if precondition is not None:
                precondition(self._present(url))
            # the coded name first: beside a plain one it can only be older
            removed = remove_durably(self._coded_path(url), self._coded / url.bucket)
            plain = self._plain_path(url)
            removed = (plain is not None and remove_durably(plain, self.root / url.bucket)) or removed
            self._sidecars.forget(url)
        return removed

    def stage(self, url: ObjectUrl, content_type: str) -> Staged:
        self.need_bucket(url.bucket, create=True)
        with translated(url):
            return Staged(url, new_name(self.temporary), content_type)

    def publish(self, staged: Sequence[Staged], deleted: Sequence[ObjectUrl]) -> None:
        """All or nothing, across kill -9 too; see intents.py."""
        with translated("object store"):
            try:
                puts = [self._sealed(one) for one in staged]
                intent = intents.Intent(tuple(puts), tuple(deleted), unique_time_ns())
                recorded = intents.record(intent, self._intents, self.temporary)
            except BaseException:
                discard(staged)
                raise
        try:
            with translated("object store"):
                intents.carry_out(intent, recorded, self)
        except errors.OperationalError as error:
            # the staged files stay, for the next open
            error.hint = "What was being published will be when the warehouse is opened again."
            raise

    def _sealed(self, one: Staged) -> intents.Put:
        with contextlib.suppress(errors.NoSuchKey):
            self._find(one.url)  # a name the file system does not take must come to light now
        return intents.Put(one.path.name, one.url, unhashed(seal(one.path), one.content_type))

    def staged_file(self, name: str) -> Path:
        return self.temporary / name

    def replace(
        self, url: ObjectUrl, staged: Path, version: Version, precondition: Precondition | None = None
    ) -> ObjectInfo:
        """Give a sealed temporary file its key. Readers see the old object or the new one."""
        with self._lock(url):
            if precondition is not None:
                precondition(self._present(url))
            old = None
            with contextlib.suppress(errors.NoSuchKey, errors.NoSuchBucket):
                old = self._find(url)[1]
            status = staged.stat()
            if version != unhashed(status):  # which it would be taken for anyway
                self._sidecars.announce(url, version, old)
            self._move(url, staged)
        return _info(url, status, version)

    def written_ns(self, url: ObjectUrl) -> int | None:
        """When the object's present version was written; None when there is no object."""
        with contextlib.suppress(errors.NoSuchKey, errors.NoSuchBucket):
            return self._find(url)[1].st_mtime_ns
        return None

    def _present(self, url: ObjectUrl) -> ObjectInfo | None:
        with contextlib.suppress(errors.NoSuchKey, errors.NoSuchBucket):
            status = self._find(url)[1]
            return _info(url, status, self._sidecars.version(url, status))
        return None

    # Names

    def _move(self, url: ObjectUrl, staged: Path) -> None:
        plain, aside = self._plain_path(url), self._coded_path(url)
        if plain is not None and not plain.is_symlink():
            # the key's path may be a folder, or lead through an object
            with contextlib.suppress(FileExistsError, IsADirectoryError, NotADirectoryError):
                replace_durably(staged, plain)
                aside.unlink(missing_ok=True)
                return
        replace_durably(staged, aside)

    def _plain_path(self, url: ObjectUrl) -> Path | None:
        """The key as a path if it can be one at present: no step on the way is a file or a link."""
        if not is_plain(url.key):
            return None
        path = f"{self.root}/{url.bucket}"
        *folders, name = url.key.split("/")
        for folder in folders:
            path = f"{path}/{folder}"
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if not stat.S_ISDIR(os.lstat(path).st_mode):
                    return None
        return Path(f"{path}/{name}")

    def _coded_path(self, url: ObjectUrl) -> Path:
        return Path(self._coded, url.bucket, *coded(url.key))

    def _find(self, url: ObjectUrl) -> tuple[Path, os.stat_result]:
        self.need_bucket(url.bucket)
        for path in (self._plain_path(url), self._coded_path(url)):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                if path is not None and stat.S_ISREG((status := path.lstat()).st_mode):
                    return path, status
        raise no_such_key(url)

    def _open(self, url: ObjectUrl) -> BinaryIO:
        # a link or a pipe put there since it was found must neither be followed nor wait for a writer
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        while True:
            path, _ = self._find(url)
            with contextlib.suppress(FileNotFoundError):  # moved or deleted since; look again
                return open(path, "rb", opener=lambda name, _: os.open(name, flags))

    def need_bucket(self, bucket: str, create: bool = False) -> None:
        """NoSuchBucket when it does not exist and is not made for whoever writes to it."""
        if self.exists(bucket):
            return
        if not (create and self._auto_create):
            raise no_such_bucket(bucket)
        self.create_bucket(bucket)

    def _lock(self, url: ObjectUrl) -> threading.RLock:
        return self._locks[hash(url) % _STRIPES]


def _info(url: ObjectUrl, status: os.stat_result, version: Version | None) -> ObjectInfo:
    version = version or unhashed(status)
    modified = datetime.fromtimestamp(status.st_mtime, UTC)
    return ObjectInfo(url, status.st_size, modified, version.etag, version.about)
