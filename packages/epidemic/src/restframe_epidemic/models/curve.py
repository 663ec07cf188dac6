"""The statistical curve: weekly reports as the steps of a generalized Gaussian distribution function.

    y(t) = K [F(t + 1) - F(t)] + c,  F(t) = 1/2 + 1/2 sign(t - mu) P(1/b, |(t - mu) / a|^b)

One wave of K reports with its peak at week mu, as wide as the scale a (weeks), pointed (b = 1, Laplace), bell-shaped
(b = 2, normal) or flat-topped (b > 2), over a constant background c. IHME's CurveFit fits the normal distribution
function; here the shape is free. t is in weeks, t = 0 where the series begins.

IHME COVID-19 health service utilization forecasting team, Murray: Forecasting COVID-19 impact on hospital bed-days,
ICU-days, ventilator-days and deaths by US state in the next 4 months, medRxiv 2020.03.27.20043752;
Nadarajah: A generalized normal distribution, Journal of Applied Statistics 32(7), 2005.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from restframe_epidemic.models import generalized_normal
from restframe_epidemic.models.weekly import regular_share
from restframe_epidemic.panel import BoolArray, FloatArray, IntArray, Panel

SHIFT = 0.375
"""sqrt(y + 3/8) of a Poisson count has nearly the same variance whatever its mean (Anscombe, Biometrika 35, 1948)."""

WEEKS = 14
"""A member's curve is fitted to this many weeks."""

FEWEST_WEEKS = 6
ORIGINS = 4
"""How many past weeks each horizon's parts of the way are learned from."""

HIGHEST = 4.0
FASTEST_PER_WEEK = 0.7
"""Curves go at most to four times the last week's reports (plus five); a group's at most doubles in a week."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Parameters of N curves, each (N,): K reports in the whole wave, mu its peak (weeks), a > 0 its scale (weeks),
    b > 0 its shape, c the background (reports per week)."""

    K: FloatArray
    mu: FloatArray
    a: FloatArray
    b: FloatArray
    c: FloatArray

    def logs(self) -> FloatArray:
        """(N, 5): log K, mu, log a, log b, log c, as they are fitted."""
        return np.stack([np.log(self.K), self.mu, np.log(self.a), np.log(self.b), np.log(self.c)], axis=1)

    @staticmethod
    def from_logs(values: FloatArray) -> Curve:
        K, a, b, c = np.exp(values[:, [0, 2, 3, 4]]).T
        return Curve(K, values[:, 1], a, b, c)

    def incidence(self, first: float, weeks: int) -> FloatArray:
        """(N, weeks) reports in the weeks that begin at t = first, first + 1, ...; NaN where a parameter is."""
        return generalized_normal.incidence(self.logs(), float(first), weeks)


@dataclass(frozen=True, slots=True)
class Fit:
    """parameters : (N, 5) log K, mu, log a, log b, log c; NaN where no start converged or nothing was observed
    converged : (N,)
    loss : (N,) weighted squares of the residuals plus the prior's
    observed : W, how many weeks were fitted
    """

    parameters: FloatArray
    converged: BoolArray
    loss: FloatArray
    observed: int

    @property
    def curve(self) -> Curve:
        return Curve.from_logs(self.parameters)

    def incidence(self, weeks: int) -> FloatArray:
        """(N, weeks) expected reports in the weeks after the last observed one."""
        return generalized_normal.incidence(self.parameters, float(self.observed), weeks)

    def fitted(self) -> FloatArray:
        """(N, W) expected reports in the observed weeks."""
        return generalized_normal.incidence(self.parameters, 0.0, self.observed)


@dataclass(frozen=True, slots=True)
class Prior:
    """What is believed of (log K, mu, log a, log b, log c) before the data: normal, independent.

    mean : (N, 5)
    deviation : (N, 5)
    """

    mean: FloatArray
    deviation: FloatArray


def cdf(t: ArrayLike, mu: ArrayLike, a: ArrayLike, b: ArrayLike) -> FloatArray:
    """F(t), elementwise with broadcasting; exact to rounding at both ends."""
    arrays = np.broadcast_arrays(*(np.asarray(value, dtype=np.float64) for value in (t, mu, a, b)))
    values = generalized_normal.cumulative(*(np.ascontiguousarray(array).ravel() for array in arrays))
    return values.reshape(arrays[0].shape)


