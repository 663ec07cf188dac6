"""COPY FROM STDIN and TO STDOUT: first with a client in this process, then with the drivers that programs use."""

from __future__ import annotations

import datetime
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from restframe import errors
from restframe.warehouse import Session, Warehouse


@dataclass
class Client:
    """Sends what it is given, and keeps what it gets."""

    data: Sequence[bytes] = ()
    failure: Exception | None = None
    rows: list[bytes] = field(default_factory=list)
    taken: int = 0

    def receive(self, columns: int, binary: bool) -> Iterator[bytes]:
        for piece in self.data:
            self.taken += 1
            yield piece
        if self.failure is not None:
            raise self.failure

    def send(self, columns: int, binary: bool) -> Callable[[bytes | memoryview, Sequence[int]], None]:
        def put(data: bytes | memoryview, ends: Sequence[int]) -> None:
            start = 0
            for end in ends:
                self.rows.append(bytes(data[start:end]))
                start = end
            assert start == len(data)

        return put


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse(tmp_path_factory.mktemp("copy") / "w") as opened:
        yield opened


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    """One with a schema of its own, in which its tables are made."""
    with warehouse.session() as opened:
        opened.execute(f"create schema s{opened.pid}; set search_path to s{opened.pid}")
        yield opened


def load(session: Session, text: str, *data: bytes, failure: Exception | None = None) -> str:
    session.copy_streams = Client(data, failure)
    return session.execute(text).tag


def unload(session: Session, text: str) -> list[bytes]:
    client = Client()
    session.copy_streams = client
    result = session.execute(text)
    assert result.tag == f"COPY {result.row_count}"
    return client.rows


def rows(session: Session, text: str) -> list[tuple[Any, ...]]:
    return session.execute(text).fetchall()


EVERY_TYPE = """
    a smallint, b int, c bigint, d float4, e float8, f numeric(10,2), g numeric(30,5), h bool, i char(3),
    j varchar(10), k date, l time, m timetz, n timestamp, o timestamptz, p super, q varbyte(10)
"""
VALUES = (
    "insert into {0} select 1, -2, 3, 1.5, 1e-7, 12.34, -123456789012345678901.5, true, 'ab', 'é\t\"\\\\',"
    " '2020-02-29', '12:30:00.5', '12:30', '2020-01-02 03:04:05.678', '2020-01-02 03:04:05+02',"
    " json_parse('{{\"k\":1}}'), to_varbyte('A', 'utf8')"
)


def test_rows_are_inserted_and_counted(session: Session) -> None:
    session.execute("create table t (a int, b varchar(10))")
    assert load(session, "copy t from stdin", b"1\tx\n2", b"\t\\N\n") == "COPY 2"
    assert load(session, f"copy s{session.pid}.t (b, a) from stdin csv", b'"y,",3\n') == "COPY 1"
    assert load(session, "copy t from stdin") == "COPY 0"
    assert rows(session, "select * from t order by a") == [(1, "x"), (2, None), (3, "y,")]


def test_columns_that_are_not_listed_get_their_defaults(session: Session) -> None:
    session.execute("create table t (id int identity(5, 5), a int not null, b varchar(10) default 'none', c int)")
    load(session, "copy t (a) from stdin", b"1\n2\n")
    assert rows(session, "select * from t order by id") == [(5, 1, "none", None), (10, 2, "none", None)]
    with pytest.raises(errors.NotNullViolation):
        load(session, "copy t (b) from stdin", b"x\n")


def test_identities_that_come_are_stored(session: Session) -> None:
    session.execute("create table t (id int identity(1, 1), a int)")
    load(session, "copy t from stdin", b"7\t1\n")
    assert rows(session, "select * from t") == [(7, 1)]


