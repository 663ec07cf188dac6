"""A DB-API cursor: runs statements of its connection's session and hands out the rows as they stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from restframe import errors
from restframe.dbapi.rows import Rows
from restframe.result import Column, Result

if TYPE_CHECKING:
    import pandas
    import pyarrow as pa

    from restframe.dbapi.connection import Connection
    from restframe.warehouse.session import Session

Row = tuple[Any, ...]
Description = tuple[tuple[Any, ...], ...]


class Cursor:
    """Several cursors may be open on one connection; they share its transaction.

    arraysize : rows that `fetchmany` gives unless told otherwise
    messages : (class, text) of the notices of the last call
    """

    def __init__(self, connection: Connection) -> None:
        self._connection: Connection | None = connection
        self._waiting: list[Result] = []  # of the statements after the current one
        self._result: Result | None = None
        self._rows: Rows | None = None
        self._changed: int | None = None
        self.arraysize = 1
        self.messages: list[tuple[type[Exception], str]] = []

    @property
    def connection(self) -> Connection:
        if self._connection is None:
            raise errors.InterfaceError("the cursor is closed")
        return self._connection

    @property
    def _session(self) -> Session:
        return self.connection.session

    # About the last statement

    @property
    def description(self) -> Description | None:
        """A 7-tuple per column: name, type code, display size, internal size, precision, scale, None.

        None after a statement that returns no rows. A type code equals STRING, BINARY, NUMBER or DATETIME.
        """
        if self._result is None or not self._result.returns_rows:
            return None
        return tuple(_describe(column) for column in self._result.columns)

    @property
    def rowcount(self) -> int:
        """Rows changed, or rows returned once all of them are read; -1 while that is not known."""
        if self._changed is not None:
            return self._changed
        if self._result is None or self._result.row_count is None or self._result.streams:
            return -1
        return self._result.row_count

    # Running

    def execute(self, operation: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Cursor:
        """Run a text; with several statements in it, `nextset` goes from one to the next.

        parameters : a sequence for `?`, a mapping for `:name`
        """
        self._forget()
        self._check(parameters)
        self.connection.begin_if_needed()
        self._take(self._session.execute_all(operation, parameters))
        return self

    def executemany(
        self, operation: str, seq_of_parameters: Iterable[Sequence[Any]] | Iterable[Mapping[str, Any]]
    ) -> Cursor:
        """Run a statement once per set of parameters; INSERT ... VALUES (?, ...) takes them all at once.

        `rowcount` is the sum.
        """
        self._forget()
        self.connection.begin_if_needed()
        self._changed = self._session.execute_many(operation, seq_of_parameters)
        return self

    def callproc(self, procname: str, parameters: Sequence[Any] = ()) -> NoReturn:
        raise errors.NotSupportedError("stored procedures are not supported")

    def cancel(self) -> None:
        """Stop the running statement with QueryCanceled; callable from any thread."""
        self.connection.cancel()

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Accepted without effect, as PEP 249 allows."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Accepted without effect, as PEP 249 allows."""

    def nextset(self) -> bool | None:
        """Go on to the next statement's result; None when there is no other."""
        self._session  # noqa: B018  (raises when closed)
        if not self._waiting:
            return None
        if self._result is not None:
            self._result.close()
        self._take(self._waiting)
        return True

    # Reading

    def fetchone(self) -> Row | None:
        return next(iter(self._reading().take(1)), None)

    def fetchmany(self, size: int | None = None) -> list[Row]:
        return self._reading().take(self.arraysize if size is None else size)

    def fetchall(self) -> list[Row]:
        return self._reading().take(None)

    def fetch_arrow(self) -> pa.Table:
        """The remaining rows as an Arrow table."""
        return self._reading().to_arrow()

    def fetch_dataframe(self) -> pandas.DataFrame:
        """The remaining rows as a data frame; needs pandas."""
        return self.fetch_arrow().to_pandas()

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    # The end

    def close(self) -> None:
        """Free the result; the cursor cannot be used again. May be called again."""
        if self._connection is not None:
            self._forget()
        self._connection = None

    def __enter__(self) -> Cursor:
        self._session  # noqa: B018  (raises when closed)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Inside

    def _reading(self) -> Rows:
        self._session  # noqa: B018  (raises when closed)
        if self._rows is None:
            raise errors.InterfaceError("there is no result to fetch from")
        return self._rows

    def _take(self, results: list[Result]) -> None:
        if results:
            self._result, *self._waiting = results
            self._rows = Rows(self._result) if self._result.returns_rows else None
            self.messages = [(errors.Warning, notice.message) for notice in self._result.notices]

    def _forget(self) -> None:
        for result in (self._result, *self._waiting):
            if result is not None:
                result.close()
        self._result, self._waiting, self._rows, self._changed, self.messages = None, [], None, None, []

    def _check(self, parameters: object) -> None:
        if isinstance(parameters, str | bytes) or not isinstance(parameters, Sequence | Mapping):
            raise errors.InterfaceError("parameters must be a sequence or a mapping")


def _describe(column: Column) -> tuple[Any, ...]:
    type_ = column.type
    return (column.name, type_, None, type_.length, type_.precision, type_.scale, None)
