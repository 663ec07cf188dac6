"""Redshift's own views of what there is: svv_tables, svv_columns, svv_all_*, svv_redshift_*, svv_table_info.

https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, view
from restframe.catalog.views.information_schema import DEFAULT, LENGTH, NULLABLE, OF_COLUMNS, PRECISION, SCALE

_DATABASE = "getvariable('restframe_database')"
_COMMENTS = "LEFT JOIN _restframe.pg_description d ON d.objoid = r.oid AND d.objsubid ="

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
        f"FROM _restframe.base_relations r {_COMMENTS} 0",
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
)
