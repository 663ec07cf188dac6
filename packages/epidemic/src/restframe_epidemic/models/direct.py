"""Regression of each horizon's growth on what is known now, one for all places.

Least absolute deviations with a ridge, by iteratively reweighted least squares. The reports of a small place are mostly
noise, a dump is an outlier: medians bear both.

Direct (one regression per horizon) against iterated forecasts: Marcellino, Stock, Watson: A comparison of direct and
iterated multistep AR methods for forecasting macroeconomic time series, Journal of Econometrics 2006, 135.
Reweighting: Schlossmacher: An iterative technique for absolute deviations curve fitting, JASA 1973, 68.
"""

from __future__ import annotations

import numba
import numpy as np

from restframe_epidemic.models import features
from restframe_epidemic.models.examples import Examples, Lessons
from restframe_epidemic.models.linear import ridge
from restframe_epidemic.panel import FloatArray, Panel

WINDOW_WEEKS = 14
RIDGE = 0.1
"""How strongly coefficients of standardised features are drawn to 0."""

_ROUNDS = 6
_FLAT = 0.05  # residuals under this weigh like squares; as good as exact in the logarithm of counts


def forecast(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    """(N, horizons) medians of new reports; NaN everywhere in the first weeks of all. `seed` is without effect."""
    known = Examples.of(panel, target, features.wide(panel, target))
    return known.reports(known.growth(horizons, _learn, WINDOW_WEEKS))


def _learn(lessons: Lessons, now: FloatArray) -> FloatArray:
    centre = np.average(lessons.x, axis=0, weights=lessons.weight)
    spread = np.sqrt(np.average((lessons.x - centre) ** 2, axis=0, weights=lessons.weight)) + 1e-9
    z = _standard(lessons.x, centre, spread)
    b = least_absolute(z, lessons.growth, lessons.weight, np.append(np.full(z.shape[1] - 1, RIDGE), 1e-9))
    result: FloatArray = (_standard(now, centre, spread) * b).sum(axis=1)
    return result


def _standard(x: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    """(R, F) -> (R, F + 1): centred, scaled, and ones; what never varied in the lessons cannot matter now."""
    z = np.clip((x - centre) / spread, -5, 5)
    return np.concatenate([z, np.ones((len(z), 1))], axis=1)


@numba.njit(nogil=True, cache=True)
def least_absolute(z: FloatArray, y: FloatArray, weight: FloatArray, penalty: FloatArray) -> FloatArray:
    """(F,) b for which sum(weight |y - z b|) is least, drawn to 0.

    z : (R, F) standardised; y : (R,); weight : (R,)
    penalty : (F,) on a coefficient's square, in units of the mean weight of a row in the squares that stand for
        absolute values
    """
    R, F = z.shape
    inner = weight.copy()
    b = np.zeros(F)
    for _ in range(_ROUNDS):
        b = ridge(z, y, inner, penalty)
        for r in range(R):
            residual = y[r]
            for i in range(F):
                residual -= z[r, i] * b[i]
            inner[r] = weight[r] / max(abs(residual), _FLAT)
    return b
