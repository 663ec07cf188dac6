"""What SHOW lists, in rows as they are shown, from the views that the system views are made of.

Every pattern is one of LIKE, None for no pattern; `%` and `_` are literal behind a backslash. Whoever asks looks
afterwards which rows the user may see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from restframe.catalog.relations import Kind, Relation
from restframe.catalog.users import Principal
from restframe.catalog.views.information_schema import DEFAULT, LENGTH, NULLABLE, PRECISION, SCALE

Read = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]
Row = tuple[Any, ...]

SYSTEM_SCHEMAS = ("pg_catalog", "information_schema")
_SYSTEM = "('pg_catalog', 'information_schema')"


class Listed(NamedTuple):
    """A row, and the relation it is about; with a column's name where it is one's."""

    oid: int
    owner: str
    schema: str
    column: str | None
    row: Row


class Patterns(NamedTuple):
    """Of names of schemas, relations and columns."""

    schema: str | None = None
    relation: str | None = None
    column: str | None = None


def exactly(name: str) -> str:
    """The pattern that this name alone fits."""
    return name.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def schemas(read: Read, pattern: str | None) -> list[Row]:
    """Of all schemas name, owner, and the owner's number."""
    return read(
        f"SELECT name, owner, owner_id FROM _restframe.base_schemas s "
        f"WHERE {_like('s.name', 1)} AND (s.owner_id <> 1 OR s.name IN {_SYSTEM}) ORDER BY name",
        [pattern],
    )


def schema_names(read: Read, pattern: str) -> list[str]:
    """Of all schemas, those of the system too."""
    rows = read(
        "SELECT name FROM (SELECT name FROM _restframe.schemas UNION ALL SELECT unnest(?)) AS all_schemas (name) "
        "WHERE name LIKE ? ESCAPE '\\' ORDER BY name",
        [list(SYSTEM_SCHEMAS), pattern.lower()],
    )
    return [name for (name,) in rows]


def relation_names(read: Read, schema_pattern: str, pattern: str) -> list[tuple[str, str, Kind]]:
    """Schema, name and kind of all such relations, the system's too and temporary tables not."""
    rows = read(
        "SELECT schema_name, table_name, kind FROM (SELECT schema_name, table_name, kind FROM _restframe.tables "
        "UNION ALL SELECT schema_name, name, 'system view' FROM _restframe.base_relations WHERE owner_id = 1) "
        "AS relations "
        "WHERE schema_name LIKE ? ESCAPE '\\' AND table_name LIKE ? ESCAPE '\\' ORDER BY ALL",
        [schema_pattern.lower(), pattern.lower()],
    )
    return [(schema, name, kind) for schema, name, kind in rows]


def relations_named(read: Read, schema: str | None, name: str | None) -> list[tuple[str, str]]:
    """Schema and name of the relations with this name or any, in this schema or all; of the system only those that
    are named."""
    rows = read(
        "SELECT schema_name, table_name FROM _restframe.tables "
        "WHERE schema_name = coalesce(?, schema_name) AND table_name = coalesce(?, table_name) ORDER BY ALL",
        [schema and schema.lower(), name and name.lower()],
    )
    found = [(of_schema, of_name) for of_schema, of_name in rows]
    if name and schema in (None, *SYSTEM_SCHEMAS):
        found.append((schema or "pg_catalog", name.lower()))
    return found


def relations(read: Read, patterns: Patterns) -> list[Listed]:
    """In the columns of SHOW TABLES but the database's name, without temporary tables.

    The system's only where a pattern for the schema was given.
    """
    rows = read(
        f"""
        SELECT r.oid, r.owner, r.schema_name, r.name, {_TABLE_TYPE}, NULL, d.description, r.owner, NULL, NULL,
               CASE WHEN r.kind = 'r' THEN {_DIST_STYLE} END, {_SUBTYPE}
        FROM _restframe.base_relations r LEFT JOIN _restframe.pg_description d ON d.objoid = r.oid AND d.objsubid = 0
        WHERE r.persistence = 'p' AND {_like("r.schema_name", 1)} AND {_like("r.name", 2)} AND {_NOT_SYSTEM}
        ORDER BY r.schema_name, r.name
        """,
        [patterns.schema, patterns.relation],
    )
    return [Listed(row[0], row[1], row[2], None, row[2:]) for row in rows]


def columns(read: Read, patterns: Patterns, temporary: bool = False) -> list[Listed]:
    """In the columns of SHOW COLUMNS but the database's name.

    temporary : of the session's temporary tables instead of the others
    """
    rows = read(
        f"""
        SELECT r.oid, r.owner, r.schema_name, r.name, c.name, c.position::INTEGER, {DEFAULT},
               {NULLABLE}, c.long_name, {LENGTH}, {PRECISION}, {SCALE}, d.description,
               CASE WHEN c.sortkey <> 0 THEN coalesce(nullif(r.sortstyle, ''), 'COMPOUND') END,
               nullif(c.sortkey, 0), CASE WHEN c.distkey THEN 1 END, c.shown_encoding,
               CASE WHEN c.type_name IN ('bpchar', 'varchar') THEN 'default' END
        FROM _restframe.base_relations r JOIN _restframe.base_columns c ON c.relation_oid = r.oid
        LEFT JOIN _restframe.pg_description d ON d.objoid = r.oid AND d.objsubid = c.position
        WHERE r.persistence = '{"t" if temporary else "p"}' AND {_like("r.schema_name", 1)} AND {_like("r.name", 2)}
        AND {_like("c.name", 3)} AND {_NOT_SYSTEM}
        ORDER BY r.schema_name, r.name, c.position
        """,
        list(patterns),
    )
    return [Listed(row[0], row[1], row[2], row[4], row[2:]) for row in rows]


