"""Results through the Data API with boto3: values of every type, columns, pages, CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from restframe import Warehouse
from restframe.aws.backend import Backend
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.operation import Call
from restframe.aws.redshift_data import fields, texts
from restframe.aws.redshift_data.results import get_statement_result
from restframe.aws.redshift_data.statements import execute_statement
from restframe.identity import Identity
from restframe.result import Column
from restframe.types import SqlType

TARGET = {"ClusterIdentifier": "redshift-cluster", "Database": "dev"}

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def data(aws: Any) -> Any:
    return aws.client("redshift-data")


@pytest.fixture
def ask(data: Any) -> Ask:
    """The first page of a query's result, with its Id."""

    def run(sql: str, **options: Any) -> dict[str, Any]:
        run_id = data.execute_statement(Sql=sql, **{**TARGET, **options})["Id"]
        described = data.describe_statement(Id=run_id, WaitTimeSeconds=30)
        assert described["Status"] == "FINISHED", described["Error"]
        get = data.get_statement_result_v2 if options.get("ResultFormat") == "CSV" else data.get_statement_result
        return {**get(Id=run_id), "Id": run_id}

    return run


# the type's name, an expression, the field, its text in CSV
VALUES = [
    ("int2", "7::smallint", {"longValue": 7}, "7"),
    ("int4", "(-2147483648)::int", {"longValue": -2147483648}, "-2147483648"),
    ("int8", "9223372036854775807::bigint", {"longValue": 9223372036854775807}, "9223372036854775807"),
    ("float4", "1.1::real", {"doubleValue": 1.1}, "1.1"),
    ("float8", "0.1::float8 + 0.2::float8", {"doubleValue": 0.30000000000000004}, "0.30000000000000004"),
    ("float8", "-2::float8", {"doubleValue": -2.0}, "-2"),
    ("float8", "1e300::float8", {"doubleValue": 1e300}, "1e+300"),
    ("float8", "'NaN'::float8", {"doubleValue": "NaN"}, "NaN"),
    ("float8", "'-Infinity'::float8", {"doubleValue": "-Infinity"}, "-Infinity"),
    ("bool", "true", {"booleanValue": True}, "t"),
    ("bool", "false", {"booleanValue": False}, "f"),
    ("numeric", "1.50::decimal(10,4)", {"stringValue": "1.5000"}, "1.5000"),
    ("numeric", "0.0000001::decimal(10,7)", {"stringValue": "0.0000001"}, "0.0000001"),
    ("numeric", "0::decimal(10,7)", {"stringValue": "0.0000000"}, "0.0000000"),
    ("varchar", "'x'::varchar(5)", {"stringValue": "x"}, "x"),
    ("varchar", "''::varchar(5)", {"stringValue": ""}, '""'),
    ("varchar", "'\"\\\\' || chr(9) || chr(1)", {"stringValue": '"\\\t\x01'}, '"""\\\t\x01"'),
    ("varchar", "'a,b' || chr(10) || 'ü€😀'", {"stringValue": "a,b\nü€😀"}, '"a,b\nü€😀"'),
    ("bpchar", "'x'::char(1)", {"stringValue": "x"}, "x"),
    ("date", "'2020-02-29'::date", {"stringValue": "2020-02-29"}, "2020-02-29"),
    ("timestamp", "'2014-07-01'::timestamp", {"stringValue": "2014-07-01 00:00:00"}, "2014-07-01 00:00:00"),
    ("timestamp", "'2014-07-01 00:00:10.25'::timestamp", {"stringValue": "2014-07-01 00:00:10.25"},
     "2014-07-01 00:00:10.25"),
    ("timestamp", "dateadd(year, 100000, '2020-01-01'::timestamp)", {"stringValue": "102020-01-01 00:00:00"},
     "102020-01-01 00:00:00"),
    ("timestamptz", "'2014-07-01 02:00:00+02'::timestamptz", {"stringValue": "2014-07-01 00:00:00+00"},
     "2014-07-01 00:00:00+00"),
    ("time", "'10:20:30'::time", {"stringValue": "10:20:30"}, "10:20:30"),
    ("interval", "interval '14 months'", {"stringValue": "1 year 2 mons"}, "1 year 2 mons"),
    ("interval", "interval '-3 days'", {"stringValue": "-3 days"}, "-3 days"),
    ("super", "json_parse('{\"a\": [1, null]}')", {"stringValue": '{"a":[1,null]}'}, '"{""a"":[1,null]}"'),
    ("varbyte", "to_varbyte('abc', 'utf8')", {"stringValue": "616263"}, "616263"),
]  # fmt: skip


