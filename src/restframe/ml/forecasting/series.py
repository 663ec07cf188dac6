"""A time series as forecasters see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def _no_features() -> npt.NDArray[np.float32]:
    return np.empty((0, 0), np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series of equally spaced observations.

    start : datetime64[s], when the first observation was made
    target : (n,) float64, NaN where nothing was observed
    categories : what groups the series belongs to, each counted from 0
    features : (m, n) float32, known beside the target; to forecast P steps, (m, n + P)
    item : its name, when it has one
    """

    start: np.datetime64
    target: npt.NDArray[np.float64]
    categories: tuple[int, ...] = ()
    features: npt.NDArray[np.float32] = field(default_factory=_no_features)
    item: str | None = None

    def __len__(self) -> int:
        return len(self.target)
