"""psql: its commands about what there is, its own COPY, its timing, and ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

Psql = Callable[..., str]

SCHEMA = '''
    create schema psql;
    create table psql.rides (
        id int not null primary key, note varchar(20) default 'none', fare decimal(8,2) encode az64,
        at timestamp sortkey
    ) diststyle key distkey (id);
    create view psql.notes as select id, note from psql.rides;
    create table psql."Odd ""name""" ("a b" int);
    comment on table psql.rides is 'one line each';
'''


@pytest.fixture(scope="module", autouse=True)
def psql(served: Any) -> Iterator[Psql]:
    """Runs psql's commands, one line each, in a schema of their own; what it prints, without blank lines."""
    if shutil.which("psql") is None:
        pytest.skip("psql is not installed: postgresql-client")

    def run(*lines: str, options: tuple[str, ...] = ()) -> str:
        given = "\n".join(("set search_path to psql;", *lines))
        printed = served.run("psql", "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", *options, given=given)
        return "\n".join(line.rstrip() for line in printed.splitlines() if line.strip())

    served.run("psql", "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", given=SCHEMA)
    yield run


def test_d_lists_relations(psql: Psql) -> None:
    assert psql(r"\dt") == (
        '           List of relations\n'
        ' schema |    name    | type  |  owner\n'
        '--------+------------+-------+---------\n'
        ' psql   | odd "name" | table | awsuser\n'
        ' psql   | rides      | table | awsuser\n'
        '(2 rows)'
    )  # fmt: skip
    assert psql(r"\dv", options=("-At",)) == "psql|notes|view|awsuser"
    assert psql(r"\d", options=("-At",)).splitlines() == [
        "psql|notes|view|awsuser", 'psql|odd "name"|table|awsuser', "psql|rides|table|awsuser",
    ]  # fmt: skip


def test_d_describes_a_table(psql: Psql) -> None:
    assert psql(r"\d rides") == (
        '                          Table "psql.rides"\n'
        " Column |            Type             | Collation | Nullable | Default\n"
        "--------+-----------------------------+-----------+----------+---------\n"
        " id     | integer                     |           | not null |\n"
        " note   | character varying(20)       |           |          | 'none'\n"
        " fare   | numeric(8,2)                |           |          |\n"
        " at     | timestamp without time zone |           |          |\n"
        "Indexes:\n"
        '    "rides_pkey" PRIMARY KEY, btree (id)'
    )
    assert "one line each" in psql(r"\dt+ rides")
    assert "select id, note from psql.rides" in psql(r"\d+ notes").lower()
    with pytest.raises(AssertionError, match="returncode=3"):  # and --quiet says no more
        psql(r"\d nothing")


def test_what_else_there_is(psql: Psql) -> None:
    assert "psql|awsuser" in psql(r"\dn", options=("-At",)).splitlines()
    assert psql(r"\du", options=("-At",)).startswith("awsuser|Superuser")
    assert "dev" in psql(r"\l", options=("-At",))
    for command in ("df", "dT", "di", "ds", "dp", "ddp", "dg", "dn+", "d+ rides", "dC", "dx", "db"):
        psql(f"\\{command}")


def test_copies_files_of_its_own(served: Any, psql: Psql) -> None:
    (served.home / "rides.csv").write_text("1,a,2.50\n2,,3.00\n")
    lines = (
        r"\copy rides (id, note, fare) from 'rides.csv' csv",
        r"\copy (select id, note, fare from rides order by id) to 'back.tsv'",
    )
    psql(*lines)
    assert (served.home / "back.tsv").read_text() == "1\ta\t2.50\n2\t\\N\t3.00\n"


def test_prints_times_variables_and_formats(psql: Psql) -> None:
    assert "Time: " in psql(r"\timing on", "select 1;")
    assert psql(r"\set n 5", "select :n + 1;", options=("-At",)) == "6"
    assert psql("select 1 as a, 'x' as b \\gx", options=("-A",)).splitlines()[-2:] == ["a|1", "b|x"]
    assert psql("select 1 as a, 2 as b \\gset", r"\echo :a :b") == "1 2"
    assert psql(r"prepare p (int) as select $1 * 2;", "execute p (21);", options=("-At",)) == "42"
    assert psql(r"select $1 + 1 \bind 5 \g", options=("-At",)) == "6" if _version() >= 16 else True
    assert psql(r"\conninfo", options=("-At",)).startswith('You are connected to database "dev" as user "awsuser"')


def test_fetches_in_portions(psql: Psql) -> None:
    lines = psql(r"\set FETCH_COUNT 1000", "select generate_series(1, 5000);", options=("-At",)).splitlines()
    assert (len(lines), lines[-1]) == (5000, "5000")


def test_transactions(psql: Psql) -> None:
    lines = ("begin;", "create table t (a int);", "rollback;", "select count(*) from pg_class where relname = 't';")
    assert psql(*lines, options=("-At",)) == "0"


def test_errors_show_their_place(served: Any, psql: Psql) -> None:
    with pytest.raises(AssertionError) as refused:
        psql("select nothing from rides;")
    shown = 'ERROR: column "nothing" does not exist LINE 1: select nothing from rides; ^'
    assert shown in " ".join(str(refused.value).split())


def test_ctrl_c_cancels(
    served: Any, psql: Psql, endless: str, eventually: Callable[[Callable[[], object]], None]
) -> None:
    place = {option: served.environment[f"PG{option.upper()}"] for option in ("host", "port", "user", "password")}
    running = (
        "select 1 from pg_stat_activity where state = 'active' and query like '%200000%' and pid <> pg_backend_pid()"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(served.home), **served.environment}
    with subprocess.Popen(
        ["psql", "--no-psqlrc", "-At"], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write("select 'begun';\n")
        process.stdin.write(endless.strip() + ";\nselect 'still here';\n")
        process.stdin.flush()
        assert process.stdout.readline() == "begun\n"
        with psycopg.connect(dbname="dev", autocommit=True, **place) as connection:
            eventually(lambda: connection.execute(running).fetchall())
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    # psql reads no further from a pipe once it was interrupted, or goes on: either is psql's own affair
    assert "ERROR:" in out and "cancel" in out.lower()


def _version() -> int:
    printed = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True).stdout
    return int(printed.split()[2].split(".")[0])
