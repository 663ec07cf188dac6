"""The rest-json protocol, which sagemaker-runtime speaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from restframe.aws import wire
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest
from restframe.aws.wire.rest_json import RestJson


def request(path: str, headers: dict[str, str] | None = None) -> HttpRequest:
    return HttpRequest("POST", "http", "localhost:8439", path, "", Headers((headers or {}).items()))


def test_an_invocation() -> None:
    service = wire.service("sagemaker-runtime")
    headers = {"content-type": "text/csv", "accept": "application/json", "x-amzn-sagemaker-inference-id": "a"}
    http = request("/endpoints/my-endpoint/invocations", headers)
    route = service.route(http, b"1,2\n")
    assert service.parse(route, http, b"1,2\n") == {
        "EndpointName": "my-endpoint",
        "ContentType": "text/csv",
        "Accept": "application/json",
        "InferenceId": "a",
        "Body": b"1,2\n",
    }
    output = {"Body": b"3\n", "ContentType": "text/csv", "InvokedProductionVariant": "AllTraffic"}
    response = service.respond(route.operation, output, "the-request-id")
    assert response.status == 200
    assert response.body == b"3\n"
    assert response.headers == [
        ("x-amzn-requestid", "the-request-id"),
        ("content-type", "text/csv"),
        ("x-amzn-invoked-production-variant", "AllTraffic"),
        ("content-length", "2"),
    ]


def test_a_payload_is_not_measured_here() -> None:
    service = wire.service("sagemaker-runtime")
    http = request("/endpoints/a/invocations")
    body = b"1" * 7_000_000
    assert service.parse(service.route(http, body), http, body)["Body"] is body


def test_a_name_that_is_not_allowed() -> None:
    service = wire.service("sagemaker-runtime")
    http = request("/endpoints/a_b/invocations")
    with pytest.raises(
        AwsError, match=r"^ValidationError: 1 validation error detected: Value 'a_b' at 'endpointName' "
    ):
        service.parse(service.route(http, b""), http, b"")


def test_an_error_of_the_model() -> None:
    service = wire.service("sagemaker-runtime")
    error = AwsError("ModelError", "It failed.", OriginalStatusCode=500, OriginalMessage="oh")
    response = service.fail(None, error, "the-request-id", request("/endpoints/a/invocations"))
    assert response.status == 424
    assert ("x-amzn-errortype", "ModelError") in response.headers
    assert isinstance(response.body, bytes)
    assert json.loads(response.body) == {
        "__type": "ModelError",
        "message": "It failed.",
        "Message": "It failed.",
        "OriginalStatusCode": 500,
        "OriginalMessage": "oh",
    }


@pytest.fixture
def shelf() -> RestJson:
    """A service whose operation has members in every place."""
    text = {"shape": "Text"}
    members: dict[str, Any] = {
        "Shelf": {**text, "location": "uri", "locationName": "shelf"},
        "Words": {"shape": "Words", "location": "querystring", "locationName": "word"},
        "Title": text,
    }
    found: dict[str, Any] = {
        "Status": {"shape": "Number", "location": "statusCode"},
        "Words": {"shape": "Words", "location": "header", "locationName": "x-words"},
        "Title": {**text, "locationName": "title"},
    }
    description: dict[str, Any] = {
        "metadata": {"protocol": "rest-json", "endpointPrefix": "shelf", "apiVersion": "2024-01-01"},
        "operations": {
            "PutBook": {
                "name": "PutBook",
                "http": {"method": "POST", "requestUri": "/shelves/{shelf}/books"},
                "input": {"shape": "PutBookInput"},
                "output": {"shape": "PutBookOutput"},
            }
        },
        "shapes": {
            "PutBookInput": {"type": "structure", "required": ["Title"], "members": members},
            "PutBookOutput": {"type": "structure", "members": found},
            "Words": {"type": "list", "member": text},
            "Text": {"type": "string"},
            "Number": {"type": "integer"},
        },
    }
    return RestJson("shelf", description)


def test_members_in_the_body(shelf: RestJson) -> None:
    http = HttpRequest("POST", "http", "localhost:8439", "/shelves/top/books/", "word=a&word=b", Headers())
    route = shelf.route(http, b"")
    assert shelf.parse(route, http, b'{"Title": "Emma", "Sauce": 1}') == {
        "Shelf": "top",
        "Words": ["a", "b"],
        "Title": "Emma",
    }
    with pytest.raises(
        AwsError, match=r"^SerializationException: NUMBER_VALUE can not be converted to a String at 'Title'$"
    ):
        shelf.parse(route, http, b'{"Title": 1}')
    with pytest.raises(AwsError, match=r"^ValidationException: 1 validation error detected: Value null at 'title' "):
        shelf.parse(route, http, b"")


def test_a_response_says_its_status(shelf: RestJson) -> None:
    operation = shelf.model.operation_model("PutBook")
    response = shelf.respond(operation, {"Status": 201, "Words": ["a", "b"], "Title": "Emma"}, "id")
    assert (response.status, response.body) == (201, b'{"title":"Emma"}')
    assert ("x-words", "a, b") in response.headers
    assert ("content-type", "application/json") in response.headers
    with pytest.raises(TypeError, match="PutBookOutput has no member Sauce"):
        shelf.respond(operation, {"Sauce": 1}, "id")
