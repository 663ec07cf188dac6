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

from restframe_epidemic.sources import Source

_HELD_BYTES = 96 << 20
_UNITS = {"day": "D", "month": "M", "year": "Y"}


class Spill:
    """Rows go in by block and come out by partition. What is on disk ends with the context."""

    def __init__(self, source: Source, directory: Path) -> None:
        self._source = source
        self._directory = directory
        self._held: list[pa.Table] = []
        self._held_bytes = 0
        self._where: dict[str, list[tuple[int, int]]] = {}  # partition -> file and batch
        self._files = 0
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

    def rows(self, partition: str) -> pa.Table:
        """One partition's, in the order in which they came."""

        def batches() -> Iterator[pa.RecordBatch]:
            for file, batch in self._where[partition]:
                with pa.ipc.open_file(pa.memory_map(str(self._path(file)))) as reader:
                    yield reader.get_batch(batch)

        return pa.Table.from_batches(list(batches()))

    def _path(self, file: int) -> Path:
        return self._directory / f"{file:06}.arrow"

    def _write(self) -> None:
        if not self._held:
            return
        table = pa.concat_tables(self._held).combine_chunks()
        self._held, self._held_bytes = [], 0
        if table.num_rows == 0:
            return
        days = self._days(table)
        if (np.diff(days) < 0).any():
            order = np.argsort(days, kind="stable")
            table, days = table.take(pa.array(order)), days[order]
        starts = np.flatnonzero(np.concatenate([[True], days[1:] != days[:-1]]))
        with pa.ipc.new_file(
            self._path(self._files), table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")
        ) as out:
            for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(days)], strict=True)):
                (batch,) = table.slice(start, end - start).combine_chunks().to_batches()
                out.write_batch(batch)
                self._where.setdefault(str(days[start].astype("datetime64[D]")), []).append((self._files, number))
        self._files += 1

    def _days(self, table: pa.Table) -> NDArray[np.datetime64]:
        """The first day of each row's partition."""
        if self._source.date is None:
            return np.full(table.num_rows, np.datetime64(self._source.vintage, "D"))
        dates = table.column(self._source.date).combine_chunks().to_numpy(zero_copy_only=False)
        days: NDArray[np.datetime64] = dates.astype(f"datetime64[{_UNITS[self._source.partition]}]")
        return days


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
