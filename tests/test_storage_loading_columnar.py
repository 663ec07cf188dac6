"""Parquet and ORC files as COPY reads them: by position, with types checked."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import resource
import signal
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from restframe import errors
from restframe.storage.loading.columnar import ColumnarReader
from restframe.storage.loading.columnar_process import processes
from restframe.storage.loading.fields import Column
from restframe.types import parse_type

NAME = "s3://bucket/data"


def read(path: Path, types: str, kind: Literal["parquet", "orc"] = "parquet") -> list[tuple[Any, ...]]:
    columns = [Column(f"c{i}", parse_type(text)) for i, text in enumerate(types.split(";"))]
    batches = ColumnarReader(kind, columns).read(path, NAME)
    return [row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]


def written(tmp_path: Path, *columns: Any, **options: Any) -> Path:
    tmp_path.mkdir(exist_ok=True)
    table = pa.table({f"x{i}": column for i, column in enumerate(columns)})
    pq.write_table(table, tmp_path / "file", **options)
    return tmp_path / "file"


def test_parquet_by_position(tmp_path: Path) -> None:
    when = datetime.datetime(2020, 1, 2, 3, 4, 5, 678901)
    path = written(
        tmp_path, pa.array([1, None], pa.int64()), pa.array(["a", "b"]), pa.array([Decimal("1.259"), None]),
        pa.array([1.5, None]), pa.array([True, None]), pa.array([when.date(), None]), pa.array([when, None]),
    )  # fmt: skip
    assert read(path, "int;varchar(5);decimal(8,2);float;bool;date;timestamp") == [
        (1, "a", Decimal("1.25"), 1.5, True, when.date(), when),
        (None, "b", None, None, None, None, None),
    ]


def test_orc(tmp_path: Path) -> None:
    orc.write_table(pa.table({"a": [1, 2], "b": ["x", None]}), tmp_path / "file")
    assert read(tmp_path / "file", "bigint;varchar(5)", "orc") == [(1, "x"), (2, None)]


def test_timestamps_of_any_unit_and_zone(tmp_path: Path) -> None:
    when = datetime.datetime(2020, 1, 2, 3, 4, 5)
    zone = pa.array([when], pa.timestamp("ms", "America/New_York"))
    path = written(tmp_path, pa.array([when], pa.timestamp("ns")), zone)
    assert read(path, "timestamp;timestamptz") == [(when, when.replace(tzinfo=datetime.UTC))]


def test_dictionaries_and_binary_text(tmp_path: Path) -> None:
    path = written(tmp_path, pa.array(["a", "b", "a"]).dictionary_encode(), pa.array([b"x", b"y", b"z"]))
    assert read(path, "varchar(5);varchar(5)") == [("a", "x"), ("b", "y"), ("a", "z")]


def test_nested_values_become_super(tmp_path: Path) -> None:
    path = written(tmp_path, pa.array([{"k": [1, 2]}, None]))
    assert read(path, "super") == [('{"k": [1, 2]}',), (None,)]


def test_the_numbers_of_columns_must_match(tmp_path: Path) -> None:
    with pytest.raises(errors.DatatypeMismatch) as caught:
        read(written(tmp_path, [1], [2]), "int")
    assert str(caught.value) == (
        "Unmatched number of columns between table and file. Table columns: 1, Data columns: 2, File name: s3://bucket/data"
    )


@pytest.mark.parametrize(
    ("column", "type_"),
    [
        (pa.array(["1"]), "int"), (pa.array([1]), "varchar(5)"), (pa.array([1.5]), "int"), (pa.array([1]), "float"),
        (pa.array([1]), "decimal(5,2)"), (pa.array(["2020-01-01"]), "date"), (pa.array([1]), "bool"),
    ],
)  # fmt: skip
def test_types_must_match(tmp_path: Path, column: pa.Array, type_: str) -> None:
    with pytest.raises(errors.DatatypeMismatch, match=r'column "c0" is of type .*, column "x0" of s3://bucket/data'):
        read(written(tmp_path, column), type_)


@pytest.mark.parametrize(
    ("column", "type_", "message"),
    [
        (pa.array([70_000]), "smallint", 'a value of column "c0" in s3://bucket/data does not fit smallint'),
        (pa.array([Decimal("1000.00")]), "decimal(5,2)", 'a value of column "c0" in s3://bucket/data does not fit'),
        (pa.array(["öö"]), "varchar(3)", "The length of the data column c0 is longer than the length defined"),
    ],
)
def test_values_must_fit(tmp_path: Path, column: pa.Array, type_: str, message: str) -> None:
    with pytest.raises(errors.DataError, match=message):
        read(written(tmp_path, column), type_)


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_damaged_files(tmp_path: Path, kind: Literal["parquet", "orc"]) -> None:
    path = tmp_path / "file"
    table = pa.table({"a": [f"value {i}" for i in range(10_000)]})
    if kind == "parquet":
        pq.write_table(table, path, compression="none", use_dictionary=False, write_page_checksum=True)
    else:
        orc.write_table(table, path)
    whole = path.read_bytes()
    assert len(read(path, "varchar(20)", kind)) == 10_000
    for damaged in (whole[: len(whole) // 2], b"", b"not a file of this kind at all", whole[:-9] + b"\xff" * 9):
        path.write_bytes(damaged)
        with pytest.raises(errors.CorruptObject, match='"s3://bucket/data" is damaged'):
            read(path, "varchar(20)", kind)


def test_a_damaged_page(tmp_path: Path) -> None:
    path = written(
        tmp_path, pa.array(range(10_000)), compression="none", use_dictionary=False, write_page_checksum=True
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)
    with pytest.raises(errors.CorruptObject, match='"s3://bucket/data" is damaged'):
        read(path, "bigint")


def test_texts_that_are_no_utf_8(tmp_path: Path) -> None:
    text = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xf9x"))
    with pytest.raises(errors.CorruptObject, match=r"is damaged: .*Invalid UTF8"):
        read(written(tmp_path, text), "varchar(5)")


# The process that reads


def child() -> int:
    """The one that waits for the next file."""
    return processes._idle[-1]._child.pid


def test_one_process_reads_file_after_file(tmp_path: Path) -> None:
    path = written(tmp_path, pa.array([1, 2]))
    assert read(path, "int") == [(1,), (2,)]
    first = child()
    with pytest.raises(errors.DatatypeMismatch):
        read(path, "varchar(5)")
    assert read(path, "int") == [(1,), (2,)]
    assert child() == first != os.getpid()


def test_a_file_that_ends_the_process_that_reads_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless")
    path = written(tmp_path, pa.array([1]))
    assert read(path, "int") == [(1,)]
    pid = child()
    reader = ColumnarReader("parquet", [Column("a", parse_type("int"))])
    with pytest.raises(errors.CorruptObject) as caught:
        list(reader.read(tmp_path / "endless", NAME, lambda: os.kill(pid, signal.SIGABRT)))
    assert caught.value.message == f'"{NAME}" is damaged: the process that read it ended with SIGABRT'
    assert read(path, "int") == [(1,)]
    assert child() != pid


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless")
    path = written(tmp_path, pa.array([1]))
    assert read(path, "int") == [(1,)]
    pid = child()

    def stop() -> None:
        raise errors.QueryCanceled("canceling statement due to user request")

    with pytest.raises(errors.QueryCanceled):
        list(ColumnarReader("parquet", [Column("a", parse_type("int"))]).read(tmp_path / "endless", NAME, stop))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert read(path, "int") == [(1,)]


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of another process can be set on Linux only")
def test_a_file_that_takes_too_much_memory(tmp_path: Path) -> None:
    """A few kilobytes that are two gigabytes when they are unpacked: one list of two million equal texts."""
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 2_000_000, pa.int32()), pa.array(["x" * 1000]))
    path = written(tmp_path, pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts))
    assert path.stat().st_size < 10_000
    assert read(written(tmp_path / "small", pa.array([1])), "int") == [(1,)]
    resource.prlimit(child(), resource.RLIMIT_DATA, (500_000_000, 500_000_000))
    with pytest.raises(errors.OutOfMemory, match=f'^"{NAME}" takes more than [0-9]+ MB of memory to read$'):
        read(path, "super")
    processes.end()  # nobody else is to read with so little


@pytest.mark.parametrize("kind", ["parquet", "orc"])
def test_files_with_flipped_bytes(tmp_path: Path, kind: Literal["parquet", "orc"]) -> None:
    table = pa.table({"a": [1, None, 3] * 50, "b": ["x", "yy", None] * 50, "c": [[1, 2], None, []] * 50})
    path = tmp_path / "file"
    pq.write_table(table, path) if kind == "parquet" else orc.write_table(table, path)
    whole, chance = path.read_bytes(), random.Random(5)
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(chance.choice([1, 2, 8])):
            content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        path.write_bytes(content)
        with contextlib.suppress(errors.CorruptObject, errors.DatatypeMismatch, errors.DataError, errors.OutOfMemory):
            read(path, "bigint;varchar(5);super", kind)
    path.write_bytes(whole)
    assert len(read(path, "bigint;varchar(5);super", kind)) == 150
