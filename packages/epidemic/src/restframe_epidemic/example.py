"""The files of an invented country, Marisma, for those who have no data at hand: `countries/marisma` describes them.

An epidemic spreads from district to district in two waves, held back by policies. A part of it is reported, late, less
on Sundays, and with the mistakes that real reports have: a backlog on one day, a count that falls, rows that are no
rows. The same seed makes the same files, byte for byte.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

FIRST_DAY = np.datetime64("2020-02-24")  # a Monday
DAYS = 40 * 7
NEWEST_DAYS = 7  # in a file of their own, the newest one

_PROVINCES = "NESW"
_PER_PROVINCE = 9  # the first one is the province's city
_NAMES = (
    "Northgate", "Alder", "Arrow", "Birch", "Brackwater", "Cedar", "Chalk", "Cinder", "Clay",
    "Eastport", "Copper", "Cormorant", "Dune", "Eider", "Elm", "Fallow", "Fern", "Flint",
    "Southbridge", "Gannet", "Gorse", "Granite", "Hazel", "Heron", "Juniper", "Kestrel", "Lark",
    "Westhaven", "Linden", "Marl", "Osprey", "Plover", "Reed", "Rowan", "Slate", "Tern",
)  # fmt: skip
_EMPTY = "W09"  # an islet that never reports a case
_UNCOUNTED = "E09"  # whose people nobody counted

_MIDDLE = ((39.7, -31.0), (38.8, -29.9), (37.9, -31.0), (38.8, -32.1))  # degrees, of the provinces
_CITIES = (610_000, 340_000, 210_000, 95_000)

# Share of those whom somebody infects by days after the own infection, from day 1 on.
_SERIAL = np.array([0.05, 0.15, 0.2, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03])
_REPRODUCTION = 1.75  # in spring, without policies
_CAREFUL, _CAREFUL_FROM = 0.83, 30  # what people avoid by themselves, and from which day on
_NEAR_KM = 100.0
_REPORT_DELAY, _DEATH_DELAY = 7, 20  # days after infection
_FATAL = 0.007
_WEEKDAYS = np.array([0.9, 1.15, 1.1, 1.05, 1.05, 0.95, 0.8])  # from Monday on

# Policy, its highest level, and (days after the first one, level); a province follows the one before it 3 days later.
_POLICIES = (
    ("c1_school_closing", 3, ((24, 3), (98, 1), (258, 2))),
    ("c2_workplace_closing", 3, ((27, 2), (92, 1), (264, 2))),
    ("c6_stay_at_home_requirements", 3, ((30, 2), (84, 0), (270, 1))),
)


@dataclass(frozen=True, slots=True)
class Land:
    """N districts. apart : (N, N) kilometres"""

    codes: tuple[str, ...]
    latitude: FloatArray
    longitude: FloatArray
    people: IntArray
    apart: FloatArray

    @property
    def province(self) -> IntArray:
        """(N,) which of _PROVINCES"""
        return np.arange(len(self.codes)) // _PER_PROVINCE


def write(directory: Path, seed: int = 0) -> list[Path]:
    """Write the raw files into a folder, which is made where it is missing; returns them."""
    random = np.random.default_rng([seed, 2020])
    land = _land(random)
    cases, deaths = _reported(_infections(land, random), random)
    cases, deaths = (counts * (np.array(land.codes) != _EMPTY)[:, None] for counts in (cases, deaths))
    counts = np.cumsum(_late(cases, land), axis=1), np.cumsum(deaths, axis=1)
    counts[0][land.codes.index("S04"), 120:] -= counts[0][land.codes.index("S04"), 119] // 8  # counted twice before
    directory.mkdir(parents=True, exist_ok=True)
    split = DAYS - NEWEST_DAYS
    return [
        _write(directory / "districts.csv", *_districts(land, random)),
        _write(directory / "borders.csv", "one,other", _borders(land)),
        _write(directory / "policies.csv", "province,day,policy,level", _policies()),
        _reports(directory, land, counts, range(split), _NO_ROWS),
        _reports(directory, land, counts, range(split, DAYS)),
    ]


# Rows as they come from somebody's spreadsheet: a district that is not there, no number, a year that has not come.
_NO_ROWS = (("X01", "2020-10-05", 3, 0), ("N03", "2020-10-06", "n/a", 4), ("S02", "2202-10-07", 812, 9))


def _land(random: np.random.Generator) -> Land:
    codes = tuple(f"{letter}{at:02d}" for letter in _PROVINCES for at in range(1, _PER_PROVINCE + 1))
    turn = np.arange(_PER_PROVINCE - 1) * 2 * np.pi / (_PER_PROVINCE - 1)
    around = np.concatenate([np.zeros((1, 2)), np.column_stack([0.4 * np.cos(turn), 0.52 * np.sin(turn)])])
    places = np.concatenate([np.array(middle) + around for middle in _MIDDLE])
    places = (places + random.uniform(-0.07, 0.07, places.shape)).round(4)
    people = np.exp(random.normal(10.3, 0.8, len(codes)))
    people[::_PER_PROVINCE] = _CITIES
    people[codes.index(_EMPTY)] = 900
    km = places * 111.2 * np.array([1.0, np.cos(np.radians(places[:, 0].mean()))])
    apart = np.hypot(*(km[:, None, :] - km[None, :, :]).transpose(2, 0, 1))
    return Land(codes, places[:, 0], places[:, 1], people.astype(np.int64), apart)


def _levels() -> FloatArray:
    """(policies, provinces, DAYS) levels of policies."""
    levels = np.zeros((len(_POLICIES), len(_PROVINCES), DAYS))
    for number, (_, _, changes) in enumerate(_POLICIES):
        for at in range(len(_PROVINCES)):
            for day, level in changes:
                levels[number, at, day + 3 * at :] = level
    return levels


def _infections(land: Land, random: np.random.Generator) -> IntArray:
    """(N, DAYS): each day's infections renew those of the days before, in the district and near it."""
    N = len(land.codes)
    near = np.exp(-land.apart / _NEAR_KM)
    np.fill_diagonal(near, 0.0)
    mixing = 0.88 * np.eye(N) + 0.12 * near / near.sum(axis=1, keepdims=True)
    highest = np.array([top for _, top, _ in _POLICIES])
    strict = (_levels() / highest[:, None, None]).mean(axis=0)[land.province]  # (N, DAYS)
    winter = 1 + 0.16 * np.cos(2 * np.pi * (np.arange(DAYS) + 45) / 365)
    careful = np.where(np.arange(DAYS) < _CAREFUL_FROM, 1.0, _CAREFUL)
    swing = np.cumsum(random.normal(0, 0.008, (len(_PROVINCES), DAYS)), axis=1)
    contacts = _REPRODUCTION * (1 - 0.52 * strict) * winter * careful * np.exp(swing)[land.province]
    contacts *= np.exp(random.normal(0, 0.03, N))[:, None]
    infected = np.zeros((N, DAYS + len(_SERIAL)), dtype=np.int64)
    infected[::_PER_PROVINCE, : len(_SERIAL)] = random.poisson([[14], [8], [5], [3]], (len(_PROVINCES), len(_SERIAL)))
    for day in range(DAYS):
        now = day + len(_SERIAL)
        pressure = mixing @ (infected[:, day:now] @ _SERIAL[::-1])
        left = 1 - infected[:, :now].sum(axis=1) / land.people
        infected[:, now] = random.poisson(np.maximum(0.0, contacts[:, day] * left * pressure) + 0.002)
    return infected[:, len(_SERIAL) :]


