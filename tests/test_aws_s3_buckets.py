"""Buckets, through boto3."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from restframe.storage import ObjectUrl


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def names(page: dict[str, Any]) -> list[str]:
    return [bucket["Name"] for bucket in page["Buckets"]]


def test_buckets_come_and_go(s3: Any, shared_aws: Any) -> None:
    assert s3.create_bucket(Bucket="rides")["Location"] == "/rides"
    assert s3.create_bucket(Bucket="rides")["Location"] == "/rides"
    assert s3.head_bucket(Bucket="rides")["BucketRegion"] == "us-east-1"
    assert s3.get_bucket_location(Bucket="rides")["LocationConstraint"] is None
    (bucket,) = s3.list_buckets()["Buckets"]
    assert bucket["Name"] == "rides"
    assert abs((datetime.now(UTC) - bucket["CreationDate"]).total_seconds()) < 60
    s3.put_object(Bucket="rides", Key="a/b", Body=b"x")
    assert code(s3.delete_bucket, Bucket="rides") == (409, "BucketNotEmpty")
    s3.delete_object(Bucket="rides", Key="a/b")
    s3.delete_bucket(Bucket="rides")
    assert s3.list_buckets()["Buckets"] == []
    assert code(s3.head_bucket, Bucket="rides") == (404, "404")
    assert code(s3.delete_bucket, Bucket="rides") == (404, "NoSuchBucket")
    assert code(s3.get_bucket_location, Bucket="rides") == (404, "NoSuchBucket")
    assert code(s3.list_objects_v2, Bucket="rides") == (404, "NoSuchBucket")


def test_the_error_names_the_bucket(s3: Any, shared_aws: Any) -> None:
    with pytest.raises(ClientError) as error:
        s3.list_objects(Bucket="none-such")
    assert error.value.response["Error"]["BucketName"] == "none-such"
    assert error.value.response["Error"]["Message"] == "The specified bucket does not exist"


def test_an_existing_bucket_elsewhere_than_in_us_east_1(shared_aws: Any) -> None:
    s3 = boto3.session.Session().client(
        "s3",
        region_name="eu-central-1",
        endpoint_url=shared_aws.url,
        aws_access_key_id=shared_aws.credentials.access_key_id,
        aws_secret_access_key=shared_aws.credentials.secret_access_key,
        config=Config(retries={"total_max_attempts": 1}),
    )
    where = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(Bucket="rides", CreateBucketConfiguration=where)
    with pytest.raises(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket="rides", CreateBucketConfiguration=where)
    assert s3.get_bucket_location(Bucket="rides")["LocationConstraint"] == "eu-central-1"
    assert s3.head_bucket(Bucket="rides")["BucketRegion"] == "eu-central-1"
    s3.close()


def test_buckets_are_listed_in_pages(s3: Any, shared_aws: Any) -> None:
    for name in ("taxi-b", "rides", "taxi-a", "taxi-c"):
        s3.create_bucket(Bucket=name)
    first = s3.list_buckets(MaxBuckets=2, Prefix="taxi")
    assert names(first) == ["taxi-a", "taxi-b"]
    second = s3.list_buckets(MaxBuckets=2, Prefix="taxi", ContinuationToken=first["ContinuationToken"])
    assert (names(second), "ContinuationToken" in second) == (["taxi-c"], False)
    assert names(s3.list_buckets()) == ["rides", "taxi-a", "taxi-b", "taxi-c"]


def test_the_owner_that_is_expected(s3: Any, shared_aws: Any) -> None:
    account = shared_aws.warehouse.settings.account_id
    s3.create_bucket(Bucket="rides")
    s3.head_bucket(Bucket="rides", ExpectedBucketOwner=account)
    assert code(s3.head_bucket, Bucket="rides", ExpectedBucketOwner="999999999999") == (403, "403")
    error = code(s3.put_object, Bucket="rides", Key="k", Body=b"x", ExpectedBucketOwner="999999999999")
    assert error == (403, "AccessDenied")


@pytest.mark.parametrize("name", ["Rides", "ab", ".restframe", "a..b", "1.2.3.4", "rides_1"])
def test_names_that_no_bucket_can_have(shared_aws: Any, name: str) -> None:
    headers = shared_aws.signed("s3", "PUT", f"/{name}")
    status, _, answer = shared_aws.send("PUT", f"/{name}", headers)
    assert (status, b"<Code>InvalidBucketName</Code>" in answer) == (400, True)


def test_buckets_are_made_for_whoever_writes_unless_that_is_off(
    s3: Any, shared_aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code(s3.get_object, Bucket="made", Key="k") == (404, "NoSuchBucket")
    s3.put_object(Bucket="made", Key="k", Body=b"x")
    assert names(s3.list_buckets()) == ["made", "rides"]
    monkeypatch.setattr(shared_aws.warehouse.storage.own, "_auto_create", False)
    assert code(s3.put_object, Bucket="other", Key="k", Body=b"x") == (404, "NoSuchBucket")
    assert code(s3.create_multipart_upload, Bucket="other", Key="k") == (404, "NoSuchBucket")
    assert names(s3.list_buckets()) == ["made", "rides"]


def test_files_dropped_into_a_bucket_are_objects(s3: Any, shared_aws: Any) -> None:
    s3.create_bucket(Bucket="rides")
    path = shared_aws.warehouse.settings.buckets / "rides" / "2014" / "jan.csv"
    path.parent.mkdir()
    path.write_bytes(b"a,b\n1,2\n")
    (found,) = s3.list_objects_v2(Bucket="rides")["Contents"]
    assert (found["Key"], found["Size"], "-" in found["ETag"]) == ("2014/jan.csv", 8, True)
    got = s3.get_object(Bucket="rides", Key="2014/jan.csv")
    assert (got["ETag"], got["ContentType"]) == (found["ETag"], "binary/octet-stream")
    assert got["Body"].read() == shared_aws.warehouse.storage.read(ObjectUrl("rides", "2014/jan.csv"))