def test_every_type(ask: Ask) -> None:
    listed = ", ".join(f"{expression} as c{number}" for number, (_, expression, _, _) in enumerate(VALUES))
    result = ask(f"select {listed}")
    assert repr(result["Records"]) == repr([[field for _, _, field, _ in VALUES]])  # 2 is no 2.0
    assert [column["typeName"] for column in result["ColumnMetadata"]] == [name for name, _, _, _ in VALUES]
    lines = ask(f"select {listed}", ResultFormat="CSV")
    assert lines["Records"] == [{"CSVRecords": ",".join(text for _, _, _, text in VALUES) + "\n"}]
    assert (lines["ResultFormat"], lines["TotalNumRows"]) == ("CSV", 1)


def test_null_of_every_type(ask: Ask) -> None:
    types = sorted({name for name, _, _, _ in VALUES} - {"interval", "super", "varbyte"})
    listed = ", ".join(f"null::{name}" for name in types)
    assert ask(f"select {listed}, null")["Records"] == [[{"isNull": True}] * (len(types) + 1)]
    assert ask(f"select {listed}, null", ResultFormat="CSV")["Records"] == [{"CSVRecords": "," * len(types) + "\n"}]


def test_columns(ask: Ask) -> None:
    result = ask("select 1.5::decimal(8,2) as \"a\", 'xyz'::varchar(10) as b, 1")
    keys = ("label", "name", "typeName", "precision", "scale", "length", "nullable", "isSigned", "isCaseSensitive")
    assert [tuple(column[key] for key in keys) for column in result["ColumnMetadata"]] == [
        ("a", "a", "numeric", 8, 2, 0, 1, True, False),
        ("b", "b", "varchar", 3, 0, 3, 1, False, True),
        ("?column?", "?column?", "int4", 10, 0, 0, 1, True, False),
    ]


def test_an_empty_result(ask: Ask, data: Any) -> None:
    result = ask("select 1 as a where false")
    assert (result["Records"], result["TotalNumRows"]) == ([], 0)
    assert [column["name"] for column in result["ColumnMetadata"]] == ["a"]
    assert data.describe_statement(Id=result["Id"])["HasResultSet"] is True
    assert ask("select 1 as a where false", ResultFormat="CSV")["Records"] == []


def test_10320_rows_are_one_page(ask: Ask) -> None:
    """The notebook of the random cut forest asks for one page and expects all rows in it."""
    result = ask(
        "select dateadd(minute, i * 30, '2014-07-01'::timestamp) as ride_timestamp, 39197 as nbr_passengers, "
        "0.851234::decimal(10,6) as score from (select generate_series(0, 10319) as i) order by 1"
    )
    assert (len(result["Records"]), result["TotalNumRows"]) == (10_320, 10_320)
    assert "NextToken" not in result
    assert result["Records"][10_319] == [
        {"stringValue": "2015-01-31 23:30:00"}, {"longValue": 39197}, {"stringValue": "0.851234"},
    ]  # fmt: skip


@pytest.mark.parametrize("format_", ["JSON", "CSV"])
def test_300000_rows_are_some_pages(ask: Ask, data: Any, format_: str) -> None:
    get = data.get_statement_result if format_ == "JSON" else data.get_statement_result_v2
    page = ask("select generate_series(1, 300000) as i, 'value ' || 5 as v", ResultFormat=format_)

    def numbers(page: dict[str, Any]) -> Iterator[int]:
        if format_ == "JSON":
            yield from (record[0]["longValue"] for record in page["Records"])
        else:
            for record in page["Records"]:
                yield from (int(line[0]) for line in csv.reader(io.StringIO(record["CSVRecords"])))

    found, pages = list(numbers(page)), 1
    while "NextToken" in page:
        page = get(Id=page["Id"], NextToken=page["NextToken"]) | {"Id": page["Id"]}
        assert int(page["ResponseMetadata"]["HTTPHeaders"]["content-length"]) < 2_200_000
        found += numbers(page)
        pages += 1
    assert sorted(found) == list(range(1, 300_001))
    assert 2 <= pages <= 9


def test_a_row_larger_than_a_page_is_a_page(ask: Ask, monkeypatch: pytest.MonkeyPatch, data: Any) -> None:
    monkeypatch.setattr("restframe.aws.redshift_data.pages.PAGE_BYTES", 10)
    page = ask("select generate_series(1, 3) as i")
    seen = [record[0]["longValue"] for record in page["Records"]]
    while "NextToken" in page:
        page = data.get_statement_result(Id=page["Id"], NextToken=page["NextToken"]) | {"Id": page["Id"]}
        assert len(page["Records"]) == 1
        seen.append(page["Records"][0][0]["longValue"])
    assert seen == [1, 2, 3]


