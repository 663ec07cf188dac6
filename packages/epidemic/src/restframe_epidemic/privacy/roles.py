"""The roles of those who read: epidemic_analyst and epidemic_dashboard. roles.sql says what each may."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

ANALYST = "epidemic_analyst"
DASHBOARD = "epidemic_dashboard"
_SCHEMAS = ("epidemic_claims", "epidemic_gaps", "epidemic_published")


def grant(store: Store) -> None:
    """Make the roles where they are missing and give them their rights, also on tables to come."""
    with store.transaction():
        # CREATE ROLE knows no IF NOT EXISTS.
        there = {row[0] for row in store.run("SELECT role_name FROM svv_roles").fetchall()}
        for role in (ANALYST, DASHBOARD):
            if role not in there:
                store.run(f"CREATE ROLE {role}")
        for schema in _SCHEMAS:
            store.run(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        store.run_file(Path(__file__).with_name("roles.sql"))
