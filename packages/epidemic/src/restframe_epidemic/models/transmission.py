"""How the virus spreads next week, learned: log beta by ridge regression over all places and the weeks that are past.

One regression per horizon, of log beta in week w + h on what was known at the end of w. Rows of small places count
little (their beta is mostly chance), old weeks less than new ones, weeks with moved or holiday reports least, and
outliers are drawn in (Huber's weights, Annals of Mathematical Statistics 35(1), 1964): a county of 200 cases behind a
prison wall does not tell how the virus goes through a state.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic.models import features
from restframe_epidemic.models.compartments import Course, Transmission, infections_from_reports, invert
from restframe_epidemic.models.linear import normal, solve
from restframe_epidemic.models.weekly import PER, Widths, neighbour_sums, regular_share
from restframe_epidemic.panel import BoolArray, FloatArray, Panel

CONTEXT = (*features.OF_THE_SURROUNDINGS, "age_")
"""How the names of columns begin that are not of the epidemic itself."""


@dataclass(frozen=True, slots=True)
class Training:
    """How the regressions learn.

    weeks : how many past weeks at most
    fewest_weeks : a longer horizon than the first needs so many
    half_life_weeks : a row of this age counts half
    penalty : of the ridge, in units of a standardised column's variance. Policies, mobility, ages and social factors
        have it as many times as there are of them: many are much alike, and over a few weeks as good at telling the
        date as anything else, so that together they are believed no more than one would be alone
    robust_rounds : how often Huber's weights are computed again
    """

    weeks: int = 20
    fewest_weeks: int = 6
    half_life_weeks: float = 8.0
    penalty: float = 0.01
    robust_rounds: int = 3


@dataclass(frozen=True, slots=True)
class History:
    """What one series (the cases) tells of transmission so far.

    reports : (N, W) per week; at : the same days, near and far
    own : of each place; near : of the places that touch it; group, nation : of all of them; beta (., W) per day
    ascertainment : (N,) share of infections reported, as used
    regular : (N, W) share of each week's days whose reports were neither moved nor on a holiday
    judged : (N,) places with people and reports
    """

    reports: FloatArray
    at: Widths
    own: Transmission
    near: FloatArray
    group: FloatArray
    nation: FloatArray
    ascertainment: FloatArray
    regular: FloatArray
    judged: BoolArray


@dataclass(frozen=True, slots=True)
class Model:
    """One fitted regression: log beta = level + ((x - centre) / spread) @ coefficients.

    names : of the F columns
    error : (F,) standard errors of the coefficients, from residuals summed by week and group: those move together
    lowest, highest : of the log betas it learned from, which its predictions do not leave
    """

    names: tuple[str, ...]
    level: float
    centre: FloatArray
    spread: FloatArray
    coefficients: FloatArray
    error: FloatArray
    lowest: float
    highest: float

    def predict(self, X: FloatArray) -> FloatArray:
        """(N, F) -> (N,) log beta"""
        value = self.level + ((X - self.centre) / self.spread * self.coefficients).sum(axis=1)
        result: FloatArray = np.clip(value, self.lowest, self.highest)
        return result


def history(panel: Panel, course: Course) -> History:
    """Invert the panel's cases at every level."""
    reports = panel.weekly("cases")
    judged = np.isfinite(reports).any(axis=1) & np.isfinite(panel.population) & (panel.population > 0)
    reports = np.nan_to_num(reports) * judged[:, None]
    people = np.where(judged, panel.population, 1.0)
    share = panel.features.get("ascertainment", np.full(people.shape, np.nan))
    share = np.where(np.isfinite(share), share, course.ascertainment)
    already = np.where(judged, panel.already(), 0.0)
    infections, used = infections_from_reports(reports, people, share, already)
    counted = np.where(judged, people, 0.0)

    def beta(sums: FloatArray, population: FloatArray, before: FloatArray) -> FloatArray:
        empty = population <= 0
        sums, population = np.where(empty[:, None], 0.0, sums), np.where(empty, PER, population)
        infected, share = infections_from_reports(sums, population, course.ascertainment, before)
        return invert(infected, population, course, before / share).beta

    near = beta(*(neighbour_sums(panel, values) + values for values in (reports, counted, already)))
    daily = np.nan_to_num(panel.daily["cases"]) * judged[:, None]
    return History(
        reports,
        Widths.of(panel, daily, np.where(judged, panel.population, PER)),
        invert(infections, people, course, already / used),
        near,
        beta(*(panel.by_group(values) for values in (reports, counted, already)))[panel.group],
        beta(*(values.sum(axis=0, keepdims=True) for values in (reports, counted, already))),
        used,
        regular_share(panel),
        judged,
    )


def first_week(past: History) -> int:
    """The first week with enough before it to learn from: one in twenty places had reports three weeks earlier."""
    spread = (past.reports > 0).mean(axis=0) >= 0.05
    begin = int(np.argmax(spread)) if spread.any() else past.reports.shape[1]
    return max(begin + 3, 4)


