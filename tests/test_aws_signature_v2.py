"""Presigned URLs in the old way: botocore signs, we verify; and nothing that was changed on the way passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from restframe.aws import signature
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.refusals import S3

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signed(method: str, url: str, headers: dict[str, str] | None = None, token: str | None = None) -> HttpRequest:
    """The request of whoever opens the URL that botocore makes, sending no headers of their own."""
    request = AWSRequest(method=method, url=url, headers=headers or {})
    botocore.auth.HmacV1QueryAuth(Credentials(KEY, SECRET, token), 60).add_auth(request)
    parts = urlsplit(request.url)
    return http(method, parts.path, parts.query, [("host", parts.netloc)])


def http(method: str, path: str, query: str, fields: list[tuple[str, str]]) -> HttpRequest:
    headers = Headers(fields)
    return HttpRequest(method, "http", headers.get("host"), path, query, headers)


def check(request: HttpRequest, secret: str = SECRET, later_s: int = 0) -> signature.Claim:
    claim = signature.claim(request, S3)
    signature.check_time(claim, S3, datetime.now(UTC) + timedelta(seconds=later_s))
    signature.verify(claim, secret, request, "UNSIGNED-PAYLOAD", S3)
    return claim


def refusal(request: HttpRequest, **options: int) -> str:
    with pytest.raises(AwsError) as caught:
        check(request, **options)
    return caught.value.code


@pytest.mark.parametrize(
    ("method", "target", "headers", "token"),
    [
        ("GET", "/b/a%20b/%C3%A4", {}, None),
        ("GET", "/b?list-type=2&prefix=a%2Fb", {}, None),
        ("GET", "/b/k?response-content-type=text%2Fcsv&versionId=null", {}, None),
        ("POST", "/b/k?uploads", {}, None),
        ("PUT", "/b/k", {"Content-Type": "text/csv", "x-amz-meta-a": "b c"}, None),
        ("GET", "/b/k", {}, "a/b+c=="),
    ],
)
def test_what_botocore_signs(method: str, target: str, headers: dict[str, str], token: str | None) -> None:
    request_ = signed(method, f"http://127.0.0.1:8439{target}", headers, token)
    claim = check(request_)
    assert (claim.access_key_id, claim.region, claim.service) == (KEY, "us-east-1", "s3")
    assert refusal(request_, later_s=61) == "AccessDenied"
    with pytest.raises(AwsError, match="SignatureDoesNotMatch"):
        check(request_, secret="other")


def test_the_session_token_is_found() -> None:
    assert check(signed("GET", "http://127.0.0.1:8439/b/k", token="a/b+c==")).session_token == "a/b+c=="


def test_a_bucket_in_the_name_of_the_host() -> None:
    request = signed("GET", "http://localhost:8439/rides/k")
    check(http("GET", "/k", request.query, [("host", "rides.localhost:8439")]))


def test_nothing_may_be_changed() -> None:
    request = signed("GET", "http://127.0.0.1:8439/b/k?versionId=null")
    host = [("host", "127.0.0.1:8439")]
    assert refusal(http("PUT", "/b/k", request.query, host)) == "SignatureDoesNotMatch"
    assert refusal(http("GET", "/b/other", request.query, host)) == "SignatureDoesNotMatch"
    assert refusal(http("GET", "/b/k", request.query.replace("null", "x"), host)) == "SignatureDoesNotMatch"
    assert refusal(http("GET", "/b/k", request.query + "&acl", host)) == "SignatureDoesNotMatch"
    assert refusal(http("GET", "/b/k", request.query + "&x-amz-acl=private", host)) == "SignatureDoesNotMatch"
    assert refusal(http("GET", "/b/k", request.query + "&attributes", host)) == "AccessDenied"
    assert refusal(http("GET", "/b/k", request.query + "&versionId=null", host)) == "AccessDenied"
    assert refusal(http("GET", "/b/k", request.query, [*host, ("x-amz-acl", "private")])) == "SignatureDoesNotMatch"
    assert refusal(http("GET", "/b/k", request.query, [*host, ("content-type", "a")])) == "SignatureDoesNotMatch"
    later = request.query.replace("Expires=", "Expires=1")
    assert refusal(http("GET", "/b/k", later, host)) in ("SignatureDoesNotMatch", "AuthorizationQueryParametersError")


@pytest.mark.parametrize("expires", ["", "x", "-1", "1e9", "9" * 30, "%D9%A1"])
def test_dates_that_are_none(expires: str) -> None:
    request = http("GET", "/b/k", f"AWSAccessKeyId={KEY}&Signature=x&Expires={expires}", [("host", "h")])
    assert refusal(request) == "AuthorizationQueryParametersError"
