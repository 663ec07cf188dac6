"""Clients of AWS, unchanged, against a server: each is a program that has the environment `restframe env` prints.

The function above a test is the program: its source is all that runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

# boto3


def every_service():
    import boto3

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="every-service")
    data_api = boto3.client("redshift-data")
    return {
        "iam": boto3.client("iam").get_role(RoleName="restframe")["Role"]["Arn"],
        "logs": boto3.client("logs").describe_log_groups(logGroupNamePrefix="none")["logGroups"],
        "redshift": boto3.client("redshift").describe_clusters(ClusterIdentifier="any")["Clusters"][0]["DBName"],
        "redshift-data": data_api.list_databases(ClusterIdentifier="any", Database="dev")["Databases"],
        "redshift-serverless": boto3.client("redshift-serverless").list_workgroups()["workgroups"][0]["status"],
        "s3": s3.list_objects_v2(Bucket="every-service")["KeyCount"],
        "sagemaker": boto3.client("sagemaker").list_training_jobs(NameContains="none")["TrainingJobSummaries"],
        "secretsmanager": boto3.client("secretsmanager").get_random_password()["RandomPassword"] != "",
        "sts": boto3.client("sts").get_caller_identity()["Account"],
    }


def test_boto3_calls_every_service(ours: Run) -> None:
    assert ours(every_service) == {
        "iam": "arn:aws:iam::000000000000:role/restframe",
        "logs": [],
        "redshift": "dev",
        "redshift-data": ["dev"],
        "redshift-serverless": "AVAILABLE",
        "s3": 0,
        "sagemaker": [],
        "secretsmanager": True,
        "sts": "000000000000",
    }


def resource_of_a_bucket():
    import boto3

    bucket = boto3.resource("s3").Bucket("resource")
    bucket.create()
    for key in ("trips/a.csv", "trips/b.csv", "other"):
        bucket.put_object(Key=key, Body=key.encode())
    listed = [(one.key, one.size) for one in bucket.objects.filter(Prefix="trips/")]
    bucket.objects.filter(Prefix="trips/").delete()
    return listed, [one.key for one in bucket.objects.all()], bucket.Object("other").get()["Body"].read().decode()


def test_boto3_resources_list_as_version_1_does(ours: Run) -> None:
    assert ours(resource_of_a_bucket) == [[["trips/a.csv", 11], ["trips/b.csv", 11]], ["other"], "other"]


def transfer_in_parts():
    import hashlib
    import io

    import boto3

    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="parts")
    sent = bytes(range(256)) * 80_000
    s3.upload_fileobj(io.BytesIO(sent), "parts", "large")
    received = io.BytesIO()
    s3.download_fileobj("parts", "large", received)
    etag = s3.head_object(Bucket="parts", Key="large")["ETag"]
    return hashlib.md5(received.getvalue()).hexdigest() == hashlib.md5(sent).hexdigest(), etag.strip('"')[-2:]


def test_boto3_sends_and_fetches_20_mb_in_parts(ours: Run) -> None:
    assert ours(transfer_in_parts) == [True, "-3"]


def presigned_urls():
    import boto3
    import urllib3
    from botocore.config import Config

    boto3.client("s3").create_bucket(Bucket="presigned")
    key = "a key, with blanks & signs"
    seen = []
    for version in ("s3", "s3v4"):  # botocore still makes the older ones where nothing speaks against it
        s3 = boto3.client("s3", config=Config(signature_version=version))
        put = s3.generate_presigned_url("put_object", {"Bucket": "presigned", "Key": key})
        get = s3.generate_presigned_url("get_object", {"Bucket": "presigned", "Key": key})
        put_status = urllib3.request("PUT", put, body=f"through {version}".encode()).status
        other = urllib3.request("GET", get.replace("presigned/", "elsewhere/"))
        seen.append([put_status, urllib3.request("GET", get).data.decode(), other.status])
    return seen


def test_whoever_has_a_presigned_url_needs_no_key(ours: Run) -> None:
    assert ours(presigned_urls) == [[200, "through s3", 403], [200, "through s3v4", 403]]


# Files by URL


def s3fs_as_a_file_system():
    import s3fs

    fs = s3fs.S3FileSystem()
    fs.mkdir("s3fs-bucket")
    with fs.open("s3fs-bucket/trip data/one.txt", "wb") as file:
        file.write(b"0123456789" * 1000)
    with fs.open("s3fs-bucket/trip data/two.txt", "w") as file:
        file.write("two")
    with fs.open("s3fs-bucket/trip data/one.txt", "rb", block_size=100) as file:
        file.seek(5_005)
        some = file.read(3).decode()
    fs.copy("s3fs-bucket/trip data/two.txt", "s3fs-bucket/three.txt")
    listed = fs.ls("s3fs-bucket"), fs.glob("s3fs-bucket/**/*.txt"), fs.du("s3fs-bucket")
    fs.rm("s3fs-bucket/trip data", recursive=True)
    return some, *listed, fs.exists("s3fs-bucket/trip data/one.txt"), fs.cat("s3fs-bucket/three.txt").decode()


def test_s3fs(theirs: Run) -> None:
    assert theirs(s3fs_as_a_file_system) == [
        "567",
        ["s3fs-bucket/three.txt", "s3fs-bucket/trip data"],
        ["s3fs-bucket/three.txt", "s3fs-bucket/trip data/one.txt", "s3fs-bucket/trip data/two.txt"],
        10_006,
        False,
        "two",
    ]


def pandas_over_s3():
    import pandas as pd

    frame = pd.DataFrame({"n": range(20_000), "text": [f"row {n}" for n in range(20_000)]})
    pd.DataFrame({"made": ["to have a bucket"]}).to_csv("s3://pandas-bucket/first.csv")
    frame.to_csv("s3://pandas-bucket/a b/rows.csv.gz", index=False)
    frame.to_parquet("s3://pandas-bucket/rows.parquet")
    csv = pd.read_csv("s3://pandas-bucket/a b/rows.csv.gz")
    parquet = pd.read_parquet("s3://pandas-bucket/rows.parquet", columns=["n"])
    return csv.equals(frame), int(parquet["n"].sum())


def test_pandas_reads_and_writes_csv_and_parquet(theirs: Run) -> None:
    assert theirs(pandas_over_s3) == [True, 199_990_000]


def pyarrow_file_system():
    import os

    import pyarrow as pa
    import pyarrow.dataset as ds
    from pyarrow import fs

    address = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    s3 = fs.S3FileSystem(endpoint_override=address, scheme="http", allow_bucket_creation=True)
    s3.create_dir("pyarrow-bucket")
    table = pa.table({"n": range(1000), "part": ["even", "odd"] * 500})
    ds.write_dataset(table, "pyarrow-bucket/parts", format="parquet", partitioning=["part"], filesystem=s3)
    files = s3.get_file_info(fs.FileSelector("pyarrow-bucket/parts", recursive=True))
    by_uri, path = fs.FileSystem.from_uri(f"s3://pyarrow-bucket/parts?endpoint_override={address}&scheme=http")
    read = ds.dataset(path, filesystem=by_uri, partitioning=["part"])
    with by_uri.open_input_file("pyarrow-bucket/parts/even/part-0.parquet") as file:
        size = file.size()
        magic = file.read_at(4, size - 4).decode()
    return sorted(one.path for one in files if one.is_file), read.count_rows(filter=ds.field("part") == "odd"), magic


def test_pyarrow_writes_and_reads_a_dataset(ours: Run) -> None:
    assert ours(pyarrow_file_system) == [
        ["pyarrow-bucket/parts/even/part-0.parquet", "pyarrow-bucket/parts/odd/part-0.parquet"],
        500,
        "PAR1",
    ]


def obstore_store():
    import os

    import obstore
    from obstore.store import S3Store

    store = S3Store(
        "obstore-bucket",
        endpoint=os.environ["AWS_ENDPOINT_URL"],
        virtual_hosted_style_request=False,
        client_options={"allow_http": True},
    )
    put = obstore.put(store, "large", b"0123456789" * 1_200_000, use_multipart=True, chunk_size=5_242_880)
    obstore.put(store, "small/a", b"a")
    try:
        obstore.put(store, "small/a", b"b", mode="create")
    except obstore.exceptions.AlreadyExistsError:
        kept = bytes(obstore.get(store, "small/a").bytes()).decode()
    obstore.copy(store, "small/a", "small/b")
    listed = [(one["path"], one["size"]) for one in obstore.list(store).collect()]
    some = bytes(obstore.get_range(store, "large", start=7_000_003, length=4)).decode()
    obstore.delete(store, ["small/a", "small/b"])
    return put["e_tag"].strip('"')[-2:], kept, listed, some, len(obstore.list(store).collect())


def test_obstore(ours: Run) -> None:
    assert ours(obstore_store) == [
        "-3",
        "a",
        [["large", 12_000_000], ["small/a", 1], ["small/b", 1]],
        "3456",
        1,
    ]


# The AWS CLI


def test_aws_cli_copies_lists_signs_and_removes(aws_cli: Callable[..., str], served: Any) -> None:
    (served.home / "cli" / "sub").mkdir(parents=True)
    (served.home / "cli" / "sub" / "a.txt").write_text("a")
    (served.home / "cli" / "large").write_bytes(b"0" * 9_000_000)
    aws_cli("s3", "mb", "s3://cli-bucket")
    aws_cli("s3", "sync", "cli", "s3://cli-bucket/copy")
    listed = aws_cli("s3", "ls", "--recursive", "s3://cli-bucket").splitlines()
    assert [line.split()[2:] for line in listed] == [["9000000", "copy/large"], ["1", "copy/sub/a.txt"]]
    assert aws_cli("s3", "cp", "s3://cli-bucket/copy/sub/a.txt", "-") == "a"
    aws_cli("s3", "mv", "s3://cli-bucket/copy/large", "s3://cli-bucket/moved")
    assert "cli-bucket/moved?" in aws_cli("s3", "presign", "s3://cli-bucket/moved")
    aws_cli("s3", "rm", "--recursive", "s3://cli-bucket")
    assert aws_cli("s3", "ls", "s3://cli-bucket") == ""
    aws_cli("s3", "rb", "s3://cli-bucket")


def test_aws_cli_runs_sql(aws_cli: Callable[..., str]) -> None:
    words = ("redshift-data", "execute-statement", "--cluster-identifier", "any", "--database", "dev")
    statement = json.loads(aws_cli(*words, "--sql", "select 1 as one, 'zwei' as two"))["Id"]
    done = ("--query", "Status", "--output", "text")
    while (status := aws_cli("redshift-data", "describe-statement", "--id", statement, *done).strip()) != "FINISHED":
        assert status in ("SUBMITTED", "PICKED", "STARTED")
    result = json.loads(aws_cli("redshift-data", "get-statement-result", "--id", statement))
    assert result["Records"] == [[{"longValue": 1}, {"stringValue": "zwei"}]]


def test_aws_cli_keeps_a_secret(aws_cli: Callable[..., str]) -> None:
    aws_cli("secretsmanager", "create-secret", "--name", "cli-secret", "--secret-string", "a word")
    read = ("secretsmanager", "get-secret-value", "--secret-id", "cli-secret")
    assert aws_cli(*read, "--query", "SecretString", "--output", "text") == "a word\n"


def test_aws_cli_asks_amazons_own_address_who_it_is(aws_cli: Callable[..., str]) -> None:
    """STS is asked at its public name by many libraries; the proxy answers there, with a certificate we trust."""
    said = aws_cli("sts", "get-caller-identity", "--endpoint-url", "https://sts.us-east-1.amazonaws.com")
    assert json.loads(said)["Account"] == "000000000000"


# The SageMaker SDK, awswrangler


def sagemaker_identity():
    import boto3
    import sagemaker

    session = sagemaker.Session()
    bucket = session.default_bucket()
    boto3.client("s3").put_object(Bucket=bucket, Key="made", Body=b"")
    return sagemaker.get_execution_role(), session.account_id(), bucket


def test_sagemaker_knows_its_role_account_and_bucket(theirs: Run) -> None:
    role, account, bucket = theirs(sagemaker_identity)
    assert role == "arn:aws:iam::000000000000:role/restframe"
    assert account == "000000000000"
    assert bucket == "sagemaker-us-east-1-000000000000"


def random_cut_forest():
    import time

    import boto3
    import numpy as np
    import sagemaker

    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.5))  # the SDK looks for more of a log every ten seconds
    forest = sagemaker.RandomCutForest(
        role=sagemaker.get_execution_role(),
        instance_count=1,
        instance_type="ml.m4.xlarge",
        data_location="s3://forest/train",
        output_path="s3://forest/models",
        num_trees=50,
        num_samples_per_tree=20,
    )
    forest.fit(forest.record_set(np.arange(1000, dtype="float32").reshape(-1, 1)))
    predictor = forest.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge", wait=False)
    waiter = boto3.client("sagemaker").get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1})
    common, rare = (
        record.label["score"].float32_tensor.values[0] for record in predictor.predict(np.array([[500.0], [5000.0]]))
    )
    predictor.delete_model()
    predictor.delete_endpoint()
    return common < rare, boto3.client("sagemaker").list_endpoints()["Endpoints"]


@pytest.mark.slow
def test_sagemaker_trains_deploys_and_asks_a_forest(theirs: Run) -> None:
    assert theirs(random_cut_forest) == [True, []]


def deepar_over_a_bucket():
    import json
    import time

    import boto3
    import sagemaker

    sleep = time.sleep
    time.sleep = lambda seconds: sleep(min(seconds, 0.5))  # the SDK looks for more of a log every ten seconds
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="rides")
    series = [{"start": "2020-01-01", "target": [float(10 + (day + i) % 7) for day in range(120)]} for i in range(3)]
    body = "\n".join(map(json.dumps, series)).encode()
    s3.put_object(Bucket="rides", Key="train/train.json", Body=body)
    estimator = sagemaker.estimator.Estimator(
        sagemaker.image_uris.retrieve("forecasting-deepar", "us-east-1"),
        sagemaker.get_execution_role(),
        instance_count=1,
        instance_type="ml.c4.2xlarge",
        output_path="s3://rides/models",
        hyperparameters={"time_freq": "D", "context_length": "7", "prediction_length": "7", "epochs": "1"},
    )
    estimator.fit({"train": "s3://rides/train/"}, logs=False)
    configuration = {"num_samples": 20, "output_types": ["quantiles"], "quantiles": ["0.1", "0.5", "0.9"]}
    transformer = estimator.transformer(
        instance_count=1,
        instance_type="ml.c4.2xlarge",
        strategy="SingleRecord",
        assemble_with="Line",
        accept="application/jsonlines",
        output_path="s3://rides/forecasts",
        env={"DEEPAR_INFERENCE_CONFIG": json.dumps(configuration)},
    )
    transformer.transform("s3://rides/train/", content_type="application/jsonlines", split_type="Line")
    again = sagemaker.transformer.Transformer.attach(transformer.latest_transform_job.name)
    written = s3.get_object(Bucket="rides", Key="forecasts/train.json.out")["Body"].read().decode()
    found = [json.loads(line)["quantiles"] for line in written.splitlines()]
    return [[list(one), len(one["0.5"])] for one in found], again.strategy


@pytest.mark.slow
def test_sagemaker_forecasts_a_bucket(theirs: Run) -> None:
    assert theirs(deepar_over_a_bucket) == [[[["0.1", "0.5", "0.9"], 7]] * 3, "SingleRecord"]


def awswrangler():
    import awswrangler as wr
    import pandas as pd

    frame = pd.DataFrame({"n": [1, 2, 3], "word": ["one", "two", None]})
    wr.s3.to_parquet(frame, "s3://wrangler/rows/", dataset=True)
    connection = wr.data_api.redshift.connect(cluster_id="any", database="dev", db_user="awsuser")
    read = wr.data_api.redshift.read_sql_query("select 7 as seven, 'x' as x, null::int as nothing", connection)
    return wr.s3.read_parquet("s3://wrangler/rows/").to_dict("list"), read.to_dict("list")


def test_awswrangler(theirs: Run) -> None:
    assert theirs(awswrangler) == [
        {"n": [1, 2, 3], "word": ["one", "two", None]},
        {"seven": [7], "x": ["x"], "nothing": [None]},
    ]
