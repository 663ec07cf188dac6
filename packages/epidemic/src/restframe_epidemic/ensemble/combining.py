"""One point of many: a median of the members, in which those that were right of late count for more; then a path.

Members forecast each horizon by itself, and which two stand in the middle changes from horizon to horizon, so medians
zigzag where nobody means it. The path that is nearest to them and bends little takes their place.

Whittaker: On a new method of graduation, Proceedings of the Edinburgh Mathematical Society 1923.
"""

from __future__ import annotations

import warnings

import numpy as np

from restframe_epidemic.panel import FloatArray, IntArray

POWER = 6.0  # of the error ratio: a member 10 % worse than the best counts for half
WINDOW = 8  # past days whose errors count
BEND = 0.25  # what a squared second difference of the path costs, beside a squared distance from the first horizon


def combine(points: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted medians of the members that have a forecast, place by place: points (M, N, H), weights (M, H) -> (N, H).

    Between the two members around the middle it is interpolated, on the scale of logarithms, so that equal weights
    give the ordinary median and small changes of weights small changes; then it is made smooth over the horizons.
    NaN only where no member has a forecast.
    """
    value = np.log1p(np.where(np.isfinite(points), points, 0.0))
    weight = np.where(np.isfinite(points), weights[:, None, :], 0.0)
    order = np.argsort(value, axis=0, kind="stable")
    value, weight = (np.take_along_axis(array, order, axis=0) for array in (value, weight))
    total = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = (np.cumsum(weight, axis=0) - weight / 2) / total  # of each member's share, ascending
    result = np.expm1(smooth(_crossing(middle, np.where(weight > 0, value, np.nan))))
    return np.where(total > 0, np.maximum(result, 0.0), np.nan)


def smooth(path: FloatArray) -> FloatArray:
    """x (N, H) that makes sum_h (x_h - path_h)^2 / h + BEND sum (second difference of x)^2 least.

    Distances count less the further ahead, since less is known there. A path with a gap stays as it is.
    """
    horizons = path.shape[1]
    weight = np.diag(1.0 / np.arange(1, horizons + 1))
    bend = np.diff(np.eye(horizons), n=2, axis=0)
    smoother = np.linalg.solve(weight + BEND * bend.T @ bend, weight)
    smoothed = np.einsum("nk,hk->nh", path, smoother)  # not @: the same bits on any number of threads
    return np.where(np.isfinite(smoothed), smoothed, path)


def _crossing(middle: FloatArray, value: FloatArray) -> FloatArray:
    """Where the line through (middle, value) along the first axis passes one half; NaN values are not there."""
    below = np.where(np.isfinite(value) & (middle <= 0.5), middle, -np.inf)
    above = np.where(np.isfinite(value) & (middle >= 0.5), middle, np.inf)
    low, high = below.argmax(axis=0)[None], above.argmin(axis=0)[None]
    x0, x1 = (np.take_along_axis(middle, at, axis=0)[0] for at in (low, high))
    y0, y1 = (np.take_along_axis(value, at, axis=0)[0] for at in (low, high))
    no_low, no_high = ~np.isfinite(below).any(axis=0), ~np.isfinite(above).any(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(x1 > x0, (0.5 - x0) / (x1 - x0), 0.0)
    inside = y0 + share * (y1 - y0)
    result: FloatArray = np.where(no_low, y1, np.where(no_high, y0, inside))
    return result


def weights(errors: FloatArray, weeks: IntArray, *, now: int = 0) -> FloatArray:
    """What each member counts for, by horizon, (M, H): (least error / its error) to the power POWER.

    errors : (2, T, M, H) of `past_errors`, days in order; weeks : (T,) how many weeks ago each was
    now : weeks ago of the day on which this is known; errors that were not known by then do not count
    A member's error is that of its forecasts in reports, all places together, over that of the plain median in the
    same places, on the last WINDOW days. A member without a past counts for as much as the one in the middle; a
    horizon without one is weighted as the horizon before, and the first equally.
    """
    members, horizons = errors.shape[2:]
    result = np.ones((members, horizons))
    for h in range(horizons):
        known = np.flatnonzero(weeks - now > h)[-WINDOW:]
        own, of_median = errors[..., h][:, known].sum(axis=1)
        if (of_median > 0).any():
            ratio = np.where(of_median > 0, np.maximum(own, 1e-9) / np.maximum(of_median, 1e-9), np.nan)
            found = (np.nanmin(ratio) / ratio) ** POWER
            result[:, h] = np.where(np.isfinite(found), found, np.nanmedian(found))
        elif h > 0:
            result[:, h] = result[:, h - 1]
    return result


def past_errors(past: FloatArray, truth: FloatArray) -> FloatArray:
    """(2, T, M, H) sums over places of |forecast - truth|: each member's, and the plain median's where the member was.

    past : (T, M, N, H), NaN where a member had nothing; truth : (T, N, H), NaN where not known
    """
    own = np.abs(past - truth[:, None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # places without any member
        of_median = np.abs(np.nanmedian(past, axis=1) - truth)[:, None]
    there = np.isfinite(own)
    return np.stack([np.where(there, errors, 0.0).sum(axis=2) for errors in (own, of_median)])


def replayed(past: FloatArray, truth: FloatArray, weeks: IntArray) -> FloatArray:
    """(T, N, H) what `combine` would have said on each past day, with the weights that were known then."""
    errors = past_errors(past, truth)
    said = [combine(past[t], weights(errors[:, :t], weeks[:t], now=int(weeks[t]))) for t in range(len(past))]
    return np.stack(said) if said else np.zeros((0, *past.shape[2:]))
