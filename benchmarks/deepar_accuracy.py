"""How well DeepAR forecasts: ours, gluonts' and simple methods on the same series, with the same hyper-parameters.

    python benchmarks/deepar_accuracy.py FOLDER [--seeds 3] [--only m4_hourly] [--hold-out] [--known answers.json]
    RESTFRAME_GLUONTS=/path/to/python       an interpreter with gluonts[torch]; without one its rows are left out

FOLDER has a folder for each data set with train.json.gz and test.json.gz in SageMaker's format. mean_wQuantileLoss and
RMSE as SageMaker scores test channels. A seasonal naive forecast is one path, as is usual; exponential smoothing draws
100 as the networks do. Seeds make the spread: the median is what to compare, the worst what to fear.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
import time
from pathlib import Path

import numpy as np

from deepar_data import (
    DATA_SETS,
    DataSet,
    Gluonts,
    ask_gluonts,
    configuration_of,
    gluonts,
    score_ours,
    series_of,
    train_ours,
)
from restframe.ml.forecasting.ets import smooth
from restframe.ml.forecasting.naive import seasonal_naive
from restframe.ml.forecasting.scores import score
from restframe.ml.forecasting.series import Series


def show(name: str, method: str, wqls: list[float], rmses: list[float], cpus: list[float]) -> None:
    print(
        f"{name:<16} {method:<16} {statistics.median(wqls):8.4f} {max(wqls):8.4f} {statistics.median(rmses):10.4g} "
        f"{max(rmses):10.4g} {statistics.median(cpus):8.1f}   {' '.join(f'{one:.4f}' for one in wqls)}",
        flush=True,
    )


def simple(one: DataSet, tests: list[Series]) -> None:
    truths = [each.target[-one.steps :] for each in tests]
    histories = [each.target[: -one.steps] for each in tests]
    naive = score([seasonal_naive(each, one.steps, one.season)[np.newaxis] for each in histories], truths)
    show(one.name, "seasonal naive", [naive.mean_wql], [naive.rmse], [0.0])
    generator = np.random.default_rng(0)
    smooth(histories[0], one.season)  # compiles
    began = time.process_time()
    paths = [smooth(each, one.season).sample_paths(one.steps, 100, generator) for each in histories]
    took = time.process_time() - began
    smoothed = score(paths, truths)
    show(one.name, "ETS", [smoothed.mean_wql], [smoothed.rmse], [took])


def networks(one: DataSet, folder: Path, peer: Gluonts, seeds: int, hold_out: bool) -> None:
    train, tests = series_of(one, folder, hold_out)
    simple(one, tests)
    theirs = [ask_gluonts(peer, one, folder, seed, hold_out) for seed in range(seeds)]
    if all(theirs):
        show(one.name, "gluonts", *([each[key] for each in theirs] for key in ("mean_wql", "rmse", "cpu_s")))
    ours = []
    for seed in range(seeds):
        model, took, _ = train_ours(train, configuration_of(one, train, seed))
        ours.append((score_ours(model, tests), took))
    show(
        one.name, "restframe",
        [each.mean_wql for each, _ in ours], [each.rmse for each, _ in ours], [took for _, took in ours],
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--batches", type=int, help="of training, instead of each data set's own number")
    parser.add_argument("--only", choices=[one.name for one in DATA_SETS])
    parser.add_argument("--hold-out", action="store_true", help="forecast the end of the training file")
    parser.add_argument("--known", type=Path, help="keeps gluonts' answers, and takes those it has")
    given = parser.parse_args()
    print(f"{'data':<16} {'method':<16} {'wQL':>8} {'worst':>8} {'RMSE':>10} {'worst':>10} {'CPU s':>8}   wQL by seed")
    with gluonts(os.environ.get("RESTFRAME_GLUONTS"), given.known) as peer:
        for one in DATA_SETS:
            if given.only in (None, one.name):
                changed = dataclasses.replace(one, batches=given.batches) if given.batches else one
                networks(changed, given.folder, peer, given.seeds, given.hold_out)


if __name__ == "__main__":
    main()
