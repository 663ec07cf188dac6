"""Deaths from cases: how many of the reported cases die, and how many weeks later their deaths are reported.

The members that forecast infections, `seir` and `agents`, have their deaths from here.

    d(w) = phi sum_k g_k y(w - k)

y cases, g the delay (a gamma distribution in weeks, shared by all), phi the ratio of deaths to cases of a place. phi is
learned from the last weeks in three steps, nation, group, place, each drawn towards the one above as far as its own
deaths are few (gamma-Poisson shrinkage: Clayton, Kaldor: Empirical Bayes estimates of age-standardized relative risks
for use in disease mapping, Biometrics 43(3), 1987).
"""

from __future__ import annotations

import numpy as np
from scipy.special import gammainc, gammaln

from restframe_epidemic.models.weekly import regular_share
from restframe_epidemic.panel import FloatArray, Panel

LAGS = 9  # weeks, the case's own the first
MEANS = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)  # of the delay, weeks
DEVIATION = 0.5  # of the delay, as a share of its mean
DELAY_HALF_LIFE_WEEKS = 4.0
"""Over which weeks the delay is learned."""

NATION_HALF_LIFE_WEEKS, GROUP_HALF_LIFE_WEEKS, PLACE_HALF_LIFE_WEEKS = 1.0, 1.0, 2.0
"""phi falls and rises with who is tested and who is infected: what all share is followed quickly, few deaths slowly."""

STRENGTHS = np.geomspace(0.5, 500, 25)


def forecast(panel: Panel, cases: FloatArray, target: str = "deaths") -> FloatArray:
    """(..., N, H) expected deaths of the coming weeks, given as many expected cases; NaN where those are."""
    past, deaths = np.nan_to_num(panel.weekly("cases")), np.nan_to_num(panel.weekly(target))
    delay = learn_delay(panel.by_group(past), panel.by_group(deaths))
    ratio = ratios(panel, delayed(past, delay), deaths, regular_share(panel))
    before = np.broadcast_to(past, (*cases.shape[:-2], *past.shape))
    due = delayed(np.concatenate([before, np.nan_to_num(cases)], axis=-1), delay)[..., past.shape[1] :]
    return np.where(np.isfinite(cases), ratio[:, None] * due, np.nan)


def gamma_delay(mean_weeks: float) -> FloatArray:
    """(LAGS,) share of the deaths reported 0, 1, ... weeks after their case; sums to 1.

    Both are spread evenly over their weeks, so lag k collects delays from k - 1/2 to k + 1/2.
    """
    shape = 1 / DEVIATION**2
    edges = np.maximum(np.arange(LAGS + 1) - 0.5, 0.0)
    shares = np.diff(gammainc(shape, edges * shape / mean_weeks))
    result: FloatArray = shares / shares.sum()
    return result


def delayed(cases: FloatArray, delay: FloatArray) -> FloatArray:
    """(..., W) -> (..., W): sum over k of delay[k] cases[w - k]"""
    result = np.zeros_like(cases)
    for lag, share in enumerate(delay[: cases.shape[-1]]):
        result[..., lag:] += share * cases[..., : cases.shape[-1] - lag]
    return result


def learn_delay(cases: FloatArray, deaths: FloatArray) -> FloatArray:
    """The delay whose deaths, each row with its own ratio, come nearest to the recent ones of (G, W)."""
    weight = _recency(cases.shape[1], DELAY_HALF_LIFE_WEEKS)

    def misfit(delay: FloatArray) -> float:
        due = delayed(cases, delay)
        ratio = (deaths @ weight) / np.maximum(due @ weight, 1e-9)
        return float(((np.sqrt(deaths + 0.375) - np.sqrt(ratio[:, None] * due + 0.375)) ** 2 @ weight).sum())

    return min((gamma_delay(mean) for mean in MEANS), key=misfit)


def ratios(panel: Panel, due: FloatArray, deaths: FloatArray, regular: FloatArray) -> FloatArray:
    """(N,) deaths per case of each place today.

    due : (N, W) cases whose deaths were due in each week
    deaths : (N, W) that were reported
    regular : (N, W) share of each week's reports that can be trusted
    """
    weeks = due.shape[1]
    due, deaths = due * regular, deaths * regular
    fading = np.tril(0.5 ** (np.subtract.outer(np.arange(weeks), np.arange(weeks)) / NATION_HALF_LIFE_WEEKS))
    nation = (fading @ deaths.sum(axis=0) + 1e-6) / (fading @ due.sum(axis=0) + 1e-3)  # (W,) as of each week
    expected = due * nation
    recent = _recency(weeks, GROUP_HALF_LIFE_WEEKS)
    group = shrunken(panel.by_group(deaths @ recent), panel.by_group(expected @ recent))[panel.group]
    recent = _recency(weeks, PLACE_HALF_LIFE_WEEKS)
    result: FloatArray = nation[-1] * group * shrunken(deaths @ recent, group * (expected @ recent))
    return result


def shrunken(observed: FloatArray, expected: FloatArray) -> FloatArray:
    """Relative risks (observed + k) / (expected + k), with the k that makes the observed numbers likeliest.

    observed ~ Poisson(r expected), r ~ Gamma(k, k): a negative binomial.
    """
    strength = STRENGTHS[:, None]
    share = expected / (expected + strength)
    log_likelihood = (
        gammaln(observed + strength)
        - gammaln(strength)
        + strength * np.log1p(-share)
        + observed * np.log(np.maximum(share, 1e-300))
    )
    best = float(STRENGTHS[int(np.argmax(log_likelihood.sum(axis=1)))])
    result: FloatArray = (observed + best) / (expected + best)
    return result


def _recency(weeks: int, half_life_weeks: float) -> FloatArray:
    result: FloatArray = 0.5 ** (np.arange(weeks - 1, -1, -1) / half_life_weeks)
    return result
