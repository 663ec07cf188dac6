"""BEGIN, COMMIT and ROLLBACK in their spellings."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Begin(Statement):
    """{ BEGIN [ WORK | TRANSACTION ] | START TRANSACTION } [ ISOLATION LEVEL level ] [ READ WRITE | READ ONLY ]

    The levels are SERIALIZABLE, READ UNCOMMITTED, READ COMMITTED and REPEATABLE READ; Redshift takes them all for
    its own one, so the level is not kept.

    https://docs.aws.amazon.com/redshift/latest/dg/r_BEGIN.html
    """

    read_only: bool = False


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


def read_begin(cursor: Cursor) -> Begin:
    if cursor.accept("START"):
        cursor.expect("TRANSACTION")
    else:
        cursor.expect("BEGIN")
        cursor.accept_any(_NOISE)
    level_given, access = False, None
    while True:
        if not level_given and cursor.accept("ISOLATION", "LEVEL"):
            _level(cursor)
            level_given = True
        elif access is None and cursor.sees("READ"):
            cursor.advance()
            access = cursor.accept_any(("ONLY", "WRITE")) or cursor.fail()
        else:
            return Begin(read_only=access == "ONLY")
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


def read_rollback(cursor: Cursor) -> Rollback:
    if cursor.accept_any(("ROLLBACK", "ABORT")) is None:
        cursor.fail()
    cursor.accept_any(_NOISE)
    return Rollback()


_NOISE = ("WORK", "TRANSACTION")
