"""Inference servers that are not ours: any URL that answers /ping and /invocations.

SageMaker's containers and MLflow's servers share that contract. Connections are kept alive and lent to one request at
a time; a request that was throttled, or that found nobody listening, is tried again.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from restframe import errors
from restframe.jobs.specs import ModelSpec

_ATTEMPTS = 5
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 3.0
_RETRIED = (429, 502, 503)
_THROTTLING = (b"ThrottlingException", b"TooManyRequests", b"Rate exceeded", b"ServiceUnavailable")
MAX_ANSWER_BYTES = 64 << 20
_SHOWN = 300
_KEPT_BYTES = 4096  # of an answer that is an error


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    reason: str
    body: bytes
    content_type: str
    retry_after: str | None

    @property
    def is_throttled(self) -> bool:
        if self.status in _RETRIED:
            return True
        return self.status == 400 and any(word in self.body[:2000] for word in _THROTTLING)


class Call:
    """One request on its way, which any thread may break off."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: http.client.HTTPConnection | None = None
        self.stopped = threading.Event()

    def stop(self) -> None:
        with self._lock:
            self.stopped.set()
            used = None if self._connection is None else self._connection.sock
        if used is not None:
            with contextlib.suppress(OSError):
                used.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads from it

    def use(self, connection: http.client.HTTPConnection | None) -> None:
        with self._lock:
            self._connection = connection
            if connection is not None and self.stopped.is_set():
                raise ConnectionAbortedError


