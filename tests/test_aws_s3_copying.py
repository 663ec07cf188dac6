"""CopyObject, through boto3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe.storage import ObjectUrl, OpenObject, Storage


@pytest.fixture(autouse=True)
def source_object(s3: Any) -> None:
    s3.put_object(
        Bucket="rides",
        Key="trip data/ä+1%.csv",
        Body=b"hello",
        ContentType="text/csv",
        CacheControl="no-cache",
        Metadata={"a": "b"},
        Tagging="team=taxi",
        ChecksumAlgorithm="SHA1",
    )


SOURCE = {"Bucket": "rides", "Key": "trip data/ä+1%.csv"}


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def about(s3: Any, key: str) -> tuple[Any, ...]:
    head = s3.head_object(Bucket="rides", Key=key, ChecksumMode="ENABLED")
    return head["ContentType"], head.get("CacheControl"), head["Metadata"], head.get("TagCount"), head["ChecksumSHA1"]


SHA1 = "qvTGHdzF6KLavt4PO0gs2a6pQ00="


def test_a_copy_has_what_the_source_has(s3: Any) -> None:
    copied = s3.copy_object(Bucket="rides", Key="copy", CopySource=SOURCE)["CopyObjectResult"]
    assert (copied["ETag"], copied["ChecksumSHA1"]) == ('"5d41402abc4b2a76b9719d911017c592"', SHA1)
    assert about(s3, "copy") == ("text/csv", "no-cache", {"a": "b"}, 1, SHA1)
    assert s3.get_object(Bucket="rides", Key="copy")["Body"].read() == b"hello"
    # the members of a request that replaces nothing have no effect
    s3.copy_object(Bucket="rides", Key="copy", CopySource=SOURCE, Metadata={"x": "y"}, ContentType="text/plain")
    assert about(s3, "copy") == ("text/csv", "no-cache", {"a": "b"}, 1, SHA1)


def test_a_copy_with_something_else(s3: Any) -> None:
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"x": "y"}, "ContentType": "text/plain"}
    s3.copy_object(Bucket="rides", Key="copy", CopySource=SOURCE, **replaced)
    assert about(s3, "copy") == ("text/plain", None, {"x": "y"}, 1, SHA1)
    s3.copy_object(Bucket="rides", Key="copy", CopySource=SOURCE, TaggingDirective="REPLACE", Tagging="a=1&b=2")
    assert about(s3, "copy") == ("text/csv", "no-cache", {"a": "b"}, 2, SHA1)
    crc = s3.copy_object(Bucket="rides", Key="copy", CopySource=SOURCE, ChecksumAlgorithm="CRC32")
    assert crc["CopyObjectResult"]["ChecksumCRC32"] == "NhCmhg=="


def test_a_copy_to_itself_must_change_something(s3: Any) -> None:
    assert code(s3.copy_object, **SOURCE, CopySource=SOURCE) == (400, "InvalidRequest")
    s3.copy_object(**SOURCE, CopySource=SOURCE, MetadataDirective="REPLACE", Metadata={"new": "1"})
    found = s3.get_object(**SOURCE)
    assert (found["Body"].read(), found["Metadata"]) == (b"hello", {"new": "1"})
    s3.copy_object(**SOURCE, CopySource=SOURCE, StorageClass="STANDARD_IA")
    found = s3.head_object(**SOURCE)
    assert (found["StorageClass"], found["Metadata"]) == ("STANDARD_IA", {"new": "1"})


@pytest.mark.parametrize(
    "source",
    [
        "rides/trip%20data/%C3%A4%2B1%25.csv",
        "/rides/trip%20data/%C3%A4%2B1%25.csv",
        "rides%2Ftrip%20data%2F%C3%A4%2B1%25.csv",
        "/rides/trip data/%C3%A4+1%25.csv?versionId=null",
    ],
)
def test_ways_to_write_a_source(s3: Any, shared_aws: Any, source: str) -> None:
    """Beside boto3, which encodes what it is given once more."""
    headers = shared_aws.signed("s3", "PUT", "/other/copy", headers={"x-amz-copy-source": source})
    assert shared_aws.send("PUT", "/other/copy", headers)[0] == 200
    assert s3.get_object(Bucket="other", Key="copy")["Body"].read() == b"hello"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("rides", (400, "InvalidArgument")),
        ("rides/", (400, "InvalidArgument")),
        ("/", (400, "InvalidArgument")),
        ("rides/%ff", (400, "InvalidArgument")),
        ("../rides/k", (400, "InvalidBucketName")),
        ("Rides/k", (400, "InvalidBucketName")),
        ("rides/none", (404, "NoSuchKey")),
        ("none/none", (404, "NoSuchBucket")),
        ("rides/k?versionId=abc", (404, "NoSuchVersion")),
        ("rides/" + "k" * 1025, (400, "KeyTooLongError")),
    ],
)
def test_sources_that_are_none(s3: Any, shared_aws: Any, source: str, expected: tuple[int, str]) -> None:
    headers = shared_aws.signed("s3", "PUT", "/rides/copy", headers={"x-amz-copy-source": source})
    status, _, answer = shared_aws.send("PUT", "/rides/copy", headers)
    assert (status, answer.partition(b"<Code>")[2].partition(b"<")[0].decode()) == expected


def test_conditions_on_the_source(s3: Any) -> None:
    etag = s3.head_object(**SOURCE)["ETag"]
    old, new = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    copy = {"Bucket": "rides", "Key": "copy", "CopySource": SOURCE}
    s3.copy_object(**copy, CopySourceIfMatch=etag, CopySourceIfUnmodifiedSince=old)
    s3.copy_object(**copy, CopySourceIfNoneMatch='"x"', CopySourceIfModifiedSince=new)
    for condition in (
        {"CopySourceIfMatch": '"x"'},
        {"CopySourceIfNoneMatch": etag},
        {"CopySourceIfModifiedSince": new},
        {"CopySourceIfUnmodifiedSince": old},
    ):
        assert code(s3.copy_object, **copy, **condition) == (412, "PreconditionFailed")
    assert code(s3.copy_object, **copy, IfNoneMatch="*") == (412, "PreconditionFailed")


@pytest.mark.parametrize("part", [False, True])
def test_a_source_that_is_replaced_while_it_is_looked_at(s3: Any, monkeypatch: pytest.MonkeyPatch, part: bool) -> None:
    """The conditions and the range are then those of what is copied."""
    opens: list[str] = []
    open_now, replacement = Storage.open, b"good morning"

    def open_later(storage: Storage, url: ObjectUrl, *span: int) -> OpenObject:
        opens.append(url.key)
        if len(opens) == 1:
            s3.put_object(Bucket="rides", Key=SOURCE["Key"], Body=replacement)
        return open_now(storage, url, *span)

    monkeypatch.setattr(Storage, "open", open_later)
    upload = {"Bucket": "rides", "Key": "copy"}
    if part:
        upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
        copied = s3.upload_part_copy(**upload, PartNumber=1, CopySource=SOURCE)["CopyPartResult"]
    else:
        copied = s3.copy_object(**upload, CopySource=SOURCE)["CopyObjectResult"]
    assert copied["ETag"] == '"2b849500e4585dab4196ec9a415edf8f"'
    opens.clear()
    replacement = b"good evening"
    condition = {"CopySourceIfMatch": copied["ETag"]}
    assert code(s3.copy_object, Bucket="rides", Key="c", CopySource=SOURCE, **condition) == (412, "PreconditionFailed")
