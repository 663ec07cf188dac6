"""The last statements that were run since the server started.

Whoever may not see the rows of others sees their own. Passwords in the texts are masked before they get here.
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, view

_STATEMENTS = "FROM _restframe.base_statements s"
_TYPE = """CASE WHEN s.kind IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'MERGE', 'COPY', 'UNLOAD', 'CTAS') THEN 'QUERY'
    WHEN s.kind = 'DDL' THEN 'DDL' ELSE 'UTILITY' END"""
_PARTS = """FROM (SELECT *, unnest(range(greatest((length(text) + 199) // 200, 1))) AS part
    FROM _restframe.base_statements) AS s"""
_PART = "substring(s.text, s.part * 200 + 1, 200)"
_LABEL = "coalesce(nullif(s.label, ''), 'default')"

_QUERIES = "s.kind NOT IN ('DDL', 'UTILITY')"
_TEXT = f"""
    userid    int4       s.user_id
    xid       int8       s.xid
    pid       int4       s.pid
    label     char(320)  {_LABEL}
    starttime timestamp  s.started
    endtime   timestamp  s.ended
    sequence  int4       s.part
"""

VIEWS: tuple[View, ...] = (
    view(
        "stl_query",
        f"""
        userid          int4        s.user_id
        query           int4        s.id
        label           char(320)   {_LABEL}
        xid             int8        s.
        pid             int4        s.
        database        char(32)    s.database_name
        querytxt        char(4000)  left(s.text, 4000)
        starttime       timestamp   s.started
        endtime         timestamp   s.ended
        aborted         int4        s.status <> 'success'
        insert_pristine int4        0
        concurrency_scaling_status int4 0
        """,
        f"{_STATEMENTS} WHERE {_QUERIES}",
    ),
    view(
        "svl_qlog",
        f"""
        userid       int4       s.user_id
        query        int4       s.id
        xid          int8       s.
        pid          int4       s.
        starttime    timestamp  s.started
        endtime      timestamp  s.ended
        elapsed      int8       s.ended_us - s.started_us
        aborted      int4       s.status <> 'success'
        label        char(320)  {_LABEL}
        substring    char(60)   left(s.text, 60)
        source_query int4       NULL
        concurrency_scaling_status_txt text '0 - Ran on the main cluster'
        from_sp_call int4       NULL
        """,
        f"{_STATEMENTS} WHERE {_QUERIES}",
    ),
    view(
        "stl_querytext",
        f"""
        userid   int4       s.user_id
        xid      int8       s.
        pid      int4       s.
        query    int4       s.id
        sequence int4       s.part
        text     char(200)  {_PART}
        """,
        f"{_PARTS} WHERE {_QUERIES}",
    ),
    view("stl_ddltext", f"{_TEXT}\ntext char(200) {_PART}", f"{_PARTS} WHERE s.kind = 'DDL'"),
    view("stl_utilitytext", f"{_TEXT}\ntext char(200) {_PART}", f"{_PARTS} WHERE s.kind = 'UTILITY'"),
    view(
        "svl_statementtext",
        f"{_TEXT}\ntype varchar(10) {' '.join(_TYPE.split())}\ntext varchar(200) {_PART}",
        _PARTS,
    ),
    view(
        "stl_error",
        """
        userid     int4       s.user_id
        process    char(12)   'restframe'
        recordtime timestamp  s.ended
        pid        int4       s.
        errcode    int4       TRY_CAST(s.code AS INTEGER)
        file       char(90)   ''
        linenum    int4       0
        context    char(100)  s.code
        error      char(512)  left(s.error, 512)
        """,
        f"{_STATEMENTS} WHERE s.status <> 'success'",
    ),
    view(
        "stl_wlm_query",
        """
        userid                   int4       s.user_id
        xid                      int4       s.
        task                     int4       s.id
        query                    int4       s.id
        service_class            int4       100
        slot_count               int4       1
        service_class_start_time timestamp  s.started
        queue_start_time         timestamp  s.started
        queue_end_time           timestamp  s.started
        total_queue_time         int8       0
        exec_start_time          timestamp  s.started
        exec_end_time            timestamp  s.ended
        total_exec_time          int8       s.ended_us - s.started_us
        service_class_end_time   timestamp  s.ended
        final_state              char(16)   'Completed'
        est_peak_mem             int8       0
        query_priority           char(20)   'Normal'
        service_class_name       char(64)   'Default queue'
        """,
        f"{_STATEMENTS} WHERE {_QUERIES}",
    ),
    view(
        "sys_query_history",
        f"""
        user_id                 int4        s.
        query_id                int8        s.id
        query_label             char(320)   {_LABEL}
        transaction_id          int8        s.xid
        session_id              int4        s.pid
        database_name           char(128)   s.
        query_type              char(32)    s.kind
        status                  char(10)    s.
        result_cache_hit        bool        false
        start_time              timestamp   s.started
        end_time                timestamp   s.ended
        elapsed_time            int8        s.ended_us - s.started_us
        queue_time              int8        0
        execution_time          int8        s.ended_us - s.started_us - s.planned_us
        error_message           char(512)   coalesce(left(s.error, 512), '')
        returned_rows           int8        s.rows
        returned_bytes          int8        NULL
        query_text              char(4000)  left(s.text, 4000)
        redshift_version        char(256)   '1.0.99999'
        usage_limit             char(150)   ''
        compute_type            varchar(32) 'primary'
        compile_time            int8        0
        planning_time           int8        s.planned_us
        lock_wait_time          int8        0
        service_class_id        int4        100
        service_class_name      char(64)    'Default queue'
        query_priority          char(20)    'Normal'
        short_query_accelerated char(16)    'false'
        user_query_hash         char(40)    NULL
        generic_query_hash      char(40)    NULL
        query_hash_version      int4        NULL
        result_cache_query_id   int8        NULL
        """,
        """FROM (
            SELECT user_id, id, label, xid, pid, database_name, kind, status, started, ended, started_us, ended_us,
                   planned_us, error, rows, text FROM _restframe.base_statements
            UNION ALL
            SELECT user_id, statement, label, xid, pid, database_name, kind, 'running', statement_started, NULL,
                   statement_us, epoch_us(now()), 0, NULL, NULL, text
            FROM _restframe.base_sessions WHERE state = 'active') AS s""",
    ),
    view(
        "sys_query_text",
        f"""
        user_id        int4       s.
        query_id       int8       s.id
        transaction_id int8       s.xid
        session_id     int4       s.pid
        start_time     timestamp  s.started
        sequence       int4       s.part
        text           char(200)  {_PART}
        """,
        _PARTS,
    ),
    view(
        "sys_transaction_history",
        """
        user_id                int4         any_value(s.user_id)
        transaction_id         int8         s.xid
        isolation_level        varchar(128) 'Snapshot Isolation'
        status                 varchar(50)  CASE WHEN bool_and(s.status = 'success') THEN 'committed' ELSE 'aborted' END
        transaction_start_time timestamp    min(s.started)
        commit_start_time      timestamp    max(s.ended)
        commit_end_time        timestamp    max(s.ended)
        """,
        f"{_STATEMENTS} GROUP BY s.xid",
    ),
    view(
        "sys_query_detail",
        """
        user_id              int4         s.
        query_id             int8         s.id
        child_query_sequence int4         1
        stream_id            int4         0
        segment_id           int4         0
        step_id              int4         0
        step_name            varchar(64)  'return'
        table_id             int4         NULL
        table_name           varchar(136) NULL
        is_rrscan            char(1)      'f'
        start_time           timestamp    s.started
        end_time             timestamp    s.ended
        duration             int8         s.ended_us - s.started_us
        alert                varchar(256) ''
        input_bytes          int8         NULL
        input_rows           int8         NULL
        output_bytes         int8         NULL
        output_rows          int8         s.rows
        blocks_read          int8         NULL
        blocks_write         int8         NULL
        local_read_io        int8         NULL
        remote_read_io       int8         NULL
        source               varchar(32)  'local'
        data_skewness        int4         0
        time_skewness        int4         0
        is_active            char(1)      'f'
        spilled_block_local_disk  int8    0
        spilled_block_remote_disk int8    0
        step_attribute       varchar(64)  NULL
        """,
        f"{_STATEMENTS} WHERE {_QUERIES}",
    ),
    view(
        "sys_unload_history",
        """
        user_id              int4         s.
        query_id             int8         s.id
        transaction_id       int8         s.xid
        session_id           int4         s.pid
        database_name        varchar(256) s.
        status               varchar(50)  CASE s.status WHEN 'success' THEN 'completed' ELSE 'aborted' END
        start_time           timestamp    s.started
        end_time             timestamp    s.ended
        duration             int8         s.ended_us - s.started_us
        file_format          varchar(16)  NULL
        compression_type     varchar(16)  NULL
        unloaded_location    varchar(256) NULL
        unloaded_rows        int8         s.rows
        unloaded_files_count int8         NULL
        unloaded_files_size  int8         NULL
        error_message        varchar(512) coalesce(left(s.error, 512), '')
        """,
        f"{_STATEMENTS} WHERE s.kind = 'UNLOAD'",
    ),
)
