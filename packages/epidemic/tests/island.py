"""The files of an invented island, whose country pack lies in `country/`: 18 parishes in three cantons."""

from __future__ import annotations

import csv
import gzip
from itertools import pairwise
from pathlib import Path

import numpy as np

COUNTRY = Path(__file__).parent / "country"
PARISHES = tuple(f"P-{at:02d}" for at in range(1, 19))
FIRST = np.datetime64("2021-02-01")  # a Monday
EMPTY = "P-18"  # never reports a case
UNKNOWN = "P-17"  # whose population is a mistake


def write(directory: Path, weeks: int = 26, *, extra_days: int = 2) -> None:
    """Reports of so many whole weeks and some days, and all that does not change."""
    rng = np.random.default_rng(7)
    days = 7 * weeks + extra_days
    directory.mkdir(parents=True, exist_ok=True)
    people = rng.integers(2_000, 60_000, len(PARISHES))
    _csv(
        directory / "parishes.csv",
        "code,name,canton,people,children,elders,beds,icu",
        [
            (code, f"Parish {at}", f"K-{1 + at % 3}", said, 0.2, 0.25, said // 300, said // 5000)
            for at, (code, said) in enumerate(
                zip(PARISHES, np.where(np.array(PARISHES) == UNKNOWN, -1, people), strict=True)
            )
        ],
    )
    wave = 1.5 + np.sin(np.arange(7 * 60)[None, :] / 17 + rng.uniform(0, 1, (len(PARISHES), 1)))
    cases = rng.poisson(people[:, None] * wave / 4_000)[
        :, :days
    ]  # of all weeks first: later ones change no earlier one
    cases[PARISHES.index(EMPTY)] = 0
    counts = np.cumsum(cases, axis=1)
    dates = FIRST + np.arange(days)
    rows = [
        (code, dates[day], counts[at, day], counts[at, day] // 60)
        for at, code in enumerate(PARISHES)
        for day in range(days)
    ]
    with gzip.open(directory / "reports.csv.gz", "wt", newline="") as file:
        csv.writer(file).writerows([("parish", "day", "confirmed", "died"), *rows])
    _csv(directory / "roads.csv", "one,other", list(pairwise(PARISHES)))
    _csv(
        directory / "measures.csv",
        "canton,day,schools_closed",
        [(f"K-{canton}", FIRST + 14 * canton, canton % 2) for canton in (1, 2, 3)],
    )


def _csv(path: Path, head: str, rows: list[tuple[object, ...]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head.split(","), *rows])
