"""Endpoints of our own models: created, asked from many threads, updated, deleted, remembered."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from restframe import errors
from restframe.jobs import EndpointConfig, ModelSpec, Service
from restframe.journal import Journal
from restframe.ml import artifact, codecs, registry
from restframe.ml.algorithm import Channel
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage


def model_archive(**given: str) -> bytes:
    """A small forest's model.tar.gz."""
    algorithm = registry.find("random_cut_forest")
    parameters = check(algorithm.hyperparameters, {"num_trees": "50", **given}, complete=False)
    points = np.random.default_rng(3).integers(100, 20_000, (1000, 1)).astype(np.float64)
    channel = Channel([("a", codecs.encode(points, codecs.CSV))])
    log = TrainingLog(lambda _: None, algorithm.label)
    return artifact.write(algorithm.train(parameters, {"train": channel}, log).files)


ARCHIVE = "s3://models/taxi/model.tar.gz"


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


@pytest.fixture(scope="module")
def archive() -> bytes:
    return model_archive()


@pytest.fixture
def service(tmp_path: Path, archive: bytes) -> Iterator[Service]:
    found = open_service(tmp_path)
    put(found, ARCHIVE, archive)
    yield found
    found.close()


def test_an_artefact_becomes_an_endpoint_step_by_step(service: Service) -> None:
    image = "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1"
    endpoints = service.endpoints
    endpoints.models.create(ModelSpec("m", image, ARCHIVE, details={"ExecutionRoleArn": "x"}))
    endpoints.models.create_config(EndpointConfig("c", "m", "AllTraffic"))
    endpoints.create("taxi", "c")
    description = endpoints.wait("taxi", 60)
    assert (description.status, description.failure) == ("InService", None)
    assert (description.config.name, description.model.artifact) == ("c", ARCHIVE)
    assert description.modified >= description.created
    body, content_type = service.invoke("taxi", b"1000\n2000\n", "text/csv", "application/json")
    assert content_type == "application/json"
    assert len(json.loads(body)["scores"]) == 2
    assert [
        line.text.split(" loaded in")[0] for line in service.logs.lines("/aws/sagemaker/Endpoints/taxi", "AllTraffic")
    ] == ["model m"]
    # what an endpoint was made of may go
    endpoints.models.delete("m")
    endpoints.models.delete_config("c")
    assert service.invoke("taxi", b"1\n", "text/csv", "text/csv")[1] == "text/csv"
    assert [one.name for one in endpoints.describe_all()] == ["taxi"]
    endpoints.delete("taxi")
    with pytest.raises(errors.UndefinedObject, match='endpoint "taxi" does not exist'):
        service.invoke("taxi", b"1\n", "text/csv")
    assert endpoints.describe_all() == []


def test_deploying_in_one_step(service: Service) -> None:
    endpoint = service.deploy(ARCHIVE, "taxi")
    assert endpoint.status == "InService"
    assert repr(endpoint) == "Endpoint(name='taxi')"
    body, _ = endpoint.invoke(b"1000\n", "text/csv", "text/csv")
    told, kind = endpoint.invoke({"instances": [{"features": [1000]}]})
    assert (json.loads(told)["scores"][0]["score"], kind) == (float(body), "application/json")
    predictor = service.predictor("taxi")
    assert predictor is not None
    assert predictor is service.predictor("taxi")
    assert float(body) == predictor.predict(np.array([[1000.0]]))[0]
    with pytest.raises(errors.DuplicateObject):
        service.deploy(ARCHIVE, "taxi")
    with pytest.raises(errors.InterfaceError, match="is in this process and needs no requests"):
        service.requests("taxi", [pa.array([1])])
    service.remove("taxi")
    assert service.endpoints.models.all() == []
    assert service.endpoints.models.configs() == []


def test_a_job_is_deployed_under_its_name(service: Service) -> None:
    put(service, "s3://rides/a.csv", b"".join(b"%d\n" % (i % 97) for i in range(500)))
    job = service.train(
        "random_cut_forest", {"train": "s3://rides/"}, "s3://models", name="rides", hyperparameters={"num_trees": 50}
    )
    with pytest.raises(errors.EndpointNotReady, match='training job "rides" is InProgress'):
        service.deploy("rides")
    assert service.deploy(job.wait()).name == "rides"
    assert service.deploy("rides", "again").describe().model.algorithm == "random_cut_forest"
    with pytest.raises(errors.UndefinedObject, match='training job "nothing" does not exist'):
        service.deploy("nothing")


