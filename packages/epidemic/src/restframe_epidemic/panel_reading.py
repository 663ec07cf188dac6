"""Panels from tables: of plain data frames, or of a warehouse.

Whatever is wrong with the data of one place costs that place, not the day: it is left out or unknown, and a notice of
the Panel says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from restframe_epidemic import errors, hierarchy
from restframe_epidemic.country import WEEKDAYS, Country
from restframe_epidemic.hierarchy import Places, some
from restframe_epidemic.panel import (
    DAYS_OF_WEEK,
    BoolArray,
    DateArray,
    FloatArray,
    IntArray,
    Panel,
    Spread,
    cleansed,
)
from restframe_epidemic.pipeline.series import beginning

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

TARGETS = ("cases", "deaths")
_RHYTHM_WEEKS = 8  # the last ones, which say on what days reports come
_OLDEST = 90  # the open last band of ages is taken to end here, or ten years after it begins


def from_frames(
    reports: pd.DataFrame,
    locations: pd.DataFrame,
    *,
    adjacency: pd.DataFrame | None = None,
    features: pd.DataFrame | None = None,
    signals: pd.DataFrame | None = None,
    ages: pd.DataFrame | None = None,
    capacity: pd.DataFrame | None = None,
    holidays: pd.DataFrame | None = None,
    severity: pd.DataFrame | None = None,
    parameters: pd.DataFrame | None = None,
    as_of: np.datetime64 | str | None = None,
    week_ends: str = "saturday",
) -> Panel:
    """A Panel of frames with the columns of the tables in `pipeline/sql/schema.sql`.

    reports : location, date, cases, deaths; cumulative as reported, in any order. A day without a row is a missing day
    locations : location, parent, population and if known name, level, latitude, longitude; a place is one that is no
        parent, as deep as the deepest or of their level
    adjacency : location, neighbour. features : location, name, value; those of a parent stand in each of its places,
        unless it has its own. signals : location, date, name, value; likewise from its first day on, and a value holds
        until the next one, NaN ends it. ages : location, age_from, population. capacity : location and numbers.
        holidays : date. severity : age_from and rates. parameters : name, value
    as_of : nothing later is looked at; the last week is the last that was complete by then
    week_ends : the weekday, in English

    DataError for a date that is none; NoData when there is not one whole week. Places without a row of their own in
    `locations` are left out; of two reports of one place and day the greater counts stand; parents that are not there
    or lead back are as `hierarchy` says; populations that are not positive are unknown. All are told in `notices`.
    """
    notices: list[str] = []
    places = hierarchy.places(locations, notices)
    reports, days = _days(reports, as_of, week_ends, notices)
    reported = _reported(reports, places, days, notices)
    dates = days[1:]
    holiday = _holiday(holidays, dates)
    daily, before, irregular = cleansed(reported, holiday)
    _notice_silence(places, daily["cases"], notices)
    age_from, age_share = _ages(ages, places)
    index = {code: number for number, code in enumerate(places.codes)}
    return Panel(
        locations=places.codes,
        names=tuple(places.frame.get("name", places.frame["location"]).fillna("").astype(str)),
        group=places.groups.of,
        groups=places.groups.codes,
        dates=dates,
        daily=daily,
        before=before,
        population=_population(places, notices),
        neighbours=_neighbours(adjacency, index),
        age_from=age_from,
        age_share=age_share,
        features=_features(features, places),
        signals=_signals(signals, places, dates),
        capacity=_capacity(capacity, places),
        irregular=irregular,
        severity=_severity(severity, age_from),
        parameters={} if parameters is None else parameters.set_index("name")["value"].astype(float).to_dict(),
        reported=reported,
        holiday=holiday,
        between=places.between,
        top=places.top,
        notices=tuple(notices),
    )


def read(store: Store, country: Country, as_of: np.datetime64 | str | None = None) -> Panel:
    """The Panel of a warehouse as it was known on a day, or as it is.

    A function of reports and signals dated `as_of` or earlier alone: later rows are not read. What has no date
    (populations, vulnerability, beds) is as it is now. NoData when there are no locations, or no whole week; UsageError
    when the warehouse was filled for a country whose weeks end on another day.
    """
    last = store.run("SELECT MAX(week_end) FROM epidemic.calendar").scalar()
    if last is not None and WEEKDAYS[last.weekday()] != country.week_ends:
        raise errors.UsageError(
            f"weeks end on {WEEKDAYS[last.weekday()]} in this warehouse, and on {country.week_ends} in {country.name}",
            hint="Name the country that was ingested: --country DIR.",
        )
    locations = store.frame(
        "SELECT location, name, level, parent, population, latitude, longitude FROM epidemic.location"
    )
    if locations.empty:
        raise errors.NoData("the warehouse has no locations", hint="Run `restframe-epidemic ingest` first.")
    parameters = [] if as_of is None else [str(as_of)]
    known = "" if as_of is None else "WHERE date <= CAST($1 AS date)"
    return from_frames(
        store.frame(f"SELECT location, date, cases, deaths FROM epidemic.case_report {known}", parameters),
        locations,
        adjacency=store.frame("SELECT location, neighbour FROM epidemic.adjacency"),
        features=store.frame("SELECT location, name, value FROM epidemic.feature"),
        signals=store.frame(f"SELECT location, date, name, value FROM epidemic.signal {known}", parameters),
        ages=store.frame("SELECT location, age_from, population FROM epidemic.population_age"),
        capacity=store.frame("SELECT location, icu_beds, hospital_beds, physicians FROM epidemic.capacity"),
        holidays=store.frame("SELECT date FROM epidemic.holiday"),
        severity=store.frame("SELECT * FROM epidemic.age_severity ORDER BY age_from"),
        parameters=store.frame("SELECT name, value FROM epidemic.parameter ORDER BY name"),
        as_of=as_of,
        week_ends=country.week_ends,
    )


def _dates(values: pd.Series, what: str) -> pd.Series:
    try:
        return pd.to_datetime(values).astype("datetime64[s]")
    except (ValueError, TypeError) as error:
        raise errors.DataError(f"{what}: a date is none: {str(error)[:100]}") from None


def _days(
    reports: pd.DataFrame, as_of: np.datetime64 | str | None, week_ends: str, notices: list[str]
) -> tuple[pd.DataFrame, DateArray]:
    """The reports that count, and (1 + D,) days: whole weeks and the day before the first."""
    if week_ends not in WEEKDAYS:
        raise errors.UsageError(f'"{week_ends[:40]}" is no weekday', hint="Write monday, ..., sunday.")
    reports = reports.assign(date=_dates(reports["date"], "reports"))
    last = reports["date"].max()
    if as_of is not None:
        last = min(last, pd.Timestamp(as_of))
    if pd.isna(last):
        raise errors.NoData("there are no reports")
    ends = WEEKDAYS.index(week_ends)
    last -= pd.Timedelta(days=(last.weekday() - ends) % DAYS_OF_WEEK)
    first = reports["date"].min()
    if first <= last:
        known = reports["date"][reports["date"] <= last]
        first = pd.Timestamp(beginning(known.to_numpy()))
        if (known < first).any():
            notices.append(f"reports from ten years and more before all others are left out: {known.min().date()}")
    start = first + pd.Timedelta(days=(ends + 1 - first.weekday()) % DAYS_OF_WEEK)
    count = (last - start).days + 1
    if count < DAYS_OF_WEEK:
        raise errors.NoData(
            f"no whole week of reports up to {last.date()}", hint=f"The first report is of {first.date()}."
        )
    _notice_rhythm(reports["date"][reports["date"] <= last], week_ends, notices)
    days = np.datetime64(start.date(), "D") + np.arange(-1, count)
    return reports[reports["date"].between(pd.Timestamp(days[0]), last)], days


def _notice_rhythm(date: pd.Series, week_ends: str, notices: list[str]) -> None:
    """Whole weeks that are reported on another day than they end here are torn apart."""
    days = date.unique()
    recent = pd.DatetimeIndex(days[days > days.max() - pd.Timedelta(weeks=_RHYTHM_WEEKS)])
    weekday = recent.day_of_week.unique()
    if len(recent) >= _RHYTHM_WEEKS // 2 and len(weekday) == 1 and WEEKDAYS[weekday[0]] != week_ends:
        notices.append(
            f"all reports are of a {WEEKDAYS[weekday[0]]}, and weeks end on {week_ends}: a week is part of two reports."
            " Let weeks end on the day of the reports, or date reports by the last day of what they tell"
        )


def _notice_silence(places: Places, daily: FloatArray, notices: list[str]) -> None:
    silent = np.isfinite(daily).any(axis=1) & ~np.isfinite(daily[:, -1])
    if silent.any():
        codes = [places.codes[at] for at in np.flatnonzero(silent)]
        notices.append(f"places that have not reported any cases for two weeks, so without a forecast: {some(codes)}")


def _reported(reports: pd.DataFrame, places: Places, days: DateArray, notices: list[str]) -> dict[str, FloatArray]:
    """(N, 1 + D) cumulative counts by target."""
    codes = reports["location"].astype(str)
    row = _index(codes, places.codes)
    unknown = codes[row < 0]
    if len(unknown):
        known = {code for above in places.above for code in above}
        strangers = unknown[~unknown.isin(known)]
        if len(strangers):
            notices.append(f"reports of places that no location describes are left out: {some(strangers)}")
    column = (reports["date"].to_numpy().astype("datetime64[D]") - days[0]).astype(np.int64)
    cell = row[row >= 0] * len(days) + column[row >= 0]
    doubled = np.flatnonzero(np.bincount(cell, minlength=1) > 1)
    if len(doubled):
        named = [f"{places.codes[at // len(days)]} on {days[at % len(days)]}" for at in doubled]
        notices.append(f"two reports of one place and day, of which the greater counts stand: {some(named)}")
    reported: dict[str, FloatArray] = {}
    for target in TARGETS:
        values = np.full(len(places.codes) * len(days), np.nan)
        if target in reports:
            np.fmax.at(values, cell, reports[target].to_numpy(dtype=np.float64, na_value=np.nan)[row >= 0])
        reported[target] = values.reshape(len(places.codes), len(days))
    silent = np.flatnonzero(np.isnan(reported["cases"]).all(axis=1))
    if len(silent):
        missing = [places.codes[at] for at in silent]
        notices.append(f"places without any report of cases: {some(missing)}")
    return reported


def _index(codes: pd.Series, among: Sequence[str]) -> IntArray:
    """(n,) where each code stands in `among`, -1 where it does not."""
    found: IntArray = pd.Index(among).get_indexer(pd.Index(codes)).astype(np.int64)
    return found


def _holiday(holidays: pd.DataFrame | None, dates: DateArray) -> BoolArray:
    if holidays is None or not len(holidays):
        return np.zeros(len(dates), dtype=np.bool_)
    return np.isin(dates, _dates(holidays["date"], "holidays").to_numpy().astype("datetime64[D]"))


def _population(places: Places, notices: list[str]) -> FloatArray:
    if "population" not in places.frame:
        notices.append("there are no populations")
        return np.full(len(places.codes), np.nan)
    given = pd.to_numeric(places.frame["population"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    good = np.isfinite(given) & (given > 0)
    if not good.all():
        wrong = [places.codes[at] for at in np.flatnonzero(~good)]
        notices.append(f"places whose population is not known or not positive: {some(wrong)}")
    return np.where(good, given, np.nan)


def _neighbours(adjacency: pd.DataFrame | None, index: dict[str, int]) -> tuple[IntArray, ...]:
    """Both directions, whether they were given or not; places that are not there and a place itself are left out."""
    found: list[set[int]] = [set() for _ in index]
    if adjacency is not None:
        for one, other in zip(adjacency["location"].astype(str), adjacency["neighbour"].astype(str), strict=True):
            if one in index and other in index and one != other:
                found[index[one]].add(index[other])
                found[index[other]].add(index[one])
    return tuple(np.array(sorted(near), dtype=np.int64) for near in found)


def _rows(codes: pd.Series, places: Places) -> tuple[tuple[str, ...], IntArray]:
    """The codes that say something; and (levels, N) which of them is the place's own, its group's, ..., or -1."""
    known = tuple(sorted(codes.unique()))
    return known, np.stack([_index(pd.Series(level), known) for level in (places.codes, *places.above)])


def _features(features: pd.DataFrame | None, places: Places) -> dict[str, FloatArray]:
    found: dict[str, FloatArray] = {}
    if features is not None:
        for name, rows in features.groupby("name", sort=True):
            codes, row = _rows(rows["location"].astype(str), places)
            nearest = row[(row >= 0).argmax(axis=0), np.arange(row.shape[1])]
            values = np.full(len(codes) + 1, np.nan)  # the last one is for places of which nothing is known
            values[_index(rows["location"].astype(str), codes)] = rows["value"].to_numpy(dtype=np.float64)
            found[str(name)] = values[nearest]
    for name in ("latitude", "longitude"):
        if name in places.frame:
            found[name] = places.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
    return found


def _signals(signals: pd.DataFrame | None, places: Places, dates: DateArray) -> Spread:
    """A value holds until the next row of its name and place; those from before the first day hold into it."""
    rows: dict[str, FloatArray] = {}
    since: dict[str, IntArray] = {}
    row: dict[str, IntArray] = {}
    if signals is None or not len(signals):
        return Spread()
    day = (_dates(signals["date"], "signals").to_numpy().astype("datetime64[D]") - dates[0]).astype(np.int64)
    signals = signals.assign(day=day, location=signals["location"].astype(str))
    signals = signals[signals["day"] < len(dates)].sort_values("day", kind="stable")
    for name, of_name in signals.groupby("name", sort=True):
        codes, row[str(name)] = _rows(of_name["location"], places)
        # Which of its rows holds on each day: the newest so far. (R, D), -1 where none yet.
        holds = np.full((len(codes), len(dates)), -1, dtype=np.int64)
        number = np.arange(len(of_name))
        np.maximum.at(holds, (_index(of_name["location"], codes), np.maximum(of_name["day"].to_numpy(), 0)), number)
        holds = np.maximum.accumulate(holds, axis=1)
        since[str(name)] = (holds < 0).sum(axis=1)
        values = np.append(of_name["value"].to_numpy(dtype=np.float64), np.nan)
        rows[str(name)] = values[holds]
    return Spread(rows, since, row)


def _ages(ages: pd.DataFrame | None, places: Places) -> tuple[IntArray, FloatArray]:
    """Places of which nothing is known have the shares of all others together; without a table there is one band."""
    if ages is None or not len(ages):
        return np.zeros(1, dtype=np.int64), np.ones((len(places.codes), 1))
    age_from = np.sort(ages["age_from"].unique()).astype(np.int64)
    people = np.zeros((len(places.codes), len(age_from)))
    row = _index(ages["location"].astype(str), places.codes)
    band = np.searchsorted(age_from, ages["age_from"])
    counts = np.nan_to_num(ages["population"].to_numpy(dtype=np.float64)).clip(min=0)
    np.add.at(people, (row[row >= 0], band[row >= 0]), counts[row >= 0])
    together = people.sum(axis=0) if people.any() else np.ones(len(age_from))
    people[people.sum(axis=1) == 0] = together
    return age_from, people / people.sum(axis=1, keepdims=True)


def _capacity(capacity: pd.DataFrame | None, places: Places) -> dict[str, FloatArray]:
    if capacity is None:
        return {}
    of_place = capacity.assign(location=capacity["location"].astype(str)).set_index("location")
    of_place = of_place.reindex(places.codes)
    return {str(name): of_place[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in of_place.columns}


def _severity(severity: pd.DataFrame | None, age_from: IntArray) -> dict[str, FloatArray]:
    """(A,) by rate: the mean over the years of each of the Panel's bands, whose edges need not be the table's."""
    if severity is None or not len(severity):
        return {}
    severity = severity.sort_values("age_from")
    oldest = max(_OLDEST, int(age_from[-1]) + 10)
    years = np.arange(oldest)
    of_year = np.searchsorted(severity["age_from"].to_numpy(), years, side="right") - 1
    of_year = of_year.clip(min=0)
    edges = [*age_from.tolist(), oldest]
    return {
        str(name): np.array(
            [severity[name].to_numpy(dtype=np.float64)[of_year[low:high]].mean() for low, high in pairwise(edges)]
        )
        for name in severity.columns
        if name != "age_from"
    }
