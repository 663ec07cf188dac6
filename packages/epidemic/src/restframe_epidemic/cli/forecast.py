"""`restframe-epidemic forecast`: forecasts of a day into the warehouse, and out of it for a hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from restframe_epidemic.cli import arguments
from restframe_epidemic.country import TARGETS

if TYPE_CHECKING:
    from restframe_epidemic.daily import Options


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subcommands.add_parser("forecast", help="forecast cases and deaths of every place")
    arguments.warehouse(parser)
    arguments.country(parser)
    arguments.as_of(parser)
    options(parser)
    parser.add_argument(
        "--export", metavar="FILE", type=Path, help="also write the ensemble's forecast as a hub's CSV file"
    )
    parser.set_defaults(run=f"{__name__}:run")


def options(parser: argparse.ArgumentParser) -> None:
    """What a forecast is made of; of `run` too."""
    parser.add_argument(
        "--members", metavar="NAMES", type=arguments.names, default=(), help="models, with commas (all)"
    )
    parser.add_argument(
        "--backfill",
        metavar="NAMES",
        type=arguments.names,
        default=(),
        help="members that are run on past weeks too, to learn how wrong they are (all but agents)",
    )
    parser.add_argument("--target", choices=tuple(TARGETS), help="one of them only (both)")
    parser.add_argument("--horizons", metavar="WEEKS", type=int, choices=range(1, 9), default=8, help="1 to 8 (8)")
    parser.add_argument("--seed", metavar="N", type=arguments.seed, default=0, help="of everything that is drawn (0)")
    parser.add_argument("--workers", metavar="N", type=int, default=2, help="processes for past weeks (2)")


def chosen(given: argparse.Namespace) -> Options:
    """The options that a command line names. UsageError for a member that does not exist."""
    from restframe_epidemic import daily

    targets = (given.target,) if given.target else tuple(TARGETS)
    return daily.Options(
        given.members,
        given.backfill,
        targets,
        given.horizons,
        seed=given.seed,
        workers=given.workers,
    ).resolved()


def run(given: argparse.Namespace) -> int:
    from restframe_epidemic import country, daily, forecasts
    from restframe_epidemic.runs import Run

    options = chosen(given)
    with arguments.shown() as shown, arguments.store(given) as store:
        store.prepare()
        place = country.of(store, given.country)
        with Run(store, "forecast", options.described, say=shown.say, progress=shown.progress) as run:
            daily.forecast(store, place, run, options, given.as_of)
        if given.export is not None:
            shown.say(f"{given.export}: {forecasts.export(store, run.run_id, given.export):,} rows")
        return 1 if run.failed else 0
