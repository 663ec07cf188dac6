"""Every operation and every error of every service, against botocore as the other side.

What a client sends is made by botocore's serializers and read by ours; what we answer is read by botocore's parsers.
The values are random, from seeds that are the operations' names: a failure comes back when its test is run again.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import HeadersDict, create_request_object, prepare_request_dict
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel, Shape
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from restframe.aws import wire
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest, HttpResponse

Values = dict[str, Any]

# Their answers are streams of events, which come from the operation itself and not from here.
EVENT_STREAMS = {
    "s3.SelectObjectContent",
    "logs.StartLiveTail",
    "logs.GetLogObject",
    "sagemaker-runtime.InvokeEndpointWithResponseStream",
}
# One element of the answer is two members of the description, which botocore itself cannot tell apart.
AMBIGUOUS = {"s3.GetBucketNotification"}
# The description has two names for the same request.
SAME_REQUEST = {
    "GetBucketLifecycle": "GetBucketLifecycleConfiguration",
    "PutBucketLifecycle": "PutBucketLifecycleConfiguration",
    "GetBucketNotification": "GetBucketNotificationConfiguration",
    "PutBucketNotification": "PutBucketNotificationConfiguration",
    "ListDirectoryBuckets": "ListBuckets",
}


@cache
def described(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


OPERATIONS = [f"{service}.{name}" for service in wire.SERVICES for name in described(service).operation_names]


class Unsatisfiable(Exception):
    """No value was found that keeps to the constraints of a shape."""


class Sampler:
    """Random values of shapes, within their constraints.

    micros : how fine the times may be
    """

    def __init__(self, seed: str, micros: int) -> None:
        self.random = Random(seed)
        self._micros = micros

    def members(self, shape: Shape | None) -> Values:
        """Those of a whole input or output."""
        if shape is None:
            return {}
        values = self.structure(shape)
        payload = shape.serialization.get("payload")
        if payload:
            values.setdefault(payload, self.value(shape.members[payload], 1))
            if isinstance(values[payload], bytes) and "ContentLength" in shape.members:
                values["ContentLength"] = len(values[payload])
        for name, member in shape.members.items():
            if name in values and member.serialization.get("location") == "headers":
                values[name] = {"first": "1", "second-one": "a, b"}
        return values

    def structure(self, shape: Shape, depth: int = 0) -> Values:
        names = list(shape.members)
        if shape.is_tagged_union:
            self.random.shuffle(names)
            for name in names:
                try:
                    return {name: self.value(shape.members[name], depth + 1)}
                except Unsatisfiable:
                    continue
            raise Unsatisfiable(shape.name)
        chance = 0.7 if depth < 2 else 0.3 if depth < 5 else 0
        result = {}
        for name in names:
            required = name in shape.required_members
            if not required and self.random.random() > chance:
                continue
            try:
                result[name] = self.value(shape.members[name], depth + 1)
            except Unsatisfiable:
                if required:
                    raise
        if not result and names:
            # an empty structure does not survive in a form, or in XML that is a flattened list
            name = self.random.choice(names)
            if depth > 12:
                raise Unsatisfiable(shape.name)
            result[name] = self.value(shape.members[name], depth + 1)
        return result

    def value(self, shape: Shape, depth: int) -> Any:
        kind = shape.type_name
        if kind == "structure":
            return self.structure(shape, depth)
        if kind == "list":
            return [self.value(shape.member, depth + 1) for _ in range(self._size(shape, depth))]
        if kind == "map":
            size = self._size(shape, depth)
            pairs = [(self.value(shape.key, depth + 1), self.value(shape.value, depth + 1)) for _ in range(size)]
            return dict(pairs)
        scalars: dict[str, Callable[[Shape], Any]] = {
            "string": self.text,
            "integer": self.whole,
            "long": self.whole,
            "float": self.number,
            "double": self.number,
            "boolean": lambda _: self.random.random() < 0.5,
            "timestamp": self.time,
            "blob": lambda _: self.random.randbytes(self.random.randint(1, 20)),
        }
        return scalars[kind](shape)

    def _size(self, shape: Shape, depth: int) -> int:
        least = max(1, int(shape.metadata.get("min", 1)))
        return min(least + (self.random.randint(0, 2) if depth < 4 else 0), int(shape.metadata.get("max", 9)))

    def whole(self, shape: Shape) -> int:
        bound = 2**31 if shape.type_name == "integer" else 2**63
        least, most = int(shape.metadata.get("min", -bound)), int(shape.metadata.get("max", bound - 1))
        return self.random.choice([least, most, self.random.randint(least, most)])

    def number(self, shape: Shape) -> float:
        least, most = float(shape.metadata.get("min", -1e9)), float(shape.metadata.get("max", 1e9))
        return self.random.uniform(least, most)

    def time(self, shape: Shape) -> datetime:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.random.randint(0, 2**32))
        if shape.serialization.get("location") == "header" or shape.serialization.get("timestampFormat") == "rfc822":
            return moment
        return moment + timedelta(microseconds=self.random.randrange(0, 1_000_000, self._micros))

    def text(self, shape: Shape) -> str:
        if shape.enum:
            return str(self.random.choice(shape.enum))
        least, most = int(shape.metadata.get("min", 0)), int(shape.metadata.get("max", 100_000))
        located = shape.serialization.get("location")
        alphabet = "abcXYZ019-" if located == "header" else "abcXYZ 019-_.~/%+&=;'\"<>!*()ä€𝄞\n\t"
        pattern = compiled(shape.metadata["pattern"]) if "pattern" in shape.metadata else None
        for _ in range(60):
            if pattern is None:
                size = self.random.randint(max(least, 1 if located else 0), min(most, least + 30))
                text = "".join(self.random.choices(alphabet, k=size))
            else:
                text = self._matching(pattern, least)
            if (
                least <= len(text) <= most
                and (pattern is None or pattern.fullmatch(text))
                and not (located and text != text.strip())
            ):
                return text
        raise Unsatisfiable(shape.name)

    def _matching(self, pattern: re.Pattern[str], least: int) -> str:
        return "".join(self._tokens(parsed(pattern.pattern), least))

    def _tokens(self, tokens: Any, least: int) -> list[str]:
        """Texts for the parts of a pattern; what looks ahead or behind is left to be checked."""
        texts = []
        for operator, argument in tokens:
            name = str(operator)
            if name == "LITERAL":
                texts.append(chr(argument))
            elif name == "ANY":
                texts.append(self.random.choice("abcXYZ019-_."))
            elif name == "NOT_LITERAL":
                texts.append("a" if argument != ord("a") else "b")
            elif name == "IN":
                texts.append(self._one_of(argument))
            elif name == "BRANCH":
                texts += self._tokens(self.random.choice(argument[1]), least)
            elif name == "SUBPATTERN":
                texts += self._tokens(argument[3], least)
            elif name in ("MAX_REPEAT", "MIN_REPEAT"):
                low, high, inner = argument
                low = int(low) if int(low) or self.random.random() < 0.3 else min(1, int(high))
                size = min(int(high), max(low, self.random.choice([low, low + 3, least])))
                for _ in range(size):
                    texts += self._tokens(inner, 0)
        return texts

    def _one_of(self, choices: Any) -> str:
        members = characters(tuple(choices))
        if not members:
            raise Unsatisfiable(str(choices))
        return self.random.choice(members)


@cache
def characters(choices: tuple[Any, ...]) -> str:
    """Those in ASCII that a set of a pattern has."""
    return "".join(chr(code) for code in range(32, 127) if _allowed(choices, code))


def _allowed(choices: Any, code: int) -> bool:
    negated = False
    found = False
    for operator, argument in choices:
        name = str(operator)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found |= code == argument
        elif name == "RANGE":
            found |= argument[0] <= code <= argument[1]
        elif name == "CATEGORY":
            classes = {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s"}
            kind = str(argument).removeprefix("CATEGORY_")
            matched = bool(re.match(classes[kind.removeprefix("NOT_")], chr(code), re.ASCII))
            found |= matched != kind.startswith("NOT_")
    return found != negated


@cache
def parsed(pattern: str) -> Any:
    return re._parser.parse(pattern, re.ASCII)  # type: ignore[attr-defined]


@cache
def compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return re.compile(pattern, re.ASCII)
    except re.error:
        return None


def sent(service: str, operation: OperationModel, values: Values) -> tuple[HttpRequest, bytes]:
    """The request that botocore makes, as it arrives."""
    model = described(service)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        serializer = create_serializer(model.resolved_protocol, include_validation=True)
        parts = serializer.serialize_to_request(values, operation)
    prepare_request_dict(parts, "http://localhost:8439", context={})
    request = create_request_object(parts).prepare()
    address = urlsplit(request.url)
    body = request.body or b""
    headers = Headers((name.lower(), str(value)) for name, value in request.headers.items())
    http = HttpRequest(request.method, "http", "localhost:8439", address.path or "/", address.query, headers)
    return http, body.encode() if isinstance(body, str) else bytes(body)


def received(service: str, operation: OperationModel, response: HttpResponse, shape: Shape | None) -> Values:
    """What botocore reads in a response."""
    assert isinstance(response.body, bytes)
    streaming = operation.has_streaming_output and response.status < 300
    parts = {
        "status_code": response.status,
        "headers": HeadersDict(response.headers),
        "body": io.BytesIO(response.body) if streaming else response.body,
        "context": {"operation_name": operation.name},
    }
    values: Values = create_parser(described(service).resolved_protocol).parse(parts, shape)
    return {name: value.read() if isinstance(value, io.BytesIO) else value for name, value in values.items()}


def check_input(identity: str, seed: str) -> None:
    service_name, name = identity.split(".")
    operation = described(service_name).operation_model(name)
    values = Sampler(identity + seed, micros=1).members(operation.input_shape)
    http, body = sent(service_name, operation, values)

    service = wire.service(wire.find(http, described(service_name).signing_name))
    route = service.route(http, body)

    assert service.name == service_name
    assert route.operation.name == SAME_REQUEST.get(name, name)
    if name not in SAME_REQUEST:
        assert service.parse(route, http, body) == values


def check_output(identity: str, seed: str) -> None:
    service_name, name = identity.split(".")
    operation = described(service_name).operation_model(name)
    shape = operation.output_shape
    values = Sampler(identity + seed, micros=1000).members(shape)
    service = wire.service(service_name)

    response = service.respond(service.model.operation_model(name), values, "the-request-id")
    found = received(service_name, operation, response, shape)

    assert found.pop("ResponseMetadata")["RequestId"] == "the-request-id"
    if name == "GetBucketLocation":
        # botocore's client has a reader of its own for this one
        assert f">{values['LocationConstraint']}</LocationConstraint>".encode() in response.body
        return
    members = shape.members.items() if shape else ()
    maps = {key: {} for key, member in members if member.serialization.get("location") == "headers"}
    assert found == {**maps, **values}


@pytest.mark.parametrize("identity", OPERATIONS)
def test_an_input_arrives_as_botocore_sent_it(identity: str) -> None:
    check_input(identity, "")


@pytest.mark.parametrize("identity", [identity for identity in OPERATIONS if identity not in EVENT_STREAMS | AMBIGUOUS])
def test_an_output_is_what_botocore_reads(identity: str) -> None:
    check_output(identity, "")


ERRORS = [f"{service}.{shape.name}" for service in wire.SERVICES for shape in described(service).error_shapes]


@pytest.mark.parametrize("identity", ERRORS)
def test_an_error_is_what_botocore_reads(identity: str) -> None:
    service_name, name = identity.split(".")
    model = described(service_name)
    shape = model.shape_for(name)
    members = Sampler(identity, micros=1000).structure(shape)
    for name_of_message in ("message", "Message"):
        members.pop(name_of_message, None)
    service = wire.service(service_name)
    operation = service.model.operation_model(service.model.operation_names[0])
    http = HttpRequest("GET", "http", "localhost:8439", "/", "", Headers())

    for code in (name, shape.error_code):
        response = service.fail(operation, AwsError(code, "what <was> wrong", **members), "the-request-id", http)

        found = received(service_name, operation, response, operation.output_shape)
        assert response.status >= 400
        assert found["Error"]["Code"] == shape.error_code
        assert found["Error"]["Message"] == "what <was> wrong"
        assert found["ResponseMetadata"]["RequestId"] == "the-request-id"
        modelled = received(service_name, operation, response, shape)
        assert {key: value for key, value in modelled.items() if key.lower() != "message"} == members
        for key in {"message", "Message"} & set(shape.members):
            assert modelled[key] == "what <was> wrong"


def test_each_service_has_the_one_protocol_that_we_speak() -> None:
    """A description that begins to list another, such as smithy-rpc-v2-cbor, may make botocore speak that."""
    assert {name: described(name).metadata["protocols"] for name in wire.SERVICES} == {
        "redshift-data": ["json"],
        "redshift": ["query"],
        "redshift-serverless": ["json"],
        "secretsmanager": ["json"],
        "sagemaker": ["json"],
        "sagemaker-runtime": ["rest-json"],
        "s3": ["rest-xml"],
        "sts": ["query"],
        "iam": ["query"],
        "logs": ["json"],
        "cloudwatch": ["smithy-rpc-v2-cbor", "json", "query"],
    }


def test_the_operations_that_are_left_out_are_the_streams_of_events() -> None:
    streams = {
        f"{service}.{name}"
        for service in wire.SERVICES
        for name in described(service).operation_names
        if described(service).operation_model(name).has_event_stream_output
        or described(service).operation_model(name).has_event_stream_input
    }
    assert streams == EVENT_STREAMS


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2", "3", "4"])
def test_more_values(seed: str) -> None:
    for identity in OPERATIONS:
        check_input(identity, seed)
        if identity not in EVENT_STREAMS | AMBIGUOUS:
            check_output(identity, seed)


NASTY = [
    "", " ", "\x00", "\ufffd", "é", "𝄞", '"', "'", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", "{{", "[[",
    "null", "true", "NaN", "-Infinity", "1e999", "-1", "0", "1.5", "99999999999999999999", "9" * 5000, "&", "=",
    "&&", "a=b", ".", "..", ".1.", ".member.1", ".member.99999999999", ".entry.1.key", "%", "%zz", "%00", "%ff",
    "%2F", "%2e%2e", "+", "//", "/", "?", "#", "<", ">", "</", "<a>", "</a>", "<a/>", "<a><a>", "&lt;", "&#0;",
    "&#xD800;", "&b;", "<![CDATA[", "]]>", "<!--", '<!DOCTYPE a [<!ENTITY b "c">]>',
    '<?xml version="1.0" encoding="UTF-16"?>', ' xmlns="x"', "xsi:type", "\r\n", ",", '",', '\\"',
    "Thu, 01 Jan 1970 00:00:00 GMT", "0000-00-00T00:00:00Z", "9999-12-31T23:59:59-23:59", "-99999999999",
    "=?utf-8?b?/w==?=", "a" * 3000, "-" * 3000, "[" * 300, '{"a":' * 300, "<a>" * 300, ".a" * 300,
]  # fmt: skip
HOSTS = [
    "localhost",
    "bucket.localhost:1",
    "127.0.0.1:8439",
    "[::1]:1",
    "",
    "..",
    ".localhost",
    "a.s3.amazonaws.com",
    "%00",
]


class Mutator:
    """Requests that are wrong in some places."""

    def __init__(self, seed: str) -> None:
        self.random = Random(seed)

    def request(self, http: HttpRequest, body: bytes) -> tuple[HttpRequest, bytes]:
        method, host, path, query = http.method, http.host, http.path, http.query
        headers = list(http.headers)
        for _ in range(self.random.randint(1, 4)):
            place = self.random.choice(["body", "body", "json", "headers", "path", "query", "method", "host"])
            if place == "body":
                body = self.text(body.decode("latin-1")).encode("latin-1", "replace")
            elif place == "json":
                body = self.json(body)
            elif place == "headers":
                self.headers(headers)
            elif place == "path":
                path = "/" + self.text(path).lstrip("/") if self.random.random() < 0.8 else self.text(path)
            elif place == "query":
                query = self.text(query)
            elif place == "method":
                method = self.random.choice(["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "OPTIONS", "X"])
            else:
                host = self.random.choice(HOSTS)
        return HttpRequest(method, "http", host, path, query, Headers(headers)), body

    def text(self, text: str) -> str:
        start = self.random.randint(0, len(text))
        end = min(len(text), start + self.random.choice([0, 0, 1, 1, 5, 100]))
        inserted = self.random.choice([self.random.choice(NASTY), chr(self.random.randrange(256)), text[start:end] * 2])
        return text[:start] + inserted + text[end:]

    def headers(self, headers: list[tuple[str, str]]) -> None:
        index = self.random.randrange(len(headers)) if headers else 0
        action = self.random.choice(["drop", "change", "add"]) if headers else "add"
        if action == "drop":
            del headers[index]
        elif action == "change":
            headers[index] = (headers[index][0], self.text(headers[index][1]))
        else:
            names = [
                "x-amz-target",
                "x-amz-copy-source",
                "x-amz-meta-",
                "content-type",
                "x-amz-object-attributes",
                "range",
            ]
            headers.append((self.random.choice(names), self.random.choice(NASTY)))

    def json(self, body: bytes) -> bytes:
        """Another value somewhere in it, where it is JSON."""
        try:
            root = {"": json.loads(body)}
        except ValueError:
            return body
        holder: Any = root
        key: Any = ""
        while isinstance(holder[key], dict | list) and holder[key] and self.random.random() < 0.8:
            holder = holder[key]
            key = self.random.choice(list(holder)) if isinstance(holder, dict) else self.random.randrange(len(holder))
        strange = [
            None,
            True,
            -1,
            0.5,
            10**30,
            "",
            "a",
            [],
            {},
            [None],
            {"": None},
            [[[]]],
            {"a": {"b": 1}},
            1e300,
            "é" * 500,
        ]
        holder[key] = self.random.choice([*strange, self.random.choice(NASTY)])
        return json.dumps(root[""]).encode()


def check_refusal(identity: str, seed: str) -> None:
    """A request that was tampered with is read all the same, or refused with an error that botocore can read."""
    service_name, name = identity.split(".")
    operation = described(service_name).operation_model(name)
    values = Sampler(identity + seed, micros=1).members(operation.input_shape)
    mutator = Mutator(identity + seed)
    http, body = mutator.request(*sent(service_name, operation, values))
    signing_name = mutator.random.choice([described(service_name).signing_name] * 8 + [None, "ec2"])

    service = wire.service(wire.find(http, signing_name))
    try:
        service.parse(service.route(http, body), http, body)
    except AwsError as error:
        response = service.fail(None, error, "the-request-id", http)
        assert response.status in (400, 404, 405, 501)
        assert len(response.body) < 20_000
        if http.method != "HEAD":
            found = received(service.name, operation, response, None)
            assert found["Error"]["Code"] == error.code


@pytest.mark.parametrize("service", wire.SERVICES)
def test_what_was_tampered_with_is_read_or_refused(service: str) -> None:
    for name in described(service).operation_names:
        check_refusal(f"{service}.{name}", "")


@pytest.mark.slow
@pytest.mark.parametrize("service", wire.SERVICES)
def test_more_that_was_tampered_with(service: str) -> None:
    for seed in range(12):
        for name in described(service).operation_names:
            check_refusal(f"{service}.{name}", f"more {seed}")
