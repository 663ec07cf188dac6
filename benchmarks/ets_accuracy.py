"""Exponential smoothing, ours against statsforecast's AutoETS: how well it forecasts, and what that takes.

    RESTFRAME_GLUONTS=/path/to/python python benchmarks/ets_accuracy.py [FOLDER]

The interpreter has statsforecast. Series are made by a fixed rule, with trends, seasons and noise of several kinds,
about as long as M4's; FOLDER, when given, has m4_hourly, of which every eighth series is taken. The weighted quantile
loss (0.1 .. 0.9) is that of each series, on average, and of all series together, which the largest ones decide.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from restframe.ml.algorithm import Channel
from restframe.ml.forecasting.ets import smooth
from restframe.ml.forecasting.naive import seasonal_naive
from restframe.ml.forecasting.reading import read
from restframe.ml.forecasting.scores import QUANTILES

Floats = np.ndarray[Any, np.dtype[np.float64]]

# name: season, steps, series, shortest, longest
MADE = {
    "yearly": (1, 6, 200, 15, 60),
    "quarterly": (4, 8, 200, 20, 120),
    "monthly": (12, 18, 200, 50, 300),
    "daily": (7, 14, 120, 90, 600),
}


def made(generator: np.random.Generator, number: int, season: int, steps: int, low: int, high: int) -> Floats:
    """A walk about a trend, with a season that adds up or multiplies, and noise that grows with the level."""
    length = int(generator.integers(low, high)) + steps
    level = float(np.exp(generator.normal(7, 1)))
    trend = generator.normal(0.004, 0.006) * np.arange(length) * (1 if number % 3 == 0 else 0.5)
    walk = generator.normal(0, generator.choice([0.005, 0.02, 0.05]), length).cumsum()
    seasonal = generator.normal(0, 1, season) * generator.choice([0, 0.05, 0.2])
    cycle = np.resize(seasonal - seasonal.mean(), length)
    if number % 2:
        values = level * np.exp(trend + walk + cycle)
    else:
        values = level * (np.exp(trend + walk) + cycle)
    noisy = values * (1 + generator.normal(0, generator.choice([0.01, 0.05, 0.1]), length))
    return np.asarray(np.round(np.maximum(noisy, 1), 1), np.float64)


def sets(folder: Path | None) -> dict[str, tuple[int, int, list[Floats]]]:
    generator = np.random.default_rng(7)
    found = {
        name: (season, steps, [made(generator, number, season, steps, low, high) for number in range(count)])
        for name, (season, steps, count, low, high) in MADE.items()
    }
    if folder:
        file = folder / "m4_hourly" / "train.json.gz"
        series = read("train", Channel([(file.name, file.read_bytes())]))
        found["M4 hourly"] = (24, 48, [one.target for one in series[::8]])
    return found


def losses(quantiles: list[Floats], truths: list[Floats]) -> str:
    """Mean of the series' weighted quantile losses, and that of all."""
    levels = np.array(QUANTILES)[:, np.newaxis]
    each = [
        2 * np.where(truth > rows, levels, levels - 1) * (truth - rows)
        for rows, truth in zip(quantiles, truths, strict=True)
    ]
    sums = [float(np.abs(truth).sum()) for truth in truths]
    mean = np.mean([one.sum() / len(levels) / total for one, total in zip(each, sums, strict=True)])
    return f"{mean:9.4f}{sum(one.sum() for one in each) / len(levels) / sum(sums):9.4f}"


def main() -> None:
    print(f"{'':<11}{'seasonal naive':>18}{'restframe':>18}{'CPU s':>8}{'AutoETS':>18}{'CPU s':>8}")
    generator = np.random.default_rng(0)
    smooth(np.arange(1.0, 30.0), 4).sample_paths(2, 2, generator)  # compiles
    for name, (season, steps, series) in sets(Path(sys.argv[1]) if len(sys.argv) > 1 else None).items():
        histories, truths = [one[:-steps] for one in series], [one[-steps:] for one in series]
        naive = [np.tile(seasonal_naive(one, steps, season), (len(QUANTILES), 1)) for one in histories]
        began = time.process_time()
        ours = [smooth(one, season).sample_paths(steps, 200, generator) for one in histories]
        took = time.process_time() - began
        asked = {"season": season, "steps": steps, "series": [one.tolist() for one in histories]}
        answer = subprocess.run(
            [os.environ["RESTFRAME_GLUONTS"], "-W", "ignore", str(Path(__file__).with_name("ets_autoets.py"))],
            input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        theirs = json.loads(answer.stdout)
        print(
            f"{name:<11}{losses(naive, truths)}"
            f"{losses([np.quantile(one, QUANTILES, axis=0) for one in ours], truths)}{took:8.2f}"
            f"{losses([np.array(one) for one in theirs['quantiles']], truths)}{theirs['cpu_s']:8.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
