"""The shell at a real (pseudo) terminal, as its user types and reads."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

# The child becomes the leader of the terminal, so that ctrl-C reaches it as it would a user's.
_IN_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "restframe", *sys.argv[1:]])
"""
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\x1b\][^\x07]*\x07|\r")


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._master, slave = pty.openpty()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _IN_TERMINAL, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1", **environment},
        )
        os.close(slave)
        self._seen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def read_until(self, pattern: str, timeout_s: float = 120) -> str:
        """What the screen has been sent since the last call, up to the pattern."""
        deadline = time.monotonic() + timeout_s
        while (match := re.search(pattern, self._seen)) is None:
            assert time.monotonic() < deadline, f"{pattern!r} did not appear in {self._seen!r}"
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    self._seen += _CONTROL.sub("", os.read(self._master, 65536).decode(errors="replace"))
                except OSError:  # the program has ended
                    match = re.search(pattern, self._seen)
                    assert match is not None, f"{pattern!r} did not appear in {self._seen!r}"
                    break
        before, self._seen = self._seen[: match.end()], self._seen[match.end() :]
        return before

    def run(self, line: str, until: str) -> str:
        self.read_until("dev=[*!]?#")
        self.type(line + "\r")
        return self.read_until(until)

    def wait(self) -> int:
        return self._process.wait(timeout=120)

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._master)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal("sql", "-d", str(tmp_path / "rides"))
    yield opened
    opened.close()


def test_statements_commands_and_the_way_out(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("create table trips (id int not null, zone varchar(20)) sortkey(id);", "CREATE TABLE")
    terminal.run("insert into trips values (1, 'north'), (2, null);", "INSERT 0 2")
    shown = terminal.run("select * from trips order by id;", r"Time: ")
    assert " id │ zone" in shown
    assert "  2 │ NULL" in shown
    assert "(2 rows)" in shown
    shown = terminal.run(r"\d trips", "Sort style")
    assert re.search(r"id +│ integer +│ not null", shown)
    assert "trips" in terminal.run(r"\dt", r"\(1 row\)")
    assert "public" in terminal.run(r"\dn", r"rows?\)")
    assert "(0 rows)" in terminal.run(r"\dm", r"rows?\)")
    terminal.run(r"\timing", "Timing is off")
    terminal.run(r"\x", "Expanded display is on")
    assert "zone │ north" in terminal.run("select zone from trips where id = 1;", r"\(1 row\)")
    terminal.read_until("dev=#")
    terminal.type("\x04")
    assert terminal.wait() == 0
    history = (tmp_path / "rides" / "history").read_text()
    assert "+insert into trips" in history
    assert (tmp_path / "rides" / "history").stat().st_mode & 0o077 == 0


def test_a_statement_over_several_lines_runs_at_its_semicolon(terminal: Terminal) -> None:
    terminal.read_until("dev=#")
    terminal.type("select 40\r")
    terminal.type("  + 2 as answer;\r")
    assert re.search(r"answer.*\n.*\n +42", terminal.read_until(r"\(1 row\)"))


def test_an_error_shows_its_place_and_the_shell_goes_on(terminal: Terminal) -> None:
    shown = terminal.run("select nmae from nowhere;", "SQLSTATE:  42P01")
    assert "LINE 1: select nmae from nowhere" in shown
    assert "no command" in terminal.run(r"\nonsense", r"lists them")
    terminal.run("begin;", "BEGIN")
    terminal.read_until(r"dev=\*#")
    terminal.type("select 1/0;\r")
    terminal.read_until("SQLSTATE")
    terminal.read_until("dev=!#")
    terminal.type("rollback;\r")
    terminal.read_until("ROLLBACK")
    assert "7" in terminal.run("select 3 + 4 as n;", r"\(1 row\)")


def test_ctrl_c_stops_the_statement_and_not_the_shell(terminal: Terminal, endless: str) -> None:
    terminal.read_until("dev=#")
    terminal.type(" ".join(endless.split()) + ";\r")
    terminal.read_until("ctrl-C cancels")  # the progress line, after a second
    terminal.type("\x03")
    terminal.read_until("SQLSTATE:  57014")
    assert "7" in terminal.run("select 3 + 4 as n;", r"\(1 row\)")


def test_tab_completes_tables_and_columns(terminal: Terminal) -> None:
    terminal.run("create table rcf_taxi_data (nbr_passengers int);", "CREATE TABLE")
    terminal.read_until("dev=#")
    terminal.type("select * from rcf_\t")
    terminal.read_until("rcf_taxi_data")
    terminal.type(" where nbr_\t")
    terminal.read_until("nbr_passengers")
    terminal.type(" > 1;\r")
    terminal.read_until(r"\(0 rows\)")


def test_rows_go_to_a_file_and_scripts_come_from_one(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "script.sql").write_text(
        "create table t (a int);\ninsert into t values (1);\nselect a + 1 as b from t;\n"
    )
    terminal.run(r"\format csv", "dev=#")
    terminal.type(rf"\o '{tmp_path}/out file.csv'" + "\r")
    terminal.run(rf"\i {tmp_path}/script.sql", "INSERT|dev=#")
    terminal.run(r"\o", "dev=#")
    terminal.type("\\q\r")
    assert terminal.wait() == 0
    assert "b\n2\n" in (tmp_path / "out file.csv").read_text()


def test_a_long_table_is_limited_and_paged(tmp_path: Path) -> None:
    terminal = Terminal("sql", "-d", str(tmp_path), PAGER="head -n 5")
    try:
        terminal.run("select generate_series(1, 5000) as n;", "Time: ")
        terminal.run(r"\limit 3", "dev=#")
        terminal.type("select generate_series(1, 5000) as n;\r")
        assert "the first 3 rows; there are more" in terminal.read_until("Time: ")
    finally:
        terminal.close()
