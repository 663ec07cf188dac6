"""Which views read what: for DROP, and for the rights that a view's owner needs."""

from __future__ import annotations

from collections.abc import Iterable

from restframe.catalog.records import Part
from restframe.catalog.relations import Relation
from restframe.catalog.users import Records


def dependents(records: Records, schema: str, name: str) -> list[tuple[str, str]]:
    """The views (schema, name) whose queries read this relation."""
    rows = records.read(
        "SELECT DISTINCT schema_name, view_name FROM _restframe.dependencies "
        "WHERE on_schema = ? AND on_name = ? ORDER BY ALL",
        [schema, name],
    )
    return [(view_schema, view) for view_schema, view in rows]


def reads(records: Records, schema: str, name: str) -> list[tuple[str, str]]:
    """The relations (schema, name) that a view's query reads, those of a late-binding view not among them."""
    rows = records.read(
        "SELECT on_schema, on_name FROM _restframe.dependencies WHERE schema_name = ? AND view_name = ? ORDER BY ALL",
        [schema, name],
    )
    return [(on_schema, on_name) for on_schema, on_name in rows]


def add(records: Records, view: Relation, on: Iterable[tuple[str, str]]) -> None:
    for one in sorted(set(on)):
        values = [view.schema, view.name, *one]
        records.write("INSERT INTO _restframe.dependencies VALUES (?, ?, ?, ?)", values, Part.RELATIONS)


def remove(records: Records, view: Relation) -> None:
    records.write(
        "DELETE FROM _restframe.dependencies WHERE schema_name = ? AND view_name = ?",
        [view.schema, view.name],
        Part.RELATIONS,
    )


def set_view_reads(records: Records, view: Relation, on: Iterable[tuple[str, str, Iterable[str]]]) -> None:
    """Record which columns of which relations a view's query reads: what its owner must have the right to."""
    forget_view_reads(records, view)
    for schema, name, columns in on:
        values = [view.oid, schema, name, list(columns)]
        records.write("INSERT INTO _restframe.view_reads VALUES (?, ?, ?, ?)", values, Part.RELATIONS)


def forget_view_reads(records: Records, view: Relation) -> None:
    records.write("DELETE FROM _restframe.view_reads WHERE oid = ?", [view.oid], Part.RELATIONS)


def view_reads(records: Records, view: Relation) -> list[tuple[str, str, frozenset[str]]]:
    rows = records.cached(
        ("view reads", str(view.oid)),
        lambda: records.read(
            "SELECT on_schema, on_name, columns FROM _restframe.view_reads WHERE oid = ? ORDER BY ALL", [view.oid]
        ),
    )
    return [(schema, name, frozenset(columns)) for schema, name, columns in rows]
