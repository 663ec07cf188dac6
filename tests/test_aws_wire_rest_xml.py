"""S3's own protocol."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.config import Config

from restframe.aws import wire
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest, HttpResponse


def request(line: str, headers: dict[str, str] | None = None) -> HttpRequest:
    method, _, address = line.partition(" ")
    path, _, query = address.partition("?")
    return HttpRequest(method, "http", "localhost:8439", path, query, Headers((headers or {}).items()))


def parse(line: str, body: bytes = b"", headers: dict[str, str] | None = None) -> dict[str, Any]:
    service = wire.service("s3")
    http = request(line, headers)
    return service.parse(service.route(http, body), http, body)


def refusal(line: str, body: bytes = b"", headers: dict[str, str] | None = None) -> str:
    with pytest.raises(AwsError) as error:
        parse(line, body, headers)
    return str(error.value)


def respond(operation: str, **output: Any) -> HttpResponse:
    service = wire.service("s3")
    return service.respond(service.model.operation_model(operation), output, "the-request-id")


def test_members_in_all_places() -> None:
    headers = {
        "content-type": "text/csv",
        "content-length": "3",
        "x-amz-meta-color": "red",
        "x-amz-meta-size": "1",
        "expires": "Thu, 29 Feb 2024 12:05:09 GMT",
        "x-amz-server-side-encryption-bucket-key-enabled": "True",
    }
    assert parse("PUT /bucket/key", b"a,b", headers) == {
        "Bucket": "bucket",
        "Key": "key",
        "Body": b"a,b",
        "ContentType": "text/csv",
        "ContentLength": 3,
        "Metadata": {"color": "red", "size": "1"},
        "Expires": datetime(2024, 2, 29, 12, 5, 9, tzinfo=UTC),
        "BucketKeyEnabled": True,
    }


def test_a_stream_is_passed_on_unread() -> None:
    service = wire.service("s3")
    http = request("PUT /bucket/key")
    body: Any = object()
    assert service.parse(service.route(http, b""), http, body)["Body"] is body


def test_the_query_is_a_form_and_the_path_is_not() -> None:
    assert parse("GET /bucket?list-type=2&prefix=a+b%2Bc%2520&start-after=&max-keys=5") == {
        "Bucket": "bucket",
        "Prefix": "a b+c%20",
        "StartAfter": "",
        "MaxKeys": 5,
    }


@pytest.mark.parametrize(
    ("header", "items"),
    [
        ("ETag", ["ETag"]),
        ("ETag,ObjectSize", ["ETag", "ObjectSize"]),
        ('ETag , "ObjectSize"', ["ETag", "ObjectSize"]),
    ],
)
def test_a_list_in_a_header(header: str, items: list[str]) -> None:
    found = parse("GET /bucket/key?attributes", headers={"x-amz-object-attributes": header})
    assert found["ObjectAttributes"] == items


def test_what_clients_write_otherwise_and_s3_takes() -> None:
    assert parse("GET /bucket/key", headers={"x-amz-checksum-mode": "enabled"})["ChecksumMode"] == "ENABLED"
    found = parse("PUT /bucket/key", headers={"x-amz-copy-source": "bucket%2Fother%20key"})
    assert found["CopySource"] == "bucket%2Fother%20key"


def test_bodies() -> None:
    assert parse("POST /bucket?delete", b"<Delete><Object><Key>a</Key></Object></Delete>") == {
        "Bucket": "bucket",
        "Delete": {"Objects": [{"Key": "a"}]},
    }
    assert parse("PUT /bucket?policy", b"{}") == {"Bucket": "bucket", "Policy": "{}"}
    assert parse("PUT /bucket") == {"Bucket": "bucket"}
    assert parse(
        "PUT /bucket",
        b"<CreateBucketConfiguration><LocationConstraint>here</LocationConstraint></CreateBucketConfiguration>",
    ) == {
        "Bucket": "bucket",
        "CreateBucketConfiguration": {"LocationConstraint": "here"},
    }


@pytest.mark.parametrize(
    ("line", "headers", "error"),
    [
        ("GET /bucket?list-type=2&max-keys=many", {}, "'many' is not a whole number at 'max-keys'"),
        ("PUT /bucket/key?partNumber=1.5&uploadId=a", {}, "'1.5' is not a whole number at 'partNumber'"),
        ("GET /bucket/key", {"if-modified-since": "soon"}, "'soon' is not a timestamp at 'If-Modified-Since'"),
        ("PUT /bucket/key", {"content-length": "-"}, "'-' is not a whole number at 'Content-Length'"),
    ],
)
def test_a_value_that_cannot_be_read(line: str, headers: dict[str, str], error: str) -> None:
    assert refusal(line, b"", headers) == f"InvalidArgument: {error}"


def test_a_value_that_is_not_allowed() -> None:
    found = refusal("PUT /bucket/key", b"", {"x-amz-storage-class": "BASEMENT"})
    assert found.startswith(
        "InvalidArgument: 1 validation error detected: Value 'BASEMENT' at 'storageClass' failed to satisfy "
        "constraint: Member must satisfy enum value set: [STANDARD, "
    )


MISSING_KEY = "Value null at 'delete.objects.1.member.key' failed to satisfy constraint: Member must not be null"


@pytest.mark.parametrize(
    ("line", "body", "problem"),
    [
        ("PUT /bucket?policy", b"\xff", "the body is not valid UTF-8"),
        ("POST /bucket?delete", b"<Object/>", "the root is 'Object', not 'Delete'"),
        ("POST /bucket?delete", b"<Delete>", "the XML is not well-formed: line 1, column 8"),
        ("POST /bucket?delete", b"<Delete><Object/></Delete>", f"1 validation error detected: {MISSING_KEY}"),
    ],
)
def test_a_body_that_cannot_be_read(line: str, body: bytes, problem: str) -> None:
    assert refusal(line, body) == (
        "MalformedXML: The XML you provided was not well-formed or did not validate against our published schema: "
        f"{problem}"
    )


def test_a_body_that_is_not_there() -> None:
    assert refusal("POST /bucket?delete") == "MissingRequestBodyError: Request Body is empty."


def test_a_response_with_a_body() -> None:
    moment = datetime(2024, 2, 29, 12, 5, 9, 500_000, tzinfo=UTC)
    response = respond(
        "ListObjectsV2",
        Name="bucket",
        Contents=[{"Key": "a&b", "Size": 1, "LastModified": moment}, {"Key": "c", "Owner": None}],
        IsTruncated=False,
        NextContinuationToken=None,
    )
    assert response.status == 200
    assert response.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Name>bucket</Name><Contents><Key>a&amp;b</Key><Size>1</Size><LastModified>2024-02-29T12:05:09.500Z"
        b"</LastModified></Contents><Contents><Key>c</Key></Contents><IsTruncated>false</IsTruncated></ListBucketResult>"
    )
    assert response.headers == [
        ("x-amz-request-id", "the-request-id"),
        ("x-amz-id-2", "the-request-id"),
        ("content-type", "application/xml"),
        ("content-length", str(len(response.body))),
    ]


def test_where_a_bucket_is() -> None:
    """The root itself holds the region; botocore has a reader for this answer alone."""
    head = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    )
    assert respond("GetBucketLocation", LocationConstraint="eu-west-1").body == head + b"eu-west-1</LocationConstraint>"
    assert respond("GetBucketLocation", LocationConstraint=None).body == head + b"</LocationConstraint>"


def test_an_object() -> None:
    moment = datetime(2024, 2, 29, 12, 5, 9, 999_999, tzinfo=UTC)
    response = respond(
        "GetObject",
        Body=iter([b"a", b"b"]),
        ContentLength=2,
        ContentType="text/csv",
        LastModified=moment,
        ETag='"e"',
        Metadata={"Color": "red\r\nx-evil: 1", "size": "€"},
        MissingMeta=None,
    )
    assert response.status == 200
    assert isinstance(response.body, type(iter([])))
    assert list(response.body) == [b"a", b"b"]
    assert response.headers[2:] == [
        ("content-length", "2"),
        ("content-type", "text/csv"),
        ("last-modified", "Thu, 29 Feb 2024 12:05:09 GMT"),
        ("etag", '"e"'),
        ("x-amz-meta-color", "redx-evil: 1"),
        ("x-amz-meta-size", "?"),
    ]


def test_part_of_an_object() -> None:
    assert respond("GetObject", Body=b"a", ContentRange="bytes 0-0/2").status == 206
    assert respond("HeadObject", ContentRange="bytes 0-0/2", ContentLength=1).status == 206


def test_statuses_without_a_body() -> None:
    deleted = respond("DeleteObject")
    assert (deleted.status, deleted.body) == (204, b"")
    assert "content-length" not in dict(deleted.headers)
    head = respond("HeadObject", ContentLength=7)
    assert (head.status, head.body, dict(head.headers)["content-length"]) == (200, b"", "7")
    created = respond("CreateBucket", Location="/bucket")
    assert (created.status, created.body, dict(created.headers)["location"]) == (200, b"", "/bucket")


def test_an_error() -> None:
    service = wire.service("s3")
    error = AwsError("NoSuchKey", "The specified key does not exist.", Key="a<b", BucketName=None)
    response = service.fail(None, error, "the-request-id", request("GET /bucket/a%3Cb"))
    assert response.status == 404
    assert response.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>NoSuchKey</Code>'
        b"<Message>The specified key does not exist.</Message><Resource>/bucket/a%3Cb</Resource><Key>a&lt;b</Key>"
        b"<RequestId>the-request-id</RequestId><HostId>the-request-id</HostId></Error>"
    )


def test_errors_without_a_body() -> None:
    service = wire.service("s3")
    head = service.fail(None, AwsError("NoSuchKey", "Gone."), "id", request("HEAD /bucket/key"))
    assert (head.status, head.body) == (404, b"")
    unmodified = service.fail(None, AwsError("NotModified", "Same.", 304), "id", request("GET /bucket/key"))
    assert (unmodified.status, unmodified.body) == (304, b"")


@pytest.mark.parametrize(
    ("endpoint", "style"),
    [
        ("http://localhost:8439", "virtual"),
        ("http://localhost:8439", "path"),
        ("http://127.0.0.1:8439", "auto"),
        ("https://s3.eu-west-1.amazonaws.com", "virtual"),
        (None, "auto"),
    ],
)
def test_each_way_in_which_botocore_addresses_a_bucket(endpoint: str | None, style: str) -> None:
    client = botocore.session.Session().create_client(
        "s3",
        "eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(s3={"addressing_style": style}),
    )
    url = client.generate_presigned_url("delete_object", {"Bucket": "bucket", "Key": "a/b c+€//"})

    address = urlsplit(url)
    http = HttpRequest("DELETE", address.scheme, address.netloc, address.path, address.query, Headers())
    assert wire.service("s3").route(http, b"").uri == {"Bucket": "bucket", "Key": "a/b c+€//"}
    assert (address.netloc.partition(".")[0] == "bucket") == (style == "virtual" or endpoint is None)
