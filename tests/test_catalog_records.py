"""What sessions keep of the catalog: until somebody changes what it follows from, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe import Session, Warehouse, errors


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with restframe.open(tmp_path / "warehouse") as opened:
        opened.sql(
            "CREATE USER ana PASSWORD DISABLE; CREATE TABLE rides (id int); CREATE VIEW some AS SELECT id FROM rides"
        )
        yield opened


@pytest.fixture
def boss(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        yield opened


@pytest.fixture
def ana(warehouse: Warehouse) -> Iterator[Session]:
    with warehouse.session("ana") as opened:
        yield opened


@pytest.fixture
def read(boss: Session, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Runs a text; returns which of the catalog's tables it asked for users, rights and schemas."""

    def reading(text: str) -> list[str]:
        asked: list[str] = []
        run = boss.connection.run

        def noting(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
            if sql.lstrip().startswith("SELECT"):
                asked.extend(name for name in ("users", "grants", "schemas") if f"_restframe.{name}" in sql)
            return run(sql, parameters)

        with monkeypatch.context() as patched:
            patched.setattr(boss.connection, "run", noting)
            boss.execute(text)
        return asked

    return reading


def test_tables_come_and_go_without_reading_rights_again(boss: Session, read: Callable[[str], list[str]]) -> None:
    boss.execute("CREATE TABLE first (id int)")
    assert read("CREATE TABLE second (id int)") == []
    assert (
        read("BEGIN; CREATE TABLE third (id int); DROP TABLE second; ALTER TABLE third RENAME TO fourth; COMMIT") == []
    )
    assert read("DROP TABLE fourth") == []
    assert "users" in read("GRANT SELECT ON first TO ana; CREATE TABLE fifth (id int)")


def test_a_table_that_was_granted_takes_its_grants_along(boss: Session, ana: Session) -> None:
    boss.execute("GRANT SELECT ON rides TO ana")
    assert ana.execute("SELECT count(*) FROM rides").scalar() == 0
    boss.execute("DROP TABLE rides CASCADE; CREATE TABLE rides (id int)")
    with pytest.raises(errors.InsufficientPrivilege):
        ana.execute("SELECT count(*) FROM rides")


def test_others_see_a_change_at_their_next_statement(boss: Session, ana: Session) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        ana.execute("SELECT id FROM some")
    boss.execute("GRANT SELECT ON some TO ana")
    assert ana.execute("SELECT id FROM some").fetchall() == []
    boss.execute("CREATE TABLE zones (id int); GRANT SELECT ON zones TO ana")
    assert ana.execute("SELECT id FROM zones").fetchall() == []
    boss.execute("ALTER TABLE zones ADD COLUMN name varchar(10)")
    assert len(ana.execute("SELECT * FROM zones").columns) == 2
    boss.execute("REVOKE SELECT ON zones FROM ana")
    with pytest.raises(errors.InsufficientPrivilege):
        ana.execute("SELECT id FROM zones")
    boss.execute("DROP TABLE zones")
    with pytest.raises(errors.UndefinedTable):
        ana.execute("SELECT id FROM zones")


def test_a_transaction_keeps_what_was_there_when_it_began(boss: Session, ana: Session) -> None:
    boss.execute("CREATE TABLE zones (id int); GRANT SELECT ON zones TO ana")
    ana.execute("BEGIN")
    assert ana.execute("SELECT id FROM zones").fetchall() == []
    boss.execute("CREATE TABLE beside (id int); GRANT SELECT ON beside TO ana; REVOKE SELECT ON zones FROM ana")
    assert ana.execute("SELECT id FROM zones").fetchall() == []
    with pytest.raises(errors.UndefinedTable):
        ana.execute("SELECT id FROM beside")
    ana.execute("ROLLBACK")
    assert ana.execute("SELECT id FROM beside").fetchall() == []
    with pytest.raises(errors.InsufficientPrivilege):
        ana.execute("SELECT id FROM zones")


def test_a_rollback_undoes_tables_and_rights(boss: Session, ana: Session) -> None:
    boss.execute("BEGIN; CREATE TABLE zones (id int); GRANT SELECT ON rides TO ana")
    assert boss.execute("SELECT id FROM zones").fetchall() == []
    assert boss.catalog.users.find("ana") is not None
    boss.execute("DROP USER IF EXISTS nobody; ALTER USER ana RENAME TO anna")
    assert boss.catalog.users.find("ana") is None
    boss.execute("ROLLBACK")
    assert boss.catalog.users.find("ana") is not None
    assert boss.catalog.find_relation("public", "zones") is None
    with pytest.raises(errors.InsufficientPrivilege):
        ana.execute("SELECT id FROM rides")


def test_what_changes_no_row_leaves_names_as_they_were(boss: Session) -> None:
    before = boss.catalog.state
    boss.execute("COMMENT ON TABLE rides IS NULL")
    assert boss.catalog.state == before
    boss.execute("COMMENT ON TABLE rides IS 'of taxis'")
    assert boss.catalog.state != before
