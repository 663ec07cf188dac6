"""What the reports of each place say about its simulated people: who was infected, how fast it goes on.

Days of the simulation are days of report: an infection stands on the day on which it is, or would be, reported. Deaths
and beds are shifted accordingly when they are read off.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from restframe_epidemic.models.agents import reproduction
from restframe_epidemic.models.agents.disease import Disease
from restframe_epidemic.models.compartments import USUAL_ASCERTAINMENT
from restframe_epidemic.models.fatality import delayed
from restframe_epidemic.panel import BoolArray, FloatArray, Panel

REPLAY_WEEKS = 6  # before the forecast, in which infections are those of the reports
AGENTS = 100_000  # a place has at most so many; each then stands for several people
_FEWEST = 5_000  # of a place with more people
_INFECTED = 400.0  # agents infected per week that are enough: chance then moves a week by 5 %, ten replicates by 1.6 %
_PLAUSIBLE = (0.08, 0.8)
_RECENT_WEEKS = 4  # of which deaths tell the ascertainment
_BELIEF_DEATHS = 50.0  # that the whole country counts for within a group
# Weeks from report of a case to report of a death: infection to death (disease.py) 20 days and to its report a week
# more, less the days from infection to the report of the case.
_TO_DEATH_DAYS = (16.0, 9.0)
_LAG_WEEKS = 8


@dataclass(frozen=True, slots=True)
class Calibration:
    """N places, B days of replay, H weeks ahead.

    usable : (N,) whether the place can be simulated
    agents : (N,) how many; weight : (N,) people per agent
    ascertainment : (N,) reports per infection now
    immune : (N,) people infected before the replay
    infections : (N, B) people infected per day
    coming : (N, H) weekly reports that the past of all places lets expect; deviation : (H,) of its logarithm
    past : (N, weeks) weekly reports of the replay and before
    """

    usable: BoolArray
    agents: FloatArray
    weight: FloatArray
    ascertainment: FloatArray
    immune: FloatArray
    infections: FloatArray
    coming: FloatArray
    deviation: FloatArray
    past: FloatArray

    def course(self, w: FloatArray, population: FloatArray, shift: float = 0.0) -> FloatArray:
        """(N, 7 H) reproduction numbers. shift : in standard deviations of what was to be expected."""
        coming = self.coming * np.exp(shift * self.deviation)
        before = self.infections.sum(axis=1) + self.immune
        left = np.nan_to_num(population - before).clip(min=1.0)
        return reproduction.course(self.past, coming, w, left, self.ascertainment)


def calibrate(panel: Panel, disease: Disease, horizons: int, agents: int = AGENTS) -> Calibration:
    """All places at once, from the Panel alone. Places without population or without reports of late are not usable."""
    weekly = panel.weekly("cases")
    cases = np.nan_to_num(weekly)
    population = panel.population
    usable = np.isfinite(population) & (population > 0) & np.isfinite(weekly[:, -1])
    people = np.where(usable, population, 1.0)
    hood = reproduction.neighbourhood(panel)
    w = reproduction.infectiousness(disease)
    coming, deviation = reproduction.outlook(cases, hood, w, horizons)
    now = ascertainment(panel, disease, cases.shape[1] - _RECENT_WEEKS, cases.shape[1])
    earlier = ascertainment(panel, disease, 0, cases.shape[1] - REPLAY_WEEKS)
    past = cases[:, -REPLAY_WEEKS - 2 :]
    # With the coming weeks: the course of reproduction numbers starts from the same days.
    days = reproduction.daily(np.concatenate([past, coming], axis=1))[:, : 7 * past.shape[1]]
    # On no day more than everybody: reports in another unit would be looked for without end.
    infections = np.minimum(days[:, -7 * REPLAY_WEEKS :] / now[:, None], people[:, None])
    weekly_infections = infections.reshape(len(people), -1, 7).sum(axis=2).mean(axis=1)
    enough = people * _INFECTED / np.maximum(weekly_infections, 1.0)
    count = np.minimum(np.ceil(people), enough.clip(min(_FEWEST, agents), agents).round())
    unknown = 7 * REPLAY_WEEKS - infections.shape[1]  # days before the first report: nobody was infected
    infections = np.pad(infections, ((0, 0), (unknown, 0)))
    immune = (cases[:, :-REPLAY_WEEKS].sum(axis=1) + panel.already()) / earlier
    return Calibration(
        usable=usable,
        agents=count,
        weight=people / count,
        ascertainment=now,
        immune=np.minimum(immune, 0.6 * people),
        infections=infections,
        coming=coming,
        deviation=deviation,
        past=past,
    )


def ascertainment(panel: Panel, disease: Disease, start: int, end: int) -> FloatArray:
    """(N,) share of infections that were reported in the weeks start .. end - 1, told by deaths.

    Deaths / fatality by age = infections, some weeks before; by group, drawn towards the whole. Where no death was
    ever reported: the Panel's parameter `ascertainment`, or the usual one.
    """
    usual = panel.parameters.get("ascertainment", USUAL_ASCERTAINMENT)
    if not np.nan_to_num(panel.daily.get("deaths", 0.0)).any():
        return np.full(len(panel.locations), usual)
    exposed = panel.age_share * disease.susceptibility
    fatality = exposed @ disease.fatal / exposed.sum(axis=1)
    cases = _due(np.nan_to_num(panel.weekly("cases")))
    window = slice(max(start, 0), max(end, 0))
    expected = panel.by_group(fatality * cases[:, window].sum(axis=1))
    deaths = panel.by_group(np.nan_to_num(panel.weekly("deaths"))[:, window].sum(axis=1))
    whole = (expected.sum() + usual * _BELIEF_DEATHS) / (deaths.sum() + _BELIEF_DEATHS)
    share = (expected + whole * _BELIEF_DEATHS) / (deaths + _BELIEF_DEATHS)
    return np.asarray(share.clip(*_PLAUSIBLE)[panel.group], dtype=np.float64)


def _due(cases: FloatArray) -> FloatArray:
    """(N, W) weekly cases -> the same, each spread over the weeks in which its death would be reported."""
    from scipy import stats

    mean, deviation = _TO_DEATH_DAYS
    shape = (mean / deviation) ** 2
    # Cases stand anywhere in their week.
    edges = 7.0 * np.arange(_LAG_WEEKS + 1)[:, None] - (np.arange(7) + 0.5)
    reached = stats.gamma.cdf(edges.clip(min=0.0), shape, scale=mean / shape).mean(axis=1)
    return delayed(cases, np.diff(reached))
