"""The member `agents`: for each place, people are made, past infections happen to them again, and they go on.

Threads take places from a common list; every place and replicate has its own stream of random numbers, so neither the
number of threads nor the order of places changes a bit.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic import errors
from restframe_epidemic.models import fatality
from restframe_epidemic.models.agents import (
    calibration,
    disease,
    interventions,
    kernel,
    randomness,
    reproduction,
    simulation,
)
from restframe_epidemic.models.agents.calibration import AGENTS, REPLAY_WEEKS, Calibration
from restframe_epidemic.models.agents.population import Society, synthesize
from restframe_epidemic.panel import FloatArray, IntArray, Panel
from restframe_epidemic.parts import Parts

logger = logging.getLogger(__name__)

TARGETS = ("cases", "deaths")
OUTCOMES = ("infected", "hospitalised", "critical", "fatal")
# Days from infection to the report of the case: incubation of 5.6 days (disease.py) and 3 to the test's report.
REPORT_DAYS = 9
_CHUNK = 16  # places that a thread takes at a time
_REPLICATES = 10
_FIRST = 7 * REPLAY_WEEKS  # day of the simulation on which the forecast begins


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of the people of N places in R replicates.

    people : (N, R, L, 4) per day, in the order of OUTCOMES: all who are infected and, of them, those who will be
        hospitalised, critical, dead: expected numbers given their ages. Day 0 is the first of the replay; the day of
        `first` is the first of the forecast. NaN for places that could not be simulated
    calibration : what they were made from
    """

    people: NDArray[np.float32]
    first: int
    calibration: Calibration

    def reports(self, horizons: int) -> FloatArray:
        """(R, N, H) weekly reports of cases."""
        return _reports(_weeks(self.people, self.first, horizons), self.calibration)


def _weeks(people: NDArray[np.float32], first: int, horizons: int) -> FloatArray:
    """(N, R, L, 4) -> (N, R, H) people infected in the weeks of the forecast."""
    days = people[:, :, first : first + 7 * horizons, 0].astype(np.float64)
    weeks: FloatArray = days.reshape(*days.shape[:2], horizons, 7).sum(axis=3)
    return weeks


def _reports(weeks: FloatArray, calibration: Calibration) -> FloatArray:
    """(N, R, H) -> (R, N, H)"""
    return np.ascontiguousarray(np.moveaxis(weeks * calibration.ascertainment[:, None, None], 1, 0))


def forecast(
    panel: Panel,
    horizons: int,
    *,
    target: str = "cases",
    seed: int = 0,
    replicates: int = _REPLICATES,
    parts: Parts | None = None,
) -> FloatArray:
    """(N, H) expected weekly reports: the mean over replicates that all follow the expected transmission.

    parts : where places that are simulated are kept, and taken from; of the same Panel, horizons, seed and replicates.
        Cases and deaths come from the same simulation
    """
    _check(target)
    place = _prepare(panel, horizons, seed=seed, replicates=replicates)
    weeks = np.full((len(panel.locations), replicates, horizons), np.nan)

    def several(numbers: IntArray) -> None:
        kept = None if parts is None else parts.read(str(numbers[0]), (len(numbers), replicates, horizons))
        if kept is None:
            kept = _weeks(place.several(numbers), _FIRST, horizons)
            if parts is not None:
                parts.write(str(numbers[0]), kept)
        weeks[numbers] = kept

    place.each(several, parts=parts)
    reports = _reports(weeks, place.calibration).mean(axis=0)
    return reports if target == "cases" else fatality.forecast(panel, reports)


def samples(
    panel: Panel, horizons: int, *, target: str = "cases", seed: int = 0, replicates: int = _REPLICATES
) -> FloatArray:
    """(R, N, H): weekly reports of replicates whose transmission varies as much as it could not be foreseen."""
    _check(target)
    outcomes = run(panel, horizons, seed=seed, replicates=replicates, spread=True)
    reports = outcomes.reports(horizons)
    return reports if target == "cases" else fatality.forecast(panel, reports)


def _check(target: str) -> None:
    if target not in TARGETS:
        raise errors.UsageError(f'no target "{target[:40]}"', hint=f"There are {' and '.join(TARGETS)}.")


def run(
    panel: Panel,
    horizons: int,
    *,
    seed: int = 0,
    replicates: int = _REPLICATES,
    spread: bool = False,
    ahead: int = 0,
    agents: int = AGENTS,
    threads: int | None = None,
    policies: FloatArray | None = None,
) -> Outcomes:
    """Simulate every place.

    spread : replicates take the quantiles of what transmission may be, instead of all its expectation
    ahead : further days after the last week, in which transmission goes on as in it
    agents : at most so many per place
    policies : (N, 7 REPLAY_WEEKS + 7 horizons + ahead, 4) factors on the layers' contacts by day instead of those that
        follow from the Panel's signals: what if schools close?
    """
    place = _prepare(
        panel, horizons, seed=seed, replicates=replicates, spread=spread, ahead=ahead, agents=agents, policies=policies
    )
    N, R, days = place.transmission.shape
    people = np.full((N, R, _FIRST + days, len(OUTCOMES)), np.nan, dtype=np.float32)

    def several(numbers: IntArray) -> None:
        people[numbers] = place.several(numbers)

    place.each(several, threads=threads)
    return Outcomes(people, _FIRST, place.calibration)


