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
            if one["Name"] in ("ride-anomalies", "data-api-example", "ride-forecast")
        ],
        "endpoints": [
            endpoint
            for name in ("randomcutforest", "ride-forecast")
            for endpoint in boto3.client("sagemaker").list_endpoints(NameContains=name)["Endpoints"]
        ],
        "schemas": [schema for schema in statement["Schemas"] if schema in ("taxi", "forecasting")],
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


@pytest.mark.slow
def test_the_forecasts_run_and_the_widget_draws_when_its_button_is_pressed(
    run_notebook: Callable[..., list[str]], ours: Any, tmp_path: Path
) -> None:
    notebook = json.loads((EXAMPLES / "ride-forecast.ipynb").read_text(encoding="utf-8"))
    clean_up = next(i for i, cell in enumerate(notebook["cells"]) if "## Clean up" in "".join(cell["source"]))
    pressed = {
        "cell_type": "code",
        "execution_count": None,
        "id": "press",
        "metadata": {},
        "outputs": [],
        "source": PRESS,
    }
    notebook["cells"].insert(clean_up, pressed)
    (tmp_path / "pressed.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    shown = run_notebook(tmp_path / "pressed.ipynb")
    text = "\n".join(shown)
    for pattern in (
        r"train 2 series of 1104 to 1104 steps\ntest 8 series of 1188 to 1440 steps",
        r"#test_score \(algo-1, mean_wQuantileLoss\): 0\.1\d+",
        r"Completed - Training job completed",
        r"interactive\(children=\(IntSlider\(value=1, description='vendor_id', max=1",
    ):
        assert re.search(pattern, text)
    naive, deepar = map(float, re.findall(r"(?:like last week|DeepAR) +(0\.\d+)", text))
    assert deepar < naive
    (line,) = re.findall(r"^\[null.*", text, re.MULTILINE)
    assert json.loads(line) == [
        None,
        "vendor_1: forecast",
        {
            "50 sampled paths": 50 * 85 / 84,
            "90 % (p5 to p95)": 1,
            "history": 3,
            "median (p50)": 1,
            "actual": 1,
            "forecast": 1,
        },
    ]
    assert ours(what_is_left) == {"buckets": [], "endpoints": [], "schemas": [], "tables": []}


# What somebody does with the controls. The figure goes below the cell instead of below the controls, because nbclient
# now and then waits forever for a cell in which an Output widget is written to.
PRESS = """
import contextlib

widget = plot_interact.widget
controls = {one.description: one for one in widget.children if hasattr(one, "description")}
controls["vendor_id"].value, controls["confidence"].value, controls["history_weeks_plot"].value = 0, 90, 3
controls["show_samples"].value = True
widget.out, before = contextlib.nullcontext(), widget.result
controls["Run Interact"].click()
drawn = {one.name: len(one.x) / week for one in widget.result.data}
print(json.dumps([before, widget.result.layout.title.text, drawn]))
"""


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.stem)
def test_examples_are_kept_without_what_they_show(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    assert [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and cell["outputs"]] == []
