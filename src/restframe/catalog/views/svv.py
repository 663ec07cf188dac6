"""Redshift's own views of what there is: svv_tables, svv_columns, svv_all_*, svv_redshift_*, svv_table_info.

https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, view
from restframe.catalog.views.information_schema import DEFAULT, LENGTH, NULLABLE, OF_COLUMNS, PRECISION, SCALE

_DATABASE = "getvariable('restframe_database')"
_COMMENTS = "LEFT JOIN _restframe.pg_description d ON d.objoid = r.oid AND d.objsubid ="
_ACCESS = "LEFT JOIN _restframe.access acl ON acl.kind = 'table' AND acl.object_id = r.oid AND acl.column_name"
_ACL = "array_to_string(acl.items, '~')"
_TABLE_TYPE = "CASE r.kind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END"

_SCHEMA = f"""
    database_name text  {_DATABASE}
    schema_name   text  s.name
    schema_owner  int4  s.owner_id
    schema_type   text  'local'
    schema_acl    text  {_ACL}
"""
_SCHEMAS = """FROM _restframe.known_schemas s
    LEFT JOIN _restframe.access acl ON acl.kind = 'schema' AND acl.object_id = s.oid
    WHERE s.name NOT IN ('pg_toast', 'pg_internal')"""

_COLUMN = f"""
    database_name    text  {_DATABASE}
    schema_name      text  r.schema_name
    table_name       text  r.name
    column_name      text  c.name
    ordinal_position int4  c.position
