"""Roles and the policies on them: kept and shown, not enforced. Who may do what is for the database to say.

A role exists because access keys have it, because it was created, or because somebody has taken it.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from restframe import errors
from restframe.journal import Journal

_MIGRATIONS = (
    """
    CREATE TABLE roles (
        name TEXT PRIMARY KEY, path TEXT NOT NULL, trust TEXT, description TEXT, longest_session_s INTEGER NOT NULL,
        tags TEXT NOT NULL, created REAL NOT NULL
    ) STRICT;
    CREATE TABLE role_policies (
        role TEXT NOT NULL REFERENCES roles ON DELETE CASCADE, name TEXT NOT NULL, document TEXT,
        PRIMARY KEY (role, name)
    ) STRICT, WITHOUT ROWID
    """,
)

LONGEST_SESSION_S = 43_200


class RoleNotFound(errors.UndefinedObject):
    pass


class RoleExists(errors.DuplicateObject):
    pass


class PolicyNotFound(errors.UndefinedObject):
    pass


class RoleInUse(errors.ObjectInUse):
    pass


@dataclass(frozen=True, slots=True)
class Role:
    """path : begins and ends with a slash
    trust : the policy document that says who may take it, for show; None for one that was never created
    """

    name: str
    path: str
    trust: str | None
    description: str | None
    longest_session_s: int
    tags: Mapping[str, str]
    created: datetime


class Roles:
    """Usable from any thread; RoleNotFound everywhere.

    own : the role that access keys have; it cannot be deleted
    """

    def __init__(self, journal: Journal, own: str) -> None:
        self._journal = journal
        self._own = own
        journal.migrate("roles", _MIGRATIONS)
        self.remember(own, "/")

    def find(self, name: str) -> Role:
        row = self._journal.row("SELECT * FROM roles WHERE name = ?", (name,))
        if row is None:
            raise RoleNotFound(f"The role with name {name[:100]} cannot be found.")
        return _role(row)

    def all(self) -> list[Role]:
        """In alphabetical order."""
        return [_role(row) for row in self._journal.rows("SELECT * FROM roles ORDER BY name")]

    def remember(self, name: str, path: str) -> Role:
        """A role that somebody has taken, whether it was created or not."""
        if self._journal.row("SELECT 1 FROM roles WHERE name = ?", (name,)) is None:
            with self._journal.transaction() as connection:
                connection.execute(
                    "INSERT OR IGNORE INTO roles VALUES (?, ?, NULL, NULL, ?, '{}', ?)",
                    (name, path, LONGEST_SESSION_S, time.time()),
                )
        return self.find(name)

    def create(
        self,
        name: str,
        path: str,
        trust: str,
        description: str | None,
        longest_session_s: int,
        tags: Mapping[str, str],
    ) -> Role:
        """RoleExists, unless it was only taken so far."""
        with self._journal.transaction() as connection:
            row = connection.execute("SELECT trust FROM roles WHERE name = ?", (name,)).fetchone()
            if name == self._own or (row is not None and row["trust"] is not None):
                raise RoleExists(f"Role with name {name} already exists.")
            connection.execute(
                "INSERT INTO roles VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET path = excluded.path,"
                " trust = excluded.trust, description = excluded.description, tags = excluded.tags,"
                " longest_session_s = excluded.longest_session_s, created = excluded.created",
                (name, path, trust, description, longest_session_s, json.dumps(tags), time.time()),
            )
        return self.find(name)

    def delete(self, name: str) -> None:
        """RoleInUse while there are policies on it, and for our own."""
        with self._on(name) as connection:
            if name == self._own:
                raise RoleInUse("This is the role of the warehouse's access keys, which cannot be deleted.")
            row = connection.execute(
                "SELECT document IS NULL AS attached FROM role_policies WHERE role = ?", (name,)
            ).fetchone()
            if row is not None:
                done = "detach all policies" if row["attached"] else "delete policies"
                raise RoleInUse(f"Cannot delete entity, must {done} first.")
            connection.execute("DELETE FROM roles WHERE name = ?", (name,))

    # Policies: inline ones under a name with a document, attached ones under their ARN without

    def policies(self, role: str, *, attached: bool) -> dict[str, str | None]:
        """Documents by name in alphabetical order, or None by ARN."""
        self.find(role)
        rows = self._journal.rows(
            "SELECT name, document FROM role_policies WHERE role = ? AND (document IS NULL) = ? ORDER BY name",
            (role, attached),
        )
        return {row["name"]: row["document"] for row in rows}

    def put_policy(self, role: str, name: str, document: str | None) -> None:
        with self._on(role) as connection:
            connection.execute("INSERT OR REPLACE INTO role_policies VALUES (?, ?, ?)", (role, name, document))

    def delete_policy(self, role: str, name: str, *, attached: bool) -> None:
        """PolicyNotFound."""
        with self._on(role) as connection:
            changed = connection.execute(
                "DELETE FROM role_policies WHERE role = ? AND name = ? AND (document IS NULL) = ?",
                (role, name, attached),
            )
            if not changed.rowcount:
                raise no_policy(name, attached=attached)

    @contextmanager
    def _on(self, role: str) -> Iterator[sqlite3.Connection]:
        with self._journal.transaction() as connection:
            self.find(role)
            yield connection


def no_policy(name: str, *, attached: bool) -> PolicyNotFound:
    if attached:
        return PolicyNotFound(f"Policy {name[:200]} was not found.")
    return PolicyNotFound(f"The role policy with name {name[:100]} cannot be found.")


def _role(row: sqlite3.Row) -> Role:
    return Role(
        row["name"],
        row["path"],
        row["trust"],
        row["description"],
        row["longest_session_s"],
        json.loads(row["tags"]),
        datetime.fromtimestamp(row["created"], UTC),
    )
