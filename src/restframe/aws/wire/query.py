"""The query protocol: a form as the request, XML as the answer.

https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from restframe.aws.errors import AwsError
from restframe.aws.http import Body, HttpRequest, HttpResponse
from restframe.aws.wire import values, xml
from restframe.aws.wire.description import Route, Service
from restframe.aws.wire.shapes import ShapeFunctions
from restframe.aws.wire.validation import Violation
from restframe.aws.wire.values import Unreadable

_MOST_FIELDS = 10_000
_DEEPEST = 32  # names in one key
# Takes what stands below a name: a text, or a dict of what goes on behind the next dot.
Read = Callable[[Any], Any]


class Query(Service):
    """A service of the query protocol."""

    def __init__(self, name: str, description: dict[str, Any]) -> None:
        super().__init__(name, description)
        self._namespace = self.model.metadata["xmlNamespace"]
        self._version = self.model.metadata["apiVersion"]
        self._readers = Readers()
        self._writers = xml.Writers()

    def route(self, http: HttpRequest, body: bytes) -> Route:
        try:
            form = {**read_form(http.query.encode("latin-1", "replace")), **read_form(body)}
        except Unreadable as error:
            raise AwsError("MalformedQueryString", error.message, 400) from error
        action = form.get("Action", "")
        operation = self.operation(action)
        if operation is None and not action:
            raise AwsError("MissingAction", "The request must contain the parameter Action", 400)
        if operation is None:
            message = f"Could not find operation {values.shown(action)} for version {self._version}"
            raise AwsError("InvalidAction", message, 400)
        return Route(operation, form=form)

    def parse(self, route: Route, http: HttpRequest, body: bytes | Body) -> dict[str, Any]:
        shape = route.operation.input_shape
        if shape is None:
            return {}
        try:
            members = self._readers.read(shape, _tree(route.form))
        except Unreadable as error:
            raise AwsError("MalformedInput", error.message, 400) from error
        return self.check(shape, members)

    def respond(self, operation: OperationModel, output: Mapping[str, Any], request_id: str) -> HttpResponse:
        shape = operation.output_shape
        parts = [f'<{operation.name}Response xmlns="{self._namespace}">']
        if shape is not None:
            wrapper = shape.serialization.get("resultWrapper", f"{operation.name}Result")
            self._writers.write(parts, shape, wrapper, output)
        request_id = xml.escape(request_id)
        parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
        parts.append(f"</{operation.name}Response>")
        return self._response(200, parts, request_id)

    def fail(
        self, operation: OperationModel | None, error: AwsError, request_id: str, http: HttpRequest
    ) -> HttpResponse:
        status = self.error_status(error)
        shape = self.error_shape(error.code)
        parts = [
            f'<ErrorResponse xmlns="{self._namespace}"><Error>',
            f"<Type>{'Sender' if status < 500 else 'Receiver'}</Type>",
            f"<Code>{xml.escape(self.error_code(error.code))}</Code>",
            f"<Message>{xml.escape(error.message)}</Message>",
        ]
        if shape:
            parts += self._error_members(shape, error)
        parts.append(f"</Error><RequestId>{xml.escape(request_id)}</RequestId></ErrorResponse>")
        return self._response(status, parts, request_id)

    def _error_members(self, shape: StructureShape, error: AwsError) -> list[str]:
        members = {name: value for name, value in error.members.items() if name in shape.members}
        if "message" in shape.members:
            # modelled beside the <Message> that all errors have
            members["message"] = error.message
        parts: list[str] = []
        self._writers.write(parts, shape, "", members)
        return parts[1:-1]

    def _response(self, status: int, parts: list[str], request_id: str) -> HttpResponse:
        body = "".join([xml.DECLARATION, *parts]).encode("utf-8", "replace")
        headers = [
            ("content-type", "text/xml"),
            ("content-length", str(len(body))),
            ("x-amzn-requestid", request_id),
        ]
        return HttpResponse(status, headers, body)

    def invalid(self, shape: StructureShape, violations: list[Violation]) -> AwsError:
        first = violations[0]
        if self.name == "redshift" and first.value == "null":
            return AwsError("MissingParameter", f"The request must contain the parameter {'.'.join(first.names)}.", 400)
        code = "InvalidParameterValue" if self.name == "redshift" else "ValidationError"
        return AwsError(code, values.detected(violations), 400)


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a form; Unreadable when one stands there twice, is no UTF-8, or when they are too many."""
    if not body:
        return {}
    pairs = body.split(b"&", _MOST_FIELDS)
    if len(pairs) > _MOST_FIELDS:
        raise Unreadable(f"the request has more than {_MOST_FIELDS} parameters")
    form: dict[str, str] = {}
    for pair in pairs:
        key, _, value = pair.partition(b"=")
        name = _decode(key)
        if name in form:
            raise Unreadable(f"the parameter '{values.shown(name)}' stands there twice")
        if name:
            form[name] = _decode(value)
    return form


