"""Which bytes a request is for, with the real answer of a server beside each."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

DATA = b"0123456789"


@pytest.fixture(scope="module")
def expected() -> dict[str, tuple[int, bytes, str | None]]:
    whole = (200, DATA, None)
    return {
        "bytes=0-3": (206, b"0123", "bytes 0-3/10"),
        "bytes=3-3": (206, b"3", "bytes 3-3/10"),
        "bytes=7-": (206, b"789", "bytes 7-9/10"),
        "bytes=7-99": (206, b"789", "bytes 7-9/10"),
        "bytes=-3": (206, b"789", "bytes 7-9/10"),
        "bytes=-99": (206, DATA, "bytes 0-9/10"),
        "bytes=0-": (206, DATA, "bytes 0-9/10"),
        # what is no range, or several, is passed over
        "bytes=5-3": whole,
        "bytes=a-b": whole,
        "bytes=-": whole,
        "items=0-3": whole,
        "bytes=0-1,3-4": whole,
        "bytes=0-99999999999999999999999999999": whole,
        "bytes=\u0661-": whole,
    }


def test_ranges(s3: Any, expected: dict[str, tuple[int, bytes, str | None]]) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=DATA)
    for text, (status, body, content_range) in expected.items():
        if not text.isascii():
            continue
        found = s3.get_object(Bucket="rides", Key="k", Range=text)
        answer = found["ResponseMetadata"]["HTTPStatusCode"], found["Body"].read(), found.get("ContentRange")
        assert answer == (status, body, content_range), text
        head = s3.head_object(Bucket="rides", Key="k", Range=text)
        assert (head["ResponseMetadata"]["HTTPStatusCode"], head["ContentLength"]) == (status, len(body)), text


@pytest.mark.parametrize("text", ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999-"])
def test_ranges_beyond_the_end(s3: Any, text: str) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=DATA)
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket="rides", Key="k", Range=text)
    error = refused.value.response["Error"]
    assert (error["Code"], error["ActualObjectSize"], error["RangeRequested"]) == ("InvalidRange", "10", text)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 416


def test_an_empty_object_has_no_ranges(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"")
    for text in ("bytes=0-", "bytes=-5", "bytes=0-0"):
        with pytest.raises(ClientError, match="InvalidRange"):
            s3.get_object(Bucket="rides", Key="k", Range=text)
    assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b""


def test_the_only_part_of_an_object_in_one_piece(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=DATA)
    found = s3.get_object(Bucket="rides", Key="k", PartNumber=1)
    assert (found["Body"].read(), found["ContentRange"]) == (DATA, "bytes 0-9/10")
    with pytest.raises(ClientError, match="InvalidPartNumber"):
        s3.get_object(Bucket="rides", Key="k", PartNumber=2)
    with pytest.raises(ClientError, match="Cannot specify both Range header and partNumber"):
        s3.get_object(Bucket="rides", Key="k", PartNumber=1, Range="bytes=0-1")
