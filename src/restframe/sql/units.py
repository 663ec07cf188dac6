"""Parts of dates and times by all the names Redshift has for them.

https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
"""

from __future__ import annotations

import re

from restframe import errors

_NAMES = {
    "millennium": "millennium millennia mil mils",
    "century": "century centuries c cent cents",
    "decade": "decade decades dec decs",
    "epoch": "epoch",
    "year": "year years y yr yrs",
    "quarter": "quarter quarters qtr qtrs",
    "month": "month months mon mons",
    "week": "week weeks w",
    "dow": "dayofweek dow dw weekday",
    "doy": "dayofyear doy dy yearday",
    "day": "day days d",
    "hour": "hour hours h hr hrs",
    "minute": "minute minutes m min mins",
    "second": "second seconds s sec secs",
    "millisecond": "millisecond milliseconds ms msec msecs msecond mseconds millisec millisecs millisecon",
    "microsecond": "microsecond microseconds microsec microsecs usecond useconds us usec usecs",
    "timezone": "timezone",
    "timezone_hour": "timezone_hour",
    "timezone_minute": "timezone_minute",
}
PARTS = {spelling: part for part, spellings in _NAMES.items() for spelling in spellings.split()}

# What DATEADD, DATEDIFF and intervals can count.
COUNTABLE = frozenset(
    ["millennium", "century", "decade", "year", "quarter", "month", "week", "day", "hour", "minute", "second",
     "millisecond", "microsecond"]
)  # fmt: skip


def part_of(name: str, *, countable: bool = False) -> str:
    """The part a name means; InvalidParameterValue when it means none, or none that can be counted."""
    part = PARTS.get(name.strip().lower())
    if part is None or (countable and part not in COUNTABLE):
        raise errors.InvalidParameterValue(f'timestamp units "{name.strip()[:64]}" not recognized')
    return part


_QUANTITY = re.compile(r"([-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*([a-z_]*)", re.IGNORECASE)
_CLOCK = re.compile(r"[-+]?[0-9]{1,6}:[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]{1,6})?)?")


def interval_text(text: str) -> str:
    """An interval as the engine reads it: `1w, 1h` is `1 week 1 hour`. A quantity without a unit counts seconds.

    InvalidDatetime for what is no interval.
    """
    pieces = []
    at = 0
    text = text.strip()
    while at < len(text):
        clock = _CLOCK.match(text, at)
        found = clock or _QUANTITY.match(text, at)
        if found is None:
            raise errors.InvalidDatetime(f'invalid input syntax for type interval: "{text[:100]}"')
        if clock is not None:
            pieces.append(clock[0].lstrip("+"))
        else:
            pieces.append(f"{found[1]} {_ENGINE_UNIT[part_of(found[2] or 'second', countable=True)]}")
        at = found.end()
        while at < len(text) and text[at] in " ,\t\n":
            at += 1
    if not pieces:
        raise errors.InvalidDatetime(f'invalid input syntax for type interval: "{text[:100]}"')
    return " ".join(pieces)


_ENGINE_UNIT = {part: f"{part}s" for part in COUNTABLE} | {"millennium": "millennia", "century": "centuries"}
