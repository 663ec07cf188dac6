"""Training jobs that are stopped or ran for too long: what they learned is kept where there is anything to keep."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from restframe import errors
from restframe.jobs import JobDescription, Service, TrainingJob, process, runs
from restframe.journal import Journal
from restframe.ml import artifact, deepar
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage

SERIES = json.dumps({"start": "2020-01-01", "target": [10 + hour % 24 for hour in range(600)]}).encode()
ROWS = b"".join(b"%d\n" % (100 + i % 50) for i in range(2000))
IMAGE = "522234722520.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1"
ENDLESS = {
    "time_freq": "H", "context_length": 8, "prediction_length": 4, "epochs": 100_000, "mini_batch_size": 4,
    "num_cells": 4, "num_layers": 1,
}  # fmt: skip


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = Settings(directory=tmp_path)
    journal = Journal(tmp_path / "service.sqlite")
    found = Service(settings, Storage(settings), journal)
    found.storage.put(ObjectUrl.parse("s3://rides/series/train.json"), SERIES)
    found.storage.put(ObjectUrl.parse("s3://rides/rows/a.csv"), ROWS)
    yield found
    found.close()
    journal.close()


def train(service: Service, name: str = "demand", algorithm: str = IMAGE, **given: Any) -> TrainingJob:
    options = {"hyperparameters": ENDLESS, **given}
    return service.train(algorithm, {"train": "s3://rides/series/"}, "s3://models/out", name=name, **options)


def wait_for_line(job: TrainingJob, text: str) -> None:
    for line in job.log(follow=True):
        if text in line.text:
            return
    raise AssertionError(f"the job ended: {job.describe().failure}")


def ended(job: TrainingJob) -> JobDescription:
    with pytest.raises(errors.TrainingFailed):
        job.wait(300)
    return job.describe()


def statuses(description: JobDescription) -> list[str]:
    return [transition.status for transition in description.transitions]


def objects(service: Service) -> list[str]:
    storage = service.storage
    if not storage.bucket_exists("models"):
        return []
    return [str(info.url) for info in storage.list(ObjectUrl.parse("s3://models/"))]


def kept_model(service: Service, description: JobDescription) -> deepar.Model:
    assert description.artifact is not None
    with service.storage.open(ObjectUrl.parse(description.artifact)) as found:
        return deepar.load(artifact.read(found.stream))


def test_a_stopped_job_keeps_the_best_model_so_far(service: Service) -> None:
    job = train(service)
    wait_for_line(job, "best epoch loss so far")
    pid = service.training.process_id("demand")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # or it might be done before we look
    job.stop()
    assert job.status == "Stopping"
    job.stop()
    os.kill(pid, signal.SIGCONT)
    description = ended(job)
    assert (description.status, description.secondary_status, description.failure) == ("Stopped", "Stopped", None)
    assert statuses(description) == ["Starting", "Downloading", "Training", "Stopping", "Uploading", "Stopped"]
    assert description.artifact == "s3://models/out/demand/output/model.tar.gz"
    assert kept_model(service, description).configuration.epochs == 100_000
    metrics = {metric.name: metric.value for metric in description.metrics}
    assert metrics["train:progress"] == 0
    assert "train:final_loss" in metrics
    lines = [line.text for line in job.log()]
    assert any("stopping training now" in line for line in lines)
    assert any("Successfully serialized the model for prediction." in line for line in lines)
    assert service.deploy(job, "demand").status == "InService"


def test_a_client_finds_the_model_of_a_stopped_job(aws: Any) -> None:
    aws.warehouse.storage.put(ObjectUrl.parse("s3://rides/series/train.json"), SERIES)
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(
        TrainingJobName="demand",
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::000000000000:role/restframe",
        InputDataConfig=[
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://rides/series/"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": "s3://models/out"},
        ResourceConfig={"InstanceType": "ml.c4.2xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
        HyperParameters={name: str(value) for name, value in ENDLESS.items()},
    )
    wait_for_line(aws.warehouse.jobs.training_job("demand"), "best epoch loss so far")
    sagemaker.stop_training_job(TrainingJobName="demand")
    found = sagemaker.describe_training_job(TrainingJobName="demand")
    assert found["TrainingJobStatus"] == "Stopped"
    assert found["ModelArtifacts"] == {"S3ModelArtifacts": "s3://models/out/demand/output/model.tar.gz"}
    assert "train:final_loss" in {metric["MetricName"] for metric in found["FinalMetricDataList"]}


def test_a_job_that_ran_for_too_long_keeps_the_best_model_so_far(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers: list[Any] = []

    class Timer:
        """Rings when the test says so."""

        daemon = False

        def __init__(self, seconds: float, ring: Any, arguments: Any = ()) -> None:
            timers.append((seconds, lambda: ring(*arguments)))

        def start(self) -> None: ...

        def cancel(self) -> None: ...

    monkeypatch.setattr(threading, "Timer", Timer)
    job = train(service, max_runtime_s=77)
    wait_for_line(job, "best epoch loss so far")
    seconds, ring = timers[0]
    assert seconds == 77
    ring()
    description = ended(job)
    assert (description.status, description.secondary_status) == ("Stopped", "MaxRuntimeExceeded")
    assert statuses(description)[-2:] == ["Uploading", "MaxRuntimeExceeded"]
    kept_model(service, description)


def test_a_child_that_does_not_save_in_time_is_killed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_SAVING_S", 0.1)
    job = train(service)
    wait_for_line(job, "Arguments: train")
    pid = service.training.process_id("demand")
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    job.stop()
    description = ended(job)
    assert description.status == "Stopped"
    assert description.artifact is None
    assert statuses(description)[-2:] == ["Stopping", "Stopped"]
    assert objects(service) == []
    with pytest.raises(errors.EndpointNotReady, match='training job "demand" is Stopped'):
        service.deploy(job)


def test_a_forest_just_stops(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_GRACE_S", 60)  # until the test lets it go on
    job = service.train(
        "randomcutforest", {"train": "s3://rides/rows/"}, "s3://models/out", name="forest",
        hyperparameters={"feature_dim": 1, "num_trees": 1000, "num_samples_per_tree": 2000},
    )  # fmt: skip
    while (pid := service.training.process_id("forest")) is None:
        time.sleep(0.001)
    os.kill(pid, signal.SIGSTOP)
    job.stop()
    os.kill(pid, signal.SIGCONT)
    description = ended(job)
    assert statuses(description)[-2:] == ["Stopping", "Stopped"]
    assert description.artifact is None
    assert objects(service) == []


@pytest.mark.parametrize("closing", [False, True])
def test_what_is_being_uploaded_is_kept(service: Service, monkeypatch: pytest.MonkeyPatch, closing: bool) -> None:
    put = service.storage.put

    def interrupted(url: ObjectUrl, source: Any) -> Any:
        run = service.training._runs.find("forest")
        assert run is not None
        if closing:
            run.abandon()
        else:
            service.training.stop("forest")
        return put(url, source)

    monkeypatch.setattr(service.storage, "put", interrupted)
    job = service.train(
        "random_cut_forest", {"train": "s3://rides/rows/"}, "s3://models/out", name="forest",
        hyperparameters={"num_trees": 50},
    )  # fmt: skip
    description = service.training.wait("forest", 300)
    assert description.status == ("Completed" if closing else "Stopped")
    assert description.artifact == job.artifact == "s3://models/out/forest/output/model.tar.gz"
    assert objects(service) == [description.artifact]


def test_a_killed_child_fails_its_job_and_the_next_one_trains(service: Service) -> None:
    job = train(service)
    wait_for_line(job, "Arguments: train")
    pid = service.training.process_id("demand")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert ended(job).failure == (
        "AlgorithmError: the training process was killed (SIGKILL), perhaps for lack of memory, exit code: 137"
    )
    assert objects(service) == []
    assert train(service, "next", hyperparameters={**ENDLESS, "epochs": 1}).wait(300).status == "Completed"


def test_closing_does_not_wait_for_a_model(tmp_path: Path) -> None:
    settings = Settings(directory=tmp_path / "other")
    settings.directory.mkdir()
    journal = Journal(settings.directory / "service.sqlite")
    found = Service(settings, Storage(settings), journal)
    found.storage.put(ObjectUrl.parse("s3://rides/series/train.json"), SERIES)
    job = train(found)
    wait_for_line(job, "Arguments: train")
    found.close()
    description = job.describe()
    assert description.failure == "InternalServerError: the warehouse was closed while the job was running"
    assert objects(found) == []
    journal.close()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"epochs": "0"},
            "ClientError: The value '0' is not valid for the 'epochs' hyperparameter which expects a number between 1 "
            "and 100000 (caused by ValidationError).",
        ),
        (
            {"epoch": "1"},
            "ClientError: Additional hyperparameters are not allowed ('epoch' was unexpected) (caused by "
            "ValidationError). It has _kvstore, ",
        ),
    ],
)
def test_hyperparameters_that_are_not_right_fail_the_job(service: Service, given: dict[str, str], reason: str) -> None:
    job = train(service, hyperparameters={**ENDLESS, **given})
    description = ended(job)
    assert description.failure is not None
    assert description.failure.startswith(reason)
    assert description.status == "Failed"


def test_data_that_is_not_right_fails_the_job(service: Service) -> None:
    service.storage.put(ObjectUrl.parse("s3://rides/series/zzz.json"), b'{"start": "soon", "target": [1]}')
    failure = ended(train(service)).failure
    assert failure is not None
    assert failure.startswith('ClientError: "s3://rides/series/zzz.json": line 1: "start"')
