"""The part of information_schema that tells of constraints, functions and privileges."""

from __future__ import annotations

from restframe.catalog.views.definition import INFORMATION_SCHEMA, View, view

_CATALOG = "getvariable('restframe_database')"
_KINDS = "CASE k.kind WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE 'FOREIGN KEY' END"
_YES = "CASE WHEN {} THEN 'YES' ELSE 'NO' END"

_CONSTRAINT = f"""
    constraint_catalog text  {_CATALOG}
    constraint_schema  text  k.schema_name
    constraint_name    text  k.name
"""
_TABLE = f"""
    table_catalog text  {_CATALOG}
    table_schema  text  k.schema_name
    table_name    text  k.relation_name
"""
_COLUMNS_OF_KEYS = """FROM (
    SELECT *, unnest(columns) AS column_name, unnest(range(1, len(columns) + 1)) AS place
    FROM _restframe.known_constraints) AS k"""
# What a foreign key names is the columns over there, or the primary key.
_REFERENCED = """
    LEFT JOIN _restframe.known_constraints f
    ON f.schema_name = k.foreign_schema AND f.relation_name = k.foreign_name AND f.kind <> 'f'
    AND CASE WHEN len(k.referenced) > 0 THEN f.columns = k.referenced ELSE f.kind = 'p' END"""

_GRANT = f"""
    grantor        text  g.
    grantee        text  g.
    table_catalog  text  {_CATALOG}
    table_schema   text  r.schema_name
    table_name     text  r.name
"""
_GRANTED = f"""
    privilege_type text  g.privilege
    is_grantable   text  {_YES.format("g.grantable")}
"""
# Beside what was granted, what owners may do without that.
_TABLE_GRANTS = """FROM (
    SELECT object_id, privilege, grantee, grantor, grantable, seen FROM _restframe.base_grants
    WHERE kind = 'table' AND column_name IS NULL
    UNION ALL
    SELECT o.oid, p.privilege, o.owner, o.owner, true, v.sees_all OR o.owner_id = v.id
    FROM _restframe.base_relations o CROSS JOIN _restframe.base_viewer v
    CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE'), ('REFERENCES')) AS p (privilege)
    WHERE o.owner <> 'rdsdb') AS g
    JOIN _restframe.base_relations r ON r.oid = g.object_id WHERE g.seen"""
_COLUMN_GRANTS = """FROM _restframe.base_grants g JOIN _restframe.base_relations r ON r.oid = g.object_id
    WHERE g.kind = 'table' AND g.column_name IS NOT NULL AND g.seen"""

_SPECIFIC = f"""
    specific_catalog text  {_CATALOG}
    specific_schema  text  f.schema_name
    specific_name    text  f.name || '_' || f.oid
"""
_ARGUMENTS = """FROM (
    SELECT *, unnest(arguments) AS argument, unnest(range(1, len(arguments) + 1)) AS place
    FROM _restframe.known_functions) AS f LEFT JOIN _restframe.system_types ty ON ty.long_name = f.argument"""

