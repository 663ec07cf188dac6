"""Dropping relations with what depends on them: views on tables, views on views, sequences behind identities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog import dependencies
from restframe.catalog.relations import Relation
from restframe.engine.quoting import quoted

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def drop_all(relations: Sequence[Relation], cascade: bool, session: Session) -> None:
    """Drop relations, and with `cascade` the views that read them, directly or through other views.

    DependentObjectsStillExist when there are such views, beside those listed, and `cascade` is not given.
    """
    relations = list(dict.fromkeys(relations))  # a statement may name one twice
    dependents = [one for one in all_dependents(relations, session) if one not in relations]
    if dependents and not cascade:
        raise depended_on(relations[0], dependents)
    for view in dependents:
        session.notice(f"drop cascades to view {view.schema}.{view.name}", "NOTICE")
    # Views before what they read; the engine does not mind, and neither does a reader of the log.
    for relation in (*dependents[::-1], *sorted(relations, key=lambda one: one.kind != "view")):
        remove(relation, session)


def all_dependents(relations: Iterable[Relation], session: Session) -> list[Relation]:
    """The views that read any of these, each after one that it reads."""
    found: list[Relation] = []
    waiting = list(relations)
    while waiting:
        relation = waiting.pop(0)
        for schema, name in dependencies.dependents(session.catalog, relation.schema, relation.name):
            view = session.catalog.find_relation(schema, name)
            if view is not None and view not in found:
                found.append(view)
                waiting.append(view)
    return found


def depended_on(relation: Relation, dependents: Sequence[Relation]) -> errors.DependentObjectsStillExist:
    what = "view" if relation.kind == "view" else "table"
    listed = ", ".join(f"{view.schema}.{view.name}" for view in dependents[:10])
    return errors.DependentObjectsStillExist(
        f"cannot drop {what} {relation.name} because other objects depend on it",
        detail=f"dependent views: {listed}",
        hint="Use DROP ... CASCADE to drop the dependent objects too.",
    )


def remove(relation: Relation, session: Session) -> None:
    """Drop one relation from the engine and the catalog, and the sequences of its identities."""
    sequences = identity_sequences(relation, [column.name for column in relation.columns], session)
    kind = "VIEW" if relation.kind == "view" else "TABLE"
    session.connection.run(f"DROP {kind} {quoted(relation.engine_schema, relation.name)}")
    for sequence in sequences:
        session.connection.run(f"DROP SEQUENCE {sequence}")
    session.catalog.drop_relation(relation)


_NEXTVAL = re.compile(r"nextval\('(.+)'\)")


def identity_sequences(relation: Relation, columns: Sequence[str], session: Session) -> list[str]:
    """The quoted names of the sequences that number the table's rows through these columns."""
    if all(column.identity is None for column in relation.columns):
        return []
    rows = session.connection.run(
        "SELECT column_default FROM duckdb_columns() WHERE table_name = ? AND column_name IN (SELECT unnest(?)) "
        "AND CASE WHEN database_name = 'temp' THEN 'temp' ELSE schema_name END = ? "
        "AND column_default LIKE 'nextval(%'",
        [relation.engine_name, list(columns), relation.engine_schema],
    )
    return [match[1] for (text,) in rows if (match := _NEXTVAL.fullmatch(text))]
