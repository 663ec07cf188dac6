"""Answers, and what must be true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import create_parser

from fuzz_server import Finds, Raw
from restframe.aws import wire

# Those that are meant. DatabaseConnectionException has this status in the service's own description.
GOOD_5XX = {
    500: {"DatabaseConnectionException"},
    501: {"NotImplemented", "UnknownOperationException", "NotImplementedException"},
    503: {"SlowDown", "ThrottlingException", "ServiceUnavailable"},
}

LONG_ERROR_BYTES = 6000
# What SageMaker, too, leaves out although its description requires it: of a job that has not got it.
NOT_THERE = {".ModelArtifacts"}


@dataclass(frozen=True)
class Answer:
    """took : seconds"""

    raw: Raw
    status: int
    headers: dict[str, str]
    body: bytes
    took: float

    def __str__(self) -> str:
        return f"{self.status} {self.headers} {self.body[:1500]!r}"

    def parsed(self, finds: Finds) -> dict[str, Any]:
        """As botocore reads it; nothing when it cannot."""
        description = wire.service(self.raw.service)
        operation = description.model.operation_model(self.raw.operation)
        if self.status < 300 and operation.has_streaming_output:
            return {"ResponseMetadata": {"RequestId": self.headers.get("x-amzn-requestid", "")}}
        data = {"status_code": self.status, "headers": self.headers, "body": self.body}
        protocol = _protocol(self.body) if self.raw.bent else description.protocol
        try:
            parsed: dict[str, Any] = create_parser(protocol).parse(data, operation.output_shape)
        except Exception as error:  # noqa: BLE001 - whatever it is, clients get it, too
            if self.status != 304:
                finds.add("unreadable", self.raw, f"{error!r} {self}")
            return {}
        if not (parsed.get("ResponseMetadata", {}).get("RequestId") or self.headers.get("x-amz-request-id")):
            finds.add("no request id", self.raw, str(self))
        if self.status < 300 and operation.output_shape is not None:
            for place in set(_missing(operation.output_shape, parsed)) - NOT_THERE:
                finds.add(f"lacks {place}", self.raw, str(self))
        return parsed

    def judge(self, parsed: dict[str, Any], finds: Finds) -> None:
        """An error has a code, a message and a bounded length; none is the server's own."""
        raw = self.raw
        refusal = parsed.get("Error", {}) if parsed and self.status >= 400 else {}
        code, message = refusal.get("Code", ""), refusal.get("Message")
        if refusal and (not code or code == str(self.status) or not message):
            finds.add("no code or message", raw, str(self))
        if self.status >= 500 and raw.method != "HEAD" and code not in GOOD_5XX.get(self.status, ()):
            finds.add(f"{self.status} {code}", raw, str(self))
        if self.status >= 400 and len(self.body) > LONG_ERROR_BYTES:
            finds.add("long error", raw, f"{len(self.body)} bytes {self}")
        finds.note(f"{raw.service}.{raw.operation}", f"{self.status} {code}", str(message)[:300], self.took)


def _missing(shape: Shape, value: Any, place: str = "") -> list[str]:
    """Members that the description requires and that are not there, by their place."""
    found: list[str] = []
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        found = [f"{place}.{name}" for name in shape.required_members if name not in value]
        for name, member in shape.members.items():
            if name in value:
                found += _missing(member, value[name], f"{place}.{name}")
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value[:20]:
            found += _missing(shape.member, item, f"{place}[]")
    elif isinstance(shape, MapShape) and isinstance(value, dict):
        for item in value.values():
            found += _missing(shape.value, item, f"{place}{{}}")
    return sorted(set(found))


def _protocol(body: bytes) -> str:
    """Which one an error is in, where it is not clear what the request asked for."""
    return "json" if body.startswith(b"{") else "query" if b"<ErrorResponse" in body else "rest-xml"
