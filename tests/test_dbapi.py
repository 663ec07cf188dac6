"""DB-API 2.0 as PEP 249 words it, on a real warehouse."""

from __future__ import annotations

import datetime
import gc
import threading
import time
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

import restframe
from restframe import dbapi, errors


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "rides"


@pytest.fixture
def connection(directory: Path) -> Iterator[dbapi.Connection]:
    connection = restframe.connect(directory)
    connection.execute("create table trips (id int, zone varchar(20), fare decimal(8,2), at timestamp)")
    connection.commit()
    yield connection
    connection.close()


@pytest.fixture
def cursor(connection: dbapi.Connection) -> dbapi.Cursor:
    return connection.cursor()


# The module


def test_the_module_has_what_pep_249_names() -> None:
    assert (dbapi.apilevel, dbapi.threadsafety, dbapi.paramstyle) == ("2.0", 1, "qmark")
    for name in (
        "connect",
        "Date",
        "Time",
        "Timestamp",
        "DateFromTicks",
        "TimeFromTicks",
        "TimestampFromTicks",
        "Binary",
    ):
        assert callable(getattr(dbapi, name))
    for name in ("STRING", "BINARY", "NUMBER", "DATETIME", "ROWID"):
        assert hasattr(dbapi, name)


def test_the_exceptions_form_pep_249s_tree_and_hang_on_connections() -> None:
    assert issubclass(dbapi.Warning, Exception)
    assert issubclass(dbapi.InterfaceError, dbapi.Error)
    for name in (
        "DataError", "OperationalError", "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError",
    ):  # fmt: skip
        assert issubclass(getattr(dbapi, name), dbapi.DatabaseError)
        assert getattr(dbapi.Connection, name) is getattr(dbapi, name)


def test_the_constructors_make_values_that_can_be_stored(cursor: dbapi.Cursor) -> None:
    cursor.execute("create table kept (d date, t time, ts timestamp, b varbyte(10))")
    cursor.execute(
        "insert into kept values (?, ?, ?, ?)",
        (dbapi.Date(2014, 11, 2), dbapi.Time(1, 30), dbapi.Timestamp(2014, 11, 2, 1, 30), dbapi.Binary(b"\x00\xff")),
    )
    assert cursor.execute("select * from kept").fetchall() == [
        (datetime.date(2014, 11, 2), datetime.time(1, 30), datetime.datetime(2014, 11, 2, 1, 30), b"\x00\xff")
    ]
    ticks = time.mktime((2014, 11, 2, 12, 30, 15, 0, 0, -1))
    assert dbapi.DateFromTicks(ticks) == datetime.date(2014, 11, 2)
    assert dbapi.TimeFromTicks(ticks) == datetime.time(12, 30, 15)
    assert dbapi.TimestampFromTicks(ticks) == datetime.datetime(2014, 11, 2, 12, 30, 15)


# Statements and their rows


def test_rows_come_one_by_one_in_parts_and_all(cursor: dbapi.Cursor) -> None:
    cursor.execute("select generate_series(1, 10) as n")
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == [(2,)]
    assert cursor.fetchmany(3) == [(3,), (4,), (5,)]
    cursor.arraysize = 2
    assert cursor.fetchmany() == [(6,), (7,)]
    assert next(cursor) == (8,)
    assert cursor.fetchall() == [(9,), (10,)]
    assert cursor.fetchone() is None
    assert cursor.fetchmany(5) == []
    assert list(cursor) == []


