"""The history of loads: what is written down, and how the system views show it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from restframe import settings
from restframe.catalog import loads, views
from restframe.catalog.loads import Load, LoadedFile
from restframe.engine import Connection
from restframe.engine.duckdb import DuckDB
from restframe.storage.loading.faults import Fault

STARTED, FINISHED = datetime(2026, 1, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 7)
FAULT = Fault(
    2, "zone", "varchar", "10", 3, "1|much too long|x", "much too long", 1204, "too long", ("1", "much too long")
)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = DuckDB(None, settings.load(tmp_path))
    connection = engine.connect()
    connection.run("CREATE SCHEMA _restframe")
    loads.create(connection)
    connection.run("CREATE TABLE _restframe.users AS FROM (VALUES (100, 'ada'), (101, 'eve')) AS u (id, name)")
    connection.run(
        "CREATE VIEW _restframe.base_viewer AS SELECT 100 AS id, getvariable('sees_all')::BOOLEAN AS sees_all"
    )
    connection.run(
        "CREATE VIEW _restframe.base_relations AS SELECT 100007 AS oid, 'public' AS schema_name, 'rides' AS name, "
        "'r' AS kind, 'p' AS persistence"
    )
    connection.run("SET VARIABLE sees_all = true")
    for view in views.loads.VIEWS:
        connection.run(view.ddl)
    connection.run("SET search_path = '_restframe,main'")
    yield connection
    connection.close()
    engine.close()


def load(number: int, **given: Any) -> Load:
    values: dict[str, Any] = {
        "id": number, "user": "ada", "database": "dev", "table": "rides", "source": "s3://b/p", "file_format": "csv",
        "status": "completed", "started": STARTED, "finished": FINISHED, "rows": 5, "errors": 0, "source_files": 1,
        "source_bytes": 99, "files": (LoadedFile("s3://b/p1", 99, 6, STARTED, FINISHED),),
    }  # fmt: skip
    return Load(**{**values, **given})


def test_creating_twice_changes_nothing(connection: Connection) -> None:
    loads.record(connection, load(loads.next_id(connection)), [])
    loads.create(connection)
    assert connection.run("SELECT query_id, status, duration FROM sys_load_history") == [(1, "completed", 2_000_000)]
    assert connection.run("SELECT query, filename, lines_scanned, file_format FROM stl_load_commits") == [
        (1, "s3://b/p1", 6, "Text")
    ]


def test_refused_rows(connection: Connection) -> None:
    number = loads.next_id(connection)
    loads.record(connection, load(number, status="aborted", rows=0, errors=1, files=()), [("s3://b/p1", FAULT)])
    assert connection.run(
        "SELECT query, filename, line_number, colname, type, col_length, position, raw_line, raw_field_value, "
        "err_code, err_reason, starttime FROM stl_load_errors"
    ) == [
        (
            1, "s3://b/p1", 2, "zone", "varchar", "10", 3, "1|much too long|x", "much too long", 1204, "too long",
            STARTED,
        )
    ]  # fmt: skip
    assert connection.run("SELECT field, colname, value, is_null, type FROM stl_loaderror_detail ORDER BY field") == [
        (0, "", "1", 0, ""),
        (1, "zone", "much too long", 0, "varchar"),
    ]
    assert connection.run("SELECT column_name, error_code FROM sys_load_error_detail") == [("zone", 1204)]


def test_no_more_refused_rows_than_a_limit(connection: Connection) -> None:
    loads.record(connection, load(1), [("f", FAULT)] * 12_000)
    assert connection.run("SELECT count(*) FROM stl_load_errors") == [(loads.MOST_ERRORS,)]


def test_the_number_of_a_load_that_was_undone_stays_taken(connection: Connection) -> None:
    connection.begin()
    number = loads.next_id(connection)
    connection.rollback()
    loads.record(connection, load(number, status="aborted"), [])
    assert loads.next_id(connection) > number


@pytest.mark.parametrize(
    ("view", "columns"),
    [
        (
            "stl_load_errors",
            "userid slice tbl starttime session query filename line_number colname type col_length position raw_line "
            "raw_field_value err_code err_reason is_partial start_offset copy_job_id",
        ),
        (
            "stl_loaderror_detail",
            "userid slice session query filename line_number field colname value is_null type col_length",
        ),
        (
            "stl_load_commits",
            "userid query slice name filename byte_offset lines_scanned errors curtime status file_format is_partial "
            "start_offset copy_job_id",
        ),
        (
            "sys_load_history",
            "user_id query_id transaction_id session_id database_name status table_name start_time end_time duration "
            "data_source file_format loaded_rows loaded_bytes source_file_count source_file_bytes file_count_scanned "
            "file_bytes_scanned error_count copy_job_id",
        ),
        (
            "sys_load_error_detail",
            "user_id query_id transaction_id session_id database_name table_id start_time file_name line_number "
            "column_name column_type column_length position error_code error_message",
        ),
    ],
)  # the manual's tables
def test_the_views_have_redshifts_columns(connection: Connection, view: str, columns: str) -> None:
    assert [name for (name, *_) in connection.run(f"DESCRIBE {view}")] == columns.split()


def test_others_see_their_own_loads(connection: Connection) -> None:
    loads.record(connection, load(1, user="eve", status="aborted", errors=1), [("s3://b/p1", FAULT)])
    loads.record(connection, load(2), [])
    assert connection.run("SELECT user_id, query_id FROM sys_load_history ORDER BY ALL") == [(100, 2), (101, 1)]
    connection.run("SET VARIABLE sees_all = false")
    assert connection.run("SELECT user_id, query_id FROM sys_load_history") == [(100, 2)]
    for view in ("stl_load_errors", "stl_loaderror_detail", "sys_load_error_detail"):
        assert connection.run(f"SELECT * FROM {view}") == []
