"""SQLAlchemy 2 with three drivers, pandas on top of it, and awswrangler's Redshift functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

URLS = ("postgresql+psycopg", "postgresql+psycopg2", "postgresql+pg8000", "redshift+psycopg2",
        "redshift+redshift_connector")  # fmt: skip


def reflection(driver):
    import os

    import sqlalchemy as sa

    schema = "sa_" + "".join(filter(str.isalnum, driver))
    url = sa.URL.create(driver, os.environ["PGUSER"], os.environ["PGPASSWORD"], os.environ["PGHOST"],
                        int(os.environ["PGPORT"]), os.environ["PGDATABASE"])  # fmt: skip
    # sqlalchemy-redshift has psycopg2 trust Amazon's authority and no other
    engine = sa.create_engine(url, connect_args={"sslmode": "prefer"} if driver == "redshift+psycopg2" else {})
    meta = sa.MetaData(schema=schema)
    sa.Table(
        "riders",
        meta,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(30), nullable=False),
    )
    sa.Table(
        "rides", meta,
        sa.Column("ride", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("rider", sa.ForeignKey(f"{schema}.riders.id")),
        sa.Column("fare", sa.Numeric(8, 2)), sa.Column("started", sa.DateTime), sa.Column("done", sa.Boolean),
        comment="one line each",
    )  # fmt: skip
    with engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(schema))
        meta.create_all(connection)
        connection.execute(sa.text(f"create view {schema}.named as select name from {schema}.riders"))
    inspector = sa.inspect(engine)
    found = sa.MetaData(schema=schema)
    found.reflect(engine, views=True)
    with engine.begin() as connection:
        riders = found.tables[f"{schema}.riders"]
        connection.execute(sa.insert(riders), [{"id": i, "name": f"n{i}"} for i in range(5)])
        names = connection.scalars(sa.select(riders.c.name).where(riders.c.id > 2).order_by(riders.c.id)).all()
    return {
        "tables": sorted(inspector.get_table_names(schema)),
        "views": inspector.get_view_names(schema),
        "columns": [[one["name"], str(one["type"]), one["nullable"]] for one in inspector.get_columns("rides", schema)],
        "primary key": inspector.get_pk_constraint("rides", schema)["constrained_columns"],
        "foreign keys": [one["referred_table"] for one in inspector.get_foreign_keys("rides", schema)],
        "reflected": sorted(found.tables),
        "has": [inspector.has_table("rides", schema), inspector.has_table("none", schema)],
        "names": list(names),
    }


@pytest.mark.parametrize("driver", URLS)
def test_sqlalchemy_reflects_and_queries(sql_client: Run, driver: str) -> None:
    schema = "sa_" + "".join(filter(str.isalnum, driver))
    assert sql_client(reflection, driver) == {
        "tables": ["riders", "rides"],
        "views": ["named"],
        "columns": [
            ["ride", "BIGINT", False], ["rider", "INTEGER", True], ["fare", "NUMERIC(8, 2)", True],
            ["started", "TIMESTAMP", True], ["done", "BOOLEAN", True],
        ],
        "primary key": ["ride"],
        "foreign keys": ["riders"],
        "reflected": [f"{schema}.named", f"{schema}.riders", f"{schema}.rides"],
        "has": [True, False],
        "names": ["n3", "n4"],
    }  # fmt: skip


def frames(driver):
    import os

    import pandas as pd
    import sqlalchemy as sa

    table = "frame_" + "".join(filter(str.isalnum, driver))
    url = sa.URL.create(driver, os.environ["PGUSER"], os.environ["PGPASSWORD"], os.environ["PGHOST"],
                        int(os.environ["PGPORT"]), os.environ["PGDATABASE"])  # fmt: skip
    # sqlalchemy-redshift has psycopg2 trust Amazon's authority and no other
    engine = sa.create_engine(url, connect_args={"sslmode": "prefer"} if driver == "redshift+psycopg2" else {})
    made = pd.DataFrame(
        {"a": range(1000), "b": [f"v{i}" for i in range(1000)], "c": [i / 8 for i in range(1000)],
         "d": pd.date_range("2020-01-01", periods=1000, freq="h")}
    )  # fmt: skip
    made.to_sql(table, engine, index=False, method="multi", chunksize=250)
    made.head(1).to_sql(table, engine, index=False, if_exists="append")
    back = pd.read_sql(f"select * from {table} order by a, b", engine)
    also = pd.read_sql_table(table, engine)
    return [len(back), bool((back.iloc[1:].reset_index(drop=True) == made).all().all()), len(also), list(also.columns)]


@pytest.mark.parametrize("driver", URLS)
def test_pandas_writes_and_reads_tables(sql_client: Run, driver: str) -> None:
    assert sql_client(frames, driver) == [1001, True, 1001, ["a", "b", "c", "d"]]


def wrangled():
    import os

    import awswrangler as wr
    import boto3
    import pandas as pd
    import redshift_connector

    boto3.client("s3").create_bucket(Bucket="wrangled")
    connection = redshift_connector.connect(
        host=os.environ["PGHOST"], port=int(os.environ["PGPORT"]), user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"], database=os.environ["PGDATABASE"], ssl=False,
    )  # fmt: skip
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.5, 1.5, 2.5]})
    role = boto3.client("iam").get_role(RoleName="restframe")["Role"]["Arn"]
    wr.redshift.to_sql(frame, connection, "wrangled", "public", mode="overwrite")
    wr.redshift.copy(frame, "s3://wrangled/in/", connection, "wrangled_copy", "public", iam_role=role, mode="overwrite")
    upsert = pd.DataFrame({"a": [3, 4], "b": ["z", "new"], "c": [9.5, 8.5]})
    wr.redshift.to_sql(upsert, connection, "wrangled", "public", mode="upsert", primary_keys=["a"])
    read = wr.redshift.read_sql_query("select * from public.wrangled order by a", connection)
    unloaded = wr.redshift.unload("select * from public.wrangled_copy", "s3://wrangled/out/", connection, iam_role=role)
    whole = wr.redshift.read_sql_table("wrangled_copy", connection, schema="public")
    return [read.a.tolist(), read.c.tolist(), sorted(unloaded.a.tolist()), len(whole)]


def test_awswrangler(sql_client: Run) -> None:
    assert sql_client(wrangled) == [[1, 2, 3, 4], [0.5, 1.5, 9.5, 8.5], [1, 2, 3], 3]
