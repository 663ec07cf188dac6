"""The reports of a Panel: which days count, and what had been reported on each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from restframe_epidemic import errors
from restframe_epidemic.country import TARGETS, WEEKDAYS
from restframe_epidemic.hierarchy import Places, some
from restframe_epidemic.panel import DAYS_OF_WEEK, BoolArray, DateArray, FloatArray, IntArray
from restframe_epidemic.pipeline.series import beginning

_MANY_FALLS, _FEW_FALLS = 0.2, 10  # a share of the days, and days
_RHYTHM_WEEKS = 8  # the last ones, which say on what days reports come
_RHYTHM_REPORTS = 4  # the last ones, which say how often they come


def whole_weeks(
    reports: pd.DataFrame, as_of: np.datetime64 | str | None, week_ends: str, notices: list[str]
) -> tuple[pd.DataFrame, DateArray]:
    """The reports that count, and (1 + D,) days: whole weeks and the day before the first."""
    if week_ends not in WEEKDAYS:
        raise errors.UsageError(f'"{week_ends[:40]}" is no weekday', hint="Write monday, ..., sunday.")
    reports = reports.assign(date=dates(reports, "reports"))
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
    if (last - start).days + 1 < DAYS_OF_WEEK:
        raise errors.NoData(f"no whole week of reports up to {last.date()}", hint=f"The first is of {first.date()}.")
    _notice_rhythm(reports["date"][reports["date"] <= last], week_ends, notices)
    days = np.datetime64(start.date(), "D") + np.arange(-1, (last - start).days + 1)
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


def notice_silence(places: Places, counts: FloatArray, daily: FloatArray, notices: list[str]) -> None:
    """counts : (N, 1 + D) as reported; daily : (N, D) cleansed"""
    rare = np.array([_is_rare(np.flatnonzero(np.isfinite(row))) for row in counts], dtype=np.bool_)
    if rare.any():
        notices.append(
            "places that report less often than every two weeks, so without a forecast but in the two weeks after a"
            f" report: {rare.sum()} ({some(places.codes[at] for at in np.flatnonzero(rare))})"
        )
    silent = np.isfinite(daily).any(axis=1) & ~np.isfinite(daily[:, -1]) & ~rare
    if silent.any():
        codes = [places.codes[at] for at in np.flatnonzero(silent)]
        notices.append(f"places that have not reported any cases for two weeks, so without a forecast: {some(codes)}")


def _is_rare(days: IntArray) -> bool:
    """Whether the last reports, which came on these days, lie too far apart to be taken for news of a week."""
    return len(days) > 2 and bool(np.diff(days[-_RHYTHM_REPORTS:]).min() > 2 * DAYS_OF_WEEK)


def notice_falls(counts: FloatArray, notices: list[str]) -> None:
    """Corrections are seldom; new reports that are taken for cumulative ones fall every other day."""
    steps = np.diff(counts, axis=1)
    changes, falls = int((np.abs(steps) > 0).sum()), int((steps < 0).sum())
    if falls > max(_MANY_FALLS * changes, _FEW_FALLS):
        notices.append(
            f"counts of cases fall on {100 * falls / changes:.0f} % of the days on which they change."
            " Are they new reports? case_report wants them added up"
        )


def cumulative(reports: pd.DataFrame, places: Places, days: DateArray, notices: list[str]) -> dict[str, FloatArray]:
    """(N, 1 + D) cumulative counts by target."""
    codes = reports["location"].astype(str)
    row = index(codes, places.codes)
    if strangers := set(codes[row < 0]).difference(*places.above):
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
        notices.append(f"places without any report of cases: {some(places.codes[at] for at in silent)}")
    return reported


def holiday(holidays: pd.DataFrame | None, days: DateArray) -> BoolArray:
    """(D,) whether the day is one."""
    if holidays is None or holidays.empty:
        return np.zeros(len(days), dtype=np.bool_)
    return np.isin(days, dates(holidays, "holidays").to_numpy().astype("datetime64[D]"))


def dates(table: pd.DataFrame, name: str) -> pd.Series:
    """The table's column `date`. DataError, with the table's name, where one is no date."""
    try:
        return pd.to_datetime(table["date"]).astype("datetime64[s]")
    except (ValueError, TypeError) as error:
        raise errors.DataError(f"{name}: a date is none: {str(error)[:100]}") from None


def index(codes: pd.Series, among: Sequence[str]) -> IntArray:
    """(n,) where each code stands in `among`, -1 where it does not."""
    found: IntArray = pd.Index(among).get_indexer(pd.Index(codes)).astype(np.int64)
    return found
