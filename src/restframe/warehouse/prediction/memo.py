"""What a model has answered already, so that it sees each distinct set of arguments once.

A memo maps arguments to slots and keeps an answer per slot; rows then take their answers by slot.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

# One column per argument, equally long, in; one answer per row out.
Compute = Callable[[Sequence[pa.Array]], pa.Array]

# A table of this many slots takes 16 MB.
_TABLE_SPAN = 1 << 22
_UNKNOWN = np.int32(-1)


class Memo:
    """Answers by arguments. Many threads use it at once; `compute` runs outside the lock.

    A single integer argument is looked up in a table indexed by the number itself, everything else in a dict.
    most : answers that are kept; a batch that brings further arguments is then computed anew, each argument once
    """

    def __init__(self, compute: Compute, returns: pa.DataType, most: int) -> None:
        self._compute = compute
        self._most = most
        self._lock = threading.Lock()
        self._answers = pa.array([], returns)
        # The number at the table's start, and slots from there; one value, so that readers see them together.
        self._table: tuple[int, NDArray[np.int32]] = (0, np.empty(0, np.int32))
        self._hashed: dict[Any, int] = {}

    def __call__(self, arguments: Sequence[pa.Array]) -> pa.Array:
        """The answers for these rows; only arguments never seen before are computed."""
        if not len(arguments[0]):
            return self._answers[:0]
        if len(arguments) == 1 and pa.types.is_integer(arguments[0].type) and not arguments[0].null_count:
            answers = self._by_table(np.asarray(arguments[0].to_numpy()))
            if answers is not None:
                return answers
        return self._by_hash(arguments)

    # A table

    def _by_table(self, values: NDArray[Any]) -> pa.Array | None:
        """None when the numbers spread too widely for a table."""
        slots = self._find(values)
        if slots is None:
            if not self._reserve(int(values.min()), int(values.max())):
                return None
            slots = self._find(values)
        if slots is not None and slots.min() < 0:
            if self._is_full:
                distinct, places = np.unique(values, return_inverse=True)
                return self._compute([pa.array(distinct)]).take(pa.array(places))
            missing = np.unique(values[slots < 0])
            answers = self._compute([pa.array(missing)])
            with self._lock:
                first = self._append(answers)
                low, table = self._table
                table[missing.astype(np.int64) - low] = np.arange(first, first + len(missing), dtype=np.int32)
            slots = self._find(values)
        return self._answers.take(pa.array(slots))

    def _find(self, values: NDArray[Any]) -> NDArray[np.int32] | None:
        """A slot per value, -1 where unknown; None when some value lies outside the table."""
        low, table = self._table
        if int(values.min()) < low or int(values.max()) >= low + len(table):
            return None
        found: NDArray[np.int32] = table[values.astype(np.int64) - low if low else values]
        return found

    def _reserve(self, lowest: int, highest: int) -> bool:
        """Make the table span these numbers too; False when that would be too wide."""
        with self._lock:
            low, table = self._table
            if len(table):
                if low <= lowest and highest < low + len(table):
                    return True
                lowest, highest = min(lowest, low), max(highest, low + len(table) - 1)
            span = highest - lowest + 1
            if 0 <= lowest < span:  # then a table from 0 is hardly longer, and needs no subtraction
                lowest, span = 0, highest + 1
            if span > _TABLE_SPAN:
                return False
            # Room above, so that slowly rising numbers do not copy the table each time.
            grown = np.full(min(_TABLE_SPAN, 2 * span), _UNKNOWN, np.int32)
            grown[low - lowest : low - lowest + len(table)] = table
            self._table = (lowest, grown)
            return True

    # A dict

    def _by_hash(self, arguments: Sequence[pa.Array]) -> pa.Array:
        keys = _keys(arguments)
        fresh = {key: row for row, key in enumerate(keys) if key not in self._hashed}
        if fresh and self._is_full:
            return self._anew(keys, arguments)
        if fresh:
            rows = pa.array(list(fresh.values()))
            answers = self._compute([argument.take(rows) for argument in arguments])
            with self._lock:
                first = self._append(answers)
                self._hashed.update(zip(fresh, itertools.count(first)))
        hashed = self._hashed
        return self._answers.take(pa.array([hashed[key] for key in keys], pa.int64()))

    def _anew(self, keys: list[Any], arguments: Sequence[pa.Array]) -> pa.Array:
        rows = {key: row for row, key in enumerate(keys)}
        places = {key: place for place, key in enumerate(rows)}
        wanted = pa.array(list(rows.values()))
        answers = self._compute([argument.take(wanted) for argument in arguments])
        return answers.take(pa.array([places[key] for key in keys]))

    @property
    def _is_full(self) -> bool:
        return len(self._answers) >= self._most

    def _append(self, answers: pa.Array) -> int:
        """Keep answers and return the slot of the first: answers before slots, as readers take no lock."""
        first = len(self._answers)
        self._answers = pa.concat_arrays([self._answers, answers])
        return first


def _keys(arguments: Sequence[pa.Array]) -> list[Any]:
    """A hashable key per row. Numbers are keyed by their bits and which of them are NULL, which is quickest."""
    if not all(pa.types.is_floating(a.type) or pa.types.is_integer(a.type) for a in arguments):
        return list(zip(*(argument.to_pylist() for argument in arguments), strict=True))
    width = len(arguments)
    columns = np.zeros((len(arguments[0]), width + (width + 62) // 63), np.int64)
    for i, argument in enumerate(arguments):
        wide = pc.cast(argument, pa.float64() if pa.types.is_floating(argument.type) else pa.int64())
        if argument.null_count:
            columns[:, width + i // 63] |= np.asarray(argument.is_null()).astype(np.int64) << (i % 63)
            wide = wide.fill_null(0)
        columns[:, i] = np.asarray(wide.to_numpy()).view(np.int64)
    keys: list[Any] = columns.view(np.dtype((np.void, columns.shape[1] * 8))).ravel().tolist()
    return keys
