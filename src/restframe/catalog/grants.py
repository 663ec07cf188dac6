"""Privileges: what was granted to whom, and what somebody may do by all of it.

https://docs.aws.amazon.com/redshift/latest/dg/r_GRANT.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from restframe.catalog.records import Part
from restframe.catalog.users import PUBLIC, SUPERUSER_ID, SYSTEM_ROLES, Principal, Records, User, Users

# What privileges are on. `table` is any relation, `system` the warehouse as a whole, `iam role` all IAM roles or one.
ObjectKind = Literal["table", "schema", "database", "model", "system", "iam role"]

PRIVILEGES: dict[ObjectKind, tuple[str, ...]] = {
    "table": ("SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE"),
    "schema": ("CREATE", "USAGE", "ALTER", "DROP"),
    "database": ("CREATE", "TEMPORARY", "USAGE", "ALTER"),
    "model": ("EXECUTE",),
    "system": (
        "ACCESS CATALOG", "ACCESS SYSTEM TABLE", "ALTER DEFAULT PRIVILEGES", "ALTER TABLE", "ALTER USER", "ANALYZE",
        "CANCEL", "CREATE MODEL", "CREATE ROLE", "CREATE SCHEMA", "CREATE TABLE", "CREATE USER", "DROP ROLE",
        "DROP SCHEMA", "DROP TABLE", "DROP USER", "TRUNCATE TABLE", "VACUUM",
    ),
    "iam role": ("COPY", "UNLOAD", "EXTERNAL FUNCTION", "CREATE MODEL"),
}  # fmt: skip
COLUMN_PRIVILEGES = ("SELECT", "UPDATE")


@dataclass(frozen=True, slots=True)
class Object:
    """What a privilege is on, by its number in the catalog.

    The database, the system and all IAM roles together are one each, with 0.
    """

    kind: ObjectKind
    id: int = 0


DATABASE = Object("database")
SYSTEM = Object("system")
IAM_ROLES = Object("iam role")


@dataclass(frozen=True, slots=True)
class Grant:
    """column : of a privilege on one column; of ASSUMEROLE, on one IAM role. grantable : the grantee may pass it on."""

    object: Object
    privilege: str
    grantee: Principal
    grantor_id: int
    column: str | None = None
    grantable: bool = False


@dataclass(frozen=True, slots=True)
class DefaultGrant:
    """What is granted on each new object of an owner's, in one schema or in all.

    kind : `table`, or `function` and `procedure`, which nothing makes yet
    """

    owner_id: int
    schema: str | None
    kind: str
    privilege: str
    grantee: Principal
    grantable: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """All that one user may do by what was granted to the user, the user's groups and roles, and PUBLIC.

    What comes from owning an object is not in here.
    """

    user: User
    superuser: bool
    granted: Mapping[Object, Mapping[str, bool]]  # the privileges, each with whether it may be granted on
    columns: Mapping[Object, Mapping[str, frozenset[str]]]

    def has(self, on: Object, privilege: str) -> bool:
        return self.superuser or privilege in self.granted.get(on, ())

    def has_any(self, on: Object) -> bool:
        """Any privilege at all, or one on a column."""
        return self.superuser or on in self.granted or on in self.columns

    def may_assume(self, iam_role: str, command: str) -> bool:
        return self.has(IAM_ROLES, command) or iam_role in self.columns_with(IAM_ROLES, command)

    def may_grant(self, on: Object, privilege: str) -> bool:
        return self.superuser or self.granted.get(on, {}).get(privilege, False)

    def columns_with(self, on: Object, privilege: str) -> frozenset[str]:
        return self.columns.get(on, {}).get(privilege, frozenset())

    @property
    def sees_all(self) -> bool:
        """Whether system tables show the rows of others."""
        return self.superuser or self.user.sees_all or self.has(SYSTEM, "ACCESS SYSTEM TABLE")

    @property
    def cancels(self) -> bool:
        """Whether the user may stop the statements of others."""
        return self.superuser or self.has(SYSTEM, "CANCEL")


class Grants:
    """The privileges that one session sees."""

    def __init__(self, records: Records, users: Users) -> None:
        self._records = records
        self._users = users
        self._changed = False  # since lists of access were written down

    def rights(self, user_id: int) -> Rights | None:
        """None when there is no such user any more."""
        return self._records.cached(("rights", str(user_id)), lambda: self._load(user_id), Part.FRAME)

    def _load(self, user_id: int) -> Rights | None:
        user = self._users.by_id(user_id)
        if user is None:
            return None
        rows = self._records.read(
            "SELECT g.kind, g.object_id, g.column_name, g.privilege, bool_or(g.grantable) FROM _restframe.grants g "
            "JOIN _restframe.acts_as a ON g.grantee_kind = a.kind AND g.grantee_id = a.id "
            "WHERE a.user_id = ? GROUP BY ALL",
            [user_id],
        )
        granted: dict[Object, dict[str, bool]] = {}
        columns: dict[Object, dict[str, frozenset[str]]] = {}
        for kind, object_id, column, privilege, grantable in rows:
            on = Object(kind, object_id)
            if column is None:
                granted.setdefault(on, {})[privilege] = grantable
            else:
                named = columns.setdefault(on, {})
                named[privilege] = named.get(privilege, frozenset()) | {column}
        superuser = user.superuser or "SUPERUSER" in granted.get(SYSTEM, ())
        return Rights(user, superuser, granted, columns)

    # Lists of access, which are written down after a statement that has changed what they show

    def renamed(self) -> None:
        """Somebody whom lists of access show has another name."""
        self._changed = True

    def write_lists(self) -> None:
        if self._changed:
            self._changed = False
            self._records.write("DELETE FROM _restframe.access")
            self._records.write("INSERT INTO _restframe.access SELECT * FROM _restframe.base_access")

    # Granting

    def give(self, grants: Iterable[Grant]) -> None:
        """Record grants; what is there already stays, and may be passed on if either says so."""
        known: dict[Object, dict[tuple[object, ...], bool]] = {}
        added: list[Grant] = []
        for grant in grants:
            if grant.object not in known:
                known[grant.object] = {tuple(_key(one)): one.grantable for one in self.on(grant.object)}
            key, there = tuple(_key(grant)), known[grant.object]
            if key not in there:
                added.append(grant)
            elif grant.grantable and not there[key]:
                self._changed = True
                self._records.write(f"UPDATE _restframe.grants SET grantable = true WHERE {_SAME}", list(key))
            there[key] = grant.grantable or there.get(key, False)
        self._changed = self._changed or bool(added)
        for start in range(0, len(added), _ROWS_AT_ONCE):
            rows = added[start : start + _ROWS_AT_ONCE]
            self._records.write(
                f"INSERT INTO _restframe.grants VALUES {', '.join(['(?, ?, ?, ?, ?, ?, ?, ?)'] * len(rows))}",
                [value for one in rows for value in (*_key(one), one.grantor_id, one.grantable)],
            )

    def take(self, grant: Grant, *, option_only: bool = False) -> None:
        """Remove a grant, or with `option_only` the right to pass it on. No effect when it is not there."""
        old = [one for one in self.on(grant.object) if _same(one, grant)]
        if not old or (option_only and not old[0].grantable):
            return
        self._changed = True
        if option_only:
            self._records.write(f"UPDATE _restframe.grants SET grantable = false WHERE {_SAME}", _key(grant))
        else:
            self._delete(grant)

    def _delete(self, grant: Grant) -> None:
        self._records.write(f"DELETE FROM _restframe.grants WHERE {_SAME}", _key(grant))

    def on(self, target: Object) -> list[Grant]:
        """All grants on an object, its columns included."""
        rows = self._records.cached(
            ("grants on", target.kind, str(target.id)),
            lambda: self._records.read(
                "SELECT privilege, grantee_kind, grantee_id, grantor_id, column_name, grantable "
                "FROM _restframe.grants WHERE kind = ? AND object_id = ? ORDER BY ALL",
                [target.kind, target.id],
            ),
            Part.FRAME,
        )
        return [
            Grant(target, privilege, Principal(kind, grantee), grantor, column, grantable)
            for privilege, kind, grantee, grantor, column, grantable in rows
        ]

    def forget(self, target: Object) -> None:
        """When the object is dropped."""
        self._records.write("DELETE FROM _restframe.grants WHERE kind = ? AND object_id = ?", [target.kind, target.id])

    def forget_column(self, target: Object, column: str) -> None:
        self._changed = True
        self._records.write(
            "DELETE FROM _restframe.grants WHERE kind = ? AND object_id = ? AND column_name = ?",
            [target.kind, target.id, column],
        )

    def rename_column(self, target: Object, column: str, name: str) -> None:
        self._changed = True
        self._records.write(
            "UPDATE _restframe.grants SET column_name = ? WHERE kind = ? AND object_id = ? AND column_name = ?",
            [name, target.kind, target.id, column],
        )

    def holds_any(self, principal: Principal) -> bool:
        """Whether anything was granted to somebody directly, by default privileges too."""
        values = [principal.kind, principal.id]
        rows = self._records.read(
            "SELECT 1 FROM _restframe.grants WHERE grantee_kind = $1 AND grantee_id = $2 UNION ALL "
            "SELECT 1 FROM _restframe.default_grants WHERE grantee_kind = $1 AND grantee_id = $2 LIMIT 1",
            values,
        )
        return bool(rows)

    def forget_principal(self, principal: Principal) -> None:
        self._changed = True
        for table in ("grants", "default_grants"):
            self._records.write(
                f"DELETE FROM _restframe.{table} WHERE grantee_kind = ? AND grantee_id = ?",
                [principal.kind, principal.id],
            )
        if principal.kind == "user":
            self._records.write("DELETE FROM _restframe.default_grants WHERE owner_id = ?", [principal.id])

    # Default privileges

    def defaults(self, owner_id: int) -> list[DefaultGrant]:
        rows = self._records.cached(
            ("defaults", str(owner_id)),
            lambda: self._records.read(
                "SELECT schema_name, kind, privilege, grantee_kind, grantee_id, grantable "
                "FROM _restframe.default_grants WHERE owner_id = ? ORDER BY ALL",
                [owner_id],
            ),
            Part.FRAME,
        )
        return [
            DefaultGrant(owner_id, schema, kind, privilege, Principal(grantee_kind, grantee_id), grantable)
            for schema, kind, privilege, grantee_kind, grantee_id, grantable in rows
        ]

    def add_default(self, default: DefaultGrant) -> None:
        self.remove_default(default)
        self._records.write(
            "INSERT INTO _restframe.default_grants VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                default.owner_id, default.schema, default.kind, default.privilege, default.grantee.kind,
                default.grantee.id, default.grantable,
            ],
        )  # fmt: skip

    def remove_default(self, default: DefaultGrant) -> None:
        self._records.write(
            "DELETE FROM _restframe.default_grants WHERE owner_id = ? AND schema_name IS NOT DISTINCT FROM ? "
            "AND kind = ? AND privilege = ? AND grantee_kind = ? AND grantee_id = ?",
            [
                default.owner_id, default.schema, default.kind, default.privilege, default.grantee.kind,
                default.grantee.id,
            ],
        )  # fmt: skip


def _same(one: Grant, other: Grant) -> bool:
    return _key(one) == _key(other)


_ROWS_AT_ONCE = 500
_SAME = (
    "kind = ? AND object_id = ? AND column_name IS NOT DISTINCT FROM ? AND privilege = ? "
    "AND grantee_kind = ? AND grantee_id = ?"
)


def _key(grant: Grant) -> list[object]:
    return [
        grant.object.kind, grant.object.id, grant.column, grant.privilege, grant.grantee.kind, grant.grantee.id,
    ]  # fmt: skip


TABLES = """
CREATE TABLE IF NOT EXISTS _restframe.grants (
    kind VARCHAR, object_id BIGINT, column_name VARCHAR, privilege VARCHAR, grantee_kind VARCHAR, grantee_id BIGINT,
    grantor_id BIGINT, grantable BOOLEAN);
CREATE TABLE IF NOT EXISTS _restframe.default_grants (
    owner_id BIGINT, schema_name VARCHAR, kind VARCHAR, privilege VARCHAR, grantee_kind VARCHAR, grantee_id BIGINT,
    grantable BOOLEAN);
"""


def create(records: Records, public_schema: int) -> None:
    """What everybody may do in a new file, and what the roles of the system may."""
    users = Users(records)
    grants = Grants(records, users)
    everybody = [
        (Object("schema", public_schema), ("CREATE", "USAGE")),
        (DATABASE, ("TEMPORARY",)),
        (IAM_ROLES, PRIVILEGES["iam role"]),
    ]
    grants.give(Grant(on, privilege, PUBLIC, SUPERUSER_ID) for on, privileges in everybody for privilege in privileges)
    for name, privileges in SYSTEM_ROLES.items():
        role = Principal("role", users.role(name).id)
        grants.give(Grant(SYSTEM, privilege, role, SUPERUSER_ID) for privilege in privileges)
