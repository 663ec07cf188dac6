"""Lines of an object of JSON Lines, plain or in gzip, within limits."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator

from restframe import errors

_GZIP_START = b"\x1f\x8b"
_MAX_BYTES = 1 << 31  # of all lines
_MAX_LINE_BYTES = 1 << 26


def lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Each line that is not blank with its number from 1, unpacked as they are asked for.

    DataError when it is not intact gzip, or a line or all of them are too long.
    """
    source = io.BytesIO(content)
    unpacked = io.BufferedReader(gzip.GzipFile(fileobj=source), 1 << 16) if content[:2] == _GZIP_START else source
    room = _MAX_BYTES
    number = 0
    try:
        while line := unpacked.readline(_MAX_LINE_BYTES + 1):
            number += 1
            room -= len(line)
            if len(line) > _MAX_LINE_BYTES:
                raise errors.DataError(f"line {number} is longer than {_MAX_LINE_BYTES} bytes")
            if room < 0:
                raise errors.DataError(f"there are more than {_MAX_BYTES} bytes when unpacked")
            if not line.isspace():
                yield number, line
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise errors.DataError(f"not intact gzip: {str(error)[:100]}") from error
