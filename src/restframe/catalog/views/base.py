"""What the system views are made of: our own tables, a session's temporary tables, and the system views themselves.

Views and tables in schema `_restframe` that no client can name. Constant facts are tables, so that they are not
computed again for each query. An object that is part of a table has a number made from that of the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restframe.catalog import types_table
from restframe.catalog.classes import TEMPORARY_SCHEMAS
from restframe.catalog.relations import Relation

# Of each function of SQL its kind (scalar, aggregate or window), and how many arguments it takes at least.
Functions = Mapping[str, tuple[str, int]]

# What lives in the server's memory comes as a text of JSON, from a function of the engine's that the warehouse makes.
LIVE_FUNCTION = "__live"
PID = "getvariable('restframe_pid')::BIGINT"

# What the session's user may know of, as the session tells the engine (catalog/knowledge.py). The conditions begin with
# what is constant for those who may know everything, so that they cost them nothing.
_EVERYTHING = "getvariable('restframe_knows_everything')::BOOLEAN"
_USER = "getvariable('restframe_user_id')::BIGINT"


def _known(what: str, value: str, type_: str = "BIGINT") -> str:
    return f"list_contains(getvariable('restframe_known_{what}')::{type_}[], {value})"


# One's own, the system's, and temporary tables, which no other session has.
_OPEN = f"{_EVERYTHING} OR owner_id IN (1, {_USER}) OR session IS NOT NULL"
KNOWN_COLUMN = f"""({_EVERYTHING} OR r.whole OR {_known("columns", "r.oid || '.' || c.name", "VARCHAR")})"""
KNOWN_MODEL = f"({_EVERYTHING} OR {_known('models', 'm.id')})"


def _live(what: str, fields: str) -> str:
    """The rows of one kind, as a struct each, named `t`."""
    text = f"{LIVE_FUNCTION}('{what}', coalesce({PID}, 0))"
    return f"SELECT unnest(CAST(CAST({text} AS JSON) AS STRUCT({fields})[])) AS t"


_SETTINGS = _live("settings", "name VARCHAR, value VARCHAR, initial VARCHAR, read_only BOOLEAN")
_PREPARED = _live("prepared", "name VARCHAR, text VARCHAR, parameters VARCHAR[]")
_CURSORS = _live("cursors", "name VARCHAR")

# Times are microseconds since 1970, in UTC.
_EVERY_SESSION = f"""
    SELECT t.*, make_timestamp(t.started_us) AS started, make_timestamp(t.transaction_us) AS transaction_started,
           make_timestamp(t.statement_us) AS statement_started, make_timestamp(t.ended_us) AS ended
    FROM ({
    _live(
        "sessions",
        "pid BIGINT, user_id BIGINT, user_name VARCHAR, database_name VARCHAR, application VARCHAR, address VARCHAR, "
        "state VARCHAR, timeout_s INTEGER, statement BIGINT, xid BIGINT, label VARCHAR, text VARCHAR, kind VARCHAR, "
        "started_us BIGINT, transaction_us BIGINT, statement_us BIGINT, ended_us BIGINT",
    )
})"""
_SESSIONS = """
    SELECT s.* FROM _restframe.base_every_session s CROSS JOIN _restframe.base_viewer v
    WHERE v.sees_all OR s.user_id = v.id"""
_STATEMENTS = f"""
    SELECT t.*, make_timestamp(t.started_us) AS started, make_timestamp(t.ended_us) AS ended
    FROM ({
    _live(
        "statements",
        "id BIGINT, pid BIGINT, user_id BIGINT, user_name VARCHAR, database_name VARCHAR, xid BIGINT, label VARCHAR, "
        "kind VARCHAR, text VARCHAR, status VARCHAR, error VARCHAR, code VARCHAR, rows BIGINT, planned_us BIGINT, "
        "started_us BIGINT, ended_us BIGINT",
    )
}) CROSS JOIN _restframe.base_viewer v WHERE v.sees_all OR t.user_id = v.id"""

_PRINCIPALS = """
    SELECT 'user' AS kind, id, name FROM _restframe.users
    UNION ALL SELECT 'group', id, name FROM _restframe.groups
    UNION ALL SELECT 'role', id, name FROM _restframe.roles
    UNION ALL SELECT 'public', 0, 'public'"""

# Who asks, and whether system tables show this user the rows of others.
_VIEWER = """
    SELECT u.id, u.name, u.superuser OR u.sees_all OR EXISTS (
        SELECT 1 FROM _restframe.grants g JOIN _restframe.acts_as a ON a.kind = g.grantee_kind AND a.id = g.grantee_id
        WHERE a.user_id = u.id AND g.kind = 'system' AND g.privilege IN ('SUPERUSER', 'ACCESS SYSTEM TABLE'))
        AS sees_all
    FROM _restframe.users u WHERE u.id = getvariable('restframe_user_id')::BIGINT"""

# `seen` : by whoever asks
_GRANTS = """
    SELECT g.kind, g.object_id, g.column_name, g.privilege, g.grantee_kind, g.grantee_id, p.name AS grantee,
           g.grantor_id, u.name AS grantor, g.grantable,
           v.sees_all OR g.grantor_id = v.id OR (g.grantee_kind, g.grantee_id) IN (
               SELECT (a.kind, a.id) FROM _restframe.acts_as a
               WHERE a.user_id = getvariable('restframe_user_id')::BIGINT) AS seen
    FROM _restframe.grants g JOIN _restframe.base_principals p ON p.kind = g.grantee_kind AND p.id = g.grantee_id
    LEFT JOIN _restframe.users u ON u.id = g.grantor_id CROSS JOIN _restframe.base_viewer v"""

# As PostgreSQL writes them: ada=ar*/owner, group g=r/owner, =U/owner.
_PRIVILEGES = (
    ("INSERT", "a"), ("SELECT", "r"), ("UPDATE", "w"), ("DELETE", "d"), ("TRUNCATE", "D"), ("REFERENCES", "x"),
    ("EXECUTE", "X"), ("USAGE", "U"), ("CREATE", "C"), ("TEMPORARY", "T"), ("ALTER", "A"), ("DROP", "P"),
)  # fmt: skip
_ACCESS = """
    SELECT kind, object_id, column_name, list(item ORDER BY item) AS items
    FROM (SELECT g.kind, g.object_id, g.column_name,
                 CASE p.kind WHEN 'group' THEN 'group ' WHEN 'role' THEN 'role ' ELSE '' END
                 || CASE WHEN p.kind = 'public' THEN '' WHEN regexp_full_match(p.name, '[A-Za-z0-9_]+') THEN p.name
                         ELSE '"' || replace(p.name, '"', '""') || '"' END || '='
                 || string_agg(l.letter || CASE WHEN g.grantable THEN '*' ELSE '' END, '' ORDER BY l.place)
                 || '/' || CASE WHEN regexp_full_match(u.name, '[A-Za-z0-9_]+') THEN u.name
                                ELSE '"' || replace(u.name, '"', '""') || '"' END AS item
          FROM _restframe.grants g
          JOIN _restframe.base_principals p ON p.kind = g.grantee_kind AND p.id = g.grantee_id
          JOIN _restframe.users u ON u.id = g.grantor_id
          JOIN _restframe.system_privileges l ON l.privilege = g.privilege
          GROUP BY g.kind, g.object_id, g.column_name, p.kind, p.name, u.name)
    GROUP BY kind, object_id, column_name"""

# What everybody sees, and the session's own temporary tables.
_SEEN = f"(session IS NULL OR session = {PID})"

_SCHEMAS = f"""
    SELECT s.oid, s.name, s.owner, coalesce(u.id, 100) AS owner_id
    FROM _restframe.schemas s LEFT JOIN _restframe.users u ON u.name = s.owner
    UNION ALL VALUES (11, 'pg_catalog', 'rdsdb', 1), (13000, 'information_schema', 'rdsdb', 1),
                     (99, 'pg_toast', 'rdsdb', 1), (90, 'pg_internal', 'rdsdb', 1),
                     ({TEMPORARY_SCHEMAS} + {PID}, 'pg_temp_' || {PID}, 'rdsdb', 1)"""

_CLASSES = f"""
    SELECT *, CASE WHEN session IS NULL THEN 'p' ELSE 't' END AS persistence FROM _restframe.classes WHERE {_SEEN}"""

_RELATIONS = """
    SELECT c.*, s.name AS schema_name, coalesce(u.name, 'rdsdb') AS owner
    FROM _restframe.base_rows c JOIN _restframe.base_names s ON s.oid = c.schema_oid
    LEFT JOIN _restframe.users u ON u.id = c.owner_id WHERE c.kind <> 'i'"""

# The same without what the session's user may know nothing of. `whole` : with all columns
_KNOWN_RELATIONS = f"""
    SELECT *, {_OPEN} OR {_known("whole", "oid")} AS whole FROM _restframe.base_relations
    WHERE {_OPEN} OR ({_known("schemas", "schema_oid")} AND {_known("tables", "oid")})"""
_KNOWN_CONSTRAINTS = f"""
    SELECT * FROM _restframe.base_constraints
    WHERE {_OPEN} OR ({_known("schemas", "schema_oid")} AND {_known("tables", "relation_oid")})"""
_KNOWN_SCHEMAS = f"""
    SELECT * FROM _restframe.base_schemas
    WHERE {_EVERYTHING} OR owner_id IN (1, {_USER}) OR {_known("schemas", "oid")}"""
_KNOWN_FUNCTIONS = f"""
    SELECT * FROM _restframe.base_functions
    WHERE {_EVERYTHING} OR model_id IS NULL OR {_known("models", "model_id")}"""

# The names of all schemas, without their owners.
_NAMES = f"""
    SELECT oid, name FROM _restframe.schemas
    UNION ALL VALUES (11, 'pg_catalog'), (13000, 'information_schema'),
                     ({TEMPORARY_SCHEMAS} + {PID}, 'pg_temp_' || {PID})"""

# What the engine says of tables. Their size is not known cheaply: it is estimated from rows and types.
_SIZES = """
    SELECT t.oid, any_value(d.estimated_size) AS rows, any_value(d.estimated_size) * sum(
        CASE WHEN a.type_length > 0 THEN a.type_length WHEN a.type_name = 'numeric' THEN 8 ELSE 16 END) AS bytes
    FROM _restframe.tables t
    JOIN duckdb_tables() d ON d.table_name = t.table_name AND d.schema_name = CASE
        WHEN t.schema_name IN ('main', 'memory', 'system', 'temp', 'warehouse') THEN '_restframe_' || t.schema_name
        ELSE t.schema_name END
    JOIN _restframe.attributes a ON a.relation_oid = t.oid
    GROUP BY t.oid"""

_COLUMNS = f"SELECT * FROM _restframe.attributes WHERE {_SEEN}"

_CONSTRAINTS = f"""
    SELECT k.*, s.name AS schema_name, c.schema_oid, c.name AS relation_name, c.owner_id
    FROM _restframe.keys k JOIN _restframe.classes c ON c.oid = k.relation_oid
    JOIN _restframe.base_names s ON s.oid = c.schema_oid WHERE k.session IS NULL OR k.session = {PID}"""

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
           name AS source, NULL AS model_id
    FROM _restframe.system_functions
    UNION ALL
    SELECT {_MODEL_FUNCTIONS} + m.id, s.oid, m.function_schema, m.function_name, coalesce(u.id, 100), m.owner, 'f',
           list_transform(m.argument_types, lambda x: split_part(x, '(', 1)), m.returns, 100, m.name, m.id
    FROM _restframe.models m JOIN _restframe.schemas s ON s.name = m.function_schema
    LEFT JOIN _restframe.users u ON u.name = m.owner"""


