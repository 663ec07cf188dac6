"""The AWS APIs as one ASGI application: requests in, operations, responses out.

Nothing blocks the event loop. A small request is read and answered by one of a few threads, which are enough for
everything that is quick; large bodies and operations that wait have threads of their own, so that they hold nobody up.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from restframe import __version__
from restframe.aws import cors, sending, signature
from restframe.aws.backend import Backend
from restframe.aws.bodies import Budget, Pipe, Receive
from restframe.aws.exchange import SMALL_BODY, Exchange, Waiting
from restframe.aws.http import Headers, HttpRequest, HttpResponse
from restframe.aws.operation import Operations
from restframe.aws.pool import Busy, Pool
from restframe.aws.sending import ClientGone, Send

logger = logging.getLogger(__name__)

SERVICES = {
    "redshift-data": "restframe.aws.redshift_data",
    "redshift": "restframe.aws.redshift",
    "redshift-serverless": "restframe.aws.redshift_serverless",
    "secretsmanager": "restframe.aws.secretsmanager",
    "sagemaker": "restframe.aws.sagemaker",
    "sagemaker-runtime": "restframe.aws.sagemaker_runtime",
    "s3": "restframe.aws.s3",
    "sts": "restframe.aws.sts",
    "iam": "restframe.aws.iam",
    "logs": "restframe.aws.logs",
    "cloudwatch": "restframe.aws.cloudwatch",
}
HEALTH = "/_restframe/health"

_SENDING_THREADS = 32
_LARGE_BODIES = 16  # of the largest allowed, in memory at once
_BODY_IDLE_S = 20.0
# How much of a refused body is still received, and how long, so that the client gets to read why it was refused.
_LINGER_BYTES = 16 * 1024 * 1024
_LINGER_S = 2.0
_LINGER_IDLE_S = 0.5


class Application:
    """Answers requests for all services over one backend.

    quick_threads : for operations that do not wait
    waiting_threads : for those that do, and for large bodies; one more of them is told to come back later
    """

    def __init__(self, backend: Backend, *, quick_threads: int = 8, waiting_threads: int = 512) -> None:
        self.backend = backend
        self.quick = Pool("aws-quick", quick_threads, queued=1024)
        self.waiting = Pool("aws-waiting", waiting_threads, queued=0)
        self.sending = Pool("aws-sending", _SENDING_THREADS, queued=sys.maxsize)  # one piece of each response at most
        self.memory = Budget(_LARGE_BODIES * backend.warehouse.settings.max_api_request_bytes)
        self.closing = False
        self._noticing: set[threading.Event] = set()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _Answer(self, scope, receive, send).give()

    def close(self, grace_s: float = 10.0) -> bool:
        """Take no more requests and wait for those that are being answered; False when some were not, in that time."""
        self.closing = True
        for gone in list(self._noticing):
            gone.set()
        end = time.monotonic() + grace_s
        pools = (self.quick, self.waiting, self.sending)
        done = all(pool.wait(max(0.0, end - time.monotonic())) for pool in pools)
        for pool in pools:
            pool.close()
        return done

    @contextlib.contextmanager
    def noticing(self, gone: threading.Event) -> Iterator[None]:
        """Let whoever waits notice it when we close."""
        self._noticing.add(gone)
        try:
            yield
        finally:
            self._noticing.discard(gone)

    @staticmethod
    def operations(service: str) -> Operations | None:
        """Those of a service, imported when they are first asked for; None when we do not serve it."""
        module = SERVICES.get(service)
        if module is None:
            return None
        operations = importlib.import_module(module).operations
        assert isinstance(operations, Operations)
        return operations


class _Answer:
    """The event loop's part of one exchange."""

    def __init__(self, application: Application, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        self._application = application
        self._settings = application.backend.warehouse.settings
        self._receive = receive
        self._send = send
        self._http = _request(scope)
        self._started = time.perf_counter()
        self._came_late = application.closing  # what came before is answered, also when its body comes later
        self._pipe = Pipe(asyncio.get_running_loop(), receive, _BODY_IDLE_S)
        self._exchange = Exchange(
            application.backend,
            self._http,
            str(uuid.uuid4()),
            self._pipe,
            _content_length(self._http.headers),
            application.operations,
            application.memory,
        )
        self._pipe.ended = self._exchange.length == 0
        self._client_left = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def give(self) -> None:
        status, sent = 0, 0
        try:
            response = await self._response()
            await self._pipe.close()
            status = response.status
            response.headers.extend(cors.response_headers(self._http, self._settings.cors_origins))
            reusable = self._pipe.ended  # or the rest of the body would be taken for the next request
            if not reusable:
                response.headers.append(("connection", "close"))
            elif not isinstance(response.body, bytes):
                self._watch_client()
            sent = await sending.send(
                response, self._send, self._http.method, self._application.sending, self._client_left, last=reusable
            )
            if not reusable:
                await self._linger()
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except ClientGone:
            pass
        except Exception:
            # Half of it is sent: that the connection ends is all the client can be told.
            logger.exception("%s the answer broke off", self._exchange.request_id)
        finally:
            if self._watch is not None:
                self._watch.cancel()
            await self._pipe.close()
            self._exchange.end()
            self._log(status, sent)

    async def _response(self) -> HttpResponse:
        http, exchange = self._http, self._exchange
        pool = self._application.waiting
        if exchange.length is not None and exchange.length <= SMALL_BODY and "expect" not in http.headers:
            exchange.pieces = [await self._small_body(exchange.length)]
            pool = self._application.quick
        if http.path == HEALTH or (http.path == "/ping" and not signature.is_signed(http)):
            return _health()
        if cors.is_preflight(http):
            return cors.preflight(http, self._settings.cors_origins)
        try:
            if self._came_late:
                raise Busy
            answer = await pool.run(exchange.begin, _discard)
            if isinstance(answer, Waiting):
                with self._application.noticing(exchange.gone):
                    self._watch_client()
                    return await self._application.waiting.run(answer.run, sending.close)
            return answer
        except Busy:
            return exchange.fail_busy()

    async def _small_body(self, length: int) -> bytes:
        body = b""
        more = length > 0
        with contextlib.suppress(TimeoutError):  # what is missing is missed when the body is read
            async with asyncio.timeout(_BODY_IDLE_S):
                while more:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    body += message.get("body", b"")
                    more = message.get("more_body", False)
        self._pipe.ended = not more
        self._pipe.received = len(body)
        return body

    def _watch_client(self) -> None:
        """Notice it when the client leaves while it is waiting for us. Only once nothing of the body is left."""
        if self._watch is None and self._pipe.ended:
            self._watch = asyncio.create_task(self._wait_for_leaving())

    async def _wait_for_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._client_left.set()
        self._exchange.gone.set()

    async def _linger(self) -> None:
        """Receive some of a body nobody wants: a connection closed before that is reset, and the response lost."""
        left = _LINGER_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                while left > 0:
                    async with asyncio.timeout(_LINGER_IDLE_S):
                        message = await self._receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        return
                    left -= len(message.get("body", b""))

    def _log(self, status: int, sent: int) -> None:
        exchange = self._exchange
        logger.info(
            "%s %s.%s key %s: %d in %.1f ms, %d bytes received, %d sent",
            exchange.request_id,
            exchange.service_name,
            exchange.operation,
            exchange.access_key_id,
            status,
            (time.perf_counter() - self._started) * 1000,
            self._pipe.received,
            sent,
        )


def _request(scope: Mapping[str, Any]) -> HttpRequest:
    headers = Headers(
        (name.decode("latin-1"), value.decode("latin-1").strip(" \t")) for name, value in scope["headers"]
    )
    return HttpRequest(
        scope["method"],
        scope["scheme"],
        headers.get("host"),
        scope["raw_path"].decode("latin-1") or "/",
        scope["query_string"].decode("latin-1"),
        headers,
    )


def _content_length(headers: Headers) -> int | None:
    """None for a body in HTTP's own chunks, whose end shows by itself. The parser has seen to the form."""
    if "transfer-encoding" in headers:
        return None
    return int(headers.get("content-length") or 0)


def _health() -> HttpResponse:
    body = json.dumps({"status": "ok", "version": __version__}).encode()
    return HttpResponse(200, [("content-type", "application/json"), ("cache-control", "no-store")], body)


def _discard(answer: HttpResponse | Waiting) -> None:
    if isinstance(answer, HttpResponse):
        sending.close(answer)