VIEWS: tuple[View, ...] = (
    view(
        "table_constraints",
        f"""{_CONSTRAINT}{_TABLE}
        constraint_type    text  {_KINDS}
        is_deferrable      text  'NO'
        initially_deferred text  'NO'
        enforced           text  'NO'
        """,
        "FROM _restframe.known_constraints k",
        INFORMATION_SCHEMA,
    ),
    view(
        "key_column_usage",
        f"""{_CONSTRAINT}{_TABLE}
        column_name                   text  k.
        ordinal_position              int4  k.place
        position_in_unique_constraint int4  CASE k.kind WHEN 'f' THEN k.place END
        """,
        _COLUMNS_OF_KEYS,
        INFORMATION_SCHEMA,
    ),
    view(
        "referential_constraints",
        f"""{_CONSTRAINT}
        unique_constraint_catalog text  {_CATALOG}
        unique_constraint_schema  text  f.schema_name
        unique_constraint_name    text  f.name
        match_option              text  'NONE'
        update_rule               text  'NO ACTION'
        delete_rule               text  'NO ACTION'
        """,
        f"FROM _restframe.known_constraints k {_REFERENCED} WHERE k.kind = 'f'",
        INFORMATION_SCHEMA,
    ),
    view(
        "constraint_column_usage",
        f"""
        table_catalog      text  {_CATALOG}
        table_schema       text  k.table_schema
        table_name         text  k.table_name
        column_name        text  k.
        constraint_catalog text  {_CATALOG}
        constraint_schema  text  k.schema_name
        constraint_name    text  k.name
        """,
        f"""FROM (
            SELECT k.schema_name, k.name, coalesce(k.foreign_schema, k.schema_name) AS table_schema,
                   coalesce(k.foreign_name, k.relation_name) AS table_name,
                   unnest(CASE WHEN k.kind <> 'f' THEN k.columns WHEN len(k.referenced) > 0 THEN k.referenced
                               ELSE f.columns END) AS column_name
            FROM _restframe.known_constraints k {_REFERENCED}) AS k""",
        INFORMATION_SCHEMA,
    ),
    view(
        "constraint_table_usage",
        f"""
        table_catalog      text  {_CATALOG}
        table_schema       text  coalesce(k.foreign_schema, k.schema_name)
        table_name         text  coalesce(k.foreign_name, k.relation_name)
        constraint_catalog text  {_CATALOG}
        constraint_schema  text  k.schema_name
        constraint_name    text  k.name
        """,
        "FROM _restframe.known_constraints k WHERE k.kind IN ('p', 'u', 'f')",
        INFORMATION_SCHEMA,
    ),
    view("table_privileges", f"{_GRANT}{_GRANTED}\nwith_hierarchy text 'NO'", _TABLE_GRANTS, INFORMATION_SCHEMA),
    view("role_table_grants", f"{_GRANT}{_GRANTED}\nwith_hierarchy text 'NO'", _TABLE_GRANTS, INFORMATION_SCHEMA),
    view("column_privileges", f"{_GRANT}\ncolumn_name text g.\n{_GRANTED}", _COLUMN_GRANTS, INFORMATION_SCHEMA),
    view("role_column_grants", f"{_GRANT}\ncolumn_name text g.\n{_GRANTED}", _COLUMN_GRANTS, INFORMATION_SCHEMA),
    view(
        "usage_privileges",
        f"""
        grantor        text  g.
        grantee        text  g.
        object_catalog text  {_CATALOG}
        object_schema  text  s.name
        object_name    text  s.name
        object_type    text  'SCHEMA'
        privilege_type text  g.privilege
        is_grantable   text  {_YES.format("g.grantable")}
        """,
        """FROM _restframe.base_grants g JOIN _restframe.schemas s ON s.oid = g.object_id
           WHERE g.kind = 'schema' AND g.privilege = 'USAGE' AND g.seen""",
        INFORMATION_SCHEMA,
    ),
    view(
        "routine_privileges",
        f"""
        grantor          text  g.
        grantee          text  g.
        {_SPECIFIC}
        routine_catalog  text  {_CATALOG}
        routine_schema   text  f.schema_name
        routine_name     text  f.name
        {_GRANTED}
        """,
        """FROM _restframe.base_grants g JOIN _restframe.base_functions f ON f.model_id = g.object_id
           WHERE g.kind = 'model' AND g.seen""",
        INFORMATION_SCHEMA,
    ),
    view(
        "enabled_roles",
        "role_name text p.name",
        """FROM _restframe.base_principals p JOIN _restframe.acts_as a ON a.kind = p.kind AND a.id = p.id
           WHERE a.user_id = getvariable('restframe_user_id')::BIGINT AND p.kind <> 'public'""",
        INFORMATION_SCHEMA,
    ),
    view(
        "applicable_roles",
        f"""
        grantee      text  v.name
        role_name    text  p.name
        is_grantable text  {_YES.format("coalesce(r.admin, false)")}
        """,
        """FROM _restframe.base_viewer v JOIN _restframe.acts_as a ON a.user_id = v.id AND a.kind IN ('role', 'group')
           JOIN _restframe.base_principals p ON p.kind = a.kind AND p.id = a.id
           LEFT JOIN _restframe.role_grants r ON a.kind = 'role' AND r.role_id = a.id AND r.grantee_kind = 'user'
           AND r.grantee_id = v.id""",
        INFORMATION_SCHEMA,
    ),
    view(
        "routines",
        f"""{_SPECIFIC}
        routine_catalog    text  {_CATALOG}
        routine_schema     text  f.schema_name
        routine_name       text  f.name
        routine_type       text  'FUNCTION'
        data_type          text  coalesce(ty.long_name, f.returns)
        type_udt_catalog   text  {_CATALOG}
        type_udt_schema    text  'pg_catalog'
        type_udt_name      text  ty.name
        routine_body       text  'EXTERNAL'
        routine_definition text  NULL
        external_name      text  NULL
        external_language  text  CASE f.language WHEN 100 THEN 'MLFUNC' ELSE 'INTERNAL' END
        parameter_style    text  'GENERAL'
        is_deterministic   text  'NO'
        sql_data_access    text  'READS'
        is_null_call       text  'NO'
        security_type      text  'INVOKER'
        created            timestamptz  NULL
        last_altered       timestamptz  NULL
        """,
        "FROM _restframe.known_functions f LEFT JOIN _restframe.system_types ty "
        "ON ty.long_name = split_part(f.returns, '(', 1)",
        INFORMATION_SCHEMA,
    ),
    view(
        "parameters",
        f"""{_SPECIFIC}
        ordinal_position         int4  f.place
        parameter_mode           text  'IN'
        is_result                text  'NO'
        as_locator               text  'NO'
        parameter_name           text  NULL
        data_type                text  f.argument
        character_maximum_length int4  NULL
        numeric_precision        int4  NULL
        numeric_scale            int4  NULL
        udt_catalog              text  {_CATALOG}
        udt_schema               text  'pg_catalog'
        udt_name                 text  ty.name
        dtd_identifier           text  f.place
        parameter_default        text  NULL
        """,
        _ARGUMENTS,
        INFORMATION_SCHEMA,
    ),
    view(
        "view_table_usage",
        f"""
        view_catalog  text  {_CATALOG}
        view_schema   text  d.schema_name
        view_name     text  d.
        table_catalog text  {_CATALOG}
        table_schema  text  d.on_schema
        table_name    text  d.on_name
        """,
        "FROM _restframe.dependencies d JOIN _restframe.known_relations r "
        "ON r.schema_name = d.schema_name AND r.name = d.view_name",
        INFORMATION_SCHEMA,
    ),
)
