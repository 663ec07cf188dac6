"""CREATE, ALTER and DROP GROUP; CREATE, ALTER and DROP ROLE."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement
from restframe.sql.statements.user import read_names


@dataclass(frozen=True, slots=True)
class CreateGroup(Statement):
    """CREATE GROUP name [ [ WITH ] USER user [, ...] ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_GROUP.html
    """

    name: str
    users: tuple[str, ...] = ()
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class AlterGroup(Statement):
    """ALTER GROUP name { { ADD | DROP } USER user [, ...] | RENAME TO name }

    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_GROUP.html
    """

    name: str
    action: Literal["ADD", "DROP", "RENAME"]
    users: tuple[str, ...] = ()
    new_name: str = ""
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class DropGroup(Statement):
    """DROP GROUP name

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_GROUP.html
    """

    name: str
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class CreateRole(Statement):
    """CREATE ROLE name [ EXTERNALID id ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_ROLE.html
    """

    name: str
    external_id: str | None = None
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class AlterRole(Statement):
    """ALTER ROLE name [ WITH ] { RENAME TO name | OWNER TO user | EXTERNALID id } [ ... ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_ROLE.html
    """

    name: str
    new_name: str | None = None
    owner: str | None = None
    external_id: str | None = None
    name_position: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class DropRole(Statement):
    """DROP ROLE name [ FORCE | RESTRICT ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_DROP_ROLE.html
    """

    name: str
    force: bool = False
    name_position: int = field(default=1, compare=False)


def read_create_group(cursor: Cursor) -> CreateGroup:
    cursor.expect("CREATE", "GROUP")
    position, name = cursor.position, cursor.identifier()
    if cursor.accept("WITH"):
        cursor.expect("USER")
    elif not cursor.accept("USER"):
        return CreateGroup(name, (), position)
    return CreateGroup(name, tuple(read_names(cursor)), position)


def read_alter_group(cursor: Cursor) -> AlterGroup:
    cursor.expect("ALTER", "GROUP")
    position, name = cursor.position, cursor.identifier()
    if cursor.accept("RENAME", "TO"):
        return AlterGroup(name, "RENAME", (), cursor.identifier(), position)
    action: Literal["ADD", "DROP"] = "ADD" if cursor.accept("ADD") else "DROP"
    if action == "DROP":
        cursor.expect("DROP")
    cursor.expect("USER")
    return AlterGroup(name, action, tuple(read_names(cursor)), "", position)


def read_drop_group(cursor: Cursor) -> DropGroup:
    cursor.expect("DROP", "GROUP")
    position = cursor.position
    return DropGroup(cursor.identifier(), position)


def read_create_role(cursor: Cursor) -> CreateRole:
    cursor.expect("CREATE", "ROLE")
    position, name = cursor.position, cursor.identifier()
    return CreateRole(name, _external_id(cursor), position)


def read_alter_role(cursor: Cursor) -> AlterRole:
    cursor.expect("ALTER", "ROLE")
    position, name = cursor.position, read_role_name(cursor)
    cursor.accept("WITH")
    if cursor.at_end():
        cursor.fail()
    new_name = owner = external_id = None
    while not cursor.at_end():
        if cursor.accept("RENAME", "TO"):
            new_name = cursor.identifier()
        elif cursor.accept("OWNER", "TO"):
            owner = cursor.identifier()
        else:
            external_id = _external_id(cursor)
            if external_id is None:
                cursor.fail()
    return AlterRole(name, new_name, owner, external_id, position)


def read_drop_role(cursor: Cursor) -> DropRole:
    cursor.expect("DROP", "ROLE")
    position, name = cursor.position, read_role_name(cursor)
    return DropRole(name, cursor.accept_any(("FORCE", "RESTRICT")) == "FORCE", position)


def _external_id(cursor: Cursor) -> str | None:
    if not cursor.accept("EXTERNALID"):
        return None
    return cursor.string() if cursor.sees_string() else cursor.identifier()


def read_role_name(cursor: Cursor) -> str:
    """A role's name; those of the system have a colon in it, `sys:dba`."""
    name = cursor.identifier()
    return f"{name}:{cursor.identifier()}" if cursor.accept(":") else name
