"""Names of directories, kept while nothing changes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from restframe.storage import names
from restframe.storage.names import Names


@pytest.fixture(autouse=True)
def small_ones_are_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_BIG", 2)
    monkeypatch.setattr(names, "_KEPT", 6)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The directories that were read."""
    found: list[str] = []
    read = names._read
    monkeypatch.setattr(names, "_read", lambda directory: found.append(directory) or read(directory))
    return found


def make(directory: Path, *keys: str, age_s: float = 1) -> str:
    directory.mkdir(exist_ok=True)
    for key in keys:
        (directory / key).touch()
    stamp = time.time() - age_s
    os.utime(directory, (stamp, stamp))
    return str(directory)


def test_folders_and_files_in_the_order_of_their_keys(tmp_path: Path) -> None:
    make(tmp_path / "d", "b", "a.x", "a0")
    (tmp_path / "d" / "a").mkdir()
    (tmp_path / "d" / "link").symlink_to("b")
    os.mkfifo(tmp_path / "d" / "pipe")
    assert Names().of(str(tmp_path / "d")) == ["a.x", "a/", "a0", "b"]
    assert Names().of(str(tmp_path / "none")) == []
    assert Names().of(str(tmp_path / "d" / "b")) == []


def test_read_once_while_nothing_changes(tmp_path: Path, reads: list[str]) -> None:
    known, directory = Names(), make(tmp_path / "d", "a", "b")
    assert [known.of(directory) for _ in range(3)] == [["a", "b"]] * 3
    assert len(reads) == 1
    (tmp_path / "d" / "c").touch()
    assert known.of(directory) == ["a", "b", "c"]


def test_a_directory_that_changed_just_now_is_read_again(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its stamp might be the same after one change more."""
    monkeypatch.setattr(names, "_SETTLED_NS", 60 * 10**9)
    known, directory = Names(), make(tmp_path / "d", "a", "b", age_s=0)
    known.of(directory)
    known.of(directory)
    assert len(reads) == 2


def test_not_more_is_kept_than_there_is_room_for(tmp_path: Path, reads: list[str]) -> None:
    known = Names()
    first, second, small, large = (
        make(tmp_path / "first", *"abcd"),
        make(tmp_path / "second", *"abcd"),
        make(tmp_path / "small", "a"),
        make(tmp_path / "large", *"abcdefg"),
    )
    for directory in (first, first, second, second, first, small, small, large, large):
        known.of(directory)
    assert [Path(directory).name for directory in reads] == [
        "first",
        "second",
        "first",
        "small",
        "small",
        "large",
        "large",
    ]
