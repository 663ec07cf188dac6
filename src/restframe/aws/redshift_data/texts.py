"""Columns as texts, the way Redshift prints their types; whole columns at a time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa


def texts(column: pa.Array, type_: SqlType) -> pa.Array:
    """One text per value, NULL for NULL. Times with a time zone are those of UTC."""
    import pyarrow as pa
    import pyarrow.compute as pc

    match type_.name:
        case "varchar" | "bpchar" | "super":
            return column
        case "numeric":
            return _numerals(column)
        case "date" | "timestamp":
            return _times(column, "")
        case "timestamptz":
            return _times(column.cast(pa.timestamp("us")), "+00")
        case "time":
            return _without_zeros(column.cast(pa.string()))
        case "timetz":
            return pc.binary_join_element_wise(_without_zeros(column.cast(pa.string())), "+00", "")
        case "varbyte":
            return pa.array([None if value is None else value.hex() for value in column.to_pylist()], pa.string())
        case "interval":
            return pa.array([None if value is None else _interval(value) for value in column.to_pylist()], pa.string())
        case "float4" | "float8":
            return _floats(column.cast(pa.string()))
        case "bool":
            return pc.if_else(column, pa.scalar("t"), pa.scalar("f"))
        case _:
            return column.cast(pa.string())


def _numerals(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = column.cast(pa.string())
    if not pc.any(pc.match_substring(shown, "E")).as_py():
        return shown
    # 1E-7 for a small number of many decimals
    values: list[Decimal | None] = column.to_pylist()
    return pa.array([None if value is None else f"{value:f}" for value in values], pa.string())


def _without_zeros(shown: pa.Array) -> pa.Array:
    """Without the zeros at the end of a fraction, which all these texts have."""
    import pyarrow.compute as pc

    return pc.utf8_rtrim(pc.utf8_rtrim(shown, characters="0"), characters=".")


def _times(column: pa.Array, zone: str) -> pa.Array:
    """Dates or timestamps."""
    import pyarrow as pa
    import pyarrow.compute as pc

    shown = column.cast(pa.string())
    if pc.any(pc.match_substring_regex(shown, "^(-|<|0000)")).as_py():
        # years before 1 or after 32767, which Arrow writes in ways of its own
        values = column.cast(pa.int32() if pa.types.is_date(column.type) else pa.int64()).to_pylist()
        in_days = pa.types.is_date(column.type)
        return pa.array([None if value is None else _far_time(value, in_days, zone) for value in values], pa.string())
    if not pa.types.is_date(column.type):
        shown = _without_zeros(shown)
    return pc.binary_join_element_wise(shown, zone, "") if zone else shown


_DAY_US = 86_400_000_000


def _far_time(value: int, in_days: bool, zone: str) -> str:
    """Days or microseconds since 1970 as PostgreSQL writes them; the year before 1 is `0001 BC`."""
    days, microseconds = (value, 0) if in_days else divmod(value, _DAY_US)
    year, month, day = _civil(days)
    date = f"{year if year > 0 else 1 - year:04}-{month:02}-{day:02}"
    clock = "" if in_days else f" {_clock(microseconds)}{zone}"
    return f"{date}{clock}{'' if year > 0 else ' BC'}"


def _civil(days: int) -> tuple[int, int, int]:
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


def _clock(microseconds: int) -> str:
    seconds, fraction = divmod(microseconds, 1_000_000)
    tail = f".{fraction:06}".rstrip("0") if fraction else ""
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{tail}"


def _floats(shown: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    for written, wanted in (("nan", "NaN"), ("inf", "Infinity")):
        if pc.any(pc.match_substring(shown, written)).as_py():
            shown = pc.replace_substring(shown, written, wanted)
    return shown


def _interval(value: Any) -> str:
    """As PostgreSQL's intervalstyle `postgres`: `1 year 2 mons 3 days 04:05:06.5`."""
    months, days, nanoseconds = value
    parts = []
    for count, one, many in (
        (int(months / 12), "year", "years"),
        (months - int(months / 12) * 12, "mon", "mons"),
        (days, "day", "days"),
    ):
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    if nanoseconds or not parts:
        parts.append(("-" if nanoseconds < 0 else "") + _clock(abs(nanoseconds) // 1000))
    return " ".join(parts)
