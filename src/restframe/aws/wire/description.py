"""A service as botocore describes it: its operations, its errors, and what all protocols have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from botocore.loaders import Loader
from botocore.model import OperationModel, OperationNotFoundError, ServiceModel, StructureShape

from restframe.aws.errors import AwsError
from restframe.aws.http import Body, HttpRequest, HttpResponse
from restframe.aws.wire.validation import Checks, Violation


@dataclass(frozen=True, slots=True)
class Route:
    """The operation that a request is for.

    uri : what the request's address says by the operation's template, decoded: `{"Bucket": ..., "Key": ...}`
    form : the fields of a request in the query protocol
    streams : whether the operation reads its payload itself, from a Body
    """

    operation: OperationModel
    uri: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    streams: bool = False


def describe(name: str) -> dict[str, Any]:
    """botocore's own description of a service, without its documentation, which is most of it."""
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    description = loader.load_service_model(name, "service-2")
    return cast(dict[str, Any], _undocumented(description))


def _undocumented(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _undocumented(item)
            for key, item in value.items()
            # a member may be called so too, and is then no text
            if not (key in ("documentation", "documentationUrl") and isinstance(item, str))
        }
    return value


class Service(ABC):
    """One service in its protocol. Usable from any thread.

    signing_name : what the scope of a signature for it says
    """

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        self.name = name
        self.model = ServiceModel(description, name)
        self.protocol: str = self.model.resolved_protocol
        self.signing_name: str = self.model.signing_name
        self._description = description
        self._checks = Checks()

    @abstractmethod
    def route(self, http: HttpRequest, body: bytes) -> Route:
        """The operation that a request is for; AwsError when the service has no such operation."""

    @abstractmethod
    def parse(self, route: Route, http: HttpRequest, body: bytes | Body) -> dict[str, Any]:
        """The input of the operation: member names to values of the types that the description gives them.

        body : a Body where the route streams, otherwise all bytes
        AwsError names the member that is missing, of another type, or not allowed.
        """

    @abstractmethod
    def respond(self, operation: OperationModel, output: Mapping[str, Any], request_id: str) -> HttpResponse:
        """A successful response. Members that are None are left out; TypeError for a member that there is not."""

    @abstractmethod
    def fail(
        self, operation: OperationModel | None, error: AwsError, request_id: str, http: HttpRequest
    ) -> HttpResponse:
        """An error as this service's clients read it; without an operation when none was found."""

    @abstractmethod
    def invalid(self, shape: StructureShape, violations: list[Violation]) -> AwsError:
        """The error of an input whose members break their constraints."""

    def operation(self, name: str) -> OperationModel | None:
        try:
            return self.model.operation_model(name)
        except OperationNotFoundError:
            return None

    def check(self, shape: StructureShape, value: dict[str, Any]) -> dict[str, Any]:
        """The value, when it keeps to the constraints of its shape."""
        check = self._checks.of(shape)
        violations = check(value) if check else None
        if violations:
            raise self.invalid(shape, violations)
        return value

    def error_shape(self, code: str) -> StructureShape | None:
        """A modelled error, by the name of its shape or its error code."""
        name = self._error_names.get(code)
        return self.model.shape_for(name) if name else None

    @cached_property
    def _error_names(self) -> dict[str, str]:
        shapes = {name: shape for name, shape in self._description["shapes"].items() if shape.get("exception")}
        codes = {shape.get("error", {}).get("code", name): name for name, shape in shapes.items()}
        return {**{name: name for name in shapes}, **codes}

    def error_code(self, code: str) -> str:
        """What the client shall see: the error code where the given one was the name of a shape."""
        shape = self.error_shape(code)
        return shape.error_code if shape else code

    def error_status(self, error: AwsError) -> int:
        if error.status is not None:
            return error.status
        name = self._error_names.get(error.code)
        if name is None:
            return 400
        traits = self._description["shapes"][name]
        return int(traits.get("error", {}).get("httpStatusCode", 500 if traits.get("fault") else 400))
