"""Endpoints asked through boto3: our own models and servers that run elsewhere."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from restframe.ml import artifact, codecs, registry
from restframe.ml.algorithm import Channel
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog
from restframe.storage import ObjectUrl

ARCHIVE = "s3://models/taxi/model.tar.gz"
POINTS = np.array([[1000.0], [39197.0]])


@pytest.fixture(scope="module")
def archive() -> bytes:
    """A small forest's model.tar.gz."""
    algorithm = registry.find("random_cut_forest")
    parameters = check(algorithm.hyperparameters, {"num_trees": "50"}, complete=False)
    points = np.random.default_rng(3).integers(100, 20_000, (1000, 1)).astype(np.float64)
    channel = Channel([("a", codecs.encode(points, codecs.CSV))])
    return artifact.write(algorithm.train(parameters, {"train": channel}, TrainingLog(lambda _: None, "x")).files)


@pytest.fixture
def runtime(aws: Any, archive: bytes) -> Any:
    """With an endpoint of ours called Taxi."""
    aws.warehouse.storage.put(ObjectUrl.parse(ARCHIVE), archive)
    aws.warehouse.deploy(ARCHIVE, "Taxi")
    return aws.client("sagemaker-runtime")


class Echo(BaseHTTPRequestHandler):
    """A server of somebody else: answers with what it was asked, or as the body wants it."""

    def do_GET(self) -> None:
        self._answer(200, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body.startswith(b"fail "):
            self._answer(int(body.split()[1]), b'{"message": "model is out of order"}')
        else:
            shown = {"body": body.decode(), "accept": self.headers["Accept"], "type": self.headers["Content-Type"]}
            self._answer(200, json.dumps(shown).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-echo")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def deploy_container(aws: Any, environment: dict[str, str]) -> Any:
    """An endpoint called mine, made as any client of SageMaker makes it."""
    sagemaker = aws.client("sagemaker")
    container = {"Image": "my-registry/my-model:3", "Environment": environment}
    sagemaker.create_model(ModelName="mine", PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "mine", "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="mine", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="mine", EndpointConfigName="mine")
    assert sagemaker.describe_endpoint(EndpointName="mine")["EndpointStatus"] == "InService"
    return aws.client("sagemaker-runtime")


def test_every_type_a_model_of_ours_takes_and_gives(runtime: Any) -> None:
    scores = []
    for content_type, body in (
        ("text/csv", b"1000\n39197"),
        ("application/json", b'{"instances": [{"features": [1000]}, {"features": [39197]}]}'),
        ("application/jsonlines", b'{"features": [1000]}\n{"features": [39197]}\n'),
        ("application/x-recordio-protobuf", codecs.encode(POINTS, codecs.RECORDIO)),
    ):
        answer = runtime.invoke_endpoint(
            EndpointName="Taxi", Body=body, ContentType=content_type, Accept="application/json"
        )
        assert answer["ContentType"] == "application/json"
        scores.append(json.load(answer["Body"]))
    assert len(scores[0]["scores"]) == 2
    assert all(one == scores[0] for one in scores)
    for accept in ("text/csv", "application/jsonlines", "application/x-recordio-protobuf"):
        answer = runtime.invoke_endpoint(EndpointName="Taxi", Body=b"1000", ContentType="text/csv", Accept=accept)
        assert answer["ContentType"] == accept
        assert answer["Body"].read()


def test_what_comes_back_beside_the_body(runtime: Any) -> None:
    answer = runtime.invoke_endpoint(
        EndpointName="Taxi",
        Body=b"1000",
        ContentType="text/csv",
        CustomAttributes="c000b4f9",
        TargetVariant="AllTraffic",
        InferenceId="1",
    )
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["CustomAttributes"] == "c000b4f9"


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        ({"Body": b"1\nabc", "ContentType": "text/csv"}, 400, 'line 2, column 1: "abc" is not a number'),
        ({"Body": b"1,2", "ContentType": "text/csv"}, 400, None),
        ({"Body": b"1", "ContentType": "image/png"}, 415, None),
        ({"Body": b"1", "ContentType": "text/csv", "Accept": "image/png"}, 415, None),
    ],
)
def test_what_a_model_of_ours_refuses(runtime: Any, request_: dict[str, Any], status: int, message: str | None) -> None:
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="Taxi", **request_)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == status
    assert message is None or response["OriginalMessage"] == message
    assert f"Received client error ({status}) from primary with message" in response["Error"]["Message"]
    assert response["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/Taxi:log-stream:AllTraffic")


