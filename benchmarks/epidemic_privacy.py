"""What privacy costs: tokens against Python's hmac, and suppression of counts of every county, week and condition.

    python benchmarks/epidemic_privacy.py [--counties 3142] [--weeks 52] [--conditions 4] [--crossing 300]

The counts are made up: places of log-normal size, Poisson counts. `crossing` is a smaller number of counties for tables
in which weeks are summed up too, so that two hierarchies cross and linear programs are solved.
"""

from __future__ import annotations

import argparse
import hmac
import time

import numpy as np
import pandas as pd
import pyarrow as pa

from restframe_epidemic.privacy import tokens
from restframe_epidemic.privacy.attack import attack
from restframe_epidemic.privacy.cells import Hierarchies, Table
from restframe_epidemic.privacy.suppression import suppress

_PATIENTS = 1_000_000
_STATES = 51


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("counties", 3142), ("weeks", 52), ("conditions", 4), ("crossing", 300)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    _tokens()
    _suppression("counties, states, nation", *_made(given.counties, given.weeks, given.conditions, per_person=3e-3))
    _suppression("and weeks summed up", *_made(given.crossing, 4, 1, per_person=3e-4, summed=True))


def _tokens() -> None:
    key = tokens.Key(bytes(range(32)))
    identifiers = [f"MRN{number:09d}" for number in range(_PATIENTS)]
    column = pa.array(identifiers)
    tokens.tokenise(column[:100], key)  # compiles
    begun = time.perf_counter()
    ours = tokens.tokenise(column, key)
    between = time.perf_counter()
    theirs = [hmac.digest(key.secret, identifier.encode(), "sha256").hex()[:32] for identifier in identifiers]
    ended = time.perf_counter()
    assert ours.to_pylist() == theirs
    ratio = (ended - between) / (between - begun)
    print(f"tokens of {_PATIENTS:,} different identifiers: {_PATIENTS / (between - begun):,.0f} a second,")
    print(f"  {ratio:.1f} times as many as hmac.digest one by one")


def _made(
    counties: int, weeks: int, conditions: int, *, per_person: float, summed: bool = False
) -> tuple[list[Table], Hierarchies]:
    random = np.random.default_rng(1)
    state = np.sort(random.integers(0, _STATES, counties))
    people = np.exp(random.normal(10.2, 1.4, counties))
    above = {f"c{i:05d}": f"s{state[i]:02d}" for i in range(counties)}
    county = pd.DataFrame(
        {
            "location": np.repeat(list(above), weeks * conditions),
            "week": np.tile(np.repeat([f"w{i}" for i in range(weeks)], conditions), counties),
            "condition": np.tile([f"k{i}" for i in range(conditions)], counties * weeks),
        }
    )
    rates = per_person * np.exp(random.normal(0.0, 0.3, (1, weeks * conditions)))
    county["patients"] = random.poisson(people[:, None] * rates).ravel()
    by = ["location", "week", "condition"]
    states = county.assign(location=county["location"].map(above)).groupby(by, as_index=False)["patients"].sum()
    nation = states.assign(location="nation").groupby(by, as_index=False)["patients"].sum()
    frames = {"counties": county, "states": states, "nation": nation}
    tables = [Table(name, frame, tuple(by)) for name, frame in frames.items()]
    hierarchies = {"location": above | {f"s{i:02d}": "nation" for i in range(_STATES)}}
    if summed:
        year = {
            name: frame.drop(columns="week").groupby(by[::2], as_index=False).sum() for name, frame in frames.items()
        }
        tables += [Table(f"{name}, all weeks", frame, ("location", "condition")) for name, frame in year.items()]
        hierarchies["week"] = {f"w{i}": "year" for i in range(weeks)}
    return tables, hierarchies


def _suppression(title: str, tables: list[Table], hierarchies: Hierarchies) -> None:
    begun = time.perf_counter()
    edition = suppress(tables, hierarchies)
    seconds = time.perf_counter() - begun
    naive = suppress(tables, hierarchies, complementary=False)
    found = len(attack(naive.tables, hierarchies))
    print(f"{title}: {sum(len(table.frame) for table in tables):,} cells in {seconds:.1f} s, the attacker included")
    print(f"  without complementary suppression he finds out {found:,}")
    for loss in edition.losses:
        share = loss.patients_left_out / loss.patients
        print(
            f"  {loss.table:<22} {loss.primary:>9,} small, {loss.complementary:>6,} for them, {share:7.2%} of patients"
        )


if __name__ == "__main__":
    main()
