"""UNLOAD: what stands in the objects, what they are called, and that there are all of them or none."""

from __future__ import annotations

import bz2
import gzip
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import restframe
from restframe import errors
from restframe.storage import ObjectUrl, Storage

Run = Callable[..., restframe.Result]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def session(warehouse: restframe.Warehouse) -> Iterator[restframe.Session]:
    with warehouse.session() as opened:
        yield opened


@pytest.fixture
def unload(session: restframe.Session) -> Run:
    """Unload a query below s3://out/r_, in one file unless told otherwise."""

    def run(query: str, options: str = "", parallel: bool = False, target: str = "s3://out/r_") -> restframe.Result:
        serial = "" if parallel else " parallel off"
        return session.execute(f"unload ($q${query}$q$) to '{target}' iam_role default {options}{serial}")

    return run


def keys(storage: Storage, bucket: str = "out") -> list[str]:
    return [info.url.key for info in storage.list(ObjectUrl(bucket))] if storage.bucket_exists(bucket) else []


def content(session: restframe.Session, key: str = "r_000") -> str:
    return session.storage.read(ObjectUrl("out", key)).decode()


def many_rows(session: restframe.Session, count: int) -> None:
    """A table `many (i bigint, name varchar)`, filled by the engine itself."""
    session.execute("create table many (i bigint, name varchar(40))")
    session.connection.run(f"INSERT INTO public.many SELECT i, 'row ' || i FROM range({count}) rows(i)")


# What a value looks like


PRINTED = [
    ("true", "t"),
    ("false", "f"),
    ("cast(null as boolean)", ""),
    ("cast(-5 as smallint)", "-5"),
    ("cast(9223372036854775807 as bigint)", "9223372036854775807"),
    ("cast(-0.5 as decimal(8,2))", "-0.50"),
    ("cast(0.1 as float8) + cast(0.2 as float8)", "0.3"),
    ("cast(1 as float8) / 3", "0.333333333333333"),
    ("cast(1e20 as float8)", "1e+20"),
    ("cast(100000 as float8)", "100000"),
    ("cast(0.1 as real)", "0.1"),
    ("cast('NaN' as float8)", "NaN"),
    ("cast('-Infinity' as float8)", "-Infinity"),
    ("cast(null as float8)", ""),
    ("cast('2014-11-02' as date)", "2014-11-02"),
    ("cast('2014-11-02 01:00:00' as timestamp)", "2014-11-02 01:00:00"),
    ("cast('2014-11-02 01:00:00.120' as timestamp)", "2014-11-02 01:00:00.12"),
    ("cast('2014-11-02 01:00:00.000001' as timestamp)", "2014-11-02 01:00:00.000001"),
    ("cast('2014-11-02 01:00:00+02' as timestamptz)", "2014-11-01 23:00:00+00"),
    ("cast('01:02:03' as time)", "01:02:03"),
    ("'Zürich'", "Zürich"),
    ("cast(null as varchar)", ""),
    ("''", ""),
]


def test_values_are_printed_as_redshift_prints_them(session: restframe.Session, unload: Run) -> None:
    unload("select " + ", ".join(f"{value} as v{number}" for number, (value, _) in enumerate(PRINTED)))
    printed = content(session).removesuffix("\n").split("|")
    assert list(zip([value for value, _ in PRINTED], printed, strict=True)) == PRINTED


def test_super_and_varbyte(session: restframe.Session, unload: Run) -> None:
    session.execute("create table s (d super, b varbyte)")
    session.connection.run("""INSERT INTO public.s VALUES ('{"a": [1, null]}', '\\xAB\\x01'::BLOB), (NULL, NULL)""")
    unload("select * from s", "null as 'x'")
    assert content(session) == '{"a":[1,null]}|ab01\nnull|x\n'


# Delimited text


VALUES = """select 1 as id, 'plain' as name, true as ok union all select 2, 'a|b', false
union all select 3, 'it''s "c\\\\d"', null union all select 4, null, true union all select 5, '', true order by 1"""


def test_text_is_pipe_delimited_and_nothing_else(session: restframe.Session, unload: Run) -> None:
    unload(VALUES)
    assert content(session) == '1|plain|t\n2|a|b|f\n3|it\'s "c\\d"|\n4||t\n5||t\n'


