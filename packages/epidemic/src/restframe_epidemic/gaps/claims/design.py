"""What made-up claims are to look like: how many patients, where, when, and which effects are planted in them.

The shape is that of claims (ages, plans, spells of enrolment, refills, reversals, few providers with most of the
visits), and nothing more: no clinical meaning may be read into it. Prevalences and codes of drugs are invented.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from restframe_epidemic import errors

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

AGES = (0, 18, 45, 65)  # the bands of shape.csv
PLANS = ("bronze", "silver", "gold", "public")
PLAN_SHARES = (0.2, 0.35, 0.15, 0.3)
COPAYS = (40.0, 20.0, 10.0, 4.0)  # median of a 30 day supply, by plan


@dataclass(frozen=True, slots=True)
class Places:
    """Where patients live: the finest level of epidemic.location, in any country.

    incidence : (N,) of the epidemic, from 0 (the lowest) to 1 (the highest)
    """

    location: tuple[str, ...]
    parent: tuple[str, ...]
    population: FloatArray
    incidence: FloatArray

    def __post_init__(self) -> None:
        if not self.location:
            raise errors.NoData("there are no places for patients to live in", hint="Ingest the locations first.")
        if not np.all((self.incidence >= 0) & (self.incidence <= 1)):
            raise errors.UsageError("incidence of places must lie between 0 and 1")


@dataclass(frozen=True, slots=True)
class Effects:
    """What is planted, and what the measures must find again. All of it begins with the epidemic.

    fewer_diagnoses : share of the new diagnoses that are not made
    delay_days : days by which a refill comes later in a place of incidence 1; elsewhere in proportion
    switched : share of the patients on `switch_from` who go on with `switch_to`, within half a year
    abandoned, abandoned_per_10 : share of approved fills that the patient does not fetch at a copay of 0, and what each
        10 of copay adds; before the epidemic too
    closed : share of the providers who close
    lost : share of the visits to them that are not made to another instead
    """

    fewer_diagnoses: float = 0.35
    delay_days: float = 12.0
    switched: float = 0.25
    switch_from: str = "simvastatin"
    switch_to: str = "rosuvastatin"
    abandoned: float = 0.02
    abandoned_per_10: float = 0.02
    closed: float = 0.1
    lost: float = 0.5


@dataclass(frozen=True, slots=True)
class Design:
    """start, end : first and last day of the claims; the first year is what look-backs need"""

    patients: int
    seed: int = 0
    start: date = date(2018, 1, 1)
    end: date = date(2020, 12, 31)
    epidemic_start: date = date(2020, 3, 15)
    effects: Effects = field(default_factory=Effects)

    def __post_init__(self) -> None:
        if self.patients < 1:
            raise errors.UsageError("at least one patient is needed")
        if not self.start < self.epidemic_start <= self.end:
            raise errors.UsageError("the epidemic must begin between the first and the last day of the claims")

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @property
    def epidemic_day(self) -> int:
        return (self.epidemic_start - self.start).days

    def digest(self, places: Places) -> str:
        """Tells one population from another: equal for the same design and places only."""
        content = repr((self, places.location, places.parent)).encode()
        return hashlib.sha256(content + places.population.tobytes() + places.incidence.tobytes()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Condition:
    """shares : who has it when the claims begin, by band of AGES; products : (code, molecule) of one ingredient"""

    name: str
    codes: tuple[str, ...]
    specialty: str
    shares: tuple[float, ...]
    new_per_year: float
    treated: float
    products: tuple[tuple[str, str], ...]


def reference(table: str) -> list[dict[str, str | float]]:
    """The rows of a table that the generator brings along: condition, drug, drug_class or shape."""
    text = resources.files(__package__).joinpath(f"{table}.csv").read_text()
    rows = csv.DictReader(text.splitlines())
    return [{name: float(value) if value[0].isdigit() else value for name, value in row.items()} for row in rows]


@cache
def conditions() -> tuple[Condition, ...]:
    codes, classes, drugs = reference("condition"), reference("drug_class"), reference("drug")
    combined = {row["code"] for row in drugs if sum(other["code"] == row["code"] for other in drugs) > 1}

    def one(row: dict[str, str | float]) -> Condition:
        of = [each for each in codes if each["condition"] == row["condition"]]
        treats = {each["class"] for each in classes if each["condition"] == row["condition"]}
        return Condition(
            name=str(row["condition"]),
            codes=tuple(str(each["code_prefix"]) for each in of),
            specialty=str(of[0]["specialty"]),
            shares=tuple(float(row[f"share_{age}"]) for age in AGES),
            new_per_year=float(row["new_per_year"]),
            treated=float(row["treated"]),
            products=tuple(
                (str(each["code"]), str(each["molecule"]))
                for each in drugs
                if each["class"] in treats and each["code"] not in combined
            ),
        )

    return tuple(one(row) for row in reference("shape"))
