"""The event loop's side of a client's TCP connection: bytes in, cut into messages, and the packets before them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Protocol, cast

from restframe import errors
from restframe.errors import ProtocolViolation
from restframe.pgwire import messages
from restframe.pgwire.admission import Admission
from restframe.pgwire.answering import Answering
from restframe.pgwire.conversation import Conversation, Door
from restframe.pgwire.messages import CancelRequest, Message, Splitter, SslRequest, Startup
from restframe.pgwire.workers import Workers

_LEAVE_S = 5.0
_KEEP_ALIVE_TCP = (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 5))


class House(Door, Protocol):
    """What a connection asks of its listener, from the event loop unless it says otherwise."""

    workers: Workers
    admission: Admission
    maximal_message_bytes: int

    def secure(self, connection: Connection) -> None:
        """Begin TLS; `secured` or `abort` follows."""
        ...

    def cancel(self, request: CancelRequest) -> None: ...

    def opened(self, connection: Connection) -> None:
        """Its client is known. From the thread that answers."""
        ...

    def closed(self, connection: Connection) -> None:
        """Nothing of it is left."""
        ...


class Connection(asyncio.Protocol):
    """It takes what arrives, and has it answered in a thread.

    idle_since : when something came last, or was last seen to run, on the loop's clock
    paused : it takes nothing until there is room for more messages
    """

    transport: asyncio.Transport

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._kept = bytearray()  # of the packets before the conversation
        self._securing = False
        self._splitter = Splitter(types=messages.CLIENTS_TYPES)
        self.answering = Answering(self, house.workers)
        self.paused = False
        self.idle_since = self._loop.time()
        self.secure = False
        self.address = ""
        self.certificate_hash: bytes | None = None

    @property
    def conversation(self) -> Conversation | None:
        return self.answering.conversation

    @property
    def busy(self) -> bool:
        """Whether a thread answers."""
        return self.answering.busy

    # The packets before the conversation

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        _keep_alive(transport.get_extra_info("socket"))

    def data_received(self, data: bytes) -> None:
        if self.conversation is not None:
            self._arrived(self._splitter.feed(data))
            return
        self._kept += data
        if len(self._kept) > messages.MAXIMAL_FIRST_BYTES:
            self.abort()
        elif not self._securing:
            self._take_first()

    def _take_first(self) -> None:
        try:
            while self.conversation is None and not self._securing and len(self._kept) >= 4:
                length = messages.first_length(self._kept)
                if len(self._kept) < length:
                    return
                packet = bytes(self._kept[:length])
                del self._kept[:length]
                self._answer_first(messages.read_first(packet))
        except errors.Error as error:
            self.refuse(error)

    def _answer_first(self, first: messages.First) -> None:
        if isinstance(first, Startup):
            self._begin(first)
        elif isinstance(first, CancelRequest):
            self._house.cancel(first)
            self.transport.close()
        elif isinstance(first, SslRequest) and not self.secure:
            self.check_silence()
            self._securing = True
            self._house.secure(self)
        else:
            self.check_silence()
            self.transport.write(messages.NO)

    def check_silence(self) -> None:
        """What comes before the answer would be taken for something said under TLS. ProtocolViolation."""
        if self._kept:
            raise ProtocolViolation("received unencrypted data after a request for encryption")

    def secured(self, transport: asyncio.Transport, certificate_hash: bytes) -> None:
        """TLS has begun; what comes now came through it."""
        self.transport = transport
        self.certificate_hash = certificate_hash
        self.secure = True
        self._securing = False
        self._take_first()

    def refuse(self, error: errors.Error) -> None:
        """Before there is a conversation."""
        if not self.transport.is_closing():
            self.transport.write(messages.error(error, fatal=True))
            self.transport.close()

    # The conversation

    def _begin(self, startup: Startup) -> None:
        sending = None if self.secure else _duplicate(self.transport.get_extra_info("socket"))
        self.answering.begin(Conversation(self._house, self.answering, startup, self), sending)
        found = self._splitter.feed(bytes(self._kept))
        self._kept.clear()
        self._arrived(found)

    def _arrived(self, found: list[Message | ProtocolViolation]) -> None:
        self.idle_since = self._loop.time()
        if not self.answering.hear(found):
            self.abort()
        elif self.answering.is_full and not self.paused:
            self.paused = True
            self.transport.pause_reading()

    def resume(self) -> None:
        if self.paused and not (self.answering.gone or self.answering.is_full):
            self.paused = False
            self.transport.resume_reading()

    def admitted(self) -> None:
        self._splitter.limit = self._house.maximal_message_bytes
        self._house.opened(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.transport.write(data)

    def pause_writing(self) -> None:
        self.answering.stall(True)

    def resume_writing(self) -> None:
        self.answering.stall(False)

    def look_after(self) -> None:
        """Once in a while: stop what runs for a client that has gone, also one that we do not hear."""
        if self.paused and self.busy and not self.answering.gone and self.answering.hung_up():
            self.transport.abort()
        else:
            self.answering.look_after()

    # The end

    def leave(self, error: errors.Error) -> None:
        """End it with this reason: now when nothing runs, else when what runs is done."""
        if self.conversation is None:
            self.refuse(error)
        else:
            self.answering.end(error)

    def abort(self) -> None:
        if not self.answering.gone:
            self.transport.abort()
            if self._securing:  # nobody else would tell
                self.connection_lost(None)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.answering.gone:
            self.answering.lose()
            if self.conversation is None:
                self._house.closed(self)

    def finish(self) -> None:
        if not self.answering.gone:
            self.answering.gone = True
            self.transport.close()
            self._loop.call_later(_LEAVE_S, self.transport.abort)
        self._house.closed(self)


def _keep_alive(connected: socket.socket | None) -> None:
    """Notice within two minutes that a client's machine is gone."""
    if connected is None:
        return
    with contextlib.suppress(OSError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEP_ALIVE_TCP:
            if hasattr(socket, name):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _duplicate(connected: socket.socket) -> socket.socket:
    """A second handle: the transport may close its own while a thread sends, and another connection get its number."""
    duplicate = socket.socket(fileno=os.dup(connected.fileno()))
    duplicate.setblocking(False)
    return duplicate