def test_header_null_and_delimiter(session: restframe.Session, unload: Run) -> None:
    unload(VALUES, "header null as '\\\\N' delimiter '\\t'")
    assert content(session) == 'id\tname\tok\n1\tplain\tt\n2\ta|b\tf\n3\tit\'s "c\\d"\t\\N\n4\t\\N\tt\n5\t\tt\n'


def test_escape_puts_a_backslash_before_what_a_reader_would_trip_over(session: restframe.Session, unload: Run) -> None:
    unload(VALUES, "escape")
    assert content(session).splitlines()[1:3] == ["2|a\\|b|f", '3|it\'s "c\\\\d"|']
    unload("select 'a' || chr(10) || 'b' || chr(13) || 'c'", "escape allowoverwrite")
    assert content(session) == "a\\\nb\\\rc\n"


def test_addquotes_quotes_every_value_that_is_not_null(session: restframe.Session, unload: Run) -> None:
    unload(VALUES, "addquotes header")
    assert content(session).splitlines()[:2] == ['"id"|"name"|"ok"', '"1"|"plain"|"t"']
    assert content(session).splitlines()[4:] == ['"4"||"t"', '"5"|""|"t"']
    unload(VALUES, "addquotes escape allowoverwrite")
    assert content(session).splitlines()[2] == '"3"|"it\\\'s \\"c\\\\d\\""|'


# CSV


def test_csv_quotes_only_what_needs_it(session: restframe.Session, unload: Run) -> None:
    unload(
        """select 1 as "a,b", 'plain' as c union all select 2, 'x,y' union all select 3, 'say "hi"'
        union all select 4, 'two' || chr(10) || 'lines' union all select 5, '' union all select 6, null
        union all select 7, 'a' || chr(13) union all select 8, 'a|b' order by 1""",
        "format as csv header",
    )
    assert content(session) == ('"a,b",c\n1,plain\n2,"x,y"\n3,"say ""hi"""\n4,"two\nlines"\n5,""\n6,\n7,"a\r"\n8,a|b\n')


def test_csv_with_another_delimiter_and_null(session: restframe.Session, unload: Run) -> None:
    unload(VALUES, "csv delimiter '|' null 'plain'")
    assert content(session) == '1|"plain"|t\n2|"a|b"|f\n3|"it\'s ""c\\d"""|plain\n4|plain|t\n5||t\n'


def test_a_delimiter_that_stands_in_numbers_is_quoted_there_too(session: restframe.Session, unload: Run) -> None:
    unload("select -1 as a, cast('2014-11-02' as date) as b, 2 as c", "csv delimiter '-'")
    assert content(session) == '"-1"-"2014-11-02"-2\n'


# Fixed width and JSON


def test_fixed_width_pads_and_never_cuts(session: restframe.Session, unload: Run) -> None:
    unload(VALUES, "fixedwidth 'id:3,name:12,ok:2' null as '@'")
    assert content(session).splitlines() == [
        "1  plain       t ",
        "2  a|b         f ",
        '3  it\'s "c\\d"  @ ',
        "4  @           t ",
        "5              t ",
    ]
    with pytest.raises(errors.Error, match='a value of column "name" is longer than its width of 4 characters'):
        unload(VALUES, "fixedwidth 'id:3,name:4,ok:2' allowoverwrite")
    with pytest.raises(errors.InvalidParameterValue, match="specification has 2 columns, the query has 3"):
        unload(VALUES, "fixedwidth 'id:3,name:4' allowoverwrite")
    assert content(session).count("\n") == 5


def test_json_is_one_object_a_line(session: restframe.Session, unload: Run) -> None:
    unload(
        """select 4 as venueid, 'Columbus "Crew" ü' as name, cast(1.50 as decimal(5,2)) as price, true as ok,
        cast('2014-11-02 01:00' as timestamp) as "when", cast(null as int) as n, cast(0.5 as float8) as f,
        cast('NaN' as float8) as nan""",
        "json",
    )
    assert content(session) == (
        '{"venueid":4,"name":"Columbus \\"Crew\\" ü","price":1.50,"ok":"t","when":"2014-11-02 01:00:00","n":null,'
        '"f":0.5,"nan":"NaN"}\n'
    )


