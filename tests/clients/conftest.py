"""A server as users start it, and programs that know nothing of restframe but their environment."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import restframe

ROOT = Path(__file__).resolve().parents[2]
# Where `make clients` puts the programs; some of them cannot live in one environment with others.
CLIENTS = Path(os.environ.get("RESTFRAME_CLIENTS", ROOT / ".venv" / "clients")) / "bin"
SQL_CLIENTS = Path(os.environ.get("RESTFRAME_SQL_CLIENTS", ROOT / ".venv" / "sql-clients")) / "bin"
SAGEMAKER_V1 = Path(os.environ.get("RESTFRAME_SAGEMAKER_V1", ROOT / ".venv" / "sagemaker-v1")) / "bin"
DBT = Path(os.environ.get("RESTFRAME_DBT", ROOT / ".venv" / "dbt")) / "bin"
RESTFRAME = Path(sys.executable).with_name("restframe")

Run = Callable[..., Any]


@dataclass(frozen=True)
class Served:
    """A running `restframe serve`, and what `restframe env` says of it.

    home : where programs are started; an empty directory at first
    """

    environment: Mapping[str, str]
    home: Path
    process_id: int

    def run(self, *command: str | Path, given: str | None = None) -> str:
        """What a program prints that is started behind `eval "$(restframe env)"`; it must succeed."""
        done = subprocess.run(
            [str(word) for word in command],
            cwd=self.home,
            env={"PATH": os.environ["PATH"], "HOME": str(self.home), **self.environment},
            input=given,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@contextlib.contextmanager
def serve(directory: Path) -> Iterator[Served]:
    """A server on free ports, over the warehouse below the directory, until the block ends."""
    data, log, home = directory / "warehouse", directory / "server.log", directory / "home"
    home.mkdir()
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [RESTFRAME, "serve", "--data", data, "--port", "0", "--proxy-port", "0", "--sql-port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            # the last line it prints says how to use it
            if not any("restframe env" in line for line in process.stdout):
                raise AssertionError(f"the server did not start:\n{log.read_text()}")
            said = subprocess.run(
                [RESTFRAME, "env", "--data", data, "--format", "json"], capture_output=True, check=True
            )
            yield Served(json.loads(said.stdout), home, process.pid)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server for the tests of a file; each keeps to buckets and tables of its own."""
    with serve(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.fixture
def serve_here(tmp_path: Path) -> Callable[[], contextlib.AbstractContextManager[Served]]:
    """Starts a server over `tmp_path / "warehouse"`, for a test that wants one of its own."""
    return lambda: serve(tmp_path)


@pytest.fixture
def sagemaker_v1() -> Path:
    """The Python of an environment with SageMaker's SDK 1."""
    python = SAGEMAKER_V1 / "python"
    if not python.exists():
        pytest.skip("SageMaker's SDK 1 is not installed: tests/clients/requirements-sagemaker-v1.txt")
    return python


@pytest.fixture
def ours(served: Served) -> Run:
    """Runs a function as a program with the libraries that restframe and its tests install: boto3, pyarrow, obstore."""
    return lambda function, *arguments: _run_function(served, sys.executable, function, arguments)


@pytest.fixture
def theirs(served: Served) -> Run:
    """Runs a function as a program with the libraries of `make clients`: sagemaker, s3fs, pandas, awswrangler."""
    python = _program("python")
    return lambda function, *arguments: _run_function(served, python, function, arguments)


@pytest.fixture
def sql_client(served: Served) -> Run:
    """Runs a function as a program with the drivers of `make clients`: psycopg2, asyncpg, redshift_connector ..."""
    python = _program("python", SQL_CLIENTS)
    return lambda function, *arguments: _run_function(served, python, function, arguments)


@pytest.fixture
def aws_cli(served: Served) -> Callable[..., str]:
    """Runs the AWS CLI with words; what it prints."""
    aws = _program("aws")
    return lambda *words: served.run(aws, *words)


@pytest.fixture
def dbt(served: Served) -> Callable[..., Any]:
    """Runs dbt with words in a project; what it wrote into a file of the project's `target`."""
    program = _program("dbt", DBT)

    def run(project: Path, *words: str, wrote: str = "run_results.json") -> Any:
        served.run(program, *words, "--project-dir", project, "--profiles-dir", project)
        return json.loads((project / "target" / wrote).read_text(encoding="utf-8"))

    return run


@pytest.fixture
def run_notebook(served: Served, tmp_path: Path) -> Callable[..., list[str]]:
    """Runs a notebook cell by cell as it is, only on our kernel; the texts that its cells of code show.

    It may import restframe, and has further variables in its environment when they are given.
    """
    python = _program("python")
    (tmp_path / "restframe").symlink_to(Path(restframe.__file__).parent)

    def run(path: Path, **environment: str) -> list[str]:
        here = Served({**served.environment, "PYTHONPATH": str(tmp_path), **environment}, served.home, 0)
        shown: list[str] = json.loads(here.run(python, Path(__file__).with_name("run_notebook.py"), path))
        return shown

    return run


def _program(name: str, environment: Path = CLIENTS) -> Path:
    """A program of an environment for clients; the test is skipped where `make clients` has not been run."""
    path = environment / name
    if not path.exists():
        pytest.skip("the client programs are not installed: make clients")
    return path


def _run_function(served: Served, python: Path | str, function: Run, arguments: tuple[Any, ...]) -> Any:
    """Run a function of a test file as a program of its own, which has nothing but the function's source.

    It imports what it needs, takes arguments that JSON can carry, and returns what JSON can carry.
    """
    given = json.dumps(json.dumps(arguments))
    source = f"""\
{textwrap.dedent(inspect.getsource(function))}
import json
print("\\n" + json.dumps({function.__name__}(*json.loads({given}))))
"""
    printed = served.run(python, "-W", "ignore", "-", given=source)
    return json.loads(printed.rstrip("\n").rpartition("\n")[2])
