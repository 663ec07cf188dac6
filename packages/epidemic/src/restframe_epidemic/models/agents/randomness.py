"""Random numbers for simulations: one stream per county and replicate, whatever runs beside it.

A stream is one 64-bit word in an array of length 1. SplitMix64: Steele, Lea, Flood: Fast splittable pseudorandom number
generators, OOPSLA 2014, section 4.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Stream = NDArray[np.uint64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)
_S27 = np.uint64(27)
_S30 = np.uint64(30)
_S31 = np.uint64(31)
_S32 = np.uint64(32)
_S11 = np.uint64(11)
_UNIT = 2.0**-53
_STEP = 500.0  # exp of it is still a float


def stream(*names: object) -> Stream:
    """The stream of these names, e.g. (seed, "01001", replicate): a digest, so that neither order nor number of other
    streams matters."""
    text = "\x1f".join(str(name) for name in names)
    return np.frombuffer(hashlib.blake2b(text.encode(), digest_size=8).digest(), dtype=np.uint64).copy()


@numba.njit(nogil=True, inline="always")
def bits(state: Stream) -> Any:
    """64 random bits."""
    state[0] += _GAMMA
    z = state[0]
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@numba.njit(nogil=True, inline="always")
def uniform(state: Stream) -> float:
    """In [0, 1)."""
    return np.float64(np.int64(bits(state) >> _S11)) * _UNIT


@numba.njit(nogil=True, inline="always")
def below(word: Any, count: int) -> Any:
    """0 .. count - 1 from the upper half of a random word; count < 2 ** 32. Its bias is below count / 2 ** 32."""
    return np.int64(((word >> _S32) * np.uint64(count)) >> _S32)


@numba.njit(nogil=True)
def poisson(state: Stream, mean: float) -> int:
    """Knuth's product of uniforms, with the mean taken in steps so that exp does not underflow; O(mean)."""
    left, product, count = mean, 1.0, -1
    while product >= 1.0:
        count += 1
        product *= uniform(state)
        while product < 1.0 and left > 0.0:
            step = min(left, _STEP)
            product *= math.exp(step)
            left -= step
    return count
