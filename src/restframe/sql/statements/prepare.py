"""PREPARE, EXECUTE and DEALLOCATE; DISCARD and UNLISTEN, with which pools make a session as good as new."""

from __future__ import annotations

from dataclasses import dataclass, field

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.split import split
from restframe.sql.statements import Statement
from restframe.sql.statements.query import QUERY_WORDS, Query, read_query
from restframe.types import SqlType


@dataclass(frozen=True, slots=True)
class PrepareStatement(Statement):
    """PREPARE name [ ( type [, ...] ) ] AS { SELECT | INSERT | UPDATE | DELETE | MERGE }

    body, body_position : the text of the statement, and where it starts
    types : None for `unknown`

    https://docs.aws.amazon.com/redshift/latest/dg/r_PREPARE.html
    """

    name: str
    types: tuple[SqlType | None, ...]
    body: str
    body_position: int = field(default=1, compare=False)
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class ExecuteStatement(Statement):
    """EXECUTE name [ ( value [, ...] ) ]

    values : a query of one row of them; None without any

    https://docs.aws.amazon.com/redshift/latest/dg/r_EXECUTE.html
    """

    name: str
    values: Query | None
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Deallocate(Statement):
    """DEALLOCATE [ PREPARE ] { name | ALL }

    name : None for ALL

    https://docs.aws.amazon.com/redshift/latest/dg/r_DEALLOCATE.html
    """

    name: str | None
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Discard(Statement):
    """DISCARD { ALL | PLANS | SEQUENCES | TEMP | TEMPORARY }: PostgreSQL's, which pools of connections send.

    what : ALL, PLANS, SEQUENCES or TEMP
    """

    what: str


@dataclass(frozen=True, slots=True)
class Unlisten(Statement):
    """UNLISTEN { channel | * }: PostgreSQL's. There is nothing to listen to."""


def read_unlisten(cursor: Cursor) -> Unlisten:
    cursor.expect("UNLISTEN")
    if not cursor.accept("*"):
        cursor.identifier()
    return Unlisten()


def read_prepare(cursor: Cursor) -> PrepareStatement:
    cursor.expect("PREPARE")
    if cursor.sees("TRANSACTION"):
        raise errors.NotSupportedError("PREPARE TRANSACTION is not supported", position=cursor.position)
    position = cursor.position
    name = cursor.identifier()
    types: list[SqlType | None] = []
    if cursor.accept("("):
        types.append(_type(cursor))
        while cursor.accept(","):
            types.append(_type(cursor))
        cursor.expect(")")
    cursor.expect("AS")
    start = cursor.position
    body = cursor.rest()
    spans = split(body)
    if not spans or spans[0].keyword not in _PREPARED_WORDS:
        word = spans[0].text.split(None, 1)[0][:64] if spans else ""
        said = f'syntax error at or near "{word}"' if word else "syntax error at end of input"
        raise errors.SyntaxError(said, position=start)
    return PrepareStatement(name, tuple(types), body, start, position)


_PREPARED_WORDS = QUERY_WORDS | {"INSERT", "UPDATE", "DELETE", "MERGE"}


def _type(cursor: Cursor) -> SqlType | None:
    return None if cursor.accept("UNKNOWN") else cursor.data_type()


def read_execute(cursor: Cursor) -> ExecuteStatement:
    cursor.expect("EXECUTE")
    position = cursor.position
    name = cursor.identifier()
    if cursor.at_end():
        return ExecuteStatement(name, None, position)
    start = cursor.position
    values = cursor.parenthesised()
    if not values.strip():
        return ExecuteStatement(name, None, position)
    # Read as the select list of a query that starts where its values stand where they do.
    select = "SELECT "
    query = read_query(select + values, start + 1 - len(select))
    if not query.is_list:
        raise errors.SyntaxError("EXECUTE takes a list of values", position=start + 1)
    return ExecuteStatement(name, query, position)


def read_deallocate(cursor: Cursor) -> Deallocate:
    cursor.expect("DEALLOCATE")
    if cursor.sees("PREPARE") and len(cursor.tokens) > 2:
        cursor.advance()
    position = cursor.position
    return Deallocate(None if cursor.accept("ALL") else cursor.identifier(), position)


def read_discard(cursor: Cursor) -> Discard:
    cursor.expect("DISCARD")
    what = cursor.accept_any(("ALL", "PLANS", "SEQUENCES", "TEMPORARY", "TEMP")) or cursor.fail()
    return Discard(what.replace("TEMPORARY", "TEMP"))
