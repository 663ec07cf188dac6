"""CPU time of one request for forecasts: ours against gluonts' predictor, 100 samples of 96 quarter hours.

    RESTFRAME_GLUONTS=/path/to/python python benchmarks/deepar_serving.py [--rounds 15]

One series of 2,000 points, and ten of them in one request; by turns, medians. `model` is what samples take, `answer`
also reads the request's JSON and writes the answer's, which gluonts does not. The networks are trained for a moment:
what they take does not depend on how well they do.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deepar_data import Gluonts, gluonts
from restframe.ml.containers.forecasts import Forecaster, answer
from restframe.ml.deepar import Asked, Configuration, Model, fit
from restframe.ml.forecasting.reading import from_json

STEPS, POINTS, TIMES = 96, 2000, 3


def made(count: int) -> list[dict[str, Any]]:
    generator = np.random.default_rng(0)
    day = 10 + 5 * np.sin(np.arange(POINTS) * 2 * np.pi / STEPS)
    return [
        {"start": "2020-01-01 00:00:00", "target": np.round(day + generator.normal(0, 1, POINTS), 2).tolist()}
        for _ in range(count)
    ]


def trained(peer: Gluonts) -> Model:
    """Ours; gluonts keeps its own."""
    lines = made(2)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "train.json.gz"
        file.write_bytes(gzip.compress("\n".join(map(json.dumps, lines)).encode()))
        peer(
            keep=False, do="train", train=str(file), test=str(file), freq="15min", steps=STEPS, context=STEPS,
            batch_size=32, epochs=1, batches=2, learning_rate=1e-3, seed=0,
        )  # fmt: skip
    configuration = Configuration(
        context_length=STEPS, prediction_length=STEPS, epochs=1, time_freq="15min", mini_batch_size=8
    )
    return fit([from_json(line) for line in lines], configuration)


def cpu_ms(work: Callable[[], object]) -> float:
    began = time.process_time()
    for _ in range(TIMES):
        work()
    return 1000 * (time.process_time() - began) / TIMES


def measure(model: Model, peer: Gluonts, count: int, rounds: int) -> None:
    lines = made(count)
    series = tuple(from_json(line) for line in lines)
    body = json.dumps({"instances": lines}).encode()
    forecaster = Forecaster(model)
    models, answers, theirs = [], [], []
    for _ in range(rounds):
        models.append(cpu_ms(lambda: model.sample([Asked(series, samples=100)])))
        answers.append(cpu_ms(lambda: answer(forecaster, body, "application/json", "application/json")))
        took = peer(keep=False, do="forecast", series=lines, times=TIMES)["cpu_s"]
        theirs.append(1000 * statistics.mean(took))
    ratio = statistics.median(their / our for our, their in zip(models, theirs, strict=True))
    columns = [statistics.median(column) for column in (models, answers, theirs)]
    print(f"{count:>6}" + "".join(f"{column:>10.1f}" for column in columns) + f"{ratio:>8.2f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with gluonts(os.environ["RESTFRAME_GLUONTS"]) as peer:
        model = trained(peer)
        print(f"CPU ms of a request, median of {given.rounds}")
        print(f"{'series':>6}{'model':>10}{'answer':>10}{'gluonts':>10}{'ratio':>8}")
        for count in (1, 10):
            measure(model, peer, count, given.rounds)


if __name__ == "__main__":
    main()
