"""What privileges do beyond a single session's SQL: caches, prepared statements, cursors, other doors, crashes."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

import restframe
from restframe import Session, Warehouse, errors
from restframe.identity.verifiers import Verifiers


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        opened.sql(
            "CREATE TABLE t (a int, b int); INSERT INTO t VALUES (1, 2); "
            "CREATE USER ann PASSWORD 'Analytical1'; CREATE USER ben PASSWORD DISABLE"
        )
        yield opened


@pytest.fixture
def ann(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session("ann") as session:
        yield session


def denied(session: Session, text: str) -> str:
    with pytest.raises(errors.InsufficientPrivilege) as caught:
        session.execute(text).fetchall()
    return caught.value.message


# Who comes in


def test_nobody_else_comes_in(warehouse: Warehouse) -> None:
    with pytest.raises(errors.InvalidAuthorization, match=r'^user "eve" does not exist$') as caught:
        warehouse.session("eve")
    assert caught.value.sqlstate == "28000"
    assert warehouse.login("eve") is None


def test_what_a_login_finds(warehouse: Warehouse) -> None:
    warehouse.sql("ALTER USER ann VALID UNTIL '2030-01-02 03:04:05+01' CONNECTION LIMIT 3 SESSION TIMEOUT 600")
    user = warehouse.login("ann")
    assert user is not None
    assert (user.superuser, user.connection_limit, user.session_timeout_s) == (False, 3, 600)
    assert str(user.valid_until) == "2030-01-02 02:04:05"
    assert "Analytical1" not in repr(user) + str(user.verifiers)
    assert Verifiers.read(user.verifiers or "").check("ann", "Analytical1")
    superuser = warehouse.login("awsuser")
    assert superuser is not None
    assert (superuser.id, superuser.superuser, superuser.verifiers) == (100, True, None)


def test_a_renamed_user_keeps_what_is_owned_and_granted(warehouse: Warehouse, ann: Session) -> None:
    ann.execute("CREATE TABLE mine (a int)")
    warehouse.sql("GRANT SELECT ON t TO ann; ALTER USER ann RENAME TO anna")
    ann.execute("INSERT INTO mine VALUES (1)")
    with warehouse.session("anna") as session:
        assert session.execute("SELECT count(*) FROM mine, t").scalar() == 1
    user = warehouse.login("anna")
    assert user is not None
    assert Verifiers.read(user.verifiers or "").check("anna", "Analytical1")


def test_a_session_starts_with_its_users_settings(warehouse: Warehouse) -> None:
    warehouse.sql("CREATE SCHEMA s; CREATE TABLE s.x (a int); GRANT USAGE ON SCHEMA s TO ann")
    warehouse.sql(
        "GRANT SELECT ON s.x TO ann; ALTER USER ann SET search_path TO s, public; "
        "ALTER USER ann SET timezone = 'Asia/Tokyo'"
    )
    with warehouse.session("ann") as session:
        assert session.execute("SELECT count(*) FROM x").scalar() == 0
        assert session.execute("SHOW timezone").scalar() == "Asia/Tokyo"
        session.execute("SET timezone TO 'UTC'")
        session.execute("RESET timezone")
        assert session.execute("SHOW timezone").scalar() == "Asia/Tokyo"
    warehouse.sql("ALTER USER ann RESET timezone")
    with warehouse.session("ann") as session:
        assert session.execute("SHOW timezone").scalar() == "UTC"
    with pytest.raises(errors.UndefinedObject, match="unrecognized configuration parameter"):
        warehouse.sql("ALTER USER ann SET nothing TO 1")


def test_user_stands_for_a_schema_of_the_same_name(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("CREATE SCHEMA ann AUTHORIZATION ann; GRANT SELECT ON t TO ann")
    ann.execute("CREATE TABLE t (other varchar(5))")
    assert ann.execute("SELECT count(other) FROM t").scalar() == 0
    assert ann.execute("SELECT count(a) FROM public.t").scalar() == 1
    assert ann.execute("SELECT current_schema()").scalar() == "ann"
    warehouse.sql("ALTER SCHEMA ann OWNER TO ben")
    assert ann.execute("SELECT current_schema()").scalar() == "public"
    assert ann.execute("SELECT a FROM t").scalar() == 1


def test_of_two_who_make_a_user_the_second_waits(warehouse: Warehouse) -> None:
    told: list[str] = []

    def make() -> None:
        with warehouse.session() as session:
            try:
                session.execute("CREATE USER carl PASSWORD DISABLE")
            except errors.DuplicateObject as error:
                told.append(error.message)

    with warehouse.session() as session:
        session.execute("BEGIN")
        session.execute("CREATE USER carl PASSWORD DISABLE")
        second = threading.Thread(target=make)
        second.start()
        session.execute("COMMIT")
        second.join(60)
    assert told == ['user "carl" already exists']


# Changes take effect


def test_a_query_that_somebody_else_asked_before(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("CREATE SCHEMA s; CREATE TABLE s.x (a int); GRANT SELECT ON s.x TO ann")
    with warehouse.session() as other:
        for text in ("SELECT a FROM t", "SELECT a FROM s.x"):
            other.execute(text).fetchall()
            other.execute(text).fetchall()
    assert denied(ann, "SELECT a FROM t") == "permission denied for relation t"
    assert denied(ann, "SELECT a FROM s.x") == "permission denied for schema s"
    warehouse.sql("GRANT SELECT ON t TO ann")
    assert ann.execute("SELECT a FROM t").scalar() == 1
    warehouse.sql("REVOKE SELECT ON t FROM ann")
    assert denied(ann, "SELECT a FROM t") == "permission denied for relation t"


def test_a_prepared_statement_is_asked_about_at_each_run(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("GRANT SELECT ON t TO ann")
    prepared = ann.prepare("SELECT a FROM t WHERE b = $1")
    assert ann.run_prepared(prepared, [2]).fetchall() == [(1,)]
    warehouse.sql("REVOKE SELECT ON t FROM ann")
    with pytest.raises(errors.InsufficientPrivilege):
        ann.run_prepared(prepared, [2]).fetchall()
    with pytest.raises(errors.InsufficientPrivilege):
        ann.prepare("SELECT b FROM t")


def test_a_prepared_statement_of_another_authorization(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        prepared = session.prepare("SELECT a FROM t")
        assert session.run_prepared(prepared).fetchall() == [(1,)]
        session.execute("SET SESSION AUTHORIZATION ann")
        with pytest.raises(errors.InsufficientPrivilege):
            session.run_prepared(prepared).fetchall()


def test_rows_are_read_on_whatever_others_change(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("GRANT SELECT ON t TO ann; INSERT INTO t SELECT 1, n FROM generate_series(1, 300000) AS g(n)")
    rows = ann.execute("SELECT a FROM t")
    warehouse.sql("CREATE TABLE other (a int)")
    assert denied(ann, "SELECT * FROM other") == "permission denied for relation other"
    assert len(rows.fetchall()) == 300_001


def test_a_cursor_reads_on_whatever_others_change(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("GRANT SELECT ON t TO ann; INSERT INTO t SELECT 1, n FROM generate_series(1, 100000) AS g(n)")
    ann.execute("BEGIN")
    ann.execute("DECLARE c CURSOR FOR SELECT a FROM t")
    assert ann.execute("FETCH 1 FROM c").fetchall() == [(1,)]
    warehouse.sql("CREATE TABLE other (a int); REVOKE SELECT ON t FROM ben")
    assert ann.run_prepared(ann.prepare("FETCH 9 FROM c")).fetchall() == [(1,)] * 9
    warehouse.sql("DROP TABLE other")
    assert len(ann.execute("FETCH 99990 FROM c").fetchall()) == 99_990


def test_a_dropped_user_can_do_nothing_more(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("DROP USER ann")
    with pytest.raises(errors.InvalidAuthorization, match="was dropped"):
        ann.execute("SELECT 1")
    # A new user of the name is another.
    warehouse.sql("CREATE USER ann PASSWORD DISABLE")
    with pytest.raises(errors.InvalidAuthorization):
        ann.execute("SELECT 1")


def test_grants_are_undone_with_their_transaction(warehouse: Warehouse, ann: Session) -> None:
    with warehouse.session() as session:
        session.execute("BEGIN")
        session.execute("GRANT SELECT ON t TO ann")
        session.execute("CREATE USER carl PASSWORD DISABLE")
        assert denied(ann, "SELECT a FROM t") == "permission denied for relation t"
        session.execute("ROLLBACK")
    assert denied(ann, "SELECT a FROM t") == "permission denied for relation t"
    assert warehouse.login("carl") is None


def test_authorization_ends_with_a_rollback(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        session.execute("BEGIN")
        session.execute("SET SESSION AUTHORIZATION ann")
        with pytest.raises(errors.InsufficientPrivilege):
            session.execute("SELECT * FROM t")
        session.execute("ROLLBACK")
        assert session.execute("SELECT current_user").scalar() == "awsuser"
        assert session.execute("SELECT a FROM t").scalar() == 1


def test_statements_wait_for_no_lock_that_they_may_not_have(warehouse: Warehouse, ann: Session) -> None:
    with warehouse.session() as session:
        session.execute("BEGIN")
        session.execute("UPDATE t SET a = 2")
        for text in ("DELETE FROM t", "TRUNCATE t", "DROP TABLE t", "ALTER TABLE t ADD COLUMN c int"):
            denied(ann, text)


# What functions say


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("has_table_privilege('ann', 't', 'select')", True),
        ("has_table_privilege('ann', 'public.t', 'insert')", False),
        ("has_table_privilege('ann', 't', 'insert, select')", True),
        ("has_table_privilege('ann', 't', 'SELECT WITH GRANT OPTION')", False),
        ("has_table_privilege('ben', 't', 'SELECT WITH GRANT OPTION')", True),
        ("has_table_privilege('t', 'delete')", True),
        ("has_table_privilege('ann', 'pg_class', 'select')", True),
        ("has_table_privilege('ann', 'pg_class', 'insert')", False),
        ("has_table_privilege('ann', (SELECT oid FROM pg_class WHERE relname = 't'), 'select')", True),
        ("has_table_privilege((SELECT usesysid FROM pg_user WHERE usename = 'ann'), 't', 'select')", True),
        ("has_column_privilege('ben', 't', 'b', 'update')", True),
        ("has_column_privilege('ben', 't', 'a', 'update')", False),
        ("has_any_column_privilege('ben', 't', 'update')", True),
        ("has_schema_privilege('ann', 'public', 'create')", True),
        ("has_schema_privilege('ann', 'pg_catalog', 'usage')", True),
        ("has_database_privilege('ann', 'dev', 'temp')", True),
        ("has_database_privilege('ann', 'dev', 'create')", False),
        ("has_database_privilege('dev', 'create')", True),
        ("has_function_privilege('ann', 'upper(text)', 'execute')", True),
        ("has_language_privilege('ann', 'sql', 'usage')", True),
        ("pg_has_role('ann', 'reader', 'member')", True),
        ("user_is_member_of('ann', 'staff')", True),
        ("user_is_member_of('ben', 'staff')", False),
    ],
)
def test_functions_that_ask(warehouse: Warehouse, call: str, said: bool) -> None:
    warehouse.sql(
        "CREATE ROLE reader; CREATE ROLE part; GRANT SELECT ON t TO ROLE part; GRANT ROLE part TO ROLE reader; "
        "GRANT ROLE reader TO ann; GRANT UPDATE (b) ON t TO ben; GRANT SELECT ON t TO ben WITH GRANT OPTION; "
        "CREATE GROUP staff WITH USER ann"
    )
    assert warehouse.sql(f"SELECT {call}").scalar() is said


@pytest.mark.parametrize(
    ("call", "sqlstate"),
    [
        ("has_table_privilege('nobody', 't', 'select')", "42704"),
        ("has_table_privilege('ann', 'nothing', 'select')", "42P01"),
        ("has_table_privilege('ann', 't', 'everything')", "22023"),
        ("has_schema_privilege('ann', 'nothing', 'usage')", "3F000"),
    ],
)
def test_functions_that_ask_about_nothing(warehouse: Warehouse, call: str, sqlstate: str) -> None:
    with pytest.raises(errors.Error) as caught:
        warehouse.sql(f"SELECT {call}")
    assert caught.value.sqlstate == sqlstate


# Secrets, and what is kept


def test_no_password_in_the_log(warehouse: Warehouse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    warehouse.sql("ALTER USER ann PASSWORD 'Never2tell'")
    with pytest.raises(errors.Error):
        warehouse.sql("ALTER USER nobody PASSWORD 'Never2tell'")
    assert "ALTER USER ann PASSWORD" in caplog.text
    assert "Never2tell" not in caplog.text


def test_no_password_in_the_file(warehouse: Warehouse) -> None:
    directory = warehouse.settings.directory
    warehouse.sql("ALTER USER ann PASSWORD 'Never2tell'")
    warehouse.close()
    for file in directory.rglob("*"):
        if file.is_file():
            assert b"Never2tell" not in file.read_bytes(), file


def test_another_superuser_by_the_settings(warehouse: Warehouse) -> None:
    directory = warehouse.settings.directory
    warehouse.close()
    with pytest.raises(errors.InterfaceError, match="name of another user"):
        restframe.open(directory, user="ann")
    with restframe.open(directory, user="boss") as again:
        assert again.sql("SELECT current_user").scalar() == "boss"
        assert again.sql("SELECT a FROM t").scalar() == 1
        assert again.login("awsuser") is None
        again.sql("DROP TABLE t")


def test_what_was_acknowledged_survives(tmp_path: Path) -> None:
    script = (
        "import os, signal, restframe\n"
        f"warehouse = restframe.open({str(tmp_path / 'warehouse')!r})\n"
        "warehouse.sql('CREATE TABLE t (a int)')\n"
        'warehouse.sql("CREATE USER ann PASSWORD DISABLE")\n'
        "warehouse.sql('GRANT SELECT ON t TO ann')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], env=dict(os.environ), timeout=300, check=False)
    assert killed.returncode == -signal.SIGKILL
    with restframe.open(tmp_path / "warehouse") as warehouse, warehouse.session("ann") as session:
        assert session.execute("SELECT count(*) FROM t").scalar() == 0
        denied(session, "DELETE FROM t")


# What IAM roles reach


def test_a_role_reaches_the_buckets_that_the_settings_name(tmp_path: Path) -> None:
    directory = tmp_path / "warehouse"
    for bucket in ("lake", "pay", "team-a"):
        (directory / "s3" / bucket).mkdir(parents=True)
        (directory / "s3" / bucket / "rows").write_text("1\n")
    (directory / "s3" / "lake" / "list").write_text('{"entries": [{"url": "s3://pay/rows"}]}')
    (directory / "restframe.toml").write_text(
        '[[iam_roles]]\nrole = "arn:aws:iam::1:role/loads"\nbuckets = ["lake", "team-*"]\n'
        '[[iam_roles]]\nrole = "default"\nbuckets = []\n'
    )
    with restframe.open(directory) as warehouse, warehouse.session() as session:
        session.execute("CREATE TABLE rows (a int)")
        for source in ("s3://lake/rows", "s3://team-a/rows"):
            session.execute(f"COPY rows FROM '{source}' IAM_ROLE 'arn:aws:iam::1:role/loads'")
        session.execute(
            "UNLOAD ('SELECT a FROM rows') TO 's3://team-a/out/' IAM_ROLE 'arn:x,arn:aws:iam::1:role/loads'"
        )
        refused = {
            text: denied_storage(session, text)
            for text in (
                "COPY rows FROM 's3://pay/rows' IAM_ROLE 'arn:aws:iam::1:role/loads'",
                "COPY rows FROM 's3://lake/list' IAM_ROLE 'arn:aws:iam::1:role/loads' MANIFEST",
                "COPY rows FROM 's3://lake/rows' IAM_ROLE 'arn:aws:iam::1:role/loads' JSON 's3://pay/rows'",
                "UNLOAD ('SELECT a FROM rows') TO 's3://pay/out/' IAM_ROLE 'arn:aws:iam::1:role/loads'",
                "CREATE MODEL m FROM rows TARGET a IAM_ROLE 'arn:aws:iam::1:role/loads' AUTO ON MODEL_TYPE FORECAST "
                "SETTINGS (S3_BUCKET 'pay', HORIZON 2, FREQUENCY 'D')",
            )
        }
        assert {f'IAM role "{role}" does not reach bucket "{bucket}"' for role, bucket in refused.values()} == {
            'IAM role "arn:aws:iam::1:role/loads" does not reach bucket "pay"'
        }
        for default in ("", "IAM_ROLE DEFAULT", "IAM_ROLE 'DEFAULT'", "IAM_ROLE 'default-aws-iam-role'"):
            assert denied_storage(session, f"COPY rows FROM 's3://lake/rows' {default}") == ("default", "lake")
        assert denied_storage(session, "COPY rows FROM 's3://lake/rows' IAM_ROLE 'arn:y'") == ("arn:y", "lake")
        assert session.execute("SELECT count(*) FROM rows").scalar() == 2


def denied_storage(session: Session, text: str) -> tuple[str, str]:
    """The role and the bucket that the message names."""
    with pytest.raises(errors.StorageAccessDenied, match="S3ServiceException:Access Denied,Status 403") as caught:
        session.execute(text).fetchall()
    assert caught.value.sqlstate == "42501"
    _, role, _, bucket, _ = caught.value.message.split('"')
    return role, bucket


def test_whoever_grants_is_told_while_everybody_may(warehouse: Warehouse) -> None:
    told = [
        warehouse.sql(text).notices
        for text in (
            "GRANT ASSUMEROLE ON 'arn:a' TO ann FOR COPY",
            "REVOKE ASSUMEROLE ON 'arn:a' FROM PUBLIC FOR COPY, UNLOAD",
            "REVOKE ASSUMEROLE ON ALL FROM PUBLIC FOR ALL",
            "GRANT ASSUMEROLE ON 'arn:a' TO ben FOR COPY",
        )
    ]
    assert [[one.message for one in notices] for notices in told] == [
        ["public has ASSUMEROLE on all IAM roles for COPY: REVOKE ASSUMEROLE ON ALL FROM PUBLIC FOR COPY comes first"],
        [
            "public has ASSUMEROLE on all IAM roles for COPY, UNLOAD: "
            "REVOKE ASSUMEROLE ON ALL FROM PUBLIC FOR COPY, UNLOAD comes first"
        ],
        [],
        [],
    ]
