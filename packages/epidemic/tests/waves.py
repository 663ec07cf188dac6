"""Epidemics with known transmission: several waves, in a country of a few provinces on a ring."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from restframe_epidemic import panel_reading
from restframe_epidemic.models.compartments import simulate
from restframe_epidemic.panel import FloatArray, Panel, cleansed

FIRST_DAY = np.datetime64("2031-01-05")  # a Sunday


def beta(places: int, provinces: int, weeks: int, seed: int = 0, swing: float = 0.35) -> FloatArray:
    """(places, weeks) per day: waves of half a year, a little apart in each province and noisy in each place."""
    random = np.random.default_rng(seed)
    phase = 0.4 * np.arange(provinces)[np.arange(places) % provinces]
    wave = swing * np.sin(2 * np.pi * np.arange(weeks) / 26 + phase[:, None])
    return np.asarray(np.exp(np.log(0.175) + wave + random.normal(0, 0.05, (places, weeks))))


def panel(
    places: int = 40, provinces: int = 4, weeks: int = 40, *, seed: int = 0, swing: float = 0.35, die: float = 0.02
) -> Panel:
    """A third of the infections is reported, Poisson; of the reports two weeks before, the share `die` dies."""
    random = np.random.default_rng(seed)
    people = np.round(np.exp(random.normal(10.5, 1.2, places)))
    start = people[:, None] * np.array([0.998, 0.001, 0.001, 0.0])
    infections = simulate(start, beta(places, provinces, weeks, seed, swing)).infections
    cases = random.poisson(np.repeat(infections * 0.35 / 7, 7, axis=1)).astype(np.float64)
    due = np.concatenate([np.zeros((places, 14)), cases[:, :-14]], axis=1)
    return panel_of(cases, random.binomial(due.astype(np.int64), die).astype(np.float64), people, provinces)


def panel_of(cases: FloatArray, deaths: FloatArray, people: FloatArray, provinces: int) -> Panel:
    """Of daily new reports (N, D)."""
    places, days = cases.shape
    code = [f"{place % provinces:02d}{place:03d}" for place in range(places)]
    reports = pd.DataFrame(
        {
            "location": np.repeat(code, days),
            "date": np.tile(FIRST_DAY + np.arange(days), places),
            "cases": np.cumsum(cases, axis=1).ravel(),
            "deaths": np.cumsum(deaths, axis=1).ravel(),
        }
    )
    parents = [f"{province:02d}" for province in range(provinces)]
    locations = pd.DataFrame(
        {
            "location": [*code, *parents, "top"],
            "parent": [*(each[:2] for each in code), *["top"] * provinces, None],
            "population": [*people, *[np.nan] * (provinces + 1)],
        }
    )
    ring = pd.DataFrame({"location": code, "neighbour": code[1:] + code[:1]})
    return panel_reading.from_frames(reports, locations, adjacency=ring)


def begun_late(whole: Panel, weeks: int) -> Panel:
    """The same reports from a later week on: cumulative counts begin in the middle of the epidemic."""
    days = 7 * weeks
    reported = {target: counts[:, days:] for target, counts in whole.reported.items()}
    daily, before, irregular = cleansed(reported, whole.holiday[days:])
    return replace(
        whole, dates=whole.dates[days:], daily=daily, before=before, irregular=irregular, reported=reported,
        holiday=whole.holiday[days:],
    )  # fmt: skip


def of_rates(beta: FloatArray, provinces: int, seed: int = 0) -> Panel:
    """Large places alike, of transmission (places, weeks) per day; place i touches i - 1 and i + 1."""
    people = np.full(len(beta), 2e6)
    infections = simulate(people[:, None] * np.array([0.998, 0.001, 0.001, 0.0]), beta).infections
    cases = np.random.default_rng(seed).poisson(np.repeat(infections * 0.35 / 7, 7, axis=1)).astype(np.float64)
    return panel_of(cases, np.zeros_like(cases), people, provinces)


def curfews(places: int = 40, provinces: int = 10, weeks: int = 28, seed: int = 0) -> tuple[Panel, FloatArray]:
    """Curfews begin and end province by province, at the end of a week, and cut transmission to .6 from the next on.

    returns the Panel and (places, days) whether one is in force
    """
    random = np.random.default_rng(seed)
    lasting = random.integers(3, 7, (provinces, weeks)).cumsum(axis=1)
    on = np.stack([np.searchsorted(ends, np.arange(weeks), side="right") % 2 for ends in lasting])
    on = on[np.arange(places) * provinces // places]  # in the order of the Panel: by province
    before = np.concatenate([np.zeros((places, 1)), on[:, :-1]], axis=1)
    rates = 0.26 * np.where(before > 0, 0.6, 1.0) * np.exp(random.normal(0, 0.05, on.shape))
    by_code = np.argsort([place % provinces for place in range(places)], kind="stable")
    drawn = np.empty_like(rates)
    drawn[by_code] = rates
    days = np.repeat(on, 7, axis=1).astype(np.float64)
    days = np.concatenate([np.zeros((places, 6)), days], axis=1)[:, : 7 * weeks]
    return of_rates(drawn, provinces), days
