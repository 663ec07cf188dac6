"""Bodies of requests: received by the event loop, read and checked by an operation in its thread."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from restframe.aws import checksums
from restframe.aws.chunked import incomplete
from restframe.aws.errors import AwsError

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

# A crossing from one thread to another costs as much as copying some hundred kilobytes.
_BATCH = 256 * 1024
_BUFFER = 1024 * 1024
_MINIMAL_RATE = 500.0  # bytes a second


class Budget:
    """Bytes that bodies in memory may have together. Usable from any thread."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there was as much left."""
        with self._lock:
            if size > self._left:
                return False
            self._left -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


class Pipe:
    """The pieces of one request's body, on their way from the event loop to a thread.

    Nothing is received, and no client told to go on, before the first piece is asked for. At most about a megabyte
    waits to be read; the client is held back meanwhile.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, receive: Receive, idle_s: float) -> None:
        self._loop = loop
        self._receive = receive
        self._idle_s = idle_s
        self._changed = threading.Condition()
        self._pieces: list[bytes] = []
        self._size = 0
        self._room = asyncio.Event()
        self._error: AwsError | None = None
        self._waited_s = 0.0
        self._task: asyncio.Task[None] | None = None
        self.started = False
        self.ended = False
        self.received = 0

    def __iter__(self) -> Iterator[bytes]:
        """Read in a thread. AwsError when the client is gone, or silent for too long."""
        if not self.started:
            self.started = True
            self._loop.call_soon_threadsafe(self._start)
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._size >= _BATCH or self.ended or self._error)
                pieces, self._pieces, self._size = self._pieces, [], 0
                ended, error = self.ended, self._error
            if not ended and not error:
                self._loop.call_soon_threadsafe(self._room.set)
            yield from pieces
            if error:
                raise error
            if ended:
                return

    def _start(self) -> None:
        self._task = self._loop.create_task(self._fill())

    async def _fill(self) -> None:
        try:
            while not self.ended and self._error is None:
                await self._receive_one()
                while self._size >= _BUFFER:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            self._fail(
                AwsError(
                    "RequestTimeout",
                    "Your socket connection to the server was not read from or written to within the timeout period. "
                    "Idle connections will be closed.",
                    400,
                )
            )
        finally:
            self._fail(incomplete())

    async def _receive_one(self) -> None:
        """TimeoutError when the client is silent for too long, or sends next to nothing all the time."""
        started = self._loop.time()
        async with asyncio.timeout(self._idle_s):
            message = await self._receive()
        if message["type"] == "http.disconnect":
            self._fail(incomplete())
        else:
            self._put(message.get("body", b""), ended=not message.get("more_body", False))
        self._waited_s += self._loop.time() - started
        if self._waited_s > self._idle_s and self.received < self._waited_s * _MINIMAL_RATE:
            raise TimeoutError

    def _put(self, piece: bytes, ended: bool) -> None:
        with self._changed:
            self._pieces.append(piece)
            self._size += len(piece)
            self.received += len(piece)
            self.ended = ended
            if ended or self._size >= _BATCH:
                self._changed.notify_all()

    def _fail(self, error: AwsError) -> None:
        with self._changed:
            if not self.ended and self._error is None:
                self._error = error
                self._changed.notify_all()

    async def close(self) -> None:
        """Receive no more; whoever still reads gets an error."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._fail(incomplete())


class CheckedBody:
    """A `Body`: the pieces of a request, compared with everything that was said about them.

    pieces : the bytes, already taken out of their chunks
    length : how many there must be; None when nobody said
    sha256 : in hex
    claimed : checksums by algorithm, from the headers
    trailers : filled by whoever makes the pieces, before they end
    """

    def __init__(
        self,
        pieces: Iterable[bytes],
        length: int | None = None,
        sha256: str | None = None,
        md5: bytes | None = None,
        claimed: Mapping[str, str] | None = None,
        promised: tuple[str, ...] = (),
        trailers: Mapping[str, str] | None = None,
    ) -> None:
        self._pieces = iter(pieces)
        self._left = b""
        self._at = 0
        self._ended = False
        self._error: AwsError | None = None
        self._count = 0
        self._length = length
        self._sha256 = (sha256, hashlib.sha256()) if sha256 else None
        self._md5 = (md5, hashlib.md5(usedforsecurity=False)) if md5 else None
        self._claimed = dict(claimed or {})
        self._trailers = trailers if trailers is not None else {}
        algorithms = [*self._claimed, *(name.removeprefix(checksums.PREFIX) for name in promised)]
        self._running = {algorithm: checksums.new(algorithm) for algorithm in algorithms}
        self._hashers = [*self._running.values(), *(pair[1] for pair in (self._sha256, self._md5) if pair)]

    @property
    def length(self) -> int | None:
        return self._length

    @property
    def checksums(self) -> Mapping[str, str]:
        return self._claimed

    def read(self, size: int = -1, /) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(_BUFFER), b""))
        if self._at == len(self._left) and not self._another():
            return b""
        if self._at == 0 and len(self._left) <= size:
            piece, self._left = self._left, b""
            return piece
        piece = self._left[self._at : self._at + size]
        self._at += len(piece)
        return piece

    def _another(self) -> bool:
        if self._error is not None:
            raise self._error
        try:
            return self._next()
        except AwsError as error:
            self._error = error
            raise

    def _next(self) -> bool:
        """Bring the next piece that is not empty; check everything when there is none."""
        for piece in self._pieces:
            self._count += len(piece)
            if self._length is not None and self._count > self._length:
                raise AwsError("IncompleteBody", "The request body is longer than it was said to be.", 400)
            for hasher in self._hashers:
                hasher.update(piece)
            if piece:
                self._left, self._at = piece, 0
                return True
        if not self._ended:
            self._check()
            self._ended = True
        return False

    def _check(self) -> None:
        if self._length is not None and self._count != self._length:
            message = "You did not provide the number of bytes specified by the Content-Length HTTP header."
            raise AwsError("IncompleteBody", message, 400)
        if self._sha256 and self._sha256[0] != self._sha256[1].hexdigest():
            raise AwsError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
                400,
                ClientComputedContentSHA256=self._sha256[0],
                S3ComputedContentSHA256=self._sha256[1].hexdigest(),
            )
        if self._md5 and not hmac.compare_digest(self._md5[0], self._md5[1].digest()):
            raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.", 400)
        for name, value in self._trailers.items():
            algorithm = name.removeprefix(checksums.PREFIX)
            checksums.check_form(algorithm, value, "trailing header")
            self._claimed[algorithm] = value
        for algorithm, hasher in self._running.items():
            if checksums.encoded(hasher) != self._claimed[algorithm]:
                raise checksums.mismatch(algorithm)
