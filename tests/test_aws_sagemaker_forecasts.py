"""Endpoints of DeepAR through boto3: what they answer, refuse, and do when many ask at once."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from restframe.ml import artifact
from restframe.ml.containers import batches
from restframe.ml.deepar import Asked, Configuration, fit, save
from restframe.ml.forecasting.series import Series
from restframe.storage import ObjectUrl

TARGET = [float(10 + day % 7) for day in range(40)]
INSTANCE = {"start": "2020-01-01 00:00:00", "target": TARGET}


def archive(prediction_length: int) -> bytes:
    configuration = Configuration(
        context_length=6,
        prediction_length=prediction_length,
        epochs=1,
        time_freq="D",
        mini_batch_size=8,
        num_cells=5,
        num_layers=1,
    )
    return artifact.write(save(fit([Series(np.datetime64("2020-01-01", "s"), np.array(TARGET))], configuration)))


@pytest.fixture(scope="module")
def runtime(shared_aws: Any) -> Any:
    """With an endpoint called rides, which forecasts 4 days, and one called tips, which forecasts 3."""
    for name, days in (("rides", 4), ("tips", 3)):
        url = f"s3://models/{name}.tar.gz"
        shared_aws.warehouse.storage.put(ObjectUrl.parse(url), archive(days))
        shared_aws.warehouse.deploy(url, name)
    return shared_aws.client("sagemaker-runtime", max_pool_connections=40)


def ask(runtime: Any, endpoint: str = "rides", instances: Sequence[Any] = (INSTANCE,), **configuration: Any) -> Any:
    body: dict[str, Any] = {"instances": instances}
    if configuration:
        body["configuration"] = configuration
    answer = runtime.invoke_endpoint(
        EndpointName=endpoint, ContentType="application/json", Body=json.dumps(body).encode()
    )
    assert answer["ContentType"] == "application/json"
    return json.load(answer["Body"])["predictions"]


class Gate:
    """In front of an endpoint's model: lets it begin only when it is open, and counts the series asked together."""

    def __init__(self, aws: Any, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
        predictor = aws.warehouse.jobs.endpoints.server(endpoint).predictor
        self._model = predictor.model
        self._batches = batches.Batches(self, workers=1)
        self._opened = threading.Event()
        self.together: list[int] = []
        monkeypatch.setattr(predictor, "_batches", self._batches)

    def sample(self, asked: Sequence[Asked]) -> Any:
        self.together.append(sum(len(one.series) for one in asked))
        assert self._opened.wait(60)
        return self._model.sample(asked)

    def wait(self, count: int) -> None:
        """Until so many requests are in it or before it."""
        deadline = time.monotonic() + 60
        while self._batches._computing + len(self._batches._waiting) < count:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def open(self) -> None:
        self._opened.set()


def test_quantiles_are_answered_as_they_were_asked_for(runtime: Any) -> None:
    # the request of the notebook's widget
    lower, upper = str(0.5 - 80 * 0.005), str(0.5 + 80 * 0.005)
    (found,) = ask(runtime, output_types=["quantiles", "samples"], num_samples=100, quantiles=[lower, "0.5", upper])
    assert list(found) == ["quantiles", "samples"]
    assert list(found["quantiles"]) == ["0.09999999999999998", "0.5", "0.9"]
    assert np.array(found["samples"]).shape == (100, 4)


def test_a_refusal_is_a_model_error(runtime: Any) -> None:
    with pytest.raises(ClientError) as caught:
        ask(runtime, instances=[{**INSTANCE, "cat": [1]}])
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 400
    assert response["OriginalMessage"] == (
        'Unable to evaluate payload provided: instance 1: "cat" is given, but the model was trained without'
    )
    assert response["Error"]["Message"].startswith(
        'Received client error (400) from primary with message "Unable to evaluate payload provided'
    )
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName="rides", ContentType="text/csv", Body=b"1")
    assert caught.value.response["OriginalStatusCode"] == 415


def test_who_asks_at_once_is_answered_together_and_each_as_if_alone(
    runtime: Any, shared_aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate(shared_aws, "rides", monkeypatch)
    with ThreadPoolExecutor(32) as threads:
        first = threads.submit(ask, runtime)
        gate.wait(1)
        seeded = [threads.submit(ask, runtime, seed=seed, output_types=["samples"]) for seed in (1, 2, 1)]
        many = [threads.submit(ask, runtime, instances=[INSTANCE] * 2) for _ in range(5)]
        gate.wait(9)
        with pytest.raises(ClientError, match='"target" has "x" at position 0'):
            ask(runtime, instances=[{**INSTANCE, "target": ["x"]}])  # it waits for nobody
        assert len(ask(runtime, "tips")[0]["mean"]) == 3  # and neither does another endpoint
        gate.open()
        assert len(first.result(60)) == 1
        assert all(len(one.result(60)) == 2 for one in many)
        answers = [one.result(60) for one in seeded]
    assert gate.together == [1, 3 + 10]
    assert answers[0] == answers[2] != answers[1]
    # beside others the same as by itself
    assert ask(runtime, seed=1, output_types=["samples"]) == answers[0]


def test_an_endpoint_that_is_deleted_answers_those_who_wait(
    runtime: Any, shared_aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared_aws.warehouse.deploy("s3://models/tips.tar.gz", "gone")
    gate = Gate(shared_aws, "gone", monkeypatch)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(ask, runtime, "gone") for _ in range(3)]
        gate.wait(3)
        shared_aws.client("sagemaker").delete_endpoint(EndpointName="gone")
        with pytest.raises(ClientError, match="not found"):
            ask(runtime, "gone")
        gate.open()
        assert [len(one.result(60)[0]["mean"]) for one in waiting] == [3, 3, 3]


def test_two_endpoints_under_load(runtime: Any) -> None:
    with ThreadPoolExecutor(24) as threads:
        asked = [(endpoint, days) for endpoint, days in (("rides", 4), ("tips", 3)) for _ in range(40)]
        answers = threads.map(lambda one: ask(runtime, one[0]), asked)
        assert [len(found["mean"]) for (found,) in answers] == [days for _, days in asked]


def test_a_model_in_its_container_has_a_configuration(runtime: Any, shared_aws: Any) -> None:
    sagemaker = shared_aws.client("sagemaker")
    container = {
        "Image": "522234722520.dkr.ecr.us-east-1.amazonaws.com/forecasting-deepar:1",
        "ModelDataUrl": "s3://models/rides.tar.gz",
        "Environment": {"DEEPAR_INFERENCE_CONFIG": '{"output_types": ["mean"]}'},
    }
    sagemaker.create_model(
        ModelName="means", PrimaryContainer=container, ExecutionRoleArn="arn:aws:iam::000000000000:role/restframe"
    )
    variant = {"VariantName": "v", "ModelName": "means", "InstanceType": "ml.m4.xlarge", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName="means", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="means", EndpointConfigName="means")
    assert sagemaker.describe_endpoint(EndpointName="means")["EndpointStatus"] == "InService"
    assert [list(one) for one in ask(runtime, "means")] == [["mean"]]
    assert [list(one) for one in ask(runtime, "means", output_types=["samples"])] == [["samples"]]
