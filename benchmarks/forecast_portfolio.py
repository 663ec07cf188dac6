"""What MODEL_TYPE FORECAST chooses: the error of each candidate on the held-out end of the training data.

    python benchmarks/forecast_portfolio.py FOLDER [--only m4_hourly]

FOLDER has a folder for each data set with train.json.gz in SageMaker's format. The loss is the mean over nine levels
of 2 sum of the quantile loss / sum of |y|, over all held-out ends; seconds are of CPU, with the training on everything.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from restframe.ml import registry
from restframe.ml.algorithm import Channel
from restframe.ml.containers.forecast import REPORT_FILE
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog

# Folder, frequency, steps.
DATA_SETS = (("green_taxi_2020", "2H", 84), ("m4_hourly", "H", 48))
LEVELS = json.dumps([f"0.{tenth}" for tenth in range(1, 10)])


def run(folder: Path, name: str, frequency: str, steps: int) -> None:
    algorithm = registry.find("forecast")
    given = {"prediction_length": str(steps), "time_freq": frequency, "quantiles": LEVELS}
    channel = Channel([("train.json.gz", (folder / name / "train.json.gz").read_bytes())])
    log = TrainingLog(lambda line: None, algorithm.label)
    began = time.process_time()
    trained = algorithm.train(check(algorithm.hyperparameters, given), {"train": channel}, log)
    took = time.process_time() - began
    report = json.loads(trained.files[REPORT_FILE])
    for candidate in report["candidates"]:
        mark = "*" if candidate["name"] == report["winner"] else ""
        told = candidate["skipped"] or f"{candidate['error']:.4f}"
        print(f"{name:<16} {candidate['name']:<16} {told:>8} {mark}", flush=True)
    print(f"{name:<16} {report['windows']} ends held out, {took:.1f} s in all")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=[name for name, _, _ in DATA_SETS])
    arguments = parser.parse_args()
    for name, frequency, steps in DATA_SETS:
        if arguments.only in (None, name):
            run(arguments.folder, name, frequency, steps)


if __name__ == "__main__":
    main()
