"""A file's rows, sorted into partitions on disk, so that any number of rows passes through bounded memory."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from restframe_epidemic.pipeline.pieces import only, piece_of
from restframe_epidemic.sources import Source

_HELD_BYTES = 48 << 20
_UNITS = {"day": "D", "month": "M", "year": "Y"}


class Spill:
    """Rows go in by block and come out by partition. What is on disk ends with the context.

    most : into how many pieces a partition can be cut, a power of two
    """

    def __init__(self, source: Source, directory: Path, most: int = 1) -> None:
        self.most = most
        self._source = source
        self._directory = directory
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        # Of each batch in the file: day of its partition * most + piece, offset, length. There may be a million.
        self._batches: list[NDArray[np.int64]] = []
        self._index = np.zeros((0, 3), dtype=np.int64)
        self._bytes: dict[str, int] = {}
        self._schema = pa.schema([])
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        self._path = directory / "rows.arrow"
        self._file = pa.OSFile(str(self._path), "wb")
        self._writer: pa.RecordBatchStreamWriter | None = None

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def add(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._held_bytes += rows.nbytes
        if self._held_bytes > _HELD_BYTES:
            self._write()

    def partitions(self) -> list[str]:
        """Their dates, in order. Nothing may be added afterwards."""
        self._write()
        every = np.concatenate([self._index, *self._batches])
        self._index, self._batches = every[np.argsort(every[:, 0], kind="stable")], []
        self._file.close()
        self._file = pa.OSFile(str(self._path), "rb")
        return sorted(self._bytes)

    def size_bytes(self, partition: str) -> int:
        return self._bytes[partition]

    def rows(self, partition: str, piece: int = 0, pieces: int = 1) -> pa.Table:
        """One partition's, or one piece of them, in the order in which they came. In any thread."""
        step = min(pieces, self.most)
        place = int(np.datetime64(partition, "D").astype(np.int64)) * self.most
        start, end = np.searchsorted(self._index[:, 0], [place, place + self.most])
        mine = self._index[start:end]
        mine = mine[mine[:, 0] % step == piece % step]
        batches = [
            pa.ipc.read_record_batch(pa.py_buffer(self._file.read_at(length, offset)), self._schema)
            for _, offset, length in mine[np.argsort(mine[:, 1])].tolist()
        ]
        rows = pa.Table.from_batches(batches, self._schema)
        return only(self._source, rows, piece, pieces) if pieces > self.most else rows

    def _write(self) -> None:
        if not self._held:
            return
        table = pa.concat_tables(self._held).combine_chunks()
        self._held, self._held_bytes = [], 0
        if table.num_rows == 0:
            return
        writer = self._writer or self._begin(table.schema)
        place = self._days(table) * self.most + piece_of(self._source, table, self.most).astype(np.int64)
        first = int(place.min())
        place -= first
        if (np.diff(place) < 0).any():
            # numbers of 16 bits are sorted in a tenth of the time
            order = np.argsort(place.astype(np.uint16) if place.max() < 1 << 16 else place, kind="stable")
            table, place = table.take(pa.array(order)), place[order]
        starts = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]))
        index = np.empty((len(starts), 3), dtype=np.int64)
        for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(place)], strict=True)):
            (batch,) = table.slice(start, end - start).to_batches()
            offset = self._file.tell()
            writer.write_batch(batch)
            index[number] = place[start] + first, offset, self._file.tell() - offset
            date = str(np.datetime64(int(place[start] + first) // self.most, "D"))
            self._bytes[date] = self._bytes.get(date, 0) + batch.nbytes
        self._batches.append(index)

    def _begin(self, schema: pa.Schema) -> pa.RecordBatchStreamWriter:
        """With an empty batch: before its first one a writer puts the schema, which is none of a partition's."""
        self._schema = schema
        self._writer = pa.ipc.new_stream(self._file, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
        self._writer.write_batch(pa.RecordBatch.from_pylist([], schema))
        return self._writer

    def _days(self, table: pa.Table) -> NDArray[np.int64]:
        """The first day of each row's partition, counted from 1970."""
        if self._source.date is None:
            return np.full(table.num_rows, np.datetime64(self._source.vintage, "D").astype(np.int64))
        days = table.column(self._source.date).cast(pa.int32()).to_numpy()
        first = int(days.min())
        every = np.arange(first, int(days.max()) + 1).astype("datetime64[D]")
        starts = every.astype(f"datetime64[{_UNITS[self._source.partition]}]").astype("datetime64[D]").astype(np.int64)
        return np.asarray(starts[days - first])


def end_of(source: Source, partition: str) -> str:
    """The day after a partition's last."""
    first = np.array([partition], dtype=f"datetime64[{_UNITS[source.partition]}]")
    return str((first + 1).astype("datetime64[D]")[0])


def codes(columns: list[pa.Array]) -> NDArray[np.int64]:
    """Numbers that are equal where the rows of some columns are."""
    result = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        encoded = pc.dictionary_encode(column, null_encoding="encode")
        size = len(encoded.dictionary)
        if size <= 1:
            continue
        if int(result.max(initial=0)) > (1 << 62) // size:
            result = np.unique(result, return_inverse=True)[1].astype(np.int64)
        result = result * size + encoded.indices.to_numpy(zero_copy_only=False)
    return result
