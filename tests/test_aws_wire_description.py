"""What is loaded of botocore's descriptions, and when."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from restframe.aws import wire
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.wire.description import describe
from restframe.aws.wire.json import Json


def test_a_description_is_loaded_once_and_without_its_documentation() -> None:
    assert wire.service("sts") is wire.service("sts")

    def texts(value: Any) -> list[str]:
        if not isinstance(value, dict):
            return []
        own = [text for key, text in value.items() if key == "documentation" and isinstance(text, str)]
        return own + [text for item in value.values() for text in texts(item)]

    assert texts(describe("sagemaker")) == []


def test_nothing_is_loaded_before_it_is_needed() -> None:
    program = """
import builtins, gzip, restframe.aws.wire as wire
def refuse(*arguments, **options):
    raise AssertionError("opened a file")
builtins.open = gzip.open = refuse
from restframe.aws.http import Headers, HttpRequest
wire.find(HttpRequest("POST", "http", "localhost", "/", "", Headers()), "sts")
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_many_threads_at_the_first_request() -> None:
    service = Json("sagemaker", describe("sagemaker"))
    http = HttpRequest("POST", "http", "", "/", "", Headers([("x-amz-target", "SageMaker.CreateTrainingJob")]))
    body = (
        b'{"TrainingJobName": "a", "RoleArn": "arn:aws:iam::123456789012:role/aaaaaaaa", "OutputDataConfig": '
        b'{"S3OutputPath": "s3://bucket/a"}, "StoppingCondition": {"MaxRuntimeInSeconds": 5}}'
    )
    route = service.route(http, body)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: service.parse(route, http, body), range(32)))
    assert all(values["StoppingCondition"] == {"MaxRuntimeInSeconds": 5} for values in found)


def test_errors_are_known_by_shape_and_by_code() -> None:
    service = wire.service("redshift")
    assert service.error_code("ClusterNotFoundFault") == "ClusterNotFound"
    assert service.error_code("ClusterNotFound") == "ClusterNotFound"
    assert service.error_code("Sauce") == "Sauce"
    shape = service.error_shape("ClusterNotFound")
    assert shape
    assert shape.name == "ClusterNotFoundFault"
    assert service.error_shape("Cluster") is None
    assert service.operation("PauseCluster").name == "PauseCluster"  # type: ignore[union-attr]
    assert service.operation("Fly") is None
