"""DeleteObject and DeleteObjects, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def keys(s3: Any) -> list[str]:
    return [one["Key"] for one in s3.list_objects_v2(Bucket="rides").get("Contents", [])]


def test_many_at_once(s3: Any) -> None:
    for number in range(30):
        s3.put_object(Bucket="rides", Key=f"a/{number:02d} ä&<>", Body=b"x")
    s3.put_object(Bucket="rides", Key="kept", Body=b"x")
    listed = [{"Key": f"a/{number:02d} ä&<>"} for number in range(30)] + [{"Key": "none"}]
    answer = s3.delete_objects(Bucket="rides", Delete={"Objects": listed})
    assert answer["Deleted"] == listed
    assert "Errors" not in answer
    assert keys(s3) == ["kept"]
    quiet = s3.delete_objects(Bucket="rides", Delete={"Objects": [{"Key": "kept"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert keys(s3) == []


def test_what_goes_wrong_with_one_is_said_beside_the_others(s3: Any) -> None:
    etag = s3.put_object(Bucket="rides", Key="a", Body=b"x")["ETag"]
    s3.put_object(Bucket="rides", Key="b", Body=b"x")
    listed = [
        {"Key": "a", "ETag": '"other"'},
        {"Key": "b", "VersionId": "null"},
        {"Key": "b", "VersionId": "abc"},
        {"Key": "k" * 1025},
    ]
    answer = s3.delete_objects(Bucket="rides", Delete={"Objects": listed})
    assert answer["Deleted"] == [{"Key": "b", "VersionId": "null"}]
    assert [(error["Key"][:1], error["Code"]) for error in answer["Errors"]] == [
        ("a", "PreconditionFailed"),
        ("b", "NoSuchVersion"),
        ("k", "KeyTooLongError"),
    ]
    s3.delete_objects(Bucket="rides", Delete={"Objects": [{"Key": "a", "ETag": etag}]})
    assert keys(s3) == []


def test_limits(s3: Any) -> None:
    with pytest.raises(ClientError, match="MalformedXML"):
        s3.delete_objects(Bucket="rides", Delete={"Objects": [{"Key": f"{n}"} for n in range(1001)]})
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.delete_objects(Bucket="none", Delete={"Objects": [{"Key": "a"}]})
    with pytest.raises(ClientError, match="NoSuchVersion"):
        s3.delete_object(Bucket="rides", Key="a", VersionId="abc")
    s3.delete_object(Bucket="rides", Key="a", VersionId="null")
