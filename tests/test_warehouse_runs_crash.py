"""kill -9 while statements wait, run and have finished: what was acknowledged is known afterwards."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import restframe
from restframe.warehouse.runs import Caller, Request

ANN = Caller("analyst", "analyst/ann")

# Accepts, tells what it has accepted and lives on; one worker, so that the last statements wait.
_SERVER = """
import sys, time
import restframe
from restframe.warehouse.runs import Caller, Request

directory, endless = sys.argv[1:]
ann = Caller("analyst", "analyst/ann")
statements = restframe.open(directory, statement_workers=1).statements

def submit(text, token, **options):
    run = statements.submit(Request((text,), "awsuser", **options), ann, token)
    print(run.id, flush=True)
    return run

for text in ("create table t (a int)", "insert into t values (1)", "select 42 as a",
             "select generate_series(1, 100000) as i"):
    run = submit(text, "token of " + text)
    assert statements.wait(run.id, ann, 60).state == "FINISHED"
run = submit(endless, "token of endless", keep_alive_s=60)
while statements.get(run.id, ann).state != "STARTED":
    time.sleep(0.002)
submit("insert into t values (2)", "token of waiting")
print("ready", flush=True)
time.sleep(600)
"""


def test_kill_9(tmp_path: Path, endless: str) -> None:
    directory = tmp_path / "warehouse"
    server = subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(directory), endless], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    lines = [line.strip() for line in itertools.takewhile("ready\n".__ne__, server.stdout)]
    os.kill(server.pid, signal.SIGKILL)
    server.wait()
    server.stdout.close()
    make, insert, small, large, running, waiting = lines
    (directory / "results" / "00000000-0000-0000-0000-000000000000-0.arrow").write_bytes(b"cut short")

    with restframe.open(directory) as warehouse:
        statements = warehouse.statements
        assert [statements.get(one, ANN).state for one in (make, insert, small, large)] == ["FINISHED"] * 4
        with statements.result(small, 0, ANN).open() as reader:
            assert reader.read_all().to_pylist() == [{"a": 42}]
        with statements.result(large, 0, ANN).open() as reader:
            assert reader.read_all().column("i").to_pylist() == list(range(1, 100_001))
        for one in (running, waiting):
            run = statements.get(one, ANN)
            assert (run.state, run.parts[0].state) == ("FAILED", "FAILED")
            assert run.error == run.parts[0].error
            assert run.error is not None and run.error.startswith("The server stopped while the statement was waiting")
        assert statements.session(statements.get(running, ANN).session_id or "", ANN).status == "CLOSED"
        assert warehouse.sql("select a from t").fetchall() == [(1,)]
        assert [file.name for file in (directory / "results").iterdir()] == [f"{large}-0.arrow"]

        # a client that asks again because it got no answer does not insert twice
        again = statements.submit(
            Request(("insert into t values (1)",), "awsuser"), ANN, "token of insert into t values (1)"
        )
        assert (again.id, again.state) == (insert, "FINISHED")
        again = statements.submit(Request(("insert into t values (2)",), "awsuser"), ANN, "token of waiting")
        assert (again.id, again.state) == (waiting, "FAILED")
        assert warehouse.sql("select count(*) from t").scalar() == 1
