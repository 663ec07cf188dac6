"""Training jobs through boto3: created, described while they run, stopped, listed, and what a crash leaves of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from restframe import Warehouse
from restframe.aws.backend import Backend
from restframe.jobs import process, training
from restframe.jobs.process import TrainingProcess
from restframe.storage import ObjectUrl

ROWS = "".join(f"{100 + (i * 7919) % 20_000}\n" for i in range(2000)).encode()
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
ROLE = "arn:aws:iam::000000000000:role/restframe"


class StandingStill(TrainingProcess):
    """The child of a job whose name begins with "paused" is stopped before it can do anything."""

    def __init__(self, directory: Path, task: Mapping[str, Any]) -> None:
        super().__init__(directory, task)
        if directory.name.startswith("paused"):
            os.kill(self.pid, signal.SIGSTOP)


@pytest.fixture(autouse=True)
def standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TrainingProcess", StandingStill)
    monkeypatch.setattr(process, "_GRACE_S", 60)  # until the test lets it go on


@pytest.fixture(autouse=True)
def rides(aws: Any) -> None:
    aws.warehouse.storage.put(ObjectUrl.parse("s3://rides/train/a.csv"), ROWS)


def channel(name: str = "train", **source: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://rides/train/", **source}},
    }


def request(name: str, **given: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [channel()],
        "OutputDataConfig": {"S3OutputPath": "s3://models/out/"},
        "ResourceConfig": {"InstanceType": "ml.m4.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {"feature_dim": "1", "num_trees": "50", "num_samples_per_tree": "20"},
        **given,
    }


def child_of(aws: Any, name: str) -> int:
    """The process id of a job's child, once it has one."""
    deadline = time.monotonic() + 60
    while (pid := aws.warehouse.jobs.training.process_id(name)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return int(pid)


def test_a_job_is_described_when_it_has_ended(aws: Any) -> None:
    sagemaker = aws.client("sagemaker")
    sent = request(
        "Taxi",
        InputDataConfig=[
            {
                **channel(S3DataDistributionType="ShardedByS3Key"),
                "ContentType": "text/csv;label_size=0",
                "CompressionType": "None",
                "RecordWrapperType": "None",
            }
        ],
        EnableNetworkIsolation=True,
        Environment={"A": "b"},
        ProfilerConfig={"DisableProfiler": True},
        DebugHookConfig={"S3OutputPath": "s3://models/debug", "CollectionConfigurations": []},
        Tags=[{"Key": "team", "Value": "rides"}],
    )
    arn = sagemaker.create_training_job(**sent)["TrainingJobArn"]
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:training-job/taxi"
    found = sagemaker.describe_training_job(TrainingJobName="Taxi")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Completed", "Completed")
    assert found["TrainingJobArn"] == arn
    assert found["ModelArtifacts"] == {"S3ModelArtifacts": "s3://models/out/Taxi/output/model.tar.gz"}
    definitions = found["AlgorithmSpecification"].pop("MetricDefinitions")
    assert definitions[0] == {
        "Name": "train:progress",
        "Regex": r"#progress_metric: host=\S+, completed (\S+) % epochs",
    }
    for member in sent.keys() - {"Tags", "OutputDataConfig"}:
        assert found[member] == sent[member]
    # the SDK's Estimator.attach reads KmsKeyId without looking whether it is there
    assert found["OutputDataConfig"] == {"S3OutputPath": "s3://models/out/", "CompressionType": "GZIP", "KmsKeyId": ""}
    assert found["EnableManagedSpotTraining"] is False
    assert [(one["Status"], one["StatusMessage"]) for one in found["SecondaryStatusTransitions"]] == [
        ("Starting", "Starting the training job"),
        ("Downloading", "Downloading the input data"),
        ("Training", "Training in progress"),
        ("Uploading", "Uploading generated training model"),
        ("Completed", "Training job completed"),
    ]
    assert {metric["MetricName"] for metric in found["FinalMetricDataList"]} == {"train:progress", "train:throughput"}
    assert found["TrainingTimeInSeconds"] == found["BillableTimeInSeconds"] >= 1
    assert found["CreationTime"] <= found["TrainingStartTime"] < found["TrainingEndTime"] == found["LastModifiedTime"]
    assert "FailureReason" not in found
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "rides"}]
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="Taxi")


