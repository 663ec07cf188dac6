"""Made-up fills of one chunk: refills that come early or late, switches, add-ons, and what is not fetched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restframe_epidemic.gaps.claims.design import COPAYS, Condition, Design, FloatArray, IntArray, Places
from restframe_epidemic.gaps.claims.patients import NEVER, Patients, coded, money

_STOPS = 0.02  # share of fills that are a therapy's last
_ADDS = 0.05  # share of therapies to which a second molecule is added
_BACKGROUND_SWITCHES = 0.02
_REJECTED = 0.03
_PAID, _REVERSED, _REFUSED = range(3)
STATUSES = ("paid", "reversed", "rejected")


@dataclass(frozen=True, slots=True)
class Therapies:
    """T courses of one product each. Days are counted from the design's first one.

    until : the last day on which it may be filled
    """

    patient: IntArray
    product: IntArray
    supply: IntArray
    start: IntArray
    until: IntArray


def courses(design: Design, condition: Condition, onset: IntArray, random: np.random.Generator) -> Therapies:
    """Who takes what from when: of the patients (n,) with an onset, those who are treated."""
    patient = np.flatnonzero((onset != NEVER) & (random.random(len(onset)) < condition.treated))
    n = len(patient)
    supply = np.where(random.random(n) < 0.7, 30, 90)
    start = np.where(onset[patient] < 0, random.integers(0, 90, n), onset[patient] + random.integers(0, 15, n))
    first = random.integers(0, len(condition.products), n)
    molecules = [molecule for _, molecule in condition.products]
    effects = design.effects
    target = (first + random.integers(1, max(2, len(molecules)), n)) % len(molecules)
    when = random.integers(0, design.days, n)
    switches = random.random(n) < _BACKGROUND_SWITCHES
    if effects.switch_from in molecules:
        planted = (first == molecules.index(effects.switch_from)) & (random.random(n) < effects.switched)
        when = np.where(planted, design.epidemic_day + random.integers(0, 183, n), when)
        target = np.where(planted, molecules.index(effects.switch_to), target)
        switches |= planted
    switches &= (when > start) & (target != first)
    adds = (random.random(n) < _ADDS) & ~switches & (target != first)
    last = design.days - 1
    before = Therapies(patient, first, supply, start, np.where(switches, when - 1, last))
    after = switches | adds
    begin = np.where(switches, when, np.maximum(when, start))[after]
    later = Therapies(patient[after], target[after], supply[after], begin, np.full(after.sum(), last))
    return Therapies(*(np.concatenate([getattr(before, name), getattr(later, name)]) for name in Therapies.__slots__))


def fills(
    therapies: Therapies, delay: FloatArray, epidemic_day: int, random: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """(index into therapies, day) of every fill presented, therapy by therapy interleaved.

    delay : (T,) expected days by which each refill from `epidemic_day` on comes later
    """
    index = np.arange(len(therapies.patient))
    day = therapies.start.copy()
    found: list[tuple[IntArray, IntArray]] = []
    while True:
        going = day <= therapies.until[index]
        index, day = index[going], day[going]
        if not len(index):
            break
        found.append((index, day))
        late = random.geometric(0.25, len(index)) - 1
        early = np.where(random.random(len(index)) < 0.3, random.integers(0, 8, len(index)), 0)
        extra = np.floor(delay[index] + random.random(len(index))).astype(np.int64)  # right on average
        day = day + therapies.supply[index] + late - early + np.where(day >= epidemic_day, extra, 0)
        stays = random.random(len(index)) >= _STOPS
        index, day = index[stays], day[stays]
    if not found:
        return index, day
    return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])


def table(
    design: Design,
    places: Places,
    patients: Patients,
    by_condition: list[tuple[Condition, IntArray, IntArray]],
    provider_names: pa.Array,
    random: np.random.Generator,
    chunk: int,
) -> pa.Table:
    """The rows of pharmacy_claim. by_condition : condition, onset (n,) and prescriber (n,) of each patient"""
    codes: list[str] = []
    parts: list[tuple[IntArray, ...]] = []
    for condition, onset, prescriber in by_condition:
        therapies = courses(design, condition, onset, random)
        delay = design.effects.delay_days * places.incidence[patients.place[therapies.patient]]
        index, day = fills(therapies, delay, design.epidemic_day, random)
        keep = patients.present(therapies.patient[index], day)
        index, day = index[keep], day[keep]
        patient = therapies.patient[index]
        product = len(codes) + therapies.product[index]
        parts.append((patient, day, therapies.supply[index], product, prescriber[patient]))
        codes += [code for code, _ in condition.products]
    columns = [np.concatenate([part[k] for part in parts]) for k in range(5)]
    order = np.lexsort((columns[1], columns[0]))
    patient, day, supply, product, prescribed = (column[order] for column in columns)
    effects, start, n = design.effects, np.datetime64(design.start), len(patient)
    copay = np.round(np.array(COPAYS)[patients.plan[patient]] * supply / 30 * random.lognormal(0.0, 0.3, n), 2)
    not_fetched = random.random(n) < effects.abandoned + effects.abandoned_per_10 * copay / (supply / 30) / 10
    reversed_on = start + day + np.where(not_fetched, random.integers(1, 12, n), 0)
    status = np.where(not_fetched, _REVERSED, _PAID)
    refused = random.random(n) < _REJECTED  # at first; presented again, and approved, up to three days later
    refused_day = day[refused] - random.integers(0, 4, int(refused.sum()))
    row = np.concatenate([np.arange(n), np.flatnonzero(refused)])
    status = np.concatenate([status, np.full(int(refused.sum()), _REFUSED)])
    number = pa.array(np.arange(len(row)) + chunk * (1 << 32)).cast(pa.string())
    return pa.table(
        {
            "claim": pc.binary_join_element_wise("RX", number, ""),
            "token": coded(patients.tokens, patient[row]),
            "prescriber": coded(provider_names, prescribed[row]),
            "drug": coded(codes, product[row]),
            "fill_date": pa.array(start + np.concatenate([day, refused_day])),
            "days_supply": pa.array(supply[row].astype(np.int32)),
            "quantity": money(supply[row].astype(np.float64)).cast(pa.decimal128(10, 2)),
            "status": coded(STATUSES, status),
            "reversed_date": pa.array(reversed_on[row], mask=status != _REVERSED),
            "copay": money(copay[row]).cast(pa.decimal128(10, 2)),
        }
    )
