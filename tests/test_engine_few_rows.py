"""Few rows take another way out of the engine than many: the same values, types, errors and interrupts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from restframe import errors
from restframe.engine.duckdb import DuckDB, DuckDBConnection
from restframe.settings import load

Interrupted = Callable[[DuckDBConnection], AbstractContextManager[None]]
VALUES = (
    "1::tinyint", "(-32768)::smallint", "2147483647", "(-9223372036854775808)::bigint", "200::utinyint",
    "18446744073709551615::ubigint", "1.5::float", "'nan'::double", "'-inf'::double", "true", "null", "''", "'naïve'",
    "0.10::decimal(4,2)", "-99999999999999999999999999999999999999::decimal(38,0)", "'a\\x00'::blob",
    """'{"a": [1, null]}'::json""", "date '2024-02-29'", "date 'infinity'", "date '-infinity'",
    "date '0044-03-15 (BC)'", "date '9999-12-31'", "date '0001-01-01'", "date '5881580-07-10'",
    "date '5877642-06-25 (BC)'", "date '0001-02-29 (BC)'", "date '12000-02-29'", "date '12000-03-01'",
    "timestamp '2024-02-29 23:59:59.999999'", "timestamp '1969-12-31 23:59:59.5'",
    "timestamp '20000-01-01 00:00:00.000001'", "timestamp 'infinity'", "timestamp '-infinity'",
    "timestamp '9999-12-31 23:59:59.999999'", "timestamp '0001-01-01'", "timestamp '290308-12-22 (BC) 00:00:00'",
    "timestamp '0044-03-15 (BC) 12:00:00.5'", "timestamptz '2024-07-01 12:00:00+02'", "time '24:00:00'",
    "'10:00:00+02'::timetz", "interval '1 month -3 days 4 hours'", "[1, null, 3]", "['a']",
    "170141183460469231731687303715884105727::hugeint",
)  # fmt: skip


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[DuckDBConnection]:
    engine = DuckDB(None, load(tmp_path))
    opened = engine.connect()
    yield opened
    opened.close()
    engine.close()


def read(connection: DuckDBConnection, sql: str, parameters: tuple[Any, ...] = (), *, few: bool) -> pa.Table:
    return pa.Table.from_batches(connection.stream(sql, parameters, few=few).batches)


@pytest.mark.parametrize("value", VALUES)
def test_values_and_types_are_the_same_both_ways(connection: DuckDBConnection, value: str) -> None:
    sql = f"select {value} as a union all select null"
    streamed = read(connection, sql, few=False)
    at_once = read(connection, sql, few=True)
    assert at_once.schema.equals(streamed.schema)
    assert str(at_once["a"]) == str(streamed["a"])  # also where NaN is not equal to itself


def test_dates_and_time_stamps_need_no_arrow(connection: DuckDBConnection) -> None:
    found = connection.stream("select date '2024-02-29' as d, timestamp '2024-02-29 12:00:00.000001' as t", few=True)
    assert found.complete
    assert [batch.to_pylist() for batch in found.batches] == [
        [{"d": date(2024, 2, 29), "t": datetime(2024, 2, 29, 12, 0, 0, 1)}]
    ]


def test_few_rows_are_here_before_they_are_read(connection: DuckDBConnection) -> None:
    first = connection.stream("select 1 as a", few=True)
    assert first.complete
    assert connection.run("select 2") == [(2,)]
    assert [batch.to_pydict() for batch in first.batches] == [{"a": [1]}]


def test_no_rows_are_a_batch_of_none(connection: DuckDBConnection) -> None:
    assert read(connection, "select 1 as a, 'x' as b where false", few=True).to_pydict() == {"a": [], "b": []}


def test_many_rows_where_few_were_expected_stream(connection: DuckDBConnection) -> None:
    stream = connection.stream("select i from range(20000) t(i)", few=True)
    assert not stream.complete
    assert sum(pa.compute.sum(batch["i"]).as_py() for batch in stream.batches) == 199_990_000
    assert connection.run("select 2") == [(2,)]


def test_giving_up_on_more_rows_than_expected_frees_the_connection(connection: DuckDBConnection) -> None:
    connection.begin()
    connection.run("create table t (i int)")
    stream = connection.stream("select i from range(20000) t(i)", few=True)
    next(stream.batches)
    stream.batches.close()
    connection.commit()
    assert connection.run("select count(*) from t") == [(0,)]


def test_what_had_few_rows_is_expected_to_have_few_until_it_has_not(connection: DuckDBConnection) -> None:
    sql = "select i from range($1) t(i)"
    complete = []
    for rows in (3, 3, 10_000, 3, 3):
        stream = connection.stream(sql, (rows,))
        assert sum(batch.num_rows for batch in stream.batches) == rows
        complete.append(stream.complete)
    assert complete == [False, True, False, False, False]


def test_names_are_looked_up_anew_in_a_statement_that_is_known(connection: DuckDBConnection) -> None:
    for definition, expected in (("1 as a", {"a": [1]}), ("'x' as a, 2 as b", {"a": ["x"], "b": [2]})):
        connection.run(f"create or replace temp table t as select {definition}")
        assert read(connection, "select * from t", few=True).to_pydict() == expected
        assert read(connection, "select * from t", few=False).to_pydict() == expected


@pytest.mark.parametrize(
    ("sql", "error"), [("select 1/0", errors.DivisionByZero), ("select n", errors.UndefinedColumn)]
)
def test_errors_are_ours_and_leave_the_connection_free(
    connection: DuckDBConnection, sql: str, error: type[errors.Error]
) -> None:
    for _ in range(2):
        with pytest.raises(error):
            connection.stream(sql, few=True)
    assert connection.run("select 1") == [(1,)]


def test_an_aggregate_that_takes_long_can_be_interrupted(
    connection: DuckDBConnection, interrupted: Interrupted
) -> None:
    with interrupted(connection), pytest.raises(errors.QueryCanceled):
        connection.stream("select count(*) from range(10000000) a(i), range(10000000) b(j) where i <> j", few=True)
    assert read(connection, "select 1 as a", few=True).to_pydict() == {"a": [1]}