def test_a_description_waits_for_the_end_and_comes_with_it(aws: Any) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request("paused"))
    pid = child_of(aws, "paused")
    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(sagemaker.describe_training_job, TrainingJobName="paused") for _ in range(3)]
        time.sleep(0.3)
        assert not any(one.done() for one in held)
        # whoever waits holds up nobody
        assert sagemaker.list_training_jobs()["TrainingJobSummaries"][0]["SecondaryStatus"] == "Training"
        os.kill(pid, signal.SIGCONT)
        assert [one.result(60)["TrainingJobStatus"] for one in held] == ["Completed"] * 3


def test_stopping_a_job_ends_the_wait(aws: Any) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request("paused"))
    pid = child_of(aws, "paused")
    with ThreadPoolExecutor(3) as threads:
        held = [threads.submit(sagemaker.describe_training_job, TrainingJobName="paused") for _ in range(3)]
        time.sleep(0.2)
        sagemaker.stop_training_job(TrainingJobName="paused")
        os.kill(pid, signal.SIGCONT)
        for one in held:
            found = one.result(60)
            assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("Stopped", "Stopped")
            assert "ModelArtifacts" not in found
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="paused")
    with pytest.raises(ClientError, match="rejected because the training job is in status Stopped") as caught:
        sagemaker.stop_training_job(TrainingJobName="paused")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_without_a_hold_a_running_job_is_described_at_once(aws: Any) -> None:
    object.__setattr__(aws.warehouse.settings, "describe_hold_s", 0.0)
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request("paused"))
    pid = child_of(aws, "paused")
    found = sagemaker.describe_training_job(TrainingJobName="paused")
    assert (found["TrainingJobStatus"], found["SecondaryStatus"]) == ("InProgress", "Training")
    assert "EndTime" not in found["SecondaryStatusTransitions"][-1]
    assert not {"TrainingEndTime", "BillableTimeInSeconds", "ModelArtifacts"} & found.keys()
    os.kill(pid, signal.SIGCONT)


