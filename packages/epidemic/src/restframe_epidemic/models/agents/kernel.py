"""The course of an epidemic through a synthetic population, event by event.

The law is that of the O(agents) simulation in which every susceptible person of a group meets the force
rate_layer x (infectious in the group) / (people in the group) each day. It is drawn from the other end: contacts leave
the infectious as a Poisson process and fall on random members of the group; those that fall on a susceptible person,
and are not thinned by age or lack of symptoms, infect. Thinning a Poisson process leaves a Poisson process, so both
have the same distribution, but here a day costs O(infectious) and nobody else is touched. All of an agent's timers are
drawn when it becomes infectious.

A day may have a target of new infections instead of a rate: contacts are then drawn until that many have infected. How
many it took, against how many were expected, is the day's transmission: the simulation is inverted while it runs.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from restframe_epidemic.models.agents.disease import Prepared
from restframe_epidemic.models.agents.population import LARGEST_HOUSEHOLD, Population
from restframe_epidemic.models.agents.randomness import Stream, below, bits, poisson
from restframe_epidemic.panel import FloatArray, IntArray

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]

SUSCEPTIBLE, EXPOSED, INFECTIOUS, REMOVED, DEAD = range(5)
# Columns of `flow`: how many people do this on a day.
EVENTS = (
    "infected", "presymptomatic", "asymptomatic", "onset", "removed_symptomatic", "removed_asymptomatic", "died",
    "admitted", "discharged", "icu_in", "icu_out",
)  # fmt: skip
(INFECTED, PRE, ASYM, ONSET, OUT_SYM, OUT_ASYM, DIED, ADMITTED, DISCHARGED, ICU_IN, ICU_OUT) = range(len(EVENTS))
(LATENT, PRESYMPTOMATIC, SYMPTOMATIC, ASYMPTOMATIC, ADMISSION, WARD, ICU_WAIT, ICU, DEATH) = range(9)
FREE = -1  # no target for the day

_LOW10 = np.uint64(1023)
_LOW16 = np.uint64(0xFFFF)
_S10 = np.uint64(10)
_S16 = np.uint64(16)
SLOTS = LARGEST_HOUSEHOLD - 1
_STRONGEST = 4.0  # times the usual transmission, at which a target is no longer pursued through contacts
_TRIES = 20  # people looked at per infection from outside, before it is given up
_MOST = 20.0  # contacts a day per person of the place: hundreds of times what there are, even where all are infected
_WINDOW = 14  # days with a target that tell how many contacts an infection takes
_BELIEF = 5.0  # infections that what is usual counts for, beside those seen


class Plan(NamedTuple):
    """What `simulation.simulate` is asked for.

    rates : (L, 4) contacts per day, by layer. usual : contacts that an infection is believed to take
    """

    target: IntArray
    transmission: FloatArray
    rates: FloatArray
    immune: int
    inverted: bool
    usual: float


class Book(NamedTuple):
    """Where the kernel writes; see `simulation.Course`."""

    flow: IntArray
    by_age: IntArray
    contacts: IntArray
    expected: FloatArray
    status: Bytes


@numba.njit(nogil=True, inline="always")
def _count(flow: IntArray, day: Any, event: int) -> None:
    if day < len(flow):
        flow[day, event] += 1


@numba.njit(nogil=True)
def _immunise(status: Bytes, immune: int, stream: Stream) -> None:
    """Floyd's sampling without replacement: nobody is drawn twice, however many are immune."""
    n = len(status)
    for last in range(n - immune, n):
        agent = below(bits(stream), last + 1)
        status[agent if status[agent] == SUSCEPTIBLE else last] = REMOVED


