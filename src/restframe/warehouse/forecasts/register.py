"""What the journal keeps of each forecast model: what was asked for, its training job, and what came of it.

A record is there before its model and its objects are, and until they are gone, so nothing is forgotten in a bucket.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from restframe.journal import Journal
from restframe.storage import ObjectUrl

MIGRATIONS = (
    """
    CREATE TABLE forecasts (
        model INTEGER PRIMARY KEY, request TEXT NOT NULL, job TEXT NOT NULL, report TEXT NOT NULL DEFAULT '{}',
        failure TEXT, clean INTEGER NOT NULL DEFAULT 0
    ) STRICT
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One forecast model.

    model : its id in the catalog
    job : of the training that counts
    folder : where its objects are, ending in a slash
    keeps_objects : whether they stay (S3_GARBAGE_COLLECT OFF)
    source : the table that was named, or the text of the query
    from_query : which of the two
    report : what the training job tells of its candidates, once it has ended
    failure : why there is no forecast
    clean : whether no object that should go may be left
    """

    model: int
    job: str
    folder: str
    keeps_objects: bool
    source: str
    from_query: bool
    target: str
    objective: str
    horizon: int
    frequency: str
    percentiles: tuple[str, ...]
    kms_key_id: str | None
    max_runtime_s: int
    report: Mapping[str, Any] = field(default_factory=dict)
    failure: str | None = None
    clean: bool = False

    @property
    def data(self) -> ObjectUrl:
        return ObjectUrl.parse(f"{self.folder}train/series.parquet")


_KEPT_APART = ("model", "job", "report", "failure", "clean")


class Register:
    """The records in a journal. Usable from any thread."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        journal.migrate("forecasts", MIGRATIONS)

    def add(self, record: Record) -> None:
        request = {key: value for key, value in dataclasses.asdict(record).items() if key not in _KEPT_APART}
        with self._journal.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO forecasts (model, request, job) VALUES (?, ?, ?)",
                (record.model, json.dumps(request), record.job),
            )

    def find(self, model: int) -> Record | None:
        row = self._journal.row("SELECT * FROM forecasts WHERE model = ?", (model,))
        return None if row is None else _record(row)

    def all(self) -> list[Record]:
        return [_record(row) for row in self._journal.rows("SELECT * FROM forecasts ORDER BY model")]

    def set_job(self, model: int, job: str) -> None:
        self._set(model, "job = ?", job)

    def finish(self, model: int, report: Mapping[str, Any], failure: str | None) -> None:
        self._set(model, "report = ?, failure = ?", json.dumps(report), failure)

    def set_clean(self, model: int) -> None:
        self._set(model, "clean = ?", 1)

    def _set(self, model: int, change: str, *values: Any) -> None:
        with self._journal.transaction() as connection:
            connection.execute(f"UPDATE forecasts SET {change} WHERE model = ?", (*values, model))

    def remove(self, model: int) -> None:
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM forecasts WHERE model = ?", (model,))


def _record(row: Any) -> Record:
    request = json.loads(row["request"])
    request["percentiles"] = tuple(request["percentiles"])
    return Record(
        model=row["model"],
        job=row["job"],
        report=json.loads(row["report"]),
        failure=row["failure"],
        clean=bool(row["clean"]),
        **request,
    )
