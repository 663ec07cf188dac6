"""New rows into those that a partition has: one row for each key, the latest, and a note of what it replaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restframe_epidemic.pipeline import quarantine
from restframe_epidemic.pipeline.pieces import hashes
from restframe_epidemic.pipeline.spill import codes
from restframe_epidemic.sources import Source

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Merged:
    """
    rows : one for each key
    noted : for the quarantine: rows of one file that contradict each other, the later of which counts
    corrected : for the quarantine: values that came otherwise in an earlier file, or earlier content of the file
    repeated : rows that said again what was known
    """

    rows: pa.Table
    noted: pa.Table
    corrected: pa.Table
    repeated: int


def merge(source: Source, stored: pa.Table | None, new: pa.Table, file: str) -> Merged:
    """One partition's rows. Of those with the same key the one of the file that is last by name counts, of one file
    the new content before the old and the later line before the earlier. Where it repeats the one before it, that one
    stays, so that the row tells where its values were first seen.

    stored, new : with source_line; stored with source_file, new rows all being of `file`
    """
    empty = quarantine.SCHEMA.empty_table()
    named = new.append_column("source_file", pa.repeat(pa.scalar(file), new.num_rows))
    both = pa.concat_tables([stored.select(named.column_names), named]) if stored is not None else named
    if (np.diff(np.sort(hashes(source, both))) != 0).all():  # then keys are, too
        return Merged(_sorted(both), empty, empty, 0)
    key = codes([both.column(name).combine_chunks() for name in source.key])
    files = both.column("source_file").combine_chunks()
    is_new = np.arange(len(key)) >= (stored.num_rows if stored is not None else 0)
    line = both.column("source_line").to_numpy()
    order = np.lexsort((line, is_new, pc.rank(files, tiebreaker="dense").to_numpy(), key))
    both, key, is_new = both.take(pa.array(order)).combine_chunks(), key[order], is_new[order]
    follows = np.concatenate([[False], key[1:] == key[:-1]])
    last = np.concatenate([~follows[1:], [True]])
    changed = np.concatenate([[True], ~_equal(source, both)])
    # of each key: the first row of the last run of equal rows
    run = np.maximum.accumulate(np.where(changed | ~follows, np.arange(len(key)), 0))
    replaced = np.flatnonzero(follows & changed)
    within = _same_file(both, is_new, replaced)
    return Merged(
        _sorted(both.take(pa.array(run[last]))),
        _contradicting(source, both, replaced[within]),
        _corrected(source, both, replaced[~within]),
        int((follows & ~changed).sum()),
    )


def _sorted(rows: pa.Table) -> pa.Table:
    """By file and line."""
    files = rows.column("source_file").combine_chunks()
    line = rows.column("source_line").to_numpy()
    rank = pc.rank(files, tiebreaker="dense").to_numpy() if len(pc.unique(files)) > 1 else np.zeros(len(line))
    order = np.lexsort((line, rank))
    return rows if (np.diff(order) == 1).all() else rows.take(pa.array(order))


def _values(source: Source) -> list[str]:
    return [column.name for column in source.stored if column.name not in source.key]


def _equal(source: Source, rows: pa.Table) -> BoolArray:
    """(n - 1,) whether a row says the same as the one before it."""
    same = np.ones(rows.num_rows - 1, dtype=bool)
    for name in _values(source):
        same &= _equal_values(rows.column(name).combine_chunks())
    return same


def _equal_values(column: pa.Array) -> BoolArray:
    before, after = column.slice(0, len(column) - 1), column.slice(1)
    both_null = pc.and_(pc.is_null(before), pc.is_null(after))
    equal = pc.or_(pc.fill_null(pc.equal(before, after), False), both_null)
    return np.asarray(equal.to_numpy(zero_copy_only=False), dtype=bool)


def _same_file(rows: pa.Table, is_new: BoolArray, at: NDArray[np.int64]) -> BoolArray:
    """Whether rows and those before them came from the same reading of one file."""
    files = rows.column("source_file").combine_chunks()
    same = pc.equal(files.take(pa.array(at)), files.take(pa.array(at - 1))).to_numpy(zero_copy_only=False)
    return np.asarray(same & (is_new[at] == is_new[at - 1]), dtype=bool)


def _contradicting(source: Source, rows: pa.Table, at: NDArray[np.int64]) -> pa.Table:
    """The rows before `at`, which those replace."""
    why = "a later line of the file has the same key and other values; that one counts"
    return _changes(source, rows.take(pa.array(at - 1)), rows.take(pa.array(at)), "duplicate", "rejected", why)


def _corrected(source: Source, rows: pa.Table, at: NDArray[np.int64]) -> pa.Table:
    """The rows `at`, which replace those before them."""
    why = "an earlier file had other values"
    return _changes(source, rows.take(pa.array(at - 1)), rows.take(pa.array(at)), "corrected", "changed", why)


def _changes(source: Source, old: pa.Table, new: pa.Table, rule: str, action: str, reason: str) -> pa.Table:
    """Entries of what became of rows by those that replace them, where the rejected or the changed ones stand."""
    if not len(new):
        return quarantine.SCHEMA.empty_table()
    where = old if action == "rejected" else new
    return quarantine.entries(
        source.name,
        where.column("source_file").combine_chunks(),
        where.column("source_line").combine_chunks(),
        key=quarantine.key_text([where.column(name).combine_chunks() for name in source.key]),
        value=_told(source, old, new, old),
        new_value=_told(source, old, new, new),
        rule=rule,
        action=action,
        reason=reason,
    )


def _told(source: Source, old: pa.Table, new: pa.Table, which: pa.Table) -> pa.Array:
    """The columns in which two tables differ, and their values in one of them: `cases=5 deaths=1`."""
    parts = []
    for name in _values(source):
        before, after = old.column(name).combine_chunks(), new.column(name).combine_chunks()
        both_null = pc.and_(pc.is_null(before), pc.is_null(after))
        differs = pc.invert(pc.or_(pc.fill_null(pc.equal(before, after), False), both_null))
        text = pc.fill_null(which.column(name).combine_chunks().cast(pa.string()), "")
        parts.append(pc.if_else(differs, pc.binary_join_element_wise(pa.scalar(name), text, "="), ""))
    joined = pc.binary_join_element_wise(*parts, " ") if parts else pa.array([""] * old.num_rows)
    return pc.replace_substring_regex(pc.utf8_trim_whitespace(joined), " +", " ")