@pytest.mark.parametrize(
    "options", ["", "csv header", "(delimiter '|', null '')", "csv quote '''' escape '!'", "binary"]
)
@pytest.mark.parametrize("count", [1, 1500])
def test_what_is_sent_can_be_loaded_again(session: Session, options: str, count: int) -> None:
    session.execute(f"create table t ({EVERY_TYPE}); create table u ({EVERY_TYPE})")
    session.execute(VALUES.format("t"))
    session.execute(f"insert into t (b) select i from (select generate_series(1, {count}) as i)")
    sent = unload(session, f"copy t to stdout {options}")
    assert load(session, f"copy u from stdin {options}", *sent) == f"COPY {count + 1}"
    same = "select count(*) from (select * from t except select * from u)"
    assert rows(session, same) == [(0,)]
    assert rows(session, "select * from u where a = 1")[0][5:10] == (
        Decimal("12.34"),
        Decimal("-123456789012345678901.50000"),
        True,
        "ab ",
        'é\t"\\',
    )


def test_text_that_is_sent(session: Session) -> None:
    session.execute(f"create table t ({EVERY_TYPE})")
    session.execute(VALUES.format("t"))
    session.execute("set timezone to 'Europe/Berlin'")
    assert unload(session, "copy t to stdout") == [
        '1\t-2\t3\t1.5\t1e-07\t12.34\t-123456789012345678901.50000\tt\tab \té\\t"\\\\\t2020-02-29\t12:30:00.5\t'
        '12:30:00+00\t2020-01-02 03:04:05.678\t2020-01-02 02:04:05+01\t{"k":1}\t\\\\x41\n'.encode()
    ]


def test_csv_that_is_sent(session: Session) -> None:
    query = "select 'a,b' as \"x y\", '' as e, null::int as n, 'say \"no\"' as q, 1 as one"
    assert unload(session, f"copy ({query}) to stdout csv header") == [
        b"x y,e,n,q,one\n",
        b'"a,b","",,"say ""no""",1\n',
    ]
    assert unload(session, f"copy ({query}) to stdout (format csv, delimiter ';', null '-', force_quote (one, n))") == [
        b'a,b;;-;"say ""no""";"1"\n'
    ]
    assert unload(session, "copy (select '\\\\.') to stdout csv") == [b'"\\."\n']


def test_other_encodings(session: Session) -> None:
    assert unload(session, "copy (select 'é' as a) to stdout encoding 'latin1'") == [b"\xe9\n"]
    with pytest.raises(errors.UntranslatableCharacter, match=r'0xe2 0x82 0xac .* no equivalent in encoding "LATIN1"'):
        unload(session, "copy (select '€' as a) to stdout encoding 'latin1'")
    session.execute("create table t (a varchar(10))")
    load(session, "copy t from stdin encoding 'latin1'", b"\xe9\n")
    assert rows(session, "select a from t") == [("é",)]


def test_an_error_leaves_nothing_behind(session: Session) -> None:
    session.execute("create table t (a int, b varchar(10))")
    good = b"".join(b"%d\tx\n" % i for i in range(200_000))
    with pytest.raises(errors.InvalidTextRepresentation) as caught:
        load(session, "copy t from stdin", good, b"x\ty\n")
    assert caught.value.where == 'COPY t, line 200001, column a: "x"'
    assert rows(session, "select count(*) from t") == [(0,)]
    assert session.transaction == "idle"


@pytest.mark.parametrize("failure", [errors.QueryCanceled("COPY from stdin failed"), ConnectionResetError()])
def test_a_client_that_gives_up_leaves_nothing_behind(session: Session, failure: Exception) -> None:
    session.execute("create table t (a int)")
    with pytest.raises(type(failure)):
        load(session, "copy t from stdin", b"1\n2\n", failure=failure)
    assert rows(session, "select count(*) from t") == [(0,)]
    assert load(session, "copy t from stdin", b"1\n") == "COPY 1"


def test_a_wrong_row_ends_an_endless_stream(session: Session) -> None:
    session.execute("create table t (a int)")
    client = Client([b"x\n" * 100_000] * 1000)
    session.copy_streams = client
    with pytest.raises(errors.InvalidTextRepresentation):
        session.execute("copy t from stdin")
    assert client.taken < 100


