"""`restframe serve`, `status` and `stop` as people and service managers use them; what deploy/ has for these."""

from __future__ import annotations

import configparser
import fcntl
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restframe.cli.arguments import parser
from restframe.server.record import Record, read, recorded

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
RECORD = Record(4711, "http://127.0.0.1:1", "http://127.0.0.1:2", "127.0.0.1:3", "2026-05-01T12:00:00+00:00", "0.1.0")


def restframe(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "restframe", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_status_and_stop(serve: Callable[..., Any]) -> None:
    server = serve()
    done = restframe("status", "-d", server.directory)
    assert done.returncode == 0
    facts = dict(re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines())
    assert facts.pop("since").startswith("20")
    assert facts.pop("server").endswith(f", process {server.process.pid}")
    assert facts == {
        "AWS APIs": server.url,
        "SQL": server.sql,
        "proxy": server.proxy,
        "data": str(server.directory),
        "health": "ok",
    }
    done = restframe("stop", "-d", server.directory)
    assert (done.returncode, done.stdout) == (0, f"restframe serve (process {server.process.pid}) has ended\n")
    assert server.process.wait(60) == 0
    for command in ("status", "stop"):
        done = restframe(command, "-d", server.directory)
        assert (done.returncode, done.stdout) == (3, f"restframe serve does not run in {server.directory}\n")


def test_one_that_does_not_answer_is_told_from_one_that_is_not_there(tmp_path: Path) -> None:
    with recorded(tmp_path, RECORD):
        done = restframe("status", "-d", tmp_path)
    assert done.returncode == 1
    assert "health    does not answer" in done.stdout


def test_a_process_of_another_name_is_not_ended(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as stranger:
        with recorded(tmp_path, replace(RECORD, pid=stranger.pid)):
            done = restframe("stop", "-d", tmp_path)
        assert stranger.poll() is None
        stranger.kill()
    assert done.returncode == 1
    assert f"ERROR:  process {stranger.pid} of this machine is not the server" in done.stderr


def test_where_there_was_never_a_server_there_is_none(tmp_path: Path) -> None:
    assert restframe("status", "-d", tmp_path / "nowhere").returncode == 3
    assert not (tmp_path / "nowhere").exists()


def test_commands_that_need_the_warehouse_name_the_server_that_has_it(served: Any) -> None:
    pid = served.process.pid
    hint = (
        f"restframe serve (process {pid}) has it open. Be its client, as restframe env -d {served.directory} tells "
        f"how, or end it with restframe stop -d {served.directory}."
    )
    done = restframe("sql", "-d", served.directory, "-c", "select 1")
    assert done.returncode == 1
    assert f"HINT:  {hint}\n" in done.stderr
    assert hint in restframe("doctor", "-d", served.directory).stdout


def test_a_record_is_there_while_its_server_lives(tmp_path: Path) -> None:
    assert read(tmp_path) is None
    with recorded(tmp_path, RECORD):
        assert read(tmp_path) == RECORD
        assert read(tmp_path) == RECORD
    assert read(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_record_that_was_left_behind_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(json.dumps({"pid": 1}))
    assert read(tmp_path) is None
    with recorded(tmp_path, RECORD), (tmp_path / "server.json").open() as file:
        assert read(tmp_path) == RECORD
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)


def test_a_log_level_is_one_of_four(tmp_path: Path) -> None:
    (tmp_path / "restframe.toml").write_text("log_level = 'loud'")
    done = restframe("serve", "-d", tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        'ERROR:  "loud" is no log level',
        "HINT:  Take one of debug, info, warning, error.",
    ]


# What deploy/ runs


def parsed(command: list[str]) -> Any:
    assert Path(command[0]).name == "restframe"
    return parser().parse_args(command[1:])


def test_the_systemd_unit_runs_commands_that_exist() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "restframe.service")
    given = parsed(shlex.split(unit["Service"]["ExecStart"]))
    assert (given.run, given.directory) == ("restframe.cli.serve:serve", Path("/var/lib/restframe"))
    assert unit["Service"]["StateDirectory"] == "restframe"


def test_the_container_runs_commands_that_exist() -> None:
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = dict(line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#"))
    given = parsed(json.loads(lines["CMD"]))
    assert (given.run, given.host) == ("restframe.cli.serve:serve", "0.0.0.0")
    assert parsed(shlex.split(lines["HEALTHCHECK"].split(" CMD ")[1])).run == "restframe.cli.serve:status"
    assert lines["EXPOSE"] == "5439 8439 8440"
    assert lines["USER"] != "root"