@numba.njit(nogil=True)
def _prognosis(day: Any, thresholds: IntArray, tables: Bytes, flow: IntArray, stream: Stream) -> tuple[int, bool, bool]:
    """Books all that will happen to somebody who becomes infectious today: (first day no longer infectious, whether
    with symptoms, whether it ends in death). thresholds : (4,) of the age band

    One number decides: the worst outcomes are parts of the milder ones.
    """
    luck = np.int64(bits(stream) & _LOW16)
    word = bits(stream)
    if luck >= thresholds[0] and luck >= thresholds[1] and luck >= thresholds[3]:
        leave = day + tables[ASYMPTOMATIC, np.int64(word & _LOW10)]
        flow[day, ASYM] += 1
        _count(flow, leave, OUT_ASYM)
        return leave, False, False
    flow[day, PRE] += 1
    onset = day + tables[PRESYMPTOMATIC, np.int64(word & _LOW10)]
    word >>= _S10
    leave = onset + tables[SYMPTOMATIC, np.int64(word & _LOW10)]
    _count(flow, onset, ONSET)
    _count(flow, leave, OUT_SYM)
    dies = luck < thresholds[3]
    death = np.int64(len(flow))
    if dies:
        word >>= _S10
        death = max(onset + np.int64(tables[DEATH, np.int64(word & _LOW10)]), leave)
        _count(flow, death, DIED)
    if luck < thresholds[1]:
        _hospitalise(onset, death, luck < thresholds[2], tables, flow, stream)
    return leave, True, dies


@numba.njit(nogil=True)
def _hospitalise(onset: Any, death: Any, critical: bool, tables: Bytes, flow: IntArray, stream: Stream) -> None:
    """Death before the discharge ends the stay, and intensive care."""
    word = bits(stream)
    admitted = min(onset + tables[ADMISSION, np.int64(word & _LOW10)], death)
    word >>= _S10
    stay = np.int64(tables[WARD, np.int64(word & _LOW10)])
    leaves = admitted + stay
    if critical:
        word >>= _S10
        enters = min(admitted + tables[ICU_WAIT, np.int64(word & _LOW10)], death)
        word >>= _S10
        departs = min(enters + tables[ICU, np.int64(word & _LOW10)], death)
        _count(flow, enters, ICU_IN)
        _count(flow, departs, ICU_OUT)
        leaves = departs + stay
    _count(flow, admitted, ADMITTED)
    _count(flow, min(leaves, death), DISCHARGED)


@numba.njit(nogil=True, inline="always")
def _meets(people: Population, agent: Any, layer: int, word: Any) -> Any:
    """Whom the contact of an infectious agent falls on; -1: on nobody, because it has no such layer."""
    if layer == 3:
        return np.int64(below(word, len(people.age)))
    if layer == 0:
        slot = below(word, SLOTS)
        if slot >= people.others[agent]:
            return np.int64(-1)
        whom = np.int64(people.first[agent]) + slot
        return whom + 1 if whom >= agent else whom
    place = people.group[agent]
    if place < 0 or (place < people.classes) != (layer == 1):
        return np.int64(-1)
    begin = people.start[place]
    return np.int64(people.member[begin + below(word, people.start[place + 1] - begin)])


@numba.njit(nogil=True, cache=True)
def replicates(people: Population, disease: Prepared, plan: Plan, book: Book, streams: Stream) -> None:
    for r in range(len(plan.target)):
        _run(
            people, disease, plan, plan.target[r], plan.transmission[r], streams[r : r + 1], book.status[r],
            book.flow[r], book.by_age[r], book.contacts[r], book.expected[r],
        )  # fmt: skip


