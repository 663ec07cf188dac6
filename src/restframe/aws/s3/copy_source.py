"""`x-amz-copy-source`: which object is to be copied."""

from __future__ import annotations

from urllib.parse import unquote

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input
from restframe.aws.s3 import conditions, ranges
from restframe.aws.s3.objects import MAX_PUT_BYTES
from restframe.aws.s3.requests import check_bucket, check_key, check_version, invalid_argument, storage
from restframe.storage import ObjectInfo, ObjectUrl, OpenObject
from restframe.storage.urls import shown

_HEADER = "x-amz-copy-source"
_VERSION = "?versionId="


def source_url(request: Input) -> ObjectUrl:
    """Bucket and key, percent-encoded, with or without a slash in front and a version behind."""
    text: str = request["CopySource"]
    path, _, version = text.partition(_VERSION)
    try:
        path = unquote(path, errors="strict")
    except UnicodeDecodeError as error:
        raise invalid_argument("Copy Source is not valid UTF-8", _HEADER, text) from error
    bucket, _, key = path.removeprefix("/").partition("/")
    if not bucket or not key:
        message = "Copy Source must mention the source bucket and key: sourcebucket/sourcekey"
        raise invalid_argument(message, _HEADER, text)
    check_bucket(bucket)
    check_key(key)
    check_version({"Key": key, "VersionId": version or "null"})
    return ObjectUrl(bucket, key)


def opened(request: Input, call: Call) -> OpenObject:
    """The bytes of the source, or of CopySourceRange of it, and what is known of the version they are of.

    The conditions are those of that very version: one that is replaced meanwhile is looked at again. InvalidRequest
    beyond 5 GB.
    """
    url = source_url(request)
    try:
        info = storage(call).head(url)
        while True:
            conditions.check_source(request, info)
            found = storage(call).open(url, *_span(request, info))
            if found.info == info:
                return found
            found.stream.close()
            info = found.info
    except errors.NoSuchBucket as error:
        message = "The specified bucket does not exist"
        raise AwsError("NoSuchBucket", message, 404, BucketName=url.bucket) from error
    except errors.NoSuchKey as error:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=shown(url.key, 1024)) from error


def _span(request: Input, info: ObjectInfo) -> tuple[int, int]:
    span = ranges.of_source(request.get("CopySourceRange"), info)
    if span.size_bytes > MAX_PUT_BYTES:
        message = (
            f"The specified copy source is larger than the maximum allowable size for a copy source: {MAX_PUT_BYTES}"
        )
        raise AwsError("InvalidRequest", message, 400)
    return span.start, span.end
