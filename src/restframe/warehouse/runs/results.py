"""The rows that runs have answered: small ones lie in the journal, larger ones as Arrow files beside it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restframe import errors
from restframe.result import Column, Result
from restframe.types import SqlType
from restframe.warehouse.runs.faults import ResultTooLarge

if TYPE_CHECKING:
    import pyarrow as pa

# A result up to this many bytes is written with the run's end, in one commit.
_IN_THE_JOURNAL_BYTES = 65_536

# Reading on in the middle of a result reads one batch, so batches are not large, neither in rows nor in bytes.
_BATCH_ROWS = 16_384
_BATCH_BYTES = 4 << 20

# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api-troubleshooting.html
_LARGEST_ROW_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class StoredRows:
    """A result as the journal keeps it.

    types : the columns, as JSON
    count : of rows
    content : an Arrow file, or None when it lies in a file of its own
    """

    types: str
    count: int
    content: bytes | None


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A result to be read, in whole or from some place on. Its batches have at most 16,384 rows, and about 4 MB."""

    columns: tuple[Column, ...]
    count: int
    _source: bytes | Path

    @contextlib.contextmanager
    def open(self) -> Iterator[pa.RecordBatchFileReader]:
        import pyarrow as pa

        with (
            pa.memory_map(str(self._source))
            if isinstance(self._source, Path)
            else pa.BufferReader(self._source) as source,
            pa.ipc.open_file(source) as reader,
        ):
            yield reader


class Results:
    """The directory with the larger ones.

    largest_bytes : that one result may have, compressed
    """

    def __init__(self, directory: Path, largest_bytes: int) -> None:
        self._directory = directory
        self._largest_bytes = largest_bytes
        directory.mkdir(exist_ok=True)

    def store(self, result: Result, run_id: str, part: int) -> tuple[StoredRows, int]:
        """Read a result to its end and keep it; its size in memory is returned with it.

        When this returns, a file is on the disk; it is found once the run's end is in the journal. ResultTooLarge,
        and what reading the result raises.
        """
        import pyarrow as pa

        file = self._path(run_id, part)
        held: list[pa.RecordBatch] = []
        size = 0
        batches = _checked(result)
        for batch in batches:
            held.append(batch)
            size += batch.nbytes
            if size > _IN_THE_JOURNAL_BYTES:
                size += self._write_file(file, result.arrow_schema, held, batches)
                return StoredRows(_types_to_json(result.columns), result.row_count or 0, None), size
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, result.arrow_schema) as writer:
            for batch in held:
                writer.write_batch(batch)
        content = sink.getvalue().to_pybytes()
        return StoredRows(_types_to_json(result.columns), result.row_count or 0, content), size

    def _write_file(
        self, file: Path, schema: pa.Schema, held: Sequence[pa.RecordBatch], batches: Iterator[pa.RecordBatch]
    ) -> int:
        """Write batches and return the size of those that are not held."""
        import pyarrow as pa

        size = 0
        try:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, schema, options=options) as writer:
                for batch in held:
                    self._write(writer, sink, batch)
                for batch in batches:
                    size += batch.nbytes
                    self._write(writer, sink, batch)
            _sync(file)
            _sync(file.parent)
        except OSError as error:
            file.unlink(missing_ok=True)
            raise errors.DiskFull(f"the result cannot be kept: {os.strerror(error.errno or 0)}") from error
        except BaseException:
            file.unlink(missing_ok=True)
            raise
        return size

    def _write(self, writer: pa.RecordBatchFileWriter, sink: pa.OSFile, batch: pa.RecordBatch) -> None:
        step = _rows_at_once(batch)
        for start in range(0, batch.num_rows, step):
            writer.write_batch(batch.slice(start, step))
            if sink.tell() > self._largest_bytes:
                raise ResultTooLarge(
                    "Database response exceeded size limit", hint="Use LIMIT, or UNLOAD the result to files."
                )

    def open(self, rows: StoredRows, run_id: str, part: int) -> StoredResult:
        source = self._path(run_id, part) if rows.content is None else rows.content
        return StoredResult(_types_from_json(rows.types), rows.count, source)

    def files(self) -> set[tuple[str, int]]:
        """The results (run, part) that lie in files, whether anybody knows of them or not."""
        found = set()
        for file in self._directory.glob("*.arrow"):
            run_id, _, part = file.stem.rpartition("-")
            found.add((run_id, int(part) if part.isdecimal() else -1))
        return found

    def remove(self, results: set[tuple[str, int]]) -> None:
        for run_id, part in results:
            self._path(run_id, part).unlink(missing_ok=True)

    def _path(self, run_id: str, part: int) -> Path:
        return self._directory / f"{run_id}-{part}.arrow"


def _rows_at_once(batch: pa.RecordBatch) -> int:
    rows: int = _BATCH_BYTES * batch.num_rows // max(1, batch.nbytes)
    return max(1, min(_BATCH_ROWS, rows))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _checked(result: Result) -> Iterator[pa.RecordBatch]:
    for batch in result.batches():
        if batch.nbytes > _LARGEST_ROW_BYTES:
            _check_rows(batch)
        yield batch


def _check_rows(batch: pa.RecordBatch) -> None:
    """ResultTooLarge when one of the rows is too long. Values of fixed width count for eight bytes each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [column for column in batch.columns if pa.types.is_string(column.type) or pa.types.is_binary(column.type)]
    if not texts:
        return
    size = pa.scalar(8 * (batch.num_columns - len(texts)), pa.int64())
    for column in texts:
        size = pc.add(size, pc.fill_null(pc.binary_length(column), 0))
    longest = pc.max(size).as_py()
    if longest is not None and longest > _LARGEST_ROW_BYTES:
        raise ResultTooLarge(
            f"Packet for query is too large ({longest} > {_LARGEST_ROW_BYTES}): one row of the result is longer than "
            "64 KB"
        )


def _types_to_json(columns: Sequence[Column]) -> str:
    return json.dumps(
        [[column.name, *(getattr(column.type, name) for name in SqlType.__slots__)] for column in columns]
    )


def _types_from_json(text: str) -> tuple[Column, ...]:
    return tuple(Column(name, SqlType(*type_)) for name, *type_ in json.loads(text))
