"""Users, groups and roles: who may come in, and as whom else they act.

https://docs.aws.amazon.com/redshift/latest/dg/r_Users.html
https://docs.aws.amazon.com/redshift/latest/dg/t_Roles.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from restframe import errors
from restframe.catalog.records import Part

SUPERUSER_ID = 100  # of the first user, whom the settings name

T = TypeVar("T")
PrincipalKind = Literal["user", "group", "role", "public"]


class Records(Protocol):
    """How a part of the catalog reads and writes its tables, within the session's transaction."""

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    def cached(self, key: tuple[str, ...], load: Callable[[], T], part: Part = ...) -> T: ...

    def write(self, sql: str, parameters: Sequence[Any] = (), part: Part = ...) -> None: ...


@dataclass(frozen=True, slots=True)
class User:
    """A database user.

    superuser : may do everything (CREATEUSER)
    sees_all : of the rows of others in system tables (SYSLOG ACCESS UNRESTRICTED)
    verifiers : of the password, as identity.verifiers writes them; None when there is none
    valid_until : until when the password is good, in UTC
    connection_limit : None for no limit
    session_timeout_s : of a connection that does nothing
    settings : what a session starts with, by name (ALTER USER SET)
    """

    name: str
    id: int
    superuser: bool = False
    createdb: bool = False
    sees_all: bool = False
    verifiers: str | None = field(default=None, repr=False)
    valid_until: datetime | None = None
    connection_limit: int | None = None
    session_timeout_s: int | None = None
    external_id: str | None = None
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    id: int


@dataclass(frozen=True, slots=True)
class Role:
    """owner : the user who made it; no one may be told of the system's own"""

    name: str
    id: int
    owner: str
    external_id: str | None = None

    @property
    def is_systems(self) -> bool:
        return self.name.startswith("sys:")


@dataclass(frozen=True, slots=True)
class Principal:
    """Whom privileges are granted to; PUBLIC has the number 0."""

    kind: PrincipalKind
    id: int = 0


PUBLIC = Principal("public")


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """`admin` : the grantee may grant and revoke the role too"""

    role_id: int
    grantee: Principal
    admin: bool = False


