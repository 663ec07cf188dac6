"""From the lake into the warehouse: COPY of the partitions that changed, in one transaction for each source.

`epidemic_staging.loaded` says which file of the lake each partition was loaded from. It changes in the same transaction
as the rows, so that after a stop at any moment the next run loads what is missing and nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import pyarrow as pa

from restframe_epidemic.pipeline import quarantine
from restframe_epidemic.pipeline.lake import Lake, Manifest
from restframe_epidemic.pipeline.spill import end_of
from restframe_epidemic.sources import Source
from restframe_epidemic.store import Store

LOADED = "epidemic_staging.loaded"


def prepare(store: Store) -> None:
    """Make the engine's tables, and the one that says what is loaded."""
    store.prepare()
    store.run(
        f"CREATE TABLE IF NOT EXISTS {LOADED} "
        "(source varchar(64) NOT NULL, item varchar(600) NOT NULL, file varchar(600) NOT NULL, "
        "PRIMARY KEY (source, item))"
    )


def load(store: Store, lake: Lake, manifest: Manifest) -> bool:
    """Bring a source's staging table and its quarantine to what the manifest says. Returns whether anything changed."""
    source = lake.source
    items = manifest.items()
    wanted = {**{item: _short(files) for item, files in items.items()}, "declaration": source.digest}
    there = loaded(store, source.name)
    if wanted == there:
        return False
    with store.transaction():
        if there.get("declaration") != source.digest:
            store.run(f"DROP TABLE IF EXISTS {source.table}")
            store.run("DELETE FROM epidemic.quarantine WHERE source = $1", [source.name])
            there = {}
        store.run(f"CREATE TABLE IF NOT EXISTS {source.table} ({', '.join(_definitions(source))})")
        _delete(store, source, [item for item, file in there.items() if wanted.get(item) != file])
        fresh = [item for item in sorted(wanted) if there.get(item) != wanted[item] and item != "declaration"]
        rows = [file for item in fresh if item in manifest.partitions for file in items[item]]
        entries = [file for item in fresh if item not in manifest.partitions for file in items[item]]
        store.load(source.table, stored_names(source), [lake.root / file for file in rows])
        store.load("epidemic.quarantine", quarantine.SCHEMA.names, [lake.root / file for file in entries])
        mark(store, source.name, wanted)
    return True


def _short(files: Sequence[str]) -> str:
    """What tells the files of an item from others."""
    return files[0] if len(files) == 1 else hashlib.sha256("\n".join(files).encode()).hexdigest()


def loaded(store: Store, source: str) -> dict[str, str]:
    """What the warehouse has of a source: items of its manifest, and the files they came from."""
    rows = store.query(f"SELECT item, file FROM {LOADED} WHERE source = $1", [source])
    return dict(zip(rows.column(0).to_pylist(), rows.column(1).to_pylist(), strict=True))


def mark(store: Store, source: str, items: dict[str, str]) -> None:
    names = sorted(items)
    table = pa.table({"source": [source] * len(names), "item": names, "file": [items[name] for name in names]})
    store.replace(LOADED, table, {"source": source})


def stored_names(source: Source) -> list[str]:
    """The columns of the staging table, in its order."""
    return [*(column.name for column in source.stored), "source_file", "source_line"]


def _definitions(source: Source) -> Iterable[str]:
    for column in source.stored:
        yield f'"{column.name}" {column.type}' + (" NOT NULL" if column.name in source.key else "")
    yield "source_file varchar(512) NOT NULL"
    yield "source_line bigint NOT NULL"


def _delete(store: Store, source: Source, items: Sequence[str]) -> None:
    """The rows that came from items of an earlier manifest."""
    for item in items:
        if item.startswith("quarantine "):
            store.run(
                "DELETE FROM epidemic.quarantine WHERE source = $1 AND source_file = $2 AND rule <> 'corrected'",
                [source.name, item.removeprefix("quarantine ")],
            )
        elif item.startswith("corrections "):
            store.run("DELETE FROM epidemic.quarantine WHERE source = $1 AND rule = 'corrected'", [source.name])
    dates = sorted(item for item in items if item[:1].isdigit())
    if dates and source.date is None:
        store.run(f"DELETE FROM {source.table}")
        return
    while dates:  # neighbouring partitions go at once
        first, end = dates[0], end_of(source, dates.pop(0))
        while dates and dates[0] == end:
            end = end_of(source, dates.pop(0))
        store.run(f'DELETE FROM {source.table} WHERE "{source.date}" >= $1 AND "{source.date}" < $2', [first, end])
