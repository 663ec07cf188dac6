"""The roles of those who read: epidemic_analyst and epidemic_dashboard. roles.sql says what each may."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import restframe.errors

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

ANALYST = "epidemic_analyst"
DASHBOARD = "epidemic_dashboard"
_SCHEMAS = ("epidemic_claims", "epidemic_gaps", "epidemic_published")


def prepare(store: Store) -> None:
    """Make the roles where they are missing, so that what is published can be read from the first day on. A user who
    may not is no reason to stop: `gaps` says so.
    """
    if _missing(store):
        with contextlib.suppress(restframe.errors.InsufficientPrivilege):
            grant(store)


def grant(store: Store) -> None:
    """Make the roles where they are missing and give them their rights, also on tables to come."""
    with store.transaction():
        for role in _missing(store):
            store.run(f"CREATE ROLE {role}")
        for schema in _SCHEMAS:
            store.run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        store.run_file(Path(__file__).with_name("roles.sql"))


def _missing(store: Store) -> list[str]:
    # CREATE ROLE knows no IF NOT EXISTS.
    there = {row[0] for row in store.run("SELECT role_name FROM svv_roles").fetchall()}
    return [role for role in (ANALYST, DASHBOARD) if role not in there]
