"""Signature Version 2 in query strings, of S3 only: what boto3 makes of a presigned URL in us-east-1 to this day.

    ?AWSAccessKeyId=...&Signature=...&Expires=<seconds since 1970>[&x-amz-security-token=...]

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from urllib.parse import unquote

from restframe.aws.http import HttpRequest
from restframe.aws.refusals import Refusals

# Query parameters that decide what is asked for, and are signed with the path.
_SIGNED = frozenset(
    {
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle", "location"),
        *("logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication", "requestPayment"),
        *("restore", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId"),
        *("versioning", "versions", "website", "response-cache-control", "response-content-disposition"),
        *("response-content-encoding", "response-content-language", "response-content-type", "response-expires"),
    }
)
# Those that nobody signs: of the signature itself, and which page of a listing is meant. Others are refused.
_FREE = frozenset(
    {
        *("AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5", "x-id", "list-type", "prefix"),
        *("delimiter", "marker", "max-keys", "encoding-type", "continuation-token", "start-after", "fetch-owner"),
    }
)


def is_presigned(http: HttpRequest) -> bool:
    names = [name for name, _ in _parameters(http)]
    return "AWSAccessKeyId" in names and "Signature" in names


def claimed(http: HttpRequest, refusals: Refusals) -> tuple[str, datetime, str | None]:
    """The access key, when the URL stops being good, and the session token. AwsError when they cannot be so."""
    decoded = {name: unquote(value or "") for name, value in _parameters(http)}
    expires = decoded.get("Expires", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 11):
        raise refusals.malformed_query("Invalid date (should be seconds since epoch): Expires")
    token = decoded.get("x-amz-security-token") or None
    return decoded["AWSAccessKeyId"], datetime.fromtimestamp(int(expires), UTC), token


def verify(secret: str, http: HttpRequest, path: str, refusals: Refusals) -> None:
    """AwsError unless the owner of the secret signed this request.

    path : percent-encoded, with the bucket in it also where the host has its name
    """
    parameters = _parameters(http)
    decoded = {name: unquote(value or "") for name, value in parameters}
    unsigned = sorted(name for name in decoded if name not in _SIGNED | _FREE and not name.startswith("x-amz-"))
    if unsigned or len(decoded) < len(parameters):
        raise refusals.not_signed(unsigned or ["a parameter that is given twice"])
    headers = {name: http.headers.get(name) for name, _ in http.headers}
    # what begins with x-amz- counts as a header wherever it stands
    amazon = {name: value for name, value in {**decoded, **headers}.items() if name.startswith("x-amz-")}
    lines = [
        http.method,
        headers.get("content-md5") or decoded.get("content-md5", ""),
        headers.get("content-type") or decoded.get("content-type", ""),
        decoded["Expires"],
        *(f"{name}:{value}" for name, value in sorted(amazon.items())),
        path + _subresources(parameters),
    ]
    expected = base64.b64encode(hmac.digest(secret.encode(), "\n".join(lines).encode(), "sha1"))
    if not hmac.compare_digest(expected, decoded["Signature"].encode()):
        raise refusals.does_not_match()


def _parameters(http: HttpRequest) -> list[tuple[str, str | None]]:
    """Names and values of the query string, as they were sent; None without an equals sign."""
    pairs = [pair.partition("=") for pair in http.query.split("&")] if http.query else []
    return [(name, value if equals else None) for name, equals, value in pairs]


def _subresources(parameters: list[tuple[str, str | None]]) -> str:
    signed = sorted((name, value) for name, value in parameters if name in _SIGNED)
    pairs = [name if value is None else f"{name}={unquote(value)}" for name, value in signed]
    return "?" + "&".join(pairs) if pairs else ""
