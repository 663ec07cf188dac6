"""COPY ... FROM STDIN and TO STDOUT over the channel: CopyInResponse, CopyOutResponse and what follows them."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator, Sequence

from restframe import errors, kernels
from restframe.errors import ProtocolViolation
from restframe.pgwire import messages
from restframe.pgwire.channel import Channel, ClientGone

_FEW_ROWS = 1000  # that need no kernel
_KERNELS = "restframe.storage.copying.delimiting"
_DATA, _DONE, _FAIL, _FLUSH, _SYNC, _TERMINATE = b"dcfHSX"


class Streams:
    """What a session's COPY uses; see `restframe.warehouse.copy_streams`.

    check : raises when the statement is cancelled
    sends : whether data has been announced to the client, and its end has not
    """

    def __init__(self, channel: Channel, check: Callable[[], None]) -> None:
        self._channel = channel
        self._check = check
        self.sends = False

    def receive(self, columns: int, binary: bool) -> Iterator[bytes]:
        self._channel.send(messages.copy_in(columns, binary))
        self._channel.flush()
        return self._received()

    def _received(self) -> Iterator[bytes]:
        while True:
            type_, body = self._channel.wait(self._check)
            if type_ == _DATA:
                yield body
            elif type_ == _DONE:
                return
            elif type_ == _FAIL:
                raise errors.QueryCanceled(f"COPY from stdin failed: {messages.read_string(body)[:200]}")
            elif type_ == _TERMINATE:
                raise ClientGone("the client ended in the middle of COPY")
            elif type_ not in (_FLUSH, _SYNC):
                raise ProtocolViolation(f"unexpected message type 0x{type_:02X} during COPY from stdin")

    def send(self, columns: int, binary: bool) -> Callable[[bytes | memoryview, Sequence[int]], None]:
        self._channel.send(messages.copy_out(columns, binary))
        self.sends = True
        return self._send_rows

    def _send_rows(self, data: bytes | memoryview, ends: Sequence[int]) -> None:
        """A message for each row: there are clients that take each message for one."""
        if _KERNELS not in sys.modules and (len(ends) <= _FEW_ROWS or kernels.pending("results")):
            starts = itertools.chain((0,), ends)
            rows = (bytes(data[start:end]) for start, end in zip(starts, ends, strict=False))
            self._channel.send(b"".join(map(messages.copy_data, rows)))
            return
        import numpy as np

        from restframe.storage.copying.delimiting import copy_data

        out = np.empty(len(data) + 5 * len(ends), np.uint8)
        copy_data(np.frombuffer(data, np.uint8), np.asarray(ends, np.int64), out)
        self._channel.send(out.data)

    def end(self) -> None:
        """The statement has succeeded."""
        if self.sends:
            self.sends = False
            self._channel.send(messages.COPY_DONE)

    def fail(self) -> None:
        """The statement has failed, and the client learns that from the error."""
        self.sends = False
