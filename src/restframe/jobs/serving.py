"""One endpoint over HTTP, with the contract of SageMaker's containers: GET /ping, POST /invocations.

    with EndpointServer(service, "taxi") as server:
        print(server.url)

For other programs on this machine and for tests; it has no authentication, so it listens on loopback by default.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from restframe import errors

if TYPE_CHECKING:
    from restframe.jobs.service import Service

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 6 << 20  # SageMaker's limit
_IDLE_S = 120


class EndpointServer:
    """Serves from its construction until `close`; a thread for each connection.

    port : 0 takes a free one
    """

    def __init__(self, service: Service, endpoint: str, host: str = "127.0.0.1", port: int = 0) -> None:
        service.check_in_service(endpoint)

        class Handler(_Handler):
            pass

        Handler.service, Handler.endpoint = service, endpoint
        self._server = _Server((host, port), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="restframe-serving", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    def wait(self) -> None:
        """Until another thread closes it, or the user interrupts."""
        self._thread.join()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> EndpointServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128


class _Handler(BaseHTTPRequestHandler):
    service: Service
    endpoint: str
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    # an answer is two small writes: waiting for the client's acknowledgement in between would cost 40 ms
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path != "/ping":
            self._refuse(404, f"there is no {self.path[:100]}")
            return
        try:
            self.service.check_in_service(self.endpoint)
        except errors.Error as error:
            self._refuse(503, error.message)
        else:
            self._answer(200, b"", "text/plain")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdigit():
            self.close_connection = True
            self._refuse(411, "the request needs a Content-Length")
        elif int(length) > MAX_BODY_BYTES:
            self.close_connection = True
            self._refuse(413, f"the request is larger than {MAX_BODY_BYTES} bytes")
        else:
            body = self.rfile.read(int(length))
            if len(body) < int(length):  # the client hung up; half a CSV would look like a whole one
                self.close_connection = True
            elif self.path == "/invocations":
                self._invoke(body)
            else:
                self._refuse(404, f"there is no {self.path[:100]}")

    def _invoke(self, body: bytes) -> None:
        content_type = self.headers.get("Content-Type", "text/csv")
        try:
            answer, kind = self.service.invoke(self.endpoint, body, content_type, self.headers.get("Accept", ""))
        except errors.NotSupportedError as error:
            self._refuse(415, error.message)
        except errors.DataError as error:
            self._refuse(400, error.message)
        except (errors.EndpointNotReady, errors.UndefinedObject) as error:
            self._refuse(503, error.message)
        except errors.EndpointFailed as error:
            self._refuse(502, error.message)
        except Exception:
            logger.exception("endpoint %s", self.endpoint)
            self._refuse(500, "the model failed; the server's log says how")
        else:
            self._answer(200, answer, kind)

    def _refuse(self, status: int, message: str) -> None:
        self._answer(status, json.dumps({"message": message}).encode(), "application/json")

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002  (the base class's name)
        logger.debug(format, *arguments)
