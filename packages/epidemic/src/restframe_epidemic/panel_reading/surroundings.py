"""What is known of places beside their reports: people, neighbours, beds, what is static, what changes; the disease."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd

from restframe_epidemic.hierarchy import Places, some
from restframe_epidemic.panel import DateArray, FloatArray, IntArray, Spread
from restframe_epidemic.panel_reading.reports import dates, index

_REPORTED = "ascertainment"  # a share: as a feature the place's, as a parameter the country's
_OLDEST = 90  # the open last band of ages is taken to end here, or ten years after it begins


def population(places: Places, notices: list[str]) -> FloatArray:
    """(N,) people, NaN where unknown or not positive."""
    given = places.frame.reindex(columns=["population"])["population"]
    given = pd.to_numeric(given, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    good = np.isfinite(given) & (given > 0)
    if not good.all():
        wrong = some(places.codes[at] for at in np.flatnonzero(~good))
        notices.append(f"places whose population is not known or not positive: {wrong}")
    return np.where(good, given, np.nan)


def neighbours(table: pd.DataFrame | None, places: Places) -> tuple[IntArray, ...]:
    """Both directions, whether they were given or not; places that are not there and a place itself are left out."""
    N = len(places.codes)
    if table is None or table.empty:
        return (np.zeros(0, dtype=np.int64),) * N
    one, other = (index(table[column].astype(str), places.codes) for column in ("location", "neighbour"))
    touch = (one >= 0) & (other >= 0) & (one != other)
    pairs = np.unique(np.concatenate([one[touch] * N + other[touch], other[touch] * N + one[touch]]))
    return tuple(np.split(pairs % N, np.searchsorted(pairs // N, np.arange(1, N))))


def features(table: pd.DataFrame | None, places: Places, notices: list[str]) -> dict[str, FloatArray]:
    """(N,) by name: a place's own, else that of the nearest above it; coordinates among them. An ascertainment that is
    no share counts as missing."""
    found: dict[str, FloatArray] = {}
    for name, rows in () if table is None else table.groupby("name", sort=True):
        codes, row = _rows(rows["location"].astype(str), places)
        nearest = row[(row >= 0).argmax(axis=0), np.arange(row.shape[1])]
        values = np.full(len(codes) + 1, np.nan)  # the last one is for places of which nothing is known
        values[index(rows["location"].astype(str), codes)] = rows["value"].to_numpy(dtype=np.float64)
        found[str(name)] = values[nearest]
    if _REPORTED in found:
        share = found[_REPORTED]
        good = (share > 0) & (share <= 1)
        found[_REPORTED] = np.where(good, share, np.nan)
        if not good.all():
            wrong = some(places.codes[at] for at in np.flatnonzero(~good))
            notices.append(f"places whose {_REPORTED} is missing or no share, so as of the whole country: {wrong}")
    coordinates = [name for name in ("latitude", "longitude") if name in places.frame]
    return found | {name: places.frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in coordinates}


def signals(table: pd.DataFrame | None, places: Places, days: DateArray) -> Spread:
    """A value holds until the next row of its name and place; those from before the first day hold into it."""
    if table is None or table.empty:
        return Spread()
    series: dict[str, FloatArray] = {}
    since: dict[str, IntArray] = {}
    row: dict[str, IntArray] = {}
    day = (dates(table, "signals").to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)
    table = table.assign(day=day, location=table["location"].astype(str))
    table = table[table["day"] < len(days)].sort_values("day", kind="stable")
    for name, rows in table.groupby("name", sort=True):
        codes, row[str(name)] = _rows(rows["location"], places)
        # Which of its rows holds on each day: the newest so far. (R, D), -1 where none yet.
        holds = np.full((len(codes), len(days)), -1, dtype=np.int64)
        cell = index(rows["location"], codes), rows["day"].to_numpy().clip(min=0)
        np.maximum.at(holds, cell, np.arange(len(rows)))
        holds = np.maximum.accumulate(holds, axis=1)
        since[str(name)] = (holds < 0).sum(axis=1)
        series[str(name)] = np.append(rows["value"].to_numpy(dtype=np.float64), np.nan)[holds]
    return Spread(series, since, row)


def _rows(codes: pd.Series, places: Places) -> tuple[tuple[str, ...], IntArray]:
    """The codes that say something; and (levels, N) which of them is the place's own, its group's, ..., or -1."""
    known = tuple(sorted(codes.unique()))
    return known, np.stack([index(pd.Series(level), known) for level in (places.codes, *places.above)])


def ages(table: pd.DataFrame | None, places: Places) -> tuple[IntArray, FloatArray]:
    """Places of which nothing is known have the shares of all others together; without a table there is one band.

    No model tells ages of 90 and more apart: bands that begin there are part of the one before.
    """
    first = np.array([]) if table is None else table["age_from"].to_numpy(dtype=np.float64, na_value=np.nan).clip(min=0)
    age_from = np.unique(first[first < _OLDEST]).astype(np.int64)
    if table is None or not len(age_from):
        return np.zeros(1, dtype=np.int64), np.ones((len(places.codes), 1))
    people = np.zeros((len(places.codes), len(age_from)))
    row = index(table["location"].astype(str), places.codes)
    band = np.searchsorted(age_from, first, side="right") - 1
    counts = table["population"].to_numpy(dtype=np.float64, na_value=np.nan)
    good = (row >= 0) & (band >= 0) & np.isfinite(first) & np.isfinite(counts) & (counts > 0)
    np.add.at(people, (row[good], band[good]), counts[good])
    together = people.sum(axis=0) if people.any() else np.ones(len(age_from))
    people[people.sum(axis=1) == 0] = together
    return age_from, people / people.sum(axis=1, keepdims=True)


def capacity(table: pd.DataFrame | None, places: Places) -> dict[str, FloatArray]:
    """(N,) by name of the column, NaN where unknown."""
    if table is None:
        return {}
    of_place = table.assign(location=table["location"].astype(str)).groupby("location").max().reindex(places.codes)
    return {str(name): of_place[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in of_place}


def parameters(table: pd.DataFrame | None, notices: list[str]) -> dict[str, float]:
    """By name; without those whose value is missing or not positive, so that models take their own."""
    if table is None:
        return {}
    values = pd.to_numeric(table.set_index("name")["value"], errors="coerce").astype(np.float64)
    good = np.isfinite(values) & (values > 0)
    if not good.all():
        notices.append(
            f"parameters without a positive value, of which models take their own: {some(values.index[~good])}"
        )
    return {str(name): float(value) for name, value in values[good].items()}


def severity(table: pd.DataFrame | None, age_from: IntArray, notices: list[str]) -> dict[str, FloatArray]:
    """(A,) by rate: the mean over the years of each of the Panel's bands, whose edges need not be the table's.

    A rate that is missing or negative of any age is left out as a whole: its ages are relative to each other.
    """
    if table is None or table.empty:
        return {}
    table = table.sort_values("age_from").set_index("age_from")
    table = table.apply(pd.to_numeric, errors="coerce").astype(np.float64)
    good = np.isfinite(table) & (table >= 0)
    for name in table.columns[~good.all()]:
        ages = some(table.index[~good[name]])
        notices.append(f"{name} by age is missing or negative from age {ages}: the built-in one stands for all ages")
    table = table.loc[:, good.all()]
    oldest = max(_OLDEST, int(age_from[-1]) + 10)
    of_year = (np.searchsorted(table.index.to_numpy(), np.arange(oldest), side="right") - 1).clip(min=0)
    bands = list(pairwise([*age_from.tolist(), oldest]))
    return {
        str(name): np.array([rates.to_numpy()[of_year[low:high]].mean() for low, high in bands])
        for name, rates in table.items()
    }
