"""`restframe-epidemic ingest`: raw files into the lake and the warehouse."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path

from restframe_epidemic.cli import arguments


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = subcommands.add_parser(
        "ingest",
        help="read what is new in the raw files into the warehouse",
        description="Read what is new in the raw files: check it, keep it as Parquet in the lake, load it into the "
        "warehouse and fill the engine's tables. Run again, it does only what is not done.",
    )
    command.add_argument("source", nargs="*", help="only these; all sources of the country otherwise")
    arguments.data(command)
    arguments.warehouse(command)
    arguments.country(command)
    command.add_argument(
        "--today", type=datetime.date.fromisoformat, metavar="DATE", help="refuse dates after this one (today)"
    )
    command.set_defaults(run="restframe_epidemic.cli.ingest:run")


def run(given: argparse.Namespace) -> int:
    """0 when nothing failed; 1 when a source did, or one that was named has no file."""
    from restframe_epidemic import country, errors
    from restframe_epidemic.pipeline.ingest import ingest
    from restframe_epidemic.store import BOUNDED

    data = Path(given.data)
    if not data.is_dir():
        raise errors.UsageError(f'"{str(given.data)[:200]}" is no directory', hint="--data takes the raw files' one.")
    with (
        arguments.store(given, **BOUNDED) as store,
        arguments.shown() as shown,
    ):
        outcomes = ingest(
            store,
            country.of(store, given.country),
            data,
            shown,
            only=given.source,
            today=given.today,
        )
    absent = [outcome.source for outcome in outcomes if outcome.status == "absent"]
    for outcome in outcomes:
        if outcome.status == "absent":
            continue
        told = outcome.status
        if outcome.files:
            told += f": {outcome.rows:,} rows of {outcome.files} file{'s' if outcome.files > 1 else ''}"
            told += f", {outcome.refused:,} in quarantine" if outcome.refused else ""
            told += f", {outcome.repeated:,} repeated" if outcome.repeated else ""
        print(f"{outcome.source:24} {told}")
    if absent:
        print(f"not there: {', '.join(absent)}; what is made of them is left out")
    return 1 if set(absent) & set(given.source) or any(outcome.status == "failed" for outcome in outcomes) else 0
