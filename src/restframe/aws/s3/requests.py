"""What every operation of S3 begins with, and how our errors are said there."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from restframe import errors
from restframe.aws import tokens
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Function, Input, Operations, Output
from restframe.storage import ObjectUrl, Storage, check_bucket_name
from restframe.storage.urls import MAX_KEY_BYTES, shown

# Members whose effect we have not got: better refused than forgotten.
_NOT_IMPLEMENTED = {
    "SSECustomerAlgorithm": "x-amz-server-side-encryption-customer-algorithm",
    "SSECustomerKey": "x-amz-server-side-encryption-customer-key",
    "CopySourceSSECustomerAlgorithm": "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "CopySourceSSECustomerKey": "x-amz-copy-source-server-side-encryption-customer-key",
    "WriteOffsetBytes": "x-amz-write-offset-bytes",
    "MFA": "x-amz-mfa",
    "IfMatchLastModifiedTime": "x-amz-if-match-last-modified-time",
    "IfMatchSize": "x-amz-if-match-size",
    "ObjectLockMode": "x-amz-object-lock-mode",
    "ObjectLockRetainUntilDate": "x-amz-object-lock-retain-until-date",
    "ObjectLockLegalHoldStatus": "x-amz-object-lock-legal-hold",
    "ObjectLockEnabledForBucket": "x-amz-bucket-object-lock-enabled",
}
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
# What the owner has anyway; everything else a bucket without access control lists refuses, as Amazon's new ones do.
_OWNERS_ACLS = (None, "private", "bucket-owner-full-control", "bucket-owner-read")


class S3Operations(Operations):
    """Checks names, owner and what we have not got before an operation, and translates errors with their members."""

    def __init__(self) -> None:
        super().__init__("s3", general="InvalidRequest")

    def __call__(self, name: str, *, waits: bool | Callable[[Input], bool] = False) -> Callable[[Function], Function]:
        register = super().__call__(name, waits=waits)

        def checked(function: Function) -> Function:
            @functools.wraps(function)
            def answer(request: Input, call: Call) -> Output | None:
                _check(request, call)
                try:
                    return function(request, call)
                except errors.Error as error:
                    raise said(error, request) from error

            return register(answer)

        return checked

    def translate(self, error: errors.Error) -> AwsError:
        return said(error, {})


operation = S3Operations()


def object_url(request: Input) -> ObjectUrl:
    return ObjectUrl(request["Bucket"], request["Key"])


def storage(call: Call) -> Storage:
    return call.backend.warehouse.storage


def owner(call: Call) -> dict[str, str]:
    """The one owner of all buckets; S3 knows accounts by 64 hexadecimal digits."""
    account = call.caller.account
    return {"ID": hashlib.sha256(account.encode()).hexdigest(), "DisplayName": account}


def own_bucket(request: Input, call: Call) -> str:
    """The bucket, when it exists and is kept by ourselves."""
    bucket: str = request["Bucket"]
    if not storage(call).is_own(bucket):
        raise not_implemented(f"bucket {bucket} belongs to another S3 service")
    storage(call).own.need_bucket(bucket)
    return bucket


def quoted(etag: str) -> str:
    return f'"{etag}"'


def seconds(moment: datetime) -> datetime:
    """A time as S3 says it, in headers and in bodies."""
    return moment.replace(microsecond=0)


def continued(request: Input) -> str:
    """The key or bucket behind which a listing goes on, by its ContinuationToken; nothing when there is none."""
    token = request.get("ContinuationToken")
    try:
        return "" if token is None else str(*tokens.read(token, str))
    except ValueError as error:
        message = "The continuation token provided is incorrect"
        raise AwsError("InvalidArgument", message, 400, ArgumentName="continuation-token") from error


def not_implemented(what: str) -> AwsError:
    message = f"A header you provided implies functionality that is not implemented: {what}"
    return AwsError("NotImplemented", message, 501)


def invalid_argument(message: str, name: str, value: object) -> AwsError:
    return AwsError("InvalidArgument", message, 400, ArgumentName=name, ArgumentValue=shown(str(value)))


def _check(request: Input, call: Call) -> None:
    for member, header in _NOT_IMPLEMENTED.items():
        if request.get(member):
            raise not_implemented(header)
    if request.get("ACL") not in _OWNERS_ACLS or any(member in request for member in _GRANTS):
        raise AwsError("AccessControlListNotSupported", "The bucket does not allow ACLs", 400)
    for member in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner"):
        if request.get(member, call.caller.account) != call.caller.account:
            raise AwsError("AccessDenied", "Access Denied", 403)
    if "Bucket" in request:
        check_bucket(request["Bucket"])
    if "Key" in request:
        check_key(request["Key"])
    check_version(request)


def check_bucket(bucket: str) -> None:
    try:
        check_bucket_name(bucket)
    except errors.InvalidParameterValue as error:
        message = "The specified bucket is not valid."
        raise AwsError("InvalidBucketName", message, 400, BucketName=shown(bucket)) from error


def check_key(key: str) -> None:
    size_bytes = len(key.encode())
    if size_bytes > MAX_KEY_BYTES:
        message = "Your key is too long"
        raise AwsError("KeyTooLongError", message, 400, Size=size_bytes, MaxSizeAllowed=MAX_KEY_BYTES)


def check_version(identifier: Input) -> None:
    """Without versioning an object has one version, called null."""
    if identifier.get("VersionId", "null") not in ("null", ""):
        members = {"Key": identifier.get("Key"), "VersionId": shown(identifier["VersionId"])}
        raise AwsError("NoSuchVersion", "The specified version does not exist.", 404, **members)


_UPLOAD = (
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
    "completed."
)
# What can be said in the words of S3: code, message, status, and the request's members that belong to it
_SAID: dict[type[errors.Error], tuple[str, str, int, dict[str, str]]] = {
    errors.NoSuchBucket: ("NoSuchBucket", "The specified bucket does not exist", 404, {"BucketName": "Bucket"}),
    errors.NoSuchKey: ("NoSuchKey", "The specified key does not exist.", 404, {"Key": "Key"}),
    errors.NoSuchUpload: ("NoSuchUpload", _UPLOAD, 404, {"UploadId": "UploadId"}),
    errors.ObjectInUse: (
        "BucketNotEmpty",
        "The bucket you tried to delete is not empty",
        409,
        {"BucketName": "Bucket"},
    ),
    errors.StorageAccessDenied: ("AccessDenied", "Access Denied", 403, {}),
}


def said(error: errors.Error, request: Input) -> AwsError:
    """An error of the store as S3 says it."""
    for kind, (code, message, status, named) in _SAID.items():
        if isinstance(error, kind):
            members: dict[str, Any] = {
                member: shown(str(request[source]), MAX_KEY_BYTES)
                for member, source in named.items()
                if source in request
            }
            return AwsError(code, message, status, **members)
    if isinstance(error, errors.DiskFull):
        # S3 has no such code. 507 is none of those that clients take for a reason to try again.
        message = "The server's disk is full. Nothing was changed; trying again will not help before space is made."
        return AwsError("InsufficientStorage", message, 507)
    if isinstance(error, errors.NotSupportedError):
        return not_implemented(error.message)
    if isinstance(error, errors.OperationalError | errors.InternalError):
        return AwsError("InternalError", error.message, 500)
    return AwsError("InvalidRequest", error.message, 400)
