"""CREATE, ALTER and DROP USER."""

from __future__ import annotations

from dataclasses import dataclass, field

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement
from restframe.sql.statements.variable import read_parameter


@dataclass(frozen=True, slots=True)
class Password:
    """text : as it was given, in clear or hashed; None for DISABLE"""

    text: str | None = field(repr=False)
    position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class UserOptions:
    """What CREATE USER and ALTER USER say about a user; None where they say nothing.

    sees_all : SYSLOG ACCESS UNRESTRICTED
    valid_until : as it was written
    connection_limit, session_timeout_s : -1 for UNLIMITED, and for RESET SESSION TIMEOUT
    """

    password: Password | None = None
    createdb: bool | None = None
    superuser: bool | None = None
    sees_all: bool | None = None
    valid_until: str | None = None
    connection_limit: int | None = None
    session_timeout_s: int | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class CreateUser(Statement):
    """CREATE USER name [ WITH ] [ PASSWORD { 'password' | 'md5hash' | 'sha256hash' | DISABLE } ] [ option [ ... ] ]

    where option is CREATEDB | NOCREATEDB | CREATEUSER | NOCREATEUSER | SYSLOG ACCESS { RESTRICTED | UNRESTRICTED }
    | IN GROUP name [, ...] | VALID UNTIL 'abstime' | CONNECTION LIMIT { n | UNLIMITED } | SESSION TIMEOUT seconds
    | EXTERNALID id

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_USER.html
    """

    name: str
    options: UserOptions
    groups: tuple[str, ...] = ()
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class AlterUser(Statement):
    """ALTER USER name [ WITH ] option [ ... ]

    where option is one of CREATE USER's but IN GROUP, or RENAME TO name | RESET SESSION TIMEOUT
    | SET parameter { TO | = } { value | DEFAULT } | RESET parameter

    settings : a parameter and its value, None to forget it

    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_USER.html
    """

    name: str
    options: UserOptions
    new_name: str | None = None
    settings: tuple[tuple[str, str | None], ...] = ()
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class DropUser(Statement):
    """DROP USER [ IF EXISTS ] name [, ...]

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_USER.html
    """

    names: tuple[str, ...]
    if_exists: bool = False


def read_create_user(cursor: Cursor) -> CreateUser:
    cursor.expect("CREATE", "USER")
    position, name = cursor.position, cursor.identifier()
    cursor.accept("WITH")
    found: dict[str, object] = {}
    groups: list[str] = []
    while not cursor.at_end():
        if cursor.accept("IN", "GROUP"):
            groups += read_names(cursor)
        else:
            _read_option(cursor, found)
    return CreateUser(name, UserOptions(**found), tuple(groups), position)  # type: ignore[arg-type]


def read_alter_user(cursor: Cursor) -> AlterUser:
    cursor.expect("ALTER", "USER")
    position, name = cursor.position, cursor.identifier()
    cursor.accept("WITH")
    found: dict[str, object] = {}
    settings: list[tuple[str, str | None]] = []
    new_name = None
    if cursor.at_end():
        cursor.fail()
    while not cursor.at_end():
        if cursor.accept("RENAME", "TO"):
            new_name = cursor.identifier()
        elif cursor.accept("RESET", "SESSION", "TIMEOUT"):
            found["session_timeout_s"] = -1
        elif cursor.sees("SET") or cursor.sees("RESET"):
            settings.append(read_parameter(cursor))
        else:
            _read_option(cursor, found)
        cursor.accept(",")
    return AlterUser(name, UserOptions(**found), new_name, tuple(settings), position)  # type: ignore[arg-type]


def read_drop_user(cursor: Cursor) -> DropUser:
    cursor.expect("DROP", "USER")
    if_exists = cursor.accept("IF", "EXISTS")
    return DropUser(tuple(read_names(cursor)), if_exists)


def read_names(cursor: Cursor) -> list[str]:
    names = [cursor.identifier()]
    while cursor.accept(","):
        names.append(cursor.identifier())
    return names


_FLAGS = {
    "CREATEDB": ("createdb", True),
    "NOCREATEDB": ("createdb", False),
    "CREATEUSER": ("superuser", True),
    "NOCREATEUSER": ("superuser", False),
}


def _read_option(cursor: Cursor, found: dict[str, object]) -> None:
    """One option into what has been found; SyntaxError when it stands there already."""
    position = cursor.position
    name: str
    value: object
    flag = cursor.accept_any(_FLAGS)
    if flag is not None:
        name, value = _FLAGS[flag]
    elif cursor.accept("PASSWORD"):
        name, value = "password", _read_password(cursor)
    elif cursor.accept("SYSLOG", "ACCESS"):
        name, value = "sees_all", _one_of(cursor, "RESTRICTED", "UNRESTRICTED") == "UNRESTRICTED"
    elif cursor.accept("VALID", "UNTIL"):
        name, value = "valid_until", cursor.string()
    elif cursor.accept("CONNECTION", "LIMIT"):
        name, value = "connection_limit", -1 if cursor.accept("UNLIMITED") else _count(cursor)
    elif cursor.accept("SESSION", "TIMEOUT"):
        name, value = "session_timeout_s", _timeout(cursor)
    elif cursor.accept("EXTERNALID"):
        text = cursor.string() if cursor.sees_string() else cursor.identifier()
        name, value = "external_id", text
    else:
        cursor.fail()
    if name in found:
        raise errors.SyntaxError("conflicting or redundant options", position=position)
    found[name] = value


def _read_password(cursor: Cursor) -> Password:
    position = cursor.position
    if cursor.accept("DISABLE"):
        return Password(None, position)
    if not cursor.sees_string():
        # Not in the words of a syntax error: they would tell the password to whoever reads errors.
        raise errors.SyntaxError("PASSWORD takes a quoted text, or DISABLE", position=position)
    return Password(cursor.string(), position)


def _one_of(cursor: Cursor, *words: str) -> str:
    found = cursor.accept_any(words)
    if found is None:
        cursor.fail()
    return found


def _count(cursor: Cursor) -> int:
    position = cursor.position
    count = cursor.integer()
    if not 0 <= count < 2**31:
        raise errors.InvalidParameterValue(
            "CONNECTION LIMIT must be a whole number from 0, or UNLIMITED", position=position
        )
    return count


def _timeout(cursor: Cursor) -> int:
    position = cursor.position
    seconds = cursor.integer()
    if not 60 <= seconds <= 20 * 24 * 60 * 60:
        raise errors.InvalidParameterValue(
            "SESSION TIMEOUT must be between 60 seconds and 1728000 seconds", position=position
        )
    return seconds
