"""Points as they come in, and as the kernels want them: float32, shifted and scaled, in aligned rows."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe import errors

LANES = 16  # a row in several dimensions is padded with zeros to a multiple of this many floats
_ALIGNMENT = 64  # bytes: a row of LANES floats never straddles two cache lines
# A point this far away, in units of the longest side, scores as one infinitely far away; beyond, float32 overflows.
_FAR = np.float32(2.0**40)

Points = npt.NDArray[Any]


def table(points: npt.ArrayLike) -> Points:
    """Points as an array of rows; a plain vector is one dimension's values. DataError when they are not numbers."""
    try:
        array = np.asarray(points)
    except ValueError as error:
        raise errors.DataError("points must be rows of equally many features") from error
    if array.dtype.kind not in "biuf":
        raise errors.DataError(f"points must be numbers, not {array.dtype}"[:100])
    if array.ndim == 1:
        return array.reshape(-1, 1)
    if array.ndim != 2:
        raise errors.DataError(f"points must be rows of features, not an array of {array.ndim} dimensions")
    return array


def check_finite(points: Points, first_row: int = 0) -> None:
    """DataError with the place, counted from 1, of the first value that is not a finite number."""
    finite = np.isfinite(points)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise errors.DataError(
            f"row {first_row + row + 1}, feature {column + 1} is {points[row, column]}, not a finite number",
            hint="Leave such rows out, or fill the gaps, before fitting or scoring.",
        )


def width_of(features: int) -> int:
    """Floats in a row: one in one dimension, else padded to whole lanes."""
    return 1 if features == 1 else -(-features // LANES) * LANES


def aligned(*shape: int) -> npt.NDArray[np.float32]:
    """Room that begins at a multiple of 64 bytes; what is in it is left over from elsewhere."""
    count = math.prod(shape)
    memory = np.empty(count * 4 + _ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % _ALIGNMENT
    return memory[start : start + count * 4].view(np.float32).reshape(shape)


def placed(points: Points, shift: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.float32]:
    """(n, d) points in their own units -> (n, width) in the forest's.

    The shift is taken off in float64: in float32, ten thousand consecutive epoch seconds are 79 numbers.
    """
    features = points.shape[1]
    rows = aligned(len(points), width_of(features))
    with np.errstate(over="ignore"):
        moved = np.subtract(points, shift, dtype=np.float64)
        moved *= scale
    np.clip(moved, -_FAR, _FAR, out=rows[:, :features], casting="same_kind")
    rows[:, features:] = 0.0
    return rows
