"""Listings, through boto3."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

KEYS = ["2014/01/a", "2014/01/b", "2014/02/a", "2014.txt", "2015/x", "a b+c%20", "zz/", "zz/é"]


@pytest.fixture
def filled(s3: Any) -> Any:
    for key in KEYS:
        s3.put_object(Bucket="rides", Key=key, Body=key.encode())
    return s3


def found(page: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Keys and common prefixes."""
    return (
        [one["Key"] for one in page.get("Contents", [])],
        [one["Prefix"] for one in page.get("CommonPrefixes", [])],
    )


def test_a_listing_says_what_is_known_of_each_object(filled: Any) -> None:
    filled.put_object(Bucket="rides", Key="2014.txt", Body=b"hello", StorageClass="GLACIER", ChecksumAlgorithm="SHA1")
    page = filled.list_objects_v2(Bucket="rides", Prefix="2014.")
    (entry,) = page["Contents"]
    assert entry.pop("LastModified") == filled.head_object(Bucket="rides", Key="2014.txt")["LastModified"]
    assert entry == {
        "Key": "2014.txt",
        "ETag": '"5d41402abc4b2a76b9719d911017c592"',
        "ChecksumAlgorithm": ["SHA1"],
        "ChecksumType": "FULL_OBJECT",
        "Size": 5,
        "StorageClass": "GLACIER",
    }
    del page["ResponseMetadata"], page["Contents"]
    assert page == {
        "IsTruncated": False,
        "Name": "rides",
        "Prefix": "2014.",
        "MaxKeys": 1000,
        "KeyCount": 1,
        "EncodingType": "url",
    }


def test_prefixes_and_delimiters(filled: Any) -> None:
    def listed(**arguments: str) -> tuple[list[str], list[str]]:
        both = [found(call(Bucket="rides", **arguments)) for call in (filled.list_objects, filled.list_objects_v2)]
        assert both[0] == both[1]
        return both[0]

    assert listed() == (sorted(KEYS), [])
    assert listed(Delimiter="/") == (["2014.txt", "a b+c%20"], ["2014/", "2015/", "zz/"])
    assert listed(Prefix="2014/", Delimiter="/") == ([], ["2014/01/", "2014/02/"])
    assert listed(Prefix="2014/01/", Delimiter="/") == (["2014/01/a", "2014/01/b"], [])
    assert listed(Prefix="zz/", Delimiter="/") == (["zz/", "zz/é"], [])
    assert listed(Prefix="20", Delimiter="4/") == (["2014.txt", "2015/x"], ["2014/"])
    assert listed(Prefix="none") == ([], [])
    assert listed(Prefix="a b+") == (["a b+c%20"], [])


def test_pages(filled: Any) -> None:
    for name, delimiter, size in itertools.product(("list_objects", "list_objects_v2"), ("", "/", "a"), (1, 2, 3)):
        whole = found(filled.list_objects_v2(Bucket="rides", Delimiter=delimiter))
        pages = filled.get_paginator(name).paginate(
            Bucket="rides", Delimiter=delimiter, PaginationConfig={"PageSize": size}
        )
        keys: list[str] = []
        prefixes: list[str] = []
        for page in pages:
            some = found(page)
            assert len(some[0]) + len(some[1]) == size or not page["IsTruncated"]
            keys += some[0]
            prefixes += some[1]
        assert (keys, prefixes) == whole


def test_where_a_listing_begins(filled: Any) -> None:
    page = filled.list_objects_v2(Bucket="rides", StartAfter="2014/02/a")
    assert (found(page)[0], page["StartAfter"]) == (["2015/x", "a b+c%20", "zz/", "zz/é"], "2014/02/a")
    assert found(filled.list_objects(Bucket="rides", Marker="a"))[0] == ["a b+c%20", "zz/", "zz/é"]
    assert found(filled.list_objects_v2(Bucket="rides", StartAfter="zz/", Delimiter="/")) == ([], [])
    assert found(filled.list_objects_v2(Bucket="rides", StartAfter="zz/a", Delimiter="/")) == ([], ["zz/"])


def test_sizes_and_tokens_that_are_none(filled: Any) -> None:
    page = filled.list_objects_v2(Bucket="rides", MaxKeys=0)
    assert (found(page), page["IsTruncated"], page["KeyCount"]) == (([], []), False, 0)
    assert filled.list_objects_v2(Bucket="rides", MaxKeys=5000)["MaxKeys"] == 1000
    with pytest.raises(ClientError, match="InvalidArgument"):
        filled.list_objects_v2(Bucket="rides", MaxKeys=-1)
    with pytest.raises(ClientError, match="The continuation token provided is incorrect"):
        filled.list_objects_v2(Bucket="rides", ContinuationToken="x")


def test_owners(filled: Any) -> None:
    owner = filled.list_buckets()["Owner"]
    assert filled.list_objects(Bucket="rides")["Contents"][0]["Owner"] == owner
    assert filled.list_objects_v2(Bucket="rides", FetchOwner=True)["Contents"][0]["Owner"] == owner
    assert "Owner" not in filled.list_objects_v2(Bucket="rides")["Contents"][0]


def test_versions(filled: Any) -> None:
    page = filled.list_object_versions(Bucket="rides", MaxKeys=2)
    versions = [(one["Key"], one["VersionId"], one["IsLatest"]) for one in page["Versions"]]
    assert versions == [("2014.txt", "null", True), ("2014/01/a", "null", True)]
    assert (page["NextKeyMarker"], page["NextVersionIdMarker"]) == ("2014/01/a", "null")
    pages = filled.get_paginator("list_object_versions").paginate(Bucket="rides", PaginationConfig={"PageSize": 3})
    assert [one["Key"] for page in pages for one in page["Versions"]] == sorted(KEYS)


def test_a_hundred_thousand_keys(s3: Any, shared_aws: Any) -> None:
    folder: Path = shared_aws.warehouse.settings.buckets / "rides" / "many"
    folder.mkdir()
    for number in range(100_000):
        (folder / f"{number:06d}").touch()
    last = s3.list_objects_v2(Bucket="rides", StartAfter="many/099998")
    assert found(last)[0] == ["many/099999"]
    assert found(s3.list_objects_v2(Bucket="rides", Delimiter="/"))[1] == ["many/"]
    keys = 0
    token: dict[str, str] = {}
    for _ in range(20):
        page = s3.list_objects_v2(Bucket="rides", **token)
        keys += page["KeyCount"]
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert (keys, page["Contents"][-1]["Key"]) == (20_000, "many/019999")