def test_json_keeps_super_values_as_they_are(session: restframe.Session, unload: Run) -> None:
    session.execute("create table s (d super, b varbyte)")
    session.connection.run("""INSERT INTO public.s (d) VALUES ('{"a":[1,"x"]}'), (NULL)""")
    unload("select d from s", "json")
    assert [json.loads(one) for one in content(session).splitlines()] == [{"d": {"a": [1, "x"]}}, {"d": None}]
    with pytest.raises(errors.NotSupportedError, match='column "b" of type varbyte cannot be unloaded to JSON'):
        unload("select b from s", "json allowoverwrite")
    with pytest.raises(errors.DuplicateColumn, match='column "d" stands in the query twice'):
        unload("select d, d from s", "json allowoverwrite")


# Objects


def test_a_parallel_unload_has_two_slices_with_headers_of_their_own(session: restframe.Session, unload: Run) -> None:
    result = unload("select 1 as a union all select 2 order by 1", "csv header", parallel=True)
    assert keys(session.storage) == ["r_0000_part_00", "r_0001_part_00"]
    assert [content(session, key) for key in keys(session.storage)] == ["a\n1\n", "a\n2\n"]
    assert (result.command, result.row_count) == ("UNLOAD", 2)
    assert result.notices[-1].message == "UNLOAD completed, 2 record(s) unloaded successfully"


def test_rows_are_shared_evenly_and_stay_in_order(session: restframe.Session, unload: Run) -> None:
    many_rows(session, 200_001)
    unload("select * from many order by i", parallel=True)
    slices = [content(session, key).splitlines() for key in keys(session.storage)]
    assert [len(lines) for lines in slices] == [100_001, 100_000]
    numbers = [[int(line.split("|")[0]) for line in lines] for lines in slices]
    assert all(one == sorted(one) for one in numbers)
    assert sorted(numbers[0] + numbers[1]) == list(range(200_001))
    assert all(max(np.diff(one)) < 5000 for one in numbers)  # each is of the whole result


@pytest.mark.parametrize("format_", ["", "parquet"])
def test_each_slice_of_a_small_result_is_all_of_it_thinned(
    session: restframe.Session, unload: Run, format_: str
) -> None:
    session.execute("create table hours (hour int, vendor int)")
    session.connection.run("INSERT INTO public.hours SELECT i // 2, i % 2 + 1 FROM range(200) rows(i)")
    unload("select * from hours order by hour, vendor", format_, parallel=True)
    session.execute("create table half (like hours)")
    (kept, _) = keys(session.storage)
    session.execute(f"copy half from 's3://out/{kept}' iam_role default {format_}")
    by_vendor = session.execute("select vendor, count(*), min(hour), max(hour) from half group by 1 order by 1")
    assert by_vendor.fetchall() == [(1, 50, 0, 99), (2, 50, 1, 98)]


def test_a_serial_unload_is_in_the_order_of_the_query(session: restframe.Session, unload: Run) -> None:
    many_rows(session, 200_000)
    unload("select i from many order by i desc")
    assert keys(session.storage) == ["r_000"]
    assert content(session).split() == [str(i) for i in reversed(range(200_000))]


def test_no_rows_make_no_objects(session: restframe.Session, unload: Run) -> None:
    result = unload("select 1 as a where false", "csv header manifest", parallel=True)
    assert result.row_count == 0
    assert keys(session.storage) == ["r_manifest"]
    assert json.loads(content(session, "r_manifest")) == {"entries": []}


@pytest.mark.parametrize(
    ("options", "key", "read"),
    [
        ("gzip", "r_000.gz", gzip.decompress),
        ("bzip2", "r_000.bz2", bz2.decompress),
        ("zstd", "r_000.zst", lambda data: pa.input_stream(pa.py_buffer(data), "zstd").read()),
        ("gzip extension 'txt.gz'", "r_000.txt.gz", gzip.decompress),
        ("extension '.tbl'", "r_000.tbl", bytes),
    ],
)
def test_compression_and_extensions(
    session: restframe.Session, unload: Run, options: str, key: str, read: Callable[[bytes], bytes]
) -> None:
    unload("select 'é' as a", f"header {options}")
    assert keys(session.storage) == [key]
    assert read(session.storage.read(ObjectUrl("out", key))) == "a\né\n".encode()


