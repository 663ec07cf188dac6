"""Redshift's views of what restframe has not got: external tables, datashares, materialized views, queues.

They have the columns the manual gives them, and no rows, so that whoever looks for such things finds none.
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, empty

VIEWS: tuple[View, ...] = (
    empty(
        "svv_external_schemas",
        "esoid oid, eskind int2, schemaname name, esowner int4, databasename text, esoptions text",
    ),
    empty("svv_external_databases", "eskind int4, esoptions text, databasename text, location text, parameters text"),
    empty(
        "svv_external_tables",
        "redshift_database_name text, schemaname text, tablename text, tabletype text, location text, "
        "input_format text, output_format text, serialization_lib text, serde_parameters text, compressed int4, "
        "parameters text",
    ),
    empty(
        "svv_external_columns",
        "redshift_database_name text, schemaname text, tablename text, columnname text, external_type text, "
        "columnnum int4, part_key int4, is_nullable text",
    ),
    empty(
        "svv_external_partitions",
        "schemaname text, tablename text, values text, location text, input_format text, output_format text, "
        "serialization_lib text, serde_parameters text, compressed int4, parameters text",
    ),
    empty(
        "svv_mv_info",
        "database_name char(128), schema_name char(128), user_name char(128), name char(128), is_stale char(1), "
        "state int4, autorewrite char(1), autorefresh char(1)",
    ),
    empty(
        "stv_mv_info",
        "db_name char(128), schema char(128), name char(128), updated_upto_xid int8, is_stale char(1), "
        "owner_user_name char(128), state int4, autorefresh char(1), autorewrite char(1)",
    ),
    empty(
        "svv_mv_dependency",
        "database_name char(128), schema_name char(128), name char(128), dependent_database_name char(128), "
        "dependent_schema_name char(128), dependent_name char(128)",
    ),
    empty(
        "stv_mv_deps",
        "db_name char(128), schema char(128), name char(128), ref_schema char(128), ref_name char(128), "
        "ref_database_name char(128)",
    ),
    empty(
        "svl_mv_refresh_status",
        "db_name char(128), userid int8, schema_name char(128), mv_name char(128), xid int8, starttime timestamp, "
        "endtime timestamp, status text, refresh_type char(32)",
    ),
    empty(
        "stl_mv_state",
        "userid int8, starttime timestamp, xid int8, event_desc char(500), db_name char(128), "
        "base_table_schema char(128), base_table_name char(128), mv_schema char(128), mv_name char(128), state "
        "char(32)",
    ),
    empty(
        "svv_datashares",
        "share_name text, share_id int4, share_owner int4, source_database text, consumer_database text, "
        "share_type text, createdate timestamp, is_publicaccessible bool, share_acl text, producer_account text, "
        "producer_namespace text, managed_by text",
    ),
    empty(
        "svv_datashare_objects",
        "share_type text, share_name text, object_type text, object_name text, producer_account text, "
        "producer_namespace text, include_new bool",
    ),
    empty(
        "svv_datashare_consumers",
        "share_name text, consumer_account text, consumer_namespace text, share_date timestamp",
    ),
    empty(
        "svv_alter_table_recommendations",
        "type text, database text, table_id int4, group_id int4, ddl text, auto_eligible text",
    ),
    empty(
        "svv_diskusage",
        "db_id int4, name char(72), slice int4, col int4, tbl int4, blocknum int4, num_values int4, minvalue int8, "
        "maxvalue int8",
    ),
    empty("svv_interleaved_columns", "tbl int4, col int4, interleaved_skew numeric(19,2), last_reindex timestamp"),
    empty(
        "svv_schema_quota_state",
        "schema_id int4, schema_name name, schema_owner int4, quota int4, disk_usage int4, disk_usage_pct float8",
    ),
    empty("svv_vacuum_progress", "table_name text, status text, time_remaining_estimate text"),
    empty(
        "svv_vacuum_summary",
        "table_name text, xid int8, sort_partitions int8, merge_increments int8, elapsed_time int8, row_delta int8, "
        "sortedrow_delta int8, block_delta int4, max_merge_partitions int4",
    ),
    empty(
        "svl_auto_worker_action",
        "table_id int4, type char(32), status char(128), eventtime timestamp, sequence int4, previous_state char(200)",
    ),
    empty(
        "stv_blocklist",
        "slice int4, col int4, tbl int4, blocknum int4, num_values int4, extended_limits int4, minvalue int8, "
        "maxvalue int8, sb_pos int4, pinned int4, on_disk int4, modified int4, hdr_modified int4, unsorted int4, "
        "tombstone int4, preferred_diskno int4, temporary int4, newblock int4, num_readers int4, flags int8",
    ),
    empty(
        "stv_partitions",
        "owner int4, host int4, diskno int4, part_begin int8, part_end int8, used int4, tossed int4, capacity int4, "
        "reads int8, writes int8, seek_forward int4, seek_back int4, is_san int4, failed int4, mbps int4, "
        "mount char(256)",
    ),
    empty("stv_node_storage_capacity", "node int4, used int4, capacity int4"),
    empty(
        "stv_locks",
        "table_id int4, last_commit timestamp, last_update timestamp, lock_owner int8, lock_owner_pid int8, "
        "lock_owner_start_ts timestamp, lock_owner_end_ts timestamp, lock_status char(22)",
    ),
    empty(
        "stv_active_cursors",
        "userid int4, name char(256), xid int8, pid int4, starttime timestamp, row_count int8, byte_count int8, "
        "fetched_rows int8",
    ),
    empty("stv_startup_recovery_state", "db_id int4, tbl_id int4, table_name char(137)"),
    empty(
        "stv_load_state",
        "userid int4, session int4, query int4, slice int4, pid int4, recordtime timestamp, bytes_to_load int8, "
        "bytes_loaded int8, bytes_to_load_compressed int8, bytes_loaded_compressed int8, lines int4, num_files int4, "
        "num_files_complete int4, current_file char(256), pct_complete int4",
    ),
    empty(
        "stv_exec_state",
        "userid int4, query int4, slice int4, segment int4, step int4, starttime timestamp, currenttime timestamp, "
        "tasknum int4, rows int8, bytes int8, label char(256), is_diskbased char(1), workmem int8, num_parts int4, "
        "is_rrscan char(1), is_delayed_scan char(1)",
    ),
    empty(
        "stv_wlm_query_queue_state",
        "service_class int4, position int4, task int4, query int4, slot_count int4, start_time timestamp, "
        "queue_time int8",
    ),
    empty(
        "stv_wlm_query_task_state",
        "service_class int4, task int4, query int4, slot_count int4, start_time timestamp, exec_time int8",
    ),
    empty(
        "stv_wlm_classification_config",
        "id int4, condition char(128), action_seq int4, action char(64), action_service_class int4",
    ),
    empty(
        "stv_wlm_qmr_config",
        "service_class int4, rule_name char(256), action char(256), metric_name char(256), metric_operator char(256), "
        "metric_value float8, action_value char(256)",
    ),
    empty(
        "stl_wlm_rule_action",
        "userid int4, query int4, service_class int4, rule char(256), action char(256), recordtime timestamp, "
        "action_value char(256), service_class_name char(64)",
    ),
    empty(
        "stl_alert_event_log",
        "userid int4, query int4, slice int4, segment int4, step int4, pid int4, xid int8, event char(1024), "
        "solution char(1024), event_time timestamp",
    ),
    empty(
        "stl_analyze",
        "userid int4, xid int8, database char(30), table_id int4, status char(15), rows float8, modified_rows float8, "
        "threshold_percent int4, is_auto char(1), starttime timestamp, endtime timestamp, prevtime timestamp, "
        "num_predicate_cols int4, num_new_predicate_cols int4, is_background char(1), auto_analyze_phase char(100)",
    ),
    empty(
        "stl_vacuum",
        "userid int4, xid int8, table_id int4, status char(30), rows int8, sortedrows int4, blocks int4, "
        "max_merge_partitions int4, eventtime timestamp, reclaimable_rows int8, reclaimable_space_mb int8, "
        "cutoff_xid int8, is_recluster int4",
    ),
    empty(
        "stl_explain",
        "userid int4, query int4, nodeid int4, parentid int4, plannode char(400), info char(400)",
    ),
    empty(
        "stl_scan",
        "userid int4, query int4, slice int4, segment int4, step int4, starttime timestamp, endtime timestamp, "
        "tasknum int4, rows int8, bytes int8, fetches int8, type int4, tbl int4, is_rrscan char(1), "
        "is_delayed_scan char(1), rows_pre_filter int8, rows_pre_user_filter int8, perm_table_name char(136), "
        "is_rlf_scan char(1), is_rlf_scan_reason int4, num_em_blocks int4, checksum int8, runtime_filtering char(1), "
        "scan_region int4, num_sortkey_as_predicate int4, row_fetcher_state int4, consumed_scan_ranges int8, "
        "work_stealing_reason int8, is_vectorized_scan char(1), is_vectorized_scan_reason int4, "
        "row_fetcher_reason int8, topology_signature int8, use_tpm_partition char(1), is_rrscan_expr char(1)",
    ),
    empty(
        "stl_insert",
        "userid int4, query int4, slice int4, segment int4, step int4, starttime timestamp, endtime timestamp, "
        "tasknum int4, rows int8, tbl int4, inserted_mega_value char(1), use_staging_table char(1)",
    ),
    empty(
        "stl_delete",
        "userid int4, query int4, slice int4, segment int4, step int4, starttime timestamp, endtime timestamp, "
        "tasknum int4, rows int8, tbl int4",
    ),
    empty(
        "stl_return",
        "userid int4, query int4, slice int4, segment int4, step int4, starttime timestamp, endtime timestamp, "
        "tasknum int4, rows int8, bytes int8, packets int4, checksum int8",
    ),
    empty(
        "stl_s3client",
        "userid int4, query int4, slice int4, recordtime timestamp, pid int4, http_method char(64), bucket char(64), "
        "key char(256), transfer_size int8, data_size int8, start_time int8, end_time int8, transfer_time int8, "
        "compression_time int8, connect_time int8, app_connect_time int8, retries int8, request_id char(32), "
        "extended_request_id char(128), ip_address char(64), is_partial int4, start_offset int8",
    ),
    empty(
        "stl_tr_conflict",
        "xact_id int8, process_id int8, xact_start_ts timestamp, abort_time timestamp, table_id int8",
    ),
    empty(
        "stl_undone",
        "xact_id int8, xact_id_undone int8, undo_start_ts timestamp, undo_end_ts timestamp, table_id int8",
    ),
    empty(
        "stl_userlog",
        "userid int4, username char(50), oldusername char(50), action char(10), usecreatedb int4, usesuper int4, "
        "usecatupd int4, valuntil timestamp, pid int4, xid int8, recordtime timestamp",
    ),
    empty(
        "stl_restarted_sessions",
        "currenttime timestamp, dbname char(50), newpid int4, oldpid int4, username char(50), remotehost char(45), "
        "remoteport char(32), parkedtime timestamp, session_vars char(2000)",
    ),
    empty(
        "svl_query_summary",
        "userid int4, query int4, stm int4, seg int4, step int4, maxtime int8, avgtime int8, rows int8, bytes int8, "
        "rate_row float8, rate_byte float8, label text, is_diskbased char(1), workmem int8, is_rrscan char(1), "
        "is_delayed_scan char(1), rows_pre_filter int8",
    ),
    empty(
        "svl_query_report",
        "userid int4, query int4, slice int4, segment int4, step int4, start_time timestamp, end_time timestamp, "
        "elapsed_time int8, rows int8, bytes int8, label char(256), is_diskbased char(1), workmem int8, "
        "is_rrscan char(1), is_delayed_scan char(1), rows_pre_filter int8",
    ),
    empty(
        "svl_query_metrics",
        "userid int4, query int8, service_class int4, dimension varchar(24), segment int4, step int4, "
        "step_label varchar(30), query_cpu_time int8, query_blocks_read int8, query_execution_time int8, "
        "query_cpu_usage_percent numeric(38,2), query_temp_blocks_to_disk int8, segment_execution_time int8, "
        "cpu_skew numeric(38,2), io_skew numeric(38,2), scan_row_count int8, join_row_count int8, "
        "nested_loop_join_row_count int8, return_row_count int8, spectrum_scan_row_count int8, "
        "spectrum_scan_size_mb int8, query_queue_time int8, service_class_name text",
    ),
    empty(
        "svl_query_metrics_summary",
        "userid int4, query int8, service_class int4, query_cpu_time int8, query_blocks_read int8, "
        "query_execution_time int8, query_cpu_usage_percent numeric(38,2), query_temp_blocks_to_disk int8, "
        "segment_execution_time int8, cpu_skew numeric(38,2), io_skew numeric(38,2), scan_row_count int8, "
        "join_row_count int8, nested_loop_join_row_count int8, return_row_count int8, spectrum_scan_row_count int8, "
        "spectrum_scan_size_mb int8, query_queue_time int8, service_class_name text",
    ),
    empty(
        "svl_query_queue_info",
        "database text, query int4, xid int8, userid int4, querytxt char(4000), queue_start_time timestamp, "
        "exec_start_time timestamp, service_class int4, slots int4, queue_elapsed int8, exec_elapsed int8, "
        "wlm_total_elapsed int8, commit_queue_elapsed int8, commit_exec_time int8, service_class_name text",
    ),
    empty(
        "svv_query_state",
        "userid int4, query int4, seg int4, step int4, maxtime interval, avgtime interval, rows int8, bytes int8, "
        "cpu int8, memory int8, rate_row float8, rate_byte float8, label char(25), is_diskbased char(1), "
        "workmem int8, num_parts int4, is_rrscan char(1), is_delayed_scan char(1)",
    ),
    empty(
        "svl_s3log",
        "pid int4, query int4, segment int4, step int4, node int4, slice int4, eventtime timestamp, message char(512)",
    ),
    empty(
        "svl_stored_proc_call",
        "userid int4, session_userid int4, query int4, label char(320), xid int8, pid int4, database char(32), "
        "querytxt char(4000), starttime timestamp, endtime timestamp, aborted int4, from_sp_call int4",
    ),
    empty(
        "svl_stored_proc_messages",
        "userid int4, session_userid int4, pid int4, xid int8, query int4, recordtime timestamp, loglevel int4, "
        "loglevel_text char(10), message char(1024), linenum int4, querytext char(500), label char(320), aborted int4",
    ),
    empty(
        "svl_udf_log",
        "query int8, message char(4096), created timestamp, traceback char(4096), funcname char(256), node int4, "
        "slice int4, seq int4",
    ),
    empty(
        "svl_multi_statement_violations",
        "userid int4, database char(32), cmdname char(20), xid int8, pid int4, label char(320), starttime timestamp, "
        "endtime timestamp, sequence int4, type varchar(10), text char(200)",
    ),
    empty(
        "svl_compile",
        "userid int4, xid int8, pid int4, query int4, segment int4, locus int4, starttime timestamp, endtime "
        "timestamp, compile int4",
    ),
    empty(
        "svl_terminate",
        "pid int4, eventtime timestamp, userid int4, type text",
    ),
    empty(
        "sys_external_query_detail",
        "user_id int4, query_id int8, child_query_sequence int4, transaction_id int8, segment_id int4, "
        "source_type char(32), start_time timestamp, end_time timestamp, duration int8, total_partitions int4, "
        "qualified_partitions int4, scanned_files int8, returned_rows int8, returned_bytes int8, "
        "file_format char(16), file_location char(256), external_query_text char(2000), warning_message char(4000)",
    ),
    empty(
        "sys_serverless_usage",
        "start_time timestamp, end_time timestamp, compute_seconds float8, compute_capacity float8, "
        "data_storage int4, cross_region_transferred_data int4, charged_seconds int4",
    ),
)
