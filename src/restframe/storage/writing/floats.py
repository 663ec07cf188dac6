"""Parts of kernels that write floating point numbers in the fewest digits that read back as the same number.

Raffaello Giulietti: The Schubfach way to render doubles, 2022, sections 8 and 9. Names are the paper's. The decimal
d x 10^k that is written lies within the interval of numbers that are nearer to v = c x 2^q than to its neighbours, and
is of those with the fewest digits the nearest to v.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from restframe.compiled import part
from restframe.storage.writing.memory import copy, load_32, load_64, multiply_high, store_8, store_16
from restframe.storage.writing.numbers import PAIRS, TEN, ZERO, U, count_digits, put_digits

_K_MIN, _K_MAX = -292, 324


def _ceiling_of_power(k: int) -> tuple[int, int]:
    """g: the least number of 128 bits, the first of which is set, that times a power of two is at least 10^k."""
    shift = 127 - _floor_log2_power(k)
    scaled = 10 ** max(k, 0) << max(shift, 0)
    g = -(-scaled // (10 ** max(-k, 0) << max(-shift, 0)))
    return g >> 64, g & (2**64 - 1)


def _floor_log2_power(k: int) -> int:
    """floor(log2(10^k))"""
    return (k * 1_741_647) >> 19


_G = np.array([_ceiling_of_power(k) for k in range(_K_MIN, _K_MAX + 1)], np.uint64)
_HIGH, _LOW = np.ascontiguousarray(_G[:, 0]), np.ascontiguousarray(_G[:, 1])
_ONE, _TWO, _FOUR, _FORTY = U(1), U(2), U(4), U(40)
_POINT, _MINUS, _PLUS, _NOUGHT, _E = 46, 45, 43, 48, 101
_int: Any = np.int64


@part
def _rounded_to_odd(k: Any, cp: Any) -> Any:
    """The product of g and cp without its lower 128 bits; its last bit is set when those are not zero."""
    x = multiply_high(_LOW[U(k - _K_MIN)], cp)
    y_low, y_high = _HIGH[U(k - _K_MIN)] * cp, multiply_high(_HIGH[U(k - _K_MIN)], cp)
    middle = y_low + x
    if middle < x:
        y_high += _ONE
    return y_high | (_ONE if middle > _ONE else ZERO)


@part
def _shortest(c: Any, q: Any, closer_below: Any) -> Any:
    """d and k of v = c x 2^q > 0.

    closer_below : v is a power of two, so that the number below it is half as far away as that above it
    """
    even = (c & _ONE) == ZERO
    below = _FOUR * c - (_ONE if closer_below else _TWO)
    k = (q * 1_262_611 - (524_031 if closer_below else 0)) >> 22
    h = U(q + ((-k * 1_741_647) >> 19) + 1)
    vb_left = _rounded_to_odd(-k, below << h)
    vb = _rounded_to_odd(-k, (_FOUR * c) << h)
    vb_right = _rounded_to_odd(-k, (_FOUR * c + _TWO) << h)
    lower = vb_left if even else vb_left + _ONE
    upper = vb_right if even else vb_right - _ONE
    s = vb // _FOUR
    if s >= TEN:
        shorter = s // TEN
        under = lower <= _FORTY * shorter
        over = _FORTY * shorter + _FORTY <= upper
        if under != over:
            return shorter + (_ONE if over else ZERO), k + 1
    under = lower <= _FOUR * s
    over = _FOUR * s + _FOUR <= upper
    if under != over:
        return s + (_ONE if over else ZERO), k
    middle = _FOUR * s + _TWO
    up = vb > middle or (vb == middle and (s & _ONE) != ZERO)
    return s + (_ONE if up else ZERO), k


@part
def put_float(at: Any, bits: Any, mantissa_bits: Any, exponent_bits: Any, fixed: Any) -> Any:
    """A float of so many bits, given in a uint64.

    fixed : from 10 to this power on, it is written with an exponent; as below 0.0001
    """
    sign = bits >> U(mantissa_bits + exponent_bits)
    fraction = bits & ((_ONE << U(mantissa_bits)) - _ONE)
    exponent = _int((bits >> U(mantissa_bits)) & ((_ONE << U(exponent_bits)) - _ONE))
    if exponent == (1 << exponent_bits) - 1 and fraction != ZERO:
        return put_letters(at, 0x4E614E, 3)  # NaN
    if sign != ZERO:
        store_8(at, _MINUS)
        at += 1
    if exponent == (1 << exponent_bits) - 1:
        return put_letters(at, 0x496E66696E697479, 8)  # Infinity
    if exponent == 0 and fraction == ZERO:
        store_8(at, _NOUGHT)
        return at + 1
    bias = (1 << (exponent_bits - 1)) - 1 + mantissa_bits
    c = fraction if exponent == 0 else fraction | (_ONE << U(mantissa_bits))
    q = max(exponent, 1) - bias
    if -mantissa_bits <= q <= 0 and c & ((_ONE << U(-q)) - _ONE) == ZERO:
        d, k = c >> U(-q), 0  # a whole number
    else:
        d, k = _shortest(c, q, fraction == ZERO and exponent > 1)
    return _put_decimal(at, d, k, fixed)


@part
def put_letters(at: Any, letters: Any, count: Any) -> Any:
    """ASCII letters, given as a number whose last byte is the last letter."""
    for i in range(count):
        store_8(at + i, (letters >> (8 * (count - 1 - i))) & 255)
    return at + count


@part
def _put_decimal(at: Any, d: Any, k: Any, fixed: Any) -> Any:
    for zeros, unit in ((8, U(10**8)), (4, U(10**4)), (2, U(100)), (1, U(10))):
        while d % unit == ZERO:
            d //= unit
            k += zeros
    n = count_digits(d)
    exponent = k + n - 1
    if exponent < -4 or exponent >= fixed:
        at = _put_with_point(at, d, n, 1)
        store_8(at, _E)
        store_8(at + 1, _MINUS if exponent < 0 else _PLUS)
        if abs(exponent) >= 100:
            return put_digits(at + 2, U(abs(exponent)), 3)
        store_16(at + 2, PAIRS[U(abs(exponent))])
        return at + 4
    if exponent < 0:
        store_8(at, _NOUGHT)
        store_8(at + 1, _POINT)
        at += 2
        for _ in range(-exponent - 1):
            store_8(at, _NOUGHT)
            at += 1
        return put_digits(at, d, n)
    if k < 0:
        return _put_with_point(at, d, n, exponent + 1)
    at = put_digits(at, d, n)
    for _ in range(k):
        store_8(at, _NOUGHT)
        at += 1
    return at


@part
def _put_with_point(at: Any, d: Any, n: Any, whole: Any) -> Any:
    """n digits, of which `whole` stand before the point."""
    if n <= whole:
        return put_digits(at, d, n)
    put_digits(at + 1, d, n)
    for i in range(whole):
        copy(at + i, at + i + 1, 1)
    store_8(at + whole, _POINT)
    return at + n + 1


@part
def put_float8(at: Any, source: Any) -> Any:
    return put_float(at, U(load_64(source)), 52, 11, 15)


@part
def put_float4(at: Any, source: Any) -> Any:
    return put_float(at, U(load_32(source)) & U(2**32 - 1), 23, 8, 6)