def test_nobody_waits_for_a_client_that_has_left(aws: Any) -> None:
    sagemaker = aws.client("sagemaker", read_timeout=0.3)
    aws.client("sagemaker").create_training_job(**request("paused"))
    pid = child_of(aws, "paused")
    with pytest.raises(ReadTimeoutError):
        sagemaker.describe_training_job(TrainingJobName="paused")
    deadline = time.monotonic() + 60
    while any(_is_held(thread) for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(pid, signal.SIGCONT)


def _is_held(thread: threading.Thread) -> bool:
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None:
        if frame.f_code.co_name == "describe_training_job":
            return True
        frame = frame.f_back
    return False


def test_manifests_of_shards(aws: Any) -> None:
    storage = aws.warehouse.storage
    storage.put(
        ObjectUrl.parse("s3://rides/m.manifest"), json.dumps([{"prefix": "s3://rides/train/"}, "a.csv"]).encode()
    )
    sagemaker = aws.client("sagemaker")
    source = {
        "S3DataType": "ManifestFile",
        "S3Uri": "s3://rides/m.manifest",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    sagemaker.create_training_job(**request("m", InputDataConfig=[channel(**source)]))
    assert sagemaker.describe_training_job(TrainingJobName="m")["TrainingJobStatus"] == "Completed"


def test_what_is_wrong_with_the_data_is_the_reason_of_the_failure(aws: Any) -> None:
    aws.warehouse.storage.put(ObjectUrl.parse("s3://rides/bad.csv"), b"1\nabc\n")
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**request("bad", InputDataConfig=[channel(S3Uri="s3://rides/bad.csv")]))
    found = sagemaker.describe_training_job(TrainingJobName="bad")
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"].startswith("ClientError: ")
    assert 'line 2, column 1: "abc" is not a number' in found["FailureReason"]
    assert found["SecondaryStatusTransitions"][-1]["StatusMessage"] == found["FailureReason"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"AlgorithmSpecification": {"TrainingImage": "1.ecr/unheard-of:1", "TrainingInputMode": "File"}},
            'there is no algorithm for "1.ecr/unheard-of:1". There are: random_cut_forest (image randomcutforest)',
        ),
        ({"AlgorithmSpecification": {"TrainingInputMode": "File"}}, "AlgorithmSpecification.TrainingImage is missing"),
        ({"HyperParameters": {"trees": "5"}}, '"trees" is not a hyperparameter'),
        ({"HyperParameters": {}}, '"feature_dim" is required'),
        ({"InputDataConfig": [channel("test")]}, 'needs the channel "train"'),
        ({"InputDataConfig": [channel(), channel()]}, 'The channel "train" stands twice in InputDataConfig'),
        ({"InputDataConfig": [channel(S3Uri="https://rides/a")]}, "not an object store location"),
        ({"InputDataConfig": [channel(S3Uri="/etc/passwd")]}, "inputDataConfig.1.member.dataSource.s3DataSource.s3Uri"),
        ({"InputDataConfig": [channel(S3DataType="AugmentedManifestFile")]}, 'S3DataType is "AugmentedManifestFile"'),
        (
            {"InputDataConfig": [{**channel(), "ContentType": "image/png"}]},
            'content type "image/png" of the channel "train" is not supported',
        ),
        (
            {"OutputDataConfig": {"S3OutputPath": "s3://models", "CompressionType": "NONE"}},
            "OutputDataConfig.CompressionType NONE is not supported",
        ),
        ({"OutputDataConfig": {"S3OutputPath": "https://models"}}, "not an object store location"),
        ({"TrainingJobName": "a_b"}, "trainingJobName"),
    ],
)
def test_what_is_wrong_before_a_job_begins(aws: Any, given: dict[str, Any], message: str) -> None:
    sagemaker = aws.client("sagemaker")
    with pytest.raises(ClientError) as caught:
        sagemaker.create_training_job(**request("taxi", **given) | given)
    error = caught.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert message.lower() in error["Message"].lower()
    assert sagemaker.list_training_jobs()["TrainingJobSummaries"] == []


def test_names_that_are_unknown_or_taken(aws: Any) -> None:
    sagemaker = aws.client("sagemaker")
    for call in (sagemaker.describe_training_job, sagemaker.stop_training_job):
        with pytest.raises(ClientError, match="Requested resource not found") as caught:
            call(TrainingJobName="nothing")
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    sagemaker.create_training_job(**request("taxi"))
    with pytest.raises(sagemaker.exceptions.ResourceInUse, match="Training job names must be unique"):
        sagemaker.create_training_job(**request("taxi"))


