"""service.sqlite: kept at every commit, shared by threads, versioned."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from restframe import errors
from restframe.jobs.journal import Journal


def test_log_lines_are_numbered_in_their_stream(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    journal.append("group", "a/1", [(1.5, "first"), (2.0, "second")])
    journal.append("group", "b/1", [(3.0, "elsewhere")])
    journal.append("group", "a/1", [(4.0, "third")])
    journal.append("group", "a/1", [])
    assert [(line.position, line.at, line.text) for line in journal.lines("group", "a/1")] == [
        (0, 1.5, "first"),
        (1, 2.0, "second"),
        (2, 4.0, "third"),
    ]
    assert [line.text for line in journal.lines("group", "a/1", start=1, limit=1)] == ["second"]
    assert journal.streams("group") == ["a/1", "b/1"]
    assert journal.streams("group", "b/") == ["b/1"]
    assert journal.lines("other", "a/1") == []
    journal.close()


def test_threads_share_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    threads = [
        threading.Thread(target=lambda name=f"s{i}": [journal.append("g", name, [(0.0, str(n))]) for n in range(20)])
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(4):
        assert [line.text for line in journal.lines("g", f"s{i}")] == [str(n) for n in range(20)]
    journal.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    with pytest.raises(ZeroDivisionError), journal.transaction() as connection:
        connection.execute("INSERT INTO models VALUES ('m', '{}', 0.0)")
        _ = 1 / 0
    assert journal.rows("SELECT * FROM models") == []
    with pytest.raises(errors.OperationalError, match="no such table"), journal.transaction() as connection:
        connection.execute("INSERT INTO elsewhere VALUES (1)")
    journal.append("g", "s", [(0.0, "still works")])
    journal.close()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys; from pathlib import Path; from restframe.jobs.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1])); journal.append('g', 's', [(0.0, 'kept')])\n"
        "under_way = journal.transaction(); connection = under_way.__enter__()\n"
        "connection.execute(\"INSERT INTO models VALUES ('m', '{}', 0.0)\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "service.sqlite")], check=False)
    journal = Journal(tmp_path / "service.sqlite")
    assert [line.text for line in journal.lines("g", "s")] == ["kept"]
    assert journal.rows("SELECT * FROM models") == []
    journal.close()


def test_it_is_durable(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "service.sqlite")
    assert journal.rows("PRAGMA journal_mode")[0][0] == "wal"
    assert journal.rows("PRAGMA synchronous")[0][0] == 2
    assert journal.rows("PRAGMA user_version")[0][0] == 1
    journal.close()


def test_a_newer_file_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "service.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(errors.InterfaceError, match="written by a newer version of restframe"):
        Journal(path)
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(errors.OperationalError, match=r"service\.sqlite cannot be opened"):
        Journal(path)
