"""How these kernels are compiled: without the interpreter's lock, and kept on disk for the next process.

numba compiles a kernel anew when the kernel's own file has changed; after a change to a part in another file, delete
the *.nbi and *.nbc files in __pycache__.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(function: Callable[..., Any]) -> Any:
    """A function that Python calls: compiled at the first call and cached on disk where there is a place to."""
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # neither the installation nor the user's cache directory can be written
        return njit(nogil=True, error_model="numpy")(function)


def part(function: Callable[..., Any]) -> Any:
    """A function that kernels call; it is compiled, and cached, as part of each of them."""
    return njit(nogil=True, error_model="numpy")(function)
