"""Reported counts in the warehouse into new reports per day, cleansed with all that is known today."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restframe_epidemic.pipeline import quarantine
from restframe_epidemic.pipeline.series import RULES, Cleansed, FloatArray, beginning, cleanse
from restframe_epidemic.store import Store

_TARGETS = ("cases", "deaths")

# In short; `series.py` has the rules.
_REASONS = {
    "negative": "a count is under 0: taken for missing",
    "missing": "no count on this day: interpolated",
    "opening": "the first count tells of more than one day: the rest was before the series",
    "correction": "the count falls: that many reports were taken from the days before",
    "gap": "days of nothing, then all at once: shared evenly among them",
    "holiday": "few reports from a holiday on, then a catch-up: shared evenly among the days",
    "dump": "far more than usual at once: what is too much went to the days before",
    "silent": "no reports where some were due, as on days before: the mean of the week before, until they come",
    "unreported": "no count yet: the mean of the week before stands there",
}


def fill(store: Store) -> int:
    """Fill `epidemic.incidence` of `epidemic.case_report`, and the quarantine with what was moved. Returns its rows."""
    reports = store.query("SELECT location, date, cases, deaths FROM epidemic.case_report")
    with store.transaction():
        store.run("DELETE FROM epidemic.quarantine WHERE source = 'case_report'")
        if reports.num_rows == 0:
            store.run("DELETE FROM epidemic.incidence")
            return 0
        holidays = store.query("SELECT date FROM epidemic.holiday").column(0).to_numpy().astype("datetime64[D]")
        first = beginning(reports.column("date").to_numpy()).astype(object)
        reports = reports.filter(pc.greater_equal(reports.column("date"), pa.scalar(first)))
        places = pc.dictionary_encode(reports.column("location").combine_chunks())
        at = places.indices.to_numpy()
        date = reports.column("date").to_numpy().astype("datetime64[D]")
        dates = np.arange(date.min(), date.max() + 1)
        names = np.array(places.dictionary.to_pylist(), dtype=object)
        results: dict[str, Cleansed] = {}
        for target in _TARGETS:
            counts = np.full((len(names), len(dates)), np.nan)
            counts[at, (date - dates[0]).astype(int)] = _floats(reports.column(target))
            results[target] = cleanse(counts, np.isin(dates, holidays))
            moved = _moved(results[target], target, names, dates)
            if moved.num_rows:
                store.keep("quarantine/case_report/moved.parquet", moved)
                kept = store.lake / "quarantine/case_report/moved.parquet"
                store.load("epidemic.quarantine", quarantine.SCHEMA.names, [kept])
        rows = _rows(results, names, dates)
        store.replace("epidemic.incidence", rows)
    return int(rows.num_rows)


def _floats(column: pa.ChunkedArray) -> FloatArray:
    # a count that floats cannot tell from its neighbours is a mistake, which must not stop the day
    values: FloatArray = pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy()
    return values


def _rows(results: dict[str, Cleansed], names: NDArray[Any], dates: NDArray[Any]) -> pa.Table:
    """A row for each day of a place of which anything is known."""
    known = ~np.isnan(results["cases"].daily) | ~np.isnan(results["deaths"].daily)
    place, day = np.nonzero(known)
    flags = np.array([rule or None for rule in RULES], dtype=object)[results["cases"].rule[known]]
    return pa.table(
        {
            "location": pa.array(names[place], pa.string()),
            "date": pa.array(dates[day]),
            **{target: pa.array(results[target].daily[known], from_pandas=True) for target in _TARGETS},
            "flag": pa.array(flags, pa.string()),
        }
    )


def _moved(result: Cleansed, target: str, names: NDArray[Any], dates: NDArray[Any]) -> pa.Table:
    """For the quarantine: on which day which rule moved how many reports."""
    changes = result.changes
    if not changes:
        return quarantine.SCHEMA.empty_table()
    key = [f"{names[change.place]}|{dates[change.day]}" for change in changes]
    tables = []
    for rule in sorted({change.rule for change in changes}):
        chosen = [at for at, change in enumerate(changes) if change.rule == rule]
        tables.append(
            quarantine.entries(
                "case_report",
                pa.nulls(len(chosen), pa.string()),
                pa.nulls(len(chosen), pa.int64()),
                key=pa.array([key[at] for at in chosen]),
                column=target,
                value=pa.array([f"{changes[at].amount:.6g}" for at in chosen]),
                rule=rule,
                action="moved",
                reason=_REASONS[rule],
            )
        )
    return pa.concat_tables(tables)
