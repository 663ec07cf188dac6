"""`restframe-epidemic example`: the raw files of an invented country, to try the engine with."""

from __future__ import annotations

import argparse
from pathlib import Path

from restframe_epidemic.cli import arguments


def add(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subcommands.add_parser(
        "example",
        help="write the raw files of an invented country, to try everything with",
        description="Write the raw files of Marisma, an invented country of 36 districts in four provinces, with an "
        "epidemic of 40 weeks and the mistakes that real reports have. The other commands take them with "
        "--country marisma --data DIR.",
    )
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="where the files go; it is made where it is missing"
    )
    parser.add_argument("--seed", metavar="N", type=arguments.seed, default=0, help="of everything that is drawn (0)")
    parser.set_defaults(run=f"{__name__}:run")


def run(given: argparse.Namespace) -> int:
    from restframe_epidemic import example

    for path in example.write(given.directory, given.seed):
        print(path)
    return 0
