"""ListParts and ListMultipartUploads, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError


def test_parts(s3: Any) -> None:
    upload = {"Bucket": "rides", "Key": "k", "ChecksumAlgorithm": "SHA1", "StorageClass": "STANDARD_IA"}
    upload = {"Bucket": "rides", "Key": "k", "UploadId": s3.create_multipart_upload(**upload)["UploadId"]}
    assert "Parts" not in s3.list_parts(**upload)
    for number in (7, 1, 3):
        s3.upload_part(**upload, PartNumber=number, Body=b"%d" % number, ChecksumAlgorithm="SHA1")
    page = s3.list_parts(**upload, MaxParts=2)
    parts = [(part["PartNumber"], part["Size"], part["ETag"], part["ChecksumSHA1"]) for part in page["Parts"]]
    assert parts == [
        (1, 1, '"c4ca4238a0b923820dcc509a6f75849b"', "NWoZK3kTsExUV00Ywo1G5jlUKKs="),
        (3, 1, '"eccbc87e4b5ce2fe28308fd9f2a7baf3"', "d95o2uzYI7q7tY7bHI4U1xBug7s="),
    ]
    assert (page["IsTruncated"], page["NextPartNumberMarker"], page["PartNumberMarker"]) == (True, 3, 0)
    assert (page["StorageClass"], page["ChecksumAlgorithm"], page["ChecksumType"]) == (
        "STANDARD_IA",
        "SHA1",
        "COMPOSITE",
    )
    pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 1})
    assert [part["PartNumber"] for page in pages for part in page["Parts"]] == [1, 3, 7]
    with pytest.raises(ClientError, match="NoSuchUpload"):
        s3.list_parts(Bucket="rides", Key="other", UploadId=upload["UploadId"])


def test_uploads(s3: Any) -> None:
    begun = [
        (key, s3.create_multipart_upload(Bucket="rides", Key=key)["UploadId"])
        for key in ("b ä", "a/1", "b ä", "a/2", "c")
    ]
    ordered = [begun[1], begun[3], begun[0], begun[2], begun[4]]

    def listed(page: dict[str, Any]) -> list[tuple[str, str]]:
        return [(one["Key"], one["UploadId"]) for one in page.get("Uploads", [])]

    assert listed(s3.list_multipart_uploads(Bucket="rides")) == ordered
    assert listed(s3.list_multipart_uploads(Bucket="rides", Prefix="a/")) == ordered[:2]
    rolled = s3.list_multipart_uploads(Bucket="rides", Delimiter="/")
    assert (listed(rolled), rolled["CommonPrefixes"]) == (ordered[2:], [{"Prefix": "a/"}])
    behind = s3.list_multipart_uploads(Bucket="rides", Delimiter="/", KeyMarker="a/")
    assert (listed(behind), "CommonPrefixes" in behind) == (ordered[2:], False)
    for size in (1, 2, 3):
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket="rides", PaginationConfig={"PageSize": size})
        assert [one for page in pages for one in listed(page)] == ordered
    s3.abort_multipart_upload(Bucket="rides", Key="c", UploadId=begun[4][1])
    assert listed(s3.list_multipart_uploads(Bucket="rides")) == ordered[:4]
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.list_multipart_uploads(Bucket="none")
