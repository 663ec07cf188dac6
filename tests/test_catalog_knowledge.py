"""Lists of objects show a user what the user owns or has some right to, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import restframe
from restframe import Session, Warehouse
from restframe.catalog.views import VIEWS

# As in PostgreSQL everybody reads the names in these: clients are built on them.
OPEN = {
    "pg_attribute", "pg_attribute_info", "pg_class", "pg_class_info", "pg_constraint", "pg_description", "pg_indexes",
    "pg_namespace", "pg_proc", "pg_proc_info", "pg_rewrite", "pg_stat_all_tables", "pg_stat_user_tables",
    "pg_statio_user_tables", "pg_tables", "pg_type", "pg_views",
}  # fmt: skip

RELATIONS = (
    "SELECT table_name FROM svv_tables WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
)


class Model(BaseHTTPRequestHandler):
    """Says that it is there."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with (
        restframe.open(tmp_path_factory.mktemp("known") / "warehouse") as opened,
        ThreadingHTTPServer(("127.0.0.1", 0), Model) as server,
    ):
        threading.Thread(target=server.serve_forever, daemon=True).start()
        opened.deploy(f"http://127.0.0.1:{server.server_port}/invocations", "none")
        opened.sql(
            """
            CREATE SCHEMA vault_of_gold;
            CREATE TABLE vault_of_gold.bars_of_gold (grams_of_gold int PRIMARY KEY);
            CREATE TABLE coins_of_gold (grams_of_gold int PRIMARY KEY REFERENCES vault_of_gold.bars_of_gold);
            COMMENT ON TABLE coins_of_gold IS 'made of_gold';
            CREATE VIEW pictures_of_gold AS SELECT grams_of_gold FROM coins_of_gold;
            CREATE MODEL price_of_gold FUNCTION worth_of_gold(int) RETURNS float SAGEMAKER 'none' IAM_ROLE default;
            INSERT INTO vault_of_gold.bars_of_gold VALUES (1000);
            INSERT INTO coins_of_gold VALUES (10);
            CREATE TABLE pay (salary int, note varchar(20));
            INSERT INTO pay VALUES (1, 'x');
            CREATE GROUP staff;
            CREATE ROLE auditor;
            """
        )
        for name in ("eve", "ann", "ben", "cat"):
            opened.sql(f"CREATE USER {name} PASSWORD DISABLE")
        yield opened
        server.shutdown()


