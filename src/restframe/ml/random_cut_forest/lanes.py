"""What is done to whole rows of floats, in vector instructions spelled out.

Distances and sides of boxes are sums over dimensions. A compiler may only vectorise such a sum by choosing another
order of additions for each machine, and scores would differ in their last digits. Here the order is fixed: dimension j
is added up in lane j modulo 16, and the lanes are folded in halves, 16 to 8 to 4 to 2 to 1. Every machine does the
same additions, those with wide registers in fewer instructions.

Rows have `width` floats, a multiple of LANES, zeros in the unused ones. A box is a row of its greatest values and then
a row of its least; a place is the index of a row's first float.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from restframe.ml.random_cut_forest.points import LANES

_AVX512 = bool(llvmlite.binding.get_host_cpu_features().get("avx512vl"))
# Points that share the load of a box and the folding of lanes; each needs a register for its sum.
GROUP = 8 if _AVX512 else 4

_FLOAT, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_ROW, _INTEGERS = ir.VectorType(_FLOAT, LANES), ir.VectorType(_INT32, LANES)
_ZERO = ir.Constant(_ROW, [0.0] * LANES)
_WORD, _REAL = types.uintp, types.float32

_Body = Callable[[Any, Any, list[Any]], list[Any]]


def _climb(
    typing: Any, points: Any, width: Any, rows: Any, s: Any, q: Any, stop: Any, boxes: Any, box: Any, side: Any,
    rate: Any, kept: Any, done_rows: Any, done_s: Any, done: Any,
) -> Any:  # fmt: skip
    """Take the points rows[q : q + GROUP], as far as q < stop, up to a node: s += p * (rate - s), p = D / (R + D).

    s : the points' scores below the node, of rows[q] s[q]
    side, rate : the node's R, the sum of its box's sides, and 1 / (h + 1)
    rows[kept:], s[kept:] : written here: the points outside the box, with their new scores; kept <= q
    done_rows[done:], done_s[done:] : written here: the points inside, whose scores are final
    returns kept and how many more they are. All four arrays need GROUP - 1 elements of room at the end.
    """

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        (
            points, width, rows, s, q, stop, boxes, box, side, rate, kept, done_rows, done_s, done
        ) = _unpacked(context, b, signature, values)  # fmt: skip
        numbers, score = _load(b, rows, q, GROUP, _INT32), _load(b, s, q, GROUP)
        starts = [b.mul(b.zext(b.extract_element(numbers, _INT32(i)), _INT64), width) for i in range(GROUP)]

        def add_distances(b: Any, j: Any, sums: list[Any]) -> list[Any]:
            high, low = _load(b, boxes, b.add(box, j)), _load(b, boxes, b.add(b.add(box, width), j))
            rows = [_load(b, points, b.add(start, j)) for start in starts]
            parts = [_positive(b, b.fsub(x, high), b.fsub(low, x)) for x in rows]
            return [b.fadd(total, part) for total, part in zip(sums, parts, strict=True)]

        distance = _folded(b, _loop(b, width, LANES, [_ZERO] * GROUP, add_distances))
        p = b.fdiv(distance, b.fadd(distance, _spread(b, side)))
        score = b.fadd(score, b.fmul(p, b.fsub(_spread(b, rate), score)))
        count = _spread(b, b.trunc(b.sub(stop, q), _INT32))
        real = b.icmp_signed("<", ir.Constant(count.type, list(range(GROUP))), count)
        outside = b.fcmp_ordered(">", distance, ir.Constant(distance.type, [0.0] * GROUP))
        _append(b, [(numbers, done_rows), (score, done_s)], b.and_(real, b.not_(outside)), done)
        return _append(b, [(numbers, rows), (score, s)], b.and_(real, outside), kept)

    arguments = (points, _WORD, rows, s, _WORD, _WORD, boxes, _WORD, _REAL, _REAL, _WORD, done_rows, done_s, _WORD)
    return _WORD(*arguments), generate


def _enclose(typing: Any, points: Any, width: Any, rows: Any, first: Any, count: Any, boxes: Any, box: Any) -> Any:
    """Write the box of the points rows[first : first + count]; returns the sum of its sides."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        points, width, rows, first, count, boxes, box = _unpacked(context, b, signature, values)

        def add_sides(b: Any, j: Any, sums: list[Any]) -> list[Any]:
            def widen(b: Any, i: Any, bounds: list[Any]) -> list[Any]:
                number = _row_number(b, rows, b.add(first, i))
                x = _load(b, points, b.add(b.mul(number, width), j))
                return [_greatest(b, x, bounds[0]), _least(b, x, bounds[1])]

            start = _load(b, points, b.add(b.mul(_row_number(b, rows, first), width), j))
            high, low = _loop(b, count, 1, [start, start], widen)
            return [_store_box(b, high, low, boxes, box, width, j, sums[0])]

        return b.extract_element(_folded(b, _loop(b, width, LANES, [_ZERO], add_sides)), _INT32(0))

    return _REAL(points, _WORD, rows, _WORD, _WORD, boxes, _WORD), generate


def _unite(typing: Any, boxes: Any, width: Any, box: Any, high_1: Any, low_1: Any, high_2: Any, low_2: Any) -> Any:
    """Write the box of two boxes, given by the places of their rows; returns the sum of its sides."""

    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        boxes, width, box, *places = _unpacked(context, b, signature, values)

        def add_sides(b: Any, j: Any, sums: list[Any]) -> list[Any]:
            high_1, low_1, high_2, low_2 = (_load(b, boxes, b.add(place, j)) for place in places)
            high, low = _greatest(b, high_1, high_2), _least(b, low_1, low_2)
            return [_store_box(b, high, low, boxes, box, width, j, sums[0])]

        return b.extract_element(_folded(b, _loop(b, width, LANES, [_ZERO], add_sides)), _INT32(0))

    return _REAL(boxes, *[_WORD] * 6), generate


