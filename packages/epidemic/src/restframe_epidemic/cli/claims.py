"""`restframe-epidemic claims generate | load`: claims into the warehouse, made up or real."""

from __future__ import annotations

import argparse
import shutil
from datetime import date
from pathlib import Path

from restframe_epidemic.cli import arguments


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subcommands.add_parser("claims", help="make up claims, or load real ones")
    actions = parser.add_subparsers(title="actions", metavar="action", required=True)

    generate = actions.add_parser(
        "generate", help="fill epidemic_claims with made-up claims, in which effects are planted"
    )
    arguments.warehouse(generate)
    generate.add_argument("--patients", metavar="N", type=int, default=100_000, help="how many (100000)")
    generate.add_argument("--seed", metavar="N", type=arguments.seed, default=0, help="of everything that is drawn (0)")
    generate.add_argument("--from", dest="start", metavar="DATE", type=arguments.day, default="2018-01-01")
    generate.add_argument("--to", dest="end", metavar="DATE", type=arguments.day, default="2020-12-31")
    generate.add_argument("--epidemic-start", metavar="DATE", type=arguments.day, default="2020-03-15")
    generate.add_argument("--keep", metavar="DIR", type=Path, help="where the files stay; nowhere otherwise")
    generate.set_defaults(run=f"{__name__}:generate")

    load = actions.add_parser("load", help="fill epidemic_claims from what was ingested, under tokens")
    arguments.warehouse(load)
    load.set_defaults(run=f"{__name__}:load")


def generate(given: argparse.Namespace) -> int:
    from restframe_epidemic.gaps.claims import loading
    from restframe_epidemic.gaps.claims.design import Design
    from restframe_epidemic.gaps.claims.generate import generate as make
    from restframe_epidemic.gaps.claims.places import read

    start, end, epidemic_start = map(date.fromisoformat, (given.start, given.end, given.epidemic_start))
    design = Design(given.patients, given.seed, start, end, epidemic_start)
    with arguments.shown() as shown, arguments.store(given) as store:
        store.prepare()
        places = read(store, given.seed)
        kept = given.keep or store.private / "claims" / design.digest(places)
        truth = make(design, places, kept, lambda done, of: shown.progress("patients", done, of))
        loading.load_generated(store, kept, lambda done, of: shown.progress("files loaded", done, of))
        if given.keep is None:
            shutil.rmtree(kept)
        for table, rows in truth.rows.items():
            shown.say(f"{table:16} {rows:>14,} rows")
    return 0


def load(given: argparse.Namespace) -> int:
    from restframe_epidemic.gaps.claims import loading
    from restframe_epidemic.privacy.tokens import load_key

    with arguments.shown() as shown, arguments.store(given) as store:
        store.prepare()
        key = load_key(store.folder)
        loading.load_staged(store, key, shown.say, lambda done, of: shown.progress("files loaded", done, of))
    return 0
