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

from restframe_epidemic.models.compartments import Course, Transmission, infections_from_reports, invert
from restframe_epidemic.models.curve import regular_share
from restframe_epidemic.models.features import filled, neighbour_sums
from restframe_epidemic.models.linear import normal, solve
from restframe_epidemic.panel import BoolArray, FloatArray, Panel

PER = 100_000.0


@dataclass(frozen=True, slots=True)
class Training:
    """How the regressions learn.

    weeks : how many past weeks at most
    fewest_weeks : a longer horizon than the first needs so many
    half_life_weeks : a row of this age counts half
    penalty : of the ridge, in units of a standardised column's variance
    context_penalty : the same for policies, mobility, ages and social factors: many, much alike, and over a few weeks
        as good at telling the date as anything else
    robust_rounds : how often Huber's weights are computed again
    """

    weeks: int = 20
    fewest_weeks: int = 6
    half_life_weeks: float = 8.0
    penalty: float = 0.01
    context_penalty: float = 1.0
    robust_rounds: int = 3


@dataclass(frozen=True, slots=True)
class History:
    """What one series (the cases) tells of transmission so far.

    reports : (N, W) per week
    own : of each place; near : of the places that touch it; group, nation : of all of them; beta (., W) per day
    ascertainment : (N,) share of infections reported, as used
    regular : (N, W) share of each week's days whose reports were neither moved nor on a holiday
    judged : (N,) places with people and reports
    """

    reports: FloatArray
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
    share = np.broadcast_to(panel.features.get("ascertainment", course.ascertainment), people.shape)
    infections, used = infections_from_reports(reports, people, share)
    counted = np.where(judged, people, 0.0)

    def beta(sums: FloatArray, population: FloatArray) -> FloatArray:
        empty = population <= 0
        sums, population = np.where(empty[:, None], 0.0, sums), np.where(empty, PER, population)
        return invert(infections_from_reports(sums, population, course.ascertainment)[0], population, course).beta

    near = beta(neighbour_sums(panel, reports) + reports, neighbour_sums(panel, counted) + counted)
    return History(
        reports,
        invert(infections, people, course),
        near,
        beta(panel.by_group(reports), panel.by_group(counted))[panel.group],
        beta(reports.sum(axis=0, keepdims=True), counted.sum(keepdims=True)),
        used,
        regular_share(panel),
        judged,
    )


def first_week(past: History) -> int:
    """The first week with enough before it to learn from: one in twenty places had reports three weeks earlier."""
    spread = (past.reports > 0).mean(axis=0) >= 0.05
    begin = int(np.argmax(spread)) if spread.any() else past.reports.shape[1]
    return max(begin + 3, 4)


def regressors(panel: Panel, past: History, weeks: NDArray[np.int64]) -> tuple[tuple[str, ...], FloatArray]:
    """Names (F,) and values (len(weeks), N, F) of what is known of each place at the end of each week, w >= 4.

    Row w depends on weeks <= w alone. A static feature or signal that a place lacks is the mean of the others'; one
    that nobody has is left out.
    """
    columns = dict(_columns(panel, past, weeks))
    result = np.empty((len(weeks), len(panel.locations), len(columns)))
    for k, values in enumerate(columns.values()):
        result[:, :, k] = values
    return tuple(columns), result


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
    names, X = regressors(panel, past, weeks)
    context = context_names(panel)
    penalty = np.array([training.context_penalty if name in context else training.penalty for name in names])
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


