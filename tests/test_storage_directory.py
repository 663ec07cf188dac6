"""Our own object store, as a bucket's user and as somebody with a shell on the machine sees it."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.settings import Settings
from restframe.storage import About, ObjectInfo, ObjectUrl, Storage


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(Settings(directory=tmp_path))


@pytest.fixture
def bucket(storage: Storage, tmp_path: Path) -> Path:
    """The directory of the bucket `rides`."""
    storage.create_bucket("rides")
    return tmp_path / "s3" / "rides"


def at(key: str) -> ObjectUrl:
    return ObjectUrl("rides", key)


def keys(storage: Storage, prefix: str = "", after: str = "") -> list[str]:
    return [info.url.key for info in storage.list(at(prefix), after)]


def test_put_then_read(storage: Storage, bucket: Path) -> None:
    info = storage.put(at("2014/jan.csv"), b"hello", about=About("text/csv", {"source": "nab"}))
    assert (info.size_bytes, info.etag) == (5, "5d41402abc4b2a76b9719d911017c592")
    assert storage.head(at("2014/jan.csv")) == info
    assert (info.about.content_type, info.about.metadata) == ("text/csv", {"source": "nab"})
    assert storage.read(at("2014/jan.csv")) == b"hello"
    assert storage.read(at("2014/jan.csv"), 1, 3) == b"el"
    assert storage.read(at("2014/jan.csv"), 3, 99) == b"lo"
    assert storage.read(at("2014/jan.csv"), 99) == b""
    assert (bucket / "2014" / "jan.csv").read_bytes() == b"hello"


def test_a_put_takes_bytes_files_paths_and_pieces(storage: Storage, bucket: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc" * 700_000)
    sources = [b"abc" * 700_000, io.BytesIO(b"abc" * 700_000), tmp_path / "file", (b"abc" for _ in range(700_000))]
    etags = [storage.put(at("k"), source).etag for source in sources]
    assert etags == [hashlib.md5(b"abc" * 700_000).hexdigest()] * 4


def test_a_source_that_fails_leaves_the_old_object_and_no_litter(
    storage: Storage, bucket: Path, tmp_path: Path
) -> None:
    def torn() -> Iterator[bytes]:
        yield b"new"
        raise ZeroDivisionError

    storage.put(at("k"), b"old")
    with pytest.raises(ZeroDivisionError):
        storage.put(at("k"), torn())
    assert storage.read(at("k")) == b"old"
    assert list((tmp_path / "s3/.restframe/temporary").iterdir()) == []


def test_a_reader_keeps_the_version_it_opened(storage: Storage, bucket: Path) -> None:
    storage.put(at("k"), b"old")
    with storage.open(at("k")) as found, storage.local_file(at("k")) as path:
        storage.put(at("k"), b"newer")
        storage.delete(at("k"))
        assert (found.info.size_bytes, found.stream.read()) == (3, b"old")
        assert path.read_bytes() == b"old"
    assert not path.exists()


def test_local_file_is_the_object_itself_under_a_harmless_name(storage: Storage, bucket: Path) -> None:
    storage.put(at("a[1]*/vendor=2/x.csv.gz"), b"x")
    with storage.local_file(at("a[1]*/vendor=2/x.csv.gz")) as path:
        assert path.samefile(bucket / "a[1]*/vendor=2/x.csv.gz")
        assert path.name.replace("-", "").isalnum()


def test_files_dropped_into_the_bucket_are_objects(storage: Storage, bucket: Path) -> None:
    (bucket / "trip data").mkdir()
    (bucket / "trip data" / "zürich.csv").write_bytes(b"1,2")
    info = storage.head(at("trip data/zürich.csv"))
    assert info.size_bytes == 3
    assert info.etag.endswith("-1")
    assert storage.head(at("trip data/zürich.csv")).etag == info.etag
    assert keys(storage, "trip data/") == ["trip data/zürich.csv"]


def test_a_file_edited_by_hand_loses_its_description(storage: Storage, bucket: Path) -> None:
    put = storage.put(at("k"), b"12345", about=About("text/csv", {"a": "b"}))
    (bucket / "k").write_bytes(b"54321")
    found = storage.head(at("k"))
    assert found.etag != put.etag
    assert (found.about.content_type, found.about.metadata) == ("binary/octet-stream", {})


def test_two_versions_of_one_size_put_at_once_differ(storage: Storage, bucket: Path) -> None:
    for number in range(20):
        storage.put(at("k"), b"%02d" % number, about=About(metadata={"n": str(number)}))
        info = storage.head(at("k"))
        assert (info.etag, info.about.metadata) == (hashlib.md5(b"%02d" % number).hexdigest(), {"n": str(number)})


def test_list_is_in_the_order_of_keys_not_of_folders(storage: Storage, bucket: Path) -> None:
    wanted = ["a", "a!", "a-b", "a.csv", "a//b", "a/b", "a/b/c", "a/c", "a0", "aa", "b/", "b/ä", "z\0", "ä", "數"]
    for key in random.Random(1).sample(wanted, len(wanted)):
        storage.put(at(key), key.encode())
    assert keys(storage) == sorted(wanted, key=str.encode)
    assert keys(storage, "a/") == ["a//b", "a/b", "a/b/c", "a/c"]
    assert keys(storage, "a/b") == ["a/b", "a/b/c"]
    assert keys(storage, "a", after="a/b") == ["a/b/c", "a/c", "a0", "aa"]
    assert keys(storage, after="a/b/zzz") == ["a/c", "a0", "aa", "b/", "b/ä", "z\0", "ä", "數"]
    assert keys(storage, "nothing/here") == []


def test_a_page_at_a_time_gives_every_key_once(storage: Storage, bucket: Path) -> None:
    for number in range(50):
        storage.put(at(f"{number % 3}/{number % 7}/{number}"), b"")
    pages, after = [], ""
    while page := keys(storage, after=after)[:4]:
        pages += page
        after = page[-1]
    assert pages == keys(storage)
    assert len(pages) == 50


_segment = st.sampled_from(["a", "b", "", "..", ".", "a.b", "x" * 256, "ö ", "\0", "%2F", ".restframe"])
_key = st.lists(_segment, min_size=1, max_size=4).map("/".join).filter(bool)


@given(st.lists(st.tuples(_key, st.booleans()), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_keys_beside_one_another_behave_like_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool]]
) -> None:
    directory = tmp_path_factory.mktemp("store")
    storage = Storage(Settings(directory=directory))
    storage.create_bucket("rides")
    model: dict[str, bytes] = {}
    for number, (key, put) in enumerate(steps):
        if put:
            model[key] = b"%d" % number
            assert storage.put(at(key), model[key]).etag == hashlib.md5(model[key]).hexdigest()
        else:
            assert storage.delete(at(key)) == (model.pop(key, None) is not None)
        assert keys(storage) == sorted(model, key=str.encode)
    assert {key: storage.read(at(key)) for key in model} == model
    assert sorted(path.name for path in directory.iterdir()) == ["s3"]
    assert sorted(path.name for path in (directory / "s3").iterdir()) in (["rides"], [".restframe", "rides"])


def test_deleting_takes_empty_folders_along(storage: Storage, bucket: Path) -> None:
    storage.put(at("a/b/c"), b"")
    storage.put(at("a/d"), b"")
    assert storage.delete(at("a/b/c")) is True
    assert not (bucket / "a/b").exists()
    assert storage.delete(at("a/b/c")) is False
    storage.delete(at("a/d"))
    assert list(bucket.iterdir()) == []


def test_copy_keeps_type_and_metadata(storage: Storage, bucket: Path) -> None:
    storage.put(at("a"), b"x", about=About("text/csv", {"m": "1"}))
    storage.copy(at("a"), at("folder/b"))
    info = storage.head(at("folder/b"))
    assert (info.about.content_type, info.about.metadata, storage.read(info.url)) == ("text/csv", {"m": "1"}, b"x")


def test_links_are_no_way_out_of_the_bucket(storage: Storage, bucket: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_bytes(b"secret")
    (bucket / "folder").symlink_to(secret)
    (bucket / "file").symlink_to(secret / "key")
    (tmp_path / "s3" / "linked").symlink_to(secret)
    assert keys(storage) == keys(storage, "folder/") == []
    for key in ("folder/key", "file"):
        with pytest.raises(errors.NoSuchKey):
            storage.read(at(key))
        storage.put(at(key), b"mine")
        assert storage.read(at(key)) == b"mine"
        storage.delete(at(key))
    assert (secret / "key").read_bytes() == b"secret"
    with pytest.raises(errors.NoSuchBucket):
        storage.read(ObjectUrl("linked", "key"))
    assert [name for name, _ in storage.buckets()] == ["rides"]


def test_pipes_and_names_that_are_no_text_are_no_objects(storage: Storage, bucket: Path) -> None:
    os.mkfifo(bucket / "pipe")
    (bucket / os.fsdecode(b"\xff\xfe")).write_bytes(b"")
    storage.put(at("k"), b"")
    assert keys(storage) == ["k"]
    with pytest.raises(errors.NoSuchKey):
        storage.read(at("pipe"))


def test_missing_buckets_and_keys_are_told_apart(storage: Storage, bucket: Path) -> None:
    with pytest.raises(errors.NoSuchKey, match='object "s3://rides/no" does not exist'):
        storage.head(at("no"))
    for use in (storage.head, storage.delete, lambda url: list(storage.list(url))):
        with pytest.raises(errors.NoSuchBucket, match='bucket "none" does not exist'):
            use(ObjectUrl("none", "k"))


def test_buckets_come_into_being_when_written_to_unless_told_otherwise(storage: Storage, tmp_path: Path) -> None:
    storage.put(ObjectUrl("new", "k"), b"")
    assert storage.bucket_exists("new")
    strict = Storage(Settings(directory=tmp_path, auto_create_buckets=False))
    with pytest.raises(errors.NoSuchBucket):
        strict.put(ObjectUrl("other", "k"), b"")
    assert strict.create_bucket("other") is True
    assert strict.create_bucket("other") is False
    strict.put(ObjectUrl("other", "k"), b"")
    assert [name for name, _ in strict.buckets()] == ["new", "other"]


def test_only_an_empty_bucket_is_deleted(storage: Storage, bucket: Path) -> None:
    storage.put(at("a//b"), b"")
    with pytest.raises(errors.ObjectInUse, match='bucket "rides" is not empty'):
        storage.delete_bucket("rides")
    storage.delete(at("a//b"))
    (bucket / "empty" / "folders").mkdir(parents=True)
    storage.delete_bucket("rides")
    assert not storage.bucket_exists("rides")
    with pytest.raises(errors.NoSuchBucket):
        storage.delete_bucket("rides")


def test_a_precondition_sees_what_it_would_replace_and_can_refuse(storage: Storage, bucket: Path) -> None:
    def absent(old: ObjectInfo | None) -> None:
        if old is not None:
            raise errors.DuplicateObject(f"is {old.etag}")

    storage.put(at("k"), b"hello", precondition=absent)
    with pytest.raises(errors.DuplicateObject, match="is 5d41402abc4b2a76b9719d911017c592"):
        storage.put(at("k"), b"other", precondition=absent)
    assert storage.read(at("k")) == b"hello"


def test_of_many_writers_who_all_want_to_be_first_one_wins(storage: Storage, bucket: Path) -> None:
    def first(old: ObjectInfo | None) -> None:
        if old is not None:
            raise errors.DuplicateObject("taken")

    won: list[int] = []

    def write(number: int) -> None:
        try:
            storage.put(at("k"), b"%d" % number, precondition=first)
            won.append(number)
        except errors.DuplicateObject:
            pass

    _together(write, 8)
    assert [storage.read(at("k"))] == [b"%d" % number for number in won]


def test_readers_beside_writers_see_whole_versions_with_their_own_etags(storage: Storage, bucket: Path) -> None:
    versions = [bytes([number]) * (1000 + number) for number in range(8)]
    etags = {hashlib.md5(version).hexdigest() for version in versions}
    storage.put(at("k"), versions[0])
    wrong: list[str] = []

    def work(number: int) -> None:
        for turn in range(30):
            if number % 2:
                storage.put(at("k"), versions[(number + turn) % 8])
            else:
                with storage.open(at("k")) as found:
                    seen = hashlib.md5(found.stream.read()).hexdigest()
                    if seen != found.info.etag or seen not in etags:
                        wrong.append(f"{seen} {found.info.etag}")

    _together(work, 4)
    assert wrong == []


def test_folders_come_and_go_under_concurrent_puts_and_deletes(storage: Storage, bucket: Path) -> None:
    def work(number: int) -> None:
        for _ in range(30):
            storage.put(at(f"a/b/{number}"), b"x")
            assert storage.read(at(f"a/b/{number}")) == b"x"
            storage.delete(at(f"a/b/{number}"))

    _together(work, 4)
    assert keys(storage) == []


def test_a_file_that_may_not_be_read_is_denied_by_name(storage: Storage, bucket: Path) -> None:
    storage.put(at("k"), b"")
    (bucket / "k").chmod(0)
    with as_nobody(), pytest.raises(errors.StorageAccessDenied, match='access to "s3://rides/k" was denied'):
        storage.read(at("k"))


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """Without the superuser's rights, if the tests have them."""
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(65534)
    try:
        yield
    finally:
        if superuser:
            os.seteuid(0)