def test_many_threads_ask_at_once(service: Service) -> None:
    service.deploy(ARCHIVE, "taxi")
    alone = service.invoke("taxi", b"1000\n30000\n", "text/csv", "text/csv")[0]
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: service.invoke("taxi", b"1000\n30000\n", "text/csv", "text/csv")[0], range(64))
        )
    assert set(answers) == {alone}


def test_endpoints_outlive_the_process_and_load_once_when_asked(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.deploy(ARCHIVE, "taxi")
    before = service.invoke("taxi", b"1000\n", "text/csv", "text/csv")
    service.close()
    again = open_service(tmp_path)
    assert again.endpoint("taxi").status == "InService"
    loads = []
    read = artifact.read
    monkeypatch.setattr(artifact, "read", lambda source: loads.append(1) or read(source))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: again.invoke("taxi", b"1000\n", "text/csv", "text/csv"), range(16)))
    assert set(answers) == {before}
    assert loads == [1]
    again.close()


def test_an_artefact_that_went_away_is_an_error_each_time(service: Service, tmp_path: Path) -> None:
    service.deploy(ARCHIVE, "taxi")
    service.close()
    again = open_service(tmp_path)
    again.storage.delete(ObjectUrl.parse(ARCHIVE))
    with pytest.raises(errors.NoSuchKey):
        again.invoke("taxi", b"1\n", "text/csv")
    put(again, ARCHIVE, model_archive())
    again.invoke("taxi", b"1\n", "text/csv")
    again.close()


def pickled_archive() -> bytes:
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.pkl")
        tar.addfile(member, BytesIO())
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, 'object "s3://models/bad.tar.gz" does not exist'),
        (b"nonsense", "the artefact is no intact gzip file"),
        (pickled_archive(), 'the artefact\'s "model.pkl" is a pickle, which can run code when it is opened'),
        (artifact.write({"xgboost-model": b"{}"}), "the artefact is none of ours"),
        (artifact.write({"random_cut_forest.model": b"nonsense"}), ""),
    ],
    ids=["absent", "nonsense", "pickle", "another's", "damaged"],
)
def test_models_that_cannot_be_served_fail_their_endpoint(service: Service, content: bytes | None, reason: str) -> None:
    if content is not None:
        put(service, "s3://models/bad.tar.gz", content)
    endpoints = service.endpoints
    endpoints.models.create(ModelSpec("m", artifact="s3://models/bad.tar.gz"))
    endpoints.models.create_config(EndpointConfig("c", "m"))
    endpoints.create("bad", "c")
    description = endpoints.wait("bad", 60)
    assert description.status == "Failed"
    assert description.failure is not None
    assert reason in description.failure
    with pytest.raises(errors.EndpointNotReady, match='endpoint "bad" is Failed') as caught:
        service.invoke("bad", b"1\n", "text/csv")
    assert caught.value.hint is not None
    assert reason[:100] in caught.value.hint
    with pytest.raises(errors.EndpointNotReady):
        service.check_in_service("bad")
    assert service.logs.lines("/aws/sagemaker/Endpoints/bad", "AllTraffic")[0].text.startswith(
        "model m cannot be served: "
    )


def test_a_failed_deploy_leaves_nothing_behind(service: Service) -> None:
    with pytest.raises(errors.EndpointNotReady, match='endpoint "bad" is Failed: object "s3://models/x"'):
        service.deploy("s3://models/x", "bad")
    with pytest.raises(errors.UndefinedObject, match="there is no algorithm"):
        service.deploy(ARCHIVE, "bad", algorithm="xgboost")
    with pytest.raises(errors.InvalidParameterValue, match=r'invalid model name "\.\./bad"'):
        service.deploy(ARCHIVE, "../bad")
    assert service.endpoints.describe_all() == []
    assert service.endpoints.models.all() == []