def test_the_description_says_names_and_types(cursor: dbapi.Cursor) -> None:
    assert cursor.description is None
    cursor.execute("select id, zone, fare, at, true as ok, cast('00' as varbyte) as raw from trips")
    assert cursor.description is not None
    assert [column[0] for column in cursor.description] == ["id", "zone", "fare", "at", "ok", "raw"]
    assert all(len(column) == 7 for column in cursor.description)
    types = [column[1] for column in cursor.description]
    assert types[0] == dbapi.NUMBER
    assert types[0] != dbapi.STRING
    assert types[1] == dbapi.STRING
    assert types[2] == dbapi.NUMBER
    assert types[3] == dbapi.DATETIME
    assert types[5] == dbapi.BINARY
    assert all(type_ != dbapi.ROWID for type_ in types)
    assert cursor.description[2][4:6] == (8, 2)
    cursor.execute("insert into trips (id) values (1)")
    assert cursor.description is None


def test_rowcount_is_what_changed_and_what_was_read(cursor: dbapi.Cursor) -> None:
    assert cursor.rowcount == -1
    cursor.execute("insert into trips (id) values (1), (2), (3)")
    assert cursor.rowcount == 3
    cursor.execute("update trips set zone = 'x' where id > 1")
    assert cursor.rowcount == 2
    cursor.execute("select * from trips")
    cursor.fetchall()
    assert cursor.rowcount == 3
    cursor.execute("create table other (a int)")
    assert cursor.rowcount == -1


def test_parameters_are_values_and_never_text(cursor: dbapi.Cursor) -> None:
    nasty = "'; drop table t; --"
    row = (1, nasty, Decimal("12.50"), datetime.datetime(2014, 11, 2, 1))
    cursor.execute("insert into trips values (?, ?, ?, ?)", row)
    assert cursor.execute("select * from trips where zone = ?", [nasty]).fetchall() == [row]
    assert cursor.execute("select id from trips where zone = :zone", {"zone": nasty}).fetchone() == (1,)
    assert cursor.execute("select ? is null", (None,)).fetchone() == (True,)


def test_parameters_that_are_no_sequence_are_refused(cursor: dbapi.Cursor) -> None:
    for wrong in ("abc", b"abc", 5):
        with pytest.raises(dbapi.InterfaceError, match="sequence or a mapping"):
            cursor.execute("select ?", wrong)  # type: ignore[arg-type]


def test_nextset_goes_through_several_statements(cursor: dbapi.Cursor) -> None:
    cursor.execute("select 1 as a; insert into trips (id) values (7), (8); select id from trips order by id")
    assert cursor.fetchall() == [(1,)]
    assert cursor.nextset() is True
    assert cursor.rowcount == 2
    with pytest.raises(dbapi.InterfaceError, match="no result"):
        cursor.fetchall()
    assert cursor.nextset() is True
    assert cursor.fetchall() == [(7,), (8,)]
    assert cursor.nextset() is None


def test_cursors_of_one_connection_do_not_disturb_each_other(connection: dbapi.Connection) -> None:
    one, other = connection.cursor(), connection.cursor()
    one.execute("select generate_series(1, 5000) as n")
    assert one.fetchone() == (1,)
    other.execute("select generate_series(1, 3) as n")
    assert other.fetchall() == [(1,), (2,), (3,)]
    assert one.fetchmany(2) == [(2,), (3,)]
    assert len(one.fetchall()) == 4997


def test_rows_and_arrow_can_be_asked_for_by_turns(cursor: dbapi.Cursor) -> None:
    cursor.execute("select generate_series(1, 5000) as n")
    cursor.fetchmany(1500)
    table = cursor.fetch_arrow()
    assert table.column("n").to_pylist() == list(range(1501, 5001))
    assert cursor.fetchone() is None


def test_a_data_frame_has_the_columns_types(cursor: dbapi.Cursor) -> None:
    frame = cursor.execute("select 1::bigint as n, 'a' as s, timestamp '2014-11-02 01:00' as t").fetch_dataframe()
    assert list(frame.columns) == ["n", "s", "t"]
    assert frame["n"].dtype == "int64"
    assert frame["t"][0] == pd.Timestamp("2014-11-02 01:00")


def test_notices_are_messages(cursor: dbapi.Cursor) -> None:
    cursor.execute("drop table if exists nowhere")
    assert [(kind, "nowhere" in text) for kind, text in cursor.messages] == [(dbapi.Warning, True)]
    cursor.execute("select 1")
    assert cursor.messages == []


