"""Compressed objects: what is whole comes through, what is not is refused and says why."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.storage.compression import Codec, compressor, decompress, decompressed

TEXT = "".join(f"{i},{i * 7919 % 10007},2014-07-01 00:{i % 60:02d}:00\n" for i in range(40_000)).encode()
CODECS: list[Codec] = ["gzip", "bzip2", "zstd"]


def compress(data: bytes, codec: Codec, pieces: int = 3) -> bytes:
    file = io.BytesIO()
    out = compressor(file, codec)
    for i in range(pieces):
        out.write(data[len(data) * i // pieces : len(data) * (i + 1) // pieces])
    out.finish()
    return file.getvalue()


def read(data: bytes, codec: Codec) -> bytes:
    return b"".join(decompress(io.BytesIO(data), codec, name="s3://b/k"))


WHOLE = {codec: compress(TEXT, codec) for codec in CODECS}


def flipped(data: bytes, at: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_written_reads_back(codec: Codec) -> None:
    assert read(WHOLE[codec], codec) == TEXT
    assert read(WHOLE[codec] + WHOLE[codec], codec) == TEXT + TEXT
    assert read(compress(b"", codec), codec) == b""
    assert read(b"", codec) == b""


def test_other_writers_and_readers_agree() -> None:
    assert read(gzip.compress(TEXT), "gzip") == TEXT
    assert gzip.decompress(WHOLE["gzip"]) == TEXT
    assert read(bz2.compress(TEXT), "bzip2") == TEXT
    assert bz2.decompress(WHOLE["bzip2"]) == TEXT
    with io.BytesIO() as named:
        with gzip.GzipFile("rides.csv", "wb", fileobj=named) as file:
            file.write(TEXT)
        assert read(named.getvalue() + bytes(512), "gzip") == TEXT


def test_without_a_codec_bytes_are_written_as_they_are() -> None:
    file = io.BytesIO()
    out = compressor(file, None)
    out.write(b"ab")
    out.finish()
    assert file.getvalue() == b"ab"


DAMAGED: list[tuple[str, Codec, Callable[[bytes], bytes], str]] = [
    ("crc", "gzip", lambda data: flipped(data, -8), "is damaged: gzip data: incorrect checksum found"),
    ("length", "gzip", lambda data: flipped(data, -1), "is damaged: gzip data: incorrect checksum found"),
    ("bit", "gzip", lambda data: flipped(data, 5000), "is damaged: gzip data: "),
    ("bit", "bzip2", lambda data: flipped(data, 5000), "is damaged: bzip2 data: invalid data stream"),
    ("half", "gzip", lambda data: data[: len(data) // 2], "is truncated: its gzip data ends early"),
    ("half", "bzip2", lambda data: data[: len(data) // 2], "is truncated: its bzip2 data ends early"),
    ("half", "zstd", lambda data: data[: len(data) // 2], "is truncated: its zstd data ends early"),
    ("4 bytes short", "gzip", lambda data: data[:-4], "is truncated: its gzip data ends early"),
    ("trailer missing", "gzip", lambda data: data[:-8], "is truncated: its gzip data ends early"),
    ("4 bytes short", "bzip2", lambda data: data[:-4], "is truncated: its bzip2 data ends early"),
    ("1 byte short", "zstd", lambda data: data[:-1], "is truncated: its zstd data ends early"),
    ("2nd half", "gzip", lambda data: data + data[:99], "is truncated: its gzip data ends early"),
    ("2nd crc", "gzip", lambda data: data + flipped(data, -8), "gzip data: incorrect checksum found"),
    ("garbage", "gzip", lambda data: data + b"x", "has bytes behind its gzip data that are not gzip data"),
    ("zeros, more", "gzip", lambda data: data + bytes(9) + b"x", "has bytes behind its gzip data that are not"),
    ("garbage", "bzip2", lambda data: data + b"garbage", "has bytes behind its bzip2 data that are not bzip2"),
    ("garbage", "zstd", lambda data: data + b"garbage", "is damaged: zstd data: zstd decompress failed"),
    ("plain text", "gzip", lambda _: b"1,2\n", "is not gzip data"),
    ("plain text", "bzip2", lambda _: b"1,2\n", "is not bzip2 data"),
    ("plain text", "zstd", lambda _: b"1,2\n" * 9, "is damaged: zstd data"),
    ("one byte", "gzip", lambda data: data[:1], "is not gzip data"),
]


@pytest.mark.parametrize(
    ("codec", "damage", "message"), [row[1:] for row in DAMAGED], ids=[f"{row[1]} {row[0]}" for row in DAMAGED]
)
def test_damage_is_named(codec: Codec, damage: Callable[[bytes], bytes], message: str, tmp_path: Path) -> None:
    (tmp_path / "object").write_bytes(damage(WHOLE[codec]))
    with (
        pytest.raises(errors.CorruptObject) as caught,
        decompressed(tmp_path / "object", codec, tmp_path / "spool", name="s3://rides/2014.gz"),
    ):
        pytest.fail("damaged data was handed out")
    assert caught.value.message.startswith('"s3://rides/2014.gz" ')
    assert message in caught.value.message
    assert list((tmp_path / "spool").iterdir()) == []


@given(st.integers(0, len(WHOLE["gzip"]) - 1), st.integers(1, 255))
@settings(max_examples=100, deadline=None)
def test_no_changed_byte_of_a_gzip_file_changes_the_data_unseen(at: int, change: int) -> None:
    data = WHOLE["gzip"]
    changed = data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]
    with contextlib.suppress(errors.CorruptObject):
        assert read(changed, "gzip") == TEXT  # a byte of the header that means nothing


@given(st.integers(1, len(WHOLE["zstd"]) - 1), st.sampled_from(CODECS))
@settings(max_examples=60, deadline=None)
def test_no_beginning_of_a_file_passes_for_the_whole(length: int, codec: Codec) -> None:
    with pytest.raises(errors.CorruptObject):
        read(WHOLE[codec][: length % len(WHOLE[codec]) or 1], codec)


def test_zstd_checksums_are_verified() -> None:
    # an empty frame with a content checksum, RFC 8878 section 3.1.1: descriptor 0x24, one empty raw block, 4 bytes
    frame = bytes.fromhex("28b52ffd2400010000" + "99e9d851")
    assert read(frame, "zstd") == b""
    with pytest.raises(errors.CorruptObject, match="zstd data"):
        read(flipped(frame, -1), "zstd")


def test_lzop_is_refused_by_name() -> None:
    with pytest.raises(errors.NotSupportedError, match="LZOP compression is not supported"):
        read(b"", "lzop")
    with pytest.raises(errors.NotSupportedError, match="LZOP compression is not supported"):
        compressor(io.BytesIO(), "lzop")


def test_steps_tell_how_far_it_is_and_can_stop_it(tmp_path: Path) -> None:
    (tmp_path / "object").write_bytes(WHOLE["gzip"] * 4)
    seen: list[tuple[int, int]] = []
    with decompressed(
        tmp_path / "object", "gzip", tmp_path, name="k", step=lambda done, total: seen.append((done, total))
    ) as path:
        assert path.stat().st_size == 4 * len(TEXT)
    assert not path.exists()
    assert seen == sorted(seen)
    assert seen[-1] == (4 * len(WHOLE["gzip"]), 4 * len(WHOLE["gzip"]))

    def cancel(done: int, total: int) -> None:
        raise errors.QueryCanceled("stop")

    with (
        pytest.raises(errors.QueryCanceled),
        decompressed(tmp_path / "object", "gzip", tmp_path, name="k", step=cancel),
    ):
        pytest.fail("it was cancelled")
    assert [path.name for path in tmp_path.iterdir()] == ["object"]


def test_a_million_empty_streams_can_be_stopped() -> None:
    empty = zlib.compress(b"", wbits=31)
    steps = 0

    def stop(done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if steps == 1000:
            raise errors.QueryCanceled("stop")

    with pytest.raises(errors.QueryCanceled):
        for _ in decompress(io.BytesIO(empty * 100_000), "gzip", name="k", step=stop):
            pass


def test_a_bomb_is_stopped_at_its_limit(tmp_path: Path) -> None:
    (tmp_path / "bomb").write_bytes(zlib.compress(bytes(50_000_000), wbits=31))
    with (
        pytest.raises(errors.DiskFull, match='"k" is more than 1000000 bytes when decompressed'),
        decompressed(tmp_path / "bomb", "gzip", tmp_path / "spool", name="k", limit_bytes=1_000_000),
    ):
        pytest.fail("it is larger")
    assert list((tmp_path / "spool").iterdir()) == []
