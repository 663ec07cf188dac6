"""Conditional requests.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html, RFC 9110 section 13.2.2
"""

from __future__ import annotations

from restframe.aws.errors import AwsError
from restframe.aws.operation import Input
from restframe.aws.s3.requests import not_implemented, quoted, seconds
from restframe.storage import ObjectInfo
from restframe.storage.objects import Precondition


def check_read(request: Input, info: ObjectInfo) -> None:
    """412 or 304 unless the conditions of a GET or HEAD hold.

    An ETag goes before a date: If-Unmodified-Since counts without If-Match only, If-Modified-Since without
    If-None-Match only.
    """
    failed = _failed(request, info, "")
    if failed in ("If-Match", "If-Unmodified-Since"):
        raise _precondition_failed(failed)
    if failed is not None:
        members = {"ETag": quoted(info.etag), "LastModified": info.modified}
        raise AwsError("NotModified", "Not Modified", 304, **members)


def check_source(request: Input, info: ObjectInfo) -> None:
    """412 unless the conditions on the source of a copy hold."""
    failed = _failed(request, info, "CopySource")
    if failed is not None:
        raise _precondition_failed("x-amz-copy-source-" + failed)


def for_change(request: Input) -> Precondition | None:
    """What must hold when an object is replaced or deleted; None when nothing was asked for."""
    if_match, if_none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    if if_match is None and if_none_match is None:
        return None
    if if_none_match not in (None, "*"):
        raise not_implemented("If-None-Match with another value than *")

    def check(info: ObjectInfo | None) -> None:
        if if_none_match is not None and info is not None:
            raise _precondition_failed("If-None-Match")
        if if_match is not None and info is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=request["Key"])
        if if_match is not None and info is not None and not _matches(if_match, info.etag):
            raise _precondition_failed("If-Match")

    return check


def _failed(request: Input, info: ObjectInfo, prefix: str) -> str | None:
    """The first condition that does not hold."""
    if_match, if_none_match = request.get(prefix + "IfMatch"), request.get(prefix + "IfNoneMatch")
    unmodified_since = request.get(prefix + "IfUnmodifiedSince")
    modified_since = request.get(prefix + "IfModifiedSince")
    if if_match is not None:
        if not _matches(if_match, info.etag):
            return "If-Match"
    elif unmodified_since is not None and seconds(info.modified) > unmodified_since:
        return "If-Unmodified-Since"
    if if_none_match is not None:
        if _matches(if_none_match, info.etag):
            return "If-None-Match"
    elif modified_since is not None and seconds(info.modified) <= modified_since:
        return "If-Modified-Since"
    return None


def _matches(condition: str, etag: str) -> bool:
    listed = (one.strip().removeprefix("W/").strip('"') for one in condition.split(","))
    return any(one in ("*", etag) for one in listed)


def _precondition_failed(condition: str) -> AwsError:
    message = "At least one of the pre-conditions you specified did not hold"
    return AwsError("PreconditionFailed", message, 412, Condition=condition)
