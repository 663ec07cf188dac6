"""information_schema, as PostgreSQL and Redshift have it.

https://www.postgresql.org/docs/15/information-schema.html
"""

from __future__ import annotations

from restframe.catalog.views.base import KNOWN_COLUMN
from restframe.catalog.views.definition import INFORMATION_SCHEMA, View, empty, view

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
OF_COLUMNS = f"""FROM _restframe.known_relations r
    JOIN _restframe.base_columns c ON c.relation_oid = r.oid AND {KNOWN_COLUMN}"""

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
        "FROM _restframe.known_relations r",
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
    view(
        "schemata",
        f"""
        catalog_name                  text  {_CATALOG}
        schema_name                   text  s.name
        schema_owner                  text  s.owner
        default_character_set_catalog text  NULL
        default_character_set_schema  text  NULL
        default_character_set_name    text  NULL
        sql_path                      text  NULL
        """,
        "FROM _restframe.known_schemas s",
        INFORMATION_SCHEMA,
    ),
    view(
        "views",
        f"""
        table_catalog              text  {_CATALOG}
        table_schema               text  r.schema_name
        table_name                 text  r.name
        view_definition            text  r.definition
        check_option               text  'NONE'
        is_updatable               text  'NO'
        is_insertable_into         text  'NO'
        is_trigger_updatable       text  'NO'
        is_trigger_deletable       text  'NO'
        is_trigger_insertable_into text  'NO'
        """,
        "FROM _restframe.known_relations r WHERE r.kind = 'v'",
        INFORMATION_SCHEMA,
    ),
    view(
        "information_schema_catalog_name",
        f"catalog_name text {_CATALOG}",
        "FROM (SELECT 1) AS one",
        INFORMATION_SCHEMA,
    ),
    view(
        "character_sets",
        f"""
        character_set_catalog   text  NULL
        character_set_schema    text  NULL
        character_set_name      text  'UTF8'
        character_repertoire    text  'UCS'
        form_of_use             text  'UTF8'
        default_collate_catalog text  {_CATALOG}
        default_collate_schema  text  'pg_catalog'
        default_collate_name    text  'default'
        """,
        "FROM (SELECT 1) AS one",
        INFORMATION_SCHEMA,
    ),
    view(
        "collations",
        f"""
        collation_catalog text  {_CATALOG}
        collation_schema  text  'pg_catalog'
        collation_name    text  c.collname
        pad_attribute     text  'NO PAD'
        """,
        "FROM _restframe.pg_collation c",
        INFORMATION_SCHEMA,
    ),
    empty(
        "sequences",
        "sequence_catalog text, sequence_schema text, sequence_name text, data_type text, numeric_precision int4, "
        "numeric_precision_radix int4, numeric_scale int4, start_value text, minimum_value text, maximum_value text, "
        "increment text, cycle_option text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "domains",
        "domain_catalog text, domain_schema text, domain_name text, data_type text, character_maximum_length int4, "
        "domain_default text, udt_catalog text, udt_schema text, udt_name text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "triggers",
        "trigger_catalog text, trigger_schema text, trigger_name text, event_manipulation text, "
        "event_object_catalog text, event_object_schema text, event_object_table text, action_order int4, "
        "action_condition text, action_statement text, action_orientation text, action_timing text, "
        "action_reference_old_table text, action_reference_new_table text, created timestamptz",
        INFORMATION_SCHEMA,
    ),
    empty(
        "check_constraints",
        "constraint_catalog text, constraint_schema text, constraint_name text, check_clause text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "element_types",
        "object_catalog text, object_schema text, object_name text, object_type text, "
        "collection_type_identifier text, data_type text, udt_catalog text, udt_schema text, udt_name text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "foreign_tables",
        "foreign_table_catalog text, foreign_table_schema text, foreign_table_name text, "
        "foreign_server_catalog text, foreign_server_name text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "column_domain_usage",
        "domain_catalog text, domain_schema text, domain_name text, table_catalog text, table_schema text, "
        "table_name text, column_name text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "sql_features",
        "feature_id text, feature_name text, sub_feature_id text, sub_feature_name text, is_supported text, "
        "is_verified_by text, comments text",
        INFORMATION_SCHEMA,
    ),
    empty(
        "user_defined_types",
        "user_defined_type_catalog text, user_defined_type_schema text, user_defined_type_name text, "
        "user_defined_type_category text, is_instantiable text, data_type text",
        INFORMATION_SCHEMA,
    ),
)
