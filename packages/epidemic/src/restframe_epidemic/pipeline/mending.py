"""What a country's SQL made of its sources, put right: each place stands once, below one that is there; each day once.

A mistake in one row costs that row, not the day. What was changed stands in the quarantine under the table's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from restframe_epidemic.pipeline import quarantine

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

LOCATION = "epidemic.location"
# By table: what tells its rows apart, what they say, and what people are told of two rows for one.
_ONCE = {
    "epidemic.case_report": (
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
        _locations(store)
        for table, (key, values, reason) in _ONCE.items():
            _once(store, table, key, values, reason)


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


def _locations(store: Store) -> None:
    import pandas as pd

    from restframe_epidemic import hierarchy

    table = store.query(f"SELECT * FROM {LOCATION}")
    frame, changes = hierarchy.mended(table.to_pandas(types_mapper=pd.ArrowDtype))
    if changes or len(frame) < table.num_rows:
        store.replace(LOCATION, pa.Table.from_pandas(frame, table.schema, preserve_index=False))
    told = [(each.location, "parent", each.given, each.parent, each.rule, each.reason) for each in changes]
    _write(store, LOCATION, told)


def _once(store: Store, table: str, key: Sequence[str], values: Sequence[str], reason: str) -> None:
    """Of rows with the same key the greatest values: counts are cumulative, so that is nearly always the later one."""
    keys = ", ".join(key)
    greatest = ", ".join(f"MAX({value}) AS {value}" for value in values)
    least = ", ".join(f"MIN({value}) AS least_{value}" for value in values)
    doubled = store.query(
        f"SELECT {keys}, {greatest}, {least} FROM {table} GROUP BY {keys} HAVING COUNT(*) > 1 ORDER BY {keys}"
    ).to_pylist()
    if doubled:
        store.replace(table, store.query(f"SELECT {keys}, {greatest} FROM {table} GROUP BY {keys}"))
    told = [
        ("|".join(str(row[name]) for name in key), value, str(row[f"least_{value}"]), str(row[value]), "twice", reason)
        for row in doubled
        for value in values
        if row[f"least_{value}"] != row[value]
    ]
    _write(store, table, told)


def _write(store: Store, table: str, told: Sequence[tuple[str | None, ...]]) -> None:
    """Rows of the quarantine: key, column, value, new value, rule, reason of each."""
    names = ("key", "column_name", "value", "new_value", "rule", "reason")
    columns = dict(zip(names, zip(*told, strict=True), strict=True)) if told else {}
    rows = pa.table(
        {
            "source": pa.repeat(pa.scalar(table), len(told)),
            "action": pa.repeat(pa.scalar("changed"), len(told)),
            **{name: quarantine.shortened(pa.array(column, pa.string())) for name, column in columns.items()},
        }
    )
    store.replace("epidemic.quarantine", rows, {"source": table})