class Users:
    """The users, groups and roles that one session sees."""

    def __init__(self, records: Records) -> None:
        self._records = records

    # Users

    def find(self, name: str) -> User | None:
        return self._records.cached(("user", name), lambda: self._load("name", name), Part.FRAME)

    def by_id(self, user_id: int) -> User | None:
        return self._records.cached(("user id", str(user_id)), lambda: self._load("id", user_id), Part.FRAME)

    def get(self, name: str, position: int | None = None) -> User:
        """As find; UndefinedObject when there is no such user."""
        found = self.find(name)
        if found is None:
            raise errors.UndefinedObject(f'user "{name}" does not exist', position=position)
        return found

    def _load(self, key: Literal["name", "id"], value: str | int) -> User | None:
        rows = self._records.read(f"SELECT {_USER} FROM _restframe.users WHERE {key} = ?", [value])
        return _user(rows[0]) if rows else None

    def all(self) -> list[User]:
        return [_user(row) for row in self._records.read(f"SELECT {_USER} FROM _restframe.users ORDER BY name")]

    def next_id(self) -> int:
        """For a user, group or role: one that nobody has had."""
        return int(self._records.read("SELECT nextval('_restframe.principal_ids')")[0][0])

    def add(self, user: User) -> None:
        values = _user_values(user)
        self._records.write(f"INSERT INTO _restframe.users VALUES ({', '.join('?' * len(values))})", values)

    def replace(self, user: User) -> None:
        """Record a user of this number anew. What the user owns is found under a new name too."""
        old = self.by_id(user.id)
        self._records.write("DELETE FROM _restframe.users WHERE id = ?", [user.id])
        self.add(user)
        if old is not None and old.name != user.name:
            for table in _OWNED:
                self._records.write(f"UPDATE _restframe.{table} SET owner = ? WHERE owner = ?", [user.name, old.name])

    def remove(self, user: User) -> None:
        self._records.write("DELETE FROM _restframe.users WHERE id = ?", [user.id])
        self._records.write("DELETE FROM _restframe.group_members WHERE user_id = ?", [user.id])
        self._forget_roles_of(Principal("user", user.id))

    def owns_something(self, user: User) -> bool:
        owned = " UNION ALL ".join(f"SELECT 1 FROM _restframe.{table} WHERE owner = $1" for table in _OWNED)
        return bool(self._records.read(f"{owned} LIMIT 1", [user.name]))

    # Groups

    def group(self, name: str, position: int | None = None) -> Group:
        found = self.find_group(name)
        if found is None:
            raise errors.UndefinedObject(f'group "{name}" does not exist', position=position)
        return found

    def find_group(self, name: str) -> Group | None:
        rows = self._records.read("SELECT name, id FROM _restframe.groups WHERE name = ?", [name])
        return Group(*rows[0]) if rows else None

    def add_group(self, group: Group) -> None:
        self._records.write("INSERT INTO _restframe.groups VALUES (?, ?)", [group.id, group.name])

    def rename_group(self, group: Group, name: str) -> None:
        self._records.write("UPDATE _restframe.groups SET name = ? WHERE id = ?", [name, group.id])

    def remove_group(self, group: Group) -> None:
        self._records.write("DELETE FROM _restframe.groups WHERE id = ?", [group.id])
        self._records.write("DELETE FROM _restframe.group_members WHERE group_id = ?", [group.id])

    def join(self, group: Group, user: User) -> None:
        self.leave(group, user)
        self._records.write("INSERT INTO _restframe.group_members VALUES (?, ?)", [group.id, user.id])

    def leave(self, group: Group, user: User) -> None:
        self._records.write(
            "DELETE FROM _restframe.group_members WHERE group_id = ? AND user_id = ?", [group.id, user.id]
        )

    # Roles

    def role(self, name: str, position: int | None = None) -> Role:
        found = self.find_role(name)
        if found is None:
            raise errors.UndefinedObject(f'role "{name}" does not exist', position=position)
        return found

    def find_role(self, name: str) -> Role | None:
        rows = self._records.read("SELECT name, id, owner, external_id FROM _restframe.roles WHERE name = ?", [name])
        return Role(*rows[0]) if rows else None

    def add_role(self, role: Role) -> None:
        self._records.write(
            "INSERT INTO _restframe.roles VALUES (?, ?, ?, ?)", [role.id, role.name, role.owner, role.external_id]
        )

    def replace_role(self, role: Role) -> None:
        self._records.write("DELETE FROM _restframe.roles WHERE id = ?", [role.id])
        self.add_role(role)

    def remove_role(self, role: Role) -> None:
        self._records.write("DELETE FROM _restframe.roles WHERE id = ?", [role.id])
        self._records.write("DELETE FROM _restframe.role_grants WHERE role_id = ?", [role.id])
        self._forget_roles_of(Principal("role", role.id))

    def role_grants(self) -> list[RoleGrant]:
        """Who has been granted which role, directly."""
        rows = self._records.cached(
            ("role grants",),
            lambda: self._records.read(
                "SELECT role_id, grantee_kind, grantee_id, admin FROM _restframe.role_grants ORDER BY ALL"
            ),
            Part.FRAME,
        )
        return [RoleGrant(role_id, Principal(kind, grantee), admin) for role_id, kind, grantee, admin in rows]

    def grant_role(self, grant: RoleGrant, grantor: User) -> None:
        self.revoke_role(grant)
        self._records.write(
            "INSERT INTO _restframe.role_grants VALUES (?, ?, ?, ?, ?)",
            [grant.role_id, grant.grantee.kind, grant.grantee.id, grant.admin, grantor.id],
        )

    def revoke_role(self, grant: RoleGrant) -> None:
        self._records.write(
            "DELETE FROM _restframe.role_grants WHERE role_id = ? AND grantee_kind = ? AND grantee_id = ?",
            [grant.role_id, grant.grantee.kind, grant.grantee.id],
        )

    def _forget_roles_of(self, grantee: Principal) -> None:
        self._records.write(
            "DELETE FROM _restframe.role_grants WHERE grantee_kind = ? AND grantee_id = ?", [grantee.kind, grantee.id]
        )

    def roles_of(self, principal: Principal) -> dict[int, bool]:
        """The numbers of all roles somebody holds, through others too, each with whether they may be granted on."""
        grants = self.role_grants()
        held: dict[int, bool] = {}
        waiting = [principal]
        while waiting:
            holder = waiting.pop()
            for grant in grants:
                if grant.grantee == holder and (grant.role_id not in held or grant.admin > held[grant.role_id]):
                    held[grant.role_id] = grant.admin
                    waiting.append(Principal("role", grant.role_id))
        return held


