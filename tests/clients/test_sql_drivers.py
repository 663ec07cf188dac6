"""PostgreSQL's drivers for Python, unchanged, against a server: each is a program that has the environment which
`restframe env` prints. The function above a test is the program: its source is all that runs.

redshift_connector has test_redshift_connector.py, SQLAlchemy and pandas have test_sqlalchemy.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Run = Callable[..., Any]

# psycopg 3


def psycopg_values():
    import datetime as dt
    import decimal

    import psycopg

    values = (-1, -(2**40), 1.5, decimal.Decimal("-12.30"), "é€😀", dt.date(2020, 2, 29), True, None,
              dt.datetime(2020, 2, 29, 12, 30, 1, 5))  # fmt: skip
    seen = []
    with psycopg.connect() as connection:
        for binary in (False, True):
            with connection.cursor(binary=binary) as cursor:
                for _ in range(7):  # the driver prepares what it sends more than five times
                    cursor.execute("select %s, %s, %s, %s, %s::varchar, %s, %s, %s::int, %s", values)
                    seen.append(cursor.fetchone() == values)
                wanted = ", ".join(["%b"] * 5)
                cursor.execute(f"select {wanted}", (-7, 2**33, -0.25, decimal.Decimal("1e-3"), "ü"))
                seen.append(cursor.fetchone() == (-7, 2**33, -0.25, decimal.Decimal("0.001"), "ü"))
                cursor.execute("select 5 where 3 = any(%s)", ([1, 2, 3],))
                seen.append(cursor.fetchone() == (5,))
    return seen


def test_psycopg_sends_and_reads_text_and_binary(sql_client: Run) -> None:
    assert sql_client(psycopg_values) == [True] * 18


def psycopg_pipeline():
    import psycopg

    with psycopg.connect(autocommit=True) as connection:
        connection.execute("create table psycopg_pipeline (a int)")
        with connection.pipeline():
            for i in range(10):
                connection.execute("insert into psycopg_pipeline values (%s)", (i,))
            total = connection.execute("select sum(a) from psycopg_pipeline")
        answers = [total.fetchone()[0]]
        try:
            with connection.pipeline():
                connection.execute("insert into psycopg_pipeline values (100)")
                connection.execute("insert into nowhere values (1)")
                connection.execute("insert into psycopg_pipeline values (200)")
        except psycopg.errors.UndefinedTable as error:
            answers.append(error.sqlstate)
        answers.append(connection.execute("select max(a) from psycopg_pipeline").fetchone()[0])
        return answers


def test_psycopg_pipelines(sql_client: Run) -> None:
    assert sql_client(psycopg_pipeline) == [45, "42P01", 9]


def psycopg_cursors_and_transactions():
    import psycopg

    answers = []
    with psycopg.connect() as connection:
        with connection.cursor("server side") as cursor:
            cursor.execute("select generate_series(1, 50000)")
            answers.append([cursor.fetchone()[0], len(cursor.fetchmany(1000)), sum(1 for _ in cursor)])
        status = connection.info.transaction_status
        answers.append(status.name)
        try:
            connection.execute("select nothing")
        except psycopg.errors.UndefinedColumn as error:
            answers.append([error.sqlstate, connection.info.transaction_status.name])
        try:
            connection.execute("select 1")
        except psycopg.errors.InFailedSqlTransaction:
            connection.rollback()
        answers.append(connection.info.transaction_status.name)
        connection.execute("create temp table kept (a int)")
        connection.commit()
        with connection.cursor() as cursor:
            cursor.executemany("insert into kept values (%s)", [(i,) for i in range(100)])
            answers.append(cursor.rowcount)
            cursor.executemany("select %s::int", [(1,), (2,)], returning=True)
            first = cursor.fetchone()[0]
            cursor.nextset()
            answers.append([first, cursor.fetchone()[0]])
    return answers


def test_psycopg_fetches_in_portions_and_knows_the_state_of_its_transaction(sql_client: Run) -> None:
    assert sql_client(psycopg_cursors_and_transactions) == [
        [1, 1000, 48999], "INTRANS", ["42703", "INERROR"], "IDLE", 100, [1, 2],
    ]  # fmt: skip


def psycopg_copies():
    import datetime as dt

    import psycopg

    with psycopg.connect() as connection, connection.cursor() as cursor:
        cursor.execute("create temp table copied (a int, b varchar(20), c timestamp)")
        with cursor.copy("copy copied from stdin") as copy:
            for i in range(1000):
                copy.write_row((i, f"tab\there {i}", None))
        with cursor.copy("copy copied (a, b, c) from stdin (format binary)") as copy:
            copy.set_types(["int4", "varchar", "timestamp"])
            copy.write_row((-1, "binär", dt.datetime(2020, 1, 1)))
        with cursor.copy("copy (select * from copied where a < 1 order by a) to stdout") as copy:
            copy.set_types(["int4", "varchar", "timestamp"])
            rows = [[str(value) for value in row] for row in copy.rows()]
        with cursor.copy("copy (select a, b from copied where a < 1 order by a) to stdout (format binary)") as copy:
            copy.set_types(["int4", "varchar"])
            rows += [list(row) for row in copy.rows()]
        try:
            with cursor.copy("copy copied from stdin") as copy:
                copy.write("1\tx\n")
        except psycopg.errors.BadCopyFileFormat as error:
            rows.append([error.sqlstate, error.diag.context])
        return rows


def test_psycopg_copies(sql_client: Run) -> None:
    assert sql_client(psycopg_copies) == [
        ["-1", "binär", "2020-01-01 00:00:00"], ["0", "tab\there 0", "None"], [-1, "binär"], [0, "tab\there 0"],
        ["22P04", 'COPY copied, line 1: "1\tx"'],
    ]  # fmt: skip


def psycopg_cancels():
    import threading

    import psycopg

    with psycopg.connect(autocommit=True) as connection:
        ended = threading.Event()

        def cancel():  # again, as it has no effect before the statement runs
            while not ended.wait(0.5):
                connection.cancel_safe()

        cancelling = threading.Thread(target=cancel)
        cancelling.start()
        endless = """select count(*) from (select generate_series(1, 200000) as i) a,
            (select generate_series(1, 200000) as i) b where a.i + b.i = 7 and a.i * b.i = 11"""
        try:
            connection.execute(endless)
        except psycopg.errors.QueryCanceled as error:
            states = [error.sqlstate]
        ended.set()
        cancelling.join()
        connection.execute("set statement_timeout to 300")
        try:
            connection.execute(endless)
        except psycopg.errors.QueryCanceled as error:
            states.append(error.sqlstate)
        return [*states, connection.execute("select 1").fetchone()[0]]


def test_psycopg_cancels(sql_client: Run) -> None:
    assert sql_client(psycopg_cancels) == ["57014", "57014", 1]


# psycopg2


def psycopg2_story():
    import datetime as dt
    import decimal
    import io

    import psycopg2
    import psycopg2.extras

    answers = []
    with psycopg2.connect("") as connection, connection.cursor() as cursor:
        cursor.execute("create temp table p2 (a int, b varchar(40), c decimal(8,2), d date, e boolean)")
        row = (1, "it's a \\ back\\slash\n\t%", decimal.Decimal("1.50"), dt.date(2020, 1, 1), True)
        cursor.execute("insert into p2 values (%s, %s, %s, %s, %s)", row)
        psycopg2.extras.execute_values(
            cursor, "insert into p2 (a) values %s", [(i,) for i in range(2, 1000)], page_size=1000
        )
        answers.append(cursor.rowcount)
        cursor.execute("select * from p2 order by a limit 1")
        answers.append(cursor.fetchone() == row)
        cursor.copy_expert("copy p2 (a, b) from stdin with csv", io.StringIO('-1,"x, y"\n-2,\n'))
        out = io.StringIO()
        cursor.copy_expert("copy (select a, b from p2 where a < 0 order by a) to stdout", out)
        answers.append(out.getvalue())
        with connection.cursor("named") as named:
            named.itersize = 100
            named.execute("select a from p2 order by a")
            answers.append(sum(a for (a,) in named))
        with connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as dicts:
            dicts.execute("select a, b from p2 where a = any(%s) order by a", ([-1, -2],))
            answers.append([dict(one) for one in dicts])
        try:
            cursor.execute("select nothing from p2")
        except psycopg2.errors.UndefinedColumn as error:
            answers.append(error.pgcode)
        connection.rollback()
        answers.append(connection.notices[-1:] == [] or True)
    return answers


def test_psycopg2(sql_client: Run) -> None:
    assert sql_client(psycopg2_story) == [
        998, True, "-2\t\\N\n-1\tx, y\n", 999 * 1000 // 2 - 3,
        [{"a": -2, "b": None}, {"a": -1, "b": "x, y"}], "42703", True,
    ]  # fmt: skip


# asyncpg


def asyncpg_story():
    import asyncio
    import datetime as dt
    import decimal

    import asyncpg

    async def play():
        answers = []
        connection = await asyncpg.connect(timeout=60)
        await connection.execute("create temp table ap (a int, b varchar(40), c decimal(8,2), d timestamp)")
        rows = [
            (i, f"ü{i}", decimal.Decimal(i) / 4, dt.datetime(2020, 1, 1) + dt.timedelta(hours=i)) for i in range(-5, 5)
        ]
        await connection.executemany("insert into ap values ($1, $2, $3, $4)", rows)
        back = await connection.fetch("select * from ap order by a")
        answers.append([tuple(one) for one in back] == rows)
        answers.append(
            await connection.fetchval("select $1::int + count(*) from ap where a > $2 and b like $3", 10, 0, "ü%")
        )
        answers.append(await connection.fetchval("select count(*) from ap where a = any($1::int[])", [1, 2, 99]))
        await connection.copy_records_to_table("ap", records=[(100, "copied", None, None)])
        answers.append(await connection.fetchval("select max(a) from ap"))
        async with connection.transaction():
            answers.append(
                sum([one["a"] async for one in connection.cursor("select a from ap order by a", prefetch=3)])
            )
        try:
            async with connection.transaction():
                await connection.execute("insert into ap (a) values (7)")
                await connection.execute("select nothing")
        except asyncpg.UndefinedColumnError as error:
            answers.append(error.sqlstate)
        answers.append(await connection.fetchval("select count(*) from ap where a = 7"))
        try:
            await connection.execute("select pg_sleep_for_ever()", timeout=60)
        except asyncpg.UndefinedFunctionError as error:
            answers.append(error.sqlstate)
        statement = await connection.prepare("select a, b from ap where a = $1")
        answers.append([[one.name, one.type.name] for one in statement.get_attributes()])
        answers.append([one.name for one in statement.get_parameters()])
        await connection.close()
        pool = await asyncpg.create_pool(min_size=2, max_size=4)
        found = await asyncio.gather(*(pool.fetchval("select $1::int", i) for i in range(20)))
        answers.append(found == list(range(20)))
        await pool.close()
        return answers

    return asyncio.run(play())


def test_asyncpg(sql_client: Run) -> None:
    assert sql_client(asyncpg_story) == [
        True, 14, 2, 100, 95, "42703", 0, "42883", [["a", "int4"], ["b", "varchar"]], ["int4"], True,
    ]  # fmt: skip


# pg8000


def pg8000_story():
    import datetime as dt
    import decimal
    import os

    import pg8000.native

    connection = pg8000.native.Connection(
        os.environ["PGUSER"], host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]),
        password=os.environ["PGPASSWORD"], database=os.environ["PGDATABASE"],
    )  # fmt: skip
    connection.run("create temp table p8 (a int, b varchar(40), c decimal(8,2), d date)")
    values = {"a": -3, "b": "ß", "c": decimal.Decimal("2.50"), "d": dt.date(2020, 2, 29)}
    connection.run("insert into p8 values (:a, :b, :c, :d)", **values)
    answers = [connection.run("select * from p8") == [list(values.values())]]
    answers.append([one["name"] for one in connection.columns])
    prepared = connection.prepare("select a + cast(:more as int) from p8")
    answers.append([prepared.run(more=i)[0][0] for i in range(3)])
    try:
        connection.run("select nothing")
    except pg8000.native.DatabaseError as error:
        answers.append(error.args[0]["C"])
    connection.close()
    return answers


def test_pg8000(sql_client: Run) -> None:
    assert sql_client(pg8000_story) == [True, ["a", "b", "c", "d"], [-3, -2, -1], "42703"]
