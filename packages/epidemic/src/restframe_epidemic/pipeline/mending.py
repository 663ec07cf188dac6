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

LOCATION, REPORT = "epidemic.location", "epidemic.case_report"


def mend(store: Store) -> None:
    """Put `epidemic.location` and `epidemic.case_report` right, and write down what was wrong with them."""
    with store.transaction():
        _locations(store)
        _reports(store)


def notices(store: Store) -> list[str]:
    """What `mend` changed, for people: a line for each reason."""
    from restframe_epidemic.hierarchy import some

    wrong = store.query(
        "SELECT reason, key FROM epidemic.quarantine WHERE source IN ($1, $2) ORDER BY source DESC, reason",
        [LOCATION, REPORT],
    )
    told: dict[str, list[str]] = {}
    for reason, key in zip(*(column.to_pylist() for column in wrong.columns), strict=True):
        told.setdefault(reason, []).append(key.replace("|", " on "))
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


def _reports(store: Store) -> None:
    """Counts are cumulative, so the greater one is nearly always the later one."""
    counted = f"""
        SELECT location, date, MAX(cases) AS cases, MAX(deaths) AS deaths, COUNT(*) AS times,
               MIN(cases) AS fewest_cases, MIN(deaths) AS fewest_deaths
        FROM {REPORT} GROUP BY location, date"""
    doubled = store.query(f"SELECT * FROM ({counted}) AS counted WHERE times > 1 ORDER BY location, date").to_pylist()
    if doubled:
        store.replace(REPORT, store.query(f"SELECT location, date, cases, deaths FROM ({counted}) AS counted"))
    reason = "two reports of one place and day, of which the greater counts stand"
    _write(
        store,
        REPORT,
        [
            (
                f"{row['location']}|{row['date']}",
                target,
                str(row[f"fewest_{target}"]),
                str(row[target]),
                "twice",
                reason,
            )
            for row in doubled
            for target in ("cases", "deaths")
            if row[f"fewest_{target}"] != row[target]
        ],
    )


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
