"""A user who may do nothing tries every statement there is: nothing is changed, and nothing is learnt.

Once in a session of this process, and once as a client on the wire.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg_errors

from restframe import Session, Warehouse, errors
from restframe.sql import parse
from restframe.sql.parse import _READERS, _ROW_WORDS
from restframe.warehouse.checks import CHECKS
from restframe.warehouse.commands.registry import COMMANDS

ALLOWED, DENIED = "allowed", "denied"

# By the words with which the parser finds a statement's reader. `{t}` stands for tables that the user has no right to,
# PID for another user's session.
CASES: dict[str, list[str]] = {
    "ABORT": ["ABORT"],
    "ALTER DEFAULT PRIVILEGES": [
        "ALTER DEFAULT PRIVILEGES FOR USER boss GRANT SELECT ON TABLES TO eve",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA vault GRANT SELECT ON TABLES TO eve",
    ],
    "ALTER GROUP": ["ALTER GROUP staff ADD USER eve", "ALTER GROUP staff RENAME TO mine"],
    "ALTER MODEL": ["ALTER MODEL forecast OWNER TO eve", "ALTER MODEL vault.forecast OWNER TO eve"],
    "ALTER ROLE": ["ALTER ROLE chief OWNER TO eve", "ALTER ROLE chief RENAME TO mine"],
    "ALTER SCHEMA": ["ALTER SCHEMA vault OWNER TO eve", "ALTER SCHEMA vault QUOTA UNLIMITED"],
    "ALTER TABLE": [
        "ALTER TABLE {t} ADD COLUMN mine int",
        "ALTER TABLE {t} DROP COLUMN note",
        "ALTER TABLE {t} RENAME TO mine",
        "ALTER TABLE {t} RENAME COLUMN note TO mine",
        "ALTER TABLE {t} OWNER TO eve",
        "ALTER TABLE {t} ALTER DISTSTYLE ALL",
        "ALTER TABLE {t} ADD PRIMARY KEY (salary)",
    ],
    "ALTER USER": [
        "ALTER USER eve CREATEUSER",
        "ALTER USER eve CREATEDB",
        "ALTER USER eve SYSLOG ACCESS UNRESTRICTED",
        "ALTER USER eve RENAME TO admin",
        "ALTER USER boss PASSWORD 'Mine2Now'",
        "ALTER USER awsuser PASSWORD 'Mine2Now'",
        "ALTER USER boss SET search_path TO public",
    ],
    "ALTER VIEW": ["ALTER VIEW {v} OWNER TO eve"],
    "ANALYZE": ["ANALYZE {t}", "ANALYZE {t} (salary)"],
    "BEGIN": ["BEGIN; SELECT * FROM {t}", "BEGIN READ ONLY; SELECT * FROM {t}"],
    "CANCEL": ["CANCEL PID", "CANCEL PID 'mine'"],
    "CLOSE": ["CLOSE ALL"],
    "COMMENT": [
        "COMMENT ON TABLE {t} IS 'mine'",
        "COMMENT ON COLUMN {t}.note IS 'mine'",
        "COMMENT ON SCHEMA vault IS 'mine'",
    ],
    "COMMIT": ["COMMIT"],
    "COPY": ["COPY {t} FROM 's3://inbox/rows' IAM_ROLE default CSV", "COPY {t} FROM STDIN", "COPY {t} TO STDOUT"],
    "CREATE EXTERNAL MODEL": [
        "CREATE EXTERNAL MODEL mine FUNCTION f IAM_ROLE default MODEL_TYPE BEDROCK SETTINGS (MODEL_ID 'm')"
    ],
    "CREATE GROUP": ["CREATE GROUP mine WITH USER eve"],
    "CREATE MODEL": [
        "CREATE MODEL mine FUNCTION f(int) RETURNS float SAGEMAKER 'remote' IAM_ROLE default",
        "CREATE MODEL vault.mine FUNCTION f(int) RETURNS float SAGEMAKER 'remote' IAM_ROLE default",
        "CREATE MODEL mine FROM 'job' FUNCTION f(int) RETURNS float IAM_ROLE default SETTINGS (S3_BUCKET 'b')",
        "CREATE MODEL mine FROM pay TARGET note FUNCTION f IAM_ROLE default SETTINGS (S3_BUCKET 'b')",
        "CREATE MODEL mine FROM pay TARGET note FUNCTION f IAM_ROLE default AUTO OFF MODEL_TYPE XGBOOST "
        "OBJECTIVE 'reg:squarederror' PREPROCESSORS 'none' HYPERPARAMETERS DEFAULT SETTINGS (S3_BUCKET 'b')",
        "CREATE MODEL mine FROM pay FUNCTION f IAM_ROLE default AUTO OFF MODEL_TYPE KMEANS PREPROCESSORS 'none' "
        "HYPERPARAMETERS DEFAULT EXCEPT (K '2') SETTINGS (S3_BUCKET 'b')",
        "CREATE MODEL mine FROM pay TARGET salary IAM_ROLE default AUTO ON MODEL_TYPE FORECAST "
        "SETTINGS (S3_BUCKET 'b', HORIZON 2, FREQUENCY 'D')",
    ],
    "CREATE ROLE": ["CREATE ROLE mine"],
    "CREATE SCHEMA": ["CREATE SCHEMA mine", "CREATE SCHEMA mine AUTHORIZATION boss"],
    "CREATE TABLE": [
        "CREATE TABLE vault.mine (a int)",
        "CREATE TABLE mine AS SELECT * FROM {t}",
        "CREATE TABLE mine (LIKE {t})",
        "CREATE TABLE mine (a int REFERENCES {t})",
        "CREATE TEMP TABLE mine AS SELECT * FROM {t}",
    ],
    "CREATE USER": ["CREATE USER mine PASSWORD DISABLE", "CREATE USER mine PASSWORD 'Mine2Now' CREATEUSER"],
    "CREATE VIEW": [
        "CREATE VIEW mine AS SELECT * FROM {t}",
        "CREATE VIEW mine AS SELECT * FROM {t} WITH NO SCHEMA BINDING",
        "CREATE OR REPLACE VIEW {v} AS SELECT 1 AS salary, 'x' AS note",
        "CREATE VIEW vault.mine AS SELECT 1 AS a",
    ],
    "DEALLOCATE": ["DEALLOCATE ALL"],
    "DECLARE": ["BEGIN; DECLARE c CURSOR FOR SELECT * FROM {t}"],
    "DISCARD": ["DISCARD ALL"],
    "DROP GROUP": ["DROP GROUP staff"],
    "DROP MODEL": ["DROP MODEL forecast", "DROP MODEL vault.forecast"],
    "DROP ROLE": ["DROP ROLE chief", "DROP ROLE chief FORCE"],
    "DROP SCHEMA": ["DROP SCHEMA vault", "DROP SCHEMA vault CASCADE"],
    "DROP TABLE": ["DROP TABLE {t}", "DROP TABLE {t} CASCADE", "DROP TABLE IF EXISTS {t}"],
    "DROP USER": ["DROP USER boss", "DROP USER awsuser"],
    "DROP VIEW": ["DROP VIEW {v}", "DROP VIEW IF EXISTS {v} CASCADE"],
    "END": ["END"],
    "EXECUTE": ["PREPARE p AS SELECT * FROM {t}; EXECUTE p"],
    "EXPLAIN": [
        "EXPLAIN SELECT * FROM {t}",
        "EXPLAIN DELETE FROM {t}",
        "EXPLAIN CREATE TABLE mine AS SELECT * FROM {t}",
    ],
    "FETCH": ["BEGIN; DECLARE c CURSOR FOR SELECT salary FROM {t}; FETCH ALL FROM c"],
    "GRANT": [
        "GRANT SELECT ON {t} TO eve",
        "GRANT ALL ON {t} TO eve",
        "GRANT SELECT (note) ON {t} TO PUBLIC",
        "GRANT USAGE ON SCHEMA vault TO eve",
        "GRANT SELECT ON ALL TABLES IN SCHEMA vault TO eve",
        "GRANT CREATE ON DATABASE dev TO eve",
        "GRANT EXECUTE ON MODEL forecast TO eve",
        "GRANT EXECUTE ON FUNCTION predict(int) TO eve",
        "GRANT CREATE MODEL TO eve",
        "GRANT CREATE USER TO ROLE chief",
        "GRANT ROLE chief TO eve",
        "GRANT ROLE sys:superuser TO eve",
    ],
    "LOCK": ["BEGIN; LOCK {t}"],
    "MOVE": ["BEGIN; DECLARE c CURSOR FOR SELECT salary FROM {t}; MOVE 1 FROM c"],
    "PREPARE": ["PREPARE p AS SELECT note FROM {t}", "PREPARE p AS DELETE FROM {t}"],
    "RELEASE": ["RELEASE SAVEPOINT s"],
    "RESET": ["RESET ALL", "RESET SESSION AUTHORIZATION"],
    "REVOKE": [
        "REVOKE ALL ON {t} FROM boss",
        "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
        "REVOKE TEMP ON DATABASE dev FROM PUBLIC",
        "REVOKE ROLE chief FROM boss",
        "REVOKE SELECT ON ALL TABLES IN SCHEMA vault FROM boss",
    ],
    "ROLLBACK": ["ROLLBACK", "ROLLBACK TO SAVEPOINT s"],
    "SAVEPOINT": ["SAVEPOINT s"],
    "SET": [
        "SET SESSION AUTHORIZATION boss",
        "SET SESSION AUTHORIZATION awsuser",
        "SET TRANSACTION READ ONLY",
        "SET search_path TO vault",
    ],
    "SHOW": ["SHOW search_path", "SHOW ALL"],
    "SHOW COLUMN": ["SHOW COLUMN GRANTS ON TABLE dev.{s}.{n}"],
    "SHOW COLUMNS": ["SHOW COLUMNS FROM TABLE dev.{s}.{n}"],
    "SHOW CONSTRAINTS": [
        "SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE dev.{s}.{n}",
        "SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE dev.{s}.{n}",
    ],
    "SHOW DATABASES": ["SHOW DATABASES"],
    "SHOW FUNCTIONS": ["SHOW FUNCTIONS FROM SCHEMA vault", "SHOW FUNCTIONS FROM SCHEMA public"],
    "SHOW GRANTS": ["SHOW GRANTS ON TABLE {t}", "SHOW GRANTS ON SCHEMA vault", "SHOW GRANTS FOR boss"],
    "SHOW MODEL": ["SHOW MODEL forecast", "SHOW MODEL vault.forecast", "SHOW MODEL ALL"],
    "SHOW PARAMETERS": ["SHOW PARAMETERS OF FUNCTION dev.vault.predict(int)"],
    "SHOW PROCEDURES": ["SHOW PROCEDURES FROM SCHEMA vault"],
    "SHOW SCHEMAS": ["SHOW SCHEMAS FROM DATABASE dev"],
    "SHOW TABLE": ["SHOW TABLE {t}"],
    "SHOW TABLES": [
        "SHOW TABLES FROM SCHEMA dev.vault",
        "SHOW TABLES FROM SCHEMA public",
        "SHOW TABLES FROM DATABASE dev",
    ],
    "SHOW VIEW": ["SHOW VIEW {v}"],
    "START": ["START TRANSACTION; SELECT * FROM {t}"],
    "TRUNCATE": ["TRUNCATE {t}"],
    "UNLISTEN": ["UNLISTEN *"],
    "UNLOAD": ["UNLOAD ('SELECT * FROM {t}') TO 's3://outbox/rows' IAM_ROLE default"],
    "VACUUM": ["VACUUM {t}"],
    "SELECT": [
        "SELECT * FROM {t}",
        "SELECT nosuch FROM {t}",
        "SELECT salary + 'x' FROM {t}",
        "SELECT count(*) FROM {t}",
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM {t})",
        "SELECT (SELECT max(salary) FROM {t})",
        "SELECT * FROM {v}",
        "SELECT salary INTO mine FROM {t}",
        "SELECT predict(1)",
        "SELECT predict(1, 2)",
        "SELECT vault.predict(1)",
        "SELECT pg_cancel_backend(PID)",
        "SELECT pg_terminate_backend(PID)",
    ],
    "WITH": ["WITH q AS (SELECT note FROM {t}) SELECT * FROM q"],
    "(": ["(SELECT note FROM {t}) UNION ALL (SELECT 'x')"],
    "INSERT": [
        "INSERT INTO {t} VALUES (1, 'mine')",
        "INSERT INTO {t} (nosuch) VALUES (1)",
        "INSERT INTO own SELECT salary FROM {t}",
    ],
    "UPDATE": ["UPDATE {t} SET note = 'mine'", "UPDATE own SET a = salary FROM {t}"],
    "DELETE": ["DELETE FROM {t}", "DELETE FROM own USING {t} WHERE own.a = salary"],
    "MERGE": [
        "MERGE INTO {t} USING own ON salary = a WHEN MATCHED THEN UPDATE SET note = 'mine' "
        "WHEN NOT MATCHED THEN INSERT VALUES (1, 'mine')",
        "MERGE INTO own USING {t} ON salary = a WHEN MATCHED THEN UPDATE SET a = salary "
        "WHEN NOT MATCHED THEN INSERT VALUES (1)",
    ],
}  # fmt: skip

# What anybody may say: nothing in it belongs to anybody else.
HARMLESS = {
    "ABORT", "BEGIN", "CLOSE ALL", "COMMIT", "DEALLOCATE ALL", "DISCARD ALL", "END", "RESET ALL",
    "RESET SESSION AUTHORIZATION", "ROLLBACK", "SHOW search_path", "SHOW ALL", "SHOW DATABASES", "SHOW MODEL ALL",
    "SHOW SCHEMAS FROM DATABASE dev", "SHOW FUNCTIONS FROM SCHEMA public", "SHOW TABLES FROM SCHEMA public",
    "SHOW TABLES FROM DATABASE dev",
    "SHOW GRANTS FOR boss", "SET TRANSACTION READ ONLY", "SET search_path TO vault",
    "UNLISTEN *",
}  # fmt: skip
# Refused for everybody.
REFUSED = {"RELEASE SAVEPOINT s", "ROLLBACK TO SAVEPOINT s", "SAVEPOINT s"}

SECRETS = ("4711", "swordfish", "predict", "forecast")


class Model(BaseHTTPRequestHandler):
    """Answers 0.5 to whatever it is asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"0.5")

    do_POST = do_GET  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def warehouse(shared_pg: Any) -> Iterator[Warehouse]:
    opened = shared_pg.warehouse
    with ThreadingHTTPServer(("127.0.0.1", 0), Model) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.deploy(f"http://127.0.0.1:{server.server_port}/invocations", "remote")
        opened.sql(
            """
            CREATE SCHEMA vault;
            CREATE TABLE pay (salary int, note varchar(20));
            INSERT INTO pay VALUES (4711, 'swordfish');
            CREATE TABLE vault.gold (salary int, note varchar(20));
            INSERT INTO vault.gold VALUES (4711, 'swordfish');
            CREATE VIEW pay_view AS SELECT * FROM pay;
            CREATE VIEW vault.gold_view AS SELECT * FROM vault.gold;
            CREATE MODEL forecast FUNCTION predict(int) RETURNS float SAGEMAKER 'remote' IAM_ROLE default;
            CREATE MODEL vault.forecast FUNCTION predict(int) RETURNS float SAGEMAKER 'remote' IAM_ROLE default;
            CREATE VIEW scored AS SELECT predict(1) AS score;
            GRANT SELECT ON scored TO PUBLIC;
            CREATE USER eve PASSWORD 'Eavesdrop1';
            CREATE USER boss PASSWORD 'Anything1';
            CREATE GROUP staff WITH USER boss;
            CREATE ROLE chief;
            GRANT ROLE chief TO boss;
            GRANT ALL ON pay TO boss;
            SET SESSION AUTHORIZATION eve;
            CREATE TABLE own (a int);
            INSERT INTO own VALUES (1);
            RESET SESSION AUTHORIZATION;
            """
        )
        yield opened
        server.shutdown()


