"""Windows of series to learn from: which ones, and as tensors.

A window is a context of C steps before its time t, and a horizon of P steps from t on. The network reads steps
t - C + 1 .. t + P - 1, each with the targets before it, and is asked for the targets of all of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from restframe.ml.deepar.configuration import Configuration
from restframe.ml.deepar.packing import Packed, Statistics
from restframe.ml.forecasting.frequency import Frequency

_BY_SIZE = 0.5
_GOLDEN = 0.5 * (math.sqrt(5.0) - 1.0)

Integers = npt.NDArray[np.int64]


class Batch(NamedTuple):
    """T = C + P - 1 steps of B windows.

    inputs : (T, B, input_width - widths of embeddings)
    target, observed : (T, B), in the target's units, and 1 where it was observed
    scale : (B,), what targets were divided by
    categories : (B, number of categories)
    """

    inputs: Tensor
    target: Tensor
    observed: Tensor
    scale: Tensor
    categories: Tensor


class Windows:
    """All windows of the series."""

    def __init__(self, packed: Packed, configuration: Configuration, statistics: Statistics) -> None:
        self._values, self._observed = torch.from_numpy(packed.values), torch.from_numpy(packed.observed)
        self._features, self._calendar = torch.from_numpy(packed.features), torch.from_numpy(packed.calendar)
        self._categories, self._size = torch.from_numpy(packed.categories), torch.from_numpy(packed.size)
        self._packed, self._statistics = packed, statistics
        self._horizon = configuration.prediction_length
        self._context = torch.arange(-configuration.context_length, 0)
        self._steps = torch.arange(1 - configuration.context_length, configuration.prediction_length)
        self.steps = self._steps.numel()
        self.lags = torch.tensor(Frequency.parse(configuration.time_freq).lags)
        self._whose = np.argsort(packed.size, kind="stable")
        size = packed.size[self._whose].astype(np.float64)
        self._share = np.cumsum((1 - _BY_SIZE) / size.size + _BY_SIZE * size / size.sum())

    def draw(self, count: int, rng: np.random.Generator) -> tuple[Integers, Integers]:
        """Series and time of `count` windows, in random order.

        Both are spread evenly, series ordered by size: each epoch has its share of large and small ones, of early and
        late, or its loss, which is in the target's units, would say more about the draw than about the network.
        """
        number = rng.permutation(count)
        chosen = np.searchsorted(self._share, (number + rng.random()) / count).clip(max=self._whose.size - 1)
        series = self._whose[chosen]
        # multiples of the golden ratio leave no gaps, whichever run of them falls to a series
        early_to_late = (number * _GOLDEN + rng.random()) % 1.0
        return series, 1 + (early_to_late * (self._packed.length[series] - self._horizon)).astype(np.int64)

    def batch(self, series: Integers, time: Integers) -> Batch:
        """Windows as tensors."""
        origin = torch.from_numpy(self._packed.origin[series] + time)
        calendar = torch.from_numpy(self._packed.calendar_origin[series] + time)
        whose, t = torch.from_numpy(series), torch.from_numpy(time)
        scale = self._scales(whose, origin)
        steps = self._steps[:, None] + origin  # (T, B)
        lagged = self._values[steps[:, :, None] - self.lags] / scale[:, None]  # (T, B, lags)
        inputs = torch.cat(
            [
                lagged,
                self._calendar[self._steps[:, None] + calendar],
                torch.log10((self._steps[:, None] + t).clamp(min=0) + 2.0)[:, :, None],
                self._features[steps],
                self._logs(scale).expand(len(steps), -1)[:, :, None],
            ],
            2,
        )
        return Batch(inputs, self._values[steps], self._observed[steps], scale, self._categories[whose])

    def _scales(self, whose: Tensor, origin: Tensor) -> Tensor:
        """(B,) mean |target| of the context, in which the series' own size counts as one more observation."""
        context = self._context + origin[:, None]
        observed = self._observed[context]
        total = (self._values[context].abs() * observed).sum(1) + self._size[whose]
        return total / (observed.sum(1) + 1)

    def _logs(self, scale: Tensor) -> Tensor:
        return (torch.log(scale) - self._statistics.log_size) / self._statistics.log_size_spread
