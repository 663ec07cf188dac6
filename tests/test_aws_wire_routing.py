"""Finding the operation of a REST request."""

from __future__ import annotations

import pytest

from restframe.aws import wire
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.wire import Route


def route(service: str, line: str, *headers: str, host: str = "localhost:8439") -> Route:
    """line : `GET /bucket/key?acl`; headers : names of those that are there"""
    method, _, address = line.partition(" ")
    path, _, query = address.partition("?")
    http = HttpRequest(method, "http", host, path, query, Headers((name, "a/b") for name in headers))
    return wire.service(service).route(http, b"")


@pytest.mark.parametrize(
    ("line", "headers", "operation"),
    [
        ("GET /", [], "ListBuckets"),
        ("GET /bucket", [], "ListObjects"),
        ("GET /bucket/", [], "ListObjects"),
        ("GET /bucket?list-type=2", [], "ListObjectsV2"),
        ("GET /bucket?list-type=1", [], "ListObjects"),
        ("GET /bucket?prefix=a&delimiter=%2F", [], "ListObjects"),
        ("GET /bucket?location", [], "GetBucketLocation"),
        ("GET /bucket?location=", [], "GetBucketLocation"),
        ("GET /bucket?uploads", [], "ListMultipartUploads"),
        ("GET /bucket?versions", [], "ListObjectVersions"),
        ("GET /bucket?lifecycle", [], "GetBucketLifecycleConfiguration"),
        ("GET /bucket?inventory", [], "ListBucketInventoryConfigurations"),
        ("GET /bucket?inventory&id=1", [], "GetBucketInventoryConfiguration"),
        ("HEAD /bucket", [], "HeadBucket"),
        ("PUT /bucket", [], "CreateBucket"),
        ("PUT /bucket/", [], "CreateBucket"),
        ("DELETE /bucket", [], "DeleteBucket"),
        ("POST /bucket?delete", [], "DeleteObjects"),
        ("POST /bucket/?delete", [], "DeleteObjects"),
        ("GET /bucket/key", [], "GetObject"),
        ("GET /bucket/key?x-id=GetObject&versionId=null", [], "GetObject"),
        ("GET /bucket/key?partNumber=1", [], "GetObject"),
        ("GET /bucket/key?uploadId=1", [], "ListParts"),
        ("GET /bucket/key?attributes", ["x-amz-object-attributes"], "GetObjectAttributes"),
        ("HEAD /bucket/key", [], "HeadObject"),
        ("PUT /bucket/key", [], "PutObject"),
        ("PUT /bucket/key?x-id=PutObject", [], "PutObject"),
        ("PUT /bucket/key", ["x-amz-copy-source"], "CopyObject"),
        ("PUT /bucket/key?partNumber=1&uploadId=2", [], "UploadPart"),
        ("PUT /bucket/key?partNumber=1&uploadId=2", ["x-amz-copy-source"], "UploadPartCopy"),
        ("PUT /bucket/key?tagging", [], "PutObjectTagging"),
        ("POST /bucket/key?uploads", [], "CreateMultipartUpload"),
        ("POST /bucket/key?uploads=", [], "CreateMultipartUpload"),
        ("POST /bucket/key?uploadId=1", [], "CompleteMultipartUpload"),
        ("DELETE /bucket/key?uploadId=1", [], "AbortMultipartUpload"),
        ("DELETE /bucket/key?versionId=1", [], "DeleteObject"),
        ("DELETE /bucket/key?tagging", [], "DeleteObjectTagging"),
    ],
)
def test_s3_operations(line: str, headers: list[str], operation: str) -> None:
    assert route("s3", line, *headers).operation.name == operation


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/bucket/a/b", "a/b"),
        ("/bucket/a%2Fb", "a/b"),
        ("/bucket/a+b", "a+b"),
        ("/bucket/a%20b%2Bc", "a b+c"),
        ("/bucket/%2520", "%20"),
        ("/bucket/%E2%82%AC", "€"),
        ("/bucket//", "/"),
        ("/bucket//a", "/a"),
        ("/bucket/a//", "a//"),
        ("/bucket/a/", "a/"),
        ("/bucket/../../etc", "../../etc"),
        ("/bucket/%00", "\x00"),
        ("/bucket/a%0Ab", "a\nb"),
        ("/bucket/%", "%"),
        ("/bucket/%zz", "%zz"),
        ("/bucket/" + "k" * 4096, "k" * 4096),
    ],
)
def test_keys_are_decoded_once(path: str, key: str) -> None:
    assert route("s3", f"GET {path}").uri == {"Bucket": "bucket", "Key": key}


