"""A file as the first format left it, opened by what writes the second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

import restframe

# What restframe 0.1 wrote for: CREATE SCHEMA main; CREATE TABLE main.keys; CREATE TABLE public.rides; a view on it;
# COMMENT ON TABLE and COLUMN.
FORMAT_1 = """
CREATE SCHEMA _restframe;
CREATE TABLE _restframe.format (version INTEGER, definitions VARCHAR);
CREATE TABLE _restframe.schemas (name VARCHAR, owner VARCHAR);
CREATE TABLE _restframe.tables (
    schema_name VARCHAR, table_name VARCHAR, kind VARCHAR, diststyle VARCHAR, sortstyle VARCHAR, backup BOOLEAN,
    owner VARCHAR, definition VARCHAR, models VARCHAR[], constraints VARCHAR[]);
CREATE TABLE _restframe.columns (
    schema_name VARCHAR, table_name VARCHAR, position INTEGER, name VARCHAR, type VARCHAR, not_null BOOLEAN,
    default_text VARCHAR, encoding VARCHAR, identity_seed BIGINT, identity_step BIGINT, identity_always BOOLEAN,
    distkey BOOLEAN, sortkey INTEGER);
CREATE TABLE _restframe.dependencies (schema_name VARCHAR, view_name VARCHAR, on_schema VARCHAR, on_name VARCHAR);
CREATE SEQUENCE _restframe.model_ids;
CREATE TABLE _restframe.models (
    id BIGINT, schema_name VARCHAR, name VARCHAR, owner VARCHAR, created TIMESTAMP, kind VARCHAR, state VARCHAR,
    function_schema VARCHAR, function_name VARCHAR, argument_types VARCHAR[], returns VARCHAR, endpoint VARCHAR,
    target_model VARCHAR, iam_role VARCHAR, max_batch_rows BIGINT);
INSERT INTO _restframe.format VALUES (1, 'of then');
CREATE SCHEMA public;
CREATE SCHEMA _restframe_main;
INSERT INTO _restframe.schemas VALUES ('public', 'awsuser'), ('main', 'ada');
CREATE TABLE _restframe_main.keys (id INTEGER NOT NULL);
CREATE TABLE public.rides (id INTEGER, zone VARCHAR);
INSERT INTO public.rides VALUES (1, 'a'), (2, 'b');
CREATE VIEW public.zones (zone) AS SELECT zone FROM public.rides;
COMMENT ON TABLE public.rides IS 'all of them';
COMMENT ON COLUMN public.rides.zone IS 'where it''s';
COMMENT ON TABLE _restframe_main.keys IS 'of main';
INSERT INTO _restframe.tables VALUES
    ('main', 'keys', 'table', 'AUTO', 'AUTO', true, 'ada', NULL, [], ['PRIMARY KEY (id)']),
    ('public', 'rides', 'table', 'KEY', 'COMPOUND', true, 'awsuser', NULL, [],
     ['FOREIGN KEY (id) REFERENCES main.keys']),
    ('public', 'zones', 'view', 'AUTO', '', true, 'awsuser', 'SELECT zone FROM rides', [], []);
INSERT INTO _restframe.columns VALUES
    ('main', 'keys', 1, 'id', 'integer', true, NULL, NULL, NULL, NULL, NULL, false, 0),
    ('public', 'rides', 1, 'id', 'integer', false, NULL, NULL, NULL, NULL, NULL, true, 0),
    ('public', 'rides', 2, 'zone', 'character varying(10)', false, NULL, 'zstd', NULL, NULL, NULL, false, 1),
    ('public', 'zones', 1, 'zone', 'character varying(10)', false, NULL, NULL, NULL, NULL, NULL, false, 0);
INSERT INTO _restframe.dependencies VALUES ('public', 'zones', 'public', 'rides');
"""


@pytest.fixture
def old(tmp_path: Path) -> Iterator[restframe.Warehouse]:
    connection = duckdb.connect(str(tmp_path / "warehouse.duckdb"))
    connection.execute(FORMAT_1)
    connection.close()
    with restframe.open(tmp_path, user="awsuser") as warehouse:
        yield warehouse


def test_what_was_there_is_there_and_can_be_read(old: restframe.Warehouse) -> None:
    assert old.sql("SELECT * FROM rides ORDER BY id").fetchall() == [(1, "a"), (2, "b")]
    assert old.sql("SELECT count(*) FROM zones").scalar() == 2


def test_relations_have_numbers_and_are_described(old: restframe.Warehouse) -> None:
    found = old.sql(
        "SELECT nspname, relname, relkind, reldiststyle, relnatts FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = relnamespace WHERE nspname IN ('public', 'main') ORDER BY 1, 2"
    )
    assert found.fetchall() == [
        ("main", "keys", "r", 9, 1),
        ("main", "keys_pkey", "i", 0, 1),
        ("public", "rides", "r", 1, 2),
        ("public", "zones", "v", 0, 1),
    ]
    numbers = old.sql("SELECT oid FROM pg_class WHERE relkind IN ('r', 'v')").fetchall()
    assert len(set(numbers)) == len(numbers)
    described = old.sql(
        "SELECT \"column\", type, encoding, distkey, sortkey FROM pg_table_def WHERE tablename = 'rides' ORDER BY 1"
    )
    assert described.fetchall() == [
        ("id", "integer", "az64", True, 0),
        ("zone", "character varying(10)", "zstd", False, 1),
    ]


def test_keys_find_each_other(old: restframe.Warehouse) -> None:
    found = old.sql(
        "SELECT conname, contype, conkey, f.relname, confkey FROM pg_constraint "
        "LEFT JOIN pg_class f ON f.oid = confrelid ORDER BY 1"
    )
    assert found.fetchall() == [("keys_pkey", "p", [1], None, None), ("rides_id_fkey", "f", [1], "keys", [1])]


def test_comments_are_kept(old: restframe.Warehouse) -> None:
    found = old.sql(
        "SELECT relname, objsubid, description FROM pg_description JOIN pg_class c ON c.oid = objoid ORDER BY 1, 2"
    )
    assert found.fetchall() == [("keys", 0, "of main"), ("rides", 0, "all of them"), ("rides", 2, "where it's")]


def test_owners_are_users(old: restframe.Warehouse) -> None:
    assert old.sql("SELECT tableowner FROM pg_tables WHERE tablename = 'keys'").scalar() == "ada"
    assert old.sql("SELECT usesysid FROM pg_user WHERE usename = 'awsuser'").scalar() == 100
    assert old.sql("SELECT nspacl FROM pg_namespace WHERE nspname = 'public'").scalar() == ["=UC/awsuser"]


def test_it_is_done_once(tmp_path: Path) -> None:
    connection = duckdb.connect(str(tmp_path / "warehouse.duckdb"))
    connection.execute(FORMAT_1)
    connection.close()
    seen = []
    for _ in range(2):
        with restframe.open(tmp_path, user="awsuser") as warehouse:
            seen.append(warehouse.sql("SELECT oid, relname FROM pg_class WHERE relkind <> 'v' ORDER BY 1").fetchall())
    assert seen[0] == seen[1]
    assert len(seen[0]) == 3
