"""The keys below a directory in S3's order, which is that of their UTF-8 bytes, without reading all of them first."""

from __future__ import annotations

import os
from collections.abc import Iterator

from restframe.storage.keys import decoded
from restframe.storage.urls import MAX_KEY_BYTES


def plain_keys(root: str, prefix: str, after: str) -> Iterator[tuple[str, str]]:
    """(key, path) of the regular files below `root` whose path begins with `prefix` and comes behind `after`.

    Symbolic links, devices and names that are not UTF-8 are passed over. One directory's names are held at a time,
    for each level.
    """
    folder = prefix[: prefix.rfind("/") + 1]
    if not is_real_directory(root, folder):
        return
    open_folders = [_entries(f"{root}/{folder}", folder, prefix, after)]
    while open_folders:
        found = next(open_folders[-1], None)
        if found is None:
            open_folders.pop()
        elif found[0].endswith("/"):
            open_folders.append(_entries(found[1], found[0], prefix, after))
        else:
            yield found


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


def _entries(directory: str, base: str, prefix: str, after: str) -> Iterator[tuple[str, str]]:
    """What stands in one directory, in order; the key of a folder ends in a slash, which is also how it sorts."""
    found = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                key = f"{base}{entry.name}/" if is_folder else base + entry.name
                if is_folder:
                    wanted = (key > after or after.startswith(key)) and (
                        key.startswith(prefix) or prefix.startswith(key)
                    )
                else:
                    wanted = key > after and key.startswith(prefix) and entry.is_file(follow_symlinks=False)
                if wanted and _is_key(key):
                    found.append((key, entry.path))
    except OSError:
        # removed since its parent was read, or too deep for the system: it holds no key
        return iter(())
    found.sort()
    return iter(found)


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
