"""What a store knows about an object, and what every store can do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from restframe import errors
from restframe.storage.urls import ObjectUrl, shown

DEFAULT_CONTENT_TYPE = "binary/octet-stream"  # what S3 says when nothing was said

# Bytes to store: in memory, an open file read to its end, a file of ours, or pieces.
Source = bytes | BinaryIO | Path | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One version of an object.

    etag : without quotes. The MD5 of the bytes when they were put; with a hyphen in it, only a mark of the version
    metadata : the user's own, names in lower case
    """

    url: ObjectUrl
    size_bytes: int
    modified: datetime
    etag: str
    content_type: str = DEFAULT_CONTENT_TYPE
    metadata: Mapping[str, str] = field(default_factory=dict)


# Called with the version that is about to be replaced, None when there is none; raises to refuse.
Precondition = Callable[[ObjectInfo | None], None]


@dataclass(frozen=True, slots=True)
class OpenObject:
    """An object being read: the bytes of `stream` are those of `info`, whatever happens to the key meanwhile."""

    info: ObjectInfo
    stream: BinaryIO

    def __enter__(self) -> OpenObject:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()


@dataclass(frozen=True, slots=True)
class Staged:
    """A file written for an object that is not published yet."""

    url: ObjectUrl
    path: Path
    content_type: str


def discard(staged: Iterable[Staged]) -> None:
    """Throw away files that will not be published."""
    for one in staged:
        one.path.unlink(missing_ok=True)


class ObjectStore(Protocol):
    """One service that keeps buckets. Keys and bucket names are already checked."""

    def list(self, url: ObjectUrl, after: str) -> Iterator[ObjectInfo]: ...

    def head(self, url: ObjectUrl) -> ObjectInfo: ...

    def open(self, url: ObjectUrl, start: int, end: int | None) -> OpenObject: ...

    def put(
        self,
        url: ObjectUrl,
        source: Source,
        content_type: str,
        metadata: Mapping[str, str],
        precondition: Precondition | None,
        etag: str | None,
    ) -> ObjectInfo: ...

    def delete(self, url: ObjectUrl) -> bool: ...

    def local_file(self, url: ObjectUrl) -> contextlib.AbstractContextManager[Path]: ...

    def stage(self, url: ObjectUrl, content_type: str) -> Staged: ...

    def publish(self, staged: Sequence[Staged], deleted: Sequence[ObjectUrl]) -> None:
        """Takes the staged files, whether it succeeds or not."""
        ...

    def exists(self, bucket: str) -> bool: ...

    def create_bucket(self, bucket: str) -> bool: ...

    def delete_bucket(self, bucket: str) -> None: ...


@contextlib.contextmanager
def translated(url: ObjectUrl | str) -> Iterator[None]:
    """Errors of the operating system as ours, with the object's name instead of a path of the server."""
    try:
        yield
    except OSError as error:
        name = shown(str(url))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise errors.DiskFull(f'no space left for "{name}"') from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise errors.StorageAccessDenied(f'access to "{name}" was denied') from error
        raise errors.StorageError(f'"{name}": {error.strerror or type(error).__name__}') from error


def no_such_key(url: ObjectUrl) -> errors.NoSuchKey:
    return errors.NoSuchKey(f'object "{shown(str(url), 200)}" does not exist')


def no_such_bucket(bucket: str) -> errors.NoSuchBucket:
    return errors.NoSuchBucket(f'bucket "{shown(bucket)}" does not exist')


CHUNK_BYTES = 1 << 20


def chunks(source: Source) -> Iterator[bytes]:
    """The bytes of a source in pieces that fit in memory."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield bytes(source)
    elif isinstance(source, Path):
        with source.open("rb") as file:
            yield from chunks(file)
    elif hasattr(source, "read"):
        while piece := source.read(CHUNK_BYTES):
            yield piece
    else:
        yield from source
