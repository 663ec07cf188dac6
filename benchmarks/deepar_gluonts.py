"""gluonts' side of the DeepAR benchmarks, in an interpreter of its own that has gluonts[torch]; they start it.

Commands and answers are JSON, one a line, on standard input and output. Times are CPU seconds of this process, with
one thread.

    {"do": "train", "train": "train.json.gz", "test": "test.json.gz", "freq": "H", "steps": 48, "context": 48,
     "batch_size": 64, "epochs": 10, "batches": 50, "learning_rate": 0.001, "seed": 0}
    {"cpu_s": 35.5, "batches_cpu_s": 2.56, "mean_wql": 0.0466, "rmse": 2597.0}
    {"do": "forecast", "series": [{"start": "..", "target": [..]}], "times": 5}
    {"cpu_s": [0.056, 0.055, ..]}

`batches_cpu_s` are 50 batches after the first ten; `forecast` asks the predictor trained last.
"""

from __future__ import annotations

import gzip
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import torch
from gluonts.evaluation import Evaluator
from gluonts.evaluation.backtest import make_evaluation_predictions
from gluonts.torch import DeepAREstimator

QUANTILES = [place / 10 for place in range(1, 10)]
FIRST, TIMED = 10, 50


class Clock(pl.Callback):
    """CPU seconds from the end of batch FIRST to the end of batch FIRST + TIMED."""

    def __init__(self) -> None:
        self.seen = 0
        self.began = self.took = 0.0

    def on_train_batch_end(self, *_: Any) -> None:
        self.seen += 1
        if self.seen == FIRST:
            self.began = time.process_time()
        elif self.seen == FIRST + TIMED:
            self.took = time.process_time() - self.began


def entries(lines: list[dict[str, Any]], freq: str) -> list[dict[str, Any]]:
    return [
        {
            "start": pd.Period(line["start"], freq=freq),
            "target": np.array(line["target"], dtype=np.float64).astype(np.float32),
            "feat_static_cat": line.get("cat", [0]),
        }
        for line in lines
    ]


def read(path: str, freq: str, cut: int = 0) -> list[dict[str, Any]]:
    with gzip.open(path) as file:
        found = entries([json.loads(line) for line in file], freq)
    return [{**one, "target": one["target"][: len(one["target"]) - cut]} for one in found]


def train(asked: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    pl.seed_everything(asked["seed"], verbose=False)
    freq, steps, hold_out = asked["freq"], asked["steps"], asked.get("hold_out", False)
    series = read(asked["train"], freq, steps if hold_out else 0)
    tests = read(asked["train"], freq) if hold_out else read(asked["test"], freq)
    clock = Clock()
    estimator = DeepAREstimator(
        freq=freq, prediction_length=steps, context_length=asked["context"], num_layers=2, hidden_size=40,
        dropout_rate=0.1, lr=asked["learning_rate"], batch_size=asked["batch_size"],
        num_batches_per_epoch=asked["batches"], num_feat_static_cat=1,
        cardinality=[max(one["feat_static_cat"][0] for one in series) + 1],
        trainer_kwargs={
            "max_epochs": asked["epochs"], "accelerator": "cpu", "enable_progress_bar": False,
            "enable_model_summary": False, "logger": False, "callbacks": [clock],
        },
    )  # fmt: skip
    began = time.process_time()
    predictor = estimator.train(series)
    answer = {"cpu_s": time.process_time() - began, "batches_cpu_s": clock.took}
    forecasts, truths = make_evaluation_predictions(tests, predictor, num_samples=100)
    scores, _ = Evaluator(quantiles=QUANTILES, num_workers=0)(truths, forecasts)
    return answer | {"mean_wql": float(scores["mean_wQuantileLoss"]), "rmse": float(scores["RMSE"])}, predictor


def forecast(asked: dict[str, Any], predictor: Any, freq: str) -> dict[str, Any]:
    series = entries(asked["series"], freq)
    took = []
    for _ in range(asked["times"]):
        began = time.process_time()
        list(predictor.predict(series, num_samples=100))
        took.append(time.process_time() - began)
    return {"cpu_s": took}


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    predictor, freq = None, ""
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "train":
            freq = asked["freq"]
            with tempfile.TemporaryDirectory() as directory:
                os.chdir(directory)
                answer, predictor = train(asked)
                os.chdir("/")
        else:
            answer = forecast(asked, predictor, freq)
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