def columns(panel: Panel, past: History) -> Iterator[tuple[str, FloatArray]]:
    """What is known of each place at the end of each week from the fifth on; what cannot be told is 0, and its rows
    have no weight."""
    at, population = past.at, np.where(past.judged, panel.population, PER)
    own, group = np.log(past.own.beta), np.log(past.group)
    nation = np.broadcast_to(np.log(past.nation), own.shape)
    for name, values, lags in (
        ("own", own, 4),
        ("group", group, 3),
        ("near", np.log(past.near), 3),
        ("nation", nation, 2),
    ):
        for lag in range(lags):
            yield f"log_beta_{name}_{lag}", np.nan_to_num(np.roll(values, lag, axis=1))
    yield "log_rate", at.own.rate()
    yield "log_rate_3_weeks", at.own.rate(3)
    yield "log_rate_near", at.near.rate()
    yield "log_rate_group", at.group.rate()
    yield "noise", at.own.noise()
    yield "noise_4_weeks", at.own.noise(4)
    against = np.nan_to_num(own - group)
    yield "noise_x_log_beta", at.own.noise() * against
    yield "noise_4_weeks_x_log_beta", at.own.noise(4) * against
    yield "noise_x_rate_group", at.own.noise() * (at.own.rate(3) - at.group.rate())
    yield "noise_x_rate_near", at.own.noise() * (at.own.rate() - at.near.rate())
    susceptible = np.nan_to_num(past.own.epidemic.S[:, 1:] / population[:, None], nan=1.0)
    yield "susceptible", susceptible
    yield "log_susceptible", np.log(susceptible)
    yield "log_population", np.log(population)
    yield from ((name, values) for name, values in features.social(panel) if name != "static_ascertainment")
    for band in range(1, len(panel.age_from)):
        yield f"age_{panel.age_from[band]}", panel.age_share[:, band]
    yield from features.signals(panel, since=3)


def learn(
    names: tuple[str, ...],
    X: FloatArray,
    log_beta: FloatArray,
    weight: FloatArray,
    cluster: NDArray[np.int64],
    penalty: FloatArray,
    robust_rounds: int = 3,
) -> Model:
    """Fit one regression.

    names : of the F columns
    X : (n, F)
    log_beta : (n,)
    weight : (n,) >= 0
    cluster : (n,) numbers of the clusters of rows that err together
    penalty : (F,) of each standardised column
    robust_rounds : how often Huber's weights are computed again
    """
    centre = np.average(X, axis=0, weights=weight)
    spread = np.sqrt(np.average((X - centre) ** 2, axis=0, weights=weight))
    spread = np.where(spread > 1e-9, spread, np.inf)  # a constant column tells nothing: 0 everywhere
    Z = (X - centre) / spread
    residual = np.zeros(len(Z))  # the first round takes everything as it is
    for _ in range(robust_rounds + 1):
        size = np.abs(residual)
        robust = weight / np.maximum(size / max(float(np.median(size)), 1e-6), 1.0)
        shift, level = np.average(Z, axis=0, weights=robust), float(np.average(log_beta, weights=robust))
        moved = np.ascontiguousarray(Z - shift)
        upper, products = normal(moved, log_beta - level, robust)
        upper += np.diag(penalty)
        coefficients = solve(upper.copy(), products)
        residual = log_beta - level - (moved * coefficients).sum(axis=1)
    weighted = moved * (robust / robust.sum())[:, None]
    sums = np.zeros((int(cluster.max()) + 1, Z.shape[1]))
    np.add.at(sums, cluster, weighted * residual[:, None])
    inverse = np.linalg.inv(upper + np.triu(upper, 1).T)
    error = np.sqrt(np.diag(inverse @ np.einsum("cf,cg->fg", sums, sums) @ inverse))
    lowest, highest = _quantiles(log_beta, weight, (0.01, 0.99))
    return Model(names, level - float(shift @ coefficients), centre, spread, coefficients, error, lowest, highest)


def learn_horizons(panel: Panel, past: History, horizons: int, training: Training) -> tuple[list[Model], FloatArray]:
    """One model per horizon, and today's regressors (N, F). A horizon with too few weeks to learn from takes the one
    before; no model at all when the history is too short for one week ahead."""
    last = past.reports.shape[1] - 1
    weeks = np.arange(max(first_week(past), last - training.weeks), last + 1)
    if len(weeks) < 2:
        return [], np.zeros((len(panel.locations), 0))
    X, names = features.matrix(columns(panel, past), weeks)
    context = np.array([name.startswith(CONTEXT) for name in names])
    penalty = training.penalty * np.where(context, context.sum(), 1)
    log_beta = np.log(past.own.beta)
    age = 0.5 ** ((last - weeks) / training.half_life_weeks)
    weight = np.sqrt(past.reports[:, weeks].T + 1) * past.regular[:, weeks].T * age[:, None] * past.judged
    group = np.arange(len(weeks))[:, None] * len(panel.groups) + panel.group
    models: list[Model] = []
    for horizon in range(1, horizons + 1):
        rows = len(weeks) - horizon
        if models and rows < training.fewest_weeks:
            models.append(models[-1])
            continue
        ahead = log_beta[:, weeks[:rows] + horizon].T
        trusted = weight[:rows] * past.regular[:, weeks[:rows] + horizon].T
        usable = np.isfinite(ahead) & (trusted > 0)
        if not usable.any():
            return [], X[-1]
        chosen = (X[:rows][usable], ahead[usable], trusted[usable], group[:rows][usable])
        models.append(learn(names, *chosen, penalty, training.robust_rounds))
    return models, X[-1]


def _quantiles(values: FloatArray, weight: FloatArray, levels: tuple[float, float]) -> tuple[float, float]:
    order = np.argsort(values, kind="stable")
    position = np.cumsum(weight[order]) / weight.sum()
    low, high = (float(values[order][min(int(np.searchsorted(position, level)), len(order) - 1)]) for level in levels)
    return low, high
