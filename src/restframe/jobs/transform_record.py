"""Transform jobs as they are asked for, and as the journal keeps them."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from restframe import errors
from restframe.jobs.specs import Channel, ModelSpec, check_name
from restframe.journal import Journal

_MAX_FAILURE = 1024  # what DescribeTransformJob's FailureReason can hold
_MAX_PAYLOAD_MB = 100
_FINAL = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class TransformSpec:
    """One transform job as it was asked for: what stands in objects is sent to a model, what it answers is kept.

    model : as it was when the job was asked for
    output : `s3://bucket/prefix`; the answers about `<input>/a/b.jsonl` become `<prefix>/a/b.jsonl.out`
    split : Line makes each line of an object a record; None makes the object one
    strategy : SingleRecord sends each record by itself, MultiRecord as many as `max_payload_mb` holds
    assemble : Line ends each answer with a new line
    concurrent : requests under way at once; None is as many as serve the model well
    environment : variables of the model's container, for this job
    details : what the client said besides and wants to see again; nothing in it is looked at
    """

    name: str
    model: ModelSpec
    input: Channel
    output: str
    accept: str = ""
    split: Literal["None", "Line"] = "None"
    strategy: Literal["MultiRecord", "SingleRecord"] = "MultiRecord"
    assemble: Literal["None", "Line"] = "None"
    max_payload_mb: int = 6
    concurrent: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_name("transform job", self.name)
        if not 1 <= self.max_payload_mb * (self.concurrent or 1) <= _MAX_PAYLOAD_MB:
            raise errors.InvalidParameterValue(
                "MaxPayloadInMB, times MaxConcurrentTransforms where that is given, must be between 1 and "
                f"{_MAX_PAYLOAD_MB}"
            )


@dataclass(frozen=True, slots=True)
class TransformDescription:
    """One moment of a transform job.

    status : InProgress, Stopping, Completed, Failed or Stopped
    """

    spec: TransformSpec
    status: str
    created: datetime
    modified: datetime
    started: datetime | None
    ended: datetime | None
    failure: str | None

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL


class TransformRecord:
    """The transform jobs in a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def add(self, spec: TransformSpec) -> None:
        """DuplicateObject when the name was ever taken."""
        now = time.time()
        with self._journal.transaction() as connection:
            try:
                connection.execute(
                    "INSERT INTO transform_jobs VALUES (?, ?, 'InProgress', ?, ?, NULL, NULL, NULL)",
                    (spec.name, json.dumps(dataclasses.asdict(spec), default=dict), now, now),
                )
            except sqlite3.IntegrityError as error:
                raise errors.DuplicateObject(f'transform job "{spec.name}" already exists') from error

    def start(self, name: str) -> None:
        now = time.time()
        with self._journal.transaction() as connection:
            connection.execute("UPDATE transform_jobs SET started = ?, modified = ? WHERE name = ?", (now, now, name))

    def stop(self, name: str) -> bool:
        """Note that a job shall end; False when it is stopping already or has ended."""
        with self._journal.transaction() as connection:
            changed = connection.execute(
                "UPDATE transform_jobs SET status = 'Stopping', modified = ? WHERE name = ? AND status = 'InProgress'",
                (time.time(), name),
            )
        return changed.rowcount > 0

    def finish(self, name: str, status: str, failure: str | None) -> None:
        """status : Completed, Failed or Stopped"""
        now = time.time()
        with self._journal.transaction() as connection:
            connection.execute(
                "UPDATE transform_jobs SET status = ?, modified = ?, ended = ?, failure = ? WHERE name = ?",
                (status, now, now, failure and failure[:_MAX_FAILURE], name),
            )

    def unfinished(self) -> list[str]:
        found = self._journal.rows("SELECT name FROM transform_jobs WHERE status IN ('InProgress', 'Stopping')")
        return [row["name"] for row in found]

    def describe(self, name: str) -> TransformDescription:
        """UndefinedObject when there is no such job."""
        row = self._journal.row("SELECT * FROM transform_jobs WHERE name = ?", (name,))
        if row is None:
            raise errors.UndefinedObject(f'transform job "{name[:100]}" does not exist')
        return _description(row)

    def describe_all(self) -> list[TransformDescription]:
        """Oldest first."""
        return [_description(row) for row in self._journal.rows("SELECT * FROM transform_jobs ORDER BY created, name")]


def _description(row: sqlite3.Row) -> TransformDescription:
    return TransformDescription(
        spec=_spec(row["spec"]),
        status=row["status"],
        created=_time(row["created"]),
        modified=_time(row["modified"]),
        started=None if row["started"] is None else _time(row["started"]),
        ended=None if row["ended"] is None else _time(row["ended"]),
        failure=row["failure"],
    )


def _spec(text: str) -> TransformSpec:
    values = json.loads(text)
    model = values.pop("model")
    header = tuple(model.pop("header"))
    return TransformSpec(model=ModelSpec(header=header, **model), input=Channel(**values.pop("input")), **values)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
