"""The flow of the second document: a secret, a waiter of one's own, COPY, questions, UNLOAD, and reading what it wrote.

On the green taxi trips of ten months of 2020, as they are: 887,649 rows, of which 37 % do not say whose they are.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CREATE_TABLE = """
    create table taxischema.nyc_greentaxi (
        vendorid varchar(10), lpep_pickup_datetime timestamp, lpep_dropoff_datetime timestamp,
        store_and_fwd_flag char(1), ratecodeid int, pulocationid int, dolocationid int, passenger_count int,
        trip_distance decimal(8,2), fare_amount decimal(8,2), extra decimal(8,2), mta_tax decimal(8,2),
        tip_amount decimal(8,2), tolls_amount decimal(8,2), ehail_fee varchar(100),
        improvement_surcharge decimal(8,2), total_amount decimal(8,2), payment_type varchar(10),
        trip_type varchar(10), congestion_surcharge decimal(8,2)
    ) sortkey (vendorid);"""

BY_MONTH = """
    select to_char(lpep_pickup_datetime, 'YYYY-MM') as Pickup_YearMonth, count(*) as Ride_Count
    from taxischema.nyc_greentaxi group by 1 order by 1 desc;"""

# One vendor's trips by quarter of an hour; what is quoted stands inside a quoted query, hence twice.
QUARTERS = """
    select case
             when extract(minute from lpep_dropoff_datetime) between 0 and 14
               then dateadd(minute, 0, date_trunc(''hour'', lpep_dropoff_datetime))
             when extract(minute from lpep_dropoff_datetime) between 15 and 29
               then dateadd(minute, 15, date_trunc(''hour'', lpep_dropoff_datetime))
             when extract(minute from lpep_dropoff_datetime) between 30 and 44
               then dateadd(minute, 30, date_trunc(''hour'', lpep_dropoff_datetime))
             when extract(minute from lpep_dropoff_datetime) between 45 and 59
               then dateadd(minute, 45, date_trunc(''hour'', lpep_dropoff_datetime))
           end as quarter, count(1) as trips
    from taxischema.nyc_greentaxi where vendorid = {vendor} group by 1"""

UNLOAD = f"""
    UNLOAD('select coalesce(v1.quarter, v2.quarter) as quarter,
              coalesce(v1.trips, 0) as vendor_1, coalesce(v2.trips, 0) as vendor_2
            from ({QUARTERS.format(vendor=1)}) v1
            full outer join ({QUARTERS.format(vendor=2)}) v2 on v1.quarter = v2.quarter
    ;') to 's3://deepar-demo/output/redshift-output/' iam_role '{{role}}' format as CSV header ALLOWOVERWRITE GZIP"""


def put_trips(directory):
    """What the document finds in a bucket: plain CSV, under a prefix with a blank in it."""
    import gzip
    import pathlib

    import boto3

    for path in sorted(pathlib.Path(directory).glob("*.csv.gz")):
        with gzip.open(path) as trips:
            boto3.client("s3").upload_fileobj(trips, "nyc-tlc", f"trip data/{path.stem}")


def make_secret():
    """What the document's template does: a secret with a login, to which a function adds cluster and database."""
    import json
    import os

    import boto3

    secrets = boto3.client("secretsmanager")
    login = {"username": os.environ["PGUSER"], "password": os.environ["PGPASSWORD"]}
    secrets.create_secret(Name="redshift-dataapidemo", SecretString=json.dumps(login))
    known = json.loads(secrets.get_secret_value(SecretId="redshift-dataapidemo")["SecretString"])
    known |= {"dbClusterIdentifier": "demo-cluster", "db": os.environ["PGDATABASE"]}
    return secrets.update_secret(SecretId="redshift-dataapidemo", SecretString=json.dumps(known))["Name"]


def the_notebook(create_table, by_month, unload):
    import json
    import operator

    import boto3
    import numpy as np
    import pandas as pd
    import s3fs
    import sagemaker
    from botocore.waiter import WaiterModel, create_waiter_with_client

    secret = boto3.client("secretsmanager").get_secret_value(SecretId="redshift-dataapidemo")
    known = json.loads(secret["SecretString"])
    login = {"Database": known["db"], "ClusterIdentifier": known["dbClusterIdentifier"], "SecretArn": secret["ARN"]}
    client = boto3.client("redshift-data")
    seen = {"schemas": client.list_schemas(**login)["Schemas"]}

    def waiter(delay, attempts):
        # pathAny on a text never matches: what is not finished is asked for again, and a failure is a time-out
        accepted = [
            {"matcher": "path", "expected": "FINISHED", "argument": "Status", "state": "success"},
            {"matcher": "pathAny", "expected": ["STARTED", "SUBMITTED"], "argument": "Status", "state": "retry"},
            {"matcher": "pathAny", "expected": ["FAILED", "ABORTED"], "argument": "Status", "state": "failure"},
        ]
        config = {"operation": "DescribeStatement", "delay": delay, "maxAttempts": attempts, "acceptors": accepted}
        model = WaiterModel({"version": 2, "waiters": {"DataAPIExecution": config}})
        return create_waiter_with_client("DataAPIExecution", model, client)

    def run(*statements, delay=2, attempts=30):
        ids = [client.execute_statement(Sql=sql, **login)["Id"] for sql in statements]
        for one in ids:
            waiter(delay, attempts).wait(Id=one)
        return [client.describe_statement(Id=one) for one in ids]

    run("create schema taxischema;")
    (created,) = run(create_table)
    seen["created"] = [created["Status"], created["Duration"] / pow(10, 6) < 60_000, created["ResultRows"]]

    role = sagemaker.get_execution_role()
    source = "s3://nyc-tlc/trip data/green_tripdata_2020-"
    copies = [
        f"COPY taxischema.nyc_greentaxi FROM '{source}{half}' IAM_ROLE '{role}' csv ignoreheader 1 region 'us-east-1';"
        for half in "01"
    ]
    copied = run(*copies, delay=1, attempts=60)
    seen["copied"] = [one["Status"] for one in copied]

    (asked,) = run(by_month)
    output = client.get_statement_result(Id=asked["Id"])
    labels = [column["label"] for column in output["ColumnMetadata"]]
    frame = pd.DataFrame(np.array(output["Records"]), columns=labels)
    frame[labels[0]] = frame[labels[0]].apply(operator.itemgetter("stringValue"))
    frame[labels[1]] = frame[labels[1]].apply(operator.itemgetter("longValue"))
    seen["labels"] = labels
    seen["rows"] = [output["TotalNumRows"] == len(frame), int(frame[labels[1]].sum())]
    seen["first and last month"] = [frame[labels[0]].iloc[0], frame[labels[0]].iloc[-1]]

    run(unload.format(role=role), delay=1, attempts=60)
    files = boto3.client("s3").list_objects_v2(Bucket="deepar-demo", Prefix="output/redshift-output/")["Contents"]
    fs, parts = s3fs.S3FileSystem(), []
    for file in files:
        with fs.open(f"s3://deepar-demo/{file['Key']}") as opened:
            parts.append(pd.read_csv(opened, compression="gzip", index_col=0, parse_dates=True, decimal=","))
    quarters = pd.concat(parts).sort_index()["2020-03-01":"2020-12-31"]
    seen["several files, each with a header"] = [
        len(files) > 1,
        {tuple(one.columns) for one in parts} == {("vendor_1", "vendor_2")},
    ]
    seen["quarters"] = [len(quarters), int(quarters["vendor_1"].sum()), int(quarters["vendor_2"].sum())]
    return seen


@pytest.mark.slow
def test_the_flow_of_the_document(theirs: Any, shared_data: Callable[[str], Path]) -> None:
    theirs(put_trips, str(shared_data("green_taxi")))
    assert theirs(make_secret) == "redshift-dataapidemo"
    assert theirs(the_notebook, CREATE_TABLE, BY_MONTH, UNLOAD) == {
        "schemas": ["information_schema", "pg_catalog", "public"],
        "created": ["FINISHED", True, 0],
        "copied": ["FINISHED", "FINISHED"],
        "labels": ["pickup_yearmonth", "ride_count"],
        "rows": [True, 887_649],
        "first and last month": ["2041-08", "2008-12"],
        "several files, each with a header": [True, True],
        "quarters": [28_018, 96_223, 460_239],
    }
