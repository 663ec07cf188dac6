"""Cumulative counts, as they were reported, into new reports per day.

A place's reports are revised, held back and delivered in bulk. Each rule below moves reports between days or into
`before`; none makes or loses any: what a place had reported in the end is what its days and `before` add up to (but for
`silent` and `unreported`, which stand for reports that have not come yet). A place's result depends on its own row
alone, and on nothing after the last column.

Levels at day j: `mean` over the 28 days before, `median` and `mad` (median absolute deviation) over the 14 days
before, all of them after cleansing. The rules, in their order; one pass over all days ends with corrections, a second
one has the rest:

negative     a cumulative count under 0 is taken for missing
missing      days without a count between two with one: the count is interpolated
opening      the first count, when over 10 and over 4 (1 + the mean of the 7 days after it): that mean stays, the rest
             was reported before the series began
correction   the count falls by k: the day gets the median, and k + median leaves the past: first what stands over the
             median in days of more than twice the median among the last 28, newest first, then a share of every day
gap          at most 13 days of zeros in which mean x days >= 5 reports were to be expected, then more than the mean:
             the day's reports are shared evenly among it and the zeros. Of a place that reports weekly (of the days
             with reports in the 8 weeks before, 3 and four fifths are 7, 14, ... days ago): among 7 days
holiday      the reports of a holiday, and those of the days until a catch-up at most 3 days later, are under .7 mean,
             those of the catch-up over 1.3 mean, and the mean is >= 5: all of them are shared evenly
dump         v >= 10 reports, v >= 4 level and v > level + 8 max(1.48 mad, sqrt(level + 1)), where level is the greatest
             of mean, median, the median of the 7 days after (when 3 are known) and, of reports that were shared among
             a week or more, the mean of the 7 days before; after 7 days at least: the excess
             over the level goes to the days before in proportion to what they have, to as many of them (14, 28, 56,
             all) as had as much; never more than they had
silent       the last days are zeros: at most 7 in which 5 reports or more were to be expected (by the mean, and by
             that of the 7 days before), or fewer than the days of the gap that the last report was shared among; a
             place that reports weekly, or not on weekends. The mean of the 7 days before, until the report comes
unreported   at most 13 days after the last count: the mean of the 7 days before; further days are NaN
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

RULES = ("", "negative", "missing", "opening", "correction", "gap", "holiday", "dump", "unreported", "silent")
_NEGATIVE, _MISSING, _OPENING, _CORRECTION, _GAP, _HOLIDAY, _DUMP, _UNREPORTED, _SILENT = range(1, 10)
_LONGEST_GAP_DAYS = 13
_TO_BE_EXPECTED = 5.0  # reports: that many do not stay away by chance
_LONGEST_SILENCE_DAYS = 3_653
_NOTICEABLE = 0.1  # of a day's reports: a smaller change does not make a day irregular


class Change(NamedTuple):
    """On `day` of `place` (indices) `rule` moved `amount` reports to or from other days."""

    place: int
    day: int
    rule: str
    amount: float


@dataclass(frozen=True, slots=True)
class Cleansed:
    """
    daily : (N, D) new reports, >= 0; NaN before the first count and long after the last one
    moved : (N, D) whether a rule changed the day by more than a tenth
    rule : (N, D) index into RULES of the last rule that did
    before : (N,) reports from before the first column
    changes : what each rule did, by place and day
    """

    daily: FloatArray
    moved: BoolArray
    rule: NDArray[np.uint8]
    before: FloatArray
    changes: list[Change]


def beginning(dates: NDArray[np.datetime64]) -> np.datetime64:
    """The first day that counts of some days with reports: a date ten years before all others is a mistake, and a
    series that began then would be a row of millions of empty days.
    """
    first: np.datetime64 = beginnings(dates)[-1]
    return first


def beginnings(dates: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """The first of some days with reports, and those that follow on ten years without any."""
    days = np.unique(dates.astype("datetime64[D]"))
    silence = np.diff(days, prepend=days[:1]).astype(np.int64)
    silence[0] = _LONGEST_SILENCE_DAYS + 1
    return days[silence > _LONGEST_SILENCE_DAYS]


def cleanse(cumulative: FloatArray, holiday: BoolArray) -> Cleansed:
    """New reports per day of each place.

    cumulative : (N, D) counts up to and including each day, NaN where none was reported
    holiday : (D,) whether the day is one
    """
    counts = np.array(cumulative, dtype=np.float64, order="C", ndmin=2)
    days = counts.shape[1]
    if holiday.shape != (days,):
        raise ValueError(f"{days} days of counts, but holidays of the shape {holiday.shape}")
    daily = np.full(counts.shape, np.nan)
    rule = np.zeros(counts.shape, dtype=np.uint8)
    event = np.zeros(counts.shape, dtype=np.uint8)
    amount = np.zeros(counts.shape)
    before = np.zeros(len(counts))
    _cleanse(counts, np.ascontiguousarray(holiday, dtype=np.bool_), daily, rule, event, amount, before)
    places, at = np.nonzero(event)
    changes = [
        Change(place, day, RULES[code], moved)
        for place, day, code, moved in zip(
            places.tolist(), at.tolist(), event[places, at].tolist(), amount[places, at].tolist(), strict=True
        )
    ]
    return Cleansed(daily, rule > 0, rule, before, changes)


@numba.njit(cache=True, nogil=True)
def _cleanse(counts, holiday, daily, rule, event, amount, before):  # type: ignore[no-untyped-def]
    for n in range(len(counts)):
        before[n] = _place(counts[n], holiday, daily[n], rule[n], event[n], amount[n])


@numba.njit(cache=True, nogil=True)
def _place(c, holiday, x, rule, event, amount):  # type: ignore[no-untyped-def]
    """One place: fills x, rule, event and amount (all of shape (D,)), interpolates c; returns what was before."""
    first, last = _interpolate(c, rule, event, amount)
    if first < 0:
        return 0.0
    before = _open(c, first, last, x, rule, event, amount)
    for j in range(first + 1, last + 1):
        x[j] = c[j] - c[j - 1]
        if x[j] < 0:
            event[j], amount[j] = _CORRECTION, x[j]
            before = _correct(x, first, j, -x[j], c[j], before, rule)
    for j in range(first + 1, last + 1):
        if x[j] > 0:
            _arrive(x, c, first, last, j, holiday, rule, event, amount)
    for j in range(_start_of_silence(x, first, last, rule), last + 1):
        x[j] = x[max(first, j - 7) : j].mean()
        rule[j] = event[j] = _SILENT
        amount[j] = x[j]
    for j in range(last + 1, min(last + 1 + _LONGEST_GAP_DAYS, len(c))):
        x[j] = x[max(first, last - 6) : last + 1].mean()
        rule[j] = event[j] = _UNREPORTED
        amount[j] = x[j]
    return before


@numba.njit(cache=True, nogil=True)
def _interpolate(c, rule, event, amount):  # type: ignore[no-untyped-def]
    """Fill c between its first and its last count, whose days it returns; -1 and -1 when there is none."""
    first = last = -1
    for j in range(len(c)):
        if c[j] < 0:
            event[j], amount[j], c[j] = _NEGATIVE, c[j], np.nan
        if np.isnan(c[j]):
            continue
        if first < 0:
            first = j
        for i in range(last + 1, j if last >= 0 else 0):
            # a count that has fallen meanwhile falls on the day that says so
            c[i] = c[last] + max(c[j] - c[last], 0.0) * (i - last) / (j - last)
            rule[i] = _MISSING
            if event[i] == 0:
                event[i], amount[i] = _MISSING, c[i] - c[i - 1]
        last = j
    return first, last


@numba.njit(cache=True, nogil=True)
def _open(c, first, last, x, rule, event, amount):  # type: ignore[no-untyped-def]
    """Set the first day's reports; return those from before."""
    end = min(first + 7, last)
    mean = max(c[end] - c[first], 0.0) / (end - first) if end > first else 0.0
    if c[first] <= 10 or c[first] <= 4 * (1 + mean):
        x[first] = c[first]
        return 0.0
    x[first] = mean
    rule[first] = event[first] = _OPENING
    amount[first] = c[first] - mean
    return c[first] - mean


