"""The compiled LSTM does what NumPy's arithmetic says, for any number of rows, layers and inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restframe.ml.deepar.kernels import LANES, advance, project

Array = np.ndarray[Any, Any]


def in_lanes(rows: Array, vectors: int) -> Array:
    """(..., rows, n) side by side: (..., vectors, n, LANES), the rest of the lanes 0."""
    *outer, count, n = rows.shape
    filled = np.zeros((*outer, vectors * LANES, n), np.float32)
    filled[..., :count, :] = rows
    return np.ascontiguousarray(filled.reshape(*outer, vectors, LANES, n).swapaxes(-1, -2))


def in_rows(lanes: Array, count: int) -> Array:
    """The reverse of in_lanes()."""
    *outer, vectors, n, _ = lanes.shape
    return lanes.swapaxes(-1, -2).reshape(*outer, vectors * LANES, n)[..., :count, :]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("rows", [1, 4, 7])
def test_projection(rows: int) -> None:
    rng = np.random.default_rng(rows)
    x, weights, bias = (rng.standard_normal(shape).astype(np.float32) for shape in ((rows, 11), (11, 20), 20))
    out = np.empty((rows, 20), np.float32)
    project(x, weights, bias, out)
    np.testing.assert_allclose(out, x @ weights + bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "layers", "near"), [(1, 1, 0), (LANES + 1, 2, 3), (3 * LANES, 1, 2), (7 * LANES - 1, 3, 13)]
)
@pytest.mark.parametrize("series", [1, 3])
def test_a_step_of_all_layers(rows: int, layers: int, near: int, series: int) -> None:
    rng, H, vectors = np.random.default_rng(rows), 5, -(-rows // LANES)

    def some(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32) * 2

    known, close = some(3, 4 * H), some(rows, near)
    whose = np.sort(rng.integers(0, series, vectors * LANES)).astype(np.int32)
    recurrent, biases = some(layers, H, H + max(H, near), 4), some(layers - 1, 4 * H)
    head, head_bias = some(2, H), some(2)
    before, memories = some(layers, rows, H), some(layers, rows, H)
    cells, memory = in_lanes(before, vectors), in_lanes(memories, vectors)
    after, output = np.empty_like(cells), np.empty((2, vectors, LANES), np.float32)
    advance(
        known, whose.reshape(vectors, LANES), in_lanes(close, vectors), recurrent, biases, head, head_bias,
        cells, memory, after, output,
    )  # fmt: skip
    np.testing.assert_array_equal(in_rows(cells, rows), before)
    below = close
    for layer in range(layers):
        weights = recurrent[layer].transpose(1, 2, 0).reshape(-1, 4 * H)  # (inputs, 4 H)
        gates = (biases[layer - 1] if layer else known[whose[:rows]]) + before[layer] @ weights[:H]
        gates = gates + below @ weights[H : H + below.shape[1]]
        i, f, g, o = np.split(gates.astype(float), 4, axis=1)
        c = sigmoid(f) * memories[layer] + sigmoid(i) * np.tanh(g)
        below = sigmoid(o) * np.tanh(c)
        np.testing.assert_allclose(in_rows(after[layer], rows), below, atol=2e-5)
        np.testing.assert_allclose(in_rows(memory[layer], rows), c, atol=2e-5)
    np.testing.assert_allclose(output.reshape(2, -1)[:, :rows].T, below @ head.T + head_bias, atol=1e-4)


def test_a_row_has_the_same_result_wherever_it_stands() -> None:
    rng, H, vectors = np.random.default_rng(0), 7, 6
    row, recurrent = rng.standard_normal((2, 1, H)).astype(np.float32), rng.standard_normal((2, H, 2 * H, 4))
    cells = np.ascontiguousarray(np.broadcast_to(row[:, :, :, None], (2, vectors, H, LANES)))
    known, biases, head = (rng.standard_normal(shape).astype(np.float32) for shape in ((1, 4 * H), (1, 4 * H), (3, H)))
    memory, after, output = cells.copy(), np.empty_like(cells), np.empty((3, vectors, LANES), np.float32)
    whose, none = np.zeros((vectors, LANES), np.int32), np.empty((vectors, 0, LANES), np.float32)
    advance(
        known, whose, none, recurrent.astype(np.float32), biases, head, np.zeros(3, np.float32), cells, memory, after,
        output,
    )  # fmt: skip
    for found in (after.swapaxes(1, 2), memory.swapaxes(1, 2), output):
        rows = found.reshape(-1, vectors * LANES)
        np.testing.assert_array_equal(rows, np.broadcast_to(rows[:, :1], rows.shape))


def test_gates_are_right_to_single_precision_wherever_they_stand() -> None:
    x = np.concatenate([np.linspace(-12, 12, 4001), [-1e30, -100.0, 100.0, 1e30]]).astype(np.float32)
    rows = x.size
    vectors = -(-rows // LANES)
    known = np.zeros((rows, 4), np.float32)
    known[:, 0], known[:, 1], known[:, 2] = 100.0, -100.0, x  # c = 1 tanh(x) + 0 c
    cells, memory = np.zeros((1, vectors, 1, LANES), np.float32), np.zeros((1, vectors, 1, LANES), np.float32)
    whose = np.minimum(np.arange(vectors * LANES), rows - 1).astype(np.int32).reshape(vectors, LANES)
    after, none = np.empty_like(cells), np.zeros((vectors, 0, LANES), np.float32)
    advance(
        known, whose, none, np.zeros((1, 1, 2, 4), np.float32), np.zeros((0, 4), np.float32),
        np.ones((1, 1), np.float32), np.zeros(1, np.float32), cells, memory, after,
        np.empty((1, vectors, LANES), np.float32),
    )  # fmt: skip
    np.testing.assert_allclose(in_rows(memory[0], rows)[:, 0], np.tanh(x.astype(float)), rtol=3e-7)
    np.testing.assert_allclose(in_rows(after[0], rows)[:, 0], 0.5 * np.tanh(np.tanh(x.astype(float))), rtol=5e-7)
