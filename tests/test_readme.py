"""What README.md shows, done."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe.cli.arguments import parser

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
EMBEDDED, WITH_BOTO3 = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_python_example_finds_the_outlier(tmp_path: Path) -> None:
    bucket = tmp_path / "rides" / "s3" / "taxi"
    bucket.mkdir(parents=True)
    rows = "".join(
        f"2014-11-{1 + i // 48:02d} {i // 2 % 24:02d}:{i % 2 * 30:02d}:00,{100 + i % 50}\n" for i in range(1440)
    )
    (bucket / "trips.csv").write_text("started,passengers\n" + rows + "2014-12-01 00:00:00,39197\n")
    done = subprocess.run([sys.executable, "-c", EMBEDDED], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"0 2014-12-01 +39197 +[3-9]\.\d+", done.stdout)


def test_the_example_with_boto3_counts_the_trips(tmp_path: Path, serve: Callable[..., Any]) -> None:
    with restframe.open(tmp_path / "warehouse") as warehouse:
        warehouse.sql("CREATE TABLE trips (started timestamp, passengers int)")
        warehouse.sql("INSERT INTO trips VALUES ('2014-11-01', 7), ('2014-11-02', 8)")
    environment = {**os.environ, **serve().environment()}
    done = subprocess.run(
        [sys.executable, "-c", WITH_BOTO3], env=environment, capture_output=True, text=True, timeout=300
    )
    assert (done.stdout, done.stderr) == ("[[{'longValue': 2}]]\n", "")


COMMANDS = re.findall(r"^    (restframe .*?)(?:  +#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_exist(command: str) -> None:
    assert parser().parse_args(shlex.split(command)[1:]).run.startswith("restframe.cli.")


def test_there_are_commands_to_try() -> None:
    assert len(COMMANDS) >= 5


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:docs/)?[\w/]+\.md)`", README))))
def test_the_documents_it_names_are_there(name: str) -> None:
    assert (Path(__file__).resolve().parents[1] / name).is_file()
