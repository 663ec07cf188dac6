"""Reproduction numbers of the coming weeks, learned from what followed similar weeks of all places.

Fraser: Estimating individual and household reproduction numbers in an emerging epidemic, PLoS ONE 2007, 2, e758: the
reproduction number on day t is i(t) / sum over s of w(s) i(t - s), i the new infections, w the infectiousness s days
after infection.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restframe_epidemic.models.agents.disease import Disease
from restframe_epidemic.panel import FloatArray, IntArray, Panel

LONGEST = 30  # days after infection in which somebody may infect
_WEEKS = 8  # that features look back
_ORIGINS = 12  # past weeks that are learned from
_WINDOWS = (7, 14)  # days of which a reproduction number is told
_GROUP_BELIEF, _NEAR_BELIEF, _OWN_BELIEF = 2000.0, 500.0, 100.0  # reports that the wider average counts for
_HEAVIEST = 500.0  # reports beyond which a place counts no more than others
_RIDGE = 2e-3
_UNLEARNED = 0.4  # standard deviation of the log growth per week, when there is no past to tell it
_LARGEST = 1.5  # log of the growth against last week


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """group : (N,), groups : how many; near, place : (E,) pairs of places that touch; population : (N,) NaN unknown"""

    group: IntArray
    groups: int
    place: IntArray
    near: IntArray
    population: FloatArray

    def of_group(self, values: FloatArray) -> FloatArray:
        """(N,) -> (G,) sums."""
        sums = np.bincount(self.group, weights=np.nan_to_num(values), minlength=self.groups)
        return sums.astype(np.float64)

    def around(self, values: FloatArray) -> FloatArray:
        """(N,) -> (N,) sums over a place and its neighbours."""
        values = np.nan_to_num(values)
        result: FloatArray = values + np.bincount(self.place, weights=values[self.near], minlength=len(values))
        return result


def neighbourhood(panel: Panel) -> Neighbourhood:
    place = np.repeat(np.arange(len(panel.neighbours)), [len(near) for near in panel.neighbours]).astype(np.int64)
    near = np.concatenate([*panel.neighbours, np.zeros(0, np.int64)]).astype(np.int64)
    population = np.where(panel.population > 0, panel.population, np.nan)
    return Neighbourhood(panel.group, len(panel.groups), place, near, population)


def infectiousness(disease: Disease) -> FloatArray:
    """(LONGEST,) w(s), summing to 1: the share of infecting done s days after infection."""
    latent, mild = disease.distribution("latent"), disease.distribution("asymptomatic")
    ill = np.convolve(disease.distribution("presymptomatic"), disease.distribution("symptomatic"))
    lasting = np.zeros(len(ill))
    for share, days in ((disease.symptomatic, ill), (1 - disease.symptomatic, mild)):
        lasting[: len(days)] += share * (1 - np.cumsum(days))
    w = np.convolve(latent, lasting.clip(min=0.0))[:LONGEST]
    return np.asarray(w / w.sum(), dtype=np.float64)


def daily(weekly: FloatArray) -> FloatArray:
    """(N, W) -> (N, 7 W): days between the weeks' middles on straight lines of the logarithm, weekly sums kept."""
    N, W = weekly.shape
    if W == 1:
        return np.repeat(weekly / 7, 7, axis=1)
    middle = (np.arange(7 * W) - 3.0) / 7
    left = middle.astype(np.int64).clip(0, W - 2)
    share = (middle - left).clip(-0.5, 1.3)  # the last days go on as the last two weeks do, not quite
    level = np.log(weekly + 0.5)
    days = np.exp(level[:, left] * (1 - share) + level[:, left + 1] * share).reshape(N, W, 7)
    days *= (weekly / days.sum(axis=2))[:, :, None]
    return np.asarray(days.reshape(N, 7 * W), dtype=np.float64)


def pressure(infections: FloatArray, w: FloatArray) -> FloatArray:
    """(N, D) -> (N, D): sum over s of w(s) i(t - s)."""
    found = np.zeros_like(infections)
    for s in range(min(len(w), infections.shape[1])):
        found[:, s:] += w[s] * infections[:, : infections.shape[1] - s]
    return found


def outlook(weekly: FloatArray, hood: Neighbourhood, w: FloatArray, horizons: int) -> tuple[FloatArray, FloatArray]:
    """(N, W) -> (N, horizons) expected weekly counts, log(next / last) being regressed on reproduction numbers; and
    (horizons,) the standard deviation of that logarithm among places with many reports.

    One ridge regression per horizon over all places and the last 12 origins for which that horizon is known; with too
    short a history, last week goes on.
    """
    weekly = np.nan_to_num(weekly)
    N, W = weekly.shape
    now = weekly[:, -1:]
    growth = np.zeros((N, horizons))
    deviation = np.zeros(horizons)
    known: dict[int, FloatArray] = {}

    def at(origin: int) -> FloatArray:
        if origin not in known:
            known[origin] = _features(weekly[:, : origin + 1], hood, w)
        return known[origin]

    for horizon in range(1, horizons + 1):
        origins = range(max(W - horizon - _ORIGINS, _WEEKS), W - horizon)
        if len(origins) < 2:
            growth[:, horizon - 1] = growth[:, horizon - 2] if horizon > 1 else 0.0
            deviation[horizon - 1] = _UNLEARNED * horizon**0.5
            continue
        coefficients, deviation[horizon - 1] = _fit(
            [(at(o), weekly[:, o], weekly[:, o + horizon]) for o in origins], hood.population
        )
        growth[:, horizon - 1] = np.einsum("ni,i->n", at(W - 1), coefficients)
    coming = ((now + 1) * np.exp(growth.clip(-_LARGEST, _LARGEST)) - 1).clip(min=0.0)
    return np.asarray(coming, dtype=np.float64), deviation


