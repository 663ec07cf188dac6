"""What the database holds, through the Data API with boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

TARGET = {"ClusterIdentifier": "redshift-cluster", "Database": "dev"}


@pytest.fixture
def data(aws: Any) -> Any:
    for sql in (
        "create schema sales",
        "create table rides (id int not null, fare decimal(8,2) default 1.5, note varchar(20))",
        "create table rides_2 (id bigint)",
        "create table sales.rides (id int)",
        "create view sales.all_rides as select id from sales.rides",
    ):
        aws.warehouse.sql(sql)
    return aws.client("redshift-data")


def test_databases(data: Any) -> None:
    assert data.list_databases(**TARGET)["Databases"] == ["dev"]


def test_schemas(data: Any) -> None:
    assert data.list_schemas(**TARGET)["Schemas"] == ["information_schema", "pg_catalog", "public", "sales"]
    assert data.list_schemas(SchemaPattern="S%", **TARGET)["Schemas"] == ["sales"]
    assert data.list_schemas(SchemaPattern="sale_", **TARGET)["Schemas"] == ["sales"]
    assert data.list_schemas(SchemaPattern="sale", **TARGET)["Schemas"] == []


def tables(data: Any, **patterns: str) -> list[tuple[str, str, str]]:
    listed = data.list_tables(**TARGET, **patterns)["Tables"]
    return [(one["schema"], one["name"], one["type"]) for one in listed]


def test_tables(data: Any) -> None:
    everything = tables(data)
    assert ("sales", "all_rides", "VIEW") in everything
    assert ("pg_catalog", "stl_load_errors", "SYSTEM VIEW") in everything
    assert tables(data, TablePattern="rides") == [("public", "rides", "TABLE"), ("sales", "rides", "TABLE")]
    assert tables(data, SchemaPattern="public") == [("public", "rides", "TABLE"), ("public", "rides_2", "TABLE")]
    assert tables(data, TablePattern=r"rides\__") == [("public", "rides_2", "TABLE")]
    assert tables(data, SchemaPattern="sales", TablePattern="%all%") == [("sales", "all_rides", "VIEW")]
    assert tables(data, TablePattern="'; drop table rides; --") == []


def test_pages_of_tables(data: Any) -> None:
    request = {**TARGET, "TablePattern": "%rides%", "MaxResults": 3}
    first = data.list_tables(**request)
    second = data.list_tables(**request, NextToken=first["NextToken"])
    assert [len(page["Tables"]) for page in (first, second)] == [3, 1]
    assert "NextToken" not in second


def test_a_table(data: Any) -> None:
    described = data.describe_table(Schema="public", Table="rides", **TARGET)
    keys = ("schemaName", "tableName", "name", "typeName", "precision", "scale", "length", "nullable", "columnDefault")
    assert described["TableName"] == "rides"
    assert [tuple(column.get(key) for key in keys) for column in described["ColumnList"]] == [
        ("public", "rides", "id", "int4", 10, 0, 0, 0, None),
        ("public", "rides", "fare", "numeric", 8, 2, 0, 1, "1.5"),
        ("public", "rides", "note", "varchar", 20, 0, 20, 1, None),
    ]


def test_a_name_in_all_schemas_and_in_none(data: Any) -> None:
    def columns(**names: str) -> list[tuple[str, str]]:
        listed = data.describe_table(**TARGET, **names)["ColumnList"]
        return [(column["schemaName"], column["name"]) for column in listed]

    assert columns(Table="RIDES") == [("public", "id"), ("public", "fare"), ("public", "note"), ("sales", "id")]
    assert columns(Schema="sales") == [("sales", "id"), ("sales", "id")]
    assert columns(Table="nowhere") == []
    assert ("pg_catalog", "filename") in columns(Table="stl_load_errors")


def test_another_database(data: Any) -> None:
    for call in (data.list_databases, data.list_schemas, data.list_tables, data.describe_table):
        with pytest.raises(ClientError) as caught:
            call(ClusterIdentifier="c", Database="elsewhere")
        assert caught.value.response["Error"] == {
            "Code": "DatabaseConnectionException",
            "Message": 'FATAL: database "elsewhere" does not exist',
        }


def test_lists_name_nothing_that_the_user_has_no_right_to(aws: Any, data: Any) -> None:
    aws.warehouse.sql("CREATE USER ann PASSWORD DISABLE; GRANT SELECT (id) ON rides_2 TO ann")
    aws.warehouse.sql("GRANT SELECT ON sales.rides TO ann")
    ann = {**TARGET, "DbUser": "ann"}
    listed = data.list_tables(**ann)["Tables"]
    assert [one["name"] for one in listed if one["schema"] in ("public", "sales")] == ["rides_2"]
    assert data.describe_table(Schema="sales", Table="rides", **ann)["ColumnList"] == []
    assert data.describe_table(Schema="public", Table="rides", **ann)["ColumnList"] == []
    assert len(data.describe_table(Schema="public", Table="rides_2", **ann)["ColumnList"]) == 1
    assert data.list_schemas(**ann)["Schemas"] == ["information_schema", "pg_catalog", "public"]
    aws.warehouse.sql("GRANT USAGE ON SCHEMA sales TO ann; GRANT SELECT (note) ON rides TO ann")
    assert data.list_schemas(SchemaPattern="s%", **ann)["Schemas"] == ["sales"]
    described = data.describe_table(Schema="public", Table="rides", **ann)["ColumnList"]
    assert [column["name"] for column in described] == ["note"]
