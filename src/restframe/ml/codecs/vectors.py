"""Rows of features, dense or sparse, into one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from restframe import errors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]

# A sparse row of thirty bytes can announce any width: 512 MiB is the most a table with sparse rows may take.
MAX_SPARSE_CELLS = 2**26


@dataclass(frozen=True, slots=True)
class SparseVector:
    """`width` zeros, except for `values` at the positions `keys` (from 0)."""

    keys: Sequence[Any]
    values: Sequence[Any]
    width: Any

    def __len__(self) -> int:
        return int(self.width)


def stack(rows: Sequence[Sequence[Any] | SparseVector], called: str) -> FloatArray:
    """The rows as one table, (n, d) float64; None becomes NaN.

    called : what a row is called in messages: instance, record

    DataError naming the row, from 1, when rows differ in width, hold something that is no number, or sparse ones
    would take too much memory.
    """
    import numpy as np

    if not rows:
        return np.empty((0, 0))
    sparse = False
    width = None
    for number, row in enumerate(rows, 1):
        if isinstance(row, SparseVector):
            sparse = True
            _check(row, number, len(rows), called)
        width = len(row) if width is None else width
        if len(row) != width:
            raise errors.DataError(f"{called} {number} has {len(row)} features, the first has {width}")
    if not sparse:
        return _dense(rows, called)
    table = np.zeros((len(rows), width or 0))
    for i, row in enumerate(rows):
        if isinstance(row, SparseVector):
            table[i, np.asarray(row.keys, dtype=np.int64)] = _dense([row.values], called)[0]
        else:
            table[i] = _dense([row], called)[0]
    return table


def _check(row: SparseVector, number: int, count: int, called: str) -> None:
    if not isinstance(row.width, int) or row.width < 1:
        raise errors.DataError(f"{called} {number} has the shape {str(row.width)[:20]}")
    if row.width * count > MAX_SPARSE_CELLS:
        raise errors.DataError(
            f"{called} {number} is {row.width} wide: {count} of them are too many for one table",
            hint=f"Send at most {MAX_SPARSE_CELLS} cells at once.",
        )
    if len(row.keys) != len(row.values):
        raise errors.DataError(f"{called} {number} has {len(row.keys)} keys for {len(row.values)} values")
    for key in row.keys:
        if not isinstance(key, int) or not 0 <= key < row.width:
            raise errors.DataError(f"{called} {number} has the key {str(key)[:20]} outside its {row.width} features")


def _dense(rows: Sequence[Any], called: str) -> FloatArray:
    import numpy as np

    try:
        table = np.array(rows, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        reason = str(error).splitlines()[0][:100]
        raise errors.InvalidTextRepresentation(f"{called}s hold something that is no number: {reason}") from error
    if table.ndim != 2:
        raise errors.DataError(f"the features of an {called} are a flat list of numbers")
    return table
