"""Made-up patients of one chunk: who they are, how long they are enrolled, and from when on they have a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from restframe_epidemic.gaps.claims.design import (
    AGES,
    PLAN_SHARES,
    PLANS,
    Condition,
    Design,
    FloatArray,
    IntArray,
    Places,
)

NEVER = np.iinfo(np.int64).max // 2
_AGE_SHARES = (0.22, 0.36, 0.26, 0.16)
_OLDEST = 95
_DEATHS_PER_YEAR = np.array([0.0002, 0.001, 0.005, 0.04])
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Patients:
    """n patients. Days are counted from the design's first one.

    enrolled : (n, 2, 2) first and last day of two spells; the second is empty (it ends before it begins) for most
    dies : (n,) the day, NEVER for most
    """

    tokens: pa.Array
    place: IntArray
    band: IntArray
    age: IntArray
    plan: IntArray
    income: FloatArray
    enrolled: IntArray
    dies: IntArray

    def present(self, index: IntArray, day: IntArray) -> NDArray[np.bool_]:
        """Whether patients (m,) are enrolled and alive on days (m,)."""
        within = np.zeros(len(index), dtype=np.bool_)
        for spell in range(2):
            within |= (day >= self.enrolled[index, spell, 0]) & (day <= self.enrolled[index, spell, 1])
        within &= day <= self.dies[index]
        return within


def make(design: Design, places: Places, random: np.random.Generator, first: int, n: int) -> Patients:
    """Patients number `first` to `first + n - 1`."""
    band = random.choice(len(AGES), n, p=_AGE_SHARES)
    upper = np.array([*AGES[1:], _OLDEST])
    age = random.integers(np.array(AGES)[band], upper[band])
    hazard = _DEATHS_PER_YEAR[band] / 365.25
    dies = np.floor(random.exponential(1.0, n) / hazard).astype(np.int64)
    income = np.where(random.random(n) < 0.7, np.round(random.lognormal(10.8, 0.6, n), -2), np.nan)
    return Patients(
        tokens=tokens(design.seed, first, n),
        place=random.choice(len(places.location), n, p=places.population / places.population.sum()),
        band=band,
        age=age,
        plan=random.choice(len(PLANS), n, p=PLAN_SHARES),
        income=income,
        enrolled=_spells(design.days, random, n),
        dies=np.where(dies < design.days, dies, NEVER),
    )


def tokens(seed: int, first: int, n: int) -> pa.Array:
    """32 hexadecimal digits each, as a keyed hash would give; different for different patients and seeds."""
    number = np.arange(first, first + n, dtype=np.uint64)
    words = np.stack([_mixed(number ^ np.uint64((seed * 2 + half + 1) << 33)) for half in range(2)], axis=1)
    digits = np.unpackbits(words.view(np.uint8), axis=1).reshape(n, 32, 4)
    letters = _HEX[digits @ np.array([8, 4, 2, 1], dtype=np.uint8)]
    offsets = np.arange(0, 32 * (n + 1), 32, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters)))


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The output function of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""
    with np.errstate(over="ignore"):
        x = (x + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _spells(days: int, random: np.random.Generator, n: int) -> IntArray:
    """Most are enrolled throughout; some come later, leave earlier, or are away for a while."""
    spells = np.zeros((n, 2, 2), dtype=np.int64)
    spells[:, 0, 1] = days - 1
    spells[:, 1] = (1, 0)
    kind = random.choice(4, n, p=(0.82, 0.07, 0.07, 0.04))
    when = random.integers(0, days, n)
    away = random.integers(20, 200, n)
    spells[kind == 1, 0, 0] = when[kind == 1]
    spells[kind == 2, 0, 1] = when[kind == 2]
    gone = kind == 3
    spells[gone, 0, 1] = when[gone]
    spells[gone, 1, 0] = when[gone] + away[gone]
    spells[gone, 1, 1] = days - 1
    return spells


def onset(design: Design, condition: Condition, patients: Patients, random: np.random.Generator) -> IntArray:
    """(n,) the day of the first diagnosis, negative where it was before the claims begin, NEVER without the condition.

    Diagnoses that the epidemic prevents are never made.
    """
    n = len(patients.band)
    before = random.random(n) < np.array(condition.shares)[patients.band]
    day = np.floor(random.exponential(365.25 / condition.new_per_year, n)).astype(np.int64)
    prevented = (day >= design.epidemic_day) & (random.random(n) < design.effects.fewer_diagnoses)
    day = np.where((day >= design.days) | prevented, NEVER, day)
    return np.where(before, -1, day)


def tables(design: Design, places: Places, patients: Patients, random: np.random.Generator) -> dict[str, pa.Table]:
    """The rows of patient and eligibility."""
    start = np.datetime64(design.start)
    n = len(patients.band)
    patient = pa.table(
        {
            "token": patients.tokens,
            "birth_year": pa.array((design.start.year - patients.age).astype(np.int32)),
            "sex": coded(("F", "M"), (random.random(n) < 0.49).astype(np.int8)),
            "location": coded(places.location, patients.place),
            "plan": coded(PLANS, patients.plan),
            "income": money(patients.income),
            "death_date": pa.array(
                start + np.where(patients.dies == NEVER, 0, patients.dies), mask=patients.dies == NEVER
            ),
        }
    )
    row, spell = np.nonzero(patients.enrolled[:, :, 0] <= patients.enrolled[:, :, 1])
    first, last = patients.enrolled[row, spell, 0], patients.enrolled[row, spell, 1]
    eligibility = pa.table(
        {
            "token": coded(patients.tokens, row),
            "plan": coded(PLANS, patients.plan[row]),
            "start_date": pa.array(start + first),
            "end_date": pa.array(start + last, mask=last == design.days - 1),
        }
    )
    return {"patient": patient, "eligibility": eligibility}


def coded(values: pa.Array | tuple[str, ...] | list[str], index: NDArray[np.integer[Any]]) -> pa.DictionaryArray:
    """values[index] without a copy of the values for each row; a negative index is NULL."""
    values = values if isinstance(values, pa.Array) else pa.array(values)
    absent = index < 0
    chosen = pa.array(index.astype(np.int32), mask=absent if absent.any() else None)
    return pa.DictionaryArray.from_arrays(chosen, values)


def money(amount: FloatArray) -> pa.Array:
    """Amounts as decimal(12,2); NaN is NULL."""
    missing = np.isnan(amount)
    cents = np.where(missing, 0, np.round(amount * 100)).astype(np.int64)
    words = np.stack([cents, cents >> 63], axis=1)  # the two halves of an integer of 128 bits, low one first
    values = pa.py_buffer(np.ascontiguousarray(words))
    validity = pa.py_buffer(np.packbits(~missing, bitorder="little"))
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(amount), [validity, values])
