"""Beds that patients will need, against those that a place has.

Who is infected comes from the agent model (`of_agents`), or from quantiles of forecast cases with the severity that the
agent model found among those infected (`of_ensemble`). Patients are then expected numbers: infections by age times the
shares of the table of severity, spread over the days of a stay by the durations in `models/agents/disease.py`. Chance
adds what a Poisson number of patients has. Days are those of the calendar; an infection lies `REPORT_DAYS` before its
report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic.models.agents import disease, forecasting, reproduction
from restframe_epidemic.models.agents.calibration import REPLAY_WEEKS
from restframe_epidemic.models.agents.disease import Disease
from restframe_epidemic.models.agents.forecasting import OUTCOMES, REPORT_DAYS, Outcomes
from restframe_epidemic.panel import DateArray, FloatArray, Level, Panel

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe_epidemic.store import Store

UNITS = ("hospital_beds", "icu_beds")  # names of the Panel's capacities; patients in intensive care lie in both
LEVELS = (0.025, 0.25, 0.5, 0.75, 0.975)
# Share of a place's beds that patients with the disease may have; the Panel's parameter of this name goes first.
FREE_SHARE = "beds_available_share"
_CHANCE = 15  # equal shares of probability by which a Poisson number is described
_REPLICATES = 10
_PATHS = 11  # courses that an ensemble's quantiles are taken apart into
_SHARES = ("hospitalised", "critical")
_NOBODY = 1e-6  # infected people of a place without reports, so that a level without any has shares too
AGENTS, ENSEMBLE = "agents", "ensemble"


@dataclass(frozen=True, slots=True)
class Demand:
    """N places and the levels above them; days after `reference`, one number per level of LEVELS.

    beds : by unit (N, days, levels) beds needed; NaN where nothing can be said
    capacity : by unit (N,) beds of the place; NaN where unknown
    days_until_full : by unit (N, levels) days from `reference` to the first day on which that many beds are more than
        are free; NaN if that does not happen in these days, or the capacity is unknown, or the place has no beds at
        all: its patients go elsewhere. The level .975 is the earliest
    """

    locations: tuple[str, ...]
    reference: np.datetime64
    dates: DateArray
    beds: dict[str, FloatArray]
    capacity: dict[str, FloatArray]
    days_until_full: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class _Of:
    """What demand is made from, of n places or of the sums of a level.

    past : (n, weeks) reports; ascertainment : (n,) reports per infection; share : by name (n,), of those infected who
    will be hospitalised, and critical; capacity : by unit (n,)
    """

    locations: tuple[str, ...]
    past: FloatArray
    ascertainment: FloatArray
    share: dict[str, FloatArray]
    capacity: dict[str, FloatArray]


def of_agents(panel: Panel, outcomes: Outcomes) -> Demand:
    """From replicates of the agent model, run with spread=True and ahead=REPORT_DAYS.

    Levels above have the sums of their places' replicates. Those of one number are off in the same direction
    everywhere, so intervals of sums are as wide as if all places erred together: they are the widest that may be.
    """
    people = outcomes.people.astype(np.float64)
    severe, critical = (_with_sums(panel, people[..., OUTCOMES.index(name)]) for name in _SHARES)
    locations = (*panel.locations, *(code for level in panel.levels for code in level.codes))
    capacity = {unit: _with_sums(panel, beds) for unit, beds in _capacity(panel).items()}
    return _demand(panel, locations, capacity, severe, critical, outcomes.first)


def _with_sums(panel: Panel, values: FloatArray) -> FloatArray:
    """(N, ...) -> (N and the codes of all levels above, ...)."""
    return np.concatenate([values, *(_sums(level, values) for level in panel.levels)])


def _sums(level: Level, values: FloatArray) -> FloatArray:
    """(N, ...) -> (K, ...) of what is known; NaN where nothing is."""
    return np.where(level.sums(np.isfinite(values)) > 0, level.sums(values), np.nan)


def of_ensemble(
    panel: Panel, outcomes: Outcomes, quantiles: FloatArray, levels: FloatArray, above: Sequence[FloatArray] = ()
) -> Demand:
    """From quantiles of weekly cases, (N, H, Q) at levels (Q,) ascending; above, those of each of the Panel's levels,
    (K, H, Q), whose rows follow those of the places.

    They are taken for courses: who is at a level in one week stays there. After the last week, cases stay as they are
    in it.
    """
    of_places = _of_places(panel, outcomes)
    rows = [of_places, *(_of_level(of_places, level) for level, _ in zip(panel.levels, above, strict=False))]
    parts = [_courses(of, weeks, levels) for of, weeks in zip(rows, (quantiles, *above), strict=True)]
    severe, critical = (
        np.concatenate([of.share[name][:, None, None] * days for of, days in zip(rows, parts, strict=True)])
        for name in _SHARES
    )
    locations = tuple(code for of in rows for code in of.locations)
    capacity = {unit: np.concatenate([of.capacity[unit] for of in rows]) for unit in UNITS}
    return _demand(panel, locations, capacity, severe, critical, 7 * REPLAY_WEEKS)


def _courses(of: _Of, quantiles: FloatArray, levels: FloatArray) -> FloatArray:
    """(n, paths, days) people infected per day of the replay, of the forecast, and until their reports."""
    at = (np.arange(_PATHS) + 0.5) / _PATHS
    position = np.interp(at, levels, np.arange(len(levels)))
    low = np.floor(position).astype(np.int64).clip(max=len(levels) - 2)
    grown = np.log1p(np.maximum(quantiles, 0.0))
    weeks = np.expm1(grown[..., low] * (1 - (position - low)) + grown[..., low + 1] * (position - low))  # (n, H, paths)
    past = np.repeat(of.past[:, None, -REPLAY_WEEKS:], _PATHS, axis=1)
    course = np.concatenate([past, np.moveaxis(weeks, 2, 1)], axis=2).reshape(len(weeks) * _PATHS, -1)
    days = reproduction.daily(course).reshape(len(weeks), _PATHS, -1) / of.ascertainment[:, None, None]
    before = 7 * (REPLAY_WEEKS + quantiles.shape[1]) - days.shape[2]  # days before the first report, of a short past
    days = np.pad(days, ((0, 0), (0, 0), (before, 0)))
    return np.concatenate([days, np.repeat(days[:, :, -1:], REPORT_DAYS, axis=2)], axis=2)


def _of_places(panel: Panel, outcomes: Outcomes) -> _Of:
    found = outcomes.calibration
    share = {name: _share(panel, outcomes, name) for name in _SHARES}
    return _Of(panel.locations, found.past, found.ascertainment, share, _capacity(panel))


def _of_level(places: _Of, level: Level) -> _Of:
    """Shares are those of all who were infected below, capacities the sums of those that are known."""
    infected = places.past.sum(axis=1) / places.ascertainment + _NOBODY
    share = {}
    for name, of_place in places.share.items():
        known = np.where(np.isfinite(of_place), infected, 0.0)
        total = level.sums(known)
        share[name] = np.where(total > 0, level.sums(np.nan_to_num(of_place) * known) / np.maximum(total, 1e-9), np.nan)
    capacity = {unit: _sums(level, beds) for unit, beds in places.capacity.items()}
    ascertainment = level.sums(infected * places.ascertainment) / level.sums(infected)
    return _Of(level.codes, level.sums(places.past), ascertainment, share, capacity)


def _capacity(panel: Panel) -> dict[str, FloatArray]:
    unknown = np.full(len(panel.locations), np.nan)
    return {unit: panel.capacity.get(unit, unknown) for unit in UNITS}


def _share(panel: Panel, outcomes: Outcomes, name: str) -> FloatArray:
    """(N,) of those infected, in all replicates; of places without infections, given their ages."""
    ill = disease.of_panel(panel)
    exposed = panel.age_share * ill.susceptibility
    usual = exposed @ getattr(ill, name) / exposed.sum(axis=1)
    infected = outcomes.people[..., 0].sum(axis=(1, 2), dtype=np.float64)
    became = outcomes.people[..., OUTCOMES.index(name)].sum(axis=(1, 2), dtype=np.float64)
    known = np.isfinite(infected) & (infected > 0)
    return np.where(known, became / np.where(known, infected, 1.0), np.where(np.isnan(infected), np.nan, usual))


def _demand(
    panel: Panel,
    locations: tuple[str, ...],
    capacity: dict[str, FloatArray],
    severe: FloatArray,
    critical: FloatArray,
    first: int,
) -> Demand:
    """severe, critical : (n, R, L) infected per day who will be in hospital, and of them in intensive care"""
    ward, stay, icu = stays(disease.of_panel(panel))
    needed = {
        "hospital_beds": _patients(severe - critical, ward) + _patients(critical, stay),
        "icu_beds": _patients(critical, icu),
    }
    # The day after the last report, as an infection that will be reported then stands REPORT_DAYS earlier.
    beds = {unit: _quantiles(count[:, :, first + REPORT_DAYS :]) for unit, count in needed.items()}
    free = panel.parameters.get(FREE_SHARE, 1.0)
    days = severe.shape[2] - first - REPORT_DAYS
    return Demand(
        locations=locations,
        reference=panel.as_of,
        dates=panel.as_of + np.arange(1, days + 1),
        beds=beds,
        capacity=capacity,
        days_until_full={unit: _until(beds[unit], capacity[unit] * free) for unit in UNITS},
    )


def stays(ill: Disease) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Probability of being in bed s days after infection: in hospital for those who need no intensive care, in hospital
    for those who do, in intensive care. Deaths do not shorten stays."""

    def after(*names: str) -> FloatArray:
        share = np.ones(1)
        for name in names:
            share = np.convolve(share, ill.distribution(name))
        return share

    def during(begin: tuple[str, ...], *names: str) -> FloatArray:
        lasts = 1.0 - np.cumsum(after(*names))
        return np.convolve(after(*begin), lasts.clip(min=0.0))

    admitted = ("latent", "presymptomatic", "admission")
    return (
        during(admitted, "ward"),
        during(admitted, "icu_wait", "icu", "ward"),
        during((*admitted, "icu_wait"), "icu"),
    )


