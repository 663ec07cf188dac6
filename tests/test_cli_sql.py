"""`restframe sql` as scripts use it: exit status, output, errors."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest


def restframe(*arguments: str | Path, text: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "restframe", *map(str, arguments)],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


def sql(directory: Path, *arguments: str | Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    return restframe("sql", "-d", directory, *arguments, text=text)


def test_a_statement_prints_a_table(tmp_path: Path) -> None:
    done = sql(tmp_path, "-c", "select 1 as n, 'a' as s")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == " n │ s\n───┼───\n 1 │ a\n(1 row)\n"


def test_commands_run_in_order_before_the_file_and_share_a_session(tmp_path: Path) -> None:
    script = tmp_path / "script.sql"
    script.write_text("insert into t values (2);\nselect count(*) as n from t;\n")
    done = sql(tmp_path / "w", "-c", "create temp table t (a int)", "-c", "insert into t values (1)", "-f", script)
    assert done.returncode == 0
    assert done.stdout == "CREATE TABLE\nINSERT 0 1\nINSERT 0 1\n n\n───\n 2\n(1 row)\n"


def test_a_script_comes_from_standard_input(tmp_path: Path) -> None:
    done = sql(
        tmp_path, "-q", "--format", "csv", text="create table t (a int, b varchar);\nselect 1 as a, 'x,y' as b;\n"
    )
    assert (done.returncode, done.stdout) == (0, 'a,b\n1,"x,y"\n')


def test_an_error_stops_the_script_with_its_place(tmp_path: Path) -> None:
    done = sql(tmp_path, text="create table kept (a int);\nselect *\nfrom nowhere;\ncreate table never (a int);\n")
    assert done.returncode == 1
    assert done.stdout == "CREATE TABLE\n"
    assert done.stderr.splitlines() == [
        'ERROR:  relation "nowhere" does not exist',
        "LINE 3: from nowhere;",
        "             ^",
        "SQLSTATE:  42P01",
    ]
    listed = sql(tmp_path, "-q", "--format", "csv", "-c", r"\dt")
    assert "kept" in listed.stdout
    assert "never" not in listed.stdout


def test_json_is_an_array_of_objects(tmp_path: Path) -> None:
    first = "select 1 as n, 0.10::decimal(4,2) as d, null::int as z, 'é\"' as s, true as b"
    done = sql(tmp_path, "--format", "json", "-c", f"{first} union all select 2, 2, 3, '', false order by n")
    assert json.loads(done.stdout) == [
        {"n": 1, "d": 0.1, "z": None, "s": 'é"', "b": True},
        {"n": 2, "d": 2.0, "z": 3, "s": "", "b": False},
    ]
    assert '"d":0.10' in done.stdout
    assert json.loads(sql(tmp_path, "--format", "json", "-c", "select 1 as n where false").stdout) == []


def test_parquet_keeps_the_types(tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    done = sql(tmp_path / "w", "--format", "parquet", "-o", out, "-c", "select 1.5::decimal(8,2) as d, 'x' as s")
    assert done.returncode == 0, done.stderr
    table = pq.read_table(out)
    assert [str(field.type) for field in table.schema] == ["decimal128(8, 2)", "string"]
    assert table.num_rows == 1


@pytest.mark.parametrize(
    "arguments", [["-c", "select 1"], ["-c", "select 1", "-o", "{}"], ["-c", "create table x (a int)", "-o", "{}"]]
)
def test_parquet_wants_a_file_and_the_rows_of_one_statement(tmp_path: Path, arguments: list[str]) -> None:
    if arguments[-1] == "{}":
        arguments = [*arguments[:-1], str(tmp_path / "out.parquet")]
        if "select 1" in arguments:
            arguments += ["-c", "select 2"]
    done = sql(tmp_path / "w", "--format", "parquet", *arguments)
    assert done.returncode == 1
    assert "ERROR:" in done.stderr
    assert list(tmp_path.glob("*.parquet*")) == []
    assert list(tmp_path.glob(".*")) == []


def test_an_output_file_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("before")
    failed = sql(tmp_path / "w", "-o", out, "--format", "csv", "-c", "select 1 as a", "-c", "select 1/0")
    assert failed.returncode == 1
    assert out.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["w", "out.csv"] or len(list(tmp_path.iterdir())) == 2
    assert sql(tmp_path / "w", "-o", out, "--format", "csv", "-c", "select 1 as a").returncode == 0
    assert out.read_text() == "a\n1\n"


def test_an_unfinished_transaction_is_undone(tmp_path: Path) -> None:
    sql(tmp_path, "-c", "create table t (a int); begin; insert into t values (1)")
    assert sql(tmp_path, "-q", "--format", "csv", "-c", "select count(*) as n from t").stdout == "n\n0\n"


def test_notices_and_errors_stay_out_of_the_output(tmp_path: Path) -> None:
    done = sql(tmp_path, "-c", "drop table if exists nowhere")
    assert done.stdout == "DROP TABLE\n"
    assert "nowhere" in done.stderr


def test_an_unknown_file_is_an_error(tmp_path: Path) -> None:
    done = sql(tmp_path / "w", "-f", tmp_path / "nowhere.sql")
    assert done.returncode == 1
    assert "cannot read" in done.stderr


def test_a_reader_that_leaves_early_ends_the_program_quietly(tmp_path: Path) -> None:
    command = (
        f'"{sys.executable}" -m restframe sql -d "{tmp_path}" -c "select generate_series(1, 2000000) as n" | head -n 2'
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    assert done.stdout.splitlines()[0].strip() == "n"


def test_ctrl_c_cancels_the_statement_and_leaves_with_an_error(tmp_path: Path, endless: str) -> None:
    command = [sys.executable, "-m", "restframe", "sql", "-d", str(tmp_path), "-c", "select 1", "-c", endless]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()  # the first statement has run
        error = ""
        for _ in range(10):  # as it has no effect before the second one runs
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                _, error = process.communicate(timeout=30)
                break
        process.kill()
    assert process.returncode != 0
    assert "cancelled" in error


def test_a_model_that_trains_is_waited_for(tmp_path: Path) -> None:
    model = """create model demand from sales target qty iam_role default auto on model_type forecast
        settings (s3_bucket 'forecasts', horizon 3, frequency 'D')"""
    done = sql(
        tmp_path,
        "-c",
        "create table sales as select dateadd(day, i, '2024-01-01'::date) as day, i % 7 as qty "
        "from (select generate_series(0, 34) as i)",
        "-c",
        model,
        "-c",
        "select forecast(demand)",
    )
    assert done.returncode == 1
    assert "it is TRAINING" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Waiting for the training of demand. Ctrl-C leaves it;")
    done = sql(tmp_path, "-q", "--format", "csv", "-c", "select count(*) as n from (select forecast(demand)) f")
    assert (done.stdout, done.stderr) == ("n\n3\n", "")


def test_a_directory_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = sql(tmp_path / "file" / "w", "-c", "select 1")
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR:")
    assert "Traceback" not in done.stderr


def test_the_directory_comes_from_the_environment(tmp_path: Path) -> None:
    done = restframe("sql", "-c", "select 1", RESTFRAME_DIRECTORY=str(tmp_path / "mine"))
    assert done.returncode == 0
    assert (tmp_path / "mine" / "warehouse.duckdb").exists()


def test_a_locked_warehouse_is_reported_with_what_to_do(tmp_path: Path) -> None:
    import restframe as library

    with library.open(tmp_path):
        done = sql(tmp_path, "-c", "select 1")
    assert done.returncode == 1
    assert "open in another process" in done.stderr
    assert "HINT:" in done.stderr


def test_help_and_version_need_no_warehouse() -> None:
    assert "restframe sql" in restframe("sql", "--help").stdout
    assert restframe("--version").stdout.startswith("restframe 0.")
    assert restframe().returncode == 2
