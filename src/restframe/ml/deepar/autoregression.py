"""A linear autoregression in closed form: where the network begins to learn from."""

from __future__ import annotations

import numpy as np
import torch

from restframe.ml.deepar.model import Floats
from restframe.ml.deepar.windows import Windows

_WINDOWS = 512
_STEPS = 1_000_000  # of all of them: fewer windows when they are long
_TOWARDS_THE_LAST = 1e-4  # weight of the belief that the next value is like the last one, per observation
_FARTHEST = 10.0  # in scales: what is farther away counts as this far


def autoregression(windows: Windows, rng: np.random.Generator) -> tuple[Floats, float]:
    """Weights of the lags, and how far from their sum targets usually are, both in scales.

    Ridge regression of each target on its lags, shrunk towards its predecessor rather than towards 0: of a random walk
    there is nothing to learn, and seasons are far stronger than the belief.
    """
    batch = windows.batch(*windows.draw(max(1, min(_WINDOWS, _STEPS // windows.steps)), rng))
    seen, count = batch.observed > 0, windows.lags.numel()
    lagged = batch.inputs[:, :, :count][seen].clamp(-_FARTHEST, _FARTHEST).double()
    target = (batch.target / batch.scale)[seen].clamp(-_FARTHEST, _FARTHEST).double()
    last = torch.eye(1, count, dtype=torch.float64)[0]
    if not len(target):
        return last.float().numpy(), 1.0
    belief = torch.eye(count, dtype=torch.float64) * (_TOWARDS_THE_LAST * len(lagged))
    # by torch, whose threads are one: NumPy's sums would depend on how many processors there are
    weights = last + torch.linalg.solve(lagged.T @ lagged + belief, lagged.T @ (target - lagged @ last))
    sigma = 1.5 * float((target - lagged @ weights).abs().median())
    return weights.float().numpy(), min(max(sigma, 1e-3), 1.0)
