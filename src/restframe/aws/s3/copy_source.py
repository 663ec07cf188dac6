"""`x-amz-copy-source`: which object is to be copied."""

from __future__ import annotations

from urllib.parse import unquote

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input
from restframe.aws.s3 import conditions
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


def head(request: Input, call: Call) -> ObjectInfo:
    """The source, when the conditions on it hold."""
    url = source_url(request)
    try:
        info = storage(call).head(url)
    except errors.NoSuchBucket as error:
        message = "The specified bucket does not exist"
        raise AwsError("NoSuchBucket", message, 404, BucketName=url.bucket) from error
    except errors.NoSuchKey as error:
        raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=shown(url.key, 1024)) from error
    conditions.check_source(request, info)
    return info


def opened(info: ObjectInfo, call: Call, start: int = 0, end: int | None = None) -> OpenObject:
    """The bytes of that very version. PreconditionFailed when it was replaced since it was looked at."""
    found = storage(call).open(info.url, start, end)
    if found.info.etag != info.etag:
        found.stream.close()
        message = "The source was replaced while it was being copied"
        raise AwsError("PreconditionFailed", message, 412, Condition="x-amz-copy-source-If-Match")
    return found
