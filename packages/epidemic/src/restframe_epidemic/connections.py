"""What the engine asks of a warehouse, however it is reached.

`directory.py` opens the warehouse's directory itself; `server.py` goes through the SQL door of `restframe serve`. The
Store has one of them, and nothing else knows which.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa


class Rows(Protocol):
    """One statement's answer, as Python values; read once."""

    def fetchall(self) -> list[tuple[Any, ...]]: ...

    def scalar(self) -> Any:
        """The first value of the first row; None when there is no row."""


class Connection(Protocol):
    """A session in a warehouse, and the folders of this machine that belong to it.

    lake : raw files as they were accepted, and the members' forecasts
    private : the same of what names somebody: never where others can read it through the warehouse
    folder : the token key may not lie in it

    Statements fail with the classes of `restframe.errors`.
    """

    lake: Path
    private: Path
    folder: Path

    @property
    def in_block(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, text: str, parameters: Sequence[Any]) -> Rows:
        """Run one statement, in which $1 stands for the first parameter, or several without any as one transaction."""

    def batches(self, text: str, parameters: Sequence[Any]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """A query's columns, and its rows in bounded memory. They are read before the next statement runs."""

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def load(self, table: str, columns: str, files: Sequence[Path]) -> None:
        """Put the rows of Parquet files of this machine into a table: all of them or none.

        columns : of the table, as SQL lists them, in the files' order
        """

    def close(self) -> None: ...
