"""The cursors a session has open: results that several statements read, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from restframe.result import Column, Result

if TYPE_CHECKING:
    import pyarrow as pa


class OpenCursor:
    """A query's result and how far it has been read.

    streams : whether the engine still computes its rows, so that nothing else can run on the connection
    done : whether somebody has asked for more rows than there were
    """

    def __init__(self, result: Result) -> None:
        self.columns: tuple[Column, ...] = result.columns
        self.streams = True
        self.done = False
        self._result = result
        self._rows = result.batches()
        self._left: pa.RecordBatch | None = None

    def take(self, count: int | None) -> Iterator[pa.RecordBatch]:
        """The next rows, as many as there are up to `count`; all of them for None."""
        while count is None or count > 0:
            batch, self._left = self._left or next(self._rows, None), None
            if batch is None:
                self.streams, self.done = False, True
                return
            if count is not None and batch.num_rows > count:
                self._left, batch = batch.slice(count), batch.slice(0, count)
            if count is not None:
                count -= batch.num_rows
            yield batch

    def settle(self, directory: Path) -> None:
        """Free the connection: what has not been read waits in the spool. An error is raised where it is read."""
        if self.streams:
            self.streams = False
            self._result.buffer(directory)

    def close(self) -> None:
        self.streams, self.done = False, True
        self._left = None
        self._result.close()
