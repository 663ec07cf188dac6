"""How kernels are compiled: without the interpreter's lock, and kept on disk for the next process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba import njit

from restframe import kernels

# It makes its attributes as it is imported.
_config: Any = numba.config


def kernel(function: Callable[..., Any], **options: Any) -> Any:
    """A function that Python calls: compiled at the first call and kept on disk where there is a place to.

    Division is as in numpy: nothing tests for zero. options : further ones of numba's, which its parts need, too
    """
    place = kernels.directory()
    if place is None:
        return part(function, **options)
    given, _config.CACHE_DIR = _config.CACHE_DIR, str(place)
    try:
        return njit(nogil=True, cache=True, error_model="numpy", **options)(function)
    finally:
        _config.CACHE_DIR = given


def part(function: Callable[..., Any], **options: Any) -> Any:
    """A function that kernels call; it is compiled, and kept, as part of each of them."""
    return njit(nogil=True, error_model="numpy", **options)(function)
