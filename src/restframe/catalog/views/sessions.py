"""Sessions and what they run now; the sessions that have ended since the server started.

Whoever may not see the rows of others sees their own, but for svv_transactions, which has no texts. Passwords in the
texts are masked before they get here.
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, view

_RUNNING = "FROM _restframe.base_sessions s WHERE s.state = 'active'"
_SESSIONS = "FROM _restframe.base_sessions s"
_LABEL = "coalesce(nullif(s.label, ''), 'default')"

_CONNECTIONS = """FROM (
    SELECT *, unnest(['authenticated', 'initiating session', 'disconnecting session']) AS event
    FROM _restframe.base_sessions) AS s WHERE s.event <> 'disconnecting session' OR s.ended IS NOT NULL"""
_AT = "CASE s.event WHEN 'disconnecting session' THEN s.ended ELSE s.started END"
_LASTED = "CASE s.event WHEN 'disconnecting session' THEN least(s.ended_us - s.started_us, 2147483647) ELSE 0 END"

VIEWS: tuple[View, ...] = (
    view(
        "stv_sessions",
        """
        starttime   timestamp  s.started
        process     int4       s.pid
        user_name   char(50)   s.
        db_name     char(50)   s.database_name
        timeout_sec int4       s.timeout_s
        """,
        f"{_SESSIONS} WHERE s.ended IS NULL",
    ),
    view(
        "stl_sessions",
        """
        userid      int4       s.user_id
        starttime   timestamp  s.started
        endtime     timestamp  s.ended
        process     int4       s.pid
        user_name   char(50)   s.
        db_name     char(50)   s.database_name
        timeout_sec int4       s.timeout_s
        timed_out   int4       0
        """,
        f"{_SESSIONS} WHERE s.ended IS NOT NULL",
    ),
    view(
        "sys_session_history",
        """
        user_id         int4       s.
        session_id      int4       s.pid
        database_name   char(50)   s.
        status          char(10)   CASE WHEN s.ended IS NULL THEN 'active' ELSE 'closed' END
        session_timeout int4       s.timeout_s
        start_time      timestamp  s.started
        end_time        timestamp  s.ended
        """,
        _SESSIONS,
    ),
    view(
        "stl_connection_log",
        f"""
        event            char(50)   s.
        recordtime       timestamp  {_AT}
        remotehost       char(45)   s.address
        remoteport       char(32)   NULL
        pid              int4       s.
        dbname           char(50)   s.database_name
        username         char(50)   s.user_name
        authmethod       char(32)   'password'
        duration         int4       {_LASTED}
        sslversion       char(50)   NULL
        sslcipher        char(128)  NULL
        mtu              int4       0
        sslcompression   char(64)   NULL
        sslexpansion     char(64)   NULL
        iamauthguid      char(36)   NULL
        application_name char(250)  s.application
        driver_version   char(64)   NULL
        os_version       char(64)   NULL
        plugin_name      char(32)   NULL
        protocol_version int4       NULL
        sessionid        char(36)   NULL
        compression      char(8)    NULL
        """,
        _CONNECTIONS,
    ),
    view(
        "sys_connection_log",
        f"""
        event            char(50)   s.
        record_time      timestamp  {_AT}
        remote_host      char(45)   s.address
        remote_port      char(32)   NULL
        session_id       int4       s.pid
        database_name    char(50)   s.
        user_name        char(50)   s.
        auth_method      char(32)   'password'
        duration         int4       {_LASTED}
        ssl_version      char(50)   NULL
        ssl_cipher       char(128)  NULL
        mtu              int4       0
        ssl_compression  char(64)   NULL
        ssl_expansion    char(64)   NULL
        iam_auth_guid    char(36)   NULL
        application_name char(250)  s.application
        driver_version   char(64)   NULL
        os_version       char(64)   NULL
        plugin_name      char(32)   NULL
        protocol_version int4       NULL
        """,
        _CONNECTIONS,
    ),
    view(
        "stv_inflight",
        f"""
        userid          int4       s.user_id
        slice           int4       0
        query           int4       s.statement
        label           char(320)  {_LABEL}
        xid             int8       s.
        pid             int4       s.
        starttime       timestamp  s.statement_started
        text            char(100)  left(s.text, 100)
        suspended       int4       0
        insert_pristine int4       0
        concurrency_scaling_status int4 0
        """,
        _RUNNING,
    ),
    view(
        "svv_query_inflight",
        """
        userid    int4       s.user_id
        slice     int4       0
        query     int4       s.statement
        pid       int4       s.
        starttime timestamp  s.statement_started
        suspended int4       0
        text      char(100)  substring(s.text, s.part * 100 + 1, 100)
        sequence  int4       s.part
        """,
        """FROM (SELECT *, unnest(range(greatest((length(text) + 99) // 100, 1))) AS part
            FROM _restframe.base_sessions WHERE state = 'active') AS s""",
    ),
    view(
        "stv_recents",
        """
        userid    int4       s.user_id
        status    char(20)   s.status
        starttime timestamp  s.started
        duration  int4       least(s.duration, 2147483647)
        user_name char(50)   s.
        db_name   char(50)   s.database_name
        query     char(600)  left(s.text, 600)
        pid       int4       s.
        """,
        """FROM (
            SELECT user_id, 'Running' AS status, statement_started AS started,
                   date_diff('microsecond', statement_started, (now() AT TIME ZONE 'UTC')) AS duration, user_name,
                   database_name, text, pid
            FROM _restframe.base_sessions WHERE state = 'active'
            UNION ALL
            SELECT user_id, 'Done', started, ended_us - started_us, user_name, database_name, text, -1
            FROM (FROM _restframe.base_statements ORDER BY id DESC LIMIT 100)) AS s""",
    ),
    view(
        "stv_wlm_query_state",
        """
        xid            int4       s.
        task           int4       s.statement
        query          int4       s.statement
        service_class  int4       100
        slot_count     int4       1
        wlm_start_time timestamp  s.statement_started
        state          char(16)   'Running'
        queue_time     int8       0
        exec_time      int8       date_diff('microsecond', s.statement_started, (now() AT TIME ZONE 'UTC'))
        query_priority char(20)   'Normal'
        """,
        _RUNNING,
    ),
    view(
        "stv_wlm_service_class_config",
        """
        service_class            int4      100
        queueing_strategy        char(32)  'fixed'
        num_query_tasks          int4      5
        target_num_query_tasks   int4      5
        evictable                char(8)   'false'
        eviction_threshold       int8      0
        query_working_mem        int4      0
        target_query_working_mem int4      0
        min_step_mem             int4      0
        name                     char(64)  'Default queue'
        max_execution_time       int8      0
        user_group_wild_card     char(1)   '0'
        query_group_wild_card    char(1)   '0'
        concurrency_scaling      char(20)  'off'
        query_priority           char(20)  'Normal'
        user_role_wild_card      char(1)   '0'
        """,
        "FROM (SELECT 1) AS one",
    ),
    view(
        "stv_wlm_service_class_state",
        """
        service_class            int4  100
        service_class_name       char(64)  'Default queue'
        num_queued_queries       int4  0
        num_executing_queries    int4  (SELECT count(*) FROM _restframe.base_sessions s WHERE s.state = 'active')
        num_serviced_queries     int4  0
        num_executed_queries     int4  (SELECT count(*) FROM _restframe.base_statements s)
        query_working_mem        int4  0
        num_query_tasks          int4  5
        target_query_working_mem int4  0
        target_num_query_tasks   int4  5
        """,
        "FROM (SELECT 1) AS one",
    ),
    view(
        "svv_transactions",
        """
        txn_owner            text       s.user_name
        txn_db               text       s.database_name
        xid                  int8       s.
        pid                  int4       s.
        txn_start            timestamp  s.transaction_started
        lock_mode            text       'ExclusiveLock'
        lockable_object_type text       'transactionid'
        relation             int4       NULL
        granted              bool       true
        """,
        "FROM _restframe.base_every_session s WHERE s.ended IS NULL AND s.transaction_started IS NOT NULL",
    ),
    view(
        "stv_query_metrics",
        """
        userid           int4       s.user_id
        service_class    int4       100
        query            int4       s.statement
        segment          int4       -1
        step_type        int4       -1
        starttime        timestamp  s.statement_started
        slices           int4       1
        max_rows         int8       NULL
        rows             int8       NULL
        max_cpu_time     int8       NULL
        cpu_time         int8       NULL
        max_blocks_read  int4       NULL
        blocks_read      int8       NULL
        max_run_time     int8       date_diff('microsecond', s.statement_started, (now() AT TIME ZONE 'UTC'))
        run_time         int8       date_diff('microsecond', s.statement_started, (now() AT TIME ZONE 'UTC'))
        """,
        _RUNNING,
    ),
)