class RemoteServer:
    """One server and the connections to it. Usable from any thread.

    name : of the endpoint, for messages
    timeout_s : for one attempt of one request, from connecting to the last byte
    connections : requests under way at once; others wait
    """

    def __init__(self, name: str, spec: ModelSpec, timeout_s: float, connections: int = 4) -> None:
        assert spec.url is not None
        self.name = name
        self.spec = spec
        self._timeout_s = timeout_s
        self._parts = urlsplit(spec.url)
        self._prefix = self._parts.path.rstrip("/").removesuffix("/invocations")
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()
        self._free = threading.BoundedSemaphore(connections)
        self._closed = threading.Event()

    def ping(self) -> None:
        """EndpointFailed unless /ping answers 200."""
        answer = self._exchange("GET", "/ping", b"", {}, Call())
        if answer.status != 200:
            raise errors.EndpointFailed(f'endpoint "{self.name}" answered {_shown(answer)} to /ping')

    def invoke(self, body: bytes, content_type: str, accept: str, call: Call | None = None) -> tuple[bytes, str]:
        """The answer to one request, with its content type; CSV gets the header line the server wants.

        call : with which another thread may stop it
        EndpointFailed, with the server's own words, when it answers no 200 or cannot be reached.
        """
        if self.spec.header and content_type.partition(";")[0].strip().lower() == "text/csv":
            body = (",".join(_quoted(name) for name in self.spec.header) + "\n").encode() + body
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        if accept:
            headers["Accept"] = accept
        answer = self._exchange("POST", "/invocations", body, headers, call or Call())
        if answer.status != 200:
            raise errors.EndpointFailed(
                f'endpoint "{self.name}" answered {_shown(answer)}',
                status=answer.status,
                answer=answer.body[:_KEPT_BYTES],
            )
        return answer.body, answer.content_type

    def close(self) -> None:
        self._closed.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, method: str, path: str, body: bytes, headers: dict[str, str], call: Call) -> _Answer:
        """The answer, after as many attempts as it takes and is allowed."""
        pause_s = _FIRST_PAUSE_S
        for attempt in range(1, _ATTEMPTS + 1):
            failure: OSError | http.client.HTTPException | None = None
            answer: _Answer | None = None
            try:
                with self._free:
                    answer = self._once(method, path, body, headers, call)
            except TimeoutError as error:  # it had its time; asking again would only double it
                raise errors.EndpointFailed(
                    f'endpoint "{self.name}" did not answer within {self._timeout_s:g} s'
                ) from error
            except ssl.SSLError as error:
                raise errors.EndpointFailed(f'endpoint "{self.name}": {error.reason or error}') from error
            except (OSError, http.client.HTTPException) as error:
                failure = error
            if answer is not None and not answer.is_throttled:
                return answer
            if attempt == _ATTEMPTS or self._closed.is_set() or call.stopped.is_set():
                break
            # full jitter, so that many clients that were refused together do not come back together
            wait_s = _retry_after(answer) or random.uniform(0, pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            call.stopped.wait(wait_s)
        if answer is not None:
            return answer
        raise errors.EndpointFailed(
            f'endpoint "{self.name}" cannot be reached: {_reason(failure)}',
            hint=f"Is a server running at {self._parts.scheme}://{self._parts.netloc}?",
        ) from failure

    def _once(self, method: str, path: str, body: bytes, headers: dict[str, str], call: Call) -> _Answer:
        connection = self._take()
        if connection is not None:
            # The server may have closed a connection that lay idle; that counts as no attempt.
            with contextlib.suppress(ConnectionError, http.client.BadStatusLine):
                return self._speak(connection, method, path, body, headers, call)
        return self._speak(self._connect(), method, path, body, headers, call)

    def _speak(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes,
        headers: dict[str, str],
        call: Call,
    ) -> _Answer:
        deadline = time.monotonic() + self._timeout_s
        try:
            call.use(connection)
            connection.request(method, self._prefix + path, body or None, headers)
            response = connection.getresponse()
            answer = _Answer(
                response.status,
                response.reason,
                self._read(response, deadline),
                response.headers.get("Content-Type", ""),
                response.headers.get("Retry-After"),
            )
            call.use(None)
        except BaseException:
            connection.close()
            raise
        self._give(connection)
        return answer

    def _read(self, response: http.client.HTTPResponse, deadline: float) -> bytes:
        pieces, size = [], 0
        while piece := response.read1(1 << 16):
            pieces.append(piece)
            size += len(piece)
            if size > MAX_ANSWER_BYTES:
                raise errors.EndpointFailed(f'endpoint "{self.name}" answered more than {MAX_ANSWER_BYTES >> 20} MB')
            if time.monotonic() > deadline:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()  # read1() does not notice the end by itself, and the connection would stay taken
        return b"".join(pieces)

    def _connect(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        assert self._parts.hostname is not None
        return kind(self._parts.hostname, self._parts.port, timeout=self._timeout_s)

    def _take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _give(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            if not self._closed.is_set():
                self._idle.append(connection)
                return
        connection.close()


def _retry_after(answer: _Answer | None) -> float | None:
    """Seconds the server asks for, if it does and they are few."""
    if answer is None or answer.retry_after is None or not answer.retry_after.isdigit():
        return None
    return min(float(answer.retry_after), _LONGEST_PAUSE_S)


def _shown(answer: _Answer) -> str:
    """Status and words of an answer that is an error, short enough for a message."""
    text = answer.body[: 64 * 1024].decode("utf-8", "replace")
    with contextlib.suppress(ValueError, RecursionError):
        said = json.loads(text)
        if isinstance(said, dict):
            words = (said.get(key) for key in ("message", "Message", "OriginalMessage", "error", "detail"))
            text = next((word for word in words if isinstance(word, str)), text)
    text = "".join(letter if letter.isprintable() else " " for letter in text[: _SHOWN + 1]).strip()
    text = text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
    return f"{answer.status} {answer.reason[:50]}".strip() + (f": {text}" if text else "")


def _reason(failure: BaseException | None) -> str:
    if isinstance(failure, http.client.HTTPException):
        return f"it broke off its answer ({type(failure).__name__})"
    return getattr(failure, "strerror", None) or str(failure)[:100] or type(failure).__name__


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
