"""The engine beside dashboards: through a real `restframe serve`, killed on the way, with the same tables."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import restframe.errors
from restframe_epidemic import cli, errors
from restframe_epidemic.store import Store

SCHEMAS = "('epidemic', 'epidemic_staging', 'epidemic_claims', 'epidemic_gaps', 'epidemic_published')"
QUICK = ("--members", "persistence,projection", "--target", "cases", "--horizons", "2", "--workers", "1")
CLAIMS = ("--from", "2019-01-01", "--to", "2021-07-31", "--epidemic-start", "2021-02-15")
# What took how long and was reused differs from run to run.
TIMES = {"started", "finished"}
UNLIKE = {"epidemic.run_step", "epidemic_published.run_step"}


class Serving:
    """A process of `restframe serve` on ports of its own; `environment` is what `restframe env` exports."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        program = [sys.executable, "-m", "restframe"]
        ports = ["--port", "0", "--proxy-port", "0", "--sql-port", "0"]
        self.process = subprocess.Popen(
            [*program, "serve", "-d", str(directory), *ports], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(b"In another shell:"):
                break
        told = subprocess.run(
            [*program, "env", "-d", str(directory), "--format", "json"], capture_output=True, check=True, timeout=300
        )
        said: dict[str, str] = json.loads(told.stdout)
        self.environment = {name: value for name, value in said.items() if name.startswith("PG")}
        self.address = f"postgresql://{said['PGUSER']}@{said['PGHOST']}:{said['PGPORT']}/{said['PGDATABASE']}"

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server whose environment this process has."""
    server = Serving(tmp_path_factory.mktemp("serving") / "warehouse")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server
    server.kill()


@pytest.fixture
def store(serving: Serving, tmp_path: Path) -> Iterator[Store]:
    with Store(serving.address, tmp_path / "lake") as opened:
        yield opened


@pytest.fixture(scope="module")
def files(island: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory: Path = tmp_path_factory.mktemp("files")
    island.write(directory)
    return directory


# Ends the process when it has called a function for the first time.
KILLED = """
import importlib, os, signal, sys
from restframe_epidemic.cli import main
module, path, *arguments = sys.argv[1:]
holder = importlib.import_module(module)
*parents, name = path.split(".")
for parent in parents:
    holder = getattr(holder, parent)
function = getattr(holder, name)

def killed(*given, **named):
    function(*given, **named)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(holder, name, killed)
main(arguments)
"""


def _killed_after(module: str, function: str, command: list[str]) -> int:
    """Run a command line in a process of its own, up to the first call of a function; its status."""
    called = [sys.executable, "-c", KILLED, f"restframe_epidemic.{module}", function, *command]
    return subprocess.run(called, stdout=subprocess.DEVNULL, check=False).returncode


def _tables(store: Store) -> dict[str, pa.Table]:
    """All tables and views of the engine, in an order that does not depend on how their rows came."""
    listed = f"SELECT table_schema || '.' || table_name FROM information_schema.tables WHERE table_schema IN {SCHEMAS}"
    found = {}
    for (name,) in store.run(listed).fetchall():
        rows = store.query(f"SELECT * FROM {name}")
        rows = rows.select([column for column in rows.column_names if column not in TIMES])
        if name not in UNLIKE:
            found[name] = rows.sort_by([(column, "ascending") for column in rows.column_names])
    return found


def test_a_day_that_was_killed_twice_gives_the_tables_of_one_in_process(
    serving: Serving, files: Path, island: ModuleType, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    through = ["--warehouse", serving.address, "--lake", str(lake)]
    direct = ["--warehouse", str(tmp_path / "direct")]
    raw = ["--country", str(island.COUNTRY), "--data", str(files)]
    day = ["run", "--daily", *raw, *QUICK]
    assert _killed_after("pipeline.lake", "Lake.write_manifest", [*day, *through]) == -signal.SIGKILL
    assert list(lake.glob("*/manifest.json")) and not list(lake.glob("members/*.npy"))
    assert _killed_after("parts", "write", [*day, *through]) == -signal.SIGKILL
    assert len(list(lake.glob("members/*.npy"))) == 1
    for where in (through, direct):
        assert cli.main(["ingest", *raw, *where]) == 0
        assert cli.main(["claims", "generate", "--patients", "400", *CLAIMS, *where]) == 0
        # By now the warehouse remembers its country.
        assert cli.main(["run", "--daily", "--data", str(files), *QUICK, *where]) == 0
    with Store(serving.address, lake) as served, Store(tmp_path / "direct") as opened:
        there, expected = _tables(served), _tables(opened)
    assert sorted(there) == sorted(expected)
    assert expected["epidemic.forecast"].num_rows > 400 and expected["epidemic_published.treatment_gap"].num_rows > 0
    for name, rows in expected.items():
        assert there[name].schema == rows.schema, name
        assert [repr(row) for row in there[name].to_pylist()] == [repr(row) for row in rows.to_pylist()], name
    # Whoever has an access key may read buckets; there is nothing in them.
    assert not list((serving.directory / "s3").glob("epidemic*"))
    assert not list(lake.glob("spool/**/*.parquet"))


def test_dashboards_see_the_old_rows_until_the_new_ones_are_complete(store: Store) -> None:
    store.prepare()
    old, new = ({"date": pa.array([date(2021, 5, day)]), "name": [f"{day}th"]} for day in (5, 6))
    store.replace("epidemic.holiday", pa.table(old))
    with psycopg.connect(autocommit=True) as dashboard:

        def seen() -> list[tuple[Any, ...]]:
            return dashboard.execute("SELECT name FROM epidemic.holiday").fetchall()

        with store.transaction():
            store.replace("epidemic.holiday", pa.table(new))
            assert seen() == [("5th",)]
        assert seen() == [("6th",)]
        with pytest.raises(RuntimeError), store.transaction():
            store.replace("epidemic.holiday", pa.table(old))
            raise RuntimeError
        assert seen() == [("6th",)]


def test_every_value_comes_back_as_it_went(store: Store, tmp_path: Path) -> None:
    texts = [None, "", "NULL", '"', "a,b", "two\nlines\r\n", "back\\slash", "\\N", " x ", "\u00e9\U0001f9a0"]
    columns = {
        "t": pa.array(texts),
        "f": pa.array([None, 0.1, -0.0, 5e-324, 1.7976931348623157e308, float("inf"), float("-inf"), 1 / 3, 1e16, 7.0]),
        "i": pa.array([None, 0, -(2**63), 2**63 - 1, 1, 2, 3, 4, 5, 6]),
        "b": pa.array([None, True, False] * 3 + [True]),
        "d": pa.array([None, *[date(year, 2, 28) for year in (1, 1899, 1970, 2020, 9999)] * 2][:10]),
        "m": pa.array([None, *[datetime(2020, 2, 29, 23, 59, 59, 999_999)] * 9]),
        "n": pa.array([None, *map(Decimal, ["1.50", "-99999999.99", "0.01"] * 3)], pa.decimal128(10, 2)),
    }
    rows = pa.table(columns)
    store.run(
        "CREATE TABLE kinds "
        "(t varchar(40), f float8, i bigint, b boolean, d date, m timestamp, n numeric(10, 2), at int)"
    )
    pq.write_table(rows.append_column("at", pa.array(range(10), pa.int32())), tmp_path / "rows.parquet")
    store.load("kinds", [*columns, "at"], [tmp_path / "rows.parquet"])
    back = store.query("SELECT t, f, i, b, d, m, n FROM kinds ORDER BY at")
    assert back.schema == rows.schema
    assert back.to_pylist() == rows.to_pylist()
    assert str(back["f"][2]) == "-0.0"
    empty = store.query("SELECT t, d FROM kinds WHERE d > $1 AND t = $2", [date(2021, 1, 1), "it's a \\ $1"])
    assert (empty.num_rows, empty.schema.names) == (0, ["t", "d"])


def test_a_load_that_fails_leaves_nothing_and_fails_as_it_does_in_process(store: Store, tmp_path: Path) -> None:
    store.run("CREATE TABLE narrow (name varchar(3) NOT NULL)")
    for name, values in {"good": ["abc"], "bad": ["abcd"]}.items():
        pq.write_table(pa.table({"name": values}), tmp_path / f"{name}.parquet")
    with pytest.raises(restframe.errors.DatabaseError):
        store.load("narrow", ["name"], [tmp_path / "good.parquet", tmp_path / "bad.parquet"])
    assert store.run("SELECT count(*) FROM narrow").scalar() == 0
    with pytest.raises(restframe.errors.UndefinedTable, match="nowhere"):
        store.query("SELECT * FROM nowhere")
    (tmp_path / "bad.sql").write_text("CREATE SCHEMA half; SELECT nothing FROM nowhere;")
    with pytest.raises(errors.DataError, match=r"bad\.sql: .*nowhere"):
        store.run_file(tmp_path / "bad.sql")
    assert store.run("SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'half'").scalar() == 0


def test_why_there_is_no_way_in_is_told_and_no_password_shown(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def told(address: str) -> str:
        assert cli.main(["gaps", "--warehouse", address, "--lake", str(tmp_path / "lake")]) == 1
        return capsys.readouterr().err

    assert 'database "nowhere" does not exist' in told(serving.address.replace("/dev", "/nowhere"))
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = f"postgresql://awsuser@127.0.0.1:{nobody.getsockname()[1]}/dev"
    assert "hint: Is `restframe serve` running?" in told(closed)
    monkeypatch.setenv("PGPASSWORD", "hunter2hunter2")
    wrong = told(serving.address)
    assert wrong.count("password authentication failed") == 1 and "hunter2" not in wrong
    assert "hint: The server is there, so look at user, password and database" in wrong
    monkeypatch.delenv("PGPASSWORD")
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    assert "hint: The server asks for a password: set PGPASSWORD" in told(serving.address)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ana:hunter2@localhost/dev",
        "postgresql://localhost/dev?password=hunter2",
        "postgresql://a:hunter2@[",
    ],
    ids=["before the host", "as a parameter", "in what is no address"],
)
def test_a_password_on_the_command_line_is_refused_unseen(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["gaps", "--warehouse", address]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ") and "hunter2" not in told


def test_one_process_at_a_time_has_a_lake(serving: Serving, store: Store) -> None:
    with pytest.raises(errors.UsageError, match="in use by another process"):
        Store(serving.address, store.lake)


def test_without_a_driver_the_way_to_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(errors.UsageError, match="needs psycopg") as refused:
        Store("postgresql://localhost/dev")
    assert refused.value.hint is not None and "restframe-epidemic[server]" in refused.value.hint


def test_a_server_that_goes_away_ends_the_run_with_one_clear_line(
    files: Path, island: ModuleType, tmp_path: Path
) -> None:
    server = Serving(tmp_path / "warehouse")
    command = [sys.executable, "-m", "restframe_epidemic", "ingest", "--warehouse", server.address]
    command += ["--country", str(island.COUNTRY), "--data", str(files), "--lake", str(tmp_path / "lake")]
    environment = {**os.environ, **server.environment}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        while process.poll() is None and not list(tmp_path.glob("lake/*/manifest.json")):
            time.sleep(0.002)
        server.kill()
        _, told = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "is gone" in told and "run the same command again" in told
    assert "Traceback" not in told
    again = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert again.returncode == 1 and again.stderr.startswith("error: no connection to the server")
