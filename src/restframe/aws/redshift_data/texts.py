"""Columns as texts, the way Redshift prints their types; whole columns at a time."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from restframe.storage.writing import texts as of_one
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
            return pa.array([None if v is None else of_one.interval(v) for v in column.to_pylist()], pa.string())
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
        if pa.types.is_date(column.type):
            far = [None if days is None else of_one.date(days) for days in column.cast(pa.int32()).to_pylist()]
        else:
            far = [None if us is None else of_one.timestamp(us, zone) for us in column.cast(pa.int64()).to_pylist()]
        return pa.array(far, pa.string())
    if not pa.types.is_date(column.type):
        shown = _without_zeros(shown)
    return pc.binary_join_element_wise(shown, zone, "") if zone else shown


def _floats(shown: pa.Array) -> pa.Array:
    import pyarrow.compute as pc

    for written, wanted in (("nan", "NaN"), ("inf", "Infinity")):
        if pc.any(pc.match_substring(shown, written)).as_py():
            shown = pc.replace_substring(shown, written, wanted)
    return shown
