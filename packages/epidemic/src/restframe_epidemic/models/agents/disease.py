"""What a disease does to one person: how long, how often, how badly; as tables that a kernel can look up.

Durations are discretised to whole days, as quantiles at the midpoints of equal slices of probability, so that a random
number picks one without arithmetic.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic.panel import FloatArray, IntArray, Panel

SLICES = 1024  # of probability, per duration

# Mean and standard deviation in days of a gamma distribution, in the order of the kernel's rows.
# latent, presymptomatic: incubation of 5.6 days (Linton et al., J Clin Med 2020, 9, 538), of which one to two are
#   infectious (He et al., Nature Medicine 2020, 26, 672).
# symptomatic, asymptomatic: infectious after onset, altogether (Woelfel et al., Nature 2020, 581, 465: no virus could
#   be grown after day 8).
# admission, ward, icu_wait, icu, death: CDC, COVID-19 Pandemic Planning Scenarios, 10 September 2020, table 2: onset to
#   hospital 5 days; stay without intensive care 5, with it 12 of which 9 in it; onset to death 15.
DURATIONS: dict[str, tuple[float, float]] = {
    "latent": (4.0, 1.5),
    "presymptomatic": (1.5, 0.8),
    "symptomatic": (4.5, 2.0),
    "asymptomatic": (6.0, 2.0),
    "admission": (5.0, 3.0),
    "ward": (5.0, 4.0),
    "icu_wait": (1.0, 1.0),
    "icu": (9.0, 6.0),
    "death": (15.0, 7.0),
}
LAYERS = ("household", "school", "work", "community")

# By age: O'Driscoll et al., Nature 2021, 590, 140 (fatal); CDC planning scenarios as above and Verity et al., Lancet
# Infectious Diseases 2020, 20, 669 (hospitalised, critical); Zhang et al., Science 2020, 368, 1481 (susceptibility).
# Used when the Panel brings no table of its own.
_AGE_FROM = np.array([0, 10, 20, 30, 40, 50, 60, 70, 80])
_BY_AGE: dict[str, tuple[float, ...]] = {
    "susceptibility": (0.40, 0.60, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    "hospitalised": (0.001, 0.002, 0.008, 0.015, 0.022, 0.040, 0.075, 0.130, 0.180),
    "critical": (0.0002, 0.0003, 0.001, 0.003, 0.005, 0.012, 0.025, 0.045, 0.050),
    "fatal": (0.00002, 0.00002, 0.0001, 0.0003, 0.001, 0.003, 0.008, 0.025, 0.080),
}
_OLDEST = 100


@dataclass(frozen=True, slots=True)
class Disease:
    """By age band (A,): `susceptibility` relative to the most susceptible; of all infected, the shares that are
    `hospitalised`, `critical` (in intensive care) and that die (`fatal`).

    contact_rate : by layer (4,), effective contacts per infectious person and day when transmission is 1: with each
        other member of the household; with any of the class; of the workplace; of the community
    symptomatic : share of all infected
    asymptomatic_infectiousness : relative to those with symptoms
    """

    susceptibility: FloatArray
    hospitalised: FloatArray
    critical: FloatArray
    fatal: FloatArray
    contact_rate: tuple[float, float, float, float] = (0.05, 0.20, 0.15, 0.12)
    symptomatic: float = 0.65
    asymptomatic_infectiousness: float = 0.75
    durations: Mapping[str, tuple[float, float]] = field(default_factory=lambda: dict(DURATIONS))

    def severity(self) -> FloatArray:
        """(A, 4) shares of all infected: symptomatic, hospitalised, critical, fatal; each by itself."""
        symptomatic = np.full(len(self.fatal), self.symptomatic)
        result: FloatArray = np.stack([symptomatic, self.hospitalised, self.critical, self.fatal], axis=1)
        return result.clip(0.0, 1.0)

    def tables(self) -> NDArray[np.uint8]:
        """(9, SLICES) days, in the order of DURATIONS; nobody is exposed or infectious for less than a day."""
        rows = [_quantiles(*self.durations[name]) for name in DURATIONS]
        for row, name in zip(rows, DURATIONS, strict=True):
            if name in ("latent", "symptomatic", "asymptomatic"):
                np.maximum(row, 1, out=row)
        return np.stack(rows)

    def distribution(self, name: str) -> FloatArray:
        """(256,) share of people for whom the duration is so many days, as discretised."""
        days = self.tables()[list(DURATIONS).index(name)]
        return np.asarray(np.bincount(days, minlength=256) / days.size, dtype=np.float64)

    def infectious_days(self) -> float:
        """Mean days during which an infected person infects others, those with few symptoms counting for less."""
        mild = 1.0 - self.symptomatic
        ill = self.symptomatic * self.mean("presymptomatic", "symptomatic")
        return ill + mild * self.mean("asymptomatic")

    def mean(self, *names: str) -> float:
        """Mean days of durations together, as discretised."""
        return float(sum(self.distribution(name) @ np.arange(256) for name in names))


@lru_cache(maxsize=64)
def _slices(mean: float, deviation: float) -> FloatArray:
    from scipy import stats

    shape = (mean / deviation) ** 2
    at = (np.arange(SLICES) + 0.5) / SLICES
    result: FloatArray = stats.gamma.ppf(at, shape, scale=mean / shape)
    return result


def _quantiles(mean: float, deviation: float) -> NDArray[np.uint8]:
    if deviation == 0.0:
        return np.full(SLICES, round(mean), dtype=np.uint8)
    return np.rint(_slices(mean, deviation)).clip(0, 255).astype(np.uint8)


def of_panel(panel: Panel) -> Disease:
    """The Panel's own severity by age where it has a table of it, else the built-in one."""
    given = {name: panel.severity.get(name, _in_bands(name, panel.age_from)) for name in _BY_AGE}
    susceptibility = given["susceptibility"] / max(given["susceptibility"].max(), 1e-9)
    return Disease(susceptibility, given["hospitalised"], given["critical"], given["fatal"])


def _in_bands(name: str, age_from: IntArray) -> FloatArray:
    """Means over the years of each band; of the open last one fewer people are in each year than in the one before."""
    years = np.arange(_OLDEST)
    of_year = np.array(_BY_AGE[name])[np.searchsorted(_AGE_FROM, years, side="right") - 1]
    people = np.where(years < age_from[-1], 1.0, (_OLDEST - years).astype(np.float64))
    edges = [*age_from.tolist(), _OLDEST]
    return np.array([np.average(of_year[a:b], weights=people[a:b]) for a, b in itertools.pairwise(edges)])


class Prepared(NamedTuple):
    """A disease as the kernel reads it; probabilities are in 65536ths."""

    rates: FloatArray  # (4,) contacts per day and layer
    susceptible: IntArray  # (A,)
    thresholds: IntArray  # (A, 4) symptomatic, hospitalised, critical, fatal
    tables: NDArray[np.uint8]  # (9, SLICES) days
    asymptomatic: int
    infectious_days: float


def prepare(disease: Disease) -> Prepared:
    return Prepared(
        np.asarray(disease.contact_rate, dtype=np.float64),
        np.rint(disease.susceptibility * 65536.0).astype(np.int64),
        np.rint(disease.severity() * 65536.0).astype(np.int64),
        disease.tables(),
        int(disease.asymptomatic_infectiousness * 65536.0),
        disease.infectious_days(),
    )
