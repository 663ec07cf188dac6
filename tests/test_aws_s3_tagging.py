"""Tags of objects, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def tags(**values: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in values.items()]


def test_tags_come_and_go_and_the_object_stays(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"x", Tagging="team=t%C3%A4xi&empty=", Metadata={"a": "b"})
    assert s3.get_object_tagging(Bucket="rides", Key="k")["TagSet"] == tags(team="täxi", empty="")
    before = s3.head_object(Bucket="rides", Key="k")
    s3.put_object_tagging(Bucket="rides", Key="k", Tagging={"TagSet": tags(year="2014")})
    assert s3.get_object_tagging(Bucket="rides", Key="k")["TagSet"] == tags(year="2014")
    s3.delete_object_tagging(Bucket="rides", Key="k")
    assert s3.get_object_tagging(Bucket="rides", Key="k")["TagSet"] == []
    after = s3.head_object(Bucket="rides", Key="k")
    for member in ("ETag", "LastModified", "Metadata"):
        assert before[member] == after[member]
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object_tagging(Bucket="rides", Key="none")
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.put_object_tagging(Bucket="rides", Key="none", Tagging={"TagSet": []})


@pytest.mark.parametrize(
    ("listed", "code"),
    [
        (tags(a="1") + tags(a="2"), "InvalidTag"),
        (tags(**{"aws:a": "1"}), "InvalidTag"),
        (tags(**{"k" * 129: "1"}), "InvalidTag"),
        (tags(k="v" * 257), "InvalidTag"),
        (tags(**{f"k{number}": "" for number in range(11)}), "BadRequest"),
    ],
)
def test_tags_that_s3_would_not_take(s3: Any, listed: list[dict[str, str]], code: str) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"x")
    with pytest.raises(ClientError, match=code):
        s3.put_object_tagging(Bucket="rides", Key="k", Tagging={"TagSet": listed})


@pytest.mark.parametrize("text", ["a=1&a=2", "=x", "a=%ff", "&".join(f"k{n}=" for n in range(11))])
def test_headers_that_s3_would_not_take(s3: Any, text: str) -> None:
    with pytest.raises(ClientError, match=r"InvalidTag|BadRequest"):
        s3.put_object(Bucket="rides", Key="k", Body=b"x", Tagging=text)
