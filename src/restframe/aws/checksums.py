"""The checksums S3 clients send with a body, in a header or after it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import Protocol

from restframe.aws.errors import AwsError
from restframe.aws.http import Headers

PREFIX = "x-amz-checksum-"
# Headers that begin like a checksum and are none.
_OTHERS = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})
_SIZES = {
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "sha512": 64,
    "xxhash3": 8,
    "xxhash64": 8,
    "xxhash128": 16,
}
ALGORITHMS = tuple(_SIZES)


class Hasher(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc:
    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


class _XxHash:
    def __init__(self, hasher: _CrtHash) -> None:
        self._hasher = hasher

    def update(self, data: bytes) -> None:
        self._hasher.update(data)

    def digest(self) -> bytes:
        return self._hasher.finalize()


class _CrtHash(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def finalize(self) -> bytes: ...


def new(algorithm: str) -> Hasher:
    """A running checksum of one of ALGORITHMS."""
    if algorithm == "crc32":
        from isal import isal_zlib

        return _Crc(isal_zlib.crc32, 4)
    if algorithm in ("md5", "sha1", "sha256", "sha512"):
        return hashlib.new(algorithm, usedforsecurity=False)
    from awscrt import checksums

    if algorithm == "crc32c":
        return _Crc(checksums.crc32c, 4)
    if algorithm == "crc64nvme":
        return _Crc(checksums.crc64nvme, 8)
    make = {"xxhash64": "new_xxhash64", "xxhash3": "new_xxhash3_64", "xxhash128": "new_xxhash3_128"}[algorithm]
    return _XxHash(getattr(checksums.XXHash, make)())


def encoded(hasher: Hasher) -> str:
    return base64.b64encode(hasher.digest()).decode()


def in_headers(headers: Headers) -> dict[str, str]:
    """The checksum of the body that stands in the headers, in base64 by algorithm; at most one."""
    found = {
        name.removeprefix(PREFIX): value for name, value in headers if name.startswith(PREFIX) and name not in _OTHERS
    }
    if len(found) > 1:
        raise AwsError(
            "InvalidRequest",
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            400,
        )
    for algorithm, value in found.items():
        check_form(algorithm, value)
    return found


def check_form(algorithm: str, value: str, kind: str = "header") -> None:
    """AwsError unless the value can be a checksum of this algorithm."""
    size = _SIZES.get(algorithm)
    if size is None:
        listed = ", ".join(ALGORITHMS)
        raise AwsError(
            "InvalidRequest", f"The checksum algorithm {algorithm[:40]!r} is none of those supported: {listed}.", 400
        )
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != size:
        raise AwsError("InvalidRequest", f"Value for {PREFIX}{algorithm} {kind} is invalid.", 400)


def content_md5(headers: Headers) -> bytes | None:
    text = headers.get("content-md5")
    if not text:
        return None
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != 16:
        raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400)
    return digest


def promised(headers: Headers) -> tuple[str, ...]:
    """The names of the trailers that will follow the body; checksums only."""
    names = tuple(name.strip().lower() for name in headers.get("x-amz-trailer").split(",") if name.strip())
    for name in names:
        if not name.startswith(PREFIX) or name.removeprefix(PREFIX) not in _SIZES:
            raise AwsError("InvalidRequest", "The value specified in the x-amz-trailer header is not supported", 400)
    if len(names) > 1:
        raise AwsError("InvalidRequest", "Expecting a single x-amz-checksum- trailer.", 400)
    return names


def check_announced(headers: Headers, found: Mapping[str, str], trailers: tuple[str, ...]) -> None:
    """What x-amz-sdk-checksum-algorithm says must also come."""
    algorithm = headers.get("x-amz-sdk-checksum-algorithm").lower()
    if algorithm and algorithm not in found and PREFIX + algorithm not in trailers:
        raise AwsError(
            "InvalidRequest",
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers "
            "were found.",
            400,
        )


def mismatch(algorithm: str) -> AwsError:
    return AwsError("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.", 400)