@numba.njit(cache=True, nogil=True)
def _correct(x, first, j, k, count, before, rule):  # type: ignore[no-untyped-def]
    """Take k reports out of the days before j; returns what is left of `before`. count : after the correction."""
    median = min(np.median(x[max(first, j - 14) : j]), count)
    x[j] = median
    rule[j] = _CORRECTION
    k += median
    for i in range(j - 1, max(first, j - 28) - 1, -1):
        if k > 0 and x[i] > 2 * median:
            taken = min(k, x[i] - median)
            if taken > _NOTICEABLE * x[i]:
                rule[i] = _CORRECTION
            x[i] -= taken
            k -= taken
    past = before + x[first:j].sum()
    if k <= 0 or past <= 0:
        return before
    share = min(k / past, 1.0)
    for i in range(first, j):
        if share > _NOTICEABLE and x[i] > 0:
            rule[i] = _CORRECTION
        x[i] *= 1 - share
    return before * (1 - share)


@numba.njit(cache=True, nogil=True)
def _arrive(x, c, first, last, j, holiday, rule, event, amount):  # type: ignore[no-untyped-def]
    """Look at the x[j] > 0 reports that came on day j: are they those of a gap, of a holiday, of weeks?"""
    start, why = _start_of_block(x, c, first, j, holiday)
    width = j - start + 1
    v = x[start : j + 1].sum() / width
    if width > 1:
        event[j], amount[j] = why, x[j] - v
        x[start : j + 1] = v
        rule[start : j + 1] = why
    mean = _mean_before(x, first, start)
    if v < 10 or v < 4 * mean or start - first < 7:
        return
    recent = x[max(first, start - 14) : start]
    median = np.median(recent)
    mad = np.median(np.abs(recent - median))
    level = max(mean, median)
    if width >= 7:  # growth from one weekly report to the next is steeper than from day to day
        level = max(level, x[max(first, start - 7) : start].mean())
    if last - j >= 3:
        level = max(level, np.median(x[j + 1 : min(j + 7, last) + 1]))
    if v < 4 * level or v <= level + 8 * max(1.4826 * mad, np.sqrt(level + 1)):
        return
    moved = _spread(x, first, start, (v - level) * width, rule)
    if moved > 0:
        x[start : j + 1] -= moved / width
        rule[start : j + 1] = _DUMP
        event[j], amount[j] = _DUMP, moved