@numba.njit(nogil=True)
def _run(
    people: Population, disease: Prepared, plan: Plan, target: IntArray, transmission: FloatArray, stream: Stream,
    status: Bytes, flow: IntArray, by_age: IntArray, contacts: IntArray, expected: FloatArray,
) -> None:  # fmt: skip
    """One replicate. Every infectious agent has contacts in all layers at the largest rate of anybody; those it cannot
    have fall on nobody."""
    n, days = len(status), len(target)
    begins = np.full(days, -1, np.int32)  # per day, the first of a linked list of agents who become infectious
    following = np.empty(n, np.int32)
    active = np.empty(n, np.int32)  # the infectious, the first day they no longer are, what becomes of them
    leave = np.empty(n, np.int32)
    mild = np.empty(n, np.bool_)
    dies = np.empty(n, np.bool_)
    count = 0
    per_infection, usual_rate = plan.usual, 0.0
    _immunise(status, plan.immune, stream)
    for day in range(days):
        count = _recover(day, count, active, leave, mild, dies, status)
        agent = np.int64(begins[day])
        while agent >= 0:
            until, symptoms, fatal = _prognosis(
                day, disease.thresholds[people.age[agent]], disease.tables, flow, stream
            )
            active[count], leave[count], mild[count], dies[count] = agent, until, not symptoms, fatal
            status[agent] = INFECTIOUS
            count += 1
            agent = np.int64(following[agent])
        home, school, work = plan.rates[day, 0] * SLOTS, plan.rates[day, 1], plan.rates[day, 2]
        rate = home + school + work + plan.rates[day, 3]
        expected[day] = rate * count
        wanted = target[day]
        if wanted >= 0:
            limit = np.int64(_STRONGEST * expected[day]) + 1 if count > 0 else 0
            usual_rate = rate
        elif plan.inverted:
            if day > 0 and target[day - 1] >= 0:
                per_infection = _contacts_per_infection(day, contacts, flow, plan.usual)
            relative = rate / usual_rate if usual_rate > 0.0 else 1.0
            strength = transmission[day] * per_infection / disease.infectious_days * relative
            # Where nobody is left to infect, an infection seems to take any number of contacts.
            limit = poisson(stream, min(strength * count, _MOST * n))
        else:
            limit = poisson(stream, transmission[day] * expected[day])
        unit = 65536.0 / max(rate, 1e-300)  # which layer, in 65536ths
        to_home, to_school, to_work = int(home * unit), int((home + school) * unit), int((home + school + work) * unit)
        done = 0
        made = 0
        while made < limit and done != wanted:
            made += 1
            word = bits(stream)
            pick = below(word, count)
            lot = np.int64(word & _LOW16)
            layer = 0 if lot < to_home else 1 if lot < to_school else 2 if lot < to_work else 3
            word = bits(stream)
            whom = _meets(people, np.int64(active[pick]), layer, word)
            if whom < 0 or status[whom] != SUSCEPTIBLE:
                continue
            if np.int64(word & _LOW16) >= disease.susceptible[people.age[whom]]:
                continue
            if mild[pick] and np.int64((word >> _S16) & _LOW16) >= disease.asymptomatic:
                continue
            _infect(whom, day, people.age, disease.tables, status, begins, following, flow, by_age, stream)
            done += 1
        contacts[day] = made
        tries = 0
        while done < wanted and tries < _TRIES * wanted:
            tries += 1
            word = bits(stream)
            whom = np.int64(below(word, n))
            if status[whom] == SUSCEPTIBLE and np.int64(word & _LOW16) < disease.susceptible[people.age[whom]]:
                _infect(whom, day, people.age, disease.tables, status, begins, following, flow, by_age, stream)
                done += 1


@numba.njit(nogil=True)
def _infect(
    agent: Any, day: int, age: Bytes, tables: Bytes, status: Bytes, begins: Ints, following: Ints, flow: IntArray,
    by_age: IntArray, stream: Stream,
) -> None:  # fmt: skip
    """Puts the agent into the list of those who become infectious on a day to come."""
    status[agent] = EXPOSED
    flow[day, INFECTED] += 1
    by_age[day, age[agent]] += 1
    ready = day + tables[LATENT, np.int64(bits(stream) & _LOW10)]
    if ready < len(begins):
        following[agent] = begins[ready]
        begins[ready] = agent


@numba.njit(nogil=True)
def _recover(day: int, count: int, active: Ints, leave: Ints, mild: Any, dies: Any, status: Bytes) -> int:
    """Takes those out of the infectious whose time is over."""
    kept = 0
    for i in range(count):
        if leave[i] > day:
            active[kept], leave[kept], mild[kept], dies[kept] = active[i], leave[i], mild[i], dies[i]
            kept += 1
        else:
            status[active[i]] = DEAD if dies[i] else REMOVED
    return kept


@numba.njit(nogil=True)
def _contacts_per_infection(day: int, contacts: IntArray, flow: IntArray, usual: float) -> float:
    made, done = _BELIEF * usual, _BELIEF
    for past in range(max(day - _WINDOW, 0), day):
        if contacts[past] > 0:  # otherwise all of the day's infections came from outside
            made += contacts[past]
            done += flow[past, INFECTED]
    return made / done
