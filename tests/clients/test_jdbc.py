"""The PostgreSQL JDBC driver, as SQL Workbench/J and DBeaver use it; jdbc/Client.java is the program."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(os.environ.get("RESTFRAME_JDBC_DRIVER", "/usr/share/java/postgresql.jar"))

Story = Callable[..., list[str]]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("javac") is None or not DRIVER.exists():
        pytest.skip("javac or the JDBC driver is not installed: default-jdk-headless, libpostgresql-jdbc-java")
    classes = tmp_path_factory.mktemp("classes")
    source = Path(__file__).with_name("jdbc") / "Client.java"
    subprocess.run(["javac", "-cp", DRIVER, "-d", classes, source], check=True, timeout=300)
    return classes


@pytest.fixture
def story(served: Any, compiled: Path) -> Story:
    """Plays a story of Client.java; the lines it prints."""
    java = "java", "-Dfile.encoding=UTF-8", "-cp", f"{compiled}:{DRIVER}", "Client"
    return lambda name, *options: served.run(*java, name, *options).splitlines()


def test_a_sql_client_shows_the_object_tree(story: Story) -> None:
    assert story("metadata") == [
        "PostgreSQL",
        "jdbc",
        "rides|TABLE|one line each",
        "stops|TABLE|null",
        "notes|VIEW|null",
        "id|4|int4|10|0|0|null|1",
        "note|12|varchar|20|0|0|'none'|2",
        "fare|2|numeric|8|2|1|null|3",
        "ride|1",
        "stop|2",
        "rides|id|ride",
        "stops|ride",
        "id|f",
        *(
            f"awsuser|{privilege}"
            for privilege in ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")
        ),
        "id",
        "true",
    ]


@pytest.mark.parametrize("mode", ["extended", "simple", "extendedForPrepared", "extendedCacheEverything"])
def test_prepared_statements_keep_their_values_whatever_the_format(story: Story, mode: str) -> None:
    # Without parameters the driver writes '-12.3456'::numeric, which has no decimals in Redshift.
    decimals = 0 if mode == "simple" else 4
    assert story("prepared", f"preferQueryMode={mode}") == [
        f"{1 - i}|{-1234567890123 * i}|{round(-12.3456 * i, decimals) if i else 0:.4f}|é{i}|"
        f"1999-12-31|2020-02-29 12:34:56.789|{i / 4:g}|{'t' if i % 2 == 0 else 'f'}"
        for i in range(7)
    ]


def test_rows_arrive_in_portions(story: Story) -> None:
    assert story("fetchSize") == ["5000050000", "next"]


def test_batches(story: Story) -> None:
    assert story("batch") == ["1000", "[1, 1, 0]", "1|b"]


def test_batches_rewritten_into_inserts_of_many_rows(story: Story) -> None:
    assert story("rewrittenBatch", "reWriteBatchedInserts=true") == ["1000", "1000"]


def test_cancel_and_time_out(story: Story) -> None:
    assert story("cancel") == ["57014", "57014", "still here"]


def test_errors_leave_the_transaction_failed_until_it_ends(story: Story) -> None:
    assert story("errors") == ["42P01", "25P02", "again", "true"]


def test_copy_in_and_out(story: Story) -> None:
    assert story("copy") == ["3", "3", "1\tone", "2\ttwo, too", "3\t\\N"]


def test_columns_and_parameters_are_described(story: Story) -> None:
    assert story("resultMetadata") == [
        "id|int4|10|0|java.lang.Integer",
        "fare|numeric|8|2|java.math.BigDecimal",
        "note|varchar|20|0|java.lang.String",
        "at|timestamptz|35|6|java.sql.Timestamp",
        "int4", "numeric", "varchar", "timestamptz",
    ]  # fmt: skip


def test_columns_say_whose_they_are_so_that_rows_can_be_updated(story: Story) -> None:
    assert story("origins") == [
        "remark|jdbc_origins|note|1",
        "id|jdbc_origins|id|0",
        "next|||2",
        "one",
        "changed",
    ]
