"""Reading a streaming Result a few rows at a time."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from restframe.result import Result, python_rows

if TYPE_CHECKING:
    import pyarrow as pa

# Rows turned into Python values at once: enough to be quick, few enough for wide rows.
_CHUNK = 1024


class Rows:
    """The rows of a Result that have not been handed out; they can be asked for as tuples and as Arrow by turns."""

    def __init__(self, result: Result) -> None:
        self._schema, self._columns = result.arrow_schema, result.columns
        self._batches = result.batches()
        self._rest: pa.RecordBatch | None = None  # of the batch in hand, what is not in _chunk
        self._chunk: pa.RecordBatch | None = None
        self._tuples: list[tuple[Any, ...]] = []  # the chunk's rows
        self._at = 0  # how many of them are handed out

    def take(self, count: int | None) -> list[tuple[Any, ...]]:
        """The next `count` rows, fewer when they end; all of them for None."""
        taken: list[tuple[Any, ...]] = []
        while count is None or len(taken) < count:
            if self._at == len(self._tuples) and not self._refill():
                break
            stop = len(self._tuples) if count is None else min(len(self._tuples), self._at + count - len(taken))
            taken += self._tuples[self._at : stop]
            self._at = stop
        return taken

    def to_arrow(self) -> pa.Table:
        import pyarrow as pa

        held = [
            part
            for part in (None if self._chunk is None else self._chunk.slice(self._at), self._rest)
            if part is not None
        ]
        table = pa.Table.from_batches(itertools.chain(held, self._batches), schema=self._schema)
        self._rest, self._chunk, self._tuples, self._at = None, None, [], 0
        return table

    def _refill(self) -> bool:
        """Make the next chunk; False at the end."""
        while self._rest is None or self._rest.num_rows == 0:
            self._rest = next(self._batches, None)
            if self._rest is None:
                self._chunk, self._tuples, self._at = None, [], 0
                return False
        self._chunk = self._rest.slice(0, _CHUNK)
        self._rest = self._rest.slice(_CHUNK)
        self._tuples = python_rows(self._chunk, self._columns)
        self._at = 0
        return True