@pytest.mark.parametrize(
    ("host", "path", "uri"),
    [
        ("bucket.localhost:8439", "/key", {"Bucket": "bucket", "Key": "key"}),
        ("bucket.localhost", "/", {"Bucket": "bucket"}),
        ("my.bucket.localhost", "/a/b", {"Bucket": "my.bucket", "Key": "a/b"}),
        ("bucket.s3.localhost:8439", "/key", {"Bucket": "bucket", "Key": "key"}),
        ("s3.localhost:8439", "/bucket/key", {"Bucket": "bucket", "Key": "key"}),
        ("Bucket.S3.Amazonaws.com", "/key", {"Bucket": "bucket", "Key": "key"}),
        ("bucket.s3.eu-west-1.amazonaws.com", "//", {"Bucket": "bucket", "Key": "/"}),
        ("bucket.s3-eu-west-1.amazonaws.com", "/key", {"Bucket": "bucket", "Key": "key"}),
        ("my.bucket.s3.dualstack.eu-west-1.amazonaws.com", "/key", {"Bucket": "my.bucket", "Key": "key"}),
        ("s3.amazonaws.com", "/bucket", {"Bucket": "bucket"}),
        ("s3.eu-west-1.amazonaws.com", "/bucket/key", {"Bucket": "bucket", "Key": "key"}),
        ("127.0.0.1:8439", "/bucket/key", {"Bucket": "bucket", "Key": "key"}),
        ("[::1]:8439", "/bucket/key", {"Bucket": "bucket", "Key": "key"}),
        ("warehouse.example.org", "/bucket/key", {"Bucket": "bucket", "Key": "key"}),
        ("s3" + "-a" * 5000 + "!", "/bucket", {"Bucket": "bucket"}),
    ],
)
def test_the_bucket_may_be_in_the_name_of_the_host(host: str, path: str, uri: dict[str, str]) -> None:
    assert route("s3", f"GET {path}", host=host).uri == uri


def refusal(service: str, line: str) -> tuple[str, int | None]:
    with pytest.raises(AwsError) as error:
        route(service, line)
    return error.value.code, error.value.status


@pytest.mark.parametrize(
    "line",
    [
        "PATCH /bucket/key",
        "POST /",
        "PUT /",
        "POST /bucket",
        "POST /bucket/key",
        "GET //",
        "GET //key",
        "GET key",
        "GET *",
    ],
)
def test_s3_requests_that_there_are_not(line: str) -> None:
    assert refusal("s3", line) == ("MethodNotAllowed", 405)


def test_an_address_that_is_no_text() -> None:
    assert refusal("s3", "GET /bucket/%ff") == ("InvalidURI", 400)
    assert refusal("s3", "GET /bucket?prefix=%ff") == ("InvalidURI", 400)


@pytest.mark.parametrize("line", ["GET /bucket/key?attributes", "PUT /bucket/key?annotation", "DELETE /bucket?metrics"])
def test_a_request_for_part_of_something_is_not_taken_for_the_whole(line: str) -> None:
    assert refusal("s3", line) == ("InvalidRequest", 400)


@pytest.mark.parametrize(
    "line",
    [
        "PUT /bucket/key?brand-new",
        "PUT /bucket?brand-new=",
        "DELETE /bucket?brand-new",
        "DELETE /bucket?id=1",
        "PUT /bucket/key?uploadId=1",
        "POST /bucket?delete&brand-new",
    ],
)
def test_a_change_that_we_do_not_know_is_not_taken_for_another(line: str) -> None:
    assert refusal("s3", line) == ("NotImplemented", 501)


def test_a_read_may_have_more_in_its_query() -> None:
    assert route("s3", "GET /bucket/key?brand-new").operation.name == "GetObject"
    assert route("s3", "PUT /bucket/key?x-id&X-Amz-Expires=60&X-Amz-Security-Token=").operation.name == "PutObject"


def test_endpoints() -> None:
    found = route("sagemaker-runtime", "POST /endpoints/my-endpoint/invocations")
    assert (found.operation.name, found.uri, found.streams) == (
        "InvokeEndpoint",
        {"EndpointName": "my-endpoint"},
        False,
    )
    assert route("sagemaker-runtime", "POST /endpoints/a%2Fb/invocations").uri == {"EndpointName": "a/b"}
    for line in [
        "GET /endpoints/a/invocations",
        "POST /endpoints//invocations",
        "POST /endpoints/a/b/invocations",
        "GET /",
    ]:
        assert refusal("sagemaker-runtime", line) == ("UnknownOperationException", 404)


def test_what_streams() -> None:
    assert route("s3", "PUT /bucket/key").streams
    assert route("s3", "PUT /bucket/key?partNumber=1&uploadId=2").streams
    assert not route("s3", "PUT /bucket?policy").streams
    assert not route("s3", "POST /bucket?delete").streams
