"""The compartments of SEIR with a transmission rate that changes from week to week.

    dS/dt = -beta S I / N,  dE/dt = beta S I / N - sigma E,  dI/dt = sigma E - gamma I,  dR/dt = gamma I

S susceptible, E infected and not yet infectious, I infectious, R removed, in people; beta, sigma and gamma per day;
beta is constant within a week. What is reported is a constant share of the new infections, the ascertainment.

Kermack, McKendrick: A contribution to the mathematical theory of epidemics, Proc. R. Soc. A 115, 1927;
Anderson, May: Infectious diseases of humans, Oxford 1991, chapter 6 (latent compartment).
"""

# ruff: noqa: E741 (the compartments are named by their letters)

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from restframe_epidemic.panel import FloatArray

DAYS = 7
LARGEST = 50.0  # beta per day: with more than this everybody is infected within the week all the same
# Share of infections that is ever reported, where neither the country nor deaths tell it: of every three infections
# about one was reported in the second half of 2020 (Angulo, Finelli, Swerdlow: Estimation of US SARS-CoV-2 infections,
# JAMA Network Open 4(1), 2021).
USUAL_ASCERTAINMENT = 0.35
STEPS = 7  # Runge-Kutta steps in a week: one a day keeps the error of a week's infections under 1e-4 of them


@dataclass(frozen=True, slots=True)
class Course:
    """How long an infection takes, as means of exponential stays.

    latent_days : from infection to being infectious (1 / sigma)
    infectious_days : 1 / gamma
    ascertainment : share of the infections that is ever reported

    The defaults are those of SARS-CoV-2 before its variants: latent 3.5 days and infectious 6 days make a generation
    of about 9.5 days in this model.
    """

    latent_days: float = 3.5
    infectious_days: float = 6.0
    ascertainment: float = USUAL_ASCERTAINMENT


@dataclass(frozen=True, slots=True)
class Epidemic:
    """S, E, I, R : (N, W + 1) people at the ends of weeks, the first column at the start.
    infections : (N, W) newly infected in each week
    """

    S: FloatArray
    E: FloatArray
    I: FloatArray
    R: FloatArray
    infections: FloatArray

    def last(self) -> FloatArray:
        """(N, 4) S, E, I, R at the end."""
        return np.stack([self.S[:, -1], self.E[:, -1], self.I[:, -1], self.R[:, -1]], axis=1)


@dataclass(frozen=True, slots=True)
class Transmission:
    """beta : (N, W) per day, the rate with which each week's infections came about; NaN where it cannot be told
    epidemic : the compartments that go with it
    """

    beta: FloatArray
    epidemic: Epidemic


def simulate(start: FloatArray, beta: FloatArray, course: Course | None = None) -> Epidemic:
    """Run SEIR forward.

    start : (N, 4) S, E, I, R at the beginning, in people; the population is their sum
    beta : (N, W) per day, one value a week
    returns compartments that are never negative and sum to the population. NaN goes through as NaN; a beta over
        `LARGEST` counts as that.
    """
    course = course or Course()
    path, infections = _simulate(
        np.ascontiguousarray(start, dtype=np.float64),
        np.ascontiguousarray(beta, dtype=np.float64),
        1 / course.latent_days,
        1 / course.infectious_days,
    )
    return Epidemic(path[:, :, 0], path[:, :, 1], path[:, :, 2], path[:, :, 3], infections)


def invert(
    infections: FloatArray,
    population: FloatArray,
    course: Course | None = None,
    removed: FloatArray | float = 0.0,
) -> Transmission:
    """The transmission rates with which SEIR gives exactly these infections.

    infections : (N, W) newly infected in each week, > 0, together and with `removed` fewer than the population
    population : (N,) people
    removed : (N,) people infected before the first week, who are immune
    The first week cannot tell its beta (nobody is there yet to infect): its infections become the first E and I, as
    they stand when incidence is constant, and its beta is NaN; so is everything of a place whose numbers are not
    finite, or whose infections use up its susceptible people.
    """
    course = course or Course()
    beta, path = _invert(
        np.ascontiguousarray(infections, dtype=np.float64),
        np.ascontiguousarray(population, dtype=np.float64),
        np.ascontiguousarray(np.broadcast_to(removed, population.shape), dtype=np.float64),
        1 / course.latent_days,
        1 / course.infectious_days,
    )
    epidemic = Epidemic(path[:, :, 0], path[:, :, 1], path[:, :, 2], path[:, :, 3], infections)
    return Transmission(beta, epidemic)


