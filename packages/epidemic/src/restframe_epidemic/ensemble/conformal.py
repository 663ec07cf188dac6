"""Quantiles around points, wide as the same forecasts were wrong in the recent past: conformal prediction.

An error is r = log((y + 1) / (f + 1)) of a forecast f and what came, y. Errors of all places are pooled by horizon and
by the size of the forecast; their quantiles, centred so that the median is the point itself, are laid around the new
point on the same scale. Then the widths are corrected by how often past intervals, made in just this way on each past
day, held the truth: errors of one day go together over places, so that the pooled errors of a few days are less than
they look.

Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005 (pooled errors as quantiles).
Gibbs, Candes: Adaptive conformal inference under distribution shift, NeurIPS 2021 (the correction from coverage).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from restframe_epidemic.panel import FloatArray, IntArray
from restframe_epidemic.scores import LEVELS, SIZE_EDGES, inside, size_class

WINDOW = 8  # past days whose errors are pooled
RATE = 0.1  # of the correction: share of one day's missing coverage that is made up for, over the horizon
KEPT = 0.9  # of the correction from one day to the next, so that what is long past is forgotten
LARGEST = np.log(2.0)  # of the correction: widths are at most doubled or halved
_FEWEST_DAYS = 4  # whose errors a past interval needs to count
_FEWEST = 100  # errors that a size needs to stand alone
_PRIOR = 50.0  # places: the coverage of a size is shrunk to that of all by so many


def quantiles(
    points: FloatArray,
    past: FloatArray,
    truth: FloatArray,
    weeks: IntArray,
    *,
    levels: tuple[float, ...] = LEVELS,
    window: int = WINDOW,
    rate: float = RATE,
) -> FloatArray:
    """Quantiles of what will be reported, (N, H, Q), ascending, >= 0; the median is the point.

    points : (N, H) the new forecasts of single weeks; NaN gives NaN
    past : (T, N, H) forecasts of the same kind made on past days, in order
    truth : (T, N, H) what came; NaN where it is not known yet
    weeks : (T,) of each past day, how many weeks ago it was, descending
    levels : ascending, symmetric about .5
    NaN for horizons of which no past forecast has come true.
    """
    result = np.full((*points.shape, len(levels)), np.nan)
    for h in range(points.shape[1]):
        offsets = _offsets(points[:, h], past[:, :, h], truth[:, :, h], weeks, h + 1, levels, window, rate)
        result[:, h] = _around(points[:, h], offsets)
    return result


def _around(points: FloatArray, offsets: FloatArray) -> FloatArray:
    """(N,), (N, Q) on the scale of errors -> (N, Q) reports."""
    values: FloatArray = np.maximum((points[:, None] + 1.0) * np.exp(offsets) - 1.0, 0.0)
    return values


def _offsets(
    points: FloatArray,
    past: FloatArray,
    truth: FloatArray,
    weeks: IntArray,
    lag: int,
    levels: tuple[float, ...],
    window: int,
    rate: float,
) -> FloatArray:
    """(N, Q) for one horizon, `lag` weeks: quantiles of pooled errors times the corrections of their widths."""
    correction = np.zeros((len(SIZE_EDGES) + 1, len(levels)))
    waiting: list[tuple[int, FloatArray]] = []
    for t in range(len(weeks)):
        known = np.flatnonzero(weeks[:t] - weeks[t] >= lag)[-window:]
        waiting = _corrected(waiting, correction, weeks[t] + lag, rate / lag)
        if len(known) < _FEWEST_DAYS:
            continue
        sizes = size_class(past[t])
        offsets = (_pooled(past[known], truth[known], levels) * np.exp(correction))[sizes]
        waiting.append((int(weeks[t]), _missing(_around(past[t], offsets), truth[t], sizes, levels)))
    _corrected(waiting, correction, lag, rate / lag)
    known = np.flatnonzero(weeks >= lag)[-window:]
    if not len(known):
        return np.full((len(points), len(levels)), np.nan)
    offsets = (_pooled(past[known], truth[known], levels) * np.exp(correction))[size_class(points)]
    result: FloatArray = np.maximum.accumulate(offsets, axis=1)
    return result


def _corrected(
    waiting: list[tuple[int, FloatArray]], correction: FloatArray, known_before: int, rate: float
) -> list[tuple[int, FloatArray]]:
    """Add to `correction` what the days `known_before` weeks ago and earlier say; returns those still waiting."""
    for weeks_ago, missing in waiting:
        if weeks_ago >= known_before:
            np.clip(KEPT * correction + rate * missing, -LARGEST, LARGEST, out=correction)
    return [(weeks_ago, missing) for weeks_ago, missing in waiting if weeks_ago < known_before]


def _missing(quantile: FloatArray, truth: FloatArray, sizes: IntArray, levels: tuple[float, ...]) -> FloatArray:
    """(sizes, Q) change of log width that would have given the central interval of each level its nominal coverage.

    Nominal minus observed coverage, over how fast coverage grows with log width, were errors normal; 0 for the median.
    """
    missing = np.zeros((len(SIZE_EDGES) + 1, len(levels)))
    for low in range(len(levels) // 2):
        nominal = 1.0 - 2.0 * levels[low]
        held = inside(truth, quantile, nominal, levels)
        known = np.isfinite(held)
        if not known.any():
            continue
        of_all = held[known].mean()
        count = np.bincount(sizes[known], minlength=len(missing))
        held_of = np.bincount(sizes[known], held[known], minlength=len(missing))
        coverage = (held_of + _PRIOR * of_all) / (count + _PRIOR)
        z = NormalDist().inv_cdf(levels[low])
        missing[:, low] = (nominal - coverage) / (2.0 * abs(z) * NormalDist().pdf(z))
        missing[:, len(levels) - 1 - low] = missing[:, low]
    return missing


def _pooled(past: FloatArray, truth: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """(sizes, Q) quantiles of the errors, less their median: past and truth (T, N)."""
    error = np.log((truth + 1.0) / (past + 1.0))
    known = np.isfinite(error)
    error, sizes = error[known], size_class(past[known])
    if not len(error):
        return np.zeros((len(SIZE_EDGES) + 1, len(levels)))
    of_all = np.quantile(error, levels)
    rows = [error[sizes == size] for size in range(len(SIZE_EDGES) + 1)]
    pooled = np.stack([np.quantile(row, levels) if len(row) >= _FEWEST else of_all for row in rows])
    centred: FloatArray = pooled - pooled[:, len(levels) // 2, None]
    return centred
