"""Responses on their way out: bytes at once, iterators piece by piece as fast as the client takes them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from restframe.aws.http import HttpResponse
from restframe.aws.pool import Pool

Send = Callable[[Mapping[str, Any]], Awaitable[None]]


class ClientGone(Exception):
    """Nobody is there any more to be answered."""


_BATCH = 256 * 1024
_NO_BODY = (204, 304)


async def send(
    response: HttpResponse, send: Send, method: str, pool: Pool, client_left: asyncio.Event, *, last: bool = True
) -> int:
    """Send a response; how many bytes its body had.

    last : False leaves the response open when all of it is sent, for whoever wants the client to see it before the
        connection is closed
    client_left : set as soon as the client is known to be gone, which then raises ClientGone
    What an iterator raises is raised when the response is half sent; the connection must then be closed.
    """
    body = response.body
    if isinstance(body, bytes):
        if response.status in _NO_BODY or method == "HEAD":
            body = b""
        elif not any(name.lower() == "content-length" for name, _ in response.headers):
            response.headers.append(("content-length", str(len(body))))
        await send(_start(response))
        await send({"type": "http.response.body", "body": body, "more_body": not last})
        return len(body)
    return await _send_pieces(response, body, send, method, pool, client_left, last)


def close(response: HttpResponse) -> None:
    """Let go of what an iterator holds, whether it was read or not."""
    closing = getattr(response.body, "close", None)
    if closing is not None:
        closing()


def _start(response: HttpResponse) -> dict[str, Any]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    return {"type": "http.response.start", "status": response.status, "headers": headers}


async def _send_pieces(
    response: HttpResponse,
    pieces: Iterator[bytes],
    send: Send,
    method: str,
    pool: Pool,
    client_left: asyncio.Event,
    last: bool,
) -> int:
    """The next pieces are made while one is on its way."""
    sent = 0
    making: asyncio.Task[bytes] | None = None
    try:
        await send(_start(response))
        if method != "HEAD":
            making = asyncio.ensure_future(pool.run(lambda: _draw(pieces)))
            while piece := await making:
                making = asyncio.ensure_future(pool.run(lambda: _draw(pieces)))
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent += len(piece)
                if client_left.is_set():
                    raise ClientGone
        await send({"type": "http.response.body", "body": b"", "more_body": not last})
        return sent
    finally:
        if making is not None and not making.done():
            # An iterator cannot be closed while it is running.
            with contextlib.suppress(Exception):
                await asyncio.shield(making)
        await pool.run(lambda: close(response))


def _draw(pieces: Iterator[bytes]) -> bytes:
    """The next pieces, together of a size that is worth a crossing between threads; none at the end."""
    drawn: list[bytes] = []
    size = 0
    for piece in pieces:
        drawn.append(piece)
        size += len(piece)
        if size >= _BATCH:
            break
    return drawn[0] if len(drawn) == 1 else b"".join(drawn)
