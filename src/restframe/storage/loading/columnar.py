"""Parquet and ORC files to Arrow, read by a process of their own.

pyarrow checks much of a file before it believes it, and not everything: one that is made for it can end the process,
or take all its memory. So a child decodes (`columnar_child`), with a limit, and hands Arrow over. It costs a start,
once, and a copy of every value, while both processes work at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from restframe.storage.loading.columnar_decoding import Kind, schema_of
from restframe.storage.loading.columnar_process import processes
from restframe.storage.loading.fields import Column

if TYPE_CHECKING:
    import pyarrow as pa


class ColumnarReader:
    """Errors of such files are the statement's, not a line's: there is nothing to skip."""

    def __init__(self, kind: Kind, columns: Sequence[Column]) -> None:
        self._kind = kind
        self._columns = tuple(columns)
        self.schema: pa.Schema = schema_of(columns)

    def read(self, path: Path, name: str, check: Callable[[], None] = lambda: None) -> Iterator[pa.RecordBatch]:
        """The rows of one file, which messages call `name`.

        check : called several times a second; raises to stop

        DatatypeMismatch when its columns are not the table's, CorruptObject when it is damaged, OutOfMemory when it
        takes more than the child may have.
        """
        with processes.process() as process:
            yield from process.read((self._kind, self._columns, str(path), name), self.schema, check)
