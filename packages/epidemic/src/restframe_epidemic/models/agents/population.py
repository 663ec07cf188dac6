"""Synthetic people of a place: ages, households, school classes and workplaces that match its tables.

Agents of one household stand side by side; the members of classes and workplaces are listed once more by group. All of
it is drawn in O(agents) from one stream of random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from restframe_epidemic.models.agents.randomness import Stream, below, bits, uniform
from restframe_epidemic.panel import FloatArray, IntArray

LARGEST_HOUSEHOLD = 8
_OLDEST = 90  # the open last band ends here
_LOW12 = np.uint64(0xFFF)
_LOW16 = np.uint64(0xFFFF)
_S16 = np.uint64(16)


@dataclass(frozen=True, slots=True)
class Society:
    """How people of a place live together; the defaults are round figures of rich countries around 2020.

    household_size : mean; class_size, workplace_size : mean, Poisson-like (people choose their group at random)
    couples : share of second adults who are of the first adult's age band
    employed : share of those between school and retirement
    """

    household_size: float = 2.5
    class_size: float = 20.0
    workplace_size: float = 16.0
    school_from: int = 5
    school_to: int = 18
    work_to: int = 65
    employed: float = 0.65
    couples: float = 0.7


class Population(NamedTuple):
    """n agents. A group is a school class (numbers 0 .. classes - 1) or a workplace (the rest).

    age : (n,) uint8, index of the age band
    first, others : (n,) the household's first agent, and how many more than oneself live there
    group : (n,) int32, -1 for those with neither school nor work; members of group g: member[start[g] : start[g + 1]]
    """

    age: NDArray[np.uint8]
    first: NDArray[np.int32]
    others: NDArray[np.uint8]
    group: NDArray[np.int32]
    start: NDArray[np.int32]
    member: NDArray[np.int32]
    classes: int


def synthesize(agents: int, age_from: IntArray, age_share: FloatArray, society: Society, stream: Stream) -> Population:
    """age_from, age_share : (A,) as in a Panel. Ages within a band are uniform; the last band ends at 90."""
    year_share = _years(age_from, age_share)
    band = (np.searchsorted(age_from, np.arange(_OLDEST), side="right") - 1).clip(min=0).astype(np.uint8)
    sizes = _sizes(society.household_size)
    mean_size = float((np.arange(1, LARGEST_HOUSEHOLD + 1) * sizes).sum())
    child_share = float(year_share[: society.school_to].sum())
    # Every household has a first adult, so children can only be among the others.
    others_child = min(child_share * mean_size / max(mean_size - 1.0, 1e-9), 1.0)
    year = np.empty(agents, np.uint8)
    first = np.empty(agents, np.int32)
    others = np.empty(agents, np.uint8)
    children, adults = year_share[: society.school_to], year_share[society.school_to :]
    _fill_households(
        stream, sizes.cumsum(), children.cumsum(), adults.cumsum(), society.school_to, others_child, society.couples,
        year, first, others,
    )  # fmt: skip
    group, start, member, classes = _assign(
        stream, year, society.school_from, society.school_to, society.work_to, society.employed, society.class_size,
        society.workplace_size,
    )  # fmt: skip
    return Population(band[year], first, others, group, start, member, int(classes))


def _years(age_from: IntArray, age_share: FloatArray) -> FloatArray:
    edges = np.append(age_from, _OLDEST).clip(0, _OLDEST)
    share = np.zeros(_OLDEST)
    for low, high, of_band in zip(edges[:-1], edges[1:], age_share, strict=True):
        share[low : max(high, low + 1)] += of_band / max(high - low, 1)
    return share


def _sizes(mean: float) -> FloatArray:
    """(8,) share of households by size: 1 + Poisson(mean - 1), cut."""
    extra = min(max(mean - 1.0, 0.0), 5.0)
    terms = np.cumprod(np.append(1.0, extra / np.arange(1, LARGEST_HOUSEHOLD)))
    return np.asarray(terms / terms.sum(), dtype=np.float64)


@numba.njit(nogil=True, cache=True)
def _fill_households(
    stream: Stream, sizes: FloatArray, children: FloatArray, adults: FloatArray, grown: int, others_child: float,
    couples: float, year: NDArray[np.uint8], first: NDArray[np.int32], others: NDArray[np.uint8],
) -> None:  # fmt: skip
    of_sizes, of_children, of_adults = _lookup(sizes), _lookup(children), _lookup(adults)
    at, n = 0, len(year)
    while at < n:
        word = bits(stream)
        count = min(of_sizes[np.int64(word & _LOW12)] + 1, n - at)
        head = grown + of_adults[np.int64((word >> _S16) & _LOW12)]
        for position in range(count):
            word = bits(stream)
            slot = np.int64((word >> _S16) & _LOW12)
            if position == 0:
                age = head
            elif np.int64(word & _LOW16) < others_child * 65536:
                age = np.int64(of_children[slot])
            elif position == 1 and uniform(stream) < couples:
                age = head
            else:
                age = grown + of_adults[slot]
            year[at + position] = age
            first[at + position] = at
            others[at + position] = count - 1
        at += count


@numba.njit(nogil=True)
def _lookup(cumulative: FloatArray) -> NDArray[np.uint8]:
    """(4096,) the index that 12 random bits pick."""
    table = np.zeros(4096, np.uint8)
    if cumulative[-1] > 0:
        index = 0
        for slot in range(4096):
            while index < len(cumulative) - 1 and (slot + 0.5) / 4096 * cumulative[-1] >= cumulative[index]:
                index += 1
            table[slot] = index
    return table


@numba.njit(nogil=True, cache=True)
def _assign(
    stream: Stream, year: NDArray[np.uint8], school_from: int, school_to: int, work_to: int, employed: float,
    class_size: float, workplace_size: float,
) -> tuple[Any, ...]:  # fmt: skip
    """Classes hold children of one year of age; workplaces hold anybody who works."""
    n = len(year)
    pupils = np.zeros(school_to, np.int64)
    for agent in range(n):
        if school_from <= year[agent] < school_to:
            pupils[year[agent]] += 1
    rooms = np.zeros(school_to + 1, np.int64)  # the first class of each year of age
    for age in range(school_to):
        rooms[age + 1] = rooms[age] + (int(np.ceil(pupils[age] / class_size)) if pupils[age] else 0)
    classes = rooms[school_to]
    group = np.full(n, -1, np.int32)
    workers = 0
    for agent in range(n):
        age = year[agent]
        if school_from <= age < school_to:
            group[agent] = rooms[age] + below(bits(stream), rooms[age + 1] - rooms[age])
        elif school_to <= age < work_to and uniform(stream) < employed:
            group[agent] = -2
            workers += 1
    places = int(np.ceil(workers / workplace_size))
    start = np.zeros(classes + places + 1, np.int32)
    for agent in range(n):
        if group[agent] == -2:
            group[agent] = classes + below(bits(stream), places)
        if group[agent] >= 0:
            start[group[agent] + 1] += 1
    for place in range(classes + places):
        start[place + 1] += start[place]
    member = np.empty(start[-1], np.int32)
    filled = start[:-1].copy()
    for agent in range(n):
        if group[agent] >= 0:
            member[filled[group[agent]]] = agent
            filled[group[agent]] += 1
    return group, start, member, classes
