"""A trained DeepAR model as a value, and what it is asked. Plain arrays: a forecast needs no torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.deepar.configuration import Configuration, embedding_widths
from restframe.ml.deepar.drawing import PARAMETER_COUNTS
from restframe.ml.deepar.packing import Statistics
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series

Floats = npt.NDArray[np.float32]

_MOST_WEIGHTS = 100_000_000  # in training each is in memory five times
_MOST_NUMBERS = 50_000_000  # of one window: 200 MB
_MOST_PRODUCTS = 10_000_000_000  # for one path: some seconds


@dataclass(frozen=True, slots=True)
class Asked:
    """Series to be forecast together.

    samples : how many paths of each series
    seed : the same seed, series and samples give the same paths, whatever is asked beside them; None: chance
    """

    series: tuple[Series, ...]
    samples: int = 100
    seed: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A network's weights and what they belong to, made by fit() or load(). Usable from several threads at once.

    weights : arrays by name, with the shapes of weight_shapes()
    epoch, loss : the epoch whose weights these are, counted from 0, and its mean loss
    """

    configuration: Configuration
    statistics: Statistics
    weights: Mapping[str, Floats]
    epoch: int
    loss: float

    def sample(self, asked: Sequence[Asked]) -> list[Floats]:
        """Paths of each one's series after their ends, each (series, samples, prediction_length).

        DataError for a series that does not fit the configuration: a category that was not learned, features that
        end before the forecast does, a value that the likelihood does not allow.
        """
        from restframe.ml.deepar.sampling import sample

        return sample(self, asked)


def weight_shapes(configuration: Configuration) -> dict[str, tuple[int, ...]]:
    """The weights of a network by name.

    An LSTM's four gates stand side by side, input, forget, cell, output, as torch has them:
    gates = weight_ih x + weight_hh h + bias. x is of the first layer

        target at each lag / scale | calendar | age | dynamic features | log(scale) | embeddings

    The head gives the distribution's parameters; to the first, the place, skip adds a weighted sum of the lags.
    """
    cells, shapes = configuration.num_cells, dict[str, tuple[int, ...]]()
    for place, (groups, width) in enumerate(
        zip(configuration.cardinality, embedding_widths(configuration), strict=True)
    ):
        if width:
            shapes[f"embedding.{place}"] = (groups, width)
    width = input_width(configuration)
    for layer in range(configuration.num_layers):
        shapes[f"lstm.{layer}.weight_ih"] = (4 * cells, width)
        shapes[f"lstm.{layer}.weight_hh"] = (4 * cells, cells)
        shapes[f"lstm.{layer}.bias"] = (4 * cells,)
        width = cells
    shapes["skip.weight"] = (len(Frequency.parse(configuration.time_freq).lags),)
    shapes["head.weight"] = (PARAMETER_COUNTS[configuration.likelihood], cells)
    shapes["head.bias"] = (PARAMETER_COUNTS[configuration.likelihood],)
    return shapes


def input_width(configuration: Configuration) -> int:
    """Numbers that the network reads at each step."""
    frequency = Frequency.parse(configuration.time_freq)
    beside = frequency.feature_count + configuration.num_dynamic_feat + sum(embedding_widths(configuration))
    return len(frequency.lags) + beside + 2  # age and log(scale)


def numbers_per_series(configuration: Configuration) -> int:
    """How many numbers a forecast of one series holds beside its paths."""
    steps = configuration.context_length + configuration.prediction_length
    return steps * (input_width(configuration) + 4 * configuration.num_cells)


def check_size(configuration: Configuration) -> None:
    """InvalidParameterValue for a network that no machine has memory or time for, though each number may be right."""
    sizes = {name: math.prod(shape) for name, shape in weight_shapes(configuration).items()}
    steps = configuration.context_length + configuration.prediction_length
    products = steps * sum(size for name, size in sizes.items() if not name.startswith("embedding"))
    for count, most, what in (
        (sum(sizes.values()), _MOST_WEIGHTS, "weights"),
        (numbers_per_series(configuration), _MOST_NUMBERS, "inputs and gates for one series"),
        (products, _MOST_PRODUCTS, "multiplications for one path"),
    ):
        if count > most:
            raise errors.InvalidParameterValue(f"the network would need {count} {what}, at most {most} are allowed")
