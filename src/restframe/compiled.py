"""How kernels are compiled: without the interpreter's lock, and kept on disk for the next process.

Some can also be interpreted, as the Python that they are, which for a few rows takes less time than to compile them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, cached_property
from types import FunctionType
from typing import Any

import numba
import numpy as np
from numba import njit
from numba.core.dispatcher import Dispatcher

from restframe import kernels
from restframe.kernels import Group

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


class Interpretable:
    """A kernel whose first argument is a block of bytes. Until it is compiled, small blocks are interpreted.

    Interpreted, arrays are memoryviews, whose numbers are Python's: they do not overflow.
    """

    def __init__(self, function: Callable[..., Any], group: Group) -> None:
        self.dispatcher = kernel(function)
        self._group = group
        self._spent_s = 0.0

    def __call__(self, block: Any, *arguments: Any) -> Any:
        if len(block) > kernels.FEW_BYTES or self._is_compiled():
            return self.dispatcher(block, *arguments)
        start = time.perf_counter()
        given = (one.data if isinstance(one, np.ndarray) else one for one in (block, *arguments))
        with np.errstate(over="ignore"):  # of unsigned numbers, which wrap around
            made = self._interpreted(*given)
        self._spent_s += time.perf_counter() - start
        return made

    def _is_compiled(self) -> bool:
        """Or should be: when as much time has gone by as that takes, and nobody else does it."""
        if kernels.compiled_here() or kernels.complete(self._group) or self.dispatcher.signatures:
            return True
        return self._spent_s > _PATIENCE_S and not kernels.pending(self._group)

    @cached_property
    def _interpreted(self) -> Callable[..., Any]:
        return _interpreted(self.dispatcher.py_func)


_PATIENCE_S = 1.0
_counterparts: dict[int, Callable[..., Any]] = {}


def interpretable(group: Group) -> Callable[[Callable[..., Any]], Interpretable]:
    """Decorates a kernel that need not be compiled for small blocks."""
    return lambda function: Interpretable(function, group)


def counterpart(compiled: Any, interpreted: Callable[..., Any]) -> Any:
    """`compiled`, which only compiled kernels can call; interpreted ones call the other function."""
    _counterparts[id(compiled)] = interpreted
    return compiled


@cache
def _interpreted(function: FunctionType) -> Callable[..., Any]:
    """The function, calling nothing that is compiled."""
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        called = names.get(name)
        if id(called) in _counterparts:
            names[name] = _counterparts[id(called)]
        elif isinstance(called, Dispatcher):
            names[name] = _interpreted(called.py_func)
    return FunctionType(function.__code__, names, function.__name__)
