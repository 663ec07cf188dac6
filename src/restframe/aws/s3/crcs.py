"""CRCs of parts put together into the CRC of the whole, without its bytes.

A CRC is a polynomial over GF(2) modulo another one, P. Bits behind the first part shift its CRC by as many places:
crc(a + b) = crc(a) * x^(8 len(b)) mod P, plus crc(b). Numbers are reflected: the highest bit is the coefficient of x^0.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from functools import lru_cache

# width in bits and reflected polynomial
_CRCS = {
    "crc32": (32, 0xEDB88320),
    "crc32c": (32, 0x82F63B78),
    "crc64nvme": (64, 0x9A6C9329AC4BC9B5),
}
ALGORITHMS = tuple(_CRCS)


def combined(algorithm: str, parts: Iterable[tuple[str, int]]) -> str:
    """The CRC in base64 of parts in order, each with its CRC in base64 and its length in bytes."""
    width, polynomial = _CRCS[algorithm]
    value = 0
    for checksum, size_bytes in parts:
        shifted = _product(value, _power(size_bytes, width, polynomial), width, polynomial)
        value = shifted ^ int.from_bytes(base64.b64decode(checksum), "big")
    return base64.b64encode(value.to_bytes(width // 8, "big")).decode()


@lru_cache(256)
def _power(size_bytes: int, width: int, polynomial: int) -> int:
    """x^(8 * size_bytes) mod P, by squaring."""
    result, square = 1 << (width - 1), 1 << (width - 9)  # x^0, x^8
    while size_bytes:
        if size_bytes & 1:
            result = _product(result, square, width, polynomial)
        square = _product(square, square, width, polynomial)
        size_bytes >>= 1
    return result


def _product(a: int, b: int, width: int, polynomial: int) -> int:
    """a * b mod P"""
    result = 0
    for place in range(width - 1, -1, -1):
        if a >> place & 1:
            result ^= b
        b = (b >> 1) ^ (polynomial if b & 1 else 0)
    return result
