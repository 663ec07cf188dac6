"""An LSTM's step for many rows, compiled: what forecasting spends its time on.

Rows go through the layers in blocks of four, small enough to stay in registers and in the nearest cache. In which
order a row's products are added depends on its place in the block, and on nothing else.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from restframe.compiled import kernel, part

# The ratio of polynomials in x^2 that comes nearest to tanh(x) / x within +-9, to 2e-8; beyond, tanh is 1 in single
# precision. Found by reweighted least squares.
_P = tuple(map(np.float32, (9.99999979e-01, 1.33797169e-01, 3.49403335e-03, 2.05834639e-05, 1.33190522e-08)))
_Q = tuple(map(np.float32, (1.0, 4.67130321e-01, 2.58710684e-02, 3.28309098e-04, 7.76201048e-07)))
_END, _HALF, _ONE = np.float32(9.0), np.float32(0.5), np.float32(1.0)


# Sums may be taken in any order: eight at a time.
_FAST = {"contract", "nsz", "arcp", "reassoc"}
_kernel, _part = partial(kernel, fastmath=_FAST), partial(part, fastmath=_FAST)


@_part
def _tanh(x):  # type: ignore[no-untyped-def]
    x = min(max(x, -_END), _END)
    y = x * x
    above = (((_P[4] * y + _P[3]) * y + _P[2]) * y + _P[1]) * y + _P[0]
    below = (((_Q[4] * y + _Q[3]) * y + _Q[2]) * y + _Q[1]) * y + _Q[0]
    return x * above / below


@_part
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return _HALF * _tanh(_HALF * x) + _HALF


@_part
def _add_products(sums, x, weights, count):  # type: ignore[no-untyped-def]
    """sums += x[:, :count] @ weights[:count], for a block of 4 rows."""
    width, j = weights.shape[1], 0
    s0, s1, s2, s3 = sums[0], sums[1], sums[2], sums[3]
    # Four inputs at a time: the sums are loaded and stored once for four products, the weights once for four rows.
    while j + 4 <= count:
        a0, a1, a2, a3 = x[0, j], x[0, j + 1], x[0, j + 2], x[0, j + 3]
        b0, b1, b2, b3 = x[1, j], x[1, j + 1], x[1, j + 2], x[1, j + 3]
        c0, c1, c2, c3 = x[2, j], x[2, j + 1], x[2, j + 2], x[2, j + 3]
        d0, d1, d2, d3 = x[3, j], x[3, j + 1], x[3, j + 2], x[3, j + 3]
        for k in range(width):
            w0, w1, w2, w3 = weights[j, k], weights[j + 1, k], weights[j + 2, k], weights[j + 3, k]
            s0[k] += a0 * w0 + a1 * w1 + a2 * w2 + a3 * w3
            s1[k] += b0 * w0 + b1 * w1 + b2 * w2 + b3 * w3
            s2[k] += c0 * w0 + c1 * w1 + c2 * w2 + c3 * w3
            s3[k] += d0 * w0 + d1 * w1 + d2 * w2 + d3 * w3
        j += 4
    while j < count:
        for row in range(4):
            a = x[row, j]
            for k in range(width):
                sums[row, k] += a * weights[j, k]
        j += 1


@_kernel
def project(x, weights, bias, out):  # type: ignore[no-untyped-def]
    """out = x @ weights + bias; x : (rows, inputs), weights : (inputs, outputs), all contiguous."""
    rows, count = x.shape
    block, sums = np.zeros((4, count), np.float32), np.empty((4, bias.size), np.float32)
    for first in range(0, rows, 4):
        some = min(4, rows - first)
        block[:some] = x[first : first + some]
        sums[:] = bias
        _add_products(sums, block, weights, count)
        out[first : first + some] = sums[:some]


@_part
def _turn(gates, cells, memory):  # type: ignore[no-untyped-def]
    """c = f c + i g and h = o tanh(c); cells and memory : (cells,) of one row, overwritten."""
    n = cells.size
    for k in range(n):
        memory[k] = _sigmoid(gates[n + k]) * memory[k] + _sigmoid(gates[k]) * _tanh(gates[2 * n + k])
    for k in range(n):
        cells[k] = _sigmoid(gates[3 * n + k]) * _tanh(memory[k])


@_kernel
def advance(known, whose, near, recurrent, biases, head, head_bias, cells, memory, output):  # type: ignore[no-untyped-def]
    """One step of all layers and the head.

    known : (series, 4 H) what is known of the first layer's gates; whose : (rows,) each row's series
    near : (rows, K) inputs of the first layer beside those
    recurrent : (layers, I, 4 H): weights of what a layer adds up: its own cells (H), and then, in the first layer near
        (K), in the others the cells of the layer below (H)
    biases : (layers - 1, 4 H); head : (H, parameters)
    cells, memory : (layers, rows, H), h and c, overwritten; output : (rows, parameters), overwritten
    """
    layers, rows, H = cells.shape
    K, parameters = near.shape[1], head_bias.size
    x, sums = np.zeros((4, H + max(H, K)), np.float32), np.zeros((4, 4 * H), np.float32)
    for first in range(0, rows, 4):
        some = min(4, rows - first)
        for layer in range(layers):
            for i in range(some):
                row = first + i
                x[i, :H] = cells[layer, row]
                if layer:
                    x[i, H : 2 * H] = cells[layer - 1, row]
                    sums[i] = biases[layer - 1]
                else:
                    x[i, H : H + K] = near[row]
                    sums[i] = known[whose[row]]
            _add_products(sums, x, recurrent[layer], 2 * H if layer else H + K)
            for i in range(some):
                _turn(sums[i], cells[layer, first + i], memory[layer, first + i])
        for row in range(first, first + some):
            for p in range(parameters):
                total = head_bias[p]
                for k in range(H):
                    total += cells[layers - 1, row, k] * head[p, k]
                output[row, p] = total
