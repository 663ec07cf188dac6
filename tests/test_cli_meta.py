"""Backslash commands, given as statements."""

from __future__ import annotations

from pathlib import Path

import pytest

import restframe
from restframe.cli import main

COMMENTED = """
CREATE TABLE beds (place varchar(8), demand float8);
COMMENT ON TABLE beds IS 'one row a place';
COMMENT ON COLUMN beds.demand IS 'occupied: the median';
CREATE TABLE plain (place varchar(8));
"""


def test_columns_are_described_with_what_comments_say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with restframe.open(tmp_path / "covid") as warehouse:
        warehouse.sql(COMMENTED)

    assert main(["sql", "-d", str(tmp_path / "covid"), "-c", "\\d beds", "-c", "\\d plain"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        'Table "public.beds"',
        " column │         type         │ nullable │ default │ encoding │ keys │       comment",
        "────────┼──────────────────────┼──────────┼─────────┼──────────┼──────┼──────────────────────",
        " place  │ character varying(8) │          │         │          │      │",
        " demand │ double precision     │          │         │          │      │ occupied: the median",
        "(2 rows)",
        "one row a place",
        "Distribution style: AUTO",
        "Sort style: AUTO",
        'Table "public.plain"',
        " column │         type         │ nullable │ default │ encoding │ keys",
        "────────┼──────────────────────┼──────────┼─────────┼──────────┼──────",
        " place  │ character varying(8) │          │         │          │",
        "(1 row)",
        "Distribution style: AUTO",
        "Sort style: AUTO",
    ]