def test_a_statement_that_is_cancelled_while_it_loads(session: Session) -> None:
    session.execute("create table t (a int)")

    def pieces() -> Iterator[bytes]:
        yield b"1\n"
        session.cancel()
        while True:
            yield b"1\n" * 100_000

    session.copy_streams = Client(pieces())  # type: ignore[arg-type]
    with pytest.raises(errors.QueryCanceled):
        session.execute("copy t from stdin")
    assert rows(session, "select count(*) from t") == [(0,)]


def test_it_is_part_of_its_transaction(session: Session) -> None:
    session.execute("create table t (a int)")
    session.execute("begin")
    load(session, "copy t from stdin", b"1\n")
    session.execute("rollback")
    assert rows(session, "select count(*) from t") == [(0,)]


def test_tables_only(session: Session) -> None:
    session.execute("create view v as select 1 as a")
    with pytest.raises(errors.WrongObjectType, match='cannot copy to view "v"'):
        load(session, "copy v from stdin")
    with pytest.raises(errors.WrongObjectType, match='cannot copy from view "v"'):
        unload(session, "copy v to stdout")
    assert unload(session, "copy (select * from v) to stdout") == [b"1\n"]


def test_doors_that_cannot_carry_it_say_so(session: Session) -> None:
    session.execute("create table t (a int)")
    for text in ("copy t from stdin", "copy t to stdout"):
        with pytest.raises(errors.NotSupportedError, match="needs a connection of the PostgreSQL protocol"):
            session.execute(text)


def test_it_needs_the_privileges_of_insert_and_select(session: Session) -> None:
    session.execute("create table t (a int); create user ann password 'Secret99'")
    session.execute(f"grant usage on schema s{session.pid} to ann")
    session.execute("set session authorization ann")
    for text, message in (("copy t from stdin", "relation t"), ("copy t to stdout", "relation t")):
        with pytest.raises(errors.InsufficientPrivilege, match=message):
            load(session, text, b"1\n")


# Drivers


def test_psycopg_writes_and_reads_rows(shared_pg: Any) -> None:
    with shared_pg.connect(autocommit=True) as connection:
        connection.execute(f"create temp table t ({EVERY_TYPE})")
        row = (
            1, 2, 3, 1.5, 2.5, Decimal("1.25"), Decimal("2.5"), True, "ab", "x\ty", datetime.date(2020, 1, 2),
            datetime.time(12, 30), None, datetime.datetime(2020, 1, 2, 3), None, None, b"AB",
        )  # fmt: skip
        with connection.cursor() as cursor:
            with cursor.copy("copy t from stdin") as copy:
                copy.write_row(row)
                copy.write_row([None] * 17)
            assert cursor.statusmessage == "COPY 2"
            with cursor.copy("copy t (a, b, j, n, f) from stdin (format binary)") as copy:
                copy.set_types(["int2", "int4", "varchar", "timestamp", "numeric"])
                for i in range(3):
                    copy.write_row((i, i * 2, f"n{i}", datetime.datetime(2020, 1, 1 + i), Decimal(i) / 4))
            with cursor.copy("copy (select a, j, n, f from t where b is not null order by b, j) to stdout") as copy:
                copy.set_types(["int2", "varchar", "timestamp", "numeric"])
                assert list(copy.rows()) == [
                    (0, "n0", datetime.datetime(2020, 1, 1), Decimal("0.00")),
                    (1, "n1", datetime.datetime(2020, 1, 2), Decimal("0.25")),
                    (1, "x\ty", datetime.datetime(2020, 1, 2, 3), Decimal("1.25")),
                    (2, "n2", datetime.datetime(2020, 1, 3), Decimal("0.50")),
                ]
            with cursor.copy("copy (select a, q from t where j = 'x\ty') to stdout (format binary)") as copy:
                copy.set_types(["int2", "bytea"])
                assert list(copy.rows()) == [(1, b"AB")]


