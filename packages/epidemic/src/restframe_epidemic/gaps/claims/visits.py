"""Made-up visits of one chunk: for conditions again and again, for other reasons now and then, more in winter."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from restframe_epidemic.gaps.claims.design import Condition, Design, FloatArray, IntArray
from restframe_epidemic.gaps.claims.patients import NEVER, Patients, coded, money
from restframe_epidemic.gaps.claims.providers import PRIMARY, Providers

_BETWEEN = (60, 150)  # days from one visit for a condition to the next
_OTHER_PER_YEAR = 1.5
_OTHER = ("J06", "M545", "Z000", "R51")  # a cold, back pain, a check-up, headache: of no condition
_SPECIALIST = 0.5  # share of the visits for a condition that are a specialist's
_INPATIENT = 0.01


def table(
    design: Design,
    patients: Patients,
    by_condition: list[tuple[Condition, IntArray, IntArray]],
    providers: Providers,
    random: np.random.Generator,
    chunk: int,
) -> pa.Table:
    """The rows of medical_claim, in the order of patients and days; a second line is the laboratory's."""
    patient, day, code, provider = _other(design, patients, providers, random)
    codes = list(_OTHER)
    parts = [(patient, day, code, provider)]
    for condition, onset, specialist in by_condition:
        patient, day = _again(design, onset, random)
        general = providers.choose(PRIMARY, patients.place[patient], _own(patient))
        goes = np.where(random.random(len(patient)) < _SPECIALIST, specialist[patient], general)
        parts.append((patient, day, len(codes) + random.integers(0, len(condition.codes), len(patient)), goes))
        codes += [f"{prefix}9" for prefix in condition.codes]
    patient, day, code, provider = (np.concatenate([part[k] for part in parts]) for k in range(4))
    provider, made = _after_closures(design, patients, providers, patient, day, provider, random)
    made &= patients.present(patient, day)
    patient, day, code, provider = patient[made], day[made], code[made], provider[made]
    order = np.lexsort((day, patient))
    return _rows(
        design, patients, providers, patient[order], day[order], code[order], provider[order], codes, random, chunk
    )


def _other(
    design: Design, patients: Patients, providers: Providers, random: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    count = random.poisson(_OTHER_PER_YEAR * design.days / 365.25, len(patients.band))
    patient = np.repeat(np.arange(len(count)), count)
    day = random.integers(0, design.days, len(patient))
    # the first of January is the middle of winter; a third of the visits of midsummer are left out
    summer = (1 - np.cos(2 * np.pi * (day + _day_of_year(design)) / 365.25)) / 2
    kept = random.random(len(patient)) >= summer / 3
    patient, day = patient[kept], day[kept]
    provider = providers.choose(PRIMARY, patients.place[patient], _own(patient))
    return patient, day, random.choice(len(_OTHER), len(patient), p=(0.4, 0.2, 0.3, 0.1)), provider


def _day_of_year(design: Design) -> int:
    return design.start.timetuple().tm_yday - 1


def _own(patient: IntArray) -> FloatArray:
    """(m,) the same number in [0, 1) for the same patient, so that everybody has a doctor of their own."""
    own: FloatArray = np.mod(patient * 0.6180339887498949, 1.0, dtype=np.float64)
    return own


def _again(design: Design, onset: IntArray, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """(patient, day): at the onset and at intervals after it; who had it before begins within the first interval."""
    patient = np.flatnonzero(onset != NEVER)
    day = np.where(onset[patient] < 0, random.integers(0, _BETWEEN[1], len(patient)), onset[patient])
    found = []
    while len(patient):
        found.append((patient, day))
        day = day + random.integers(*_BETWEEN, len(patient))
        going = day < design.days
        patient, day = patient[going], day[going]
    if not found:
        return patient, day
    return np.concatenate([each for each, _ in found]), np.concatenate([each for _, each in found])


def _after_closures(
    design: Design,
    patients: Patients,
    providers: Providers,
    patient: IntArray,
    day: IntArray,
    provider: IntArray,
    random: np.random.Generator,
) -> tuple[IntArray, np.typing.NDArray[np.bool_]]:
    """Visits to closed providers are lost, or made to another of the place and specialty that is open."""
    shut = providers.closed[provider] & (day >= design.epidemic_day)
    made = ~shut | (random.random(len(patient)) >= design.effects.lost)
    moved = np.flatnonzero(shut & made)
    row = providers.specialty[provider[moved]]
    place = patients.place[patient[moved]]
    other = providers.first[row, place] + np.floor(random.random(len(moved)) * providers.count[row, place]).astype(
        np.int64
    )
    made[moved] = ~providers.closed[other]
    provider = provider.copy()
    provider[moved] = other
    return provider, made


def _rows(
    design: Design,
    patients: Patients,
    providers: Providers,
    patient: IntArray,
    day: IntArray,
    code: IntArray,
    provider: IntArray,
    codes: list[str],
    random: np.random.Generator,
    chunk: int,
) -> pa.Table:
    n, start = len(patient), np.datetime64(design.start)
    tested = np.flatnonzero(random.random(n) < 0.2)
    row = np.concatenate([np.arange(n), tested])
    line = np.concatenate([np.ones(n, dtype=np.int32), np.full(len(tested), 2, dtype=np.int32)])
    inpatient = random.random(n) < _INPATIENT
    stay = np.where(inpatient, random.geometric(0.25, n), 0)
    allowed = np.round(random.lognormal(4.7, 0.5, n) * np.where(inpatient, 60, 1), 2)
    share = np.round(allowed * random.choice([0.0, 0.1, 0.2], n), 2)
    second = np.where(random.random(n) < 0.3, random.integers(0, len(_OTHER), n), -1)
    number = pa.array(row + chunk * (1 << 32)).cast(pa.string())
    nothing = pa.nulls(len(row), pa.string())
    return pa.table(
        {
            "claim": pc.binary_join_element_wise("MC", number, ""),
            "line": pa.array(line),
            "token": coded(patients.tokens, patient[row]),
            "provider": coded(providers.names, provider[row]),
            "facility": nothing,
            "place_of_service": coded(("11", "21"), inpatient[row].astype(np.int8)),
            "from_date": pa.array(start + day[row]),
            "through_date": pa.array(start + (day + stay)[row]),
            "diagnosis_1": coded(codes, code[row]),
            "diagnosis_2": coded(_OTHER, second[row]),
            "diagnosis_3": nothing,
            "diagnosis_4": nothing,
            "procedure_code": coded(("99213", "80053"), line - 1),
            "revenue_code": coded(("0120",), inpatient[row].astype(np.int8) - 1),
            "allowed": money(allowed[row]),
            "paid": money((allowed - share)[row]),
            "patient_share": money(share[row]),
        }
    )
