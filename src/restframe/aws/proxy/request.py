"""What a client asks of a proxy, and what it is told when it does not get it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

_REQUEST_LINE = re.compile(rb"([!-~]{1,32}) ([!-~]+) HTTP/1\.[01]")
_AUTHORITY = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_MAX_NAME = 253  # of DNS
_SHOWN = 100


class Refusal(Exception):
    """The answer that ends a request; its reason stands in the status line, which is all that most clients show."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason

    def response(self) -> bytes:
        body = f"{self.reason}\n".encode()
        # a body tells those who look at it; text of others has been checked to be printable ASCII
        return (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}: {self.reason}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            + ("Allow: CONNECT\r\n" if self.status == HTTPStatus.METHOD_NOT_ALLOWED else "")
            + "Connection: close\r\n\r\n"
        ).encode() + body


@dataclass(frozen=True, slots=True)
class Target:
    """host : a name or an address, in lower case, without brackets and without the dot that may end a name"""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def shown(self) -> str:
        """The host for messages, however long somebody made it."""
        return self.host if len(self.host) <= _SHOWN else f"{self.host[:_SHOWN]}..."


def read_target(head: bytes) -> Target:
    """Where a request `CONNECT host:port HTTP/1.1` wants to go; `head` is all up to the empty line.

    Refusal for anything else.
    """
    line = head.split(b"\r\n", 1)[0]
    request = _REQUEST_LINE.fullmatch(line)
    if request is None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "this is no HTTP request")
    if request[1] != b"CONNECT":
        raise Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "this proxy is for https only; set HTTPS_PROXY to it, and HTTP_PROXY to nothing",
        )
    authority = _AUTHORITY.fullmatch(request[2].decode("ascii"))
    if authority is None:
        raise Refusal(HTTPStatus.BAD_REQUEST, "CONNECT wants a host and a port, as in example.com:443")
    host, port = authority[1].strip("[]").removesuffix(".").lower(), int(authority[2])
    if not 0 < len(host) <= _MAX_NAME or not 0 < port < 2**16:
        raise Refusal(HTTPStatus.BAD_REQUEST, "CONNECT wants a host and a port, as in example.com:443")
    return Target(host, port)


def read_status(head: bytes) -> int | None:
    """The status of another proxy's answer; None when it is no HTTP."""
    found = re.match(rb"HTTP/1\.[01] ([0-9]{3})(?: |\r\n)", head)
    return int(found[1]) if found else None
