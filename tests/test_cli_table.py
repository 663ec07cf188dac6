"""Rows as a table, written while they stream."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from restframe.cli.table import Style, write_table
from restframe.result import Column, Result
from restframe.types import SqlType

TEXT = SqlType("varchar", length=100)
NUMBER = SqlType("int8")


def _table(result: Result, style: Style | None = None) -> str:
    lines: list[str] = []
    write_table(result, lines.append, style or Style())
    return "".join(lines)


def test_numbers_stand_on_the_right_and_nulls_are_named() -> None:
    result = Result.of_rows([("name", TEXT), ("rides", NUMBER)], [("Kim", 7), (None, None), ("", 1234)])
    assert _table(result) == (
        " name │ rides\n"
        "──────┼───────\n"
        " Kim  │     7\n"
        " NULL │  NULL\n"
        "      │  1234\n"
        "(3 rows)\n"
    )  # fmt: skip


def test_wide_characters_take_two_columns() -> None:
    result = Result.of_rows([("city", TEXT), ("n", NUMBER)], [("東京", 1), ("Oslo", 2)])
    assert _table(result).splitlines()[2:4] == [" 東京 │ 1", " Oslo │ 2"]


def test_a_value_cannot_reach_the_terminal() -> None:
    result = Result.of_rows([("v", TEXT)], [("\x1b[2Jgone\nnext\u202e",)])
    assert r"\x1b[2Jgone\nnext\u202e" in _table(result)


def test_expanded_rows_have_a_line_per_value() -> None:
    result = Result.of_rows([("Key", TEXT), ("n", NUMBER)], [("a", 1), ("b", None)])
    lines = _table(result, Style(expanded=True)).splitlines()
    assert lines[0].startswith("─[ 1 ]─")
    assert lines[1:3] == ["Key │ a", "n   │ 1"]
    assert lines[5:] == ["n   │ NULL", "(2 rows)"]


def test_no_rows_and_one_row_are_counted_in_english() -> None:
    assert _table(Result.of_rows([("n", NUMBER)], [])).splitlines() == [" n", "───", "(0 rows)"]
    assert _table(Result.of_rows([("n", NUMBER)], [(1,)])).splitlines()[-1] == "(1 row)"


def test_a_limit_reads_no_more_than_it_shows() -> None:
    read = []

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, 1_000_000, 1000):
            read.append(start)
            yield pa.record_batch({"n": pa.array(range(start, start + 1000), pa.int64())})

    result = Result((Column("n", NUMBER),), "SELECT", 0, _batches=batches())
    shown = _table(result, Style(limit=5))
    assert shown.splitlines()[-2:] == [" 4", "(the first 5 rows; there are more)"]
    assert len(read) <= 2
    assert not result.streams


def test_rows_are_written_as_they_come() -> None:
    written: list[str] = []
    seen_while_reading = []

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, 5000, 1000):
            seen_while_reading.append(len(written))
            yield pa.record_batch({"n": pa.array(range(start, start + 1000), pa.int64())})

    write_table(Result((Column("n", NUMBER),), "SELECT", 0, _batches=batches()), written.append, Style())
    # the first thousand rows decide the widths; after that, each batch is out before the next is read
    assert seen_while_reading == [0, 1002, 2002, 3002, 4002]
