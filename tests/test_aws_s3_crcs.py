"""CRCs of parts put together, compared with the CRC of all the bytes by independent programs."""

from __future__ import annotations

import base64
import zlib

import pytest
from awscrt import checksums
from hypothesis import given
from hypothesis import strategies as st

from restframe.aws.s3 import crcs

WHOLE = {
    "crc32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "crc32c": lambda data: checksums.crc32c(data).to_bytes(4, "big"),
    "crc64nvme": lambda data: checksums.crc64nvme(data).to_bytes(8, "big"),
}


@pytest.mark.parametrize("algorithm", ["crc32", "crc32c", "crc64nvme"])
@given(parts=st.lists(st.binary(max_size=200), min_size=1, max_size=6))
def test_parts_have_the_crc_of_the_whole(algorithm: str, parts: list[bytes]) -> None:
    def crc(data: bytes) -> str:
        return base64.b64encode(WHOLE[algorithm](data)).decode()

    assert crcs.combined(algorithm, [(crc(part), len(part)) for part in parts]) == crc(b"".join(parts))


def test_a_large_part() -> None:
    first, second = b"x" * 6_000_000, b"y" * 5_500_001
    parts = [(base64.b64encode(zlib.crc32(part).to_bytes(4, "big")).decode(), len(part)) for part in (first, second)]
    assert crcs.combined("crc32", parts) == base64.b64encode(zlib.crc32(first + second).to_bytes(4, "big")).decode()


def test_those_we_can_put_together() -> None:
    assert crcs.ALGORITHMS == ("crc32", "crc32c", "crc64nvme")
