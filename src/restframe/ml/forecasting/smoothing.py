"""Kernels of exponential smoothing: filter a series, find the best parameters, go on from its end.

A model is three numbers: error ADDITIVE or MULTIPLICATIVE, trend NONE, ADDITIVE or DAMPED, season NONE, ADDITIVE or
MULTIPLICATIVE. Letters are those of Hyndman, Koehler, Ord, Snyder: Forecasting with Exponential Smoothing, 2008,
chapter 2: alpha, beta, gamma smooth level, slope and season; the slope of a damped trend shrinks by phi; the season s
has a value for each of m places.

All kernels are in this file: a kernel on disk is compared with its own file alone.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from restframe.compiled import kernel, part

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

NONE, ADDITIVE, MULTIPLICATIVE, DAMPED = 0, 1, 2, 3

_ALPHA, _BETA, _GAMMA, _PHI, _LEVEL, _SLOPE = range(6)
_TINY = 1e-12  # of a level divided by
# Of alpha. One step ahead the likeliest slope is often that of the last two steps; farther ahead it leads astray.
_FASTEST_SLOPE = 0.2


@part
def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(x, -30.0), 30.0)))


@part
def _parameters(x: Array, trend: int, season: int, level: float, slope: float, out: Array) -> None:
    """From free numbers to alpha, beta, gamma, phi, level, slope: 0 < beta < alpha / 5, 0 < gamma < 1 - alpha."""
    out[_ALPHA] = 1e-4 + (1.0 - 2e-4) * _logistic(x[0])
    out[_LEVEL] = level + x[1]
    at = 2
    out[_BETA], out[_SLOPE], out[_PHI], out[_GAMMA] = 0.0, 0.0, 1.0, 0.0
    if trend != NONE:
        out[_BETA] = _FASTEST_SLOPE * out[_ALPHA] * _logistic(x[at])
        out[_SLOPE] = slope + x[at + 1]
        at += 2
    if trend == DAMPED:
        out[_PHI] = 0.8 + 0.18 * _logistic(x[at])
        at += 1
    if season != NONE:
        out[_GAMMA] = (1.0 - out[_ALPHA]) * _logistic(x[at])


@part
def _filter(y: Array, error: int, season: int, p: Array, s: Array, residuals: Array) -> float:
    """-2 log likelihood but for a constant; level and slope in p, and the season s, become the last ones, in place.

    residuals : one for each observation, NaN where it is missing
    """
    alpha, beta, gamma, phi, level, slope = p[0], p[1], p[2], p[3], p[4], p[5]
    m = len(s)
    squares, logs, count, place = 0.0, 0.0, 0, 0
    for t in range(len(y)):
        base = level + phi * slope
        of_season = s[place]
        if season == MULTIPLICATIVE:
            forecast = base * of_season
        else:
            forecast = base + of_season
        slope = phi * slope
        level = base
        residuals[t] = math.nan
        if not math.isnan(y[t]):
            d = y[t] - forecast
            e = d
            if error == MULTIPLICATIVE:
                if forecast < _TINY:
                    return math.inf
                e = d / forecast
                logs += math.log(forecast)
            residuals[t] = e
            squares += e * e
            count += 1
            if season == MULTIPLICATIVE:
                if base < _TINY or of_season < _TINY:
                    return math.inf
                s[place] = of_season + gamma * d / base
                d /= of_season
            else:
                s[place] = of_season + gamma * d
            level += alpha * d
            slope += beta * d
        place += 1
        if place == m:
            place = 0
    p[_LEVEL], p[_SLOPE] = level, slope
    return count * math.log(squares / count + 1e-20) + 2.0 * logs


@part
def _loss(
    x: Array, y: Array, error: int, trend: int, season: int, level: float, slope: float, s0: Array,
    p: Array, s: Array, residuals: Array,
) -> float:  # fmt: skip
    """_filter() with free numbers x; p, s and residuals are written."""
    _parameters(x, trend, season, level, slope, p)
    s[:] = s0
    return float(_filter(y, error, season, p, s, residuals))


@part
def _sort(values: Array, simplex: Array) -> None:
    """By value, by insertion: mostly one is new."""
    for i in range(1, len(values)):
        for k in range(i, 0, -1):
            if not values[k] < values[k - 1]:
                break
            values[k], values[k - 1] = values[k - 1], values[k]
            for j in range(simplex.shape[1]):
                simplex[k, j], simplex[k - 1, j] = simplex[k - 1, j], simplex[k, j]


@kernel
def fit(
    y: Array, error: int, trend: int, season: int, level: float, slope: float, s0: Array, scale: float, most: int
) -> tuple[float, Array, Array, Array]:
    """The likeliest parameters, by the simplex method of Nelder and Mead, and where they lead.

    y : (n,), NaN where missing
    level, slope, s0 : where to begin, (m,) for the season, which is not fitted
    scale : of steps in level and slope
    most : filterings

    returns -2 log likelihood, (6,) parameters with the last level and slope, the last season, (n,) residuals
    """
    size = 2 + (2 if trend != NONE else 0) + (1 if trend == DAMPED else 0) + (1 if season != NONE else 0)
    p, s, residuals = np.empty(6), np.empty(len(s0)), np.empty(len(y))
    simplex, values = np.zeros((size + 1, size)), np.empty(size + 1)
    middle, tried, best = np.empty(size), np.empty(size), np.empty(size)
    for i in range(size + 1):
        simplex[i, 0] = math.log(0.2 / len(s0))
        if trend != NONE:
            simplex[i, 2] = -2.0
        if season != NONE:
            simplex[i, size - 1] = -2.0
        if i > 0:
            simplex[i, i - 1] += scale if i == 2 else 0.1 * scale if trend != NONE and i == 4 else 1.0
        values[i] = _loss(simplex[i], y, error, trend, season, level, slope, s0, p, s, residuals)
    used = size + 1
    while used < most:
        _sort(values, simplex)
        if values[size] - values[0] < 1e-3:
            break
        for j in range(size):
            middle[j] = 0.0
            for i in range(size):
                middle[j] += simplex[i, j] / size
        found = math.inf
        # reflect; where that is best of all go twice as far, where it is no use come back by half
        for attempt in range(2):
            far = 1.0
            if attempt == 1:
                if found < values[0]:
                    far = 2.0
                elif found < values[size - 1]:
                    break
                elif found < values[size]:
                    far = 0.5
                else:
                    far = -0.5
            for j in range(size):
                tried[j] = middle[j] + far * (middle[j] - simplex[size, j])
            value = _loss(tried, y, error, trend, season, level, slope, s0, p, s, residuals)
            used += 1
            if value < found:
                found = value
                best[:] = tried
        if found < values[size]:
            values[size] = found
            simplex[size] = best
        else:
            for i in range(1, size + 1):
                for j in range(size):
                    simplex[i, j] = 0.5 * (simplex[0, j] + simplex[i, j])
                values[i] = _loss(simplex[i], y, error, trend, season, level, slope, s0, p, s, residuals)
            used += size
    _sort(values, simplex)
    value = _loss(simplex[0], y, error, trend, season, level, slope, s0, p, s, residuals)
    return value, p, s, residuals


@kernel
def simulate(
    errors: Array, error: int, season: int, p: Array, s: Array, lowest: float, highest: float, out: Array
) -> None:
    """Go on from a filter's end, once for each row of errors (samples, steps), into `out` of the same shape.

    s : the last season, from the place of the first step
    lowest, highest : what is beyond becomes that, and is observed so
    """
    alpha, beta, gamma, phi = p[0], p[1], p[2], p[3]
    m = len(s)
    seasonal = np.empty(m)
    for i in range(errors.shape[0]):
        base, rise = p[_LEVEL], p[_SLOPE]
        seasonal[:] = s
        for t in range(errors.shape[1]):
            rise = phi * rise
            base += rise
            of_season = seasonal[t % m]
            if season == MULTIPLICATIVE:
                forecast = base * of_season
            else:
                forecast = base + of_season
            d = errors[i, t]
            if error == MULTIPLICATIVE:
                d *= forecast
            out[i, t] = min(max(forecast + d, lowest), highest)
            d = out[i, t] - forecast
            if season == MULTIPLICATIVE:
                if abs(base) > _TINY:
                    seasonal[t % m] = max(of_season + gamma * d / base, _TINY)
                d /= max(of_season, _TINY)
            else:
                seasonal[t % m] = of_season + gamma * d
            base += alpha * d
            rise += beta * d
