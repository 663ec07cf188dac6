"""Sums that agree: county to state to nation.

The mean of a group is the sum of its places' means, exactly. Quantiles do not add: places err together, so what a sum
may be is drawn. One normal number z per place stands for where in its own distribution it ends up:

    z_i = sqrt(rho_top) a + sqrt(rho_group) b_g(i) + sqrt(1 - rho_top - rho_group) e_i

a, b, e standard normal; the shares rho of what is common to all and to a group are taken from past errors. A draw of
all z gives every place its value from its own quantiles, and the values are added. Reports are skewed, so the median of
a sum is larger than the sum of the medians; the more so the less places have in common.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from restframe_epidemic.panel import BoolArray, FloatArray, IntArray
from restframe_epidemic.scores import LEVELS, SIZE_EDGES, size_class

DRAWS = 500
_LARGEST_SHARE = 0.95  # of what is common: each place keeps something of its own


@dataclass(frozen=True, slots=True)
class Common:
    """Shares of the variance of z that all places have in common, and beyond that those of a group."""

    top: float
    group: float


def common(past: FloatArray, truth: FloatArray, group: IntArray) -> Common:
    """How much places erred together: past and truth (T, N) of one horizon, group (N,).

    Means of the product of z over pairs of places, weighted by the product of their forecasts: large places are what
    makes a sum. Without anything known, nothing is common.
    """
    z, known = _scores(past, truth)
    weight = np.where(known, np.nan_to_num(past), 0.0)
    groups = int(group.max()) + 1 if len(group) else 0
    square, value = weight**2, weight * z
    in_group = np.zeros((2, len(past), groups))
    for t in range(len(past)):
        in_group[0, t] = np.bincount(group, value[t], groups) ** 2 - np.bincount(group, value[t] ** 2, groups)
        in_group[1, t] = np.bincount(group, weight[t], groups) ** 2 - np.bincount(group, square[t], groups)
    within = in_group.sum(axis=(1, 2))
    anywhere = np.array([(v.sum(axis=1) ** 2 - (v**2).sum(axis=1)).sum() for v in (value, weight)])
    across = anywhere - within
    top = float(np.clip(across[0] / across[1], 0.0, _LARGEST_SHARE)) if across[1] > 0 else 0.0
    both = float(np.clip(within[0] / within[1], top, _LARGEST_SHARE)) if within[1] > 0 else top
    return Common(top, both - top)


def _scores(past: FloatArray, truth: FloatArray) -> tuple[FloatArray, BoolArray]:
    """z of each error, by its rank among those of forecasts of its size (0 where unknown), and where it is known."""
    error = np.log((truth + 1.0) / (past + 1.0))
    known = np.isfinite(error)
    sizes = np.where(known, size_class(past), -1)
    z = np.zeros(error.shape)
    for size in range(len(SIZE_EDGES) + 1):
        here = sizes == size
        count = int(here.sum())
        rank = np.argsort(np.argsort(error[here], kind="stable"), kind="stable")
        z[here] = _normal((rank + 0.5) / max(count, 1))
    return z, known


def _normal(probability: FloatArray) -> FloatArray:
    from scipy.special import ndtri

    result: FloatArray = ndtri(probability)
    return result


def sums(
    points: FloatArray,
    quantiles: FloatArray,
    group: IntArray,
    shares: Common,
    *,
    levels: tuple[float, ...] = LEVELS,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[FloatArray, FloatArray]:
    """Of one horizon: quantiles of each group's sum (G, Q) and of the sum of all (Q,); points (N,), quantiles (N, Q).

    Places without a forecast count as 0, so that the sum is that of those which have one; NaN where none has.
    """
    known = np.isfinite(points) & np.isfinite(quantiles).all(axis=1)
    groups = int(group.max()) + 1
    rng = np.random.default_rng(seed)
    own = np.sqrt(max(1.0 - shares.top - shares.group, 0.0))
    a = _normal((rng.permutation(draws) + 0.5) / draws)
    knots = np.array([NormalDist().inv_cdf(level) for level in levels])
    offsets = np.log((quantiles + 1.0) / (np.where(known, points, 0.0)[:, None] + 1.0))
    drawn = np.zeros((groups, draws))
    for g in range(groups):
        members = np.flatnonzero(known & (group == g))
        b = rng.standard_normal(draws)
        z = np.sqrt(shares.top) * a + np.sqrt(shares.group) * b + own * rng.standard_normal((len(members), draws))
        values = (points[members, None] + 1.0) * np.exp(_at(z, offsets[members], knots)) - 1.0
        drawn[g] = np.maximum(values, 0.0).sum(axis=0)
    summed = np.quantile(np.vstack([drawn, drawn.sum(axis=0)]), levels, axis=1).T
    count = np.bincount(group[known], minlength=groups)
    summed[np.append(count, count.sum()) == 0] = np.nan
    return summed[:-1], summed[-1]


def means(points: FloatArray, quantiles: FloatArray, *, levels: tuple[float, ...] = LEVELS) -> FloatArray:
    """The mean of each place's distribution, the one that `sums` draws from, (N,); NaN where it is not known.

    points (N,), quantiles (N, Q) of one horizon. Averaged over 500 equally likely parts.
    """
    z = np.broadcast_to(_normal((np.arange(DRAWS) + 0.5) / DRAWS), (len(points), DRAWS))
    knots = np.array([NormalDist().inv_cdf(level) for level in levels])
    offsets = np.log((quantiles + 1.0) / (points[:, None] + 1.0))
    values = (points[:, None] + 1.0) * np.exp(_at(z, offsets, knots)) - 1.0
    mean: FloatArray = np.maximum(values, 0.0).mean(axis=1)
    return mean


def _at(z: FloatArray, values: FloatArray, knots: FloatArray) -> FloatArray:
    """Piecewise linear through (knots, values of each row), straight on beyond the ends; z (n, D), values (n, Q)."""
    left = np.clip(np.searchsorted(knots, z) - 1, 0, len(knots) - 2)
    share = (z - knots[left]) / (knots[left + 1] - knots[left])
    low, high = np.take_along_axis(values, left, axis=1), np.take_along_axis(values, left + 1, axis=1)
    result: FloatArray = low + share * (high - low)
    return result
