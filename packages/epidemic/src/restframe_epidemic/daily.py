"""The work of a day, step by step: reports in, forecasts out, with a row in the run table for each step.

Nothing that is finished is done again: what a member said of a day is kept in the lake under all that it depends on,
and tables are replaced whole. Killed anywhere, the same command goes on from there and ends with the same tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from restframe_epidemic import backtest, earlier, errors, forecasts, models, panel_reading
from restframe_epidemic.country import TARGETS
from restframe_epidemic.ensemble import forecasting
from restframe_epidemic.models import persistence
from restframe_epidemic.panel import FloatArray, Panel
from restframe_epidemic.pipeline import mending
from restframe_epidemic.runs import Run

if TYPE_CHECKING:
    from restframe_epidemic.country import Country
    from restframe_epidemic.ensemble.forecasting import Forecast
    from restframe_epidemic.store import Store

COSTLY = ("agents",)  # members that are not run on past days unless asked for


@dataclass(frozen=True, slots=True)
class Options:
    """What a forecast is made of.

    members : names; all of them when empty
    backfill : of the members, those that are run on past days; when empty all but the costly ones. Of the others, what
        they said when it was their day is known
    history_weeks : how many past weeks they are run on
    workers : processes for past days; results do not depend on it
    """

    members: tuple[str, ...] = ()
    backfill: tuple[str, ...] = ()
    targets: tuple[str, ...] = tuple(TARGETS)
    horizons: int = forecasting.HORIZONS
    history_weeks: int = forecasting.HISTORY_WEEKS
    seed: int = 0
    workers: int = 2

    @property
    def described(self) -> dict[str, Any]:
        """What results depend on, for the run table."""
        return {name: value for name, value in asdict(self).items() if name != "workers"}

    def resolved(self) -> Options:
        """With the names that empty ones stand for. UsageError for a name that is no member."""
        members = self.members or tuple(models.MEMBERS)
        for name in {*members, *self.backfill} - set(models.MEMBERS):
            raise errors.UsageError(f'no member "{name[:40]}"', hint=f"There are {', '.join(models.MEMBERS)}.")
        backfill = self.backfill or tuple(name for name in members if name not in COSTLY)
        return replace(self, members=members, backfill=backfill)


def forecast(
    store: Store, country: Country, run: Run, options: Options, as_of: str | None = None
) -> tuple[Panel, dict[str, Forecast]]:
    """Forecast every target as of a day, and put it into `epidemic.forecast`; returns what was known, and by target
    the ensemble's forecast, where there is one.

    A member that fails is listed and the day goes on without it; so does a place that none could judge, with its last
    week again.
    """
    with run.step("read") as step:
        panel = panel_reading.read(store, country, as_of)
        step.rows = len(panel.locations)
        step.notes += [*mending.notices(store), *panel.notices]
        said = {target: _said_earlier(store, country, options, panel, target) for target in options.targets}
    run.begin(panel, [(name, target, day, made) for target in said for name, day, made in said[target].runs])
    found = {target: _forecast(store, country, run, options, panel, target, before) for target, before in said.items()}
    return panel, {target: whole for target, whole in found.items() if whole is not None}


def _said_earlier(store: Store, country: Country, options: Options, panel: Panel, target: str) -> earlier.Said:
    """By the members that are not run on past days."""
    others = [name for name in options.members if name not in options.backfill]
    days = backtest.past(panel, options.history_weeks)
    return earlier.read(store, panel, days, others, country.targets[target], options.horizons)


def _forecast(
    store: Store, country: Country, run: Run, options: Options, panel: Panel, target: str, before: earlier.Said
) -> Forecast | None:
    """None for a target that was never reported, or whose ensemble failed."""
    if not np.isfinite(panel.daily[target]).any():
        with run.step(f"members {target}") as step:
            step.skipped(f"no {target} were ever reported")
        return None
    named = country.targets[target]
    said = {}
    for done, name in enumerate(options.members, 1):
        said[name] = _member(store, run, options, panel, target, name)
        run.progress(f"members {target}", done, len(options.members))
    with run.step(f"past days {target}") as step:
        past = _past(store, run, options, panel, target)
        reused = not past.seconds.any()
        past = before.beside(past)
        step.rows = len(past.as_of)
        step.notes += past.failures
        if before.runs:
            step.notes.append(f"{', '.join(before.points)} as in earlier runs, see epidemic.run_earlier")
        if reused:
            step.reused()
    whole: Forecast | None = None
    with run.step(f"ensemble {target}", optional=True) as step:
        # Beside the members as one more, which has no past: it speaks only where it is alone.
        together = {**said, "": _last_resort(run, options, panel, target, said)}
        whole = forecasting.forecast(panel, together, past, target=target, seed=options.seed)
        with store.transaction():
            for name, values in said.items():
                points = forecasts.points(panel, values)
                forecasts.write(store, run.run_id, panel, name, named, points)
            rows = forecasts.ensemble(panel, whole)
            forecasts.write(store, run.run_id, panel, forecasts.ENSEMBLE, named, rows)
        step.rows = rows.num_rows
    return whole


def _member(store: Store, run: Run, options: Options, panel: Panel, target: str, name: str) -> FloatArray:
    """(N, H); all NaN when the member fails. Places that it could not judge are written down."""
    with run.step(f"member {name} {target}") as step:
        said = backtest.run(
            panel,
            np.array([panel.as_of]),
            [name],
            options.horizons,
            target=target,
            seed=options.seed,
            folder=store.lake / "members",
            within=lambda done, of: run.progress(f"{name} {target}", done, of),
        )
        points: FloatArray = said.points[0, 0]
        lost = np.flatnonzero(~np.isfinite(points).all(axis=1)).tolist()
        step.rows = len(points) - len(lost)
        if said.failures:
            step.failed(*said.failures)
        elif not said.seconds.any():
            step.reused()
        reasons = [said.failures[0] if said.failures else _reason(panel, target, at) for at in lost]
        run.fallback(name, target, [panel.locations[at] for at in lost], reasons)
        if len(lost):
            places = f"{len(lost)} place{'s' if len(lost) > 1 else ''}"
            step.notes.append(f"no forecast of {places}, see epidemic.run_fallback")
    return points


def _reason(panel: Panel, target: str, place: int) -> str:
    if not np.isfinite(panel.daily[target][place]).any():
        return f"no {target} were ever reported"
    if not np.isfinite(panel.population[place]):
        return "its population is not known"
    if not np.isfinite(panel.weekly(target)[place, -1]):
        return f"no {target} were reported of late"
    return "too little history, or a fit that did not converge"


def _past(store: Store, run: Run, options: Options, panel: Panel, target: str) -> backtest.Backtest:
    return backtest.run(
        panel,
        backtest.past(panel, options.history_weeks),
        options.backfill,
        options.horizons,
        target=target,
        seed=options.seed,
        folder=store.lake / "members",
        workers=options.workers,
        progress=lambda done, of: run.progress(f"past days {target}", done, of),
    )


def _last_resort(run: Run, options: Options, panel: Panel, target: str, said: Mapping[str, FloatArray]) -> FloatArray:
    """(N, H) the last week again, in places where no member has a forecast; NaN in all others."""
    last = persistence.forecast(panel, options.horizons, target=target)
    lost = np.flatnonzero(~np.any([np.isfinite(points).all(axis=1) for points in said.values()], axis=0)).tolist()
    points = np.full(last.shape, np.nan)
    points[lost] = last[lost]
    reasons = [
        "the last week again: no member had a forecast" if np.isfinite(last[at, 0]) else _reason(panel, target, at)
        for at in lost
    ]
    run.fallback(forecasts.ENSEMBLE, target, [panel.locations[at] for at in lost], reasons)
    return points


def hospital(store: Store, run: Run, options: Options, panel: Panel, cases: Forecast) -> None:
    """Beds needed, from the quantiles of cases; what an earlier attempt at this run had put there is kept."""
    from restframe_epidemic import hospital

    with run.step("hospital", optional=True) as step:
        there = store.run("SELECT count(*) FROM epidemic.hospital_demand WHERE run_id = $1", [run.run_id]).scalar()
        if there and there == run.finished.get("hospital"):
            step.reused(there)
            return
        quantiles, levels = cases.quantiles, np.array(cases.levels)
        above = [level.quantiles for level in cases.sums]
        needed = hospital.demand(
            panel, quantiles.shape[1], quantiles=quantiles, levels=levels, above=above, seed=options.seed
        )
        step.rows = hospital.write(store, run.run_id, needed)


def score(store: Store, country: Country, run: Run, options: Options) -> None:
    """Scores of all stored forecasts whose truth has arrived, as the newest reports have it."""
    from restframe_epidemic import scoring

    panel: Panel | None = None
    for target in options.targets:
        named = country.targets[target]
        with run.step(f"score {target}", optional=True) as step:
            panel = panel or panel_reading.read(store, country)
            try:
                step.rows = scoring.write(store, scoring.read(store, panel, target, named), named)
            except errors.NoData as nothing:
                step.skipped(str(nothing))
