"""A file's rows, sorted into partitions on disk, so that any number of rows passes through bounded memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
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
        self._where: dict[str, list[tuple[int, int, int]]] = {}  # partition -> piece of `most`, file, batch
        self._bytes: dict[str, int] = {}
        self._files = 0
        self._schema = pa.schema([])
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)

    def __enter__(self) -> Spill:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def add(self, rows: pa.Table) -> None:
        self._held.append(rows)
        self._held_bytes += rows.nbytes
        if self._held_bytes > _HELD_BYTES:
            self._write()

    def partitions(self) -> list[str]:
        """Their dates, in order. Nothing may be added afterwards."""
        self._write()
        return sorted(self._where)

    def size_bytes(self, partition: str) -> int:
        return self._bytes[partition]

    def rows(self, partition: str, piece: int = 0, pieces: int = 1) -> pa.Table:
        """One partition's, or one piece of them, in the order in which they came."""
        step = min(pieces, self.most)

        def batches() -> Iterator[pa.RecordBatch]:
            for part, file, batch in self._where[partition]:
                if part % step == piece % step:
                    with pa.ipc.open_file(pa.memory_map(str(self._path(file)))) as reader:
                        yield reader.get_batch(batch)

        rows = pa.Table.from_batches(list(batches()), self._schema)
        return only(self._source, rows, piece, pieces) if pieces > self.most else rows

    def _path(self, file: int) -> Path:
        return self._directory / f"{file:06}.arrow"

    def _write(self) -> None:
        if not self._held:
            return
        table = pa.concat_tables(self._held).combine_chunks()
        self._held, self._held_bytes = [], 0
        if table.num_rows == 0:
            return
        self._schema = table.schema
        days = self._days(table)
        place = days * self.most + piece_of(self._source, table, self.most).astype(np.int64)
        first = int(place.min())
        place -= first
        if (np.diff(place) < 0).any():
            # numbers of 16 bits are sorted in a tenth of the time
            order = np.argsort(place.astype(np.uint16) if place.max() < 1 << 16 else place, kind="stable")
            table, days, place = table.take(pa.array(order)), days[order], place[order]
        starts = np.flatnonzero(np.concatenate([[True], place[1:] != place[:-1]]))
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        with pa.ipc.new_file(self._path(self._files), table.schema, options=options) as out:
            for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(place)], strict=True)):
                (batch,) = table.slice(start, end - start).combine_chunks().to_batches()
                out.write_batch(batch)
                date = str(np.datetime64(int(days[start]), "D"))
                piece = int((place[start] + first) % self.most)
                self._where.setdefault(date, []).append((piece, self._files, number))
                self._bytes[date] = self._bytes.get(date, 0) + batch.nbytes
        self._files += 1

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
