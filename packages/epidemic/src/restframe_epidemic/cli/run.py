"""`restframe-epidemic run --daily`: everything that a day needs, in one command."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from restframe_epidemic.cli import arguments, forecast, gaps

if TYPE_CHECKING:
    from restframe_epidemic.country import Country
    from restframe_epidemic.runs import Run
    from restframe_epidemic.store import Store


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subcommands.add_parser(
        "run",
        help="ingest, forecast, beds, gaps and scores, one after the other",
        description="Ingest what is new, forecast, compute the beds needed and the treatment gaps, and score earlier "
        "forecasts. A step that fails is listed and the others go on. Run again, it does only what is not done.",
    )
    parser.add_argument("--daily", action="store_true", required=True, help="the steps of a day")
    arguments.warehouse(parser)
    arguments.country(parser)
    arguments.data(parser)
    arguments.as_of(parser)
    forecast.options(parser)
    gaps.options(parser)
    parser.set_defaults(run=f"{__name__}:run")


def run(given: argparse.Namespace) -> int:
    """0 when every step went well, 1 when one failed; the run table says which."""
    from restframe_epidemic import country, daily
    from restframe_epidemic.runs import Run

    options = forecast.chosen(given)
    described = {
        **options.described,
        "as_of": given.as_of,
        "epidemic_start": given.epidemic_start,
        "lookback": given.lookback,
    }
    with arguments.shown() as shown, arguments.store(given) as store:
        store.prepare()
        place = country.of(store, given.country)
        with Run(store, "daily", described, say=shown.say, progress=shown.progress) as run:
            _ingest(store, run, place, given, shown)
            panel, forecasts = daily.forecast(store, place, run, options, given.as_of)
            if "cases" in forecasts:
                daily.hospital(store, run, options, panel, forecasts["cases"])
            _gaps(store, run, given, place)
            daily.score(store, place, run, options)
        shown.say(f"run {run.run_id}: {'failed: ' + ', '.join(run.failed) if run.failed else 'done'}")
        return 1 if run.failed else 0


def _ingest(store: Store, run: Run, place: Country, given: argparse.Namespace, shown: arguments.Shown) -> None:
    """A source that is absent or fails is noted; the day goes on with what there is."""
    from restframe_epidemic.pipeline.ingest import ingest

    with run.step("ingest", optional=True) as step:
        with store.bounded():
            outcomes = ingest(store, place, Path(given.data), shown)
        step.rows = sum(outcome.rows for outcome in outcomes)
        absent = {outcome.source: outcome.looked_for for outcome in outcomes if outcome.status == "absent"}
        failed = [f"{outcome.source}: {outcome.error}" for outcome in outcomes if outcome.status == "failed"]
        if absent:
            step.notes.append(f"not there: {', '.join(absent)}")
            step.details += [f"{source} is looked for as {files}" for source, files in absent.items()]
        if failed:
            step.failed(*failed)


def _gaps(store: Store, run: Run, given: argparse.Namespace, place: Country) -> None:
    from restframe_epidemic import errors

    with run.step("gaps", optional=True) as step:
        gaps.prepare(store)
        try:
            parameters = gaps.chosen(store, given.epidemic_start, given.lookback)
        except errors.NoData as nothing:
            step.skipped(str(nothing))
            return
        gaps.measure(store, run, parameters, place)
