"""Users, groups, roles and grants in the data's own file: how they are made, found, and kept when files grow up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from restframe import errors, settings
from restframe.catalog import layout, store
from restframe.catalog.grants import DATABASE, IAM_ROLES, SYSTEM, Grant, Object
from restframe.catalog.records import Cache
from restframe.catalog.users import PUBLIC, Group, Principal, Role, RoleGrant, User
from restframe.engine import Connection
from restframe.engine.duckdb import DuckDB

TABLE = Object("table", 7)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    engine = DuckDB(None, settings.load(tmp_path))
    connection = engine.connect()
    layout.create(connection, "boss")
    yield connection
    connection.close()
    engine.close()


@pytest.fixture
def catalog(connection: Connection) -> store.Catalog:
    return store.Catalog(connection, Cache(), {})


def new_user(catalog: store.Catalog, name: str) -> User:
    user = User(name, catalog.users.next_id())
    catalog.users.add(user)
    catalog.commit()
    return user


def test_a_new_file_has_a_superuser_and_the_roles_of_the_system(catalog: store.Catalog) -> None:
    assert catalog.users.get("boss") == User("boss", 100, superuser=True, createdb=True, sees_all=True)
    assert [user.name for user in catalog.users.all()] == ["boss"]
    assert catalog.users.role("sys:monitor").is_systems
    assert catalog.rights.superuser


def test_what_is_recorded_comes_back(catalog: store.Catalog) -> None:
    moment = datetime(2030, 1, 2, 3, 4, 5)
    user = User(
        "Zoë", 555, False, True, True, "md5x", moment, 5, 600, "ext", (("query_group", "a=b"), ("timezone", "UTC"))
    )
    catalog.users.add(user)
    catalog.commit()
    assert catalog.users.find("Zoë") == catalog.users.by_id(555) == user
    assert "md5x" not in repr(user)
    with pytest.raises(errors.UndefinedObject, match='user "zoë" does not exist'):
        catalog.users.get("zoë")


def test_numbers_are_never_given_again(catalog: store.Catalog) -> None:
    first = new_user(catalog, "ann")
    catalog.users.remove(first)
    catalog.commit()
    assert new_user(catalog, "ann").id > first.id > 100


def test_roles_are_held_through_others(catalog: store.Catalog) -> None:
    ann, users = new_user(catalog, "ann"), catalog.users
    for number, name in enumerate(("a", "b", "c"), 1000):
        users.add_role(Role(name, number, "boss"))
    boss = users.get("boss")
    users.grant_role(RoleGrant(1000, Principal("role", 1001)), boss)
    users.grant_role(RoleGrant(1001, Principal("role", 1002)), boss)
    users.grant_role(RoleGrant(1002, Principal("user", ann.id), admin=True), boss)
    catalog.commit()
    assert users.roles_of(Principal("user", ann.id)) == {1002: True, 1001: False, 1000: False}
    users.revoke_role(RoleGrant(1001, Principal("role", 1002)))
    catalog.commit()
    assert users.roles_of(Principal("user", ann.id)) == {1002: True}


def test_rights_are_what_was_granted_in_any_way(catalog: store.Catalog) -> None:
    ann, users, grants = new_user(catalog, "ann"), catalog.users, catalog.grants
    users.add_group(Group("staff", 2000))
    users.join(Group("staff", 2000), ann)
    users.add_role(Role("reader", 2001, "boss"))
    users.grant_role(RoleGrant(2001, Principal("user", ann.id)), users.get("boss"))
    grants.give(
        [
            Grant(TABLE, "SELECT", Principal("role", 2001), 100),
            Grant(TABLE, "INSERT", Principal("group", 2000), 100),
            Grant(TABLE, "DELETE", Principal("user", ann.id), 100, grantable=True),
            Grant(TABLE, "UPDATE", PUBLIC, 100, column="a"),
            Grant(TABLE, "UPDATE", Principal("user", ann.id), 100, column="b"),
            Grant(TABLE, "TRUNCATE", Principal("user", 9999), 100),
        ]
    )
    catalog.commit()
    rights = grants.rights(ann.id)
    assert rights is not None
    assert [rights.has(TABLE, name) for name in ("SELECT", "INSERT", "DELETE")] == [True] * 3
    assert [rights.has(TABLE, name) for name in ("UPDATE", "TRUNCATE", "DROP")] == [False] * 3
    assert rights.columns_with(TABLE, "UPDATE") == {"a", "b"}
    assert (rights.may_grant(TABLE, "DELETE"), rights.may_grant(TABLE, "SELECT")) == (True, False)
    assert (rights.superuser, rights.sees_all) == (False, False)
    assert rights.has(DATABASE, "TEMPORARY")
    assert rights.has(Object("schema", 2200), "CREATE")
    grants.forget(TABLE)
    catalog.commit()
    after = grants.rights(ann.id)
    assert after is not None
    assert not after.has_any(TABLE)


def test_the_role_of_superusers_makes_one(catalog: store.Catalog) -> None:
    ann = new_user(catalog, "ann")
    catalog.users.grant_role(
        RoleGrant(catalog.users.role("sys:superuser").id, Principal("user", ann.id)), catalog.users.get("boss")
    )
    catalog.commit()
    rights = catalog.grants.rights(ann.id)
    assert rights is not None
    assert (rights.superuser, rights.sees_all, rights.has(SYSTEM, "anything")) == (True, True, True)


def test_a_grant_is_there_once(catalog: store.Catalog) -> None:
    ann = Principal("user", new_user(catalog, "ann").id)
    plain = Grant(TABLE, "SELECT", ann, 100)
    passing = Grant(TABLE, "SELECT", ann, 100, grantable=True)
    for one in (plain, passing, plain):
        catalog.grants.give([one])
        catalog.commit()
    assert catalog.grants.on(TABLE) == [passing]
    catalog.grants.take(plain, option_only=True)
    catalog.commit()
    assert catalog.grants.on(TABLE) == [plain]
    assert catalog.grants.holds_any(ann)
    catalog.grants.take(plain)
    catalog.commit()
    assert catalog.grants.on(TABLE) == []
    assert not catalog.grants.holds_any(ann)


def test_another_name_for_the_superuser(connection: Connection, catalog: store.Catalog) -> None:
    layout.create(connection, "chief")
    assert catalog.users.find("boss") is None
    assert catalog.users.get("chief").id == 100
    assert [(one.name, one.owner) for one in catalog.all_schemas()] == [("public", "chief")]
    new_user(catalog, "ann")
    with pytest.raises(errors.InterfaceError, match="name of another user"):
        layout.create(connection, "ann")


def test_a_file_from_before_users(connection: Connection, catalog: store.Catalog) -> None:
    """Whoever owned something becomes a user without a password."""
    for table in (
        "comments",
        "users",
        "groups",
        "group_members",
        "roles",
        "role_grants",
        "grants",
        "default_grants",
        "view_reads",
    ):
        connection.run(f"DROP TABLE _restframe.{table} CASCADE")
    connection.run("DROP SEQUENCE _restframe.oids")
    connection.run("ALTER TABLE _restframe.schemas DROP COLUMN oid")
    connection.run("ALTER TABLE _restframe.tables DROP COLUMN oid")
    connection.run("INSERT INTO _restframe.schemas VALUES ('s', 'ann')")
    connection.run("UPDATE _restframe.format SET version = 1")
    layout.create(connection, "boss")
    assert [(user.name, user.superuser) for user in catalog.users.all()] == [("ann", False), ("boss", True)]
    ann = catalog.grants.rights(catalog.users.get("ann").id)
    assert ann is not None
    assert ann.has(Object("schema", 2200), "USAGE")
    assert ann.may_assume("arn:a", "COPY")
    assert connection.run("SELECT version FROM _restframe.format") == [(layout.FORMAT,)]


def test_in_a_file_from_before_assumerole_everybody_may_assume(connection: Connection, catalog: store.Catalog) -> None:
    connection.run("DELETE FROM _restframe.grants WHERE kind = 'iam role'")
    connection.run("UPDATE _restframe.format SET version = 2")
    layout.create(connection, "boss")
    commands = [(one.privilege, one.grantee, one.column) for one in catalog.grants.on(IAM_ROLES)]
    assert commands == [(command, PUBLIC, None) for command in ("COPY", "CREATE MODEL", "EXTERNAL FUNCTION", "UNLOAD")]