def everything(warehouse: Warehouse) -> list[tuple[object, ...]]:
    """What there is, and what is in it."""
    with warehouse.session() as session:
        run = session.connection.run
        tables = run(
            "SELECT schema_name, table_name FROM duckdb_tables() "
            "WHERE schema_name IN ('public', 'vault', '_restframe') ORDER BY ALL"
        )
        return [
            (table, *row)
            for (*table,) in tables
            for row in run(f'SELECT * FROM "{table[0]}"."{table[1]}" ORDER BY ALL')
        ]


Rows = list[tuple[object, ...]]
Try = Callable[[str], errors.Error | Rows]


def outcome(session: Session, text: str) -> errors.Error | Rows:
    try:
        result = session.execute(text)
        return result.fetchall() if result.returns_rows else []
    except errors.Error as error:
        return error
    finally:
        session.rollback()


def outcome_on_the_wire(connection: psycopg.Connection, text: str, **options: Any) -> errors.Error | Rows:
    """As outcome, by a client that can go on afterwards."""
    try:
        cursor = connection.execute(text, **options)
        while cursor.nextset():
            pass
        return cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        said = error.diag
        found = errors.Error(said.message_primary or "", hint=said.message_hint, detail=said.message_detail)
        found.sqlstate = error.sqlstate or ""
        found.position = int(said.statement_position) if said.statement_position else None
        return found
    finally:
        connection.execute("ROLLBACK")
        connection.execute("DISCARD ALL")
        assert connection.execute("SELECT current_user, 1").fetchall() == [("eve", 1)]


