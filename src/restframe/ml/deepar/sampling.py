"""Forecasting: paths drawn step by step, each step's draw read by the next ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from restframe.ml.deepar.configuration import Configuration, embedding_widths
from restframe.ml.deepar.drawing import Dice
from restframe.ml.deepar.model import Asked, Model
from restframe.ml.deepar.packing import Packed, check_series, pack_ends
from restframe.ml.forecasting.frequency import Frequency

Floats = npt.NDArray[np.float32]

_FARTHEST = 10.0  # a path stays within so many times the greatest |target| that was seen


def sample(model: Model, asked: Sequence[Asked]) -> list[Floats]:
    """Model.sample()."""
    for one in asked:
        check_series(one.series, model.configuration, ahead=model.configuration.prediction_length)
    return [_paths(model, one) for one in asked]


def _paths(model: Model, asked: Asked) -> Floats:
    configuration, samples = model.configuration, asked.samples
    P, N = configuration.prediction_length, len(asked.series)
    if not N:
        return np.empty((0, samples, P), np.float32)
    packed = pack_ends(asked.series, configuration, model.statistics)
    scale = _scales(packed, configuration)
    inputs = _inputs(packed, model, scale)  # (N, C - 1 + P, width)
    weights = [
        [model.weights[f"lstm.{i}.{name}"].T for name in ("weight_ih", "weight_hh", "bias")]
        for i in range(configuration.num_layers)
    ]
    known = inputs @ weights[0][0] + weights[0][2]
    state = [(np.zeros((N, configuration.num_cells), np.float32),) * 2 for _ in weights]
    for step in range(configuration.context_length - 1):
        _advance(known[:, step], state, weights)
    state = [(np.repeat(h, samples, 0), np.repeat(c, samples, 0)) for h, c in state]
    known = known[:, configuration.context_length - 1 :]
    rows, dice = np.repeat(np.arange(N), samples), Dice(configuration.likelihood, N * samples, P, asked.seed)
    limit = (_FARTHEST * _greatest(packed, configuration) / scale)[rows]
    lags = np.array(Frequency.parse(configuration.time_freq).lags)
    drawn = np.zeros((P, N * samples), np.float32)
    for step in range(P):
        gates = known[rows, step]
        near = lags[lags <= step]
        if near.size:
            gates += drawn[step - near].T @ weights[0][0][: near.size]
        _advance(gates, state, weights)
        output = state[-1][0] @ model.weights["head.weight"].T + model.weights["head.bias"]
        drawn[step] = np.clip(dice.draw(step, output, scale[rows]), -limit, limit)
    return (drawn * scale[rows]).T.reshape(N, samples, P)


def _advance(gates: Floats, state: list[tuple[Floats, Floats]], weights: list[list[Floats]]) -> None:
    for layer, (ih, hh, bias) in enumerate(weights):
        if layer:
            gates = state[layer - 1][0] @ ih + bias
        h, c = state[layer]
        i, f, g, o = np.split(gates + h @ hh, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        state[layer] = (_sigmoid(o) * np.tanh(c), c)


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x), np.float32)


def _places(packed: Packed, first: int, after: int) -> npt.NDArray[np.int64]:
    """(N, steps) where steps first..after - 1 stand, counted from each series' end."""
    return (packed.origin + packed.length)[:, None] + np.arange(first, after)


def _scales(packed: Packed, configuration: Configuration) -> Floats:
    """Windows' rule, for the window that begins after the end."""
    context = _places(packed, -configuration.context_length, 0)
    observed = packed.observed[context]
    total = (np.abs(packed.values[context]) * observed).sum(1) + packed.size
    return np.asarray(total / (observed.sum(1) + 1), np.float32)


def _greatest(packed: Packed, configuration: Configuration) -> Floats:
    before = _places(packed, -configuration.context_length - max(Frequency.parse(configuration.time_freq).lags), 0)
    greatest = np.abs(packed.values[before]).max(1)
    return np.where(greatest > 0, greatest, packed.size).astype(np.float32)


def _inputs(packed: Packed, model: Model, scale: Floats) -> Floats:
    """(N, C - 1 + P, input_width): what the network reads, with zeros for targets that are to be drawn."""
    configuration, statistics = model.configuration, model.statistics
    C, P = configuration.context_length, configuration.prediction_length
    lags = np.array(Frequency.parse(configuration.time_freq).lags)
    steps = _places(packed, 1 - C, P)
    lagged = packed.values[steps[:, :, None] - lags] / scale[:, None, None]
    time = packed.length[:, None] + np.arange(1 - C, P)
    calendar = packed.calendar[packed.calendar_origin[:, None] + time]
    age = np.log10(np.maximum(time, 0) + 2.0).astype(np.float32)[:, :, None]
    logs = ((np.log(scale) - statistics.log_size) / statistics.log_size_spread).astype(np.float32)
    static = [logs[:, None]] + [
        model.weights[f"embedding.{place}"][packed.categories[:, place]]
        for place, width in enumerate(embedding_widths(configuration))
        if width
    ]
    fixed = np.concatenate(static, 1)[:, None].repeat(C - 1 + P, 1)
    return np.concatenate([lagged, calendar, age, packed.features[steps], fixed], 2)
