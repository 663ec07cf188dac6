"""All buckets a warehouse can reach, by URL: its own, and those of other S3 services."""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from restframe import errors
from restframe.settings import S3Endpoint, Settings
from restframe.storage.directory import DirectoryStore
from restframe.storage.objects import (
    DEFAULT_CONTENT_TYPE,
    About,
    Describe,
    ObjectInfo,
    ObjectStore,
    OpenObject,
    Precondition,
    Source,
    Staged,
    discard,
    translated,
)
from restframe.storage.urls import ObjectUrl, check_bucket_name, check_key


class Storage:
    """Every operation raises NoSuchBucket, NoSuchKey, StorageAccessDenied, DiskFull or another StorageError.

    Objects of our own store are read where they lie. Usable from any thread.
    """

    def __init__(self, settings: Settings) -> None:
        self.own = DirectoryStore(settings.buckets, settings.auto_create_buckets)
        self._spool = settings.spool
        self._endpoints = settings.s3_endpoints
        self._roles = settings.iam_roles
        self._remote: dict[S3Endpoint, ObjectStore] = {}

    def recover(self) -> None:
        """Finish or drop what a crash interrupted.

        To be called once by whoever opens the warehouse, before anybody reads or writes.
        """
        self.own.recover()

    # Who reaches what

    def check_reach(self, iam_role: str, url: ObjectUrl) -> None:
        """StorageAccessDenied when a statement that names this role, or chain of roles, may not touch the bucket.

        Every role reaches every bucket while the settings describe none. Of a chain, the last role counts.
        """
        name = iam_role.rpartition(",")[2].strip()
        buckets = [one for role in self._roles if role.role == name for one in role.buckets]
        if self._roles and not any(fnmatch.fnmatchcase(url.bucket, pattern) for pattern in buckets):
            raise errors.StorageAccessDenied(
                f'S3ServiceException:Access Denied,Status 403: IAM role "{name[:200]}" does not reach '
                f'bucket "{url.bucket}"',
                hint="The setting iam_roles lists the buckets of each role.",
            )

    # Objects

    def list(self, prefix: ObjectUrl, after: str = "") -> Iterator[ObjectInfo]:
        """The objects whose key begins with the prefix's and comes behind `after`, in the order of their keys.

        Streams: what is put or deleted meanwhile may or may not appear.
        """
        return self._store(prefix).list(prefix, after)

    def browse(self, prefix: ObjectUrl, delimiter: str, after: str = "") -> Iterator[ObjectInfo | str]:
        """As `list`, but keys that have the delimiter somewhere behind the prefix are rolled up.

        All that begin in the same way up to and with the first delimiter are delivered once, as that beginning. When
        `after` is such a beginning, what begins with it is passed over. In our own store, what lies in a folder that
        is rolled up is not read.
        """
        return self._store(prefix).browse(prefix, after, delimiter)

    def head(self, url: ObjectUrl) -> ObjectInfo:
        return self._store(url).head(url)

    def read(self, url: ObjectUrl, start: int = 0, end: int | None = None) -> bytes:
        """The bytes from `start` up to `end`, fewer where the object ends before."""
        with self.open(url, start, end) as found:
            return found.stream.read()

    def open(self, url: ObjectUrl, start: int = 0, end: int | None = None) -> OpenObject:
        """An object for reading piece by piece; to be closed."""
        return self._store(url).open(url, start, end)

    def local_file(self, url: ObjectUrl) -> contextlib.AbstractContextManager[Path]:
        """A path at which the object's bytes can be read until the context ends, whatever happens to the object.

        Our own objects are not copied; others are downloaded whole into the spool and checked for their size. The
        path's last part is made of letters, digits and a hyphen: no pattern, no extension.
        """
        return self._store(url).local_file(url)

    def put(
        self,
        url: ObjectUrl,
        source: Source,
        *,
        about: About | Describe | None = None,
        precondition: Precondition | None = None,
        etag: str | None = None,
    ) -> ObjectInfo:
        """Store bytes under a key. Readers see the old object until they see all of the new one; on the disk on return.

        about : what to keep with it; or, in our own store, what makes that when the bytes have been read
        precondition : called just before the new object takes its place; raises to keep the old one
        etag : instead of the MD5 of the bytes, for objects made of parts
        """
        _need_key(url)
        return self._store(url).put(url, source, about or About(), precondition, etag)

    def copy(self, source: ObjectUrl, target: ObjectUrl) -> ObjectInfo:
        """The bytes of one object and what is kept with them, to another key."""
        with self.open(source) as found:
            about = dataclasses.replace(found.info.about, parts=(), upload="")
            return self.put(target, found.stream, about=about)

    def describe(self, url: ObjectUrl, change: Callable[[ObjectInfo], About]) -> ObjectInfo:
        """Keep something else with the bytes that are there, which stay the same version."""
        return self._store(url).describe(url, change)

    def delete(self, url: ObjectUrl, precondition: Precondition | None = None) -> bool:
        """Whether there was an object, as far as the service tells."""
        return self._store(url).delete(url, precondition)

    def publish(self) -> Publication:
        """Several objects that appear together; see Publication."""
        return Publication(self._store)

    # Buckets

    def bucket_exists(self, bucket: str) -> bool:
        return self._service(bucket).exists(bucket)

    def create_bucket(self, bucket: str) -> bool:
        """Whether it is new."""
        return self._service(bucket).create_bucket(bucket)

    def delete_bucket(self, bucket: str) -> None:
        """ObjectInUse when there are objects in it."""
        self._service(bucket).delete_bucket(bucket)

    def buckets(self) -> Sequence[tuple[str, datetime]]:
        """Our own buckets, by name, with the time of their last change."""
        return self.own.buckets()

    def is_own(self, bucket: str) -> bool:
        """Whether the bucket is in our own store, where objects are files."""
        return self._service(bucket) is self.own

    def _store(self, url: ObjectUrl) -> ObjectStore:
        check_key(url.key)
        return self._service(url.bucket)

    def _service(self, bucket: str) -> ObjectStore:
        check_bucket_name(bucket)
        for endpoint in self._endpoints:
            if any(fnmatch.fnmatchcase(bucket, pattern) for pattern in endpoint.buckets):
                if endpoint not in self._remote:
                    from restframe.storage.remote import RemoteStore

                    self._remote[endpoint] = RemoteStore(endpoint, self._spool)
                return self._remote[endpoint]
        return self.own


