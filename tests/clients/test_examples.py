"""Our own notebooks run as they are, and leave nothing behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def what_is_left():
    import boto3

    statement = boto3.client("redshift-data").list_schemas(Database="dev", ClusterIdentifier="any")
    return {
        "buckets": [
            one["Name"]
            for one in boto3.client("s3").list_buckets()["Buckets"]
            if one["Name"] in ("ride-anomalies", "data-api-example")
        ],
        "endpoints": boto3.client("sagemaker").list_endpoints(NameContains="randomcutforest")["Endpoints"],
        "schemas": [schema for schema in statement["Schemas"] if schema == "taxi"],
        "tables": boto3.client("redshift-data").list_tables(
            Database="dev", ClusterIdentifier="any", SchemaPattern="public", TablePattern="rides"
        )["Tables"],
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "ride-anomalies",
            [
                r"Completed - Training job completed",
                r"\d\d of 5,760 half hours lie above the cut-off",
                r"street festival +12 +1\d\n",
                r"blackout +8 +8\n",
                r"night of the final +12 +\d+",
            ],
        ),
        (
            "data-api",
            [
                r"\['information_schema', 'pg_catalog', 'public'",
                r"1 +2024-04 +1 +\d{4} +\d+\.\d\d\n",
                r"ERROR: value too long for type character varying\(10\)",
                r"\['quarters/0000_part_00.gz', 'quarters/0001_part_00.gz'",
                r"2024-05-01 +\d{4} +\d{4}",
            ],
        ),
    ],
)
def test_an_example_runs_and_cleans_up(
    name: str, shown: list[str], run_notebook: Callable[..., list[str]], ours: Any
) -> None:
    text = "\n".join(run_notebook(EXAMPLES / f"{name}.ipynb"))
    assert [pattern for pattern in shown if not re.search(pattern, text)] == []
    assert ours(what_is_left) == {"buckets": [], "endpoints": [], "schemas": [], "tables": []}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_examples_are_kept_without_what_they_show(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and cell["outputs"]] == []
