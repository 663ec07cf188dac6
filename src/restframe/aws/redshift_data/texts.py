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
        case "timestamp" | "time":
            return _without_zeros(column.cast(pa.string()))
        case "timestamptz":
            return _in_utc(column.cast(pa.timestamp("us")).cast(pa.string()))
        case "timetz":
            return _in_utc(column.cast(pa.string()))
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


def _in_utc(shown: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(_without_zeros(shown), "+00", "")


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
        microseconds = abs(nanoseconds) // 1000
        seconds, fraction = divmod(microseconds, 1_000_000)
        clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        tail = f".{fraction:06}".rstrip("0") if fraction else ""
        parts.append(("-" if nanoseconds < 0 else "") + clock + tail)
    return " ".join(parts)
