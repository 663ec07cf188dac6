"""What rest-json and rest-xml share: members in the address, the query string and the headers.

https://smithy.io/2.0/spec/http-bindings.html
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StringShape, StructureShape

from restframe.aws.errors import AwsError
from restframe.aws.http import Body, Headers, HttpRequest, HttpResponse
from restframe.aws.wire import values
from restframe.aws.wire.description import Route, Service
from restframe.aws.wire.routing import Found, Routes, read_query
from restframe.aws.wire.values import Unreadable

_LIST_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*+)"|([^,]*))\s*(?:,|\Z)')
# what cannot stand in a header
_UNWRITABLE = re.compile("[\x00-\x08\x0a-\x1f\x7f]")


class Rest(Service):
    """A service that binds members to parts of HTTP."""

    @cached_property
    def _routes(self) -> Routes:
        return Routes(self.model.operation_model(name) for name in self.model.operation_names)

    def route(self, http: HttpRequest, body: bytes) -> Route:
        try:
            found = self._routes.find(http.method, self.path(http), read_query(http.query), http.headers)
        except Unreadable as error:
            raise AwsError(self.unreadable_address, error.message, 400) from error
        if found is None:
            raise self.unknown(http)
        self.check_route(found, http)
        return Route(found.operation, found.labels, streams=_streams(found.operation))

    def check_route(self, found: Found, http: HttpRequest) -> None:
        """Raise the error of a request that is not quite what the operation needs."""

    def parse(self, route: Route, http: HttpRequest, body: bytes | Body) -> dict[str, Any]:
        shape = route.operation.input_shape
        if shape is None:
            return {}
        try:
            members = self._located(shape, route, http)
        except Unreadable as error:
            raise self.unreadable(error) from error
        try:
            members |= self._payload(shape, body)
        except Unreadable as error:
            raise self.unreadable_body(error) from error
        return self.check(shape, members)

    def _located(self, shape: StructureShape, route: Route, http: HttpRequest) -> dict[str, Any]:
        query = read_query(http.query)
        result = {}
        for name, member in shape.members.items():
            location = member.serialization.get("location")
            if location is None:
                continue
            key = member.serialization.get("name", name)
            try:
                value = _read_located(member, location, key, route, query, http.headers)
            except Unreadable as error:
                raise error.inside(key) from None
            if value is not None:
                result[name] = value
        return result

    def _payload(self, shape: StructureShape, body: bytes | Body) -> dict[str, Any]:
        name = shape.serialization.get("payload")
        if name is not None and shape.members[name].type_name == "blob":
            return {name: body}
        data = body if isinstance(body, bytes) else body.read()
        if name is None:
            return self.read_body(shape, data, None) if data and _has_body(shape) else {}
        member = shape.members[name]
        if member.type_name == "string":
            return {name: _text(data)}
        tag = member.serialization.get("name", member.name)
        return {name: self.read_body(member, data, tag)} if data else {}

    def respond(self, operation: OperationModel, output: Mapping[str, Any], request_id: str) -> HttpResponse:
        shape = operation.output_shape
        response = HttpResponse(int(operation.http.get("responseCode", 200)))
        response.headers += self.identifying(request_id)
        if shape is None:
            response.headers.append(("content-length", "0"))
            return response
        inside = {name: value for name, value in output.items() if value is not None}
        for name in list(inside):
            if name not in shape.members:
                raise TypeError(f"{shape.name} has no member {name}")
            member = shape.members[name]
            location = member.serialization.get("location")
            if location == "statusCode":
                response.status = int(inside.pop(name))
            elif location is not None:
                key = member.serialization.get("name", name)
                response.headers += _write_located(member, location, key, inside.pop(name))
        self._write_payload(response, operation, shape, inside)
        return response

    def _write_payload(
        self, response: HttpResponse, operation: OperationModel, shape: StructureShape, inside: dict[str, Any]
    ) -> None:
        name = shape.serialization.get("payload")
        content_type = ""
        if name is None:
            if _has_body(shape):
                response.body, content_type = self.write_body(operation, shape, inside), self.content_type
        elif shape.members[name].type_name in ("blob", "string"):
            payload = inside.get(name, b"")
            response.body = payload.encode("utf-8") if isinstance(payload, str) else payload
        elif name in inside:
            response.body = self.write_body(operation, shape.members[name], inside[name])
            content_type = self.content_type
        present = {key for key, _ in response.headers}
        if content_type and "content-type" not in present:
            response.headers.append(("content-type", content_type))
        if "content-length" not in present and isinstance(response.body, bytes) and response.status != 204:
            response.headers.append(("content-length", str(len(response.body))))

    content_type: str
    unreadable_address: str

    def path(self, http: HttpRequest) -> str:
        """The address as the templates have it."""
        return http.path

    @abstractmethod
    def read_body(self, shape: Shape, body: bytes, tag: str | None) -> dict[str, Any]:
        """tag : of the root, where the format has one"""

    @abstractmethod
    def write_body(self, operation: OperationModel, shape: Shape, value: Any) -> bytes: ...

    @abstractmethod
    def identifying(self, request_id: str) -> list[tuple[str, str]]:
        """The headers by which a request can be found again."""

    @abstractmethod
    def unknown(self, http: HttpRequest) -> AwsError:
        """The error of a request that no operation fits."""

    @abstractmethod
    def unreadable(self, error: Unreadable) -> AwsError:
        """The error of a member outside the body that is of another type."""

    def unreadable_body(self, error: Unreadable) -> AwsError:
        return self.unreadable(error)


def _streams(operation: OperationModel) -> bool:
    shape = operation.input_shape
    payload = shape.serialization.get("payload") if shape else None
    return bool(payload) and bool(shape.members[payload].serialization.get("streaming"))


def _has_body(shape: StructureShape) -> bool:
    """Whether any member is in none of the other places."""
    return any("location" not in member.serialization for member in shape.members.values())


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("the body is not valid UTF-8") from error


def _read_located(
    member: Shape, location: str, key: str, route: Route, query: dict[str, list[str]], headers: Headers
) -> Any:
    """The value of a member outside the body, or None when the request does not have it."""
    if location == "uri":
        return route.uri.get(key)
    if location == "querystring":
        return _read_query(member, query.get(key))
    if location == "headers":
        return _read_header_map(key, headers)
    name = key.lower()
    return _read_header(member, headers.get(name)) if name in headers else None


def _read_query(member: Shape, texts: list[str] | None) -> Any:
    if texts is None:
        return None
    form = member.serialization.get("timestampFormat", "iso8601")
    if isinstance(member, ListShape):
        return [values.scalar(text, member.member.type_name, form) for text in texts]
    return values.scalar(texts[0], member.type_name, form)


def _read_header_map(prefix: str, headers: Headers) -> dict[str, str] | None:
    prefix = prefix.lower()
    names = [name for name, _ in headers if name.startswith(prefix)]
    return {name[len(prefix) :]: headers.get(name) for name in names} or None


def _read_header(member: Shape, text: str) -> Any:
    if isinstance(member, ListShape):
        kind = member.member.type_name
        return [values.scalar(item, kind, "rfc822") for item in _list_items(text)]
    if isinstance(member, StringShape) and member.enum:
        # Amazon's own C++ SDK writes `enabled` where the description has ENABLED, and S3 takes it
        return next((allowed for allowed in member.enum if allowed.lower() == text.lower()), text)
    return values.scalar(text, member.type_name, member.serialization.get("timestampFormat", "rfc822"))


def _list_items(text: str) -> list[str]:
    items = []
    position = 0
    while position < len(text):
        found = _LIST_ITEM.match(text, position)
        assert found  # without quotes anything is an item
        quoted, plain = found.groups()
        items.append(plain.strip() if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
        position = found.end()
    return items


def _write_located(member: Shape, location: str, key: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(member, MapShape) and location == "headers":
        return [(f"{key}{name}".lower(), _header(str(text))) for name, text in value.items() if text is not None]
    form = member.serialization.get("timestampFormat", "rfc822")
    if isinstance(member, ListShape):
        items = [values.scalar_text(item, member.member.type_name, form) for item in value]
        return [(key.lower(), _header(", ".join(items)))] if items else []
    return [(key.lower(), _header(values.scalar_text(value, member.type_name, form)))]


def _header(text: str) -> str:
    """A value without what would end the header; characters beyond latin-1 cannot be said."""
    return _UNWRITABLE.sub("", text).encode("latin-1", "replace").decode("latin-1")
