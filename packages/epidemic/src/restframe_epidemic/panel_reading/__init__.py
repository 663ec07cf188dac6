"""Panels from tables: of plain data frames, or of a warehouse.

Whatever is wrong with the data of one place costs that place, not the day: it is left out or unknown, and a notice of
the Panel says so. `hierarchy` tells which places there are, `reports` makes their series, `surroundings` all else.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from restframe_epidemic import errors, hierarchy
from restframe_epidemic.country import WEEKDAYS, Country
from restframe_epidemic.panel import Panel, cleansed
from restframe_epidemic.panel_reading import reports as series
from restframe_epidemic.panel_reading import surroundings
from restframe_epidemic.store import Store


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
    reports, days = series.whole_weeks(reports, as_of, week_ends, notices)
    reported = series.cumulative(reports, places, days, notices)
    holiday = series.holiday(holidays, days[1:])
    daily, before, irregular = cleansed(reported, holiday)
    series.notice_silence(places, reported["cases"], daily["cases"], notices)
    series.notice_falls(reported["cases"], notices)
    age_from, age_share = surroundings.ages(ages, places)
    return Panel(
        locations=places.codes,
        names=tuple(places.frame.get("name", places.frame["location"]).fillna("").astype(str)),
        group=places.groups.of,
        groups=places.groups.codes,
        dates=days[1:],
        daily=daily,
        before=before,
        population=surroundings.population(places, notices),
        neighbours=surroundings.neighbours(adjacency, places),
        age_from=age_from,
        age_share=age_share,
        features=surroundings.features(features, places, notices),
        signals=surroundings.signals(signals, places, days[1:]),
        capacity=surroundings.capacity(capacity, places),
        irregular=irregular,
        severity=surroundings.severity(severity, age_from, notices),
        parameters=surroundings.parameters(parameters, notices),
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
