"""Runs tests/sql/*.test: what SQL means, written in SQL, through every door that exists.

A file is a list of records, parted by empty lines; lines starting with `#` are comments.

    statement ok                      a statement that must succeed
    statement error 42P01             one that must fail with this SQLSTATE, or with a message matching a pattern
    query TI [rowsort]                a query; a letter per column: I integer, R number, T anything else
    ----                              parts a query from its expected rows

Expected rows stand one on a line, columns parted by a tab, or by single spaces where no value has one itself. NULL is
`NULL`, an empty text is `(empty)`, booleans are `t` and `f`, other values are as Redshift prints them.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

import restframe
from restframe import errors

FILES = sorted((Path(__file__).parent / "sql").glob("*.test"))

# Runs a text and gives the rows of its last statement.
Door = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Record:
    line: int
    kind: str  # statement or query
    argument: str
    sql: str
    expected: tuple[str, ...] = ()


def read(path: Path) -> Iterator[Record]:
    line = 1
    for block in re.split(r"(\n(?:[ \t]*\n)+)", path.read_text(encoding="utf-8").rstrip()):
        lines = block.split("\n")
        comments = sum(1 for _ in itertools.takewhile(lambda text: text.startswith("#") or not text.strip(), lines))
        if comments < len(lines):
            kind, _, argument = lines[comments].partition(" ")
            if kind not in ("statement", "query"):
                raise ValueError(f"{path.name}:{line + comments}: neither statement nor query")
            body = lines[comments + 1 :]
            cut = body.index("----") if "----" in body else len(body)
            sql, expected = "\n".join(body[:cut]), tuple(body[cut + 1 :])
            yield Record(line + comments, kind, argument.strip(), sql, expected)
        line += block.count("\n")


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        yield opened


def through_session(request: pytest.FixtureRequest) -> Iterator[Door]:
    with request.getfixturevalue("warehouse").session() as session:

        def run(text: str) -> list[tuple[Any, ...]]:
            result = session.execute(text)
            return result.fetchall() if result.returns_rows else []

        yield run


def through_dbapi(request: pytest.FixtureRequest) -> Iterator[Door]:
    connection = restframe.connect(request.getfixturevalue("warehouse"))
    connection.autocommit = True

    def run(text: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(text)
            while cursor.nextset():
                pass
            return cursor.fetchall() if cursor.description else []

    yield run
    connection.close()


def through_data_api(request: pytest.FixtureRequest) -> Iterator[Door]:
    """boto3 against the live server, in one session that is kept."""
    client = request.getfixturevalue("aws").client("redshift-data")

    def ended(**options: Any) -> Any:
        found = client.execute_statement(WaitTimeSeconds=20, **options)
        while found["Status"] in ("SUBMITTED", "PICKED", "STARTED"):
            found = client.describe_statement(Id=found["Id"])
        return found

    session_id = ended(Sql="", Database="dev", SessionKeepAliveSeconds=3600)["SessionId"]

    def run(text: str) -> list[tuple[Any, ...]]:
        accepted = ended(Sql=text, SessionId=session_id)
        if accepted["Status"] != "FINISHED":
            error = client.describe_statement(Id=accepted["Id"])["Error"]
            raise ErrorWithoutState(
                re.sub(r"\n  (Detail|Hint|Position): .*", "", error, flags=re.DOTALL)[len("ERROR: ") :]
            )
        if not accepted["HasResultSet"]:
            return []
        result = client.get_statement_result(Id=accepted["Id"])
        assert "NextToken" not in result
        return [tuple(map(value_of, record)) for record in result["Records"]]

    yield run


class ErrorWithoutState(errors.Error):
    """The Data API tells no SQLSTATE."""

    sqlstate = ""


def value_of(field: dict[str, Any]) -> object:
    """What is in a field; texts stand as Redshift prints them, and so as the files have them."""
    ((kind, value),) = field.items()
    if kind == "isNull":
        return None
    return float(value) if kind == "doubleValue" else value


def through_pgwire(request: pytest.FixtureRequest, **options: Any) -> Iterator[Door]:
    """psycopg against the live server, by simple queries."""
    with request.getfixturevalue("pg").connect(autocommit=True) as connection:

        def run(text: str) -> list[tuple[Any, ...]]:
            single = not text.rstrip(" ;\n").count(";")
            try:
                with connection.cursor() as cursor:
                    cursor.execute(text, **(options if single else {}))
                    while cursor.nextset():
                        pass
                    return cursor.fetchall() if cursor.description else []
            except psycopg.Error as error:
                told = errors.Error(error.diag.message_primary or str(error))
                told.sqlstate = error.sqlstate or ""
                raise told from error

        yield run


def through_pgwire_prepared(request: pytest.FixtureRequest) -> Iterator[Door]:
    """The same by the extended query, with results in the binary format."""
    return through_pgwire(request, prepare=True, binary=True)


DOORS = {
    "session": through_session,
    "dbapi": through_dbapi,
    "data-api": through_data_api,
    "pgwire": through_pgwire,
    "pgwire-prepared": through_pgwire_prepared,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_sql_file(path: Path, door: str, request: pytest.FixtureRequest) -> None:
    opened = DOORS[door](request)
    run = next(opened)
    for record in read(path):
        check(record, run, path)
    next(opened, None)


def check(record: Record, run: Door, path: Path) -> None:
    where = f"{path.name}:{record.line}"
    if record.kind == "statement" and record.argument.startswith("error"):
        wanted = record.argument.removeprefix("error").strip()
        with pytest.raises(errors.Error) as caught:
            run(record.sql)
        error = caught.value
        if re.fullmatch(r"[0-9A-Z]{5}", wanted):
            assert error.sqlstate in (wanted, ErrorWithoutState.sqlstate), f"{where}: {error.sqlstate} {error.message}"
        else:
            assert re.search(wanted, error.message), f"{where}: {error.message}"
        return
    try:
        rows = run(record.sql)
    except errors.Error as error:
        pytest.fail(f"{where}: {error.sqlstate} {error.message} (position {error.position})")
    if record.kind == "query":
        types, _, order = record.argument.partition(" ")
        found = [[show(value) for value in row] for row in rows]
        expected = [split(line, len(types)) for line in record.expected]
        if order == "rowsort":
            found, expected = sorted(found), sorted(expected)
        assert found == expected, where
        for row in rows:
            assert len(row) == len(types), f"{where}: {len(row)} columns"


def split(line: str, columns: int) -> list[str]:
    if columns == 1:
        return [line]
    return line.split("\t") if "\t" in line else line.split()


def show(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime):
        text = value.replace(tzinfo=None).isoformat(" ")
        text = text.rstrip("0") if "." in text else text
        return text + ("+00" if value.tzinfo else "")
    if isinstance(value, dt.time):
        text = value.replace(tzinfo=None).isoformat()
        return (text.rstrip("0") if "." in text else text) + ("+00" if value.tzinfo else "")
    if isinstance(value, bytes):
        return value.hex()
    return str(value) or "(empty)"
