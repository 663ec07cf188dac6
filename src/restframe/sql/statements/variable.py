"""SET, RESET and SHOW of configuration parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sqlglot.tokens import TokenType

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement
from restframe.sql.statements.transaction import SetTransaction, read_modes


@dataclass(frozen=True, slots=True)
class SetVariable(Statement):
    """SET [ SESSION | LOCAL ] name { TO | = } value [, ...]
    SET { TIME ZONE | NAMES | SEED TO } value

    Values are strings, words and numbers; `SET name TO DEFAULT` is read as RESET.

    name : in lower case; `time zone` is `timezone`, `names` is `client_encoding`
    local : for the open transaction only

    https://docs.aws.amazon.com/redshift/latest/dg/r_SET.html
    """

    name: str
    values: tuple[str, ...]
    local: bool = False
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class ResetVariable(Statement):
    """RESET { name | ALL }

    name : None for ALL

    https://docs.aws.amazon.com/redshift/latest/dg/r_RESET.html
    """

    name: str | None
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class ShowVariable(Statement):
    """SHOW { name | ALL }

    name : None for ALL

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW.html
    """

    name: str | None
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class SetSessionAuthorization(Statement):
    """SET [ SESSION | LOCAL ] SESSION AUTHORIZATION { user | DEFAULT }
    RESET SESSION AUTHORIZATION

    user : None for the one who came in

    https://docs.aws.amazon.com/redshift/latest/dg/r_SET_SESSION_AUTHORIZATION.html
    """

    user: str | None
    name_position: int = field(default=1, compare=False)


def read_set(cursor: Cursor) -> SetVariable | ResetVariable | SetSessionAuthorization | SetTransaction:
    cursor.expect("SET")
    _refuse(cursor)
    plain = not _is_authorization(cursor) and not _is_transaction(cursor)
    local = plain and cursor.accept_any(("SESSION", "LOCAL")) == "LOCAL"
    _refuse(cursor)
    if _is_authorization(cursor):
        return _read_authorization(cursor)
    if _is_transaction(cursor):
        return _read_transaction(cursor)
    position = cursor.position
    if cursor.accept("TIME", "ZONE"):
        name = "timezone"
    elif cursor.accept("NAMES"):
        name = "client_encoding"
    else:
        name = _name(cursor)
        if not cursor.accept("TO"):
            cursor.expect("=")
    if cursor.accept("DEFAULT"):
        return ResetVariable(name, position)
    read = _schema if name == "search_path" else _value
    values = [read(cursor)]
    while cursor.accept(","):
        values.append(read(cursor))
    return SetVariable(name, tuple(values), local, position)


def read_parameter(cursor: Cursor) -> tuple[str, str | None]:
    """`SET name { TO | = } { value | DEFAULT }` or `RESET name` within another statement; None for the last two."""
    if cursor.accept("RESET"):
        return _name(cursor), None
    statement = read_set(cursor)
    if isinstance(statement, SetVariable):
        return statement.name, ", ".join(statement.values)
    if not isinstance(statement, ResetVariable) or statement.name is None:
        cursor.fail()
    return statement.name, None


def _refuse(cursor: Cursor) -> None:
    """What starts with SET and sets no parameter."""
    if cursor.sees("ROLE") and not cursor.sees("TO", ahead=1) and not cursor.sees("=", ahead=1):
        raise errors.NotSupportedError("SET ROLE is not supported", position=cursor.position)


def _is_authorization(cursor: Cursor) -> bool:
    if not cursor.sees("SESSION", "AUTHORIZATION"):
        return False
    return not (cursor.sees("TO", ahead=2) or cursor.sees("=", ahead=2))


def _read_authorization(cursor: Cursor) -> SetSessionAuthorization:
    cursor.expect("SESSION", "AUTHORIZATION")
    position = cursor.position
    if cursor.accept("DEFAULT"):
        return SetSessionAuthorization(None, position)
    return SetSessionAuthorization(cursor.string().lower() if cursor.sees_string() else cursor.identifier(), position)


def _is_transaction(cursor: Cursor) -> bool:
    if cursor.sees("SESSION", "CHARACTERISTICS", "AS", "TRANSACTION"):
        return True
    ahead = 1 if cursor.sees("LOCAL") else 0
    if not cursor.sees("TRANSACTION", ahead=ahead):
        return False
    return not (cursor.sees("TO", ahead=ahead + 1) or cursor.sees("=", ahead=ahead + 1))


def _read_transaction(cursor: Cursor) -> SetTransaction:
    session = cursor.accept("SESSION", "CHARACTERISTICS", "AS")
    cursor.accept("LOCAL")
    cursor.expect("TRANSACTION")
    if cursor.sees("SNAPSHOT"):
        raise errors.NotSupportedError("SET TRANSACTION SNAPSHOT is not supported", position=cursor.position)
    if cursor.at_end():
        cursor.fail()
    return SetTransaction(read_modes(cursor), session)


def read_reset(cursor: Cursor) -> ResetVariable | SetSessionAuthorization:
    cursor.expect("RESET")
    if cursor.accept("SESSION", "AUTHORIZATION"):
        return SetSessionAuthorization(None)
    return ResetVariable(*_name_or_all(cursor))


def read_show_variable(cursor: Cursor) -> ShowVariable:
    cursor.expect("SHOW")
    return ShowVariable(*_name_or_all(cursor))


def _name_or_all(cursor: Cursor) -> tuple[str | None, int]:
    position = cursor.position
    if cursor.accept("ALL"):
        return None, position
    for words in (("TIME", "ZONE"), ("TRANSACTION", "ISOLATION", "LEVEL"), ("SESSION", "AUTHORIZATION")):
        if cursor.accept(*words):
            return " ".join(words).lower(), position
    return _name(cursor), position


def _name(cursor: Cursor) -> str:
    """A name, perhaps dotted: applications make up `app.context`."""
    parts = [cursor.identifier()]
    while cursor.accept("."):
        parts.append(cursor.identifier())
    return ".".join(parts)


def _schema(cursor: Cursor) -> str:
    """A name of the search path as SHOW prints it, for clients that read it again; several in one text as they are."""
    several = cursor.sees_string()
    name = _value(cursor)
    if _PLAIN_NAME.fullmatch(name) or (several and ("," in name or '"' in name)):
        return name
    return '"' + name.replace('"', '""') + '"'


_PLAIN_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def _value(cursor: Cursor) -> str:
    if cursor.sees_string():
        return cursor.string()
    token = cursor.token
    start = cursor.offset
    if cursor.accept_any(("-", "+")):
        token = cursor.token
        if token is None or token.token_type != TokenType.NUMBER:
            cursor.fail()
    if token is not None and token.token_type == TokenType.NUMBER:
        return cursor.text[start : cursor.advance().end + 1]
    return cursor.identifier()
