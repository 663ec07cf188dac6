"""DECLARE, FETCH, MOVE and CLOSE of cursors."""

from __future__ import annotations

from dataclasses import dataclass, field

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement
from restframe.sql.statements.query import Query, read_query


@dataclass(frozen=True, slots=True)
class DeclareCursor(Statement):
    """DECLARE name [ INSENSITIVE ] [ [ NO ] SCROLL ] CURSOR [ WITHOUT HOLD ] FOR query

    scroll : whether it was to move backwards too, which it does not

    https://docs.aws.amazon.com/redshift/latest/dg/declare.html
    """

    name: str
    query: Query
    scroll: bool = False
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Fetch(Statement):
    """{ FETCH | MOVE } [ NEXT | ALL | count | FORWARD [ count | ALL ] ] [ FROM | IN ] cursor

    count : None for all that are left
    move : go past the rows and return none

    https://docs.aws.amazon.com/redshift/latest/dg/fetch.html
    """

    name: str
    count: int | None = 1
    move: bool = False
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class CloseCursor(Statement):
    """CLOSE { cursor | ALL }

    name : None for ALL

    https://docs.aws.amazon.com/redshift/latest/dg/close.html
    """

    name: str | None
    name_position: int = field(default=1, compare=False)


def read_declare(cursor: Cursor) -> DeclareCursor:
    cursor.expect("DECLARE")
    position = cursor.position
    name = cursor.identifier()
    if cursor.sees("BINARY"):
        raise errors.NotSupportedError("DECLARE BINARY CURSOR is not supported", position=cursor.position)
    cursor.accept_any(("INSENSITIVE", "ASENSITIVE"))
    scroll = not cursor.accept("NO", "SCROLL") and cursor.accept("SCROLL")
    cursor.expect("CURSOR")
    if cursor.sees("WITH", "HOLD"):
        raise errors.NotSupportedError("DECLARE CURSOR ... WITH HOLD is not supported", position=cursor.position)
    cursor.accept("WITHOUT", "HOLD")
    cursor.expect("FOR")
    start = cursor.position
    return DeclareCursor(name, read_query(cursor.rest(), start), scroll, position)


def read_fetch(cursor: Cursor) -> Fetch:
    move = cursor.accept_any(("FETCH", "MOVE")) == "MOVE"
    count = _count(cursor)
    cursor.accept_any(("FROM", "IN"))
    position = cursor.position
    return Fetch(cursor.identifier(), count, move, position)


def _count(cursor: Cursor) -> int | None:
    """How many rows are wanted; a word that may be the cursor's own name is none when nothing follows it."""
    position = cursor.position
    if cursor.word() in _BACKWARDS and cursor.word(1) is not None:
        raise errors.ObjectNotInPrerequisiteState("cursor can only scan forward", position=position)
    if cursor.word(1) is None and not _behind(cursor):
        return 1
    forward = cursor.accept("FORWARD")
    if not forward and cursor.accept("NEXT"):
        return 1
    if cursor.accept("ALL"):
        return None
    if _sees_number(cursor):
        count = cursor.integer()
        if count < 0:
            raise errors.ObjectNotInPrerequisiteState("cursor can only scan forward", position=position)
        return count
    return 1


_BACKWARDS = frozenset({"PRIOR", "FIRST", "LAST", "ABSOLUTE", "RELATIVE", "BACKWARD"})


def _behind(cursor: Cursor) -> bool:
    """Whether something follows the next token."""
    return len(cursor.tokens) > 2


def _sees_number(cursor: Cursor) -> bool:
    token = cursor.token
    return token is not None and (token.text.isdecimal() or token.text == "-")


def read_close(cursor: Cursor) -> CloseCursor:
    cursor.expect("CLOSE")
    position = cursor.position
    return CloseCursor(None if cursor.accept("ALL") else cursor.identifier(), position)
