"""One value as the text Redshift prints for it. Dates and times come as the numbers that Arrow holds.

https://www.postgresql.org/docs/current/datatype-datetime.html#DATATYPE-DATETIME-OUTPUT
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa

DAY_US = 86_400_000_000
# 2000-01-01, from where PostgreSQL counts, after 1970-01-01
EPOCH_DAYS, EPOCH_US = 10_957, 946_684_800_000_000
# The engine's infinite dates and timestamps; the least number of each is negative infinity too.
INFINITE_DAYS, INFINITE_US = 2**31 - 1, 2**63 - 1


def date(days: int) -> str:
    """Days since 1970: `2024-02-29`, `0044-03-15 BC`, `infinity`."""
    if abs(days) >= INFINITE_DAYS:
        return "infinity" if days > 0 else "-infinity"
    year, month, day = civil(days)
    return f"{year:04}-{month:02}-{day:02}" if year > 0 else f"{1 - year:04}-{month:02}-{day:02} BC"


def timestamp(microseconds: int, zone: str = "") -> str:
    """Microseconds since 1970, with a fraction only where there is one, and `zone` behind the time of day."""
    if abs(microseconds) >= INFINITE_US:
        return "infinity" if microseconds > 0 else "-infinity"
    days, of_day = divmod(microseconds, DAY_US)
    year, month, day = civil(days)
    if year > 0:
        return f"{year:04}-{month:02}-{day:02} {clock(of_day)}{zone}"
    return f"{1 - year:04}-{month:02}-{day:02} {clock(of_day)}{zone} BC"


def timestamptz(microseconds: int, zone: str) -> str:
    """Microseconds since 1970 in UTC as the clocks of a time zone show them: `2024-07-01 12:00:00+02`."""
    if zone == "UTC" or abs(microseconds) >= INFINITE_US:
        return timestamp(microseconds, "+00")
    offset = offset_s(microseconds, zone)
    return timestamp(microseconds + offset * 1_000_000, offset_text(offset))


def civil(days: int) -> tuple[int, int, int]:
    """Year, month and day of a number of days since 1970 in the Gregorian calendar, which goes on in both directions.

    Counted in eras of 400 years from 1 March of year 0, so that a leap day is a year's last.
    """
    era, day_of_era = divmod(days + 719_468, 146_097)
    year = (day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return year + era * 400 + (month <= 2), month, day


def clock(microseconds: int) -> str:
    """Microseconds since midnight: `12:30:00`, `12:30:00.25`."""
    seconds, fraction = divmod(microseconds, 1_000_000)
    tail = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"


def offset_s(microseconds: int, zone: str) -> int:
    """How far the clocks of a zone are ahead of UTC at a moment. Years that Python does not know are taken for those
    400 years nearer, a multiple of which leaves the calendar and its days of the week as they are."""
    seconds = microseconds // 1_000_000
    if seconds < _FIRST_S:
        seconds += -((seconds - _FIRST_S) // _ERA_S) * _ERA_S
    elif seconds >= _END_S:
        seconds -= -((_END_S - 1 - seconds) // _ERA_S) * _ERA_S
    moment = _EPOCH + timedelta(seconds=seconds)
    local = moment.replace(tzinfo=_zone("UTC")).astimezone(_zone(zone))
    return round((local.utcoffset() or timedelta()).total_seconds())


_EPOCH = datetime(1970, 1, 1)
_ERA_S = 146_097 * 86_400
_FIRST_S, _END_S = -62_135_424_000, 253_402_128_000  # two days within the years 1 and 9999


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def offset_text(seconds: int) -> str:
    """`+00`, `-03:30`, `+01:19:32`."""
    minutes, second = divmod(abs(seconds), 60)
    text = f"{'-' if seconds < 0 else '+'}{minutes // 60:02}"
    if minutes % 60 or second:
        text += f":{minutes % 60:02}"
    return f"{text}:{second:02}" if second else text


def interval(value: Sequence[int]) -> str:
    """Months, days and nanoseconds in intervalstyle `postgres`: `1 year 2 mons -3 days +04:05:06.5`.

    A part is signed when it is negative, and when the part before it was.
    """
    months, days, nanoseconds = value
    years = int(months / 12)
    parts: list[str] = []
    negative = False
    for count, unit in ((years, "year"), (months - years * 12, "mon"), (days, "day")):
        if count:
            parts.append(f"{'+' if negative and count > 0 else ''}{count} {unit}{'' if count == 1 else 's'}")
            negative = count < 0
    microseconds = abs(nanoseconds) // 1000
    if microseconds or not parts:
        sign = "-" if nanoseconds < 0 else "+" if negative else ""
        parts.append(sign + clock(microseconds))
    return " ".join(parts)


def numeric(value: Decimal) -> str:
    return f"{value:f}"


def float8(value: float, extra_digits: int = 0) -> str:
    """The shortest text that reads back as the same number; with negative `extra_digits`, 15 digits less those."""
    if extra_digits < 0:
        return f"{value:.{15 + extra_digits or 1}g}" if math.isfinite(value) else _endless(value)
    text = repr(value)
    if text.endswith(".0"):
        # where the exponent begins to be written, which for Python is a digit later
        return text[:-2] if -1e15 < value < 1e15 else _scientific(text[:-2])
    if not math.isfinite(value):
        return _endless(value)
    return text if -1e15 < value < 1e15 or "e" in text else _scientific(text)


def float4(value: float, extra_digits: int = 0) -> str:
    """The same for a float of 4 bytes, 6 digits of which are always right."""
    if not math.isfinite(value):
        return _endless(value)
    if extra_digits < 0:
        return f"{value:.{max(6 + extra_digits, 1)}g}"
    for digits in range(6 if abs(value) >= _LEAST_NORMAL4 else 1, 10):
        text = f"{value:.{digits}g}"
        if digits == 9 or _FLOAT4.unpack(_FLOAT4.pack(float(text)))[0] == value:
            break
    return text if "e" in text or -1e6 < value < 1e6 else _scientific(text)


_FLOAT4, _LEAST_NORMAL4 = struct.Struct("<f"), 2.0**-126


def _endless(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _scientific(text: str) -> str:
    """`-1234.5` as `-1.2345e+03`."""
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, _, fraction = digits.partition(".")
    significant = (whole + fraction).rstrip("0")
    tail = f".{significant[1:]}" if len(significant) > 1 else ""
    return f"{sign}{significant[0]}{tail}e+{len(whole) - 1:02}"


def array(elements: Sequence[str | None]) -> str:
    """`{1,NULL,"a b"}`: quoted where an element would be read as something else."""
    return "{" + ",".join("NULL" if text is None else _element(text) for text in elements) + "}"


_PLAIN_ELEMENT = re.compile(r'[^ \t-\r"\\{},]+')


def _element(text: str) -> str:
    if _PLAIN_ELEMENT.fullmatch(text) and text.lower() != "null":
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def reader(type_: SqlType) -> Callable[[pa.Array], list[Any]]:
    """What makes a list of a column: dates and times as numbers, as above, which reach further than Python's own."""
    if type_.element is not None:
        of_element = reader(type_.element)
        return lambda column: [of_element(row.values) if row.is_valid else None for row in column]
    return _READERS.get(type_.name, _values)


def _values(column: pa.Array) -> list[Any]:
    return column.to_pylist()  # type: ignore[no-any-return]


def _days(column: pa.Array) -> list[Any]:
    import pyarrow as pa

    return column.view(pa.int32()).to_pylist()  # type: ignore[no-any-return]


def _microseconds(column: pa.Array) -> list[Any]:
    import pyarrow as pa

    return column.view(pa.int64()).to_pylist()  # type: ignore[no-any-return]


_READERS = {"date": _days, **dict.fromkeys(("time", "timetz", "timestamp", "timestamptz"), _microseconds)}
