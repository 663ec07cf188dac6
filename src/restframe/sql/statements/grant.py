"""GRANT and REVOKE of privileges and roles, and ALTER DEFAULT PRIVILEGES."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.group import read_role_name
from restframe.sql.statements.iam_role import read_iam_role, role_name
from restframe.sql.statements.user import read_names

TargetKind = Literal[
    "table", "tables in schema", "schema", "database", "model", "function", "functions in schema", "language",
    "system", "assumerole",
]  # fmt: skip
DefaultKind = Literal["table", "function", "procedure"]


@dataclass(frozen=True, slots=True)
class Grantee:
    """option : whether the privilege or role may be passed on. name : empty for PUBLIC"""

    kind: Literal["user", "group", "role", "public"]
    name: str = ""
    option: bool = False
    position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Privilege:
    """name : in upper case, ALL for all there are. columns : None for the whole table"""

    name: str
    columns: tuple[str, ...] | None = None
    position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Target:
    """What privileges are on. Functions and procedures are told apart by their names alone.

    names : of ASSUMEROLE the IAM roles, none for all of them; commands : what they may be assumed for
    """

    kind: TargetKind
    names: tuple[QualifiedName, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant(Statement):
    """GRANT { privilege [ ( column [, ...] ) ] [, ...] | ALL [ PRIVILEGES ] [ ( column [, ...] ) ] }
    ON target TO grantee [, ...]

    where target is [ TABLE ] name [, ...] | ALL TABLES IN SCHEMA name [, ...] | SCHEMA name [, ...]
    | DATABASE name [, ...] | MODEL name [, ...] | { FUNCTION | PROCEDURE } name ( types ) [, ...]
    | ALL { FUNCTIONS | PROCEDURES } IN SCHEMA name [, ...] | LANGUAGE name [, ...]
    | { 'iam_role' [, ...] | DEFAULT | ALL } of ASSUMEROLE, with FOR { ALL | COPY | UNLOAD | EXTERNAL FUNCTION
    | CREATE MODEL } [, ...] at the end,
    and without ON for CREATE MODEL and what is granted to roles alone, such as CREATE USER;
    grantee is user [ WITH GRANT OPTION ] | GROUP name | ROLE name | PUBLIC

    https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
    """

    privileges: tuple[Privilege, ...]
    target: Target
    grantees: tuple[Grantee, ...]


@dataclass(frozen=True, slots=True)
class Revoke(Statement):
    """REVOKE [ GRANT OPTION FOR ] privileges ON target FROM grantee [, ...] [ CASCADE | RESTRICT ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_REVOKE.html
    """

    privileges: tuple[Privilege, ...]
    target: Target
    grantees: tuple[Grantee, ...]
    option_only: bool = False
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class GrantRole(Statement):
    """GRANT ROLE name [, ...] TO { user [ WITH ADMIN OPTION ] | ROLE name } [, ...]"""

    roles: tuple[str, ...]
    grantees: tuple[Grantee, ...]


@dataclass(frozen=True, slots=True)
class RevokeRole(Statement):
    """REVOKE [ ADMIN OPTION FOR ] ROLE name [, ...] FROM { user | ROLE name } [, ...]"""

    roles: tuple[str, ...]
    grantees: tuple[Grantee, ...]
    option_only: bool = False


@dataclass(frozen=True, slots=True)
class AlterDefaultPrivileges(Statement):
    """ALTER DEFAULT PRIVILEGES [ FOR USER user [, ...] ] [ IN SCHEMA name [, ...] ]
    { GRANT privileges ON { TABLES | FUNCTIONS | PROCEDURES } TO grantee [, ...]
    | REVOKE [ GRANT OPTION FOR ] privileges ON { TABLES | FUNCTIONS | PROCEDURES } FROM grantee [, ...] [ RESTRICT ] }

    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_DEFAULT_PRIVILEGES.html
    """

    action: Literal["GRANT", "REVOKE"]
    privileges: tuple[Privilege, ...]
    kind: DefaultKind
    grantees: tuple[Grantee, ...]
    users: tuple[str, ...] = ()
    schemas: tuple[str, ...] = ()
    option_only: bool = False


# Readers


def read_grant(cursor: Cursor) -> Grant | GrantRole:
    cursor.expect("GRANT")
    if cursor.sees("ROLE"):
        roles = _read_roles(cursor)
        cursor.expect("TO")
        return GrantRole(roles, _read_grantees(cursor, "ADMIN"))
    privileges = _read_privileges(cursor)
    target = _read_target(cursor, privileges)
    cursor.expect("TO")
    grantees = _read_grantees(cursor, "GRANT")
    return Grant(privileges, _read_for(cursor, target), grantees)


def read_revoke(cursor: Cursor) -> Revoke | RevokeRole:
    cursor.expect("REVOKE")
    if cursor.sees("ROLE") or cursor.sees("ADMIN", "OPTION", "FOR"):
        admin_only = cursor.accept("ADMIN", "OPTION", "FOR")
        roles = _read_roles(cursor)
        cursor.expect("FROM")
        return RevokeRole(roles, _read_grantees(cursor), admin_only)
    option_only = cursor.accept("GRANT", "OPTION", "FOR")
    privileges = _read_privileges(cursor)
    target = _read_target(cursor, privileges)
    cursor.expect("FROM")
    grantees = _read_grantees(cursor)
    target = _read_for(cursor, target)
    cascade = cursor.accept_any(("CASCADE", "RESTRICT")) == "CASCADE"
    return Revoke(privileges, target, grantees, option_only, cascade)


def read_alter_default_privileges(cursor: Cursor) -> AlterDefaultPrivileges:
    cursor.expect("ALTER", "DEFAULT", "PRIVILEGES")
    users: list[str] = []
    schemas: list[str] = []
    if cursor.accept("FOR"):
        if cursor.accept_any(("USER", "ROLE")) is None:
            cursor.fail()
        users = read_names(cursor)
    if cursor.accept("IN", "SCHEMA"):
        schemas = read_names(cursor)
    grant = cursor.accept("GRANT")
    if not grant:
        cursor.expect("REVOKE")
    option_only = not grant and cursor.accept("GRANT", "OPTION", "FOR")
    privileges = _read_privileges(cursor)
    cursor.expect("ON")
    kind = cursor.accept_any(_DEFAULT_KINDS)
    if kind is None:
        cursor.fail()
    cursor.expect("TO" if grant else "FROM")
    grantees = _read_grantees(cursor, "GRANT" if grant else None)
    if not grant:
        cursor.accept_any(("CASCADE", "RESTRICT"))
    return AlterDefaultPrivileges(
        "GRANT" if grant else "REVOKE", privileges, _DEFAULT_KINDS[kind], grantees, tuple(users), tuple(schemas),
        option_only,
    )  # fmt: skip


_DEFAULT_KINDS: dict[str, DefaultKind] = {"TABLES": "table", "FUNCTIONS": "function", "PROCEDURES": "procedure"}


# Their parts


def _read_roles(cursor: Cursor) -> tuple[str, ...]:
    roles: list[str] = []
    while not roles or cursor.accept(","):
        if not cursor.accept("ROLE") and not roles:
            cursor.fail()
        roles.append(read_role_name(cursor))
    return tuple(roles)


def _read_grantees(cursor: Cursor, option: str | None = None) -> tuple[Grantee, ...]:
    """option : GRANT or ADMIN, for WITH ... OPTION after a user"""
    grantees: list[Grantee] = []
    while not grantees or cursor.accept(","):
        position = cursor.position
        if cursor.accept("PUBLIC"):
            grantees.append(Grantee("public", position=position))
        elif cursor.accept("GROUP"):
            grantees.append(Grantee("group", cursor.identifier(), position=position))
        elif cursor.accept("ROLE"):
            grantees.append(Grantee("role", read_role_name(cursor), position=position))
        else:
            cursor.accept("USER")
            grantees.append(Grantee("user", cursor.identifier(), position=position))
        if option is not None and cursor.accept("WITH", option, "OPTION"):
            if grantees[-1].kind != "user":
                raise errors.SyntaxError(f"WITH {option} OPTION goes with users only", position=position)
            # What stands at the end is meant for all users in the list.
            grantees = [Grantee(one.kind, one.name, one.kind == "user", one.position) for one in grantees]
    return tuple(grantees)


_ENDS_PRIVILEGE = ("ON", "TO", "FROM", "FOR")


def _read_privileges(cursor: Cursor) -> tuple[Privilege, ...]:
    privileges: list[Privilege] = []
    while not privileges or cursor.accept(","):
        position = cursor.position
        words: list[str] = []
        while cursor.word() is not None and cursor.word() not in _ENDS_PRIVILEGE and len(words) < _MOST_WORDS:
            words.append(str(cursor.advance().text).upper())
        if not words:
            cursor.fail()
        name = " ".join(words).replace("ALL PRIVILEGES", "ALL")
        columns = None
        if cursor.accept("("):
            columns = tuple(read_names(cursor))
            cursor.expect(")")
        privileges.append(Privilege("TEMPORARY" if name == "TEMP" else name, columns, position))
    return tuple(privileges)


_MOST_WORDS = 6  # CREATE OR REPLACE EXTERNAL FUNCTION has five


def _read_target(cursor: Cursor, privileges: tuple[Privilege, ...]) -> Target:
    if not cursor.sees("ON"):
        if cursor.sees("FOR"):
            raise errors.NotSupportedError("scoped permissions are not supported", position=cursor.position)
        return Target("system")
    cursor.expect("ON")
    if privileges[0].name == "ASSUMEROLE":
        return Target("assumerole", _read_iam_roles(cursor))
    position = cursor.position
    if cursor.accept_any(("DATASHARE", "EXTERNAL", "TEMPLATE")) or cursor.sees("COPY", "JOB"):
        raise errors.NotSupportedError("privileges on this kind of object are not supported", position=position)
    if cursor.accept("ALL"):
        every = cursor.accept_any(_IN_SCHEMA)
        if every is None:
            cursor.fail()
        cursor.expect("IN", "SCHEMA")
        return Target(_IN_SCHEMA[every], _read_targets(cursor))
    word = cursor.accept_any(_KINDS)
    if word in ("FUNCTION", "PROCEDURE"):
        return Target("function", _read_functions(cursor))
    return Target(_KINDS[word or "TABLE"], _read_targets(cursor))


_KINDS: dict[str, TargetKind] = {
    "TABLE": "table", "SCHEMA": "schema", "DATABASE": "database", "MODEL": "model", "FUNCTION": "function",
    "PROCEDURE": "function", "LANGUAGE": "language",
}  # fmt: skip
_IN_SCHEMA: dict[str, TargetKind] = {
    "TABLES": "tables in schema", "FUNCTIONS": "functions in schema", "PROCEDURES": "functions in schema",
}  # fmt: skip


def _read_targets(cursor: Cursor) -> tuple[QualifiedName, ...]:
    names = [cursor.qualified_name()]
    while cursor.accept(","):
        names.append(cursor.qualified_name())
    return tuple(names)


def _read_functions(cursor: Cursor) -> tuple[QualifiedName, ...]:
    """Names, each with the types of its arguments, which are read over: a name's functions go together."""
    names: list[QualifiedName] = []
    while not names or cursor.accept(","):
        names.append(cursor.qualified_name())
        if cursor.sees("("):
            cursor.parenthesised()
    return tuple(names)


def _read_iam_roles(cursor: Cursor) -> tuple[QualifiedName, ...]:
    if cursor.accept("ALL"):
        return ()
    names: list[QualifiedName] = []
    while not names or cursor.accept(","):
        position = cursor.position
        names.append(QualifiedName(None, role_name(read_iam_role(cursor)), position))
    return tuple(names)


def _read_for(cursor: Cursor, target: Target) -> Target:
    """Of ASSUMEROLE: FOR { ALL | COPY | UNLOAD | EXTERNAL FUNCTION | CREATE MODEL } [, ...]"""
    if target.kind != "assumerole":
        return target
    cursor.expect("FOR")
    if cursor.accept("ALL"):
        return replace(target, commands=COMMANDS)
    commands: list[str] = []
    while not commands or cursor.accept(","):
        found = next((one for one in COMMANDS if cursor.accept(*one.split())), None)
        if found is None:
            cursor.fail()
        commands.append(found)
    return replace(target, commands=tuple(commands))


# What an IAM role can be assumed for.
COMMANDS = ("COPY", "UNLOAD", "EXTERNAL FUNCTION", "CREATE MODEL")