def _fit(past: list[tuple[FloatArray, FloatArray, FloatArray]], population: FloatArray) -> tuple[FloatArray, float]:
    """Weighted ridge: coefficients and the standard deviation of what they leave.

    past : features (N, F), counts then (N,), counts later (N,)
    """
    A, b, squares, weights = 0.0, 0.0, 0.0, 0.0
    for X, then, later in past:
        weight = np.minimum(then + later, _HEAVIEST) * np.isfinite(population)
        growth = np.log((later + 1) / (then + 1)).clip(-2.0, 2.0)
        # Not matrix products: their bits depend on how many threads the library takes.
        A = A + np.einsum("ni,nj->ij", X * weight[:, None], X)
        b = b + np.einsum("ni,n->i", X, weight * growth)
        squares += float(weight @ growth**2)
        weights += float(weight.sum())
    scale = np.sqrt(np.diag(np.asarray(A))) + 1e-9
    ridge = np.asarray(A) / scale[:, None] / scale + _RIDGE * np.eye(len(scale))
    coefficients = np.asarray(np.linalg.solve(ridge, np.asarray(b) / scale) / scale, dtype=np.float64)
    rest = squares - 2 * float(coefficients @ b) + float(coefficients @ A @ coefficients)
    return coefficients, float(np.sqrt(max(rest, 0.0) / max(weights, 1.0)))


def _features(weekly: FloatArray, hood: Neighbourhood, w: FloatArray) -> FloatArray:
    """(N, W) -> (N, F), the last week being the origin: log reproduction numbers of the nation, of the group, of the
    neighbourhood and of the place, each against the wider one; last week against three; incidence here and around; the
    share that was ever reported."""
    days = daily(weekly[:, -_WEEKS:])
    force = pressure(days, w)
    columns: list[FloatArray] = []
    for window in _WINDOWS:
        i, p = days[:, -window:].sum(axis=1), force[:, -window:].sum(axis=1)
        nation = (i.sum() + 1) / (p.sum() + 1)
        group = ((hood.of_group(i) + _GROUP_BELIEF * nation) / (hood.of_group(p) + _GROUP_BELIEF))[hood.group]
        near = (hood.around(i) + _NEAR_BELIEF * group) / (hood.around(p) + _NEAR_BELIEF)
        own = (i + _OWN_BELIEF * near) / (p + _OWN_BELIEF)
        chain = np.log([own, near, group, np.full(len(own), nation)])
        columns += [chain[0] - chain[1], chain[1] - chain[2], chain[2] - chain[3], chain[3]]
    last, two = weekly[:, -1], weekly[:, -2:].sum(axis=1)
    columns.append(np.log((last + 1) / (weekly[:, -3:].mean(axis=1) + 1)))
    people = hood.population
    here = np.log((two + 5) / people * 5e4)
    with np.errstate(divide="ignore", invalid="ignore"):  # nobody may be known to live there
        around = np.log(hood.around(two) / hood.around(people) * 5e4 + 0.5)
    above = np.log((hood.of_group(two) / np.maximum(hood.of_group(people), 1.0))[hood.group] * 5e4 + 0.5)
    columns += [here, around - here, above - here, 10 * weekly.sum(axis=1) / people, np.ones(len(last))]
    return np.nan_to_num(np.stack(columns, axis=1), posinf=0.0, neginf=0.0)


def course(past: FloatArray, coming: FloatArray, w: FloatArray, left: FloatArray, reported: FloatArray) -> FloatArray:
    """Reproduction numbers that lead from past weekly reports (N, W) to coming ones (N, H), day by day: (N, 7 H).

    They are meant against today's susceptibility: what coming infections will use up is divided out again.
    left : (N,) susceptible people; reported : (N,) reports per infection
    """
    W, H = past.shape[1], coming.shape[1]
    days = daily(np.concatenate([past, coming], axis=1))
    force = pressure(days, w)[:, 7 * W :]
    i = days[:, 7 * W :]
    used = np.cumsum(i, axis=1) / np.maximum(reported * left, 1.0)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        R = np.where(force > 1e-3, i / force, 1.0) / (1 - used).clip(min=0.2)
    # Weekly means: what is left of the saw-tooth between weeks is no news.
    steady = R.reshape(len(R), H, 7).mean(axis=2)
    return np.asarray(np.repeat(steady, 7, axis=1).clip(0.1, 5.0), dtype=np.float64)