"""

VIEWS: tuple[View, ...] = (
    view(
        "svv_tables",
        f"""
        table_catalog text  {_DATABASE}
        table_schema  text  r.schema_name
        table_name    text  r.name
        table_type    text  CASE WHEN r.kind = 'v' THEN 'VIEW' WHEN r.persistence = 't' THEN 'LOCAL TEMPORARY' ELSE 'BASE TABLE' END
        remarks       text  d.description
        """,  # noqa: E501
        f"FROM _restframe.known_relations r {_COMMENTS} 0",
    ),
    view(
        "svv_columns",
        f"""
        table_catalog            text  {_DATABASE}
        table_schema             text  r.schema_name
        table_name               text  r.name
        column_name              text  c.name
        ordinal_position         int4  c.position
        column_default           text  {DEFAULT}
        is_nullable              text  {NULLABLE}
        data_type                text  c.long_name
        character_maximum_length int4  {LENGTH}
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
        domain_name              text  NULL
        remarks                  text  d.description
        """,  # noqa: E501
        f"{OF_COLUMNS} {_COMMENTS} c.position",
    ),
    view("svv_all_schemas", f"{_SCHEMA}\nsource_database text NULL\nschema_option text NULL", _SCHEMAS),
    view("svv_redshift_schemas", f"{_SCHEMA}\nschema_option text NULL", _SCHEMAS),
    view(
        "svv_all_tables",
        f"""
        database_name text  {_DATABASE}
        schema_name   text  r.schema_name
        table_name    text  r.name
        table_acl     text  {_ACL}
        table_type    text  {_TABLE_TYPE}
        remarks       text  d.description
        """,
        f"FROM _restframe.known_relations r {_COMMENTS} 0 {_ACCESS} IS NULL",
    ),
    view(
        "svv_redshift_tables",
        f"""
        database_name text  {_DATABASE}
        schema_name   text  r.schema_name
        table_name    text  r.name
        table_type    text  {_TABLE_TYPE}
        table_acl     text  {_ACL}
        remarks       text  d.description
        table_owner   text  r.owner
        """,
        f"FROM _restframe.known_relations r {_COMMENTS} 0 {_ACCESS} IS NULL",
    ),
    view(
        "svv_all_columns",
        f"""{_COLUMN}
        column_default           text  {DEFAULT}
        is_nullable              text  {NULLABLE}
        data_type                text  c.long_name
        character_maximum_length int4  {LENGTH}
        numeric_precision        int4  {PRECISION}
        numeric_scale            int4  {SCALE}
        remarks                  text  d.description
        """,
        f"{OF_COLUMNS} {_COMMENTS} c.position",
    ),
    view(
        "svv_redshift_columns",
        f"""{_COLUMN}
        data_type      text  c.type
        column_default text  {DEFAULT}
        is_nullable    text  {NULLABLE}
        encoding       text  c.shown_encoding
        distkey        bool  c.distkey
        sortkey        int4  c.sortkey
        column_acl     text  {_ACL}
        remarks        text  d.description
        """,
        f"{OF_COLUMNS} {_COMMENTS} c.position {_ACCESS} = c.name",
    ),
    view(
        "svv_redshift_databases",
        f"""
        database_name            text  {_DATABASE}
        database_owner           int4  100
        database_type            text  'local'
        database_acl             text  {_ACL}
        database_options         text  NULL
        database_isolation_level text  'Snapshot Isolation'
        """,
        "FROM (SELECT 1) AS one LEFT JOIN _restframe.access acl ON acl.kind = 'database'",
    ),
    view(
        "svv_redshift_functions",
        f"""
        database_name text  {_DATABASE}
        schema_name   text  f.
        function_name text  f.name
        function_type text  CASE f.kind WHEN 'a' THEN 'AGGREGATE FUNCTION' ELSE 'REGULAR FUNCTION' END
        argument_type text  array_to_string(f.arguments, ', ')
        result_type   text  f.returns
        """,
        "FROM _restframe.known_functions f",
    ),
    view(
        "svv_table_info",
        f"""
        database               text           {_DATABASE}
        schema                 text           r.schema_name
        table_id               oid            r.oid
        table                  text           r.name
        encoded                text           CASE WHEN r.encoded THEN 'Y' ELSE 'N' END || CASE WHEN r.chosen THEN '' ELSE ', AUTO(ENCODE)' END
        diststyle              text           CASE r.diststyle WHEN 'KEY' THEN 'KEY(' || r.distkey || ')' WHEN 'AUTO' THEN 'AUTO(ALL)' ELSE r.diststyle END
        sortkey1               text           CASE WHEN r.sortkeys > 0 AND r.sortstyle = 'INTERLEAVED' THEN 'INTERLEAVED' WHEN r.sortkeys > 0 THEN r.sortkey1 WHEN r.sortstyle = 'AUTO' THEN 'AUTO(SORTKEY)' END
        max_varchar            int4           r.max_varchar
        sortkey1_enc           char(32)       r.sortkey1_encoding
        sortkey_num            int4           r.sortkeys
        size                   int8           ceil(e.bytes / 1048576)
        pct_used               numeric(10,4)  0
        empty                  int8           0
        unsorted               numeric(5,2)   CASE WHEN r.sortkeys > 0 THEN 0 END
        stats_off              numeric(5,2)   0
        tbl_rows               numeric(38,0)  e.rows
        skew_sortkey1          numeric(19,2)  CASE WHEN r.sortkeys > 0 THEN 1 END
        skew_rows              numeric(19,2)  CASE WHEN r.diststyle = 'KEY' THEN 1 END
        estimated_visible_rows numeric(38,0)  e.rows
        risk_event             text           NULL
        vacuum_sort_benefit    numeric(12,2)  CASE WHEN r.sortkeys > 0 THEN 0 END
        create_time            timestamp      NULL
        """,  # noqa: E501
        """FROM (
            SELECT r.oid, r.schema_name, r.name, r.diststyle, r.sortstyle,
                   bool_or(c.shown_encoding <> 'none') AS encoded,
                   bool_or(coalesce(c.encoding, 'auto') <> 'auto') AS chosen,
                   any_value(c.name) FILTER (c.distkey) AS distkey,
                   coalesce(max(c.length) FILTER (c.type_name = 'varchar'), 0) AS max_varchar,
                   any_value(c.name) FILTER (c.sortkey = 1) AS sortkey1,
                   any_value(c.shown_encoding) FILTER (c.sortkey = 1) AS sortkey1_encoding,
                   count(*) FILTER (c.sortkey <> 0) AS sortkeys
            FROM _restframe.known_relations r JOIN _restframe.base_columns c ON c.relation_oid = r.oid
            WHERE r.kind = 'r' GROUP BY r.oid, r.schema_name, r.name, r.diststyle, r.sortstyle) AS r
        JOIN _restframe.base_sizes e ON e.oid = r.oid WHERE e.rows > 0""",
    ),
    view(
        "stv_tbl_perm",
        """
        slice           int4      0
        id              int4      r.oid
        name            char(72)  r.name
        rows            int8      e.rows
        sorted_rows     int8      e.rows
        temp            int4      0
        db_id           int4      100000
        insert_pristine int4      0
        delete_pristine int4      0
        backup          int4      r.backup
        dist_style      int4      CASE r.diststyle WHEN 'KEY' THEN 1 WHEN 'ALL' THEN 8 WHEN 'AUTO' THEN 10 ELSE 0 END
        block_count     int4      ceil(e.bytes / 1048576)
        """,
        "FROM _restframe.known_relations r JOIN _restframe.base_sizes e ON e.oid = r.oid",
    ),
    view(
        "stv_slices",
        "node int4 0\nslice int4 0\nlocalslice int4 0\ntype char(1) 'D'",
        "FROM (SELECT 1) AS one",
    ),
)
