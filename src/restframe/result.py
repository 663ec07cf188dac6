"""What a statement answers: a schema, Arrow batches that arrive as they are read, a command tag and notices."""

from __future__ import annotations

import errno
import itertools
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import lru_cache
from pathlib import Path
from types import GeneratorType
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.types import SqlType

if TYPE_CHECKING:
    import pandas
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Column:
    """origin : of a column that is a table's or view's own, that relation's number and the place in it, from 1"""

    name: str
    type: SqlType
    origin: tuple[int, int] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know that is no error: an option accepted without effect, rows skipped.

    severity : NOTICE, INFO or WARNING
    sqlstate : None for the usual of the severity
    """

    message: str
    severity: str = "NOTICE"
    hint: str | None = None
    sqlstate: str | None = None


@dataclass(slots=True)
class Statistics:
    """Times in seconds; `rows` counts rows returned, or rows changed by a command."""

    plan_s: float = 0.0
    run_s: float = 0.0
    rows: int = 0


@dataclass(slots=True)
class Result:
    """One statement's answer. Rows can be read once, in order, by whichever method suits.

    columns : empty for a statement that returns no rows
    command : the first words of the tag: `SELECT`, `COPY`, `CREATE TABLE`
    row_count : rows returned so far, or rows changed; None when the statement counts nothing
    complete : whether all its rows are in memory, so that nothing waits for them to be read

    A Result that is read slowly streams: at most a few batches are in memory. When its session runs the next
    statement first, what has not been read waits in the spool.
    """

    columns: tuple[Column, ...] = ()
    command: str = ""
    row_count: int | None = None
    notices: list[Notice] = field(default_factory=list)
    statistics: Statistics = field(default_factory=Statistics)
    complete: bool = False
    _batches: Iterator[pa.RecordBatch] | None = None
    _on_close: Callable[[], None] | None = None
    _given_up: bool = False

    @classmethod
    def of_rows(
        cls, columns: Sequence[tuple[str, SqlType]], rows: Iterable[Sequence[Any]], command: str = "SELECT"
    ) -> Result:
        """A small result made of Python rows."""
        import pyarrow as pa

        listed = list(rows)
        names = [name for name, _ in columns]
        arrays = [pa.array([row[i] for row in listed], type=type_.arrow_type) for i, (_, type_) in enumerate(columns)]
        batch = pa.RecordBatch.from_arrays(arrays, names=names)
        described = tuple(Column(name, type_) for name, type_ in columns)
        return cls(described, command, complete=True, _batches=iter((batch,)))

    @property
    def returns_rows(self) -> bool:
        return bool(self.columns)

    @property
    def tag(self) -> str:
        """The command tag as PostgreSQL words it: `SELECT 3`, `INSERT 0 2`, `CREATE TABLE`."""
        if self.row_count is None:
            return self.command
        return f"INSERT 0 {self.row_count}" if self.command == "INSERT" else f"{self.command} {self.row_count}"

    @property
    def arrow_schema(self) -> pa.Schema:
        return _arrow_schema(self.columns)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The rows, batch by batch, in columns of `arrow_schema`'s types."""
        if not self.returns_rows:
            raise errors.InterfaceError(f"{self.command or 'the statement'} returns no rows")
        schema = self.arrow_schema
        while self._batches is not None:
            try:
                batch = next(self._batches, None)
            except BaseException:
                self.close()
                raise
            if batch is None:
                self._batches = None
                self._finish()
                return
            for part in _padded(_conform(batch, self.columns, schema), self.columns):
                self.row_count = (self.row_count or 0) + part.num_rows
                self.statistics.rows = self.row_count
                yield part
        if self._given_up:
            raise errors.InterfaceError("the result was closed before its last row was read")

    def to_arrow(self) -> pa.Table:
        """All remaining rows as one table."""
        import pyarrow as pa

        return pa.Table.from_batches(self.batches(), schema=self.arrow_schema)

    def to_pandas(self) -> pandas.DataFrame:
        """All remaining rows as a data frame; needs pandas."""
        return self.to_arrow().to_pandas()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for batch in self.batches():
            yield from python_rows(batch, self.columns)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All remaining rows as tuples of Python values."""
        return list(self)

    def scalar(self) -> Any:
        """The first value of the first row; None when there is no row."""
        row = next(iter(self), None)
        self.close()
        return None if row is None else row[0]

    @property
    def streams(self) -> bool:
        """Whether rows are still to be read."""
        return self._batches is not None

    def when_closed(self, action: Callable[[], None]) -> None:
        """Do something once the last row is read or given up."""
        self._on_close = action

    def buffer(self, directory: Path) -> errors.Error | None:
        """Move what is left out of the engine, so that the session is free for its next statement.

        A few batches stay in memory; more than that waits in a file in `directory`, which no name leads to.
        Returns the error when what is left cannot be read; it is raised where the next batch would come.
        """
        if self._batches is None:
            return None
        failure = None
        try:
            held = list(itertools.islice(self._batches, _BATCHES_IN_MEMORY))
            spooled = _spool(self._batches, directory) if len(held) == _BATCHES_IN_MEMORY else iter(())
            self._batches = itertools.chain(held, spooled)
        except errors.Error as error:
            failure = error
            _end(self._batches)
            self._batches = map(_raise, (error,))
        self._finish()
        return failure

    def close(self) -> None:
        """Give up the remaining rows and free what holds them."""
        batches, self._batches = self._batches, None
        self._given_up |= batches is not None
        _end(batches)
        self._finish()

    def _finish(self) -> None:
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> Result:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@lru_cache(maxsize=256)
def _arrow_schema(columns: tuple[Column, ...]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([pa.field(column.name, column.type.arrow_type) for column in columns])


def python_rows(batch: pa.RecordBatch, columns: Sequence[Column]) -> list[tuple[Any, ...]]:
    """A batch as tuples of Python values. InvalidDatetime for a time outside the years that Python knows."""
    try:
        return list(zip(*map(_python_values, batch.columns, columns), strict=True))
    except (OverflowError, ValueError) as error:
        raise errors.InvalidDatetime(
            "a date or time lies outside the years 1 to 9999, which are all that Python knows",
            hint="Read the result as Arrow, or cast the column to varchar.",
        ) from error


def _python_values(values: pa.Array, column: Column) -> list[Any]:
    found: list[Any] = values.to_pylist()
    if column.type.name == "timetz":
        return [None if value is None else value.replace(tzinfo=UTC) for value in found]
    return found


# Above this a result that has to wait goes to disk; a batch has up to 65,536 rows.
_BATCHES_IN_MEMORY = 16


def _end(batches: Iterator[pa.RecordBatch] | None) -> None:
    """An error's traceback may keep a generator alive, and with it what it holds of the engine."""
    if isinstance(batches, GeneratorType) and not batches.gi_running:
        batches.close()