def definitions(relations: Sequence[Relation], functions: Functions) -> list[str]:
    """The statements that make all of it, for these system views and functions."""
    columns = [
        (one.oid, place, column.name, str(column.type))
        for one in relations
        for place, column in enumerate(one.columns, start=1)
    ]
    classes = [(one.oid, _SYSTEM_SCHEMAS[one.schema], one.name, len(one.columns)) for one in relations]
    return [
        'CREATE SCHEMA IF NOT EXISTS "_restframe_information_schema"',
        _table("system_types", types_table.COLUMNS, types_table.rows()),
        _table("system_encodings", "id SMALLINT, name VARCHAR", [(id_, name) for name, id_ in ENCODINGS.items()]),
        _table(
            "system_privileges",
            "place SMALLINT, privilege VARCHAR, letter VARCHAR",
            [(place, *row) for place, row in enumerate(_PRIVILEGES)],
        ),
        _table("system_functions", _FUNCTION_COLUMNS, _functions(functions)),
        f"DELETE FROM _restframe.classes WHERE oid < {_FIRST_USER_OID}",
        f"DELETE FROM _restframe.attributes WHERE relation_oid < {_FIRST_USER_OID}",
        f"INSERT INTO _restframe.classes SELECT oid, schema_oid, name, 'v', 1, 'EVEN', '', true, NULL, columns, false, "
        f"false, NULL FROM ({_rows('oid BIGINT, schema_oid BIGINT, name VARCHAR, columns SMALLINT', classes)})",
        f"INSERT INTO _restframe.attributes SELECT c.relation_oid, c.position, c.name, c.type, false, NULL, NULL, "
        f"NULL, NULL, NULL, false, 0, 'none', t.oid, t.name, t.long_name, t.length, t.alignment, t.category, "
        f"{_LENGTH}, {_SCALE}, CASE WHEN {_LENGTH} IS NULL THEN -1 WHEN {_SCALE} IS NULL THEN {_LENGTH} + 4 "
        f"ELSE {_LENGTH} * 65536 + {_SCALE} + 4 END, NULL "
        f"FROM ({_rows('relation_oid BIGINT, position BIGINT, name VARCHAR, type VARCHAR', columns)}) AS c "
        "JOIN _restframe.system_types t ON t.long_name = split_part(c.type, '(', 1)",
        *(
            f"CREATE OR REPLACE VIEW _restframe.base_{name} AS {query}"
            for name, query in (
                ("users", "SELECT id, name, superuser, createdb FROM _restframe.users"),
                ("principals", _PRINCIPALS),
                ("viewer", _VIEWER),
                ("grants", _GRANTS),
                ("access", _ACCESS),
                ("settings", _SETTINGS),
                ("prepared", _PREPARED),
                ("cursors", _CURSORS),
                ("every_session", _EVERY_SESSION),
                ("sessions", _SESSIONS),
                ("statements", _STATEMENTS),
                ("schemas", _SCHEMAS),
                ("names", _NAMES),
                ("rows", _CLASSES),
                ("relations", _RELATIONS),
                ("sizes", _SIZES),
                ("columns", _COLUMNS),
                ("constraints", _CONSTRAINTS),
                ("functions", _FUNCTIONS),
            )
        ),
        *(
            f"CREATE OR REPLACE VIEW _restframe.known_{name} AS {query}"
            for name, query in (
                ("relations", _KNOWN_RELATIONS),
                ("constraints", _KNOWN_CONSTRAINTS),
                ("schemas", _KNOWN_SCHEMAS),
                ("functions", _KNOWN_FUNCTIONS),
            )
        ),
        "DELETE FROM _restframe.access",
        "INSERT INTO _restframe.access SELECT * FROM _restframe.base_access",
    ]


_SYSTEM_SCHEMAS = {"pg_catalog": 11, "information_schema": 13000}
_FIRST_USER_OID = 16_384
_LENGTH = r"TRY_CAST(regexp_extract(c.type, '\((\d+)', 1) AS INTEGER)"
_SCALE = r"TRY_CAST(regexp_extract(c.type, ',(\d+)\)', 1) AS INTEGER)"
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
    return f"CREATE OR REPLACE TABLE _restframe.{name} AS {_rows(columns, rows)}"


def _rows(columns: str, rows: Sequence[Sequence[object]]) -> str:
    """A query for constant rows, given as one text, which is read far faster than many values."""
    text = "\n".join("\t".join(map(str, row)) for row in rows)
    casts = ", ".join(
        f"CAST(f[{place}] AS {type_}) AS {column}"
        for place, (column, type_) in enumerate((column.split() for column in columns.split(", ")), start=1)
    )
    lines = f"SELECT unnest(string_split({_literal(text)}, chr(10))) AS line"
    return f"SELECT {casts} FROM (SELECT string_split(line, chr(9)) AS f FROM ({lines}))"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