def test_psycopg_is_told_where_the_data_is_wrong(shared_pg: Any) -> None:
    with shared_pg.connect(autocommit=True) as connection:
        connection.execute("create temp table t (a int, b varchar(3))")
        cursor = connection.cursor()
        with (
            pytest.raises(psycopg.errors.StringDataRightTruncation) as caught,
            cursor.copy("copy t from stdin csv") as copy,
        ):
            copy.write("1,abc\n2,abcd\n")
        assert caught.value.diag.message_primary == "value too long for type character varying(3)"
        assert caught.value.diag.context == 'COPY t, line 2, column b: "abcd"'
        assert connection.execute("select count(*) from t").fetchone() == (0,)
        with pytest.raises(psycopg.errors.BadCopyFileFormat), cursor.copy("copy t from stdin") as copy:
            for _ in range(1000):
                copy.write(b"1\n" * 1000)
        assert connection.execute("select 1").fetchone() == (1,)


def test_psycopg_that_raises_while_it_writes(shared_pg: Any) -> None:
    with shared_pg.connect(autocommit=True) as connection:
        connection.execute("create temp table t (a int)")
        with pytest.raises(ZeroDivisionError), connection.cursor().copy("copy t from stdin") as copy:
            copy.write(b"1\n")
            raise ZeroDivisionError
        assert connection.execute("select count(*) from t").fetchone() == (0,)


def test_a_million_bytes_there_and_back(shared_pg: Any) -> None:
    with shared_pg.connect(autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("create temp table t (a int, b varchar(100)); create temp table u (a int, b varchar(100))")
        data = b"".join(b"%d\t%s\n" % (i, b"\\\\x" * (i % 20)) for i in range(30_000))
        with cursor.copy("copy t from stdin") as copy:
            for start in range(0, len(data), 10_000):
                copy.write(data[start : start + 10_000])
        with cursor.copy("copy (select * from t order by a) to stdout") as copy:
            assert b"".join(map(bytes, copy)) == data
        with cursor.copy("copy t to stdout (format binary)") as source:
            sent = [bytes(piece) for piece in source]
        assert len(sent) == 30_001  # a message a row, and the trailer
        with cursor.copy("copy u from stdin (format binary)") as copy:
            for piece in sent:
                copy.write(piece)
        assert cursor.statusmessage == "COPY 30000"


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_copies_files(shared_pg: Any, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text('a,b\n1,"x\ny"\n2,\n')
    script = tmp_path / "script.sql"
    script.write_text(
        f"""
        create temp table t (a int, b varchar(10));
        \\copy t from '{tmp_path}/in.csv' csv header
        \\copy (select * from t order by a) to '{tmp_path}/out.csv' with csv header
        \\copy t (a) from stdin
        3
        \\.
        select sum(a) from t;
        """.replace("\n        ", "\n")
    )
    environment = {"PGPASSWORD": shared_pg.password, "PATH": "/usr/bin:/bin"}
    command = [
        "psql",
        "-X",
        "-q",
        "-At",
        "-v",
        "ON_ERROR_STOP=1",
        "-h",
        shared_pg.host,
        "-p",
        str(shared_pg.port),
        "-U",
        shared_pg.user,
    ]
    found = subprocess.run(
        [*command, "-f", str(script), "dev"], capture_output=True, text=True, env=environment, check=False
    )
    assert (found.stderr, found.stdout.split()[-1]) == ("", "6")
    assert (tmp_path / "out.csv").read_text() == 'a,b\n1,"x\ny"\n2,\n'


def test_a_failed_copy_leaves_the_session_usable(session: Session) -> None:
    session.copy_streams = Client()
    for text in ("copy (select '{1,2}'::int[]) to stdout (format binary)", "copy (select 1/0) to stdout"):
        with pytest.raises(errors.Error) as caught:
            session.execute(text)
        assert session.execute("select 1").scalar() == 1, caught.value


def test_a_cancelled_copy_leaves_the_session_usable(session: Session) -> None:
    def put(data: bytes | memoryview, ends: Sequence[int]) -> None:
        session.cancel()

    session.copy_streams = Client()
    session.copy_streams.send = lambda columns, binary: put  # type: ignore[method-assign]
    with pytest.raises(errors.QueryCanceled) as caught:
        session.execute("copy (select n, repeat('a', 500) from generate_series(1, 300000) t(n)) to stdout")
    assert session.execute("select 1").scalar() == 1, caught.value
