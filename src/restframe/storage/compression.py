"""gzip, bzip2 and zstd, read with everything checked that the format lets one check.

gzip carries a CRC and a length, bzip2 a CRC; zstd frames carry a checksum when their writer put one in (the zstd
program does, Arrow and DuckDB do not), otherwise a flipped bit in one can pass. Several streams behind one another
are one file, as for gzip(1); anything else behind a stream is damage, except gzip's padding with zeros.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, cast

from restframe import errors
from restframe.storage.files import new_name
from restframe.storage.objects import translated
from restframe.storage.urls import shown

Codec = Literal["gzip", "bzip2", "zstd", "lzop"]

# Called after each piece with the compressed bytes read so far and their total; raises to stop.
Step = Callable[[int, int], None]

_READ_BYTES = 1 << 18
_WRITE_BYTES = 1 << 20


@contextlib.contextmanager
def decompressed(
    path: Path, codec: Codec, directory: Path, *, name: str, step: Step | None = None, limit_bytes: int | None = None
) -> Iterator[Path]:
    """A file in `directory` with the decompressed bytes of the file at `path`; gone when the context ends.

    name : what the object is called in errors
    limit_bytes : the most it may become; DiskFull beyond
    CorruptObject when the bytes are damaged or end early, and then nothing is handed out.
    """
    with translated(name):
        target = new_name(directory)
    try:
        with translated(name), path.open("rb") as source, target.open("wb", buffering=0) as file:
            size_bytes = 0
            for piece in decompress(source, codec, name=name, step=step):
                size_bytes += len(piece)
                if limit_bytes is not None and size_bytes > limit_bytes:
                    raise errors.DiskFull(f'"{shown(name)}" is more than {limit_bytes} bytes when decompressed')
                _write_all(file, piece)
        yield target
    finally:
        target.unlink(missing_ok=True)


def decompress(source: BinaryIO, codec: Codec, *, name: str, step: Step | None = None) -> Iterator[bytes]:
    """The decompressed bytes of an open file, piece by piece. A file of no bytes has none.

    The last piece comes before the last check: nothing is known to be whole until the iterator has ended.
    """
    if codec not in _MEMBERS and codec != "zstd":
        raise errors.NotSupportedError(f"{codec.upper()} compression is not supported")
    total = source.seek(0, 2)
    source.seek(0)
    pieces = _zstd(source, name) if codec == "zstd" else _members(source, codec, name)
    for piece in pieces:
        if step is not None:
            step(source.tell(), total)
        yield piece


class _Decompressor(Protocol):
    """What bz2's and isal's decompressors have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _gzip_decompressor() -> _Decompressor:
    from isal import igzip_lib

    return cast(_Decompressor, igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP))


def _gzip_failure() -> type[Exception]:
    from isal import igzip_lib

    return cast(type[Exception], igzip_lib.IsalError)


def _bzip2_decompressor() -> _Decompressor:
    import bz2

    return bz2.BZ2Decompressor()


# codec -> how its streams begin, what reads one, and what that raises
_MEMBERS: dict[str, tuple[bytes, Callable[[], _Decompressor], Callable[[], type[Exception]]]] = {
    "gzip": (b"\x1f\x8b\x08", _gzip_decompressor, _gzip_failure),
    "bzip2": (b"BZh", _bzip2_decompressor, lambda: OSError),
}


def _members(source: BinaryIO, codec: str, name: str) -> Iterator[bytes]:
    """The streams of a file one after another."""
    magic, new, failure = _MEMBERS[codec]
    data, first = source.read(_READ_BYTES), True
    while data:
        if len(data) < len(magic):
            data += source.read(_READ_BYTES)
        if not data.startswith(magic):
            if not first and codec == "gzip" and _only_zeros(data, source):
                return
            what = f"is not {codec} data" if first else f"has bytes behind its {codec} data that are not {codec} data"
            raise errors.CorruptObject(f'"{shown(name)}" {what}')
        stream = new()
        while not stream.eof:
            if stream.needs_input and not data:
                data = source.read(_READ_BYTES)
                if not data:
                    raise errors.CorruptObject(f'"{shown(name)}" is truncated: its {codec} data ends early')
            try:
                piece = stream.decompress(data, _WRITE_BYTES)
            except failure() as error:
                raise _damaged(name, codec, error) from error
            data = b""
            yield piece  # even an empty one: whoever counts steps can stop a million empty streams
        data, first = stream.unused_data or source.read(_READ_BYTES), False


def _only_zeros(data: bytes, source: BinaryIO) -> bool:
    while data:
        if data.count(0) != len(data):
            return False
        data = source.read(_READ_BYTES)
    return True


def _zstd(source: BinaryIO, name: str) -> Iterator[bytes]:
    import pyarrow as pa

    if not source.read(1):
        return
    source.seek(0)
    stream = pa.CompressedInputStream(pa.PythonFile(source, "r"), "zstd")
    while True:
        try:
            piece = stream.read(_WRITE_BYTES)
        except OSError as error:
            if "Truncated" in str(error):
                raise errors.CorruptObject(f'"{shown(name)}" is truncated: its zstd data ends early') from error
            raise _damaged(name, "zstd", error) from error
        if not piece:
            return
        yield piece


def _damaged(name: str, codec: str, error: Exception) -> errors.CorruptObject:
    reason = re.sub(r"^error -?\d+ ", "", str(error).lower())  # isal numbers its complaints
    return errors.CorruptObject(f'"{shown(name)}" is damaged: {codec} data: {shown(reason)}')


def _write_all(file: Any, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


class Compressor(Protocol):
    """Takes bytes and writes them compressed to a file, which is complete after `finish`."""

    def write(self, data: Any) -> object: ...

    def finish(self) -> None: ...


def compressor(file: BinaryIO, codec: Codec | None) -> Compressor:
    """Writes into an open file, which stays open; with no codec, as it is."""
    if codec is None:
        return _Streamed(file, None)
    if codec == "gzip":
        from isal import isal_zlib

        return _Streamed(file, isal_zlib.compressobj(2, isal_zlib.DEFLATED, 31))
    if codec == "bzip2":
        import bz2

        return _Streamed(file, bz2.BZ2Compressor())
    if codec == "zstd":
        return _Zstd(file)
    raise errors.NotSupportedError(f"{codec.upper()} compression is not supported")


class _Streamed:
    def __init__(self, file: BinaryIO, stream: Any) -> None:
        self._file = file
        self._stream = stream

    def write(self, data: Any) -> object:
        return self._file.write(data if self._stream is None else self._stream.compress(data))

    def finish(self) -> None:
        if self._stream is not None:
            self._file.write(self._stream.flush())


class _Zstd:
    def __init__(self, file: BinaryIO) -> None:
        import pyarrow as pa

        self._sink = pa.PythonFile(_Kept(file), "w")
        self._stream = pa.CompressedOutputStream(self._sink, "zstd")

    def write(self, data: Any) -> object:
        return self._stream.write(data)

    def finish(self) -> None:
        self._stream.close()


class _Kept:
    """A file that pyarrow may not close."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        pass
