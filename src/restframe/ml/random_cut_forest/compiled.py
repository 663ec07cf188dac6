"""How the forest's kernels are compiled: without the interpreter's lock, and kept on disk for the next process.

Kernels count with unsigned integers throughout (`WORD`, `ZERO`, `ONE`): a signed index would be tested for Python's
counting from the end at every access, which costs more than the access. Floating point is exact IEEE arithmetic
without contraction or reassociation, so that a score does not depend on the machine's vector width.

numba compiles a kernel anew when the kernel's own file has changed; after a change to what it calls from another file
(this one, lanes.py, randomness.py), delete the *.nbi and *.nbc files in __pycache__.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numba import njit

Word: TypeAlias = Any  # for annotations in kernels, where a number's type is the compiler's to infer
Real: TypeAlias = Any
WORD: Any = np.uintp
ZERO, ONE, TWO, THREE = WORD(0), WORD(1), WORD(2), WORD(3)


def kernel(function: Callable[..., Any]) -> Any:
    """A function that Python calls: compiled at the first call and cached on disk where there is a place to."""
    try:
        return njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # neither the installation nor the user's cache directory can be written
        return njit(nogil=True, error_model="numpy")(function)


def part(function: Callable[..., Any]) -> Any:
    """A function that kernels call; it is compiled, and cached, as part of each of them."""
    return njit(nogil=True, error_model="numpy")(function)
