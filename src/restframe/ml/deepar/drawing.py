"""Random numbers from the five distributions, whose parameters the network says step by step.

likelihoods.py says what the parameters mean.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

# What the network gives out for each step.
PARAMETER_COUNTS = {"student-T": 3, "gaussian": 2, "negative-binomial": 2, "beta": 2, "deterministic-L1": 1}

LEAST_SIGMA = 1e-6
NU_OFFSET = 2.0  # degrees of freedom are above it, so that the variance is finite
SHARPNESS = 4.0  # of the mean of counts: near the network's output where that is about 1, and small where it is below 0
EDGE = 1e-4  # beta has no density at 0 and 1: targets there are taken for this far inside


class Dice:
    """The chance in the forecasts of some rows over some steps; the same seed and shape give the same chance.

    Normals, and what becomes Student's t, are drawn once for all steps: they do not depend on parameters.
    """

    def __init__(self, likelihood: str, rows: int, steps: int, seed: np.random.SeedSequence) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._draw = _DRAWS[likelihood]
        self._ready = _READY[likelihood](self._rng, (steps, rows)) if likelihood in _READY else ()

    def draw(self, step: int, output: Floats, scale: Floats) -> Floats:
        """(rows,) values in units of scale; output : (rows, parameters), scale : (rows,)."""
        return self._draw(self._rng, [part[step] for part in self._ready], output.T, scale)


def _softplus(x: Floats, sharpness: float = 1.0) -> Floats:
    x = x * sharpness
    return np.asarray((np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))) / sharpness, np.float32)


def _normals(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, ...]:
    return (rng.standard_normal(shape, np.float32),)


def _polar(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, ...]:
    """-2 log u and cos 2 pi v of uniform u, v."""
    exponential = rng.standard_exponential(shape, np.float32)
    angle = rng.random(shape, np.float32) * np.float32(2 * np.pi)
    return 2 * exponential, np.cos(angle)


def _student_t(rng: np.random.Generator, ready: list[Floats], output: Floats, scale: Floats) -> Floats:
    """Bailey: Polar generation of random variates with the t-distribution, Mathematics of Computation 62 (1994)."""
    spread, freedom = _softplus(output[1:])
    sigma, nu = spread + LEAST_SIGMA, freedom + NU_OFFSET
    return np.asarray(output[0] + sigma * np.sqrt(nu * np.expm1(ready[0] / nu)) * ready[1], np.float32)


def _gaussian(rng: np.random.Generator, ready: list[Floats], output: Floats, scale: Floats) -> Floats:
    return np.asarray(output[0] + (_softplus(output[1]) + LEAST_SIGMA) * ready[0], np.float32)


def _negative_binomial(rng: np.random.Generator, ready: list[Floats], output: Floats, scale: Floats) -> Floats:
    shape = 1.0 / (_softplus(output[1]).astype(np.float64) + LEAST_SIGMA)
    rate = rng.standard_gamma(shape) / shape * _softplus(output[0], SHARPNESS) * scale
    return np.asarray(rng.poisson(np.minimum(rate, 1e15)) / scale, np.float32)


def _beta(rng: np.random.Generator, ready: list[Floats], output: Floats, scale: Floats) -> Floats:
    drawn = rng.beta(_softplus(output[0]) + EDGE, _softplus(output[1]) + EDGE)
    return np.asarray(drawn / scale, np.float32)


def _deterministic_l1(rng: np.random.Generator, ready: list[Floats], output: Floats, scale: Floats) -> Floats:
    return np.asarray(output[0], np.float32)


_READY: dict[str, Callable[[np.random.Generator, tuple[int, int]], tuple[Floats, ...]]] = {
    "student-T": _polar,
    "gaussian": _normals,
}
_DRAWS: dict[str, Callable[[np.random.Generator, list[Floats], Floats, Floats], Floats]] = {
    "student-T": _student_t,
    "gaussian": _gaussian,
    "negative-binomial": _negative_binomial,
    "beta": _beta,
    "deterministic-L1": _deterministic_l1,
}
