"""The records of one block, cut into fields, on their way to becoming columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe.storage.loading.faults import Fault, Kind, fault, shown
from restframe.types import SqlType

Offsets = npt.NDArray[np.int32]
_CELLS = 1 << 20  # of the arrays that records are cut into
_VALUE_SHOWN = 1024


@dataclass(frozen=True, slots=True)
class Column:
    """A target column, in the order of the fields."""

    name: str
    type: SqlType
    not_null: bool = False


@dataclass(slots=True)
class Fields:
    """What the kernels of `records` fill, and those of the column types read and mark.

    block : the bytes, escapes undone; raw : as they were in the file
    rows : how many records the arrays hold; what is behind is left over from other blocks
    heap : the block as an Arrow buffer, for the columns that point into it
    in_place : whether a field stands in `block` where it stood in `raw`
    """

    starts: Offsets
    ends: Offsets
    bounds: npt.NDArray[np.int64]
    kinds: Offsets
    details: Offsets
    rows: int = 0
    block: npt.NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    raw: bytes = b""
    heap: Any = None
    ascii_only: bool = False
    in_place: bool = True

    @classmethod
    def allocate(cls, columns: int) -> Fields:
        capacity = min(max(_CELLS // columns, 128), 32_768)
        return cls(
            np.empty((columns, capacity), np.int32),
            np.empty((columns, capacity), np.int32),
            np.empty((capacity, 3), np.int64),
            np.empty(capacity, np.int32),
            np.empty((capacity, 2), np.int32),
        )

    @property
    def capacity(self) -> int:
        return len(self.kinds)

    def load(self, data: bytes) -> None:
        """Take the bytes of a block; the kernels may write into their copy of it."""
        self.raw = data
        self.take(data)

    def take(self, data: bytes) -> None:
        """Take what starts and ends point into."""
        import pyarrow as pa

        self.block = np.frombuffer(bytearray(data), np.uint8)
        self.heap = pa.py_buffer(self.block)
        self.ascii_only = data.isascii()

    def text(self, column: int, row: int) -> bytes:
        """A field's content; nothing when it is missing or NULL."""
        start = int(self.starts[column, row])
        return b"" if start < 0 else bytes(self.block[start : int(self.ends[column, row])])

    def mark(self, column: int, row: int, kind: Kind, at: int = 0) -> None:
        self.kinds[row] = kind
        self.details[row] = column, at

    def faults(self, columns: Sequence[Column], forms: Sequence[str], limit: int) -> list[Fault]:
        """The first `limit` refused rows. forms : of each column, the format its dates were expected in."""
        refused = np.flatnonzero(self.kinds[: self.rows])[:limit]
        return [self._fault(int(row), columns, forms) for row in refused]

    def _fault(self, row: int, columns: Sequence[Column], forms: Sequence[str]) -> Fault:
        start, stop, line = (int(value) for value in self.bounds[row])
        number, at = (int(value) for value in self.details[row])
        raw_line = bytes(self.raw[start : min(stop, start + _VALUE_SHOWN + at)])
        kind = int(self.kinds[row])
        if number < 0:
            return fault(kind, line, raw_line, position=at, at=at)
        column = columns[number]
        position = max(int(self.starts[number, row]) - start, 0) if self.in_place else 0
        values = tuple(shown(self.text(i, row)) for i in range(number + 1))
        return fault(
            kind,
            line,
            raw_line,
            (column.name, column.type),
            self.text(number, row),
            position,
            at,
            forms[number],
            values,
        )
