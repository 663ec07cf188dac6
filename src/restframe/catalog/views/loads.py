"""What COPY has loaded and what it refused: views over the tables of `restframe.catalog.loads`.

https://docs.aws.amazon.com/redshift/latest/dg/system-tables-for-troubleshooting-data-loads.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, view

# Whose loads are seen by whoever asks; each with the table, where there still is one of that name.
_LOADS = """JOIN (
    SELECT l.*, u.id AS user_id, coalesce(r.oid, 0) AS table_id
    FROM _restframe.loads l LEFT JOIN _restframe.users u ON u.name = l.user_name
    LEFT JOIN _restframe.base_relations r ON r.kind = 'r' AND r.persistence = 'p'
        AND l.table_name = CASE r.schema_name WHEN 'public' THEN r.name ELSE r.schema_name || '.' || r.name END
    CROSS JOIN _restframe.base_viewer v WHERE v.sees_all OR u.id = v.id) AS l USING (query)"""
_OF_ERRORS = f"FROM _restframe.load_errors e {_LOADS}"
_OF_FILES = f"FROM _restframe.load_files f {_LOADS}"

# There is one slice.
VIEWS: tuple[View, ...] = (
    view(
        "stl_load_errors",
        """
        userid          int4  l.user_id
        slice           int4  0
        tbl             int4  l.table_id
        starttime       timestamp  l.started
        session         int4  0
        query           int4  e.
        filename        varchar(256)  e.file_name
        line_number     int8  e.
        colname         varchar(127)  e.column_name
        type            varchar(10)  e.
        col_length      varchar(10)  e.length
        position        int4  e.
        raw_line        varchar(1024)  e.
        raw_field_value varchar(1024)  e.raw_value
        err_code        int4  e.code
        err_reason      varchar(100)  e.reason
        is_partial      int4  0
        start_offset    int8  0
        copy_job_id     int8  0
        """,
        _OF_ERRORS,
    ),
    view(
        "stl_loaderror_detail",
        """
        userid      int4  l.user_id
        slice       int4  0
        session     int4  0
        query       int4  e.
        filename    varchar(256)  e.file_name
        line_number int8  e.
        field       int4  e.
        colname     varchar(1024)  CASE WHEN field + 1 = len(fields) THEN column_name ELSE '' END
        value       varchar(1024)  fields[field + 1]
        is_null     int4  fields[field + 1] = ''
        type        varchar(10)  CASE WHEN field + 1 = len(fields) THEN type ELSE '' END
        col_length  varchar(10)  CASE WHEN field + 1 = len(fields) THEN length ELSE '' END
        """,
        f"FROM (SELECT *, unnest(range(len(fields))) AS field FROM _restframe.load_errors) AS e {_LOADS}",
    ),
    view(
        "stl_load_commits",
        """
        userid        int4  l.user_id
        query         int4  f.
        slice         int4  0
        name          varchar(256)  ''
        filename      varchar(256)  f.file_name
        byte_offset   int4  0
        lines_scanned int4  f.lines
        errors        int4  -1
        curtime       timestamp  f.finished
        status        int4  1
        file_format   varchar(16)  CASE l.file_format WHEN 'csv' THEN 'Text' WHEN 'txt' THEN 'Text' WHEN 'json' THEN 'JSON' WHEN 'orc' THEN 'ORC' ELSE 'Parquet' END
        is_partial    int4  0
        start_offset  int8  0
        copy_job_id   int8  0
        """,  # noqa: E501
        _OF_FILES,
    ),
    view(
        "sys_load_history",
        """
        user_id            int4  l.user_id
        query_id           int8  l.query
        transaction_id     int8  l.query
        session_id         int4  0
        database_name      text  l.
        status             text  l.
        table_name         text  l.
        start_time         timestamp  l.started
        end_time           timestamp  l.finished
        duration           int8  date_diff('microsecond', l.started, l.finished)
        data_source        text  l.source
        file_format        text  l.
        loaded_rows        int8  l.
        loaded_bytes       int8  CASE l.status WHEN 'completed' THEN l.source_bytes ELSE 0 END
        source_file_count  int4  l.source_files
        source_file_bytes  int8  l.source_bytes
        file_count_scanned int4  l.source_files
        file_bytes_scanned int8  l.source_bytes
        error_count        int8  l.errors
        copy_job_id        int8  0
        """,
        f"FROM _restframe.loads {_LOADS}",
    ),
    view(
        "sys_load_detail",
        """
        user_id        int4  l.user_id
        query_id       int8  f.query
        file_name      varchar(256)  f.
        bytes_scanned  int8  f.size_bytes
        lines_scanned  int8  f.lines
        record_time    timestamp  f.finished
        splits_scanned int4  1
        start_time     timestamp  f.started
        end_time       timestamp  f.finished
        """,
        _OF_FILES,
    ),
    view(
        "sys_load_error_detail",
        """
        user_id        int4  l.user_id
        query_id       int8  e.query
        transaction_id int8  e.query
        session_id     int4  0
        database_name  varchar(64)  l.
        table_id       int4  l.
        start_time     timestamp  l.started
        file_name      varchar(256)  e.
        line_number    int8  e.
        column_name    varchar(127)  e.
        column_type    varchar(10)  e.type
        column_length  varchar(10)  e.length
        position       int4  e.
        error_code     int4  e.code
        error_message  varchar(512)  e.reason
        """,
        _OF_ERRORS,
    ),
)
