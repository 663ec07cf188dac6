"""Log lines in groups and streams."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from restframe.jobs.logs import Logs
from restframe.jobs.tables import MIGRATIONS
from restframe.journal import Journal


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    journal = Journal(tmp_path / "service.sqlite")
    journal.migrate("jobs", MIGRATIONS)
    yield Logs(journal)
    journal.close()


def test_log_lines_are_numbered_in_their_stream(logs: Logs) -> None:
    logs.append("group", "a/1", [(1.5, "first"), (2.0, "second")])
    logs.append("group", "b/1", [(3.0, "elsewhere")])
    logs.append("group", "a/1", [(4.0, "third")])
    logs.append("group", "a/1", [])
    assert [(line.position, line.at, line.text) for line in logs.lines("group", "a/1")] == [
        (0, 1.5, "first"),
        (1, 2.0, "second"),
        (2, 4.0, "third"),
    ]
    assert [line.text for line in logs.lines("group", "a/1", start=1, limit=1)] == ["second"]
    assert logs.streams("group") == ["a/1", "b/1"]
    assert logs.streams("group", "b/") == ["b/1"]
    assert logs.lines("other", "a/1") == []


def test_many_threads_write_at_once(logs: Logs) -> None:
    threads = [
        threading.Thread(target=lambda name=f"s{i}": [logs.append("g", name, [(0.0, str(n))]) for n in range(20)])
        for i in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(5):
        assert [line.text for line in logs.lines("g", f"s{i}")] == [str(n) for n in range(20)]
