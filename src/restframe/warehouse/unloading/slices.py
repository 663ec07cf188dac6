"""Rows dealt out to objects: by partition, evenly to the slices, and cut at the largest size."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from restframe.sql.statements.unload import Unload
from restframe.storage import ObjectUrl, Publication
from restframe.storage.objects import translated

if TYPE_CHECKING:
    import pyarrow as pa

SLICES = 2  # readers of unloaded files count on more than one
_DEALT_SINGLY = 1 << 16  # rows


class Part(Protocol):
    """A file being written; `write` returns the row it could not take any more, or `stop`."""

    rows: int

    def write(self, rows: Any, start: int, stop: int) -> int: ...

    def close(self) -> None:
        """Complete the file."""
        ...

    def abandon(self) -> None:
        """Leave the file as it is, to be thrown away."""
        ...


@dataclass(frozen=True, slots=True)
class Layout:
    """What a format asks of the engine and makes of the answer.

    values : expressions over the query's columns, which are called c0, c1, ...
    parameters : of the expressions
    rows_of : a batch of these values as Part.write takes it
    batch_rows : how many rows the engine is to compute at once; for text, a few of 64 KB must not hurt
    """

    values: tuple[str, ...]
    new_part: Callable[[Path], Part]
    rows_of: Callable[[pa.RecordBatch], Any]
    parameters: Mapping[str, str] = field(default_factory=dict)
    batch_rows: int = 2048


@dataclass(frozen=True, slots=True)
class Written:
    """An object that is ready; `lines` counts its rows and its header."""

    url: ObjectUrl
    size_bytes: int
    lines: int


@dataclass(slots=True)
class Output:
    """Where an UNLOAD's rows go; `base` is what every key begins with."""

    statement: Unload
    base: ObjectUrl
    publication: Publication
    layout: Layout
    written: list[Written] = field(default_factory=list)

    def url(self, folder: str, slice_number: int, part_number: int) -> ObjectUrl:
        """`<base>[<folder>]0000_part_00[.gz]`, or `<base>[<folder>]000[.gz]` of a serial unload."""
        name = f"{slice_number:04d}_part_{part_number:02d}" if self.statement.parallel else f"{part_number:03d}"
        return self.base.child(f"{folder}{name}{extension(self.statement)}")


def extension(statement: Unload) -> str:
    if statement.extension is not None:
        return "." + statement.extension.removeprefix(".")
    if statement.format == "parquet":
        return ".parquet"
    return {"gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst", None: ""}[statement.compression]


class Slices:
    """The slices of one folder, which get the same number of rows, give or take one.

    Each gets rows of the whole result, in order. Of a small one that is every other row, by the sequence of Thue and
    Morse, 0 1 1 0 1 0 0 1 ...: by turns, a result of pairs (two vendors each hour) would have the first of all pairs in
    one slice and the second in the other. Of a large one it is every other thousand or so, which needs no copies.
    """

    def __init__(self, output: Output, folder: str) -> None:
        self._dealt = 0
        self._rows_of = output.layout.rows_of
        count = SLICES if output.statement.parallel else 1
        self._slices = [_Slice(output, folder, number) for number in range(count)]

    def write(self, batch: pa.RecordBatch) -> None:
        pieces = [batch] if len(self._slices) == 1 else self._deal(batch)
        for one, piece in zip(self._slices, pieces, strict=True):
            if piece.num_rows:
                one.write(self._rows_of(piece), 0, piece.num_rows)

    def _deal(self, batch: pa.RecordBatch) -> list[pa.RecordBatch]:
        import pyarrow as pa

        first, self._dealt = self._dealt, self._dealt + batch.num_rows
        if first >= _DEALT_SINGLY:
            half = (self._dealt + 1) // 2 - self._slices[0].rows
            return [batch.slice(0, half), batch.slice(half)]
        turns = np.bitwise_count(np.arange(first, self._dealt)) % 2
        return [batch.take(pa.array(np.flatnonzero(turns == number))) for number in range(SLICES)]

    def close(self) -> None:
        for one in self._slices:
            one.finish()

    def abandon(self) -> None:
        for one in self._slices:
            one.abandon()


class _Slice:
    """One slice's files, one after another; none as long as it has no rows."""

    def __init__(self, output: Output, folder: str, number: int) -> None:
        self.rows = 0
        self._output = output
        self._folder = folder
        self._number = number
        self._parts = 0
        self._open: tuple[ObjectUrl, Path, Part] | None = None

    def write(self, rows: Any, start: int, stop: int) -> None:
        while start < stop:
            url, _, part = self._open or self._next()
            with translated(url):
                reached = part.write(rows, start, stop)
            self.rows += reached - start
            start = reached
            if start < stop:
                self.finish()

    def _next(self) -> tuple[ObjectUrl, Path, Part]:
        url = self._output.url(self._folder, self._number, self._parts)
        path = self._output.publication.stage(url)
        with translated(url):
            self._open = (url, path, self._output.layout.new_part(path))
        self._parts += 1
        return self._open

    def finish(self) -> None:
        """Complete the file that is being written."""
        if self._open is None:
            return
        url, path, part = self._open
        self._open = None
        with translated(url):
            part.close()
            size_bytes = path.stat().st_size
        self._output.written.append(Written(url, size_bytes, part.rows + self._output.statement.header))

    def abandon(self) -> None:
        if self._open is not None:
            self._open[2].abandon()


# Partitions


def runs(keys: pa.Array) -> Iterator[tuple[str, int, int]]:
    """(key, start, stop) of every stretch of equal keys."""
    import pyarrow.compute as pc

    encoded = pc.run_end_encode(keys)
    start = 0
    for key, stop in zip(encoded.values.to_pylist(), encoded.run_ends.to_pylist(), strict=True):
        yield key, start, stop
        start = stop


def folder_of(statement: Unload, key: str) -> str:
    """`year=2019/month=September/` for a JSON list of the partition's values, named as Hive names folders."""
    values: list[str | None] = json.loads(key)
    return "".join(
        f"{column.name}={_UNSAFE.sub(_escape, value) if value else '__HIVE_DEFAULT_PARTITION__'}/"
        for column, value in zip(statement.partition_by, values, strict=True)
    )


_UNSAFE = re.compile(r"""[\x00-\x1f"#%'*/:=?\\\x7f{\[\]^]""")


def _escape(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"