def fit(
    incidence: FloatArray,
    *,
    weight: FloatArray | None = None,
    prior: Prior | None = None,
    rounds: int = 60,
) -> Fit:
    """Fit one curve to each row: least squares of sqrt(y + 3/8) by Levenberg-Marquardt, from several starts.

    incidence : (N, W) reports per week, >= 0; a week that is NaN is left out
    weight : (N, W) or (W,), of each week's residual; by default rising to the newest week, `recency(W)`
    prior : by default `weak_prior(incidence)`
    Never raises for what a row contains: a row without any observed week, with an infinite number, or from which no
    start comes to rest in `rounds` steps has NaN parameters and converged False.
    """
    y = np.asarray(incidence, dtype=np.float64)
    weeks = y.shape[1]
    weight = np.broadcast_to(recency(weeks) if weight is None else weight, y.shape)
    prior = prior or weak_prior(y)
    usable = np.isfinite(y) & (y >= 0)
    hopeless = np.any(np.isinf(y), axis=1) | ~np.any(usable, axis=1) | ~np.all(np.isfinite(prior.mean), axis=1)
    low, high = _bounds(y)
    parameters, loss, converged = generalized_normal.fit_all(
        np.sqrt(np.where(usable, y, 0.0) + SHIFT),
        np.where(usable, weight, 0.0),
        SHIFT,
        _starts(prior, np.where(usable, y, 0.0)),
        np.where(hopeless[:, None], np.nan, prior.mean),
        1 / prior.deviation,
        low,
        high,
        rounds,
    )
    return Fit(parameters, converged, loss, weeks)


def recency(weeks: int, *, half_life_weeks: float = 6.0) -> FloatArray:
    """(weeks,) weights of residuals, 1 for the newest; a squared residual counts half as much each half-life."""
    ages = np.arange(weeks - 1, -1, -1, dtype=np.float64)
    result: FloatArray = 0.5 ** (ages / half_life_weeks / 2)
    return result


def weak_prior(incidence: FloatArray) -> Prior:
    """The peak is near the newest week, some weeks wide, the shape normal; the wave may be as large as it likes."""
    y = np.nan_to_num(incidence, posinf=0.0)
    places, weeks = y.shape
    level = y[:, -3:].mean(axis=1) + 0.5
    mean = np.empty((places, 5))
    mean[:, 0] = np.log(level * 8)
    mean[:, 1] = weeks
    mean[:, 2] = np.log(5.0)
    mean[:, 3] = np.log(2.0)
    mean[:, 4] = np.log(0.2 * level)
    return Prior(mean, np.broadcast_to(np.array([2.0, 6.0, 0.6, 0.4, 1.5]), mean.shape))