class Publication:
    """Several objects put, and others deleted, as one step.

        with storage.publish() as publication:
            path = publication.stage(url)       # write a file there
            publication.put(manifest, b"...")
            publication.delete(old)

    Nothing is visible before the block ends without an exception; then deletions happen, and then the objects appear
    in the order in which they were staged. In our own store that is all or nothing: after kill -9 or loss of power the
    next open either finishes it or leaves no trace; when the disk fails in the very last step, it is finished then too.
    ETags are marks, not MD5s. On another S3 service, which offers
    nothing of the kind, objects are uploaded one after another, those uploaded are deleted again when one fails, and
    what was to be deleted goes last; a process killed in between leaves a part, and objects that were overwritten
    before a failure do not come back.
    """

    def __init__(self, store_of: Callable[[ObjectUrl], ObjectStore]) -> None:
        self._store_of = store_of
        self._store: ObjectStore | None = None
        self._staged: list[Staged] = []
        self._deleted: list[ObjectUrl] = []

    def stage(self, url: ObjectUrl, content_type: str = DEFAULT_CONTENT_TYPE) -> Path:
        """A path at which to write the object's bytes; the file must be closed when the block ends."""
        _need_key(url)
        staged = self._only(url).stage(url, content_type)
        self._staged.append(staged)
        return staged.path

    def put(self, url: ObjectUrl, data: bytes, content_type: str = DEFAULT_CONTENT_TYPE) -> None:
        """A small object."""
        with translated(url):
            self.stage(url, content_type).write_bytes(data)

    def delete(self, url: ObjectUrl) -> None:
        """An object that goes when the others appear; one that is also staged is replaced instead."""
        self._only(url)
        self._deleted.append(url)

    def _only(self, url: ObjectUrl) -> ObjectStore:
        store = self._store_of(url)
        if self._store not in (None, store):
            raise errors.NotSupportedError("one publication cannot span two object stores")
        self._store = store
        return store

    def __enter__(self) -> Publication:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None or self._store is None:
            discard(self._staged)
            return
        new = {staged.url for staged in self._staged}
        self._store.publish(self._staged, [url for url in self._deleted if url not in new])


def _need_key(url: ObjectUrl) -> None:
    if not url.key:
        raise errors.InvalidParameterValue(f'"{url}" names no object')