climb: Any = intrinsic(_climb)
enclose: Any = intrinsic(_enclose)
unite: Any = intrinsic(_unite)


def _unpacked(context: Any, b: Any, signature: Any, values: Any) -> list[Any]:
    """The arguments, of arrays the address of their data."""
    return [
        context.make_array(kind)(context, b, value).data if isinstance(kind, types.Array) else value
        for kind, value in zip(signature.args, values, strict=True)
    ]


def _loop(b: Any, stop: Any, step: int, start: list[Any], body: _Body) -> list[Any]:
    """for j in range(0, stop, step): state = body(b, j, state), at least once; the last state."""
    before, loop, after = b.block, b.append_basic_block(), b.append_basic_block()
    b.branch(loop)
    b.position_at_end(loop)
    j, state = b.phi(_INT64), [b.phi(value.type) for value in start]
    following = body(b, j, list(state))
    j_following = b.add(j, _INT64(step))
    end = b.block  # not `loop`, when the body has a loop of its own
    b.cbranch(b.icmp_unsigned("<", j_following, stop), loop, after)
    for phi, first, again in zip([j, *state], [_INT64(0), *start], [j_following, *following], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(again, end)
    b.position_at_end(after)
    return following


def _folded(b: Any, sums: list[Any]) -> Any:
    """The sum of each vector's lanes, upper half onto lower half until one is left, as one vector."""
    size = LANES  # lanes that belong to one sum; a vector may hold several
    while size > 1:
        pairs = list(zip(sums[::2], sums[1::2], strict=True)) if len(sums) > 1 else [(sums[0], sums[0])]
        held = sums[0].type.count // size * min(2, len(sums))
        lower = [sum_ * size + lane for sum_ in range(held) for lane in range(size // 2)]
        upper = [lane + size // 2 for lane in lower]
        sums = [b.fadd(_shuffled(b, x, y, lower), _shuffled(b, x, y, upper)) for x, y in pairs]
        size //= 2
    return sums[0]


def _row_number(b: Any, rows: Any, index: Any) -> Any:
    return b.zext(b.load(b.gep(rows, [index])), _INT64)


def _store_box(b: Any, high: Any, low: Any, boxes: Any, box: Any, width: Any, j: Any, total: Any) -> Any:
    place = b.add(box, j)
    _store(b, high, boxes, place)
    _store(b, low, boxes, b.add(place, width))
    return b.fadd(total, b.fsub(high, low))


def _load(b: Any, array: Any, index: Any, count: int = LANES, kind: Any = _FLOAT) -> Any:
    return b.load(b.bitcast(b.gep(array, [index]), ir.VectorType(kind, count).as_pointer()), align=4)


def _store(b: Any, vector: Any, array: Any, index: Any) -> None:
    b.store(vector, b.bitcast(b.gep(array, [index]), vector.type.as_pointer()), align=4)


def _shuffled(b: Any, x: Any, y: Any, lanes: list[int]) -> Any:
    return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes))


def _spread(b: Any, value: Any) -> Any:
    vector = b.insert_element(ir.Constant(ir.VectorType(value.type, GROUP), ir.Undefined), value, _INT32(0))
    return _shuffled(b, vector, vector, [0] * GROUP)


def _append(b: Any, pairs: list[tuple[Any, Any]], mask: Any, place: Any) -> Any:
    """Write of each vector the lanes under the mask to its array from `place` on; returns the place after them.

    Up to GROUP elements are written; those too many are row numbers too, and finite.
    """
    if _AVX512:
        for vector, array in pairs:
            numbers = ir.VectorType(_INT32, GROUP)
            kind = ir.FunctionType(numbers, [numbers, mask.type, numbers])
            compress = _declared(b, kind, f"llvm.experimental.vector.compress.v{GROUP}i32")
            _store(
                b, b.call(compress, [b.bitcast(vector, numbers), mask, ir.Constant(numbers, [0] * GROUP)]), array, place
            )
        return b.add(place, b.zext(b.ctpop(b.bitcast(mask, ir.IntType(GROUP))), _INT64))
    for lane in range(GROUP):
        for vector, array in pairs:
            b.store(b.extract_element(vector, _INT32(lane)), b.gep(array, [place]))
        place = b.add(place, b.zext(b.extract_element(mask, _INT32(lane)), _INT64))
    return place


def _declared(b: Any, kind: Any, name: str) -> Any:
    function = b.module.globals.get(name)
    return ir.Function(b.module, kind, name) if function is None else function


def _positive(b: Any, x: Any, y: Any) -> Any:
    """max(x, y, 0) of floats of which at least one is not positive.

    Then they are ordered as the integers of the same bits are, and those are compared by idler parts of the processor.
    """
    x, y, zero = b.bitcast(x, _INTEGERS), b.bitcast(y, _INTEGERS), ir.Constant(_INTEGERS, [0] * LANES)
    for other in (y, zero):
        x = b.select(b.icmp_signed(">", x, other), x, other)
    return b.bitcast(x, _ROW)


def _greatest(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.fcmp_ordered(">", x, y), x, y)


def _least(b: Any, x: Any, y: Any) -> Any:
    return b.select(b.fcmp_ordered("<", x, y), x, y)
