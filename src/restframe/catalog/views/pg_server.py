"""The server's side of pg_catalog: databases, settings, sessions, locks, and what there is nothing of."""

from __future__ import annotations

from restframe.catalog.views.definition import View, empty, view

_DATABASE = "FROM (SELECT getvariable('restframe_database')::VARCHAR AS name) AS d"
_DATABASE_COLUMNS = """
    datname        name       d.name
    datdba         oid        100
    encoding       int4       6
    datistemplate  bool       false
    datallowconn   bool       true
    datlastsysoid  oid        99999
    datvacuumxid   int8       0
    datfrozenxid   int8       0
    dattablespace  oid        1663
    datconfig      text[]     NULL
    datacl         aclitem[]  acl.items
"""
_DATABASE_SOURCE = f"{_DATABASE} LEFT JOIN _restframe.access acl ON acl.kind = 'database'"
_TABLE_STATISTICS = """
    relid               oid          r.oid
    schemaname          name         r.schema_name
    relname             name         r.name
    seq_scan            int8         NULL
    last_seq_scan       timestamptz  NULL
    seq_tup_read        int8         NULL
    idx_scan            int8         NULL
    idx_tup_fetch       int8         NULL
    n_tup_ins           int8         NULL
    n_tup_upd           int8         NULL
    n_tup_del           int8         NULL
    n_tup_hot_upd       int8         NULL
    n_live_tup          int8         coalesce(e.rows, 0)
    n_dead_tup          int8         0
    n_mod_since_analyze int8         0
    n_ins_since_vacuum  int8         0
    last_vacuum         timestamptz  NULL
    last_autovacuum     timestamptz  NULL
    last_analyze        timestamptz  NULL
    last_autoanalyze    timestamptz  NULL
    vacuum_count        int8         0
    autovacuum_count    int8         0
    analyze_count       int8         0
    autoanalyze_count   int8         0
"""
_TABLES = """FROM _restframe.base_relations r LEFT JOIN _restframe.base_sizes e ON e.oid = r.oid
    WHERE r.kind = 'r' AND r.persistence = 'p'"""

