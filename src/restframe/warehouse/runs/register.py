"""Runs and kept sessions in the journal.

A run is written twice: when it is accepted, and when it has ended, with its results. What happens in between is known
to the process alone; a process that finds a run without an end was not there when it ended.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from restframe.journal import Journal
from restframe.warehouse.runs.model import (
    FINAL,
    Caller,
    Filter,
    Part,
    Request,
    Run,
    parts_from_json,
    parts_to_json,
)
from restframe.warehouse.runs.results import StoredRows
from restframe.warehouse.runs.tables import MIGRATIONS

_CUT_SHORT = "The server stopped while the statement was waiting or running; whether it took effect is not known."


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A kept session as the journal has it; see `sessions.KeptSession`."""

    id: str
    caller: Caller
    user: str
    database: str | None
    labels: Mapping[str, Any]
    created_at: float
    updated_at: float
    keep_alive_s: int
    expires_at: float
    closed: bool = False


class Register:
    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        journal.migrate("statements", MIGRATIONS)

    def recover(self, now: float) -> None:
        """After a start: what was not at its end has failed, and no session is open."""
        with self._journal.transaction() as connection:
            rows = connection.execute("SELECT * FROM statement_runs WHERE state = 'SUBMITTED'").fetchall()
            for run in map(_run, rows):
                parts = tuple(_cut_short(part, now) for part in run.parts)
                self._write_end(connection, replace(run, state="FAILED", error=_CUT_SHORT, updated_at=now, parts=parts))
            connection.execute(
                "UPDATE statement_sessions SET closed = 1, updated_at = min(?, expires_at) WHERE closed = 0", (now,)
            )

    # Runs

    def accept(self, run: Run, request_digest: bytes, token: str | None, opened: SessionRecord | None = None) -> None:
        """Write a new run, and the session that it opens."""
        with self._journal.transaction() as connection:
            connection.execute(
                "INSERT INTO statement_runs (id, role, session, token, digest, name, request, created_at, state, "
                "updated_at, parts, session_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    run.id, run.caller.role, run.caller.session, token, request_digest, run.request.name,
                    run.request.to_json(), run.created_at, run.state, run.updated_at, parts_to_json(run.parts),
                    run.session_id,
                ),
            )  # fmt: skip
            if opened is not None:
                self._write_session(connection, opened)

    def by_token(self, caller: Caller, token: str, since: float) -> tuple[Run, bytes] | None:
        """The run that was accepted with this token, and its request's digest; an older one gives the token back."""
        row = self._journal.row(
            "SELECT * FROM statement_runs WHERE role = ? AND session = ? AND token = ?",
            (caller.role, caller.session, token),
        )
        if row is None:
            return None
        if row["created_at"] >= since:
            return _run(row), row["digest"]
        with self._journal.transaction() as connection:
            connection.execute("UPDATE statement_runs SET token = NULL WHERE number = ?", (row["number"],))
        return None

    def finish(self, run: Run, results: Mapping[int, StoredRows]) -> None:
        """Write a run's end together with its results, by the number of the part."""
        with self._journal.transaction() as connection:
            connection.executemany(
                "INSERT INTO statement_results VALUES (?, ?, ?, ?, ?)",
                [(run.id, part, rows.types, rows.count, rows.content) for part, rows in results.items()],
            )
            self._write_end(connection, run)

    @staticmethod
    def _write_end(connection: sqlite3.Connection, run: Run) -> None:
        connection.execute(
            "UPDATE statement_runs SET state = ?, updated_at = ?, parts = ?, error = ?, pid = ? WHERE id = ?",
            (run.state, run.updated_at, parts_to_json(run.parts), run.error, run.pid, run.id),
        )

    def find(self, run_id: str) -> Run | None:
        row = self._journal.row("SELECT * FROM statement_runs WHERE id = ?", (run_id,))
        return None if row is None else _run(row)

    def rows(self, run_id: str, part: int) -> StoredRows | None:
        row = self._journal.row(
            "SELECT types, rows, content FROM statement_results WHERE run_id = ? AND part = ?", (run_id, part)
        )
        return None if row is None else StoredRows(*row)

    def listed(
        self, caller: Caller, wanted: Filter, since: float, before: int | None, limit: int
    ) -> list[tuple[int, Run]]:
        """The newest runs with their numbers; one that has not ended passes whatever state is wanted.

        before : only runs with a smaller number
        """
        conditions, values = ["role = ?", "created_at >= ?"], [caller.role, since]
        if before is not None:
            conditions.append("number < ?")
            values.append(before)
        if not wanted.whole_role:
            conditions.append("session = ?")
            values.append(caller.session)
        if wanted.state is not None:
            conditions.append("state IN (?, 'SUBMITTED')")
            values.append(wanted.state)
        if wanted.name_prefix:
            conditions.append("substr(name, 1, ?) = ?")
            values += [len(wanted.name_prefix), wanted.name_prefix]
        if wanted.database is not None:
            conditions.append("json_extract(request, '$.database') = ?")
            values.append(wanted.database)
        for label, value in wanted.labels.items():
            conditions.append("json_extract(request, ?) = ?")
            values += [f"$.labels.{label}", value]
        rows = self._journal.rows(
            f"SELECT * FROM statement_runs WHERE {' AND '.join(conditions)} ORDER BY number DESC LIMIT ?",
            (*values, limit),
        )
        return [(row["number"], _run(row)) for row in rows]

    def forget(self, before: float) -> None:
        """Remove what was accepted or closed before a time."""
        with self._journal.transaction() as connection:
            old = "SELECT id FROM statement_runs WHERE created_at < ? AND state <> 'SUBMITTED'"
            connection.execute(f"DELETE FROM statement_results WHERE run_id IN ({old})", (before,))
            connection.execute("DELETE FROM statement_runs WHERE created_at < ? AND state <> 'SUBMITTED'", (before,))
            connection.execute("DELETE FROM statement_sessions WHERE closed = 1 AND updated_at < ?", (before,))

    def in_files(self) -> set[tuple[str, int]]:
        """The results (run, part) that lie in files."""
        rows = self._journal.rows("SELECT run_id, part FROM statement_results WHERE content IS NULL")
        return {(row["run_id"], row["part"]) for row in rows}

    # Sessions

    def write_sessions(self, sessions: Iterable[SessionRecord]) -> None:
        with self._journal.transaction() as connection:
            for session in sessions:
                self._write_session(connection, session)

    @staticmethod
    def _write_session(connection: sqlite3.Connection, session: SessionRecord) -> None:
        connection.execute(
            "INSERT OR REPLACE INTO statement_sessions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                session.id, session.caller.role, session.caller.session, session.user, session.database,
                json.dumps(session.labels), session.created_at, session.updated_at, session.keep_alive_s,
                session.expires_at, session.closed,
            ),
        )  # fmt: skip

    def find_session(self, session_id: str) -> SessionRecord | None:
        row = self._journal.row("SELECT * FROM statement_sessions WHERE id = ?", (session_id,))
        return None if row is None else _session(row)

    def sessions(self, caller: Caller, since: float) -> list[SessionRecord]:
        """Those of the caller's role, the newest first."""
        rows = self._journal.rows(
            "SELECT * FROM statement_sessions WHERE role = ? AND (closed = 0 OR updated_at >= ?) "
            "ORDER BY created_at DESC, id",
            (caller.role, since),
        )
        return [_session(row) for row in rows]


def _run(row: sqlite3.Row) -> Run:
    return Run(
        id=row["id"],
        caller=Caller(row["role"], row["session"]),
        request=Request.from_json(row["request"]),
        state=row["state"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        parts=parts_from_json(row["parts"]),
        error=row["error"],
        pid=row["pid"],
        session_id=row["session_id"],
    )


def _session(row: sqlite3.Row) -> SessionRecord:
    return SessionRecord(
        id=row["id"],
        caller=Caller(row["role"], row["session"]),
        user=row["user"],
        database=row["database"],
        labels=json.loads(row["labels"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        keep_alive_s=row["keep_alive_s"],
        expires_at=row["expires_at"],
        closed=bool(row["closed"]),
    )


def _cut_short(part: Part, now: float) -> Part:
    return part if part.state in FINAL else replace(part, state="FAILED", updated_at=now, error=_CUT_SHORT)
