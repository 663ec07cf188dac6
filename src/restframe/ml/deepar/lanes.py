"""One step of an LSTM layer, and of the head, in vector instructions spelled out.

Rows stand side by side in the lanes of vectors, LANES at a time, and a few vectors go through a layer together: the
four gates of one cell are added up in registers, become its state there, and leave only h and c in memory. Each lane
does the same operations in the same order wherever its row stands and however wide the processor's registers are.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_FEATURES = llvmlite.binding.get_host_cpu_features()
_AVX512 = bool(_FEATURES.get("avx512f"))
_FMA = bool(_FEATURES.get("fma") or _FEATURES.get("fp-armv8"))
LANES = 16 if _AVX512 else 8
# Vectors that share the load of a weight: so many that their sums of four gates stay in registers.
GROUP = 4 if _AVX512 else 3

_FLOAT, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_VECTOR, _INTEGERS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT32, LANES)

# The ratio of polynomials in x^2 that comes nearest to tanh(x) / x within +-9, to 2e-8; beyond, tanh is 1 in single
# precision. Found by reweighted least squares. Highest power first.
_ABOVE = (1.33190522e-08, 2.05834639e-05, 3.49403335e-03, 1.33797169e-01, 9.99999979e-01)
_BELOW = (7.76201048e-07, 3.28309098e-04, 2.58710684e-02, 4.67130321e-01, 1.0)
_END = 9.0

_variable: Any = cgutils.alloca_once
_function: Any = cgutils.get_or_insert_function

_INTEGER, _WHOSE = types.intp, types.Array(types.int32, 2, "C")
_FLOATS_1, _FLOATS_2, _FLOATS_3 = (types.Array(types.float32, axes, "C") for axes in (1, 2, 3))


def _layer(count: int) -> Any:
    """The step for `count` vectors of rows, as a function of kernels."""

    def layer(
        typing: Any, low: Any, high: Any, start: Any, whose: Any, weights: Any, own: Any, near: Any, memory: Any,
        out: Any,
    ) -> Any:  # fmt: skip
        """Write h to out and c to memory, of all cells.

        start : (any, 4 H), of which row whose[lane] is where a lane's gates begin: input, forget, cell, output, H each
        low, high : whose is within; where both are the same it is not read. whose : (count, LANES) int32, rising
        weights : (H, inputs, 4) of each cell's gates, for the inputs own and near, and perhaps more
        own : (count, H, LANES), h of the step before; near : (count, K, LANES) what else is read
        memory, out : (count, H, LANES); out is no other of them
        """

        def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
            low, high = values[:2]
            start, whose, *others = _arrays(context, b, signature, values, 2)
            sums = [[_variable(b, _VECTOR) for _ in range(count)] for _ in range(4)]
            with cgutils.for_range(b, _length(b, others[1], 1)) as loop:
                _begin(b, sums, start, whose, low, high, loop.index)
                _cell(b, sums, loop.index, *others)
            return context.get_dummy_value()

        floats = (_FLOATS_3,) * 5
        return types.void(_INTEGER, _INTEGER, _FLOATS_2, _WHOSE, *floats), generate

    return intrinsic(layer)


def _head(count: int) -> Any:
    """The end of a step for `count` vectors of rows, as a function of kernels."""

    def head(typing: Any, first: Any, weights: Any, bias: Any, cells: Any, out: Any) -> Any:
        """out[:, first : first + count] = weights cells + bias

        weights : (parameters, H); bias : (parameters,); cells : (count, H, LANES); out : (parameters, vectors, LANES)
        """

        def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
            weights, bias, cells, out = _arrays(context, b, signature, values, 1)
            inputs = _length(b, cells, 1)
            sums = [_variable(b, _VECTOR) for _ in range(count)]
            with cgutils.for_range(b, _length(b, out, 0)) as loop:
                for total in sums:
                    b.store(_spread(b, _number(b, bias, loop.index)), total)
                _add_products(b, [sums], cells, weights, b.mul(loop.index, inputs))
                for v, total in enumerate(sums):
                    vector = b.add(b.add(b.mul(loop.index, _length(b, out, 1)), values[0]), _INT64(v))
                    _store(b, b.load(total), out, b.mul(vector, _INT64(LANES)))
            return context.get_dummy_value()

        return types.void(_INTEGER, _FLOATS_2, _FLOATS_1, _FLOATS_3, _FLOATS_3), generate

    return intrinsic(head)


def _arrays(context: Any, b: Any, signature: Any, values: Any, first: int) -> list[Any]:
    return [
        context.make_array(kind)(context, b, value)
        for kind, value in zip(signature.args[first:], values[first:], strict=True)
    ]


def _cell(b: Any, sums: Any, k: Any, weights: Any, own: Any, near: Any, memory: Any, out: Any) -> None:
    """Add up the gates of cell k and write what becomes of it."""
    cells = _length(b, own, 1)
    place = b.mul(b.mul(k, _length(b, weights, 1)), _INT64(4))
    _add_products(b, sums, own, weights, place)
    _add_products(b, sums, near, weights, b.add(place, b.mul(cells, _INT64(4))))
    for v, gates in enumerate(zip(*sums, strict=True)):
        at = b.mul(b.add(b.mul(_INT64(v), cells), k), _INT64(LANES))
        i, f, g, o = map(b.load, gates)
        kept = b.fmul(_sigmoid(b, f), _load(b, memory, at))
        c = _fused(b, _sigmoid(b, i), _tanh(b, g), kept)
        _store(b, c, memory, at)
        _store(b, b.fmul(_sigmoid(b, o), _tanh(b, c)), out, at)


def _add_products(b: Any, sums: list[list[Any]], x: Any, weights: Any, place: Any) -> None:
    """sums += x weights; sums : [output][vector], x : (vectors, inputs, LANES), weights[place:] : (inputs, outputs)."""
    inputs = _length(b, x, 1)
    starts = [b.mul(_INT64(v), b.mul(inputs, _INT64(LANES))) for v in range(len(sums[0]))]
    with cgutils.for_range(b, inputs) as loop:
        at = b.mul(loop.index, _INT64(LANES))
        vectors = [_load(b, x, b.add(first, at)) for first in starts]
        first = b.add(place, b.mul(loop.index, _INT64(len(sums))))
        for output, totals in enumerate(sums):
            weight = _spread(b, _number(b, weights, b.add(first, _INT64(output))))
            for total, vector in zip(totals, vectors, strict=True):
                b.store(_fused(b, weight, vector, b.load(total)), total)


def _begin(b: Any, sums: Any, start: Any, whose: Any, low: Any, high: Any, k: Any) -> None:
    """Set each lane's sums for cell k to those in its row of start."""
    width = _length(b, start, 1)

    def of_row(row: Any) -> list[Any]:
        first = b.add(b.mul(row, width), k)
        quarter = b.lshr(width, _INT64(2))
        return [_spread(b, _number(b, start, b.add(first, b.mul(quarter, _INT64(gate))))) for gate in range(4)]

    for gate, value in zip(sums, of_row(low), strict=True):
        for total in gate:
            b.store(value, total)
    with cgutils.for_range_slice(b, b.add(low, _INT64(1)), b.add(high, _INT64(1)), _INT64(1)) as (row, _):
        values, number = of_row(row), _spread(b, b.trunc(row, _INT32))
        for v in range(len(sums[0])):
            theirs = b.icmp_signed(">=", _load(b, whose, _INT64(v * LANES), _INTEGERS), number)
            for gate, value in zip(sums, values, strict=True):
                b.store(b.select(theirs, value, b.load(gate[v])), gate[v])


