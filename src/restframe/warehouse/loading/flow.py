"""The rows of a COPY on their way from its files into the engine, counted, and cut off at too many errors."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from restframe import kernels
from restframe.catalog.loads import MOST_ERRORS, LoadedFile
from restframe.sql.statements.copy import Compression
from restframe.storage import Storage
from restframe.storage.compression import decompress
from restframe.storage.loading.columnar import ColumnarReader
from restframe.storage.loading.faults import Fault
from restframe.storage.loading.json import JsonReader
from restframe.storage.loading.text import TextReader
from restframe.storage.objects import chunks
from restframe.warehouse.loading.prefetch import Prefetch
from restframe.warehouse.loading.sources import SourceFile

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.session import Session

_AHEAD = 4  # pieces of a file, about a megabyte each, that are read before they are parsed

_GROUP_ROWS = 122_880  # DuckDB's row group
_GROUP_BYTES = 64 << 20


class TooManyErrors(Exception):
    """The load has as many refused rows as MAXERROR says it fails at."""


class Flow:
    """One COPY's rows. `batches` runs in the engine's threads, one at a time; the rest is for its owner.

    faults : the refused rows with the names of their files, MOST_ERRORS at most; errors : how many there were
    failure : what ended `batches`, for the engine only passes on its text
    """

    def __init__(
        self,
        files: Sequence[SourceFile],
        reader: TextReader | JsonReader | ColumnarReader,
        compression: Compression | None,
        max_errors: int,
        session: Session,
    ) -> None:
        self.faults: list[tuple[str, Fault]] = []
        self.errors = 0
        self.rows = 0
        self.files: list[LoadedFile] = []
        self.failure: Exception | None = None
        self.schema: pa.Schema = reader.schema
        self._sources = files
        self._reader = reader
        self._compression = compression
        self._max_errors = max(max_errors, 1)  # 0 and 1 both fail at the first
        self._session = session
        self._total_bytes = sum(file.size_bytes for file in files)
        self._passed_bytes = 0
        self._prefetch: Prefetch[tuple[int, bytes, int]] | None = None

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, in batches that suit the engine.

        TooManyErrors, QueryCanceled, CorruptObject and the like end it, and stay in `failure`.
        """
        try:
            read = self._columnar() if isinstance(self._reader, ColumnarReader) else self._records()
            for batch in grouped(read):
                self._session.check_cancelled()
                self.rows += batch.num_rows
                yield batch
        except Exception as error:
            self.failure = error
            raise

    def close(self) -> None:
        """Let go of the files."""
        if self._prefetch is not None:
            self._prefetch.close()

    def _columnar(self) -> Iterator[pa.RecordBatch]:
        assert isinstance(self._reader, ColumnarReader)
        done = 0
        for source in self._sources:
            started, rows = _now(), 0
            with self._session.storage.local_file(source.url) as path:
                for batch in self._reader.read(path, str(source.url), self._session.check_cancelled):
                    rows += batch.num_rows
                    yield batch
            done += source.size_bytes
            self._session.progress(done, self._total_bytes)
            self._finished(source, rows, started)

    def _records(self) -> Iterator[pa.RecordBatch]:
        assert not isinstance(self._reader, ColumnarReader)
        pieces_of_all = _pieces(self._sources, self._session.storage, self._compression)
        self._prefetch = Prefetch(pieces_of_all, _AHEAD, self._session.check_cancelled)
        for index, group in itertools.groupby(self._prefetch, key=itemgetter(0)):
            source, started, lines = self._sources[index], _now(), 0
            pieces = self._passed(group)
            for batch in self._reader.read(pieces, self._max_errors):
                lines = batch.lines
                yield batch.rows
                self._refuse(str(source.url), batch.faults)
                if self.errors >= self._max_errors:
                    # Damage in a compressed file shows as nonsense first, and as damage at its end.
                    if self._compression is not None:
                        collections.deque(pieces, maxlen=0)
                    raise TooManyErrors
            self._finished(source, lines, started)

    def _passed(self, group: Iterator[tuple[int, bytes, int]]) -> Iterator[bytes]:
        """The pieces of one file, with progress. Only the first few bytes of a load are read without kernels."""
        for _, piece, done_bytes in group:
            self._session.check_cancelled()
            self._passed_bytes += len(piece)
            if self._passed_bytes > kernels.FEW_BYTES:
                kernels.wait("loading", self._session.check_cancelled)
            self._session.progress(done_bytes, self._total_bytes)
            yield piece

    def _refuse(self, name: str, faults: list[Fault]) -> None:
        self.errors += len(faults)
        self.faults += [(name, fault) for fault in faults[: MOST_ERRORS - len(self.faults)]]

    def _finished(self, source: SourceFile, lines: int, started: datetime) -> None:
        self.files.append(LoadedFile(str(source.url), source.size_bytes, lines, started, _now()))


def _pieces(
    sources: Sequence[SourceFile], storage: Storage, compression: Compression | None
) -> Generator[tuple[int, bytes, int]]:
    """The decompressed bytes of all files: the file's number, a piece, and how much of all files has been read.

    Every file has at least one piece, perhaps an empty one.
    """
    before = 0
    for index, source in enumerate(sources):
        yield index, b"", before
        with storage.local_file(source.url) as path, path.open("rb") as file:
            name = str(source.url)
            for piece in chunks(file) if compression is None else decompress(file, compression, name=name):
                yield index, piece, before + file.tell()
        before += source.size_bytes


def grouped(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly a row group, or fewer when they are large.

    DuckDB writes such batches as they come; smaller or larger ones it copies together first, which costs more than
    putting them together here.
    """
    held: list[pa.RecordBatch] = []
    rows = size_bytes = 0
    for batch in batches:
        while rows + batch.num_rows >= _GROUP_ROWS:
            # Only the part of one batch is carried on: it keeps that batch's texts in memory, and no others.
            held.append(batch.slice(0, _GROUP_ROWS - rows))
            batch = batch.slice(_GROUP_ROWS - rows)
            yield _joined(held)
            held, rows, size_bytes = [], 0, 0
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
            size_bytes += batch.get_total_buffer_size()
        if size_bytes >= _GROUP_BYTES:
            yield _joined(held)
            held, rows, size_bytes = [], 0, 0
    if held:
        yield _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    import pyarrow as pa

    (joined,) = pa.Table.from_batches(batches).combine_chunks().to_batches()
    return joined


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
