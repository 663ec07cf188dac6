"""Forecasting: paths drawn step by step, each step's draw read by the next ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.deepar.configuration import Configuration, embedding_widths
from restframe.ml.deepar.drawing import Dice
from restframe.ml.deepar.kernels import project
from restframe.ml.deepar.model import Asked, Floats, Model, numbers_per_series
from restframe.ml.deepar.packing import Packed, check_series, pack_ends, room_before
from restframe.ml.deepar.stepping import Layers, Rows
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series

_FARTHEST = 10.0  # a path stays within so many times the greatest |target| that was seen
_ROWS_AT_ONCE = 4096  # paths that are in memory together
_NUMBERS_AT_ONCE = 20_000_000  # of what is known of their series: 80 MB


def sample(model: Model, asked: Sequence[Asked]) -> list[Floats]:
    """Model.sample(). Each one is forecast by itself: what is asked beside it does not change its last digit."""
    for one in asked:
        check_series(one.series, model.configuration, ahead=model.configuration.prediction_length)
        if one.samples < 1 or (one.seed is not None and one.seed < 0):
            raise errors.InvalidParameterValue("samples must be at least 1, and seed at least 0")
    return [_paths(model, one) for one in asked]


def _paths(model: Model, asked: Asked) -> Floats:
    """(series, samples, P)"""
    horizon, chance = model.configuration.prediction_length, np.random.SeedSequence(asked.seed)
    paths = np.empty((len(asked.series), asked.samples, horizon), np.float32)
    for lot in _lots(asked, model.configuration):
        dice = Dice(model.configuration.likelihood, (lot.stop - lot.start) * asked.samples, horizon, chance.spawn(1)[0])
        paths[lot] = _lot(model, asked.series[lot], asked.samples, dice)
    return paths


def _lots(asked: Asked, configuration: Configuration) -> Iterator[slice]:
    """Series, as many at a time as fit into memory."""
    size = max(1, min(_ROWS_AT_ONCE // asked.samples, _NUMBERS_AT_ONCE // numbers_per_series(configuration)))
    for first in range(0, len(asked.series), size):
        yield slice(first, min(len(asked.series), first + size))


def _lot(model: Model, series: Sequence[Series], samples: int, dice: Dice) -> Floats:
    """(series, samples, P)

    The context is the same for all samples of a series, and so is all that is known of the inputs over the horizon:
    only the lags that reach into the horizon are each row's own.
    """
    configuration, weights = model.configuration, model.weights
    C, P, N = configuration.context_length, configuration.prediction_length, len(series)
    lags = np.array(Frequency.parse(configuration.time_freq).lags)
    packed = pack_ends(series, configuration, model.statistics)
    scale = _scales(packed, C)
    inputs = _inputs(packed, model, scale, lags)
    known = np.empty((*inputs.shape[:2], 4 * configuration.num_cells), np.float32)  # (C - 1 + P, N, 4 H)
    first_layer = _own(weights["lstm.0.weight_ih"].T), _own(weights["lstm.0.bias"])
    project(inputs.reshape(-1, inputs.shape[2]), *first_layer, known.reshape(-1, known.shape[2]))
    place = inputs[C - 1 :, :, : lags.size] @ weights["skip.weight"]  # (P, N)

    rows, none = Rows(Layers(model, lags.size), np.arange(N)), np.empty((0, N), np.float32)
    for step in range(C - 1):
        rows.step(known[step], none)

    rows, whose = rows.repeated(samples), np.repeat(np.arange(N), samples)
    limit, scales = (_FARTHEST * _greatest(packed, configuration) / scale)[whose], scale[whose]
    drawn = np.zeros((P, whose.size), np.float32)
    for step in range(P):
        near = drawn[step - lags[lags <= step]]
        output = rows.step(known[C - 1 + step], near)
        output[0] += place[step, whose] + weights["skip.weight"][: len(near)] @ near
        drawn[step] = np.clip(dice.draw(step, output.T, scales), -limit, limit)
    return (drawn * scales).T.reshape(N, samples, P)


def _own(array: Floats) -> Floats:
    """A copy that may be written to: kernels would be compiled once more for arrays of a file, which may not."""
    return np.array(array, order="C")


def _places(packed: Packed, first: int, after: int) -> npt.NDArray[np.int64]:
    """(after - first, N) where steps first..after - 1 stand, counted from each series' end."""
    return np.arange(first, after)[:, None] + (packed.origin + packed.length)


def _scales(packed: Packed, context: int) -> Floats:
    """(N,) by the rule of windows.Windows, for the window that begins after the end."""
    places = _places(packed, -context, 0)
    observed = packed.observed[places]
    total = (np.abs(packed.values[places]) * observed).sum(0) + packed.size
    return np.asarray(total / (observed.sum(0) + 1), np.float32)


def _greatest(packed: Packed, configuration: Configuration) -> Floats:
    """(N,) the greatest |target| that is in memory; the series' size where there are zeros only."""
    greatest = np.abs(packed.values[_places(packed, -room_before(configuration), 0)]).max(0)
    return np.where(greatest > 0, greatest, packed.size).astype(np.float32)


def _inputs(packed: Packed, model: Model, scale: Floats, lags: npt.NDArray[np.int64]) -> Floats:
    """(C - 1 + P, N, input_width): what the network reads, with zeros for targets that are to be drawn."""
    configuration, statistics = model.configuration, model.statistics
    first, after = 1 - configuration.context_length, configuration.prediction_length
    places, time = _places(packed, first, after), np.arange(first, after)[:, None] + packed.length
    static = [((np.log(scale) - statistics.log_size) / statistics.log_size_spread)[:, None]] + [
        model.weights[f"embedding.{place}"][packed.categories[:, place]]
        for place, width in enumerate(embedding_widths(configuration))
        if width
    ]
    fixed = np.concatenate(static, 1)
    parts = [
        packed.values[places[:, :, None] - lags] / scale[:, None],
        packed.calendar[packed.calendar_origin + time],
        np.log10(np.maximum(time, 0) + 2.0)[:, :, None],
        packed.features[places],
        np.broadcast_to(fixed, (len(places), *fixed.shape)),
    ]
    return np.concatenate(parts, 2, dtype=np.float32)
