"""What a conversation asks of the line to its client. The listener has the real one, tests have one in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from restframe import errors
from restframe.pgwire.messages import Message


class ClientGone(errors.OperationalError):
    """The client has hung up; nobody can be told anything."""

    sqlstate = "08006"


class Channel(Protocol):
    """Used by the thread that answers, one at a time."""

    def admitted(self) -> None:
        """The client is known: messages may be as large as they may ever be."""
        ...

    def poll(self) -> Message | None:
        """The next message if it is here. ProtocolViolation where none can be made out."""
        ...

    def ends_here(self) -> bool:
        """Whether Sync is here and comes next, Flushes aside: then a statement is alone in its transaction."""
        ...

    def wait(self, check: Callable[[], None]) -> Message:
        """The next message, as soon as it is here. ClientGone; and what `check`, called now and then, raises."""
        ...

    def rest(self, seconds: float) -> None:
        """Let time pass. ClientGone, at once."""
        ...

    def send(self, data: bytes | bytearray | memoryview) -> None:
        """Bytes for the client; blocks while it takes none. ClientGone. The bytes must not be changed any more."""
        ...

    def terminate(self) -> None:
        """End the conversation soon, because somebody has ended its session. Callable from any thread."""
        ...

    def flush(self) -> None:
        """Let nothing that was sent wait for more."""
        ...
