"""The rest-xml protocol, which of ours only S3 speaks, and what S3 does in its own way.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel, Shape, StructureShape

from restframe.aws.errors import AwsError
from restframe.aws.http import HttpRequest, HttpResponse
from restframe.aws.wire import values, xml
from restframe.aws.wire.rest import Rest
from restframe.aws.wire.routing import Found
from restframe.aws.wire.validation import Violation
from restframe.aws.wire.values import Unreadable

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
# What S3 calls the root of an answer where the description calls it otherwise. botocore's clients do not look at it.
_ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CreateSession": "CreateSessionResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycle": "LifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListParts": "ListPartsResult",
}
_AMAZON = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?")
_ADDRESS = re.compile(r"[0-9.]+|\[.*\]")
_OUR_HOSTS = tuple(filter(None, ("localhost", socket.gethostname().lower())))


class RestXml(Rest):
    content_type = "application/xml"
    unreadable_address = "InvalidURI"

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        # a warehouse may stand in a region of any name
        description["shapes"]["BucketLocationConstraint"].pop("enum", None)
        # wants a slash between bucket and key, which clients may also have percent-encoded
        description["shapes"].get("CopySource", {}).pop("pattern", None)
        super().__init__(name, description)
        self._readers = xml.Readers()
        self._writers = xml.Writers()

    def path(self, http: HttpRequest) -> str:
        """The address with the bucket in the path, also where the client has it in the name of the host."""
        bucket = bucket_of_host(http.host)
        return f"/{bucket}{http.path}" if bucket else http.path

    def check_route(self, found: Found, http: HttpRequest) -> None:
        if found.missing:
            missing = ", ".join(found.missing)
            raise AwsError("InvalidRequest", f"Missing required header or parameter for this request: {missing}", 400)
        # what we do not know may change what a write means; a read does no harm
        strange = [key for key in found.strange if not key.lower().startswith(("x-id", "x-amz-"))]
        if strange and http.method not in ("GET", "HEAD"):
            message = f"The parameter '{values.shown(strange[0])}' implies functionality that is not implemented"
            raise AwsError("NotImplemented", message, 501)

    def read_body(self, shape: Shape, body: bytes, tag: str | None) -> dict[str, Any]:
        root = xml.load(body)
        if tag is not None and root.tag != tag:
            raise Unreadable(f"the root is '{values.shown(root.tag)}', not '{tag}'")
        members: dict[str, Any] = self._readers.read(shape, root)
        return members

    def write_body(self, operation: OperationModel, shape: Shape, value: Any) -> bytes:
        root = _ROOTS.get(operation.name, shape.serialization.get("name", shape.name))
        parts: list[str] = []
        if operation.name == "GetBucketLocation":
            # the root itself holds the text; empty for us-east-1
            parts += ["", xml.escape(value.get("LocationConstraint") or ""), f"</{root}>"]
        else:
            self._writers.write(parts, shape, root, value)
        parts[0] = f'<{root} xmlns="{_NAMESPACE}">'
        return "".join([xml.DECLARATION, *parts]).encode("utf-8", "replace")

    def respond(self, operation: OperationModel, output: Mapping[str, Any], request_id: str) -> HttpResponse:
        response = super().respond(operation, output, request_id)
        if operation.name in ("GetObject", "HeadObject") and output.get("ContentRange") is not None:
            response.status = 206
        return response

    def identifying(self, request_id: str) -> list[tuple[str, str]]:
        return [("x-amz-request-id", request_id), ("x-amz-id-2", request_id)]

    def unknown(self, http: HttpRequest) -> AwsError:
        message = "The specified method is not allowed against this resource."
        return AwsError("MethodNotAllowed", message, 405, Method=http.method, ResourceType="SERVICE")

    def unreadable(self, error: Unreadable) -> AwsError:
        return AwsError("InvalidArgument", error.message, 400)

    def unreadable_body(self, error: Unreadable) -> AwsError:
        return _malformed(error.message)

    def invalid(self, shape: StructureShape, violations: list[Violation]) -> AwsError:
        payload = shape.serialization.get("payload")
        if payload and any(violation.member == payload and violation.is_missing for violation in violations):
            return AwsError("MissingRequestBodyError", "Request Body is empty.", 400)
        message = values.detected(violations)
        if all(shape.members[violation.member].serialization.get("location") for violation in violations):
            return AwsError("InvalidArgument", message, 400)
        return _malformed(message)

    def fail(
        self, operation: OperationModel | None, error: AwsError, request_id: str, http: HttpRequest
    ) -> HttpResponse:
        """Further members of the error become elements of their own, as Key, BucketName or Condition."""
        status = self.error_status(error)
        members = {
            "Code": self.error_code(error.code),
            "Message": error.message,
            "Resource": values.shown(http.path),
            **{name: value for name, value in error.members.items() if value is not None},
            "RequestId": request_id,
            "HostId": request_id,
        }
        elements = [f"<{name}>{xml.escape(str(value))}</{name}>" for name, value in members.items()]
        body = "".join([xml.DECLARATION, "<Error>", *elements, "</Error>"]).encode("utf-8", "replace")
        if http.method == "HEAD" or status == 304:
            return HttpResponse(status, self.identifying(request_id) + _validators(error))
        headers = [("content-type", self.content_type), ("content-length", str(len(body)))]
        return HttpResponse(status, headers + self.identifying(request_id), body)


def _malformed(problem: str) -> AwsError:
    schema = "The XML you provided was not well-formed or did not validate against our published schema"
    return AwsError("MalformedXML", f"{schema}: {problem}", 400)


def _validators(error: AwsError) -> list[tuple[str, str]]:
    """What an answer without a body says of the version that was not modified."""
    etag, modified = error.members.get("ETag"), error.members.get("LastModified")
    found = [("etag", etag)] if etag else []
    return [*found, ("last-modified", values.scalar_text(modified, "timestamp", "rfc822"))] if modified else found


def bucket_of_host(host: str) -> str | None:
    """The bucket in `bucket.s3.eu-west-1.amazonaws.com` or `bucket.localhost:8439`; None where the path has it.

    Besides Amazon's names we know ourselves as localhost and by the name of this machine; at an address or any other
    name the bucket is in the path. `s3.localhost` is like localhost.
    """
    name = host.lower() if host.startswith("[") else host.lower().partition(":")[0]
    if _ADDRESS.fullmatch(name):
        return None
    if found := _AMAZON.fullmatch(name):
        return found["bucket"]
    for ours in _OUR_HOSTS:
        if name.endswith(f".{ours}"):
            bucket = name.removesuffix(f".{ours}")
            return None if bucket == "s3" else bucket.removesuffix(".s3")
    return None
