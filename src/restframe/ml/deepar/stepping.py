"""Rows on their way through a trained network, step by step: the arrays that the compiled kernel works on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from restframe.ml.deepar.kernels import LANES, advance
from restframe.ml.deepar.model import Floats, Model


class Layers:
    """A network's weights as the kernel reads them; see kernels.advance()."""

    def __init__(self, model: Model, lags: int) -> None:
        cells, count, weights = model.configuration.num_cells, model.configuration.num_layers, model.weights
        self.recurrent = np.zeros((count, cells, cells + max(cells, lags), 4), np.float32)
        for layer in range(count):
            below = weights[f"lstm.{layer}.weight_ih"][:, : cells if layer else lags]
            both = np.concatenate([weights[f"lstm.{layer}.weight_hh"], below], 1)
            self.recurrent[layer, :, : both.shape[1]] = both.reshape(4, cells, -1).transpose(1, 2, 0)
        biases = np.array([weights[f"lstm.{layer}.bias"] for layer in range(1, count)], np.float32)
        self.biases = biases.reshape(count - 1, 4 * cells)
        # Copies that may be written to: kernels would be compiled once more for arrays of a file, which may not.
        self.head = np.array(weights["head.weight"], order="C")
        self.head_bias = np.array(weights["head.bias"], order="C")


class Rows:
    """The state of some rows, at first nothing.

    series : (rows,) which series each one is of, rising
    """

    def __init__(self, layers: Layers, series: npt.NDArray[np.int64]) -> None:
        self._layers, self._count = layers, series.size
        vectors = -(-series.size // LANES)
        filled = np.full(vectors * LANES, series[-1], np.int32)
        filled[: series.size] = series
        self._series = filled.reshape(vectors, LANES)
        count, cells = layers.recurrent.shape[:2]
        self._cells = np.zeros((count, vectors, cells, LANES), np.float32)
        self._memory, self._after = np.zeros_like(self._cells), np.zeros_like(self._cells)
        self._output = np.empty((layers.head_bias.size, vectors, LANES), np.float32)

    def step(self, known: Floats, near: Floats) -> Floats:
        """(parameters, rows): what the head says, until the next step.

        known : (series, 4 H) what is known of the first layer's gates; near : (K, rows) its inputs beside that
        """
        beside = np.zeros((len(near), self._series.size), np.float32)
        beside[:, : self._count] = near
        beside = np.ascontiguousarray(beside.reshape(len(near), *self._series.shape).swapaxes(0, 1))
        weights = self._layers
        advance(
            known, self._series, beside, weights.recurrent, weights.biases, weights.head, weights.head_bias,
            self._cells, self._memory, self._after, self._output,
        )  # fmt: skip
        self._cells, self._after = self._after, self._cells
        return self._output.reshape(len(self._output), -1)[:, : self._count]

    def repeated(self, samples: int) -> Rows:
        """Each row so many times."""
        rows = np.repeat(np.arange(self._count), samples)
        repeated = Rows(self._layers, self._series.reshape(-1)[rows].astype(np.int64))
        for mine, theirs in ((self._cells, repeated._cells), (self._memory, repeated._memory)):
            wide = np.zeros((*mine.shape[:1], mine.shape[2], theirs.shape[1] * LANES), np.float32)  # (layers, H, rows)
            wide[:, :, : rows.size] = mine.swapaxes(1, 2).reshape(len(mine), mine.shape[2], -1)[:, :, rows]
            theirs[:] = wide.reshape(*wide.shape[:2], -1, LANES).swapaxes(1, 2)
        return repeated