def test_no_file_is_larger_than_the_limit(session: restframe.Session, unload: Run) -> None:
    many_rows(session, 900_000)
    unload("select i, name, name from many order by i", "header maxfilesize 5 mb manifest verbose")
    found = list(session.storage.list(ObjectUrl("out", "r_0")))
    assert [info.url.key for info in found] == [f"r_{number:03d}" for number in range(len(found))]
    assert len(found) == 5
    assert all(4_900_000 < info.size_bytes <= 5 << 20 for info in found[:-1])
    lines = [content(session, info.url.key).splitlines() for info in found]
    assert all(one[0] == "i|name|name" for one in lines)
    assert [int(line.split("|")[0]) for one in lines for line in one[1:]] == list(range(900_000))
    entries = json.loads(content(session, "r_manifest"))["entries"]
    assert [entry["meta"]["record_count"] for entry in entries] == [len(one) for one in lines]


def test_parquet(session: restframe.Session, unload: Run, tmp_path: Path) -> None:
    unload(
        """select 1 as a, 'x' as b, cast(1.5 as decimal(5,2)) as c, cast('2014-11-02 01:00' as timestamp) as d,
        cast('2014-11-02 01:00+02' as timestamptz) as e, true as f, cast('2014-11-02' as date) as g""",
        "format parquet",
        parallel=True,
    )
    assert keys(session.storage) == ["r_0000_part_00.parquet"]
    file = pq.ParquetFile(tmp_path / "s3/out/r_0000_part_00.parquet")
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"
    assert file.schema_arrow.field("e").type == pa.timestamp("us")
    assert [str(value) for value in file.read().to_pylist()[0].values()] == [
        "1", "x", "1.50", "2014-11-02 01:00:00", "2014-11-01 23:00:00", "True", "2014-11-02",
    ]  # fmt: skip


def test_parquet_is_cut_into_row_groups_and_files(session: restframe.Session, unload: Run, tmp_path: Path) -> None:
    session.execute("create table wide (i bigint, s varchar(200))")
    session.connection.run(
        "INSERT INTO public.wide SELECT i, md5(i::VARCHAR) || md5((i+1)::VARCHAR) FROM range(1200000) t(i)"
    )
    unload("select * from wide order by i", "parquet rowgroupsize 32 maxfilesize 32 mb")
    files = [pq.ParquetFile(tmp_path / "s3/out" / key) for key in keys(session.storage)]
    assert [file.num_row_groups for file in files] == [2, 1]
    assert [row for file in files for row in file.read(["i"])["i"].to_pylist()] == list(range(1_200_000))
    groups = [file.metadata.row_group(n).total_byte_size for file in files for n in range(file.num_row_groups)]
    assert all(20 << 20 < size < 48 << 20 for size in groups[:-1])


# Partitions


def test_partitions_are_folders_as_hive_names_them(session: restframe.Session, unload: Run) -> None:
    unload(
        """select 1 as id, 'a/b' as place, cast('2014-11-02' as date) as day union all select 2, null, '2014-11-02'
        union all select 3, '..', '2014-11-03' union all select 4, 'a/b', '2014-11-02' order by 1""",
        "csv header partition by (day, place)",
        target="s3://out/rides",
    )
    assert {key: content(session, key) for key in keys(session.storage)} == {
        "rides/day=2014-11-02/place=__HIVE_DEFAULT_PARTITION__/000": "id\n2\n",
        "rides/day=2014-11-02/place=a%2Fb/000": "id\n1\n4\n",
        "rides/day=2014-11-03/place=../000": "id\n3\n",
    }


def test_included_partition_columns_stay_in_the_files(session: restframe.Session, unload: Run) -> None:
    many_rows(session, 50_000)
    unload(
        "select i % 3 as part, i from many order by i",
        "partition by (part) include manifest gzip",
        parallel=True,
        target="s3://out/",
    )
    assert keys(session.storage) == [
        "manifest",
        *(f"part={part}/000{number}_part_00.gz" for part in range(3) for number in range(2)),
    ]
    text = gzip.decompress(session.storage.read(ObjectUrl("out", "part=1/0000_part_00.gz"))).decode()
    rows = [tuple(map(int, line.split("|"))) for line in text.splitlines()]
    assert len(rows) == 8333
    assert rows == sorted(rows)
    assert all(part == 1 and i % 3 == 1 for part, i in rows)


