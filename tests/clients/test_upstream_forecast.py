"""The notebook that the forecasting document grew out of, as its author published it, with two lines changed.

RESTFRAME_UPSTREAM_DEEPAR names `JupyterNotebook/RedshiftDeepAR.ipynb` of saunakc/redshift-dataengineering-lab, a
repository on GitHub; nothing of it is kept here. It wants SageMaker's SDK 1 and a pandas before 2, as in
requirements-sagemaker-v1.txt. docs/forecasting.md says cell by cell what runs and why these lines cannot stay.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from restframe.warehouse import Warehouse

CHANGES = [
    # 400 epochs are for those who want to wait.
    ('"epochs": "400"', '"epochs": "3"'),
    # Steps are taken from times as pandas did before 1.0.
    ("target_ts[forecast_date-plot_history:forecast_date+prediction_length]",
     "target_ts[forecast_date-plot_history*target_ts.index.freq:forecast_date+prediction_length*target_ts.index.freq]"),
]  # fmt: skip
# Before the endpoint goes, somebody uses the controls.
PRESS = """
import contextlib

widget = plot_interact.widget
controls = {one.description: one for one in widget.children if hasattr(one, "description")}
controls["vendor_id"].value, controls["forecast_day"].value, controls["confidence"].value = 0, 10, 95
controls["show_samples"].value = True
widget.out = contextlib.nullcontext()
set_limits = plt.Axes.set_ylim


def tell(axes, *limits, **options):
    print(len(axes.lines), "lines,", len(axes.collections), "band")
    return set_limits(axes, *limits, **options)


plt.Axes.set_ylim = tell  # the last that the notebook says to its figure
controls["Run Interact"].click()
"""


STORE_SECRET = """
import boto3, json, os

names = {"host": "PGHOST", "port": "PGPORT", "username": "PGUSER", "password": "PGPASSWORD"}
secret = json.dumps({key: os.environ[name] for key, name in names.items()})
boto3.client("secretsmanager").create_secret(Name="nyctaxisecret", SecretString=secret)
"""


def load_trips(directory: Path) -> None:
    """Trips of two vendors in the author's database and table, January to July 2019: more by day than by night."""
    with Warehouse(directory, database="nyctaxi") as warehouse:
        warehouse.sql("create schema taxischema")
        warehouse.sql("""
            create table taxischema.nyc_greentaxi as
            select (1 + i % 2)::varchar as vendorid,
                   timestamp '2019-01-01' + i * interval '3 minutes' as lpep_dropoff_datetime
            from generate_series(0, 101000) trips(i)
            where i % 37 < 20 + 16 * cos((i % 480 - 360) * 2 * pi() / 480)
        """)
    (directory / "restframe.toml").write_text('database = "nyctaxi"\n', encoding="utf-8")


def changed(notebook: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(notebook.read_text(encoding="utf-8"))
    text = "".join("".join(cell["source"]) for cell in found["cells"])
    assert [old for old, _ in CHANGES if old not in text] == []
    for cell in found["cells"]:
        source = "".join(cell["source"])
        for old, new in CHANGES:
            source = source.replace(old, new)
        cell["source"] = PRESS + source if source.startswith("predictor.delete_endpoint()") else source
    return found


@pytest.mark.slow
def test_the_authors_notebook_trains_deploys_and_draws(
    serve_here: Callable[[], Any], sagemaker_v1: Path, tmp_path: Path
) -> None:
    notebook = os.environ.get("RESTFRAME_UPSTREAM_DEEPAR")
    if notebook is None:
        pytest.skip("RESTFRAME_UPSTREAM_DEEPAR names no notebook of saunakc/redshift-dataengineering-lab")
    (tmp_path / "changed.ipynb").write_text(json.dumps(changed(Path(notebook))), encoding="utf-8")
    load_trips(tmp_path / "warehouse")
    with serve_here() as served:
        served.run(sagemaker_v1, "-W", "ignore", "-c", STORE_SECRET)
        shown = json.loads(
            served.run(sagemaker_v1, Path(__file__).with_name("run_notebook.py"), tmp_path / "changed.ipynb")
        )
    text = "\n".join(shown)
    for pattern in (
        r"Query execution complete",
        r"redshift-output/0001_part_00\.gz",
        r"Completed - Training job completed",
        r"#quality_metric: host=algo-1, test mean_wQuantileLoss <loss>=\d",
        r" 0\.1 +0\.5 +0\.9\n2019-07-\d\d \d\d:00:00 +-?\d",
        r"vendor_id",
        r"calling served model to generate predictions starting from 2019-04-11 00:00:00",
        r"102 lines, 1 band",  # 100 sampled paths, the target and the median; the interval
    ):
        assert re.search(pattern, text), pattern
