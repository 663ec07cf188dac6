"""BEGIN, COMMIT and ROLLBACK in their spellings, SET TRANSACTION, LOCK, and savepoints, which are PostgreSQL's."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Begin(Statement):
    """{ BEGIN [ WORK | TRANSACTION ] | START TRANSACTION } [ ISOLATION LEVEL level ] [ READ WRITE | READ ONLY ]

    The levels are SERIALIZABLE, READ UNCOMMITTED, READ COMMITTED and REPEATABLE READ; Redshift takes them all for
    its own one, so the level is not kept.

    https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html
    """

    read_only: bool | None = None


@dataclass(frozen=True, slots=True)
class Commit(Statement):
    """{ COMMIT | END } [ WORK | TRANSACTION ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_COMMIT.html
    """


@dataclass(frozen=True, slots=True)
class Rollback(Statement):
    """{ ROLLBACK | ABORT } [ WORK | TRANSACTION ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_ROLLBACK.html
    """


@dataclass(frozen=True, slots=True)
class Savepoint(Statement):
    """SAVEPOINT name

    https://www.postgresql.org/docs/current/sql-savepoint.html
    """

    name: str


@dataclass(frozen=True, slots=True)
class ReleaseSavepoint(Statement):
    """RELEASE [ SAVEPOINT ] name

    https://www.postgresql.org/docs/current/sql-release-savepoint.html
    """

    name: str


@dataclass(frozen=True, slots=True)
class RollbackTo(Statement):
    """{ ROLLBACK | ABORT } [ WORK | TRANSACTION ] TO [ SAVEPOINT ] name

    https://www.postgresql.org/docs/current/sql-rollback-to.html
    """

    name: str


@dataclass(frozen=True, slots=True)
class SetTransaction(Statement):
    """SET [ LOCAL ] TRANSACTION mode [, ...]
    SET SESSION CHARACTERISTICS AS TRANSACTION mode [, ...]

    read_only : None when nothing was said of it
    session : for all transactions to come
    """

    read_only: bool | None
    session: bool = False


@dataclass(frozen=True, slots=True)
class LockTable(Statement):
    """LOCK [ TABLE ] name [, ...] [ IN mode MODE ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_LOCK.html
    """

    names: tuple[QualifiedName, ...]


def read_begin(cursor: Cursor) -> Begin:
    if cursor.accept("START"):
        cursor.expect("TRANSACTION")
    else:
        cursor.expect("BEGIN")
        cursor.accept_any(_NOISE)
    return Begin(read_modes(cursor))


def read_modes(cursor: Cursor) -> bool | None:
    """The modes of a transaction: whether it is to be read-only, None when that was not said."""
    level_given, access = False, None
    while True:
        if not level_given and cursor.accept("ISOLATION", "LEVEL"):
            _level(cursor)
            level_given = True
        elif access is None and cursor.sees("READ"):
            cursor.advance()
            access = cursor.accept_any(("ONLY", "WRITE")) or cursor.fail()
        elif not (cursor.accept("NOT", "DEFERRABLE") or cursor.accept("DEFERRABLE")):
            return None if access is None else access == "ONLY"
        cursor.accept(",")


def _level(cursor: Cursor) -> None:
    if not (
        cursor.accept("SERIALIZABLE")
        or cursor.accept("REPEATABLE", "READ")
        or cursor.accept("READ", "COMMITTED")
        or cursor.accept("READ", "UNCOMMITTED")
    ):
        cursor.fail()


def read_commit(cursor: Cursor) -> Commit:
    if cursor.accept_any(("COMMIT", "END")) is None:
        cursor.fail()
    cursor.accept_any(_NOISE)
    return Commit()


def read_rollback(cursor: Cursor) -> Rollback | RollbackTo:
    if cursor.accept_any(("ROLLBACK", "ABORT")) is None:
        cursor.fail()
    cursor.accept_any(_NOISE)
    if not cursor.accept("TO"):
        return Rollback()
    cursor.accept("SAVEPOINT")
    return RollbackTo(cursor.identifier())


def read_savepoint(cursor: Cursor) -> Savepoint:
    cursor.expect("SAVEPOINT")
    return Savepoint(cursor.identifier())


def read_release(cursor: Cursor) -> ReleaseSavepoint:
    cursor.expect("RELEASE")
    cursor.accept("SAVEPOINT")
    return ReleaseSavepoint(cursor.identifier())


def read_lock(cursor: Cursor) -> LockTable:
    cursor.expect("LOCK")
    cursor.accept("TABLE")
    names = [cursor.qualified_name()]
    while cursor.accept(","):
        names.append(cursor.qualified_name())
    if cursor.accept("IN") and not any(cursor.accept(*mode.split(), "MODE") for mode in _LOCK_MODES):
        cursor.fail()
    return LockTable(tuple(names))


_LOCK_MODES = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE ROW EXCLUSIVE", "SHARE",
    "ACCESS EXCLUSIVE", "EXCLUSIVE",
)  # fmt: skip


_NOISE = ("WORK", "TRANSACTION")
