"""Dates and times that COPY recognises with 'auto', one value at a time, for those that are not written as ISO 8601.

https://docs.aws.amazon.com/redshift/latest/dg/automatic-recognition.html
"""

from __future__ import annotations

import datetime
import re

_DAY_US = 86_400_000_000

_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_CLOCK = (
    r"(?:[T ]\s*(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d+))?)?"
    r"(?:\s*(?P<meridian>[AaPp][Mm]))?|\s+(?P<compact>\d{6})(?:\.(?P<compact_fraction>\d+))?)?"
)
_ZONE = r"(?:\s*(?P<zone>[+-]\d{1,2}(?::?\d{2})?|(?!BC|bc)[A-Za-z]{1,5}))?"
_BC = r"(?:\s+(?P<bc>BC|bc))?"
_FORMS = [
    re.compile(f"{date}{_CLOCK}{_ZONE}{_BC}")
    for date in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<year>\d{4})\.(?P<day_of_year>\d{3})",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<short_year>\d{2})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?P<month>\d{1,2})[/.-](?P<day>\d{1,2})[/.-](?P<year>\d{4})",
        r"(?P<month>\d{1,2})[/.-](?P<day>\d{1,2})[/.-](?P<short_year>\d{2})",
        r"(?P<year>\d{4})-" + _NAME + r"-(?P<day>\d{1,2})",
        _NAME + r"[- ](?P<day>\d{1,2}),?[- ](?P<year>\d{4})",
        _NAME + r"[- ](?P<day>\d{1,2})[- ](?P<short_year>\d{2})",
        r"(?P<day>\d{1,2})[- ]" + _NAME + r"[- ](?P<year>\d{4})",
        r"(?P<day>\d{1,2})[- ]" + _NAME + r"[- ](?P<short_year>\d{2})",
        r"[Jj](?P<julian>\d{1,8})",
    )
]
_FORMS.append(
    re.compile(
        r"(?:[A-Za-z]{3,9}\s+)?(?:(?P<day>\d{1,2}) "
        + _NAME
        + r"|(?P<name2>[A-Za-z]{3,9}) (?P<day2>\d{1,2}))(?P<clock>"
        + _CLOCK
        + r") (?P<year>\d{4})"
        + _ZONE
    )
)
_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip
_ZONES = {
    "z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "cet": 1, "cest": 2, "bst": 1, "ist": 5.5, "jst": 9,
}  # fmt: skip
_JULIAN_OF_1970 = 2_440_588


def recognise(text: str, with_zone: bool) -> int | None:
    """Microseconds since 1970 of a date or timestamp in any form that 'auto' knows, None when it is in none.

    with_zone : whether a zone in the text counts; it is ignored otherwise
    """
    for form in _FORMS:
        match = form.fullmatch(text.strip())
        if match:
            return _recognised(match.groupdict(), with_zone)
    return None


def _recognised(part: dict[str, str | None], with_zone: bool) -> int | None:
    if part.get("julian"):
        days = int(part["julian"] or 0) - _JULIAN_OF_1970
    else:
        found = _date(part)
        if found is None:
            return None
        days = found
    clock_us = _clock(part)
    zone_s = _zone(part.get("zone"))
    if clock_us is None or zone_s is None:
        return None
    return days * _DAY_US + clock_us - (zone_s * 1_000_000 if with_zone else 0)


def _date(part: dict[str, str | None]) -> int | None:
    year = int(part.get("year") or part["short_year"] or 0)
    if part.get("short_year") and not part.get("bc"):
        year += 2000 if year < 70 else 1900
    if part.get("bc"):
        year = 1 - year
    if part.get("day_of_year"):
        day_of_year = int(part["day_of_year"] or 0)
        first, next_first = _days(year, 1, 1), _days(year + 1, 1, 1)
        if first is None or next_first is None or not 1 <= day_of_year <= next_first - first:
            return None
        return first + day_of_year - 1
    name = part.get("name") or part.get("name2")
    month = _named(name) if name else int(part["month"] or 0)
    return _days(year, month, int(part.get("day") or part.get("day2") or 0))


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01 of a day before or after Christ, None when there is no such day."""
    cycles, year_of_cycle = divmod(year - 1, 400)  # the calendar repeats after 400 years
    try:
        ordinal = datetime.date(year_of_cycle + 1, month, day).toordinal()
    except ValueError:
        return None
    return ordinal + cycles * 146_097 - 719_163


def _named(name: str) -> int:
    """1 to 12, or 0 for no month's name."""
    name = name.lower()
    return next((i for i, full in enumerate(_NAMES, 1) if name in (full, full[:3])), 0)


def _clock(part: dict[str, str | None]) -> int | None:
    compact = part.get("compact")
    if compact:
        hour, minute, second = int(compact[:2]), int(compact[2:4]), int(compact[4:])
        fraction = part.get("compact_fraction")
    else:
        hour, minute, second = (int(part.get(name) or 0) for name in ("hour", "minute", "second"))
        fraction = part.get("fraction")
    meridian = (part.get("meridian") or "").lower()
    if hour > (12 if meridian else 23) or minute > 59 or second > 59:
        return None
    if meridian:
        hour = hour % 12 + (12 if meridian == "pm" else 0)
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + round(float(f"0.{fraction or 0}") * 1_000_000)


def _zone(zone: str | None) -> int | None:
    """Seconds east of UTC; None for a name that is no zone."""
    if not zone:
        return 0
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
        return (-1 if zone[0] == "-" else 1) * (hours * 3600 + minutes * 60)
    hours_east = _ZONES.get(zone.lower())
    return None if hours_east is None else int(hours_east * 3600)
