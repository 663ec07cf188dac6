"""Buckets on other S3 services, through obstore.

Keys that obstore cannot name (an empty, `.` or `..` segment, a slash at the end) are refused; folder markers, empty
objects whose key ends in a slash, are passed over in listings. Buckets are not made or removed there.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from restframe import errors
from restframe.settings import S3Endpoint
from restframe.storage.files import new_name
from restframe.storage.keys import is_plain
from restframe.storage.objects import (
    DEFAULT_CONTENT_TYPE,
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
from restframe.storage.urls import ObjectUrl, shown
from restframe.storage.walk import rolled_up

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta
    from obstore.store import S3Store

_PART_BYTES = 8 << 20  # S3 wants at least 5 MB a part and at most 10,000 parts
_MAX_PARTS = 9_000


class RemoteStore:
    """One S3 service. `spool` receives downloads and what waits to be uploaded."""

    def __init__(self, endpoint: S3Endpoint, spool: Path) -> None:
        self._endpoint = endpoint
        self._spool = spool
        self._stores: dict[str, S3Store] = {}

    def list(self, url: ObjectUrl, after: str) -> Iterator[ObjectInfo]:
        import obstore

        # obstore lists whole folders: the rest of the prefix is compared here
        folder = url.key.rpartition("/")[0] or None
        with _translated(url):
            for page in obstore.list(self._bucket(url), folder, offset=after or None, chunk_size=1000):
                for found in page:
                    one = ObjectUrl(url.bucket, found["path"])
                    if one.key.startswith(url.key) and (found["size"] or self._is_object(one)):
                        yield _info(one, found, {})

    def browse(self, url: ObjectUrl, after: str, delimiter: str) -> Iterator[ObjectInfo | str]:
        found = ((info.url.key, info) for info in self.list(url, after))
        for key, info in rolled_up(found, url.key, delimiter, after):
            yield info or key

    def head(self, url: ObjectUrl) -> ObjectInfo:
        import obstore

        with _translated(url):
            answer = obstore.get(self._bucket(url), _path(url), options={"head": True})
            return _info(url, answer.meta, answer.attributes)

    def open(self, url: ObjectUrl, start: int, end: int | None) -> OpenObject:
        import obstore

        info = self.head(url)
        end = info.size_bytes if end is None else min(end, info.size_bytes)
        if start >= end:
            return OpenObject(info, io.BytesIO())
        options: GetOptions = {"if_match": f'"{info.etag}"'}
        if end - start < info.size_bytes:
            options["range"] = (start, end)
        with _translated(url):
            pieces = iter(obstore.get(self._bucket(url), _path(url), options=options).stream(1 << 20))
        return OpenObject(info, cast(BinaryIO, io.BufferedReader(_Pieces(url, pieces), 1 << 20)))

    @contextlib.contextmanager
    def local_file(self, url: ObjectUrl) -> Iterator[Path]:
        with translated(url):
            path = new_name(self._spool)
        try:
            with self.open(url, 0, None) as found, translated(url), path.open("wb") as file:
                for piece in chunks(found.stream):
                    file.write(piece)
            size_bytes = path.stat().st_size
            if size_bytes != found.info.size_bytes:
                raise errors.StorageError(
                    f'"{shown(str(url))}" ended after {size_bytes} of {found.info.size_bytes} bytes'
                )
            yield path
        finally:
            path.unlink(missing_ok=True)

    def put(
        self,
        url: ObjectUrl,
        source: Source,
        about: About | Describe,
        precondition: Precondition | None,
        etag: str | None,
    ) -> ObjectInfo:
        import obstore

        if precondition is not None or etag is not None or not isinstance(about, About):
            raise errors.NotSupportedError("another S3 service takes no conditions and makes its own ETags")
        attributes: Attributes = {"Content-Type": about.content_type, **about.metadata}
        part_bytes = _PART_BYTES
        if isinstance(source, Path):
            part_bytes = max(part_bytes, source.stat().st_size // _MAX_PARTS + 1)
        with _translated(url), translated(url):
            body = source if isinstance(source, (bytes, Path)) else chunks(source)
            obstore.put(self._bucket(url), _path(url), body, attributes=attributes, chunk_size=part_bytes)
        return self.head(url)

    def describe(self, url: ObjectUrl, change: Callable[[ObjectInfo], About]) -> ObjectInfo:
        raise errors.NotSupportedError("what another S3 service keeps with an object can only be put with it")

    def delete(self, url: ObjectUrl, precondition: Precondition | None = None) -> bool:
        import obstore

        if precondition is not None:
            raise errors.NotSupportedError("another S3 service takes no conditions")
        with _translated(url):
            obstore.delete(self._bucket(url), _path(url))
        return True

    def stage(self, url: ObjectUrl, content_type: str) -> Staged:
        _path(url)
        with translated(url):
            return Staged(url, new_name(self._spool), content_type)

    def publish(self, staged: Sequence[Staged], deleted: Sequence[ObjectUrl]) -> None:
        """As near to all or nothing as the protocol lets us come; see Publication."""
        uploaded = []
        try:
            for one in staged:
                uploaded.append(one.url)
                self.put(one.url, one.path, About(one.content_type), None, None)
        except BaseException:
            for url in uploaded:
                with contextlib.suppress(errors.StorageError):
                    self.delete(url)
            raise
        finally:
            discard(staged)
        for url in deleted:
            self.delete(url)

    def exists(self, bucket: str) -> bool:
        try:
            next(self.list(ObjectUrl(bucket), ""), None)
        except errors.NoSuchBucket:
            return False
        return True

    def create_bucket(self, bucket: str) -> bool:
        raise errors.NotSupportedError(f'bucket "{bucket}" belongs to another S3 service: create it there')

    def delete_bucket(self, bucket: str) -> None:
        raise errors.NotSupportedError(f'bucket "{bucket}" belongs to another S3 service: delete it there')

    def _is_object(self, url: ObjectUrl) -> bool:
        """False for a folder marker, which obstore lists without its slash."""
        try:
            self.head(url)
        except errors.NoSuchKey:
            return False
        return True

    def _bucket(self, url: ObjectUrl) -> S3Store:
        if url.bucket not in self._stores:
            self._stores[url.bucket] = _connect(self._endpoint, url.bucket)
        return self._stores[url.bucket]


def _connect(endpoint: S3Endpoint, bucket: str) -> S3Store:
    from obstore.store import S3Store

    # named even when it is Amazon's own: AWS_ENDPOINT_URL in the environment is likely to be us
    address = endpoint.endpoint or f"https://s3.{endpoint.region}.amazonaws.com"
    if endpoint.virtual_hosted_style:
        address = address.replace("://", f"://{bucket}.", 1)
    keys = {
        "access_key_id": endpoint.access_key_id,
        "secret_access_key": endpoint.secret_access_key,
        "session_token": endpoint.session_token,
    }
    return S3Store(
        bucket,
        endpoint=address,
        aws_endpoint_url_s3=address,
        region=endpoint.region,
        virtual_hosted_style_request=endpoint.virtual_hosted_style,
        # a request may last as long as its body; what hangs is found by the read timeout
        client_options={
            "allow_http": endpoint.allow_http,
            "connect_timeout": "10s",
            "read_timeout": "60s",
            "timeout": "24h",
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
        **{name: value for name, value in keys.items() if value is not None},  # type: ignore[arg-type]
    )


class _Pieces(io.RawIOBase):
    """A download as a file."""

    def __init__(self, url: ObjectUrl, pieces: Iterator[bytes]) -> None:
        self._url = url
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        if not self._rest:
            with _translated(self._url):
                self._rest = memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def _path(url: ObjectUrl) -> str:
    if not is_plain(url.key):
        raise errors.NotSupportedError(f'"{shown(str(url))}" is a key that only our own store can hold')
    return url.key


def _info(url: ObjectUrl, found: ObjectMeta, attributes: Attributes) -> ObjectInfo:
    modified: datetime = found["last_modified"]
    user = {name: value for name, value in attributes.items() if not name[:1].isupper()}
    content_type = attributes.get("Content-Type", DEFAULT_CONTENT_TYPE)
    return ObjectInfo(url, found["size"], modified, (found["e_tag"] or "").strip('"'), About(content_type, user))


@contextlib.contextmanager
def _translated(url: ObjectUrl) -> Iterator[None]:
    """obstore's errors as ours, without the request it prints."""
    from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

    try:
        yield
    except FileNotFoundError as error:
        raise (no_such_bucket(url.bucket) if _code(error) == "NoSuchBucket" else no_such_key(url)) from error
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise errors.StorageAccessDenied(f'access to "{shown(str(url))}" was denied') from error
    except PreconditionError as error:
        raise errors.StorageError(f'"{shown(str(url))}" was replaced while it was being read') from error
    except BaseError as error:
        if _code(error) == "NoSuchBucket":
            raise no_such_bucket(url.bucket) from error
        raise errors.StorageError(f'"{shown(str(url))}": {_code(error) or _reason(error)}') from error


def _code(error: Exception) -> str | None:
    """S3's own name of the error, when the service answered with one."""
    found = re.search(r"<Code>(\w+)</Code>", str(error))
    return found and found[1]


def _reason(error: Exception) -> str:
    """The innermost of the causes, which obstore prints as one nested structure."""
    causes = re.findall(r'(?:message|error|body): "([^"]+)"', str(error))
    return shown(causes[-1] if causes else str(error).partition("\n")[0])
