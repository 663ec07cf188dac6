"""The five distributions: how the network's output becomes their parameters, and the loss of what was observed.

The network sees targets divided by the window's scale. `student-T`, `gaussian` and `deterministic-L1` are about those,
`negative-binomial` and `beta` about targets in their own units. drawing.py draws from the same distributions.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import softplus

from restframe.ml.deepar.drawing import EDGE, LEAST_SIGMA, NU_OFFSET, SHARPNESS


def loss(likelihood: str, output: Tensor, target: Tensor, scale: Tensor) -> Tensor:
    """Negative log-likelihood of each target, in nats, as a density over the target's own units.

    output : (..., parameters); target, in its own units, and scale : (...)
    deterministic-L1 gives |target - forecast| / scale instead.
    """
    return _LOSSES[likelihood](output.unbind(-1), target, scale)


def _student_t(output: tuple[Tensor, ...], target: Tensor, scale: Tensor) -> Tensor:
    mu, sigma, nu = output[0], softplus(output[1]) + LEAST_SIGMA, softplus(output[2]) + NU_OFFSET
    z = (target / scale - mu) / sigma
    half = 0.5 * nu
    return (
        (half + 0.5) * torch.log1p(z * z / nu) + torch.log(sigma * scale)
        + 0.5 * torch.log(math.pi * nu) + torch.lgamma(half) - torch.lgamma(half + 0.5)
    )  # fmt: skip


def _gaussian(output: tuple[Tensor, ...], target: Tensor, scale: Tensor) -> Tensor:
    mu, sigma = output[0], softplus(output[1]) + LEAST_SIGMA
    z = (target / scale - mu) / sigma
    return 0.5 * z * z + torch.log(sigma * scale) + 0.5 * math.log(2 * math.pi)


def _negative_binomial(output: tuple[Tensor, ...], target: Tensor, scale: Tensor) -> Tensor:
    mean, shape = softplus(output[0], SHARPNESS) * scale, 1.0 / (softplus(output[1]) + LEAST_SIGMA)
    return (
        torch.lgamma(shape) + torch.lgamma(target + 1.0) - torch.lgamma(target + shape)
        + shape * torch.log1p(mean / shape) + target * torch.log1p(shape / mean)
    )  # fmt: skip


def _beta(output: tuple[Tensor, ...], target: Tensor, scale: Tensor) -> Tensor:
    a, b = softplus(output[0]) + EDGE, softplus(output[1]) + EDGE
    y = target.clamp(EDGE, 1.0 - EDGE)
    return torch.lgamma(a) + torch.lgamma(b) - torch.lgamma(a + b) - (a - 1) * torch.log(y) - (b - 1) * torch.log1p(-y)


def _deterministic_l1(output: tuple[Tensor, ...], target: Tensor, scale: Tensor) -> Tensor:
    return (target / scale - output[0]).abs()


_LOSSES: dict[str, Callable[[tuple[Tensor, ...], Tensor, Tensor], Tensor]] = {
    "student-T": _student_t,
    "gaussian": _gaussian,
    "negative-binomial": _negative_binomial,
    "beta": _beta,
    "deterministic-L1": _deterministic_l1,
}
