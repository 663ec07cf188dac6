"""The numbers that the forest's kernels count with.

Kernels count with unsigned integers throughout (`WORD`, `ZERO`, `ONE`): a signed index would be tested for Python's
counting from the end at every access, which costs more than the access. Floating point is exact IEEE arithmetic
without contraction or reassociation, so that a score does not depend on the machine's vector width.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Word: TypeAlias = Any  # for annotations in kernels, where a number's type is the compiler's to infer
Real: TypeAlias = Any
WORD: Any = np.uintp
ZERO, ONE, TWO, THREE = WORD(0), WORD(1), WORD(2), WORD(3)
