"""Made-up providers: a few in each place, those of a specialty only where enough people live."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from restframe_epidemic.gaps.claims.design import PLANS, Design, FloatArray, IntArray, Places, conditions
from restframe_epidemic.gaps.claims.patients import coded

PRIMARY = "primary care"
_PATIENTS_EACH = {PRIMARY: 300}
_PATIENTS_EACH_SPECIALIST = 1000
_OPEN_SINCE = np.datetime64("2010-01-01")


@dataclass(frozen=True, slots=True)
class Providers:
    """P providers, those of one place and specialty next to each other, the busiest first.

    first, count : (S, N) where in the list a place's providers of a specialty stand; of the largest place of its group,
        or of all, where it has none of its own
    closed : (P,) whether they close when the epidemic begins
    """

    names: pa.Array
    specialties: tuple[str, ...]
    specialty: IntArray
    place: IntArray
    closed: np.typing.NDArray[np.bool_]
    first: IntArray
    count: IntArray

    def choose(self, specialty: str, places: IntArray, u: FloatArray) -> IntArray:
        """A provider for each of (n,) patients by where they live: by u in [0, 1), the r-th with a chance of 1 / r."""
        row = self.specialties.index(specialty)
        count = self.count[row, places]
        rank = np.exp(u * np.log(count + 1.0)).astype(np.int64) - 1
        chosen: IntArray = self.first[row, places] + np.minimum(rank, count - 1)
        return chosen


def make(design: Design, places: Places) -> Providers:
    random = np.random.default_rng([design.seed, 1])
    specialties = (PRIMARY, *sorted({condition.specialty for condition in conditions()}))
    own = design.patients * places.population / places.population.sum()
    first = np.zeros((len(specialties), len(own)), dtype=np.int64)
    count = np.zeros_like(first)
    total = 0
    for row, specialty in enumerate(specialties):
        each = _PATIENTS_EACH.get(specialty, _PATIENTS_EACH_SPECIALIST)
        count[row] = np.floor(own / each + 0.5).astype(np.int64)
        count[row, np.argmax(own)] = max(1, count[row, np.argmax(own)])
        first[row] = total + np.concatenate([[0], np.cumsum(count[row])[:-1]])
        total += int(count[row].sum())
    place = np.concatenate([np.repeat(np.arange(len(own)), count[row]) for row in range(len(specialties))])
    specialty_of = np.repeat(np.arange(len(specialties)), count.sum(axis=1))
    for row in range(len(specialties)):
        _borrow(first[row], count[row], places)
    closed = random.random(total) < design.effects.closed
    names = pa.array([f"PRV{number:07d}" for number in range(total)])
    return Providers(names, specialties, specialty_of, place, closed, first, count)


def _borrow(first: IntArray, count: IntArray, places: Places) -> None:
    """Send places without a provider to the place of their group with the most, or to that of all."""
    parents = np.asarray(places.parent)
    everywhere = int(np.argmax(count))
    own = count.copy()
    for parent in np.unique(parents[own == 0]):
        members = np.flatnonzero(parents == parent)
        best = members[np.argmax(own[members])]
        source = best if own[best] else everywhere
        empty = members[own[members] == 0]
        first[empty], count[empty] = first[source], own[source]


def tables(design: Design, places: Places, providers: Providers) -> dict[str, pa.Table]:
    """The rows of provider and affiliation."""
    random = np.random.default_rng([design.seed, 2])
    total = len(providers.names)
    location = coded(places.location, providers.place)
    facility = coded([f"FAC{place:05d}" for place in range(len(places.location))], providers.place)
    choices = (" ".join(PLANS), " ".join(PLANS[:3]), PLANS[3])
    provider = pa.table(
        {
            "provider": providers.names,
            "specialty": coded(providers.specialties, providers.specialty),
            "facility": facility,
            "location": location,
            "accepts_new": pa.array((random.random(total) < 0.8) & ~providers.closed),
            "plans": coded(choices, random.choice(3, total, p=(0.6, 0.3, 0.1))),
            "visits_per_week": pa.array(np.round(random.gamma(9.0, 7.0, total), 1)),
        }
    )
    last = np.datetime64(design.epidemic_start) - 1
    affiliation = pa.table(
        {
            "provider": providers.names,
            "site": facility,
            "location": location,
            "start_date": pa.array(np.full(total, _OPEN_SINCE)),
            "end_date": pa.array(np.full(total, last), mask=~providers.closed),
        }
    )
    return {"provider": provider, "affiliation": affiliation}
