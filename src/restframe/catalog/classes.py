"""Relations as pg_class, pg_attribute and pg_constraint describe them.

These rows follow from what else the catalog records of a relation, and are written when that is: views that computed
them would take longer to plan than clients want to wait. An object that is part of a table has a number made from that
of the table.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from restframe.catalog import types_table
from restframe.catalog.relations import ColumnDefinition, Relation

# Numbers of what has none of its own, made from the number of its table.
ROW_TYPES = 1_000_000_000
CONSTRAINTS = 2_000_000_000
DEFAULTS = 3_000_000_000
MOST_CONSTRAINTS = 64
# Of the schemas of temporary tables, made from the session's number.
TEMPORARY_SCHEMAS = 600_000_000

# session : of a temporary table, the session that alone sees it. access : what was granted, as lists of access show it
TABLES = """
CREATE TABLE IF NOT EXISTS _restframe.classes (
    oid BIGINT, schema_oid BIGINT, name VARCHAR, kind VARCHAR, owner_id BIGINT, diststyle VARCHAR, sortstyle VARCHAR,
    backup BOOLEAN, definition VARCHAR, columns SMALLINT, has_index BOOLEAN, has_primary_key BOOLEAN, session BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.attributes (
    relation_oid BIGINT, position SMALLINT, name VARCHAR, type VARCHAR, not_null BOOLEAN, default_text VARCHAR,
    identity_seed BIGINT, identity_step BIGINT, identity_always BOOLEAN, encoding VARCHAR, distkey BOOLEAN,
    sortkey INTEGER, shown_encoding VARCHAR, type_oid BIGINT, type_name VARCHAR, long_name VARCHAR,
    type_length SMALLINT, type_alignment VARCHAR, type_category VARCHAR, length INTEGER, scale INTEGER,
    modifier INTEGER, session BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.keys (
    oid BIGINT, relation_oid BIGINT, name VARCHAR, kind VARCHAR, columns VARCHAR[], numbers SMALLINT[],
    foreign_schema VARCHAR, foreign_name VARCHAR, referenced VARCHAR[], session BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.access (
    kind VARCHAR, object_id BIGINT, column_name VARCHAR, items VARCHAR[]);
"""


class Executor(Protocol):
    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class Key:
    """One constraint. kind : p, u or f, as pg_constraint has it

    referenced : the columns a foreign key names over there; none for those of the primary key
    """

    name: str
    kind: str
    columns: tuple[str, ...]
    foreign_schema: str | None = None
    foreign_name: str | None = None
    referenced: tuple[str, ...] = ()


def write(
    connection: Executor,
    relation: Relation,
    schema_oid: int,
    owner_id: int,
    session: int | None = None,
    exists: Callable[[str, str], bool] = lambda schema, name: True,
) -> None:
    """Write the rows of a relation, which has its number.

    session : of a temporary table
    exists : whether there is such a table, for keys that name one without its schema
    """
    keys = list(_keys(relation, exists))
    indexes = [(_key_oid(relation, place), key) for place, key in enumerate(keys) if key.kind != "f"]
    kind = "v" if relation.kind.endswith("view") else "r"
    has_primary_key = any(key.kind == "p" for key in keys)
    diststyle = "EVEN" if kind == "v" else relation.diststyle
    classes = [
        (
            relation.oid, schema_oid, relation.name, kind, owner_id, diststyle, relation.sortstyle, relation.backup,
            relation.definition, len(relation.columns), bool(indexes), has_primary_key, session,
        ),
        *(
            (oid, schema_oid, key.name, "i", owner_id, "EVEN", "", True, None, len(key.columns), False, False, session)
            for oid, key in indexes
        ),
    ]  # fmt: skip
    places = {column.name: place for place, column in enumerate(relation.columns, start=1)}
    attributes = [_attribute(relation.oid, place, column, relation, session) for place, column in _placed(relation)]
    for oid, key in indexes:
        named = [(place, relation.column(name)) for place, name in enumerate(key.columns, start=1)]
        attributes += [_attribute(oid, place, column, None, session) for place, column in named if column is not None]
    _insert(connection, "classes", classes)
    _insert(connection, "attributes", attributes)
    for place, key in enumerate(keys):
        numbers = [places[name] for name in key.columns if name in places]
        connection.run(
            f"INSERT INTO _restframe.keys VALUES ({', '.join('?' * 10)})",
            [
                _key_oid(relation, place), relation.oid, key.name, key.kind, list(key.columns), numbers,
                key.foreign_schema, key.foreign_name, list(key.referenced), session,
            ],
        )  # fmt: skip


def forget(connection: Executor, relation: Relation) -> None:
    """Delete the rows of a relation, and of its indexes."""
    keys = [_key_oid(relation, place) for place in range(min(len(relation.constraints), MOST_CONSTRAINTS))]
    listed = ", ".join(str(oid) for oid in (relation.oid, *keys))
    connection.run(f"DELETE FROM _restframe.classes WHERE oid IN ({listed})")
    connection.run(f"DELETE FROM _restframe.attributes WHERE relation_oid IN ({listed})")
    if keys:
        connection.run("DELETE FROM _restframe.keys WHERE relation_oid = ?", [relation.oid])


def forget_session(connection: Executor, session: int | None) -> None:
    """Delete the rows of a session's temporary tables; of all sessions' when none is named."""
    for table in ("classes", "attributes", "keys"):
        connection.run(
            f"DELETE FROM _restframe.{table} WHERE session IS NOT NULL AND session = coalesce(?, session)", [session]
        )


_ROOM = 30_000_000


def _key_oid(relation: Relation, place: int) -> int:
    return CONSTRAINTS + relation.oid % _ROOM * MOST_CONSTRAINTS + place


def _placed(relation: Relation) -> Iterable[tuple[int, ColumnDefinition]]:
    return enumerate(relation.columns, start=1)


@functools.cache
def _types() -> dict[str, types_table.Row]:
    return {row[-1]: row for row in types_table.rows()}


def _attribute(
    oid: int, place: int, column: ColumnDefinition, table: Relation | None, session: int | None
) -> tuple[Any, ...]:
    """A row of `attributes`; without a table, of an index."""
    text = str(column.type)
    type_ = _types()[text.partition("(")[0]]
    of_table = table is not None and not table.kind.endswith("view")
    length = column.type.length if column.type.precision is None else column.type.precision
    scale = column.type.scale
    modifier = -1 if length is None else length + 4 if scale is None else (length << 16 | scale) + 4
    identity = column.identity if of_table else None
    sortkey = column.sortkey if of_table else 0
    if table is not None and table.sortstyle == "INTERLEAVED" and sortkey % 2 == 0:
        sortkey = -sortkey  # every other column of such a key has a negative place
    return (
        oid, place, column.name, text, column.not_null, column.default if of_table else None,
        identity and identity.seed, identity and identity.step, identity and identity.always, column.encoding,
        column.distkey and of_table, sortkey, _encoding(column, type_) if of_table else "none", type_[0], type_[1],
        type_[-1], type_[2], type_[8], type_[4], length, scale, modifier, session,
    )  # fmt: skip


def _encoding(column: ColumnDefinition, type_: types_table.Row) -> str:
    """The compression Redshift gives a column that names none.

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html#r_CREATE_TABLE_NEW-parameters-encode
    """
    if column.encoding not in (None, "auto"):
        return "none" if column.encoding == "raw" else str(column.encoding)
    if column.sortkey:
        return "none"
    if column.type.name in ("bpchar", "varchar", "varbyte"):
        return "lzo"
    return "az64" if type_[4] in "NDT" and not column.type.name.startswith("float") else "none"


def _insert(connection: Executor, table: str, rows: list[tuple[Any, ...]]) -> None:
    """Many rows at once: a list of values for each column."""
    if rows:
        columns = [list(values) for values in zip(*rows, strict=True)]
        selected = ", ".join(f"unnest(${place})" for place in range(1, len(columns) + 1))
        connection.run(f"INSERT INTO _restframe.{table} SELECT {selected}", columns)


# Constraints are recorded as ALTER TABLE ADD would take them.
_NAME = r'(?:"(?:[^"]|"")+"|[^\s",().]+)'
_NAMES = rf"{_NAME}(?:, {_NAME})*"
_CONSTRAINT = re.compile(
    rf"(?:CONSTRAINT ({_NAME}) )?(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(({_NAMES})\)"
    rf"(?: REFERENCES (?:({_NAME})\.)?({_NAME})(?: \(({_NAMES})\))?)?"
)


def _keys(relation: Relation, exists: Callable[[str, str], bool]) -> Iterable[Key]:
    for text in relation.constraints[:MOST_CONSTRAINTS]:
        match = _CONSTRAINT.fullmatch(text)
        if match is None:
            continue
        name, kind, listed, schema, table, referenced = match.groups()
        columns = _unquoted(listed)
        given = _unquoted(name)
        default = "_".join((relation.name, *columns))
        if kind == "PRIMARY KEY":
            yield Key(given[0] if given else f"{relation.name}_pkey", "p", columns)
        elif kind == "UNIQUE":
            yield Key(given[0] if given else f"{default}_key", "u", columns)
        else:
            target = _unquoted(table)[0]
            beside = relation.schema if exists(relation.schema, target) else "public"
            where = (_unquoted(schema) or (beside,))[0]
            referred = _unquoted(referenced)
            yield Key(given[0] if given else f"{default}_fkey", "f", columns, where, target, referred)


def _unquoted(names: str | None) -> tuple[str, ...]:
    found = re.findall(_NAME, names or "")
    return tuple(name[1:-1].replace('""', '"') if name.startswith('"') else name for name in found)
