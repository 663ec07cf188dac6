"""CopyObject."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import BinaryIO

from restframe.aws import checksums
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import conditions, copy_source, descriptions
from restframe.aws.s3.objects import check_early, store
from restframe.aws.s3.requests import object_url, operation, quoted, seconds
from restframe.storage import About, ObjectInfo

_PIECE_BYTES = 1 << 20
# What a copy of an object to itself must change at least one of
_CHANGES = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "ChecksumAlgorithm")


@operation("CopyObject", waits=True)
def copy_object(request: Input, call: Call) -> Output:
    """Copy up to 5 GB within or between buckets, with what is kept with the bytes or with something else.

    The copy has one part, and checksums over all of its bytes. InvalidRequest for a copy of an object to itself that
    changes nothing; PreconditionFailed for conditions on the source or the target.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
    """
    url = object_url(request)
    replaces = request.get("MetadataDirective") == "REPLACE"
    changes = replaces or any(request.get(member) for member in _CHANGES)
    if copy_source.source_url(request) == url and not changes:
        message = (
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes."
        )
        raise AwsError("InvalidRequest", message, 400)
    condition = conditions.for_change(request)
    check_early(url, condition, call)
    with copy_source.opened(request, call) as found:
        known = _about(request, found.info)
        hashed = Hashed(found.stream, _algorithms(request, found.info.about))
        copied = store(url, hashed, lambda _: dataclasses.replace(known, checksums=hashed.checksums()), condition, call)
    result = {
        "ETag": quoted(copied.etag),
        "LastModified": seconds(copied.modified),
        **descriptions.checksums(copied.about),
    }
    return {"CopyObjectResult": result}


def _about(request: Input, info: ObjectInfo) -> About:
    given = descriptions.about(request)
    kept = dataclasses.replace(info.about, parts=(), upload="")
    tags = given.tags if request.get("TaggingDirective") == "REPLACE" else kept.tags
    if request.get("MetadataDirective") == "REPLACE":
        return dataclasses.replace(given, tags=tags)
    # the storage class is the request's in any case, and where to redirect to is not copied
    own = {
        header: given.headers.get(header, "") for header in ("x-amz-storage-class", "x-amz-website-redirect-location")
    }
    headers = {header: value for header, value in {**kept.headers, **own}.items() if value}
    return dataclasses.replace(kept, headers=headers, tags=tags)


def _algorithms(request: Input, about: About) -> tuple[str, ...]:
    """Those of the source, unless another is asked for."""
    asked = request.get("ChecksumAlgorithm", "").lower()
    return (asked,) if asked else tuple(about.checksums)


class Hashed(Iterator[bytes]):
    """The pieces of a stream; at their end their checksums."""

    def __init__(self, stream: BinaryIO, algorithms: tuple[str, ...]) -> None:
        self._stream = stream
        self._hashers = {algorithm: checksums.new(algorithm) for algorithm in algorithms}

    def __next__(self) -> bytes:
        piece = self._stream.read(_PIECE_BYTES)
        if not piece:
            raise StopIteration
        for hasher in self._hashers.values():
            hasher.update(piece)
        return piece

    def checksums(self) -> dict[str, str]:
        """In base64 by algorithm."""
        return {algorithm: checksums.encoded(hasher) for algorithm, hasher in self._hashers.items()}
