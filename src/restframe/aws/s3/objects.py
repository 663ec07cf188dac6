"""Objects in one piece: PutObject, GetObject, HeadObject, GetObjectAttributes."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.http import Body
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import conditions, descriptions, ranges
from restframe.aws.s3.requests import object_url, operation, quoted, seconds, storage
from restframe.storage import About, ObjectInfo, ObjectUrl, OpenObject
from restframe.storage.objects import Describe, Precondition, Source

MAX_PUT_BYTES = 5 << 30
_PIECE_BYTES = 256 << 10


@operation("PutObject", waits=True)
def put_object(request: Input, call: Call) -> Output:
    """Store the body under the key: whole, or not at all. Readers see the old object until then.

    If-Match and If-None-Match: `*` are compared when the body is there, and before it is read. The checksums the
    client sent are kept. ServerSideEncryption and RequestPayer are accepted without effect. MissingContentLength,
    EntityTooLarge, MetadataTooLarge, PreconditionFailed, and what the body says is wrong with itself.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
    """
    url = object_url(request)
    body = sized_body(request)
    known = descriptions.about(request)
    condition = conditions.for_change(request)
    check_early(url, condition, call)
    info = store(url, source(body), lambda _: dataclasses.replace(known, checksums=checksums_of(body)), condition, call)
    return {"ETag": quoted(info.etag), **descriptions.checksums(info.about)}


def store(url: ObjectUrl, data: Source, describe: Describe, condition: Precondition | None, call: Call) -> ObjectInfo:
    """Put; another S3 service wants to know before the bytes what belongs to them."""
    about: About | Describe = describe if storage(call).is_own(url.bucket) else describe("")
    return storage(call).put(url, data, about=about, precondition=condition)


def check_early(url: ObjectUrl, condition: Precondition | None, call: Call) -> None:
    """Refuse before the bytes are read what would be refused behind them."""
    if condition is not None:
        present = None
        with contextlib.suppress(errors.NoSuchBucket, errors.NoSuchKey):
            present = storage(call).head(url)
        condition(present)


def sized_body(request: Input) -> Body | bytes:
    """The body of a request, which must have said how long it is."""
    body: Body | bytes = request.get("Body", b"")
    length = len(body) if isinstance(body, bytes) else body.length
    if length is None:
        raise AwsError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
    if length > MAX_PUT_BYTES:
        message = "Your proposed upload exceeds the maximum allowed size"
        raise AwsError("EntityTooLarge", message, 400, ProposedSize=length, MaxSizeAllowed=MAX_PUT_BYTES)
    return body


def source(body: Body | bytes) -> Source:
    return body if isinstance(body, bytes) else iter(lambda: body.read(_PIECE_BYTES), b"")


def checksums_of(body: Body | bytes) -> dict[str, str]:
    """Of a body read to its end."""
    return {} if isinstance(body, bytes) else dict(body.checksums)


@operation("GetObject")
def get_object(request: Input, call: Call) -> Output:
    """An object or a range of it; a replaced object is read on to its end.

    Range, PartNumber, conditions, and response-* overrides. Checksums only with ChecksumMode and for all bytes.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
    """
    url = object_url(request)
    info = storage(call).head(url)
    while True:
        conditions.check_read(request, info)
        span = ranges.asked(request, info)
        found = storage(call).open(url, *((span.start, span.end) if span else ()))
        if found.info == info:
            return {"Body": _body(found, span), **_members(request, info, span)}
        found.stream.close()  # replaced since, and the range may be another
        info = found.info


@operation("HeadObject")
def head_object(request: Input, call: Call) -> Output:
    """What GetObject would say, without the bytes.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    """
    info = storage(call).head(object_url(request))
    conditions.check_read(request, info)
    return _members(request, info, ranges.asked(request, info))


def _members(request: Input, info: ObjectInfo, span: ranges.Span | None) -> dict[str, Any]:
    whole = span is None or span.size_bytes == info.size_bytes
    return {
        **descriptions.described(info, request, whole),
        "ContentLength": info.size_bytes if span is None else span.size_bytes,
        "ContentRange": None if span is None else span.content_range(info),
    }


def _body(found: OpenObject, span: ranges.Span | None) -> bytes | Pieces:
    size_bytes = found.info.size_bytes if span is None else span.size_bytes
    if size_bytes > _PIECE_BYTES:
        return Pieces(found)
    with found:  # one piece, which is sent without another thread
        return found.stream.read()


class Pieces(Iterator[bytes]):
    """The bytes of an open object, which `close` closes."""

    def __init__(self, found: OpenObject) -> None:
        self._stream = found.stream

    def __next__(self) -> bytes:
        piece = self._stream.read(_PIECE_BYTES)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        self._stream.close()


@operation("GetObjectAttributes")
def get_object_attributes(request: Input, call: Call) -> Output:
    """Those of ETag, Checksum, ObjectParts, StorageClass and ObjectSize that are asked for.

    The parts themselves are listed for an object with checksums of its parts only, as S3 does.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html
    """
    info = storage(call).head(object_url(request))
    values = {
        "ETag": info.etag,
        "Checksum": descriptions.checksums(info.about) or None,
        "ObjectParts": _parts(request, info.about),
        "StorageClass": descriptions.storage_class(info.about),
        "ObjectSize": info.size_bytes,
    }
    wanted = {name: values.get(name) for name in request["ObjectAttributes"]}
    return {"LastModified": seconds(info.modified), **wanted}


def _parts(request: Input, about: About) -> dict[str, Any] | None:
    if not about.parts:
        return None
    total = len(about.parts)
    if not about.checksums or not any(part.checksum for part in about.parts):
        return {"TotalPartsCount": total}
    first = int(request.get("PartNumberMarker", 0))
    most = max(0, min(1000, int(request.get("MaxParts", 1000))))
    member = descriptions.checksum_member(next(iter(about.checksums)))
    listed = [
        {"PartNumber": number, "Size": part.size_bytes, member: part.checksum}
        for number, part in list(enumerate(about.parts, 1))[first : first + most]
    ]
    return {
        "TotalPartsCount": total,
        "PartNumberMarker": first,
        "NextPartNumberMarker": first + len(listed),
        "MaxParts": most,
        "IsTruncated": first + len(listed) < total,
        "Parts": listed,
    }
