"""The system views over tables whose names are as awkward as names can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import restframe
from restframe.catalog.views import VIEWS
from restframe.catalog.views.definition import View
from restframe.types import read_type

SCHEMA, TABLE, COLUMN = 's"q.ü', 't"a.b [ü]', 'c"d.e (ü), f'


def quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[restframe.Session]:
    with restframe.open(tmp_path_factory.mktemp("views")) as warehouse, warehouse.session() as session:
        session.execute(f"CREATE SCHEMA {quoted(SCHEMA)}")
        session.execute("CREATE TABLE keys (id int PRIMARY KEY, name varchar(10) DEFAULT 'x' NOT NULL)")
        session.execute(
            f"CREATE TABLE {quoted(SCHEMA, TABLE)} ({quoted(COLUMN)} int REFERENCES keys, n numeric(8,2) ENCODE raw, "
            f"UNIQUE ({quoted(COLUMN)}, n)) DISTKEY({quoted(COLUMN)}) INTERLEAVED SORTKEY({quoted(COLUMN)}, n)"
        )
        session.execute(f"CREATE VIEW {quoted(SCHEMA, 'v' + TABLE)} AS SELECT * FROM {quoted(SCHEMA, TABLE)}")
        session.execute("INSERT INTO keys VALUES (1, 'a'), (2, 'b')")
        yield session


def read(session: restframe.Session, query: str) -> list[tuple[object, ...]]:
    return session.execute(query).fetchall()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_view_has_the_columns_it_declares(session: restframe.Session, view: View) -> None:
    result = session.execute(f"SELECT * FROM {view.schema}.{view.name}")
    result.fetchall()
    assert [(column.name, column.type) for column in result.columns] == [
        (name, read_type(type_)) for name, type_, _ in view.columns
    ]


def test_no_view_is_there_twice() -> None:
    assert len({(view.schema, view.name) for view in VIEWS}) == len(VIEWS)


def test_names_are_shown_as_they_are(session: restframe.Session) -> None:
    query = "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = '{}' ORDER BY 1"
    assert read(session, query.format(SCHEMA)) == [(f"{TABLE}",), (f"{TABLE}_{COLUMN}_n_key",), (f"v{TABLE}",)]
    query = "SELECT attname, attnum FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
    query += f" WHERE relname = '{TABLE}' ORDER BY attnum"
    assert read(session, query) == [(COLUMN, 1), ("n", 2)]
    query = f"SELECT table_schema, table_name, column_name FROM svv_columns WHERE table_name = '{TABLE}' AND {{}}"
    assert read(session, query.format("ordinal_position = 1")) == [(SCHEMA, TABLE, COLUMN)]
    query = "SELECT table_schema, table_type FROM information_schema.tables WHERE table_name = '{}'"
    assert read(session, query.format(TABLE)) == [(SCHEMA, "BASE TABLE")]
    assert read(session, query.format(f"v{TABLE}")) == [(SCHEMA, "VIEW")]


def test_keys_are_numbered_by_their_columns(session: restframe.Session) -> None:
    query = (
        "SELECT conname, contype, c.relname, conkey, f.relname, confkey FROM pg_constraint "
        "JOIN pg_class c ON c.oid = conrelid LEFT JOIN pg_class f ON f.oid = confrelid ORDER BY 1"
    )
    assert read(session, query) == [
        ("keys_pkey", "p", "keys", [1], None, None),
        (f"{TABLE}_{COLUMN}_fkey", "f", TABLE, [1], "keys", [1]),
        (f"{TABLE}_{COLUMN}_n_key", "u", TABLE, [1, 2], None, None),
    ]
    query = "SELECT i.relname, indisprimary, indkey FROM pg_index JOIN pg_class i ON i.oid = indexrelid ORDER BY 1"
    assert read(session, query) == [("keys_pkey", True, [1]), (f"{TABLE}_{COLUMN}_n_key", False, [1, 2])]


def test_attributes_of_tables_and_columns_are_shown_as_redshift_shows_them(session: restframe.Session) -> None:
    query = "SELECT reldiststyle, relnatts, relhaspkey FROM pg_class WHERE relname = '{}'"
    assert read(session, query.format("keys")) == [(9, 2, True)]
    assert read(session, query.format(TABLE)) == [(1, 2, False)]
    query = (
        "SELECT attname, typname, atttypmod, attnotnull, atthasdef, attisdistkey, attsortkeyord FROM pg_attribute "
        "JOIN pg_class c ON c.oid = attrelid JOIN pg_type t ON t.oid = atttypid WHERE relname = '{}' ORDER BY attnum"
    )
    assert read(session, query.format(TABLE)) == [
        (COLUMN, "int4", -1, False, False, True, 1),
        ("n", "numeric", 524294, False, False, False, -2),
    ]
    assert read(session, query.format("keys"))[1] == ("name", "varchar", 14, True, True, False, 0)
    session.execute(f"SET search_path TO {quoted(SCHEMA)}")
    assert read(
        session, 'SELECT tablename, "column", type, encoding, distkey, sortkey FROM pg_table_def ORDER BY 2'
    ) == [
        (TABLE, COLUMN, "integer", "none", True, 1),
        (TABLE, "n", "numeric(8,2)", "none", False, -2),
    ]
    session.execute("SET search_path TO public")


def test_the_views_are_made_once(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse:
        warehouse.sql("CREATE TABLE t (a int)")
    with restframe.open(tmp_path) as warehouse:
        made = warehouse.sql("SELECT oid FROM pg_class WHERE relname = 'pg_class'").scalar()
        assert made == 1259
        assert warehouse.sql("SELECT count(*) FROM pg_tables WHERE tablename = 't'").scalar() == 1
