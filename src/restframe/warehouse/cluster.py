"""The warehouse as a cluster, which can be paused and has roles, as the journal keeps it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from restframe import errors
from restframe.journal import Journal

_MIGRATIONS = ("CREATE TABLE cluster (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",)


@dataclass(frozen=True, slots=True)
class ClusterState:
    """created : seconds since 1970; iam_roles, default_iam_role : ARNs, kept because clients want to see them again"""

    created: float
    paused: bool = False
    iam_roles: tuple[str, ...] = ()
    default_iam_role: str | None = None


class Cluster:
    """Usable from any thread; every change is in the journal before it takes effect."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        journal.migrate("cluster", _MIGRATIONS)
        kept = {row["name"]: json.loads(row["value"]) for row in journal.rows("SELECT name, value FROM cluster")}
        if "created" not in kept:
            kept["created"] = time.time()
            self._keep({"created": kept["created"]})
        self.state = ClusterState(**{**kept, "iam_roles": tuple(kept.get("iam_roles", ()))})

    def set_paused(self, paused: bool) -> bool:
        """Take no statements any more, or take them again; whether that is a change."""
        return self._change(lambda _: {"paused": paused})

    def set_roles(self, roles: Callable[[Sequence[str]], Sequence[str]], default: str | None) -> None:
        """Change the roles by a function of those there are; the default too, unless it is None."""
        self._change(
            lambda state: {
                "iam_roles": tuple(roles(state.iam_roles)),
                "default_iam_role": state.default_iam_role if default is None else default or None,
            }
        )

    def check_running(self) -> None:
        """WarehousePaused while the warehouse is paused."""
        if self.state.paused:
            raise errors.WarehousePaused(
                "the warehouse is paused and takes no statements", hint="Resume it: ResumeCluster of the Redshift API."
            )

    def _change(self, change: Callable[[ClusterState], dict[str, Any]]) -> bool:
        with self._lock:
            changed = replace(self.state, **change(self.state))
            is_change = changed != self.state
            self._keep({name: getattr(changed, name) for name in ("paused", "iam_roles", "default_iam_role")})
            self.state = changed
        return is_change

    def _keep(self, values: dict[str, Any]) -> None:
        with self._journal.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO cluster VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in values.items()],
            )
