"""A client's TCP connection: bytes in and out, within bounds, between the event loop and the thread that answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol, cast

from restframe import errors
from restframe.errors import ProtocolViolation
from restframe.pgwire import messages
from restframe.pgwire.admission import Admission
from restframe.pgwire.channel import ClientGone
from restframe.pgwire.conversation import Conversation, Door
from restframe.pgwire.messages import (
    CancelRequest,
    Message,
    Splitter,
    SslRequest,
    Startup,
)
from restframe.pgwire.workers import Workers

_SYNC, _FLUSH = b"SH"

# Bytes that wait: for the thread that answers; for the client, before they are sent; for the event loop under TLS.
_UNREAD_BYTES = 1 << 20
_MESSAGE_BYTES = 150  # that one takes in memory, besides what it says
_SENT_AT_ONCE_BYTES = 1 << 16
_IN_LOOP_BYTES = 1 << 20

_GLANCE_S = 0.25
_LEAVE_S = 5.0

# From then on a statement is a long one; and the niceness of its thread.
_LONG_S = 0.3
_LAST = 10
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
    """The event loop's side: it takes what arrives, and hands the answering to a thread while there is something.

    busy : a thread answers
    heard_at : when something came or was answered last, on the loop's clock
    """

    transport: asyncio.Transport

    def __init__(self, house: House) -> None:
        self._house = house
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._here = threading.Condition(self._lock)  # messages, room to send, or the end
        self._kept = bytearray()  # of the packets before the conversation
        self._securing = False
        self._splitter = Splitter(types=messages.CLIENTS_TYPES)
        self._inbox: deque[Message | ProtocolViolation] = deque()
        self._unread_bytes = 0
        self._unread_limit = messages.MAXIMAL_FIRST_BYTES
        self._paused = False
        self._out = bytearray()
        self._socket: socket.socket | None = None  # where the thread sends by itself
        self._in_loop_bytes = 0
        self._stalled = False
        self._leaving: errors.Error | None = None
        self._thread_id: int | None = None  # the system's, of the thread that answers
        self._busy_at = 0.0
        self._gone = False
        self.conversation: Conversation | None = None
        self.busy = False
        self.heard_at = self._loop.time()
        self.secure = False
        self.address = ""
        self.certificate_hash: bytes | None = None

    # In the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        keep_alive(transport.get_extra_info("socket"))

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
        """The packets before the conversation."""
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

    def _begin(self, startup: Startup) -> None:
        if not self.secure:
            self._socket = _duplicate(self.transport.get_extra_info("socket"))
        self.conversation = Conversation(self._house, self, startup, self)
        found = self._splitter.feed(bytes(self._kept))
        self._kept.clear()
        self._arrived(found)

    def _arrived(self, found: list[Message | ProtocolViolation]) -> None:
        self.heard_at = self._loop.time()
        with self._lock:
            self._inbox.extend(found)
            self._unread_bytes += sum(map(_weight, found))
            flooded = self._unread_limit < _UNREAD_BYTES and self._unread_bytes > 2 * self._unread_limit
            if flooded:
                self._inbox.clear()
            start, self.busy = not self.busy, True
            self._here.notify_all()
        if start:
            self._busy_at = self.heard_at
            self._house.workers.submit(self._work)
        if flooded:  # by somebody who is not known
            self.abort()
        elif self._unread_bytes > self._unread_limit and not self._paused:
            self._paused = True
            self.transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._gone and self._unread_bytes <= self._unread_limit:
            self._paused = False
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        self._stalled = True

    def resume_writing(self) -> None:
        with self._lock:
            self._stalled = False
            self._here.notify_all()

    def _write_in_loop(self, data: bytes | bytearray | memoryview) -> None:
        if not self._gone:
            self.transport.write(data)
        with self._lock:
            self._in_loop_bytes -= len(data)
            self._here.notify_all()

    def connection_lost(self, _: Exception | None) -> None:
        with self._lock:
            if self._gone:
                return
            self._gone = True
            start, self.busy = self.conversation is not None and not self.busy, True
            self._here.notify_all()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for room
        if self.conversation is None:
            self._house.closed(self)
        elif start:
            self._house.workers.submit(self._work)
        else:
            self.conversation.cancel()

    def refuse(self, error: errors.Error) -> None:
        """Before there is a conversation."""
        if not self.transport.is_closing():
            self.transport.write(messages.error(error, fatal=True))
            self.transport.close()

    def leave(self, error: errors.Error) -> None:
        """End it with this reason: now when nothing runs, else when what runs is done."""
        if self.conversation is None:
            self.refuse(error)
            return
        with self._lock:
            self._leaving = error
            start, self.busy = not self.busy, True
        if start:
            self._house.workers.submit(self._work)

    def abort(self) -> None:
        if not self._gone:
            self.transport.abort()
            if self._securing:  # nobody else would tell
                self.connection_lost(None)

    def look_after(self) -> None:
        """Once in a while: stop what runs for a client that has gone, also one that we do not hear."""
        if self.conversation is None or not self.busy:
            return
        if self._gone:
            self.conversation.cancel()  # the statement may have begun after the first time
        elif self._paused and self._socket is not None and _hung_up(self._socket):
            self.transport.abort()
        elif self._loop.time() - self._busy_at > _LONG_S:
            with self._lock:
                if self._thread_id is not None:
                    _let_others_first(self._thread_id)

    def _finish(self) -> None:
        """The conversation has ended and is closed."""
        if self._socket is not None:
            self._socket.close()
        if not self._gone:
            self._gone = True
            self.transport.close()
            self._loop.call_later(_LEAVE_S, self.transport.abort)
        self._house.closed(self)

    # In the thread that answers

    def _work(self) -> bool:
        with self._lock:
            self._thread_id = thread_id = threading.get_native_id()
        self._answer()
        return _comes_last(thread_id)

    def _answer(self) -> None:
        conversation = self.conversation
        assert conversation is not None
        while not (conversation.ended or self._gone):
            if self._leaving is None:
                conversation.run()
            if self._leaving is not None:
                conversation.end_with(self._leaving)
            with self._lock:
                if not (self._inbox or self._leaving or conversation.ended or self._gone):
                    self.busy, self._thread_id = False, None
                    return
                self._busy_at = self._loop.time()
        try:
            conversation.close()
        finally:
            with self._lock:
                self._thread_id = None
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._finish)

    def terminate(self) -> None:
        reason = errors.AdminShutdown("terminating connection due to administrator command")
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.leave, reason)

    def admitted(self) -> None:
        self._unread_limit = _UNREAD_BYTES
        self._splitter.limit = self._house.maximal_message_bytes
        self._house.opened(self)

    def poll(self) -> Message | None:
        with self._lock:
            if self._gone or not self._inbox:
                return None
            return self._pop()

    def ends_here(self) -> bool:
        with self._lock:
            for message in self._inbox:
                if isinstance(message, ProtocolViolation) or message.type not in (_SYNC, _FLUSH):
                    return False
                if message.type == _SYNC:
                    return True
            return False

    def wait(self, check: Callable[[], None]) -> Message:
        self.flush()
        while True:
            with self._lock:
                if not self._inbox and not self._gone:
                    self._here.wait(_GLANCE_S)
                if self._gone:
                    raise ClientGone("the client has gone")
                if self._inbox:
                    return self._pop()
            check()

    def rest(self, seconds: float) -> None:
        with self._lock:
            self._here.wait_for(lambda: self._gone, seconds)
        if self._gone:
            raise ClientGone("the client has gone")

    def _pop(self) -> Message:
        message = self._inbox.popleft()
        if isinstance(message, ProtocolViolation):
            raise message
        self._unread_bytes -= _weight(message)
        if self._paused and self._unread_bytes <= self._unread_limit // 2:
            self._loop.call_soon_threadsafe(self._resume)
        return message

    def send(self, data: bytes | bytearray | memoryview) -> None:
        if len(data) < _SENT_AT_ONCE_BYTES:
            self._out += data
            if len(self._out) >= _SENT_AT_ONCE_BYTES:
                self.flush()
        else:
            self.flush()
            self._write(data)

    def flush(self) -> None:
        if self._out:
            data, self._out = self._out, bytearray()
            self._write(data)

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        if self._gone:
            raise ClientGone("the client has gone")
        if self._socket is None:
            self._hand_to_loop(data)
            return
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                self._await_room(self._socket)
            except OSError as error:
                raise ClientGone("the client has gone") from error

    def _await_room(self, waiting: socket.socket) -> None:
        room = select.poll()
        room.register(waiting, select.POLLOUT)
        while not room.poll(_GLANCE_S * 1000):
            if self._gone:
                raise ClientGone("the client has gone")

    def _hand_to_loop(self, data: bytes | bytearray | memoryview) -> None:
        with self._lock:
            self._here.wait_for(lambda: self._gone or not (self._stalled or self._in_loop_bytes > _IN_LOOP_BYTES))
            if self._gone:
                raise ClientGone("the client has gone")
            self._in_loop_bytes += len(data)
        self._loop.call_soon_threadsafe(self._write_in_loop, data)


def _weight(message: Message | ProtocolViolation) -> int:
    return _MESSAGE_BYTES + (len(message.body) if isinstance(message, Message) else 0)


def _let_others_first(thread_id: int) -> None:
    """Short statements of other clients go before one that lasts. On Linux, where niceness is a thread's."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread_id, _LAST)


def _comes_last(thread_id: int) -> bool:
    """Whether a thread must be given up: what has been let first cannot be taken back."""
    return sys.platform == "linux" and os.getpriority(os.PRIO_PROCESS, thread_id) >= _LAST


def keep_alive(connected: socket.socket | None) -> None:
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


def _hung_up(connected: socket.socket) -> bool:
    """Whether the other side has closed, though not all that it sent has been read."""
    hung_up = getattr(select, "POLLRDHUP", select.POLLHUP)
    look = select.poll()
    look.register(connected, hung_up)
    return bool(look.poll(0))