VIEWS: tuple[View, ...] = (
    view(
        "pg_database",
        f"""
        oid            oid        100000
        {_DATABASE_COLUMNS}
        datlocprovider "char"     'c'
        datconnlimit   int4       -1
        datminmxid     int8       0
        dathasloginevt bool       false
        datcollate     text       'C'
        datctype       text       'C'
        daticulocale   text       NULL
        datlocale      text       NULL
        daticurules    text       NULL
        datcollversion text       NULL
        """,
        _DATABASE_SOURCE,
    ),
    view("pg_database_info", f"datid oid 100000\n{_DATABASE_COLUMNS}\ndatconnlimit text 'UNLIMITED'", _DATABASE_SOURCE),
    view(
        "stv_db_isolation_level",
        "db_name char(128) d.name\nisolation_level char(20) 'Snapshot Isolation'",
        _DATABASE,
    ),
    view(
        "pg_settings",
        """
        name            text    t.
        setting         text    t.value
        unit            text    NULL
        category        text    'Configuration'
        short_desc      text    ''
        extra_desc      text    NULL
        context         text    CASE WHEN t.read_only THEN 'internal' ELSE 'user' END
        vartype         text    'string'
        source          text    CASE WHEN t.value = t.initial THEN 'default' ELSE 'session' END
        min_val         text    NULL
        max_val         text    NULL
        enumvals        text[]  NULL
        boot_val        text    t.initial
        reset_val       text    t.initial
        sourcefile      text    NULL
        sourceline      int4    NULL
        pending_restart bool    false
        """,
        "FROM _restframe.base_settings",
    ),
    view(
        "pg_stat_activity",
        """
        datid            oid          100000
        datname          name         s.database_name
        pid              int4         s.pid
        procpid          int4         s.pid
        leader_pid       int4         NULL
        usesysid         oid          s.user_id
        usename          name         s.user_name
        application_name text         s.application
        client_addr      text         s.address
        client_hostname  text         NULL
        client_port      int4         NULL
        backend_start    timestamptz  s.started AT TIME ZONE 'UTC'
        xact_start       timestamptz  s.transaction_started AT TIME ZONE 'UTC'
        query_start      timestamptz  s.statement_started AT TIME ZONE 'UTC'
        state_change     timestamptz  s.statement_started AT TIME ZONE 'UTC'
        wait_event_type  text         NULL
        wait_event       text         NULL
        state            text         s.state
        backend_xid      int8         NULL
        backend_xmin     int8         NULL
        query_id         int8         s.statement
        query            text         s.text
        current_query    text         s.text
        backend_type     text         'client backend'
        """,
        "FROM _restframe.base_sessions s WHERE s.ended IS NULL",
    ),
    view("pg_stat_user_tables", _TABLE_STATISTICS, _TABLES),
    view("pg_stat_all_tables", _TABLE_STATISTICS, _TABLES),
    view(
        "pg_statio_user_tables",
        """
        relid           oid   r.oid
        schemaname      name  r.schema_name
        relname         name  r.name
        heap_blks_read  int8  NULL
        heap_blks_hit   int8  NULL
        idx_blks_read   int8  NULL
        idx_blks_hit    int8  NULL
        toast_blks_read int8  NULL
        toast_blks_hit  int8  NULL
        tidx_blks_read  int8  NULL
        tidx_blks_hit   int8  NULL
        """,
        _TABLES,
    ),
    view(
        "pg_stat_database",
        """
        datid         oid   100000
        datname       name  d.name
        numbackends   int4  (SELECT count(*) FROM _restframe.base_sessions s WHERE s.ended IS NULL)
        xact_commit   int8  0
        xact_rollback int8  0
        blks_read     int8  0
        blks_hit      int8  0
        tup_returned  int8  0
        tup_fetched   int8  0
        tup_inserted  int8  0
        tup_updated   int8  0
        tup_deleted   int8  0
        conflicts     int8  0
        temp_files    int8  0
        temp_bytes    int8  0
        deadlocks     int8  0
        stats_reset   timestamptz  NULL
        """,
        _DATABASE,
    ),
    view(
        "pg_tablespace",
        """
        oid         oid        v.
        spcname     name       v.name
        spcowner    oid        1
        spclocation text       ''
        spcacl      aclitem[]  NULL
        spcoptions  text[]     NULL
        """,
        "FROM (VALUES (1663, 'pg_default'), (1664, 'pg_global')) AS v (oid, name)",
    ),
    view(
        "pg_timezone_names",
        """
        name       text      z.name
        abbrev     text      z.abbrev
        utc_offset interval  z.utc_offset
        is_dst     bool      z.is_dst
        """,
        "FROM pg_timezone_names() AS z",
    ),
    empty("pg_timezone_abbrevs", "abbrev text, utc_offset interval, is_dst bool"),
    empty(
        "pg_locks",
        "locktype text, database oid, relation oid, page int4, tuple int2, virtualxid text, transactionid int8, "
        "classid oid, objid oid, objsubid int2, virtualtransaction text, transaction int8, pid int4, mode text, "
        "granted bool, fastpath bool, waitstart timestamptz",
    ),
    empty(
        "pg_extension",
        "oid oid, extname name, extowner oid, extnamespace oid, extrelocatable bool, extversion text, "
        "extconfig oid[], extcondition text[]",
    ),
    empty("pg_available_extensions", "name name, default_version text, installed_version text, comment text"),
    empty(
        "pg_available_extension_versions",
        "name name, version text, installed bool, superuser bool, trusted bool, relocatable bool, schema name, "
        "requires name[], comment text",
    ),
    empty(
        "pg_foreign_data_wrapper",
        "oid oid, fdwname name, fdwowner oid, fdwhandler oid, fdwvalidator oid, fdwacl aclitem[], fdwoptions text[]",
    ),
    empty(
        "pg_foreign_server",
        "oid oid, srvname name, srvowner oid, srvfdw oid, srvtype text, srvversion text, srvacl aclitem[], "
        "srvoptions text[]",
    ),
    empty("pg_foreign_table", "ftrelid oid, ftserver oid, ftoptions text[]"),
    empty("pg_user_mapping", "oid oid, umuser oid, umserver oid, umoptions text[]"),
    empty("pg_user_mappings", "umid oid, srvid oid, srvname name, umuser oid, usename name, umoptions text[]"),
    view(
        "pg_cursors",
        """
        name          text         t.
        statement     text         NULL
        is_holdable   bool         false
        is_binary     bool         false
        is_scrollable bool         false
        creation_time timestamptz  NULL
        """,
        "FROM _restframe.base_cursors",
    ),
    view(
        "pg_prepared_statements",
        """
        name            text         t.
        statement       text         t.text
        prepare_time    timestamptz  NULL
        parameter_types regtype[]    t.parameters
        result_types    regtype[]    NULL
        from_sql        bool         NULL
        generic_plans   int8         0
        custom_plans    int8         0
        """,
        "FROM _restframe.base_prepared",
    ),
    empty("pg_prepared_xacts", "transaction int8, gid text, prepared timestamptz, owner name, database name"),
    empty(
        "pg_stats",
        "schemaname name, tablename name, attname name, inherited bool, null_frac float4, avg_width int4, "
        "n_distinct float4, most_common_vals text, most_common_freqs float4[], histogram_bounds text, "
        "correlation float4",
    ),
    empty(
        "pg_statistic",
        "starelid oid, staattnum int2, stainherit bool, stanullfrac float4, stawidth int4, stadistinct float4",
    ),
    empty("pg_init_privs", 'objoid oid, classoid oid, objsubid int4, privtype "char", initprivs aclitem[]'),
    empty("pg_largeobject_metadata", "oid oid, lomowner oid, lomacl aclitem[]"),
    empty(
        "pg_subscription",
        "oid oid, subdbid oid, subname name, subowner oid, subenabled bool, subbinary bool, substream bool, "
        "subconninfo text, subslotname name, subsynccommit text, subpublications text[]",
    ),
    empty("pg_subscription_rel", 'srsubid oid, srrelid oid, srsubstate "char", srsublsn text'),
    empty(
        "pg_replication_slots",
        "slot_name name, plugin name, slot_type text, datoid oid, database name, temporary bool, active bool, "
        "active_pid int4, xmin int8, catalog_xmin int8, restart_lsn text, confirmed_flush_lsn text",
    ),
    empty(
        "pg_stat_replication",
        "pid int4, usesysid oid, usename name, application_name text, client_addr text, client_hostname text, "
        "client_port int4, backend_start timestamptz, backend_xmin int8, state text",
    ),
    empty(
        "pg_stat_ssl",
        "pid int4, ssl bool, version text, cipher text, bits int4, client_dn text, client_serial numeric(38,0), "
        "issuer_dn text",
    ),
    empty("pg_shseclabel", "objoid oid, classoid oid, provider text, label text"),
    empty(
        "pg_seclabels",
        "objoid oid, classoid oid, objsubid int4, objtype text, objnamespace oid, objname text, provider text, "
        "label text",
    ),
    empty("pg_external_schema", "esoid oid, eskind int4, esdbname text, esoptions text"),
)
