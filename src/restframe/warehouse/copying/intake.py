"""The rows of a COPY FROM STDIN on their way from the client into the engine."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from restframe import errors, kernels
from restframe.storage.copying.reader import StreamReader
from restframe.warehouse.loading.flow import grouped

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.session import Session

_PIECE_BYTES = 1 << 20  # what is handed over at once: clients send messages of a few bytes too
_AHEAD = 8  # pieces that wait for the engine
_NOTICE_STOP_S = 0.01


class Intake:
    """The statement's thread takes what the client sends; another one reads it and gives the rows to the engine.

    failure : what ended `batches`, for the engine only passes on its text
    """

    def __init__(self, reader: StreamReader, session: Session) -> None:
        self.schema: pa.Schema = reader.schema
        self.failure: Exception | None = None
        self._reader = reader
        self._session = session
        self._queue: queue.Queue[bytes | _GivenUp | None] = queue.Queue(_AHEAD)
        self._done = threading.Event()

    def run(self, pieces: Iterator[bytes], insert: Callable[[], int]) -> int:
        """Insert what comes, by a function that reads `batches` to their end; returns what that returns.

        Whatever the client's side or the engine's side raises; the other one is stopped.
        """
        outcome: list[int | BaseException] = []

        def carry_out() -> None:
            try:
                outcome.append(insert())
            except BaseException as error:  # noqa: BLE001  (raised again below)
                outcome.append(error)
            finally:
                self._done.set()

        thread = threading.Thread(target=carry_out, name="copy-insert", daemon=True)
        thread.start()
        try:
            for block in _joined(pieces):
                self._session.check_cancelled()
                if not self._put(block):
                    break
            self._put(None)
        except BaseException:
            self._put(_GivenUp())
            raise
        finally:
            thread.join()
        (result,) = outcome
        if isinstance(result, BaseException):
            raise result
        return result

    def _put(self, item: bytes | _GivenUp | None) -> bool:
        """Wait for room; returns whether anybody will take it."""
        while not self._done.is_set():
            try:
                self._queue.put(item, timeout=_NOTICE_STOP_S)
                return True
            except queue.Full:
                continue
        return False

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in batches that suit the engine."""
        try:
            for batch in grouped(self._reader.read(self._taken())):
                self._session.check_cancelled()
                yield batch
        except Exception as error:
            self.failure = error
            raise

    def _taken(self) -> Iterator[bytes]:
        """What the client sends, of which only the first few bytes are read without kernels."""
        taken_bytes = 0
        while (item := self._queue.get()) is not None:
            if isinstance(item, _GivenUp):
                raise errors.QueryCanceled("the client gave up")
            taken_bytes += len(item)
            if taken_bytes > kernels.FEW_BYTES:
                kernels.wait("copying", self._session.check_cancelled)
            yield item


class _GivenUp:
    """Stands in the queue where the client's data broke off."""


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        if size >= _PIECE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)
