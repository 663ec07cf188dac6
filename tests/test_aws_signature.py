"""Signature Version 4: botocore signs, we verify; and nothing that was changed on the way passes."""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws import refusals, signature
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.refusals import JSON, QUERY, S3

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOW = datetime(2013, 5, 24, 0, 5, tzinfo=UTC)

texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
header_values = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12).map(str.strip)
names = st.from_regex(r"x-[a-z]{1,8}", fullmatch=True)


def signed(
    auth: type[botocore.auth.SigV4Auth],
    service: str,
    method: str = "GET",
    url: str = "http://127.0.0.1:8439/",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    token: str | None = None,
    **options: object,
) -> HttpRequest:
    """The request as it leaves botocore."""
    request = AWSRequest(method=method, url=url, data=body, headers=headers or {})
    request.context["payload_signing_enabled"] = True
    auth(Credentials(KEY, SECRET, token), service, "us-east-1", **options).add_auth(request)
    prepared = request.prepare()
    parts = urlsplit(prepared.url)
    fields = [
        (name.lower(), value.decode() if isinstance(value, bytes) else value)
        for name, value in prepared.headers.items()
    ]
    return http(method, parts.path, parts.query, [("host", parts.netloc), *(f for f in fields if f[0] != "host")])


def http(method: str, path: str, query: str, fields: list[tuple[str, str]]) -> HttpRequest:
    headers = Headers(fields)
    return HttpRequest(method, "http", headers.get("host"), path, query, headers)


def check(request: HttpRequest, words: refusals.Refusals, payload: str, secret: str = SECRET) -> signature.Claim:
    claim = signature.claim(request, words)
    signature.verify(claim, secret, request, payload, words)
    return claim


def code(request: HttpRequest, words: refusals.Refusals, payload: str = signature.EMPTY_HASH) -> str:
    with pytest.raises(AwsError) as caught:
        check(request, words, payload)
    return caught.value.code


# what others sign