def _tanh(b: Any, x: Any) -> Any:
    end, other = _constant(_END), _constant(-_END)
    x = b.select(b.fcmp_ordered("<", x, end), x, end)
    x = b.select(b.fcmp_ordered(">", x, other), x, other)
    square = b.fmul(x, x)
    return b.fdiv(b.fmul(x, _polynomial(b, square, _ABOVE)), _polynomial(b, square, _BELOW))


def _sigmoid(b: Any, x: Any) -> Any:
    half = _constant(0.5)
    return _fused(b, half, _tanh(b, b.fmul(half, x)), half)


def _polynomial(b: Any, x: Any, coefficients: tuple[float, ...]) -> Any:
    total = _constant(coefficients[0])
    for each in coefficients[1:]:
        total = _fused(b, total, x, _constant(each))
    return total


def _fused(b: Any, x: Any, y: Any, z: Any) -> Any:
    """x y + z, spelled out, lest the compiler choose for each number of vectors which product it rounds."""
    if not _FMA:
        return b.fadd(b.fmul(x, y), z)
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    return b.call(_function(b.module, kind, f"llvm.fma.v{LANES}f32"), (x, y, z))


def _length(b: Any, array: Any, axis: int) -> Any:
    return b.extract_value(array.shape, axis)


def _constant(value: float) -> Any:
    # llvmlite wants a number that single precision has
    return ir.Constant(_VECTOR, [float(np.float32(value))] * LANES)


def _spread(b: Any, value: Any) -> Any:
    kind = ir.VectorType(value.type, LANES)
    vector = b.insert_element(ir.Constant(kind, ir.Undefined), value, _INT32(0))
    return b.shuffle_vector(vector, vector, ir.Constant(_INTEGERS, [0] * LANES))


def _number(b: Any, array: Any, index: Any) -> Any:
    return b.load(b.gep(array.data, [index]))


def _load(b: Any, array: Any, index: Any, kind: Any = _VECTOR) -> Any:
    return b.load(b.bitcast(b.gep(array.data, [index]), kind.as_pointer()), align=4)


def _store(b: Any, vector: Any, array: Any, index: Any) -> None:
    b.store(vector, b.bitcast(b.gep(array.data, [index]), vector.type.as_pointer()), align=4)


# For 1, 2, .. GROUP vectors.
LAYERS: Any = tuple(_layer(count) for count in range(1, GROUP + 1))
HEADS: Any = tuple(_head(count) for count in range(1, GROUP + 1))
