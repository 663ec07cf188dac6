"""The rest-json protocol: of ours only sagemaker-runtime, whose bodies are mostly the payload itself.

https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
"""

from __future__ import annotations

from typing import Any

from botocore.model import OperationModel, Shape, StructureShape

from restframe.aws.errors import AwsError
from restframe.aws.http import HttpRequest, HttpResponse
from restframe.aws.wire import json, values
from restframe.aws.wire.rest import Rest
from restframe.aws.wire.validation import Violation
from restframe.aws.wire.values import Unreadable


class RestJson(Rest):
    content_type = "application/json"
    unreadable_address = "SerializationException"

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        super().__init__(name, description)
        self._readers = json.Readers()
        self._writers = json.Writers()

    def read_body(self, shape: Shape, body: bytes, tag: str | None) -> dict[str, Any]:
        members: dict[str, Any] = self._readers.read(shape, json.load(body))
        return members

    def write_body(self, operation: OperationModel, shape: Shape, value: Any) -> bytes:
        return json.dump(self._writers.write(shape, value))

    def identifying(self, request_id: str) -> list[tuple[str, str]]:
        return [("x-amzn-requestid", request_id)]

    def unknown(self, http: HttpRequest) -> AwsError:
        message = f"{self.name} has no operation at {http.method} {values.shown(http.path)}"
        return AwsError("UnknownOperationException", message, 404)

    def unreadable(self, error: Unreadable) -> AwsError:
        return AwsError("SerializationException", error.message, 400)

    def invalid(self, shape: StructureShape, violations: list[Violation]) -> AwsError:
        code = "ValidationError" if self.error_shape("ValidationError") else "ValidationException"
        return AwsError(code, values.detected(violations), 400)

    def fail(
        self, operation: OperationModel | None, error: AwsError, request_id: str, http: HttpRequest
    ) -> HttpResponse:
        return json.error_response(self, self._writers, self.content_type, error, request_id)
