"""SHOW as Redshift's drivers ask it, with parameters where names stand, and what somebody may see by it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

import restframe
from restframe import errors
from restframe.catalog.models import Model
from restframe.warehouse import Session

Rows = list[tuple[Any, ...]]

GUESS = Model(
    1, "public", "m", "awsuser", datetime(2024, 1, 1), "remote", "READY", "public", "guess",
    ["integer", "character varying(10)"], "numeric(10,6)", "nowhere", None, "default", None,
)  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path_factory.mktemp("show")) as opened:
        for text in (
            'CREATE SCHEMA "De""pot"',
            'CREATE TABLE "de""pot"."Things %_." (id int PRIMARY KEY, "Na""me." varchar(5))',
            "CREATE TABLE open_table (a int, b int)",
            "CREATE TABLE half_open (a int, b int)",
            "CREATE TABLE closed (a int REFERENCES open_table (a))",
            "CREATE USER ann PASSWORD DISABLE",
            "CREATE USER kim PASSWORD DISABLE",
            "CREATE ROLE readers",
            "GRANT ROLE readers TO kim",
            "GRANT SELECT ON open_table TO ann, ROLE readers",
            "GRANT UPDATE ON open_table TO kim WITH GRANT OPTION",
            "GRANT SELECT (b) ON half_open TO ann",
            "GRANT INSERT ON closed TO ann",
        ):
            opened.sql(text)
        with opened.session() as session:
            session.begin()
            session.catalog.add_model(GUESS)
            session.commit()
        yield opened


@pytest.fixture
def session(warehouse: restframe.Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        yield opened


@pytest.fixture
def ann(warehouse: restframe.Warehouse) -> Iterator[Session]:
    with warehouse.session("ann") as opened:
        yield opened


def rows(session: Session, text: str, parameters: tuple[Any, ...] = ()) -> Rows:
    return session.execute(text, parameters).fetchall()


# Parameters


def test_every_name_and_pattern_may_be_a_parameter(session: Session) -> None:
    assert [row[1] for row in rows(session, "SHOW SCHEMAS FROM DATABASE $1 LIKE $2", ("dev", "de%"))] == ['de"pot']
    things = rows(session, "SHOW TABLES FROM SCHEMA $1.$2 LIKE $3;", ("dev", 'de"pot', "things \\%\\__"))
    assert [row[2] for row in things] == ["things %_."]
    of_table = ("DEV", 'De"Pot', "Things %_.")
    assert [row[3] for row in rows(session, "SHOW COLUMNS FROM TABLE $1.$2.$3", of_table)] == ["id", 'na"me.']
    assert rows(session, "SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE $1.$2.$3", of_table) == [
        ("dev", 'de"pot', "things %_.", "things %_._pkey", "id", 1)
    ]


def test_parameters_may_be_question_marks(session: Session) -> None:
    assert [
        row[3] for row in rows(session, "SHOW COLUMNS FROM TABLE ?.?.? LIKE ?", ("dev", "public", "closed", "_"))
    ] == ["a"]


def test_a_pattern_is_no_name(session: Session) -> None:
    assert rows(session, "SHOW TABLES FROM SCHEMA public LIKE $1", ("OPEN%",)) == []
    assert len(rows(session, "SHOW TABLES FROM SCHEMA $1 LIKE $2", ("PUBLIC", "open%"))) == 1


@pytest.mark.parametrize(
    ("text", "values", "kind"),
    [
        ("SHOW TABLES FROM SCHEMA $1", (), errors.SyntaxError),
        ("SHOW TABLES FROM SCHEMA $1", ("a", "b"), errors.SyntaxError),
        ("SHOW TABLES FROM SCHEMA public", ("a",), errors.SyntaxError),
        ("SHOW TABLES FROM SCHEMA $1", (None,), errors.InvalidParameterValue),
        ("SHOW TABLES FROM SCHEMA $0", ("a",), errors.UndefinedParameter),
        ("SHOW TABLES FROM SCHEMA $2000000000", ("a",), errors.UndefinedParameter),
        ("SHOW TABLES FROM SCHEMA $1 LIMIT $2", ("public", 1), errors.SyntaxError),
    ],
)
def test_values_that_do_not_fit(session: Session, text: str, values: tuple[Any, ...], kind: type[errors.Error]) -> None:
    with pytest.raises(kind):
        rows(session, text, values)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SHOW DATABASES;", ["database_name"]),
        ("SHOW SCHEMAS FROM DATABASE $1;", ["database_name", "schema_name"]),
        (
            "SHOW TABLES FROM SCHEMA $1.$2;",
            ["table_name", "table_type", "remarks", "owner", "dist_style", "table_subtype"],
        ),
        ("SHOW COLUMNS FROM TABLE $1.$2.$3 LIKE $4;", ["column_name", "sort_key_type", "dist_key", "collation"]),
        ("SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE $1.$2.$3;", ["pk_column_name", "fk_name", "deferrability"]),
        ("SHOW COLUMN GRANTS ON TABLE $1.$2.$3;", ["table_name", "column_name", "identity_name", "admin_option"]),
        ("SHOW GRANTS ON TABLE $1.$2.$3;", ["object_name", "privilege_type", "grantor_name"]),
        ("SHOW PROCEDURES FROM SCHEMA $1.$2;", ["procedure_name", "return_type", "argument_list"]),
        ("SHOW FUNCTIONS FROM SCHEMA $1.$2 LIKE $3;", ["function_name", "return_type", "argument_list"]),
        ("SHOW PARAMETERS OF PROCEDURE $1.$2.$3();", ["procedure_name", "parameter_name", "parameter_type"]),
        ("SHOW PARAMETERS OF FUNCTION $1.$2.$3($4, $5) LIKE $6;", ["function_name", "ordinal_position", "data_type"]),
        ("SHOW TABLES FROM DATABASE $1 WHERE SCHEMA_NAME LIKE $2;", ["table_name", "last_altered_time"]),
        ("SHOW COLUMNS FROM DATABASE $1;", ["column_name", "encoding"]),
        ("SHOW GRANTS ON TABLES FROM DATABASE $1;", ["object_name", "grantor_name"]),
    ],
)
def test_columns_are_known_before_the_values(session: Session, text: str, names: list[str]) -> None:
    prepared = session.prepare(text)
    assert prepared.columns is not None
    assert set(names) <= {column.name for column in prepared.columns}
    assert len(prepared.parameter_types) == text.count("$")
    assert {one.name for one in prepared.parameter_types} <= {"varchar"}


def test_what_was_described_comes(session: Session) -> None:
    prepared = session.prepare("SHOW GRANTS ON TABLE $1.$2.$3")
    result = session.run_prepared(prepared, ("dev", "public", "closed"))
    assert result.columns == prepared.columns
    assert [row[4] for row in result.fetchall()] == ["INSERT"]


def test_no_pattern_takes_long(session: Session) -> None:
    assert rows(session, "SHOW TABLES FROM SCHEMA public LIKE $1", ("%a" * 2000,)) == []


def test_a_pattern_must_not_end_in_a_backslash(session: Session) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="LIKE pattern must not end with escape character"):
        rows(session, "SHOW TABLES FROM SCHEMA public LIKE $1", ("open_table\\",))


def test_temporary_tables_are_found_by_name(session: Session) -> None:
    session.execute("CREATE TEMP TABLE passing (x int, y varchar(3))")
    assert [row[3:5] for row in rows(session, "SHOW COLUMNS FROM TABLE passing")] == [("x", 1), ("y", 2)]
    assert "passing" not in [row[2] for row in rows(session, "SHOW TABLES FROM DATABASE dev")]


# Functions


def test_functions_of_models(session: Session) -> None:
    assert rows(session, "SHOW FUNCTIONS FROM SCHEMA public LIKE 'gue%'") == [
        ("dev", "public", "guess", 2, "integer, character varying", "numeric")
    ]
    parameters = ("dev", "public", "guess", "integer", "character varying")
    of_guess = ("dev", "public", "guess", "")
    assert rows(session, "SHOW PARAMETERS OF FUNCTION $1.$2.$3($4, $5)", parameters) == [
        (*of_guess, 0, "RETURN", "numeric", None, 10, 6),
        (*of_guess, 1, "IN", "integer", None, 32, 0),
        (*of_guess, 2, "IN", "character varying", 10, None, None),
    ]
    with pytest.raises(errors.UndefinedFunction, match=r"function guess\(integer\) does not exist"):
        rows(session, "SHOW PARAMETERS OF FUNCTION guess(int)")


# Grants


def test_grants_on_a_table(session: Session) -> None:
    found = rows(session, "SHOW GRANTS ON open_table")
    assert {row[:4] for row in found} == {("dev", "public", "open_table", "TABLE")}
    assert sorted((row[4], *row[6:]) for row in found) == [
        ("SELECT", "ann", "user", False, "TABLE", "awsuser"),
        ("SELECT", "readers", "role", False, "TABLE", "awsuser"),
        ("UPDATE", "kim", "user", True, "TABLE", "awsuser"),
    ]


def test_grants_on_columns(session: Session) -> None:
    (row,) = rows(session, "SHOW COLUMN GRANTS ON TABLE dev.public.half_open")
    assert row[:6] == ("dev", "public", "half_open", "b", "COLUMN", "SELECT")
    assert row[7:] == ("ann", "user", False, "COLUMN", "awsuser")
    assert rows(session, "SHOW COLUMN GRANTS ON TABLE half_open FOR kim") == []
    assert rows(session, "SHOW GRANTS ON TABLE half_open") == []


def test_grants_for_somebody(session: Session) -> None:
    assert [row[:5] for row in rows(session, "SHOW GRANTS FOR ROLE readers")] == [
        ("dev", "public", "open_table", "TABLE", "SELECT")
    ]
    assert [(row[2], row[4]) for row in rows(session, "SHOW GRANTS FOR ann")] == [
        ("closed", "INSERT"),
        ("open_table", "SELECT"),
    ]


def test_grants_of_a_database(session: Session) -> None:
    found = rows(session, "SHOW GRANTS ON TABLES FROM DATABASE dev WHERE TABLE_NAME LIKE 'cl%'")
    assert [(row[2], row[4], row[6]) for row in found] == [("closed", "INSERT", "ann")]


# Who may see what


def test_tables_and_columns_are_seen_by_who_may_read_them(ann: Session) -> None:
    assert [row[2] for row in rows(ann, "SHOW TABLES FROM SCHEMA public")] == ["half_open", "open_table"]
    assert [row[2:4] for row in rows(ann, "SHOW COLUMNS FROM DATABASE dev")] == [
        ("half_open", "b"),
        ("open_table", "a"),
        ("open_table", "b"),
    ]
    assert [row[3] for row in rows(ann, "SHOW COLUMNS FROM TABLE half_open")] == ["b"]


def test_schemas_are_seen_by_who_may_use_them(ann: Session) -> None:
    names = [row[1] for row in rows(ann, "SHOW SCHEMAS FROM DATABASE dev")]
    assert names == ["information_schema", "pg_catalog", "public"]
    for text in ('SHOW TABLES FROM SCHEMA "de""pot"', 'SHOW COLUMNS FROM TABLE "de""pot".nothing'):
        with pytest.raises(errors.InsufficientPrivilege, match='permission denied for schema de"pot'):
            rows(ann, text)


def test_a_table_without_a_right_to_it_says_nothing(ann: Session, warehouse: restframe.Warehouse) -> None:
    warehouse.sql("CREATE TABLE IF NOT EXISTS secret (hidden int)")
    for text in (
        "SHOW COLUMNS FROM TABLE secret",
        "SHOW TABLE secret",
        "SHOW CONSTRAINTS PRIMARY KEYS FROM TABLE secret",
        "SHOW GRANTS ON secret",
        "SHOW COLUMN GRANTS ON TABLE secret",
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="permission denied for relation secret"):
            rows(ann, text)


def test_grants_are_seen_by_who_has_them(ann: Session, warehouse: restframe.Warehouse) -> None:
    assert [(row[4], row[6]) for row in rows(ann, "SHOW GRANTS ON open_table")] == [("SELECT", "ann")]
    assert rows(ann, "SHOW GRANTS FOR kim") == []
    with warehouse.session("kim") as kim:
        found = [(row[4], row[6]) for row in rows(kim, "SHOW GRANTS ON open_table")]
    assert found == [("SELECT", "readers"), ("UPDATE", "kim")]


def test_keys_of_tables_one_cannot_read_are_not_shown(ann: Session, session: Session) -> None:
    text = "SHOW CONSTRAINTS FOREIGN KEYS EXPORTED FROM TABLE open_table"
    assert [row[6] for row in rows(session, text)] == ["closed"]
    assert rows(ann, text) == []


def test_functions_are_seen_by_who_may_call_them(ann: Session) -> None:
    assert rows(ann, "SHOW FUNCTIONS FROM SCHEMA public") == []
    with pytest.raises(errors.UndefinedFunction):
        rows(ann, "SHOW PARAMETERS OF FUNCTION guess(int, varchar)")
