"""Files and directories that are on the disk when a call returns."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import threading
import time
from pathlib import Path
from typing import BinaryIO, cast


def new_name(directory: Path) -> Path:
    """A path in a directory that nobody else uses; plain letters, so that no reader takes it for a pattern."""
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{time.time_ns():x}-{os.urandom(8).hex()}"


def write_durably(path: Path, text: str, temporary: Path) -> None:
    """Make a file whole or not at all."""
    staged = new_name(temporary)
    try:
        with staged.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        replace_durably(staged, path)
    finally:
        staged.unlink(missing_ok=True)


def replace_durably(staged: Path, path: Path) -> None:
    """Give a file that is on the disk its final name, making folders as needed."""
    for attempts_left in reversed(range(100)):
        try:
            make_directory(path.parent)
            staged.replace(path)
            break
        except FileNotFoundError:
            # whoever deleted the last file in this folder may have taken the folder away
            if not attempts_left:
                raise
    sync_directory(path.parent)


def make_directory(path: Path) -> None:
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_durably(path: Path, keep: Path) -> bool:
    """Remove a regular file, and the folders it leaves empty below `keep`; whether it was there."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return False
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    with contextlib.suppress(FileNotFoundError):
        sync_directory(path.parent)
    with contextlib.suppress(OSError):  # not empty
        for folder in path.parents:
            if folder == keep:
                break
            folder.rmdir()
    return True


def seal(path: Path) -> os.stat_result:
    """Bring a finished file to the disk, stamped with a time that no other file has; its status."""
    now = unique_time_ns()
    os.utime(path, ns=(now, now))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


_clock = threading.Lock()
_last_ns = 0


def unique_time_ns() -> int:
    """The time, later than at every call before.

    File systems stamp files every few milliseconds only; two versions put faster than that must not look alike.
    """
    global _last_ns
    with _clock:
        _last_ns = max(time.time_ns(), _last_ns + 1)
        return _last_ns


def part_of(file: BinaryIO, start: int, end: int) -> BinaryIO:
    """The bytes from `start` up to `end` of a seekable file, which is closed with what this returns."""
    return cast(BinaryIO, io.BufferedReader(_Part(file, start, end), 1 << 17))


class _Part(io.RawIOBase):
    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._left = max(0, end - start)
        file.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        count = self._file.readinto(memoryview(buffer)[: self._left])  # type: ignore[attr-defined]
        self._left -= count
        return int(count)

    def close(self) -> None:
        self._file.close()
        super().close()
