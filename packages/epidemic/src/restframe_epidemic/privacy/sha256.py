"""HMAC-SHA-256 of many short messages at once."""

from __future__ import annotations

import hmac
from math import isqrt
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_BLOCK = 64
# Messages up to here fit into one block with their end mark and length.
_LONGEST = 55
_LANES = 32


def hmac_digits(content: NDArray[np.uint8], starts: NDArray[np.int64], key: bytes, length: int) -> NDArray[np.uint8]:
    """(n, length) hexadecimal digits: the beginning of HMAC-SHA-256(key, content[starts[i]:starts[i + 1]]).

    starts : (n + 1,) ascending. key : at most 64 bytes. length : at most 64
    RFC 2104; FIPS 180-4.
    """
    pads = np.frombuffer(key.ljust(_BLOCK, b"\0"), dtype=np.uint8) ^ np.array([[0x36], [0x5C]], dtype=np.uint8)
    digits = np.empty((len(starts) - 1, length), dtype=np.uint8)
    _hmac(content, starts, pads, digits)
    for i in np.flatnonzero(np.diff(starts) > _LONGEST):
        message = content[starts[i] : starts[i + 1]].tobytes()
        digits[i] = np.frombuffer(hmac.digest(key, message, "sha256").hex()[:length].encode(), dtype=np.uint8)
    return digits


def _root_bits(degree: int, count: int) -> NDArray[np.uint32]:
    """The first 32 bits of the fractional parts of the roots of the first primes: the constants of FIPS 180-4, 4.2.2
    and 5.3.3.
    """
    primes = [p for p in range(2, 312) if all(p % q for q in range(2, isqrt(p) + 1))][:count]
    return np.array([_root(p << (32 * degree), degree) & 0xFFFFFFFF for p in primes], dtype=np.uint32)


def _root(value: int, degree: int) -> int:
    low, high = 0, 1 << 40
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle)
    return low


_H0 = _root_bits(2, 8)
_K = _root_bits(3, 64)
_u = np.uint32
_HEXADECIMAL = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@numba.njit(nogil=True, cache=True)
def _compress(state: Any, W: Any, V: Any) -> None:
    """One step of SHA-256 for many messages side by side, so that the processor's vectors are full. FIPS 180-4, 6.2.2.

    state, V : (8, lanes); V is what the standard calls a..h, turned by one each round instead of being moved
    W : (64, lanes), of which the first 16 rows are the block
    """
    lanes = W.shape[1]
    for t in range(16, 64):
        for i in range(lanes):
            x, y = W[t - 15, i], W[t - 2, i]
            s0 = ((x >> _u(7)) | (x << _u(25))) ^ ((x >> _u(18)) | (x << _u(14))) ^ (x >> _u(3))
            s1 = ((y >> _u(17)) | (y << _u(15))) ^ ((y >> _u(19)) | (y << _u(13))) ^ (y >> _u(10))
            W[t, i] = _u(W[t - 16, i] + s0 + W[t - 7, i] + s1)
    V[:] = state
    for t in range(64):
        a, b, c, d = V[-t % 8], V[(1 - t) % 8], V[(2 - t) % 8], V[(3 - t) % 8]
        e, f, g, h = V[(4 - t) % 8], V[(5 - t) % 8], V[(6 - t) % 8], V[(7 - t) % 8]
        for i in range(lanes):
            x, y = e[i], a[i]
            S1 = ((x >> _u(6)) | (x << _u(26))) ^ ((x >> _u(11)) | (x << _u(21))) ^ ((x >> _u(25)) | (x << _u(7)))
            S0 = ((y >> _u(2)) | (y << _u(30))) ^ ((y >> _u(13)) | (y << _u(19))) ^ ((y >> _u(22)) | (y << _u(10)))
            T1 = _u(h[i] + S1 + ((x & f[i]) ^ (~x & g[i])) + _K[t] + W[t, i])
            d[i] = _u(d[i] + T1)
            h[i] = _u(T1 + S0 + ((y & b[i]) ^ (y & c[i]) ^ (b[i] & c[i])))
    for j in range(8):
        for i in range(lanes):
            state[j, i] = _u(state[j, i] + V[j, i])


@numba.njit(nogil=True, cache=True)
def _hmac(content: Any, starts: Any, pads: Any, digits: Any) -> None:
    """`hmac_digits` of messages of up to 55 bytes; the digits of others are not theirs.

    pads : (2, 64) the key, padded, xor 0x36 and 0x5c. RFC 2104, section 2.
    """
    W = np.zeros((64, _LANES), np.uint32)
    V = np.empty((8, _LANES), np.uint32)
    keyed = np.empty((2, 8, _LANES), np.uint32)
    for side in range(2):
        keyed[side] = _H0.copy().reshape(8, 1)
        W[:16] = 0
        for j in range(64):
            W[j // 4] |= _u(pads[side, j]) << _u(24 - 8 * (j % 4))
        _compress(keyed[side], W, V)
    state = np.empty((8, _LANES), np.uint32)
    for begin in range(0, len(digits), _LANES):
        count = min(_LANES, len(digits) - begin)
        W[:16] = 0
        for i in range(count):
            start = starts[begin + i]
            length = min(starts[begin + i + 1] - start, _LONGEST)
            for j in range(length):
                W[j // 4, i] |= _u(content[start + j]) << _u(24 - 8 * (j % 4))
            W[length // 4, i] |= _u(0x80) << _u(24 - 8 * (length % 4))
            W[15, i] = 8 * (_BLOCK + length)
        state[:] = keyed[0]
        _compress(state, W, V)
        # The inner digest is the outer message: eight words, the end mark, its length in bits.
        W[:8] = state
        W[8:15] = 0
        W[8] = 0x80000000
        W[15] = 8 * (_BLOCK + 32)
        state[:] = keyed[1]
        _compress(state, W, V)
        for i in range(count):
            for j in range(digits.shape[1]):
                digits[begin + i, j] = _HEXADECIMAL[(state[j // 8, i] >> _u(28 - 4 * (j % 8))) & _u(0xF)]