def test_tokens_belong_to_their_result(ask: Ask, data: Any) -> None:
    one, two = (ask("select generate_series(1, 100000) as i") for _ in range(2))
    for token in (one["NextToken"], one["NextToken"][:-5] + "AAAAA", "x", "%%%"):
        with pytest.raises(ClientError) as caught:
            data.get_statement_result(Id=two["Id"], NextToken=token)
        assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_each_format_has_its_operation(data: Any) -> None:
    in_json = data.execute_statement(Sql="select 1", WaitTimeSeconds=30, **TARGET)["Id"]
    in_csv = data.execute_statement(Sql="select 1", WaitTimeSeconds=30, ResultFormat="CSV", **TARGET)["Id"]
    for get, statement in ((data.get_statement_result_v2, in_json), (data.get_statement_result, in_csv)):
        with pytest.raises(ClientError) as caught:
            get(Id=statement)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert data.describe_statement(Id=in_csv)["ResultFormat"] == "CSV"


def test_waiting_for_the_result(data: Any) -> None:
    statement = data.execute_statement(Sql="select count(*) from (select generate_series(1, 3000000))", **TARGET)["Id"]
    assert data.get_statement_result(Id=statement, WaitTimeSeconds=30)["Records"] == [[{"longValue": 3_000_000}]]


# The writers alone


text_values = st.lists(st.none() | st.text(st.characters(exclude_categories=["Cs"])), min_size=1)


@given(text_values)
def test_any_text_in_json(values: list[str | None]) -> None:
    batch = pa.record_batch([pa.array(values, pa.string())], names=["t"])
    rows = fields.json_rows(batch, [Column("t", SqlType("varchar", length=10))])
    expected = [[{"isNull": True} if value is None else {"stringValue": value}] for value in values]
    assert [json.loads(row) for row in rows.to_pylist()] == expected


@given(text_values)
def test_any_text_in_csv(values: list[str | None]) -> None:
    batch = pa.record_batch([pa.array(values, pa.string()), pa.array([1] * len(values))], names=["t", "i"])
    rows = fields.csv_rows(batch, [Column("t", SqlType("varchar", length=10)), Column("i", SqlType("int8"))])
    assert [row.startswith(",") for row in rows.to_pylist()] == [value is None for value in values]
    read = list(csv.reader(io.StringIO("".join(rows.to_pylist()), newline="")))
    assert read == [["" if value is None else value, "1"] for value in values]


@pytest.mark.parametrize(
    ("days", "text"),
    [(-719_528, "0001-01-01 BC"), (-719_163, "0001-12-31 BC"), (-719_162, "0001-01-01"), (36_542_512, "102020-01-01")],
)
def test_dates_before_christ_and_far_away(days: int, text: str) -> None:
    column = pa.array([days, None], pa.int32()).cast(pa.date32())
    assert texts.texts(column, SqlType("date")).to_pylist() == [text, None]
    moments = pa.array([days * 86_400_000_000 + 3_600_500_000], pa.timestamp("us"))
    date, _, era = text.partition(" ")
    tail = f" {era}" if era else ""
    assert texts.texts(moments, SqlType("timestamp")).to_pylist() == [f"{date} 01:00:00.5{tail}"]
    in_utc = moments.cast(pa.timestamp("us", "UTC"))
    assert texts.texts(in_utc, SqlType("timestamptz")).to_pylist() == [f"{date} 01:00:00.5+00{tail}"]


# A restart


def test_results_and_tokens_outlive_the_server(tmp_path: Path) -> None:
    def ask(warehouse: Warehouse, function: Callable[..., Any], **request: Any) -> Any:
        identity = Identity(warehouse.journal, warehouse.settings)
        http = HttpRequest("POST", "http", "localhost", "/", "", Headers())
        principal = identity.keys.first().principal
        return function(
            request, Call("redshift-data", "any", "id", principal, "us-east-1", http, Backend(warehouse, identity))
        )

    with Warehouse(tmp_path / "warehouse") as warehouse:
        sql = "select generate_series(1, 100000) as i"
        statement = ask(warehouse, execute_statement, Sql=sql, Database="dev", WaitTimeSeconds=30)["Id"]
        first = ask(warehouse, get_statement_result, Id=statement)
    with Warehouse(tmp_path / "warehouse") as warehouse:
        second = ask(warehouse, get_statement_result, Id=statement, NextToken=first["NextToken"])
        records = [json.loads(page["Records"].json) for page in (first, second)]
        assert records[1][0][0]["longValue"] == records[0][-1][0]["longValue"] + 1