@numba.njit(cache=True, nogil=True)
def _start_of_block(x, c, first, j, holiday):  # type: ignore[no-untyped-def]
    """The first day whose reports came on day j, and the rule that says so; j itself when they are its own."""
    start = j
    while start > first and j - start < _LONGEST_GAP_DAYS and x[start - 1] == 0:
        start -= 1
    mean = _mean_before(x, first, start)
    # a week before the last one that was silent, too, may have been one without reports
    if j - start >= 6 and mean * (j - start - 6) < _TO_BE_EXPECTED and _is_weekly(c, first, j):
        return j - 6, _GAP
    if start < j and mean * (j - start) >= _TO_BE_EXPECTED and x[j] > mean:
        return start, _GAP
    if not holiday[max(first, j - 3) : j].any():
        return j, 0
    for start in range(max(first, j - 3), j):
        mean = _mean_before(x, first, start)
        low = (x[start:j] < 0.7 * mean).all()
        if holiday[start] and mean >= 5 and low and x[j] > 1.3 * mean:
            return start, _HOLIDAY
    return j, 0


@numba.njit(cache=True, nogil=True)
def _is_weekly(c, first, j):  # type: ignore[no-untyped-def]
    """Whether the 8 weeks before day j had reports on j's weekday, and hardly on others."""
    on = off = 0
    for i in range(max(first + 1, j - 56), j):
        if c[i] > c[i - 1]:
            if (j - i) % 7 == 0:
                on += 1
            else:
                off += 1
    return on >= 3 and on >= 4 * off


@numba.njit(cache=True, nogil=True)
def _start_of_silence(x, first, last, rule):  # type: ignore[no-untyped-def]
    """The first of the last days whose reports are still to come; last + 1 when there is none."""
    start = last + 1
    while start > first and x[start - 1] == 0:
        start -= 1
    days = last + 1 - start
    if start == first or days == 0 or days >= _LONGEST_GAP_DAYS:
        return last + 1
    expected = min(_mean_before(x, first, start), x[max(first, start - 7) : start].mean())
    shared = start - 1  # the first day of the last report, when it was shared among several
    while shared > first and rule[shared] == _GAP and x[shared - 1] == x[start - 1]:
        shared -= 1
    surprising = days <= 7 and expected * days >= _TO_BE_EXPECTED
    return start if surprising or days < start - shared else last + 1


@numba.njit(cache=True, nogil=True)
def _mean_before(x, first, j):  # type: ignore[no-untyped-def]
    """Reports per day in the 28 days before j; 0 when fewer than 7 days are known."""
    return x[max(first, j - 28) : j].mean() if j - first >= 7 else 0.0


@numba.njit(cache=True, nogil=True)
def _spread(x, first, start, excess, rule):  # type: ignore[no-untyped-def]
    """Add up to `excess` reports to the days before `start` in proportion to what they have; returns how many."""
    total = 0.0
    begin = first
    for window in (14, 28, 56, start - first):
        begin = max(first, start - window)
        total = x[begin:start].sum()
        if total >= excess:
            break
    if total <= 0:
        return 0.0
    moved = min(excess, total)
    for i in range(begin, start):
        if moved > _NOTICEABLE * total and x[i] > 0:
            rule[i] = _DUMP
        x[i] *= 1 + moved / total
    return moved