def test_jobs_are_listed_by_what_is_asked_for(aws: Any) -> None:
    sagemaker = aws.client("sagemaker")
    for name in ("b-taxi", "a-taxi", "c-bike"):
        sagemaker.create_training_job(
            **request(name, HyperParameters={"feature_dim": "2"} if name == "a-taxi" else {"feature_dim": "1"})
        )
        sagemaker.describe_training_job(TrainingJobName=name)

    def listed(**given: Any) -> list[str]:
        found = sagemaker.list_training_jobs(**given)["TrainingJobSummaries"]
        return [job["TrainingJobName"] for job in found]

    assert listed() == ["b-taxi", "a-taxi", "c-bike"]
    assert listed(SortOrder="Descending") == ["c-bike", "a-taxi", "b-taxi"]
    assert listed(SortBy="Name") == ["a-taxi", "b-taxi", "c-bike"]
    assert listed(SortBy="Status") == ["b-taxi", "c-bike", "a-taxi"]
    assert listed(NameContains="TAXI", SortBy="Name") == ["a-taxi", "b-taxi"]
    assert listed(StatusEquals="Failed") == ["a-taxi"]
    assert listed(WarmPoolStatusEquals="Available") == []
    second = sagemaker.describe_training_job(TrainingJobName="a-taxi")["CreationTime"]
    assert listed(CreationTimeBefore=second + timedelta(milliseconds=1)) == ["b-taxi", "a-taxi"]
    assert listed(CreationTimeAfter=second + timedelta(milliseconds=1)) == ["c-bike"]
    assert listed(LastModifiedTimeAfter=second + timedelta(hours=1)) == []
    pages = sagemaker.get_paginator("list_training_jobs").paginate(
        SortBy="Name", SortOrder="Descending", PaginationConfig={"PageSize": 1}
    )
    assert [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages] == [
        ["c-bike"],
        ["b-taxi"],
        ["a-taxi"],
    ]
    for token in ("nonsense", "WyJhIl0=", "WzEsMl0=", "bnVsbA=="):
        with pytest.raises(ClientError, match="Invalid NextToken"):
            sagemaker.list_training_jobs(NextToken=token)


def test_jobs_of_the_library_are_described_too(aws: Any) -> None:
    aws.warehouse.train(
        "random_cut_forest",
        {"train": "s3://rides/train/"},
        "s3://models",
        name="ours",
        hyperparameters={"num_trees": 50},
    )
    found = aws.client("sagemaker").describe_training_job(TrainingJobName="ours")
    assert found["AlgorithmSpecification"]["TrainingImage"] == "random_cut_forest"
    assert found["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"] == "s3://rides/train/"
    assert found["HyperParameters"] == {"num_trees": "50"}
    assert found["ModelArtifacts"]["S3ModelArtifacts"] == "s3://models/ours/output/model.tar.gz"


def test_a_job_that_ran_when_the_server_was_killed_has_failed(aws: Any, tmp_path: Path) -> None:
    """What CreateTrainingJob has answered is known after kill -9."""
    program = f"""
import os, signal, time
from restframe.jobs import training
from restframe.jobs.process import TrainingProcess
from restframe.storage import ObjectUrl
from restframe.aws.backend import Backend
from restframe.aws.operation import Call
from restframe.aws.sagemaker.training import create_training_job
from restframe.identity import Identity
from restframe import Warehouse

class Still(TrainingProcess):
    def __init__(self, directory, task):
        super().__init__(directory, task)
        os.kill(self.pid, signal.SIGSTOP)

training.TrainingProcess = Still
warehouse = Warehouse({str(tmp_path / "other")!r})
identity = Identity(warehouse.journal, warehouse.settings)
warehouse.storage.put(ObjectUrl.parse("s3://rides/train/a.csv"), b"1\\n2\\n")
caller, backend = identity.keys.first().principal, Backend(warehouse, identity)
call = Call("sagemaker", "CreateTrainingJob", "1", caller, "us-east-1", None, backend)
create_training_job({request("killed", HyperParameters={"feature_dim": "1"})!r}, call)
while warehouse.jobs.training.process_id("killed") is None:
    time.sleep(0.001)
print(warehouse.jobs.training.process_id("killed"), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    os.kill(int(done.stdout), signal.SIGCONT)
    with Warehouse(tmp_path / "other") as again:
        aws.application.backend = Backend(again, aws.backend.identity)
        found = aws.client("sagemaker").describe_training_job(TrainingJobName="killed")
    assert found["TrainingJobStatus"] == "Failed"
    assert found["FailureReason"] == "InternalServerError: the warehouse ended while the job was running"
    assert found["RoleArn"] == ROLE