def primary_key(read: Read, relation: Relation) -> list[Row]:
    """Of each column of a table's primary key the key's name, the column's, and its place in it."""
    return read(
        "SELECT k.name, unnest(k.columns), unnest(range(1, len(k.columns) + 1))::INTEGER "
        "FROM _restframe.base_constraints k WHERE k.kind = 'p' AND k.schema_name = ? AND k.relation_name = ?",
        [relation.schema, relation.name],
    )


def foreign_keys(read: Read, relation: Relation, exported: bool) -> list[Listed]:
    """In the columns of SHOW CONSTRAINTS FOREIGN KEYS but the databases' names; of the table that refers, or the other.

    A key that names no columns refers to the primary key.
    """
    side = (
        "k.foreign_schema = $1 AND k.foreign_name = $2" if exported else "k.schema_name = $1 AND k.relation_name = $2"
    )
    rows = read(
        f"""
        WITH keys AS (
            SELECT k.*, p.name AS pk_name,
                   CASE WHEN len(k.referenced) > 0 THEN k.referenced ELSE p.columns END AS pk_columns
            FROM _restframe.base_constraints k LEFT JOIN _restframe.base_constraints p
            ON p.kind = 'p' AND p.schema_name = k.foreign_schema AND p.relation_name = k.foreign_name
            WHERE k.kind = 'f' AND {side})
        SELECT relation_oid, owner, keys.schema_name, foreign_schema, foreign_name,
               unnest(pk_columns[:len(columns)]), keys.schema_name, relation_name,
               unnest(columns), unnest(range(1, len(columns) + 1))::INTEGER, keys.name, pk_name, 3, 3, 7
        FROM keys JOIN (SELECT oid AS owned, owner FROM _restframe.base_relations) ON owned = relation_oid ORDER BY ALL
        """,
        [relation.schema, relation.name],
    )
    return [Listed(row[0], row[1], row[2], None, row[3:]) for row in rows]


def grants(read: Read, where: str, parameters: Sequence[Any], reader_id: int | None) -> list[Row]:
    """Kind, object, column, privilege, and the grantee's number, name and kind, whether it may be granted on, grantor.

    where : over the grant `g`; its parameters count from 1
    reader_id : of the user who is to see only what was granted to the user, a group, a role or everybody; None for all
    """
    seen = ""
    if reader_id is not None:
        seen = (
            "AND EXISTS (SELECT 1 FROM _restframe.acts_as a WHERE a.user_id = "
            f"{reader_id:d} AND a.kind = g.grantee_kind AND a.id = g.grantee_id)"
        )
    return read(
        f"""
        SELECT g.kind, g.object_id, g.column_name, g.privilege, g.grantee_id::INTEGER,
               coalesce(u.name, gr.name, ro.name, 'public'), g.grantee_kind, g.grantable, o.name
        FROM _restframe.grants g
        LEFT JOIN _restframe.users u ON g.grantee_kind = 'user' AND u.id = g.grantee_id
        LEFT JOIN _restframe.groups gr ON g.grantee_kind = 'group' AND gr.id = g.grantee_id
        LEFT JOIN _restframe.roles ro ON g.grantee_kind = 'role' AND ro.id = g.grantee_id
        LEFT JOIN _restframe.users o ON o.id = g.grantor_id
        WHERE {where} {seen}
        ORDER BY ALL
        """,
        parameters,
    )


def of_grantee(grantee: Principal | None) -> str:
    """The condition for grants to somebody, to be put into `where`."""
    return "true" if grantee is None else f"g.grantee_kind = '{grantee.kind}' AND g.grantee_id = {grantee.id:d}"


def _like(column: str, parameter: int) -> str:
    return f"(${parameter}::VARCHAR IS NULL OR {column} LIKE ${parameter} ESCAPE '\\')"


_NOT_SYSTEM = f"($1 IS NOT NULL OR r.schema_name NOT IN {_SYSTEM})"
_TABLE_TYPE = f"""
    CASE WHEN r.schema_name IN {_SYSTEM} THEN 'SYSTEM VIEW' WHEN r.kind = 'v' THEN 'VIEW' ELSE 'TABLE' END"""
_SUBTYPE = """
    CASE WHEN r.kind <> 'v' THEN 'REGULAR TABLE' WHEN r.definition LIKE '% with no schema binding'
         THEN 'LATE BINDING VIEW' ELSE 'REGULAR VIEW' END"""
_DIST_STYLE = """
    CASE r.diststyle WHEN 'KEY' THEN 'KEY(' || (
        SELECT c.name FROM _restframe.base_columns c WHERE c.relation_oid = r.oid AND c.distkey) || ')'
    ELSE r.diststyle END"""
