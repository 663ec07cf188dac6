"""Storage: which store a bucket is in, publications, and a disk that is full."""

from __future__ import annotations

from pathlib import Path

import pytest

from restframe import errors
from restframe.settings import S3Endpoint, Settings
from restframe.storage import About, ObjectUrl, Storage


def at(key: str) -> ObjectUrl:
    return ObjectUrl("rides", key)


def test_buckets_belong_to_the_first_endpoint_whose_pattern_fits(tmp_path: Path) -> None:
    far = S3Endpoint(buckets=("nyc-tlc", "far-*"), endpoint="http://127.0.0.1:9", allow_http=True)
    storage = Storage(Settings(directory=tmp_path, s3_endpoints=(far,)))
    assert not storage.is_own("nyc-tlc")
    assert not storage.is_own("far-away")
    assert storage.is_own("faraway")


def test_a_publication_appears_at_its_end(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    storage.put(at("out/old"), b"old")
    with storage.publish() as publication:
        publication.stage(at("out/0000"), "text/csv").write_bytes(b"1")
        publication.put(at("out/manifest"), b"{}")
        publication.delete(at("out/old"))
        assert [info.url.key for info in storage.list(at(""))] == ["out/old"]
    assert [info.url.key for info in storage.list(at(""))] == ["out/0000", "out/manifest"]
    info = storage.head(at("out/0000"))
    assert (info.size_bytes, info.about.content_type, info.etag[-2:]) == (1, "text/csv", "-1")


def test_published_objects_of_no_special_kind_need_no_description(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    storage.put(at("k"), b"old", about=About("text/csv", {"a": "b"}))
    with storage.publish() as publication:
        publication.put(at("k"), b"new")
        publication.put(at("l"), b"new")
    assert len(list(tmp_path.glob("s3/.restframe/about/**/*.json"))) == 1
    info = storage.head(at("k"))
    assert (info.about.content_type, info.about.metadata, info.etag[-2:]) == ("binary/octet-stream", {}, "-1")


def test_an_empty_publication_does_nothing(tmp_path: Path) -> None:
    with Storage(Settings(directory=tmp_path)).publish():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_publication_stays_in_one_store(tmp_path: Path) -> None:
    far = S3Endpoint(buckets=("far",), endpoint="http://127.0.0.1:9", allow_http=True)
    storage = Storage(Settings(directory=tmp_path, s3_endpoints=(far,)))
    with (
        pytest.raises(errors.NotSupportedError, match="one publication cannot span two object stores"),
        storage.publish() as publication,
    ):
        publication.put(at("a"), b"")
        publication.put(ObjectUrl("far", "a"), b"")
    assert list(storage.list(at(""))) == []


def test_a_bucket_is_not_an_object(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    with pytest.raises(errors.InvalidParameterValue, match='"s3://rides/" names no object'):
        storage.put(at(""), b"")
    with pytest.raises(errors.InvalidParameterValue, match=r'invalid bucket name "\.restframe"'):
        storage.read(ObjectUrl(".restframe", "intents"))


def test_keys_no_service_would_take_are_refused(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    for use in (storage.read, storage.delete, storage.list, lambda url: storage.put(url, b"")):
        with pytest.raises(errors.InvalidParameterValue, match="is 4096 bytes long, the limit is 1024"):
            use(at("k" * 4096))
        with pytest.raises(errors.InvalidParameterValue, match="not valid UTF-8"):
            use(at("\udc80"))


def test_a_full_disk_keeps_the_old_object_and_says_so(small_disk: Path) -> None:
    storage = Storage(Settings(directory=small_disk))
    storage.put(at("k"), b"old", about=About(metadata={"a": "b"}))
    with pytest.raises(errors.DiskFull, match='no space left for "s3://rides/k"'):
        storage.put(at("k"), bytes(2_000_000))
    assert storage.read(at("k")) == b"old"
    assert storage.head(at("k")).about.metadata == {"a": "b"}
    storage.put(at("k"), bytes(500_000))


def test_a_full_disk_publishes_nothing(small_disk: Path) -> None:
    storage = Storage(Settings(directory=small_disk))
    with pytest.raises(errors.DiskFull), storage.publish() as publication:
        publication.put(at("a"), bytes(400_000))
        publication.put(at("b"), bytes(400_000))
        publication.put(at("c"), bytes(400_000))
    assert list(storage.list(at(""))) == []
    storage.put(at("a"), bytes(400_000))