def test_procedures_are_refused(cursor: dbapi.Cursor) -> None:
    with pytest.raises(dbapi.NotSupportedError):
        cursor.callproc("p")


def test_sizes_are_accepted_without_effect(cursor: dbapi.Cursor) -> None:
    cursor.setinputsizes([10])
    cursor.setoutputsize(1000)
    assert cursor.execute("select 1").fetchone() == (1,)


# executemany


def test_executemany_inserts_everything(cursor: dbapi.Cursor) -> None:
    rows = [
        (i, f"zone {i}", Decimal(i) / 4, datetime.datetime(2014, 7, 1) + datetime.timedelta(minutes=30 * i))
        for i in range(5000)
    ]
    rows[17] = (None, None, None, None)  # type: ignore[assignment]
    cursor.executemany("insert into trips values (?, ?, ?, ?)", rows)
    assert cursor.rowcount == 5000
    cursor.execute("select * from trips order by at")
    assert set(cursor.fetchall()) == set(rows)


def test_executemany_takes_mappings_generators_and_columns(cursor: dbapi.Cursor) -> None:
    cursor.executemany(
        "INSERT INTO trips (zone, id) VALUES (:zone, :id)", ({"id": i, "zone": f"z{i}", "more": 0} for i in range(3))
    )
    assert cursor.execute("select id, zone from trips order by id").fetchall() == [(0, "z0"), (1, "z1"), (2, "z2")]


def test_executemany_keeps_the_rules_of_the_columns(cursor: dbapi.Cursor) -> None:
    with pytest.raises(errors.StringDataRightTruncation):
        cursor.executemany("insert into trips (zone) values (?)", [("short",), ("x" * 21,)])
    cursor.connection.rollback()
    cursor.execute("create table ids (id int identity(1, 1), at timestamp default '2014-07-01', zone varchar(5))")
    cursor.executemany("insert into ids (zone) values (?)", [("a",), ("b",)])
    cursor.execute("select count(distinct id), min(at) from ids")
    assert cursor.fetchone() == (2, datetime.datetime(2014, 7, 1))


def test_executemany_keeps_values_exactly(cursor: dbapi.Cursor) -> None:
    cursor.execute("create table exact (f float, t timestamp, s varchar(40), b bool, n bigint)")
    rows = [
        (0.1, datetime.datetime(2014, 7, 1, 0, 0, 0, 123456), 'it\'s a \\ "quote"\n', True, -(2**63)),
        (1e300, datetime.datetime(1, 1, 1), "", False, 2**63 - 1),
        (None, None, "NULL", None, None),
    ]
    cursor.executemany("insert into exact values (?, ?, ?, ?, ?)", rows)
    assert set(cursor.execute("select * from exact").fetchall()) == set(rows)


def test_executemany_of_other_statements_runs_them_one_by_one(cursor: dbapi.Cursor) -> None:
    cursor.executemany("insert into trips (id) values (?)", [(1,), (2,), (3,)])
    cursor.executemany("update trips set zone = ? where id >= ?", [("a", 1), ("b", 3)])
    assert cursor.rowcount == 4
    assert cursor.execute("select id, zone from trips order by id").fetchall() == [(1, "a"), (2, "a"), (3, "b")]
    cursor.executemany("insert into trips (id) values (? + 10)", [(1,), (2,)])
    assert cursor.execute("select max(id) from trips").fetchone() == (12,)


def test_executemany_with_rows_of_different_lengths_is_refused(cursor: dbapi.Cursor) -> None:
    with pytest.raises(dbapi.ProgrammingError):
        cursor.executemany("insert into trips (id, zone) values (?, ?)", [(1, "a"), (2,)])


def test_executemany_of_nothing_does_nothing(cursor: dbapi.Cursor) -> None:
    cursor.executemany("insert into trips (id) values (?)", [])
    assert cursor.rowcount == 0


