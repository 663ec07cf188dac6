"""information_schema, as PostgreSQL and Redshift have it.

https://www.postgresql.org/docs/15/information-schema.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import INFORMATION_SCHEMA, View, view

_CATALOG = "getvariable('restframe_database')"

_PRECISION = """
    CASE c.type_name WHEN 'int2' THEN 16 WHEN 'int4' THEN 32 WHEN 'int8' THEN 64 WHEN 'float4' THEN 24
                     WHEN 'float8' THEN 53 WHEN 'numeric' THEN c.length END"""
PRECISION = " ".join(_PRECISION.split())
SCALE = "CASE c.type_name WHEN 'int2' THEN 0 WHEN 'int4' THEN 0 WHEN 'int8' THEN 0 WHEN 'numeric' THEN c.scale END"
LENGTH = "CASE WHEN c.type_name IN ('bpchar', 'varchar', 'varbyte') THEN c.length END"
NULLABLE = "CASE WHEN c.not_null OR c.identity_seed IS NOT NULL THEN 'NO' ELSE 'YES' END"
DEFAULT = (
    "coalesce(c.default_text, '\"identity\"(' || r.oid || ', ' || c.position - 1 || ', ''' || c.identity_seed || ',' "
    "|| c.identity_step || '''::text)')"
)
OF_COLUMNS = "FROM _restframe.base_relations r JOIN _restframe.base_columns c ON c.relation_oid = r.oid"

VIEWS: tuple[View, ...] = (
    view(
        "tables",
        f"""
        table_catalog                text  {_CATALOG}
        table_schema                 text  r.schema_name
        table_name                   text  r.name
        table_type                   text  CASE WHEN r.kind = 'v' THEN 'VIEW' WHEN r.persistence = 't' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END
        self_referencing_column_name text  NULL
        reference_generation         text  NULL
        user_defined_type_catalog    text  NULL
        user_defined_type_schema     text  NULL
        user_defined_type_name       text  NULL
        is_insertable_into           text  CASE r.kind WHEN 'r' THEN 'YES' ELSE 'NO' END
        is_typed                     text  'NO'
        commit_action                text  NULL
        """,  # noqa: E501
        "FROM _restframe.base_relations r",
        INFORMATION_SCHEMA,
    ),
    view(
        "columns",
        f"""
        table_catalog            text  {_CATALOG}
        table_schema             text  r.schema_name
        table_name               text  r.name
        column_name              text  c.name
        ordinal_position         int4  c.position
        column_default           text  {DEFAULT}
        is_nullable              text  {NULLABLE}
        data_type                text  CASE WHEN c.type LIKE '%[]' THEN 'ARRAY' ELSE c.long_name END
        character_maximum_length int4  {LENGTH}
        character_octet_length   int4  {LENGTH}
        numeric_precision        int4  {PRECISION}
        numeric_precision_radix  int4  CASE WHEN c.type_name = 'numeric' THEN 10 WHEN {PRECISION} IS NOT NULL THEN 2 END
        numeric_scale            int4  {SCALE}
        datetime_precision       int4  CASE WHEN c.type_name = 'date' THEN 0 WHEN c.type_category IN ('D', 'T') THEN 6 END
        interval_type            text  NULL
        interval_precision       text  NULL
        character_set_catalog    text  NULL
        character_set_schema     text  NULL
        character_set_name       text  NULL
        collation_catalog        text  NULL
        collation_schema         text  NULL
        collation_name           text  NULL
        domain_catalog           text  NULL
        domain_schema            text  NULL
        domain_name              text  NULL
        udt_catalog              text  {_CATALOG}
        udt_schema               text  'pg_catalog'
        udt_name                 text  c.type_name
        scope_catalog            text  NULL
        scope_schema             text  NULL
        scope_name               text  NULL
        maximum_cardinality      int4  NULL
        dtd_identifier           text  c.position
        is_self_referencing      text  'NO'
        is_identity              text  CASE WHEN c.identity_seed IS NULL THEN 'NO' ELSE 'YES' END
        identity_generation      text  CASE c.identity_always WHEN true THEN 'ALWAYS' WHEN false THEN 'BY DEFAULT' END
        identity_start           text  c.identity_seed
        identity_increment       text  c.identity_step
        identity_maximum         text  NULL
        identity_minimum         text  NULL
        identity_cycle           text  CASE WHEN c.identity_seed IS NOT NULL THEN 'NO' END
        is_generated             text  'NEVER'
        generation_expression    text  NULL
        is_updatable             text  CASE r.kind WHEN 'r' THEN 'YES' ELSE 'NO' END
        """,  # noqa: E501
        OF_COLUMNS,
        INFORMATION_SCHEMA,
    ),
)
