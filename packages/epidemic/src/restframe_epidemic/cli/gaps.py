"""`restframe-epidemic gaps`: treatment gaps and their drivers from claims, and what of them may be published."""

from __future__ import annotations

import argparse
import datetime
from typing import TYPE_CHECKING

from restframe_epidemic.cli import arguments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from restframe_epidemic.country import Country
    from restframe_epidemic.gaps.marts import Parameters
    from restframe_epidemic.privacy.suppression import Suppressed
    from restframe_epidemic.runs import Run, Say
    from restframe_epidemic.store import Store


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subcommands.add_parser("gaps", help="measure treatment gaps from claims and publish what may be published")
    arguments.warehouse(parser)
    arguments.country(parser)
    options(parser)
    parser.set_defaults(run=f"{__name__}:run")


def options(parser: argparse.ArgumentParser) -> None:
    """What gaps are measured by; of `run` too."""
    parser.add_argument(
        "--epidemic-start",
        metavar="DATE",
        type=arguments.day,
        help="the first day that is compared with the time before (the first reported case)",
    )
    parser.add_argument(
        "--lookback", metavar="DAYS", type=int, default=365, help="without the condition, for it to be new (365)"
    )


def run(given: argparse.Namespace) -> int:
    from restframe_epidemic import country
    from restframe_epidemic.runs import Run

    described = {"epidemic_start": given.epidemic_start, "lookback": given.lookback}
    with arguments.shown() as shown, arguments.store(given) as store:
        prepare(store)
        parameters = chosen(store, given.epidemic_start, given.lookback)
        with Run(store, "gaps", described, say=shown.say, progress=shown.progress) as run:
            run.begin_on(str(parameters.last_day), vintage(store))
            losses = measure(store, run, parameters, country.of(store, given.country))
        show(losses, shown.say)
        return 1 if run.failed else 0


def prepare(store: Store) -> None:
    """The tables that gaps need, where they are missing, and the rights on them."""
    from restframe_epidemic.gaps import claims, marts
    from restframe_epidemic.privacy import roles

    store.prepare()
    store.run(claims.schema())
    marts.prepare(store)
    roles.grant(store)


def chosen(store: Store, epidemic_start: str | None, lookback_days: int) -> Parameters:
    """What the definitions leave open. NoData without claims, or when nothing tells when the epidemic began."""
    from restframe_epidemic import errors
    from restframe_epidemic.gaps import marts

    first_day, last_day = marts.days_of_claims(store)
    if lookback_days < 0:
        raise errors.UsageError("--lookback must not be negative")
    if epidemic_start is not None:
        start = datetime.date.fromisoformat(epidemic_start)
    else:
        start = store.run("SELECT min(date) FROM epidemic.incidence WHERE cases > 0").scalar()
        if start is None:
            raise errors.NoData(
                "no reports tell when the epidemic began", hint="Ingest reports, or say --epidemic-start DATE."
            )
    return marts.Parameters(first_day, last_day, start, lookback_days=lookback_days)


def vintage(store: Store) -> str:
    """Tells these claims from others: their numbers and sums."""
    counts = store.run(
        """
        SELECT (SELECT count(*) FROM epidemic_claims.patient), (SELECT count(*) FROM epidemic_claims.medical_claim),
            (SELECT count(*) FROM epidemic_claims.pharmacy_claim),
            (SELECT sum(days_supply) FROM epidemic_claims.pharmacy_claim WHERE status = 'paid')
        """
    ).fetchall()[0]
    return "claims " + " ".join(str(count) for count in counts)


def measure(store: Store, run: Run, parameters: Parameters, country: Country) -> tuple[Suppressed, ...]:
    """Measure, explain and publish; a step each. Tables change whole: killed anywhere, the same command again gives the
    same tables.

    Drivers that cannot be explained and tables that must not be published are told, and stay as they were.
    """
    from restframe_epidemic.gaps import drivers, infections, marts
    from restframe_epidemic.privacy import published

    done = 0
    with run.step("infections", optional=True) as step:
        step.notes += infections.run(store, country, parameters.last_day)
    with run.step("measures of claims") as step:

        def finished(name: str, seconds: float) -> None:
            nonlocal done
            done += 1
            step.notes.append(f"{name} {seconds:.1f} s")
            run.progress("measures", done, len(marts.STEPS))

        marts.run(store, parameters, marts.MARTS, finished)
        unusable = store.run("SELECT sum(row_count) FROM epidemic_gaps.unusable").scalar()
        if unusable:
            step.notes.insert(0, f"{unusable:,} rows of claims could not be used: epidemic_gaps.unusable says why")
        left_out = store.run("SELECT count(*) FROM epidemic_gaps.left_out_provider").scalar()
        if left_out:
            step.notes.insert(0, f"{left_out:,} providers offer no access: epidemic_gaps.left_out_provider says why")
    with run.step("drivers", optional=True) as step:
        step.notes += drivers.run(store)
    losses: tuple[Suppressed, ...] = ()
    with run.step("publishing", optional=True) as step:
        losses = published.publish(store)
        step.rows = sum(loss.cells for loss in losses)
    return losses


def show(losses: Sequence[Suppressed], say: Say) -> None:
    """What was suppressed, as a table."""
    if not losses:
        return
    width = max(len(loss.table) for loss in losses)
    say(f"{'suppressed':<{width}} {'cells':>10} {'1 to 10':>10} {'for them':>10} {'of counted':>12}")
    for loss in losses:
        share = loss.patients_left_out / loss.patients if loss.patients else 0.0
        say(f"{loss.table:<{width}} {loss.cells:>10,} {loss.primary:>10,} {loss.complementary:>10,} {share:>12.2%}")
