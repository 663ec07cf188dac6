"""The embedded engine: errors in our words, functions, interrupts that hit only what they were meant for."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa
import pytest

from restframe import errors
from restframe.engine.conditions import translate_error
from restframe.engine.duckdb import DuckDB, DuckDBConnection
from restframe.settings import load
from restframe.types import SqlType

INT = SqlType("int4")
Interrupted = Callable[[DuckDBConnection], AbstractContextManager[None]]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[DuckDB]:
    opened = DuckDB(None, load(tmp_path))
    yield opened
    opened.close()


@pytest.fixture
def connection(engine: DuckDB) -> Iterator[DuckDBConnection]:
    opened = engine.connect()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("select nope from range(3)", errors.UndefinedColumn, 'column "nope" does not exist'),
        ("select * from nowhere", errors.UndefinedTable, 'relation "nowhere" does not exist'),
        ("select 1/0", errors.DivisionByZero, "division by zero"),
        ("select 'x'::int", errors.InvalidTextRepresentation, 'invalid input syntax for type integer: "x"'),
        ("select date '2020-13-01'", errors.InvalidDatetime, "date/time field value out of range"),
        ("select 300::tinyint", errors.NumericValueOutOfRange, "out of range"),
        (
            "select cast('restframe failure: [22001] value too long' as integer)",
            errors.StringDataRightTruncation,
            "^value too long$",
        ),
        ("select nothing_like(1)", errors.UndefinedFunction, "function nothing_like does not exist"),
        ("select a, count(*) from (select 1 a, 2 b) group by b", errors.GroupingError, "must appear in the GROUP BY"),
        ("select (select i from range(3) t(i))", errors.DataError, "more than one row"),
        ("selec 1", errors.SyntaxError, "syntax error"),
        # the engine cuts what it quotes in the middle of a character
        ("select json(repeat('é', 300))", errors.InvalidTextRepresentation, 'malformed JSON .* Input: "é+[.]{3}"$'),
    ],
)
def test_errors_are_ours(connection: DuckDBConnection, sql: str, error: type[errors.Error], message: str) -> None:
    with pytest.raises(error, match=message):
        connection.run(sql)


def test_a_null_in_a_not_null_column_names_the_column(connection: DuckDBConnection) -> None:
    connection.run("create table t (amount int not null)")
    with pytest.raises(errors.NotNullViolation, match='column "amount"'):
        connection.run("insert into t values (null)")


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "copy (select 1) to '/tmp/restframe-stolen.csv'",
        "attach '/tmp/restframe-other.db'",
        "set enable_external_access = true",
        "install httpfs",
    ],
)
def test_the_engine_reaches_no_file_of_the_server(connection: DuckDBConnection, sql: str) -> None:
    with pytest.raises(errors.Error):
        connection.run(sql)


def test_the_spool_and_the_buckets_are_open_to_commands(connection: DuckDBConnection, tmp_path: Path) -> None:
    (tmp_path / "s3" / "a.csv").write_text("x\n1\n")
    assert connection.run(f"select * from read_csv('{tmp_path}/s3/a.csv')") == [(1,)]


def test_a_table_name_never_means_a_python_variable(connection: DuckDBConnection) -> None:
    rows = pa.table({"a": [1]})
    assert rows.num_rows == 1
    with pytest.raises(errors.UndefinedTable):
        connection.run("select * from rows")


def test_an_error_in_a_function_comes_out_as_itself(connection: DuckDBConnection) -> None:
    raised = errors.EndpointFailed('endpoint "e" answered 500', hint="Look at its log.")

    def fail(column: pa.ChunkedArray) -> pa.Array:
        raise raised

    connection.create_function("failing", fail, [INT], INT)
    with pytest.raises(errors.EndpointFailed) as caught:
        connection.run("select failing(i::int) from range(5) t(i)")
    assert caught.value is raised


def test_functions_see_nulls_and_work_inside_transactions(connection: DuckDBConnection) -> None:
    connection.begin()
    connection.run("create table t as select 1 as a union all select null")
    connection.create_function("same", lambda column: column.combine_chunks(), [INT], INT)
    assert connection.run("select same(a) from t order by a") == [(1,), (None,)]
    connection.rollback()
    with pytest.raises(errors.UndefinedFunction):
        connection.run("select same(1)")


def test_a_function_outlives_the_connection_that_made_it(engine: DuckDB, connection: DuckDBConnection) -> None:
    maker = engine.connect()
    maker.create_function("same", lambda column: column.combine_chunks(), [INT], INT)
    maker.close()
    del maker
    gc.collect()
    held = [lambda: None for _ in range(1000)]  # what would come to lie where a freed function was
    assert connection.run("select sum(same(i::int)) from range(5000) t(i)") == [(12_497_500,)]
    assert len(held) == 1000


def test_an_interrupt_stops_what_runs_and_nothing_later(connection: DuckDBConnection, interrupted: Interrupted) -> None:
    for _ in range(5):
        with interrupted(connection), pytest.raises(errors.QueryCanceled):
            connection.run("select count(*) from range(100000) a, range(1000000) b where a.range + b.range = 7")
        connection.interrupt()  # too late for anything
        assert connection.run("select 1") == [(1,)]


def test_an_interrupt_cannot_keep_a_transaction_from_ending(connection: DuckDBConnection) -> None:
    connection.run("create table t (a int)")
    for end in [connection.commit, connection.rollback] * 20:
        connection.begin()
        connection.run("insert into t values (1)")
        ended = threading.Event()

        def interrupt(ended: threading.Event = ended) -> None:
            while not ended.is_set():
                connection.interrupt()

        thread = threading.Thread(target=interrupt)
        thread.start()
        try:
            end()
        finally:
            ended.set()
            thread.join()
    assert connection.run("select count(*) from t") == [(20,)]


def test_an_interrupt_while_batches_are_read_stops_them(connection: DuckDBConnection, interrupted: Interrupted) -> None:
    stream = connection.stream("select i, i * 2 as x from range(1000000000000) t(i)")
    next(stream.batches)
    with interrupted(connection), pytest.raises(errors.QueryCanceled):
        for _ in stream.batches:
            pass
    assert connection.run("select 1") == [(1,)]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux alone")
def test_the_engines_own_threads_can_let_others_first(tmp_path: Path) -> None:
    before, mine = set(Path("/proc/self/task").iterdir()), os.getpriority(os.PRIO_PROCESS, 0)
    engine = DuckDB(None, load(tmp_path, engine_niceness=7, threads=3))
    own = set(Path("/proc/self/task").iterdir()) - before
    assert 7 in {os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in own}
    assert os.getpriority(os.PRIO_PROCESS, 0) == mine
    engine.close()


def test_batches_are_large_where_rows_are_narrow_and_small_where_they_are_wide(
    connection: DuckDBConnection,
) -> None:
    narrow = list(connection.stream("SELECT i FROM range(200000) AS g(i)").batches)
    assert [batch.num_rows for batch in narrow] == [65_536, 65_536, 65_536, 3_392]
    wide = list(connection.stream("SELECT repeat('x', 10000) AS x FROM range(5000)").batches)
    assert [batch.num_rows for batch in wide] == [2048, 2048, 904]
    few = list(connection.stream("SELECT i FROM range(5000) AS g(i)", batch_rows=1000).batches)
    assert sum(batch.num_rows for batch in few) == 5000
    assert max(batch.num_rows for batch in few) == 1000


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'could not write file "/srv/w/warehouse.duckdb": No space left on device',
            "no space left on the server's disk",
        ),
        ('Cannot open file "/srv/w/x y/a.tmp": Permission denied', 'cannot open file "a.tmp": Permission denied'),
    ],
)
def test_where_the_servers_files_are_is_not_told(said: str, told: str) -> None:
    assert translate_error(RuntimeError(f"IO Error: {said}")).message == told
