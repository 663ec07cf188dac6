"""Training jobs in real child processes: whole or not at all, whatever happens to the child or to us."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from restframe import errors
from restframe.jobs import Channel, JobDescription, Service, TrainingJob, training
from restframe.jobs import process as process_module
from restframe.jobs.process import TrainingProcess, describe_exit
from restframe.journal import Journal
from restframe.ml import artifact
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage

ROWS = "".join(f"{100 + (i * 7919) % 20_000}\n" for i in range(2000)).encode()
IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
SMALL = {"feature_dim": 1, "num_trees": 50, "num_samples_per_tree": 20}


class ServiceAlone(Service):
    """A service with a journal of its own."""

    def __init__(self, directory: Path) -> None:
        settings = Settings(directory=directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(directory / "service.sqlite")
        super().__init__(settings, Storage(settings), self.journal)

    def close(self) -> None:
        super().close()
        self.journal.close()


def open_service(directory: Path) -> ServiceAlone:
    return ServiceAlone(directory)


def put(service: Service, url: str, data: bytes) -> None:
    service.storage.put(ObjectUrl.parse(url), data)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = open_service(tmp_path)
    put(found, "s3://rides/train/a.csv", ROWS)
    yield found
    found.close()


def train(service: Service, name: str = "taxi", **given: object) -> TrainingJob:
    options = {"hyperparameters": SMALL, **given}
    return service.train("random_cut_forest", {"train": "s3://rides/train/"}, "s3://models/out", name=name, **options)  # type: ignore[arg-type]


def objects(service: Service, prefix: str) -> list[str]:
    storage = service.storage
    return [str(info.url) for info in storage.list(ObjectUrl.parse(prefix))] if storage.bucket_exists("models") else []


class StandingStill(TrainingProcess):
    """The child of a job called "paused" is stopped before it can do anything."""

    def __init__(self, directory: Path, task: Mapping[str, Any]) -> None:
        super().__init__(directory, task)
        if directory.name == "paused":
            os.kill(self.pid, signal.SIGSTOP)


@pytest.fixture(autouse=True)
def standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "TrainingProcess", StandingStill)
    monkeypatch.setattr(process_module, "_GRACE_S", 60)  # until the test lets it go on


def child_of(job: TrainingJob) -> int:
    """The process id of a job's child, once it has one."""
    deadline = time.monotonic() + 60
    while (pid := job.training.process_id(job.name)) is None:
        assert time.monotonic() < deadline
        assert not job.describe().is_final, job.describe().failure
        time.sleep(0.001)
    return pid


def statuses(description: JobDescription) -> list[str]:
    return [transition.status for transition in description.transitions]


def test_a_job_from_beginning_to_end(service: Service) -> None:
    job = service.train(
        IMAGE,
        {"train": Channel("s3://rides/train/", content_type="text/csv;label_size=0", distribution="ShardedByS3Key")},
        "s3://models/out/",
        name="taxi",
        hyperparameters={name: str(value) for name, value in SMALL.items()},
        details={"RoleArn": "arn:aws:iam::123456789012:role/x"},
    )
    assert job.status == "InProgress"
    lines = [line.text for line in job.log(follow=True)]
    description = job.wait().describe()
    assert description.status == description.secondary_status == "Completed"
    assert statuses(description) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(one.ended is not None and one.ended >= one.started for one in description.transitions)
    assert description.transitions[-1].message == "Training job completed"
    assert description.failure is None
    assert description.billable_s is not None
    assert description.billable_s >= 1
    assert {metric.name for metric in description.metrics} == {"train:progress", "train:throughput"}
    assert description.spec.details == {"RoleArn": "arn:aws:iam::123456789012:role/x"}
    assert description.artifact == "s3://models/out/taxi/output/model.tar.gz"
    with service.storage.open(ObjectUrl.parse(description.artifact)) as found:
        assert list(artifact.read(found.stream)) == ["random_cut_forest.model"]
    assert any(line.startswith("ForestInfo{num_trees: 50, num_samples_in_forest: 1000, ") for line in lines)
    assert lines == [line.text for line in job.log()]
    (stream,) = service.logs.streams("/aws/sagemaker/TrainingJobs", "taxi/")
    assert stream.name.startswith("taxi/algo-1-")


def test_nothing_of_a_job_is_left_in_the_directory(service: Service, tmp_path: Path) -> None:
    train(service).wait()
    assert list((tmp_path / "jobs").iterdir()) == []
    assert not [path for path in (tmp_path / "s3" / ".restframe").rglob("temporary/*") if path.is_file()]


def test_jobs_are_remembered(service: Service, tmp_path: Path) -> None:
    train(service).wait()
    before = service.training.describe_all()
    service.close()
    again = open_service(tmp_path)
    assert again.training.describe_all() == before
    assert again.training_job("taxi").artifact == "s3://models/out/taxi/output/model.tar.gz"
    assert any("samples gathered" in line.text for line in again.training_job("taxi").log())
    again.close()