def _decode(text: bytes) -> str:
    try:
        return unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Unreadable("a parameter is not valid UTF-8") from error


def _tree(form: Mapping[str, str]) -> dict[str, Any]:
    """`{"Tags.member.1.Key": "a"}` as `{"Tags": {"member": {"1": {"Key": "a"}}}}`"""
    root: dict[str, Any] = {}
    for key, value in form.items():
        names = key.split(".", _DEEPEST)
        if len(names) > _DEEPEST:
            raise Unreadable(f"the parameter '{values.shown(key)}' is nested too deeply")
        node = root
        for name in names[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                raise Unreadable(f"the parameter '{values.shown(key)}' goes on where another has its value")
        if node.setdefault(names[-1], value) is not value:
            raise Unreadable(f"the parameter '{values.shown(key)}' has its value where another goes on")
    return root


class Readers(ShapeFunctions[Read]):
    """What turns the fields below one name into the value of a shape."""

    def __init__(self) -> None:
        super().__init__(self._reader)

    def read(self, shape: Shape, fields: dict[str, Any]) -> Any:
        """Unreadable names the member of another type. Fields that the shape does not have are left out."""
        reader = self.of(shape)
        assert reader
        return reader(fields)

    def _reader(self, shape: Shape) -> Read:
        if isinstance(shape, StructureShape):
            return self._structure(shape)
        if isinstance(shape, ListShape):
            return self._list(shape)
        if isinstance(shape, MapShape):
            return self._map(shape)
        kind = shape.type_name
        form = shape.serialization.get("timestampFormat", "iso8601")

        def read(fields: Any) -> Any:
            if not isinstance(fields, str):
                raise Unreadable(f"several parameters where one value of type {kind} was expected")
            return values.scalar(fields, kind, form)

        return read

    def _structure(self, shape: StructureShape) -> Read:
        members = {
            _key(member, name): (name, self.inner(member))
            for name, member in shape.members.items()
        }  # fmt: skip

        def read(fields: Any) -> dict[str, Any]:
            result = {}
            for key, item in _inside(fields, "a structure").items():
                name, reader = members.get(key, ("", None))
                if reader is None:
                    continue
                try:
                    result[name] = reader(item)
                except Unreadable as error:
                    raise error.inside(key) from None
            return result

        return read

    def _list(self, shape: ListShape) -> Read:
        reader = self.inner(shape.member)
        step = None if shape.serialization.get("flattened") else shape.member.serialization.get("name", "member")
        assert reader

        def read(fields: Any) -> list[Any]:
            result = []
            for index, item in _numbered(fields, step):
                try:
                    result.append(reader(item))
                except Unreadable as error:
                    raise error.inside(index) from None
            return result

        return read

    def _map(self, shape: MapShape) -> Read:
        key_reader, value_reader = self.inner(shape.key), self.inner(shape.value)
        step = None if shape.serialization.get("flattened") else "entry"
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        assert key_reader
        assert value_reader

        def read(fields: Any) -> dict[str, Any]:
            result = {}
            for index, entry in _numbered(fields, step):
                entry = _inside(entry, "an entry of a map")
                if key_name not in entry or value_name not in entry:
                    raise Unreadable(f"an entry of a map without {key_name} or {value_name}", index)
                try:
                    result[key_reader(entry[key_name])] = value_reader(entry[value_name])
                except Unreadable as error:
                    raise error.inside(index) from None
            return result

        return read


def _key(member: Shape, name: str) -> str:
    """A flattened list goes by the name of its items, if they have one."""
    if isinstance(member, ListShape) and member.serialization.get("flattened"):
        inner = member.member.serialization.get("name")
        if inner:
            return str(inner)
    return str(member.serialization.get("name", name))


def _inside(fields: Any, wanted: str) -> dict[str, Any]:
    if isinstance(fields, dict):
        return fields
    if fields == "":
        return {}
    raise Unreadable(f"a value where {wanted} was expected")


def _numbered(fields: Any, step: str | None) -> list[tuple[str, Any]]:
    """The items of a list in their order; an empty value is an empty list. Numbers may be left out."""
    fields = _inside(fields, "a list")
    if step is not None:
        fields = _inside(fields.get(step, ""), "a list")
    for index in fields:
        if not (index.isascii() and index.isdigit() and len(index) < 10):
            raise Unreadable(f"'{values.shown(index)}' is not the number of an item")
    return sorted(fields.items(), key=lambda item: int(item[0]))