def _together(work: Callable[[int], None], threads: int) -> None:
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


def test_what_is_kept_with_an_object_can_change_without_its_bytes(storage: Storage, bucket: Path) -> None:
    before = storage.put(at("k"), b"12345", about=About("text/csv", {"a": "b"}))
    changed = storage.describe(at("k"), lambda info: dataclasses.replace(info.about, tags={"team": "taxi"}))
    assert changed == dataclasses.replace(before, about=About("text/csv", {"a": "b"}, tags={"team": "taxi"}))
    assert storage.head(at("k")) == changed
    (bucket / "dropped").write_bytes(b"x")
    mark = storage.head(at("dropped")).etag
    assert storage.describe(at("dropped"), lambda _: About("text/plain")).etag == mark
    assert storage.head(at("dropped")).about.content_type == "text/plain"
    with pytest.raises(errors.NoSuchKey):
        storage.describe(at("none"), lambda info: info.about)


def test_a_description_made_at_the_end_may_refuse_the_bytes(storage: Storage, bucket: Path) -> None:
    def describe(md5: str) -> About:
        if md5 != "827ccb0eea8a706c4c34a16891f84e7b":
            raise errors.IntegrityError("not the bytes that were meant")
        return About(checksums={"md5": md5})

    assert storage.put(at("k"), b"12345", about=describe).about.checksums["md5"] == "827ccb0eea8a706c4c34a16891f84e7b"
    with pytest.raises(errors.IntegrityError):
        storage.put(at("k"), b"54321", about=describe)
    assert storage.read(at("k")) == b"12345"


