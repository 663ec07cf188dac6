"""Partitions too large for memory, in pieces: rows with the same key always lie in the same one.

A row belongs to piece h mod n of n, h being a hash of its key and n a power of two. So piece i of 2 n holds rows of
piece i mod n of n alone, and a partition can be cut finer later.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restframe_epidemic.sources import Source

PIECE_BYTES = 24 << 20  # of Arrow; merging takes several times as much
MOST = 256
_RAW_BYTES = 64 << 20  # of a compressed file for each piece that its partitions may have


def at_most(raw_bytes: int) -> int:
    """Into how many pieces a raw file of this size may cut its partitions; all of it may be one."""
    return min(_power_of_two(raw_bytes / _RAW_BYTES), MOST)


def needed(size_bytes: int, most: int) -> int:
    """Into how many pieces rows of this size are cut."""
    return min(_power_of_two(size_bytes / PIECE_BYTES), most)


def _power_of_two(size: float) -> int:
    """The smallest that is not less."""
    return 1 << max(int(np.ceil(np.log2(max(size, 1)))), 0)


def hashes(source: Source, rows: pa.Table) -> NDArray[np.uint64]:
    """(n,) of each row's key: equal where keys are."""
    from restframe_epidemic.pipeline.kernels import fnv

    result = np.full(rows.num_rows, 0xCBF29CE484222325, dtype=np.uint64)
    for name in source.key:
        texts = _texts(rows.column(name).combine_chunks())
        _, offsets, data = texts.buffers()
        starts = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        characters = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        fnv(characters, starts, result)
    return result


def _texts(values: pa.Array) -> pa.Array:
    if not pa.types.is_date(values.type):
        return values.cast(pa.large_string())
    encoded = values.dictionary_encode()  # dates are few, and slow to write
    return encoded.dictionary.cast(pa.large_string()).take(encoded.indices)


def piece_of(source: Source, rows: pa.Table, pieces: int) -> NDArray[np.uint64]:
    """(n,) to which of so many pieces each row belongs."""
    if pieces == 1:
        return np.zeros(rows.num_rows, dtype=np.uint64)
    # the upper half, which is mixed best
    return (hashes(source, rows) >> np.uint64(32)) % np.uint64(pieces)


def only(source: Source, rows: pa.Table, piece: int, pieces: int) -> pa.Table:
    """Those of one piece."""
    if pieces == 1:
        return rows
    return rows.filter(pa.array(piece_of(source, rows, pieces) == piece))