def _bounds(y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(N, 5) each: a from 1.5 to 30 weeks, b from 0.8 to 5, the peak not long past and not far ahead."""
    weeks = y.shape[1]
    largest = np.nan_to_num(y, posinf=0.0).max(axis=1, initial=0.0)
    low = np.empty((len(y), 5))
    high = np.empty((len(y), 5))
    low[:] = (np.log(1e-3), -weeks, np.log(1.5), np.log(0.8), np.log(1e-3))
    high[:, 0] = np.log(100 * (largest + 1) * weeks)
    high[:, 1:4] = (2.0 * weeks, np.log(30.0), np.log(5.0))
    high[:, 4] = np.log(largest + 1)
    return low, high


def _starts(prior: Prior, y: FloatArray) -> FloatArray:
    """(N, 3, 5): at the prior; at the largest week, as if the wave were over; before the peak."""
    weeks = y.shape[1]
    starts = np.repeat(prior.mean[:, None, :], 3, axis=1)
    starts[:, 1, 0] = np.log(y.sum(axis=1) + 1)
    starts[:, 1, 1] = np.argmax(y, axis=1) + 0.5
    starts[:, 2, 1] = weeks + 3.0
    return starts


def forecast(panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0) -> FloatArray:
    """(N, horizons) expected new reports of weeks T + 1 .. T + horizons; nothing in here is random.

    A curve fitted to a county's last weeks follows their noise. So the forecast goes from the last week's reports only
    part of the way to the curve, and part of the growth of the group's (the state's) curve:

        log(y(T+h) + 1) = log(y(T) + 1) + s1 [log(curve(T+h) + 1) - log(y(T) + 1)] + s2 log(growth of the group's curve)

    with s1, s2 >= 0 and s1 + s2 <= 1 of each horizon learned, for all places together, from the curves that the same
    fit would have drawn some weeks ago. It never exceeds four times the last week's reports (plus five).

    NaN for places without reports, and everywhere while there are not enough weeks to learn from.
    """
    reports = panel.weekly(target)
    weeks = reports.shape[1]
    regular = regular_share(panel)
    known = np.any(np.isfinite(reports), axis=1)
    origins = [weeks - back for back in range(horizons + ORIGINS) if weeks - back >= FEWEST_WEEKS]
    steps = {origin: _steps(panel, reports[:, :origin], regular[:, :origin], horizons) for origin in origins}
    level = np.log1p(np.nan_to_num(reports))
    result = np.full((len(reports), horizons), np.nan)
    parts = np.zeros(0)
    for h in range(horizons):
        past = [origin for origin in origins if origin + h < weeks][:ORIGINS]
        if past:
            X = np.concatenate([steps[origin][:, h] for origin in past])
            moved = np.concatenate([level[:, origin + h] - level[:, origin - 1] for origin in past])
            trust = np.concatenate([np.exp(level[:, o - 1]) * regular[:, o - 1] * regular[:, o + h] for o in past])
            parts = best_parts(X, moved, trust)
        if len(parts):
            result[:, h] = np.expm1(level[:, -1] + steps[weeks][:, h] @ parts)
    return np.where(known[:, None], np.maximum(result, 0.0), np.nan)


def best_parts(X: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    """(2,) parts s >= 0, in tenths and together at most 1, with the least weighted absolute deviations |y - X s|.

    Free coefficients, learned while a wave rises, made curves explode at the next turn.
    """
    tenths = np.arange(11) / 10
    choices = [np.array([one, two]) for one in tenths for two in tenths if one + two <= 1.0 + 1e-9]
    return min(choices, key=lambda parts: float(weight @ np.abs(y - X @ parts)))


def _steps(panel: Panel, reports: FloatArray, regular: FloatArray, horizons: int) -> FloatArray:
    """(N, H, 2) from the last of the given weeks: to the place's curve, and along the group's."""
    y, regular = reports[:, -WEEKS:], regular[:, -WEEKS:]
    weight = recency(y.shape[1])
    groups = fit(panel.by_group(y), weight=weight)
    places = fit(y, weight=weight * regular, prior=group_prior(groups, y, panel.group))
    last = np.nan_to_num(y[:, -1:])
    curve = np.minimum(places.incidence(horizons), HIGHEST * (last + 5))
    growth = np.log((groups.incidence(horizons) + 1) / (groups.fitted()[:, -1:] + 1))
    most = np.minimum(FASTEST_PER_WEEK * np.arange(1, horizons + 1), np.log(HIGHEST))
    both = np.stack([np.log1p(curve) - np.log1p(last), np.clip(growth, -most, most)[panel.group]], axis=2)
    result: FloatArray = np.nan_to_num(both)  # without a curve there: stay where the last week was
    return result


def group_prior(groups: Fit, incidence: FloatArray, group: IntArray) -> Prior:
    """A place's curve is thought to be its share of the group's: the same peak, width and shape, give or take."""
    weak = weak_prior(incidence)
    recent = np.nan_to_num(incidence[:, -6:]).sum(axis=1)
    places = np.bincount(group, minlength=len(groups.converged))
    total = np.bincount(group, weights=recent, minlength=len(places))
    share = np.log((recent + 0.5) / (total + 0.5 * places)[group])
    mean = groups.parameters[group]
    mean[:, [0, 4]] += share[:, None]
    fitted = groups.converged[group][:, None]
    deviation = np.array([1.0, 3.0, 0.5, 0.3, 1.0])
    return Prior(np.where(fitted, mean, weak.mean), np.where(fitted, deviation, weak.deviation))
