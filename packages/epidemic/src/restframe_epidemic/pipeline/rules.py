"""The rules of a source, applied to a block of rows at once.

In a column's order: its type, whether it may be missing, its bounds, the day of ingestion, its length, its pattern, its
values, the values of another source; then what holds between columns. A value meets the first rule that it breaks; a
row is rejected when any of its values rejects it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restframe_epidemic.pipeline import quarantine, values
from restframe_epidemic.sources import Column, Source

BoolArray = NDArray[np.bool_]

_UNSTORABLE = ("type", "length")


@dataclass(frozen=True, slots=True)
class Checked:
    """
    accepted : rows in the types of the lake, with `source_line`
    refused : rows of the quarantine
    future : the first date that was rejected for lying ahead: from then on the file is worth reading again
    """

    accepted: pa.Table
    refused: pa.Table
    future: datetime.date | None


@dataclass(frozen=True, slots=True)
class _Breach:
    rule: str
    reason: str
    at: BoolArray


def apply(
    source: Source,
    file: str,
    columns: Mapping[str, pa.Array],
    line: NDArray[np.int64],
    *,
    today: datetime.date,
    known: Mapping[str, pa.Array],
) -> Checked:
    """Check and convert some rows.

    columns : by name in the staging table, as the file has them
    known : by `source.column`, the values that references may have; those that are not in it are not checked
    """
    result: dict[str, pa.Array] = {}
    rejected = np.zeros(len(line), dtype=bool)
    broken: list[tuple[Column, _Breach]] = []
    for column in source.stored:
        raw = columns[column.name]
        array, unreadable = values.typed(column, raw)
        seen = np.zeros(len(line), dtype=bool)
        for breach in _breaches(column, array, unreadable, today, known):
            at = breach.at & ~seen
            if at.any():
                seen |= at
                broken.append((column, _Breach(breach.rule, breach.reason, at)))
        if column.otherwise == "reject":
            rejected |= seen
        else:
            array = _without(array, seen if column.otherwise == "null" else _unstorable(broken, column))
        result[column.name] = array
    tables = [_refused(source, file, columns, result, line, column, breach) for column, breach in broken]
    for first, second in source.order:
        wrong = _mask(pc.less(result[second], result[first])) & ~rejected
        if wrong.any():
            tables.append(_disordered(source, file, result, line, first, second, wrong))
            rejected |= wrong
    table = pa.table({**result, "source_line": pa.array(line)})
    return Checked(
        table.filter(pa.array(~rejected)) if rejected.any() else table,
        pa.concat_tables([quarantine.SCHEMA.empty_table(), *tables]),
        _first_future(broken, result),
    )


def _without(array: pa.Array, at: BoolArray) -> pa.Array:
    return pc.if_else(pa.array(~at), array, pa.scalar(None, array.type)) if at.any() else array


def _unstorable(broken: list[tuple[Column, _Breach]], column: Column) -> BoolArray:
    """What cannot even be kept: the table's column does not hold it."""
    found = [breach.at for each, breach in broken if each is column and breach.rule in _UNSTORABLE]
    return np.logical_or.reduce(found) if found else np.zeros(1, dtype=bool)


def _breaches(
    column: Column, array: pa.Array, unreadable: BoolArray, today: datetime.date, known: Mapping[str, pa.Array]
) -> Iterator[_Breach]:
    yield _Breach("type", f"is no {column.type}" + (f" as {column.format}" if column.format else ""), unreadable)
    if not column.nullable:
        yield _Breach("null", "is missing", _mask(pc.is_null(array)))
    if column.kind == "float8":
        yield _Breach("type", "is not finite", _mask(pc.is_inf(array)))
    if column.minimum is not None:
        yield _Breach("minimum", f"is under {column.minimum}", _mask(pc.less(array, _scalar(column.minimum))))
    if column.maximum is not None:
        yield _Breach("maximum", f"is over {column.maximum}", _mask(pc.greater(array, _scalar(column.maximum))))
    if column.kind == "date" and not column.future:
        yield _Breach("future", f"lies after {today}", _mask(pc.greater(array, pa.scalar(today))))
    if column.kind == "varchar":
        yield from _text_breaches(column, array)
    if column.references in known:
        unknown = ~_mask(pc.is_in(array, known[column.references])) & _mask(pc.is_valid(array))
        yield _Breach("reference", f"is not in {column.references}", unknown)


def _text_breaches(column: Column, array: pa.Array) -> Iterator[_Breach]:
    yield _Breach(
        "length", f"is longer than {column.size[0]} bytes", _mask(pc.greater(pc.binary_length(array), column.size[0]))
    )
    if column.pattern:
        matching = pc.match_substring_regex(array, f"^(?:{column.pattern})$")
        yield _Breach("pattern", f"does not match {column.pattern[:100]}", _mask(pc.invert(matching)))
    if column.values:
        unknown = ~_mask(pc.is_in(array, pa.array(column.values))) & _mask(pc.is_valid(array))
        yield _Breach("values", f"is none of {', '.join(column.values)[:200]}", unknown)


def _mask(array: pa.Array) -> BoolArray:
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False), dtype=bool)


def _scalar(bound: object) -> pa.Scalar:
    return pa.scalar(bound) if isinstance(bound, datetime.date | float) else pa.scalar(bound, pa.int64())


def _refused(
    source: Source,
    file: str,
    raw: Mapping[str, pa.Array],
    result: Mapping[str, pa.Array],
    line: NDArray[np.int64],
    column: Column,
    breach: _Breach,
) -> pa.Table:
    at = pa.array(np.flatnonzero(breach.at))
    given, _ = values.typed(Column("", "", "varchar", (0,)), raw[column.name].take(at))
    new = result[column.name].take(at).cast(pa.string())
    action = {"reject": "rejected", "null": "changed", "keep": "kept"}[column.otherwise]
    if column.otherwise == "keep" and breach.rule in _UNSTORABLE:
        action = "changed"
    return quarantine.entries(
        source.name,
        file,
        line[breach.at],
        key=quarantine.key_text([result[name].take(at) for name in source.key]),
        column=column.name,
        value=given,
        rule=breach.rule,
        action=action,
        new_value=new if action != "rejected" else None,
        reason=f"{column.name} {breach.reason}",
    )


def _disordered(
    source: Source,
    file: str,
    result: Mapping[str, pa.Array],
    line: NDArray[np.int64],
    first: str,
    second: str,
    wrong: BoolArray,
) -> pa.Table:
    at = pa.array(np.flatnonzero(wrong))
    return quarantine.entries(
        source.name,
        file,
        line[wrong],
        key=quarantine.key_text([result[name].take(at) for name in source.key]),
        column=second,
        value=result[second].take(at).cast(pa.string()),
        rule="order",
        action="rejected",
        reason=f"{second} is before {first}",
    )


def _first_future(broken: list[tuple[Column, _Breach]], result: Mapping[str, pa.Array]) -> datetime.date | None:
    ahead = [
        pc.min(result[column.name].filter(pa.array(breach.at))).as_py()
        for column, breach in broken
        if breach.rule == "future" and column.otherwise == "reject"
    ]
    return min(ahead, default=None)


def malformed(source: Source, file: str, lines: list[tuple[int, str]], columns: int) -> pa.Table:
    """Lines that are no rows, for the quarantine; without their text where that may name somebody."""
    return quarantine.entries(
        source.name,
        file,
        np.array([line for line, _ in lines], dtype=np.int64),
        value=pa.array([None if source.identifies else text for _, text in lines], pa.string()),
        rule="columns",
        action="rejected",
        reason=f"the line does not have {columns} columns, or a quote in it is not closed",
    )
