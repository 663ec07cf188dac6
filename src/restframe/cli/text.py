"""Values as PostgreSQL's clients print them: column by column, so that a million rows cost seconds and not minutes."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa

# Arrow writes decimals with more places than these as 1E-10.
_PLAIN_SCALE = 6


def texts(column: pa.Array, type_: SqlType) -> list[str | None]:
    """Each value as text; None for NULL."""
    import pyarrow as pa

    if type_.element is not None:
        return [_array(row.values, type_.name, type_.element) if row.is_valid else None for row in column]
    if type_.is_text or type_.name == "super":
        return cast("list[str | None]", column.to_pylist())
    if type_.is_integer or type_.name == "date" or (type_.name == "numeric" and (type_.scale or 0) <= _PLAIN_SCALE):
        return cast("list[str | None]", column.cast(pa.string()).to_pylist())
    if type_.name.startswith("time"):
        return _times(column, type_)
    if type_.name == "float4":
        # the shortest text that means the same 32 bits; as Python's float it would show 17 digits
        column = column.cast(pa.string()).cast(pa.float64())
    return [None if value is None else _text(value, type_) for value in column.to_pylist()]


def json_texts(column: pa.Array, type_: SqlType) -> list[str]:
    """Each value as JSON: numbers as numbers with all their digits, SUPER as it is, other things as strings."""
    if type_.name == "bool":
        return ["null" if value is None else "true" if value else "false" for value in column.to_pylist()]
    values = texts(column, type_)
    if type_.is_number or type_.name == "super":
        return ["null" if v is None else json.dumps(v) if v in _NOT_FINITE else v for v in values]
    return ["null" if value is None else json.dumps(value, ensure_ascii=False) for value in values]


_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


def _times(column: pa.Array, type_: SqlType) -> list[str | None]:
    """`2014-11-02 01:00:00`, with a fraction only where there is one, and `+00` where there is a zone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if type_.name == "timestamptz":
        column = column.cast(pa.timestamp("us"))
    shown = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    shown = pc.replace_substring_regex(shown, r"(\.\d*[1-9])0+$", r"\1")
    values: list[str | None] = shown.to_pylist()
    if type_.name.endswith("tz"):
        return [None if value is None else value + "+00" for value in values]
    return values


def _text(value: Any, type_: SqlType) -> str:
    match type_.name:
        case "bool":
            return "t" if value else "f"
        case "varbyte":
            return str(value.hex())
        case "numeric":
            return format(value, "f")
        case "interval":
            return _interval(*value)
        case "float4" | "float8":
            return _float(value)
        case _:  # regclass and its like, which are the name they print as
            return str(value)


def _array(elements: pa.Array, name: str, of: SqlType) -> str:
    """`{1,2}`; of pg_catalog's int2vector and oidvector `1 2`."""
    from restframe.storage.writing.texts import array

    shown = texts(elements, of)
    return array(shown) if name == "array" else " ".join("NULL" if text is None else text for text in shown)


def _float(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return f"{value:.0f}" if value == int(value) and abs(value) < 1e15 else repr(value)


def _interval(months: int, days: int, nanoseconds: int) -> str:
    """`1 year 2 mons 3 days 04:05:06.5`, as PostgreSQL prints intervals."""
    years = int(months / 12)  # towards zero, so that years and months have one sign
    named = ((years, "year"), (months - 12 * years, "mon"), (days, "day"))
    parts = [f"{count} {name}{'' if abs(count) == 1 else 's'}" for count, name in named if count]
    if nanoseconds or not parts:
        seconds, microseconds = divmod(abs(nanoseconds) // 1000, 1_000_000)
        clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        fraction = f".{microseconds:06d}".rstrip("0").rstrip(".")
        parts.append(("-" if nanoseconds < 0 else "") + clock + fraction)
    return " ".join(parts)
