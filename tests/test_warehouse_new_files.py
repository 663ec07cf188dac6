"""New warehouses that begin with a copy of one that was new."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from restframe import kernels
from restframe.engine.duckdb import DuckDBConnection
from restframe.warehouse import Warehouse
from restframe.warehouse.new_files import NewFile


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where new files are kept; there are none."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kernels"))
    kernels.directory.cache_clear()
    found = kernels.directory()
    assert found is not None
    yield found.parent
    kernels.directory.cache_clear()


def definitions(directory: Path, monkeypatch: pytest.MonkeyPatch, **given: str) -> int:
    """How many views and macros are defined when a warehouse is opened."""
    texts: list[str] = []
    run = DuckDBConnection.run
    with monkeypatch.context() as watched:
        watched.setattr(DuckDBConnection, "run", lambda self, sql, *rest: (texts.append(sql), run(self, sql, *rest))[1])
        with Warehouse(directory, **given) as warehouse:
            assert warehouse.sql("select count(*) from pg_class where relname = 'pg_class'").scalar() == 1
            assert warehouse.sql("select current_user").scalar() == given.get("user", "awsuser")
    return sum(text.startswith("CREATE OR REPLACE") for text in texts)


def test_the_second_warehouse_is_a_copy_of_the_first_when_that_was_new(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert definitions(tmp_path / "first", monkeypatch) > 300
    with Warehouse(tmp_path / "first") as first:
        first.sql("create table t (a int); insert into t values (1)")
    assert definitions(tmp_path / "second", monkeypatch) == 0
    with Warehouse(tmp_path / "second") as second:
        assert second.sql("select count(*) from pg_tables where tablename = 't'").scalar() == 0
    assert [path.name for path in (tmp_path / "second").glob(".*")] == []


def test_another_superuser_has_a_new_file_of_their_own(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert definitions(tmp_path / "first", monkeypatch) > 300
    assert definitions(tmp_path / "second", monkeypatch, user="kim") > 300
    assert definitions(tmp_path / "third", monkeypatch, user="kim") == 0
    assert len(list(place.glob("new-*.duckdb"))) == 2


def test_a_file_that_is_there_is_not_replaced(place: Path, tmp_path: Path) -> None:
    new = NewFile("awsuser")
    (tmp_path / "empty").write_bytes(b"new")
    new.keep(tmp_path / "empty")
    (tmp_path / "here").write_bytes(b"here")
    assert not new.put(tmp_path / "here")
    assert (tmp_path / "here").read_bytes() == b"here"
    (tmp_path / "lost.wal").touch()
    assert not new.put(tmp_path / "lost")
    assert new.put(tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"new"


def test_few_are_kept(place: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for number in range(6):
        before = set(place.glob("new-*"))
        NewFile(f"user{number}").keep(tmp_path / "empty")
        (new,) = set(place.glob("new-*")) - before
        os.utime(new, (number, number))
    assert sorted(kept.stat().st_mtime for kept in place.glob("new-*")) == [2, 3, 4, 5]


def test_nothing_is_kept_where_there_is_no_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "directory", lambda: None)
    for name in ("first", "second"):
        assert definitions(tmp_path / name, monkeypatch) > 300
