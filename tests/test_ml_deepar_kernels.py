"""The compiled LSTM does what NumPy's arithmetic says, for any number of rows, layers and inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from restframe.ml.deepar.kernels import advance, project

Array = np.ndarray[Any, Any]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("rows", [1, 4, 7])
def test_projection(rows: int) -> None:
    rng = np.random.default_rng(rows)
    x, weights, bias = (rng.standard_normal(shape).astype(np.float32) for shape in ((rows, 11), (11, 20), 20))
    out = np.empty((rows, 20), np.float32)
    project(x, weights, bias, out)
    np.testing.assert_allclose(out, x @ weights + bias, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("rows", "layers", "near"), [(1, 1, 0), (6, 2, 3), (9, 3, 13)])
def test_a_step_of_all_layers(rows: int, layers: int, near: int) -> None:
    rng, H = np.random.default_rng(rows), 5

    def some(*shape: int) -> Array:
        return rng.standard_normal(shape).astype(np.float32) * 2

    known, whose, close = some(3, 4 * H), rng.integers(0, 3, rows), some(rows, near)
    recurrent, biases = some(layers, H + max(H, near), 4 * H), some(layers - 1, 4 * H)
    head, head_bias = some(2, H), some(2)
    cells, memory, output = some(layers, rows, H), some(layers, rows, H), np.empty((rows, 2), np.float32)
    before, below, expected = (cells.copy(), memory.copy()), close, []
    for layer in range(layers):
        gates = (biases[layer - 1] if layer else known[whose]) + before[0][layer] @ recurrent[layer, :H]
        gates = gates + below @ recurrent[layer, H : H + below.shape[1]]
        i, f, g, o = np.split(gates.astype(float), 4, axis=1)
        c = sigmoid(f) * before[1][layer] + sigmoid(i) * np.tanh(g)
        below = sigmoid(o) * np.tanh(c)
        expected.append((below, c))
    advance(known, whose, close, recurrent, biases, head, head_bias, cells, memory, output)
    for layer, (h, c) in enumerate(expected):
        np.testing.assert_allclose(cells[layer], h, atol=2e-5)
        np.testing.assert_allclose(memory[layer], c, atol=2e-5)
    np.testing.assert_allclose(output, below @ head.T + head_bias, atol=1e-4)


def test_gates_are_right_to_single_precision_wherever_they_stand() -> None:
    x = np.concatenate([np.linspace(-12, 12, 4001), [-1e30, -100.0, 100.0, 1e30]]).astype(np.float32)
    rows = x.size
    known = np.zeros((rows, 4), np.float32)
    known[:, 0], known[:, 1], known[:, 2] = 100.0, -100.0, x  # c = 1 tanh(x) + 0 c
    cells, memory = np.zeros((1, rows, 1), np.float32), np.zeros((1, rows, 1), np.float32)
    none = np.zeros((rows, 0), np.float32)
    advance(
        known, np.arange(rows), none, np.zeros((1, 2, 4), np.float32), np.zeros((0, 4), np.float32),
        np.ones((1, 1), np.float32), np.zeros(1, np.float32), cells, memory, np.empty((rows, 1), np.float32),
    )  # fmt: skip
    np.testing.assert_allclose(memory[0, :, 0], np.tanh(x.astype(float)), rtol=3e-7)
    np.testing.assert_allclose(cells[0, :, 0], 0.5 * np.tanh(np.tanh(x.astype(float))), rtol=5e-7)
