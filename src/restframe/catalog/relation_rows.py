"""The rows that describe a table or view and its columns, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from restframe.catalog.records import Part
from restframe.catalog.relations import ColumnDefinition, Identity, Kind, Relation
from restframe.catalog.users import Records
from restframe.types import read_type

# The engine's own words for databases: a schema of such a name would be ambiguous there.
_ENGINE_WORDS = frozenset({"main", "memory", "system", "temp", "warehouse"})


def engine_schema(schema: str) -> str:
    """What the engine calls a schema."""
    return f"_restframe_{schema}" if schema in _ENGINE_WORDS else schema


def find(records: Records, schema: str, name: str) -> Relation | None:
    rows = records.read(_RELATION, [schema, name])
    if not rows:
        return None
    kind, diststyle, sortstyle, backup, owner, definition, models, constraints, oid = rows[0][:9]
    return Relation(
        schema=schema,
        name=name,
        kind=cast(Kind, kind),
        columns=tuple(_column(row[9:]) for row in rows if row[9] is not None),
        engine_schema=engine_schema(schema),
        diststyle=diststyle,
        sortstyle=sortstyle,
        backup=backup,
        owner=owner,
        definition=definition,
        models=tuple(models or ()),
        constraints=tuple(constraints or ()),
        oid=oid,
    )


def add(records: Records, relation: Relation) -> None:
    key = [relation.schema, relation.name]
    records.write(
        "INSERT INTO _restframe.tables VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *key,
            relation.kind,
            relation.diststyle,
            relation.sortstyle,
            relation.backup,
            relation.owner,
            relation.definition,
            list(relation.models),
            list(relation.constraints),
            relation.oid,
        ],
        Part.RELATIONS,
    )
    rows = [[*key, position, *_column_values(column)] for position, column in enumerate(relation.columns, start=1)]
    if rows:
        row = f"({', '.join('?' * len(rows[0]))})"
        records.write(
            f"INSERT INTO _restframe.columns VALUES {', '.join([row] * len(rows))}",
            [value for values in rows for value in values],
            Part.RELATIONS,
        )


def remove(records: Records, relation: Relation) -> None:
    for table in ("tables", "columns"):
        records.write(
            f"DELETE FROM _restframe.{table} WHERE schema_name = ? AND table_name = ?",
            [relation.schema, relation.name],
            Part.RELATIONS,
        )


_RELATION = """
    SELECT t.kind, t.diststyle, t.sortstyle, t.backup, t.owner, t.definition, t.models, t.constraints, t.oid,
           c.name, c.type, c.not_null, c.default_text, c.encoding, c.identity_seed, c.identity_step,
           c.identity_always, c.distkey, c.sortkey
    FROM _restframe.tables t LEFT JOIN _restframe.columns c USING (schema_name, table_name)
    WHERE t.schema_name = ? AND t.table_name = ?
    ORDER BY c.position
"""


def _column_values(column: ColumnDefinition) -> list[Any]:
    identity = column.identity
    return [
        column.name,
        str(column.type),
        column.not_null,
        column.default,
        column.encoding,
        identity and identity.seed,
        identity and identity.step,
        identity and identity.always,
        column.distkey,
        column.sortkey,
    ]


def _column(row: Sequence[Any]) -> ColumnDefinition:
    name, type_text, not_null, default, encoding, seed, step, always, distkey, sortkey = row
    identity = None if seed is None else Identity(seed, step, always)
    return ColumnDefinition(
        name, read_type(type_text), not_null, default, encoding, identity, bool(distkey), sortkey or 0
    )
