"""How uvicorn is run: its HTTP protocol with limits of time and size, which it has not got of its own."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# S3 takes 8 kB of headers of its own and keys of 1 kB, each byte of which may be three in a path.
MAXIMAL_HEAD_BYTES = 64 * 1024
MAXIMAL_HEADERS = 256
HEAD_TIMEOUT_S = 20.0
KEEP_ALIVE_S = 60
STALLED_S = 120.0
# Each may hold a head and a small body; the next is told 503.
MAXIMAL_CONNECTIONS = 2048


class HeadTooLarge(Exception):
    """Raised into the parser, which then refuses the request as malformed."""


class Connection(HttpToolsProtocol):
    """A client's connection that must bring the head of a request within a time and a size, and take what it asked for.

    Bodies of requests have their own limits: they are read by the application, piece by piece.
    """

    _deadline: asyncio.TimerHandle | None = None
    _stalled: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.access_log = False  # ours is complete, and has no signatures in it
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_clock()
        self._taking_again()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(STALLED_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._taking_again()
        super().resume_writing()

    def _taking_again(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._start_clock()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        if len(self.headers) >= MAXIMAL_HEADERS:
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_clock()
        super().on_headers_complete()
        # Trailers after a body are told as headers, too. They are nobody's, and must not reach the request.
        self.headers = []

    def _count(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAXIMAL_HEAD_BYTES:
            raise HeadTooLarge

    def _start_clock(self) -> None:
        self._stop_clock()
        self._deadline = self.loop.call_later(HEAD_TIMEOUT_S, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()


def config(application: Any, **options: Any) -> uvicorn.Config:
    """uvicorn's configuration for an application of ours; options are those of uvicorn.Config, host and port first."""
    return uvicorn.Config(
        application,
        http=Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        headers=[("server", "restframe")],
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=MAXIMAL_CONNECTIONS,
        proxy_headers=False,
        **options,
    )