_OWNED = ("tables", "schemas", "models", "roles")
_COLUMNS = tuple(field.name for field in dataclasses.fields(User))
_USER = ", ".join(_COLUMNS)


def _user(row: Sequence[Any]) -> User:
    values = dict(zip(_COLUMNS, row, strict=True))
    settings = (text.partition("=") for text in values["settings"] or ())
    return User(**{**values, "settings": tuple((name, value) for name, _, value in settings)})


def _user_values(user: User) -> list[Any]:
    return [
        user.id, user.name, user.superuser, user.createdb, user.sees_all, user.verifiers, user.valid_until,
        user.connection_limit, user.session_timeout_s, user.external_id,
        [f"{name}={value}" for name, value in user.settings],
    ]  # fmt: skip


# What the roles of the system may do. They are made with the file, and cannot be changed.
# https://docs.aws.amazon.com/redshift/latest/dg/r_roles-default.html
_MONITOR = ("ACCESS CATALOG", "ACCESS SYSTEM TABLE")
_OPERATOR = (*_MONITOR, "ANALYZE", "CANCEL", "VACUUM")
SYSTEM_ROLES: dict[str, tuple[str, ...]] = {
    "sys:monitor": _MONITOR,
    "sys:operator": _OPERATOR,
    "sys:dba": (
        *_OPERATOR, "ALTER TABLE", "CREATE MODEL", "CREATE SCHEMA", "CREATE TABLE", "DROP SCHEMA", "DROP TABLE",
        "TRUNCATE TABLE",
    ),
    "sys:secadmin": ("ALTER USER", "CREATE ROLE", "CREATE USER", "DROP ROLE", "DROP USER", *_MONITOR),
    "sys:superuser": ("SUPERUSER",),
}  # fmt: skip
_FIRST_SYSTEM_ROLE_ID = 10

TABLES = """
CREATE SEQUENCE IF NOT EXISTS _restframe.principal_ids START 101;
CREATE TABLE IF NOT EXISTS _restframe.users (
    id BIGINT, name VARCHAR, superuser BOOLEAN, createdb BOOLEAN, sees_all BOOLEAN, verifiers VARCHAR,
    valid_until TIMESTAMP, connection_limit INTEGER, session_timeout_s INTEGER, external_id VARCHAR,
    settings VARCHAR[]);
CREATE TABLE IF NOT EXISTS _restframe.groups (id BIGINT, name VARCHAR);
CREATE TABLE IF NOT EXISTS _restframe.group_members (group_id BIGINT, user_id BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.roles (id BIGINT, name VARCHAR, owner VARCHAR, external_id VARCHAR);
CREATE TABLE IF NOT EXISTS _restframe.role_grants (
    role_id BIGINT, grantee_kind VARCHAR, grantee_id BIGINT, admin BOOLEAN, grantor_id BIGINT);
CREATE OR REPLACE VIEW _restframe.acts_as AS
    WITH RECURSIVE held (user_id, role_id) AS (
        SELECT grantee_id, role_id FROM _restframe.role_grants WHERE grantee_kind = 'user'
        UNION
        SELECT h.user_id, g.role_id FROM held h JOIN _restframe.role_grants g
        ON g.grantee_kind = 'role' AND g.grantee_id = h.role_id)
    SELECT id AS user_id, 'user' AS kind, id FROM _restframe.users
    UNION ALL SELECT id, 'public', 0 FROM _restframe.users
    UNION ALL SELECT user_id, 'group', group_id FROM _restframe.group_members
    UNION ALL SELECT user_id, 'role', role_id FROM held;
"""


def create(records: Records, superuser: str) -> None:
    """See to it that the superuser of the settings is there, under this name, and the roles of the system.

    InterfaceError when somebody else has the name.
    """
    users = Users(records)
    first, named = users.by_id(SUPERUSER_ID), users.find(superuser)
    if named is not None and named.id != SUPERUSER_ID:
        raise errors.InterfaceError(
            f'the superuser cannot be called "{superuser}", which is the name of another user',
            hint="Change the setting `user`.",
        )
    if first is None:
        users.add(User(superuser, SUPERUSER_ID, superuser=True, createdb=True, sees_all=True))
        for number, name in enumerate(SYSTEM_ROLES, start=_FIRST_SYSTEM_ROLE_ID):
            users.add_role(Role(name, number, superuser))
    elif first.name != superuser:
        users.replace(dataclasses.replace(first, name=superuser))
