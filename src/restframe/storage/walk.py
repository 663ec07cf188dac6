"""The keys below a directory in S3's order, which is that of their UTF-8 bytes, without reading all of them first."""

from __future__ import annotations

import contextlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import TypeVar

from restframe.storage.keys import decoded
from restframe.storage.names import Names
from restframe.storage.urls import MAX_KEY_BYTES

_LAST = "\U0010ffff"
Found = TypeVar("Found")


def plain_keys(root: str, prefix: str, after: str, names: Names, fold: bool = False) -> Iterator[tuple[str, str]]:
    """(key, path) of the regular files below `root` whose path begins with `prefix` and comes behind `after`.

    Symbolic links, devices and names that are not UTF-8 are passed over. One directory's names are held at a time,
    for each level.

    fold : what lies in a folder below the prefix's own is delivered as one key that ends in a slash; what lies in the
        folder that `after` is in, one by one
    """
    folder = prefix[: prefix.rfind("/") + 1]
    if not is_real_directory(root, folder):
        return
    open_folders = [_entries(f"{root}/{folder}", folder, prefix, after, names)]
    while open_folders:
        found = next(open_folders[-1], None)
        if found is None:
            open_folders.pop()
            continue
        key, path = found
        if not key.endswith("/"):
            yield found
        elif not fold or after.startswith(key):
            open_folders.append(_entries(path, key, prefix, after, names))
        elif _holds_a_key(path, key):
            yield found


def rolled_up(
    found: Iterable[tuple[str, Found]], prefix: str, delimiter: str, after: str
) -> Iterator[tuple[str, Found | None]]:
    """Of keys in order: those with the delimiter behind the prefix once for each beginning up to it, with None.

    When `after` is such a beginning itself, it was delivered before.
    """
    last = after
    for key, value in found:
        beginning = beginning_of(key, prefix, delimiter)
        if not beginning:
            yield key, value
        elif beginning != last:
            last = beginning
            yield beginning, None


def beginning_of(key: str, prefix: str, delimiter: str) -> str:
    """The key up to and with the first delimiter behind the prefix; empty when there is none."""
    place = key.find(delimiter, len(prefix)) if delimiter else -1
    return key[: place + len(delimiter)] if place >= 0 else ""


def behind(after: str, prefix: str, delimiter: str) -> str:
    """Where a walk goes on: when `after` is a rolled-up beginning, behind nearly everything that begins with it."""
    return after + _LAST if after and beginning_of(after, prefix, delimiter) == after else after


def is_real_directory(root: str, folder: str) -> bool:
    """Whether every step of a relative path that ends in a slash is a directory and no link."""
    path = root
    for segment in folder.split("/")[:-1]:
        if segment in ("", ".", "..") or "\0" in segment:
            return False
        path = f"{path}/{segment}"
        if os.path.islink(path) or not os.path.isdir(path):  # noqa: PTH112, PTH114
            return False
    return True


def _entries(directory: str, base: str, prefix: str, after: str, names: Names) -> Iterator[tuple[str, str]]:
    """What stands in one directory, in order; the key of a folder ends in a slash, which is also how it sorts."""
    directory = directory.rstrip("/")
    found = names.of(directory)
    # every key begins with `base`, and so does the prefix unless it is a part of `base`
    wanted = prefix[len(base) :]
    first = max(bisect_left(found, wanted), _first_behind(found, base, after))
    for place in range(first, len(found)):
        name = found[place]
        if not name.startswith(wanted):
            break
        if _is_key(base + name):
            yield base + name, f"{directory}/{name}".rstrip("/")


def _first_behind(names: list[str], base: str, after: str) -> int:
    """The place of the first name that leads to keys behind `after`."""
    if not after.startswith(base):
        return len(names) if after > base else 0
    folder, slash, _ = after[len(base) :].partition("/")
    return bisect_left(names, folder + slash) if slash else bisect_right(names, folder)


def _holds_a_key(directory: str, base: str) -> bool:
    """Whether there is a regular file anywhere below a directory whose path can be a key."""
    folders = [(directory, base)]
    while folders:
        directory, base = folders.pop()
        # removed since its parent was read, or too deep for the system: it holds no key
        with contextlib.suppress(OSError), os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False) and _is_key(base + entry.name):
                    return True
                if entry.is_dir(follow_symlinks=False) and _is_key(base + entry.name):
                    folders.append((entry.path, f"{base}{entry.name}/"))
    return False


def _is_key(key: str) -> bool:
    try:
        return len(key.encode()) <= MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False


def coded_keys(root: str, prefix: str, after: str) -> list[tuple[str, str]]:
    """(key, path) of the coded names below `root`, in order. There are few of them, so they are read at once."""
    found = []
    for directory, _, names in os.walk(root):
        pieces = directory[len(root) :].split("/")[1:]
        for name in names:
            key = decoded([*pieces, name])
            if key is not None and key > after and key.startswith(prefix):
                found.append((key, f"{directory}/{name}"))
    return sorted(found)
