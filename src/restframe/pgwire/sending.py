"""From a Result to messages: rows in pieces of bounded size, notices, the tag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from restframe.pgwire import messages
from restframe.pgwire.channel import Channel
from restframe.pgwire.rows import Encoder
from restframe.result import Notice, Result
from restframe.warehouse.cursors import OpenCursor

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.variables import Variables

# What is encoded at once; a client that takes none of it holds this much.
_PIECE_BYTES = 1 << 20

# Commands whose tag counts rows; the others' ends with the command, whatever they return.
_COUNTED = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "FETCH", "MOVE", "COPY", "UNLOAD"})

_LEVELS = {name: level for level, name in enumerate(("debug", "log", "notice", "warning", "error"))}


class Rows:
    """The rows of one Result on their way to the client, as many at a time as it asks for.

    cursor : where the rows are read, by FETCH and MOVE too
    """

    def __init__(self, result: Result, encoder: Encoder) -> None:
        self.result = result
        self.cursor = OpenCursor(result)
        self._encoder = encoder

    @property
    def done(self) -> bool:
        """Whether all have been sent."""
        return self.cursor.done

    def send(self, channel: Channel, limit: int = 0) -> int:
        """Send so many rows, all when it is 0; returns how many there were."""
        sent = 0
        for batch in self.cursor.take(limit or None):
            for piece in _pieces(batch):
                channel.send(self._encoder.encode(piece))
            sent += batch.num_rows
        return sent

    def close(self) -> None:
        self.cursor.close()


def _pieces(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Zero-copy slices of about _PIECE_BYTES, as the batch holds its values."""
    rows = batch.num_rows
    if rows <= 1 or (size := batch.nbytes) <= _PIECE_BYTES:
        if rows:
            yield batch
        return
    step = max(1, rows * _PIECE_BYTES // size)
    for start in range(0, rows, step):
        yield batch.slice(start, step)


def tag(result: Result, sent: int | None = None) -> bytes:
    """CommandComplete. sent : the rows of this answer, for a statement that returns rows"""
    if result.command not in _COUNTED:
        return messages.command_complete(result.command)
    return messages.command_complete(result.tag if sent is None else f"{result.command} {sent}")


def send_notices(notices: list[Notice], variables: Variables, channel: Channel) -> None:
    """INFO is always told, the others from client_min_messages on."""
    if not notices:
        return
    wanted = _LEVELS.get(variables["client_min_messages"].rstrip("12345"), 0)
    for one in notices:
        if _LEVELS.get(one.severity.lower(), wanted) >= wanted:
            channel.send(messages.notice(one))
