"""service.sqlite: kept at every commit, versioned by component."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restframe import errors
from restframe.journal import Journal

FIRST = "CREATE TABLE notes (text TEXT); CREATE TABLE others (number INTEGER);"
SECOND = "ALTER TABLE notes ADD COLUMN at REAL"


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    journal.migrate("notes", [FIRST])
    with pytest.raises(ZeroDivisionError), journal.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES ('m')")
        _ = 1 / 0
    assert journal.rows("SELECT * FROM notes") == []
    with pytest.raises(errors.OperationalError, match="no such table"), journal.transaction() as connection:
        connection.execute("INSERT INTO elsewhere VALUES (1)")
    with journal.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES ('still works')")
    assert journal.row("SELECT text FROM notes")["text"] == "still works"  # type: ignore[index]
    journal.close()


def test_rows_are_read_until_it_is_enough(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    journal.migrate("notes", [FIRST])
    with journal.transaction() as connection:
        connection.executemany("INSERT INTO others VALUES (?)", [(number,) for number in range(4)])

    def until(number: int) -> tuple[list[int], bool]:
        asked = "SELECT number FROM others WHERE number > ? ORDER BY number"
        rows, cut = journal.rows_until(lambda row: row["number"] == number, asked, (0,))
        return [row["number"] for row in rows], cut

    assert until(2) == ([1, 2], True)
    assert until(3) == ([1, 2, 3], True)
    assert until(9) == ([1, 2, 3], False)
    with journal.transaction() as connection:  # which an open cursor would hold up
        connection.execute("DROP TABLE others")
    journal.close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from restframe.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.migrate('notes', ['CREATE TABLE notes (text TEXT)'])\n"
        "with journal.transaction() as connection: connection.execute(\"INSERT INTO notes VALUES ('kept')\")\n"
        "under_way = journal.transaction(); connection = under_way.__enter__()\n"
        "connection.execute(\"INSERT INTO notes VALUES ('lost')\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "service.sqlite")], check=False)
    journal = Journal(tmp_path / "service.sqlite")
    assert [row["text"] for row in journal.rows("SELECT * FROM notes")] == ["kept"]
    journal.close()


def test_it_is_durable(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    with journal.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    journal.close()


def test_readers_wait_for_no_writer_and_see_what_is_committed(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    journal.migrate("notes", [FIRST])
    with ThreadPoolExecutor() as others:
        with journal.transaction() as connection:
            connection.execute("INSERT INTO notes VALUES ('mine')")
            assert journal.row("SELECT count(*) FROM notes")[0] == 1  # type: ignore[index]
            elsewhere = others.submit(journal.row, "SELECT count(*) FROM notes").result(timeout=60)
            assert elsewhere is not None
            assert elsewhere[0] == 0
        found = list(others.map(lambda _: journal.row("SELECT count(*) FROM notes"), range(50)))
        assert {row[0] for row in found if row is not None} == {1}
    journal.close()


def test_each_component_brings_its_tables_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "service.sqlite"
    journal = Journal(path)
    journal.migrate("notes", [FIRST])
    with journal.transaction() as connection:
        connection.execute("INSERT INTO notes VALUES ('kept')")
    journal.close()
    journal = Journal(path)
    journal.migrate("notes", [FIRST, SECOND])
    journal.migrate("notes", [FIRST, SECOND])
    assert tuple(journal.rows("SELECT * FROM notes")[0]) == ("kept", None)
    with pytest.raises(errors.InterfaceError, match="written by a newer version of restframe"):
        journal.migrate("notes", [FIRST])
    journal.close()


def test_a_file_of_version_0_1_0_knows_its_jobs(tmp_path: Path) -> None:
    path = tmp_path / "service.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript("CREATE TABLE training_jobs (name TEXT); PRAGMA user_version = 1;")
    connection.close()
    journal = Journal(path)
    journal.migrate("jobs", ["CREATE TABLE training_jobs (name TEXT)"])
    assert journal.row("SELECT version FROM components WHERE name = 'jobs'")["version"] == 1  # type: ignore[index]
    journal.close()


def test_a_failed_migration_changes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    with pytest.raises(errors.OperationalError, match="syntax error"):
        journal.migrate("notes", [FIRST + "CREATE NONSENSE"])
    assert journal.row("SELECT name FROM sqlite_master WHERE name = 'notes'") is None
    journal.close()


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.sqlite"
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(errors.OperationalError, match=r"service\.sqlite cannot be opened"):
        Journal(path)
