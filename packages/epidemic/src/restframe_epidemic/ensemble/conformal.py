"""Quantiles around points, wide as the same forecasts were wrong in the recent past: conformal prediction.

An error is r = log((y + 1) / (f + 1)) of a forecast f and what came, y. Errors of one day go together over places, so
there are two layers: r = m + w, where m is the day's effect, the median of its errors of forecasts of that size, and w
the rest. What comes is taken as a w of some past day and place and the effect of any past day, in either direction,
each pair as likely as another: a wave that was missed upwards for weeks makes both sides wide, though nobody knows
whether the next miss is up or down. The quantiles of that mixture, less its median, are laid around the new point.

Vovk, Gammerman, Shafer: Algorithmic Learning in a Random World, 2005 (past errors as quantiles).
Dunn, Wasserman, Ramdas: Distribution-free prediction sets for two-layer hierarchical models, 2018 (days as groups).
"""

from __future__ import annotations

import numpy as np

from restframe_epidemic.panel import FloatArray, IntArray
from restframe_epidemic.scores import LEVELS, SIZE_EDGES, size_class

WINDOW = 8  # past days whose errors are pooled
_SIZES = len(SIZE_EDGES) + 1
_FEWEST = 100  # errors that a size needs to stand alone
_PRIOR = 50.0  # places: a day's effect on a size is shrunk to that on all by so many


def quantiles(
    points: FloatArray,
    past: FloatArray,
    truth: FloatArray,
    weeks: IntArray,
    *,
    levels: tuple[float, ...] = LEVELS,
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
        known = np.flatnonzero(weeks > h)[-WINDOW:]
        by_size = offsets(past[known, :, h], truth[known, :, h], levels)
        around = (points[:, h, None] + 1.0) * np.exp(by_size[size_class(points[:, h])]) - 1.0
        result[:, h] = np.maximum(around, 0.0)
    return result


def offsets(past: FloatArray, truth: FloatArray, levels: tuple[float, ...] = LEVELS) -> FloatArray:
    """(sizes, Q) quantiles of the error of one horizon by the size of the forecast; past and truth (T, N)."""
    drawn = mixtures(past, truth)
    if not drawn:
        return np.full((_SIZES, len(levels)), np.nan)
    result = np.stack([np.quantile(errors, levels) for errors in drawn])
    centred: FloatArray = result - result[:, len(levels) // 2, None]
    return centred


def mixtures(past: FloatArray, truth: FloatArray) -> list[FloatArray]:
    """By size of the forecast, the errors of one horizon that may come, each as likely as another, in no order.

    past and truth (T, N); none when no error is known.
    """
    error = np.log((truth + 1.0) / (past + 1.0))
    known = np.isfinite(error)
    error, past, known = (array[known.any(axis=1)] for array in (error, past, known))
    if not len(error):
        return []
    sizes = size_class(past)
    effects = np.stack([_effects(e[k], s[k]) for e, s, k in zip(error, sizes, known, strict=True)])
    within = error - np.take_along_axis(effects, sizes, axis=1)
    drawn = []
    for size in range(_SIZES):
        here = known & (sizes == size)
        own = within[here if here.sum() >= _FEWEST else known]
        drawn.append((own[:, None] + np.concatenate([effects[:, size], -effects[:, size]])).ravel())
    return drawn


def _effects(error: FloatArray, sizes: IntArray) -> FloatArray:
    """(sizes,) medians of a day's errors by size, drawn towards that of all of them; both (n,), n > 0."""
    of_all = np.median(error)
    medians = np.full(_SIZES, of_all)
    for size in np.unique(sizes):
        medians[size] = np.median(error[sizes == size])
    count = np.bincount(sizes, minlength=_SIZES)
    effects: FloatArray = (count * medians + _PRIOR * of_all) / (count + _PRIOR)
    return effects
