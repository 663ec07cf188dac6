"""Bytes from one connection to another: both ways, each no faster than the slower side, each until its own end."""

from __future__ import annotations

import asyncio
from typing import cast

_END = b"\r\n\r\n"
_MAX_HEAD = 16 * 1024
_MAX_KEPT = 64 * 1024  # of what arrives before there is anywhere to send it


class Side(asyncio.Protocol):
    """One end of a tunnel. Until `join` gives it the other end it keeps what arrives, up to a limit.

    last_heard : when something came through the tunnel, either way; of the loop's clock
    gone : done when the connection is
    """

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.last_heard = 0.0
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._other: Side | None = None
        self._kept = bytearray()
        self._ended = False
        self._news = asyncio.Event()

    # What one end says before it is joined

    async def head(self) -> bytes | None:
        """All up to the first empty line, which is taken away; None when the end comes first.

        ValueError when it is too long.
        """
        while (end := self._kept.find(_END, 0, _MAX_HEAD)) < 0:
            if len(self._kept) >= _MAX_HEAD:
                raise ValueError("the head is too long")
            if self._ended:
                return None
            self._news.clear()
            await self._news.wait()
        head = bytes(self._kept[: end + len(_END)])
        del self._kept[: end + len(_END)]
        return head

    @property
    def has_more(self) -> bool:
        """Whether something came after the head."""
        return bool(self._kept)

    def join(self, other: Side) -> None:
        """From here on each sends what the other hears."""
        self._other, other._other = other, self
        for one in (self, other):
            one._release()

    def _release(self) -> None:
        assert self._other is not None
        # before the other end has a say: it may find what was kept too much, and pause us again
        self._resume()
        if self._kept:
            self._other.transport.write(bytes(self._kept))
            self._kept.clear()
        if self._ended:
            self._pass_end_on()

    def _resume(self) -> None:
        if not self.transport.is_closing():
            self.transport.resume_reading()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are none by their class
        self.last_heard = asyncio.get_running_loop().time()

    def data_received(self, data: bytes) -> None:
        self.last_heard = asyncio.get_running_loop().time()
        if self._other is not None:
            self._other.last_heard = self.last_heard
            if not self._other.transport.is_closing():
                self._other.transport.write(data)
            return
        self._kept += data
        self._news.set()
        if len(self._kept) >= _MAX_KEPT:
            self.transport.pause_reading()

    def eof_received(self) -> bool:
        self._ended = True
        self._news.set()
        if self._other is not None:
            self._pass_end_on()
        return True  # the way back stays open

    def _pass_end_on(self) -> None:
        assert self._other is not None
        if self._other._ended:
            self.transport.close()
            self._other.transport.close()
        elif not self._other.transport.is_closing():
            self._other.transport.write_eof()

    def connection_lost(self, _: Exception | None) -> None:
        self._ended = True
        self._news.set()
        if not self.gone.done():
            self.gone.set_result(None)
        if self._other is not None:
            self._other.transport.close()

    def pause_writing(self) -> None:
        if self._other is not None and not self._other.transport.is_closing():
            self._other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._other is not None:
            self._other._resume()
