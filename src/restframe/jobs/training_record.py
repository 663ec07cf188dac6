"""Training jobs as the journal keeps them: what each was asked for, how far it came, and how it ended."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from restframe import errors
from restframe.jobs.specs import TrainingSpec, to_json, training_spec
from restframe.journal import Journal

_MAX_FAILURE = 1024  # what DescribeTrainingJob's FailureReason can hold

_MESSAGES = {
    "Starting": "Starting the training job",
    "Pending": "Training job waiting for capacity",
    "Downloading": "Downloading the input data",
    "Training": "Training in progress",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job exceeded its maximum runtime",
}
_TRANSITIONS = "SELECT job, status, started, ended, message FROM transitions "
_FINAL = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class Transition:
    """status : a secondary status, with the time it began and ended"""

    status: str
    started: datetime
    ended: datetime | None
    message: str


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class JobDescription:
    """One moment of a job.

    status : InProgress, Stopping, Completed, Failed or Stopped
    started, ended : of the time that would be billed
    artifact : of a job that completed, or was stopped and had a model to keep
    """

    spec: TrainingSpec
    status: str
    secondary_status: str
    transitions: tuple[Transition, ...]
    created: datetime
    modified: datetime
    started: datetime | None
    ended: datetime | None
    failure: str | None
    metrics: tuple[Metric, ...]

    @property
    def is_final(self) -> bool:
        return self.status in _FINAL

    @property
    def artifact(self) -> str | None:
        kept = self.status == "Stopped" and any(one.status == "Uploading" for one in self.transitions)
        return self.spec.artifact if self.status == "Completed" or kept else None

    @property
    def billable_s(self) -> int | None:
        """Whole seconds, at least one."""
        if self.started is None or self.ended is None:
            return None
        return max(1, round((self.ended - self.started).total_seconds()))


class TrainingRecord:
    """The training jobs in a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def add(self, spec: TrainingSpec) -> None:
        """DuplicateObject when the name was ever taken."""
        now = time.time()
        with self._journal.transaction() as connection:
            try:
                connection.execute(
                    "INSERT INTO training_jobs (name, spec, status, secondary_status, created, modified, started) "
                    "VALUES (?, ?, 'InProgress', 'Starting', ?, ?, ?)",
                    (spec.name, to_json(spec), now, now, now),
                )
            except sqlite3.IntegrityError as error:
                raise errors.DuplicateObject(f'training job "{spec.name}" already exists') from error
            _add_transition(connection, spec.name, "Starting", now)

    def advance(self, name: str, secondary: str, status: str = "InProgress") -> bool:
        """Note that a job has come further; False when it is stopping or has ended."""
        now = time.time()
        with self._journal.transaction() as connection:
            changed = connection.execute(
                "UPDATE training_jobs SET status = ?, secondary_status = ?, modified = ? "
                "WHERE name = ? AND status = 'InProgress'",
                (status, secondary, now, name),
            )
            if changed.rowcount:
                _add_transition(connection, name, secondary, now)
        return changed.rowcount > 0

    def upload(self, name: str) -> None:
        """Note that a job's model is being kept, whether it is stopping or not."""
        now = time.time()
        with self._journal.transaction() as connection:
            connection.execute(
                "UPDATE training_jobs SET secondary_status = 'Uploading', modified = ? WHERE name = ?", (now, name)
            )
            _add_transition(connection, name, "Uploading", now)

    def finish(self, name: str, outcome: str, failure: str | None, metrics: dict[str, float]) -> None:
        """outcome : the last secondary status, Completed, Failed, Stopped or MaxRuntimeExceeded"""
        now = time.time()
        status = "Stopped" if outcome == "MaxRuntimeExceeded" else outcome
        kept = [[metric, value, now] for metric, value in metrics.items()]
        with self._journal.transaction() as connection:
            connection.execute(
                "UPDATE training_jobs SET status = ?, secondary_status = ?, modified = ?, ended = ?, failure = ?, "
                "metrics = ? WHERE name = ?",
                (status, outcome, now, now, failure and failure[:_MAX_FAILURE], json.dumps(kept), name),
            )
            _add_transition(connection, name, outcome, now, failure)
            connection.execute("UPDATE transitions SET ended = ? WHERE job = ? AND ended IS NULL", (now, name))

    def unfinished(self) -> list[str]:
        found = self._journal.rows("SELECT name FROM training_jobs WHERE status IN ('InProgress', 'Stopping')")
        return [row["name"] for row in found]

    def describe(self, name: str) -> JobDescription:
        """UndefinedObject when there is no such job."""
        row = self._journal.row("SELECT * FROM training_jobs WHERE name = ?", (name,))
        if row is None:
            raise errors.UndefinedObject(f'training job "{name[:100]}" does not exist')
        return _description(row, self._journal.rows(_TRANSITIONS + "WHERE job = ? ORDER BY position", (name,)))

    def describe_all(self) -> list[JobDescription]:
        """Oldest first."""
        found = self._journal.rows("SELECT * FROM training_jobs ORDER BY created, name")
        transitions: dict[str, list[sqlite3.Row]] = {row["name"]: [] for row in found}
        for one in self._journal.rows(_TRANSITIONS + "ORDER BY job, position"):
            transitions.get(one["job"], []).append(one)  # of a job that has just come there may be some already
        return [_description(row, transitions[row["name"]]) for row in found]


def _description(row: sqlite3.Row, transitions: Sequence[sqlite3.Row]) -> JobDescription:
    return JobDescription(
        spec=training_spec(row["spec"]),
        status=row["status"],
        secondary_status=row["secondary_status"],
        transitions=tuple(
            Transition(one["status"], _time(one["started"]), _maybe(one["ended"]), one["message"])
            for one in transitions
        ),
        created=_time(row["created"]),
        modified=_time(row["modified"]),
        started=_maybe(row["started"]),
        ended=_maybe(row["ended"]),
        failure=row["failure"],
        metrics=tuple(Metric(name, value, _time(at)) for name, value, at in json.loads(row["metrics"])),
    )


def _add_transition(
    connection: sqlite3.Connection, job: str, status: str, at: float, message: str | None = None
) -> None:
    connection.execute("UPDATE transitions SET ended = ? WHERE job = ? AND ended IS NULL", (at, job))
    connection.execute(
        "INSERT INTO transitions SELECT ?, count(*), ?, ?, NULL, ? FROM transitions WHERE job = ?",
        (job, status, at, message or _MESSAGES[status], job),
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _maybe(seconds: float | None) -> datetime | None:
    return None if seconds is None else _time(seconds)
