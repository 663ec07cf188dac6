"""What the warehouse asks of an engine. `duckdb.py` is the embedded one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from restframe.types import SqlType

if TYPE_CHECKING:
    import pyarrow as pa

Parameters = Sequence[Any] | Mapping[str, Any]

# Rows of one Arrow batch of a result: large enough to be quick, small enough that a batch of wide rows fits anywhere.
BATCH_ROWS = 65_536

# Columns in, column out; each call sees some of a statement's rows, on any thread.
ArrowFunction = Callable[..., "pa.Array"]


@dataclass(frozen=True, slots=True)
class Stream:
    """Rows on their way out of the engine: names, types, and Arrow batches that are computed as they are read.

    complete : whether the rows are here already, and the engine is free for another statement
    """

    names: tuple[str, ...]
    types: tuple[SqlType, ...]
    batches: Generator[pa.RecordBatch]
    complete: bool = False


class Connection(Protocol):
    """One client's view of the data: its transaction and its temporary tables. One statement at a time."""

    def run(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """All rows of a small statement; the count of changed rows for INSERT, UPDATE and DELETE."""
        ...

    def stream(
        self, sql: str, parameters: Parameters = (), batch_rows: int = BATCH_ROWS, *, few: bool = False
    ) -> Stream:
        """A query's rows, computed as they are read; at most `batch_rows` of them are in one batch.

        few : whether a handful is expected; right or wrong, the rows are the same, and only slower when it was wrong
        """
        ...

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    @property
    def in_transaction(self) -> bool: ...

    def interrupt(self) -> None:
        """Stop the running statement with QueryCanceled; callable from any thread."""
        ...

    def progress(self) -> float | None:
        """Percent of the running statement that is done; None when unknown. Callable from any thread."""
        ...

    def register(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        """Make Arrow data readable under a name, for this connection only."""
        ...

    def unregister(self, name: str) -> None: ...

    def create_function(
        self, name: str, function: ArrowFunction, arguments: Sequence[SqlType], returns: SqlType, *, pure: bool = True
    ) -> None:
        """Make a function callable: from every connection, once this one's transaction has committed.

        pure : asked for the same it answers the same and does nothing else; the engine may ask early, or once only
        NULL arguments reach the function; an error it raises leaves the statement as that same error.
        """
        ...

    def close(self) -> None: ...


class Engine(Protocol):
    """The data itself; one per process and directory."""

    def connect(self) -> Connection: ...

    def close(self) -> None: ...
