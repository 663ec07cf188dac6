"""What a country's SQL made of its sources, put right: each place stands once, below one that is there; each day once.

A mistake in one row costs that row, not the day. What was changed stands in the quarantine under the table's name.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from restframe_epidemic.pipeline import quarantine

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

LOCATION = "epidemic.location"
REPORT = "epidemic.case_report"
_COLUMNS = ("key", "column_name", "value", "new_value", "rule", "action", "reason")
_FAR = "a report of a day that is to come, more than ten years after all others"
Told = list[tuple[str | None, ...]]  # rows of the quarantine
# By table: what tells its rows apart, what they say, and what people are told of two rows for one.
_ONCE = {
    REPORT: (
        ("location", "date"),
        ("cases", "deaths"),
        "two reports of one place and day, of which the greater counts stand",
    ),
    "epidemic.capacity": (
        ("location",),
        ("icu_beds", "hospital_beds", "physicians"),
        "two capacities of one place, of which the greater ones stand",
    ),
    "epidemic.feature": (("location", "name"), ("value",), "two values of one feature, of which the greater stands"),
    "epidemic.signal": (
        ("location", "date", "name"),
        ("value",),
        "two values of one signal on a day, of which the greater stands",
    ),
}


def mend(store: Store) -> None:
    """Put the tables of a country right, and write down what was wrong with them."""
    with store.transaction():
        _write(store, LOCATION, _locations(store))
        far = _far(store)
        for table, (key, values, reason) in _ONCE.items():
            _write(store, table, (far if table == REPORT else []) + _once(store, table, key, values, reason))


def notices(store: Store) -> list[str]:
    """What `mend` changed, for people: a line for each reason."""
    from restframe_epidemic.hierarchy import some

    wrong = store.query(
        "SELECT DISTINCT reason, key FROM epidemic.quarantine WHERE source LIKE 'epidemic.%' ORDER BY reason, key"
    )
    told: dict[str, list[str]] = {}
    for reason, key in zip(*(column.to_pylist() for column in wrong.columns), strict=True):
        told.setdefault(reason, []).append(key.replace("|", " "))
    return [f"{reason}: {some(keys)}" for reason, keys in told.items()]


def _locations(store: Store) -> Told:
    import pandas as pd

    from restframe_epidemic import hierarchy

    table = store.query(f"SELECT * FROM {LOCATION}")
    frame, changes = hierarchy.mended(table.to_pandas(types_mapper=pd.ArrowDtype))
    if changes or len(frame) < table.num_rows:
        store.replace(LOCATION, pa.Table.from_pandas(frame, table.schema, preserve_index=False))
    return [(each.location, "parent", each.given, each.parent, each.rule, "changed", each.reason) for each in changes]


def _far(store: Store) -> Told:
    """Take out reports of far days to come, which a source whose dates may lie in the future lets in: of two times that
    far apart the later one counts (`series.beginning`), so a single 9999-12-31 would put all others away.
    """
    from restframe_epidemic.pipeline.series import beginnings

    days = store.query(f"SELECT DISTINCT date FROM {REPORT}").column(0)
    if not len(days):
        return []
    today = datetime.datetime.now(datetime.UTC).date()
    far = [str(day) for day in beginnings(days.to_numpy())[1:] if day > today]
    if not far:
        return []
    later = f"FROM {REPORT} WHERE date >= CAST($1 AS date)"
    rows = store.query(f"SELECT location, date {later} ORDER BY date, location", far[:1]).to_pylist()
    store.run(f"DELETE {later}", far[:1])
    return [
        (f"{row['location']}|{row['date']}", "date", str(row["date"]), None, "future", "rejected", _FAR) for row in rows
    ]


def _once(store: Store, table: str, key: Sequence[str], values: Sequence[str], reason: str) -> Told:
    """Of rows with the same key the greatest values: counts are cumulative, so that is nearly always the later one."""
    keys = ", ".join(key)
    greatest = ", ".join(f"MAX({value}) AS {value}" for value in values)
    least = ", ".join(f"MIN({value}) AS least_{value}" for value in values)
    doubled = store.query(
        f"SELECT {keys}, {greatest}, {least} FROM {table} GROUP BY {keys} HAVING COUNT(*) > 1 ORDER BY {keys}"
    ).to_pylist()
    if doubled:
        store.replace(table, store.query(f"SELECT {keys}, {greatest} FROM {table} GROUP BY {keys}"))
    return [
        (
            "|".join(str(row[at]) for at in key),
            name,
            str(row[f"least_{name}"]),
            str(row[name]),
            "twice",
            "changed",
            reason,
        )
        for row in doubled
        for name in values
        if row[f"least_{name}"] != row[name]
    ]


def _write(store: Store, table: str, told: Told) -> None:
    columns = dict(zip(_COLUMNS, zip(*told, strict=True), strict=True)) if told else {}
    rows = pa.table(
        {
            "source": pa.repeat(pa.scalar(table), len(told)),
            **{name: quarantine.shortened(pa.array(column, pa.string())) for name, column in columns.items()},
        }
    )
    store.replace("epidemic.quarantine", rows, {"source": table})
