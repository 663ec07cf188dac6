"""The notebook behind the first document, as its authors publish it, without a changed byte of source.

RESTFRAME_UPSTREAM names a checkout of github.com/aws-samples/amazon-redshift-ml-getting-started; nothing of it is kept
here. Its placeholders stay: a bucket called your-s3-bucket, a cluster called redshift-cluster.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = "use-cases/bring-your-own-model-remote-inference/bring-your-own-model-remote-inference.ipynb"


def put_ridership(path):
    import boto3

    key = "datasets/tabular/anomaly_benchmark_taxi/NAB_nyc_taxi.csv"
    boto3.client("s3").upload_file(path, "sagemaker-sample-files", key)


def scores_of_endpoint_and_of_sql(endpoint):
    """How many there are, and those of SQL that are not the endpoint's."""
    import json

    import boto3

    data_api = boto3.client("redshift-data")

    def query(sql):
        said = data_api.execute_statement(Database="dev", ClusterIdentifier="any", Sql=sql, WaitTimeSeconds=30)
        return data_api.get_statement_result(Id=said["Id"], WaitTimeSeconds=30)["Records"]

    rows = query("select nbr_passengers, remote_fn_rcf(nbr_passengers) from rcf_taxi_data order by ride_timestamp")
    body = "\n".join(str(riders["longValue"]) for riders, _ in rows)
    runtime = boto3.client("sagemaker-runtime")
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="text/csv", Accept="application/json", Body=body
    )
    scores = [one["score"] for one in json.loads(answer["Body"].read())["scores"]]
    # the function's DECIMAL(10,6) is cut off, not rounded
    differ = [
        sql["stringValue"]
        for (_, sql), score in zip(rows, scores, strict=True)
        if sql["stringValue"] != f"{int(score * 1e6) / 1e6:.6f}"
    ]
    return len(rows), differ


def riders_above_the_cut_off(moments):
    import boto3

    data_api = boto3.client("redshift-data")
    sql = """
        with limits as (select avg(remote_fn_rcf(nbr_passengers)) + 3 * stddev(remote_fn_rcf(nbr_passengers)) as value
                        from rcf_taxi_data)
        select nbr_passengers from rcf_taxi_data
        where remote_fn_rcf(nbr_passengers) > (select value from limits) and ride_timestamp = :moment::timestamp"""
    riders = []
    for moment in moments:
        parameters = [{"name": "moment", "value": moment}]
        said = data_api.execute_statement(
            Database="dev", ClusterIdentifier="any", Sql=sql, Parameters=parameters, WaitTimeSeconds=30
        )
        riders.append(data_api.get_statement_result(Id=said["Id"])["Records"][0][0]["longValue"])
    return riders


def last_line(text: str) -> str:
    return text.rstrip().rpartition("\n")[2]


@pytest.mark.slow
def test_the_published_notebook_runs_unchanged(
    run_notebook: Callable[..., list[str]], ours: Any, shared_data: Callable[[str], Path]
) -> None:
    checkout = os.environ.get("RESTFRAME_UPSTREAM")
    if checkout is None:
        pytest.skip("RESTFRAME_UPSTREAM names no checkout of aws-samples/amazon-redshift-ml-getting-started")
    ours(put_ridership, str(shared_data("nab/nyc_taxi.csv")))
    shown = run_notebook(Path(checkout) / NOTEBOOK)
    assert len(shown) == 25
    training, all_scores, by_pandas, by_sql = shown[7], shown[23], shown[15], shown[24]
    assert "Completed - Training job completed" in training
    assert "[10320 rows x 3 columns]" in all_scores
    assert last_line(by_pandas) == last_line(by_sql)  # how many rows are above the cut-off
    (endpoint,) = re.findall(r"Endpoint name: (\S+)", "".join(shown))
    assert ours(scores_of_endpoint_and_of_sql, endpoint) == [10_320, []]
    assert ours(riders_above_the_cut_off, ["2014-11-02 01:00:00", "2014-11-02 01:30:00"]) == [39_197, 35_212]
