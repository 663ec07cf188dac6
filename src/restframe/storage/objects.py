"""What a store knows about an object, and what every store can do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from restframe import errors
from restframe.storage.urls import ObjectUrl, shown

DEFAULT_CONTENT_TYPE = "binary/octet-stream"  # what S3 says when nothing was said

# Bytes to store: in memory, an open file read to its end, a file of ours, or pieces.
Source = bytes | BinaryIO | Path | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts that an object was uploaded in; `checksum` in base64, empty when it has none."""

    size_bytes: int
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What is kept with an object's bytes.

    metadata : the user's own, names in lower case
    headers : further ones that belong to the object, names in lower case: `cache-control`, `expires`
    checksums : in base64 by algorithm, `crc32`; one that ends in `-<number>` is over the checksums of so many parts
    parts : what it was uploaded in, in order; none for an object put in one piece
    upload : the multipart upload that made it
    """

    content_type: str = DEFAULT_CONTENT_TYPE
    metadata: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    checksums: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    upload: str = ""

    def to_json(self) -> dict[str, Any]:
        """Without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> About:
        parts = tuple(Part(**one) for one in raw.get("parts", ()))
        return cls(**{**raw, "parts": parts})


# Called with the MD5 of the bytes when all of them are there; raises to store nothing.
Describe = Callable[[str], About]


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One version of an object.

    etag : without quotes. The MD5 of the bytes when they were put; with a hyphen in it, only a mark of the version
    """

    url: ObjectUrl
    size_bytes: int
    modified: datetime
    etag: str
    about: About = field(default_factory=About)


# Called with the version that is about to be replaced or deleted, None when there is none; raises to refuse.
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

    def browse(self, url: ObjectUrl, after: str, delimiter: str) -> Iterator[ObjectInfo | str]: ...

    def head(self, url: ObjectUrl) -> ObjectInfo: ...

    def open(self, url: ObjectUrl, start: int, end: int | None) -> OpenObject: ...

    def put(
        self,
        url: ObjectUrl,
        source: Source,
        about: About | Describe,
        precondition: Precondition | None,
        etag: str | None,
    ) -> ObjectInfo: ...

    def describe(self, url: ObjectUrl, change: Callable[[ObjectInfo], About]) -> ObjectInfo: ...

    def delete(self, url: ObjectUrl, precondition: Precondition | None = None) -> bool: ...

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
