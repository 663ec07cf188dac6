"""A linear autoregression in closed form: where the network begins to learn from."""

from __future__ import annotations

import numpy as np

from restframe.ml.deepar.model import Floats
from restframe.ml.deepar.windows import Windows

_WINDOWS = 512
_TOWARDS_THE_LAST = 1e-4  # weight of the belief that the next value is like the last one, per observation
_FARTHEST = 10.0  # in scales: what is farther away counts as this far


def autoregression(windows: Windows, rng: np.random.Generator) -> tuple[Floats, float]:
    """Weights of the lags, and how far from their sum targets usually are, both in scales.

    Ridge regression of each target on its lags, shrunk towards its predecessor rather than towards 0: of a random walk
    there is nothing to learn, and seasons are far stronger than the belief.
    """
    batch = windows.batch(*windows.draw(_WINDOWS, rng))
    seen = batch.observed.numpy() > 0
    lagged = batch.inputs.numpy()[:, :, : windows.lags.numel()][seen].clip(-_FARTHEST, _FARTHEST).astype(np.float64)
    target = (batch.target / batch.scale).numpy()[seen].clip(-_FARTHEST, _FARTHEST)
    if not target.size:
        return np.eye(1, windows.lags.numel(), dtype=np.float32)[0], 1.0
    belief = np.eye(lagged.shape[1]) * (_TOWARDS_THE_LAST * len(lagged) + 1e-9)
    weights = np.linalg.solve(lagged.T @ lagged + belief, lagged.T @ (target - lagged[:, 0]))
    weights[0] += 1.0
    sigma = 1.5 * float(np.median(np.abs(target - lagged @ weights)))
    return weights.astype(np.float32), min(max(sigma, 1e-3), 1.0)