def _raise(error: errors.Error) -> pa.RecordBatch:
    raise error


def _spool(batches: Iterator[pa.RecordBatch], directory: Path) -> Iterator[pa.RecordBatch]:
    first = next(batches, None)
    if first is None:
        return iter(())
    try:
        return _written(itertools.chain((first,), batches), first.schema, directory)
    except OSError as error:
        kind = errors.DiskFull if error.errno == errno.ENOSPC else errors.OperationalError
        raise kind(f"the result cannot be kept: {os.strerror(error.errno or errno.EIO)}") from error


def _written(batches: Iterator[pa.RecordBatch], schema: pa.Schema, directory: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    handle, name = tempfile.mkstemp(dir=directory)
    os.close(handle)
    try:
        with pa.OSFile(name, "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        return iter(pa.ipc.open_stream(pa.OSFile(name, "rb")))
    finally:
        Path(name).unlink()  # what is open stays readable until it is closed


def _conform(batch: pa.RecordBatch, columns: Sequence[Column], schema: pa.Schema) -> pa.RecordBatch:
    """The batch in exactly the announced types; engines may choose wider ones while they run."""
    import pyarrow as pa

    if batch.schema.equals(schema):
        return batch
    arrays = [_as_announced(array, column) for array, column in zip(batch.columns, columns, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _as_announced(values: pa.Array, column: Column) -> pa.Array:
    """A column's values in its type. NumericValueOutOfRange, for decimals with more digits behind the point too."""
    import pyarrow as pa

    type_ = column.type
    try:
        return values.cast(type_.arrow_type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise errors.NumericValueOutOfRange(
            "numeric field overflow" if type_.name == "numeric" else f"{type_} out of range",
            detail=f'A value of column "{column.name[:100]}" does not fit {type_}.',
        ) from error


def _padded(batch: pa.RecordBatch, columns: Sequence[Column]) -> Iterator[pa.RecordBatch]:
    """The rows with their CHAR values filled up with blanks, in parts when blanks make much of them.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
    """
    lengths = [column.type.length if column.type.name == "bpchar" else None for column in columns]
    width = sum(length or 0 for length in lengths)
    if not width:
        yield batch
        return
    import pyarrow.compute as pc

    rows = max(1, _PADDED_BYTES // width)
    for start in range(0, max(batch.num_rows, 1), rows):
        part = batch.slice(start, rows)
        for place, length in enumerate(lengths):
            if length:
                part = part.set_column(place, batch.schema.field(place), pc.ascii_rpad(part.column(place), length))
        yield part


_PADDED_BYTES = 16 << 20  # of CHAR values in one batch
