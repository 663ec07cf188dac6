"""Log lines in groups and streams."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from restframe import errors
from restframe.jobs import logs as logs_module
from restframe.jobs.logs import BEGINNING, END, Logs, LogStream
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
    assert [stream.name for stream in logs.streams("group")] == ["a/1", "b/1"]
    assert logs.streams("group", "b/") == [LogStream("b/1", 3.0, 3.0, 3.0)]
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


ALWAYS = (float("-inf"), float("inf"))


def test_lines_are_read_in_the_order_of_time_from_both_ends(logs: Logs) -> None:
    logs.append("g", "s", [(2.0, "b"), (1.0, "a"), (3.0, "c"), (3.0, "d")])

    def between(*given: object, **more: object) -> list[str]:
        return [line.text for line in logs.between("g", "s", *given, **more)]  # type: ignore[arg-type]

    assert between(BEGINNING, END, ALWAYS, 10) == ["a", "b", "c", "d"]
    assert between(BEGINNING, END, ALWAYS, 2) == ["a", "b"]
    assert between(BEGINNING, END, ALWAYS, 2, newest=True) == ["c", "d"]
    assert between((3.0, 2), END, ALWAYS, 10) == ["d"]
    assert between(BEGINNING, (3.0, 2), ALWAYS, 10) == ["a", "b"]
    assert between(BEGINNING, END, (2.0, 3.0), 10) == ["b"]


def test_no_more_long_lines_are_read_than_wanted(logs: Logs) -> None:
    logs.append("g", "s", [(float(number), str(number) * 10) for number in range(5)])

    def between(most_bytes: int, **more: object) -> str:
        lines = logs.between("g", "s", BEGINNING, END, ALWAYS, 10, most_bytes=most_bytes, **more)  # type: ignore[arg-type]
        return "".join(line.text[0] for line in lines)

    assert [between(1), between(11), between(20), between(1000)] == ["0", "01", "01", "01234"]
    assert between(11, newest=True) == "34"


def test_times_are_whole_milliseconds(logs: Logs) -> None:
    logs.append("g", "s", [(1_800_000_000.0019, "x")])
    (line,) = logs.between("g", "s", BEGINNING, END, (1_800_000_000_002 / 1000, 1_800_000_000_003 / 1000), 10)
    assert line.at == 1_800_000_000.002


@pytest.mark.parametrize(("setting", "value"), [("_AT_ONCE", 2), ("_AT_ONCE_BYTES", 1), ("_AT_ONCE_BYTES", 2)])
def test_searching_goes_through_all_streams(
    logs: Logs, monkeypatch: pytest.MonkeyPatch, setting: str, value: int
) -> None:
    monkeypatch.setattr(logs_module, setting, value)
    logs.append("g", "a", [(1.0, "1"), (3.0, "3"), (3.0, "4")])
    logs.append("g", "b", [(2.0, "2"), (3.0, "5")])
    logs.append("g", "c", [(2.0, "not asked for")])
    found = list(logs.search("g", ["a", "b"], ALWAYS, None))
    assert [one.line.text for one in found] == ["1", "2", "3", "4", "5"]
    third = found[2]
    after = (third.line.at, third.id, third.line.position)
    assert [one.line.text for one in logs.search("g", ["a", "b"], ALWAYS, after)] == ["4", "5"]


def test_groups_and_streams_are_made_and_deleted(logs: Logs) -> None:
    logs.append("g", "s", [(1.0, "x")])
    logs.create_group("mine")
    logs.create_stream("mine", "s")
    assert [group.name for group in logs.groups()] == ["g", "mine"]
    assert logs.streams("mine")[0].last is None
    for call, message in (
        (lambda: logs.create_group("g"), 'log group "g" already exists'),
        (lambda: logs.create_stream("g", "s"), 'log stream "s" already exists'),
    ):
        with pytest.raises(errors.DuplicateObject, match=message):
            call()
    logs.delete_stream("mine", "s")
    logs.delete_group("g")
    assert logs.lines("g", "s") == []
    for call, message in (
        (lambda: logs.create_stream("g", "s"), 'log group "g" does not exist'),
        (lambda: logs.delete_group("g"), 'log group "g" does not exist'),
        (lambda: logs.delete_stream("mine", "s"), 'log stream "s" does not exist'),
        (lambda: logs.between("mine", "s", BEGINNING, END, ALWAYS, 1), 'log stream "s" does not exist'),
    ):
        with pytest.raises(errors.UndefinedObject, match=message):
            call()