def test_updating_swaps_models_and_keeps_the_old_when_the_new_one_fails(service: Service) -> None:
    service.deploy(ARCHIVE, "taxi")
    old = service.invoke("taxi", b"1000\n", "text/csv", "text/csv")
    put(service, "s3://models/other.tar.gz", model_archive(seed="9"))
    models = service.endpoints.models
    for name, url in (("other", "s3://models/other.tar.gz"), ("none", "s3://models/none.tar.gz")):
        models.create(ModelSpec(name, artifact=url))
        models.create_config(EndpointConfig(name, name))
    service.endpoints.update("taxi", "none")
    description = service.endpoints.wait("taxi", 60)
    assert (description.status, description.config.name) == ("InService", "taxi")
    assert description.failure == 'object "s3://models/none.tar.gz" does not exist'
    assert service.invoke("taxi", b"1000\n", "text/csv", "text/csv") == old
    service.endpoints.update("taxi", "other")
    description = service.endpoints.wait("taxi", 60)
    assert (description.status, description.config.name, description.failure) == ("InService", "other", None)
    assert service.invoke("taxi", b"1000\n", "text/csv", "text/csv") != old


def test_a_name_may_be_used_again_while_the_old_one_still_loads(
    service: Service, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    proceed, read = threading.Event(), artifact.read

    def slow(source: BytesIO) -> dict[str, bytes]:
        if threading.current_thread().name == "restframe-endpoint-taxi" and not proceed.is_set():
            proceed.wait(60)
            raise errors.DataError("too late")
        return read(source)

    monkeypatch.setattr(artifact, "read", slow)
    service.endpoints.models.create(ModelSpec("m", artifact=ARCHIVE))
    service.endpoints.models.create_config(EndpointConfig("c", "m"))
    service.endpoints.create("taxi", "c")
    assert service.endpoint("taxi").status == "Creating"
    with pytest.raises(errors.EndpointNotReady, match='endpoint "taxi" is Creating'):
        service.invoke("taxi", b"1\n", "text/csv")
    service.endpoints.delete("taxi")
    first = service.endpoints._threads[0]
    service.endpoints.create("taxi", "c")
    proceed.set()
    first.join()
    assert service.endpoints.wait("taxi", 60).status in ("InService", "Failed")


def test_endpoints_that_were_being_created_have_failed_after_a_crash(service: ServiceAlone, tmp_path: Path) -> None:
    service.deploy(ARCHIVE, "a")
    service.deploy(ARCHIVE, "b")
    service.deploy(ARCHIVE, "c")
    with service.journal.transaction() as connection:
        connection.execute("UPDATE endpoints SET status = 'Creating' WHERE name = 'a'")
        connection.execute("UPDATE endpoints SET status = 'Updating' WHERE name = 'b'")
        connection.execute("UPDATE endpoints SET status = 'Deleting' WHERE name = 'c'")
    service.close()
    again = open_service(tmp_path)
    assert [(one.name, one.status) for one in again.endpoints.describe_all()] == [("a", "Failed"), ("b", "InService")]
    again.close()


def test_what_does_not_exist(service: Service) -> None:
    endpoints = service.endpoints
    for call, message in (
        (lambda: endpoints.models.find("x"), 'model "x" does not exist'),
        (lambda: endpoints.models.delete("x"), 'model "x" does not exist'),
        (lambda: endpoints.models.config("x"), 'endpoint configuration "x" does not exist'),
        (lambda: endpoints.models.create_config(EndpointConfig("c", "x")), 'model "x" does not exist'),
        (lambda: endpoints.create("e", "x"), 'endpoint configuration "x" does not exist'),
        (lambda: endpoints.delete("x"), 'endpoint "x" does not exist'),
        (lambda: service.check_in_service("x"), 'endpoint "x" does not exist'),
        (lambda: service.predictor("x"), 'endpoint "x" does not exist'),
        (lambda: service.endpoint("x" * 1000), f'endpoint "{"x" * 100}" does not exist'),
    ):
        with pytest.raises(errors.UndefinedObject) as caught:
            call()
        assert caught.value.message == message
