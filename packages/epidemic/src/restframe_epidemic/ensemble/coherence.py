"""Sums that agree: county to state to nation, and whatever levels a country has between.

The mean of a group is the sum of its places' means, exactly. Quantiles do not add: places err together, so what a sum
may be is drawn. One normal number z per place stands for where in its own distribution it ends up:

    z_i = sqrt(rho_top) a + sqrt(rho_group) b_g(i) + sqrt(1 - rho_top - rho_group) e_i

a, b, e standard normal; the shares rho of what is common to all and to a group, and likewise to each level between
them, are taken from past errors. A draw of all z gives every place its value from its own quantiles, and the values are
added. Reports are skewed, so the median of a sum is larger than the sum of the medians; the more so the less places
have in common.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from restframe_epidemic.ensemble import conformal
from restframe_epidemic.panel import BoolArray, FloatArray, IntArray
from restframe_epidemic.scores import LEVELS, size_class

DRAWS = 500
_LARGEST_SHARE = 0.95  # of what is common: each place keeps something of its own


@dataclass(frozen=True, slots=True)
class Common:
    """Shares of the variance of z that all places have in common, and beyond that those of a group; and beyond all and
    below the groups, those of each level between, nearest first."""

    top: float
    group: float
    between: tuple[float, ...] = ()


def common(past: FloatArray, truth: FloatArray, group: IntArray, between: Sequence[IntArray] = ()) -> Common:
    """How much places erred together: past and truth (T, N) of one horizon, group (N,), between (N,) each.

    Means of the product of z over pairs of places, weighted by the root of the product of their forecasts: large places
    are what makes a sum, but not a few of them alone. Without anything known, nothing is common.
    """
    z, known = _scores(past, truth)
    weight = np.where(known, np.sqrt(np.nan_to_num(past)), 0.0)
    value = weight * z
    everywhere = np.zeros(past.shape[1], dtype=np.int64)
    pairs = [_pairs(value, weight, of) for of in (group, *between, everywhere)]
    # From the top down, each against the pairs that have nothing nearer in common.
    shares = [0.0]
    for at in reversed(range(len(pairs))):
        alike, possible = pairs[at] - pairs[at - 1] if at else pairs[0]
        least = shares[-1]
        shares.append(float(np.clip(alike / possible, least, _LARGEST_SHARE)) if possible > 0 else least)
    top, *steps = np.diff(shares).tolist()
    return Common(top, steps[-1], tuple(reversed(steps[:-1])))


def _pairs(value: FloatArray, weight: FloatArray, of: IntArray) -> FloatArray:
    """(2,): sums over days and pairs of places of one code, of products of values and of weights, (T, N) each."""
    codes = int(of.max()) + 1 if len(of) else 0
    sums = np.zeros((2, len(value), codes))
    for t in range(len(value)):
        for row, x in enumerate((value[t], weight[t])):
            sums[row, t] = np.bincount(of, x, codes) ** 2 - np.bincount(of, x**2, codes)
    return np.asarray(sums.sum(axis=(1, 2)), dtype=np.float64)


def _scores(past: FloatArray, truth: FloatArray) -> tuple[FloatArray, BoolArray]:
    """z of each error, by where it lies among those expected of its size (0 where unknown), and where it is known.

    Not by its rank among the errors themselves: all places missed in one direction, day after day, is what they have in
    common, and ranks would not tell.
    """
    error = np.log((truth + 1.0) / (past + 1.0))
    known = np.isfinite(error)
    sizes = np.where(known, size_class(past), -1)
    z = np.zeros(error.shape)
    for size, drawn in enumerate(conformal.mixtures(past, truth)):
        here = sizes == size
        below = np.searchsorted(np.sort(drawn) - np.median(drawn), error[here])
        z[here] = _normal((below + 0.5) / (len(drawn) + 1.0))
    return z, known


def _normal(probability: FloatArray) -> FloatArray:
    from scipy.special import ndtri

    result: FloatArray = ndtri(probability)
    return result


def sums(
    quantiles: FloatArray,
    group: IntArray,
    shares: Common,
    between: Sequence[IntArray] = (),
    *,
    levels: tuple[float, ...] = LEVELS,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[FloatArray, ...]:
    """Of one horizon: quantiles of each group's sum (G, Q), of those of each level between (K, Q), of the sum of all
    (1, Q); quantiles (N, Q).

    Places without a forecast count as 0, so that the sum is that of those which have one; NaN where none has.
    """
    known = np.isfinite(quantiles).all(axis=1)
    rng = np.random.default_rng(seed)
    own = np.sqrt(max(1.0 - shares.top - shares.group - sum(shares.between), 0.0))
    a = _normal((rng.permutation(draws) + 0.5) / draws)
    drawn = [np.zeros((int(of.max()) + 1, draws)) for of in (group, *between)]
    c = [
        np.sqrt(share) * rng.standard_normal(sums.shape) for share, sums in zip(shares.between, drawn[1:], strict=True)
    ]
    for g in range(len(drawn[0])):
        members = np.flatnonzero(known & (group == g))
        b = rng.standard_normal(draws)
        z = np.sqrt(shares.top) * a + np.sqrt(shares.group) * b + own * rng.standard_normal((len(members), draws))
        for of, in_common in zip(between, c, strict=True):
            z += in_common[of[members]]
        values = _at(z, quantiles[members], levels)
        drawn[0][g] = values.sum(axis=0)
        for of, sums in zip(between, drawn[1:], strict=True):
            np.add.at(sums, of[members], values)
    drawn.append(drawn[0].sum(axis=0, keepdims=True))
    everywhere = np.zeros_like(group)
    return tuple(
        np.where(np.bincount(of[known], minlength=len(sums))[:, None], np.quantile(sums, levels, axis=1).T, np.nan)
        for of, sums in zip((group, *between, everywhere), drawn, strict=True)
    )


def means(quantiles: FloatArray, *, levels: tuple[float, ...] = LEVELS) -> FloatArray:
    """The mean of each place's distribution, the one that `sums` draws from, (N,); NaN where it is not known.

    quantiles (N, Q) of one horizon. Averaged over 500 equally likely parts.
    """
    z = np.broadcast_to(_normal((np.arange(DRAWS) + 0.5) / DRAWS), (len(quantiles), DRAWS))
    mean: FloatArray = _at(z, quantiles, levels).mean(axis=1)
    return mean


def _at(z: FloatArray, quantiles: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """Reports at normal numbers z (n, D), by quantiles (n, Q): in logarithms straight from one to the next.

    Beyond the outermost it goes straight on in reports: in logarithms a wide distribution's last percent would be all
    of its mean.
    """
    knots = np.array([NormalDist().inv_cdf(level) for level in levels])
    left = np.clip(np.searchsorted(knots, z) - 1, 0, len(knots) - 2)
    share = (z - knots[left]) / (knots[left + 1] - knots[left])
    low, high = np.take_along_axis(quantiles, left, axis=1), np.take_along_axis(quantiles, left + 1, axis=1)
    between = np.expm1(np.log1p(low) + share * (np.log1p(high) - np.log1p(low)))
    beyond = np.maximum(low + share * (high - low), 0.0)
    found: FloatArray = np.where((share < 0.0) | (share > 1.0), beyond, between)
    return found
