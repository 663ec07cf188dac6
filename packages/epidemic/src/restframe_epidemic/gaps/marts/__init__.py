"""The measures: Redshift SQL files that turn claims into tables of `epidemic_gaps`, by county and month.

Each file says in its head what it measures, by which definition, and whose. Detail by patient (tables `*_patient`)
stays in `epidemic_gaps`; what may be published of the rest is decided in `restframe_epidemic.privacy`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from pathlib import Path

from restframe_epidemic import errors
from restframe_epidemic.gaps import areas
from restframe_epidemic.store import Store

# In the order in which they are computed: access and concentration look at demand, local_change at diagnosis too.
MARTS = (
    "diagnosis",
    "changes",
    "adherence",
    "persistency",
    "affordability",
    "demand",
    "access",
    "concentration",
    "local_change",
    "published",
    "extract",
)
# What several measures start from, and the measures that do.
_SHARED = {
    "base": MARTS,
    "filled": ("changes", "persistency", "local_change"),
    "care": ("diagnosis", "demand", "concentration", "local_change", "published", "extract"),
}
STEPS = (*_SHARED, *MARTS)
_FOLDER = Path(__file__).parent
_MOST_PERIODS = 7


@dataclass(frozen=True, slots=True)
class Period:
    """Both days are included. Measures of drugs are taken within a period."""

    name: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the definitions leave open. One row of epidemic_gaps.parameter, and the tables period and permitted_gap.

    first_day, last_day : of the claims
    epidemic_start : months from its month on are compared with those before
    lookback_days : without a claim of the condition, for a diagnosis to be new
    enrolment_gap_days : by which spells of enrolment may be apart and still count as one
    permitted_gap_days : without supply after which another drug is no switch
    abandonment_days : after approval within which a reversal means that nobody fetched the drug
    burden_share : of the yearly income; patients who pay more are burdened
    gaps : days without supply that end persistence, each a measure of its own
    periods : at most seven; `seasons` when none are given
    """

    first_day: date
    last_day: date
    epidemic_start: date
    lookback_days: int = 365
    enrolment_gap_days: int = 31
    permitted_gap_days: int = 30
    abandonment_days: int = 14
    burden_share: float = 0.05
    gaps: tuple[int, ...] = (30, 60, 90)
    periods: tuple[Period, ...] = ()

    def __post_init__(self) -> None:
        if not self.first_day <= self.epidemic_start <= self.last_day:
            raise errors.UsageError(
                f"the epidemic must begin within the claims, from {self.first_day} to {self.last_day}"
            )
        if len(self.periods) > _MOST_PERIODS:
            raise errors.UsageError(f"at most {_MOST_PERIODS} periods can be measured at once")


def seasons(parameters: Parameters) -> tuple[Period, ...]:
    """The epidemic so far, its last 365 days at most, and the same days of the last year that was over before it."""
    end = parameters.last_day
    start = max(parameters.epidemic_start, end - timedelta(days=364))
    years = 1
    while _years_earlier(end, years) >= parameters.epidemic_start:
        years += 1
    before = Period("before", _years_earlier(start, years), _years_earlier(end, years))
    return (before, Period("now", start, end))


def _years_earlier(day: date, years: int) -> date:
    """A 29th of February becomes a 28th."""
    if (day.month, day.day) == (2, 29):
        day -= timedelta(days=1)
    return day.replace(year=day.year - years)


def days_of_claims(store: Store) -> tuple[date, date]:
    """The first and last day on which something was claimed. NoData when there are no claims."""
    row = store.run(
        """
        SELECT min(first_day), max(last_day) FROM (
            SELECT min(fill_date) AS first_day, max(fill_date) AS last_day FROM epidemic_claims.pharmacy_claim
            UNION ALL
            SELECT min(from_date), max(from_date) FROM epidemic_claims.medical_claim
        ) AS claimed
        """
    ).fetchall()[0]
    if row[0] is None:
        raise errors.NoData(
            "there are no claims to measure", hint="Load claims, or generate some: restframe-epidemic claims --help"
        )
    return row[0], row[1]


def run(
    store: Store,
    parameters: Parameters,
    marts: Sequence[str] = MARTS,
    finished: Callable[[str, float], None] = lambda mart, seconds: None,
) -> None:
    """Compute measures anew. The tables of each change together, so that nobody sees half of them, and a run that was
    interrupted leaves those of the run before.

    finished : is told each file and how long it took
    UsageError for a measure that does not exist, NoData without claims.
    """
    unknown = sorted(set(marts) - set(MARTS))
    if unknown:
        raise errors.UsageError(f'there is no measure "{unknown[0][:100]}"', hint=f"There are: {', '.join(MARTS)}.")
    days_of_claims(store)
    _prepare(store, parameters)
    for step in STEPS:
        if not set(marts).isdisjoint(_SHARED.get(step, (step,))):
            begun = time.monotonic()
            store.run_file(_FOLDER / f"{step}.sql")
            finished(step, time.monotonic() - begun)
    store.run_file(_FOLDER / "end.sql")


def prepare(store: Store) -> None:
    """The tables that are filled before the measures are, where they are missing."""
    store.run_file(_FOLDER / "parameters.sql")


def _prepare(store: Store, parameters: Parameters) -> None:
    """Write the tables of parameters."""
    months = []
    month = parameters.first_day.replace(day=1)
    while month <= parameters.last_day:
        months.append({"month": month})
        month = (month + timedelta(days=31)).replace(day=1)
    periods = parameters.periods or seasons(parameters)
    names = [field.name for field in fields(Parameters) if field.name not in ("gaps", "periods")]
    with store.transaction():
        prepare(store)
        for table, rows in {
            "parameter": [{name: getattr(parameters, name) for name in names}],
            "permitted_gap": [{"gap_days": gap} for gap in parameters.gaps],
            "month": months,
            "period": [
                {"period_number": number, "period": one.name, "start_date": one.start, "end_date": one.end}
                for number, one in enumerate(periods)
            ],
        }.items():
            listed, places = ", ".join(rows[0]), ", ".join(f"${at}" for at in range(1, len(rows[0]) + 1))
            store.run(f"DELETE FROM epidemic_gaps.{table}")
            for row in rows:
                store.run(f"INSERT INTO epidemic_gaps.{table} ({listed}) VALUES ({places})", list(row.values()))
        areas.prepare(store, _share_enrolled(store, parameters.last_day))


def _share_enrolled(store: Store, day: date) -> float:
    """Of the people in the smallest places, those enrolled."""
    enrolled, people = store.run(
        """
        SELECT (SELECT count(DISTINCT patient.token)
                FROM epidemic_claims.patient
                JOIN epidemic_claims.eligibility ON eligibility.token = patient.token
                JOIN epidemic.location ON location.location = patient.location
                WHERE eligibility.start_date <= $1 AND (eligibility.end_date IS NULL OR eligibility.end_date >= $1)),
            (SELECT sum(population) FROM epidemic.location
             WHERE location NOT IN (SELECT parent FROM epidemic.location WHERE parent IS NOT NULL))
        """,
        [day],
    ).fetchall()[0]
    return float(enrolled) / float(people) if people else 0.0
