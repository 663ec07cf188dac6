"""The generalized normal distribution's tails, and least squares with it: compiled, one county after the other.

    F(t) = 1/2 + 1/2 sign(t - mu) P(1/b, |(t - mu) / a|^b)

P is the regularised lower incomplete gamma function, a > 0 the scale, b > 0 the shape: 2 is normal, 1 Laplace.

Nadarajah: A generalized normal distribution, Journal of Applied Statistics 32(7), 2005.
"""

from __future__ import annotations

from math import exp, inf, lgamma, log

import numpy as np
from numba import njit

from restframe_epidemic.models.linear import solve
from restframe_epidemic.panel import BoolArray, FloatArray

PARAMETERS = 5
_TINY = 1e-300
_ACCURACY = 1e-14


@njit(cache=True, nogil=True)
def upper_gamma(s: float, x: float) -> float:
    """Q(s, x) = 1 - P(s, x): DLMF 8.11.4 (power series) below s + 1, 8.9.2 (continued fraction, Lentz) above."""
    if x <= 0.0:
        return 1.0
    if x > 700.0:
        return 0.0
    factor = exp(-x + s * log(x) - lgamma(s))
    if x < s + 1.0:
        term = total = 1.0 / s
        for k in range(1, 500):
            term *= x / (s + k)
            total += term
            if term < total * _ACCURACY:
                break
        return max(1.0 - factor * total, 0.0)
    b = x + 1.0 - s
    c = 1.0 / _TINY
    d = 1.0 / b
    result = d
    for k in range(1, 500):
        a = -k * (k - s)
        b += 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        result *= c * d
        if abs(c * d - 1.0) < _ACCURACY:
            break
    return factor * result


@njit(cache=True, nogil=True)
def tail(t: float, mu: float, a: float, b: float) -> float:
    """1 - F beyond mu, F before it: the smaller end, which keeps its digits where the curve is almost flat."""
    return 0.5 * upper_gamma(1.0 / b, (abs(t - mu) / a) ** b)


@njit(cache=True, nogil=True)
def density(t: float, mu: float, a: float, b: float) -> float:
    return exp(-((abs(t - mu) / a) ** b) - lgamma(1.0 / b)) * b / (2.0 * a)