def _reported(infections: IntArray, random: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Cases and deaths by the day of the report; tests reach 15 % of the infected at first, 45 % later on."""
    known = np.linspace(0.15, 0.45, DAYS) * np.resize(_WEEKDAYS, DAYS)
    cases = random.binomial(_later(infections, _REPORT_DELAY), known)
    deaths = random.binomial(_later(infections, _DEATH_DELAY), _FATAL * np.resize(_WEEKDAYS, DAYS))
    return cases, deaths


def _later(daily: IntArray, days: int) -> IntArray:
    return np.concatenate([np.zeros((len(daily), days), dtype=np.int64), daily[:, :-days]], axis=1)


def _late(cases: IntArray, land: Land) -> IntArray:
    """In Southbridge nothing is reported for five days, then all of it on one."""
    at, first = land.codes.index("S01"), 246
    cases = cases.copy()
    cases[at, first + 5] += cases[at, first : first + 5].sum()
    cases[at, first : first + 5] = 0
    return cases


_Rows = Iterable[Sequence[object]]
_HEAD = (
    "district,name,province,latitude,longitude,people,young,old,poverty,household_size,"
    "hospital_beds,icu_beds,physicians"
)


def _districts(land: Land, random: np.random.Generator) -> tuple[str, _Rows]:
    N = len(land.codes)
    old = random.uniform(0.14, 0.27, N).round(3)
    young = (0.42 - old + random.uniform(-0.02, 0.02, N)).round(3)
    poverty = random.uniform(6, 28, N).round(1)
    icu = np.ceil(land.people * random.uniform(0.0002, 0.0008, N)).astype(int)
    return _HEAD, [
        (code, _NAMES[at], _PROVINCES[land.province[at]], land.latitude[at], land.longitude[at],
         "" if code == _UNCOUNTED else land.people[at], young[at], old[at], poverty[at],
         round(2.0 + 0.03 * poverty[at], 2), 9 * icu[at], icu[at], land.people[at] // 450)
        for at, code in enumerate(land.codes)
    ]  # fmt: skip


def _borders(land: Land) -> _Rows:
    """Districts at most 50 km apart."""
    return [(land.codes[i], land.codes[j]) for i, j in np.argwhere(np.triu(land.apart < 50.0, 1)).tolist()]


def _policies() -> _Rows:
    return [
        (_PROVINCES[at], FIRST_DAY + day, name, levels[at, day])
        for (name, _, _), levels in zip(_POLICIES, _levels(), strict=True)
        for at in range(len(_PROVINCES))
        for day in range(DAYS)
        if day == 0 or levels[at, day] != levels[at, day - 1]
    ]


def _reports(directory: Path, land: Land, counts: tuple[IntArray, IntArray], days: range, others: _Rows = ()) -> Path:
    """The counts of some days, in a file named after the last one."""
    rows = [
        (code, FIRST_DAY + day, counts[0][at, day], counts[1][at, day])
        for day in days
        for at, code in enumerate(land.codes)
    ]
    path = directory / f"reports_{FIRST_DAY + days[-1]}.csv.gz"
    return _write(path, "district,day,cases,deaths", [*rows, *others])


def _write(path: Path, head: str, rows: _Rows) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head.split(","), *rows])
    content = text.getvalue().encode()
    # Without the time of writing, which gzip would put into the file.
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path