def test_what_cannot_be_partitioned_by_is_refused_with_its_place(session: restframe.Session, unload: Run) -> None:
    text = "unload ('select 1 as a, 2 as b') to 's3://out/r_' partition by (a, missing)"
    with pytest.raises(errors.UndefinedColumn, match='PARTITION BY column "missing" is not in the query') as caught:
        session.execute(text)
    assert caught.value.position == text.index("missing") + 1
    with pytest.raises(errors.InvalidDefinition, match="PARTITION BY must leave a column to unload"):
        unload("select 1 as a", "partition by (a)")


# Manifests


def test_a_manifest_lists_the_files(session: restframe.Session, unload: Run) -> None:
    unload("select 1 as a union all select 2", "manifest", parallel=True, target="s3://out/my dir/v_")
    assert content(session, "my dir/v_manifest") == (
        '{\n  "entries": [\n    {"url":"s3://out/my dir/v_0000_part_00"},\n'
        '    {"url":"s3://out/my dir/v_0001_part_00"}\n  ]\n}\n'
    )


def test_a_verbose_manifest_adds_sizes_lines_and_types(session: restframe.Session, unload: Run) -> None:
    unload("select 1 as a, cast(2 as decimal(8,2)) as b, 'x' as c", "manifest verbose header")
    assert json.loads(content(session, "r_manifest")) == {
        "entries": [{"url": "s3://out/r_000", "meta": {"content_length": 15, "record_count": 2}}],
        "schema": {
            "elements": [
                {"name": "a", "type": {"base": "integer"}},
                {"name": "b", "type": {"base": "numeric", "precision": 8, "scale": 2}},
                {"name": "c", "type": {"base": "character varying", "max_length": 65535}},
            ]
        },
        "meta": {"content_length": 15, "record_count": 2},
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }


# What is there already


def test_a_target_that_is_not_empty_is_left_alone(session: restframe.Session, unload: Run) -> None:
    session.storage.put(ObjectUrl("out", "r_other"), b"old")
    with pytest.raises(errors.StorageError, match="Specified unload destination on S3 is not empty") as caught:
        unload("select 1")
    assert "ALLOWOVERWRITE" in caught.value.message
    assert keys(session.storage) == ["r_other"]
    unload("select 1", target="s3://out/s_")


def test_allowoverwrite_replaces_and_leaves_the_rest(session: restframe.Session, unload: Run) -> None:
    for key in ("r_000", "r_001", "r_manifest"):
        session.storage.put(ObjectUrl("out", key), b"old")
    unload("select 1", "allowoverwrite")
    assert {key: content(session, key) for key in keys(session.storage)} == {
        "r_000": "1\n",
        "r_001": "old",
        "r_manifest": "old",
    }


def test_cleanpath_removes_what_stood_below_the_target(session: restframe.Session, unload: Run) -> None:
    for key in ("r_000", "r_001", "r_sub/x", "s"):
        session.storage.put(ObjectUrl("out", key), b"old")
    unload("select 1", "cleanpath")
    assert {key: content(session, key) for key in keys(session.storage)} == {"r_000": "1\n", "s": "old"}


def test_cleanpath_with_partitions_removes_only_from_their_folders(session: restframe.Session, unload: Run) -> None:
    for key in ("t/p=1/old", "t/p=2/old", "t/old"):
        session.storage.put(ObjectUrl("out", key), b"old")
    unload("select 1 as p, 2 as v", "cleanpath partition by (p)", target="s3://out/t")
    assert keys(session.storage) == ["t/old", "t/p=1/000", "t/p=2/old"]


# All or nothing


def test_an_error_half_way_leaves_nothing(session: restframe.Session, unload: Run, tmp_path: Path) -> None:
    many_rows(session, 300_000)
    session.storage.put(ObjectUrl("out", "r_000"), b"old")
    with pytest.raises(errors.Error):
        unload("select i, 10 / (i - 290000) from many", "allowoverwrite manifest", parallel=True)
    assert keys(session.storage) == ["r_000"]
    assert list((tmp_path / "s3/.restframe/temporary").iterdir()) == []