def test_example_of_the_manual() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, GET Object"""
    request = http(
        "GET",
        "/test.txt",
        "",
        [
            ("host", "examplebucket.s3.amazonaws.com"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
                "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", signature.EMPTY_HASH),
            ("x-amz-date", "20130524T000000Z"),
        ],
    )
    claim = check(request, S3, signature.EMPTY_HASH, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert (claim.access_key_id, claim.region, claim.service) == ("AKIAIOSFODNN7EXAMPLE", "us-east-1", "s3")


def test_presigned_example_of_the_manual() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""
    query = (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2F"
        "aws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    )
    request = http("GET", "/test.txt", query, [("host", "examplebucket.s3.amazonaws.com")])
    claim = check(request, S3, signature.UNSIGNED_PAYLOAD, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert claim.expires_s == 86400


@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"]),
    key=texts,
    parameters=st.lists(st.tuples(texts, texts), max_size=4),
    headers=st.dictionaries(names, header_values, max_size=4),
    body=st.binary(max_size=40),
)
def test_whatever_botocore_signs_for_s3_is_verified(
    method: str, key: str, parameters: list[tuple[str, str]], headers: dict[str, str], body: bytes
) -> None:
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in parameters)
    url = f"http://127.0.0.1:8439/bucket/{quote(key, safe='/-_.~')}?{query}"
    request = signed(botocore.auth.S3SigV4Auth, "s3", method, url, headers, body)
    digest = hashlib.sha256(body).hexdigest()
    assert check(request, S3, digest).service == "s3"
    assert code(request, S3, hashlib.sha256(body + b"x").hexdigest()) == "SignatureDoesNotMatch"


@given(
    path=st.lists(
        st.one_of(texts.map(lambda text: quote(text, safe="")), st.sampled_from(["", ".", ".."])), max_size=5
    ),
    parameters=st.lists(st.tuples(texts, texts), max_size=3),
    headers=st.dictionaries(names, header_values, max_size=4),
    body=st.binary(max_size=40),
)
def test_whatever_botocore_signs_for_others_is_verified(
    path: list[str], parameters: list[tuple[str, str]], headers: dict[str, str], body: bytes
) -> None:
    query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in parameters)
    url = f"http://127.0.0.1:8439/{'/'.join(path)}?{query}"
    request = signed(botocore.auth.SigV4Auth, "sagemaker", "POST", url, headers, body)
    assert check(request, JSON, hashlib.sha256(body).hexdigest()).service == "sagemaker"


@given(key=texts.filter(bool), parameters=st.lists(st.tuples(names, texts), max_size=3))
def test_whatever_botocore_presigns_is_verified(key: str, parameters: list[tuple[str, str]]) -> None:
    query = "&".join(
        f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in dict(parameters).items()
    )
    url = f"http://127.0.0.1:8439/bucket/{quote(key, safe='/-_.~')}?{query}"
    request = signed(botocore.auth.S3SigV4QueryAuth, "s3", "GET", url, token="a/token+=", expires=60)
    claim = check(request, S3, signature.UNSIGNED_PAYLOAD)
    assert (claim.expires_s, claim.session_token) == (60, "a/token+=")


def test_presigned_requests_of_other_services_sign_an_empty_body() -> None:
    url = "http://127.0.0.1:8439/?Action=GetCallerIdentity&Version=2011-06-15"
    request = signed(botocore.auth.SigV4QueryAuth, "sts", "GET", url, expires=60)
    assert check(request, QUERY, signature.EMPTY_HASH).expires_s == 60


def test_a_header_given_twice_is_signed_as_one_with_a_comma_and_blanks_count_once() -> None:
    given_once = signed(botocore.auth.SigV4Auth, "logs", headers={"x-list": "a,b   c"})
    fields = [field for field in given_once.headers if field[0] != "x-list"]
    request = http("GET", "/", "", [*fields, ("x-list", "a"), ("x-list", "b \t c")])
    assert check(request, JSON, signature.EMPTY_HASH).service == "logs"


def test_a_path_may_be_signed_with_more_encoded_than_was_sent() -> None:
    request = signed(botocore.auth.S3SigV4Auth, "s3", url="http://h/bucket/a%28%29%2B%C3%A4?prefix=a%2Fb&list-type=2")
    plain = http("GET", "/bucket/a()+%c3%a4", "list-type=2&prefix=a/b", list(request.headers))
    check(plain, S3, signature.EMPTY_HASH)
    assert code(http("GET", "/bucket/a() %c3%a4", request.query, list(request.headers)), S3) == "SignatureDoesNotMatch"


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_the_date_header_will_do(zone: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        request = signed(botocore.auth.SigV4Auth, "logs", headers={"Date": "Fri, 24 May 2013 00:00:00 GMT"})
        assert "x-amz-date" not in request.headers
        assert check(request, JSON, signature.EMPTY_HASH).timestamp == request_time(request)
    time.tzset()


def request_time(request: HttpRequest) -> str:
    return signature.claim(request, JSON).timestamp


# what was changed on the way


@pytest.mark.parametrize(
    "change",
    [
        {"method": "DELETE"},
        {"path": "/bucket/other"},
        {"path": "/bucket//key"},
        {"path": "/bucket/./key"},
        {"path": "/bucket/key%00"},
        {"query": "list-type=2&prefix=b"},
        {"query": "list-type=2"},
        {"query": "list-type=2&prefix=a&acl"},
        {"query": "list-type=2&prefix=a&prefix=a"},
        {"host": "127.0.0.1:8440"},
        {"x-amz-meta-colour": "blue"},
        {"x-amz-date": "a second that is not that of the signature"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_request_does_not_match(change: dict[str, str]) -> None:
    url = "http://127.0.0.1:8439/bucket/key?list-type=2&prefix=a"
    request = signed(botocore.auth.S3SigV4Auth, "s3", "GET", url, {"x-amz-meta-colour": "red"})
    if "x-amz-date" in change:
        signed_at = request.headers.get("x-amz-date")
        change = {"x-amz-date": signed_at[:-3] + ("00Z" if signed_at[-3:] != "00Z" else "01Z")}
    fields = [(name, change.get(name, value)) for name, value in request.headers]
    changed = http(
        change.get("method", "GET"), change.get("path", request.path), change.get("query", request.query), fields
    )
    check(request, S3, signature.EMPTY_HASH)
    assert code(changed, S3) == "SignatureDoesNotMatch"


def authorized(**changes: str) -> HttpRequest:
    """A request whose Authorization header says something else than was signed."""
    request = signed(botocore.auth.SigV4Auth, "logs")
    text = request.headers.get("authorization")
    for old, new in changes.items():
        text = text.replace({"date": request_time(request)[:8], "region": "us-east-1"}.get(old, old), new)
    return http("GET", "/", "", [(n, text if n == "authorization" else v) for n, v in request.headers])


def test_the_scope_is_signed() -> None:
    assert code(authorized(region="eu-west-1"), JSON) == "InvalidSignatureException"
    assert code(authorized(logs="iam"), QUERY) == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"aws4_request": "aws5_request"}, "InvalidSignatureException"),
        ({"date": "20130523"}, "InvalidSignatureException"),
        ({"us-east-1": "us east"}, "InvalidSignatureException"),
        ({"SignedHeaders=host;x-amz-date": "SignedHeaders=x-amz-date"}, "InvalidSignatureException"),
        ({"SignedHeaders=host;x-amz-date": "SignedHeaders=host"}, "InvalidSignatureException"),
        ({"Signature=": "Signature=00"}, "InvalidSignatureException"),
        ({"Signature=": "Signature"}, "IncompleteSignatureException"),
        ({"Signature=": "Credential=x, Signature="}, "IncompleteSignatureException"),
        ({"SignedHeaders=host;x-amz-date, ": ""}, "IncompleteSignatureException"),
        ({"AWS4-HMAC-SHA256": "AWS4-ECDSA-P256-SHA256"}, "IncompleteSignatureException"),
        ({"AWS4-HMAC-SHA256 ": "Basic "}, "IncompleteSignatureException"),
        ({"AWS4-HMAC-SHA256 ": "AWS "}, "IncompleteSignatureException"),
    ],
    ids=str,
)
def test_an_authorization_header_that_cannot_be(changes: dict[str, str], expected: str) -> None:
    assert code(authorized(**changes), JSON) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SignedHeaders=host;x-amz-date": "SignedHeaders=x-amz-date"}, "'host' must be a 'SignedHeader'"),
        ({"date": "20130523"}, "Date in Credential scope does not match YYYYMMDD .*: '20130523' != "),
        ({"aws4_request": "aws5_request"}, "Credential should be scoped with a valid terminator"),
    ],
)
def test_what_a_claim_must_have_whatever_its_signature(changes: dict[str, str], message: str) -> None:
    with pytest.raises(AwsError, match=message):
        signature.claim(authorized(**changes), JSON)


def test_amazon_headers_that_are_not_signed_are_refused() -> None:
    request = signed(botocore.auth.S3SigV4Auth, "s3")
    with pytest.raises(AwsError) as caught:
        signature.claim(http("GET", "/", "", [*request.headers, ("x-amz-acl", "public-read")]), S3)
    assert (caught.value.code, caught.value.members) == ("AccessDenied", {"HeadersNotSigned": "x-amz-acl"})


def test_both_ways_of_signing_at_once_are_refused() -> None:
    request = signed(botocore.auth.S3SigV4QueryAuth, "s3", expires=60)
    both = http("GET", "/", request.query, [*request.headers, ("authorization", "AWS4-HMAC-SHA256 Credential=x")])
    with pytest.raises(AwsError, match="Only one auth mechanism allowed") as caught:
        signature.claim(both, S3)
    assert (caught.value.code, caught.value.status) == ("InvalidArgument", 400)


def test_two_authorization_headers_are_refused() -> None:
    request = signed(botocore.auth.SigV4Auth, "logs")
    twice = http("GET", "/", "", [*request.headers, ("authorization", request.headers.get("authorization"))])
    assert code(twice, JSON) == "IncompleteSignatureException"


@pytest.mark.parametrize(
    ("words", "expected"),
    [(S3, "AccessDenied"), (QUERY, "MissingAuthenticationToken"), (JSON, "MissingAuthenticationTokenException")],
    ids=["s3", "query", "json"],
)
def test_an_unsigned_request(words: refusals.Refusals, expected: str) -> None:
    assert code(http("GET", "/", "", [("host", "h")]), words) == expected


def test_version_two_of_the_signature_is_refused_but_in_urls_of_s3() -> None:
    with pytest.raises(AwsError, match="Signature Version 2"):
        signature.claim(http("GET", "/", "AWSAccessKeyId=x&Expires=1&Signature=y", [("host", "h")]), JSON)
    with pytest.raises(AwsError, match="Signature Version 2"):
        signature.claim(http("GET", "/", "", [("host", "h"), ("authorization", "AWS x:y")]), S3)


# time


@pytest.mark.parametrize("minutes", [-15, 0, 15])
def test_a_signature_is_good_for_a_quarter_of_an_hour(minutes: int) -> None:
    signature.check_time(claimed(NOW + timedelta(minutes=minutes)), S3, NOW)


@pytest.mark.parametrize(
    ("seconds", "words", "message"),
    [
        (-901, S3, "RequestTimeTooSkewed: The difference between the request time and the current time is too large."),
        (901, S3, "RequestTimeTooSkewed: The difference between the request time and the current time is too large."),
        (
            -901,
            JSON,
            "InvalidSignatureException: Signature expired: 20130523T234959Z is now earlier than 20130523T235000Z "
            "(20130524T000500Z - 15 min.)",
        ),
        (
            901,
            QUERY,
            "SignatureDoesNotMatch: Signature not yet current: 20130524T002001Z is still later than 20130524T002000Z "
            "(20130524T000500Z + 15 min.)",
        ),
    ],
)
def test_before_and_after_that_it_is_not(seconds: int, words: refusals.Refusals, message: str) -> None:
    with pytest.raises(AwsError) as caught:
        signature.check_time(claimed(NOW + timedelta(seconds=seconds)), words, NOW)
    assert (str(caught.value), caught.value.status) == (message, 403)


@pytest.mark.parametrize(
    ("age_s", "expected"), [(-901, "not yet valid"), (-60, None), (0, None), (60, None), (61, "Request has expired")]
)
def test_a_presigned_request_is_good_until_it_expires(age_s: int, expected: str | None) -> None:
    claim = claimed(NOW - timedelta(seconds=age_s), expires_s=60)
    if expected is None:
        signature.check_time(claim, S3, NOW)
        return
    with pytest.raises(AwsError, match=expected):
        signature.check_time(claim, S3, NOW)


def claimed(moment: datetime, expires_s: int | None = None) -> signature.Claim:
    timestamp = refusals.basic(moment)
    return signature.Claim(KEY, timestamp[:8], "r", "s", ("host",), "0" * 64, timestamp, None, expires_s)


@pytest.mark.parametrize("expires", ["0", "-1", "604801", "x", "", "9" * 30, "%F0"])
def test_presigned_requests_expire_within_a_week(expires: str) -> None:
    request = signed(botocore.auth.S3SigV4QueryAuth, "s3", expires=60)
    changed = http("GET", "/", request.query.replace("Expires=60", f"Expires={expires}"), list(request.headers))
    assert code(changed, S3) == "AuthorizationQueryParametersError"


@pytest.mark.parametrize(
    "date", ["20130524T250000Z", "20131324T000000Z", "٢٠١٣0524T000000Z", "2013-05-24T00:00:00Z", "x"]
)
def test_a_date_that_does_not_exist(date: str) -> None:
    request = authorized(date="20130524")
    fields = [(name, date if name == "x-amz-date" else value) for name, value in request.headers]
    assert code(http("GET", "/", "", fields), JSON) in ("IncompleteSignatureException", "InvalidSignatureException")


# secrets


def test_a_seal_does_not_show_its_key() -> None:
    request = signed(botocore.auth.S3SigV4Auth, "s3")
    seal = signature.verify(signature.claim(request, S3), SECRET, request, signature.EMPTY_HASH, S3)
    assert repr(seal) == "Seal(...)"