def test_a_delete_may_be_refused(storage: Storage, bucket: Path) -> None:
    def refuse(info: ObjectInfo | None) -> None:
        if info is not None:
            raise errors.IntegrityError(info.etag)

    storage.put(at("k"), b"12345")
    with pytest.raises(errors.IntegrityError, match="827ccb0eea8a706c4c34a16891f84e7b"):
        storage.delete(at("k"), refuse)
    assert storage.read(at("k")) == b"12345"
    assert storage.delete(at("none"), refuse) is False


def test_a_bucket_keeps_notes_until_it_is_removed(storage: Storage, bucket: Path) -> None:
    notes = storage.own.notes
    assert notes.get("rides", "tags") is None
    notes.put("rides", "tags", "ä=1")
    assert notes.get("rides", "tags") == "ä=1"
    storage.delete_bucket("rides")
    assert notes.get("rides", "tags") is None
    notes.put("rides", "tags", "x")
    notes.delete("rides", "tags")
    notes.delete("rides", "tags")
    assert notes.get("rides", "tags") is None


def test_sidecars_of_the_first_version_are_read(storage: Storage, bucket: Path) -> None:
    info = storage.put(at("k"), b"12345")
    (sidecar,) = (bucket.parent / ".restframe" / "about" / "rides").rglob("*.json")
    raw = json.loads(sidecar.read_bytes())
    raw["versions"] = [{**raw["versions"][0], "content_type": "text/csv", "metadata": {"a": "b"}}]
    sidecar.write_text(json.dumps(raw))
    assert storage.head(at("k")) == dataclasses.replace(info, about=About("text/csv", {"a": "b"}))