@pytest.fixture
def ann(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session("ann") as session:
        yield session


def names(session: Session, query: str = RELATIONS) -> list[object]:
    return [row[0] if len(row) == 1 else row for row in session.execute(query).fetchall()]


def test_who_has_no_right_learns_of_nothing(warehouse: Warehouse) -> None:
    with warehouse.session("eve") as session:
        told = {
            view.name
            for view in VIEWS
            if "of_gold" in str(session.execute(f'SELECT * FROM {view.schema}."{view.name}"').fetchall())
        }
    assert told == OPEN


def test_rights_of_every_kind_make_a_table_known(warehouse: Warehouse, ann: Session) -> None:
    assert names(ann) == []
    for grantee in ("ann", "GROUP staff", "ROLE auditor", "PUBLIC"):
        warehouse.sql("ALTER GROUP staff ADD USER ann; GRANT ROLE auditor TO ann")
        warehouse.sql(f"GRANT INSERT ON pay TO {grantee}")
        assert names(ann) == ["pay"], grantee
        warehouse.sql(f"REVOKE INSERT ON pay FROM {grantee}")
        assert names(ann) == []


def test_a_right_to_a_column_makes_that_column_known(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("GRANT SELECT (salary) ON pay TO ann")
    for query in (
        "SELECT column_name FROM svv_columns WHERE table_name = 'pay'",
        "SELECT column_name FROM svv_all_columns WHERE table_name = 'pay'",
        "SELECT column_name FROM svv_redshift_columns WHERE table_name = 'pay'",
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'pay'",
        "SELECT \"column\" FROM pg_table_def WHERE tablename = 'pay'",
    ):
        assert names(ann, query) == ["salary"], query
    assert [row[3] for row in ann.execute("SHOW COLUMNS FROM TABLE dev.public.pay").fetchall()] == ["salary"]
    warehouse.sql("REVOKE SELECT (salary) ON pay FROM ann")


def test_a_right_is_worth_nothing_in_a_schema_that_may_not_be_used(warehouse: Warehouse, ann: Session) -> None:
    schemas = "SELECT schema_name FROM svv_all_schemas WHERE schema_owner = 100 ORDER BY 1"
    warehouse.sql("GRANT SELECT ON vault_of_gold.bars_of_gold TO ann")
    assert (names(ann), names(ann, schemas)) == ([], ["public"])
    warehouse.sql("GRANT USAGE ON SCHEMA vault_of_gold TO ann")
    assert (names(ann), names(ann, schemas)) == (["bars_of_gold"], ["public", "vault_of_gold"])
    assert names(ann, 'SELECT "table", tbl_rows FROM svv_table_info') == [("bars_of_gold", 1)]
    assert names(ann, "SELECT constraint_name FROM information_schema.table_constraints") == ["bars_of_gold_pkey"]
    warehouse.sql("REVOKE ALL ON vault_of_gold.bars_of_gold FROM ann; REVOKE USAGE ON SCHEMA vault_of_gold FROM ann")


def test_ones_own_is_known(warehouse: Warehouse) -> None:
    with warehouse.session("ben") as ben, warehouse.session("ann") as ann:
        ben.execute("CREATE TABLE bens (a int); CREATE TEMP TABLE passing (a int)")
        assert names(ben) == ["bens", "passing"]
        ben.execute("BEGIN; CREATE TABLE more (a int)")
        assert names(ben) == ["bens", "more", "passing"]
        ben.execute("ROLLBACK")
        assert names(ben) == ["bens", "passing"]
        assert names(ann) == []
        ben.execute("DROP TABLE bens")


def test_models_are_known_to_those_who_may_call_them(warehouse: Warehouse, ann: Session) -> None:
    asked = (
        "SELECT model_name FROM svv_ml_model_info",
        "SELECT model_name FROM stv_ml_model_info",
        "SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public'",
        "SELECT function_name FROM svv_redshift_functions WHERE schema_name = 'public'",
    )
    assert [names(ann, query) for query in asked] == [[], [], [], []]
    warehouse.sql("GRANT EXECUTE ON MODEL price_of_gold TO ann")
    assert [names(ann, query) for query in asked] == [["price_of_gold"]] * 2 + [["worth_of_gold"]] * 2
    warehouse.sql("REVOKE EXECUTE ON MODEL price_of_gold FROM ann")


def test_access_catalog_shows_all_names(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("GRANT ROLE sys:monitor TO ann")
    assert names(ann) == ["bars_of_gold", "coins_of_gold", "pay", "pictures_of_gold"]
    warehouse.sql("REVOKE ROLE sys:monitor FROM ann")
    assert names(ann) == []


def test_a_superusers_view_of_a_list_shows_its_reader_no_more(warehouse: Warehouse, ann: Session) -> None:
    warehouse.sql("CREATE VIEW listed AS SELECT table_name FROM svv_tables; GRANT SELECT ON listed TO ann")
    assert names(ann, "SELECT * FROM listed WHERE table_name LIKE '%gold' OR table_name = 'listed'") == ["listed"]
    warehouse.sql("DROP VIEW listed")


def test_what_is_known_follows_the_authorization(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert "coins_of_gold" in names(session)
        session.execute("SET SESSION AUTHORIZATION cat")
        assert names(session) == []
        session.execute("RESET SESSION AUTHORIZATION")
        assert "coins_of_gold" in names(session)


def test_users_know_themselves(warehouse: Warehouse, ann: Session) -> None:
    for view, column in (("svv_user_info", "user_name"), ("svl_user_info", "usename"), ("pg_user_info", "usename")):
        assert names(ann, f"SELECT {column} FROM {view}") == ["ann"]


def test_everybody_knows_who_is_in_a_transaction(warehouse: Warehouse, ann: Session) -> None:
    with warehouse.session() as other:
        other.execute("BEGIN; SELECT 1")
        found = names(ann, f"SELECT txn_owner FROM svv_transactions WHERE pid = {other.pid}")
    assert found == [warehouse.settings.user]
