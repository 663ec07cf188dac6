"""The JSON protocols: bodies of JSON in both directions, the operation named in X-Amz-Target.

https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from restframe.aws.errors import AwsError
from restframe.aws.http import Body, HttpRequest, HttpResponse, Written
from restframe.aws.wire import values
from restframe.aws.wire.description import Route, Service
from restframe.aws.wire.shapes import ShapeFunctions
from restframe.aws.wire.validation import Violation
from restframe.aws.wire.values import Unreadable

_DEEPEST = 64  # how far lists and objects may stand in one another
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_OTHERS = bytes(set(range(256)) - set(b"[]{}"))

Read = Callable[[Any], Any]
Write = Callable[[Any], Any]


class Json(Service):
    """A service of the protocol json 1.0 or 1.1."""

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        super().__init__(name, description)
        metadata = self.model.metadata
        self._prefix = f"{metadata['targetPrefix']}."
        self._content_type = f"application/x-amz-json-{metadata['jsonVersion']}"
        self._readers = Readers()
        self._writers = Writers()

    def route(self, http: HttpRequest, body: bytes) -> Route:
        target = http.headers.get("x-amz-target")
        operation = self.operation(target.removeprefix(self._prefix)) if target.startswith(self._prefix) else None
        if operation is None:
            raise AwsError("UnknownOperationException", f"{self.name} has no operation '{values.shown(target)}'", 400)
        return Route(operation)

    def parse(self, route: Route, http: HttpRequest, body: bytes | Body) -> dict[str, Any]:
        shape = route.operation.input_shape
        if shape is None:
            return {}
        assert isinstance(body, bytes)
        try:
            members = self._readers.read(shape, load(body))
        except Unreadable as error:
            raise AwsError("SerializationException", error.message, 400) from error
        return self.check(shape, members)

    def respond(self, operation: OperationModel, output: Mapping[str, Any], request_id: str) -> HttpResponse:
        shape = operation.output_shape
        # an operation without output answers with nothing
        body = self._written(shape, output) if shape else b""
        return HttpResponse(200, _headers(self._content_type, request_id, body), body)

    def _written(self, shape: Shape, output: Mapping[str, Any]) -> bytes:
        """The output in JSON; members that are written already stand at its end as they are."""
        ready = [f'"{name}":'.encode() + value.json for name, value in output.items() if isinstance(value, Written)]
        if not ready:
            return dump(self._writers.write(shape, output))
        rest = {name: value for name, value in output.items() if not isinstance(value, Written)}
        return b"{" + b",".join(filter(None, [dump(self._writers.write(shape, rest))[1:-1], *ready])) + b"}"

    def fail(
        self, operation: OperationModel | None, error: AwsError, request_id: str, http: HttpRequest
    ) -> HttpResponse:
        return error_response(self, self._writers, self._content_type, error, request_id)

    def invalid(self, shape: StructureShape, violations: list[Violation]) -> AwsError:
        return AwsError(self.error_code("ValidationException"), values.detected(violations), 400)


def _headers(content_type: str, request_id: str, body: bytes) -> list[tuple[str, str]]:
    return [
        ("content-type", content_type),
        ("content-length", str(len(body))),
        ("x-amzn-requestid", request_id),
    ]


def error_response(
    service: Service, writers: Writers, content_type: str, error: AwsError, request_id: str
) -> HttpResponse:
    """An error with its code in `__type` and in a header, its message, and the members that its shape has."""
    shape = service.error_shape(error.code)
    code = service.error_code(error.code)
    members = {"__type": code, "message": error.message}
    if shape:
        if "Message" in shape.members:
            members["Message"] = error.message
        known = {name: value for name, value in error.members.items() if name in shape.members}
        members |= writers.write(shape, known)
    body = dump(members)
    headers = _headers(content_type, request_id, body)
    headers.append(("x-amzn-errortype", code))
    return HttpResponse(service.error_status(error), headers, body)


def load(body: bytes) -> Any:
    """A JSON text as Python values; Unreadable unless it is one, in UTF-8, and neither ambiguous nor very deep."""
    if not body.strip():
        return {}
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _is_deep(body):
        raise Unreadable("the JSON is nested too deeply")
    try:
        text = body.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_distinct, parse_constant=_no_constant)
        if b"\\u" in body:
            # halves of surrogate pairs are no text
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        raise Unreadable("the body is not valid UTF-8") from error
    except ValueError as error:
        raise Unreadable("the body is not valid JSON") from error
    return value


def _is_deep(body: bytes) -> bool:
    """Whether lists and objects stand in one another further than they may."""
    brackets = _STRING.sub(b"", body).translate(_BRACKETS, _OTHERS)
    for _ in range(_DEEPEST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")  # all that have nothing in them any more: one level
    # what is left and has no pair does not close, and is no JSON anyway
    return b"[]" in brackets or brackets.count(b"[") > _DEEPEST


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise Unreadable("a key of a JSON object stands there twice")
    return members


def _no_constant(name: str) -> Any:
    raise Unreadable(f"{name} is not JSON")


def dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def _kind(value: Any) -> str:
    """What a JSON value is, as the services say it."""
    if value is None:
        return "NULL_VALUE"
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    if isinstance(value, int | float):
        return "NUMBER_VALUE"
    return "START_ARRAY" if isinstance(value, list) else "START_OBJECT"


def _refuse(value: Any, wanted: str) -> Unreadable:
    return Unreadable(f"{_kind(value)} can not be converted to {wanted}")


class Readers(ShapeFunctions[Read]):
    """What turns JSON values into the values of a shape."""

    def __init__(self) -> None:
        super().__init__(self._reader)

    def read(self, shape: Shape, value: Any) -> Any:
        """Unreadable names the member of another type. Members that the shape does not have are left out."""
        reader = self.of(shape)
        return reader(value) if reader else value

    def _reader(self, shape: Shape) -> Read | None:
        if isinstance(shape, StructureShape):
            return None if shape.is_document_type else self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(self.inner(shape.member))
        if isinstance(shape, MapShape):
            return self._map(self.inner(shape.value))
        if shape.type_name == "timestamp":
            return _time_reader(shape.serialization.get("timestampFormat", "unixTimestamp"))
        return _SCALARS[shape.type_name]

    def _structure(self, shape: StructureShape) -> Read:
        members = {
            member.serialization.get("name", name): (name, self.inner(member))
            for name, member in shape.members.items()
        }  # fmt: skip

        def read(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _refuse(value, "a structure")
            result = {}
            for key, item in value.items():
                if item is None or key not in members:
                    continue
                name, reader = members[key]
                try:
                    result[name] = reader(item) if reader else item
                except Unreadable as error:
                    raise error.inside(key) from None
            return result

        return read

    def _list(self, reader: Read | None) -> Read:
        def read(value: Any) -> list[Any]:
            if not isinstance(value, list):
                raise _refuse(value, "a list")
            result = []
            for index, item in enumerate(value, 1):
                try:
                    if item is None:
                        raise _refuse(item, "a member of a list")
                    result.append(reader(item) if reader else item)
                except Unreadable as error:
                    raise error.inside(str(index)) from None
            return result

        return read

    def _map(self, reader: Read | None) -> Read:
        def read(value: Any) -> dict[str, Any]:
            if not isinstance(value, dict):
                raise _refuse(value, "a map")
            result = {}
            for key, item in value.items():
                try:
                    if item is not None:
                        result[key] = reader(item) if reader else item
                except Unreadable as error:
                    raise error.inside(values.shown(key)) from None
            return result

        return read


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _refuse(value, "a String")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refuse(value, "a Boolean")
    return value


def _whole_reader(kind: str) -> Read:
    wanted = "an Integer" if kind == "integer" else "a Long"

    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _refuse(value, wanted)
        if isinstance(value, float):
            if not value.is_integer():
                raise _refuse(value, wanted)
            value = int(value)
        return values.whole_number(value, kind)

    return read


def _float(value: Any) -> float:
    if isinstance(value, str) and value in ("NaN", "Infinity", "-Infinity"):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _refuse(value, "a Double")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if math.isinf(result):
        raise Unreadable("the number does not fit the type Double")
    return result


def _blob(value: Any) -> bytes:
    if not isinstance(value, str):
        raise _refuse(value, "a Blob")
    return values.blob(value)


def _time_reader(form: str) -> Read:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise _refuse(value, "a Timestamp")
        if isinstance(value, str):
            return values.time(value, "iso8601" if form == "unixTimestamp" else form)
        return values.time_of_seconds(_float(value))

    return read


_SCALARS: dict[str, Read] = {
    "string": _string,
    "character": _string,
    "boolean": _boolean,
    "integer": _whole_reader("integer"),
    "long": _whole_reader("long"),
    "float": _float,
    "double": _float,
    "blob": _blob,
}


class Writers(ShapeFunctions[Write]):
    """What turns the values of a shape into JSON values; none for values that are JSON already."""

    def __init__(self) -> None:
        super().__init__(self._writer)

    def write(self, shape: Shape, value: Any) -> Any:
        writer = self.of(shape)
        return writer(value) if writer else value

    def _writer(self, shape: Shape) -> Write | None:
        if isinstance(shape, StructureShape):
            return None if shape.is_document_type else self._structure(shape)
        if isinstance(shape, ListShape):
            return _list_writer(self.inner(shape.member))
        if isinstance(shape, MapShape):
            return _map_writer(self.inner(shape.value))
        if shape.type_name == "timestamp":
            return _time_writer(shape.serialization.get("timestampFormat", "unixTimestamp"))
        if shape.type_name == "blob":
            return values.blob_text
        return _float_writer if shape.type_name in ("float", "double") else None

    def _structure(self, shape: StructureShape) -> Write:
        members = {
            name: (member.serialization.get("name", name), self.inner(member))
            for name, member in shape.members.items()
            if member.serialization.get("location") not in ("header", "headers", "statusCode")
        }

        def write(value: Any) -> dict[str, Any]:
            result = {}
            for name, item in value.items():
                if item is not None:
                    try:
                        key, writer = members[name]
                    except KeyError:
                        raise TypeError(f"{shape.name} has no member {name}") from None
                    result[key] = writer(item) if writer else item
            return result

        return write


def _list_writer(writer: Write | None) -> Write:
    if writer is None:
        return list
    return lambda value: [writer(item) for item in value]


def _map_writer(writer: Write | None) -> Write:
    if writer is None:
        return lambda value: {key: item for key, item in value.items() if item is not None}
    return lambda value: {key: writer(item) for key, item in value.items() if item is not None}


def _time_writer(form: str) -> Write:
    if form == "unixTimestamp":
        return values.seconds_of_time
    return lambda value: values.time_text(value, form)


def _float_writer(value: Any) -> Any:
    return value if math.isfinite(value) else values.number_text(value)
