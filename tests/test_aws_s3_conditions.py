"""Conditional requests, through boto3 and from threads that race."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe.aws.errors import AwsError
from restframe.aws.s3.conditions import check_read
from restframe.storage import ObjectInfo, ObjectUrl

MODIFIED = datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)
BEFORE, SAME, AFTER = (datetime(2026, 1, 1, 12, 0, second, tzinfo=UTC) for second in (0, 0, 1))
BEFORE -= timedelta(seconds=1)
INFO = ObjectInfo(ObjectUrl("rides", "k"), 5, MODIFIED, "aa")


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"IfMatch": '"aa"'}, None),
        ({"IfMatch": "aa"}, None),
        ({"IfMatch": "*"}, None),
        ({"IfMatch": '"bb", "aa"'}, None),
        ({"IfMatch": '"bb"'}, 412),
        ({"IfNoneMatch": '"aa"'}, 304),
        ({"IfNoneMatch": 'W/"aa"'}, 304),
        ({"IfNoneMatch": "*"}, 304),
        ({"IfNoneMatch": '"bb"'}, None),
        ({"IfModifiedSince": BEFORE}, None),
        ({"IfModifiedSince": SAME}, 304),
        ({"IfModifiedSince": AFTER}, 304),
        ({"IfUnmodifiedSince": BEFORE}, 412),
        ({"IfUnmodifiedSince": SAME}, None),
        ({"IfUnmodifiedSince": AFTER}, None),
        # an ETag goes before a date
        ({"IfMatch": '"aa"', "IfUnmodifiedSince": BEFORE}, None),
        ({"IfMatch": '"bb"', "IfUnmodifiedSince": AFTER}, 412),
        ({"IfNoneMatch": '"bb"', "IfModifiedSince": AFTER}, None),
        ({"IfNoneMatch": '"aa"', "IfModifiedSince": BEFORE}, 304),
        # and what must be so before what must not
        ({"IfMatch": '"bb"', "IfNoneMatch": '"aa"'}, 412),
        ({"IfMatch": '"aa"', "IfNoneMatch": '"aa"'}, 304),
        ({}, None),
    ],
)
def test_which_condition_counts(request_: dict[str, Any], status: int | None) -> None:
    if status is None:
        return check_read(request_, INFO)
    with pytest.raises(AwsError) as refused:
        check_read(request_, INFO)
    assert refused.value.status == status
    return None


def test_reading(s3: Any, shared_aws: Any) -> None:
    etag = s3.put_object(Bucket="rides", Key="k", Body=b"hello")["ETag"]
    assert s3.get_object(Bucket="rides", Key="k", IfMatch=etag)["Body"].read() == b"hello"
    assert code(s3.get_object, Bucket="rides", Key="k", IfMatch='"x"') == (412, "PreconditionFailed")
    assert code(s3.head_object, Bucket="rides", Key="k", IfMatch='"x"') == (412, "412")
    assert code(s3.head_object, Bucket="rides", Key="k", IfNoneMatch=etag) == (304, "304")
    headers = shared_aws.signed("s3", "GET", "/rides/k", headers={"If-None-Match": etag})
    status, fields, body = shared_aws.send("GET", "/rides/k", headers)
    assert (status, body, fields["etag"]) == (304, b"", etag)
    assert "last-modified" in fields


def test_writing_only_what_is_not_there(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"1", IfNoneMatch="*")
    assert code(s3.put_object, Bucket="rides", Key="k", Body=b"2", IfNoneMatch="*") == (412, "PreconditionFailed")
    assert code(s3.put_object, Bucket="rides", Key="k", Body=b"2", IfNoneMatch='"x"') == (501, "NotImplemented")
    assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b"1"


def test_writing_only_over_what_was_read(s3: Any) -> None:
    assert code(s3.put_object, Bucket="rides", Key="k", Body=b"1", IfMatch='"x"') == (404, "NoSuchKey")
    etag = s3.put_object(Bucket="rides", Key="k", Body=b"1")["ETag"]
    s3.put_object(Bucket="rides", Key="k", Body=b"2", IfMatch=etag)
    assert code(s3.put_object, Bucket="rides", Key="k", Body=b"3", IfMatch=etag) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b"2"


def test_deleting_only_what_was_read(s3: Any) -> None:
    etag = s3.put_object(Bucket="rides", Key="k", Body=b"1")["ETag"]
    assert code(s3.delete_object, Bucket="rides", Key="k", IfMatch='"x"') == (412, "PreconditionFailed")
    s3.delete_object(Bucket="rides", Key="k", IfMatch=etag)
    assert code(s3.delete_object, Bucket="rides", Key="k", IfMatch=etag) == (404, "NoSuchKey")


def test_of_many_who_create_at_once_one_succeeds(s3: Any) -> None:
    def create(number: int) -> bool:
        try:
            s3.put_object(Bucket="rides", Key="lock", Body=b"x" * 300_000 + b"%d" % number, IfNoneMatch="*")
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed"
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(create, range(8)))
    assert outcomes.count(True) == 1
    data = s3.get_object(Bucket="rides", Key="lock")["Body"].read()
    assert data == b"x" * 300_000 + b"%d" % outcomes.index(True)


def test_a_counter_that_many_increase_at_once_counts_everybody(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="counter", Body=b"0")

    def increase(_: int) -> None:
        while True:
            found = s3.get_object(Bucket="rides", Key="counter")
            value = int(found["Body"].read()) + 1
            try:
                s3.put_object(Bucket="rides", Key="counter", Body=b"%d" % value, IfMatch=found["ETag"])
                return
            except ClientError as error:
                assert error.response["Error"]["Code"] == "PreconditionFailed"

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(increase, range(20)))
    found = s3.get_object(Bucket="rides", Key="counter")
    assert found["Body"].read() == b"20"
    assert found["ETag"] == f'"{hashlib.md5(b"20").hexdigest()}"'
