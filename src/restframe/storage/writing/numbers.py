"""Parts of kernels that write numbers as text. Each takes the address to write at and returns that behind the text."""

from __future__ import annotations

from typing import Any

import numpy as np

from restframe.compiled import part
from restframe.storage.writing.memory import copy, load_8, load_64, store_8, store_16

U = np.uint64
ZERO, TEN, HUNDRED = U(0), U(10), U(100)
_BILLION = U(10**9)
_LOW, _THIRTY_TWO = U(2**32 - 1), U(32)
_POINT, _MINUS, _NOUGHT = 46, 45, 48
# the two digits of 0 to 99 as they lie in memory
PAIRS = np.frombuffer("".join(f"{i:02}" for i in range(100)).encode(), "<u2").astype(np.int64)
_POWERS = np.array([10**i for i in range(20)], np.uint64)
_int: Any = np.int64


@part
def count_digits(value: Any) -> Any:
    """How many decimal digits a uint64 has."""
    n = U(1)
    while n < U(20) and value >= _POWERS[n]:
        n += U(1)
    return _int(n)


@part
def put_digits(at: Any, value: Any, count: Any) -> Any:
    """A uint64 in exactly so many digits, with zeros before it."""
    end = at + count
    p = end
    while p - at >= 2:
        quotient = value // HUNDRED
        p -= 2
        store_16(p, PAIRS[value - quotient * HUNDRED])
        value = quotient
    if p > at:
        store_8(at, _NOUGHT + _int(value % TEN))
    return end


@part
def put_unsigned(at: Any, value: Any) -> Any:
    return put_digits(at, value, count_digits(value))


@part
def put_integer(at: Any, value: Any) -> Any:
    """An int64."""
    if value < 0:
        store_8(at, _MINUS)
        return put_unsigned(at + 1, ZERO - U(value))
    return put_unsigned(at, U(value))


@part
def magnitude(source: Any) -> Any:
    """Sign and absolute value of a decimal128: whether it is negative, its upper and its lower 64 bits."""
    low, high = U(load_64(source)), U(load_64(source + 8))
    if load_64(source + 8) < 0:
        low = ZERO - low
        high = ~high + (U(1) if low == ZERO else ZERO)
        return True, high, low
    return False, high, low


@part
def put_wide(at: Any, high: Any, low: Any) -> Any:
    """The digits of a number of 128 bits."""
    end = at + 39
    p = end
    while high != ZERO:
        # by 10^9, in steps of 32 bits
        remainder = high % _BILLION
        high //= _BILLION
        middle = (remainder << _THIRTY_TWO) | (low >> _THIRTY_TWO)
        last = ((middle % _BILLION) << _THIRTY_TWO) | (low & _LOW)
        low = ((middle // _BILLION) << _THIRTY_TWO) | (last // _BILLION)
        p -= 9
        put_digits(p, last % _BILLION, 9)
    n = count_digits(low)
    put_digits(p - n, low, n)
    p -= n
    for i in range(end - p):
        store_8(at + i, load_8(p + i))
    return at + (end - p)


@part
def put_numeric(at: Any, source: Any, scale: Any) -> Any:
    """A decimal128; needs room for twice as much as it writes."""
    negative, high, low = magnitude(source)
    if negative:
        store_8(at, _MINUS)
        at += 1
    if scale == 0:
        return put_wide(at, high, low)
    if high == ZERO and scale <= 18:
        unit = _POWERS[U(scale)]
        whole = low // unit
        at = put_unsigned(at, whole)
        store_8(at, _POINT)
        return put_digits(at + 1, low - whole * unit, scale)
    scratch = at + 48
    n = put_wide(scratch, high, low) - scratch
    while n <= scale:  # zeros before it, as far as one before the point
        for i in range(n, 0, -1):
            store_8(scratch + i, load_8(scratch + i - 1))
        store_8(scratch, _NOUGHT)
        n += 1
    copy(at, scratch, n - scale)
    at += n - scale
    store_8(at, _POINT)
    copy(at + 1, scratch + n - scale, scale)
    return at + 1 + scale
