"""Random numbers inside kernels: the same for every tree of the same seed, whatever else runs.

Steele, Lea, Flood: Fast splittable pseudorandom number generators, OOPSLA 2014 (splitmix64).
"""

from __future__ import annotations

import numpy as np

from restframe.compiled import part
from restframe.ml.random_cut_forest.words import Real, Word

STEP = np.uint64(0x9E3779B97F4A7C15)  # from one state to the next
_FACTOR_1, _FACTOR_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


@part
def mixed(state: Word) -> Word:
    """64 random bits of a state; also a good state for a stream of its own."""
    z = (state ^ (state >> np.uint64(30))) * _FACTOR_1
    z = (z ^ (z >> np.uint64(27))) * _FACTOR_2
    return z ^ (z >> np.uint64(31))


@part
def uniform(state: Word) -> Real:
    """A number in [0, 1) from a state."""
    return np.float64(mixed(state) >> np.uint64(11)) * 2.0**-53
