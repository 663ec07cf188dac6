"""Raw files as blocks of whole lines, decompressed on the way, in bounded memory."""

from __future__ import annotations

import contextlib
import hashlib
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from restframe_epidemic import errors

BLOCK_BYTES = 8 << 20
_LONGEST_LINE_BYTES = 64 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_CODECS = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}

# Called with the bytes of the raw file that were read since the last call.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a file, how many they are, and the number of the first, counted from 1."""

    data: bytes
    line: int
    lines: int


class _Counted:
    """A raw file that tells how far it was read, and what was read."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress
        self.hash = hashlib.sha256()
        self.offset = 0
        self.closed = False

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.hash.update(data)
        self.offset += len(data)
        self._progress(len(data))
        return data

    def close(self) -> None:
        """Arrow's streams close what they read from; the file is closed by who opened it."""
        self.closed = True


class RawFile:
    """One delimited raw file, read once from its beginning to its end.

    sha256 : of the raw bytes, once `blocks` has ended
    """

    def __init__(self, path: Path, name: str, progress: Progress) -> None:
        self.path = path
        self.name = name
        self.sha256 = ""
        self._progress = progress
        self._whole_lines = 0

    def blocks(self, size_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
        """All lines. Decompression runs in a thread of its own, one block ahead.

        DataError when the file is damaged, ends early, changes while it is read, or has a line of over 64 MiB.
        """
        ahead: queue.Queue[Block | BaseException | None] = queue.Queue(maxsize=1)
        stop = threading.Event()

        def put(item: Block | BaseException | None) -> None:
            while not stop.is_set():
                with contextlib.suppress(queue.Full):
                    ahead.put(item, timeout=0.1)
                    return

        def read() -> None:
            try:
                for block in self._lines(size_bytes):
                    put(block)
                    if stop.is_set():
                        return
                put(None)
            except BaseException as error:  # noqa: BLE001 (raised again by who waits for the block)
                put(error)

        thread = threading.Thread(target=read, name=f"reading {self.name}", daemon=True)
        thread.start()
        try:
            while (item := ahead.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            stop.set()
            thread.join()

    def _lines(self, size_bytes: int) -> Iterator[Block]:
        line = 1
        rest = b""
        for piece in self._pieces(size_bytes):
            rest += piece
            if line == 1:
                rest = rest.removeprefix(_BYTE_ORDER_MARK)
            end = _end_of_rows(rest)
            if end == 0 and len(rest) > size_bytes:
                end = rest.rfind(b"\n") + 1  # blank lines alone, and more than can wait
            if end == 0 and len(rest) > _LONGEST_LINE_BYTES:
                raise errors.DataError(f"{self.name}:{line}: the line is longer than 64 MiB")
            if end:
                lines = rest.count(b"\n", 0, end)
                yield Block(rest[:end], line, lines)
                rest = rest[end:]
                line += lines
                self._whole_lines = line - 1
        if rest.strip(b"\r\n"):
            yield Block(rest, line, rest.count(b"\n") + 1)

    def _pieces(self, size_bytes: int) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            before = self.path.stat()
            counted = _Counted(file, self._progress)
            codec = _CODECS.get(self.path.suffix.lower())
            stream = pa.PythonFile(counted, "r")
            try:
                source = pa.CompressedInputStream(stream, codec) if codec else stream
                while data := source.read(size_bytes):
                    yield data
                # what stands behind the last compressed stream is read, too, so that the hash has it
                while counted.read(1 << 20):
                    pass
            except OSError as error:
                if codec is None or error.errno is not None:
                    raise errors.DataError(f"{self.name}: {error}") from error
                raise errors.DataError(
                    f"{self.name}: the {codec} archive is damaged or ends early, at byte {counted.offset} of"
                    f" {before.st_size}, after line {self._whole_lines} ({str(error)[:100]})",
                    hint="Nothing of the file was loaded. Fetch it again.",
                ) from error
            after = self.path.stat()
            if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                raise errors.DataError(
                    f"{self.name}: the file changed while it was read", hint="Run the command again."
                )
            self.sha256 = counted.hash.hexdigest()


def _end_of_rows(data: bytes) -> int:
    """Behind the last whole line that is not blank: at the end of a file blank lines are nothing to tell of, so they
    wait for what follows. 0 when there is none.
    """
    end = data.rfind(b"\n") + 1
    if data.endswith((b"\n\n", b"\n\r\n"), max(end - 3, 0), end) or end <= 2:
        rows = len(data[:end].rstrip(b"\r\n"))
        end = data.index(b"\n", rows) + 1 if rows else 0
    return end


def sha256(path: Path, progress: Progress) -> str:
    """Of a whole file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(1 << 20):
            digest.update(data)
            progress(len(data))
    return digest.hexdigest()
