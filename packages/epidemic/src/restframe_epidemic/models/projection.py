"""The group's projection, shared out among its places: the member for places with a short history of their own.

The group (a state) goes on growing as in its last two weeks, less each week. A place's rate of reports, relative to its
group's, is known from its own recent reports where it has many, and from its social determinants, ages and density
where it has few: theta = exp(x b) is learned from the places with a long history, and a place's own reports c against
the c expected of an average place, e, move it to (k + c) / (k / theta + e). k, learned too, says how much places differ
for reasons that no feature tells.

Clayton, Kaldor: Empirical Bayes estimates of age-standardized relative risks for use in disease mapping, Biometrics
1987, 43, section 3 (gamma-Poisson).
"""

from __future__ import annotations

import numpy as np

from restframe_epidemic.models import features
from restframe_epidemic.models.linear import ridge
from restframe_epidemic.panel import BoolArray, FloatArray, Panel
from restframe_epidemic.scores import short_history

FADING = 0.75
"""What is left of weekly growth a week later."""

STEEPEST = 0.5
"""No group grows or shrinks by more than exp(+-.5) a week."""

RECENT_WEEKS = 3
"""The reports of so many weeks are a place's own evidence."""

_PRIOR_REPORTS = 10.0
_RIDGE = 10.0  # in places: a coefficient must be carried by more of them than this
_ROUNDS = 12
_DISPERSION = (0.2, 50.0)  # bounds of k


def forecast(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    """(N, horizons) expected new reports; NaN for places without a population or that never reported. `seed` is without
    effect."""
    weekly = np.nan_to_num(panel.weekly(target))
    known = np.isfinite(panel.population) & (panel.population > 0)
    people = np.where(known, panel.population, 0.0)
    groups = np.maximum(panel.by_group(people), 1.0)
    recent = weekly[:, -RECENT_WEEKS:].sum(axis=1)
    expected = people * (panel.by_group(np.where(known, recent, 0.0)) / groups)[panel.group]
    relative = relative_rate(panel, recent, expected, ~short_history(weekly) & known)
    ahead = group_projection(panel.by_group(np.where(known[:, None], weekly, 0.0)), horizons)
    points: FloatArray = (relative * people)[:, None] * (ahead / groups[:, None])[panel.group]
    reported = np.isfinite(panel.daily[target]).any(axis=1)
    return np.where((known & reported)[:, None], points, np.nan)


def group_projection(weekly: FloatArray, horizons: int) -> FloatArray:
    """(G, W) reports per week -> (G, horizons): growth of the last two weeks, clipped, fading."""
    before = weekly[:, max(weekly.shape[1] - 3, 0)]
    growth = np.log((weekly[:, -1] + _PRIOR_REPORTS) / (before + _PRIOR_REPORTS)) / 2
    faded = np.cumsum(FADING ** np.arange(1, horizons + 1))
    result: FloatArray = weekly[:, -1:] * np.exp(np.clip(growth, -STEEPEST, STEEPEST)[:, None] * faded)
    return result


def relative_rate(panel: Panel, recent: FloatArray, expected: FloatArray, teachers: BoolArray) -> FloatArray:
    """(N,) how many times its group's rate a place has.

    recent, expected : (N,) reports, and those expected at the group's rate
    teachers : (N,) places to learn theta and k from
    """
    x = np.stack([values for _, values in features.determinants(panel)], axis=1)
    x = np.concatenate([(x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9), np.ones((len(x), 1))], axis=1)
    teachers = teachers & (expected > 0)
    if not teachers.any():
        return (1 + recent) / (1 + expected)
    b, k = _learn(x[teachers], recent[teachers], expected[teachers])
    theta = np.exp(np.clip((x * b).sum(axis=1), -2, 2))
    result: FloatArray = (k + recent) / (k / theta + expected)
    return result


def _learn(x: FloatArray, recent: FloatArray, expected: FloatArray) -> tuple[FloatArray, float]:
    """b and k of negative binomial counts with mean expected exp(x b): rounds of scoring for b, of moments for k."""
    b, k = np.zeros(x.shape[1]), 1.0
    penalty = np.append(np.full(x.shape[1] - 1, _RIDGE), 1e-9)
    for _ in range(_ROUNDS):
        eta = (x * b).sum(axis=1)
        mean = expected * np.exp(np.clip(eta, -2, 2))
        weight = mean / (1 + mean / k)
        b = ridge(x, eta + (recent - mean) / mean, weight, penalty / weight.sum())
        excess = float((weight**2 * ((recent - mean) ** 2 - mean) / (mean**2 + 1e-9)).sum())
        k = min(max(float((weight**2).sum()) / max(excess, 1e-9), _DISPERSION[0]), _DISPERSION[1])
    return b, k
