"""Runs of a synthetic population, and what is read off them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic.models.agents import kernel
from restframe_epidemic.models.agents.disease import Prepared
from restframe_epidemic.models.agents.population import Population
from restframe_epidemic.models.agents.randomness import Stream
from restframe_epidemic.panel import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Course:
    """What happened in each of R replicates, in agents per day; L days.

    flow : (R, L, events); by_age : (R, L, A) new infections; contacts : (R, L) effective contacts drawn; expected :
    (R, L) how many the rates would have drawn; status : (R, n) at the end; immune : agents removed before the first day
    """

    flow: IntArray
    by_age: IntArray
    contacts: IntArray
    expected: FloatArray
    status: NDArray[np.uint8]
    immune: int

    def series(self, event: str) -> IntArray:
        """(R, L) of one of `kernel.EVENTS`."""
        result: IntArray = self.flow[:, :, kernel.EVENTS.index(event)]
        return result

    def beds(self) -> IntArray:
        """(R, L) patients in hospital at the end of each day, those in intensive care among them."""
        return np.asarray((self.series("admitted") - self.series("discharged")).cumsum(axis=1), dtype=np.int64)

    def icu(self) -> IntArray:
        return np.asarray((self.series("icu_in") - self.series("icu_out")).cumsum(axis=1), dtype=np.int64)

    def states(self) -> dict[str, IntArray]:
        """(R, L) people in each state at the end of each day; the dead are no longer among the recovered."""
        total = dict(zip(kernel.EVENTS, np.moveaxis(self.flow.cumsum(axis=1), 2, 0), strict=True))
        removed = total["removed_symptomatic"] + total["removed_asymptomatic"]
        return {
            "susceptible": self.status.shape[1] - self.immune - total["infected"],
            "exposed": total["infected"] - total["presymptomatic"] - total["asymptomatic"],
            "presymptomatic": total["presymptomatic"] - total["onset"],
            "asymptomatic": total["asymptomatic"] - total["removed_asymptomatic"],
            "symptomatic": total["onset"] - total["removed_symptomatic"],
            "recovered": self.immune + removed - total["died"],
            "dead": total["died"],
        }


def simulate(
    population: Population,
    disease: Prepared,
    streams: Stream,
    *,
    target: IntArray,
    transmission: FloatArray,
    scale: FloatArray | None = None,
    immune: int = 0,
    inverted: bool = False,
) -> Course:
    """R replicates over L days.

    streams : (R,) one word each, from `randomness.stream`; they are not changed
    target : (R, L) new infections of agents to reach on that day, FREE (-1) for what transmission makes of it. What
        contacts cannot reach (nobody is infectious) comes from outside and falls on random people
    transmission : (R, L) factor on the contact rates on free days. inverted : it is the reproduction number instead,
        against the susceptibility of the last days with a target, which tell how many contacts an infection takes
    scale : (L, 4) factor on each layer's contact rate, default 1
    immune : agents removed from the start, drawn at random
    """
    replicates, days = target.shape
    rates = np.tile(disease.rates, (days, 1)) if scale is None else disease.rates * scale
    n = len(population.age)
    immune = min(immune, n)
    plan = kernel.Plan(
        np.ascontiguousarray(target, np.int64), np.ascontiguousarray(transmission, np.float64),
        np.ascontiguousarray(rates, np.float64), immune, inverted,
        _usual_contacts(population, disease, rates[0], immune),
    )  # fmt: skip
    book = kernel.Book(
        np.zeros((replicates, days, len(kernel.EVENTS)), np.int64),
        np.zeros((replicates, days, len(disease.susceptible)), np.int64),
        np.zeros((replicates, days), np.int64),
        np.zeros((replicates, days)),
        np.zeros((replicates, n), np.uint8),
    )
    kernel.replicates(population, disease, plan, book, streams.copy())
    return Course(*book, immune)


def _usual_contacts(population: Population, disease: Prepared, rates: FloatArray, immune: int) -> float:
    """Contacts that one infection takes, while few are infected: what is believed before any were seen."""
    if not len(population.age) or not rates.any():
        return 1.0
    school = float((population.group < population.classes).mean() - (population.group < 0).mean())
    work = float((population.group >= population.classes).mean())
    reached = rates @ np.array([float(population.others.mean()), school, work, 1.0])
    share = reached / (rates @ np.array([kernel.SLOTS, 1.0, 1.0, 1.0]))
    open_to_it = float(disease.susceptible[population.age].mean()) / 65536.0 * (1 - immune / len(population.age))
    return 1.0 / max(float(share) * open_to_it, 1e-3)