def _patients(infected: FloatArray, present: FloatArray) -> FloatArray:
    """(N, R, L) -> the same: sum over s of present(s) x infected s days before."""
    found = np.zeros_like(infected)
    for s, share in enumerate(present[: infected.shape[2]]):
        if share > 1e-6:
            found[:, :, s:] += share * infected[:, :, : infected.shape[2] - s]
    return found


def _quantiles(expected: FloatArray) -> FloatArray:
    """(N, R, days) means of Poisson numbers -> (N, days, levels) quantiles of them all together.

    The Poisson quantile at probability u is taken as m (1 - 1/(9 m) + z/(3 sqrt m))^3 (Wilson and Hilferty 1931).
    """
    from scipy import stats

    z = stats.norm.ppf((np.arange(_CHANCE) + 0.5) / _CHANCE)
    N, R, days = expected.shape
    found = np.full((N, days, len(LEVELS)), np.nan)
    for at in range(0, N, 256):  # so that the temporary arrays stay small
        m = np.maximum(expected[at : at + 256, :, :, None], 1e-9)
        numbers = m * np.maximum(1 - 1 / (9 * m) + z / (3 * np.sqrt(m)), 0.0) ** 3
        numbers = np.moveaxis(numbers, 2, 1).reshape(len(m), days, R * _CHANCE)
        found[at : at + 256] = np.moveaxis(np.quantile(numbers, LEVELS, axis=2), 0, 2)
    return found