def test_an_error_in_the_query_has_its_place_in_the_statement(session: restframe.Session) -> None:
    text = "unload ('select ''a'', ''b'' from missing') to 's3://out/r_' iam_role default"
    with pytest.raises(errors.UndefinedTable) as caught:
        session.execute(text)
    assert caught.value.position == text.index("missing") + 1


def test_bad_targets_are_refused(session: restframe.Session, unload: Run) -> None:
    with pytest.raises(errors.InvalidParameterValue, match='invalid bucket name "Out"') as caught:
        unload("select 1", target="s3://Out/r_")
    assert caught.value.position is not None


def test_options_without_effect_are_said(session: restframe.Session, unload: Run) -> None:
    result = unload("select 1", "region 'eu-west-1' encrypted")
    assert [notice.message.split()[0] for notice in result.notices] == ["REGION", "ENCRYPTED", "UNLOAD"]


def test_progress_is_told_in_percent(session: restframe.Session, unload: Run) -> None:
    many_rows(session, 1_000_000)
    told: list[tuple[float, float]] = []
    session.on_progress = lambda done, total: told.append((done, total))
    unload("select * from many")
    assert len({done for done, _ in told}) > 2
    assert told == sorted(told)
    assert {total for _, total in told} == {100}


def test_a_cancelled_unload_leaves_nothing(session: restframe.Session, unload: Run, tmp_path: Path) -> None:
    many_rows(session, 3_000_000)
    temporary = tmp_path / "s3/.restframe/temporary"

    def cancel() -> None:
        while not any(path.stat().st_size for path in temporary.glob("*")):
            time.sleep(0.005)
        session.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(errors.QueryCanceled):
        unload("select a.i, b.name, b.name from many a, many b", "gzip", parallel=True)
    thread.join()
    assert keys(session.storage) == []
    assert list(temporary.iterdir()) == []


def test_a_full_disk_leaves_nothing(tmp_path: Path, small_disk: Path) -> None:
    with (
        restframe.open(tmp_path / "w", buckets_directory=small_disk) as warehouse,
        warehouse.session() as session,
    ):
        many_rows(session, 300_000)
        with pytest.raises(errors.DiskFull, match='no space left for "s3://out/r_000'):
            session.execute("unload ('select * from many') to 's3://out/r_' iam_role default")
        assert keys(warehouse.storage) == []
        session.execute("unload ('select * from many where i < 9') to 's3://out/r_' iam_role default")


_KILLED = """
import os, signal, sys, threading, time
import restframe
with restframe.open(sys.argv[1]) as warehouse, warehouse.session() as session:
    def kill():
        time.sleep(float(sys.argv[2]))
        os.kill(os.getpid(), signal.SIGKILL)
    print("ready", flush=True)
    threading.Thread(target=kill, daemon=True).start()
    session.execute("unload ('select * from many') to 's3://out/r_' iam_role default manifest")
    print("done", flush=True)
    time.sleep(300)
"""


@pytest.mark.slow
def test_killed_at_any_time_an_unload_happened_or_did_not(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse, warehouse.session() as session:
        many_rows(session, 400_000)
    whole = ["r_0000_part_00", "r_0001_part_00", "r_manifest"]
    for delay_s in (0.01, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5):
        done = subprocess.run(
            [sys.executable, "-c", _KILLED, str(tmp_path), str(delay_s)], capture_output=True, text=True, timeout=300
        )
        assert done.stdout.startswith("ready"), done.stderr
        with restframe.open(tmp_path) as warehouse:
            found = keys(warehouse.storage)
            assert found in ([], whole)
            assert found == whole or "done" not in done.stdout
            for key in found:
                warehouse.storage.delete(ObjectUrl("out", key))
            assert list((tmp_path / "s3/.restframe").glob("temporary/*")) == []


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """The peak of a child process that unloads 400 MB stays far below that."""
    script = """
import resource, sys
import restframe
with restframe.open(sys.argv[1], threads=1, memory_limit="200MB") as warehouse, warehouse.session() as session:
    session.execute("create table wide (i bigint, s varchar(200))")
    session.connection.run("INSERT INTO public.wide SELECT i, repeat('x', 90) FROM range(4000000) t(i)")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    session.execute("unload ('select * from wide') to 's3://out/r_' iam_role default")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    grown = int(re.findall(r"\d+", done.stdout)[-1]) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 150_000_000
