"""The thread's side of a connection: it answers what has come, and writes to the client by itself.

What both sides need is here, under one lock: the messages that have come, whether a thread is at work, and the end.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from restframe import errors
from restframe.errors import ProtocolViolation
from restframe.pgwire import messages
from restframe.pgwire.channel import ClientGone
from restframe.pgwire.conversation import Conversation
from restframe.pgwire.messages import Message
from restframe.pgwire.workers import Workers, comes_last, let_others_first

_SYNC, _FLUSH = b"SH"

# Bytes that wait: for the thread that answers; for the client, before they are sent; for the event loop under TLS.
_UNREAD_BYTES = 1 << 20
_MESSAGE_BYTES = 150  # that one takes in memory, besides what it says
_SENT_AT_ONCE_BYTES = 1 << 16
_IN_LOOP_BYTES = 1 << 20

_GLANCE_S = 0.25

# From then on a statement is a long one.
_LONG_S = 0.3


class LoopSide(Protocol):
    """What the thread asks of the event loop's side, all but `admitted` in the loop.

    paused : it takes no messages until there is room for them
    """

    paused: bool

    def admitted(self) -> None:
        """The client is known."""
        ...

    def resume(self) -> None:
        """There is room."""
        ...

    def write(self, data: bytes | bytearray | memoryview) -> None: ...

    def leave(self, error: errors.Error) -> None: ...

    def finish(self) -> None:
        """The conversation has ended and is closed."""
        ...


class Answering:
    """What the loop's side calls comes first; then the thread's own work, which is the conversation's Channel.

    conversation : from when there is one
    busy : a thread answers
    gone : the client has, or is as good as gone
    """

    def __init__(self, loop_side: LoopSide, workers: Workers) -> None:
        self._loop_side = loop_side
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._here = threading.Condition(self._lock)  # messages, room to send, or the end
        self._inbox: deque[Message | ProtocolViolation] = deque()
        self._unread_bytes = 0
        self._unread_limit = messages.MAXIMAL_FIRST_BYTES
        self._out = bytearray()
        self._socket: socket.socket | None = None  # where the thread sends by itself
        self._in_loop_bytes = 0
        self._stalled = False
        self._leaving: errors.Error | None = None
        self._thread_id: int | None = None  # the system's, of the thread that answers
        self._busy_at = 0.0
        self.conversation: Conversation | None = None
        self.busy = False
        self.gone = False

    # In the event loop

    def begin(self, conversation: Conversation, sending: socket.socket | None) -> None:
        """sending : where to send without the loop, which only it knows how under TLS; closed when all has ended"""
        self.conversation, self._socket = conversation, sending

    def hear(self, found: list[Message | ProtocolViolation]) -> bool:
        """Answer these too. False when somebody who is not known has said too much, of which nothing is answered."""
        with self._lock:
            self._inbox.extend(found)
            self._unread_bytes += sum(map(_weight, found))
            flooded = self._unread_limit < _UNREAD_BYTES and self._unread_bytes > 2 * self._unread_limit
            if flooded:
                self._inbox.clear()
            starts = self._wake()
        self._start(starts)
        return not flooded

    def _wake(self) -> bool:
        """Under the lock: tell the thread that there is something; whether one must be started for it."""
        self._here.notify_all()
        if self.busy:
            return False
        self.busy, self._busy_at = True, self._loop.time()
        return True

    def _start(self, starts: bool) -> None:
        if starts:
            self._workers.submit(self._work)

    @property
    def is_full(self) -> bool:
        return self._unread_bytes > self._unread_limit

    def end(self, reason: errors.Error) -> None:
        """Now when nothing runs, else when what runs is done."""
        with self._lock:
            self._leaving = reason
            starts = self._wake()
        self._start(starts)

    def lose(self) -> None:
        """The client has gone: stop what runs for it, and close the conversation."""
        with self._lock:
            self.gone = True
            starts = self.conversation is not None and self._wake()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for room
        self._start(starts)
        if self.conversation is not None and not starts:
            self.conversation.cancel()

    def stall(self, stalled: bool) -> None:
        """Whether the loop has more to write than it likes."""
        with self._lock:
            self._stalled = stalled
            self._here.notify_all()

    def look_after(self) -> None:
        """Once in a while: stop what runs for a client that has gone, and let others go before what lasts."""
        if self.conversation is None or not self.busy:
            return
        if self.gone:
            self.conversation.cancel()  # the statement may have begun after the first time
        elif self._loop.time() - self._busy_at > _LONG_S:
            with self._lock:
                if self._thread_id is not None:
                    let_others_first(self._thread_id)

    def hung_up(self) -> bool:
        """Whether the other side has closed, though not all that it sent has been read."""
        if self._socket is None:
            return False
        look = select.poll()
        look.register(self._socket, getattr(select, "POLLRDHUP", select.POLLHUP))
        return bool(look.poll(0))

    def _finish(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._loop_side.finish()

    def _write_in_loop(self, data: bytes | bytearray | memoryview) -> None:
        if not self.gone:
            self._loop_side.write(data)
        with self._lock:
            self._in_loop_bytes -= len(data)
            self._here.notify_all()

    # In the thread that answers

    def _work(self) -> bool:
        with self._lock:
            self._thread_id = thread_id = threading.get_native_id()
        self._answer()
        return comes_last(thread_id)

    def _answer(self) -> None:
        conversation = self.conversation
        assert conversation is not None
        while not (conversation.ended or self.gone):
            if self._leaving is None:
                conversation.run()
            if self._leaving is not None:
                conversation.end_with(self._leaving)
            with self._lock:
                if not (self._inbox or self._leaving or conversation.ended or self.gone):
                    self.busy, self._thread_id = False, None
                    return
                self._busy_at = self._loop.time()
        try:
            conversation.close()
        finally:
            with self._lock:
                self._thread_id = None
            self._call_in_loop(self._finish)

    def _call_in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(call)

    def terminate(self) -> None:
        reason = errors.AdminShutdown("terminating connection due to administrator command")
        self._call_in_loop(lambda: self._loop_side.leave(reason))

    def admitted(self) -> None:
        self._unread_limit = _UNREAD_BYTES
        self._loop_side.admitted()

    def poll(self) -> Message | None:
        with self._lock:
            if self.gone or not self._inbox:
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
                if not self._inbox and not self.gone:
                    self._here.wait(_GLANCE_S)
                self._check_here()
                if self._inbox:
                    return self._pop()
            check()

    def rest(self, seconds: float) -> None:
        with self._lock:
            self._here.wait_for(lambda: self.gone, seconds)
        self._check_here()

    def _check_here(self) -> None:
        if self.gone:
            raise ClientGone("the client has gone")

    def _pop(self) -> Message:
        message = self._inbox.popleft()
        if isinstance(message, ProtocolViolation):
            raise message
        self._unread_bytes -= _weight(message)
        if self._loop_side.paused and self._unread_bytes <= self._unread_limit // 2:
            self._loop.call_soon_threadsafe(self._loop_side.resume)
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
        self._check_here()
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
            self._check_here()

    def _hand_to_loop(self, data: bytes | bytearray | memoryview) -> None:
        with self._lock:
            self._here.wait_for(lambda: self.gone or not (self._stalled or self._in_loop_bytes > _IN_LOOP_BYTES))
            self._check_here()
            self._in_loop_bytes += len(data)
        self._loop.call_soon_threadsafe(self._write_in_loop, data)


def _weight(message: Message | ProtocolViolation) -> int:
    return _MESSAGE_BYTES + (len(message.body) if isinstance(message, Message) else 0)
