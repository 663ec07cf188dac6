"""One step of scoring for several points at once, in vector instructions spelled out.

The distance of a point to a box is a sum over dimensions. A compiler may only vectorise such a sum by choosing another
order of additions for each machine, and scores would differ in their last digits. Here the order is fixed: dimension j
is added up in lane j modulo 16, and the lanes are folded in halves, 16 to 8 to 4 to 2 to 1. Every machine does the
same additions, those with wide registers in fewer instructions.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 16  # floats; rows of points and boxes are padded to a multiple
# Points that share the load of a box and the folding of lanes; each needs a register for its sum.
GROUP = 8 if llvmlite.binding.get_host_cpu_features().get("avx512f") else 4

_FLOAT, _INT32, _INT64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_ROW = ir.VectorType(_FLOAT, LANES)


def _climb(
    typing: Any, points: Any, width: Any, rows: Any, q: Any, boxes: Any, box: Any, side: Any, rate: Any, s: Any, d: Any
) -> Any:
    """Take the points of rows[q : q + GROUP] from below a node to the node: s += p * (rate - s), p = D / (R + D).

    points : rows of `width` float32, a multiple of LANES
    boxes[box:] : the node's greatest values, then its least, `width` of each
    side, rate : the node's R, the sum of the box's sides, and 1 / (h + 1)
    s[q:] : the points' scores below the node; replaced by those at the node
    d[q:] : the points' distances D to the box; written here
    """
    word, real = types.uintp, types.float32
    signature = types.void(points, word, rows, word, boxes, word, real, real, s, d)

    def generate(context: Any, b: ir.IRBuilder, signature: Any, values: Any) -> Any:
        points, width, rows, q, boxes, box, side, rate, s, d = (
            context.make_array(kind)(context, b, value).data if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, values, strict=True)
        )
        numbers = [b.load(b.gep(rows, [b.add(q, _INT64(i))])) for i in range(GROUP)]
        starts = [b.mul(b.zext(number, _INT64), width) for number in numbers]
        distance = _folded(b, _distances(b, points, starts, width, boxes, box))
        score = b.load(_vector_at(b, s, q, GROUP), align=4)
        p = b.fdiv(distance, b.fadd(distance, _spread(b, side)))
        climbed = b.fadd(score, b.fmul(p, b.fsub(_spread(b, rate), score)))
        b.store(climbed, _vector_at(b, s, q, GROUP), align=4)
        b.store(distance, _vector_at(b, d, q, GROUP), align=4)
        return context.get_dummy_value()

    return signature, generate


climb: Any = intrinsic(_climb)


def _distances(b: ir.IRBuilder, points: Any, starts: list[Any], width: Any, boxes: Any, box: Any) -> list[Any]:
    """A loop over dimensions, LANES at a time; the sums of the parts of D by lane, a vector for each point."""
    before, loop, after = b.block, b.append_basic_block("dimensions"), b.append_basic_block("distances")
    b.branch(loop)
    b.position_at_end(loop)
    j = b.phi(_INT64)
    sums = [b.phi(_ROW) for _ in starts]
    high = b.load(_vector_at(b, boxes, b.add(box, j), LANES), align=4)
    low = b.load(_vector_at(b, boxes, b.add(b.add(box, width), j), LANES), align=4)
    zero = ir.Constant(_ROW, [0.0] * LANES)
    added = []
    for start, total in zip(starts, sums, strict=True):
        x = b.load(_vector_at(b, points, b.add(start, j), LANES), align=4)
        outside = _greater(b, _greater(b, b.fsub(x, high), b.fsub(low, x)), zero)
        added.append(b.fadd(total, outside))
    following = b.add(j, _INT64(LANES))
    b.cbranch(b.icmp_unsigned("<", following, width), loop, after)
    j.add_incoming(_INT64(0), before)
    j.add_incoming(following, loop)
    for total, more in zip(sums, added, strict=True):
        total.add_incoming(zero, before)
        total.add_incoming(more, loop)
    b.position_at_end(after)
    return added


def _folded(b: ir.IRBuilder, sums: list[Any]) -> Any:
    """The sum of each vector's lanes, upper half onto lower half until one is left, as one vector of GROUP."""
    size = LANES  # lanes that still belong to one point; a vector holds those of several
    while size > 1:
        pairs = list(zip(sums[::2], sums[1::2], strict=True)) if len(sums) > 1 else [(sums[0], sums[0])]
        held = sums[0].type.count // size * (2 if len(sums) > 1 else 1)
        lower = [point * size + lane for point in range(held) for lane in range(size // 2)]
        upper = [lane + size // 2 for lane in lower]
        sums = [b.fadd(_shuffled(b, x, y, lower), _shuffled(b, x, y, upper)) for x, y in pairs]
        size //= 2
    return sums[0]


def _vector_at(b: ir.IRBuilder, array: Any, index: Any, count: int) -> Any:
    return b.bitcast(b.gep(array, [index]), ir.VectorType(_FLOAT, count).as_pointer())


def _shuffled(b: ir.IRBuilder, x: Any, y: Any, lanes: list[int]) -> Any:
    return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(_INT32, len(lanes)), lanes))


def _spread(b: ir.IRBuilder, value: Any) -> Any:
    vector = b.insert_element(ir.Constant(ir.VectorType(_FLOAT, GROUP), ir.Undefined), value, _INT32(0))
    return _shuffled(b, vector, vector, [0] * GROUP)


def _greater(b: ir.IRBuilder, x: Any, y: Any) -> Any:
    return b.select(b.fcmp_ordered(">", x, y), x, y)
