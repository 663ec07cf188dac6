"""Normal equations and their solution in one thread and a fixed order of sums.

The linear algebra libraries' bits depend on the number of their threads: of products of long matrices, and of solutions
of a hundred equations and more.
"""

from __future__ import annotations

import numba
import numpy as np

from restframe_epidemic.panel import FloatArray


@numba.njit(nogil=True, cache=True)
def normal(z: FloatArray, y: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(F, F) weighted mean of z z', its upper half; (F,) of z y. Four rows at a time keep the sums in registers."""
    R, F = z.shape
    A, c, total = np.zeros((F, F)), np.zeros(F), 0.0
    whole = R - R % 4
    for r in range(0, whole, 4):
        w0, w1, w2, w3 = weight[r], weight[r + 1], weight[r + 2], weight[r + 3]
        total += w0 + w1 + w2 + w3
        for i in range(F):
            a0, a1, a2, a3 = w0 * z[r, i], w1 * z[r + 1, i], w2 * z[r + 2, i], w3 * z[r + 3, i]
            c[i] += a0 * y[r] + a1 * y[r + 1] + a2 * y[r + 2] + a3 * y[r + 3]
            for j in range(i, F):
                A[i, j] += a0 * z[r, j] + a1 * z[r + 1, j] + a2 * z[r + 2, j] + a3 * z[r + 3, j]
    for r in range(whole, R):
        total += weight[r]
        for i in range(F):
            a = weight[r] * z[r, i]
            c[i] += a * y[r]
            for j in range(i, F):
                A[i, j] += a * z[r, j]
    return A / total, c / total


@numba.njit(nogil=True, cache=True)
def ridge(z: FloatArray, y: FloatArray, weight: FloatArray, penalty: FloatArray) -> FloatArray:
    """(F,) b with the least weighted mean of (y - z b)^2 plus sum(penalty b^2)."""
    A, c = normal(z, y, weight)
    for i in range(len(c)):
        A[i, i] += penalty[i]
    return solve(A, c)


@numba.njit(nogil=True, cache=True)
def solve(A: FloatArray, c: FloatArray) -> FloatArray:
    """A x = c for a positive definite A, of which the upper half is read (and overwritten): Cholesky, A = U' U."""
    F = len(c)
    x = c.copy()
    for i in range(F):
        A[i, i] = np.sqrt(A[i, i])
        for j in range(i + 1, F):
            A[i, j] /= A[i, i]
        for k in range(i + 1, F):
            for j in range(k, F):
                A[k, j] -= A[i, k] * A[i, j]
        x[i] /= A[i, i]
        for j in range(i + 1, F):
            x[j] -= A[i, j] * x[i]
    for i in range(F - 1, -1, -1):
        for j in range(i + 1, F):
            x[i] -= A[i, j] * x[j]
        x[i] /= A[i, i]
    return x