def _prepare(
    panel: Panel,
    horizons: int,
    *,
    seed: int,
    replicates: int,
    spread: bool = False,
    ahead: int = 0,
    agents: int = AGENTS,
    policies: FloatArray | None = None,
) -> _Place:
    ill = disease.of_panel(panel)
    found = calibration.calibrate(panel, ill, horizons, agents)
    scale = policies
    if scale is None:
        scale = interventions.layer_scale(panel, _FIRST, 7 * horizons + ahead)
    w = reproduction.infectiousness(ill)
    shifts = _shifts(replicates) if spread else np.zeros(1)
    R = np.stack([found.course(w, panel.population, shift) for shift in shifts], axis=1)
    R = np.concatenate([R, np.repeat(R[:, :, -1:], ahead, axis=2)], axis=2)
    R = np.ascontiguousarray(np.broadcast_to(R, (len(R), replicates, R.shape[2])))
    return _Place(panel, found, disease.prepare(ill), ill, R, scale, seed)


def _shifts(replicates: int) -> FloatArray:
    """(R,) standard normal quantiles at the middles of equal shares."""
    from scipy import stats

    return np.asarray(stats.norm.ppf((np.arange(replicates) + 0.5) / replicates), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Place:
    """What all places' simulations share. transmission : (N, R, days of the forecast), scale : (N, L, 4)"""

    panel: Panel
    calibration: Calibration
    prepared: disease.Prepared
    disease: disease.Disease
    transmission: FloatArray
    scale: FloatArray
    seed: int

    def each(self, do: Callable[[IntArray], None], *, threads: int | None = None, parts: Parts | None = None) -> None:
        """Let threads do all places that can be simulated, some at a time, and tell how many are done."""
        usable = np.flatnonzero(self.calibration.usable)
        chunks = [usable[at : at + _CHUNK] for at in range(0, len(usable), _CHUNK)]
        done = 0
        pool = ThreadPoolExecutor(threads or os.cpu_count() or 1)
        try:
            for chunk, _ in zip(chunks, pool.map(do, chunks), strict=True):
                done += len(chunk)
                if parts is not None:
                    parts.progress(done, len(usable))
        finally:
            pool.shutdown(cancel_futures=True)  # at ctrl-C the places not begun are left alone

    def several(self, numbers: IntArray) -> NDArray[np.float32]:
        """(n, R, L, 4) people; NaN for a place whose simulation fails."""
        replicates, ahead = self.transmission.shape[1:]
        people = np.full((len(numbers), replicates, _FIRST + ahead, len(OUTCOMES)), np.nan, dtype=np.float32)
        for at, number in enumerate(numbers):
            try:
                people[at] = self.simulate(int(number))
            except (ArithmeticError, IndexError, MemoryError, ValueError) as error:
                logger.warning("%s is not simulated: %s", self.panel.locations[number], str(error)[:100])
        return people

    def simulate(self, number: int) -> NDArray[np.float32]:
        """(R, L, 4) people."""
        found, code = self.calibration, self.panel.locations[number]
        replicates, ahead = self.transmission.shape[1:]
        weight = float(found.weight[number])
        population = synthesize(
            int(found.agents[number]), self.panel.age_from, self.panel.age_share[number], self._society(number),
            randomness.stream(self.seed, code, "people"),
        )  # fmt: skip
        streams = np.concatenate([randomness.stream(self.seed, code, r) for r in range(replicates)])
        past = _whole(found.infections[number] / weight, replicates)
        coming = np.full((replicates, ahead), kernel.FREE, dtype=np.int64)
        course = simulation.simulate(
            population, self.prepared, streams,
            target=np.concatenate([past, coming], axis=1),
            transmission=np.concatenate([np.zeros(past.shape), self.transmission[number]], axis=1),
            scale=self.scale[number],
            immune=round(found.immune[number] / weight),
            inverted=True,
        )  # fmt: skip
        severity = self.disease.severity()
        severity[:, 0] = 1.0
        result: NDArray[np.float32] = (course.by_age @ severity * weight).astype(np.float32)
        return result

    def _society(self, number: int) -> Society:
        """Persons per household are the Panel's feature `household_size`, where it is known."""
        size = float(self.panel.features.get("household_size", self.panel.population * np.nan)[number])
        society = Society()
        return replace(society, household_size=min(max(size, 1.2), 5.0)) if np.isfinite(size) else society


def _whole(infections: FloatArray, replicates: int) -> IntArray:
    """(B,) -> (R, B) whole numbers with these running sums, the replicates rounding up at evenly spread fractions."""
    phase = (np.arange(replicates)[:, None] + 0.5) / replicates
    steps = np.floor(np.cumsum(infections) + phase)
    return np.diff(steps, axis=1, prepend=0.0).astype(np.int64)
