"""Folders rolled up while a bucket is listed, compared with rolling up the list of all keys."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage
from restframe.storage.walk import beginning_of


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(Settings(directory=tmp_path))
    storage.create_bucket("rides")
    return storage


def put(storage: Storage, *keys: str) -> None:
    for key in keys:
        storage.put(ObjectUrl("rides", key), b"x")


def browse(storage: Storage, prefix: str = "", delimiter: str = "/", after: str = "") -> list[str]:
    found = storage.browse(ObjectUrl("rides", prefix), delimiter, after)
    return [one if isinstance(one, str) else f"={one.url.key}" for one in found]


def test_folders_are_rolled_up(storage: Storage) -> None:
    put(storage, "a.csv", "2014/jan/1", "2014/jan/2", "2014/feb/1", "2014.txt", "x//y", "marker/", "marker/in")
    assert browse(storage) == ["=2014.txt", "2014/", "=a.csv", "marker/", "x/"]
    assert browse(storage, "2014/") == ["2014/feb/", "2014/jan/"]
    assert browse(storage, "2014/j") == ["2014/jan/"]
    assert browse(storage, "marker/") == ["=marker/", "=marker/in"]
    assert browse(storage, delimiter="1") == ["201", "=a.csv", "=marker/", "=marker/in", "=x//y"]
    assert browse(storage, delimiter="") == [f"={i.url.key}" for i in storage.list(ObjectUrl("rides"))]


def test_a_listing_goes_on_behind_a_folder_or_in_it(storage: Storage) -> None:
    put(storage, "a/1", "a/2", "b", "c/1")
    assert browse(storage, after="a/") == ["=b", "c/"]
    assert browse(storage, after="a/1") == ["a/", "=b", "c/"]
    assert browse(storage, after="a/2") == ["=b", "c/"]
    assert browse(storage, after="b") == ["c/"]


def test_folders_without_objects_are_not_there(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "s3" / "rides" / "empty" / "deeper").mkdir(parents=True)
    (tmp_path / "s3" / "rides" / "linked").mkdir()
    (tmp_path / "s3" / "rides" / "linked" / "out").symlink_to("/etc/passwd")
    put(storage, "full/deep/k")
    assert browse(storage) == ["full/"]


def test_what_lies_in_a_folder_is_not_read(storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(storage, *(f"{folder}/{number}/k" for folder in "abc" for number in range(20)))
    read: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: read.append(str(path)) or scandir(path))
    assert browse(storage) == ["a/", "b/", "c/"]
    # the bucket, and down to one object in each folder
    assert len([path for path in read if "/rides" in path and ".restframe" not in path]) == 1 + 3 * 2


_KEYS = st.lists(st.text("ab/-é\U0010ffff", min_size=1, max_size=6), max_size=12)


@settings(max_examples=150, deadline=None)
@given(keys=_KEYS, prefix=st.text("ab/-", max_size=3), delimiter=st.sampled_from(["/", "-", "a/", "b"]))
def test_pages_are_the_rolled_up_list(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], prefix: str, delimiter: str
) -> None:
    storage = Storage(Settings(directory=tmp_path_factory.mktemp("store")))
    storage.create_bucket("rides")
    put(storage, *keys)
    wanted: list[str] = []
    for key in sorted(set(keys)):
        if key.startswith(prefix):
            rolled = beginning_of(key, prefix, delimiter)
            if not rolled:
                wanted.append(f"={key}")
            elif rolled not in wanted:
                wanted.append(rolled)
    assert browse(storage, prefix, delimiter) == wanted
    pages, after = [], ""
    while page := browse(storage, prefix, delimiter, after)[:1]:
        pages += page
        after = page[0].removeprefix("=")
    assert pages == wanted


def test_a_big_directory_is_read_once_until_it_changes(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = tmp_path / "s3" / "rides"
    for number in range(2_500):
        (bucket / f"{number:05d}").touch()
    settled = time.time_ns() - 10**9
    os.utime(bucket, ns=(settled, settled))
    read: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: read.append(str(path)) or scandir(path))
    assert browse(storage, after="02498") == ["=02499"]
    assert browse(storage, prefix="0000", after="00008") == ["=00009"]
    assert len([path for path in read if path == str(bucket)]) == 1
    (bucket / "02500").touch()
    (bucket / "02499").unlink()
    assert browse(storage, after="02498") == ["=02500"]
    (bucket / "02501").touch()
    assert browse(storage, after="02498") == ["=02500", "=02501"]
