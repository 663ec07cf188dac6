"""Transform jobs through boto3: of forests and of DeepAR, described, listed, stopped and refused."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from restframe.jobs import Channel, ModelSpec, TransformSpec, process, transform
from restframe.jobs.transform import TransformProcess
from restframe.ml import algorithm as ml
from restframe.ml import artifact, codecs, registry
from restframe.ml.deepar import Configuration, fit, save
from restframe.ml.forecasting.series import Series
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog
from restframe.storage import ObjectUrl

ROLE = "arn:aws:iam::000000000000:role/restframe"


def forest() -> bytes:
    algorithm = registry.find("random_cut_forest")
    parameters = check(algorithm.hyperparameters, {"num_trees": "50"}, complete=False)
    points = np.random.default_rng(3).integers(100, 20_000, (1000, 1)).astype(np.float64)
    channel = ml.Channel([("a", codecs.encode(points, codecs.CSV))])
    return artifact.write(algorithm.train(parameters, {"train": channel}, TrainingLog(lambda _: None, "x")).files)


def deepar() -> bytes:
    configuration = Configuration(
        context_length=6, prediction_length=4, epochs=1, time_freq="D", mini_batch_size=8, num_cells=5, num_layers=1
    )
    target = np.arange(40) % 7 + 10.0
    return artifact.write(save(fit([Series(np.datetime64("2020-01-01", "s"), target)], configuration)))


@pytest.fixture(scope="module")
def sagemaker(shared_aws: Any) -> Any:
    """A client, and models called forest and deepar."""
    client = shared_aws.client("sagemaker")
    for name, image, archive in (("forest", "randomcutforest", forest()), ("deepar", "forecasting-deepar", deepar())):
        url = f"s3://models/{name}/model.tar.gz"
        shared_aws.warehouse.storage.put(ObjectUrl.parse(url), archive)
        container = {"Image": f"522234722520.dkr.ecr.us-east-1.amazonaws.com/{image}:1", "ModelDataUrl": url}
        client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    return client


@pytest.fixture
def storage(shared_aws: Any) -> Any:
    return shared_aws.warehouse.storage


def put(storage: Any, key: str, data: bytes) -> None:
    storage.put(ObjectUrl("rides", key), data)


def request(name: str, model: str, **given: Any) -> dict[str, Any]:
    return {
        "TransformJobName": name,
        "ModelName": model,
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://rides/{name}/in"}},
            "ContentType": "text/csv" if model == "forest" else "application/jsonlines",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": f"s3://rides/{name}/out", "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1},
        **given,
    }


def refused(sagemaker: Any, code: str = "ValidationException", **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        sagemaker.create_transform_job(**{**request("refused", "forest"), **given})
    assert caught.value.response["Error"]["Code"] == code
    return str(caught.value.response["Error"]["Message"])


def test_forecasts_of_a_bucket(sagemaker: Any, storage: Any) -> None:
    series = [{"start": "2020-01-01", "target": list(range(10 + i))} for i in range(20)]
    put(storage, "Forecasts/in/a.jsonl", "\n".join(map(json.dumps, series)).encode() + b"\n")
    sent = request(
        "Forecasts",
        "deepar",
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=4,
        MaxPayloadInMB=2,
        Environment={"DEEPAR_INFERENCE_CONFIG": '{"num_samples": 20, "output_types": ["quantiles"], "seed": 1}'},
        Tags=[{"Key": "team", "Value": "rides"}],
    )
    arn = sagemaker.create_transform_job(**sent)["TransformJobArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:transform-job/forecasts"
    found = sagemaker.describe_transform_job(TransformJobName="Forecasts")
    assert (found["TransformJobStatus"], found["TransformJobArn"]) == ("Completed", arn)
    for member in sent.keys() - {"Tags"}:
        assert found[member] == sent[member]
    assert found["CreationTime"] <= found["TransformStartTime"] < found["TransformEndTime"]
    assert "FailureReason" not in found
    lines = storage.read(ObjectUrl("rides", "Forecasts/out/a.jsonl.out")).splitlines()
    assert len(lines) == 20
    for line in lines:
        prediction = json.loads(line)
        assert list(prediction) == ["quantiles"]
        assert len(prediction["quantiles"]["0.9"]) == 4
    # each line is the answer to its own: the series rise, and so do their ends
    assert len(set(lines)) == 20
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "rides"}]
    sagemaker.get_waiter("transform_job_completed_or_stopped").wait(TransformJobName="Forecasts")


def test_scores_of_a_bucket(sagemaker: Any, storage: Any) -> None:
    put(storage, "scores/in/a.csv", b"1000\n39197\n")
    output = {"S3OutputPath": "s3://rides/scores/out/", "Accept": "text/csv", "AssembleWith": "Line"}
    for name, strategy in (("scores", "SingleRecord"), ("scores2", "MultiRecord")):
        sagemaker.create_transform_job(
            **{
                **request("scores", "forest", BatchStrategy=strategy, TransformOutput=output),
                "TransformJobName": name,
            }
        )
        assert sagemaker.describe_transform_job(TransformJobName=name)["TransformJobStatus"] == "Completed"
        scores = storage.read(ObjectUrl("rides", "scores/out/a.csv.out")).split()
        assert len(scores) == 2
        assert float(scores[1]) > float(scores[0]) > 0


def test_a_bad_line_fails_the_job_and_is_logged(sagemaker: Any, storage: Any, shared_aws: Any) -> None:
    put(storage, "bad/in/a.jsonl", b'{"start": "2020-01-01", "target": [1]}\n{"start": "x", "target": [1]}\n')
    sagemaker.create_transform_job(**request("bad", "deepar", BatchStrategy="SingleRecord"))
    found = sagemaker.describe_transform_job(TransformJobName="bad")
    assert found["TransformJobStatus"] == "Failed"
    assert found["FailureReason"].startswith(
        'ClientError: "s3://rides/bad/in/a.jsonl", line 2: Unable to evaluate payload provided: instance 1: "start" is'
    )
    logs = shared_aws.client("logs")
    group = "/aws/sagemaker/TransformJobs"
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="bad/")["logStreams"]
    events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert events[1]["message"] == (
        "[sagemaker logs]: rides/bad/in/a.jsonl: Bad HTTP status received from algorithm: 400"
    )
    assert not list(storage.list(ObjectUrl("rides", "bad/out")))


def test_a_wrong_configuration_fails_the_job(sagemaker: Any, storage: Any) -> None:
    put(storage, "wrong/in/a.jsonl", b'{"start": "2020-01-01", "target": [1]}\n')
    environment = {"DEEPAR_INFERENCE_CONFIG": '{"quantiles": ["2"]}'}
    sagemaker.create_transform_job(**request("wrong", "deepar", Environment=environment))
    assert sagemaker.describe_transform_job(TransformJobName="wrong")["FailureReason"].startswith(
        'ClientError: DEEPAR_INFERENCE_CONFIG: quantile "2" is not a number between 0 and 1'
    )


class StandingStill(TransformProcess):
    """A child that is stopped before it can do anything."""

    def __init__(self, directory: Path, task: Mapping[str, Any]) -> None:
        super().__init__(directory, task)
        os.kill(self.pid, signal.SIGSTOP)


def test_jobs_are_listed_and_stopped(
    sagemaker: Any,
    storage: Any,
    shared_aws: Any,
    monkeypatch: pytest.MonkeyPatch,
    eventually: Callable[[Callable[[], object]], None],
) -> None:
    put(storage, "list-a/in/a.csv", b"1\n")
    transforms = shared_aws.warehouse.jobs.transforms
    monkeypatch.setattr(process, "_GRACE_S", 60)
    with monkeypatch.context() as standing:
        standing.setattr(transform, "TransformProcess", StandingStill)
        sagemaker.create_transform_job(**request("list-a", "forest"))
        eventually(lambda: transforms.process_id("list-a") is not None)
    with pytest.raises(ClientError, match="must be unique within an AWS account and region, and a transform job"):
        sagemaker.create_transform_job(**request("list-a", "forest"))
    sagemaker.stop_transform_job(TransformJobName="list-a")
    os.kill(transforms.process_id("list-a"), signal.SIGCONT)
    assert transforms.wait("list-a", 60).status == "Stopped"
    with pytest.raises(ClientError, match="The request was rejected because the transform job is in status"):
        sagemaker.stop_transform_job(TransformJobName="list-a")
    # of the library
    model = shared_aws.warehouse.jobs.endpoints.models.find("forest").spec
    transforms.create(
        TransformSpec("list-b", model, Channel("s3://rides/list-a/in/"), "s3://rides/list-b", split="Line")
    )
    found = sagemaker.describe_transform_job(TransformJobName="list-b")
    assert found["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://rides/list-a/in/"
    assert found["TransformResources"]["InstanceCount"] == 1
    listed = sagemaker.list_transform_jobs(NameContains="list-", StatusEquals="Completed")["TransformJobSummaries"]
    assert listed[0]["TransformJobName"] == "list-b"
    assert listed[0]["TransformEndTime"] == found["TransformEndTime"]
    names = [one["TransformJobName"] for one in sagemaker.list_transform_jobs(MaxResults=2)["TransformJobSummaries"]]
    assert names == ["list-b", "list-a"]


def test_unknown_jobs_and_models(sagemaker: Any) -> None:
    for operation in (sagemaker.describe_transform_job, sagemaker.stop_transform_job):
        with pytest.raises(ClientError, match=r"ValidationException.*Requested resource not found"):
            operation(TransformJobName="nobody")
    assert refused(sagemaker, ModelName="nobody").startswith('Could not find model "arn:aws:sagemaker:')


def test_what_is_not_done_is_refused_by_name(sagemaker: Any) -> None:
    given = request("refused", "forest")["TransformInput"]
    for processing, name in (
        ({"InputFilter": "$[1:]"}, "DataProcessing.InputFilter"),
        ({"OutputFilter": "$.a"}, "DataProcessing.OutputFilter"),
        ({"JoinSource": "Input"}, "DataProcessing.JoinSource"),
    ):
        assert refused(sagemaker, DataProcessing=processing).startswith(f"{name} is not supported")
    assert "RecordIO is not supported" in refused(sagemaker, TransformInput={**given, "SplitType": "RecordIO"})
    assert "DataCaptureConfig is not supported" in refused(
        sagemaker, DataCaptureConfig={"DestinationS3Uri": "s3://rides/capture"}
    )
    assert "must be between 1 and 100" in refused(sagemaker, MaxPayloadInMB=0)
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": "s3://rides/x"}
    assert 'S3DataType is "AugmentedManifestFile"' in refused(
        sagemaker, TransformInput={**given, "DataSource": {"S3DataSource": source}}
    )


def test_a_server_that_runs_elsewhere_cannot_be_reached(sagemaker: Any, storage: Any, shared_aws: Any) -> None:
    put(storage, "elsewhere/in/a.csv", b"1\n")
    transforms = shared_aws.warehouse.jobs.transforms
    model = ModelSpec("elsewhere", url="http://127.0.0.1:1")
    transforms.create(TransformSpec("elsewhere", model, Channel("s3://rides/elsewhere/in"), "s3://rides/elsewhere/out"))
    failure = sagemaker.describe_transform_job(TransformJobName="elsewhere")["FailureReason"]
    assert 'endpoint "elsewhere" cannot be reached' in failure
