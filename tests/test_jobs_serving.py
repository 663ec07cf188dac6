"""One endpoint over HTTP, and another warehouse that asks it as a server of its own."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pytest

from restframe import errors
from restframe.jobs import Service
from restframe.jobs.serving import EndpointServer
from restframe.journal import Journal
from restframe.ml import artifact, codecs, registry
from restframe.ml.algorithm import Channel
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage

ARCHIVE = ObjectUrl("models", "taxi/model.tar.gz")


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


@pytest.fixture(scope="module")
def archive() -> bytes:
    """A small forest's model.tar.gz."""
    algorithm = registry.find("random_cut_forest")
    points = np.random.default_rng(3).integers(100, 20_000, (1000, 1)).astype(np.float64)
    channel = Channel([("a", codecs.encode(points, codecs.CSV))])
    parameters = check(algorithm.hyperparameters, {"num_trees": "50"}, complete=False)
    trained = algorithm.train(parameters, {"train": channel}, TrainingLog(lambda _: None, algorithm.label))
    return artifact.write(trained.files)


@pytest.fixture
def service(tmp_path: Path, archive: bytes) -> Iterator[Service]:
    found = open_service(tmp_path / "here")
    found.storage.put(ARCHIVE, archive)
    found.deploy(str(ARCHIVE), "taxi")
    yield found
    found.close()


def ask(url: str, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, str]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.read(), response.headers["Content-Type"]
    finally:
        connection.close()


def test_ping_and_invocations(service: Service) -> None:
    with EndpointServer(service, "taxi") as server:
        assert ask(server.url, "GET", "/ping")[0] == 200
        status, body, content_type = ask(
            server.url, "POST", "/invocations", b"1000\n", Content_Type="text/csv", Accept="text/csv"
        )
        assert (status, content_type) == (200, "text/csv")
        assert (body, content_type) == service.invoke("taxi", b"1000\n", "text/csv", "text/csv")
        status, body, _ = ask(server.url, "POST", "/invocations", b"[[1000]]", Content_Type="application/json")
        assert (status, list(json.loads(body))) == (200, ["scores"])


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "message"),
    [
        ("GET", "/", b"", {}, 404, "there is no /"),
        ("POST", "/other", b"1", {}, 404, "there is no /other"),
        ("POST", "/invocations", b"abc\n", {}, 400, 'line 1, column 1: "abc" is not a number'),
        ("POST", "/invocations", b"1,2\n", {}, 400, "the forest was fitted to 1 features, but the points have 2"),
        ("POST", "/invocations", b"1", {"Content-Type": "image/png"}, 415, 'content type "image/png" is not supported'),
        ("POST", "/invocations", b"1", {"Content-Length": "-5"}, 411, "the request needs a Content-Length"),
        ("POST", "/invocations", b"1", {"Content-Length": "99999999"}, 413, "the request is larger than 6291456 bytes"),
    ],
)
def test_requests_that_are_not_right(
    service: Service, method: str, path: str, body: bytes, headers: dict[str, str], status: int, message: str
) -> None:
    with EndpointServer(service, "taxi") as server:
        found, answer, _ = ask(server.url, method, path, body, **headers)
        assert (found, json.loads(answer)) == (status, {"message": message})


def test_half_a_request_is_not_answered(service: Service) -> None:
    with EndpointServer(service, "taxi") as server:
        netloc = urlsplit(server.url)
        with socket.create_connection((netloc.hostname, netloc.port), timeout=60) as connection:
            connection.sendall(b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n10\n20\n")
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1000) == b""


def test_an_endpoint_that_went_away(service: Service) -> None:
    with pytest.raises(errors.UndefinedObject):
        EndpointServer(service, "nothing")
    with EndpointServer(service, "taxi") as server:
        service.remove("taxi")
        assert ask(server.url, "GET", "/ping")[0] == 503
        assert ask(server.url, "POST", "/invocations", b"1\n")[0] == 503


def test_another_warehouse_uses_it_as_an_endpoint(service: Service, tmp_path: Path) -> None:
    elsewhere = open_service(tmp_path / "there")
    with EndpointServer(service, "taxi") as server:
        endpoint = elsewhere.deploy(server.url, "remote-taxi")
        assert endpoint.describe().model.url == server.url
        assert endpoint.invoke(b"1000\n", "text/csv", "text/csv") == service.invoke(
            "taxi", b"1000\n", "text/csv", "text/csv"
        )
        assert elsewhere.predictor("remote-taxi") is None
        numbers = pa.array(range(0, 30_000, 7))
        answers = pa.concat_arrays(
            [one.answer() for one in elsewhere.requests("remote-taxi", [numbers], max_rows=1000)]
        )
        predictor = service.predictor("taxi")
        assert predictor is not None
        expected = predictor.predict(numbers.to_numpy().reshape(-1, 1).astype(float))
        assert answers.cast(pa.float64()).to_pylist() == expected.tolist()
        with pytest.raises(errors.EndpointFailed, match="400 Bad Request: the forest was fitted to 1 features"):
            endpoint.invoke(b"1,2\n")
    elsewhere.close()


def test_a_server_must_answer_ping_to_be_deployed(service: Service, tmp_path: Path) -> None:
    elsewhere = open_service(tmp_path / "there")
    words = 'endpoint "x" answered 404 Not Found: there is no /deeper/ping to /ping'
    with EndpointServer(service, "taxi") as server, pytest.raises(errors.EndpointNotReady, match=words):
        elsewhere.deploy(server.url + "/deeper", "x")
    with pytest.raises(errors.EndpointNotReady, match="cannot be reached"):
        elsewhere.deploy(server.url, "x")
    assert elsewhere.endpoints.describe_all() == []
    elsewhere.close()
