"""Dates and times by a format string as the manual writes them.

A format is compiled into numbers, one a step, which one kernel follows for every field.
https://docs.aws.amazon.com/redshift/latest/dg/r_DATEFORMAT_and_TIMEFORMAT_strings.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.compiled import interpretable, part
from restframe.storage.loading.numbers import trimmed


class Step(IntEnum):
    """What a format expects next; numbers from LITERAL on are a character to be matched."""

    YEAR = 1  # 4 digits
    SHORT_YEAR = 2
    MONTH = 3
    MONTH_NAME = 4
    DAY = 5
    HOUR = 6
    HOUR12 = 7
    MINUTE = 8
    SECOND = 9  # with a fraction if there is one
    FRACTION = 10
    MERIDIAN = 11
    OFFSET = 12
    LITERAL = 256


_WORDS = {
    "YYYY": Step.YEAR, "YY": Step.SHORT_YEAR, "MONTH": Step.MONTH_NAME, "MON": Step.MONTH_NAME, "MM": Step.MONTH,
    "DD": Step.DAY, "HH24": Step.HOUR, "HH12": Step.HOUR12, "HH": Step.HOUR, "MI": Step.MINUTE, "SS": Step.SECOND,
    "US": Step.FRACTION, "MS": Step.FRACTION, "AM": Step.MERIDIAN, "PM": Step.MERIDIAN, "OF": Step.OFFSET,
}  # fmt: skip
_WORD = re.compile("|".join(_WORDS), re.IGNORECASE)
_int: Any = np.int64  # bytes are unsigned; arithmetic with them shall not be
_OF_DATE = (Step.YEAR, Step.SHORT_YEAR, Step.MONTH, Step.MONTH_NAME, Step.DAY)


@dataclass(frozen=True, eq=False, slots=True)
class Format:
    """A compiled format.

    text : as written, or as Redshift's messages show the default
    steps : int64, of Step
    optional_from : the step from which on the value may end, because only the time of day is missing
    loose : digits may be left out before a separator, as in 1/5/2014
    """

    text: str
    steps: npt.NDArray[np.int64]
    optional_from: int
    loose: bool = True


def compile_format(text: str, of_time: bool = False, loose: bool = True) -> Format:
    """InvalidParameterValue for a part that COPY does not know, or without a year.

    of_time : a time of day, without a date
    """
    steps: list[int] = []
    at = 0
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None and text[at].isalpha() and text[at] not in "Tt":
            raise errors.InvalidParameterValue(f'format "{text[:100]}" has an unknown part at "{text[at : at + 10]}"')
        steps += [int(_WORDS[match[0].upper()])] if match else [Step.LITERAL + byte for byte in text[at].encode()]
        at = match.end() if match else at + 1
    known = [step for step in steps if step < Step.LITERAL]
    if not of_time and not {Step.YEAR, Step.SHORT_YEAR} & set(known):
        raise errors.InvalidParameterValue(f'format "{text[:100]}" has no year')
    if any(known.count(step) > 1 for step in known):
        raise errors.InvalidParameterValue(f'format "{text[:100]}" has a part twice')
    needed = (Step.HOUR, Step.HOUR12, Step.MINUTE) if of_time else _OF_DATE
    optional_from = max((i + 1 for i, step in enumerate(steps) if step in needed), default=0)
    return Format(text, np.array(steps, np.int64), optional_from, loose)


DATE = compile_format("YYYY-MM-DD", loose=False)
TIMESTAMP = compile_format("YYYY-MM-DD HH24:MI:SS", loose=False)
TIMESTAMPTZ = compile_format("YYYY-MM-DD HH24:MI:SSOF", loose=False)
TIME = compile_format("HH24:MI:SS", of_time=True, loose=False)

# What a value becomes: days since 1970, or microseconds since 1970 or midnight. A date may be followed by a time of
# day, which is ignored. AUTO takes a T before the time and a zone behind it, which counts WITH_ZONE only.
AS_DATE, AS_TIMESTAMP, AS_TIME, AUTO, WITH_ZONE = 1, 2, 4, 8, 16


@interpretable("loading")
def datetimes(
    block: Any, starts: Any, ends: Any, null: Any, column: int, steps: Any, optional_from: int, loose: bool,
    target: int, kind: int, to_null: bool, out: Any, valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """Days or microseconds, int64. What does not fit the format gets the fault `kind`, or is NULL with `to_null`."""
    for row in range(len(out)):
        out[row] = 0
        valid[row] = False
        if kinds[row] != 0:
            continue
        start, end = starts[row], ends[row]
        if not loose and target & 3 and start >= 0:
            good, value = _iso(block, start, end, target)
            if good:
                out[row] = value
                valid[row] = True
                continue
        start, end = trimmed(block, start, end, null)
        if start == end:
            continue
        good, value = _datetime(block, start, end, steps, optional_from, loose, target)
        if good:
            out[row] = value
            valid[row] = True
        elif not to_null:
            kinds[row] = kind
            details[row, 0], details[row, 1] = column, 0


@part
def _iso(block: Any, i: int, end: int, target: int) -> tuple[bool, int]:
    """YYYY-MM-DD for dates, with HH:MI:SS for timestamps, if that is all there is: the case worth being quick."""
    if end - i != (10 if target & 1 else 19) or block[i + 4] != 45 or block[i + 7] != 45:
        return False, 0
    year = _two(block, i) * 100 + _two(block, i + 2)
    good, days = _day(year, _two(block, i + 5), _two(block, i + 8))
    if target & 1:
        return good, days
    if good:
        good = block[i + 10] == 32 and block[i + 13] == 58 and block[i + 16] == 58
        hour, minute, second = _two(block, i + 11), _two(block, i + 14), _two(block, i + 17)
        good &= 0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60
        return good, days * 86_400_000_000 + ((hour * 60 + minute) * 60 + second) * 1_000_000
    return False, 0


@part
def _two(block: Any, i: int) -> int:
    """The number in two digits, or one far below zero."""
    tens, ones = _int(block[i]) - 48, _int(block[i + 1]) - 48
    return tens * 10 + ones if 0 <= tens <= 9 and 0 <= ones <= 9 else -1_000_000


@part
def _datetime(
    block: Any, i: int, end: int, steps: Any, optional_from: int, loose: bool, target: int
) -> tuple[bool, int]:
    year, month, day = 1970, 1, 1
    hour = minute = second = fraction = offset = 0
    meridian = -1
    for k in range(len(steps)):
        step = steps[k]
        if i == end:
            if step == Step.OFFSET:
                continue
            if k < optional_from:
                return False, 0
            break
        if step >= 256:
            c = block[i]
            if c != step - 256 and not (target & 8 and step == 256 + 32 and (c | 32) == 116):
                return False, 0
            i += 1
        elif step == Step.YEAR:
            year, i = _digits(block, i, end, 4, 4)
        elif step == Step.SHORT_YEAR:
            year, i = _digits(block, i, end, 2, 2)
            year += 2000 if year < 70 else 1900
        elif step == Step.MONTH_NAME:
            month, i = _month(block, i, end)
        elif step == Step.FRACTION:
            fraction, i = _fraction(block, i, end)
        elif step == Step.MERIDIAN:
            if i + 1 >= end or (block[i + 1] | 32) != 109:
                return False, 0
            letter = block[i] | 32
            if letter != 97 and letter != 112:
                return False, 0
            meridian = 1 if letter == 112 else 0
            i += 2
        elif step == Step.OFFSET:
            offset, i = _offset(block, i, end)
        else:
            follows = k + 1 == len(steps) or steps[k + 1] >= 256
            value, i = _digits(block, i, end, 1 if loose and follows else 2, 2)
            if step == Step.MONTH:
                month = value
            elif step == Step.DAY:
                day = value
            elif step == Step.MINUTE:
                minute = value
            elif step == Step.SECOND:
                second = value
                if 0 <= i < end and block[i] == 46:
                    fraction, i = _fraction(block, i + 1, end)
            else:
                hour = value
                if step == Step.HOUR12 and (hour < 1 or hour > 12):
                    return False, 0
        if i < 0:
            return False, 0
    if i < end and target & 8:
        offset, i = _offset(block, i, end)
        if i < 0:
            return False, 0
        if not target & 16:
            offset = 0
    if i < end and not (target & 1 and (block[i] == 32 or (block[i] | 32) == 116)):
        return False, 0
    if meridian >= 0:
        if hour > 12:
            return False, 0
        hour = hour % 12 + 12 * meridian
    if hour > 23 or minute > 59 or second > 59:
        return False, 0
    time_us = ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction
    if target & 4:
        return True, time_us
    good, days = _day(year, month, day)
    if target & 1:
        return good, days
    return good, days * 86_400_000_000 + time_us - offset * 1_000_000


@part
def _digits(block: Any, i: int, end: int, least: int, most: int) -> tuple[int, int]:
    """The number in up to `most` digits and the offset after it, which is -1 when there are fewer than `least`."""
    value = 0
    count = 0
    while i < end and count < most and 48 <= block[i] <= 57:
        value = value * 10 + _int(block[i]) - 48
        count += 1
        i += 1
    return value, i if count >= least else -1


@part
def _fraction(block: Any, i: int, end: int) -> tuple[int, int]:
    """Digits behind the point of seconds as microseconds, rounded."""
    value = 0
    count = 0
    while i < end and 48 <= block[i] <= 57:
        if count < 6:
            value = value * 10 + _int(block[i]) - 48
        elif count == 6 and block[i] >= 53:
            value += 1
        count += 1
        i += 1
    while 0 < count < 6:
        value *= 10
        count += 1
    return value, i


@part
def _offset(block: Any, i: int, end: int) -> tuple[int, int]:
    """Seconds east of UTC: Z, +05, -0800, +05:30, perhaps after a blank; an offset of -1 for anything else."""
    if i < end and block[i] == 32:
        i += 1
    if i < end and (block[i] | 32) == 122:
        return 0, i + 1
    if i == end or (block[i] != 43 and block[i] != 45):
        return 0, -1
    sign = -1 if block[i] == 45 else 1
    hours, i = _digits(block, i + 1, end, 1, 2)
    minutes = 0
    if 0 <= i < end:
        minutes, i = _digits(block, i + 1 if block[i] == 58 else i, end, 2, 2)
    if hours > 15 or minutes > 59:
        return 0, -1
    return sign * (hours * 3600 + minutes * 60), i


_MONTHS = np.frombuffer(b"januaryfebruarymarchaprilmayjunejulyaugustseptemberoctobernovemberdecember", np.uint8)
_MONTH_STARTS = np.array([0, 7, 15, 20, 25, 28, 32, 36, 42, 51, 58, 66, 74])


@part
def _month(block: Any, i: int, end: int) -> tuple[int, int]:
    """A month by its English name or the first three letters of it, in any case."""
    letters = 0
    while i + letters < end and 97 <= block[i + letters] | 32 <= 122:
        letters += 1
    for month in range(12):
        start = _MONTH_STARTS[month]
        if letters == 3 or letters == _MONTH_STARTS[month + 1] - start:
            same = True
            for k in range(letters):
                same &= (block[i + k] | 32) == _MONTHS[start + k]
            if same:
                return month + 1, i + letters
    return 0, -1


# Days before each year since 1970, and before each month since the start of an ordinary and of a leap year.
_YEARS = np.array([f"{year:04}" for year in range(10_001)], "datetime64[Y]").astype("datetime64[D]").astype(np.int64)
_MONTHS_BEFORE = np.array(
    [
        [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365],
        [0, 0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366],
    ]
)


@part
def _day(year: int, month: int, day: int) -> tuple[bool, int]:
    """Whether there is such a day in the years 0 to 9999, and how many days it lies after 1970-01-01."""
    if not (0 <= year <= 9999 and 1 <= month <= 12 and day >= 1):
        return False, 0
    leap = 1 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 0
    before = _MONTHS_BEFORE[leap, month]
    return day <= _MONTHS_BEFORE[leap, month + 1] - before, _YEARS[year] + before + day - 1
