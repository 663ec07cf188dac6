"""System views after objects have changed: renamed, altered, granted, commented, dropped, rolled back, temporary."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import restframe
from restframe import errors


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path) as opened:
        yield opened


@pytest.fixture
def session(warehouse: restframe.Warehouse) -> Iterator[restframe.Session]:
    with warehouse.session() as opened:
        opened.execute("CREATE TABLE t (a int, b varchar(10), c date)")
        yield opened


def rows(session: restframe.Session, query: str) -> list[tuple[object, ...]]:
    return session.execute(query).fetchall()


CLASSES = "SELECT relname, relkind FROM pg_class WHERE relnamespace = 2200 ORDER BY 1"
COLUMNS = "SELECT attname, attnum, atttypmod FROM pg_attribute WHERE attrelid = 't'::regclass ORDER BY attnum"


def test_columns_that_are_added_renamed_and_dropped(session: restframe.Session) -> None:
    session.execute("ALTER TABLE t ADD COLUMN d numeric(8,2)")
    session.execute("ALTER TABLE t RENAME COLUMN b TO bb")
    session.execute("ALTER TABLE t ALTER COLUMN bb TYPE varchar(20)")
    session.execute("ALTER TABLE t DROP COLUMN a")
    assert rows(session, COLUMNS) == [("bb", 1, 24), ("c", 2, -1), ("d", 3, 524294)]


def test_a_table_keeps_its_number_when_it_changes(session: restframe.Session) -> None:
    before = rows(session, "SELECT oid FROM pg_class WHERE relname = 't'")
    session.execute("ALTER TABLE t RENAME TO u")
    session.execute("ALTER TABLE u ADD PRIMARY KEY (a)")
    assert rows(session, "SELECT oid FROM pg_class WHERE relname = 'u'") == before
    assert rows(session, CLASSES) == [("u", "r"), ("u_pkey", "i")]


def test_what_is_dropped_is_gone_with_all_its_parts(session: restframe.Session) -> None:
    session.execute("ALTER TABLE t ADD PRIMARY KEY (a)")
    session.execute("COMMENT ON TABLE t IS 'x'")
    session.execute("CREATE VIEW v AS SELECT a FROM t")
    session.execute("DROP TABLE t CASCADE")
    assert rows(session, CLASSES) == []
    for view in ("pg_attribute WHERE attrelid > 90000", "pg_constraint", "pg_index", "pg_description"):
        assert rows(session, f"SELECT count(*) FROM {view}") == [(0,)]


def test_a_rollback_takes_back_what_views_show(session: restframe.Session) -> None:
    before = rows(session, CLASSES), rows(session, COLUMNS)
    session.execute("BEGIN")
    session.execute("CREATE TABLE u (x int UNIQUE)")
    session.execute("ALTER TABLE t DROP COLUMN b")
    assert ("u_x_key", "i") in rows(session, CLASSES)
    session.execute("ROLLBACK")
    assert (rows(session, CLASSES), rows(session, COLUMNS)) == before


def test_others_see_a_table_when_it_is_committed(session: restframe.Session, warehouse: restframe.Warehouse) -> None:
    with warehouse.session() as other:
        session.execute("BEGIN")
        session.execute("CREATE TABLE u (x int)")
        assert rows(other, CLASSES) == [("t", "r")]
        session.execute("COMMIT")
        assert rows(other, CLASSES) == [("t", "r"), ("u", "r")]


def test_temporary_tables_are_seen_by_their_session_alone(warehouse: restframe.Warehouse) -> None:
    query = (
        "SELECT nspname, relpersistence FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 'x'"
    )
    with warehouse.session() as session, warehouse.session() as other:
        session.execute("CREATE TEMP TABLE x (a int IDENTITY(3, 2), s super)")
        assert rows(session, query) == [(f"pg_temp_{session.pid}", "t")]
        described = "SELECT \"column\", type FROM pg_table_def WHERE tablename = 'x' ORDER BY 1"
        assert rows(session, described) == [("a", "integer"), ("s", "super")]
        found = rows(session, "SELECT table_type FROM svv_tables WHERE table_name = 'x'")
        assert found == [("LOCAL TEMPORARY",)]
        assert rows(other, query) == []
        session.execute("DROP TABLE x")
        assert rows(session, query) == []
    with warehouse.session() as session:
        session.execute("CREATE TEMP TABLE y (a int)")
    assert warehouse.sql("SELECT count(*) FROM pg_tables").scalar() == 0


def test_temporary_tables_of_a_killed_server_are_forgotten(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse:
        connection = warehouse.session().connection
        connection.run("INSERT INTO _restframe.classes (oid, name, kind, session) VALUES (500000000, 'left', 'r', 1)")
    with restframe.open(tmp_path) as warehouse:
        connection = warehouse.session().connection
        assert connection.run("SELECT count(*) FROM _restframe.classes WHERE session IS NOT NULL") == [(0,)]


def test_comments_follow_what_they_are_on(session: restframe.Session) -> None:
    comments = "SELECT objsubid, description FROM pg_description ORDER BY 1"
    session.execute("COMMENT ON TABLE t IS 'it''s t'")
    session.execute("COMMENT ON COLUMN t.c IS 'a day'")
    session.execute("COMMENT ON COLUMN t.b IS 'a text'")
    assert rows(session, comments) == [(0, "it's t"), (2, "a text"), (3, "a day")]
    session.execute("ALTER TABLE t DROP COLUMN b")
    session.execute("ALTER TABLE t RENAME COLUMN c TO day")
    session.execute("ALTER TABLE t RENAME TO u")
    assert rows(session, comments) == [(0, "it's t"), (2, "a day")]
    assert rows(session, "SELECT remarks FROM svv_columns WHERE column_name = 'day'") == [("a day",)]
    session.execute("COMMENT ON COLUMN u.day IS NULL")
    session.execute("COMMENT ON TABLE u IS 'other'")
    assert rows(session, comments) == [(0, "other")]


def test_grants_are_shown_as_lists_of_access(session: restframe.Session) -> None:
    session.execute("CREATE USER ada PASSWORD DISABLE")
    session.execute('CREATE GROUP "data team"')
    session.execute("GRANT SELECT, INSERT ON t TO ada")
    session.execute('GRANT SELECT ON t TO GROUP "data team"')
    session.execute("GRANT SELECT (a), UPDATE (a) ON t TO PUBLIC")
    owner = rows(session, "SELECT current_user")[0][0]
    assert rows(session, "SELECT relacl FROM pg_class WHERE relname = 't'") == [
        ([f"ada=ar/{owner}", f'group "data team"=r/{owner}'],)
    ]
    found = rows(
        session,
        "SELECT privilege_type, identity_name, identity_type, admin_option FROM svv_relation_privileges "
        "WHERE relation_name = 't' ORDER BY 2, 1",
    )
    assert found == [
        ("INSERT", "ada", "user", False),
        ("SELECT", "ada", "user", False),
        ("SELECT", "data team", "group", False),
    ]
    found = rows(session, "SELECT column_name, privilege_type FROM svv_column_privileges ORDER BY 2")
    assert found == [("a", "SELECT"), ("a", "UPDATE")]
    session.execute("REVOKE ALL ON t FROM ada")
    assert rows(session, "SELECT relacl FROM pg_class WHERE relname = 't'") == [([f'group "data team"=r/{owner}'],)]


def test_lists_of_access_follow_names(session: restframe.Session) -> None:
    session.execute("CREATE USER ada PASSWORD DISABLE; CREATE GROUP g; CREATE ROLE r")
    session.execute("GRANT SELECT ON t TO ada, GROUP g, ROLE r; GRANT UPDATE (b) ON t TO ada")
    owner = rows(session, "SELECT current_user")[0][0]
    session.execute("ALTER TABLE t RENAME COLUMN b TO d")
    columns = "SELECT column_acl FROM svv_redshift_columns WHERE table_name = 't' AND column_name = 'd'"
    assert rows(session, columns) == [(f"ada=w/{owner}",)]
    access = "SELECT relacl FROM pg_class WHERE relname = 't'"
    session.execute("ALTER USER ada RENAME TO bea")
    assert rows(session, access) == [([f"bea=r/{owner}", f"group g=r/{owner}", f"role r=r/{owner}"],)]
    session.execute("ALTER GROUP g RENAME TO h")
    assert rows(session, access) == [([f"bea=r/{owner}", f"group h=r/{owner}", f"role r=r/{owner}"],)]
    session.execute("ALTER ROLE r RENAME TO s")
    assert rows(session, access) == [([f"bea=r/{owner}", f"group h=r/{owner}", f"role s=r/{owner}"],)]
    session.execute("DROP ROLE s FORCE")
    assert rows(session, access) == [([f"bea=r/{owner}", f"group h=r/{owner}"],)]


def test_privileges_of_others_are_not_shown(session: restframe.Session, warehouse: restframe.Warehouse) -> None:
    session.execute("CREATE USER ada PASSWORD DISABLE; CREATE USER eve PASSWORD DISABLE; CREATE ROLE r")
    session.execute(
        "GRANT SELECT ON t TO eve; GRANT INSERT ON t TO ada; GRANT UPDATE ON t TO ROLE r; GRANT ROLE r TO ada"
    )
    query = "SELECT privilege_type FROM svv_relation_privileges ORDER BY 1"
    assert rows(session, query) == [("INSERT",), ("SELECT",), ("UPDATE",)]
    with warehouse.session("ada") as ada:
        assert rows(ada, query) == [("INSERT",), ("UPDATE",)]
        assert rows(ada, "SELECT user_name, role_name FROM svv_user_grants") == [("ada", "r")]
        assert rows(ada, "SELECT role_name FROM information_schema.enabled_roles WHERE role_name = 'r'") == [("r",)]


def test_users_are_listed_without_what_is_secret(session: restframe.Session) -> None:
    session.execute("CREATE USER ada PASSWORD 'Pass-word1' CREATEDB VALID UNTIL '2030-01-01' CONNECTION LIMIT 5")
    found = rows(session, "SELECT usename, usecreatedb, usesuper, passwd FROM pg_user WHERE usename = 'ada'")
    assert found == [("ada", True, False, "********")]
    assert rows(session, "SELECT passwd FROM pg_shadow WHERE usename = 'ada'") == [("********",)]
    assert rows(session, "SELECT connection_limit FROM svv_user_info WHERE user_name = 'ada'") == [("5",)]
    assert rows(
        session, "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname IN ('ada', 'sys:dba') ORDER BY 1"
    ) == [
        ("ada", True),
        ("sys:dba", False),
    ]


def test_table_info_is_of_tables_with_rows(session: restframe.Session) -> None:
    session.execute("CREATE TABLE s (a int ENCODE zstd, k varchar(30)) DISTKEY(k) COMPOUND SORTKEY(a, k)")
    assert rows(session, "SELECT count(*) FROM svv_table_info") == [(0,)]
    session.execute("INSERT INTO s VALUES (1, 'x'), (2, 'y')")
    session.execute("INSERT INTO t VALUES (1, 'x', NULL)")
    found = rows(
        session,
        'SELECT "table", encoded, diststyle, sortkey1, max_varchar, sortkey_num, tbl_rows FROM svv_table_info '
        "ORDER BY 1",
    )
    assert found == [
        ("s", "Y", "KEY(k)", "a", 30, 2, 2),
        ("t", "Y, AUTO(ENCODE)", "AUTO(ALL)", "AUTO(SORTKEY)", 10, 0, 1),
    ]


def test_no_table_can_be_made_of_the_systems_own_types(session: restframe.Session) -> None:
    with pytest.raises(errors.UndefinedObject):
        session.execute("CREATE TABLE x (a oid)")
    session.execute("CREATE TABLE x AS SELECT oid, relname, relkind FROM pg_class WHERE relname = 't'")
    found = rows(session, "SELECT column_name, data_type FROM svv_columns WHERE table_name = 'x' ORDER BY 1")
    assert found == [("oid", "bigint"), ("relkind", "character"), ("relname", "character varying")]
    with pytest.raises(errors.NotSupportedError, match='column "relacl" has unsupported type'):
        session.execute("CREATE TABLE y AS SELECT relacl FROM pg_class")


def test_views_may_read_system_views(session: restframe.Session, warehouse: restframe.Warehouse) -> None:
    session.execute("CREATE VIEW mine AS SELECT relname, oid FROM pg_class WHERE relname = 't'")
    session.execute("CREATE VIEW asked AS SELECT querytxt FROM stl_query")
    with warehouse.session() as other:
        assert rows(other, "SELECT relname FROM mine") == [("t",)]
        other.execute("SELECT 4711")
        assert rows(other, "SELECT count(*) FROM asked WHERE querytxt = 'SELECT 4711'") == [(1,)]
        assert rows(other, "SELECT attname FROM pg_attribute WHERE attrelid = 'mine'::regclass ORDER BY attnum") == [
            ("relname",),
            ("oid",),
        ]