def shown(error: errors.Error) -> str:
    return f"{error.message} {error.hint} {error.detail}"


def test_there_is_a_case_for_every_statement() -> None:
    assert set(CHECKS) == set(COMMANDS)
    assert set(CASES) == {*_READERS, *_ROW_WORDS, "SHOW", "EXPLAIN"}
    tried = {
        type(one) for texts in CASES.values() for text in texts for one in parse(named(text, OPEN).replace("PID", "1"))
    }
    assert set(COMMANDS) - tried == set()


@pytest.mark.parametrize("words", CASES)
def test_no_right_no_effect_no_knowledge(warehouse: Warehouse, words: str) -> None:
    def attempt(text: str) -> errors.Error | Rows:
        with warehouse.session("eve") as session:
            return outcome(session, text)

    check_all(CASES[words], warehouse, attempt)


@pytest.mark.parametrize("words", CASES)
def test_no_more_on_the_wire(warehouse: Warehouse, eve: psycopg.Connection, words: str) -> None:
    check_all(CASES[words], warehouse, lambda text: outcome_on_the_wire(eve, text))
    single = [text for text in CASES[words] if ";" not in text]
    check_all(single, warehouse, lambda text: outcome_on_the_wire(eve, text, binary=True))


@pytest.fixture
def eve(shared_pg: Any, warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with shared_pg.connect(user="eve", password="Eavesdrop1", autocommit=True) as connection:
        connection.prepare_threshold = None  # or DISCARD ALL would forget what psycopg has prepared
        yield connection


def test_streams_of_copy(warehouse: Warehouse, eve: psycopg.Connection) -> None:
    before = everything(warehouse)
    for text in (
        "COPY pay FROM STDIN",
        "COPY pay (note) FROM STDIN WITH (FORMAT csv)",
        "COPY pay FROM STDIN (FORMAT binary)",
        "COPY pay TO STDOUT",
        "COPY pay (note) TO STDOUT WITH (FORMAT csv, HEADER)",
        "COPY pay TO STDOUT (FORMAT binary)",
        "COPY (SELECT note FROM pay) TO STDOUT",
        "COPY pay_view TO STDOUT",
        "COPY vault.gold FROM STDIN",
        "COPY vault.none FROM STDIN",
        "COPY vault.gold TO STDOUT",
    ):
        with pytest.raises(pg_errors.InsufficientPrivilege), eve.cursor().copy(text) as copy:
            copy.write(b"1\tmine\n")
        assert eve.execute("SELECT 1").fetchone() == (1,)
    assert everything(warehouse) == before


def test_streams_of_copy_need_the_right_of_their_direction(warehouse: Warehouse, eve: psycopg.Connection) -> None:
    warehouse.sql("CREATE TABLE inbox (a int, b int); INSERT INTO inbox VALUES (1, 2); GRANT INSERT ON inbox TO eve")
    with eve.cursor().copy("COPY inbox FROM STDIN") as copy:
        copy.write(b"3\t4\n")
    with pytest.raises(pg_errors.InsufficientPrivilege), eve.cursor().copy("COPY inbox TO STDOUT") as copy:
        list(copy)
    warehouse.sql("REVOKE INSERT ON inbox FROM eve; GRANT SELECT (b) ON inbox TO eve")
    with pytest.raises(pg_errors.InsufficientPrivilege), eve.cursor().copy("COPY inbox FROM STDIN") as copy:
        copy.write(b"5\t6\n")
    with pytest.raises(pg_errors.InsufficientPrivilege), eve.cursor().copy("COPY inbox TO STDOUT") as copy:
        list(copy)
    with eve.cursor().copy("COPY inbox (b) TO STDOUT") as copy:
        assert sorted(map(bytes, copy)) == [b"2\n", b"4\n"]
    with pytest.raises(pg_errors.InsufficientPrivilege):
        eve.execute("BEGIN; COPY inbox FROM STDIN")
    with pytest.raises(pg_errors.InFailedSqlTransaction):
        eve.execute("SELECT 1")
    eve.execute("ROLLBACK")
    warehouse.sql("DROP TABLE inbox")


OPEN = {"{t}": "pay", "{v}": "pay_view", "{s}": "public", "{n}": "pay"}
HIDDEN = {"{t}": "vault.gold", "{v}": "vault.gold_view", "{s}": "vault", "{n}": "gold"}
MISSING = {"{t}": "vault.none", "{v}": "vault.none_view", "{s}": "vault", "{n}": "none"}


def named(text: str, names: dict[str, str]) -> str:
    for word, name in names.items():
        text = text.replace(word, name)
    return text


def check_all(texts: list[str], warehouse: Warehouse, attempt: Try) -> None:
    before, pid = everything(warehouse), str(warehouse.sql("SELECT pg_backend_pid()").scalar())
    for text in texts:
        check(named(text, OPEN), attempt, pid)
        if "{" in text:
            there, not_there = (check(named(text, names), attempt, pid) for names in (HIDDEN, MISSING))
            assert isinstance(there, errors.Error)
            assert isinstance(not_there, errors.Error)
            assert shown(there) == shown(not_there) == "permission denied for schema vault None None"
            assert there.position == not_there.position
    assert everything(warehouse) == before


def test_a_view_lends_its_reader_no_right_to_the_models_it_calls(warehouse: Warehouse) -> None:
    with warehouse.session("eve") as session, pytest.raises(errors.InsufficientPrivilege, match="function predict"):
        session.execute("SELECT score FROM scored")
    warehouse.sql("GRANT EXECUTE ON MODEL forecast TO eve")
    with warehouse.session("eve") as session:
        assert session.execute("SELECT score FROM scored").fetchall() == [(0.5,)]
    warehouse.sql("REVOKE EXECUTE ON MODEL forecast FROM eve")


@pytest.mark.parametrize("name", ["gold", "none"])
def test_the_search_path_leads_to_no_hidden_schema(warehouse: Warehouse, name: str) -> None:
    with warehouse.session("eve") as session:
        session.execute("SET search_path TO vault, public")
        with pytest.raises(errors.UndefinedTable, match=f'^relation "{name}" does not exist$'):
            session.execute(f"SELECT * FROM {name}")
        assert session.execute("SELECT current_schema()").scalar() == "public"


def check(text: str, attempt: Try, pid: str) -> errors.Error | Rows:
    found = attempt(text.replace("PID", pid))
    if isinstance(found, errors.Error):
        told = shown(found)
        assert found.sqlstate in (("0A000", "25P01") if text in REFUSED else ("42501",)), f"{text}: {told}"
        assert not any(secret in told and secret not in text for secret in SECRETS), f"{text}: {told}"
    else:
        assert text in HARMLESS, f"{text}: {found}"
        assert not any(secret in str(found) for secret in SECRETS), f"{text}: {found}"
    return found
