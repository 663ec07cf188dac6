"""An LSTM's step for many rows, compiled: what forecasting spends its time on.

Rows stand side by side in the lanes of vectors; what is done to them, and in which order, is the same wherever they
stand. lanes.py spells the instructions out.
"""

from __future__ import annotations

from functools import partial

from restframe.compiled import kernel, part
from restframe.ml.deepar.lanes import GROUP, HEADS, LANES, LAYERS

__all__ = ["LANES", "advance", "project"]

# GROUP may be less; then the last is not called.
_layer_1, _layer_2, _layer_3, _layer_4 = (*LAYERS, LAYERS[-1])[:4]
_head_1, _head_2, _head_3, _head_4 = (*HEADS, HEADS[-1])[:4]


@partial(kernel, fastmath={"contract"})
def project(x, weights, bias, out):  # type: ignore[no-untyped-def]
    """out = x @ weights + bias; x : (rows, inputs), weights : (inputs, outputs), all contiguous."""
    count, outputs = weights.shape
    for row in range(len(x)):
        numbers, sums, j = x[row], out[row], 0
        sums[:] = bias
        while j + 4 <= count:  # the sums are loaded and stored once for four products
            a0, a1, a2, a3 = numbers[j], numbers[j + 1], numbers[j + 2], numbers[j + 3]
            for k in range(outputs):
                low = a0 * weights[j, k] + a1 * weights[j + 1, k]
                sums[k] += low + (a2 * weights[j + 2, k] + a3 * weights[j + 3, k])
            j += 4
        while j < count:
            for k in range(outputs):
                sums[k] += numbers[j] * weights[j, k]
            j += 1


@part
def _layer(low, high, start, whose, weights, own, near, memory, out):  # type: ignore[no-untyped-def]
    count = len(own)
    if count == 4:
        _layer_4(low, high, start, whose, weights, own, near, memory, out)
    elif count == 3:
        _layer_3(low, high, start, whose, weights, own, near, memory, out)
    elif count == 2:
        _layer_2(low, high, start, whose, weights, own, near, memory, out)
    else:
        _layer_1(low, high, start, whose, weights, own, near, memory, out)


@part
def _head(first, weights, bias, cells, out):  # type: ignore[no-untyped-def]
    count = len(cells)
    if count == 4:
        _head_4(first, weights, bias, cells, out)
    elif count == 3:
        _head_3(first, weights, bias, cells, out)
    elif count == 2:
        _head_2(first, weights, bias, cells, out)
    else:
        _head_1(first, weights, bias, cells, out)


@kernel
def advance(known, whose, near, recurrent, biases, head, head_bias, cells, memory, after, output):  # type: ignore[no-untyped-def]
    """One step of all layers and the head, for rows that stand side by side, LANES to a vector.

    known : (series, 4 H) what is known of the first layer's gates
    whose : (vectors, LANES) int32, each row's series, rising
    near : (vectors, K, LANES) inputs of the first layer beside those
    recurrent : (layers, H, I, 4) each cell's weights of what a layer adds up, for its four gates: the layer's own
        cells (H), and then, in the first layer near (K), in the others the cells of the layer below (H)
    biases : (layers - 1, 4 H); head : (parameters, H)
    cells, memory : (layers, vectors, H, LANES), h and c; c is overwritten
    after : as cells, h after the step; output : (parameters, vectors, LANES). Both are overwritten
    """
    vectors = len(whose)
    for first in range(0, vectors, GROUP):
        end = min(vectors, first + GROUP)
        series = whose[first:end]
        for layer in range(len(cells)):
            own, c, h = cells[layer, first:end], memory[layer, first:end], after[layer, first:end]
            if layer:
                below = after[layer - 1, first:end]
                _layer(layer - 1, layer - 1, biases, series, recurrent[layer], own, below, c, h)
            else:
                low, high = series[0, 0], series[-1, -1]
                _layer(low, high, known, series, recurrent[layer], own, near[first:end], c, h)
        _head(first, head, head_bias, after[-1, first:end], output)
