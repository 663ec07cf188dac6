"""DeleteObject and DeleteObjects."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import conditions
from restframe.aws.s3.requests import check_key, check_version, object_url, operation, said, storage
from restframe.storage import ObjectUrl

_MOST = 1000
_AT_ONCE = 8  # each waits for the disk


@operation("DeleteObject")
def delete_object(request: Input, call: Call) -> None:
    """Remove an object; nothing happens when there is none. If-Match is honoured.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
    """
    storage(call).delete(object_url(request), conditions.for_change(request))


@operation("DeleteObjects", waits=True)
def delete_objects(request: Input, call: Call) -> Output:
    """Remove up to 1,000 objects, each on its own: what went wrong with one is said beside the others.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
    """
    bucket, listed = request["Bucket"], request["Delete"]["Objects"]
    if not 1 <= len(listed) <= _MOST:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message, 400)
    if not storage(call).bucket_exists(bucket):
        raise errors.NoSuchBucket(bucket)
    with ThreadPoolExecutor(min(_AT_ONCE, len(listed)), "restframe-delete") as pool:
        outcomes = list(pool.map(lambda one: _delete(bucket, one, call), listed))
    quiet = request["Delete"].get("Quiet", False)
    return {
        "Deleted": [] if quiet else [outcome for outcome in outcomes if "Code" not in outcome],
        "Errors": [outcome for outcome in outcomes if "Code" in outcome],
    }


def _delete(bucket: str, identifier: Input, call: Call) -> dict[str, Any]:
    named = {name: identifier[name] for name in ("Key", "VersionId") if name in identifier}
    try:
        _check(identifier)
        condition = conditions.for_change({"Key": identifier["Key"], "IfMatch": identifier.get("ETag")})
        storage(call).delete(ObjectUrl(bucket, identifier["Key"]), condition)
    except errors.Error as error:
        failure = said(error, identifier)
    except AwsError as error:
        failure = error
    else:
        return named
    return {**named, "Code": failure.code, "Message": failure.message}


def _check(identifier: Input) -> None:
    if not identifier["Key"]:
        raise AwsError("UserKeyMustBeSpecified", "A key must be specified for each object.", 400)
    if "LastModifiedTime" in identifier or "Size" in identifier:
        raise AwsError("NotImplemented", "Only the ETag of an object can be compared before it is deleted.", 501)
    check_key(identifier["Key"])
    check_version(identifier)