def infections_from_reports(
    reports: FloatArray,
    population: FloatArray,
    ascertainment: float | FloatArray,
    before: FloatArray | float = 0.0,
    *,
    most: float = 0.9,
) -> tuple[FloatArray, FloatArray]:
    """(N, W) new infections behind the weekly reports, and (N,) the ascertainment that was used.

    One unseen case a week is added everywhere, so that the virus is never gone: a county without cases may have some
    next week. A place with so many reports that more than `most` of its people would have been infected has a higher
    ascertainment, which makes it just that share (prisons and camps counted with a small county).

    before : (N,) reports from before the first week
    """
    seen = np.nan_to_num(reports) + 1.0
    share = np.maximum(ascertainment, (seen.sum(axis=1) + before) / (most * population))
    return seen / share[:, None], share


@njit(cache=True, nogil=True)
def _week(
    S: float,
    E: float,
    I: float,
    R: float,
    beta: float,
    sigma: float,
    gamma: float,
) -> tuple[float, float, float, float]:
    """One week of classical Runge-Kutta; R takes what the others leave, so that people are conserved."""
    N = S + E + I + R
    steps = STEPS
    if beta > 1.0:  # shorter steps, so that S cannot overshoot zero
        beta = min(beta, LARGEST)
        steps *= int(np.ceil(beta))
    dt = DAYS / steps
    for _ in range(steps):
        s, e, i = S, E, I
        dS = dE = dI = 0.0
        for stage in range(4):
            new = beta * s * i / N
            ks, ke, ki = -new, new - sigma * e, sigma * e - gamma * i
            weight = (1.0, 2.0, 2.0, 1.0)[stage] / 6.0
            dS, dE, dI = dS + weight * ks, dE + weight * ke, dI + weight * ki
            ahead = (0.5, 0.5, 1.0, 0.0)[stage] * dt
            s, e, i = S + ahead * ks, E + ahead * ke, I + ahead * ki
        S, E, I = max(S + dt * dS, 0.0), max(E + dt * dE, 0.0), max(I + dt * dI, 0.0)
    return S, E, I, max(N - S - E - I, 0.0)


@njit(cache=True, nogil=True)
def _simulate(start: FloatArray, beta: FloatArray, sigma: float, gamma: float) -> tuple[FloatArray, FloatArray]:
    places, weeks = beta.shape
    path = np.empty((places, weeks + 1, 4))
    infections = np.empty((places, weeks))
    for n in range(places):
        path[n, 0] = start[n]
        for w in range(weeks):
            S, E, I, R = path[n, w]
            state = _week(S, E, I, R, beta[n, w], sigma, gamma)
            for k in range(4):
                path[n, w + 1, k] = state[k]
            infections[n, w] = S - state[0]
    return path, infections


@njit(cache=True, nogil=True)
def _invert(
    infections: FloatArray, population: FloatArray, removed: FloatArray, sigma: float, gamma: float
) -> tuple[FloatArray, FloatArray]:
    places, weeks = infections.shape
    path = np.full((places, weeks + 1, 4), np.nan)
    beta = np.full((places, weeks), np.nan)
    for n in range(places):
        first = infections[n, 0]
        total = 0.0
        for w in range(weeks):
            total += infections[n, w]
        left = population[n] - removed[n]
        if not (first > 0 and total < left):  # also when any is NaN
            continue
        E, I = first / DAYS / sigma, first / DAYS / gamma
        E, I = min(E, 0.3 * left), min(I, 0.3 * left)
        path[n, 0] = np.array([left - E - I, E, I, removed[n]])
        path[n, 1] = path[n, 0]
        for w in range(1, weeks):
            S, E, I, R = path[n, w]
            rate = _solve(S, E, I, R, infections[n, w], sigma, gamma)
            state = _week(S, E, I, R, rate, sigma, gamma)
            beta[n, w] = rate
            for k in range(4):
                path[n, w + 1, k] = state[k]
    return beta, path


@njit(cache=True, nogil=True)
def _solve(
    S: float,
    E: float,
    I: float,
    R: float,
    wanted: float,
    sigma: float,
    gamma: float,
) -> float:
    """beta with S - S(one week later) = wanted.

    The week's -log(S'/S) is beta / N times the infectious person-days, which grow slowly with beta: secant steps on
    the logarithm of both, beginning from today's person-days, need three to five weeks of simulation. NaN when
    `wanted` is not within reach.
    """
    if not 0.0 < wanted < S:
        return np.nan
    N = S + E + I + R
    goal = np.log(-np.log1p(-wanted / S))
    x = goal + np.log(N / (DAYS * (I + 0.5 * DAYS * sigma * E) + 1e-300))
    x_before, f_before = 0.0, 0.0
    slope = 1.0
    for step in range(40):
        left = _week(S, E, I, R, np.exp(x), sigma, gamma)[0]
        if left <= 0.0:
            x -= 0.5
            continue
        f = np.log(np.log(S / left)) - goal
        if abs(f) < 1e-10:
            return float(np.exp(x))
        if step > 0 and x != x_before and f != f_before:
            slope = min(max((f - f_before) / (x - x_before), 0.5), 4.0)
        x_before, f_before = x, f
        x -= f / slope
    return float(np.exp(x)) if abs(f_before) < 1e-6 else np.nan