# Transactions


def test_work_is_kept_by_commit_and_undone_by_rollback(directory: Path, connection: dbapi.Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("insert into trips (id) values (1)")
    with restframe.connect(directory) as other:
        assert other.execute("select count(*) from trips").fetchone() == (0,)
    connection.commit()
    cursor.execute("insert into trips (id) values (2)")
    connection.rollback()
    assert cursor.execute("select id from trips").fetchall() == [(1,)]


def test_closing_without_commit_undoes(directory: Path, connection: dbapi.Connection) -> None:
    with restframe.connect(directory) as other:
        other.execute("insert into trips (id) values (1)")
        other.rollback()
        other.execute("insert into trips (id) values (2)")
        other.commit()
    loser = restframe.connect(directory)
    loser.execute("insert into trips (id) values (3)")
    loser.close()
    assert connection.execute("select id from trips").fetchall() == [(2,)]


def test_the_context_manager_commits_or_rolls_back_and_closes(directory: Path, connection: dbapi.Connection) -> None:
    with restframe.connect(directory) as other:
        other.execute("insert into trips (id) values (1)")
    assert other.closed
    with pytest.raises(ZeroDivisionError), restframe.connect(directory) as other:
        other.execute("insert into trips (id) values (2)")
        raise ZeroDivisionError
    assert other.closed
    assert connection.execute("select id from trips").fetchall() == [(1,)]


def test_with_autocommit_every_statement_stands_by_itself(directory: Path, connection: dbapi.Connection) -> None:
    with restframe.connect(directory, autocommit=True) as other:
        other.execute("insert into trips (id) values (1)")
        assert connection.execute("select count(*) from trips").fetchone() == (1,)
        connection.commit()
        other.execute("begin")
        other.execute("insert into trips (id) values (2)")
        other.rollback()
    assert connection.execute("select count(*) from trips").fetchone() == (1,)


def test_autocommit_cannot_change_inside_a_transaction(connection: dbapi.Connection) -> None:
    connection.execute("insert into trips (id) values (1)")
    with pytest.raises(dbapi.OperationalError):
        connection.autocommit = True
    connection.commit()
    connection.autocommit = True
    connection.execute("insert into trips (id) values (2)")
    connection.rollback()
    assert connection.execute("select count(*) from trips").fetchone() == (2,)


def test_a_failed_transaction_says_so_until_it_is_rolled_back(connection: dbapi.Connection) -> None:
    connection.execute("insert into trips (id) values (1)")
    with pytest.raises(dbapi.ProgrammingError, match="does not exist"):
        connection.execute("select * from nowhere")
    with pytest.raises(errors.InFailedTransaction):
        connection.execute("select 1")
    with pytest.raises(errors.InFailedTransaction, match="rolled back"):
        connection.commit()
    assert connection.execute("select count(*) from trips").fetchone() == (0,)


def test_commit_and_rollback_without_work_do_nothing(connection: dbapi.Connection) -> None:
    connection.commit()
    connection.rollback()


# Connections


def test_connections_of_one_process_share_the_warehouse(directory: Path, connection: dbapi.Connection) -> None:
    with restframe.connect(str(directory) + "/../rides") as other:
        assert other.execute("select count(*) from trips").fetchone() == (0,)
    connection.close()
    with restframe.connect(directory) as again:
        assert again.execute("select count(*) from trips").fetchone() == (0,)


def test_other_settings_for_an_open_warehouse_are_refused(directory: Path, connection: dbapi.Connection) -> None:
    with pytest.raises(dbapi.InterfaceError, match="other settings"):
        restframe.connect(directory, statement_timeout_ms=5)
    restframe.connect(directory, statement_timeout_ms=0).close()


def test_a_connection_to_an_open_warehouse_leaves_it_open(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse:
        warehouse.sql("create table t (a int)")
        with restframe.connect(warehouse) as connection:
            connection.execute("insert into t values (1)")
        with restframe.connect(tmp_path) as connection:
            connection.execute("insert into t values (2)")
        assert warehouse.sql("select count(*) from t").scalar() == 2
        with pytest.raises(dbapi.InterfaceError, match="settings"):
            restframe.connect(warehouse, threads=1)


def test_a_warehouse_is_opened_once(tmp_path: Path) -> None:
    with restframe.open(tmp_path), pytest.raises(errors.WarehouseLocked, match="this process"):
        restframe.open(tmp_path)
    with restframe.connect(tmp_path), pytest.raises(errors.WarehouseLocked, match="this process"):
        restframe.open(tmp_path)
    restframe.open(tmp_path).close()


def test_a_forgotten_connection_lets_go_of_the_directory(directory: Path) -> None:
    restframe.connect(directory).execute("select 1")
    gc.collect()
    restframe.open(directory).close()


def test_what_is_closed_cannot_be_used(connection: dbapi.Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("select 1")
    cursor.close()
    cursor.close()
    for use in (cursor.fetchone, cursor.nextset, lambda: cursor.execute("select 1"), lambda: cursor.connection):
        with pytest.raises(dbapi.InterfaceError, match="cursor is closed"):
            use()
    open_cursor = connection.cursor()
    open_cursor.execute("select 1")
    connection.close()
    connection.close()
    for use in (connection.cursor, connection.commit, connection.rollback, open_cursor.fetchone, connection.cancel):
        with pytest.raises(dbapi.InterfaceError, match="connection is closed"):
            use()


def test_a_running_statement_can_be_cancelled_from_another_thread(connection: dbapi.Connection, endless: str) -> None:
    cursor, cancelled = connection.cursor(), threading.Event()

    def cancel() -> None:  # again, as it has no effect before the statement runs
        while not cancelled.wait(0.3):
            cursor.cancel()

    cancelling = threading.Thread(target=cancel)
    cancelling.start()
    with pytest.raises(errors.QueryCanceled):
        cursor.execute(endless).fetchall()
    cancelled.set()
    cancelling.join()
    connection.rollback()
    assert cursor.execute("select 1").fetchone() == (1,)


# Other libraries


def test_pandas_reads_and_writes(connection: dbapi.Connection) -> None:
    frame = pd.DataFrame({"id": range(100), "zone": [f"zone {i}" for i in range(100)]})
    connection.cursor().executemany(
        "insert into trips (id, zone) values (?, ?)", frame.itertuples(index=False, name=None)
    )
    with warnings.catch_warnings():
        # pandas says of every connection but SQLAlchemy's and sqlite3's that it is not tested with it
        warnings.filterwarnings("ignore", "pandas only supports SQLAlchemy", UserWarning)
        read = pd.read_sql("select id, zone from trips where id >= ? order by id", connection, params=(10,))  # type: ignore[call-overload]
        parts = list(pd.read_sql("select id from trips", connection, chunksize=30))  # type: ignore[call-overload]
    assert read["zone"].tolist() == frame["zone"].tolist()[10:]
    assert [len(part) for part in parts] == [30, 30, 30, 10]


def test_arrow_tables_of_no_rows_have_their_columns(cursor: dbapi.Cursor) -> None:
    table = cursor.execute("select id, zone from trips where false").fetch_arrow()
    assert table.schema.equals(pa.schema([("id", pa.int32()), ("zone", pa.string())]))
    assert table.num_rows == 0


def test_times_of_day_have_their_zone(cursor: dbapi.Cursor) -> None:
    """TIMETZ is kept in UTC."""
    lima = datetime.timezone(-datetime.timedelta(hours=5))
    cursor.execute("select ?::timetz, '12:00'::time, null::timetz", (datetime.time(12, 30, tzinfo=lima),))
    assert cursor.fetchone() == (datetime.time(17, 30, tzinfo=datetime.UTC), datetime.time(12), None)
