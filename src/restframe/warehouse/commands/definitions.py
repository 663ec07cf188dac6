"""From the clauses of CREATE TABLE to the columns, keys and constraints the catalog keeps."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from restframe import errors
from restframe.catalog.relations import ColumnDefinition, Identity
from restframe.engine.quoting import quoted
from restframe.sql import translate_default
from restframe.sql.statements.columns import ColumnClause, ColumnName
from restframe.sql.statements.create_table import TableAttributes, TableConstraint

_MAX_COLUMNS = 1600


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """What a table is made of, the way it is distributed and sorted, and its constraints as texts."""

    columns: tuple[ColumnDefinition, ...]
    diststyle: str = "AUTO"
    sortstyle: str = "AUTO"
    constraints: tuple[str, ...] = ()


def column_definition(clause: ColumnClause) -> ColumnDefinition:
    """One column without its place in the table's keys.

    NotSupportedError for COLLATE CASE_INSENSITIVE; what is wrong with a default, at its place.
    """
    if clause.case_insensitive:
        raise errors.NotSupportedError("COLLATE CASE_INSENSITIVE is not supported", position=clause.position)
    if clause.default is not None:
        translate_default(clause.default.text, clause.default.position)
    identity = clause.identity
    return ColumnDefinition(
        clause.name,
        clause.type,
        not_null=bool(clause.not_null) or clause.primary_key or identity is not None,
        default=None if clause.default is None else clause.default.text,
        encoding=clause.encoding,
        identity=None if identity is None else Identity(identity.seed, identity.step, identity.always),
    )


def check_distinct(columns: Iterable[tuple[str, int]]) -> None:
    """DuplicateColumn for a name that appears twice among (name, position)."""
    seen: set[str] = set()
    for name, position in columns:
        if name in seen:
            raise errors.DuplicateColumn(f'column "{name}" duplicated', position=position)
        seen.add(name)
    if len(seen) > _MAX_COLUMNS:
        raise errors.InvalidDefinition(f"tables can have at most {_MAX_COLUMNS} columns")


def define(
    columns: Sequence[ColumnDefinition],
    clauses: Sequence[ColumnClause],
    attributes: TableAttributes,
    constraints: Sequence[TableConstraint] = (),
) -> TableDefinition:
    """Give columns their places in the keys that column and table attributes name.

    InvalidDefinition for keys given twice or missing, UndefinedColumn for a key's column that does not exist.
    """
    distkey = _distkey(clauses, attributes)
    sortkey, sortstyle = _sortkey(clauses, attributes)
    primary = _primary_key(clauses, constraints)
    for key in (*([distkey] if distkey else []), *sortkey, *(name for one in constraints for name in one.columns)):
        if all(column.name != key.name for column in columns):
            raise errors.UndefinedColumn(f'column "{key.name}" named in key does not exist', position=key.position)
    places = {key.name: place for place, key in enumerate(sortkey, start=1)}
    placed = tuple(
        dataclasses.replace(
            column,
            distkey=distkey is not None and column.name == distkey.name,
            sortkey=places.get(column.name, 0),
            not_null=column.not_null or ColumnName(column.name) in primary,
        )
        for column in columns
    )
    diststyle = attributes.diststyle or ("KEY" if distkey else "AUTO")
    return TableDefinition(placed, diststyle, sortstyle, _constraint_texts(clauses, constraints))


def _distkey(clauses: Sequence[ColumnClause], attributes: TableAttributes) -> ColumnName | None:
    named = [ColumnName(clause.name, clause.position) for clause in clauses if clause.distkey]
    if attributes.distkey is not None:
        named.append(attributes.distkey)
    if len(named) > 1:
        raise errors.InvalidDefinition("cannot specify more than one DISTKEY", position=named[1].position)
    if attributes.diststyle == "KEY" and not named:
        raise errors.InvalidDefinition("DISTSTYLE KEY needs a DISTKEY", hint="Name the column with DISTKEY.")
    if attributes.diststyle not in (None, "KEY") and named:
        raise errors.InvalidDefinition(
            f"DISTKEY cannot be given with DISTSTYLE {attributes.diststyle}", position=named[0].position
        )
    return named[0] if named else None


def _sortkey(clauses: Sequence[ColumnClause], attributes: TableAttributes) -> tuple[tuple[ColumnName, ...], str]:
    named = tuple(ColumnName(clause.name, clause.position) for clause in clauses if clause.sortkey)
    if named and attributes.sortstyle:
        raise errors.InvalidDefinition(
            "cannot specify SORTKEY both for a column and for the table", position=named[0].position
        )
    if attributes.sortstyle:
        return attributes.sortkey, attributes.sortstyle
    return (named, "COMPOUND") if named else ((), "AUTO")


def _primary_key(clauses: Sequence[ColumnClause], constraints: Sequence[TableConstraint]) -> tuple[ColumnName, ...]:
    keys: list[tuple[ColumnName, ...]] = [
        (ColumnName(clause.name, clause.position),) for clause in clauses if clause.primary_key
    ]
    keys += [one.columns for one in constraints if one.kind == "primary key"]
    if len(keys) > 1:
        raise errors.InvalidDefinition("multiple primary keys are not allowed", position=keys[1][0].position)
    return keys[0] if keys else ()


def _constraint_texts(clauses: Sequence[ColumnClause], constraints: Sequence[TableConstraint]) -> tuple[str, ...]:
    """The constraints as ALTER TABLE ADD would take them; Redshift never enforces them."""
    own: list[TableConstraint] = []
    for clause in clauses:
        column = (ColumnName(clause.name, clause.position),)
        if clause.primary_key:
            own.append(TableConstraint("primary key", column))
        if clause.unique:
            own.append(TableConstraint("unique", column))
        if clause.references is not None:
            own.append(TableConstraint("foreign key", column, references=clause.references))
    return tuple(constraint_text(one) for one in (*own, *constraints))


def constraint_text(constraint: TableConstraint) -> str:
    """`CONSTRAINT k FOREIGN KEY (a, b) REFERENCES public.p (x, y)`"""
    text = f"{constraint.kind.upper()} ({_names(constraint.columns)})"
    if constraint.name is not None:
        text = f"CONSTRAINT {written(constraint.name)} {text}"
    references = constraint.references
    if references is None:
        return text
    columns = f" ({_names(references.columns)})" if references.columns else ""
    schema = "" if references.table.schema is None else f"{written(references.table.schema)}."
    return f"{text} REFERENCES {schema}{written(references.table.name)}{columns}"


def _names(columns: Iterable[ColumnName]) -> str:
    return ", ".join(written(column.name) for column in columns)


def written(name: str) -> str:
    """A name as a statement would write it: quoted only where it must be."""
    return name if re.fullmatch(r"#?[a-z_][a-z0-9_$]*", name) else quoted(name)