def test_manifests_and_gzip(service: Service) -> None:
    put(service, "s3://rides/parts/a", gzip.compress(ROWS[: len(ROWS) // 2].rpartition(b"\n")[0] + b"\n"))
    put(service, "s3://rides/parts/folder/b", gzip.compress(b"5\n6\n"))
    put(service, "s3://rides/parts/ignored", b"not gzip")
    put(service, "s3://rides/m.manifest", json.dumps([{"prefix": "s3://rides/parts/"}, "a", "folder/b"]).encode())
    channel = Channel("s3://rides/m.manifest", "ManifestFile", compression="Gzip")
    job = service.train("randomcutforest", {"train": channel}, "s3://models", name="m", hyperparameters=SMALL).wait()
    assert any("#metrics" in line.text and '"Total Records Seen": {"sum": 1' in line.text for line in job.log())


def test_what_is_wrong_before_the_job_begins(service: Service) -> None:
    channels = {"train": "s3://rides/train/"}
    for algorithm, given_channels, output, hyperparameters, kind, message in (
        ("xgboost:1", channels, "s3://models", SMALL, errors.UndefinedObject, "there is no algorithm"),
        (IMAGE, channels, "s3://models", {}, errors.InvalidParameterValue, '"feature_dim" is required'),
        (IMAGE, channels, "s3://models", {"trees": 5}, errors.InvalidParameterValue, "is not a hyperparameter"),
        (
            IMAGE,
            {"test": "s3://rides/x"},
            "s3://models",
            SMALL,
            errors.InvalidParameterValue,
            'needs the channel "train"',
        ),
        (
            IMAGE,
            {**channels, "x": "s3://rides/x"},
            "s3://models",
            SMALL,
            errors.InvalidParameterValue,
            '"x" is not a channel',
        ),
        (
            IMAGE,
            {"train": "/etc/passwd"},
            "s3://models",
            SMALL,
            errors.InvalidParameterValue,
            "not an object store location",
        ),
        (IMAGE, channels, "models", SMALL, errors.InvalidParameterValue, "not an object store location"),
        (
            IMAGE,
            {"train": Channel("s3://rides/train/", content_type="image/png")},
            "s3://models",
            SMALL,
            errors.InvalidParameterValue,
            'content type "image/png" of the channel "train" is not supported',
        ),
    ):
        with pytest.raises(kind, match=message):
            service.train(algorithm, given_channels, output, hyperparameters=hyperparameters)  # type: ignore[arg-type]
    assert service.training.describe_all() == []
    with pytest.raises(errors.UndefinedObject, match='training job "nothing" does not exist'):
        service.training_job("nothing")


def test_a_name_is_taken_for_ever(service: Service) -> None:
    train(service).wait()
    with pytest.raises(errors.DuplicateObject, match='training job "taxi" already exists'):
        train(service)


@pytest.mark.parametrize(
    ("channel", "hyperparameters", "reason"),
    [
        (Channel("s3://rides/none/"), SMALL, "ClientError: no S3 objects found under S3 URL"),
        (Channel("s3://no-such-bucket/x"), SMALL, 'ClientError: bucket "no-such-bucket" does not exist'),
        (Channel("s3://rides/train/a.csv", "ManifestFile"), SMALL, "is not a manifest"),
        (Channel("s3://rides/train/a.csv", compression="Gzip"), SMALL, "is no intact gzip file"),
        (Channel("s3://rides/bad.csv"), SMALL, 'line 2, column 1: "abc" is not a number'),
        (Channel("s3://rides/train/"), {**SMALL, "feature_dim": 2}, "feature_dim is 2, but the training data has 1"),
    ],
)
def test_what_is_wrong_with_the_data_fails_the_job(
    service: Service, channel: Channel, hyperparameters: dict[str, object], reason: str
) -> None:
    put(service, "s3://rides/bad.csv", b"1\nabc\n")
    job = service.train(IMAGE, {"train": channel}, "s3://models", name="bad", hyperparameters=hyperparameters)
    with pytest.raises(errors.TrainingFailed, match='training job "bad" failed: ClientError: '):
        job.wait()
    description = job.describe()
    assert description.failure is not None
    assert reason in description.failure
    assert description.transitions[-1].status == "Failed"
    assert objects(service, "s3://models/") == []


def test_what_unpacks_to_more_than_allowed_fails_the_job(tmp_path: Path) -> None:
    settings = Settings(directory=tmp_path, max_unpacked_bytes=1000)
    journal = Journal(tmp_path / "service.sqlite")
    service = Service(settings, Storage(settings), journal)
    put(service, "s3://rides/bomb/a", gzip.compress(b"1\n" * 400))
    put(service, "s3://rides/bomb/b", gzip.compress(b"\n" * 100_000_000))
    channel = Channel("s3://rides/bomb/", compression="Gzip")
    job = service.train(IMAGE, {"train": channel}, "s3://models", name="bomb", hyperparameters=SMALL)
    with pytest.raises(errors.TrainingFailed) as caught:
        job.wait()
    assert caught.value.message == (
        'training job "bomb" failed: ClientError: the channel "train" has more than 1000 bytes when unpacked, at '
        '"s3://rides/bomb/b". The setting max_unpacked_bytes allows more; what is read takes up to 16 times as much '
        "memory."
    )
    service.close()
    journal.close()


def test_a_killed_child_fails_its_job_and_leaves_nothing(service: Service) -> None:
    job = train(service, "paused")
    os.kill(child_of(job), signal.SIGKILL)
    with pytest.raises(errors.TrainingFailed, match="was killed"):
        job.wait()
    assert job.describe().failure == (
        "AlgorithmError: the training process was killed (SIGKILL), perhaps for lack of memory, exit code: 137"
    )
    assert objects(service, "s3://models/") == []
    assert train(service, "next").wait().status == "Completed"


def test_a_crashed_child_fails_its_job(service: Service) -> None:
    job = train(service, "paused")
    pid = child_of(job)
    os.kill(pid, signal.SIGABRT)
    os.kill(pid, signal.SIGCONT)
    with pytest.raises(errors.TrainingFailed, match=r"the training process crashed \(SIGABRT\), exit code: 134"):
        job.wait()
    assert describe_exit(3, "training") == "AlgorithmError: the training process ended, exit code: 3"


def test_stopping(service: Service) -> None:
    job = train(service, "paused")
    pid = child_of(job)
    job.stop()
    assert job.status == "Stopping"
    job.stop()
    os.kill(pid, signal.SIGCONT)
    with pytest.raises(errors.TrainingFailed, match='training job "paused" stopped: Stopped'):
        job.wait()
    assert statuses(job.describe()) == ["Starting", "Downloading", "Training", "Stopping", "Stopped"]
    assert objects(service, "s3://models/") == []
    with pytest.raises(errors.InvalidParameterValue, match='training job "paused" is Stopped, it cannot be stopped'):
        job.stop()


def test_a_child_that_will_not_stop_is_killed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_GRACE_S", 0.1)
    job = train(service, "paused")
    child_of(job)  # deaf to SIGTERM as long as it stands still
    job.stop()
    with pytest.raises(errors.TrainingFailed, match="stopped"):
        job.wait(60)


def test_the_longest_run_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_GRACE_S", 0.1)
    job = train(service, "paused", max_runtime_s=1)
    with pytest.raises(errors.TrainingFailed, match="stopped: MaxRuntimeExceeded"):
        job.wait(60)
    assert (job.describe().status, job.describe().secondary_status) == ("Stopped", "MaxRuntimeExceeded")


def test_waiting_has_its_limits(service: Service) -> None:
    job = train(service, "paused")
    pid = child_of(job)
    assert service.training.wait("paused", 0.05).status == "InProgress"
    with pytest.raises(errors.TrainingFailed, match='training job "paused" is not done: Training'):
        job.wait(0.05)
    os.kill(pid, signal.SIGCONT)
    assert job.wait().status == "Completed"


def test_jobs_wait_for_a_core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    service = open_service(tmp_path)
    put(service, "s3://rides/train/a.csv", ROWS)
    first = train(service, "paused")
    pid = child_of(first)
    second, third = train(service, "b"), train(service, "c")
    second.stop()
    assert service.training.wait("b", 60).status == "Stopped"
    assert third.describe().secondary_status == "Starting"
    os.kill(pid, signal.SIGCONT)
    assert third.wait().status == first.status == "Completed"
    service.close()


def test_closing_ends_what_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "_GRACE_S", 0.1)
    service = open_service(tmp_path)
    put(service, "s3://rides/train/a.csv", ROWS)
    pid = child_of(train(service, "paused"))
    service.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    again = open_service(tmp_path)
    failure = again.training.describe("paused").failure
    assert failure == "InternalServerError: the warehouse was closed while the job was running"
    again.close()


def test_a_crash_of_the_warehouse_fails_the_job_and_ends_the_child(
    tmp_path: Path, eventually: Callable[[Callable[[], object]], None], is_gone: Callable[[int], bool]
) -> None:
    program = f"""
import os, signal, sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import test_jobs_training as scene
scene.training.TrainingProcess = scene.StandingStill
service = scene.open_service(Path({str(tmp_path)!r}))
scene.put(service, "s3://rides/train/a.csv", scene.ROWS)
print(scene.child_of(scene.train(service, 'paused')), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    child = int(done.stdout)
    os.kill(child, signal.SIGCONT)
    eventually(lambda: is_gone(child))
    service = open_service(tmp_path)
    description = service.training.describe("paused")
    assert description.status == "Failed"
    assert description.failure == "InternalServerError: the warehouse ended while the job was running"
    assert statuses(description)[-1] == "Failed"
    assert objects(service, "s3://models/") == []
    assert list(tmp_path.glob("jobs/*")) == []
    service.close()


def test_the_child_sees_no_credentials(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("RESTFRAME_PASSWORD", "secret")
    job = train(service, "paused")
    pid = child_of(job)
    if Path("/proc/self/environ").exists():
        while not (environment := Path(f"/proc/{pid}/environ").read_bytes()):
            time.sleep(0.001)  # the new program is being set up
        assert b"secret" not in environment
        assert b"PATH=" in environment
    os.kill(pid, signal.SIGCONT)
    job.wait()