@njit(cache=True, nogil=True)
def cumulative(t: FloatArray, mu: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    """F, element by element of one-dimensional arrays of one length."""
    result = np.empty(len(t))
    for k in range(len(t)):
        end = tail(t[k], mu[k], a[k], b[k])
        result[k] = end if t[k] < mu[k] else 1.0 - end
    return result


@njit(cache=True, nogil=True)
def _shares(first: float, mu: float, a: float, b: float, result: FloatArray) -> None:
    """F(t + 1) - F(t) for t = first, first + 1, ..."""
    before = tail(first, mu, a, b)
    for k in range(len(result)):
        t = first + k + 1.0
        after = tail(t, mu, a, b)
        if t <= mu:
            result[k] = after - before
        elif t - 1.0 >= mu:
            result[k] = before - after
        else:
            result[k] = 1.0 - before - after
        before = after


@njit(cache=True, nogil=True)
def incidence(parameters: FloatArray, first: float, weeks: int) -> FloatArray:
    """K [F(t + 1) - F(t)] + c in the weeks from `first` on; parameters (N, 5) -> (N, weeks)."""
    result = np.empty((len(parameters), weeks))
    for n in range(len(parameters)):
        log_K, mu, log_a, log_b, log_c = parameters[n]
        _shares(first, mu, exp(log_a), exp(log_b), result[n])
        for k in range(weeks):
            result[n, k] = exp(log_K) * max(result[n, k], 0.0) + exp(log_c)
    return result


@njit(cache=True, nogil=True)
def _linearised(
    theta: FloatArray, root: FloatArray, weight: FloatArray, shift: float, r: FloatArray, J: FloatArray
) -> float:
    """Residuals r = weight (sqrt(y + shift) - sqrt(m + shift)), -dr/dtheta as J; returns their sum of squares."""
    weeks = len(root)
    K, mu, a, b, c = exp(theta[0]), theta[1], exp(theta[2]), exp(theta[3]), exp(theta[4])
    share, wider = np.empty(weeks), np.empty(weeks)
    _shares(0.0, mu, a, b, share)
    step = 1e-5  # of log b: F has no closed derivative in its shape
    _shares(0.0, mu, a, b * exp(step), wider)
    total = 0.0
    before, z_before = density(0.0, mu, a, b), -mu
    for k in range(weeks):
        after, z_after = density(k + 1.0, mu, a, b), k + 1.0 - mu
        modelled = (max(K * share[k], 0.0) + c + shift) ** 0.5
        scale = 0.5 * weight[k] / modelled
        r[k] = weight[k] * (root[k] - modelled)
        J[k, 0] = scale * K * share[k]
        J[k, 1] = scale * K * (before - after)
        J[k, 2] = scale * K * (z_before * before - z_after * after)
        J[k, 3] = scale * K * (wider[k] - share[k]) / step
        J[k, 4] = scale * c
        before, z_before = after, z_after
        total += r[k] * r[k]
    return total


@njit(cache=True, nogil=True)
def _descend(
    start: FloatArray,
    root: FloatArray,
    weight: FloatArray,
    shift: float,
    prior: FloatArray,
    stiffness: FloatArray,
    low: FloatArray,
    high: FloatArray,
    rounds: int,
) -> tuple[FloatArray, float, bool]:
    """Levenberg-Marquardt from one start, steps cut at the bounds: parameters, loss, whether it came to rest."""
    weeks = len(root)
    r, J = np.empty(weeks), np.empty((weeks, PARAMETERS))
    A, v = np.empty((PARAMETERS, PARAMETERS)), np.empty(PARAMETERS)
    new_r, new_J = np.empty(weeks), np.empty((weeks, PARAMETERS))
    theta, trial = np.minimum(np.maximum(start, low), high), np.empty(PARAMETERS)
    loss = _linearised(theta, root, weight, shift, r, J)
    for p in range(PARAMETERS):
        loss += (stiffness[p] * (theta[p] - prior[p])) ** 2
    damping = 1e-2
    for _ in range(rounds):
        for p in range(PARAMETERS):
            v[p] = stiffness[p] ** 2 * (prior[p] - theta[p])
            for q in range(PARAMETERS):
                A[p, q] = 0.0
            for k in range(weeks):
                v[p] += J[k, p] * r[k]
                for q in range(PARAMETERS):
                    A[p, q] += J[k, p] * J[k, q]
            A[p, p] += stiffness[p] ** 2
        for p in range(PARAMETERS):
            A[p, p] += damping * (A[p, p] + 1e-6)
        step = solve(A, v)
        moved = 0.0
        for p in range(PARAMETERS):
            trial[p] = min(max(theta[p] + step[p], low[p]), high[p])
            moved = max(moved, abs(trial[p] - theta[p]))
        new_loss = _linearised(trial, root, weight, shift, new_r, new_J)
        for p in range(PARAMETERS):
            new_loss += (stiffness[p] * (trial[p] - prior[p])) ** 2
        if new_loss <= loss:  # never when it is NaN
            settled = loss - new_loss <= 1e-5 * (loss + 1e-9)
            theta[:], r[:], J[:], loss = trial, new_r, new_J, new_loss
            damping = max(damping * 0.2, 1e-9)
            if settled:
                return theta, loss, True
        elif moved < 1e-7:
            return theta, loss, True
        else:
            damping *= 5.0
            if damping > 1e12:
                break
    return theta, loss, False


@njit(cache=True, nogil=True)
def fit_all(
    root: FloatArray,
    weight: FloatArray,
    shift: float,
    starts: FloatArray,
    prior: FloatArray,
    stiffness: FloatArray,
    low: FloatArray,
    high: FloatArray,
    rounds: int,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """The best of several starts for every row.

    root, weight : (N, W); starts : (N, M, 5); prior, stiffness, low, high : (N, 5)
    returns parameters (N, 5), loss (N,), converged (N,); NaN, NaN and False where no start comes to rest.
    """
    places = len(root)
    parameters = np.full((places, PARAMETERS), np.nan)
    losses = np.full(places, np.nan)
    converged = np.zeros(places, dtype=np.bool_)
    for n in range(places):
        best = inf
        for m in range(starts.shape[1]):
            theta, loss, settled = _descend(
                starts[n, m], root[n], weight[n], shift, prior[n], stiffness[n], low[n], high[n], rounds
            )
            if settled and loss < best:
                best = loss
                parameters[n], losses[n], converged[n] = theta, loss, True
    return parameters, losses, converged
