"""Bytes at addresses, for kernels: Arrow's buffers are read, and messages written, where they lie.

An address is an int64, as pyarrow gives it. Nothing checks that it is right: whoever passes one has made sure of the
room behind it.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from restframe.compiled import counterpart, part

_WORD, _DOUBLE_WORD = ir.IntType(64), ir.IntType(128)
_memcpy: Any = cgutils.raw_memcpy
_BITS = {types.uint8: 8, types.uint16: 16, types.int16: 16, types.int32: 32, types.int64: 64, types.uint64: 64}


def _pointer(b: Any, address: Any, bits: int) -> Any:
    return b.inttoptr(address, ir.IntType(bits).as_pointer())


def _loads(kind: Any, swapped: bool = False) -> Any:
    def load(typing: Any, address: Any) -> Any:
        def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
            number = b.load(_pointer(b, values[0], _BITS[kind]), align=1)
            return b.bswap(number) if swapped else number

        return kind(types.int64), generate

    return intrinsic(load)


def _stores(bits: int, swapped: bool) -> Any:
    def store(typing: Any, address: Any, value: Any) -> Any:
        def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
            number = b.trunc(values[1], ir.IntType(bits)) if bits < 64 else values[1]
            b.store(b.bswap(number) if swapped else number, _pointer(b, values[0], bits), align=1)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64), generate

    return intrinsic(store)


def _copy(typing: Any, to: Any, source: Any, size: Any) -> Any:
    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        to, source, size = values
        _memcpy(b, _pointer(b, to, 8), _pointer(b, source, 8), size, 1)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), generate


def _multiply_high(typing: Any, x: Any, y: Any) -> Any:
    def generate(context: Any, b: Any, signature: Any, values: Any) -> Any:
        product = b.mul(*(b.zext(value, _DOUBLE_WORD) for value in values))
        return b.trunc(b.lshr(product, ir.Constant(_DOUBLE_WORD, 64)), _WORD)

    return types.uint64(types.uint64, types.uint64), generate


@part
def _address(array: Any) -> Any:
    return array.ctypes.data


def _interpreted_load(kind: Any) -> Any:
    number = np.dtype(kind.name)

    def load(address: int) -> Any:
        read = np.frombuffer(ctypes.string_at(int(address), number.itemsize), number)[0]
        return read if kind == types.uint64 else int(read)

    return load


def _interpreted_store(bits: int) -> Any:
    def store(address: int, value: Any) -> None:
        ctypes.memmove(int(address), (int(value) & (1 << bits) - 1).to_bytes(bits // 8, "little"), bits // 8)

    return store


load_8, load_16 = _loads(types.uint8), _loads(types.uint16)
load_32, load_64, load_word = (
    counterpart(_loads(kind), _interpreted_load(kind)) for kind in (types.int32, types.int64, types.uint64)
)
store_8, store_16, store_64 = (counterpart(_stores(bits, False), _interpreted_store(bits)) for bits in (8, 16, 64))
# with the most significant byte first, as on the wire
load_be16, load_be32, load_be64 = _loads(types.int16, True), _loads(types.int32, True), _loads(types.int64, True)
store_be16, store_be32, store_be64 = _stores(16, True), _stores(32, True), _stores(64, True)
copy: Any = intrinsic(_copy)
multiply_high: Any = intrinsic(_multiply_high)  # the upper 64 bits of a product of two uint64
address: Any = counterpart(_address, lambda array: np.asarray(array).ctypes.data)  # of an array's first byte
