"""Kernels of exponential smoothing: filter a series, find the best parameters, go on from its end.

A model is three numbers: error ADDITIVE or MULTIPLICATIVE, trend if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float64]

NONE, ADDITIVE or DAMPED, season NONE, ADDITIVE or
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


@part
def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(x, -30.0), 30.0)))


@part
def _parameters(x: Array, trend: int, season: int, level: float, slope: float, out: Array) -> None:
    """From free numbers to alpha, beta, gamma, phi, level, slope: 0 < beta < alpha < 1, 0 < gamma < 1 - alpha."""
    out[_ALPHA] = 1e-4 + (1.0 - 2e-4) * _logistic(x[0])
    out[_LEVEL] = level + x[1]
    at = 2
    out[_BETA], out[_SLOPE], out[_PHI], out[_GAMMA] = 0.0, 0.0, 1.0, 0.0
    if trend != NONE:
        out[_BETA] = out[_ALPHA] * _logistic(x[at])
        out[_SLOPE] = slope + x[at + 1]
        at += 2
    if trend == DAMPED:
        out[_PHI] = 0.8 + 0.18 * _logistic(x[at])
        at += 1
    if season != NONE:
        out[_GAMMA] = (1.0 - out[_ALPHA]) * _logistic(x[at])


@part
def _filter(y: Array, error: int, season: int, p: Array, s: Array, residuals: Array) -> tuple[float, float, float]:
    """-2 log likelihood but for a constant, and the last level and slope; s becomes the last season, in place.

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
                    return math.inf, level, slope
                e = d / forecast
                logs += math.log(forecast)
            residuals[t] = e
            squares += e * e
            count += 1
            if season == MULTIPLICATIVE:
                if base < _TINY or of_season < _TINY:
                    return math.inf, level, slope
                s[place] = of_season + gamma * d / base
                d /= of_season
            else:
                s[place] = of_season + gamma * d
            level += alpha * d
            slope += beta * d
        place += 1
        if place == m:
            place = 0
    return count * math.log(squares / count + 1e-20) + 2.0 * logs, level, slope


@kernel
def fit(
    y: Array, error: int, trend: int, season: int, level: float, slope: float, s0: Array, scale: float, most: int
) -> tuple[float, Array, float, float, Array, Array]:
    """The likeliest parameters, by the simplex method of Nelder and Mead, and where they lead.

    y : (n,), NaN where missing
    level, slope, s0 : where to begin, (m,) for the season, which is not fitted
    scale : of steps in level and slope
    most : filterings

    returns -2 log likelihood, (6,) parameters, last level, slope and (m,) season in the order of the steps to come,
    (n,) residuals
    """
    size = 2 + (2 if trend != NONE else 0) + (1 if trend == DAMPED else 0) + (1 if season != NONE else 0)
    p, s, residuals = np.empty(6), s0.copy(), np.empty(len(y))
    simplex, values = np.zeros((size + 1, size)), np.empty(size + 1)
    start, steps = np.zeros(size), np.ones(size)
    start[0] = math.log(0.2 / len(s0))
    steps[1] = scale
    if trend != NONE:
        start[2] = -2.0
        steps[3] = scale * 0.1
    if season != NONE:
        start[size - 1] = -2.0
    for i in range(size + 1):
        simplex[i] = start
        if i > 0:
            simplex[i, i - 1] += steps[i - 1]
        _parameters(simplex[i], trend, season, level, slope, p)
        s[:] = s0
        values[i] = _filter(y, error, season, p, s, residuals)[0]
    used = size + 1
    while used < most:
        order = np.argsort(values)
        simplex, values = simplex[order], values[order]
        if values[size] - values[0] < 1e-3:
            break
        middle = np.zeros(size)
        for i in range(size):
            middle += simplex[i] / size
        reflected, best = np.empty(size), math.inf
        # reflect; where that is best of all go twice as far, where it is no use come back by half
        for attempt in range(2):
            far = 1.0
            if attempt == 1:
                if best < values[0]:
                    far = 2.0
                elif best < values[size - 1]:
                    break
                elif best < values[size]:
                    far = 0.5
                else:
                    far = -0.5
            x = middle + far * (middle - simplex[size])
            _parameters(x, trend, season, level, slope, p)
            s[:] = s0
            value = _filter(y, error, season, p, s, residuals)[0]
            used += 1
            if value < best:
                reflected, best = x, value
        if best < values[size]:
            simplex[size], values[size] = reflected, best
        else:
            for i in range(1, size + 1):
                simplex[i] = simplex[0] + 0.5 * (simplex[i] - simplex[0])
                _parameters(simplex[i], trend, season, level, slope, p)
                s[:] = s0
                values[i] = _filter(y, error, season, p, s, residuals)[0]
            used += size
    _parameters(simplex[np.argmin(values)], trend, season, level, slope, p)
    s[:] = s0
    value, level, slope = _filter(y, error, season, p, s, residuals)
    return value, p, level, slope, np.roll(s, -(len(y) % len(s))), residuals


@kernel
def simulate(
    errors: Array, error: int, season: int, p: Array, level: float, slope: float, s: Array,
    lowest: float, highest: float, out: Array,
) -> None:  # fmt: skip
    """Go on from a filter's end, once for each row of errors (samples, steps), into `out` of the same shape.

    lowest, highest : what is beyond becomes that, and is observed so
    """
    alpha, beta, gamma, phi = p[0], p[1], p[2], p[3]
    m = len(s)
    for i in range(errors.shape[0]):
        base, rise, seasonal = level, slope, s.copy()
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
