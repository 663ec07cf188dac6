"""One point of many: the median of the members."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from restframe_epidemic.panel import FloatArray


def combine(points: Mapping[str, FloatArray]) -> FloatArray:
    """The median of the members that have a forecast, place by place: name -> (..., N, H) to (..., N, H).

    NaN only where no member has one.
    """
    return median(np.stack(list(points.values())))


def median(stacked: FloatArray, axis: int = 0) -> FloatArray:
    """Of what is not NaN along `axis`; NaN where nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # places without any member
        result: FloatArray = np.nanmedian(stacked, axis=axis)
    return result
