"""Our own notebooks run as they are, and leave nothing behind."""

from __future__ import annotations

import json
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
@pytest.mark.parametrize("name", ["ride-anomalies", "data-api"])
def test_an_example_runs_and_cleans_up(name: str, run_notebook: Callable[..., list[str]], ours: Any) -> None:
    shown = run_notebook(EXAMPLES / f"{name}.ipynb")
    assert any(shown)
    assert ours(what_is_left) == {"buckets": [], "endpoints": [], "schemas": [], "tables": []}


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_examples_are_kept_without_what_they_show(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and cell["outputs"]] == []
