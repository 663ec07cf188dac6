"""COPY through a session: what is loaded, what is refused and where that is told, and that nothing is half done."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

import restframe
from restframe import errors
from restframe.storage import ObjectUrl
from restframe.warehouse import Session, Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "rides") as opened:
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        opened.execute("create table rides (id int, zone varchar(10), fare decimal(8,2))")
        yield opened


def put(session: Session, key: str, data: bytes | str) -> None:
    session.storage.put(ObjectUrl("data", key), data.encode() if isinstance(data, str) else data)


def rows(session: Session, query: str = "select * from rides order by 1") -> list[tuple[Any, ...]]:
    return session.execute(query).fetchall()


def count(session: Session, table: str = "rides") -> Any:
    return session.execute(f"select count(*) from {table}").scalar()


def copy(session: Session, options: str, key: str = "r", table: str = "rides") -> list[str]:
    """Load, and return the notices."""
    result = session.execute(f"copy {table} from 's3://data/{key}' iam_role default {options}")
    assert result.tag == "COPY"
    return [notice.message for notice in result.notices]


def refused(session: Session, options: str, key: str = "r", table: str = "rides") -> errors.Error:
    """The error of a load that fails, of which nothing stays."""
    before = count(session, table)
    with pytest.raises(errors.Error) as caught:
        copy(session, options, key, table)
    assert count(session, table) == before
    return caught.value


# Loading


def test_a_load_tells_what_it_did(session: Session) -> None:
    put(session, "r.csv", "id,zone,fare\n1,north,10.259\n2,,\n")
    notices = copy(session, "csv ignoreheader 1 compupdate off statupdate on")
    assert notices == [
        "Load into table 'rides' completed, 2 record(s) loaded successfully.",
        "COMPUPDATE is accepted and has no effect",
        "STATUPDATE is accepted and has no effect",
    ]
    assert [tuple(map(str, row)) for row in rows(session)] == [("1", "north", "10.25"), ("2", "", "None")]
    assert session.execute("select pg_last_copy_count()").scalar() == 2


def test_a_prefix_means_every_key_that_begins_with_it(session: Session) -> None:
    for key in (
        "trip data/2020-01",
        "trip data/2020-02.csv",
        "trip data/2020/x/y",
        "trip data/2019",
        "trip data/2020-0",
    ):
        put(session, key, f"{len(key)}|x|1\n")
    copy(session, "", key="trip data/2020")
    assert [row[0] for row in rows(session)] == [16, 17, 18, 21]


def test_loads_add_to_what_is_there(session: Session) -> None:
    put(session, "r", "1|a|1\n")
    copy(session, "")
    copy(session, "")
    assert count(session) == 2


def test_an_empty_file_loads_nothing(session: Session) -> None:
    put(session, "r", "")
    copy(session, "csv")
    copy(session, "csv gzip")
    assert count(session) == 0


@pytest.mark.parametrize(
    ("option", "compress"),
    [("gzip", gzip.compress), ("bzip2", bz2.compress), ("zstd", lambda data: pa.compress(data, "zstd", asbytes=True))],
)
def test_compressed_files(session: Session, option: str, compress: Callable[[bytes], bytes]) -> None:
    for part in range(3):
        put(session, f"r{part}", compress(b"".join(b"%d|zone|1.5\n" % i for i in range(20_000))))
    copy(session, option)
    assert count(session) == 60_000


def test_noload_checks_only(session: Session) -> None:
    put(session, "r", "1|a|1\n2|b|2\n")
    notices = copy(session, "noload")
    assert notices == [
        "Load into table 'rides' completed, 0 record(s) loaded successfully.",
        "NOLOAD: 2 record(s) checked",
    ]
    assert count(session) == 0
    put(session, "r", "1|a|1\nx|b|2\n")
    assert isinstance(refused(session, "noload"), errors.LoadError)


def test_json_with_a_paths_file(session: Session) -> None:
    put(session, "r.json", '{"Ride": {"id": 1}, "z": "a", "f": [1.5]}')
    put(session, "paths", '{"jsonpaths": ["$.Ride.id", "$.z", "$.f[0]"]}')
    copy(session, "json 's3://data/paths'")
    put(session, "r.json", '{"ID": 2, "Zone": "b", "fare": null}')
    copy(session, "json 'auto ignorecase'")
    assert [row[:2] for row in rows(session)] == [(1, "a"), (2, "b")]
    put(session, "paths", '{"jsonpaths": ["$.a"]}')
    assert str(refused(session, "json 's3://data/paths'")) == (
        "Number of jsonpaths and the number of columns should match. "
        "JSONPath size: 1, Number of columns in table or column list: 3"
    )


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_columnar_files(session: Session, tmp_path: Path, kind: str) -> None:
    table = pa.table({"x": [1, 2], "y": ["a", None], "z": pa.array([1, None], pa.decimal128(8, 2))})
    (pq.write_table if kind == "parquet" else orc.write_table)(table, tmp_path / "file")
    put(session, "r/1", (tmp_path / "file").read_bytes())
    put(session, "r/_SUCCESS", "")
    copy(session, f"format as {kind}")
    assert [row[:2] for row in rows(session)] == [(1, "a"), (2, None)]
    put(session, "r/2", (tmp_path / "file").read_bytes()[:-20])
    assert isinstance(refused(session, kind), errors.CorruptObject)


def test_a_temporary_table(session: Session) -> None:
    session.execute("create temp table mine (a int)")
    put(session, "m", "1\n2\n")
    copy(session, "", key="m", table="mine")
    assert count(session, "mine") == 2


def test_types_without_an_arrow_type_of_their_own(session: Session) -> None:
    session.execute("create table odd (s super, t timetz, v varbyte)")
    put(session, "odd", '{"a":1}|10:11:12-08|6162\n||\n')
    copy(session, "", key="odd", table="odd")
    assert count(session, "odd") == 2


# Columns


def test_a_column_list_gives_the_order_of_the_data(session: Session) -> None:
    session.execute("create table named (id int, zone varchar(10) default 'nowhere', fare int)")
    put(session, "n", "5,1\n6,2\n")
    session.execute("copy named (fare, id) from 's3://data/n' csv")
    assert rows(session, "select * from named order by id") == [(1, "nowhere", 5), (2, "nowhere", 6)]


def test_identities(session: Session) -> None:
    session.execute("create table numbered (id int identity(10, 5), zone varchar(10))")
    put(session, "n", "a\nb\n")
    session.execute("copy numbered from 's3://data/n'")
    assert rows(session, "select * from numbered order by zone") == [(10, "a"), (15, "b")]
    put(session, "m", "7|c\n")
    session.execute("copy numbered from 's3://data/m' explicit_ids")
    assert (7, "c") in rows(session, "select * from numbered")
    with pytest.raises(errors.InvalidParameterValue, match="cannot set an identity column to a value"):
        session.execute("copy numbered (id, zone) from 's3://data/m'")
    with pytest.raises(errors.InvalidParameterValue, match="EXPLICIT_IDS needs the IDENTITY column"):
        session.execute("copy numbered (zone) from 's3://data/n' explicit_ids")


def test_columns_that_must_have_a_value(session: Session) -> None:
    session.execute("create table strict (id int not null, zone varchar(10) not null)")
    put(session, "s", "1|a\n|b\n")
    put(session, "one", "1\n")
    error = refused(session, "", key="s", table="strict")
    assert error.detail == 's3://data/s line 2: column "id": Missing data for not-null field'
    with pytest.raises(errors.NotNullViolation):
        session.execute("copy strict (id) from 's3://data/one'")


@pytest.mark.parametrize(
    ("statement", "kind", "message"),
    [
        ("copy nothing from 's3://data/r'", errors.UndefinedTable, 'relation "nothing" does not exist'),
        (
            "copy rides (id, colour) from 's3://data/r'", errors.UndefinedColumn,
            'column "colour" of relation "rides" does not exist',
        ),
        ("copy seen from 's3://data/r'", errors.WrongObjectType, 'cannot copy to view "seen"'),
        (
            "copy rides from 's3://data/r' fixedwidth 'a:1'", errors.InvalidParameterValue,
            "FIXEDWIDTH describes 1 columns, 3 are to be loaded",
        ),
        (
            "copy rides from 's3://data/r' explicit_ids", errors.InvalidParameterValue,
            'relation "rides" has no IDENTITY column for EXPLICIT_IDS',
        ),
    ],
)  # fmt: skip
def test_targets_that_are_refused(session: Session, statement: str, kind: type[errors.Error], message: str) -> None:
    session.execute("create view seen as select 1 as a")
    put(session, "r", "1|a|1\n")
    with pytest.raises(kind) as caught:
        session.execute(statement)
    assert str(caught.value) == message


# Sources


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("s3://data/none", errors.NoSuchKey, "The specified S3 prefix 'none' does not exist"),
        ("s3://missing/none", errors.NoSuchBucket, 'bucket "missing" does not exist'),
        ("s3://BAD_NAME/x", errors.InvalidParameterValue, 'invalid bucket name "BAD_NAME"'),
    ],
)
def test_sources_that_are_not_there(session: Session, source: str, kind: type[errors.Error], message: str) -> None:
    put(session, "r", "1|a|1\n")
    statement = f"copy rides from '{source}' csv"
    with pytest.raises(kind) as caught:
        session.execute(statement)
    assert str(caught.value) == message
    assert statement[(caught.value.position or 0) - 1 :].startswith(f"'{source}'")


def manifest(session: Session, *entries: dict[str, Any]) -> None:
    put(session, "manifest", json.dumps({"entries": entries}))


def test_a_manifest(session: Session) -> None:
    put(session, "a", "1|a|1\n")
    session.storage.put(ObjectUrl("other", "b"), b"2|b|2\n")
    manifest(
        session,
        {"url": "s3://data/a", "mandatory": True},
        {"url": "s3://other/b", "meta": {"content_length": 6}},
        {"url": "s3://data/a"},
        {"url": "s3://data/missing", "mandatory": False},
    )
    notices = copy(session, "manifest", key="manifest")
    assert [row[0] for row in rows(session)] == [1, 1, 2]
    assert notices[0] == '"s3://data/missing" of the manifest does not exist and is not loaded'


@pytest.mark.parametrize(
    ("entries", "kind", "message"),
    [
        (
            [{"url": "s3://data/missing", "mandatory": True}], errors.NoSuchKey,
            'object "s3://data/missing" does not exist',
        ),
        ([{"url": "s3://data/missing"}], errors.NoSuchKey, 'none of the files in manifest "s3://data/manifest" exists'),
        ([], errors.NoSuchKey, 'none of the files in manifest "s3://data/manifest" exists'),
        (
            [{"url": "s3://data/a", "meta": {"content_length": 7}}], errors.CorruptObject,
            '"s3://data/a" has 6 bytes, its manifest says 7',
        ),
        ([{"url": "/etc/passwd"}], errors.InvalidParameterValue, '"/etc/passwd" is not an object store location'),
        ([{"mandatory": True}], errors.InvalidParameterValue, 'entry 1 of manifest "s3://data/manifest" has no "url"'),
        (
            [{"url": "s3://data/a", "mandatory": "yes"}], errors.InvalidParameterValue,
            '"mandatory" of entry 1 of manifest "s3://data/manifest" is not true or false',
        ),
    ],
)  # fmt: skip
def test_manifests_that_are_refused(
    session: Session, entries: Sequence[dict[str, Any]], kind: type[errors.Error], message: str
) -> None:
    put(session, "a", "1|a|1\n")
    manifest(session, *entries)
    error = refused(session, "manifest", key="manifest")
    assert (type(error), str(error)) == (kind, message)


@pytest.mark.parametrize("data", ["", "{", "[]", "{}", '{"entries": 1}', "\ufeff"])
def test_a_manifest_that_is_none(session: Session, data: str) -> None:
    put(session, "manifest", data)
    assert isinstance(refused(session, "manifest", key="manifest"), errors.InvalidParameterValue)


def test_a_manifest_is_one_object(session: Session) -> None:
    put(session, "manifests/1", "{}")
    assert "requires full path" in str(refused(session, "manifest", key="manifests/"))
    assert isinstance(refused(session, "manifest", key="missing"), errors.NoSuchKey)


# Refused rows


def test_a_wrong_row_fails_the_load_and_is_told_everywhere(session: Session) -> None:
    put(session, "r/1.csv", "id,zone,fare\n1,north,10\n2,south,5\n")
    put(session, "r/2.csv", "id,zone,fare\n3,east,1\nfour,west,2\n")
    error = refused(session, "csv ignoreheader 1", key="r/")
    assert isinstance(error, errors.LoadError)
    assert (error.sqlstate, str(error)) == (
        "XX000",
        "Load into table 'rides' failed.  Check 'stl_load_errors' system table for details.",
    )
    assert error.detail == (
        's3://data/r/2.csv line 3: column "id": Invalid digit, Value \'f\', Pos 0, Type: Integer, value "four"'
    )
    found = rows(
        session,
        "select filename, line_number, colname, type, col_length, position, raw_line, raw_field_value, err_code, "
        "err_reason from stl_load_errors where query = pg_last_copy_id()",
    )
    reason = "Invalid digit, Value 'f', Pos 0, Type: Integer"
    assert found == [("s3://data/r/2.csv", 3, "id", "int4", "0", 0, "four,west,2", "four", 1207, reason)]
    assert rows(session, "select line_number, value, is_null from stl_loaderror_detail") == [(3, "four", 0)]
    assert rows(session, "select error_code, error_message, column_name from sys_load_error_detail") == [
        (1207, reason, "id")
    ]
    assert rows(session, "select status, loaded_rows, error_count from sys_load_history") == [("aborted", 0, 1)]
    assert rows(session, "select count(*) from stl_load_commits") == [(0,)]
    assert session.execute("select pg_last_copy_count()").scalar() == 0


def test_refused_rows_are_remembered_when_a_transaction_fails(warehouse: Warehouse, session: Session) -> None:
    put(session, "good", "1|a|1\n")
    put(session, "r", "x|a|1\n")
    session.execute("begin; copy rides from 's3://data/good'")
    with pytest.raises(errors.LoadError):
        session.execute("copy rides from 's3://data/r'")
    session.execute("rollback")
    assert count(session) == 0
    with warehouse.session() as other:
        assert rows(other, "select err_code from stl_load_errors") == [(1207,)]


def test_maxerror(session: Session) -> None:
    put(session, "r", "1|a|1\nx|b|2\n3|a much too long zone|3\n4|d|4\n5\n")
    assert isinstance(refused(session, "maxerror 3"), errors.LoadError)
    assert rows(session, "select count(*) from stl_load_errors") == [(3,)]
    notices = copy(session, "maxerror 4")
    assert notices == [
        "Load into table 'rides' completed, 3 record(s) could not be loaded.  "
        "Check 'stl_load_errors' system table for details.",
        "Load into table 'rides' completed, 2 record(s) loaded successfully.",
    ]
    assert [row[0] for row in rows(session)] == [1, 4]
    found = rows(
        session,
        "select line_number, err_code, trim(err_reason) from stl_load_errors "
        "where query = pg_last_copy_id() order by 1",
    )
    assert found == [
        (2, 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
        (3, 1204, "String length exceeds DDL length"),
        (5, 1214, "Delimiter not found"),
    ]
    assert rows(session, "select lines_scanned from stl_load_commits where query = pg_last_copy_id()") == [(5,)]


def test_more_refused_rows_than_are_kept(session: Session) -> None:
    put(session, "r", "x|a|1\n" * 20_000 + "1|a|1\n")
    notices = copy(session, "maxerror 100000")
    assert "20000 record(s) could not be loaded" in notices[0]
    assert notices[1] == "only the first 10000 of them are in stl_load_errors"
    assert rows(session, "select count(*) from stl_load_errors") == [(10_000,)]
    assert rows(session, "select error_count from sys_load_history") == [(20_000,)]


def test_history(session: Session) -> None:
    put(session, "r/1.csv", "1,a,1\n")
    put(session, "r/2.csv", "2,b,2\n3,c,3\n")
    copy(session, "csv", key="r/")
    assert rows(
        session,
        "select status, table_name, data_source, file_format, loaded_rows, source_file_count, source_file_bytes, "
        "error_count, database_name, duration > 0, start_time <= end_time from sys_load_history "
        "where query_id = pg_last_copy_id()",
    ) == [("completed", "rides", "s3://data/r/", "csv", 3, 2, 18, 0, "dev", True, True)]
    assert rows(session, "select trim(filename), lines_scanned, file_format from stl_load_commits order by 1") == [
        ("s3://data/r/1.csv", 1, "Text"),
        ("s3://data/r/2.csv", 2, "Text"),
    ]
    assert rows(session, "select file_name, bytes_scanned from sys_load_detail order by 1") == [
        ("s3://data/r/1.csv", 6),
        ("s3://data/r/2.csv", 12),
    ]


def test_numbers_of_loads_never_come_again(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        with restframe.open(tmp_path / "w") as warehouse, warehouse.session() as session:
            session.execute("create table if not exists t (a int)")
            assert session.execute("select pg_last_copy_id()").scalar() == -1
            for data in ("x\n", "1\n", "y\n"):
                put(session, "r", data)
                with contextlib.suppress(errors.LoadError):
                    session.execute("copy t from 's3://data/r'")
                numbers.append(session.execute("select pg_last_copy_id()").scalar())
    assert numbers == sorted(set(numbers))


# Damage


LINES = b"".join(b"%d|zone %d|1.5\n" % (i, i % 1000) for i in range(100_000))


def damaged(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 0x10
    return bytes(changed)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(LINES)[:-20], "is truncated: its gzip data ends early"),
        (gzip.compress(LINES)[:-4], "is truncated: its gzip data ends early"),
        (damaged(gzip.compress(LINES), -6), "is damaged: gzip data: incorrect checksum found"),
        (damaged(gzip.compress(LINES), 100_000), "is damaged: gzip data"),
        (LINES[:100], "is not gzip data"),
        (gzip.compress(LINES) + b"more", "has bytes behind its gzip data that are not gzip data"),
    ],
)
def test_damaged_gzip(session: Session, data: bytes, reason: str) -> None:
    put(session, "r", data)
    for options in ("gzip", "gzip maxerror 100000"):
        error = refused(session, options)
        assert isinstance(error, errors.CorruptObject)
        assert f'"s3://data/r" {reason}' in str(error)
    assert rows(session, "select distinct status from sys_load_history") == [("aborted",)]


@pytest.mark.parametrize(
    ("data", "options", "detail"),
    [
        ('1,a,1\n2,"b,2\n3,c,3\n', "csv", 'line 2: column "zone": Invalid quote formatting for CSV'),
        ("1|a\0b|1\n", "", "line 1: Missing newline: Unexpected character 0x00 found at location 3"),
        (b"1|\xff|1\n", "", 'line 1: column "zone": String contains invalid or unsupported UTF8 codepoints.'),
        ("1|a|1\n2|b|2|x\n", "", "line 2: Extra column(s) found"),
        ("1|a|1\n2|b\n", "", 'line 2: column "zone": Delimiter not found, value "b"'),
        ("1|" + "z" * 11 + "|1\n", "", 'line 1: column "zone": String length exceeds DDL length, value "zzzzzzzzzzz"'),
        ("1|a|ten\n", "", 'line 1: column "fare": Invalid digit, Value \'t\', Pos 0, Type: Decimal, value "ten"'),
        ("1|a|1000000\n", "", 'line 1: column "fare": Overflow (valid range of NUMERIC(8,2)), value "1000000"'),
    ],
)  # fmt: skip
def test_wrong_data(session: Session, data: bytes | str, options: str, detail: str) -> None:
    put(session, "r", data)
    error = refused(session, options)
    assert isinstance(error, errors.LoadError)
    assert error.detail is not None
    assert error.detail.startswith(f"s3://data/r {detail}")


def test_messages_are_bounded(session: Session) -> None:
    put(session, "r", "1|" + "x" * 3_000_000 + "|1\n")
    error = refused(session, "")
    assert len(str(error)) + len(error.detail or "") < 600
    assert rows(session, "select length(raw_line), length(raw_field_value) from stl_load_errors") == [(1024, 1024)]


def test_as_many_columns_as_a_table_may_have(session: Session) -> None:
    session.execute(f"create table wide ({', '.join(f'c{i} int' for i in range(1600))})")
    put(session, "w", (",".join(map(str, range(1600))) + "\n") * 1000)
    copy(session, "csv", key="w", table="wide")
    assert rows(session, "select count(*), max(c0), max(c1599) from wide") == [(1000, 0, 1599)]


# Cancellation, progress, concurrency


@pytest.mark.parametrize("options", ["csv", "csv gzip"])
def test_a_load_can_be_cancelled(session: Session, options: str) -> None:
    data = b"".join(b"%d,zone %d,1.5\n" % (i, i % 1000) for i in range(2_000_000))
    put(session, "r", gzip.compress(data, 1) if "gzip" in options else data)
    copy(session, options + " noload")  # so that the kernels are compiled
    cancelled: list[float] = []

    def cancel(done: float, total: float) -> None:
        if done > total / 10 and not cancelled:
            cancelled.append(done)
            canceller = threading.Thread(target=session.cancel)
            canceller.start()
            canceller.join()

    session.on_progress = cancel
    with pytest.raises(errors.QueryCanceled):
        copy(session, options)
    session.on_progress = None
    assert count(session) == 0


def test_progress_goes_up_to_all_of_the_bytes(session: Session) -> None:
    for part in range(3):
        put(session, f"r{part}", b"1|a|1\n" * 500_000)
    seen: list[tuple[float, float]] = []
    session.on_progress = lambda done, total: seen.append((done, total))
    copy(session, "")
    assert {total for _, total in seen} == {9_000_000}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == 9_000_000
    assert len(seen) > 6


def test_two_loads_into_one_table_at_once(warehouse: Warehouse, session: Session) -> None:
    put(session, "r", b"".join(b"%d|a|1\n" % i for i in range(300_000)))

    def load() -> None:
        with warehouse.session() as own:
            own.execute("copy rides from 's3://data/r'")

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count(session) == 900_000


def test_a_file_may_change_while_it_is_loaded(session: Session) -> None:
    put(session, "r", b"1|a|1\n" * 1_000_000)

    def replace(done: float, total: float) -> None:
        if done:  # something of the file has been read
            session.on_progress = None
            put(session, "r", "2|b|2\n")

    session.on_progress = replace
    copy(session, "")
    assert rows(session, "select distinct id, count(*) from rides group by 1") == [(1, 1_000_000)]


# Real files


def test_the_taxi_file(session: Session, shared_data: Callable[[str], Path]) -> None:
    put(session, "NAB_nyc_taxi.csv", shared_data("nab/nyc_taxi.csv").read_bytes())
    session.execute("create table public.rcf_taxi_data (ride_timestamp timestamp, nbr_passengers int)")
    session.execute(
        "COPY public.rcf_taxi_data FROM 's3://data/NAB_nyc_taxi.csv' iam_role 'arn' ignoreheader 1 csv delimiter ','"
    )
    assert rows(
        session,
        "select count(*), sum(nbr_passengers), min(nbr_passengers), max(nbr_passengers) from rcf_taxi_data",
    ) == [(10_320, 156_219_716, 8, 39_197)]


TICKIT = {
    "category": "catid smallint, catgroup varchar(10), catname varchar(10), catdesc varchar(50)",
    "date2008": "dateid smallint, caldate date, day character(3), week smallint, month character(5), "
    "qtr character(5), year smallint, holiday boolean",
    "venue": "venueid smallint, venuename varchar(100), venuecity varchar(30), venuestate char(2), venueseats integer",
    "allevents": "eventid integer, venueid smallint, catid smallint, dateid smallint, eventname varchar(200), "
    "starttime timestamp",
}


def test_tickit(session: Session, shared_data: Callable[[str], Path]) -> None:
    found = {}
    for name, columns in TICKIT.items():
        put(session, f"tickit/{name}_pipe.txt", shared_data(f"tickit/{name}_pipe.txt").read_bytes())
        session.execute(f"create table {name} ({columns})")
        session.execute(
            f"copy {name} from 's3://data/tickit/{name}_pipe.txt' iam_role default delimiter '|' "
            + ("timeformat 'YYYY-MM-DD HH:MI:SS'" if name == "allevents" else "")
        )
        found[name] = count(session, name)
    assert found == {"category": 11, "date2008": 365, "venue": 202, "allevents": 8798}
    assert rows(session, "select count(*) from venue where venueseats is null") == [(15,)]
    assert rows(session, "select catdesc from category where catid = 1") == [("Major League Baseball",)]


GREEN = """
    vendorid varchar(4), lpep_pickup_datetime timestamp, lpep_dropoff_datetime timestamp, store_and_fwd_flag char(1),
    ratecodeid int, pulocationid int, dolocationid int, passenger_count int, trip_distance decimal(8,2),
    fare_amount decimal(8,2), extra decimal(8,2), mta_tax decimal(8,2), tip_amount decimal(8,2),
    tolls_amount decimal(8,2), ehail_fee varchar(100), improvement_surcharge decimal(8,2), total_amount decimal(8,2),
    payment_type varchar(10), trip_type varchar(10), congestion_surcharge decimal(8,2)
"""


def test_the_green_taxi_files(session: Session, shared_data: Callable[[str], Path]) -> None:
    for month in range(3, 13):
        name = f"green_tripdata_2020-{month:02}.csv.gz"
        put(session, f"trip data/{name}", shared_data(f"green_taxi/{name}").read_bytes())
    session.execute(f"create table nyc_greentaxi ({GREEN})")
    session.execute(
        "COPY nyc_greentaxi FROM 's3://data/trip data/green_tripdata_2020' IAM_ROLE 'arn' csv ignoreheader 1 gzip "
        "region 'us-east-1'"
    )
    assert rows(
        session,
        "select count(*), count(ratecodeid), count(nullif(vendorid, '')), min(lpep_pickup_datetime)::varchar, "
        "max(lpep_pickup_datetime)::varchar, max(trip_distance)::varchar, sum(total_amount)::varchar "
        "from nyc_greentaxi",
    ) == [(887_649, 556_501, 556_501, "2008-12-31 22:06:48", "2041-08-17 16:24:38", "205654.12", "19124980.04")]