def test_endpoints_that_do_not_answer(aws: Any, runtime: Any) -> None:
    def refusal(**request: Any) -> str:
        with pytest.raises(ClientError) as caught:
            runtime.invoke_endpoint(**{"EndpointName": "Taxi", "Body": b"1", "ContentType": "text/csv", **request})
        assert caught.value.response["Error"]["Code"] == "ValidationError"
        return str(caught.value.response["Error"]["Message"])

    assert refusal(EndpointName="nope") == "Endpoint nope of account 000000000000 not found."
    assert refusal(TargetVariant="other") == "Variant other not found for endpoint Taxi."
    assert "TargetModel is not supported" in refusal(TargetModel="a.tar.gz")
    assert "6291456" in refusal(Body=b"1" * ((6 << 20) + 1))
    with aws.warehouse.journal.transaction() as connection:
        connection.execute("UPDATE endpoints SET status = 'Failed' WHERE name = 'Taxi'")
    aws.warehouse.jobs.endpoints._slots.clear()
    assert refusal() == "Endpoint Taxi of account 000000000000 is not in service."


def test_a_model_whose_artefact_went_away(aws: Any, runtime: Any) -> None:
    aws.warehouse.storage.delete(ObjectUrl.parse(ARCHIVE))
    aws.warehouse.jobs.endpoints.close()  # as a restart leaves it: loaded when somebody asks
    with pytest.raises(runtime.exceptions.ModelError, match="server error") as caught:
        runtime.invoke_endpoint(EndpointName="Taxi", ContentType="text/csv", Body=b"1\n")
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["OriginalStatusCode"]) == (424, 500)
    assert response["OriginalMessage"] == f'object "{ARCHIVE}" does not exist'


def test_six_megabytes_are_taken(runtime: Any) -> None:
    body = b"1000\n" * ((6 << 20) // 5)
    answer = runtime.invoke_endpoint(EndpointName="Taxi", Body=body, ContentType="text/csv", Accept="text/csv")
    assert answer["Body"].read().count(b"\n") >= len(body) // 5 - 1


def test_a_container_that_runs_elsewhere(aws: Any, elsewhere: str) -> None:
    runtime = deploy_container(aws, {"RESTFRAME_ENDPOINT_URL": elsewhere})
    answer = runtime.invoke_endpoint(EndpointName="mine", Body=b"xyz", ContentType="text/x", Accept="text/y")
    assert answer["ContentType"] == "application/x-echo"
    assert answer["InvokedProductionVariant"] == "v"
    assert json.load(answer["Body"]) == {"body": "xyz", "accept": "text/y", "type": "text/x"}


def test_a_container_that_wants_a_header_and_json(aws: Any, elsewhere: str) -> None:
    environment = {
        "RESTFRAME_ENDPOINT_URL": elsewhere,
        "RESTFRAME_ENDPOINT_HEADER": "hour, riders",
        "RESTFRAME_ENDPOINT_CONTENT_TYPE": "application/json",
    }
    runtime = deploy_container(aws, environment)
    answer = runtime.invoke_endpoint(EndpointName="mine", Body=b"1,2", ContentType="text/csv")
    assert json.load(answer["Body"])["body"] == '"hour","riders"\n1,2'
    spec = aws.warehouse.jobs.endpoints.models.find("mine").spec
    assert (spec.header, spec.content_type) == (("hour", "riders"), "application/json")
    assert aws.client("sagemaker").describe_model(ModelName="mine")["PrimaryContainer"]["Environment"] == environment


@pytest.mark.parametrize(("status", "blamed"), [(400, "client"), (500, "server")])
def test_a_container_that_fails(aws: Any, elsewhere: str, status: int, blamed: str) -> None:
    runtime = deploy_container(aws, {"RESTFRAME_ENDPOINT_URL": elsewhere})
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="mine", Body=f"fail {status}".encode())
    response = caught.value.response
    assert response["OriginalStatusCode"] == status
    assert response["OriginalMessage"] == '{"message": "model is out of order"}'
    assert f"Received {blamed} error ({status})" in response["Error"]["Message"]


def test_a_container_that_is_not_there_makes_the_endpoint_fail(aws: Any) -> None:
    sagemaker = aws.client("sagemaker")
    container = {"Image": "x", "Environment": {"RESTFRAME_ENDPOINT_URL": "http://127.0.0.1:1"}}
    sagemaker.create_model(ModelName="mine", PrimaryContainer=container)
    variant = {"VariantName": "v", "ModelName": "mine", "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="mine", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="mine", EndpointConfigName="mine")
    found = sagemaker.describe_endpoint(EndpointName="mine")
    assert found["EndpointStatus"] == "Failed"
    assert "cannot be reached" in found["FailureReason"]


def test_streams_and_asynchronous_answers_are_refused_by_name(runtime: Any) -> None:
    with pytest.raises(ClientError, match="InvokeEndpointWithResponseStream"):
        runtime.invoke_endpoint_with_response_stream(EndpointName="Taxi", Body=b"1")
    with pytest.raises(ClientError, match="InvokeEndpointAsync"):
        runtime.invoke_endpoint_async(EndpointName="Taxi", InputLocation="s3://a/b")
