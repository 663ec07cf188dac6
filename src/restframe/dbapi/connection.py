"""A DB-API connection: one session, and PEP 249's rule that a transaction is open whenever work is done."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar

from restframe import errors
from restframe.dbapi.cursor import Cursor
from restframe.dbapi.sharing import Lease

if TYPE_CHECKING:
    from restframe.warehouse import Warehouse
    from restframe.warehouse.session import Session


class Connection:
    """One session of a warehouse.

    autocommit : False as PEP 249 wants it: the first statement opens a transaction, `commit` or `rollback` ends it,
        and closing without `commit` undoes what was done. When True every statement stands by itself.

    As a context manager it commits when the block succeeds, rolls back when it does not, and closes either way.
    """

    Warning: ClassVar = errors.Warning
    Error: ClassVar = errors.Error
    InterfaceError: ClassVar = errors.InterfaceError
    DatabaseError: ClassVar = errors.DatabaseError
    DataError: ClassVar = errors.DataError
    OperationalError: ClassVar = errors.OperationalError
    IntegrityError: ClassVar = errors.IntegrityError
    InternalError: ClassVar = errors.InternalError
    ProgrammingError: ClassVar = errors.ProgrammingError
    NotSupportedError: ClassVar = errors.NotSupportedError

    def __init__(self, lease: Lease, *, autocommit: bool = False) -> None:
        # A connection that is forgotten instead of closed must not keep the directory locked.
        self._release = weakref.finalize(self, lease.release)
        self._warehouse = lease.warehouse
        try:
            self._session: Session | None = lease.warehouse.session()
        except BaseException:
            self._release()
            raise
        self._autocommit = autocommit

    @property
    def session(self) -> Session:
        """The session underneath; InterfaceError once the connection is closed."""
        if self._session is None:
            raise errors.InterfaceError("the connection is closed")
        return self._session

    @property
    def warehouse(self) -> Warehouse:
        """The warehouse that the session is of."""
        self.session  # noqa: B018  (raises when closed)
        return self._warehouse

    @property
    def closed(self) -> bool:
        return self._session is None

    @property
    def autocommit(self) -> bool:
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        if self.session.transaction != "idle":
            raise errors.ActiveTransaction("autocommit cannot change inside a transaction")
        self._autocommit = value

    def cursor(self) -> Cursor:
        self.session  # noqa: B018  (raises when closed)
        return Cursor(self)

    def execute(self, operation: str, parameters: Any = ()) -> Cursor:
        """A new cursor that has run a statement."""
        cursor = self.cursor()
        cursor.execute(operation, parameters)
        return cursor

    def begin_if_needed(self) -> None:
        """Before each statement: without autocommit, work happens inside a transaction."""
        if not self._autocommit and self.session.transaction == "idle":
            self.session.begin()

    def commit(self) -> None:
        """End the transaction and keep its work; no effect when there is none.

        InFailedTransaction when a statement of it had failed: nothing is kept then, and the transaction has ended.
        """
        if self.session.transaction == "failed":
            self.rollback()
            raise errors.InFailedTransaction("the transaction had failed and was rolled back")
        if self.session.transaction == "open":
            self.session.execute("COMMIT")

    def rollback(self) -> None:
        if self.session.transaction != "idle":
            self.session.execute("ROLLBACK")

    def cancel(self) -> None:
        """Stop the running statement with QueryCanceled; callable from any thread."""
        self.session.cancel()

    def close(self) -> None:
        """End the session; work that was not committed is undone. May be called again."""
        session, self._session = self._session, None
        if session is not None:
            session.close()
        self._release()

    def __enter__(self) -> Connection:
        self.session  # noqa: B018  (raises when closed)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._session is None:
            return
        try:
            if kind is None:
                self.commit()
            else:
                self.rollback()
        finally:
            self.close()
