"""How kernels are compiled: without the interpreter's lock, and kept on disk for the next process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import config, njit

from restframe import kernels


def kernel(function: Callable[..., Any]) -> Any:
    """A function that Python calls: compiled at the first call and kept on disk where there is a place to.

    Division is as in numpy: nothing tests for zero.
    """
    place = kernels.directory()
    if place is None:
        return part(function)
    given, config.CACHE_DIR = config.CACHE_DIR, str(place)
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    finally:
        config.CACHE_DIR = given


def part(function: Callable[..., Any]) -> Any:
    """A function that kernels call; it is compiled, and kept, as part of each of them."""
    return njit(nogil=True, error_model="numpy")(function)
