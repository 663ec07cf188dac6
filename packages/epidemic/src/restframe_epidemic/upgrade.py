"""What a warehouse that an earlier version made lacks, added before the tables and views of this one are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import restframe.errors
from restframe_epidemic import errors

if TYPE_CHECKING:
    from restframe_epidemic.store import Store

_ADDED = (
    ("epidemic.hospital_demand", "model_id", "varchar(64) DEFAULT 'ensemble'"),
    ("epidemic_published.condition_burden", "infected_lower", "float8"),
    ("epidemic_published.condition_burden", "infected_upper", "float8"),
    ("epidemic_published.treatment_gap", "months", "int DEFAULT 1"),
    ("epidemic_published.provider_access", "area", "varchar(24)"),
)
# Areas have longer codes than places.
_WIDENED = (
    ("epidemic_published.condition_burden", "location", 24),
    ("epidemic_published.treatment_gap", "location", 24),
)
# Views by a column that they got: CREATE OR REPLACE changes no columns. Made anew, they take their rights on.
_VIEWS = (("epidemic_published.hospital_demand", "available"),)


def upgrade(store: Store) -> None:
    """Nothing happens to what is not there, nor to what is as it should be.

    UsageError for a user who may not change what an earlier version made: that takes its owner.
    """
    try:
        _upgrade(store)
    except restframe.errors.InsufficientPrivilege as error:
        raise errors.UsageError(
            f"the warehouse is of an earlier version, and this user may not change it: {error}",
            hint="Let the user who made its tables, or a superuser, run one command of the engine: that upgrades it.",
        ) from error


def _upgrade(store: Store) -> None:
    found = {
        (f"{schema}.{table}", column): length
        for schema, table, column, length in store.run(
            """
            SELECT table_schema, table_name, column_name, character_maximum_length FROM information_schema.columns
            WHERE table_schema IN ('epidemic', 'epidemic_published')
            """
        ).fetchall()
    }
    tables = {table for table, _ in found}
    for view, column in _VIEWS:
        if view in tables and (view, column) not in found:
            store.run(f"DROP VIEW {view}")
    for table, column, declared in _ADDED:
        if table in tables and (table, column) not in found:
            store.run(f"ALTER TABLE {table} ADD COLUMN {column} {declared}")
    for table, column, length in _WIDENED:
        if table in tables and found[table, column] < length:
            store.run(f"ALTER TABLE {table} ALTER COLUMN {column} TYPE varchar({length})")
