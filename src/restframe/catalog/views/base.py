"""What the system views are made of: our own tables, a session's temporary tables, and the system views themselves.

Views and tables in schema `_restframe` that no client can name. Constant facts are tables, so that they are not
computed again for each query. An object that is part of a table has a number made from that of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restframe.catalog.relations import Relation
from restframe.catalog.views import types_table

# Of each function of SQL its kind (scalar, aggregate or window), and how many arguments it takes at least.
Functions = Mapping[str, tuple[str, int]]

# Numbers of what has none of its own, made from the number of its table.
ROW_TYPES = 1_000_000_000
CONSTRAINTS = 2_000_000_000
DEFAULTS = 3_000_000_000
TEMPORARY_SCHEMAS = 600_000_000

# What a session tells of its temporary tables: a text of JSON in a variable of the engine.
_TEMPORARY = """
    SELECT unnest(CAST(CAST(coalesce(getvariable('restframe_temporary'), '[]') AS JSON) AS STRUCT(
        oid BIGINT, name VARCHAR, diststyle VARCHAR, sortstyle VARCHAR, backup BOOLEAN, constraints VARCHAR[],
        columns STRUCT(name VARCHAR, type VARCHAR, not_null BOOLEAN, default_text VARCHAR, encoding VARCHAR,
            identity_seed BIGINT, identity_step BIGINT, identity_always BOOLEAN, distkey BOOLEAN,
            sortkey INTEGER)[])[])) AS t"""

_USERS = """
    SELECT 100::BIGINT AS id, owner AS name, true AS superuser, true AS createdb
    FROM _restframe.schemas WHERE name = 'public'"""

_SCHEMAS = f"""
    SELECT s.oid, s.name, s.owner, coalesce(u.id, 100) AS owner_id
    FROM _restframe.schemas s LEFT JOIN _restframe.base_users u ON u.name = s.owner
    UNION ALL VALUES (11, 'pg_catalog', 'rdsdb', 1), (13000, 'information_schema', 'rdsdb', 1),
                     (99, 'pg_toast', 'rdsdb', 1), (90, 'pg_internal', 'rdsdb', 1)
    UNION ALL SELECT {TEMPORARY_SCHEMAS} + getvariable('restframe_pid')::BIGINT,
                     'pg_temp_' || getvariable('restframe_pid'), 'rdsdb', 1
    WHERE coalesce(getvariable('restframe_temporary'), '[]') <> '[]'"""

_RELATIONS = f"""
    SELECT t.oid, s.oid AS schema_oid, t.schema_name, t.table_name AS name,
           CASE t.kind WHEN 'view' THEN 'v' ELSE 'r' END AS kind, 'p' AS persistence, t.owner,
           coalesce(u.id, 100) AS owner_id, CASE t.kind WHEN 'view' THEN 'EVEN' ELSE t.diststyle END AS diststyle,
           t.sortstyle, t.backup, t.definition, t.constraints
    FROM _restframe.tables t JOIN _restframe.schemas s ON s.name = t.schema_name
    LEFT JOIN _restframe.base_users u ON u.name = t.owner
    UNION ALL
    SELECT t.oid, {TEMPORARY_SCHEMAS} + getvariable('restframe_pid')::BIGINT,
           'pg_temp_' || getvariable('restframe_pid'), t.name, 'r', 't', getvariable('restframe_user')::VARCHAR,
           getvariable('restframe_user_id')::BIGINT, t.diststyle, t.sortstyle, t.backup, NULL, t.constraints
    FROM _restframe.base_temporary
    UNION ALL
    SELECT oid, schema_oid, schema_name, name, 'v', 'p', 'rdsdb', 1, 'EVEN', '', true, NULL, []::VARCHAR[]
    FROM _restframe.system_relations"""

# Of an interleaved sort key, every other column has a negative place.
_COLUMNS = """
    WITH every AS (
        SELECT t.oid AS relation_oid, c.position, c.name, c.type, c.not_null, c.default_text, c.encoding,
               c.identity_seed, c.identity_step, c.identity_always, c.distkey,
               CASE WHEN t.sortstyle = 'INTERLEAVED' AND c.sortkey % 2 = 0 THEN -c.sortkey ELSE c.sortkey END
                   AS sortkey, t.kind = 'view' AS of_view
        FROM _restframe.columns c JOIN _restframe.tables t USING (schema_name, table_name)
        UNION ALL
        SELECT oid, position, (c[position]).name, (c[position]).type, (c[position]).not_null,
               (c[position]).default_text, (c[position]).encoding, (c[position]).identity_seed,
               (c[position]).identity_step, (c[position]).identity_always, (c[position]).distkey,
               (c[position]).sortkey, false
        FROM (SELECT t.oid, t.columns AS c, unnest(range(1, len(t.columns) + 1)) AS position
              FROM _restframe.base_temporary)
        UNION ALL
        SELECT relation_oid, position, name, type, false, NULL, NULL, NULL, NULL, NULL, false, 0, true
        FROM _restframe.system_columns)
    SELECT *, CASE WHEN length IS NULL THEN -1 WHEN scale IS NULL THEN length + 4
                   ELSE length * 65536 + scale + 4 END::INTEGER AS modifier
    FROM (
        SELECT e.*, ty.oid AS type_oid, ty.name AS type_name, ty.long_name, ty.length AS type_length,
               ty.alignment AS type_alignment, ty.category AS type_category,
               TRY_CAST(regexp_extract(e.type, '\\((\\d+)', 1) AS INTEGER) AS length,
               TRY_CAST(regexp_extract(e.type, ',(\\d+)\\)', 1) AS INTEGER) AS scale,
               CASE WHEN e.of_view OR e.encoding = 'raw' THEN 'none'
                    WHEN e.encoding IS NOT NULL AND e.encoding <> 'auto' THEN e.encoding
                    WHEN e.sortkey <> 0 THEN 'none'
                    WHEN ty.name IN ('bpchar', 'varchar', 'varbyte') THEN 'lzo'
                    WHEN ty.category IN ('N', 'D', 'T') AND ty.name NOT IN ('float4', 'float8') THEN 'az64'
                    ELSE 'none' END AS shown_encoding
        FROM every e JOIN _restframe.system_types ty ON ty.long_name = split_part(e.type, '(', 1))"""

# A constraint is kept as ALTER TABLE ADD would take it. A table it names without a schema is beside its own, or public.
_NAME = r'(?:"(?:[^"]|"")+"|[^\s",().]+)'
_NAMES = rf"{_NAME}(?:, {_NAME})*"
_CONSTRAINT = (
    rf"^(?:CONSTRAINT ({_NAME}) )?(PRIMARY KEY|UNIQUE|FOREIGN KEY) \(({_NAMES})\)"
    rf"(?: REFERENCES (?:({_NAME})\.)?({_NAME})(?: \(({_NAMES})\))?)?$"
)
_PARTS = "['name', 'kind', 'columns', 'schema', 'table', 'referenced']"
_UNQUOTED = "CASE WHEN x[1] = '\"' THEN replace(x[2:-2], '\"\"', '\"') ELSE x END"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def has_constraint(kinds: str) -> str:
    """Whether the relation `r` has a constraint of these kinds, separated by `|`."""
    pattern = _literal(rf"^(?:CONSTRAINT {_NAME} )?(?:{kinds}) \(")
    return f"coalesce(len(list_filter(r.constraints, lambda x: regexp_matches(x, {pattern}))) > 0, false)"


_CONSTRAINTS = f"""
    WITH texts AS (
        SELECT oid, schema_name, name, unnest(constraints) AS text, unnest(range(len(constraints))) AS place
        FROM _restframe.base_relations WHERE len(constraints) > 0),
    parts AS (
        SELECT *, regexp_extract(text, {_literal(_CONSTRAINT)}, {_PARTS}) AS part
        FROM texts),
    named AS (
        SELECT oid AS relation_oid, schema_name, name AS relation_name, text,
               {CONSTRAINTS} + oid % 30000000 * 64 + place AS oid, part.kind,
               list_transform(regexp_extract_all(part.columns, {_literal(_NAME)}), lambda x: {_UNQUOTED}) AS columns,
               list_transform([part.name, part.schema, part."table"], lambda x: {_UNQUOTED}) AS names,
               list_transform(regexp_extract_all(part.referenced, {_literal(_NAME)}), lambda x: {_UNQUOTED})
                   AS referenced
        FROM parts)
    SELECT n.oid, n.relation_oid, n.schema_name, n.relation_name, n.text, n.columns,
           CASE n.kind WHEN 'PRIMARY KEY' THEN 'p' WHEN 'UNIQUE' THEN 'u' ELSE 'f' END AS kind,
           CASE WHEN n.names[1] <> '' THEN n.names[1]
                WHEN n.kind = 'PRIMARY KEY' THEN relation_name || '_pkey'
                ELSE concat_ws('_', relation_name, array_to_string(columns, '_'),
                               CASE n.kind WHEN 'UNIQUE' THEN 'key' ELSE 'fkey' END) END AS name,
           CASE WHEN n.names[2] <> '' THEN n.names[2] WHEN o.oid IS NOT NULL THEN n.schema_name
                WHEN n.kind = 'FOREIGN KEY' THEN 'public' END AS foreign_schema,
           nullif(n.names[3], '') AS foreign_name, n.referenced
    FROM named n LEFT JOIN _restframe.tables o ON o.schema_name = n.schema_name AND o.table_name = n.names[3]"""

# How a column's compression is numbered in pg_attribute.attencodingtype.
ENCODINGS = {
    "none": 0, "bytedict": 1, "delta": 2, "delta32k": 3, "lzo": 4, "mostly8": 5, "mostly16": 6, "mostly32": 7,
    "runlength": 8, "text255": 9, "text32k": 10, "zstd": 11, "az64": 12,
}  # fmt: skip

_MODEL_FUNCTIONS = 700_000_000
_FIRST_FUNCTION = 20_000

_FUNCTIONS = f"""
    SELECT oid, 11 AS schema_oid, 'pg_catalog' AS schema_name, name, 1 AS owner_id, 'rdsdb' AS owner, kind,
           list_transform(range(arguments), lambda x: 'anyelement') AS arguments, returns, 12 AS language,
           name AS source
    FROM _restframe.system_functions
    UNION ALL
    SELECT {_MODEL_FUNCTIONS} + m.id, s.oid, m.function_schema, m.function_name, coalesce(u.id, 100), m.owner, 'f',
           list_transform(m.argument_types, lambda x: split_part(x, '(', 1)), m.returns, 100, m.name
    FROM _restframe.models m JOIN _restframe.schemas s ON s.name = m.function_schema
    LEFT JOIN _restframe.base_users u ON u.name = m.owner"""


def definitions(relations: Sequence[Relation], functions: Functions) -> list[str]:
    """The statements that make all of it, for these system views and functions."""
    schemas = {"pg_catalog": 11, "information_schema": 13000}
    columns = [
        (one.oid, place, column.name, str(column.type))
        for one in relations
        for place, column in enumerate(one.columns, start=1)
    ]
    return [
        'CREATE SCHEMA IF NOT EXISTS "_restframe_information_schema"',
        _table("system_types", types_table.COLUMNS, types_table.rows()),
        _table(
            "system_relations",
            "oid BIGINT, schema_oid BIGINT, schema_name VARCHAR, name VARCHAR",
            [(one.oid, schemas[one.schema], one.schema, one.name) for one in relations],
        ),
        _table("system_encodings", "id SMALLINT, name VARCHAR", [(id_, name) for name, id_ in ENCODINGS.items()]),
        _table("system_functions", _FUNCTION_COLUMNS, _functions(functions)),
        _table("system_columns", "relation_oid BIGINT, position BIGINT, name VARCHAR, type VARCHAR", columns),
        *(
            f"CREATE OR REPLACE VIEW _restframe.base_{name} AS {query}"
            for name, query in (
                ("users", _USERS),
                ("temporary", _TEMPORARY),
                ("schemas", _SCHEMAS),
                ("relations", _RELATIONS),
                ("columns", _COLUMNS),
                ("constraints", _CONSTRAINTS),
                ("functions", _FUNCTIONS),
            )
        ),
    ]


_FUNCTION_COLUMNS = "oid BIGINT, name VARCHAR, kind VARCHAR, arguments SMALLINT, returns VARCHAR"


def _functions(functions: Functions) -> list[tuple[int, str, str, int, str]]:
    """Those of SQL, and those that pg_type names."""
    letters = {"scalar": "f", "aggregate": "a", "window": "w"}
    named = {name: (letters[kind], least, "anyelement") for name, (kind, least) in functions.items()}
    for row in types_table.rows():
        named |= {name: ("f", 1, row[-1]) for name in (row[9], row[11]) if name != "-"}
        named |= {name: ("f", 1, "cstring") for name in (row[10], row[12]) if name != "-"}
    return [(_FIRST_FUNCTION + place, name, *named[name]) for place, name in enumerate(sorted(named))]


def _table(name: str, columns: str, rows: Sequence[Sequence[object]]) -> str:
    """The statement that makes a table of constant rows."""
    named = [column.split() for column in columns.split(", ")]
    names = ", ".join(column for column, _ in named)
    casts = ", ".join(f"CAST({column} AS {type_}) AS {column}" for column, type_ in named)
    values = ", ".join(f"({', '.join(_value(value) for value in row)})" for row in rows)
    return f"CREATE OR REPLACE TABLE _restframe.{name} AS SELECT {casts} FROM (VALUES {values}) AS v ({names})"


def _value(value: object) -> str:
    return _literal(value) if isinstance(value, str) else str(value)
