"""The rows of one raw file, whatever its form, in blocks: columns by their name in the table, and lines."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from restframe_epidemic import errors
from restframe_epidemic.pipeline import delimited
from restframe_epidemic.pipeline.streams import Progress, RawFile, sha256
from restframe_epidemic.sources import Source

_PARQUET_ROWS = 1 << 16
_WIDE_CELLS = 1 << 20


@dataclass(frozen=True, slots=True)
class Rows:
    """
    columns : by name in the table, in the types of the file
    line : (n,) in the file, from 1; in Parquet the row's number
    malformed : lines that are no rows, and their text
    """

    columns: dict[str, pa.Array]
    line: NDArray[np.int64]
    malformed: list[tuple[int, str]] = field(default_factory=list)


class Raw:
    """One raw file of a source.

    sha256 : of its bytes, once `parts` has ended
    """

    def __init__(self, source: Source, path: Path, name: str, progress: Progress) -> None:
        self._source = source
        self._path = path
        self._progress = progress
        self.name = name
        self.sha256 = ""

    def parts(self) -> Generator[Callable[[], Iterator[Rows]], None, None]:
        """All rows, in parts that may each be read in any thread. SchemaDrift when the columns are others than the
        declared ones, DataError when the file is damaged.
        """
        if self._source.format == "parquet":
            yield from self._parquet()
            return
        file = RawFile(self._path, self.name, self._progress)
        for read in delimited.read(self._source, file):
            yield partial(self._delimited, read)
        self.sha256 = file.sha256

    def _delimited(self, read: Callable[[], delimited.Rows]) -> Iterator[Rows]:
        block = read()
        return self._long(block.columns, block.line, block.malformed)

    def _parquet(self) -> Iterator[Callable[[], Iterator[Rows]]]:
        self.sha256 = sha256(self._path, self._progress)
        try:
            with pq.ParquetFile(self._path) as file:
                delimited.check_header(self._source, self.name, file.schema_arrow.names)
                wide = file.schema_arrow.names[len(self._source.header) :] if self._source.wide else []
                wanted = [column.header for column in self._source.columns] + wide
                line = 1
                for batch in file.iter_batches(_PARQUET_ROWS, columns=wanted):
                    numbers = np.arange(line, line + batch.num_rows, dtype=np.int64)
                    line += batch.num_rows
                    yield partial(self._long, pa.Table.from_batches([batch]), numbers, [])
        except (pa.ArrowException, OSError) as error:
            raise errors.DataError(
                f"{self.name}: the Parquet file is damaged or ends early ({str(error)[:100]})",
                hint="Nothing of the file was loaded. Fetch it again.",
            ) from error

    def _long(self, table: pa.Table, line: NDArray[np.int64], malformed: list[tuple[int, str]]) -> Iterator[Rows]:
        """A wide table's rows, one per column with a value; others as they are."""
        fixed = {column.name: table.column(column.header).combine_chunks() for column in self._source.columns}
        if self._source.wide is None:
            yield Rows(fixed, line, malformed)
            return
        wide = table.column_names[len(fixed) :]
        step = max(_WIDE_CELLS // max(len(line), 1), 1)
        for at in range(0, len(wide), step):
            names = wide[at : at + step]
            arrays = [table.column(name).combine_chunks() for name in names]
            kind = arrays[0].type if all(array.type == arrays[0].type for array in arrays) else pa.string()
            cells = pa.concat_arrays([array.cast(kind) for array in arrays])
            repeated = {name: pa.concat_arrays([array] * len(names)) for name, array in fixed.items()}
            repeated[self._source.wide.column.name] = pa.array(np.repeat(np.array(names, dtype=object), len(line)))
            repeated[self._source.wide.value.name] = cells
            present = cells.is_valid()
            columns = {name: array.filter(present) for name, array in repeated.items()}
            numbers = np.tile(line, len(names))[present.to_numpy(zero_copy_only=False)]
            yield Rows(columns, numbers, malformed if at == 0 else [])
