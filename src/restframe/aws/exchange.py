"""One request from its headers to its response, in a thread: who sent it, what it wants, what comes of it."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from restframe import errors
from restframe.aws import checksums, chunked, refusals, signature, wire
from restframe.aws.backend import Backend
from restframe.aws.bodies import Budget, CheckedBody
from restframe.aws.errors import AwsError
from restframe.aws.http import Body, Headers, HttpRequest, HttpResponse
from restframe.aws.operation import Call, Operation, Operations
from restframe.aws.pool import Busy
from restframe.aws.wire import Route, Service
from restframe.identity import Credentials, ExpiredToken, InvalidToken, UnknownAccessKey

logger = logging.getLogger(__name__)

# Bodies up to this size are received before anything else happens.
SMALL_BODY = 64 * 1024

# Query parameters of presigned requests that stand for headers; the checksum of a body nobody has seen is none.
_NOT_HOISTED = frozenset(
    {
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signature"),
        *("x-amz-signedheaders", "x-amz-security-token", "x-amz-sdk-checksum-algorithm", "x-amz-content-sha256"),
    }
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """An operation that must not run where quick ones do."""

    run: Callable[[], HttpResponse]


@dataclass(slots=True)
class Exchange:
    """
    pieces : the request's body as it comes, or came
    length : bytes of it by the Content-Length header, before they are taken out of chunks
    find_operations : by the name of a service
    memory : of all exchanges, for bodies that are no small ones
    service, operation, access_key_id : known as soon as they are found out
    """

    backend: Backend
    http: HttpRequest
    request_id: str
    pieces: Iterable[bytes]
    length: int | None
    find_operations: Callable[[str], Operations | None]
    memory: Budget
    service: Service | None = None
    operation: str = "-"
    access_key_id: str = "-"
    gone: threading.Event = field(default_factory=threading.Event)
    _route: Route | None = field(default=None, init=False)
    _taken_bytes: int = field(default=0, init=False)

    def begin(self) -> HttpResponse | Waiting:
        """The response, or what is left to do for it when the operation waits.

        Busy when there is no room for its body; raises nothing else.
        """
        return self._guarded(self._begin)

    def end(self) -> None:
        """Nobody needs the body any more."""
        self.memory.give_back(self._taken_bytes)
        self._taken_bytes = 0

    def fail_busy(self) -> HttpResponse:
        """For a request that cannot be answered now."""
        code = "SlowDown" if self._guess().name == "s3" else "ThrottlingException"
        return self.fail(AwsError(code, "Please reduce your request rate.", 503))

    def fail(self, error: AwsError) -> HttpResponse:
        """The response to an error, in the form of the service as far as it is known."""
        service = self._guess()
        return service.fail(self._route.operation if self._route else None, error, self.request_id, self.http)

    def _guess(self) -> Service:
        """The service, by what the request says of itself; whether that is so is another question."""
        if self.service is None:
            self.service = wire.service(wire.find(self.http, signature.signing_name(self.http)))
        return self.service

    def _guarded(self, step: Callable[[], HttpResponse | Waiting]) -> HttpResponse | Waiting:
        try:
            return step()
        except AwsError as error:
            return self.fail(error)
        except Busy:
            raise
        except Exception:
            logger.exception("%s %s.%s failed", self.request_id, self.service_name, self.operation)
            message = "We encountered an internal error. Please try again."
            return self.fail(AwsError("InternalError" if self.is_s3 else "InternalFailure", message, 500))

    @property
    def service_name(self) -> str:
        return self.service.name if self.service else "-"

    @property
    def is_s3(self) -> bool:
        return self.service_name == "s3"

    def _begin(self) -> HttpResponse | Waiting:
        if sum(name == "host" for name, _ in self.http.headers) != 1:
            raise AwsError("InvalidRequest", "A request must have one Host header.", 400)
        service = self._guess()
        body: bytes | Body
        if self.is_s3:
            credentials, claim, body = self._admit_s3(service)
        else:
            credentials, claim, body = self._admit(service)
        route = self._route
        assert route is not None
        operation = self._find(service, route)
        if not isinstance(body, bytes) and not route.streams:
            body = self._all(body)
        call = Call(
            service.name,
            operation.name,
            self.request_id,
            credentials.principal,
            claim.region,
            self.http,
            self.backend,
            self.gone,
        )
        request = service.parse(route, self.http, body)

        def run() -> HttpResponse:
            try:
                output = operation.function(request, call)
            except errors.Error as error:
                raise self._translated(error) from error
            return service.respond(route.operation, output or {}, self.request_id)

        if operation.waits(request):
            return Waiting(lambda: self._finished(run))
        return run()

    def _finished(self, run: Callable[[], HttpResponse]) -> HttpResponse:
        response = self._guarded(run)
        assert isinstance(response, HttpResponse)
        return response

    def _translated(self, error: errors.Error) -> AwsError:
        assert self.service is not None
        operations = self.find_operations(self.service.name)
        assert operations is not None
        return operations.translate(error)

    def _find(self, service: Service, route: Route) -> Operation:
        self.operation = name = route.operation.name
        operations = self.find_operations(service.name)
        operation = operations.get(name) if operations else None
        if operation is None:
            raise _not_served(service, f"{service.name} {name}", "operations")
        return operation

    # who sent it

    def _credentials(self, service: Service) -> tuple[Credentials, signature.Claim]:
        words = refusals.of_protocol(service.protocol)
        claim = signature.claim(self.http, words)
        self.access_key_id = claim.access_key_id[:32]
        if claim.service != service.signing_name:  # then nobody here has that name
            raise _not_served(service, claim.service[:50], "services")
        signature.check_time(claim, words, datetime.now(UTC))
        try:
            return self.backend.identity.credentials(claim.access_key_id, claim.session_token), claim
        except UnknownAccessKey as error:
            raise words.unknown(claim.access_key_id) from error
        except ExpiredToken as error:
            raise words.old_token() from error
        except InvalidToken as error:
            raise words.bad_token() from error

    def _admit(self, service: Service) -> tuple[Credentials, signature.Claim, bytes]:
        """Everywhere but in S3 the signature is over all of the body, which must be here first."""
        credentials, claim = self._credentials(service)
        body = self._all(CheckedBody(self.pieces, self.length))
        words = refusals.of_protocol(service.protocol)
        digest = hashlib.sha256(body).hexdigest()
        signature.verify(claim, credentials.secret_access_key, self.http, digest, words)
        self._route = service.route(self.http, body)
        return credentials, claim, body

    def _admit_s3(self, service: Service) -> tuple[Credentials, signature.Claim, Body]:
        """S3 signs what the headers say of the body; that the body is so is checked while it is read."""
        credentials, claim = self._credentials(service)
        payload = _payload_hash(self.http, claim)
        seal = signature.verify(claim, credentials.secret_access_key, self.http, payload, refusals.S3)
        if claim.expires_s is not None:
            self.http = _hoisted(self.http)
        self._route = service.route(self.http, b"")
        return credentials, claim, self._s3_body(payload, seal)

    # its body

    def _all(self, body: Body) -> bytes:
        limit = self.backend.warehouse.settings.max_api_request_bytes
        too_large = AwsError(
            "MaxMessageLengthExceeded" if self.is_s3 else "RequestEntityTooLargeException",
            f"Your request was too big: it may have {limit} bytes.",
            413,
        )
        if body.length is not None and body.length > limit:
            raise too_large
        expected = limit if body.length is None else body.length
        if expected > SMALL_BODY:
            if not self.memory.take(expected):
                raise Busy
            self._taken_bytes = expected
        pieces = []
        size = 0
        while piece := body.read(limit):
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise too_large
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _s3_body(self, payload: str, seal: signature.Seal) -> CheckedBody:
        assert self._route is not None
        headers = self.http.headers
        claimed = {}
        # CompleteMultipartUpload has such a header, too, and means the object and not the request
        if self._route.operation.http_checksum:
            claimed = checksums.in_headers(headers)
        md5 = checksums.content_md5(headers)
        if not payload.startswith("STREAMING-"):
            if self._route.operation.http_checksum:
                checksums.check_announced(headers, claimed, ())
            sha256 = payload if payload != signature.UNSIGNED_PAYLOAD else None
            return CheckedBody(self.pieces, self.length, sha256, md5, claimed)
        if payload not in chunked.KINDS:
            message = f"restframe does not take a body of the kind {payload[:60]}."
            raise AwsError("NotImplemented", message, 501)
        self.http = _without_chunking(self.http)
        promised = checksums.promised(headers) if payload != chunked.SIGNED else ()
        checksums.check_announced(headers, claimed, promised)
        trailers: dict[str, str] = {}
        pieces = chunked.decode(self.pieces, None if payload == chunked.UNSIGNED_TRAILER else seal, promised, trailers)
        return CheckedBody(pieces, _decoded_length(headers), None, md5, claimed, promised, trailers)


_NOT_SERVED = {"query": ("InvalidAction", 400), "rest-xml": ("NotImplemented", 501)}


def _not_served(service: Service, what: str, listed: str) -> AwsError:
    """In the words of a service."""
    code, status = _NOT_SERVED.get(service.protocol, ("UnknownOperationException", 501))
    return AwsError(code, f"restframe does not serve {what}. docs/aws.md lists the {listed} it serves.", status)


def _payload_hash(http: HttpRequest, claim: signature.Claim) -> str:
    said = http.headers.get("x-amz-content-sha256")
    if claim.expires_s is not None:
        said = said or dict(signature.decoded_parameters(http)).get("X-Amz-Content-Sha256", "")
        return said or signature.UNSIGNED_PAYLOAD
    if not said:
        message = "Missing required header for this request: x-amz-content-sha256"
        raise AwsError("InvalidRequest", message, 400)
    if said != signature.UNSIGNED_PAYLOAD and not said.startswith("STREAMING-") and not signature.is_hash(said):
        message = (
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
            "or a valid sha256 value."
        )
        raise AwsError("InvalidArgument", message, 400, ArgumentName="x-amz-content-sha256", ArgumentValue=said[:100])
    return said


def _decoded_length(headers: Headers) -> int | None:
    text = headers.get("x-amz-decoded-content-length")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise AwsError("InvalidArgument", "The x-amz-decoded-content-length must be a number of bytes.", 400)
    return int(text)


def _without_chunking(http: HttpRequest) -> HttpRequest:
    """The request as if its body had come in one piece: aws-chunked is no encoding of the object."""
    fields = []
    for name, value in http.headers:
        if name == "content-encoding":
            value = ",".join(one.strip() for one in value.split(",") if one.strip().lower() != "aws-chunked")
            if not value:
                continue
        fields.append((name, value))
    return HttpRequest(http.method, http.scheme, http.host, http.path, http.query, Headers(fields))


def _hoisted(http: HttpRequest) -> HttpRequest:
    """Some SDKs move the x-amz- headers of a presigned request into its address; they are headers again here."""
    fields = [
        (name, value)
        for name, value in ((name.lower(), value) for name, value in signature.decoded_parameters(http))
        if name.startswith("x-amz-")
        and not name.startswith(checksums.PREFIX)
        and name not in _NOT_HOISTED
        and name not in http.headers
        and value.isascii()
        and value.isprintable()
    ]
    if not fields:
        return http
    return HttpRequest(http.method, http.scheme, http.host, http.path, http.query, Headers([*http.headers, *fields]))
