"""s3:// locations, bucket names and keys."""

from __future__ import annotations

import pytest

from restframe import errors
from restframe.storage import ObjectUrl


def test_a_url_is_a_bucket_and_a_key_taken_as_they_stand() -> None:
    assert ObjectUrl.parse("s3://nyc-tlc/trip data/green%20_2020") == ObjectUrl("nyc-tlc", "trip data/green%20_2020")
    assert ObjectUrl.parse("s3://bucket") == ObjectUrl.parse("S3://bucket/") == ObjectUrl("bucket", "")
    assert str(ObjectUrl("bucket", "a//b")) == "s3://bucket/a//b"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bucket/key", '"bucket/key" is not an object store location'),
        ("https://bucket/key", '"https://bucket/key" is not an object store location'),
        ("", '"" is not an object store location'),
        ("s3:///key", 'invalid bucket name ""'),
        ("s3://Bucket/key", 'invalid bucket name "Bucket"'),
        ("s3://../key", 'invalid bucket name ".."'),
        ("s3://.restframe/temporary", 'invalid bucket name ".restframe"'),
        ("s3://a..b/key", 'invalid bucket name "a..b"'),
        ("s3://192.168.0.1/key", 'invalid bucket name "192.168.0.1"'),
        ("s3://" + "b" * 64 + "/key", 'invalid bucket name "' + "b" * 64 + '"'),
        ("s3://bucket/" + "ä" * 600, 'object key "' + "ä" * 100 + '..." is 1200 bytes long, the limit is 1024'),
        ("s3://bucket/\udcff", "object key is not valid UTF-8"),
    ],
)
def test_what_is_no_location_is_refused_by_name(text: str, message: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        ObjectUrl.parse(text)
    assert caught.value.message == message
