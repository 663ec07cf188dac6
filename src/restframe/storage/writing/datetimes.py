"""Parts of kernels that write dates and times as text. Each takes an address and returns that behind the text."""

from __future__ import annotations

from typing import Any

import numpy as np

from restframe.compiled import part
from restframe.storage.writing.floats import put_letters
from restframe.storage.writing.memory import store_8, store_16
from restframe.storage.writing.numbers import PAIRS, ZERO, U, put_digits, put_unsigned
from restframe.storage.writing.texts import DAY_US

_DAYS_MAX, _US_MAX = 2**31 - 1, 2**63 - 1
_DASH, _COLON, _POINT, _BLANK, _PLUS = 45, 58, 46, 32, 43
_MILLION, _SIXTY = U(1_000_000), U(60)
# Whole eras of 400 years that make every day number positive, so that divisions are of unsigned numbers.
_ERAS = 20_000
_int: Any = np.int64


@part
def _civil(days: Any) -> Any:
    """Year, month and day of a day since 1970, by eras that begin on 1 March (see `texts.civil`)."""
    day = U(days + 719_468 + _ERAS * 146_097)
    era = day // U(146_097)
    day -= era * U(146_097)
    year = (day - day // U(1460) + day // U(36_524) - day // U(146_096)) // U(365)
    day -= U(365) * year + year // U(4) - year // U(100)
    month = (U(5) * day + U(2)) // U(153)
    day -= (U(153) * month + U(2)) // U(5)
    month += U(3) if month < U(10) else U(0) - U(9)
    years = _int(year) + (_int(era) - _ERAS) * 400 + (1 if month <= U(2) else 0)
    return years, month, day + U(1)


@part
def _put_year_month_day(at: Any, year: Any, month: Any, day: Any) -> Any:
    if year <= 0:
        year = 1 - year
    if year < 10_000:
        high = U(year) // U(100)
        store_16(at, PAIRS[high])
        store_16(at + 2, PAIRS[U(year) - high * U(100)])
        at += 4
    else:
        at = put_unsigned(at, U(year))
    store_8(at, _DASH)
    store_16(at + 1, PAIRS[month])
    store_8(at + 3, _DASH)
    store_16(at + 4, PAIRS[day])
    return at + 6


@part
def _put_era(at: Any, year: Any) -> Any:
    return put_letters(at, 0x204243, 3) if year <= 0 else at  # " BC"


@part
def _put_infinity(at: Any, negative: Any) -> Any:
    if negative:
        store_8(at, _DASH)
        at += 1
    return put_letters(at, 0x696E66696E697479, 8)


@part
def put_date(at: Any, days: Any) -> Any:
    if abs(days) >= _DAYS_MAX:
        return _put_infinity(at, days < 0)
    year, month, day = _civil(days)
    return _put_era(_put_year_month_day(at, year, month, day), year)


@part
def put_clock(at: Any, microseconds: Any) -> Any:
    """A time of day, its fraction only as far as it is not zero."""
    seconds = U(microseconds) // _MILLION
    fraction = U(microseconds) - seconds * _MILLION
    minutes = seconds // _SIXTY
    hours = minutes // _SIXTY
    store_16(at, PAIRS[hours])
    store_8(at + 2, _COLON)
    store_16(at + 3, PAIRS[minutes - hours * _SIXTY])
    store_8(at + 5, _COLON)
    store_16(at + 6, PAIRS[seconds - minutes * _SIXTY])
    if fraction == ZERO:
        return at + 8
    places = 6
    while fraction % U(10) == ZERO:
        fraction //= U(10)
        places -= 1
    store_8(at + 8, _POINT)
    return put_digits(at + 9, fraction, places)


@part
def put_offset(at: Any, seconds: Any) -> Any:
    """Of a time zone: +00, -03:30."""
    store_8(at, _DASH if seconds < 0 else _PLUS)
    seconds = abs(seconds)
    store_16(at + 1, PAIRS[U(seconds // 3600)])
    at += 3
    if seconds % 3600:
        store_8(at, _COLON)
        store_16(at + 1, PAIRS[U(seconds // 60 % 60)])
        at += 3
    if seconds % 60:
        store_8(at, _COLON)
        store_16(at + 1, PAIRS[U(seconds % 60)])
        at += 3
    return at


@part
def put_timestamp(at: Any, microseconds: Any, zoned: Any, offset_s: Any) -> Any:
    if microseconds == _US_MAX or microseconds <= -_US_MAX:
        return _put_infinity(at, microseconds < 0)
    days = microseconds // DAY_US
    year, month, day = _civil(days)
    at = _put_year_month_day(at, year, month, day)
    store_8(at, _BLANK)
    at = put_clock(at + 1, microseconds - days * DAY_US)
    if zoned:
        at = put_offset(at, offset_s)
    return _put_era(at, year)
