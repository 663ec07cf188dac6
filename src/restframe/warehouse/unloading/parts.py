"""Files of text: lines from the engine's memory to the disk, compressed on the way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from restframe.result import Column
from restframe.sql.statements.unload import Unload
from restframe.storage.compression import Codec, compressor
from restframe.warehouse.unloading.lines import line
from restframe.warehouse.unloading.slices import Layout

if TYPE_CHECKING:
    import pyarrow as pa

_PIECE_BYTES = 1 << 20


def text_layout(statement: Unload, columns: Sequence[Column], numbers: Sequence[int]) -> Layout:
    """The columns with these numbers as lines of the statement's format."""
    text = line(statement, columns, numbers)
    new_part = partial(TextPart, codec=statement.compression, header=text.header, max_bytes=statement.max_file_bytes)
    return Layout((text.expression,), new_part, Lines, text.parameters)


class Lines:
    """The one column of a batch, a line in each row, as it lies in memory."""

    def __init__(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa

        column = batch.column(0)
        wide = pa.types.is_large_string(column.type)
        _, offsets, values = column.buffers()
        count = column.offset + len(column) + 1
        self._offsets = np.frombuffer(offsets, np.int64 if wide else np.int32, count)[column.offset :]
        self._values = memoryview(values or b"")

    def bytes(self, start: int, stop: int) -> memoryview:
        return self._values[self._offsets[start] : self._offsets[stop]]

    def fitting(self, start: int, stop: int, limit_bytes: int) -> int:
        """The row up to which the lines from `start` take no more than the limit, but at least one does go."""
        end = int(np.searchsorted(self._offsets, int(self._offsets[start]) + limit_bytes, side="right")) - 1
        return max(start + 1, min(end, stop))


class TextPart:
    """One file of lines.

    rows : lines written, without the header
    """

    def __init__(self, path: Path, codec: Codec | None, header: bytes, max_bytes: int) -> None:
        self.rows = 0
        self._file = path.open("wb")
        self._out = compressor(self._file, codec)
        self._max_bytes = max_bytes
        self._out.write(header)

    def write(self, rows: Lines, start: int, stop: int) -> int:
        """A line longer than a whole file gets one to itself."""
        while start < stop:
            # what is about to be compressed counts with its full size, so files end a little below the limit
            room = self._max_bytes - self._file.tell()
            end = rows.fitting(start, stop, min(room, _PIECE_BYTES))
            piece = rows.bytes(start, end)
            if self.rows and len(piece) > room:
                break
            self._out.write(piece)
            self.rows += end - start
            start = end
        return start

    def close(self) -> None:
        try:
            self._out.finish()
        finally:
            self._file.close()

    def abandon(self) -> None:
        self._file.close()