def _until(beds: FloatArray, free: FloatArray) -> FloatArray:
    """(N, days, levels), (N,) -> (N, levels)."""
    over = (beds > free[:, None, None]) & (free > 0)[:, None, None]
    return np.where(over.any(axis=1), over.argmax(axis=1) + 1.0, np.nan)


def rows(demand: Demand, run_id: str, model_id: str) -> pa.Table:
    """Of the table epidemic.hospital_demand: median and 95 % interval. Places of which nothing is known have none."""
    import pyarrow as pa

    parts = []
    for unit in UNITS:
        beds = demand.beds[unit]
        named = np.array([bool(code) for code in demand.locations])
        place, day = np.nonzero(np.isfinite(beds).all(axis=2) & named[:, None])
        lower, median, upper = (beds[place, day, LEVELS.index(level)] for level in (0.025, 0.5, 0.975))
        full = demand.days_until_full[unit][place, LEVELS.index(0.5)]
        capacity = demand.capacity[unit][place]
        parts.append(
            pa.table(
                {
                    "run_id": pa.repeat(run_id, len(place)),
                    "reference_date": pa.repeat(pa.scalar(demand.reference.astype(object), pa.date32()), len(place)),
                    "location": pa.array(demand.locations, pa.string()).take(pa.array(place)),
                    "unit": pa.repeat(unit, len(place)),
                    "date": pa.array(demand.dates.astype("datetime64[D]")[day]),
                    "demand": median,
                    "lower": lower,
                    "upper": upper,
                    "capacity": pa.array(capacity, mask=np.isnan(capacity)),
                    "days_until_full": pa.array(np.nan_to_num(full).astype(np.int32), mask=np.isnan(full)),
                    "model_id": pa.repeat(model_id, len(place)),
                }
            )
        )
    return pa.concat_tables(parts)


def write(store: Store, run_id: str, demands: Mapping[str, Demand]) -> int:
    """Put a run's rows, by model, into `epidemic.hospital_demand` in place of those of the same day; how many."""
    import pyarrow as pa

    table = pa.concat_tables([rows(demand, run_id, model_id) for model_id, demand in demands.items()])
    (reference,) = {demand.reference.astype(object) for demand in demands.values()}
    store.replace("epidemic.hospital_demand", table, where={"reference_date": reference})
    return int(table.num_rows)


def demand(
    panel: Panel,
    horizons: int,
    *,
    quantiles: FloatArray | None = None,
    levels: FloatArray | None = None,
    above: Sequence[FloatArray] = (),
    seed: int = 0,
) -> dict[str, Demand]:
    """By model: of the agent model; and of the ensemble, where its quantiles of weekly cases (N, H, Q) are given, and
    `above` those of each of the Panel's levels.
    """
    outcomes = forecasting.run(panel, horizons, seed=seed, replicates=_REPLICATES, spread=True, ahead=REPORT_DAYS)
    found = {AGENTS: of_agents(panel, outcomes)}
    if quantiles is not None and levels is not None:
        cut = [of_level[:, :horizons] for of_level in above]
        found[ENSEMBLE] = of_ensemble(panel, outcomes, quantiles[:, :horizons], levels, cut)
    return found
