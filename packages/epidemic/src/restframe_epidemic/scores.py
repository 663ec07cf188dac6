"""How good forecasts were: errors relative to a reference, weighted interval scores, coverage; on plain arrays.

Arrays that belong together have the same leading shape; where a truth or any forecast is NaN the row does not count.
Quantile forecasts carry their levels on the last axis, ascending and symmetric about the median.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic.panel import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import pandas

# the seven that the COVID-19 Forecast Hub takes for counties
LEVELS: tuple[float, ...] = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
# classes of a forecast's size, in reports per week
SIZE_EDGES: tuple[float, ...] = (1.0, 5.0, 15.0, 50.0, 150.0, 500.0)
SIZE_NAMES: tuple[str, ...] = ("under 1", "1-5", "5-15", "15-50", "50-150", "150-500", "500 and more")


def size_class(size: FloatArray) -> IntArray:
    """Index into SIZE_NAMES of each forecast (...), reports per week; NaN falls into the first class."""
    classes: IntArray = np.digitize(np.nan_to_num(size), SIZE_EDGES).astype(np.int64)
    return classes


def relative_mae(truth: FloatArray, forecast: FloatArray, reference: FloatArray, *, log: bool = False) -> float:
    """Sum of |forecast - truth| over the same of the reference, on the rows where all three exist.

    log : errors of log(1 + x) instead, which large places do not dominate
    returns NaN without a row to compare; under 1 the forecast is the better one.
    """
    numerator, denominator = _absolute_errors(truth, forecast, reference, log)
    return float(numerator.sum() / denominator.sum()) if denominator.sum() > 0 else np.nan


def _absolute_errors(
    truth: FloatArray, forecast: FloatArray, reference: FloatArray, log: bool
) -> tuple[FloatArray, FloatArray]:
    """|error| of the forecast and of the reference, both 0 in rows where something is missing."""
    if log:
        truth, forecast, reference = (np.log1p(np.maximum(values, 0.0)) for values in (truth, forecast, reference))
    known = np.isfinite(truth) & np.isfinite(forecast) & np.isfinite(reference)
    return np.where(known, np.abs(forecast - truth), 0.0), np.where(known, np.abs(reference - truth), 0.0)


def wis(truth: FloatArray, quantiles: FloatArray, levels: tuple[float, ...] = LEVELS) -> FloatArray:
    """Weighted interval score of each forecast, in reports; lower is better, and it is the absolute error of a point.

    truth : (...), quantiles : (..., Q) -> (...), NaN where something is missing
    With K = (Q - 1) / 2 central intervals it is 2 / (2K + 1) times the sum of the Q pinball losses.
    Bracher, Ray, Gneiting, Reich: Evaluating epidemic forecasts in an interval format, PLOS Computational Biology
    2021, equations 1 and 3.
    """
    d = truth[..., None] - quantiles
    q = np.array(levels)
    pinball = np.maximum(q * d, (q - 1.0) * d)
    score: FloatArray = 2.0 / len(levels) * pinball.sum(axis=-1)
    return score


def inside(truth: FloatArray, quantiles: FloatArray, nominal: float, levels: tuple[float, ...] = LEVELS) -> FloatArray:
    """1 where the central interval meant to hold `nominal` of the truths holds it, 0 where not, NaN where missing."""
    low = int(np.argmin(np.abs(np.array(levels) - (1.0 - nominal) / 2.0)))
    high = len(levels) - 1 - low
    held = (truth >= quantiles[..., low]) & (truth <= quantiles[..., high])
    missing = np.isnan(truth) | np.isnan(quantiles[..., low]) | np.isnan(quantiles[..., high])
    return np.where(missing, np.nan, held.astype(np.float64))


def pit(
    truth: FloatArray, quantiles: FloatArray, levels: tuple[float, ...] = LEVELS, *, seed: int = 0
) -> tuple[FloatArray, FloatArray]:
    """How the truths fall between the quantiles: shares (Q + 1,) and what a calibrated forecast would show (Q + 1,).

    A truth equal to several quantiles (many zeros in small places) is laid into one of their gaps at random.
    """
    known = np.isfinite(truth) & np.isfinite(quantiles).all(axis=-1)
    y, q = truth[known], quantiles[known]
    below, upto = (q < y[:, None]).sum(axis=1), (q <= y[:, None]).sum(axis=1)
    place = below + np.floor(np.random.default_rng(seed).random(len(y)) * (upto - below + 1)).astype(np.int64)
    share = np.bincount(place, minlength=len(levels) + 1) / max(len(y), 1)
    return share, np.diff(np.array([0.0, *levels, 1.0]))


@dataclass(frozen=True, slots=True)
class Ratio:
    """A pooled ratio of two sums over dates, with what resampled dates say of it (95 %)."""

    value: float
    low: float
    high: float
    dates: int


def ratio_over_dates(
    numerator: FloatArray, denominator: FloatArray, *, block: int = 4, draws: int = 2000, seed: int = 0
) -> Ratio:
    """sum(numerator) / sum(denominator), both (T,) in order of date, with an interval from blocks of dates.

    Neighbouring dates share target weeks, so runs of `block` dates (at most a third of all) are drawn together, around
    the end to the start.
    Politis, Romano: A circular block-resampling procedure for stationary data, 1992.
    """
    dates = len(numerator)
    if dates == 0 or denominator.sum() <= 0:
        return Ratio(np.nan, np.nan, np.nan, dates)
    block = max(min(block, dates // 3), 1)
    starts = np.random.default_rng(seed).integers(0, dates, size=(draws, -(-dates // block)))
    drawn = ((starts[:, :, None] + np.arange(block)) % dates).reshape(draws, -1)[:, :dates]
    below = denominator[drawn].sum(axis=1)
    ratios = numerator[drawn].sum(axis=1)[below > 0] / below[below > 0]
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Ratio(float(numerator.sum() / denominator.sum()), float(low), float(high), dates)


def relative_mae_by_date(
    truth: FloatArray, forecast: FloatArray, reference: FloatArray, *, log: bool = False
) -> tuple[Ratio, FloatArray]:
    """Pooled over dates with its interval, and date by date; arrays are (T, N), dates in order."""
    numerator, denominator = (e.sum(axis=1) for e in _absolute_errors(truth, forecast, reference, log))
    with np.errstate(invalid="ignore", divide="ignore"):
        return ratio_over_dates(numerator, denominator), numerator / denominator


def relative_wis_by_date(
    truth: FloatArray, quantiles: FloatArray, reference: FloatArray, levels: tuple[float, ...] = LEVELS
) -> tuple[Ratio, FloatArray]:
    """As relative_mae_by_date, of the weighted interval scores; truth (T, N), both quantiles (T, N, Q)."""
    ours, theirs = wis(truth, quantiles, levels), wis(truth, reference, levels)
    known = np.isfinite(ours) & np.isfinite(theirs)
    numerator, denominator = (np.where(known, s, 0.0).sum(axis=1) for s in (ours, theirs))
    with np.errstate(invalid="ignore", divide="ignore"):
        return ratio_over_dates(numerator, denominator), numerator / denominator


def short_history(weekly: FloatArray, *, weeks: int = 8, reports: float = 20.0) -> BoolArray:
    """Places with too few reports to stand alone: under `reports` in the last `weeks` together; (N, W) -> (N,)."""
    result: BoolArray = np.nan_to_num(weekly[:, -weeks:]).sum(axis=1) < reports
    return result


def by_class(
    classes: IntArray,
    truth: FloatArray,
    quantiles: FloatArray,
    reference_quantiles: FloatArray,
    point_truth: FloatArray,
    points: FloatArray,
    reference_points: FloatArray,
    names: tuple[str, ...] = SIZE_NAMES,
) -> pandas.DataFrame:
    """One row per class (of size, or of anything else) with its scores and the number of forecasts that have quantiles.

    classes : (...) index into names
    truth, quantiles, reference_quantiles : (...), (..., Q), (..., Q)
    point_truth, points, reference_points : (...); their truth may be another one, such as a sum over weeks
    """
    import pandas as pd

    rows = []
    for index, name in enumerate(names):
        here = (classes == index) & np.isfinite(truth) & np.isfinite(quantiles).all(axis=-1)
        if not here.any():
            continue
        y, q = truth[here], quantiles[here]
        ours, theirs = wis(y, q), wis(y, reference_quantiles[here])
        known = np.isfinite(ours) & np.isfinite(theirs)
        reference = theirs[known].sum()
        arrays = point_truth[here], points[here], reference_points[here]
        rows.append(
            {
                "class": name,
                "forecasts": int(here.sum()),
                "relative_mae": relative_mae(*arrays),
                "relative_log_mae": relative_mae(*arrays, log=True),
                "relative_wis": float(ours[known].sum() / reference) if reference > 0 else np.nan,
                "coverage_50": float(np.nanmean(inside(y, q, 0.5))),
                "coverage_95": float(np.nanmean(inside(y, q, 0.95))),
            }
        )
    return pd.DataFrame(rows)