def _columns(panel: Panel, past: History, weeks: NDArray[np.int64]) -> Iterator[tuple[str, FloatArray]]:
    """(len(weeks), N) or (N,) each"""
    reports, population = past.reports, np.where(past.judged, panel.population, PER)
    own, near, group = np.log(past.own.beta), np.log(past.near), np.log(past.group)
    nation = np.broadcast_to(np.log(past.nation), own.shape)
    for name, values, lags in (("own", own, 4), ("group", group, 3), ("near", near, 3), ("nation", nation, 2)):
        for lag in range(lags):
            yield f"log_beta_{name}_{lag}", _at(values, weeks - lag)
    rate, rate_3 = _rate(reports, population), _rate(_mean(reports, 3), population)
    people_near = neighbour_sums(panel, population) + population
    rate_near = _rate(neighbour_sums(panel, reports) + reports, people_near)
    rate_group = _rate(panel.by_group(reports), panel.by_group(population))[panel.group]
    noise, noise_4 = 1 / np.sqrt(1 + reports), 1 / np.sqrt(1 + 4 * _mean(reports, 4))
    yield "log_rate", _at(rate, weeks)
    yield "log_rate_3_weeks", _at(rate_3, weeks)
    yield "log_rate_near", _at(rate_near, weeks)
    yield "log_rate_group", _at(rate_group, weeks)
    yield "noise", _at(noise, weeks)
    yield "noise_4_weeks", _at(noise_4, weeks)
    yield "noise_x_log_beta", _at(noise * (own - group), weeks)
    yield "noise_4_weeks_x_log_beta", _at(noise_4 * (own - group), weeks)
    yield "noise_x_rate_group", _at(noise * (rate_3 - rate_group), weeks)
    yield "noise_x_rate_near", _at(noise * (rate - rate_near), weeks)
    susceptible = past.own.epidemic.S[:, 1:] / population[:, None]
    yield "susceptible", np.nan_to_num(_at(susceptible, weeks), nan=1.0)
    yield "log_susceptible", np.nan_to_num(np.log(_at(susceptible, weeks)), nan=0.0)
    yield "log_population", np.log(population)
    yield from static_columns(panel)
    yield from signal_columns(panel, weeks)


def context_names(panel: Panel) -> set[str]:
    """The columns of `regressors` that are not of the epidemic itself."""
    last = np.array([len(panel.weeks) - 1])
    return {name for name, _ in (*static_columns(panel), *signal_columns(panel, last))}


def static_columns(panel: Panel) -> Iterator[tuple[str, FloatArray]]:
    """(N,) social factors and ages."""
    for name in sorted(panel.features):
        if name != "ascertainment" and np.isfinite(panel.features[name]).any():
            yield name, filled(panel.features[name])
    for band in range(1, len(panel.age_from)):
        yield f"age_{panel.age_from[band]}", filled(panel.age_share[:, band])


def signal_columns(panel: Panel, weeks: NDArray[np.int64]) -> Iterator[tuple[str, FloatArray]]:
    """(len(weeks), N) policies, mobility: on the week's last day, and the change in the three weeks before it."""
    for name in sorted(panel.signals):
        ends = panel.signals[name][:, 6::7]
        now, before = ends[:, weeks], ends[:, np.maximum(weeks - 3, 0)]
        if np.isfinite(now).any():
            level = np.stack([filled(week) for week in now.T])
            yield name, level
            yield f"change_{name}", np.nan_to_num((now - before).T)


def _at(values: FloatArray, weeks: NDArray[np.int64]) -> FloatArray:
    """(N, W) -> (len(weeks), N); what cannot be told is 0, and its rows have no weight"""
    return np.nan_to_num(values[:, weeks].T)


def _mean(reports: FloatArray, weeks: int) -> FloatArray:
    """over each week and those before it"""
    padded = np.concatenate([np.zeros((len(reports), weeks - 1)), reports], axis=1)
    result: FloatArray = np.lib.stride_tricks.sliding_window_view(padded, weeks, axis=1).mean(axis=2)
    return result


def _rate(reports: FloatArray, population: FloatArray) -> FloatArray:
    """log of the reports per 100,000 people"""
    result: FloatArray = np.log((reports + 1) / np.maximum(population, 1.0)[:, None] * PER)
    return result


def _quantiles(values: FloatArray, weight: FloatArray, levels: tuple[float, float]) -> tuple[float, float]:
    order = np.argsort(values, kind="stable")
    position = np.cumsum(weight[order]) / weight.sum()
    low, high = (float(values[order][min(int(np.searchsorted(position, level)), len(order) - 1)]) for level in levels)
    return low, high
